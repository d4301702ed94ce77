"""A bar on stderr while somebody waits for many tasks. Only for terminals."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int], None]


def nothing(done: int) -> None:
    """Shows nothing."""


@contextmanager
def bar(total: int, *, streaming: bool) -> Iterator[Advance]:
    """A function that is told how many are done; ``streaming`` says that data goes to stdout meanwhile."""
    if not sys.stderr.isatty() or (streaming and sys.stdout.isatty()):
        yield nothing
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    from .tables import stderr  # noqa: PLC0415

    columns = TextColumn("waiting"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=stderr(), transient=True, redirect_stdout=False) as progress:
        row = progress.add_task("", total=total)
        yield lambda done: progress.update(row, completed=done)
