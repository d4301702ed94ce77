"""The agenda: what is due when. A heap of short slots of time, each a list, so that an id costs a place in a list.

Ids that are due in the same 10 ms share a slot. An id that has been put down again somewhere else stays where it was
until its old slot comes up, and is passed over there.
"""

from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush
from math import ceil, inf, nan
from typing import Generic, Protocol, TypeVar

SLOT = 0.01
"""Seconds. A look comes at most this much later than its pace says."""


class Entry(Protocol):
    """What can stand in the agenda."""

    slot: int
    """Where it stands; anything else than the slot it is found in means that it was moved or taken out."""
    alone: bool
    """It does not ride along with others."""
    looked: float
    """When it was taken last, and what it was taken for done."""


E = TypeVar("E", bound=Entry)

NOWHERE = -1
_PASSED_OVER = 100
"""Of what is due only those that are alone may not fit: they must not hide one that is not."""


class Agenda(Generic[E]):
    """Entries by the time they are due."""

    def __init__(self) -> None:
        self._slots: dict[int, list[E]] = {}
        self._order: list[int] = []
        self._turned: set[int] = set()
        """Slots that are taken from: their entries stand backwards, as a list is short at its end only."""

    def __iter__(self) -> Iterator[E]:
        """Those that stand here, in no order; one that was moved away and back may come twice."""
        return (entry for slot, entries in self._slots.items() for entry in entries if entry.slot == slot)

    def put(self, entry: E, due: float) -> None:
        """Puts an entry down; where it stood before it does not stand any more."""
        slot = ceil(due / SLOT)
        entry.slot = slot
        entries = self._slots.get(slot)
        if entries is None:
            self._slots[slot] = [entry]
            heappush(self._order, slot)
        else:
            entries.append(entry)

    def put_all(self, entries: Sequence[E], dues: Iterable[float]) -> None:
        """Puts many down."""
        slots = self._slots
        slot, before = NOWHERE, nan
        stand: list[E] = []
        for entry, due in zip(entries, dues, strict=True):
            if due != before:
                # the next one is often due at the same time
                slot, before = ceil(due / SLOT), due
                if slot not in slots:
                    slots[slot] = []
                    heappush(self._order, slot)
                stand = slots[slot]
            entry.slot = slot
            stand.append(entry)

    def due(self) -> float:
        """When the first entry is due; infinity if there is none."""
        while self._order:
            slot = self._order[0]
            entries = self._slots[slot]
            while entries and entries[-1].slot != slot:
                entries.pop()
            if entries:
                return slot * SLOT
            self._drop_first()
        return inf

    def take(self, now: float, room: int, *, alone: bool = True, soonest: float | None = None) -> list[E]:
        """Up to ``room`` entries that are due, in order; those that are ``alone`` only if that is so.

        With ``soonest`` also those that are due later, if they were looked at no later than that. What does not fit
        stays; after ``room`` of those the search ends, or a hundred more where only what is due is searched.
        """
        taken: list[E] = []
        aside: list[E] = []
        kept: list[tuple[int, list[E]]] = []
        left, patience = room, room + (_PASSED_OVER if soonest is None else 0)
        latest = -inf if soonest is None else soonest
        while self._order and left > 0 and patience > 0:
            slot = self._order[0]
            is_due = slot * SLOT <= now
            if soonest is None and not is_due:
                break
            entries = self._slots[slot]
            self._turn(slot, entries)
            drawn = entries[-min(left, patience) :]
            del entries[-len(drawn) :]
            for entry in reversed(drawn):
                if entry.slot != slot:
                    continue
                if (is_due or entry.looked <= latest) and (alone or not entry.alone):
                    entry.slot = NOWHERE
                    taken.append(entry)
                else:
                    aside.append(entry)
                    patience -= 1
            left = room - len(taken)
            if entries and left > 0 and patience > 0:
                # some of them had been moved
                continue
            entries += aside
            aside = []
            if entries and (left <= 0 or patience <= 0):
                # the rest stays where it is
                break
            if entries:
                kept.append((slot, entries))
            self._drop_first()
        for slot, entries in kept:
            self._slots[slot] = entries
            self._turned.add(slot)
            heappush(self._order, slot)
        return taken

    def _turn(self, slot: int, entries: list[E]) -> None:
        """Who was put down first is taken first: so those who were taken together once are so again."""
        if slot not in self._turned:
            self._turned.add(slot)
            entries.reverse()

    def _drop_first(self) -> None:
        slot = heappop(self._order)
        del self._slots[slot]
        self._turned.discard(slot)
