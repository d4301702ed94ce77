"""The streams: many ids, told as they change or as they finish, as fast as the reader reads.

A stream is an object, not a generator: it can be left at any moment, also by a plain ``break``, and takes its ids out
of the looking when it is left, closed or forgotten.
"""

import asyncio
import copy
import weakref
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable, Sequence
from typing import Any, Protocol, Self

import anyio
import anyio.lowlevel

from ..protocol.durations import Event
from ..protocol.errors import ClientClosed, SunoError, WaitTimeout
from ..protocol.inputs import check_task_id
from ..protocol.life import Failed, Life, Settled
from ..protocol.look import Look
from ..protocol.models import Task
from .waits import ending

_CHUNK = 1000
TaskIds = Iterable[str] | AsyncIterable[str]


class Ledger(Protocol):
    """Where a stream has its ids looked after."""

    async def admit(self, task_ids: Sequence[str], waiter: "Inbox") -> None:
        """Starts to look at them."""
        ...

    def leave_all(self, task_ids: Iterable[str], waiter: "Inbox") -> None:
        """Stops to look at them."""
        ...


class Inbox:
    """What has come for one stream and was not read yet."""

    def __init__(self, *, changes: bool) -> None:
        self.sees = self.hears = changes
        self.event = Event.CHANGE if changes else Event.END
        self.open: dict[str, None] = {}
        """The ids that are not final, in the order they were asked for."""
        self.fed = False
        """Every id of the source has been let in."""
        self.error: BaseException | None = None
        self.failures: list[SunoError] = []
        self.feeding = anyio.CancelScope()
        self.timer: asyncio.TimerHandle | None = None
        self._finals: deque[Task] = deque()
        self._latest: dict[str, Look] = {}
        self._marks: dict[str, int] = {}
        self._news = asyncio.Event()

    def looked(self, life: Life, look: Look) -> None:
        """Keeps the latest state of an id; an older one that was not read is replaced."""
        if self.hears and self._marks.get(life.task_id) != look.mark:
            self._marks[life.task_id] = look.mark
            self._latest[life.task_id] = look.kept()
            self.wake()

    def missed(self, life: Life) -> None:
        """Changes nothing: the life decides when an id is gone."""

    def faulted(self, life: Life, error: SunoError) -> bool:  # noqa: ARG002 - a stream goes on for as long as it may
        """Changes nothing: a failed request says nothing about a task."""
        return False

    def ended(self, life: Life, verdict: Settled | Failed) -> None:
        """Keeps a final state until it is read."""
        self.open.pop(life.task_id, None)
        self._marks.pop(life.task_id, None)
        self._latest.pop(life.task_id, None)
        if isinstance(verdict, Settled):
            self._finals.append(verdict.task)
        else:
            self.failures.append(copy.copy(verdict.error))
        self.wake()

    def stopped(self, error: SunoError) -> None:
        """Ends the stream once what has come is read."""
        self.end(ending(error, tuple(self.open)))

    def expire(self, seconds: float) -> None:
        """Ends the stream at its deadline once what has come is read."""
        ids = tuple(self.open)
        count = "1 task is" if len(ids) == 1 else f"{len(ids)} tasks are"
        message = f"{count} not final after {seconds:g} s and may still succeed"
        self.end(WaitTimeout(message, task_ids=ids, task_id=ids[0] if len(ids) == 1 else None))

    def end(self, error: BaseException) -> None:
        """The first reason to end is the one that counts; no more ids are let in."""
        if self.error is None:
            self.error = error
        self.feeding.cancel()
        self.wake()

    def pop(self) -> Task | None:
        """The next thing to read: final states first."""
        if self._finals:
            return self._finals.popleft()
        if self._latest:
            return self._latest.pop(next(iter(self._latest))).task()
        return None

    async def news(self) -> None:
        """Returns when something has come."""
        self._news.clear()
        await self._news.wait()

    def wake(self) -> None:
        """Something has come."""
        self._news.set()


class Stream(AsyncIterator[Task]):
    """The tasks of many ids, each as it finishes or each as it changes.

    Iterate over it once. Its ids are looked at from the first step on; ``aclose()``, or forgetting it, ends that.
    """

    def __init__(
        self,
        task_ids: TaskIds,
        *,
        ledger: Ledger,
        spawn: Callable[[Callable[[], Coroutine[Any, Any, None]]], None],
        changes: bool,
        timeout: float | None,
    ) -> None:
        self._inbox = Inbox(changes=changes)
        self._ledger = ledger
        self._source: TaskIds | None = task_ids
        self._spawn = spawn
        self._timeout = timeout
        self._over = False
        self._forgotten = weakref.finalize(self, _forget, asyncio.get_running_loop(), self._inbox, ledger)
        self._forgotten.atexit = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Task:
        if self._source is not None:
            self._begin(self._source)
        while not self._over:
            task = self._inbox.pop()
            if task is not None:
                return task
            if self._inbox.error is not None or (self._inbox.fed and not self._inbox.open):
                self._finish()
            else:
                await self._inbox.news()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stops looking at what is left; what was not read is dropped."""
        self._close()

    def _begin(self, source: TaskIds) -> None:
        self._source = None
        # neither the feeder nor the timer may know the stream, or it would never be forgotten
        inbox, ledger, seconds = self._inbox, self._ledger, self._timeout
        try:
            self._spawn(lambda: _feed(source, inbox, ledger))
        except BaseException:
            self._close()
            raise
        if seconds is not None:
            inbox.timer = asyncio.get_running_loop().call_later(seconds, _expire, inbox, ledger, seconds)

    def _finish(self) -> None:
        """Raises what there is to raise, once."""
        inbox = self._inbox
        self._close()
        group = None
        if inbox.failures:
            group = ExceptionGroup("some tasks ended without an answer", _merged(inbox.failures))
        if inbox.error is not None:
            # what was found out before stays known, as the cause
            inbox.error.__cause__ = group or inbox.error.__cause__
            raise inbox.error
        if group is not None:
            raise group

    def _close(self) -> None:
        self._over = True
        self._source = None
        self._forgotten.detach()
        _detach(self._inbox, self._ledger)
        # another task may be reading
        self._inbox.wake()


def _forget(loop: asyncio.AbstractEventLoop, inbox: Inbox, ledger: Ledger) -> None:
    """A stream was forgotten; what finds that out may be a collection in another thread."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(_detach, inbox, ledger)


def _expire(inbox: Inbox, ledger: Ledger, seconds: float) -> None:
    """Nothing is looked at after the deadline, however slow the reader is."""
    inbox.expire(seconds)
    _detach(inbox, ledger)


def _detach(inbox: Inbox, ledger: Ledger) -> None:
    inbox.feeding.cancel()
    if inbox.timer is not None:
        inbox.timer.cancel()
    ids = list(inbox.open)
    inbox.open.clear()
    ledger.leave_all(ids, inbox)


def _merged(failures: list[SunoError]) -> list[SunoError]:
    """One error for each kind, with all its ids: a hundred thousand unknown ids are one thing to know."""
    kinds: dict[type[SunoError], list[SunoError]] = {}
    for error in failures:
        kinds.setdefault(type(error), []).append(error)
    return [_joined(kind, errors) for kind, errors in kinds.items()]


def _joined(kind: type[SunoError], errors: list[SunoError]) -> SunoError:
    if len(errors) == 1:
        return errors[0]
    ids = tuple(task_id for error in errors for task_id in error.task_ids)
    return kind(f"{kind.__doc__} ({len(ids)} ids, the first is {ids[0]})", task_ids=ids)


async def _feed(source: TaskIds, inbox: Inbox, ledger: Ledger) -> None:
    """Lets the ids of a source in; what the source raises ends the stream."""
    with inbox.feeding:
        try:
            if isinstance(source, AsyncIterable):
                await _let_in_as_they_come(source, inbox, ledger)
            else:
                await _let_in_together(source, inbox, ledger)
        except Exception as error:  # noqa: BLE001 - whatever the caller's own source raises is the caller's
            inbox.end(error)
        except asyncio.CancelledError:
            # by whoever left the stream, and then nobody reads this, or with the client
            message = "the client was closed while ids were still to come"
            inbox.end(ClientClosed(message, task_ids=tuple(inbox.open)))
            raise
        inbox.fed = True
        inbox.wake()
    if inbox.feeding.cancel_called:
        # nobody reads any more, so nobody looks
        _detach(inbox, ledger)


async def _let_in_together(source: Iterable[str], inbox: Inbox, ledger: Ledger) -> None:
    """Every id is checked before the first one is asked for."""
    ids: dict[str, None] = {}
    for index, task_id in enumerate(source, 1):
        ids[check_task_id(task_id)] = None
        if index % _CHUNK == 0:
            await anyio.lowlevel.checkpoint()
    if ids and not inbox.feeding.cancel_called:
        inbox.open = ids
        await ledger.admit(list(ids), inbox)


async def _let_in_as_they_come(source: AsyncIterable[str], inbox: Inbox, ledger: Ledger) -> None:
    seen: set[str] = set()
    async for task_id in source:
        if inbox.feeding.cancel_called:
            return
        if check_task_id(task_id) not in seen:
            seen.add(task_id)
            inbox.open[task_id] = None
            await ledger.admit((task_id,), inbox)
