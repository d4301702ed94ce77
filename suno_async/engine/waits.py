"""The waits: one id until it is final or playable, and many ids once."""

import asyncio
import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from ..protocol.durations import Event
from ..protocol.errors import (
    GatewayUnavailable,
    QuotaExceeded,
    SunoError,
    TaskFailed,
    TaskNotFound,
    Unauthorized,
    WaitTimeout,
)
from ..protocol.lenient import one_line
from ..protocol.life import Failed, Life, Settled
from ..protocol.look import Look
from ..protocol.models import Task

Until = Literal["done", "playable"]
_ATTEMPTS = 3
_PLAYABLE, _END = Event.PLAYABLE, Event.END


def ending(error: SunoError, task_ids: Sequence[str]) -> SunoError:
    """This wait's own copy of the error that ends many: it names the ids still open, and how to go on."""
    words = str(error)
    if isinstance(error, Unauthorized):
        words += ". The tasks run on: wait for them with another key of the account"
    mine = type(error)(words)
    mine.__dict__.update(error.__dict__)
    mine.task_ids = tuple(task_ids)
    mine.task_id = task_ids[0] if len(task_ids) == 1 else None
    return mine


def failure(task: Task) -> TaskFailed:
    """The error for a task that failed."""
    reason = one_line(task.fail_reason) or "the gateway gives no reason"
    message = f"task {task.task_id} failed: {reason}"
    return TaskFailed(
        message,
        task=task,
        task_id=task.task_id,
        task_ids=(task.task_id,),
        reason=task.fail_reason,
        inferred=task.inferred,
    )


def timed_out(message: str, trouble: SunoError | None, **facts: Any) -> WaitTimeout:
    """The error at a deadline; if the last look told nothing, it says why and has that as its cause."""
    error = WaitTimeout(f"{message}; the last look failed: {trouble}" if trouble else message, **facts)
    error.__cause__ = copy.copy(trouble)
    return error


class Wait:
    """One caller who waits for one id."""

    sees = True
    # of the class until there is something to say: many waits begin at once
    hears = False
    event = _END
    _checked: int | None = None
    _trouble: SunoError | None = None
    _troubled = 0.0

    def __init__(self, task_id: str, until: Until) -> None:
        self.task_id = task_id
        self.future: asyncio.Future[Task] = asyncio.get_running_loop().create_future()
        if until == "playable":
            self.hears, self.event = True, _PLAYABLE

    def looked(self, life: Life, look: Look) -> None:  # noqa: ARG002 - it is this wait's only one
        """Ends a wait for something to hear."""
        if not self.hears or look.mark == self._checked:
            return
        self._checked = look.mark
        task = look.task()
        if task.playable and not self.future.done():
            self.future.set_result(task)

    def missed(self, life: Life) -> None:
        """Changes nothing but what is said at the deadline: the life decides when an id is gone."""
        self._remember(TaskNotFound(f"the gateway does not know task {life.task_id}", task_id=life.task_id))

    def faulted(self, life: Life, error: SunoError) -> bool:  # noqa: ARG002 - a wait goes on for as long as it may
        """Changes nothing but what is said at the deadline: a failed request says nothing about a task."""
        self._remember(error)
        return False

    def _remember(self, error: SunoError) -> None:
        self._trouble, self._troubled = error, asyncio.get_running_loop().time()

    def ended(self, life: Life, verdict: Settled | Failed) -> None:  # noqa: ARG002 - it is this wait's only one
        """Ends the wait."""
        if self.future.done():
            return
        if isinstance(verdict, Failed):
            # a copy: an exception raised in two tasks collects both tracebacks
            self.future.set_exception(copy.copy(verdict.error))
        elif verdict.task.succeeded:
            self.future.set_result(verdict.task)
        else:
            self.future.set_exception(failure(verdict.task))

    def stopped(self, error: SunoError) -> None:
        """Ends the wait: nobody looks any more."""
        if not self.future.done():
            self.future.set_exception(ending(error, (self.task_id,)))

    def expire(self, life: Life, seconds: float) -> None:
        """Ends the wait at its own deadline; what has arrived before is not dropped."""
        if self.future.done():
            return
        last = life.last_task()
        seen = f"last seen as {one_line(last.status_text, 40)}" if last is not None else "not seen yet"
        message = f"task {self.task_id} is not final after {seconds:g} s ({seen}); it may still succeed"
        # a look that told something since has made up for it
        trouble = self._trouble if self._troubled >= life.looked else None
        self.future.set_exception(
            timed_out(message, trouble, task=last, task_id=self.task_id, task_ids=(self.task_id,))
        )


class Glance:
    """One caller who wants to see many ids once.

    A fault is tried again at most twice for an id, and once there was one, something has to come within ``patience``
    seconds.
    """

    sees = hears = True
    event = Event.END

    def __init__(self, task_ids: Sequence[str], patience: float, leave: Callable[[Iterable[str], Any], None]) -> None:
        self.found: dict[str, Task | None] = dict.fromkeys(task_ids)
        self.open = dict.fromkeys(task_ids, 0)
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._patience = patience
        self._leave = leave
        self._timer: asyncio.TimerHandle | None = None
        self._error: SunoError = GatewayUnavailable("the gateway is in trouble: no request may leave now")

    def looked(self, life: Life, look: Look) -> None:
        """One id is seen."""
        self._answered(life.task_id, look.task())

    def missed(self, life: Life) -> None:
        """One id is unknown."""
        self._answered(life.task_id, None)

    def faulted(self, life: Life, error: SunoError) -> bool:
        """Asks again at most twice, and never with a key that was refused."""
        if self.future.done():
            return False
        self._error = error
        self.open[life.task_id] += 1
        if self.open[life.task_id] >= _ATTEMPTS or isinstance(error, Unauthorized | QuotaExceeded):
            self._give_up()
            return False
        self.hurry()
        return True

    def ended(self, life: Life, verdict: Settled | Failed) -> None:
        """One id is final, or gone."""
        self._answered(life.task_id, verdict.task if isinstance(verdict, Settled) else None)

    def stopped(self, error: SunoError) -> None:
        """Nothing more will come."""
        self._error = error
        self._give_up()

    def hurry(self) -> None:
        """From now on something has to come within the patience."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._patience, self._give_up)

    def close(self) -> None:
        """Leaves the ids that are still open."""
        self._rest()
        self._leave(list(self.open), self)

    def _answered(self, task_id: str, task: Task | None) -> None:
        hurried = self._timer is not None
        self._rest()
        if self.open.pop(task_id, None) is None:
            return
        self.found[task_id] = task
        self._leave((task_id,), self)
        if self.future.done():
            return
        if not self.open:
            self.future.set_result(None)
        elif hurried:
            self.hurry()

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        if self.future.done():
            return
        error = ending(self._error, tuple(self.open))
        error.tasks = {task_id: task for task_id, task in self.found.items() if task_id not in self.open}
        self.future.set_exception(error)
        # the caller may be cancelled before it gets here: nobody need be told of an error that nobody fetched
        self.future.exception()
