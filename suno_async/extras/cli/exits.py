"""What a command ends with: a code for scripts, and what a person can do about it."""

from ...protocol.errors import (
    ConfigurationError,
    JournalError,
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
UNHEARD = 141
"""Nobody reads stdout any more: what a shell says of a program that the signal of a broken pipe has ended."""


class UsageError(Exception):
    """The command line asks for something that cannot be."""


class KeyNotSafe(JournalError):
    """Nobody can tell whether an idempotency key was used; another journal could only make that worse."""


class NotKept(SubmitUnknown):
    """Nobody can tell whether something was accepted that no journal knows of."""


_CODES: tuple[tuple[type[SunoError], int], ...] = (
    (SubmitUnknown, UNKNOWN),
    (ConfigurationError, CONFIGURATION),
    (JournalError, CONFIGURATION),
    (Unauthorized, CONFIGURATION),
    (QuotaExceeded, CONFIGURATION),
    (RateLimited, UNAVAILABLE),
    (WaitTimeout, TIMED_OUT),
    (RequestRejected, FAILED),
    (TaskFailed, FAILED),
    (TaskNotFound, FAILED),
)
_ADVICE: tuple[tuple[type[SunoError], str], ...] = (
    (NotKept, "no journal knows of it: before you do it again, see the gateway's own list of tasks"),
    (
        SubmitUnknown,
        "before you submit it again, see suno-async journal unknown, or the gateway's own list of tasks",
    ),
    (KeyNotSafe, ""),
    (JournalError, "--journal PATH names another file, --journal none goes without one"),
    (Unauthorized, "check SUNO_API_KEY, or api_key in the configuration file"),
    (QuotaExceeded, "add credit, or use another key"),
    (RateLimited, "try again later, or use --rate"),
    (ConfigurationError, ""),
    (RequestRejected, ""),
    (TaskFailed, ""),
    (TaskNotFound, ""),
    (WaitTimeout, ""),
)


def code_of(error: SunoError) -> int:
    """The exit code that stands for an error; whatever is not the caller's or a task's is the gateway's."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), UNAVAILABLE)


def advice(error: SunoError) -> str:
    """What to do about an error, to be put behind its text; "" where the text says it."""
    if isinstance(error, JournalError) and error.task_id:
        text = "this line may be all that knows of it: keep the id, and go on with suno-async wait"
    else:
        text = next((text for kind, text in _ADVICE if isinstance(error, kind)), "try again later")
    return f" ({text})" if text else ""
