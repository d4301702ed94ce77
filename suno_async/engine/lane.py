"""The lane: the one way to the gateway that all looks share, with its gate, its budget, its quota and its slots.

What is known about the gateway as a whole is kept here: that it is one, that its single looks name no task, that its
key is refused.
"""

import asyncio
import copy
from collections.abc import Awaitable, Callable
from math import inf
from random import Random
from typing import Protocol

import anyio

from ..protocol.errors import GatewayUnavailable, SunoError
from ..protocol.exchange import Answer, Broken, Request
from ..protocol.limits import Budget, Gate, Quota, retry_delay
from ..protocol.models import Task
from ..protocol.refusals import Kind, Trouble, settle_elsewhere, trouble_of_broken
from ..protocol.wire import ask_one, read_task

_LEAST_SECONDS = 0.001
_BUSY = "no request could leave in time: too many are under way, or rate= allows too few"


class Network(Protocol):
    """What the lane needs of the network."""

    def look(
        self, request: Request, *, fresh: bool = False, timeout: float | None = None
    ) -> Awaitable[Answer | Broken]:
        """The answer, or how the request broke."""
        ...

    async def distrust(self) -> None:
        """Use none of the pooled connections again."""
        ...

    def renew_key(self) -> bool:
        """Ask for another key; True if there is one."""
        ...


class Lane:
    """Lets requests through one by one: gate open, budget spent on, slot taken; and learns from what comes back."""

    def __init__(self, network: Network, *, budget: Budget, slots: int, rng: Random) -> None:
        self.gate = Gate()
        self.quota = Quota()
        self.budget = budget
        self.slots = anyio.Semaphore(slots, fast_acquire=True)
        self.chance: Callable[[], float] = rng.random
        self.readable = False
        """One readable answer has come, so this is a gateway."""
        # anyio.current_time() finds the loop anew each time, and takes seven times as long
        self._now = asyncio.get_running_loop().time
        self._network = network
        self._fresh = False
        self._error: SunoError = GatewayUnavailable()
        self._changed = anyio.Event()
        self._turn = anyio.Lock(fast_acquire=True)

    async def enter(self, task_id: str | None = None, end: float = inf) -> None:
        """Returns with the gate open (or half open), the budget spent on and a slot taken: in this order.

        Raises what closed the gate, for this id, if it does not open before ``end``, and GatewayUnavailable if
        nothing else lets it through before then.
        """
        if self.budget.rate is None and not self.gate.closed and self.slots.value:
            # nothing to wait for: the scope below would cost twenty times as much
            self.slots.acquire_nowait()
            return
        with anyio.CancelScope(deadline=end):
            if self.budget.rate is None:
                await self._enter(task_id, end)
            else:
                # one at a time: who gives up meanwhile has taken nobody's place in the budget
                async with self._turn:
                    await self._enter(task_id, end)
            return
        raise told(self._error if self.gate.closed else GatewayUnavailable(_BUSY, attempts=0), task_id=task_id)

    async def _enter(self, task_id: str | None, end: float) -> None:
        while True:
            if self.gate.closed:
                await self._until_open(task_id, end)
            delay = self.budget.wait(self._now())
            if delay > 0:
                await anyio.sleep(delay)
                continue
            await self.slots.acquire()
            now = self._now()
            # while it waited for the slot a submission may have spent the budget, or trouble closed the gate
            if self.budget.wait(now) == 0 and (not self.gate.closed or self.gate.wait(now) == 0):
                self.budget.reserve(now)
                return
            self.slots.release()

    def leave(self, *, probe: int = 0) -> None:
        """Gives the slot back, and the permit of a probe that came back without a result."""
        self.slots.release()
        if probe:
            self.gate.returned(probe)
            self._changed.set()

    def ask(self, request: Request, *, single: bool, timeout: float | None = None) -> Awaitable[Answer | Broken]:
        """The answer to a look, inside a slot."""
        return self._network.look(request, fresh=single and self._fresh, timeout=timeout)

    def succeeded(self, probe: int = 0) -> None:
        """An answer told about tasks."""
        self.readable = True
        self.quota.earn()
        self.gate.welcomed()
        if self.gate.failures:
            self.gate.passed(self._now(), probe=probe)
            self._changed.set()

    async def suffered(self, trouble: Trouble, *, own: bool = False, probe: int = 0) -> Trouble:
        """Learns from an answer that told nothing; gives back what it means from what is known of this gateway.

        ``own`` for trouble of one id, or of a caller in a hurry, that says nothing about the gateway.
        """
        if trouble.kind is Kind.FOREIGN:
            # before the gate hears of it: a probe's permit is given back right after its result
            await self._network.distrust()
        trouble = settle_elsewhere(trouble, readable=self.readable)
        self.readable = self.readable or trouble.readable
        now = self._now()
        if trouble.kind is Kind.NAMELESS:
            self._fresh = True
        elif own and trouble.kind is not Kind.LIMITED:
            pass
        elif trouble.kind in {Kind.OUTAGE, Kind.LIMITED, Kind.FOREIGN}:
            self._error = trouble.error
            limited = trouble.kind is Kind.LIMITED
            self.gate.failed(now, self.chance(), limited=limited, retry_after=trouble.retry_after, probe=probe)
        elif trouble.kind is not Kind.ELSEWHERE:
            self.gate.passed(now, probe=probe)
        self._changed.set()
        return trouble

    def renewed(self) -> bool:
        """The key was refused; True if there is another one now."""
        if not self._network.renew_key():
            return False
        self.gate.welcomed()
        return True

    def refused_for_good(self) -> bool:
        """The key was refused; True if that is to be believed and there is no other key."""
        if not self.gate.refused(self._now()):
            return False
        self.gate.welcomed()
        return not self._network.renew_key()

    async def once(self, request: Request, timeout: float) -> Answer | Broken:
        """The answer to a request that is about no task: it takes its turn, and nothing is learned from it.

        On a connection of its own: such an answer does not say what it was asked for, so one that was meant for an
        earlier request on a pooled connection (aio-libs/aiohttp#13656) could not be told from it.
        """
        end = self._now() + timeout
        await self.enter(end=end)
        probe = self.gate.enter()
        try:
            seconds = max(_LEAST_SECONDS, end - self._now())
            return await self._network.look(request, fresh=True, timeout=seconds)
        finally:
            self.leave(probe=probe)

    async def fetch(self, task_id: str, timeout: float) -> Task:
        """One look at one task, in the caller's own task; transient faults are tried again at most twice.

        Raises TaskNotFound, RequestRejected and its kinds, GatewayUnavailable, UnexpectedResponse, and
        ConfigurationError if no gateway is there.
        """
        end = self._now() + timeout
        attempts, renewed = 0, False
        while True:
            found = await self._fetch_once(task_id, end, late=renewed or attempts > 0)
            if isinstance(found, Task):
                return found
            if found.kind is Kind.KEY and not renewed and self._network.renew_key():
                renewed = True
                continue
            attempts += 1
            delay = retry_delay(found, attempts, self.chance())
            if delay is None or self._now() + delay >= end or not self.quota.spend(late=found.late):
                raise told(found.error, task_id=task_id, attempts=attempts)
            await anyio.sleep(delay)

    async def _fetch_once(self, task_id: str, end: float, *, late: bool) -> Task | Trouble:
        if self.gate.closed or self.budget.rate is not None or not self.slots.value:
            await self.enter(task_id, end)
            late = True
        else:
            self.slots.acquire_nowait()
        probe = self.gate.enter()
        try:
            # no timeout at all is what aiohttp takes 0 for
            timeout = max(_LEAST_SECONDS, end - self._now()) if late else None
            answer = await self.ask(ask_one(task_id), single=True, timeout=timeout)
            hasty = late and isinstance(answer, Broken) and self._now() >= end - _LEAST_SECONDS
            found = trouble_of_broken(answer, task_id) if isinstance(answer, Broken) else read_task(answer, task_id)
            if isinstance(found, Trouble):
                # a request that was given less time than any other and ran out of it proves nothing
                return await self.suffered(found, own=hasty, probe=probe)
            self.succeeded(probe)
            return found
        finally:
            self.leave(probe=probe)

    async def _until_open(self, task_id: str | None, end: float) -> None:
        """Returns when the gate is open; raises what closed it if that is not before ``end``."""
        while (wait := self.gate.wait(self._now())) != 0:
            soonest = self._now() + (wait or 0.0)
            if soonest >= end:
                raise told(self._error, task_id=task_id)
            if self._changed.is_set():
                self._changed = anyio.Event()
            with anyio.CancelScope(deadline=end if wait is None else soonest):
                await self._changed.wait()


def told(error: SunoError, **facts: object) -> SunoError:
    """A copy of an error for one more caller: an exception that is raised twice collects both tracebacks."""
    mine = copy.copy(error)
    for name, value in facts.items():
        if hasattr(type(mine), name):
            setattr(mine, name, value)
    return mine
