"""The library of a private build: every clip it has, by id, and every persona. An account sees its own only."""

from typing import Any

from msgspec import Struct

from .answers import RefusalError
from .clips import ids_of, length_of
from .desk import Desk
from .rows import Row


class Clip(Struct, frozen=True):
    """One clip: what its task shows of it, and the task."""

    id: str
    row: Row
    shown: dict[str, Any]

    @property
    def complete(self) -> bool:
        """Whether it has been made."""
        return self.row.status == "SUCCESS"

    @property
    def length(self) -> float:
        """Its length in seconds, also while it streams."""
        return length_of(self.row.order, self.id)

    @property
    def metadata(self) -> dict[str, Any]:
        """What is told about it beside its title."""
        return self.shown.get("metadata") or {}

    @property
    def words(self) -> str:
        """What is sung, "" if nothing is."""
        return str(self.metadata.get("prompt") or "")


class Library:
    """Finds clips and personas."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._owners: dict[str, str] = {}  # the task of each clip
        self._read = 0
        self._personas: dict[tuple[int, str], dict[str, Any]] = {}

    def find(self, clip_id: str, account: int) -> Clip | None:
        """The clip, if a task of the account shows it."""
        desk = self._desk
        for new in desk.table.since(self._read) if len(desk.table) > self._read else ():
            self._owners.update(dict.fromkeys(ids_of(new.order, new.task_id), new.task_id))
            self._read += 1
        row = desk.table.find(self._owners.get(clip_id), account, desk.clock.now())
        shown = desk.encoder.columns(row)["data"] if row is not None else None
        if row is None or not isinstance(shown, list):
            return None
        return next((Clip(clip_id, row, clip) for clip in shown if clip.get("id") == clip_id), None)

    def get(self, clip_id: str, account: int) -> Clip:
        """The clip; RefusalError if there is none, or its task has failed."""
        clip = self.find(clip_id, account)
        if clip is None:
            raise RefusalError(400, "invalid_request", "clip not found")
        if clip.row.status == "FAILURE":
            raise RefusalError(400, "invalid_request", "record not found")
        return clip

    def add_persona(self, account: int, persona: dict[str, Any]) -> None:
        """Remember a persona by its id."""
        self._personas[account, persona["id"]] = persona

    def persona(self, persona_id: str, account: int) -> dict[str, Any]:
        """The persona; RefusalError if there is none."""
        persona = self._personas.get((account, persona_id))
        if persona is None:
            raise RefusalError(400, "invalid_request", "record not found")
        return persona
