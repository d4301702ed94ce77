"""The policies: the ages at which each looks at one task, ours and the default loops of other libraries.

What the others do was read in their source, at the version named, as a user gets it who sets nothing.
"""

from collections.abc import Iterator
from itertools import count
from random import Random
from typing import NamedTuple, Protocol

from suno_async.protocol.durations import Durations
from suno_async.protocol.life import Life
from suno_async.protocol.pace import Adaptive, Backoff, Fixed
from suno_async.protocol.schedule import Schedule


class Policy(Protocol):
    """A way of looking."""

    @property
    def name(self) -> str:
        """What it is called in a table."""
        ...

    @property
    def extra(self) -> int:
        """Requests for each task that are no looks."""
        ...

    @property
    def varies(self) -> bool:
        """Does not look at every task in the same way."""
        ...

    @property
    def learns(self) -> bool:
        """Looks in another way once it knows how long tasks take."""
        ...

    def looks(self, durations: Durations, kind: str, rng: Random) -> Iterator[float]:
        """The ages of its looks at a task of this kind, without end, where these durations are known."""
        ...

    def __hash__(self) -> int: ...


class Ours(NamedTuple):
    """One of our paces, asked by the schedule that the engine asks."""

    name: str
    pace: Fixed | Backoff | Adaptive
    varies: bool = False
    extra: int = 0

    @property
    def learns(self) -> bool:
        """Only one does."""
        return isinstance(self.pace, Adaptive)

    def looks(self, durations: Durations, kind: str, rng: Random) -> Iterator[float]:
        """The ages that its delays add up to."""
        schedule, life, age = Schedule(self.pace), Life(task_id="", born=0.0, kind=kind), 0.0
        schedule.durations = durations
        while True:
            age += schedule.delay(life, age, rng.random(), 1.0)
            life.looks, life.looked = life.looks + 1, age
            yield age


class Peer(NamedTuple):
    """The default loop of another library: intervals that grow from ``first`` by ``factor`` to ``most``."""

    name: str
    first: float
    at_once: bool
    """Looks before it sleeps."""
    factor: float = 1.0
    most: float = float("inf")
    extra: int = 0
    varies: bool = False
    learns: bool = False

    def looks(self, durations: Durations, kind: str, rng: Random) -> Iterator[float]:  # noqa: ARG002
        """The ages that its sleeps add up to."""
        age, interval = 0.0, self.first
        if self.at_once:
            yield 0.0
        while True:
            age += interval
            interval = min(self.most, interval * self.factor)
            yield age


class Known(NamedTuple):
    """Looks at ages that somebody has worked out."""

    name: str
    ages: tuple[float, ...]
    extra: int = 0
    varies: bool = False
    learns: bool = False

    def looks(self, durations: Durations, kind: str, rng: Random) -> Iterator[float]:  # noqa: ARG002
        """These, and then one every ten minutes."""
        yield from self.ages
        yield from (self.ages[-1] + 600 * more for more in count(1))


def adaptive(price: float) -> Ours:
    """Our default, at a price; there are no rounds here to look for."""
    return Ours(f"Adaptive(price={price:g})", Adaptive(price=price, beat=None), varies=True)


def backoff(name: str, most: float) -> Ours:
    """Our backoff up to so many seconds, without chance."""
    return Ours(name, Backoff(1.0, 1.5, most, 0.0))


def fixed(name: str, interval: float) -> Ours:
    """Our fixed pace at this interval."""
    return Ours(name, Fixed(interval))


PRICES = (0.3, 1.0, 3.0)
BACKOFF = backoff("Backoff(1, 1.5, 30), no jitter", 30.0)
OURS: list[Policy] = [
    *(adaptive(price) for price in PRICES),
    BACKOFF,
    Ours("Backoff()", Backoff(), varies=True),
    *(fixed(f"Fixed({interval:g})", interval) for interval in (2.0, 5.0, 10.0)),
]
PEERS = [
    # client.py, AsyncRequestHandle.iter_events and get: the result is one more request
    Peer("fal-client 1.0.3", 0.1, at_once=True, extra=1),
    # prediction.py, async_wait
    Peer("replicate 1.0.7", 0.5, at_once=False),
    # resources/videos.py, AsyncVideos.poll, where the server names no interval
    Peer("openai 3.54.0", 1.0, at_once=True),
    # polling/async_base_polling.py, AsyncLROBasePolling, where the server sends no Retry-After
    Peer("azure-core 1.41.0", 30.0, at_once=True),
    # _runtime/tasks.py, AsyncTaskHandle.wait
    Peer("acedatacloud 2026.10.20", 3.0, at_once=True),
    # resources/jobs.py, AsyncJobs.wait
    Peer("popnow 0.1.0", 2.0, at_once=True, factor=1.5, most=15.0),
]
POLICIES: list[Policy] = [*OURS, *PEERS]
