"""The lane: the one way to the gateway that all looks share, with its gate, its budget and its slots.

What is known about the gateway as a whole is kept here: that it is one, that its single looks name no task, that its
key is refused.
"""

import copy
from collections.abc import Awaitable, Callable
from math import inf
from random import Random
from typing import Protocol

import anyio

from ..protocol.errors import GatewayUnavailable, SunoError
from ..protocol.exchange import Answer, Broken, Request
from ..protocol.limits import Budget, Gate, retry_delay
from ..protocol.models import Task
from ..protocol.refusals import Kind, Trouble, settle_elsewhere, trouble_of_broken
from ..protocol.wire import Look, ask_one, read_one


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
        self.budget = budget
        self.slots = anyio.Semaphore(slots, fast_acquire=True)
        self.chance: Callable[[], float] = rng.random
        self.readable = False
        """One readable answer has come, so this is a gateway."""
        self._network = network
        self._fresh = False
        self._error: SunoError = GatewayUnavailable()
        self._changed = anyio.Event()

    async def enter(self) -> None:
        """Returns with the gate open (or half open), the budget spent on and a slot taken: in this order."""
        while True:
            await self._until_open(inf)
            delay = self.budget.reserve(anyio.current_time())
            if delay > 0:
                await anyio.sleep(delay)
            await self.slots.acquire()
            if self.gate.wait(anyio.current_time()) == 0:
                return
            self.slots.release()

    def leave(self, *, probe: bool = False) -> None:
        """Gives the slot back, and the permit of a probe that came back without a result."""
        self.slots.release()
        if probe:
            self.gate.returned()
            self._changed.set()

    async def ask(self, request: Request, *, single: bool, timeout: float | None = None) -> Answer | Broken:
        """The answer to a look, inside a slot."""
        return await self._network.look(request, fresh=single and self._fresh, timeout=timeout)

    def succeeded(self) -> None:
        """An answer told about tasks."""
        self.readable = True
        self.gate.passed()
        self.gate.welcomed()
        self._changed.set()

    async def suffered(self, trouble: Trouble) -> Trouble:
        """Learns from an answer that told nothing; gives back what it means from what is known of this gateway."""
        trouble = settle_elsewhere(trouble, readable=self.readable)
        self.readable = self.readable or trouble.readable
        self._error = trouble.error
        if trouble.kind is Kind.NAMELESS:
            self._fresh = True
        elif trouble.kind in {Kind.OUTAGE, Kind.LIMITED, Kind.FOREIGN}:
            limited = trouble.kind is Kind.LIMITED
            self.gate.failed(anyio.current_time(), self.chance(), limited=limited, retry_after=trouble.retry_after)
        elif trouble.kind is not Kind.ELSEWHERE:
            self.gate.passed()
        self._changed.set()
        if trouble.kind is Kind.FOREIGN:
            await self._network.distrust()
        return trouble

    def refused_for_good(self) -> bool:
        """The key was refused; True if that is to be believed and there is no other key."""
        if not self.gate.refused(anyio.current_time()):
            return False
        self.gate.welcomed()
        return not self._network.renew_key()

    async def fetch(self, task_id: str, timeout: float) -> Task:
        """One look at one task, in the caller's own task; transient faults are tried again at most twice.

        Raises TaskNotFound, RequestRejected and its kinds, GatewayUnavailable, UnexpectedResponse, and
        ConfigurationError if no gateway is there.
        """
        end = anyio.current_time() + timeout
        attempts, renewed = 0, False
        while True:
            found = await self._fetch_once(task_id, end, attempts)
            if isinstance(found, Look):
                return found.task()
            if found.kind is Kind.KEY and not renewed and self._network.renew_key():
                renewed = True
                continue
            attempts += 1
            delay = retry_delay(found, attempts, self.chance())
            if delay is None or anyio.current_time() + delay >= end:
                raise told(found.error, attempts=attempts)
            await anyio.sleep(delay)

    async def _fetch_once(self, task_id: str, end: float, attempts: int) -> Look | Trouble:
        if self.gate.closed:
            await self._until_open(end)
        delay = self.budget.reserve(anyio.current_time())
        if delay > 0:
            await anyio.sleep(delay)
        async with self.slots:
            timeout = end - anyio.current_time() if attempts else None
            answer = await self.ask(ask_one(task_id), single=True, timeout=timeout)
        found = trouble_of_broken(answer, task_id) if isinstance(answer, Broken) else read_one(answer, task_id)
        if isinstance(found, Trouble):
            return await self.suffered(found)
        self.succeeded()
        return found

    async def _until_open(self, end: float) -> None:
        """Returns when the gate is open; raises what closed it if that is not before ``end``."""
        while (wait := self.gate.wait(anyio.current_time())) != 0:
            until = end if wait is None else anyio.current_time() + wait
            if until >= end and end < inf:
                raise told(self._error)
            self._changed = anyio.Event()
            with anyio.CancelScope(deadline=until):
                await self._changed.wait()


def told(error: SunoError, **facts: object) -> SunoError:
    """A copy of an error for one more caller: an exception that is raised twice collects both tracebacks."""
    mine = copy.copy(error)
    for name, value in facts.items():
        if hasattr(type(mine), name):
            setattr(mine, name, value)
    return mine
