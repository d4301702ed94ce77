"""The beat: in which moments a gateway shows what has changed, as far as its answers tell.

Stock gateways refresh their rows in rounds: 15 s of sleep, then the work of the round, during which the rows change one
after the other (new-api service/task_polling.go). What has ended is therefore seen in a short window that all tasks
share, or not before the next one. A `Beat` is one posterior, without a switch: how likely each phase and each width
of the rounds is, beside how likely it is that there are none.

A look at t shows what had happened before V(t). With rounds of width w and period P = 15 s + w, the last of which
began at S, a row is on average as old as V = S - (1 - min((t - S) / w, 1)) P; without rounds V = t. What ends follows
the hazard h of each task, so the looks at t, the ones before at a, should have shown Λ = Σ h (V(t) - V(a)) ends, as a
Poisson process: no end is evidence exp(-Λ), and a change that was seen lies between V(a) and V(t), wherever between a
and t it was. Gateways that write down when they changed a row (``updated_at``, whole seconds) tell the moment itself.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate
from operator import mul, sub

SLEEP = 15.0
"""Seconds that a gateway sleeps between two rounds."""
CELLS = 64
ROUND = 16.0
_SURE = 0.93
"""The rest is for rows that change out of turn."""
_MOST_ENDS, _MOST_EVIDENCE = 8.0, 8.0
"""The rows of one look say one thing: they count as so many ends at most."""
_ELSEWHERE = (0.06, 1.0), (0.02, 2 / 3), (0.01, 1 / 2)
"""How much goes elsewhere in a round, and at most: to any phase (the gateway is restarted, and looks a round apart say
little of the new one), to the widths beside, from a beat to none and back."""
_NO_BEAT = 0.3
_LEAST_DOUBT = 0.05
_OLD = 4.0
"""Seconds after which what was known is widened by the drift of the rounds."""
_LONGEST = 120.0
"""A look that comes so long after the one before says nothing of the phase."""
_OUTSIDE = 0.75
_MOST_DOUBT, _DOUBT_KEPT = 0.1, 0.97
_DISBELIEF = 21_600.0
"""A row that says it changed when it cannot have has another clock: after a few of them none is believed for long."""
_UNLIKELY = 0.01
_QUANTUM = 0.125
_KINDS = 4
"""So many different changes, the most frequent ones, are taken in at once."""

Cells = list[float]


class Width:
    """What rounds of one width mean: tables over the distance in cells from the start of a round to a look."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.seconds = seconds = SLEEP * size / (CELLS - size)
        self.period = period = SLEEP + seconds
        self.cell = cell = period / CELLS
        self.drift = ((0.35 + 0.1 * seconds) / cell) ** 2
        """How much the phase wanders in a round: a variance, in cells."""
        self.lags = _backwards([at * cell + max(0.0, 1 - at / size) * period for at in range(CELLS)])
        """How much older than the look is what it shows."""
        self.told = _backwards([math.log(self._likelihood(at * cell)) for at in range(CELLS)])
        """What an ``updated_at`` is as evidence."""

    def _likelihood(self, after: float) -> float:
        variance = (self.seconds * self.seconds + 1) / 12 + 0.02
        off = (after - self.seconds / 2 + self.period / 2) % self.period - self.period / 2
        density = math.exp(-off * off / 2 / variance) / math.sqrt(2 * math.pi * variance)
        return density * self.period * _SURE + 1 - _SURE

    def place(self, time: float) -> int:
        """The cell of a moment."""
        return int(time // self.cell) % CELLS

    def over_phases(self, table: Cells, time: float) -> Cells:
        """One of the tables for a moment, over the cells in which the round may have begun."""
        start = -self.place(time) % CELLS
        return table[start : start + CELLS]

    def lagged(self, starts: Cells) -> Cells:
        """The lags of looks in every cell, summed over the cells in which rounds start, as much as each weighs.

        From each cell to the next it grows by the cell, and falls by a period for each round, over the round's width.
        """
        first = sum(map(mul, starts, self.lags))
        sums = list(accumulate(starts[-self.size :] + starts, initial=0.0))
        grows, falls = self.cell * (sums[-1] - sums[self.size]), self.period / self.size
        steps = [grows - falls * under_way for under_way in map(sub, sums[self.size + 1 : -1], sums[1:])]
        return list(accumulate(steps, initial=first))


def _backwards(table: Cells) -> Cells:
    """Backwards and twice, so that a slice has it for each phase."""
    return 2 * (table[:1] + table[:0:-1])


WIDTHS = tuple(map(Width, (1, 2, 4, 7, 11)))
"""From 0.24 s to 3.1 s: what lies between two of them is still followed, what is wider is not."""


def turned(cells: Cells, by: int) -> Cells:
    """A circle of cells, beginning with another one."""
    return cells[by:] + cells[:by]


def blurred(cells: Cells, variance: float) -> Cells:
    """A circle of cells, spread by this variance: a box, between two sizes in parts."""
    reach = int((math.sqrt(1 + 12 * variance) - 1) / 2)
    size = 2 * reach + 1
    if size + 2 > CELLS:
        return [sum(cells) / CELLS] * CELLS
    part = (3 * variance - reach * (reach + 1)) / (2 * (reach + 1))
    sums = list(accumulate(cells[-reach - 1 :] + cells + cells[: reach + 1], initial=0.0))
    near, far = map(sub, sums[size + 1 : -1], sums[1:]), map(sub, sums[size + 2 :], sums)
    inner, outer = (1 - part) / size, part / (size + 2)
    return [inner * x + outer * y for x, y in zip(near, far, strict=True)]


class Beat:
    """What is known of one gateway's rounds. Times are in seconds of one clock that does not jump."""

    def __init__(self, now: float, no_beat: float | None = None, widths: Sequence[float] | None = None) -> None:
        if widths is None or len(widths) != len(WIDTHS) or min(widths) < 0 or not 0.99 < sum(widths) < 1.01:
            widths = [1 / len(WIDTHS)] * len(WIDTHS)
        # what was so yesterday need not be so today
        self._begin(_NO_BEAT if no_beat is None else min(max(_LEAST_DOUBT, no_beat), 1 - _LEAST_DOUBT), widths)
        self._aged = self._taken = self._believed_from = now
        self._exposed: defaultdict[int, float] = defaultdict(float)
        self._expected = self._doubt = 0.0
        self._changes: Counter[tuple[int, int]] = Counter()
        self._updates: Counter[int] = Counter()

    def _begin(self, no_beat: float, widths: Sequence[float]) -> None:
        self.no_beat = no_beat
        self.cells: list[Cells] = [[(1 - no_beat) * share / CELLS] * CELLS for share in widths]

    def looked(self, before: float, now: float, rate: float) -> None:
        """A task was looked at, the last time having been ``before``; ``rate`` is its hazard between the two."""
        if now - before > _LONGEST:
            return
        self._exposed[round(before / _QUANTUM)] += rate
        self._exposed[round(now / _QUANTUM)] -= rate
        self._expected += rate * (now - before)

    def changed(self, before: float, now: float, updated: float | None) -> None:
        """A look showed a change that the look ``before`` did not; ``updated`` is when the row was, if it tells."""
        if now - before > _LONGEST:
            return
        if updated is not None and self._believes(now, before - _OUTSIDE <= updated <= now + _OUTSIDE):
            self._updates[round(updated / _QUANTUM)] += 1
        else:
            self._changes[round(before / _QUANTUM), round(now / _QUANTUM)] += 1

    def widths(self) -> list[float]:
        """How likely each width is, if there is a beat."""
        sums = list(map(sum, self.cells))
        return [share / sum(sums) for share in sums]

    def likely(self) -> list[tuple[int, Width]]:
        """The widths that matter, with their numbers: an unlikely one is not worth the work."""
        sums = list(map(sum, self.cells))
        least = _UNLIKELY * sum(sums)
        return [(index, width) for index, width in enumerate(WIDTHS) if sums[index] >= least]

    @property
    def has_news(self) -> bool:
        """Changes were seen that are not taken in yet."""
        return bool(self._changes or self._updates)

    def take_in(self, now: float) -> None:
        """Makes what was seen part of what is known."""
        self._age(now)
        if not self._exposed and not self.has_news:
            return
        trust = self._trust(now)
        looks = [(quantum * _QUANTUM, -_SURE * trust * rate) for quantum, rate in self._exposed.items()]
        for index, width in self.likely():
            self.cells[index] = list(map(mul, self.cells[index], map(math.exp, self._evidence(width, looks, trust))))
        scale = 1 / (self.no_beat + sum(map(sum, self.cells)))
        self.no_beat *= scale
        self.cells = [[scale * share for share in known] for known in self.cells]
        for seen in (self._exposed, self._changes, self._updates):
            seen.clear()
        self._expected, self._taken = 0.0, now

    def _believes(self, now: float, is_possible: bool) -> bool:
        """Whether to believe a row that says when it changed; the two looks say whether it can have."""
        if now < self._believed_from:
            return False
        self._doubt = _DOUBT_KEPT * self._doubt + (1 - _DOUBT_KEPT) * (not is_possible)
        if self._doubt > _MOST_DOUBT:
            self._doubt, self._believed_from = 0.0, now + _DISBELIEF
            self._begin(_NO_BEAT, self.widths())
        return is_possible

    def _trust(self, now: float) -> float:
        """How much of one end's evidence each end counts for."""
        rounds = max(now - self._taken, 1.0) / ROUND
        seen = sum(self._changes.values()) + sum(self._updates.values())
        return _MOST_ENDS / max(self._expected / rounds, seen, _MOST_ENDS)

    def _evidence(self, width: Width, looks: list[tuple[float, float]], trust: float) -> Cells:
        """The logarithm of how much more likely what was seen is with each phase than without a beat."""
        evidence = _unseen(width, looks)
        for quantum, count in self._updates.most_common(_KINDS):
            told = width.over_phases(width.told, quantum * _QUANTUM)
            evidence = [log + trust * count * more for log, more in zip(evidence, told, strict=True)]
        for (before, now), count in self._changes.most_common(_KINDS):
            seen = _seen(width, before * _QUANTUM, now * _QUANTUM)
            evidence = [log + trust * count * more for log, more in zip(evidence, seen, strict=True)]
        if max(evidence) > _MOST_EVIDENCE or min(evidence) < -_MOST_EVIDENCE:
            evidence = [max(-_MOST_EVIDENCE, min(_MOST_EVIDENCE, log)) for log in evidence]
        return evidence

    def _age(self, now: float) -> None:
        """Widens what was known by what may have happened since."""
        rounds = (now - self._aged) / ROUND
        if rounds * ROUND < _OLD:
            return
        self._aged = now
        lost, beside, away = (most * (1 - (1 - part / most) ** rounds) for part, most in _ELSEWHERE)
        # widths beside one another share the start of a round, not its cell
        moved = [
            turned(blurred(cells, width.drift * rounds), width.place(now))
            for cells, width in zip(self.cells, WIDTHS, strict=True)
        ]
        stay, other = (1 - away) * (1 - lost) * (1 - beside), (1 - away) * (1 - lost) * beside / 2
        found = ((1 - away) * lost * (1 - self.no_beat) + away * self.no_beat) / (CELLS * len(WIDTHS))
        ends = [moved[0], *moved, moved[-1]]
        self.cells = [
            turned([stay * y + other * (x + z) + found for x, y, z in zip(*three, strict=True)], -width.place(now))
            for width, *three in zip(WIDTHS, ends, moved, ends[2:], strict=False)
        ]
        self.no_beat += away * (1 - 2 * self.no_beat)


def _unseen(width: Width, looks: list[tuple[float, float]]) -> Cells:
    """What not seeing more says: a sum over all looks of the lag behind each, the weights adding up to nothing."""
    weights = [0.0] * CELLS
    for time, weight in looks:
        weights[-width.place(time)] += weight
    lagged = width.lagged(weights)
    return lagged[:1] + lagged[:0:-1]


def _seen(width: Width, before: float, now: float) -> Iterator[float]:
    """How much of the time between two looks a change may have been in, to be seen by the second one only."""
    share = _SURE / max(now - before, _QUANTUM)
    grown = map(sub, width.over_phases(width.lags, now), width.over_phases(width.lags, before))
    return map(math.log, [1 - share * lag if share * lag < _SURE else 1 - _SURE for lag in grown])
