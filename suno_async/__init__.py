"""An asyncio client for Suno-compatible gateways: submit songs, wait for one task or a million, never lose one."""

from .client import Job, Suno
from .protocol.balance import Balance
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
from .protocol.materials import Persona
from .protocol.models import Lyrics, Song, Status, Task
from .protocol.pace import Adaptive, Backoff, Fixed, Pace, Scaled
from .protocol.profiles import Profile
from .protocol.reconciliation import Finding, Verdict
from .protocol.requests import (
    Concat,
    Cover,
    Custom,
    Extend,
    Inspiration,
    Metadata,
    PersonaSong,
    ReplaceSection,
    Stems,
    Submission,
    WriteLyrics,
)
from .protocol.timing import Timing

__all__ = [
    "Adaptive",
    "Backoff",
    "Balance",
    "ClientClosed",
    "Concat",
    "ConfigurationError",
    "Cover",
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
    "Metadata",
    "Pace",
    "Persona",
    "PersonaSong",
    "Profile",
    "QuotaExceeded",
    "RateLimited",
    "ReplaceSection",
    "RequestRejected",
    "Scaled",
    "Song",
    "Status",
    "Stems",
    "Submission",
    "SubmitUnknown",
    "Suno",
    "SunoError",
    "Task",
    "TaskFailed",
    "TaskNotFound",
    "Timing",
    "Unauthorized",
    "UnexpectedResponse",
    "Verdict",
    "WaitTimeout",
    "WriteLyrics",
    "explain",
]
