"""What a command ends with: a code for scripts, and what a person can do about it."""

from ...protocol.errors import (
    ConfigurationError,
    QuotaExceeded,
    RateLimited,
    RequestRejected,
    SubmitUnknown,
    SunoError,
    TaskFailed,
    TaskNotFound,
    Unauthorized,
    WaitTimeout,
)

DONE = 0
FAILED = 1
USAGE = 2
TIMED_OUT = 3
CONFIGURATION = 4
UNAVAILABLE = 5
UNKNOWN = 6
INTERRUPTED = 130

_CODES: tuple[tuple[type[SunoError], int], ...] = (
    (SubmitUnknown, UNKNOWN),
    (ConfigurationError, CONFIGURATION),
    (Unauthorized, CONFIGURATION),
    (QuotaExceeded, CONFIGURATION),
    (RateLimited, UNAVAILABLE),
    (WaitTimeout, TIMED_OUT),
    (RequestRejected, FAILED),
    (TaskFailed, FAILED),
    (TaskNotFound, FAILED),
)
_ADVICE: tuple[tuple[type[SunoError], str], ...] = (
    (SubmitUnknown, "look at the gateway's own list of tasks before you submit it again"),
    (Unauthorized, "check SUNO_API_KEY"),
    (QuotaExceeded, "add credit, or use another key"),
    (RateLimited, "try again later, or use --rate"),
    (ConfigurationError, ""),
    (RequestRejected, ""),
    (TaskFailed, ""),
    (TaskNotFound, ""),
    (WaitTimeout, ""),
)


class UsageError(Exception):
    """The command line asks for something that cannot be."""


def code_of(error: SunoError) -> int:
    """The exit code that stands for an error; whatever is not the caller's or a task's is the gateway's."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), UNAVAILABLE)


def advice(error: SunoError) -> str:
    """What to do about an error, to be put behind its text; "" where the text says it."""
    text = next((text for kind, text in _ADVICE if isinstance(error, kind)), "try again later")
    return f" ({text})" if text else ""
