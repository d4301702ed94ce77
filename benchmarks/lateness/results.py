"""The results: everything that is measured, cell by cell, on two processes."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

import msgspec

from suno_async.protocol.pace import Adaptive, Backoff, Fixed, Pace

from . import outstanding, single
from .optimum import best_looks
from .outstanding import AT_ONCE, COUNTS, DATED, PLAIN, PRICE, ROUGH, Place
from .policies import PEERS, Known, Policy, adaptive, backoff, fixed
from .single import SETTINGS, Setting
from .worlds import FAILING

_PROCESSES = 2
_PRICES = (0.03, 0.06, 0.1, 0.2, 0.3, 0.6, 1.0, 2.0, 3.0, 6.0, 10.0, 20.0, 30.0)
_INTERVALS = (0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0)
_CEILINGS = (2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0)
ADAPTIVE = f"Adaptive(price={PRICE:g})"


class Point(msgspec.Struct, frozen=True):
    """One policy at one value of its parameter, for the picture."""

    policy: str
    parameter: float | None
    requests: float
    late: float


class Results(msgspec.Struct, frozen=True):
    """All of it."""

    seeds: int
    single: list[single.Row]
    outstanding: list[outstanding.Row]
    points: list[Point]


def _cell(place: Place, policy: str, pace: Pace, count: int, seeds: int) -> outstanding.Row:
    return outstanding.measure(place, policy, pace, count, seeds)


def _cells(seeds: int) -> list[tuple[Place, str, Pace, int, int]]:
    """Half of the seeds, as a run is many tasks; fewer where it is only for comparison."""
    half, few = max(2, seeds // 2), max(2, seeds // 4)
    ours = Adaptive(price=PRICE)
    others: list[tuple[str, Pace]] = [("Fixed(5)", Fixed(5.0)), ("Backoff(1, 1.5, 30)", Backoff(1.0, 1.5, 30.0, 0.0))]
    cells: list[tuple[Place, str, Pace, int, int]] = []
    for place in (AT_ONCE, DATED, PLAIN):
        cells += [(place, ADAPTIVE, ours, count, half) for count in COUNTS]
    cells += [(place, *pace, count, few) for place in (AT_ONCE, PLAIN) for pace in others for count in COUNTS]
    cells += [(place, ADAPTIVE, ours, count, few) for place in ROUGH for count in (1, 20)]
    return cells


def _curve(seeds: int) -> list[Point]:
    """Songs of which 10 % fail early, one at a time: each policy over its parameter, and the others as they are."""
    setting = Setting("", FAILING)
    curves: list[tuple[str, float | None, Policy]] = []
    curves += [("optimum", price, Known("", tuple(best_looks(FAILING, price)))) for price in _PRICES]
    curves += [("Adaptive", price, adaptive(price)) for price in _PRICES]
    curves += [("Fixed", interval, fixed("", interval)) for interval in _INTERVALS]
    curves += [("Backoff", most, backoff("", most)) for most in _CEILINGS]
    curves += [(peer.name, None, peer) for peer in PEERS]
    points = []
    for name, parameter, policy in curves:
        row = single.rows(setting, policy, seeds)[-1]
        points.append(Point(name, parameter, row.requests, row.late))
    return points


def measure(seeds: int) -> Results:
    """Runs everything; the cells that take longest first."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(_PROCESSES, mp_context=context) as pool:

        def start(function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
            return pool.submit(function, *arguments)

        tables = [start(single.table, setting, seeds) for setting in reversed(SETTINGS)]
        cells = _cells(seeds)
        order = sorted(range(len(cells)), key=lambda index: -cells[index][-1] * cells[index][-2])
        done = {index: start(_cell, *cells[index]) for index in order}
        points = start(_curve, max(2, seeds // 4))
        return Results(
            seeds,
            [row for table in reversed(tables) for row in table.result()],
            [done[index].result() for index in range(len(cells))],
            points.result(),
        )
