"""Who waits for which id. Waits on one id share its looks; an id that nobody waits for is not looked at."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from math import inf
from typing import Protocol

import anyio.lowlevel

from ..protocol.agenda import NOWHERE
from ..protocol.batch import Batch
from ..protocol.durations import Event
from ..protocol.errors import SunoError
from ..protocol.experience import Experience
from ..protocol.life import SUBMITTED_GRACE, Failed, Life, Settled
from ..protocol.look import Look
from ..protocol.pace import Pace
from ..protocol.schedule import Schedule
from .deadlines import Deadlines
from .lane import Lane, told
from .poller import Poller
from .register import Register

_CHUNK = 1000
"""Ids that are let in or out in one go: about 3 ms of the loop."""
_REMEMBERED_SECONDS = 3600.0
_KEPT_EVERY_SECONDS = 10.0
_IN_ORDER = (Event.CHANGE, Event.PLAYABLE, Event.END)


class Waiter(Protocol):
    """Somebody who waits for one id or for many."""

    @property
    def sees(self) -> bool:
        """Wants what was last seen to be kept on the way to the end."""
        ...

    @property
    def hears(self) -> bool:
        """Wants to be told of every look on the way."""
        ...

    @property
    def event(self) -> Event:
        """What this one waits for."""
        ...

    def looked(self, life: Life, look: Look) -> None:
        """An id was seen and goes on."""
        ...

    def missed(self, life: Life) -> None:
        """The gateway did not know an id, this time."""
        ...

    def faulted(self, life: Life, error: SunoError) -> bool:
        """A request told nothing; True to have the id asked for again at once."""
        ...

    def ended(self, life: Life, verdict: Settled | Failed) -> None:
        """An id is final, or given up."""
        ...

    def stopped(self, error: SunoError) -> None:
        """Nothing more will come."""
        ...


class Record(Protocol):
    """Who keeps, across crashes, which ids are waited for."""

    def waiting(self, task_ids: Sequence[str]) -> None:
        """These ids are waited for."""
        ...

    def ended(self, task_id: str, status: str, reason: str) -> None:
        """A task is final, or gone."""
        ...

    def learn(self, record: bytes) -> None:
        """This was learned of when to look."""
        ...


class Tracked(Life, gc=False, eq=False, kw_only=True):
    """A life and who waits for it."""

    waiters: tuple[Waiter, ...]


class Tracker:
    """Opens a life for each id that is waited for, and tells its waiters what becomes of it."""

    def __init__(
        self,
        lane: Lane,
        *,
        pace: Pace,
        batch: Batch,
        record: Record | None = None,
        experience: Experience | None = None,
    ) -> None:
        self.schedule = Schedule(pace, experience)
        self.poller = Poller(lane, self, schedule=self.schedule, batch=batch)
        self.deadlines = Deadlines()
        self._record = record
        self._lane = lane
        self._batch = batch
        self._lives: Register[Tracked] = Register()
        self._submitted: dict[str, tuple[float, str]] = {}
        self._over: SunoError | None = None
        self._now = asyncio.get_running_loop().time
        self._kept = -inf

    @property
    def paused(self) -> bool:
        """No request may leave now: the gateway is in trouble."""
        return self._lane.gate.closed

    def submitted(self, task_id: str, kind: str, age: float = 0.0) -> None:
        """An id was accepted here: it may be unknown for a moment, and its age in seconds is known."""
        now = self._now()
        # in order of time, so the first one that is young enough ends the search
        for old in list(islice(self._submitted, 2)):
            if now - self._submitted[old][0] > _REMEMBERED_SECONDS:
                del self._submitted[old]
        self._submitted[task_id] = (now - age, kind)

    def finished(self, task_id: str) -> None:
        """An id was seen to be over: whoever waits for it, or will, need not be patient."""
        self._submitted.pop(task_id, None)
        life = self._lives.get(task_id)
        if life is not None:
            self.poller.hasten(life, self._now())

    def check_open(self) -> None:
        """Raises what ended all waiting here, if something did."""
        if self._over is not None:
            raise told(self._over)

    def join(self, task_id: str, waiter: Waiter) -> Tracked:
        """The life of an id, now with one more waiter; one that is new here is looked at at once."""
        self.check_open()
        if self._record is not None:
            self._record.waiting((task_id,))
        return self._join(task_id, (waiter,), self._now(), 0.0)

    def _join(self, task_id: str, alone: tuple[Waiter], now: float, wait: float) -> Tracked:
        life = self._lives.get(task_id)
        if life is None:
            return self._open(task_id, alone, now, wait)
        waiter = alone[0]
        if waiter not in life.waiters:
            life.waiters += alone
            self._hurry(life, waiter, now)
        life.want(sees=waiter.sees, hears=waiter.hears)
        return life

    def _hurry(self, life: Tracked, waiter: Waiter, now: float) -> None:
        """Somebody waits for less than those before: the next look may come sooner for it."""
        before = life.event
        life.event = _soonest(life.waiters)
        if life.event is not before and waiter.event is life.event:
            self.poller.hasten(life, now + self.poller.delay(life, now))

    def _open(self, task_id: str, alone: tuple[Waiter], now: float, wait: float) -> Tracked:
        waiter = alone[0]
        life = Tracked(
            task_id=task_id,
            born=now,
            waiters=alone,
            keeps=waiter.sees,
            hears=waiter.hears,
            event=waiter.event,
        )
        self._lives.add(life)
        known = self._submitted.get(task_id)
        if known is not None:
            life.born, life.kind = known
            life.dated = True
            life.ours = now - life.born < SUBMITTED_GRACE
            # a task that is seconds old need not be looked at before it can be done
            wait = max(0.0, life.born - now + self.poller.delay(life, life.born))
            life.looked = life.born
        self.poller.add(life, now + wait)
        return life

    async def admit(self, task_ids: Sequence[str], waiter: Waiter, *, at_once: bool = False) -> None:
        """Joins many ids, a thousand at a time.

        Their first looks are spread over one interval of the pace, batch by batch, the first one now; ``at_once``
        has all of them due now, also those that are already waited for.
        """
        start = self._now()
        size = self._batch.size
        none = Life(task_id="", born=start)
        span = 0.0 if at_once else self.poller.delay(none, start) / max(1, len(task_ids))
        # it is nobody's, and wants no share of the budget
        self.schedule.forget(none)
        alone = (waiter,)
        for first in range(0, len(task_ids), _CHUNK):
            chunk = task_ids[first : first + _CHUNK]
            self.check_open()
            if self._record is not None and not at_once:
                self._record.waiting(chunk)
            for index, task_id in enumerate(chunk, first):
                life = self._join(task_id, alone, start, index // size * size * span)
                if at_once:
                    self.poller.hasten(life, start)
            await anyio.lowlevel.checkpoint()

    def leave(self, task_id: str, waiter: Waiter) -> None:
        """One waiter less; the last one takes the life with it."""
        life = self._lives.get(task_id)
        if life is None or waiter not in life.waiters:
            return
        life.waiters = tuple(other for other in life.waiters if other is not waiter)
        if not life.waiters:
            self._forget(life)
            return
        life.keeps = any(other.sees for other in life.waiters)
        life.hears = any(other.hears for other in life.waiters)
        life.event = _soonest(life.waiters)

    def leave_all(self, task_ids: Iterable[str], waiter: Waiter) -> None:
        """One waiter less for many ids, a thousand at a time, so that the loop does not stall."""
        self._leave_some(iter(task_ids), waiter)

    def _leave_some(self, task_ids: Iterator[str], waiter: Waiter) -> None:
        some = list(islice(task_ids, _CHUNK))
        for task_id in some:
            self.leave(task_id, waiter)
        if len(some) == _CHUNK and self._lives:
            asyncio.get_running_loop().call_soon(self._leave_some, task_ids, waiter)

    def hasten(self, life: Life, seconds: float) -> None:
        """Look at an id within so many seconds, whatever its pace."""
        self.poller.hasten(life, self._now() + seconds)

    def _forget(self, life: Tracked) -> None:
        self.poller.drop(life)
        self._lives.pop(life.task_id)
        self._relax()

    def _relax(self) -> None:
        """Those that are left need not wait for the turns of those that are gone.

        That happens when half of the crowd is gone, so all of it together is as much work as one look at every id.
        """
        if self.schedule.relaxed():
            self._relax_some(iter(list(self._lives)))

    def _relax_some(self, lives: Iterator[Tracked]) -> None:
        now = self._now()
        some = list(islice(lives, _CHUNK))
        for life in some:
            if life.slot != NOWHERE:
                self.poller.hasten(life, now + self.poller.delay(life, now))
        if len(some) == _CHUNK:
            asyncio.get_running_loop().call_soon(self._relax_some, lives)

    # what the poller tells

    def looked(self, life: Life, look: Look) -> None:
        """An id that somebody wants to see on its way was seen."""
        for waiter in self._waiters(life):
            if waiter.hears:
                waiter.looked(life, look)

    def missed(self, life: Life) -> None:
        """The gateway did not know an id, this time."""
        for waiter in self._waiters(life):
            waiter.missed(life)

    def faulted(self, lives: Sequence[Life], error: SunoError) -> None:
        """A request told nothing about these ids."""
        for life in lives:
            for waiter in self._waiters(life):
                if waiter.faulted(life, error) and self._lane.quota.spend():
                    self.hasten(life, self._lane.chance() + (getattr(error, "retry_after", None) or 0.0))

    def ended(self, life: Life, verdict: Settled | Failed) -> None:
        """An id is final, or given up."""
        tracked = self._lives.pop(life.task_id)
        waiters = tracked.waiters if tracked is life else ()
        self._relax()
        if self._record is not None:
            self._record.ended(life.task_id, *_end(verdict))
            self._keep(_KEPT_EVERY_SECONDS)
        for waiter in waiters:
            waiter.ended(life, verdict)

    def stopped(self, error: SunoError) -> None:
        """No id can be asked for: every waiter hears of it once, and nothing is tracked any more."""
        lives, self._lives = self._lives, Register()
        waiters = dict.fromkeys(waiter for life in lives for waiter in life.waiters)
        for life in lives:
            self.poller.drop(life)
        for waiter in waiters:
            waiter.stopped(error)

    def close(self, error: SunoError) -> None:
        """Nobody can wait here any more."""
        self._over = error
        self._keep(0.0)
        self.stopped(error)

    def _keep(self, seconds: float) -> None:
        """Has written down what was learned, if that was not done for so many seconds."""
        now = self._now()
        if self._record is not None and self.schedule.taught and now - self._kept >= seconds:
            self._kept = now
            self._record.learn(self.schedule.experience().packed())

    def _waiters(self, life: Life) -> tuple[Waiter, ...]:
        tracked = self._lives.get(life.task_id)
        return tracked.waiters if tracked is life else ()


def _soonest(waiters: Sequence[Waiter]) -> Event:
    """Of all that is waited for, what comes first."""
    return min((waiter.event for waiter in waiters), key=_IN_ORDER.index)


def _end(verdict: Settled | Failed) -> tuple[str, str]:
    """What a verdict is called in the record, and its reason."""
    if isinstance(verdict, Failed):
        return "NOT_FOUND", str(verdict.error)
    return verdict.task.status.value, verdict.task.fail_reason
