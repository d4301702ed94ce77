"""The optimum: the looks with the least price x requests + lateness, for a world that is known to the last digit.

Dynamic programming over the age of the last look. Let S(t) be what is left at age t and A(t) its integral. From a look
at age a to one at age b the cost is S(a) (price + b - a) - (A(b) - A(a)): every task that is left pays for the look,
and waits from its end until b. So what is still to be paid at a is

    W(a) = A(a) + S(a) (price - a) + min over b of ( S(a) b + W(b) - A(b) )

The minimum is over straight lines in S(a), one for each b. As a goes down S(a) grows and the slopes b of new lines
fall, so a queue of those lines that are lowest somewhere gives each answer in passing.
"""

from collections import deque
from collections.abc import Iterable
from functools import cache
from itertools import count
from typing import NamedTuple

from .worlds import World

_STEPS = 1000
"""Steps in one mean duration."""
_LEFT = 1e-9


class Cost(NamedTuple):
    """What looking costs one task, on average."""

    requests: float
    lateness: float

    def at(self, price: float) -> float:
        """Both in seconds, where a request is worth so many."""
        return price * self.requests + self.lateness


class _Line(NamedTuple):
    slope: float
    height: float
    step: int

    def at(self, share: float) -> float:
        return self.slope * share + self.height

    def meets(self, flatter: "_Line") -> float:
        return (flatter.height - self.height) / (self.slope - flatter.slope)


def best_looks(world: World, price: float, steps: int = _STEPS) -> list[float]:
    """The ages of the best looks, on a grid of so many steps in one mean duration."""
    step = world.mean / steps
    left, area = _tables(world, step)
    last = len(left) - 1
    following = [last] * last
    lines = deque([_Line(last * step, -area[last], last)])
    for here in range(last - 1, -1, -1):
        share, age = left[here], here * step
        while len(lines) > 1 and lines[1].at(share) <= lines[0].at(share):
            lines.popleft()
        following[here] = lines[0].step
        paid = area[here] + share * (price - age) + lines[0].at(share)
        line = _Line(age, paid - area[here], here)
        while len(lines) > 1 and lines[-1].meets(line) <= lines[-2].meets(lines[-1]):
            lines.pop()
        lines.append(line)
    looks = [0]
    while looks[-1] < last:
        looks.append(following[looks[-1]])
    return [index * step for index in looks[1:]]


@cache
def _tables(world: World, step: float) -> tuple[list[float], list[float]]:
    """What is left at each step, and its integral, until nothing is left."""
    left, area = [1.0], [0.0]
    while left[-1] > _LEFT:
        left.append(world.left(len(left) * step))
        area.append(area[-1] + (left[-2] + left[-1]) / 2 * step)
    return left, area


def cost_of(looks: Iterable[float], world: World) -> Cost:
    """What these looks cost, exactly: a task pays for each look it lives to see, and waits for the first after its end.

    They are followed until nothing is left, so they may go on for ever.
    """
    before, requests, seen = 1.0, 0.0, 0.0
    for look in looks:
        left = world.left(look)
        requests += before
        seen += look * (before - left)
        before = left
        if left <= _LEFT:
            break
    return Cost(requests, seen - world.mean)


def best_cost(world: World, price: float) -> Cost:
    """What the best looks cost."""
    return cost_of(best_looks(world, price), world)


def best_interval(world: World, price: float, least: float = 0.5, most: float = 200.0) -> float:
    """The interval for which a fixed one costs least: the best of a grid in steps of 2 %."""
    intervals = [least]
    while intervals[-1] < most:
        intervals.append(intervals[-1] * 1.02)
    return min(intervals, key=lambda interval: cost_of((interval * n for n in count(1)), world).at(price))
