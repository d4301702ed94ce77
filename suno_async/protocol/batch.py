"""The batch: how many ids one request may ask for, learned from what the gateway refuses.

Two things are learned. Some gateways have no batch route; that is believed only if a single look then answers, and
asked again after ten minutes, because one HTML page must not downgrade a million ids for ever. And a batch can be
refused as a whole, by one id that spoils it or by its size: the caller halves it (the failing half first), and
``succeeded`` and ``spoiled`` tell here what came of the halves. A hiccup of the gateway's database looks the same, and
must not shrink the batches: a smaller size is believed when two searches in a row found no culprit and no batch as
large as the refused ones was answered in between, and it too is forgotten after ten minutes.
"""

from typing import Generic, TypeVar

import msgspec

from .refusals import Kind, Trouble

T = TypeVar("T")
_ASK_AGAIN = 600.0
_ANSWERS = frozenset({Kind.REJECTED, Kind.NO_NEWS, Kind.NAMELESS, Kind.KEY})


class Batch(msgspec.Struct):
    """How many ids the next request may ask for."""

    size: int
    """The size that is used now; what the user set, until a smaller one proves to be the largest that works."""
    _suspected: bool = False
    _without_until: float = float("-inf")
    _refused: int = 0
    _doubted: bool = False
    _worked: int = 0
    _spoiled: bool = False
    _most: int = 0
    _learned: bool = False
    _grow_at: float = float("inf")

    def __post_init__(self) -> None:
        self._most = self.size

    def room(self, now: float) -> int:
        """Ids for the next request: 1 means a single look."""
        if self._learned:
            self._learned, self._grow_at = False, now + _ASK_AGAIN
        if now >= self._grow_at:
            self.size, self._grow_at = self._most, float("inf")
        return 1 if self._suspected or now < self._without_until else self.size

    def small_until(self, now: float) -> float:
        """When there may be more room again than there is now; infinity where nothing is in its way."""
        if self._suspected or now < self._without_until:
            return max(now, self._without_until)
        return self._grow_at

    def refused_route(self, now: float) -> None:
        """A batch was answered as by a gateway that has no such route."""
        self._suspected = now >= self._without_until

    def answered_single(self, now: float) -> None:
        """A single look was answered: if the route was in doubt, the gateway has none."""
        if self._suspected:
            self._suspected = False
            self._without_until = now + _ASK_AGAIN

    def failed_single(self) -> None:
        """A single look got no better answer: that is an outage, and says nothing about the route."""
        self._suspected = False

    def looked_in_vain(self, trouble: Trouble, now: float) -> None:
        """A single look told nothing: that may be an answer all the same."""
        if trouble.readable and trouble.kind in _ANSWERS:
            self.answered_single(now)
        else:
            self.failed_single()

    def carried(self, ids: int) -> None:
        """A batch was answered: if it was as large as one that was refused, the size was not to blame."""
        if ids >= self._refused:
            self._doubted = False

    def refused(self, ids: int) -> None:
        """A batch, or a part of one, was refused as a whole."""
        self._refused = max(self._refused, ids)

    def succeeded(self, ids: int) -> None:
        """A part of a refused batch was answered."""
        self._worked = max(self._worked, ids)

    def spoiled(self) -> None:
        """One id alone was refused: it was the cause, not the size."""
        self._spoiled = True

    def searched(self) -> None:
        """The search is over, and what it found counts."""
        if 0 < self._worked < self.size and not self._spoiled:
            if self._doubted:
                self.size, self._learned = self._worked, True
            self._doubted = not self._doubted
        self.abandoned()

    def abandoned(self) -> None:
        """The search is over, and what it found does not count."""
        self._worked = 0
        self._spoiled = False


class Search(Generic[T]):
    """The search for what spoils a batch: one part at a time, the failing half first, everybody else waits."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._parts: list[list[T]] = []
        self._asking: list[T] | None = None

    @property
    def running(self) -> bool:
        """True until the last part has been answered."""
        return bool(self._parts) or self._asking is not None

    @property
    def ready(self) -> bool:
        """True if a part is to be asked for now."""
        return bool(self._parts) and self._asking is None

    def asks(self, part: list[T]) -> bool:
        """True if this is the search's own request, not one that was under way when it began."""
        return part is self._asking

    def take(self) -> list[T]:
        """The part to ask for next."""
        self._asking = self._parts.pop()
        return self._asking

    def refused(self, part: list[T]) -> None:
        """A batch, or a part of one, was refused as a whole: it is halved."""
        self._done(part)
        self._batch.refused(len(part))
        middle = (len(part) + 1) // 2
        self._parts += [part[middle:], part[:middle]]

    def answered(self, part: list[T]) -> None:
        """A part was answered."""
        if self._done(part):
            self._batch.succeeded(len(part))
            self._finish()
        else:
            self._batch.carried(len(part))

    def spoiled(self, part: list[T]) -> None:
        """A part of one was refused: there is the cause."""
        if self._done(part):
            self._batch.spoiled()
            self._finish()

    def abandon(self, part: list[T]) -> list[T]:
        """Something else is wrong: what has not been asked for, to be asked for as ever."""
        if not self._done(part):
            return []
        left = [item for items in self._parts for item in items]
        self._parts.clear()
        self._batch.abandoned()
        return left

    def _done(self, part: list[T]) -> bool:
        """True if this was the search's own request; it is not any more."""
        ours = self.asks(part)
        if ours:
            self._asking = None
        return ours

    def _finish(self) -> None:
        if not self.running:
            self._batch.searched()
