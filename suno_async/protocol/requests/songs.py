"""The songs, and the words, that are made from nothing but words."""

from typing import ClassVar

from .checked import Body, Why
from .metadata import Metadata


def wordless(prompt: str, metadata: Metadata | None) -> Why | None:
    """What an instrumental was given that only a singer could use."""
    if prompt.strip():
        return "make_instrumental", "an instrumental has no words to sing: leave prompt empty"
    if metadata is not None and metadata.vocal_gender:
        return "make_instrumental", "an instrumental has no voice: leave vocal_gender empty"
    return None


class Inspiration(Body, frozen=True):
    """A song from a description, ``Inspiration("a song about a cat")``: the words are written for you."""

    gpt_description_prompt: str
    make_instrumental: bool = False
    mv: str = ""
    """The model, such as ``chirp-v4``; "" leaves it to the gateway (new-api: chirp-v3-0)."""
    notify_hook: str = ""
    """A URL some gateways call at the end. Stock new-api drops it without a word (dto/suno.go)."""
    metadata: Metadata | None = None
    """Who sings, and how freely. Stock new-api drops it without a word."""

    needed: ClassVar[tuple[str, ...]] = ("gpt_description_prompt",)

    def _contradiction(self) -> Why | None:
        return wordless("", self.metadata) if self.make_instrumental else None


class Custom(Body, frozen=True):
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
    negative_tags: str = ""
    """What it must not sound like, comma separated. Stock new-api drops it without a word."""
    metadata: Metadata | None = None
    """Who sings, and how freely. Stock new-api drops it without a word."""

    def _contradiction(self) -> Why | None:
        if self.make_instrumental:
            return wordless(self.prompt, self.metadata)
        return None if self.prompt.strip() else ("prompt", "must not be empty, unless make_instrumental=True")


class PersonaSong(Body, frozen=True):
    """A song in the voice of another one: ``PersonaSong(persona.id, persona.root_clip_id, prompt=words)``.

    gpt-best wants a ``mv`` that ends in ``-tau``, such as ``chirp-v4-tau``. ``task`` is always sent as
    ``artist_consistency``. Stock new-api drops that and the ids without a word (dto/suno.go): what comes is a song in
    any voice.
    """

    persona_id: str
    """The persona, as the gateway named it. Stock new-api drops it without a word."""
    artist_clip_id: str
    """The song the persona was made from. Stock new-api drops it without a word."""
    prompt: str = ""
    """The words; "" with ``make_instrumental``."""
    tags: str = ""
    title: str = ""
    mv: str = ""
    make_instrumental: bool = False
    notify_hook: str = ""
    """Stock new-api drops it without a word."""
    negative_tags: str = ""
    """What it must not sound like, comma separated. Stock new-api drops it without a word."""
    metadata: Metadata | None = None
    """How freely it is sung. Stock new-api drops it without a word."""
    task_id: str = ""
    """The task that made ``artist_clip_id``, where the gateway wants to know."""

    needed: ClassVar[tuple[str, ...]] = ("persona_id", "artist_clip_id")

    def _contradiction(self) -> Why | None:
        if self.make_instrumental:
            return wordless(self.prompt, self.metadata)
        return None if self.prompt.strip() else ("prompt", "must not be empty, unless make_instrumental=True")

    def _always(self) -> dict[str, object]:
        return {"task": "artist_consistency"}


class WriteLyrics(Body, frozen=True):
    """Words only, no song: ``WriteLyrics("a song about a cat")``; the task has ``lyrics`` and no songs."""

    prompt: str
    notify_hook: str = ""
    """Stock new-api drops it without a word (dto/suno.go)."""

    action: ClassVar[str] = "lyrics"
    needed: ClassVar[tuple[str, ...]] = ("prompt",)
