"""The materials songs are made of and taken apart into, as frozen structs: personas, uploads, notes."""

from collections.abc import Mapping

import msgspec


class Persona(msgspec.Struct, frozen=True, kw_only=True):
    """A singer made from a clip; its ``id`` goes into ``PersonaSong(persona_id=...)``."""

    id: str
    name: str = ""
    description: str = ""
    root_clip_id: str = ""
    """The clip whose voice it is."""
    clip_ids: tuple[str, ...] = ()
    """The clips it was made from, where the gateway lists them."""
    is_public: bool | None = None
    """None where the gateway does not say."""


class Note(msgspec.Struct, frozen=True, gc=False):
    """One note."""

    pitch: float
    """As MIDI counts: 60 is middle C."""
    start_s: float
    end_s: float
    velocity: float = 0.0
    """How hard it is struck, in whatever scale the gateway writes (0 to 1, or 0 to 127)."""


class Instrument(msgspec.Struct, frozen=True):
    """The notes of one instrument."""

    name: str
    notes: tuple[Note, ...] = ()


class Midi(msgspec.Struct, frozen=True):
    """The notes of a song, instrument by instrument; times are in seconds from its start."""

    instruments: tuple[Instrument, ...] = ()


class Slot(msgspec.Struct, frozen=True):
    """Where a gateway wants a file: ``fields`` and file are POSTed to ``url``; without fields the file is PUT there."""

    id: str
    """The upload's own id: not yet a clip's."""
    url: str
    fields: Mapping[str, str] = {}

    def __repr__(self) -> str:
        # whoever has the url and the fields may write there
        return f"Slot({self.id!r})"


class Uploaded(msgspec.Struct, frozen=True):
    """A file that the gateway has taken in."""

    id: str
    title: str = ""
    image_url: str = ""
