"""What a task looks like as one line of JSON."""

import json
import re
import sys
from typing import Any

import msgspec

from ...protocol.errors import SunoError, TaskNotFound, WaitTimeout
from ...protocol.models import Song, Task

_RISKY = re.compile(r"[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_SONG_FIELDS = ("id", "title", "audio_url", "duration")


def task_record(task: Task) -> dict[str, Any]:
    """Everything about a task but its untouched payload; ``error`` is null."""
    return {
        "task_id": task.task_id,
        "action": task.action,
        "status": task.status_text or task.status.value,
        "progress": task.progress,
        "fail_reason": task.fail_reason,
        "seconds": seconds_of(task),
        "submit_time": task.submit_time,
        "start_time": task.start_time,
        "finish_time": task.finish_time,
        "songs": [msgspec.structs.asdict(song) for song in task.songs],
        "lyrics": msgspec.structs.asdict(task.lyrics) if task.lyrics is not None else None,
        "error": None,
    }


def song_record(song: Song, error: str | None = None) -> dict[str, Any]:
    """Everything about a song; of one that the gateway does not know, its id and ``error`` not_found."""
    return {**msgspec.structs.asdict(song), "error": error}


def absence_record(task_id: str, error: SunoError) -> dict[str, Any]:
    """An id of which there is no task to tell: ``error`` is not_found, timeout or unanswered, all else is empty."""
    empty = task_record(Task(task_id=task_id))
    return {**empty, "status": None, "error": absence(error)}


def absence(error: SunoError) -> str:
    """Why there is no task to tell of, in one word."""
    if isinstance(error, TaskNotFound):
        return "not_found"
    return "timeout" if isinstance(error, WaitTimeout) else "unanswered"


def demo_record(task: Task, looks: int) -> dict[str, Any]:
    """What a demonstration tells of a finished task."""
    return {
        "task_id": task.task_id,
        "action": task.action,
        "status": task.status_text,
        "seconds": seconds_of(task),
        "looks": looks,
        "songs": [{name: getattr(song, name) for name in _SONG_FIELDS} for song in task.songs],
        "lyrics": {"title": task.lyrics.title, "text": task.lyrics.text} if task.lyrics is not None else None,
    }


def seconds_of(task: Task) -> float | None:
    """How long the task took by the gateway's own columns."""
    if task.finish_time is None or task.submit_time is None:
        return None
    return (task.finish_time - task.submit_time).total_seconds()


def print_json(record: dict[str, Any]) -> None:
    """One object, one line, at once; nothing in it that a terminal would obey."""
    plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    line = json.dumps(record, default=_iso, ensure_ascii=plain)
    print(_RISKY.sub(lambda found: f"\\u{ord(found[0]):04x}", line), flush=True)


def _iso(moment: Any) -> str:
    return str(moment.isoformat())
