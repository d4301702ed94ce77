"""The agenda: what is due when. A heap of short slots of time, each a list, so that an id costs a place in a list.

Ids that are due in the same 10 ms share a slot. An id that has been put down again somewhere else stays where it was
until its old slot comes up, and is passed over there.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from math import ceil, inf
from typing import Generic, Protocol, TypeVar

SLOT = 0.01
"""Seconds. A look comes at most this much later than its pace says."""


class Entry(Protocol):
    """What can stand in the agenda."""

    slot: int
    """Where it stands; anything else than the slot it is found in means that it was moved or taken out."""


E = TypeVar("E", bound=Entry)

NOWHERE = -1


class Agenda(Generic[E]):
    """Entries by the time they are due."""

    def __init__(self) -> None:
        self._slots: dict[int, list[E]] = {}
        self._order: list[int] = []

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

    def take(self, now: float, room: int, fits: Callable[[E, bool], bool]) -> list[E]:
        """Up to ``room`` entries in the order they are due: those that ``fits(entry, is_due)`` says.

        What does not fit stays; after ``room`` of those the search ends.
        """
        taken: list[E] = []
        kept: list[tuple[int, list[E]]] = []
        passed = 0
        while self._order and len(taken) < room and passed < room:
            slot = self._order[0]
            is_due = slot * SLOT <= now
            entries = self._slots[slot]
            left: list[E] = []
            while entries and len(taken) < room and passed < room:
                entry = entries.pop()
                if entry.slot != slot:
                    continue
                if fits(entry, is_due):
                    entry.slot = NOWHERE
                    taken.append(entry)
                else:
                    left.append(entry)
                    passed += 1
            entries += left
            if entries:
                kept.append((slot, entries))
            self._drop_first()
        for slot, entries in kept:
            self._slots[slot] = entries
            heappush(self._order, slot)
        return taken

    def _drop_first(self) -> None:
        del self._slots[heappop(self._order)]
