"""When to look next. Numbers in, a number out.

A pace answers ``after(age, looks, chance, share)``: seconds until the next look at a task that is ``age`` seconds old,
has had ``looks`` looks, where ``chance`` is a random number from 0 to 1 and ``share`` says how many ids share the price
of a request. ``floor`` is the shortest time between two looks at one task, also where it rides along in a request that
leaves for another one.
"""

import math
from typing import Any, Protocol

import msgspec

from .durations import Hazard, prior_hazard
from .errors import ConfigurationError
from .experience import Experience
from .inputs import check_factor, check_seconds
from .inspection import LEAST_PRICE, inspection


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
        check_factor("Fixed.every", check_seconds("Fixed.every", self.every), 0, 86_400)

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
        if check_factor("Backoff.ceiling", self.ceiling, 0, 86_400) < self.first:
            raise ConfigurationError(f"Backoff.ceiling ({self.ceiling:g}) must not be below its first ({self.first:g})")
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

    It starts with what is known of songs and lyrics, learns how long they take at this gateway, and finds out whether
    and when the gateway refreshes its rows: stock ones do every 15 s, and looks are best made just after that.

    Args:
        price: seconds of lateness that one look is worth: 3 looks less often and sees the end later, 0.1 the reverse.
        floor: two looks at one task are never closer than this, in seconds.
        ceiling: nor further apart than this, but where ``rate=`` allows no more.
        beat: how many seconds the gateway sleeps between two rounds; None takes no notice of rounds. It costs nothing
            where there are none.
        experience: what another client has learned, as ``Suno.experience()`` gives it; a journal's own comes first.

    Looking is an inspection problem. Let h(t) be the hazard of "done by now" and κ = ``price`` what one look costs, in
    seconds of lateness. Where looks are T apart, each second costs κ / T for looks and h T / 2 for lateness: an end
    comes anywhere between two looks, so it is seen T / 2 late. The sum is least for T = sqrt(2 κ / h): looks come with
    the density sqrt(h / 2 κ), so the integral of that between two of them is 1 (J. B. Keller, "Optimum checking
    schedules for systems subject to random failure", Management Science 21, 1974; the problem and the exact solution
    are in R. E. Barlow, L. C. Hunter and F. Proschan, "Optimum checking procedures", J. SIAM 11, 1963). Where looks are
    cheap that rule is used as it is; where a look has its price, as it has for a task alone, the exact solution.

    A request that asks for n ids costs each of them less: κ / n ** 0.75 while they fit into one request, falling to
    κ / batch size for many. Past the ages at which anything was seen to end, the hazard is taken as 1 / age, which
    makes the looks rarer and rarer, sqrt(2 κ age) apart and a little more, up to ``ceiling``.
    """

    price: float = 0.3
    floor: float = 0.5
    ceiling: float = 120.0
    beat: float | None = 15.0
    experience: Experience | None = None

    def __post_init__(self) -> None:
        check_seconds("Adaptive.price", self.price)
        check_seconds("Adaptive.floor", self.floor)
        if check_factor("Adaptive.ceiling", self.ceiling, 0, 86_400) < self.floor:
            raise ConfigurationError(
                f"Adaptive.ceiling ({self.ceiling:g}) must not be below its floor ({self.floor:g})"
            )
        if self.beat is not None:
            check_factor("Adaptive.beat", self.beat, 1, 3600)
        if not isinstance(self.experience, Experience | None):
            raise ConfigurationError(
                "Adaptive.experience must be what Suno.experience() gave, or None;"
                " from JSON: msgspec.json.decode(data, type=Experience)"
            )

    def delay(self, hazard: Hazard, age: float, share: float) -> float:
        """Seconds until the next look at a task of this age, where ``share`` ids share the price of a request."""
        age, price = max(0.0, age), self.price / share
        delay = hazard.until(age, math.sqrt(2 * price))
        best = inspection(hazard, max(price, LEAST_PRICE)).after(age)
        if age + best < hazard.ages[-1] - _ROUNDING:
            # a look at the very end of what is known is made for want of knowing more
            delay = best if price >= LEAST_PRICE else min(delay, best)
        elif price >= LEAST_PRICE and best < math.inf:
            delay = max(delay, best)
        return min(self.ceiling, max(self.floor, delay))

    def after(self, age: float, looks: int, chance: float, share: float, kind: str = "") -> float:  # noqa: ARG002
        """The delay as long as nothing has been learned."""
        return self.delay(prior_hazard(kind), age, share)


class Scaled(msgspec.Struct, frozen=True):
    """Another pace in a world that runs ``speed`` times as fast, such as a local gateway with ``speed=``."""

    pace: Fixed | Backoff | Adaptive
    speed: float

    def __post_init__(self) -> None:
        if not isinstance(self.pace, Fixed | Backoff | Adaptive):
            raise ConfigurationError(f"Scaled.pace must be Adaptive(), Backoff() or Fixed(5), not {self.pace!r}")
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
        told = self.pace.after(age, looks, chance, share, kind)
        try:
            delay = float(told)
        except (TypeError, ValueError, OverflowError):
            return _LONGEST
        return max(_SHORTEST, delay) if delay < _LONGEST else _LONGEST


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
_ROUNDING = 1e-6
