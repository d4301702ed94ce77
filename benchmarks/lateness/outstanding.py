"""Many tasks outstanding: the engine itself, on virtual time, over a gateway in memory.

Of N tasks each is followed by another one as soon as its end is seen. They are those of `worlds.FAILING`. What counts
is the requests that reach the gateway for each task, and how much later than the gateway showed an end the waiter was
told of it.
"""

import asyncio
from functools import partial
from random import Random
from statistics import fmean, quantiles
from typing import NamedTuple

import anyio
import msgspec

from suno_async.engine.lane import Lane
from suno_async.engine.tracker import Tracker
from suno_async.protocol.batch import Batch
from suno_async.protocol.durations import Event
from suno_async.protocol.errors import ClientClosed, SunoError
from suno_async.protocol.life import Failed, Life, Settled
from suno_async.protocol.limits import Budget
from suno_async.protocol.look import Look
from suno_async.protocol.pace import Pace

from .clock import run
from .gateway import Gateway, Rounds
from .gateway import Row as Told
from .worlds import FAILING

PRICE = 1.0
COUNTS = (1, 5, 20, 100, 1000)
_COUNTED = {1: 200, 5: 200, 20: 400, 100: 800, 1000: 2000}
"""Tasks that count in a run, by how many are outstanding."""
_BATCH, _SLOTS = 100, 16
_WARM_TASKS, _WARM_SECONDS = 200, 300.0
"""What does not count: so many ends, as many as are outstanding, and so many seconds."""


class Place(NamedTuple):
    """Where the tasks are waited for."""

    name: str
    rounds: Rounds | None = None
    dated: bool = False
    """Its rows tell when they last changed."""


AT_ONCE = Place("no beat")
DATED = Place("beat, rows with `updated_at`", Rounds(), dated=True)
PLAIN = Place("beat, rows without", Rounds())
ROUGH = [
    Place("with: 3 % of the rounds skipped", Rounds(skipped=0.03), dated=True),
    Place("without: 3 % of the rounds skipped", Rounds(skipped=0.03)),
    Place("with: a restart every 20 minutes", Rounds(restarts=1200.0), dated=True),
    Place("without: a restart every 20 minutes", Rounds(restarts=1200.0)),
]


class Watch:
    """Waits for all of them, and submits the next one for each that has ended."""

    sees = hears = False
    event = Event.END

    def __init__(self, tracker: Tracker, gateway: Gateway, rng: Random) -> None:
        self.late: list[float] = []
        self._full = asyncio.Event()
        self.open = True
        self._wanted = 0
        self._tracker = tracker
        self._gateway = gateway
        self._rng = rng
        self._rows: dict[str, Told] = {}
        self._names = iter(range(10**9))
        self._loop = asyncio.get_running_loop()

    def submit(self) -> None:
        """One more task."""
        if not self.open:
            return
        now, length = self._loop.time(), FAILING.draw(self._rng)
        task_id = f"task_{next(self._names):032d}"
        self._rows[task_id] = self._gateway.submit(task_id, now, length, failed=length < 20)
        self._tracker.submitted(task_id, "MUSIC")
        self._tracker.join(task_id, self)

    async def begin(self, tasks: int) -> None:
        """So many, one after the other: those that begin together stay together for a long time."""
        for _ in range(tasks):
            self.submit()
            await anyio.sleep(FAILING.mean / tasks)

    async def until(self, ends: int) -> None:
        """Returns when so many have ended, counted from now."""
        self.late.clear()
        self._wanted = ends
        self._full.clear()
        await self._full.wait()

    # what a waiter is told

    def looked(self, life: Life, look: Look) -> None:
        """It goes on."""

    def missed(self, life: Life) -> None:
        """The gateway knows every task."""
        raise RuntimeError(f"{life.task_id} was missed")

    def faulted(self, life: Life, error: SunoError) -> bool:
        """The gateway answers every look."""
        raise RuntimeError(f"{life.task_id} could not be asked for") from error

    def ended(self, life: Life, verdict: Settled | Failed) -> None:
        """It has ended, and the next one is submitted."""
        if isinstance(verdict, Failed):
            raise verdict.error
        row = self._rows.pop(life.task_id)
        self._gateway.forget(life.task_id)
        self.late.append(self._loop.time() - row.shown)
        if len(self.late) == self._wanted:
            self._full.set()
        self.submit()

    def stopped(self, error: SunoError) -> None:
        """The end of the run."""


class Run(NamedTuple):
    """What was counted in one run."""

    requests: int
    late: list[float]


async def _run(place: Place, pace: Pace, outstanding: int, seed: int) -> Run:
    rng = Random(seed)
    gateway = Gateway(Random(~seed), place.rounds, dated=place.dated)
    lane = Lane(gateway, budget=Budget(None), slots=_SLOTS, rng=Random(seed + 1_000_000))
    tracker = Tracker(lane, pace=pace, batch=Batch(_BATCH))
    watch = Watch(tracker, gateway, rng)
    async with anyio.create_task_group() as group:
        group.start_soon(tracker.poller.run)
        group.start_soon(watch.begin, outstanding)
        await watch.until(max(_WARM_TASKS, outstanding))
        await anyio.sleep(max(0.0, _WARM_SECONDS - anyio.current_time()))
        before = gateway.requests
        await watch.until(_COUNTED[outstanding])
        requests, watch.open = gateway.requests - before, False
        tracker.close(ClientClosed())
        group.cancel_scope.cancel()
    return Run(requests, watch.late)


class Row(msgspec.Struct, frozen=True):
    """What one policy did at one place with so many tasks outstanding."""

    place: str
    policy: str
    outstanding: int
    seeds: int
    requests: float
    late: float
    late95: float
    cost: float


def measure(place: Place, policy: str, pace: Pace, outstanding: int, seeds: int) -> Row:
    """The mean over so many runs."""
    runs: list[Run] = [run(partial(_run, place, pace, outstanding, seed)) for seed in range(seeds)]
    late = [seconds for one in runs for seconds in one.late]
    requests = sum(one.requests for one in runs) / len(late)
    late95 = quantiles(late, n=20)[-1]
    return Row(place.name, policy, outstanding, seeds, requests, fmean(late), late95, PRICE * requests + fmean(late))
