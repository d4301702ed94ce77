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
from collections.abc import Callable, Iterable, Sequence
from functools import cache, reduce
from itertools import accumulate
from operator import itemgetter, mul
from typing import TypeVar

SLEEP = 15.0
"""Seconds that a gateway sleeps between two rounds."""
CELLS = 48
ROUND = 16.0
_SURE = 0.93
"""The rest is for rows that change out of turn."""
_MOST_ENDS, _MOST_EVIDENCE = 8.0, 8.0
_MOST_ODDS = math.exp(_MOST_EVIDENCE)
"""The rows of one look say one thing: they count as so many ends at most."""
_LOST, _BESIDE, _AWAY = (0.06, 1.0), (0.02, 2 / 3), (0.01, 1 / 2)
"""How much goes elsewhere in a round, and at most: to any phase (the gateway is restarted, and looks a round apart say
little of the new one), to the widths beside, from a beat to none and back."""
_NO_BEAT = 0.3
_LEAST_DOUBT = 0.05
_OLD = 7.5
"""Seconds after which what was known is widened by the drift of the rounds."""
_LEAST_SCALE = 1e-100
_LONGEST = 120.0
"""A look that comes so long after the one before says nothing of the phase."""
_OUTSIDE = 0.75
_MOST_DOUBT, _DOUBT_KEPT = 0.1, 0.97
_DISBELIEF = 21_600.0
"""A row that says it changed when it cannot have has another clock: after a few of them none is believed for long."""
_UNLIKELY = 0.04
_QUANTUM = 0.125
_KINDS = 4
"""So many different changes, the most frequent ones, are taken in at once."""

Cells = list[float]
_Seen = TypeVar("_Seen")


class Width:
    """What rounds of one width mean: tables over the distance in cells from the start of a round to a look."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.seconds = seconds = SLEEP * size / (CELLS - size)
        self.period = period = SLEEP + seconds
        self.cell = cell = period / CELLS
        self.drift = ((0.5 + 0.14 * seconds) / cell) ** 2
        """How much the phase wanders in a round: a variance, in cells."""
        self.lags = _backwards([at * cell + max(0.0, 1 - at / size) * period for at in range(CELLS)])
        """How much older than the look is what it shows."""
        self.told = _backwards([self._likelihood(at * cell) for at in range(CELLS)])
        """How much likelier an ``updated_at`` is than without rounds."""

    def _likelihood(self, after: float) -> float:
        variance = (self.seconds * self.seconds + 1) / 12 + 0.02
        off = (after - self.seconds / 2 + self.period / 2) % self.period - self.period / 2
        density = math.exp(-off * off / 2 / variance) / math.sqrt(2 * math.pi * variance)
        return density * self.period * _SURE + 1 - _SURE

    def place(self, time: float) -> int:
        """The cell of a moment."""
        return int(time // self.cell) % CELLS

    def unseen(self, looks: Sequence[tuple[float, float]]) -> list[float]:
        """What not seeing more says: the sum of the lags of looks, each as much as it weighs; together they do nothing.

        From each cell in which the round may have begun to the next it changes only within a width before a look.
        """
        first, steps = 0.0, [0.0] * CELLS
        cell, size, falls, lags = self.cell, self.size, self.period / self.size, self.lags
        for time, weight in looks:
            place = int(time // cell) % CELLS
            first += weight * lags[CELLS - place]
            step = weight * falls
            steps[place - size] += step
            steps[place] -= step
            if place < size:
                steps[0] += step
        return _odds(list(accumulate(accumulate(steps[:-1]), initial=first)))

    def seen(self, before: float, now: float, ends: float, worth: float) -> Sequence[float]:
        """What a change says that was seen by the second of two looks only, and that not more were seen.

        There should have been so many ``ends`` in a second. The change was in a part of the time between the looks.
        """
        place, share = self.place(now), _SURE / max(now - before, _QUANTUM)
        grown, placed = _grown(self, (place - self.place(before)) % CELLS)
        log, least = math.log, 1 - _SURE
        said = placed(
            _odds([ends * lag + worth * log(1 - share * lag if share * lag < _SURE else least) for lag in grown])
        )
        return said[CELLS - place : 2 * CELLS - place]

    def updated(self, time: float, worth: float) -> Sequence[float]:
        """What a row says that it tells when it changed."""
        start = CELLS - self.place(time)
        told = self.told[start : start + CELLS]
        return told if worth == 1 else _within(_MOST_ODDS, 1 / _MOST_ODDS, [odds**worth for odds in told])


@cache
def _grown(width: Width, cells: int) -> tuple[Cells, Callable[[Cells], tuple[float, ...]]]:
    """How much the lag grows between two looks so many cells apart, for `Width.lags`: each value once, and its places.

    Where no round is under way at either of them, it is one of two values: so there are few.
    """
    grown = [round(late - soon, 9) for late, soon in zip(width.lags, turned(width.lags, cells), strict=True)]
    values = sorted(set(grown))
    return values, itemgetter(*map(values.index, grown))


def _backwards(table: Cells) -> Cells:
    """Backwards and twice, so that a slice has it for each phase."""
    return 2 * (table[:1] + table[:0:-1])


WIDTHS = tuple(map(Width, (1, 2, 3, 6, 9)))
"""From 0.3 s to 3.5 s: what lies between two of them is still followed, what is wider is not."""


def turned(cells: Cells, by: int) -> Cells:
    """A circle of cells, beginning with another one."""
    return cells[by:] + cells[:by]


def likely(weights: Cells, share: float) -> list[int]:
    """The numbers of the widths that have so much of all weight: an unlikely one is not worth the work."""
    least = share * sum(weights)
    return [index for index, weight in enumerate(weights) if weight >= least]


def blurred(cells: Cells, reach: int, kept: float = 1.0, found: float = 0.0) -> Cells:
    """A circle of cells, each spread over so many to both sides; so much is kept, and so much added to each."""
    size = 2 * reach + 1
    if size >= CELLS:
        return [kept * sum(cells) / CELLS + found] * CELLS
    sums = list(accumulate(cells[CELLS - reach :] + cells + cells[:reach], initial=0.0))
    share = kept / size
    return [share * (end - begin) + found for begin, end in zip(sums, sums[size:], strict=False)]


class Beat:
    """What is known of one gateway's rounds. Times are in seconds of one clock that does not jump."""

    def __init__(self, now: float, no_beat: float | None = None, widths: Sequence[float] | None = None) -> None:
        if widths is None or len(widths) != len(WIDTHS) or min(widths) < 0 or not 0.99 < sum(widths) < 1.01:
            widths = [1 / len(WIDTHS)] * len(WIDTHS)
        # what was so yesterday need not be so today
        self._begin(_NO_BEAT if no_beat is None else min(max(_LEAST_DOUBT, no_beat), 1 - _LEAST_DOUBT), widths)
        self._aged = self._taken = self._believed_from = now
        self._pair, self._quanta = (now, now), (round(now / _QUANTUM), round(now / _QUANTUM))
        self._wandered = [0.0] * len(WIDTHS)
        self._exposed: defaultdict[tuple[int, int], float] = defaultdict(float)
        self._expected = self._doubt = 0.0
        self._changes: Counter[tuple[int, int]] = Counter()
        self._updates: Counter[int] = Counter()

    def _begin(self, no_beat: float, widths: Sequence[float]) -> None:
        self.no_beat = no_beat
        self.cells: list[Cells] = [[(1 - no_beat) * share / CELLS] * CELLS for share in widths]
        self.scale = 1.0
        """What the cells have to be multiplied by: to do so each time would take as long as to learn."""

    def looked(self, before: float, now: float, rate: float) -> None:
        """A task was looked at, the last time having been ``before``; ``rate`` is its hazard between the two."""
        gap = now - before
        if gap > _LONGEST:
            return
        if before != self._pair[0] or now != self._pair[1]:
            self._pair = before, now
            self._quanta = round(before / _QUANTUM), round(now / _QUANTUM)
        self._exposed[self._quanta] += rate
        self._expected += rate * gap

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
        total = sum(sums)
        return [share / total for share in sums]

    @property
    def has_news(self) -> bool:
        """Changes were seen that are not taken in yet."""
        return bool(self._changes or self._updates)

    def take_in(self, now: float) -> None:
        """Makes what was seen part of what is known."""
        self._age(now)
        if not self._exposed and not self.has_news:
            return
        odds = self._odds(self._trust(now))
        # of much news all have their share: what is left out of it looks as if there were no beat, and stays unlikely
        least = 0.0 if self._seen() >= _KINDS else _UNLIKELY
        for index in likely(list(map(sum, self.cells)), least):
            self.cells[index] = list(map(mul, self.cells[index], odds(WIDTHS[index])))
        scale = 1 / (self.no_beat + self.scale * sum(map(sum, self.cells)))
        self.no_beat, self.scale = self.no_beat * scale, self.scale * scale
        for taken in (self._exposed, self._changes, self._updates):
            taken.clear()
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
        return _MOST_ENDS / max(self._expected / rounds, self._seen(), _MOST_ENDS)

    def _seen(self) -> int:
        """How many changes are not taken in yet."""
        return sum(self._changes.values()) + sum(self._updates.values())

    def _odds(self, trust: float) -> Callable[[Width], Sequence[float]]:
        """How much more likely what was seen is with each phase than without a beat."""
        exposed = self._exposed
        changes = {pair: trust * count for pair, count in _frequent(self._changes)}
        if len(exposed) == 1 and not changes:
            changes = dict.fromkeys(exposed, 0.0)
        pairs = [
            (before * _QUANTUM, now * _QUANTUM, _SURE * trust * exposed.pop((before, now), 0.0), worth)
            for (before, now), worth in changes.items()
        ]
        updates = [(time * _QUANTUM, trust * count) for time, count in _frequent(self._updates)]
        weights: defaultdict[int, float] = defaultdict(float)
        for (before, now), rate in exposed.items():
            weights[before] -= rate
            weights[now] += rate
        looks = [(time * _QUANTUM, _SURE * trust * weight) for time, weight in weights.items()]

        def odds(width: Width) -> Sequence[float]:
            parts = [width.seen(*pair) for pair in pairs]
            parts += [width.updated(*told) for told in updates]
            if looks:
                parts.append(width.unseen(looks))
            return parts[0] if len(parts) == 1 else _within(_MOST_ODDS, 1 / _MOST_ODDS, reduce(_both, parts))

        return odds

    def _age(self, now: float) -> None:
        """Widens what was known by what may have happened since."""
        rounds = (now - self._aged) / ROUND
        if rounds * ROUND < _OLD and self.scale > _LEAST_SCALE:
            return
        self._aged = now
        lost, away = _part(_LOST, rounds), _part(_AWAY, rounds)
        found = ((1 - away) * lost * (1 - self.no_beat) + away * self.no_beat) / (CELLS * len(WIDTHS))
        kept, self.scale = (1 - away) * (1 - lost) * self.scale, 1.0
        for index, width in enumerate(WIDTHS):
            wandered = self._wandered[index] + width.drift * rounds
            reach = int((math.sqrt(1 + 12 * wandered) - 1) / 2)
            # what is less than a cell is kept for the next time
            self._wandered[index] = wandered - reach * (reach + 1) / 3
            self.cells[index] = blurred(self.cells[index], reach, kept, found)
        self.no_beat += away * (1 - 2 * self.no_beat)
        self._share(now, _part(_BESIDE, rounds))

    def _share(self, now: float, beside: float) -> None:
        """Lets widths that are beside one another have of each other's, in the cells where the same round began."""
        moved = [turned(cells, width.place(now)) for cells, width in zip(self.cells, WIDTHS, strict=True)]
        ends = [moved[0], *moved, moved[-1]]
        stay, other = 1 - beside, beside / 2
        self.cells = [
            turned([stay * y + other * (x + z) for x, y, z in zip(*three, strict=False)], -width.place(now))
            for width, *three in zip(WIDTHS, ends, moved, ends[2:], strict=False)
        ]


def _part(elsewhere: tuple[float, float], rounds: float) -> float:
    """How much goes elsewhere in so many rounds."""
    part, most = elsewhere
    return most * (1 - math.pow(1 - part / most, rounds))


def _both(some: Sequence[float], more: Sequence[float]) -> list[float]:
    return list(map(mul, some, more))


def _odds(evidence: Cells) -> Cells:
    """From logarithms."""
    return list(map(math.exp, _within(_MOST_EVIDENCE, -_MOST_EVIDENCE, evidence)))


def _within(most: float, least: float, values: Sequence[float]) -> Sequence[float]:
    """No look says more than so much."""
    if max(values) <= most and min(values) >= least:
        return values
    # written out: `max` and `min` of each would take longer than all the rest
    return [most if value > most else max(value, least) for value in values]


def _frequent(seen: Counter[_Seen]) -> Iterable[tuple[_Seen, int]]:
    """Those that are taken in, and how often they were seen; for a few, without the price of sorting them."""
    return seen.items() if len(seen) <= _KINDS else seen.most_common(_KINDS)
