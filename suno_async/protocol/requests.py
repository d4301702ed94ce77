"""What can be submitted: one strict struct for each kind, with the wire's own field names.

Each checks itself when it is made: a wrong type, a NaN or a contradiction raises ConfigurationError with the field
named. ``mv`` (the model) is never checked, because the sources disagree and new ones come every month.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from .errors import ConfigurationError
from .exchange import Request
from .inputs import check_action


class _Song(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What every body has in common: where it goes, and how it is checked."""

    action: ClassVar[str] = "music"
    needed: ClassVar[tuple[str, ...]] = ()
    """The fields that must not be blank."""

    def __post_init__(self) -> None:
        for field in msgspec.structs.fields(type(self)):
            value = getattr(self, field.name)
            try:
                msgspec.convert(value, field.type)
            except msgspec.ValidationError as error:
                raise _wrong(self, field.name, str(error).lower()) from None
            _check_value(self, field.name, value)
        for name in self.needed:
            if not getattr(self, name).strip():
                raise _wrong(self, name, "must not be empty")
        contradiction = self._contradiction()
        if contradiction:
            raise _wrong(self, *contradiction)

    def _contradiction(self) -> tuple[str, str] | None:
        return None


def _check_value(body: object, name: str, value: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise _wrong(body, name, "must be a finite number")
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise _wrong(body, name, "holds half of a surrogate pair, which is no text")
    if name == "notify_hook" and value and not str(value).startswith(("https://", "http://")):
        raise _wrong(body, name, "must be an http:// or https:// URL")


def _wrong(body: object, field: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"{type(body).__name__}.{field}: {why}")


class Inspiration(_Song, frozen=True):
    """A song from a description, ``Inspiration("a song about a cat")``: the words are written for you."""

    gpt_description_prompt: str
    make_instrumental: bool = False
    mv: str = ""
    """The model, such as ``chirp-v4``; "" leaves it to the gateway (new-api: chirp-v3-0)."""
    notify_hook: str = ""
    """A URL some gateways call at the end. Stock new-api drops it without a word (dto/suno.go)."""

    needed: ClassVar[tuple[str, ...]] = ("gpt_description_prompt",)


class Custom(_Song, frozen=True):
    """A song with your own words: ``Custom(words, tags="emotional punk", title="City Lights")``."""

    prompt: str = ""
    """The words; "" with ``make_instrumental``."""
    tags: str = ""
    """The style, comma separated."""
    title: str = ""
    mv: str = ""
    make_instrumental: bool = False
    notify_hook: str = ""
    """Stock new-api drops it without a word (dto/suno.go)."""

    def _contradiction(self) -> tuple[str, str] | None:
        if self.make_instrumental and self.prompt.strip():
            return "make_instrumental", "an instrumental has no words to sing: leave prompt empty"
        if not self.make_instrumental and not self.prompt.strip():
            return "prompt", "must not be empty, unless make_instrumental=True"
        return None


class Extend(_Song, frozen=True):
    """The continuation of a song: ``Extend(continue_clip_id=song.id, continue_at=80, task_id=task.task_id, ...)``."""

    continue_clip_id: str
    """The ``Song.id`` to go on from."""
    continue_at: float
    """Where to go on, in seconds from its start."""
    task_id: str = ""
    """The task that made the clip. new-api before 2026 and Suno-API refuse a continuation without it."""
    prompt: str = ""
    tags: str = ""
    title: str = ""
    mv: str = ""
    make_instrumental: bool = False
    notify_hook: str = ""
    """Stock new-api drops it without a word (dto/suno.go)."""

    needed: ClassVar[tuple[str, ...]] = ("continue_clip_id",)

    def _contradiction(self) -> tuple[str, str] | None:
        if self.continue_at < 0:
            return "continue_at", "must be zero or more seconds"
        if self.make_instrumental and self.prompt.strip():
            return "make_instrumental", "an instrumental has no words to sing: leave prompt empty"
        return None


class WriteLyrics(_Song, frozen=True):
    """Words only, no song: ``WriteLyrics("a song about a cat")``; the task has ``lyrics`` and no songs."""

    prompt: str
    notify_hook: str = ""
    """Stock new-api drops it without a word (dto/suno.go)."""

    action: ClassVar[str] = "lyrics"
    needed: ClassVar[tuple[str, ...]] = ("prompt",)


class Submission(msgspec.Struct, frozen=True):
    """Anything else a private gateway offers: ``Submission("concat", {"clip_id": "..."})``.

    The body goes out as it is, to ``/suno/submit/<action>``.
    """

    action: str
    body: Mapping[str, Any]

    def __post_init__(self) -> None:
        check_action(self.action)
        if not isinstance(self.body, Mapping) or not all(isinstance(key, str) for key in self.body):
            raise _wrong(self, "body", "must be a mapping from field names to JSON values")


Submittable = Inspiration | Custom | Extend | WriteLyrics | Submission


def submission(body: Submittable) -> Request:
    """The request that submits ``body``; raises ConfigurationError for what is no submission or no JSON."""
    if isinstance(body, Submission):
        return Request("POST", f"/suno/submit/{body.action}", _plain_json(body))
    if isinstance(body, _Song):
        return Request("POST", f"/suno/submit/{body.action}", msgspec.json.encode(body))
    raise ConfigurationError(
        f"a {type(body).__name__} cannot be submitted: pass Inspiration(...), Custom(...), Extend(...),"
        " WriteLyrics(...) or Submission(action, body)"
    )


def _plain_json(body: Submission) -> bytes:
    try:
        return json.dumps(dict(body.body), allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise _wrong(body, "body", f"cannot be written as JSON: {error}") from None
