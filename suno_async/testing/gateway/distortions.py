"""Looks that lie: rows as a broken gateway would show them."""

from typing import Any

import msgspec

from .encoding import Encoder
from .faults import Faults
from .names import digest, uuid_text
from .rows import Row

LOOKS_WITHOUT_URL = 2


class Distortions:
    """Between the table and the answer."""

    def __init__(self, faults: Faults, encoder: Encoder) -> None:
        self._faults, self._encoder = faults, encoder
        self._went_back: set[str] = set()
        self._without_url: dict[str, int] = {}  # looks that are still to find no URL

    def encode(self, row: Row) -> bytes:
        """The row as this look shall see it."""
        if not self._faults.active and not self._without_url:
            return self._encoder.encode(row)
        if self._faults.strikes("foreign_id"):
            return self._foreign(row)
        if self._goes_back(row):
            return self._back(row)
        if self._hides_url(row):
            return self._no_url(row)
        return self._encoder.encode(row)

    def _goes_back(self, row: Row) -> bool:
        fresh = row.status == "NOT_START" or row.task_id in self._went_back
        return not fresh and self._faults.strikes("regression")

    def _hides_url(self, row: Row) -> bool:
        """The dice are thrown at the first look that finds SUCCESS."""
        if row.status != "SUCCESS":
            return False
        if row.task_id not in self._without_url:
            struck = self._faults.strikes("success_without_url")
            self._without_url[row.task_id] = LOOKS_WITHOUT_URL if struck else 0
        return self._without_url[row.task_id] > 0

    def _no_url(self, row: Row) -> bytes:
        self._without_url[row.task_id] -= 1
        columns = self._encoder.columns(row)
        if isinstance(columns["data"], list):
            columns["data"] = [{**clip, "audio_url": ""} for clip in columns["data"]]
        return msgspec.json.encode(columns)

    def _foreign(self, row: Row) -> bytes:
        chance = digest(row.task_id, 16)
        other = f"task_{chance.hex()}" if row.task_id.startswith("task_") else uuid_text(chance)
        return msgspec.json.encode({**self._encoder.columns(self._as(row, "SUCCESS")), "task_id": other})

    def _back(self, row: Row) -> bytes:
        self._went_back.add(row.task_id)
        columns: dict[str, Any] = self._encoder.columns(self._as(row, "NOT_START"))
        return msgspec.json.encode(columns)

    @staticmethod
    def _as(row: Row, status: str) -> Row:
        return msgspec.structs.replace(row, status=status, fixed=None)
