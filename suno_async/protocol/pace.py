"""When to look next. Numbers in, a number out.

A pace answers ``after(age, looks, chance, share)``: seconds until the next look at a task that is ``age`` seconds old,
has had ``looks`` looks, where ``chance`` is a random number from 0 to 1 and ``share`` says how many ids share the price
of a request. ``floor`` is the shortest time between two looks at one task, also where it rides along in a request that
leaves for another one.
"""

import math
from bisect import bisect_right
from functools import lru_cache
from typing import Any, Protocol

import msgspec

from .errors import ConfigurationError
from .inputs import check_factor, check_seconds


class Pace(Protocol):
    """What a pace must be able to answer."""

    @property
    def floor(self) -> float:
        """The shortest time between two looks at one task, in seconds."""
        ...

    def after(self, age: float, looks: int, chance: float, share: float, kind: str = "") -> float:
        """Seconds until the next look; ``kind`` is the action, such as MUSIC, where it is known."""
        ...


class Fixed(msgspec.Struct, frozen=True):
    """A look every ``every`` seconds."""

    every: float

    def __post_init__(self) -> None:
        check_seconds("Fixed.every", self.every)

    @property
    def floor(self) -> float:
        """Half the interval: closer than that a rider would double its looks."""
        return self.every / 2

    def after(self, age: float, looks: int, chance: float, share: float, kind: str = "") -> float:  # noqa: ARG002
        """Always ``every`` seconds."""
        return self.every


class Backoff(msgspec.Struct, frozen=True):
    """Looks that get rarer: ``first`` seconds, each ``factor`` times longer, up to ``ceiling``.

    ``jitter`` from 0 to 1 is the part of each delay that is random: 1 is full jitter (anywhere from 0 to the delay,
    as AWS's architecture blog recommends), 0 none.
    """

    first: float = 1.0
    factor: float = 1.5
    ceiling: float = 30.0
    jitter: float = 1.0

    def __post_init__(self) -> None:
        check_factor("Backoff.first", self.first, 0.001, 86_400)
        check_factor("Backoff.factor", self.factor, 1, 100)
        check_factor("Backoff.ceiling", self.ceiling, self.first, 86_400)
        check_factor("Backoff.jitter", self.jitter, 0, 1)

    @property
    def floor(self) -> float:
        """Half the first delay."""
        return self.first / 2

    def after(self, age: float, looks: int, chance: float, share: float, kind: str = "") -> float:  # noqa: ARG002
        """The delay after ``looks`` looks, its random part never below the floor."""
        # the power is bounded before it is taken: 1.5 ** 2000 is no float
        steps = min(looks, math.log(self.ceiling / self.first, self.factor) if self.factor > 1 else 0)
        delay = min(self.ceiling, self.first * self.factor**steps)
        return max(self.floor, delay * (1 - self.jitter * chance))


class Adaptive(msgspec.Struct, frozen=True):
    """Looks when the answer is likely: rare at first, close together when most tasks end, rare again in the tail.

    With hazard rate h(t) of "done by now", the cheapest looks are spaced so that the integral of sqrt(h(u) / 2 κ)
    between two of them is 1 (Keller 1974, after Barlow, Hunter and Proschan 1963); κ = ``price`` is how many seconds
    of lateness one request is worth. A request that asks for n ids costs each of them less: κ / sqrt(n) while they
    fit into one request, falling towards κ / batch size for many. The hazard is that of how long songs were seen to
    take (91 to 200 s, median about 110 s; lyrics 12 s), a tenth of them failing early.
    """

    price: float = 0.3
    floor: float = 1.0
    ceiling: float = 30.0

    def __post_init__(self) -> None:
        check_seconds("Adaptive.price", self.price)
        check_seconds("Adaptive.floor", self.floor)
        check_factor("Adaptive.ceiling", self.ceiling, self.floor, 86_400)

    def after(self, age: float, looks: int, chance: float, share: float, kind: str = "") -> float:  # noqa: ARG002
        """The delay that makes the integral 1, within floor and ceiling."""
        times, effort = _effort(kind == "LYRICS")
        age = max(0.0, age)
        now = bisect_right(times, age) - 1
        if now >= len(times) - 1:
            return self.ceiling
        slope = (effort[now + 1] - effort[now]) / (times[now + 1] - times[now])
        wanted = effort[now] + (age - times[now]) * slope + math.sqrt(2 * self.price / share)
        there = bisect_right(effort, wanted, now) - 1
        if there >= len(times) - 1:
            return self.ceiling
        slope = (effort[there + 1] - effort[there]) / (times[there + 1] - times[there])
        then = times[there] + (wanted - effort[there]) / slope
        return min(self.ceiling, max(self.floor, then - age))


class Scaled(msgspec.Struct, frozen=True):
    """Another pace in a world that runs ``speed`` times as fast, such as a local gateway with ``speed=``."""

    pace: Fixed | Backoff | Adaptive
    speed: float

    def __post_init__(self) -> None:
        check_factor("Scaled.speed", self.speed, 0.001, 1e6)

    @property
    def floor(self) -> float:
        """The other pace's floor, scaled."""
        return self.pace.floor / self.speed

    def after(self, age: float, looks: int, chance: float, share: float, kind: str = "") -> float:
        """The other pace's delay, scaled."""
        return self.pace.after(age * self.speed, looks, chance, share, kind) / self.speed


class Checked(msgspec.Struct, frozen=True):
    """A pace of somebody else's, whose answers are kept within sense: one that is no number would stop all looks."""

    pace: Any

    @property
    def floor(self) -> float:
        """The other pace's floor."""
        floor: float = self.pace.floor
        return floor

    def after(self, age: float, looks: int, chance: float, share: float, kind: str = "") -> float:
        """The other pace's delay, from 10 ms to a day; a day for what is no number."""
        delay = self.pace.after(age, looks, chance, share, kind)
        return max(_SHORTEST, float(delay)) if delay < _LONGEST else _LONGEST


def check_pace(pace: Pace | None) -> Pace:
    """The pace to use, ``Adaptive()`` for None; raises ConfigurationError for what is no pace."""
    if pace is None:
        return Adaptive()
    if isinstance(pace, Fixed | Backoff | Adaptive | Scaled):
        return pace
    floor = getattr(pace, "floor", None)
    if isinstance(pace, type) or not callable(getattr(pace, "after", None)) or not isinstance(floor, int | float):
        raise ConfigurationError("pace must be a pace such as Adaptive(), Backoff() or Fixed(5)")
    return Checked(pace)


_SHORTEST, _LONGEST = 0.01, 86_400.0
_SONG = (110.0, 0.4)
_LYRICS = (12.0, 0.5)
_EARLY_SHARE = 0.1
_EARLY = (10.0, 0.6)
_STEP = 1.01
_TAIL = 1e-6


@lru_cache(2)
def _effort(lyrics: bool) -> tuple[list[float], list[float]]:
    """Times, and the integral of sqrt(h) from 0 to each, on a grid that gets coarser with age."""
    median, spread = _LYRICS if lyrics else _SONG
    times, effort = [0.0], [0.0]
    begin, end, alive = 0.0, 0.25, 1.0
    while (left := _survival(end, median, spread)) >= _TAIL:
        hazard = math.log(alive / left) / (end - begin)
        times.append(end)
        effort.append(effort[-1] + math.sqrt(hazard) * (end - begin) + 1e-9)
        begin, end, alive = end, end * _STEP + 0.25, left
    return times, effort


def _survival(age: float, median: float, spread: float) -> float:
    early = _EARLY_SHARE * _lognormal_tail(age, *_EARLY)
    return early + (1 - _EARLY_SHARE) * _lognormal_tail(age, median, spread)


def _lognormal_tail(age: float, median: float, spread: float) -> float:
    return 1.0 if age <= 0 else 0.5 * math.erfc(math.log(age / median) / (spread * math.sqrt(2)))
