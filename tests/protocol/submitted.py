"""Submissions as a journal keeps them, for the tests of what the gateway's accounts say of them."""

import json
from datetime import UTC, datetime

from suno_async.protocol.intents import Intent, IntentState

ZERO = 1_800_000_000.0
NOW = 10_000.0
KEY = "fingerprint of the key"


def moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(ZERO + seconds, UTC)


def intent(name: str, sent: float, settled: float | None = None, **facts) -> Intent:
    """One that was sent and settled at these seconds; unknown, unless it is said to be something else."""
    body = json.dumps(facts.pop("words", {"prompt": name})).encode()
    made = {"action": "music", "body": body, "sent": True, "intent_id": name, "fingerprint": KEY} | facts
    return Intent(**made, created_at=moment(sent), settled_at=moment(settled))


def accepted(name: str, sent: float, settled: float | None = None, **facts) -> Intent:
    """One that is known to be accepted, under a request id of its name."""
    facts = {"state": IntentState.ACCEPTED, "request_id": name, "task_id": f"task_{name}"} | facts
    return intent(name, sent, sent + 2 if settled is None else settled, **facts)


def findings(verdicts):
    return [verdict.finding for verdict in verdicts]
