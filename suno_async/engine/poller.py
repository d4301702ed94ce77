"""The clock: one coroutine that looks when looks are due, many ids in a request, and puts each id back.

It decides nothing: when to look is the pace's, how many ids go into a request the batch's, what an answer means for
an id its life's, and whether a request may leave the lane's. What ends is told to the listener.
"""

import asyncio
from collections.abc import Sequence
from itertools import chain, islice
from math import inf
from typing import Protocol

import anyio
import msgspec
from anyio.abc import TaskGroup

from ..protocol.agenda import NOWHERE, SLOT, Agenda
from ..protocol.batch import Batch, Search
from ..protocol.errors import SunoError
from ..protocol.exchange import Answer, Broken
from ..protocol.life import AGAIN, Again, Failed, Life, Settled, news
from ..protocol.look import Look
from ..protocol.refusals import Kind, Trouble, foreign, trouble_of_broken
from ..protocol.repeats import Repeats
from ..protocol.schedule import Schedule
from ..protocol.setbacks import is_refused_alone, pause, set_back
from ..protocol.wire import ask_many, ask_one, read_one
from .alarm import Alarm
from .crew import Crew
from .lane import Lane

_RETRY_SECONDS = 1.0
_REFUSAL_SECONDS = 3.0
_SHARING = 0.75
_OTHERS = 10_000
"""Of those that are to be asked for, so many are looked through for one who has no trouble."""


class Listener(Protocol):
    """Who is told what became of the ids."""

    def looked(self, life: Life, look: Look) -> None:
        """An id that somebody wants to see on its way was seen."""
        ...

    def missed(self, life: Life) -> None:
        """The gateway did not know an id, this time."""
        ...

    def faulted(self, lives: Sequence[Life], error: SunoError) -> None:
        """A request about these ids told nothing; they will be asked for again."""
        ...

    def ended(self, life: Life, verdict: Settled | Failed) -> None:
        """An id is final, or given up."""
        ...

    def stopped(self, error: SunoError) -> None:
        """No id can be asked for any more."""
        ...


class Poller:
    """Looks at every id it is given until the id's life ends. ``run()`` is its one coroutine."""

    def __init__(self, lane: Lane, listener: Listener, *, schedule: Schedule, batch: Batch) -> None:
        self.outstanding = 0
        self._lane = lane
        self._listener = listener
        self.schedule = schedule
        self._batch = batch
        self._agenda: Agenda[Life] = Agenda()
        self._search: Search[Life] = Search(batch)
        self._repeats = Repeats()
        # as in the lane: anyio.current_time() takes seven times as long
        self._now = asyncio.get_running_loop().time
        self._alarm = Alarm()
        self._succeeded = -inf
        self._flying: dict[int, list[Life]] = {}
        """Whom each look under way asks for."""
        self._crew: Crew[tuple[list[Life], int]] = Crew(self._look, self._drop_look)

    def add(self, life: Life, due: float) -> None:
        """Look at this id from ``due`` on."""
        self.outstanding += 1
        self._push(life, due)

    def hasten(self, life: Life, due: float) -> None:
        """Look at an id no later than ``due``, unless a look is under way."""
        if life.slot != NOWHERE and life.slot * SLOT > due:
            self._push(life, due)

    def drop(self, life: Life) -> None:
        """Do not look at this id any more."""
        self.outstanding -= not life.gone
        life.leave()
        if life.wanted:
            self.schedule.forget(life)

    def delay(self, life: Life, now: float) -> float:
        """Seconds from ``now`` to the next look at this id, as the schedule has it."""
        return self.schedule.delay(life, now, self._lane.chance(), 1.0 if life.alone else self._share(now))

    async def run(self) -> None:
        """Look until cancelled."""
        async with anyio.create_task_group() as group:
            while True:
                await self._until_due()
                await self._lane.enter()
                self._start(group)

    # when

    def _push(self, life: Life, due: float) -> None:
        self._agenda.put(life, due)
        if due < self._alarm.until:
            self._alarm.ring()

    def _share(self, now: float) -> float:
        """How many ids share the price of a request.

        Each of n ids that fit into one pays for n ** 0.75 of it. If each paid for all of its looks, n ids would buy too
        few together; if it paid its part only, too many, as their looks do not all fall together.
        """
        return max(1.0, min(float(self.outstanding**_SHARING), self._batch.room(now)))

    async def _until_due(self) -> None:
        while not self._search.ready:
            due = inf if self._search.running else self._agenda.due()
            if due <= self._now():
                return
            await self._alarm.sleep(due)

    def _nudge(self) -> None:
        """Something was put down, or a search went on: there may be more to do than to sleep."""
        if self._search.ready or self._agenda.due() < self._alarm.until:
            self._alarm.ring()

    def _start(self, group: TaskGroup) -> None:
        lives = self._take(self._now())
        if lives:
            self._crew.send(group, (lives, self._lane.gate.enter()))
        else:
            self._lane.leave()

    def _drop_look(self, job: tuple[list[Life], int]) -> None:
        """A look that was about to begin does not."""
        lives, probe = job
        self._lane.leave(probe=probe)
        self._put_back(lives + self._search.abandon(lives))

    def _take(self, now: float) -> list[Life]:
        """What is due and, to fill the request, what is due next: never sooner than the floor after its last look."""
        if self._search.running:
            return self._take_part() if self._search.ready else []
        room = self._batch.room(now)
        first: list[Life] = []
        if self._lane.gate.closed:
            # a probe asks how the gateway is: not by an id that has trouble of its own
            first = self._agenda.take(now, 1, alone=False)
        first = first or self._agenda.take(now, 1)
        if not first or first[0].alone or room == 1:
            return first
        return first + self._agenda.take(now, room - 1, alone=False, soonest=now - self.schedule.floor)

    def _take_part(self) -> list[Life]:
        part = self._search.take()
        part[:] = [life for life in part if not life.gone]
        if not part:
            self._search.answered(part)
        return part

    # a look

    async def _look(self, job: tuple[list[Life], int]) -> None:
        lives, probe = job
        single = len(lives) == 1
        done = False
        self._flying[id(lives)] = lives
        try:
            request = ask_one(lives[0].task_id) if single else ask_many([life.task_id for life in lives])
            sent = self._now()
            answer = await self._lane.ask(request, single=single)
            now = self._now()
            if self.schedule.learns and isinstance(answer, Answer):
                self.schedule.answered(answer, sent, now)
            trouble = self._digest(lives, answer, now, probe)
            if trouble is not None:
                await self._suffer(lives, trouble, probe)
            done = True
        finally:
            del self._flying[id(lives)]
            if done:
                self._lane.leave(probe=probe)
            else:
                self._drop_look(job)
            self._nudge()

    def _put_back(self, lives: Sequence[Life], most: float = 0.0, least: float = 0.0) -> None:
        """Back on the heap: a failed request is no look."""
        now = self._now()
        for life in lives:
            if not life.gone:
                self._push(life, now + least + (most - least) * self._lane.chance())

    def _digest(self, lives: list[Life], answer: Answer | Broken, now: float, probe: int) -> Trouble | None:
        """What an answer says about these ids, taken in; or the trouble, if it says nothing."""
        if isinstance(answer, Broken):
            return trouble_of_broken(answer)
        told = self._repeats.read(answer, len(lives)) if len(lives) > 1 else self._read_one(lives, answer)
        if isinstance(told, Trouble):
            return told
        if told and lives[0].task_id not in told and not any(life.task_id in told for life in lives):
            return foreign()
        self._succeed(lives, now, probe)
        self._learn(lives, told, now)
        return None

    def _read_one(self, lives: list[Life], answer: Answer) -> dict[str, Look] | Trouble:
        look = read_one(answer, lives[0].task_id)
        if isinstance(look, Look):
            return {look.task_id: look}
        if look.kind is not Kind.MISSING:
            return look
        if self._search.asks(lives):
            # a gateway that refuses a whole batch for one id that it does not know
            lives[0].alone = True
            self._search.spoiled(lives)
        return {}

    def _succeed(self, lives: list[Life], now: float, probe: int) -> None:
        self._lane.succeeded(probe)
        self._succeeded = now
        self._search.answered(lives)
        if len(lives) == 1:
            self._batch.answered_single(now)

    def _learn(self, lives: list[Life], told: dict[str, Look], now: float) -> None:
        schedule, listener = self.schedule, self._listener
        saw = schedule.saw if schedule.learns else None
        single = len(lives) == 1
        new = lives if single or saw is not None else news(lives, told, now)
        for life in new:
            if life.gone:
                continue
            look = told.get(life.task_id)
            if look is None:
                self._miss(life, now, single=single)
                continue
            if saw is not None:
                saw(life, look, now)
            verdict = life.observe(look, now)
            if verdict is AGAIN:
                if life.hears:
                    listener.looked(life, look)
            elif isinstance(verdict, Again):
                self._again(life, verdict, now)
                listener.looked(life, look)
            else:
                self._end(life, verdict)
        # some have ended or stand in the agenda again, and somebody who heard of a look may have left
        self._go_on([life for life in lives if life.slot == NOWHERE and not life.gone] if new else lives, now)

    def _go_on(self, lives: list[Life], now: float) -> None:
        """When to look at them next is asked once all of the answer is known."""
        schedule, rate = self.schedule, self._lane.budget.rate
        if schedule.learns:
            schedule.take_in(now)
        if rate is not None:
            schedule.ration(rate * self._batch.room(now), self._batch.small_until(now))
        self._agenda.put_all(lives, schedule.dues(lives, now, self._lane.chance, self._share(now)))

    def _miss(self, life: Life, now: float, *, single: bool) -> None:
        verdict = life.miss(now, single=single)
        if isinstance(verdict, Again):
            self._again(life, verdict, now)
            self._listener.missed(life)
        else:
            self._end(life, verdict)

    def _again(self, life: Life, again: Again, now: float) -> None:
        delay = self.delay(life, now)
        self._push(life, now + (delay if again.within is None else min(delay, again.within)))

    def _end(self, life: Life, verdict: Settled | Failed) -> None:
        self.drop(life)
        self._listener.ended(life, verdict)

    # trouble

    async def _suffer(self, lives: list[Life], trouble: Trouble, probe: int) -> None:
        """These ids were asked for and nothing was learned: how they are asked for again."""
        single = len(lives) == 1
        if not single and trouble.routeless:
            self._batch.refused_route(self._now())
            self._put_back(lives + self._search.abandon(lives))
            return
        if not single and trouble.divisible:
            self._lane.readable |= trouble.readable
            self._search.refused(lives)
            return
        # an id that fails while others have their answers has trouble of its own: it must not stop them
        own = single and lives[0].alone and self._succeeded > lives[0].failed
        trouble = await self._lane.suffered(trouble, own=own, probe=probe)
        now = self._now()
        if single:
            self._batch.looked_in_vain(trouble, now)
            set_back(lives[0], trouble.kind, now, sought=self._search.asks(lives))
        if trouble.kind is Kind.KEY:
            others = chain(*self._flying.values(), islice(self._agenda, _OTHERS))
            alone = single and is_refused_alone(lives[0], others)
            # of another key it is asked for once more; it is not the key's fault if that does not help
            if not (alone and lives[0].faults > 1) and self._lane.renewed():
                self._put_back(lives + self._search.abandon(lives), _RETRY_SECONDS)
                return
            if alone:
                trouble = msgspec.structs.replace(trouble, kind=Kind.REJECTED)
        if single and trouble.kind is Kind.REJECTED:
            self._search.spoiled(lives)
        self._retry(lives + self._search.abandon(lives), trouble, now)

    def _retry(self, lives: list[Life], trouble: Trouble, now: float) -> None:
        kind = trouble.kind
        if kind is Kind.NAMELESS:
            self._put_back(lives)
            return
        # a gateway that says nothing about a task is asked again at the pace; a request that failed, soon
        soon = kind not in {Kind.NO_NEWS, Kind.REJECTED} and self._lane.quota.spend(late=trouble.late)
        for life in lives:
            if not life.gone:
                self._push(life, now + self._pause(life, trouble, now, soon=soon))
        self._listener.faulted(lives, trouble.error)
        if kind is Kind.KEY:
            self._lane.gate.hold(now + _REFUSAL_SECONDS)
        if kind is Kind.ELSEWHERE or (kind is Kind.KEY and self._lane.refused_for_good()):
            self._listener.stopped(trouble.error)

    def _pause(self, life: Life, trouble: Trouble, now: float, *, soon: bool) -> float:
        """Seconds until an id is asked for again whose request told nothing."""
        if trouble.kind is Kind.KEY:
            return _REFUSAL_SECONDS
        return pause(life, trouble, _RETRY_SECONDS * self._lane.chance() if soon else self.delay(life, now))
