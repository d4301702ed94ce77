"""The gateway's table of tasks."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from msgspec import Struct

from .songs import Order

FINAL = frozenset({"SUCCESS", "FAILURE"})


class Row(Struct, eq=False, gc=False):
    """One task as the gateway's database knows it. A million of these must fit into memory: no clips, no JSON."""

    number: int
    task_id: str
    order: Order
    submitted: float
    starts: float
    ends: float
    reason: str
    status: str
    updated: int
    fixed: dict[str, Any] | None = None  # columns that a test has set by hand


class Table:
    """All rows, and which of them the next round refreshes."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._front: list[Row] = []
        self._waiting: deque[Row] = deque()
        self._hidden: dict[str, float] = {}
        self.last_number = 0

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, rows: Iterable[Row]) -> None:
        """Insert rows that wait for the rounds to come."""
        rows = list(rows)
        self._rows.update((row.task_id, row) for row in rows)
        self._waiting.extend(rows)

    def plant(self, row: Row) -> None:
        """Insert or replace a row that no round touches."""
        self._rows[row.task_id] = row

    def number(self) -> int:
        """The number of the next row."""
        self.last_number += 1
        return self.last_number

    def hide(self, task_id: str, until: float) -> None:
        """Let a row exist for nobody before a moment of gateway time."""
        self._hidden[task_id] = until

    def get(self, task_id: str) -> Row:
        """The row, or KeyError."""
        return self._rows[task_id]

    def find(self, task_id: object, account: int, now: float) -> Row | None:
        """The row if it is visible to the account."""
        row = self._rows.get(task_id) if isinstance(task_id, str) else None
        if row is None or row.order.account != account:
            return None
        return row if self._visible(row, now) else None

    def of(self, account: int, now: float) -> list[Row]:
        """All rows that are visible to the account, newest first."""
        rows = [row for row in self._rows.values() if row.order.account == account and self._visible(row, now)]
        return sorted(rows, key=lambda row: row.number, reverse=True)

    def since(self, count: int) -> Iterator[Row]:
        """All rows but the first so many, in order of insertion."""
        return islice(self._rows.values(), count, None)

    def _visible(self, row: Row, now: float) -> bool:
        return not self._hidden or now >= self._hidden.get(row.task_id, 0.0)

    def oldest(self, limit: int) -> list[Row]:
        """The oldest unfinished rows, in order of insertion: what one round of the gateway refreshes."""
        live = [row for row in self._front if row.status not in FINAL and self._rows[row.task_id] is row]
        while len(live) < limit and self._waiting:
            missing = limit - len(live)
            taken = [self._waiting.popleft() for _ in islice(range(len(self._waiting)), missing)]
            live += [row for row in taken if row.status not in FINAL and self._rows[row.task_id] is row]
        self._front = live
        return list(live)
