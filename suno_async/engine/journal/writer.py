"""The writer: the one thread that touches the disk. What many callers want written goes to the disk together.

A commit of its own for each record costs the disk's time each; together they cost it once for up to 256.
"""

import asyncio
import copy
import logging
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import anyio
import msgspec

from ...protocol.errors import JournalError
from .store import Operation, Store

logger = logging.getLogger("suno_async")

_PATIENCE = 1.0
"""Seconds after which it is looked whether there is still a loop."""
_MOST = 256
"""More in one go makes the loop stall when all their callers go on at once."""


class _Entry(msgspec.Struct, gc=False):
    """One operation and who waits for it; the garbage collector need not look at thousands of them."""

    operation: Operation
    future: asyncio.Future[Any] | None
    kept: bool
    """If the disk refuses it now, it is tried again with what comes next."""


class Writer:
    """Owns a store, in a thread. Operations happen in the order in which they were given."""

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open_store = open_store
        self._queue: SimpleQueue[_Entry | None]
        self._loop: asyncio.AbstractEventLoop
        self._closed: asyncio.Future[None]
        self._alone = False
        """The loop is gone, and with it everybody who could give or wait."""

    async def open(self) -> None:
        """Opens the store; raises JournalError."""
        self._loop, self._queue = asyncio.get_running_loop(), SimpleQueue()
        opened, self._closed = self._loop.create_future(), self._loop.create_future()
        Thread(target=self._run, args=(opened,), name="suno_async journal", daemon=True).start()
        try:
            await asyncio.shield(opened)
        except asyncio.CancelledError:
            await self.close()
            raise

    async def close(self) -> None:
        """Everything given so far is on the disk, and the store is closed; nothing may be given any more."""
        self._queue.put(None)
        with anyio.CancelScope(shield=True):
            await asyncio.wait([self._closed])

    def write(self, operation: Operation, *, kept: bool = False) -> asyncio.Future[Any]:
        """The result of an operation once it is durable, or JournalError."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self._queue.put(_Entry(operation, future, kept))
        return future

    def note(self, operation: Operation) -> None:
        """Writes without anybody waiting for it; what the disk refuses is tried again later."""
        self._queue.put(_Entry(operation, None, kept=True))

    # in the thread

    def _run(self, opened: asyncio.Future[None]) -> None:
        try:
            store = self._open_store()
        except Exception as error:  # noqa: BLE001 - told where it is waited for
            self._tell([opened, self._closed], [error, None])
            return
        self._tell([opened], [None])
        owed: list[_Entry] = []
        going = True
        while going and not (self._alone and self._queue.empty()):
            entries = self._take()
            going = entries[-1] is not None
            owed = self._commit(store, owed, [entry for entry in entries if entry is not None])
        if owed:
            logger.critical("the journal %s: the last %d records could not be written", store.path, len(owed))
        try:
            store.close()
        except Exception:
            logger.exception("the journal %s could not be closed", store.path)
        self._tell([self._closed], [None])

    def _take(self) -> list[_Entry | None]:
        entries = [self._next()]
        try:
            while len(entries) < _MOST and entries[-1] is not None:
                entries.append(self._queue.get_nowait())
        except Empty:
            pass
        return entries

    def _next(self) -> _Entry | None:
        """What comes next; None too where the loop was closed without closing this: nothing more will come then."""
        while True:
            try:
                return self._queue.get(timeout=_PATIENCE)
            except Empty:
                if self._loop.is_closed():
                    return None

    def _commit(self, store: Store, owed: list[_Entry], entries: list[_Entry]) -> list[_Entry]:
        """Writes these, and before them what could not be written earlier; gives back what still could not be."""
        results: Sequence[Any]
        try:
            while owed and len(owed) + len(entries) > _MOST:
                _log_refused(owed, store.commit([entry.operation for entry in owed[:_MOST]]))
                owed = owed[_MOST:]
            results = store.commit([entry.operation for entry in (*owed, *entries)])
            _log_refused([*owed, *entries], results)
            results, owed = results[len(owed) :], []
        except Exception as error:  # noqa: BLE001 - this thread ends for nothing: others wait for it
            results = [_as_journal_error(error)] * len(entries)
            kept = [entry for entry in entries if entry.kept]
            if kept and not owed:
                logger.error("%s; it is tried again with what comes next", error)  # noqa: TRY400 - nobody reads its lines
            owed = [*owed, *kept]
        self._tell([entry.future for entry in entries], results)
        return owed

    def _tell(self, futures: Sequence[asyncio.Future[Any] | None], results: Sequence[Any]) -> None:
        if not any(futures):
            return
        try:
            self._loop.call_soon_threadsafe(_resolve, futures, results)
        except RuntimeError:
            self._alone = True
            logger.warning("the event loop was closed before the journal had told it what was written")


def _as_journal_error(error: Exception) -> JournalError:
    return error if isinstance(error, JournalError) else JournalError(f"the journal broke: {error!r}")


def _log_refused(entries: Sequence[_Entry], results: Sequence[Any]) -> None:
    """Where an operation cannot be written at all, and nobody waits to hear it, the log does."""
    for entry, result in zip(entries, results, strict=False):
        if isinstance(result, JournalError) and (entry.future is None or entry.future.done()):
            logger.error("%s", result)


def _resolve(futures: Sequence[asyncio.Future[Any] | None], results: Sequence[Any]) -> None:
    for future, result in zip(futures, results, strict=True):
        if future is None or future.done():
            continue
        if isinstance(result, Exception):
            # one of its own for each: an exception that is raised twice collects both tracebacks
            future.set_exception(copy.copy(result) if isinstance(result, JournalError) else result)
        else:
            future.set_result(result)
