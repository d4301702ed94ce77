"""The intents: what was to be submitted, and how far it is known to have come."""

import json
from datetime import datetime
from enum import StrEnum

import msgspec


class IntentState(StrEnum):
    """How far a submission is known to have come."""

    INTENDED = "intended"
    """It may be on its way. Where the process that sent it is gone, this means UNKNOWN."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    """The gateway said no: nothing was charged."""
    NOT_SENT = "not_sent"
    """Not one byte of it left, which is proven."""
    UNKNOWN = "unknown"
    """Nobody here can tell. It is never sent again on its own."""


FREE = frozenset({IntentState.REJECTED, IntentState.NOT_SENT})
"""Nothing came of these, so the same idempotency key may be used for another try."""


class Intent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A submission and how far it is known to have come."""

    action: str
    """Such as ``music``."""
    body: bytes
    """The JSON that was, or was to be, sent."""
    sent: bool
    """True if the gateway may have read it."""
    status: int = 0
    """The HTTP status of the answer, 0 where there was none."""
    request_id: str | None = None
    """``X-Oneapi-Request-Id`` of the answer, to look for in the gateway's log."""
    excerpt: str = ""
    """The beginning of the answer, at most 200 characters."""
    gateway: str = ""
    """The base URL it was meant for."""
    intent_id: str = ""
    """Its name in the journal; "" without one."""
    idempotency_key: str | None = None
    """The caller's own name for it."""
    fingerprint: str = ""
    """Of the API key it was sent with: it tells whether two were sent with one key, and nothing of the key; "" where
    nobody knows."""
    state: IntentState = IntentState.UNKNOWN
    reason: str = ""
    """Why it ended as it did, in one line."""
    task_id: str | None = None
    """The task it became, once that is known."""
    created_at: datetime | None = None
    """When it was first written down, by this machine's clock."""
    attempted_at: datetime | None = None
    """When its latest attempt was written down, right before it was sent; None where it is ``created_at``."""
    settled_at: datetime | None = None
    """When it was known how it ended."""

    def means(self, action: str, body: bytes) -> bool:
        """True if it is this submission, however its JSON is spelled: in what order, with which spaces."""
        return self.action == action and (self.body == body or _canonical(self.body) == _canonical(body))


class OpenTask(msgspec.Struct, frozen=True):
    """A task that had not ended when the journal last heard of it."""

    gateway: str
    task_id: str
    action: str
    """Such as MUSIC; "" where only its id was known."""
    age: float
    """Seconds since it was submitted, or first waited for."""
    submitted: bool
    """It was submitted through this journal."""


def _canonical(body: bytes) -> bytes:
    """One spelling for all that mean the same; what is no JSON has its own only."""
    try:
        # as text: 1, 1.0 and true are equal in Python
        return json.dumps(json.loads(body), sort_keys=True).encode()
    except (ValueError, RecursionError):
        return body
