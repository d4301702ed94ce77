"""Everything that can go wrong, as one tree; a branch exists where a caller would do something different.

SunoError                    .task_id when there is one
├── ConfigurationError       before any request, or the base URL is plainly not a gateway
├── RequestRejected          the gateway answered "no"
│   ├── Unauthorized         the key is refused
│   ├── QuotaExceeded        the account or key is out of credit
│   └── RateLimited          too many requests
├── GatewayUnavailable       could not be reached or is broken
├── UnexpectedResponse       the answer could not be read
├── SubmitUnknown            a submission may or may not have been accepted
├── TaskFailed               the work itself failed
├── TaskNotFound             the gateway does not know the id
├── WaitTimeout              (also TimeoutError) we stopped waiting, the task may still succeed
├── ClientClosed             the client was closed under an open wait
└── JournalError             the journal cannot be written or read
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .intents import Intent
    from .models import Task


class SunoError(Exception):
    """Something went wrong between this client and the gateway.

    Every class carries its facts as attributes; the docstring's first line is the message where none is given.
    Errors pickle, and none of them holds the key.
    """

    task_id: str | None = None
    """The one task this is about, if there is one."""
    task_ids: tuple[str, ...] = ()
    """The ids that are still open, or that this error is about."""
    tasks: Mapping[str, Task | None] = {}
    """What a bulk look had seen before it had to give up."""

    def __init__(self, message: str | None = None, /, **facts: Any) -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])
        for name, value in facts.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no fact {name!r}")
            setattr(self, name, value)


class ConfigurationError(SunoError, ValueError):
    """Something this client was given cannot be right; nothing was sent because of it."""


class RequestRejected(SunoError):
    """The gateway answered "no"."""

    status: int = 0
    """The HTTP status; 200 for an error inside a 200."""
    code: str = ""
    """The gateway's own word, such as ``invalid_request``."""
    message: str = ""
    """The gateway's own sentence, at most 200 characters, control characters taken out."""
    request_id: str | None = None
    """``X-Oneapi-Request-Id``, for the gateway's support."""


class Unauthorized(RequestRejected):
    """The gateway refuses the key; tasks already accepted run on and can be waited for with another key."""


class QuotaExceeded(RequestRejected):
    """The account or the key is out of credit."""


class RateLimited(RequestRejected):
    """The gateway asks for fewer requests."""

    retry_after: float | None = None
    """Seconds the gateway asked us to wait, if it said so."""


class GatewayUnavailable(SunoError):
    """The gateway could not be reached or is broken."""

    attempts: int = 1
    """How many requests were made."""
    status: int = 0
    """The HTTP status, 0 where there was no answer."""
    request_id: str | None = None
    """``X-Oneapi-Request-Id``, for the gateway's support."""
    retry_after: float | None = None
    """Seconds the gateway asked us to wait, if it said so."""


class UnexpectedResponse(SunoError):
    """The gateway's answer could not be read."""

    excerpt: str = ""
    """The beginning of the answer, at most 200 characters, control characters taken out."""
    status: int = 0
    """The HTTP status."""


class SubmitUnknown(SunoError):
    """A submission may or may not have been accepted; it is never sent again on its own.

    With a journal it stays in ``unknown()`` until ``reconcile()`` or ``forget()`` settles it.
    """

    intent: Intent | None = None
    """What was to be submitted, and how far it is known to have come."""


class TaskFailed(SunoError):
    """The task failed."""

    task: Task | None = None
    """The failed task; it keeps the songs that can be played."""
    reason: str = ""
    """The gateway's reason, "" where it gave none."""
    inferred: bool = False
    """True where the gateway never said FAILURE but its row is frozen with a reason (new-api: progress 100 %)."""


class TaskNotFound(SunoError):
    """The gateway does not know this task id."""

    last_seen: Task | None = None
    """The task as it was last seen, if it ever was."""


class WaitTimeout(SunoError, TimeoutError):
    """The wait is over, the task is not: it may still succeed."""

    task: Task | None = None
    """The task as it was last seen."""


class ClientClosed(SunoError):
    """The client was closed."""


class JournalError(SunoError):
    """The journal cannot be written or read.

    Before a submission: nothing was sent. With ``task_id``: the gateway has accepted that task, and this error is the
    only place that knows it. Where a file is damaged, ``task_ids`` are the open tasks that can still be read.
    """

    in_use: bool = False
    """Another process has it."""
    pid: int | None = None
    """That process, where it is known."""


def innermost(error: BaseException) -> BaseException:
    """The first error in the groups that task groups wrap around it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
