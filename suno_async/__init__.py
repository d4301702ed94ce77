"""An asyncio client for Suno-compatible gateways: submit songs, wait for one task or a million, never lose one."""

import importlib
import typing

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
from .protocol.intents import Intent, IntentState
from .protocol.models import Lyrics, Song, Status, Task
from .protocol.pace import Adaptive, Backoff, Fixed, Pace, Scaled
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

if typing.TYPE_CHECKING:
    from .protocol.balance import Balance
    from .protocol.explanation import explain
    from .protocol.materials import Persona
    from .protocol.profiles import Profile
    from .protocol.reconciliation import Finding, Verdict
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

_LATER = {
    "Balance": "balance",
    "Finding": "reconciliation",
    "Persona": "materials",
    "Profile": "profiles",
    "Timing": "timing",
    "Verdict": "reconciliation",
    "explain": "explanation",
}
"""What few programs need is loaded when it is first asked for: an import is as quick as the three packages' own."""


def __getattr__(name: str) -> typing.Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f".protocol.{_LATER[name]}", __name__), name)
    return value
