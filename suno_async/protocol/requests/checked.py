"""The checked struct: it looks at its own fields when it is made, so that a mistake costs no request."""

import math
from typing import Any, ClassVar, Literal, get_args, get_origin

import msgspec

from ..errors import ConfigurationError
from ..inputs import is_task_id

Why = tuple[str, str]
"""A field, and what is wrong with it."""

_IDS = ("clip_id", "task_id", "persona_id")
"""How the names of the fields end that hold what a gateway gave out."""


class Checked(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Fields that are refused with their name, if one alone or two together cannot be right."""

    needed: ClassVar[tuple[str, ...]] = ()
    """The fields that must not be blank."""

    def __post_init__(self) -> None:
        for field in msgspec.structs.fields(type(self)):
            value = getattr(self, field.name)
            why = _misfit(value, field.type) or _fault(field.name, value)
            if why is not None:
                raise wrong(self, field.name, why)
        for name in self.needed:
            if not getattr(self, name).strip():
                raise wrong(self, name, "must not be empty")
        contradiction = self._contradiction()
        if contradiction is not None:
            raise wrong(self, *contradiction)

    def _contradiction(self) -> Why | None:
        """What two fields say against each other."""
        return None


class Body(Checked, frozen=True):
    """What one action is sent."""

    action: ClassVar[str] = "music"
    """It goes to ``/suno/submit/<action>``."""

    def encode(self) -> bytes:
        """The JSON of it: what was set, and what belongs to it anyway; the same fields are always the same bytes."""
        return msgspec.json.encode(msgspec.to_builtins(self) | self._always())

    def _always(self) -> dict[str, object]:
        """What is sent whether it was set or not."""
        return {}


def wrong(body: object, field: str, why: str) -> ConfigurationError:
    """The error that names the struct and its field."""
    return ConfigurationError(f"{type(body).__name__}.{field}: {why}")


def _misfit(value: object, kind: Any) -> str | None:
    """Why a value is not of its field's type."""
    structs = [each for each in get_args(kind) if isinstance(each, type) and issubclass(each, Checked)]
    if structs:
        return None if value is None or isinstance(value, structs[0]) else f"must be a {structs[0].__name__}(...)"
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        if get_origin(kind) is Literal and isinstance(value, str):
            return f"must be one of {', '.join(map(repr, get_args(kind)))}"
        text = str(error)
        return text[:1].lower() + text[1:]
    return None


def _fault(name: str, value: object) -> str | None:
    """Why a value of the right type cannot be sent."""
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if not isinstance(value, str) or not value:
        return None
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        return "holds half of a surrogate pair, which is no text"
    if name == "notify_hook" and not value.startswith(("https://", "http://")):
        return "must be an http:// or https:// URL"
    if name.endswith(_IDS) and not is_task_id(value):
        return "is no id: one is 1 to 128 letters, digits and _ . : - as the gateway gave it"
    return None
