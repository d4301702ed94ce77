"""The asking: how a gateway is asked for something beside its tasks, and how to go on where that was cut short."""

import shlex
import sys
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Annotated, Any, TypeVar

from cyclopts import Parameter
from cyclopts.validators import Number

from ...client import Suno
from ...client.arguments import check_clip_id
from ...protocol.errors import ConfigurationError, SubmitUnknown, WaitTimeout
from .configuration import Options, open_suno
from .exits import NotKept, UsageError, advice, code_of
from .looking import Json
from .progress import bar
from .running import run
from .words import say

T = TypeVar("T")
Clip = Annotated[str, Parameter(help="A song's own id, as wait --json and feed tell it.")]
Patience = Annotated[
    float,
    Parameter(help="Stop waiting after so many seconds.", metavar="SECONDS", validator=Number(gt=0, lt=inf)),
]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Asking:
    """How long is waited, and how the answer is told."""

    timeout: Patience = 600.0
    as_json: Json = False

    def flags(self) -> list[str]:
        """The options as they would be given again."""
        words = [] if self.timeout == Asking.timeout else ["--timeout", f"{self.timeout:g}"]
        return words + (["--json"] if self.as_json else [])


CALMLY = Asking()


def ask(
    question: Callable[[Suno], Awaitable[T]],
    tell: Callable[[T], int],
    options: Options,
    *,
    again: Sequence[str] = (),
    once: bool = False,
) -> int:
    """The exit code of one question, as ``tell`` has it for the answer.

    ``again``: the words of the command that asks for the same later. ``once``: what was sent may have made something.
    """

    async def answer() -> int:
        async with open_suno(options) as suno:
            try:
                with bar(1, streaming=False):
                    value = await question(suno)
            except CancelledError:
                if again:
                    _tell_again("interrupted", again)
                elif once:
                    say("interrupted: what was sent may have been accepted all the same, and is not sent again")
                raise
            except WaitTimeout as error:
                if not again:
                    raise
                say(f"{error}{advice(error)}")
                _tell_again("the wait is over", again)
                return code_of(error)
            except SubmitUnknown as error:
                raise NotKept(str(error)) from None
        return tell(value)

    return run(answer)


def _tell_again(why: str, words: Sequence[str]) -> None:
    say(f"{why}: what is being made is made all the same; ask for it again with")
    print(f"  {shlex.join(['suno-async', *words])}", file=sys.stderr, flush=True)


def checked(check: Callable[..., T], *values: Any) -> T:
    """What a check lets through; what it refuses is a matter of usage."""
    try:
        return check(*values)
    except ConfigurationError as error:
        raise UsageError(str(error)) from None


def clip_id(value: str) -> str:
    """A clip's id, safe in a path."""
    return checked(check_clip_id, value)
