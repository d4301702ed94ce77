"""The durations: how long tasks were seen to take, and the hazard that follows from it.

For each kind of task there is a histogram over age, in steps of 7 %, in which what was seen last counts most: a
duration weighs a little less with every later one, so that about the last 100 count. Under it lies what is known
before anything is seen, worth a few durations, so that a first task is served well and the hazard has no holes. Each
weight is spread over its neighbours before the hazard is taken: a histogram of 30 durations is rough. How far it is
spread, and whether what was known before is worth four times as much, is what would have foretold each duration best
by all the others, if it does so clearly (R. P. W. Duin, "On the choice of smoothing parameters for Parzen estimators of
probability density functions", IEEE Transactions on Computers C-25, 1976). A duration of which only is known between
which looks it ended counts in all of the bins between them, in each mostly for as much as is expected there (the step
of expectation of B. W. Turnbull, "The empirical distribution function with arbitrarily grouped, censored and truncated
data", J. Royal Statistical Society B 38, 1976, made once for each).

A kind is an action, or an action and a model, such as ``MUSIC/chirp-v4``. What is seen of one teaches ``MUSIC`` too,
and what is known of ``MUSIC`` is what a model of it starts from, as ``MUSIC`` does from what is known of tasks of no
kind. The end of a task is not all that can be waited for: the age at which a song can first be heard and the time
between two visible changes have histograms of their own.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import msgspec


class Event(StrEnum):
    """What is waited for."""

    END = "end"
    PLAYABLE = "playable"
    CHANGE = "change"


_STEP = 1.07
_BINS = 160
_EDGES = (0.0, *(_STEP**index for index in range(_BINS)))
"""Up to thirteen hours; what takes longer tells nothing of the others."""
_WIDTHS = [end - begin for begin, end in pairwise(_EDGES)]
_KEPT = 0.99
_LARGEST_UNIT = 1e9
_MOST_SEEN = 10**15
_PRIOR_WORTHS = (8.0, 32.0)
"""How many durations count as much as what is known before: more where that foretells them."""
_MODEL_WORTHS = (12.0,)
"""How many of a model count as much as what is known of its action, which has learned of them as well."""
_TELLING = 1.0
"""What foretells durations better by less than that, in logarithms, may do so by chance."""
_EDGE = 2
_UNFORESEEN = 1 / 8
"""So much of what ended between two looks may have done so at any moment alike: what is expected would confirm itself
for hundreds of durations where a gateway has become faster."""
_LEFT = 1e-6
_LEAST = 1e-12
"""Nothing is so unlikely that it could not have been foretold at all."""
_MOST_KINDS = 64
_LONGEST_NAME = 200
"""Gateways and users name kinds: there is room for so many of each event."""

_PRIORS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "end:": ((0.1, 10.0, 0.6), (0.9, 110.0, 0.4)),
    "end:LYRICS": ((0.1, 10.0, 0.6), (0.9, 12.0, 0.5)),
    "playable:": ((0.1, 10.0, 0.6), (0.9, 45.0, 0.6)),
    "playable:LYRICS": ((0.1, 10.0, 0.6), (0.9, 12.0, 0.5)),
    "change:": ((1.0, 20.0, 0.9),),
}
"""Shares, medians and spreads of log-normal parts: songs took 91 to 200 s at real gateways and lyrics 12 s; how many
fail early, and when songs begin to stream, nobody has published."""


class Hazard(msgspec.Struct, frozen=True, gc=False, eq=False):
    """How likely it is to happen now, to what has not happened yet: tables over age, straight between their points."""

    ages: list[float]
    expected: list[float]
    """The integral of the hazard h from 0 to each age, which is minus the logarithm of what is left by then."""
    effort: list[float]
    """The integral of sqrt(h), which is what the looks until then are worth."""

    def rate(self, age: float) -> float:
        """The hazard at this age, for each second; 0 past the known tail."""
        here = bisect_right(self.ages, age) - 1
        if here >= len(self.ages) - 1:
            return 0.0
        return (self.expected[here + 1] - self.expected[here]) / (self.ages[here + 1] - self.ages[here])

    def until(self, age: float, effort: float) -> float:
        """Seconds from this age until so much more effort has come together; past the known tail h is 1 / age."""
        begin, end = age, self.ages[-1]
        if age < end:
            wanted = _read(age, self.ages, self.effort) + effort
            if wanted < self.effort[-1]:
                return _read(wanted, self.effort, self.ages) - age
            begin, effort = end, wanted - self.effort[-1]
        # the integral of sqrt(1 / t) is 2 sqrt(t)
        return begin - age + effort * (math.sqrt(begin) + effort / 4)


def _read(place: float, places: list[float], values: list[float]) -> float:
    here = bisect_right(places, place) - 1
    begin, value = places[here], values[here]
    return value + (place - begin) * (values[here + 1] - value) / (places[here + 1] - begin)


class Histogram(msgspec.Struct, gc=False):
    """Counts of durations, decayed by letting what a new one counts for grow."""

    weights: list[float] = msgspec.field(default_factory=lambda: [0.0] * _BINS)
    unit: float = 1.0
    """What the next one counts for."""
    seen: int = 0

    @property
    def is_sane(self) -> bool:
        """It can have come from adding; what was written down long ago, or by somebody else, need not have."""
        counts = len(self.weights) == _BINS and min(self.weights) >= 0 and 0 <= self.seen <= _MOST_SEEN
        return counts and 1 <= self.unit <= _LARGEST_UNIT and sum(self.weights) <= self.unit / (1 - _KEPT)

    def copy(self) -> "Histogram":
        """Another one with the same counts."""
        return Histogram(self.weights.copy(), self.unit, self.seen)

    def add(self, first: int, parts: Sequence[float]) -> None:
        """One more duration, of which such parts are in bins from the ``first`` on."""
        for index, part in enumerate(parts, first):
            self.weights[index] += self.unit * part
        self.seen += 1
        self.unit /= _KEPT
        if self.unit > _LARGEST_UNIT:
            self.weights = [weight / self.unit for weight in self.weights]
            self.unit = 1.0

    def shares(self, before: list[float], worths: Sequence[float]) -> list[float]:
        """How much lies in each bin, all together 1; what was known before is worth so many durations, or so many."""
        seen = [weight / self.unit for weight in self.weights]
        near = _spread(_spread(seen, 1), 1)
        mixtures = [
            _Mixture(spread, own, before, worth)
            for spread, own in ((near, 6 / 16), (_spread(near, 2), 14 / 64))
            for worth in worths
        ]
        # at both ends what is spread comes back, as if it had foretold itself
        bins = {index: seen[index] for index in range(_EDGE, _BINS - _EDGE) if seen[index]}
        best = max(mixtures, key=lambda mixture: mixture.foretold(bins))
        is_telling = best.foretold(bins) > mixtures[0].foretold(bins) + _TELLING
        return (best if is_telling else mixtures[0]).shares()


class _Mixture(NamedTuple):
    """What was seen, spread over its neighbours, and what was known before."""

    spread: list[float]
    own: float
    """How much of a duration stays in its bin."""
    before: list[float]
    worth: float

    def foretold(self, bins: dict[int, float]) -> float:
        """The logarithm of how likely each duration was by all the others."""
        spread, own, before, worth = self
        total = sum(bins.values())
        likely = -total * math.log(max(total - 1, 0) + worth)
        for index, seen in bins.items():
            others = spread[index] - (own if seen > 1 else own * seen)
            likely += seen * math.log(max(others, _LEAST) + worth * before[index])
        return likely

    def shares(self) -> list[float]:
        """How much lies in each bin, all together 1."""
        total = sum(self.spread) + self.worth
        return [(seen + self.worth * known) / total for seen, known in zip(self.spread, self.before, strict=True)]


def _spread(weights: list[float], apart: int) -> list[float]:
    """A half of each weight stays in its bin, and a quarter goes so many bins to each side."""
    sides = zip(weights[:apart] + weights[:-apart], weights, weights[apart:] + weights[-apart:], strict=True)
    return [(left + 2 * here + right) / 4 for left, here, right in sides]


class Durations:
    """Everything that was seen of how long things take at one gateway."""

    def __init__(self, histograms: Mapping[str, Histogram] | None = None) -> None:
        self.histograms: dict[str, Histogram] = {}
        self._hazards: dict[str, Hazard] = {}
        for name, histogram in (histograms or {}).items():
            if name.startswith(_EVENTS) and histogram.is_sane and self._nearest(name) == name:
                self.histograms[name] = histogram.copy()

    def copy(self) -> dict[str, Histogram]:
        """All histograms, to be written down: they do not change any more."""
        return {name: histogram.copy() for name, histogram in self.histograms.items()}

    def took(self, kind: str, most: float, *, least: float | None = None, event: Event = Event.END) -> None:
        """It took ``most`` seconds, or somewhere from ``least`` to ``most``; what cannot be is not counted."""
        least = most if least is None else least
        if not 0 <= least <= most < _EDGES[-1]:
            return
        name = self._nearest(event + ":" + kind.removesuffix("/"))
        self._count(name, least, most)
        if "/" in name:
            self._count(self._nearest(_wider(name)), least, most)

    def hazard(self, kind: str, event: Event = Event.END) -> Hazard:
        """The hazard of this kind of task, as far as it is known by now."""
        return self._hazard(event + ":" + kind)

    def _hazard(self, name: str) -> Hazard:
        while name not in self._hazards:
            if name in self.histograms or name in _PRIORS:
                self._hazards[name] = _hazard(self._shares(name))
            else:
                name = _wider(name)
        return self._hazards[name]

    def _nearest(self, name: str) -> str:
        """The name to count something under: its own, as long as there is room for it."""
        while name not in self.histograms and name not in _PRIORS and not self._has_room(name):
            name = _wider(name)
        return name

    def _has_room(self, name: str) -> bool:
        event = name.partition(":")[0]
        return len(name) <= _LONGEST_NAME and sum(known.startswith(event) for known in self.histograms) < _MOST_KINDS

    def _count(self, name: str, least: float, most: float) -> None:
        histogram = self.histograms.get(name)
        if histogram is None:
            histogram = self.histograms[name] = Histogram()
        first, last = bisect_right(_EDGES, least) - 1, bisect_right(_EDGES, most) - 1
        histogram.add(first, self._parts(name, first, last) if last > first else [1.0])
        # tables take a quarter of a millisecond to make: not for every one of ten thousand a second
        if histogram.seen < 40 or histogram.seen % 20 == 0:
            for stale in [known for known in self._hazards if known.startswith(name)]:
                del self._hazards[stale]

    def _parts(self, name: str, first: int, last: int) -> list[float]:
        """How likely it is in each of these bins that it was there, if it was in one of them."""
        expected = self._hazard(name).expected
        lefts = [math.exp(-gone) for gone in expected[first : last + 2]]
        lefts += [lefts[-1] if lefts else 0.0] * (last + 2 - first - len(lefts))
        widths = _WIDTHS[first : last + 1]
        shares = [
            before - after + _LEAST * width for (before, after), width in zip(pairwise(lefts), widths, strict=True)
        ]
        foreseen, unforeseen = (1 - _UNFORESEEN) / sum(shares), _UNFORESEEN / sum(widths)
        return [foreseen * share + unforeseen * width for share, width in zip(shares, widths, strict=True)]

    def _shares(self, name: str) -> list[float]:
        shares = _prior(name) if name in _PRIORS else self._shares(_wider(name))
        worths = _MODEL_WORTHS if "/" in name else _PRIOR_WORTHS
        return self.histograms[name].shares(shares, worths) if name in self.histograms else shares


_EVENTS = tuple(event + ":" for event in Event)
_NOTHING_SEEN = Durations()


def prior_hazard(kind: str, event: Event = Event.END) -> Hazard:
    """The hazard of a kind of which nothing has been seen."""
    return _NOTHING_SEEN.hazard(kind, event)


def _wider(name: str) -> str:
    """The action of a model, or the no action of an action."""
    action, slash, _ = name.partition("/")
    return action if slash else name.partition(":")[0] + ":"


@cache
def _prior(name: str) -> list[float]:
    parts = _PRIORS[name]
    left = [sum(share * _lognormal_tail(edge, median, spread) for share, median, spread in parts) for edge in _EDGES]
    return [before - after for before, after in pairwise(left)]


def _lognormal_tail(age: float, median: float, spread: float) -> float:
    return 1.0 if age <= 0 else 0.5 * math.erfc(math.log(age / median) / (spread * math.sqrt(2)))


def _hazard(shares: list[float]) -> Hazard:
    """The tables, up to the age at which almost nothing is left."""
    ages, expected, effort = [0.0], [0.0], [0.0]
    left = 1.0
    for share, end, width in zip(shares, _EDGES[1:], _WIDTHS, strict=True):
        if left == _LEFT:
            break
        after = max(left - share, _LEFT)
        # a little, so that there is always a slope
        gain = math.log(left / after) + 1e-12
        ages.append(end)
        expected.append(expected[-1] + gain)
        effort.append(effort[-1] + math.sqrt(gain * width))
        left = after
    return Hazard(ages, expected, effort)
