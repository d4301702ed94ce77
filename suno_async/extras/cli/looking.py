"""The commands that look: fetch, wait, watch."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from typing import Annotated, Literal, TypeGuard

import anyio
from cyclopts import Parameter
from cyclopts.validators import Number

from ...client import Suno
from ...protocol.errors import SunoError, TaskNotFound
from ...protocol.models import Task
from .configuration import STANDARD, Options, open_suno
from .progress import bar
from .reports import Changes, JsonLines, Report, Rows
from .running import run, tell_how_to_go_on
from .words import read_ids

Ids = Annotated[str, Parameter(help="Task ids; - reads them from stdin, one a line.")]
Json = Annotated[bool, Parameter(name="--json", help="JSON Lines on stdout.", show_default=False)]


def _check_seconds(_: object, value: object) -> None:
    if isinstance(value, float) and not 0 <= value < inf:
        raise ValueError(f"must be zero or more seconds, or none, not {value:g}.")


Seconds = Annotated[
    float | Literal["none"],
    Parameter(help="Stop waiting after so many seconds, or none.", metavar="SECONDS", validator=_check_seconds),
]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Waiting:
    """How long is waited, for what, and how it is told."""

    timeout: Seconds = 3600.0
    until: Annotated[Literal["done", "playable"], Parameter(help="The end, or something to hear.")] = "done"
    as_json: Json = False

    @property
    def deadline(self) -> float | None:
        """Seconds, or None for no end."""
        return None if isinstance(self.timeout, str) else self.timeout

    def flags(self) -> list[str]:
        """The options as they would be given again."""
        words = [] if self.timeout == Waiting.timeout else ["--timeout", f"{self.timeout}"]
        words += [] if self.until == Waiting.until else ["--until", self.until]
        return words + (["--json"] if self.as_json else [])


PATIENT = Waiting()


def fetch(
    *ids: Ids,
    as_json: Json = False,
    timeout: Annotated[
        float, Parameter(help="Seconds for one request.", metavar="SECONDS", validator=Number(gt=0, lt=inf))
    ] = 30.0,
    options: Options = STANDARD,
) -> int:
    """Look at tasks once. A task that still runs is no failure."""
    report = Report(read_ids(ids), JsonLines() if as_json else Rows())

    async def look() -> int:
        async with open_suno(options, timeout=timeout) as suno:
            try:
                _tell(report, await suno.fetch_many(list(report.open)))
            except SunoError as error:
                _tell(report, error.tasks)
                report.error(error)
        report.end()
        return report.code

    return run(look)


def _tell(report: Report, found: Mapping[str, Task | None]) -> None:
    for task_id, task in found.items():
        if task is not None:
            report.task(task)
        else:
            message = f"the gateway does not know task {task_id}"
            report.error(TaskNotFound(message, task_id=task_id, task_ids=(task_id,)))


def wait(*ids: Ids, waiting: Waiting = PATIENT, options: Options = STANDARD) -> int:
    """Wait until tasks are done. Outages of the gateway are waited out."""
    wanted = read_ids(ids)

    async def stay() -> int:
        async with open_suno(options) as suno:
            return await wait_for(suno, wanted, waiting, options)

    return run(stay)


async def wait_for(suno: Suno, ids: list[str], waiting: Waiting, options: Options) -> int:
    """The exit code of waiting for these ids, each told as it finishes."""
    report = Report(ids, JsonLines() if waiting.as_json else Rows())
    words = ["wait", *options.flags(), *waiting.flags()]
    with _resumable(report, words), bar(report.count, streaming=waiting.as_json) as report.advance:
        if waiting.until == "done":
            await _read(suno.as_completed(ids, timeout=waiting.deadline), report.task, report)
        else:
            await _wait_to_hear(suno, report, waiting)
    return report.code


async def _wait_to_hear(suno: Suno, report: Report, waiting: Waiting) -> None:
    async def one(task_id: str) -> None:
        try:
            report.task(await suno.wait(task_id, timeout=waiting.deadline, until=waiting.until))
        except SunoError as error:
            report.error(error)

    async with anyio.create_task_group() as group:
        for task_id in list(report.open):
            group.start_soon(one, task_id)


def watch(*ids: Ids, timeout: Seconds = 3600.0, as_json: Json = False, options: Options = STANDARD) -> int:
    """See every change of tasks, each as one line, until they are done."""
    waiting = Waiting(timeout=timeout, as_json=as_json)
    report = Report(read_ids(ids), JsonLines() if as_json else Changes())

    async def look_on() -> int:
        async with open_suno(options) as suno:
            with _resumable(report, ["watch", *options.flags(), *waiting.flags()]):
                await _read(suno.watch(list(report.open), timeout=waiting.deadline), report.change, report)
        return report.code

    return run(look_on)


async def _read(stream: AsyncIterator[Task], tell: Callable[[Task], None], report: Report) -> None:
    """Reads a stream to its end, and hears what it raises there."""
    errors: Iterable[object] = ()
    try:
        async for task in stream:
            tell(task)
    except* SunoError as group:
        errors = group.exceptions
    for error in filter(_is_ours, errors):
        report.error(error)


def _is_ours(error: object) -> TypeGuard[SunoError]:
    return isinstance(error, SunoError)


@contextmanager
def _resumable(report: Report, words: list[str]) -> Iterator[None]:
    """Ends the report however the looking ends, and tells how to go on with the ids that are still open."""
    why = "interrupted"
    try:
        yield
        why = "the wait is over"
    finally:
        try:
            report.end()
        finally:
            # also where stdout cannot be written to any more
            tell_how_to_go_on(report.open, words, why)
