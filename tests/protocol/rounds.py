"""A gateway that refreshes its rows in rounds, and a poller that has the beat for a guide: no wire, virtual seconds."""

import math
import random
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cache
from statistics import fmean

from suno_async.protocol.beat import SLEEP, Beat
from suno_async.protocol.durations import Durations
from suno_async.protocol.forecast import Forecast
from suno_async.protocol.pace import Adaptive

PACE = Adaptive(price=1.0, floor=0.5)


def rounds(seed, *, work=(0.0, 1.0), skipped=0.0, jump=None, seconds=6000):
    """When each round begins, and its work; after ``jump`` seconds the gateway is restarted."""
    chance = random.Random(seed)
    start, found = -chance.uniform(0, 16), []
    while start < seconds:
        took = chance.uniform(*work)
        if chance.random() >= skipped:
            found.append((start, took))
        start += SLEEP + took
        if jump is not None and start > jump:
            start, jump = start + 7, None
    return found


def drifting(seed, *, seconds=6000):
    """Rounds with more and more work, from 0.2 s to 1.8 s: their phase moves, faster and faster."""
    chance = random.Random(seed)
    start, found = -chance.uniform(0, 16), []
    while start < seconds:
        took = chance.uniform(0.8, 1.2) * (0.2 + 1.6 * max(0.0, start) / seconds)
        found.append((start, took))
        start += SLEEP + took
    return found


@dataclass
class Task:
    born: float
    shown: float
    """When its end can be seen."""
    looked: float
    due: float = 0.0


@dataclass
class Watched:
    """What a poller saw."""

    looks: list[float] = field(default_factory=list)
    late: list[tuple[float, float]] = field(default_factory=list)
    doubts: list[tuple[float, float]] = field(default_factory=list)
    """How likely it was taken to be, after each answer, that there is no beat."""

    def lateness(self, begin=0.0, end=math.inf):
        return fmean(late for now, late in self.late if begin <= now < end)

    def cost(self, begin=120.0):
        """Requests for each task, each worth a second, and the mean lateness."""
        ended = sum(now >= begin for now, _ in self.late)
        return sum(now >= begin for now in self.looks) / ended + self.lateness(begin)

    def doubt(self, begin):
        """The first that was recorded from this moment on."""
        return next(doubt for now, doubt in self.doubts if now >= begin)


def takes(chance):
    """How long a task takes: one in ten fails early."""
    return chance.uniform(3, 20) if chance.random() < 0.1 else chance.lognormvariate(math.log(100), 0.35)


@cache
def hazard():
    durations, chance = Durations(), random.Random(99)
    for _ in range(200):
        durations.took("MUSIC", takes(chance))
    return durations.hazard("MUSIC")


def watch(gateway, seed, *, tasks=20, seconds=1500.0, tells=False, clock=0.0, beat=True):
    """Polls so many tasks, each that ends being followed by another; one request asks for all of them.

    ``gateway`` is its rounds, or None: every end is seen at once. ``tells``: rows say when they changed, by a clock
    that is so many seconds ahead of the one that dates the answers.
    """
    chance, known, found = random.Random(seed), Beat(0.0) if beat else None, Watched()
    forecast, taken, now, share = None, 0.0, 0.0, tasks**0.75

    def submitted():
        shown = _shown(gateway, now + takes(chance), chance.random())
        task = Task(now, shown, now)
        return planned(task)

    def planned(task):
        delay = PACE.delay(hazard(), now - task.born, share)
        task.due = now + (delay if forecast is None else max(PACE.floor, forecast.delay(now, delay)))
        return task

    open_tasks = [submitted() for _ in range(tasks)]
    while now < seconds:
        now = max(now, min(task.due for task in open_tasks))
        found.looks.append(now)
        seen = [task for task in open_tasks if task.due <= now or task.looked <= now - PACE.floor]
        for task in seen if known else ():
            known.looked(task.looked, now, hazard().rate((task.looked + now) / 2 - task.born))
            if task.shown <= now:
                known.changed(task.looked, now, math.floor(task.shown + clock) + 0.5 if tells else None)
        found.late += [(now, now - task.shown) for task in seen if task.shown <= now]
        if known and now - taken >= 0.5:
            known.take_in(now)
            taken, forecast = now, Forecast(known, now) if known.no_beat < 0.97 else None
            found.doubts.append((now, known.no_beat))
        for task in seen:
            task.looked = now
        kept = [task for task in open_tasks if task.shown > task.looked]
        for task in kept:
            if task.looked == now:
                planned(task)
        open_tasks = kept + [submitted() for _ in range(tasks - len(kept))]
    return found


def _shown(gateway, end, share):
    """When an end can be seen, in a row that comes after this share of the round."""
    if gateway is None:
        return end
    index = bisect_right(gateway, (end - SLEEP, 0.0))
    return next(start + took * share for start, took in gateway[index:] if start + took * share >= end)
