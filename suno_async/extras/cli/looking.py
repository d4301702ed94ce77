"""The commands that look: fetch, wait, watch."""

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import inf
from typing import Annotated, Literal, TypeGuard

import anyio
from cyclopts import Parameter
from cyclopts.validators import Number

from ...client import Suno
from ...protocol.errors import SunoError, TaskNotFound, innermost
from ...protocol.models import Task
from .configuration import JOURNALED, STANDARD, Journaled, Options, open_suno
from .journals import open_journaled
from .progress import bar
from .reports import Changes, JsonLines, Report, Rows
from .running import are_many, run, tell_how_to_go_on
from .words import read_ids

Ids = Annotated[str, Parameter(help="Task ids; - reads them from stdin, one a line.")]
Json = Annotated[bool, Parameter(name="--json", help="JSON Lines on stdout.", show_default=False)]


def _check_seconds(_: object, value: object) -> None:
    if isinstance(value, float) and not 0 <= value < inf:
        raise ValueError(f"must be zero or more seconds, or none, not {value:g}.")


Seconds = Annotated[
    float | Literal["none"],
    Parameter(
        help="Stop waiting after so many seconds; none waits for as long as it takes.",
        metavar="SECONDS",
        validator=_check_seconds,
        show_choices=False,
        show_default="{:g}".format,
    ),
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
        # whoever looked once, and did not wait, does not go on by that
        words = [] if self.timeout in {0, Waiting.timeout} else ["--timeout", f"{self.timeout}"]
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


def wait(*ids: Ids, waiting: Waiting = PATIENT, options: Journaled = JOURNALED) -> int:
    """Wait until tasks are done. Outages of the gateway are waited out."""
    wanted = read_ids(ids)

    async def stay() -> int:
        async with open_journaled(options) as suno:
            return await wait_for(suno, wanted, waiting, options)

    return run(stay)


async def wait_for(
    suno: Suno, ids: list[str], waiting: Waiting, options: Journaled, *, of_the_journal: bool = False
) -> int:
    """The exit code of waiting for these ids, each told as it finishes."""
    report = Report(ids, JsonLines() if waiting.as_json else Rows())
    flags = [*options.flags(), *waiting.flags()]
    with bar(report.count, streaming=waiting.as_json) as report.advance:
        async with _resumable(suno, report, "wait", flags, of_the_journal=of_the_journal):
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

    try:
        async with anyio.create_task_group() as group:
            for task_id in list(report.open):
                group.start_soon(one, task_id)
    except ExceptionGroup as errors:
        # stdout cannot be written to
        raise innermost(errors) from None


def watch(*ids: Ids, timeout: Seconds = 3600.0, as_json: Json = False, options: Journaled = JOURNALED) -> int:
    """See every change of tasks, each as one line, until they are done."""
    waiting = Waiting(timeout=timeout, as_json=as_json)
    report = Report(read_ids(ids), JsonLines() if as_json else Changes())

    flags = [*options.flags(), *waiting.flags()]

    async def look_on() -> int:
        async with open_journaled(options) as suno, _resumable(suno, report, "watch", flags):
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


@asynccontextmanager
async def _resumable(
    suno: Suno, report: Report, verb: str, flags: list[str], *, of_the_journal: bool = False
) -> AsyncIterator[None]:
    """Ends the report however the looking ends, and tells how to go on with the ids that are still open."""
    why = "interrupted"
    kept = of_the_journal
    try:
        try:
            yield
            why = "the wait is over"
        finally:
            report.end()
    except BrokenPipeError:
        # whoever has closed the pipe wants to hear no more
        report.open.clear()
        raise
    finally:
        # also where stdout cannot be written to any more
        try:
            kept = kept or (are_many(report.open) and await _are_kept(suno, report.open))
        finally:
            tell_how_to_go_on(report.open, [verb, *flags], why, ["journal", "resume", *flags] if kept else None)


async def _are_kept(suno: Suno, ids: Collection[str]) -> bool:
    """True if all of these are in the journal: those that were not let in yet are not."""
    try:
        kept = {job.task_id for job in await suno.resume()}
    except SunoError:
        return False
    return kept.issuperset(ids)
