"""What an answer costs the schedule: what it shows is taken in, and the next look is planned by the gateway's beat.

``python -m benchmarks.beat`` follows the songs of a gateway in memory, whose rounds are 15 s apart, on virtual time: 20
at once by rows that tell when they changed and by rows that do not, and 1,000 by requests for 100. An answer's time is
that of everything the schedule does for it: its date, each of its rows, the beat, and the first delay, which makes the
plan that serves the others too. ``us`` is the median of those times, of the answers by which the beat was brought up to
date, ``beat_us`` the beat's and the plan's part of it, and ``p95_us`` is exceeded by one in twenty. They are so far
apart in a program that everything else has taken their place in the processor's caches: ``warm_us`` is the mean of the
beat's and the plan's part if it is done seven times on end, the least of the seven. ``reference_us`` is a fixed loop,
timed before, between and after them: by it, figures of different hours can be compared.
"""

import argparse
import copy
import math
import statistics
import time
from functools import partial
from random import Random

import anyio

from suno_async.protocol.beat import Beat
from suno_async.protocol.forecast import Forecast
from suno_async.protocol.life import Life, Settled
from suno_async.protocol.look import Look
from suno_async.protocol.pace import Adaptive
from suno_async.protocol.schedule import Schedule
from suno_async.protocol.wire import ask_many, read_many

from .gauges import report
from .lateness.clock import run
from .lateness.gateway import Gateway, Rounds
from .lateness.worlds import FAILING

BATCH = 100
WARM = 300.0
"""Seconds of virtual time after which answers count: the beat is known, and how long songs take."""
_EVERY = 10
"""Of so many answers one is also timed warm."""
PLACES = {"20_dated": (20, True), "20": (20, False), "1000": (1000, False)}


class Timed(Schedule):
    """A schedule that counts how often it has made a new plan."""

    plans = 0

    @property
    def planned(self) -> int:
        """Changes whenever the beat was brought up to date."""
        if self._forecast is not self._plan:
            self._plan, self.plans = self._forecast, self.plans + 1
        return self.plans

    _plan: object = None


class Follower:
    """Polls so many songs, each that ends being followed by another one, as the engine does."""

    def __init__(self, outstanding: int, *, dated: bool) -> None:
        self._songs = Random(1)
        self._gateway = Gateway(Random(2), Rounds(), dated=dated)
        self._schedule = Timed(Adaptive(price=1.0))
        self._share = min(outstanding**0.75, float(BATCH))
        self._dues: dict[str, float] = {}
        self._lives: dict[str, Life] = {}
        self._names = iter(range(10**9))
        self._outstanding = outstanding
        self.times: list[tuple[float, float]] = []
        """Of each answer that counts, the seconds it took, and those of them from the last row on."""
        self.warm: list[float] = []

    async def follow(self, answers: int) -> None:
        """Until so many answers were timed."""
        for _ in range(self._outstanding):
            self._submit()
            await anyio.sleep(FAILING.mean / self._outstanding)
        while len(self.times) < answers:
            await anyio.sleep_until(min(self._dues.values()))
            await self._look()

    def _submit(self) -> None:
        now, length = anyio.current_time(), FAILING.draw(self._songs)
        task_id = f"task_{next(self._names):032d}"
        self._gateway.submit(task_id, now, length, failed=length < 20)
        life = self._lives[task_id] = Life(task_id=task_id, born=now, kind="MUSIC", dated=True)
        self._dues[task_id] = now + self._delay(life, now)

    def _delay(self, life: Life, now: float) -> float:
        return self._schedule.delay(life, now, 0.5, self._share)

    async def _look(self) -> None:
        """One request: what is due, and what is due next as far as there is room."""
        sent = anyio.current_time()
        soonest = sent - self._schedule.floor
        first = sorted(self._dues, key=self._dues.__getitem__)
        taken = [one for one in first if self._dues[one] <= sent or self._lives[one].looked <= soonest][:BATCH]
        answer = await self._gateway.look(ask_many(taken))
        found = read_many(answer)
        assert isinstance(found, dict)
        looks = list(found.values())
        now = anyio.current_time()
        known = self._schedule.planned
        start = time.perf_counter()
        self._schedule.answered(answer, sent, now)
        for look in looks:
            self._schedule.saw(self._lives[look.task_id], look, now)
        rows = time.perf_counter() - start
        if len(self.times) % _EVERY == 0 and now > WARM and self._schedule.beat is not None:
            self.warm.append(again(self._schedule.beat, now))
        seen = time.perf_counter()
        self._schedule.take_in(now)
        self._delay(self._lives[taken[-1]], now)
        end = time.perf_counter()
        if self._schedule.planned > known and now > WARM:
            self.times.append((rows + end - seen, end - seen))
        self._go_on(looks, now)

    def _go_on(self, looks: list[Look], now: float) -> None:
        for look in looks:
            life = self._lives[look.task_id]
            if isinstance(life.observe(look, now), Settled):
                del self._lives[look.task_id], self._dues[look.task_id]
                self._gateway.forget(look.task_id)
                self._submit()
            else:
                self._dues[look.task_id] = now + self._delay(life, now)


def again(beat: Beat, now: float) -> float:
    """Seconds in which what was seen is taken in and a plan is made of it: the least of seven times."""
    times = []
    for _ in range(7):
        copied = copy.deepcopy(beat)
        start = time.perf_counter()
        copied.take_in(now)
        Forecast(copied, now).delay(now, 5.0)
        times.append(time.perf_counter() - start)
    return min(times)


def measure(outstanding: int, answers: int, *, dated: bool) -> dict[str, float]:
    """The figures of one place."""
    follower = Follower(outstanding, dated=dated)
    run(partial(follower.follow, answers))
    whole, part = zip(*follower.times, strict=True)
    return {
        "us": round(statistics.median(whole) * 1e6),
        "beat_us": round(statistics.median(part) * 1e6),
        "p95_us": round(statistics.quantiles(whole, n=20)[-1] * 1e6),
        "warm_us": round(statistics.fmean(follower.warm) * 1e6),
    }


def reference() -> float:
    """Microseconds of a fixed piece of work like that of a beat: exponentials of as many numbers as it has cells."""
    numbers = [index / 1000 for index in range(320)]
    times = []
    for _ in range(1000):
        start = time.perf_counter()
        [number * number for number in map(math.exp, numbers)]
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=2000)
    answers = parser.parse_args().answers
    references = [reference()]
    figures: dict[str, float] = {}
    for name, (outstanding, dated) in PLACES.items():
        found = measure(outstanding, answers, dated=dated)
        figures |= {f"{key}_{name}": value for key, value in found.items()}
        references.append(reference())
    report("beat", {"answers": answers, **figures, "reference_us": round(statistics.median(references), 1)})
