"""The worlds of a single task: how long it takes until its end can be seen, as a distribution known to the last digit.

A world tells how much of it is left at an age, its mean, and draws from it. What is left is exact, so that the cost of
a sequence of looks is a sum and not a sample.
"""

import math
from functools import cached_property
from random import Random
from typing import Protocol


class World(Protocol):
    """How long one task takes."""

    @property
    def mean(self) -> float:
        """The mean of all durations."""
        ...

    def left(self, age: float) -> float:
        """The share of the tasks that is not over at this age."""
        ...

    def draw(self, rng: Random) -> float:
        """The duration of one task."""
        ...

    def __hash__(self) -> int: ...


class LogNormal:
    """What songs take: a median, and the standard deviation of the logarithm."""

    def __init__(self, median: float, sigma: float) -> None:
        self.median, self.sigma = median, sigma
        self.mean = median * math.exp(sigma * sigma / 2)
        self._scale = 1 / (sigma * math.sqrt(2))

    def left(self, age: float) -> float:
        """The share that takes longer."""
        return 1.0 if age <= 0 else 0.5 * math.erfc(math.log(age / self.median) * self._scale)

    def draw(self, rng: Random) -> float:
        """One duration."""
        return rng.lognormvariate(math.log(self.median), self.sigma)


class Uniform:
    """Anything from ``least`` to ``most``, such as a refusal that comes at once."""

    def __init__(self, least: float, most: float) -> None:
        self.least, self.most = least, most
        self.mean = (least + most) / 2

    def left(self, age: float) -> float:
        """The share that takes longer."""
        return min(1.0, max(0.0, (self.most - age) / (self.most - self.least)))

    def draw(self, rng: Random) -> float:
        """One duration."""
        return rng.uniform(self.least, self.most)


class Exponential:
    """A task whose age says nothing: the world whose best looks are known in closed form."""

    def __init__(self, mean: float) -> None:
        self.mean = mean

    def left(self, age: float) -> float:
        """The share that takes longer."""
        return math.exp(-max(0.0, age) / self.mean)

    def draw(self, rng: Random) -> float:
        """One duration."""
        return rng.expovariate(1 / self.mean)


class Mixture:
    """Shares of other worlds, such as songs of which some fail early."""

    def __init__(self, *parts: tuple[float, World]) -> None:
        self.parts = parts
        self.mean = sum(share * world.mean for share, world in parts)

    def left(self, age: float) -> float:
        """The share that takes longer."""
        return sum(share * world.left(age) for share, world in self.parts)

    def draw(self, rng: Random) -> float:
        """One duration."""
        chosen = rng.choices([world for _, world in self.parts], [share for share, _ in self.parts])
        return chosen[0].draw(rng)


class Beat:
    """Another world behind a gateway that refreshes its rows in rounds: its end can be seen in the round after it.

    A round begins 15 s after the work of the last one, which takes up to 1 s, and shows a change somewhere inside that.
    So it drifts, and to who does not know the rounds the wait for the next one is the same for every task.
    """

    def __init__(self, world: World, sleep: float = 15.0, work: float = 1.0, points: int = 24) -> None:
        self.world = world
        self._points = points
        self._sleep, self._work = sleep, work
        self.mean = world.mean + sum(self._waits) / points

    @cached_property
    def _waits(self) -> list[float]:
        """Equally likely waits: points of the unit cube that lie evenly, by multiples of two irrational numbers."""
        waits = []
        for index in range(self._points):
            phase, length, share = (index + 0.5) / self._points, index * 0.7548776662 % 1, index * 0.5698402910 % 1
            waits.append(phase * (self._sleep + length * self._work) + share * length * self._work)
        return waits

    def left(self, age: float) -> float:
        """The share whose end cannot be seen yet."""
        return sum(self.world.left(age - wait) for wait in self._waits) / self._points

    def draw(self, rng: Random) -> float:
        """The time until one end can be seen."""
        return self.world.draw(rng) + rng.choice(self._waits)


SIGMAS = (0.2, 0.35, 0.6)
SONGS = {sigma: LogNormal(100.0, sigma) for sigma in SIGMAS}
FAILING = Mixture((0.1, Uniform(3.0, 20.0)), (0.9, SONGS[0.35]))
LYRICS = LogNormal(12.0, 0.35)
SLOWER = LogNormal(200.0, 0.35)
BEATING = Beat(FAILING)
