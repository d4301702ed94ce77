"""The disk: the journal's real store behind a writer without a thread, which is slow, refuses, and crashes on cue."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import anyio

from suno_async.engine.journal.store import Operation, Store
from suno_async.engine.journal.writer import _MOST, Writer, _Entry
from suno_async.protocol.intents import IntentState

FILE = "suno.journal"


class Crash(SystemExit):
    """The process is gone: nothing of it runs any more. Nobody on the way up catches this kind."""


class State(NamedTuple):
    """What a journal holds."""

    tasks: list[Any]
    intents: list[Any]


class Disk:
    """The faults of one seed's disk; it outlives every process."""

    def __init__(self, rng: Random, healed: float, *, calm: bool) -> None:
        self._rng = rng
        self._healed = healed
        self.seconds = rng.choice([0.0, 0.001, 0.02, 0.3])
        self.writes = 0
        often = not calm and rng.random() < 0.3
        self.refusing = {rng.randrange(1, 80) + more for _ in range(2) for more in range(rng.choice([1, 3]))}
        self.refusing = self.refusing if often else set()
        self.crashing: dict[int, str] = {}
        if not calm and rng.random() < 0.6:
            modes = ("before", "after", "torn")
            self.crashing = {rng.randrange(1, 60): rng.choice(modes) for _ in range(rng.choice([1, 1, 2]))}
        self.refused = False
        """It has refused something, so the journal may know less than was told."""
        self.allowed: list[State] = []
        """What may be found after the last crash."""

    def next(self, now: float) -> tuple[str, bool]:
        """The next write: the crash it brings, or "", and whether it is refused."""
        self.writes += 1
        if now >= self._healed:
            return "", False
        refused = self.writes in self.refusing
        self.refused = self.refused or refused
        return self.crashing.pop(self.writes, ""), refused

    def torn(self, before: int, after: int) -> int:
        """How much of the log's last write survives."""
        return self._rng.randrange(before, after) if after > before else after


def _refuse(_: Store) -> None:
    raise sqlite3.OperationalError("database or disk is full")


class Scribe(Writer):
    """The product's writer with the loop in the place of its thread."""

    def __init__(self, folder: Path, disk: Disk, wall: Callable[[], float], crash: Callable[..., None]) -> None:
        self.path = folder / FILE
        super().__init__(lambda: Store(self.path, now=wall))
        self._disk = disk
        self._crash = crash
        self._waiting: list[_Entry] = []
        self._owed: list[_Entry] = []
        self._timer: asyncio.TimerHandle | None = None
        self.store: Store
        self.dead = False

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        await anyio.sleep(self._disk.seconds)
        self.store = self._open_store()

    async def close(self) -> None:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(self._disk.seconds)
        while self._waiting:
            self._flush()
        if self._owed:
            self._owed = self._commit(self.store, self._owed, [])
        if not self.dead:
            self.dead = True
            self.store.close()

    def write(self, operation: Operation, *, kept: bool = False) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = self._loop.create_future()
        self._put(_Entry(operation, future, kept=kept))
        return future

    def note(self, operation: Operation) -> None:
        self._put(_Entry(operation, None, kept=True))

    def _put(self, entry: _Entry) -> None:
        self._waiting.append(entry)
        if self._timer is None:
            self._timer = self._loop.call_later(self._disk.seconds, self._flush)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        entries, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        if self.dead:
            return
        crash, refused = self._disk.next(self._loop.time())
        before = self.held() if crash else None
        if crash == "before":
            self._crash(self, [before], None)
        size = self._log_size() if crash else 0
        if refused:
            # as the last of its transaction, so that there is something to roll back
            entries.append(_Entry(_refuse, None, kept=False))
        told: list[Any] = []
        self._hold(told)
        self._owed = [
            entry for entry in self._commit(self.store, self._owed, entries) if entry.operation is not _refuse
        ]
        if crash == "after":
            self._crash(self, [self.held()], None)
        elif crash == "torn":
            self._crash(self, [before, self.held()], self._disk.torn(size, self._log_size()))
        for each in told:
            super()._tell(*each)
        self._held = None
        if self._waiting:
            self._timer = self._loop.call_later(self._disk.seconds, self._flush)

    _held: list[Any] | None = None

    def _hold(self, told: list[Any]) -> None:
        """What is to be told waits until it is clear that the process lives."""
        self._held = told

    def _tell(self, *told: Any) -> None:
        if self._held is None:
            super()._tell(*told)
        else:
            self._held.append(told)

    def held(self) -> State:
        """What is durable now."""
        return held(self.store)

    def intends(self, body: bytes) -> bool:
        """True if the intent of this body is durable, and nothing that came of it."""
        undecided = self.store.intents(undecided=True)
        return any(each.body == body and each.state is IntentState.INTENDED for each in undecided)

    def _log_size(self) -> int:
        log = self.path.with_name(f"{FILE}-wal")
        return log.stat().st_size if log.exists() else 0

    def copy(self, folder: Path, size: int | None) -> None:
        """The bytes on the disk at this instant; of the log only so many."""
        for end in ("", "-wal"):
            file = self.path.with_name(FILE + end)
            if file.exists():
                shutil.copyfile(file, folder / file.name)
        log = folder / f"{FILE}-wal"
        if size is not None and log.exists():
            with log.open("r+b") as file:
                file.truncate(size)


def held(store: Store) -> State:
    """What a journal holds."""
    intents = [(each.intent_id, each.state.value, each.task_id, each.body) for each in store.intents()]
    return State(sorted(store.tasks()), intents)
