"""The sending of a submission, and what is told of it."""

from asyncio import CancelledError
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from ...client import Job, Suno
from ...protocol.errors import ConfigurationError, JournalError
from ...protocol.inputs import check_idempotency_key
from ...protocol.requests import Submittable
from .configuration import Journaled
from .exits import DONE, KeyNotSafe, UsageError
from .journals import open_to_submit
from .looking import PATIENT, Waiting, wait_for
from .records import print_json
from .running import run
from .words import say


@Parameter(name="*", group="Waiting")
@dataclass(frozen=True, kw_only=True)
class After:
    """What follows the submission, and what keeps it from being made twice."""

    idempotency_key: Annotated[
        str | None,
        Parameter(help="Your own name for it: used again, it gives the same task, and nothing is sent.", metavar="KEY"),
    ] = None
    wait: Annotated[bool, Parameter(help="Wait for the task, too.", show_default=False)] = False
    waiting: Waiting = PATIENT


NOTHING = After()


def send(make: Callable[[], Submittable], after: After, options: Journaled) -> int:
    """The exit code of a submission; a body that cannot be right is a matter of usage."""
    try:
        body = make()
        if after.idempotency_key is not None:
            check_idempotency_key(after.idempotency_key)
    except ConfigurationError as error:
        raise UsageError(str(error)) from None
    if not after.wait and (after.waiting.until, after.waiting.timeout) != (PATIENT.until, PATIENT.timeout):
        raise UsageError("--until and --timeout say how to wait: add --wait")

    async def submit() -> int:
        async with open_to_submit(options, after.idempotency_key) as suno:
            job = await _submit(suno, body, after)
            if after.wait:
                say(f"submitted as {job.task_id}")
                return await wait_for(suno, [job.task_id], after.waiting, options)
        _print_id(job.task_id, as_json=after.waiting.as_json)
        return DONE

    return run(submit)


async def _submit(suno: Suno, body: Submittable, after: After) -> Job:
    key = after.idempotency_key
    try:
        return await suno.submit(body, idempotency_key=key)
    except CancelledError:
        # the client has read on and logged what came of it
        say(
            "interrupted while submitting; if a line above names a task id, go on with: suno-async wait ID; what came"
            " of it is also told by: suno-async journal list"
        )
        raise
    except JournalError as error:
        if error.task_id is not None:
            _print_id(error.task_id, as_json=after.waiting.as_json)
        elif key is not None:
            raise KeyNotSafe(str(error)) from None
        raise


def _print_id(task_id: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"task_id": task_id})
    else:
        print(task_id)
