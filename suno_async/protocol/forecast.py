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
from collections.abc import Callable
from itertools import accumulate
from math import ceil, inf
from operator import add, itemgetter, mul, sub

from .beat import CELLS, SLEEP, WIDTHS, Beat, Cells, turned

_STEP = 0.25
_STEPS = 144
_REACH = 20.0
"""Seconds: a longer delay is made shorter by whole rounds first."""
_OLD = 48
"""Steps after which a forecast has too little left to say."""
_TINY = 1e-6
_ROUNDS = 4
_SPREAD = [2 + step // 64 for step in range(_STEPS)]
"""Rounds differ from one another, and drift: how far what is known of them is spread, to both sides and in steps."""
_MARGIN = max(_SPREAD)


def _picker(indices: list[int]) -> Callable[[Cells], tuple[float, ...]]:
    return itemgetter(*indices)


_TIMES = [step * _STEP for step in range(-_MARGIN, _STEPS + _MARGIN)]
_pick = [_picker([round(time / width.cell) + CELLS for time in _TIMES]) for width in WIDTHS]
_from = _picker([_MARGIN + step - reach for step, reach in enumerate(_SPREAD)])
_to = _picker([_MARGIN + step + reach + 1 for step, reach in enumerate(_SPREAD)])
_parts = [1 / (2 * reach + 1) for reach in _SPREAD]


class Forecast:
    """What a beat says about the 36 s from a moment on."""

    def __init__(self, beat: Beat, now: float) -> None:
        self._start = now
        widths = beat.widths()
        self._round = SLEEP + sum(share * width.seconds for share, width in zip(widths, WIDTHS, strict=True))
        self.behind = _spread(_behind(beat, now))
        """Expected seconds, at each step from the start on, that an answer is behind."""
        self._shown = [step * _STEP - lag for step, lag in enumerate(self.behind)]
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
        shown = self._shown[here]
        gains, costs, delays, slopes = [0.0], [0.0], [0.0], [-inf]
        waited = 0.0
        for steps, now in enumerate(self._shown[here + 1 :], 1):
            gain = now - shown
            waited += gain
            if gain <= gains[-1] + _TINY:
                continue
            cost = _STEP * (waited - gain / 2)
            while (slope := (cost - costs[-1]) / (gain - gains[-1])) <= slopes[-1]:
                del gains[-1], costs[-1], delays[-1], slopes[-1]
            gains.append(gain)
            costs.append(cost)
            delays.append(steps * _STEP)
            slopes.append(slope)
        turns = [slope * gain - cost for slope, gain, cost in zip(slopes[2:], gains[1:], costs[1:], strict=False)]
        return delays[1:], turns


def _behind(beat: Beat, now: float) -> Cells:
    """The expected lag at each step, as if all rounds were of the width and at the distance that they should be."""
    behind = [0.0] * (_STEPS + 2 * _MARGIN)
    for index, width in beat.likely():
        lags = turned(width.lagged(beat.cells[index]), width.place(now))
        behind = list(map(add, behind, _pick[index](_ROUNDS * lags)))
    return behind


def _spread(behind: Cells) -> Cells:
    """The same with rounds that are not: the mean over the steps around each."""
    sums = list(accumulate(behind, initial=0.0))
    return list(map(mul, map(sub, _to(sums), _from(sums)), _parts))
