"""What has become of the ids of one command: told on stdout, added up to an exit code."""

from collections.abc import Iterable
from typing import Protocol

from ...protocol.errors import SunoError, TaskFailed
from ...protocol.models import Task
from . import tables
from .exits import DONE, FAILED, advice, code_of
from .progress import Advance, nothing
from .records import absence_record, print_json, task_record
from .words import say

COLUMNS = ("task", "status", "seconds", "title", "length", "clip", "audio")


class Teller(Protocol):
    """How it is told."""

    def task(self, task: Task) -> None:
        """One task, as it is now."""
        ...

    def absent(self, task_id: str, error: SunoError) -> None:
        """An id of which there is no task to tell."""
        ...

    def end(self) -> None:
        """There is nothing more to tell."""
        ...


class JsonLines:
    """One object a line, at once."""

    def task(self, task: Task) -> None:
        """A line."""
        print_json(task_record(task))

    def absent(self, task_id: str, error: SunoError) -> None:
        """A line with an ``error``."""
        print_json(absence_record(task_id, error))

    def end(self) -> None:
        """All has been told."""


class Rows:
    """One table at the end."""

    def __init__(self) -> None:
        self._rows: list[tables.Cells] = []

    def task(self, task: Task) -> None:
        """A row for each song."""
        self._rows += tables.task_rows(task)

    def absent(self, task_id: str, error: SunoError) -> None:
        """A row."""
        self._rows.append(tables.absence_row(task_id, error))

    def end(self) -> None:
        """The table."""
        if self._rows:
            tables.print_table(COLUMNS, self._rows)


class Changes:
    """A line for each change, at once."""

    def __init__(self) -> None:
        self._console = tables.stdout()

    def task(self, task: Task) -> None:
        """A line."""
        self._console.print(tables.change_line(task), soft_wrap=True)

    def absent(self, task_id: str, error: SunoError) -> None:
        """Nothing: stderr says it."""

    def end(self) -> None:
        """All has been told."""


class Report:
    """The ids of one command: which are open, what has become of the others, and the exit code of it all."""

    def __init__(self, ids: Iterable[str], teller: Teller) -> None:
        self.code = DONE
        self.open = dict.fromkeys(ids)
        self.count = len(self.open)
        self.advance: Advance = nothing
        """Is told how many are done."""
        self._teller = teller
        self._errors: dict[type[SunoError], list[tuple[SunoError, tuple[str, ...]]]] = {}

    def task(self, task: Task) -> None:
        """A task was seen, and is not asked for any more."""
        self._close(task.task_id)
        self.change(task)

    def change(self, task: Task) -> None:
        """A task was seen; a final one is not asked for any more."""
        if task.done:
            self._close(task.task_id)
        self.code = max(self.code, FAILED if task.failed else DONE)
        self._teller.task(task)

    def error(self, error: SunoError) -> None:
        """A task failed, or some ids have no task to tell of: they are unknown, or were left while they run on."""
        if isinstance(error, TaskFailed) and error.task is not None:
            self.task(error.task)
            return
        ids, code = error.task_ids or tuple(self.open), code_of(error)
        self.code = max(self.code, code)
        self._errors.setdefault(type(error), []).append((error, ids))
        for task_id in ids:
            if code == FAILED:
                self._close(task_id)
            self._teller.absent(task_id, error)

    def end(self) -> None:
        """Tells what is left to tell, the errors on stderr."""
        self._teller.end()
        for told in self._errors.values():
            error, ids = told[0][0], [task_id for _, some in told for task_id in some]
            text = str(error) if len(told) == 1 else f"{type(error).__doc__} ({len(ids)} ids, the first is {ids[0]})"
            say(f"{text}{advice(error)}")

    def _close(self, task_id: str) -> None:
        if task_id in self.open:
            del self.open[task_id]
            self.advance(self.count - len(self.open))
