"""The beat: one loop that asks the upstream and refreshes the oldest unfinished rows."""

from random import Random

from .desk import Desk
from .rows import FINAL, Row

ROW_WORK = 0.0014  # seconds a round spends on a row: a round of 1,000 rows took 2 s
ASKING = (0.05, 0.4)  # seconds the upstream takes to answer, when there is something to ask
CHUNK = 25  # rows between two breaths


class Rounds:
    """new-api's UpdateTaskBulk: sleep, ask the upstream once for all, save row after row."""

    def __init__(self, desk: Desk, rng: Random, beat: float) -> None:
        self._desk, self._rng, self._beat = desk, rng, beat
        self._clock, self._table = desk.clock, desk.table

    async def run(self) -> None:
        """Refresh rows for ever. The period is the sleep and the work of the round, so the beat drifts."""
        while True:
            await self._clock.sleep(self._beat)
            await self.one()

    async def one(self) -> None:
        """One round: what the upstream knew at its start becomes visible row by row."""
        rows = self._table.oldest(self._desk.era.rows_per_round)
        asked = self._clock.now()
        due = asked + (self._rng.uniform(*ASKING) if rows else 0.0)
        for first in range(0, len(rows), CHUNK):
            chunk = rows[first : first + CHUNK]
            due += ROW_WORK * len(chunk)
            await self._clock.sleep_until(due)
            for row in chunk:
                self.refresh(row, asked)

    def refresh(self, row: Row, asked: float) -> None:
        """Bring one row to what the upstream said when it was asked."""
        if row.status not in FINAL and (status := upstream_status(row, asked)) != row.status:
            row.status = status
            row.updated = int(self._clock.now())
            self._desk.changed(row)


def upstream_status(row: Row, at: float) -> str:
    """What the upstream says of a task: only lyrics are never queued."""
    if at >= row.ends:
        return "FAILURE" if row.reason else "SUCCESS"
    if at >= row.starts or row.order.action == "LYRICS":
        return "IN_PROGRESS"
    return "QUEUED"
