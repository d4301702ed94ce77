"""Time that jumps, and a gateway in memory: what the engine's tests run on, without waiting and without sockets."""

import asyncio
import json
import selectors
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any, NamedTuple, Self

import anyio
import anyio.lowlevel

from suno_async.engine.journal import Journal, Store
from suno_async.engine.lane import Lane
from suno_async.engine.streams import Stream
from suno_async.engine.submissions import Submissions
from suno_async.engine.tracker import Tracker
from suno_async.engine.waits import Glance, Wait
from suno_async.protocol.batch import Batch
from suno_async.protocol.errors import ClientClosed, JournalError
from suno_async.protocol.exchange import Answer, Broken, Request
from suno_async.protocol.limits import Budget
from suno_async.protocol.pace import Fixed

_STEPS_AT_ONCE = 200_000


class Deadlock(RuntimeError):
    """Nothing is ready and no timer is set: everybody waits for ever."""


class Livelock(RuntimeError):
    """The loop turns and turns, and time stands still."""


class _Jumps(selectors.DefaultSelector):
    """Jumps to the next timer instead of waiting for it."""

    loop: asyncio.BaseEventLoop
    now = 0.0

    def select(self, timeout=None):
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise Deadlock(Deadlock.__doc__)
        # not `now + timeout`: rounding would leave it a hair before the timer, for ever
        self.now = self.loop._scheduled[0].when()
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is its own; ``at_step`` is called at the beginning of the loop's n-th turn."""

    def __init__(self) -> None:
        self._jumps = _Jumps()
        super().__init__(self._jumps)
        self._jumps.loop = self
        self.steps = 0
        self.at_step: dict[int, Callable[[], Any]] = {}
        self._last = (0.0, 0)

    def time(self) -> float:
        return self._jumps.now

    def _run_once(self) -> None:
        self.steps += 1
        now, since = self._last
        if self.time() != now:
            self._last = (self.time(), self.steps)
        elif self.steps - since > _STEPS_AT_ONCE:
            raise Livelock(Livelock.__doc__)
        self.at_step.pop(self.steps, int)()
        super()._run_once()


BACKEND = ("asyncio", {"loop_factory": VirtualLoop})


def run(scenario: Callable[[], Awaitable[Any]]) -> Any:
    """What a scenario gives, on a virtual loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(scenario())


# answers


def said(status: int, code: str, message: str = "", **headers: str) -> Answer:
    """An answer of the gateway's own that tells about no task."""
    body = json.dumps({"code": code, "message": message, "data": None}).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def page(status: int = 200, **headers: str) -> Answer:
    """A web page."""
    return Answer(status, headers, b"<!doctype html><html>hello</html>")


def limited(seconds: int | None = None) -> Answer:
    """429, as new-api's own limiter answers: empty."""
    return Answer(429, {} if seconds is None else {"Retry-After": str(seconds)}, b"")


def rows(*rows: bytes) -> Answer:
    """A batch's answer made of these rows."""
    return Answer(200, {}, b'{"code":"success","message":"","data":[' + b",".join(rows) + b"]}")


def one(row: bytes, *, fresh: bool = False) -> Answer:
    """A single look's answer."""
    return Answer(200, {}, b'{"code":"success","message":"","data":' + row + b"}", fresh)


def row(task_id: str, status: str = "IN_PROGRESS", *, progress: str = "0%", reason: str = "", audio: str = "") -> bytes:
    """A row as new-api writes it; ``audio`` is the address of its only clip."""
    clip = {"id": f"clip-{task_id}", "title": task_id, "status": "complete", "audio_url": audio}
    fields = {"task_id": task_id, "action": "MUSIC", "status": status, "fail_reason": reason, "progress": progress}
    return json.dumps({**fields, "data": [clip] if audio else None}).encode()


REFUSED = said(401, "invalid_token", "the key is no good")
BROKEN = Answer(502, {}, b"<html>bad gateway</html>")
GONE = Broken("it closed the connection before it answered")
NO_NEWS = Answer(200, {}, b"")
UNKNOWN = said(400, "task_not_exist")
SPOILED = said(500, "get_tasks_failed", "unsupported type")


class Ask(NamedTuple):
    """One look as the gateway sees it."""

    at: float
    ids: tuple[str, ...]
    batch: bool
    fresh: bool


class World:
    """A gateway in memory: tasks that finish at their time, answers by script, and a record of what was asked.

    ``script`` answers the next looks, one each (None: as ever); ``rule`` may answer any look.
    """

    def __init__(self, *, latency: float = 0.1) -> None:
        self.latency = latency
        self.plans: dict[str, list[tuple[float, bytes]]] = {}
        self.script: deque[Answer | Broken | None] = deque()
        self.rule: Callable[[Ask], Answer | Broken | None] = lambda _ask: None
        self.asks: list[Ask] = []
        self.posts: list[tuple[float, Request]] = []
        self.outcomes: deque[Answer | Broken | BaseException] = deque()
        self.in_flight = self.most_in_flight = self.distrusted = self.renewals = 0
        self.keys = 0
        self.distrusting = 0.0

    def add(self, *task_ids: str, after: float = 0.0, status: str = "SUCCESS", before: float = 0.0) -> None:
        """Tasks that are in progress from ``before`` on (unknown until then) and final ``after`` so many seconds."""
        for task_id in task_ids:
            final = row(task_id, status, progress="100%", audio=f"https://cdn/{task_id}.mp3")
            self.plans[task_id] = [(before, row(task_id)), (after, final)]

    def tell(self, task_id: str, at: float, row: bytes) -> None:
        """From ``at`` on this is what is told about a task."""
        self.plans.setdefault(task_id, []).append((at, row))

    def row(self, task_id: str, now: float) -> bytes | None:
        """What is told about a task now."""
        told = [row for at, row in self.plans.get(task_id, ()) if at <= now]
        return told[-1] if told else None

    @property
    def ids(self) -> list[str]:
        """Every id asked for, in order."""
        return [task_id for ask in self.asks for task_id in ask.ids]

    def times(self, task_id: str) -> list[float]:
        """When an id was asked for."""
        return [round(ask.at, 6) for ask in self.asks if task_id in ask.ids]

    async def look(self, request: Request, *, fresh: bool = False, timeout: float | None = None) -> Answer | Broken:
        """The answer, after the latency; nothing within the timeout breaks the request."""
        now = anyio.current_time()
        batch = request.method == "POST"
        ids = tuple(json.loads(request.body or b"")["ids"]) if batch else (request.path.rpartition("/")[2],)
        ask = Ask(now, ids, batch, fresh)
        self.asks.append(ask)
        scripted = self.script.popleft() if self.script else None
        self.in_flight += 1
        self.most_in_flight = max(self.in_flight, self.most_in_flight)
        try:
            await anyio.sleep(min(self.latency, self.latency if timeout is None else timeout))
        finally:
            self.in_flight -= 1
        if timeout is not None and timeout < self.latency:
            return Broken("no answer in time")
        return scripted or self.rule(ask) or self._answer(ask, anyio.current_time())

    def _answer(self, ask: Ask, now: float) -> Answer:
        found = [row for task_id in ask.ids if (row := self.row(task_id, now)) is not None]
        if ask.batch:
            return rows(*found)
        return one(found[0], fresh=ask.fresh) if found else UNKNOWN

    async def distrust(self) -> None:
        self.distrusted += 1
        await anyio.sleep(self.distrusting)

    def renew_key(self) -> bool:
        self.renewals += 1
        self.keys -= 1
        return self.keys >= 0

    async def submit(self, request: Request) -> Answer | Broken:
        """Accepts, unless ``outcomes`` says otherwise."""
        self.posts.append((anyio.current_time(), request))
        number = len(self.posts)
        outcome = self.outcomes.popleft() if self.outcomes else None
        await anyio.sleep(self.latency)
        if isinstance(outcome, BaseException):
            raise outcome
        if outcome is not None:
            return outcome
        return Answer(200, {}, f'{{"code":"success","message":"","data":"task-{number}"}}'.encode(), True)


class Inline:
    """Carries operations to a real store on the loop itself, after ``latency``: a thread would have a time of its own.

    ``refusals``: for the next writes, the error of the disk (None: none).
    """

    def __init__(self, path, *, latency=0.01) -> None:
        self.path, self.latency = path, latency
        self.refusals: deque[JournalError | None] = deque()

    async def open(self) -> None:
        self.store = Store(self.path)

    async def close(self) -> None:
        self.store.close()

    async def write(self, operation, *, kept=False):
        await anyio.sleep(self.latency)
        refusal = self.refusals.popleft() if self.refusals else None
        if refusal is not None:
            raise refusal
        return self.store.commit([operation])[0]

    def note(self, operation) -> None:
        self.store.commit([operation])


@asynccontextmanager
async def journaled(folder, *, latency=0.0) -> AsyncIterator[Journal]:
    """An open journal in this folder, whose writes take ``latency`` of virtual time each."""
    scribe = Inline(folder / "a.journal", latency=latency)
    journal = Journal(scribe.path, "https://gateway", scribe)
    await journal.open()
    yield journal
    await journal.close()


class Engine:
    """The engine put together over a world, as the client does it."""

    def __init__(self, world, *, pace=None, size=100, slots=16, rate=None, seed=0, journal=None) -> None:
        rng, budget = Random(seed), Budget(rate)
        self.world = world
        self.slots = slots
        self.lane = Lane(world, budget=budget, slots=slots, rng=rng)
        self.batch = Batch(size)
        self.tracker = Tracker(self.lane, pace=pace or Fixed(5.0), batch=self.batch, record=journal)
        self.poller = self.tracker.poller
        self.submissions = Submissions(
            world.submit,
            spawn=self.spawn,
            budget=budget,
            slots=slots,
            rng=rng,
            quota=self.lane.quota,
            accepted=self.tracker.submitted,
            ledger=journal,
            gateway="https://gateway",
        )

    def spawn(self, function) -> None:
        self.group.start_soon(function)

    async def __aenter__(self) -> Self:
        self.group = await anyio.create_task_group().__aenter__()
        self.group.start_soon(self.poller.run)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.tracker.close(ClientClosed())
        self.group.cancel_scope.cancel()
        await self.group.__aexit__(None, None, None)

    async def wait(self, task_id, *, timeout=None, until="done"):
        wait = Wait(task_id, until)
        life = self.tracker.join(task_id, wait)
        if timeout is not None:
            self.tracker.deadlines.add(wait, life, timeout)
        try:
            return await wait.future
        finally:
            if timeout is not None:
                self.tracker.deadlines.discard(wait, timeout)
            self.tracker.leave(task_id, wait)

    def stream(self, task_ids, *, changes=False, timeout=None) -> Stream:
        return Stream(task_ids, ledger=self.tracker, spawn=self.spawn, changes=changes, timeout=timeout)

    async def glance(self, task_ids, *, patience=30.0):
        glance = Glance(task_ids, patience, self.tracker.leave_all)
        try:
            await self.tracker.admit(task_ids, glance, at_once=True)
            if self.tracker.paused:
                glance.hurry()
            await glance.future
        finally:
            glance.close()
        return glance.found

    async def settle(self, seconds: float = 60.0) -> None:
        """Nothing is left behind once what is under way has come back."""
        await anyio.sleep(seconds)
        assert self.poller.outstanding == 0
        assert len(self.tracker._lives) == 0
        assert self.lane.slots.value == self.slots
        assert self.lane.slots.statistics().tasks_waiting == 0
        assert self.world.in_flight == 0
        assert not self.lane.gate.probing
        assert self.submissions._open == set()
        assert self.submissions._slots.value == self.slots


async def settled(count: int = 20) -> None:
    """Everything that can run without time going on has run."""
    for _ in range(count):
        await anyio.lowlevel.checkpoint()
