"""The forecast: how far behind a gateway's answers will be in the seconds to come, and when looks are best made.

Of all moments, the best to look again is the one at which a change that is caught costs least: the look's price, and
what everything has waited that could be seen before. With a hazard h that is the least of

    (κ / h + ∫ (V(s) - V(a)) ds) / (V(t) - V(a))

over t, the last look having been at a. Without a beat V(t) = t, and it is Keller's sqrt(2 κ / h) again. Turned around:
a delay T that the hazard asks for stands for κ / h = T² / 2, and the beat makes another delay of it. Where nothing is
known of the beat it stays as it is; where a round is certain, it becomes the end of that round; and in between it is
what serves all the rounds that may be. In the plane of gain V and waiting W it is a tangent to the lower hull of all
moments, so one hull serves every task that was looked at in the same answer, and each costs a bisection.

A forecast is good for the answer it was made for and the seconds after it; make another one then.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from math import ceil, inf
from operator import add, itemgetter, mul, sub

from .beat import CELLS, SLEEP, WIDTHS, Beat, Cells, Width, likely, turned

_STEP = 0.25
_STEPS = 100
_REACH = 20.0
"""Seconds: a longer delay is made shorter by whole rounds first."""
_OLD = 8
"""Steps after which a forecast has too little left to say; the schedule makes another one after four."""
_TINY = 1e-6
_MINOR = 0.07
"""Widths less likely than that change no plan."""
_NEAR, _SPREADS = 64, (2, 3)
"""Rounds differ from one another, and drift: how far what is known of them is spread, to both sides and in steps."""
_MARGIN = _SPREADS[-1]
_BEFORE = 8
"""Cells that are longer than that."""


def _picker(indices: list[int]) -> Callable[[Sequence[float]], tuple[float, ...]]:
    return itemgetter(*indices)


_SECONDS = [width.seconds for width in WIDTHS]
_TIMES = [step * _STEP for step in range(-_MARGIN, _STEPS + _MARGIN)]
_pick = [_picker([round(time / width.cell) + _BEFORE for time in _TIMES]) for width in WIDTHS]
_MORE = round(_TIMES[-1] / WIDTHS[0].cell) + _BEFORE - CELLS


class Forecast:
    """What a beat says about the 25 s from a moment on."""

    def __init__(self, beat: Beat, now: float) -> None:
        self._start = now
        weights = list(map(sum, beat.cells))
        self._round: float = SLEEP + sum(map(mul, weights, _SECONDS)) / sum(weights)
        self.shown = _spread(_shown(beat, weights, now))
        """What a look shows at each step from the start on had happened by so many seconds, counted from somewhere."""
        self._hulls: dict[int, tuple[list[float], list[float]]] = {}

    def delay(self, now: float, wanted: float) -> float:
        """The delay to make of one that the hazard asks for."""
        here = max(0, round((now - self._start) / _STEP))
        if here > _OLD:
            return wanted
        rounds = max(0, ceil((wanted - _REACH) / self._round))
        wanted -= rounds * self._round
        if here not in self._hulls:
            self._hulls[here] = self._hull(here)
        delays, turns = self._hulls[here]
        delay = delays[bisect_right(turns, wanted * wanted / 2)]
        least = _REACH - self._round
        if wanted > least:
            # not later than the one that is longer by a little and so made shorter by a round
            delay = min(delay, delays[bisect_right(turns, least * least / 2)] + self._round)
        return rounds * self._round + delay

    def _hull(self, here: int) -> tuple[list[float], list[float]]:
        """The delays worth taking from this step on, and the κ / h at which each gives way to the next."""
        begin, waited = self.shown[here], 0.0
        corners: list[tuple[float, float, float, int]] = []
        last, gained, paid, at = -inf, 0.0, 0.0, 0
        for step, shown in enumerate(self.shown[here + 1 :], 1):
            gain = shown - begin
            waited += gain
            if gain - gained <= _TINY:
                continue
            while (slope := (waited - paid) / (gain - gained)) <= last:
                last, gained, paid, at = corners.pop()
            corners.append((last, gained, paid, at))
            last, gained, paid, at = slope, gain, waited, step
        corners.append((last, gained, paid, at))
        del corners[0]
        # each with its name: `*_` would make a list of what is not wanted, a quarter of the time of all this
        turns = [_STEP * (slope * gain - paid) for (_, gain, paid, _), (slope, _, _, _) in pairwise(corners)]
        return [_STEP * at for _, _, _, at in corners], turns


def _shown(beat: Beat, weights: list[float], now: float) -> list[float]:
    """What is expected at each step, as if all rounds were of the width and at the distance that they should be."""
    planned = likely(weights, _MINOR)
    # what is left out is most like what is not
    steady = beat.no_beat * beat.scale * sum(weights[index] for index in planned) / (1 - beat.no_beat)
    shown = [steady * time for time in _TIMES]
    for index in planned:
        shown = list(map(add, shown, _pick[index](_progress(WIDTHS[index], beat.cells[index], beat.scale, now))))
    return shown


def _progress(width: Width, cells: Cells, scale: float, now: float) -> list[float]:
    """How far rounds of this width have come by each cell: a period in each, over the round's width."""
    size, grows = width.size, scale * width.period / width.size
    cells = turned(cells, (width.place(now) - _BEFORE - size + 1) % CELLS)
    sums = list(accumulate(cells + cells[: size - 1], initial=0.0))
    steps = [grows * (end - begin) for begin, end in zip(sums, sums[size:], strict=False)]
    return list(accumulate(steps + steps[:_MORE], initial=0.0))


def _spread(shown: list[float]) -> list[float]:
    """The same with rounds that are not: the mean over the steps around each, and over more of them later on."""
    sums = list(accumulate(shown, initial=0.0))
    found: list[float] = []
    for part, reach in enumerate(_SPREADS):
        first, size = _MARGIN + part * _NEAR, 2 * reach + 1
        last = min(first + _NEAR, _MARGIN + _STEPS)
        begins, ends = sums[first - reach : last - reach], sums[first + reach + 1 : last + reach + 1]
        found += [each / size for each in map(sub, ends, begins)]
    return found
