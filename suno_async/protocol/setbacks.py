"""Setbacks: what a look at one id that told nothing says about the id. Trouble of one id's own stops nobody else.

Such an id goes by itself until it is seen again, ever rarer the longer it fails.
"""

from collections.abc import Iterable

from .life import Life
from .refusals import Kind, Trouble

_LONGEST_SECONDS = 60.0
_ITS_OWN = frozenset({Kind.REJECTED, Kind.KEY, Kind.FOREIGN})
"""What may be about this one id: no other id has to share a request with it to find out."""


def set_back(life: Life, kind: Kind, now: float, *, sought: bool) -> None:
    """A single look told nothing; ``sought`` if it was the last part of a search for what spoils a batch."""
    # at the end of a search it may be an outage, or the id that spoils every batch
    life.alone = life.alone or sought or kind in _ITS_OWN
    if life.alone:
        life.faults, life.failed, life.steady = life.faults + 1, now, False


def is_refused_alone(life: Life, others: Iterable[Life]) -> bool:
    """True if a refusal of the key is about this id, as far as can be known, and not about the key.

    That is so while somebody else without trouble is still to be asked: one who was answered before, or, if this id
    is refused again, anyone. A key that is refused to an id it was good for is another matter, the first time.
    """
    again = life.faults > 1
    if life.seen and not again:
        return False
    return any(not other.faults and not other.gone and (again or other.seen) for other in others if other is not life)


def pause(life: Life, trouble: Trouble, soonest: float) -> float:
    """Seconds until an id is asked for again that could be at ``soonest``: longer the more often it failed."""
    if trouble.kind is Kind.OUTAGE:
        # after 429 it is the gate that keeps everybody back
        soonest += trouble.retry_after or 0.0
    return max(soonest, min(_LONGEST_SECONDS, 2.0 ** min(life.faults - 1, 6)) if life.faults > 1 else 0.0)
