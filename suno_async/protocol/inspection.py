"""The inspection: the best moments to look at a task that is alone, exactly.

Where the hazard changes slowly, the looks of Keller's rule cost hardly more than the best ones. It does change fast
where a tenth of the tasks fail within 20 s and nothing more happens for a minute: then the last look before that minute
is worth making just after the last failure, not just before it. Barlow, Hunter and Proschan (1963) gave the best looks
by a recursion from the first one; here they come from the end. Let S(t) be what is left at age t, and κ the price of a
look. Every task that is left at a look at age a, the next one being at b, pays κ for that, and waits from its end until
b: S(a) (κ + b - a), less what the integral of S grows by from a to b. All of that integral is the same for every plan;
without it what is still to be paid at a is

    W(a) = S(a) (κ - a) + min over b of (S(a) b + W(b))

The minimum is over straight lines in S(a), one for each b. As a goes down S(a) grows, and each new line is flatter than
all before, so a queue of the lines that are lowest somewhere has each answer in front.
"""

from bisect import bisect_right
from collections import deque
from functools import lru_cache
from itertools import pairwise
from math import exp, inf, log

from .durations import Hazard

LEAST_PRICE = 0.2
"""With a lower one looks are closer together than the ages that are told apart here; there the rule is as good."""
_MOST_PRICE = 1e6
_CLASS = 0.1
"""Prices that differ by less, as a logarithm, are taken for one."""
_STEP, _GROWTH = 0.25, 0.015
"""Seconds between two ages that are told apart, and what that grows by with age."""


class Inspection:
    """The best next look from every age, for one hazard and one price of 0.2 s or more."""

    def __init__(self, hazard: Hazard, price: float) -> None:
        self._ages, left = _tables(hazard)
        self._next = _best(self._ages, left, price)

    def after(self, age: float) -> float:
        """Seconds until the best next look at a task of this age, up to the end of the known tail; infinity past it."""
        ages, following = self._ages, self._next
        here = bisect_right(ages, age) - 1
        if here >= len(ages) - 1:
            return inf
        part = (age - ages[here]) / (ages[here + 1] - ages[here])
        return following[here] + part * (following[here + 1] - following[here]) - age


def inspection(hazard: Hazard, price: float) -> Inspection:
    """The inspection for this hazard and about this price: it takes a third of a millisecond to make, and is kept."""
    return _kept(hazard, round(log(min(price, _MOST_PRICE) / LEAST_PRICE) / _CLASS))


@lru_cache(256)
def _kept(hazard: Hazard, price_class: int) -> Inspection:
    return Inspection(hazard, LEAST_PRICE * exp(_CLASS * price_class))


def _tables(hazard: Hazard) -> tuple[list[float], list[float]]:
    """Ages, and what is left at each."""
    ages, left = [0.0], [1.0]
    for (begin, end), (before, after) in zip(pairwise(hazard.ages), pairwise(hazard.expected), strict=True):
        steps = max(1, round((end - begin) / (_STEP + _GROWTH * begin)))
        for step in range(1, steps + 1):
            ages.append(begin + (end - begin) * step / steps)
            left.append(exp(-before - (after - before) * step / steps))
    return ages, left


def _best(ages: list[float], left: list[float], price: float) -> list[float]:
    """The age of the best next look, from each age."""
    last = len(ages) - 1
    following = [ages[last]] * len(ages)
    # slope and height of each line: what the rest costs if the next look is at that age
    lines = deque([(ages[last], 0.0)])
    for here in range(last - 1, -1, -1):
        share, age = left[here], ages[here]
        while len(lines) > 1 and _at(lines[1], share) <= _at(lines[0], share):
            lines.popleft()
        following[here] = lines[0][0]
        line = (age, share * (price - age) + _at(lines[0], share))
        while len(lines) > 1 and _meet(lines[-1], line) <= _meet(lines[-2], lines[-1]):
            lines.pop()
        lines.append(line)
    return following


def _at(line: tuple[float, float], share: float) -> float:
    return line[0] * share + line[1]


def _meet(steeper: tuple[float, float], flatter: tuple[float, float]) -> float:
    return (flatter[1] - steeper[1]) / (steeper[0] - flatter[0])
