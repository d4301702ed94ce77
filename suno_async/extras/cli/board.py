"""What happens to the tasks of a demonstration, shown on stderr: a live table, or lines where there is no terminal."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Group
from rich.live import Live as Screen
from rich.table import Table
from rich.text import Text

from ...protocol.models import Task
from .tables import change_line, detail, status_text, stderr
from .words import clean, say

_SHOWN = 12
Now = Callable[[], float]
Looks = Callable[[str], int]


class Board(Protocol):
    """Whoever is told what happens."""

    def begin(self, ids: Iterable[str]) -> None:
        """These were submitted."""
        ...

    def change(self, task: Task) -> None:
        """One of them has changed."""
        ...

    def draw(self) -> None:
        """Time has passed."""
        ...


class Lines:
    """A line for each change, with the gateway's time since the submission."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._began = now()

    def begin(self, ids: Iterable[str]) -> None:
        """A line."""
        self._began = self._now()
        say(f"{len(list(ids))} tasks submitted")

    def change(self, task: Task) -> None:
        """A line."""
        say(f"{self._now() - self._began:.0f} s  {change_line(task).plain}")

    def draw(self) -> None:
        """Nothing: a line that is written stays."""


class Live:
    """A table that is drawn again and again; of many tasks, those that still run."""

    def __init__(self, screen: Screen, now: Now, looks: Looks) -> None:
        self._screen, self._now, self._looks = screen, now, looks
        self._began = now()
        self._last: dict[str, Task] = {}

    def begin(self, ids: Iterable[str]) -> None:
        """The rows."""
        self._began = self._now()
        self._last = {task_id: Task(task_id=task_id, status_text="SUBMITTED") for task_id in ids}

    def change(self, task: Task) -> None:
        """Another state in its row."""
        self._last[task.task_id] = task

    def draw(self) -> None:
        """The table as it is now. Drawn from the loop: the gateway's clock is of no other thread."""
        table = Table(box=None, pad_edge=False, show_header=False)
        rows = list(self._last.values())
        if len(rows) > _SHOWN:
            rows = [task for task in rows if not task.done][:_SHOWN]
        for task in rows:
            looks = Text(f"{self._looks(task.task_id)} looks", justify="right")
            text = Text(detail(task), no_wrap=True, overflow="ellipsis")
            table.add_row(Text(f"…{task.task_id[-8:]}"), Text(clean(task.action)), status_text(task), looks, text)
        self._screen.update(Group(table, self._footer()), refresh=True)

    def _footer(self) -> Text:
        counts = Counter(clean(task.status_text) for task in self._last.values())
        states = ", ".join(f"{count} {status}" for status, count in counts.most_common())
        return Text(f"{self._now() - self._began:.0f} s at the gateway: {states or 'submitting'}", style="dim")


@contextmanager
def board(now: Now, looks: Looks, *, streaming: bool) -> Iterator[Board]:
    """What suits stderr; ``streaming`` says that data goes to stdout meanwhile."""
    if not sys.stderr.isatty() or (streaming and sys.stdout.isatty()):
        yield Lines(now)
        return
    with Screen(console=stderr(), transient=True, redirect_stdout=False, auto_refresh=False) as screen:
        yield Live(screen, now, looks)
