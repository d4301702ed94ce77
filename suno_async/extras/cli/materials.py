"""The commands about what songs are made of, and what they cost: persona, tags, balance."""

from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.text import Text

from ...client.arguments import check_text
from ...protocol.balance import Balance
from ...protocol.materials import Persona
from .asking import CALMLY, Asking, Clip, Patience, ask, checked, clip_id
from .configuration import STANDARD, Options
from .exits import DONE
from .looking import Json
from .records import print_json
from .tables import print_table
from .words import clean, read_text


def persona(
    clip: Clip,
    /,
    *,
    name: Annotated[str, Parameter(help="What the singer is called.")],
    description: Annotated[str, Parameter(help="What the singer is like.")] = "",
    also: Annotated[
        list[str] | None,
        Parameter(help="Another song of the same voice; give it once for each.", metavar="CLIP"),
    ] = None,
    public: Annotated[bool, Parameter(help="Others may sing with it, too.", show_default=False)] = False,
    asking: Asking = CALMLY,
    options: Options = STANDARD,
) -> int:
    """Make a singer of a song, and print its id: for submit persona."""
    root = clip_id(clip)
    clips = [root, *map(clip_id, also)] if also else []
    called = checked(check_text, "--name", name)

    def tell(made: Persona) -> int:
        if asking.as_json:
            print_json(msgspec.to_builtins(made))
        else:
            print(clean(made.id))
        return DONE

    return ask(
        lambda suno: suno.create_persona(
            root, name=called, description=description, clips=clips, is_public=public, timeout=asking.timeout
        ),
        tell,
        options,
        once=True,
    )


def tags(
    text: Annotated[str, Parameter(help="A style in a few words; - reads it from stdin, @FILE from a file.")],
    /,
    *,
    asking: Asking = CALMLY,
    options: Options = STANDARD,
) -> int:
    """Make a rich description of a style in a few words: for submit custom --tags."""
    style = checked(check_text, "TEXT", read_text(text))

    def tell(found: str) -> int:
        if asking.as_json:
            print_json({"text": style, "tags": found})
        else:
            print(clean(found))
        return DONE

    return ask(lambda suno: suno.upsample_tags(style, timeout=asking.timeout), tell, options, once=True)


def balance(*, timeout: Patience = 30.0, as_json: Json = False, options: Options = STANDARD) -> int:
    """See what the key may spend, has spent and has left, in the gateway's own unit."""

    def tell(found: Balance) -> int:
        limit = None if found.unlimited else found.limit
        if as_json:
            # how a gateway writes that there is no limit is no amount
            print_json({**msgspec.to_builtins(found), "limit": limit})
        else:
            amounts = {"limit": limit, "used": found.used, "remaining": found.remaining}
            print_table(tuple(amounts), [{name: Text(_amount(value)) for name, value in amounts.items()}])
        return DONE

    return ask(lambda suno: suno.balance(timeout=timeout), tell, options)


def _amount(value: float | None) -> str:
    """Gateways charge down to a millionth."""
    return "unlimited" if value is None else f"{value:.6f}".rstrip("0").rstrip(".")
