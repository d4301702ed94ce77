"""One task at a time: policies x worlds, each policy learning from the tasks it has seen.

Each task is drawn, and what the gateway tells of it afterwards is learned: finish time less submit time, in whole
seconds. Its cost is not that of the one draw but the exact mean over the world, for the looks that the policy would
have made by then; the 95th percentile of the lateness is that of the draws.
"""

from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from math import floor
from random import Random
from statistics import fmean, quantiles
from typing import NamedTuple

import msgspec

from suno_async.protocol.durations import Durations, Hazard

from .optimum import Cost, best_cost, best_interval, best_looks, cost_of
from .policies import POLICIES, PRICES, Known, Policy, fixed
from .worlds import BEATING, FAILING, LYRICS, SLOWER, SONGS, World

COLD = range(20)
"""The first tasks of a run: nothing is known when the first one is waited for."""
WARM = range(200, 400)
AT_THE_END = range(334, 400)


class Setting(NamedTuple):
    """A world for the tasks of one run, which may be another one from the first warm task on."""

    name: str
    world: World
    kind: str = "MUSIC"
    later: World | None = None

    @property
    def last(self) -> World:
        """The world of the warm tasks."""
        return self.later or self.world

    def at(self, index: int) -> World:
        """The world of one task."""
        return self.world if index < WARM.start else self.last


SETTINGS = [
    *(Setting(f"songs, σ {sigma:g}", world) for sigma, world in SONGS.items()),
    Setting("songs, 10 % fail early", FAILING),
    Setting("lyrics", LYRICS, "LYRICS"),
    Setting("songs, later twice as long", SONGS[0.35], later=SLOWER),
    Setting("10 % fail early, behind a beat", BEATING),
]


class Task(NamedTuple):
    """What one task cost."""

    cost: Cost
    late: float


class Plan:
    """The looks a policy makes from what is known, taken down as far as anybody asks."""

    def __init__(self, policy: Policy, durations: Durations, kind: str, rng: Random) -> None:
        self._extra = policy.extra
        self._coming = policy.looks(durations, kind, rng)
        self._looks: list[float] = []
        self._costs: dict[World, Cost] = {}

    def _all(self) -> Iterator[float]:
        yield from self._looks
        for look in self._coming:
            self._looks.append(look)
            yield look

    def cost(self, world: World) -> Cost:
        """What it costs in this world, on average."""
        if world not in self._costs:
            requests, lateness = cost_of(self._all(), world)
            self._costs[world] = Cost(requests + self._extra, lateness)
        return self._costs[world]

    def late(self, end: float) -> float:
        """How long after this end the next look is."""
        if not self._looks or self._looks[-1] < end:
            next(look for look in self._all() if look >= end)
        return self._looks[bisect_left(self._looks, end)] - end


@cache
def _settled(policy: Policy) -> Plan:
    """The plan of a policy that looks at every task in the same way."""
    return Plan(policy, Durations(), "", Random(0))


def run(setting: Setting, policy: Policy, seed: int, tasks: int = WARM.stop) -> list[Task]:
    """What each task of one run cost; the draws depend on the seed alone, so that all policies wait for the same."""
    rng, chance, durations = Random(seed), Random(~seed), Durations()
    known: Hazard | None = None
    plan, done = _settled(policy), []
    for index in range(tasks):
        world = setting.at(index)
        end, second = world.draw(rng), rng.random()
        if policy.varies:
            hazard = durations.hazard(setting.kind)
            if hazard is not known:
                known, plan = hazard, Plan(policy, durations, setting.kind, chance)
            durations.took(setting.kind, floor(second + end))
        done.append(Task(plan.cost(world), plan.late(end)))
    return done


class Row(msgspec.Struct, frozen=True):
    """What one policy did in one world."""

    world: str
    policy: str
    tasks: str
    """Which ones of a run."""
    requests: float
    late: float
    late95: float
    costs: dict[str, float]
    """The cost at each price."""
    over: dict[str, float]
    """The same, as a multiple of the optimum at that price."""


def _row(setting: Setting, policy: Policy, runs: list[list[Task]], window: range, name: str) -> Row:
    tasks = [task for done in runs for task in done[window.start : window.stop]]
    cost = Cost(fmean(task.cost.requests for task in tasks), fmean(task.cost.lateness for task in tasks))
    late95 = quantiles([task.late for task in tasks], n=20)[-1]
    costs = {f"{price:g}": cost.at(price) for price in PRICES}
    over = {f"{price:g}": cost.at(price) / best(setting.last, price).at(price) for price in PRICES}
    return Row(setting.name, policy.name, name, cost.requests, cost.lateness, late95, costs, over)


@cache
def best(world: World, price: float) -> Cost:
    """What the best looks cost."""
    return best_cost(world, price)


def rows(setting: Setting, policy: Policy, seeds: int) -> list[Row]:
    """All that is told of one policy in one world."""
    runs = [run(setting, policy, seed) for seed in range(seeds)]
    if not policy.learns:
        return [_row(setting, policy, runs, WARM, "all")]
    windows = {"cold": COLD, "warm": WARM}
    if setting.later is not None:
        windows = {"all that are longer": WARM, "the last third of them": AT_THE_END}
    return [_row(setting, policy, runs, window, name) for name, window in windows.items()]


def rivals(world: World) -> list[Policy]:
    """At each price the best looks, and the fixed interval that is the best one in this world."""
    found: list[Policy] = []
    for price in PRICES:
        interval = best_interval(world, price)
        found += [
            Known(f"the optimum for {price:g}", tuple(best_looks(world, price))),
            fixed(f"the best Fixed for {price:g}: {interval:.1f}", interval),
        ]
    return found


def table(setting: Setting, seeds: int) -> list[Row]:
    """Every policy in one world."""
    return [row for policy in [*POLICIES, *rivals(setting.last)] for row in rows(setting, policy, seeds)]
