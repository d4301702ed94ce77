"""The job: a submission that was accepted, and how to wait for it."""

from collections.abc import Sequence
from typing import Protocol

from ..engine.streams import Stream
from ..engine.waits import Until
from ..protocol.models import Task
from .arguments import TIMEOUT


class Waits(Protocol):
    """What a job needs of its client."""

    async def wait(self, task_id: str, *, timeout: float | None, until: Until) -> Task:
        """The task once it has succeeded."""
        ...

    def watch(self, task_ids: Sequence[str], *, timeout: float | None) -> Stream:
        """Every visible change."""
        ...


class Job:
    """A submission that was accepted."""

    def __init__(self, suno: Waits, task_id: str) -> None:
        self.task_id = task_id
        self._suno = suno

    def __repr__(self) -> str:
        return f"Job({self.task_id!r})"

    async def wait(self, *, timeout: float | None = TIMEOUT, until: Until = "done") -> Task:
        """The task once it has succeeded; see ``Suno.wait``."""
        return await self._suno.wait(self.task_id, timeout=timeout, until=until)

    def watch(self, *, timeout: float | None = TIMEOUT) -> Stream:
        """Every visible change of the task, until it is final; see ``Suno.watch``."""
        return self._suno.watch([self.task_id], timeout=timeout)
