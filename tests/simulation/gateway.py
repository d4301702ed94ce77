"""The gateway: rows, weather and quirks in one place. Both tiers ask it what to answer; how that travels is theirs."""

from collections.abc import Sequence
from random import Random

from virtual import UNKNOWN as MISSING
from virtual import one, rows

from suno_async.protocol.exchange import Answer

from .desk import Desk
from .rows import WHOLE, Row, State, going, life
from .weather import NO_ROUTE, POISON, STRAY, TOO_MANY, Reply, Weather

Told = dict[str, State]


class Gateway:
    """Outlives every client and every crash of one."""

    def __init__(self, rng: Random, start: float, *, calm: bool, odd: Sequence[str], longest: float) -> None:
        self._rng = rng
        self._odd = odd
        self._longest = longest
        self.weather = Weather(rng, start, calm=calm)
        healed = self.weather.healed
        self.rows: dict[str, Row] = {}
        self.without_route = rng.random() < 0.1
        self.most_in_batch = rng.choice([3, 20]) if rng.random() < 0.1 else 10**6
        self.poison: set[str] = set()
        self.late_rows = not calm and rng.random() < 0.5
        self.lost_rows = not calm and rng.random() < 0.15
        self.restarts = sorted(rng.uniform(start, healed) for _ in range(0 if calm else rng.choice([0, 0, 0, 1])))
        self.keys = sorted(rng.uniform(start, healed) for _ in range(rng.choice([0, 0, 1, 3])))
        """When the key changes."""
        self.now = start
        self.desk = Desk(rng, start, healed, calm=calm, insert=self._insert)

    def add(self, task_id: str, kind: str, created: float) -> Row:
        """A task that was submitted somewhere else."""
        row = self.rows[task_id] = Row(task_id, created, life(self._rng, kind, task_id, self._longest))
        return row

    def _insert(self, task_id: str) -> None:
        kind = self._rng.choice(self._odd) if self._odd and self._rng.random() < 0.3 else "song"
        row = self.add(task_id, kind, self.now)
        if self.late_rows:
            row.hidden_looks = self._rng.choice([0, 1, 4])
            row.hidden_until = self.now + self._rng.uniform(0.0, 60.0)
        row.forgotten = self.lost_rows and self._rng.random() < 0.2

    def tick(self, now: float) -> None:
        """Time goes on: a restart forgets the rows that are young."""
        self.now = now
        while self.restarts and self.restarts[0] <= now:
            at = self.restarts.pop(0)
            for row in self.rows.values():
                row.forgotten = row.forgotten or at - 30.0 < row.created <= at

    def key(self, now: float) -> int:
        """Which key is the right one now."""
        return sum(at <= now for at in self.keys)

    def answer(
        self, ids: Sequence[str], now: float, *, single: bool, fresh: bool
    ) -> tuple[Answer | None, Told, Reply | None]:
        """The answer to a look: what it tells, or the trouble it is."""
        self.tick(now)
        fault = self.weather.fault(now, single=single, fresh=fresh)
        if fault is None:
            fault = self._quirk(ids, now, single=single)
        if fault is not None:
            return fault.answer, {}, fault
        known = self.rows
        found = {task_id: row for task_id in ids if task_id in known and (row := known[task_id].seen(now)) is not None}
        mangle = self.weather.mangle(now)
        answer = self._single(found, fresh=fresh) if single else self._batch(found, mangle)
        return self._damaged(answer, mangle), found, None

    def _single(self, found: Told, *, fresh: bool) -> Answer:
        return next((one(state.row, fresh=fresh) for state in found.values()), MISSING)

    def _quirk(self, ids: Sequence[str], now: float, *, single: bool) -> Reply | None:
        if now < self.weather.healed and not self.poison.isdisjoint(ids):
            return POISON
        if single:
            return None
        if self.without_route:
            return NO_ROUTE
        return TOO_MANY if len(ids) > self.most_in_batch else None

    def _batch(self, found: Told, mangle: str) -> Answer:
        told = list(found.values())
        if mangle == "missing":
            told = self._rng.sample(told, len(told) // 2)
            kept = {one.task_id for one in told}
            for task_id in [*found]:
                if task_id not in kept:
                    del found[task_id]
        parts = [one.row for one in told]
        if mangle == "shuffled":
            self._rng.shuffle(parts)
        elif mangle == "twice":
            # the row that is further along is the one that counts
            parts += [going(one.task_id).row if one.meaning == WHOLE else one.row for one in told]
        elif mangle == "strangers" and parts:
            parts = [STRAY, *parts, STRAY]
        return rows(*parts)

    def _damaged(self, answer: Answer, mangle: str) -> Answer:
        body = answer.body
        if mangle == "bom":
            body = b"\xef\xbb\xbf" + body
        elif mangle == "nan":
            body = body.replace(b'"message":""', b'"message":NaN', 1)
        elif mangle == "surrogate":
            body = body.replace(b'"message":""', b'"message":"\\ud800"', 1)
        elif mangle == "two documents":
            body += b'{"code":"insert_task_failed","message":"duplicate entry","data":null}'
        return answer if body is answer.body else Answer(answer.status, answer.headers, body, answer.fresh)
