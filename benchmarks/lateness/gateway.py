"""The gateway: rows as a stock gateway writes them, shown at once or in rounds, in memory and on the loop's time."""

import json
from email.utils import formatdate
from math import floor, inf
from random import Random
from typing import NamedTuple

import anyio
import msgspec

from suno_async.protocol.exchange import Answer, Request

_EPOCH = 1_800_000_000.4
"""What its clock says when the loop's says 0."""
_LATENCY = 0.02
_HEAD, _TAIL = b'{"code":"success","message":"","data":', b"}"


class Rounds(NamedTuple):
    """How it refreshes its rows: 15 s of sleep, then work, which shows the changed rows one after the other."""

    sleep: float = 15.0
    work: float = 1.0
    """The work takes up to so many seconds, and for each row that is not final ..."""
    each: float = 0.0014
    """... so many more."""
    skipped: float = 0.0
    """The share of the rounds in which nothing is refreshed."""
    restarts: float = inf
    """It is started again every so many seconds, and sleeps before its first round."""


class Row(msgspec.Struct, gc=False):
    """A task as the gateway knows it."""

    task_id: str
    submitted: float
    end: float
    failed: bool
    told: bytes
    """What it says of the task as long as no end is shown."""
    shown: float = inf
    """From when on it shows the end."""
    final: bytes = b""


class Gateway:
    """Answers looks, one by GET or many by POST, and counts them."""

    def __init__(self, rng: Random, rounds: Rounds | None = None, *, dated: bool = False) -> None:
        self.requests = 0
        self._rng = rng
        self._rounds = rounds
        self._dated = dated
        self._rows: dict[str, Row] = {}
        self._open: dict[str, Row] = {}
        self._next = rng.uniform(0, 15)
        self._restart = inf if rounds is None or rounds.restarts == inf else rng.uniform(0, rounds.restarts)

    def submit(self, task_id: str, now: float, length: float, *, failed: bool) -> Row:
        """A new task, which ends so many seconds from now."""
        row = Row(task_id, now, now + length, failed, b"")
        row.told = self._encode(row, "IN_PROGRESS", changed=now)
        self._rows[task_id] = self._open[task_id] = row
        if self._rounds is None:
            self._show(row, row.end)
        return row

    def forget(self, task_id: str) -> None:
        """Nobody asks for it any more."""
        del self._rows[task_id]

    # what the client's lane asks of a network

    async def look(self, request: Request, *, fresh: bool = False, timeout: float | None = None) -> Answer:  # noqa: ARG002
        """The rows asked for, as they are half way."""
        self.requests += 1
        await anyio.sleep(_LATENCY)
        now = anyio.current_time() - _LATENCY / 2
        self._refresh(now)
        headers = {"Date": formatdate(floor(_EPOCH + now), usegmt=True)}
        if request.body is None:
            body = self._row(request.path.rpartition("/")[2], now)
        else:
            body = b"[" + b",".join([self._row(task_id, now) for task_id in json.loads(request.body)["ids"]]) + b"]"
        return Answer(200, headers, _HEAD + body + _TAIL)

    async def distrust(self) -> None:
        """All connections are good."""

    def renew_key(self) -> bool:
        """There is one key."""
        return False

    def _row(self, task_id: str, now: float) -> bytes:
        row = self._rows[task_id]
        return row.final if now >= row.shown else row.told

    # the rounds

    def _refresh(self, now: float) -> None:
        """Every round that has begun by now."""
        rounds = self._rounds
        while rounds is not None and self._next <= now:
            begin = self._next
            if begin >= self._restart:
                self._next = self._restart + rounds.sleep
                self._restart += rounds.restarts
                continue
            rows = [row for row in self._open.values() if row.submitted <= begin]
            work = self._rng.uniform(0, rounds.work) + rounds.each * len(rows)
            self._next = begin + work + rounds.sleep
            if self._rng.random() >= rounds.skipped:
                self._work(rows, begin, work)

    def _work(self, rows: list[Row], begin: float, work: float) -> None:
        """Those that have ended by its beginning are shown in the order they came, each at its share of the work."""
        for place, row in enumerate(rows):
            if row.end <= begin:
                self._show(row, begin + work * (place + self._rng.random()) / len(rows))

    def _show(self, row: Row, when: float) -> None:
        row.shown = when
        row.final = self._encode(row, "FAILURE" if row.failed else "SUCCESS", changed=when)
        del self._open[row.task_id]

    def _encode(self, row: Row, status: str, *, changed: float) -> bytes:
        final = status != "IN_PROGRESS"
        clip = {"id": f"clip-{row.task_id}", "title": "A song", "status": "complete", "audio_url": "https://cdn/a.mp3"}
        fields = {
            "task_id": row.task_id,
            "action": "MUSIC",
            "status": status,
            "fail_reason": "generation failed" if status == "FAILURE" else "",
            "submit_time": floor(_EPOCH + row.submitted),
            "start_time": 0,
            "finish_time": floor(_EPOCH + row.end) if final else 0,
            "progress": "100%" if final else "0%",
            "data": [clip] if status == "SUCCESS" else None,
        }
        if self._dated:
            fields |= {"created_at": floor(_EPOCH + row.submitted), "updated_at": floor(_EPOCH + changed)}
        return json.dumps(fields).encode()
