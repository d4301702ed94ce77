"""The entries: what submissions and tasks of journals look like, to people and as one line of JSON."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.text import Text

from ...protocol.intents import Intent, IntentState
from .contents import OPEN, Kept, KeptTask
from .tables import Cells
from .words import clean

_SHOWN = 40
_WORDS = ("title", "gpt_description_prompt", "prompt", "tags")
_ENDED = "the process that sent it ended before it knew the answer"


class Entry(NamedTuple):
    """A submission, the task it became, or a task that was only waited for."""

    intent: Intent | None
    task: KeptTask | None
    path: Path

    @property
    def names(self) -> dict[str, str | None]:
        """What it is called, here and there."""
        intent, task = self.intent, self.task
        either = intent or task
        return {
            "action": either.action.upper() if either is not None else "",
            "task_id": task.task_id if task is not None else intent.task_id if intent is not None else None,
            "intent_id": intent.intent_id if intent is not None else None,
            "idempotency_key": intent.idempotency_key if intent is not None else None,
            "gateway": either.gateway if either is not None else "",
        }

    @property
    def since(self) -> datetime | None:
        """When it was first written down, as far as that is kept."""
        if self.intent is not None:
            return self.intent.created_at
        if self.task is None or self.task.age is None:
            return None
        # an age is as old as the moment in which it was read
        return (datetime.now(UTC) - timedelta(seconds=self.task.age)).replace(microsecond=0)

    @property
    def open(self) -> bool:
        """There is a task, and it is not known to have ended."""
        return self.task is not None and self.task.status == OPEN


def entries_of(kept: Kept) -> Iterator[Entry]:
    """A submission and its task are one entry; then come the tasks that were not submitted here."""
    tasks = kept.tasks()
    for intent, path in kept.intents():
        task = tasks.pop((intent.gateway, intent.task_id), None) if intent.task_id is not None else None
        yield Entry(as_known(intent), task, path)
    for task in tasks.values():
        yield Entry(None, task, task.path)


def as_known(intent: Intent) -> Intent:
    """Where the process is gone, an intent without an outcome is one of which nobody can tell."""
    if intent.state is not IntentState.INTENDED:
        return intent
    return msgspec.structs.replace(intent, state=IntentState.UNKNOWN, reason=_ENDED)


def entry_row(entry: Entry) -> Cells:
    """One row of a table."""
    words = [entry.intent.state.value if entry.intent else "", entry.task.status if entry.task else ""]
    told = {name: value or "" for name, value in entry.names.items()}
    told["when"] = moment(entry.since)
    told["state"] = " ".join(word.replace("_", " ") for word in words if word)
    told["age"] = duration(entry.task.age) if entry.task is not None and entry.task.age is not None else ""
    told["what"] = gist(entry.intent)
    return {name: Text(clean(text)) for name, text in told.items()}


def entry_record(entry: Entry) -> dict[str, Any]:
    """Everything that is kept of it; what there is not is null."""
    intent, task = entry.intent, entry.task
    reasons = (task.reason if task is not None else "", intent.reason if intent is not None else "")
    return {
        **entry.names,
        "when": entry.since,
        "state": intent.state.value if intent is not None else None,
        "status": task.status if task is not None else None,
        "age": task.age if task is not None else None,
        "reason": next(filter(None, reasons), ""),
        "http_status": (intent.status or None) if intent is not None else None,
        "request_id": intent.request_id if intent is not None else None,
        "excerpt": intent.excerpt if intent is not None else None,
        "body": body_of(intent) if intent is not None else None,
        "journal": str(entry.path),
    }


def lines_about(intent: Intent) -> list[str]:
    """What there is to know about a submission of which nobody can tell."""
    key = intent.idempotency_key
    lines = [
        (intent.intent_id, moment(intent.created_at), intent.action.upper(), gist(intent)),
        ("", f"at {intent.gateway}", f"key {key}" if key is not None else ""),
        ("", intent.reason),
    ]
    if intent.status or intent.request_id:
        lines.append(("", f"HTTP {intent.status or '-'}, request id {intent.request_id or '-'}"))
    if intent.excerpt:
        lines.append(("", f"answer: {intent.excerpt}"))
    return ["  ".join(map(clean, line)).rstrip() for line in lines]


def moment(when: datetime | None) -> str:
    """A time by this machine's clock and zone."""
    return "" if when is None else when.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float) -> str:
    """How long, to people."""
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds // unit:.0f} {name}"
    return f"{seconds // 86_400:.0f} days"


def gist(intent: Intent | None) -> str:
    """What people know a submission by: the beginning of its title, or of its words."""
    body = body_of(intent) if intent is not None else None
    words = [body.get(name) for name in _WORDS] if isinstance(body, dict) else []
    text = next(filter(None, (clean(word) for word in words if isinstance(word, str))), "")
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def body_of(intent: Intent) -> Any:
    """What was to be submitted, decoded."""
    try:
        return json.loads(intent.body)
    except ValueError:
        return None
