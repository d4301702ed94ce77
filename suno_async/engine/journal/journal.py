"""The journal: what the engine says to the disk, and what it learns from it after a crash."""

import logging
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import msgspec

from ...protocol.errors import JournalError
from ...protocol.intents import Intent, IntentState, OpenTask
from ..fingerprint import Fingerprint
from .store import NOT_FOUND, Operation, Store
from .writer import Writer

logger = logging.getLogger("suno_async")

_MINE = os.urandom(4).hex()
_count = count()
_NO_KEY = Fingerprint(b"")
_ENDED = "the process that sent it ended before it knew the answer"


class Scribe(Protocol):
    """Who carries operations to the store."""

    async def open(self) -> None:
        """Opens the store; raises JournalError."""
        ...

    async def close(self) -> None:
        """Everything is durable, and the store is closed."""
        ...

    async def write(self, operation: Operation, *, kept: bool = False) -> Any:
        """The result of an operation once it is durable, or JournalError."""
        ...

    def note(self, operation: Operation) -> None:
        """Writes without anybody waiting for it."""
        ...


class _Step(msgspec.Struct, gc=False):
    """What is written of one intent. A closure would be three things more to make garbage collections come earlier."""

    write: Callable[[Store, Intent], Any]
    intent: Intent

    def __call__(self, store: Store) -> Any:
        return self.write(store, self.intent)


class Journal:
    """One gateway's submissions and waits, in a file that outlives the process."""

    def __init__(self, path: Path, gateway: str, scribe: Scribe | None = None) -> None:
        self.path = path
        self._gateway = gateway
        self._scribe = scribe or Writer(partial(Store, path))
        self._process = 0
        self._missed: set[str] = set()
        """Ids that were not found, and that nobody has waited for, or been given, since."""
        self.key: Callable[[], Fingerprint] = lambda: _NO_KEY
        """That of the key in use; who asks the gateway says it."""

    @property
    def fingerprint(self) -> str:
        """What is written down of the key in use."""
        return self.key().text

    async def open(self) -> None:
        """Opens the file, or makes it; raises JournalError if it is damaged, or in use, or cannot be written."""
        await self._scribe.open()
        self._missed.clear()
        self._process = os.getpid()

    async def close(self) -> None:
        """Everything is on the disk, and another process may own the file."""
        if self._process == os.getpid():
            self._process = 0
            await self._scribe.close()

    async def intend(self, intent: Intent) -> tuple[Intent, bool]:
        """Writes an intent down; (it, True), or (the earlier one with the same idempotency key, False)."""
        if not intent.intent_id:
            intent = msgspec.structs.replace(intent, intent_id=_next_id())
        stored: tuple[Intent, bool] = await self._write(_Step(Store.intend, intent))
        return stored if stored[1] else (_as_known(stored[0]), False)

    async def conclude(self, intent: Intent) -> None:
        """Writes down how an intent ended, and the task it became; if the disk refuses, again with what comes next."""
        self._missed -= {intent.task_id}
        if await self._write(_Step(Store.conclude, intent), kept=True):
            logger.warning("task %s came of two submissions, the second one is %s", intent.task_id, intent.intent_id)

    async def settle(self, intent: Intent, settled: Intent) -> bool:
        """Writes down what was found out about an unknown intent; False if it is not as it was then any more.

        Somebody may have forgotten it meanwhile, or have settled it and submitted it again under the same name.
        """
        self._missed -= {settled.task_id}

        def write(store: Store) -> bool:
            found = store.find(intent.intent_id)
            same = found is not None and _as_known(found) == intent
            if same:
                store.conclude(settled)
            return same

        done: bool = await self._write(write)
        return done

    def waiting(self, task_ids: Sequence[str]) -> None:
        """These ids are waited for."""
        ids = tuple(task_ids)
        self._missed.difference_update(ids)
        self._note(lambda store: store.wait_for(self._gateway, ids))

    def ended(self, task_id: str, status: str, reason: str) -> None:
        """A task is final, or gone."""
        if status != NOT_FOUND:
            self._note(lambda store: store.end(self._gateway, task_id, status, reason))
            return
        self._missed.add(task_id)
        fits = self.key().fits
        self._note(lambda store: store.miss(self._gateway, task_id, reason, fits))

    def learn(self, record: bytes) -> None:
        """This was learned of the gateway, and all that was learned before is in it."""
        self._note(lambda store: store.learn(self._gateway, record))

    async def learned(self) -> bytes | None:
        """What was learned of the gateway last; None if nothing was, or if it was damaged."""
        record: bytes | None = await self._write(lambda store: store.learned(self._gateway))
        return record

    async def strangers(self) -> list[str]:
        """The other gateways of which something is open, where nothing is of this one."""
        names: list[str] = await self._write(Store.gateways)
        return [] if self._gateway in names else names

    async def open_tasks(self) -> list[OpenTask]:
        """The tasks of this gateway that have not ended, the oldest first; not those that it did not know just now."""
        tasks: list[OpenTask] = await self._write(lambda store: store.open_tasks(self._gateway))
        return [task for task in tasks if task.task_id not in self._missed]

    async def intents(self) -> list[Intent]:
        """The intents that are kept, the oldest first: for whatever gateway, as one may have several names."""
        return [_as_known(intent) for intent in await self._write(Store.intents)]

    async def task_ids(self) -> frozenset[str]:
        """The ids of all tasks that are kept, open or ended, whatever their gateway is called."""
        return frozenset(row[1] for row in await self._write(Store.tasks))

    async def undecided(self) -> list[Intent]:
        """The intents for this gateway of which nobody can tell what came of them, the oldest first."""
        intents = await self._write(lambda store: store.intents(self._gateway, undecided=True))
        return [_as_known(intent) for intent in intents]

    async def forget(self, name: str) -> int:
        """Takes out the intent or the task of this name; how many rows that were."""
        count: int = await self._write(lambda store: store.forget(name, self._gateway))
        return count

    def _write(self, operation: Operation, *, kept: bool = False) -> Awaitable[Any]:
        if os.getpid() == self._process:
            return self._scribe.write(operation, kept=kept)
        if not self._process:
            raise JournalError(f"the journal {self.path} is not open")
        raise JournalError(f"the journal {self.path} belongs to process {self._process}, which this one came from")

    def _note(self, operation: Operation) -> None:
        # what is seen while everything closes is seen again
        if os.getpid() == self._process:
            self._scribe.note(operation)


def _as_known(intent: Intent) -> Intent:
    """An intent without an outcome is one of which nobody can tell."""
    if intent.state is not IntentState.INTENDED:
        return intent
    return msgspec.structs.replace(intent, state=IntentState.UNKNOWN, sent=True, reason=_ENDED)


def _next_id() -> str:
    """A name that no other process gives, and that comes after the earlier ones: a table grows at its end only."""
    return f"{time.time_ns() // 1000:014x}{next(_count) & 0xFFFF:04x}{_MINE}"
