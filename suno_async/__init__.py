"""An asyncio client for Suno-compatible gateways: submit songs, wait for one task or a million, never lose one."""

from .client import Job, Suno
from .protocol.errors import (
    ClientClosed,
    ConfigurationError,
    GatewayUnavailable,
    JournalError,
    QuotaExceeded,
    RateLimited,
    RequestRejected,
    SubmitUnknown,
    SunoError,
    TaskFailed,
    TaskNotFound,
    Unauthorized,
    UnexpectedResponse,
    WaitTimeout,
)
from .protocol.experience import Experience
from .protocol.explanation import explain
from .protocol.intents import Intent, IntentState
from .protocol.models import Lyrics, Song, Status, Task
from .protocol.pace import Adaptive, Backoff, Fixed, Pace, Scaled
from .protocol.reconciliation import Finding, Verdict
from .protocol.requests import Custom, Extend, Inspiration, Submission, WriteLyrics

__all__ = [
    "Adaptive",
    "Backoff",
    "ClientClosed",
    "ConfigurationError",
    "Custom",
    "Experience",
    "Extend",
    "Finding",
    "Fixed",
    "GatewayUnavailable",
    "Inspiration",
    "Intent",
    "IntentState",
    "Job",
    "JournalError",
    "Lyrics",
    "Pace",
    "QuotaExceeded",
    "RateLimited",
    "RequestRejected",
    "Scaled",
    "Song",
    "Status",
    "Submission",
    "SubmitUnknown",
    "Suno",
    "SunoError",
    "Task",
    "TaskFailed",
    "TaskNotFound",
    "Unauthorized",
    "UnexpectedResponse",
    "Verdict",
    "WaitTimeout",
    "WriteLyrics",
    "explain",
]
