"""The register: the lives by id."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from ..protocol.life import Life

L = TypeVar("L", bound=Life)
_PARTS = 64


class Register(Generic[L]):
    """Many small dicts: one dict of a million stalls the loop for 100 ms when it grows."""

    def __init__(self) -> None:
        self._parts: tuple[dict[str, L], ...] = tuple({} for _ in range(_PARTS))

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __iter__(self) -> Iterator[L]:
        return (life for part in self._parts for life in part.values())

    def get(self, task_id: str) -> L | None:
        """The life of an id, if there is one."""
        return self._parts[hash(task_id) % _PARTS].get(task_id)

    def add(self, life: L) -> None:
        """One more life."""
        self._parts[hash(life.task_id) % _PARTS][life.task_id] = life

    def pop(self, task_id: str) -> L | None:
        """The life of an id, which is forgotten."""
        return self._parts[hash(task_id) % _PARTS].pop(task_id, None)
