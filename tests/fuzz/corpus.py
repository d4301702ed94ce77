"""The corpus: recorded answers that tell of finished work, and which places in them count.

What counts of a song is its id, its address and its title; of lyrics their id, title and text. Each of these is a
*part*: (number of the song in the answer, name of the field); the song from brace to brace is a part too, `WHOLE`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from documents import Place, written

from suno_async.protocol.exchange import Answer
from suno_async.protocol.models import Lyrics, Song, Task
from suno_async.protocol.wire import read_many

RECORDINGS = {
    path.stem: json.loads(path.read_text())
    for path in sorted((Path(__file__).parents[1] / "recordings").glob("*.json"))
}
WHOLE = "whole"
Part = tuple[int, str]
_FIELDS = {"id": "id", "clip_id": "id", "audio_url": "audio_url", "title": "title", "text": "text"}


class Told(NamedTuple):
    """An answer that tells of finished tasks."""

    name: str
    document: Any
    tasks: dict[str, Task]
    """Each finished task as it reads undamaged."""
    owners: tuple[str, ...]
    """Whose song the n-th is."""
    parts: dict[Place, Part]
    """Where the parts stand."""

    @property
    def task_id(self) -> str:
        """The first id it tells of."""
        return next(iter(self.tasks))

    def things(self, task_id: str) -> dict[int, dict[str, str]]:
        """What counts of one task, by number."""
        numbers = [number for number, owner in enumerate(self.owners) if owner == task_id]
        return dict(zip(numbers, things(self.tasks[task_id]), strict=True))

    def hurt(self, place: Place) -> frozenset[Part]:
        """The parts that change when the value at ``place`` does: those in it, and those it is in."""
        depth = len(place)
        return frozenset(part for at, part in self.parts.items() if at[:depth] == place or place[: len(at)] == at)


def things(task: Task) -> list[dict[str, str]]:
    """What counts of a task: its songs, or its lyrics."""
    made: list[Song | Lyrics] = [*task.songs, *([task.lyrics] if task.lyrics is not None else [])]
    third = {Song: "audio_url", Lyrics: "text"}
    return [{name: getattr(thing, name) for name in ("id", "title", third[type(thing)])} for thing in made]


def _makings(value: Any, place: Place = ()) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Every object that is a song or words, in the order they are written."""
    if isinstance(value, dict) and ("audio_url" in value or "text" in value):
        yield place, value
    elif isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _makings(item, (*place, key))


def told_of(name: str, document: Any) -> Told:
    """What an answer of the usual envelope tells; its ``data`` is a row, or a list of rows."""
    looks = read_many(Answer(200, {}, written(document)[0]))
    assert isinstance(looks, dict), name
    tasks = {task_id: look.task() for task_id, look in looks.items() if look.task().succeeded}
    parts: dict[Place, Part] = {}
    owners: list[str] = []
    for place, made in _makings(document):
        row = document["data"][place[1]] if isinstance(document["data"], list) else document["data"]
        if row["task_id"] in tasks:
            parts[place] = len(owners), WHOLE
            parts |= {(*place, key): (len(owners), _FIELDS[key]) for key in made if key in _FIELDS}
            owners.append(row["task_id"])
    return Told(name, document, tasks, tuple(owners), parts)


def _finished(ask: str) -> list[Told]:
    """The recorded answers to this request in which something is finished."""
    documents = {
        name: recording["body"]
        for name, recording in RECORDINGS.items()
        if recording["ask"] == ask and recording["status"] == 200 and _has_rows(recording["body"])
    }
    return [told for told in (told_of(name, documents[name]) for name in documents) if told.owners]


def _has_rows(document: Any) -> bool:
    rows = document.get("data") if isinstance(document, dict) else None
    return bool(rows) and all("task_id" in row for row in (rows if isinstance(rows, list) else [rows]))


SINGLES = _finished("GET /suno/fetch/{task_id}")
BATCHES = _finished("POST /suno/fetch")
FOREIGN = [
    recording["body"]["data"]
    for name, recording in RECORDINGS.items()
    if name in {"live-2026-bad", "live-2026-not-started", "failure-new", "just-submitted-old"}
]
"""Rows of other tasks: some failed, some under way."""


class Accepted(NamedTuple):
    """An answer that accepts a submission."""

    name: str
    told: Told
    task_id: str
    behind: bytes = b""
    """What stands behind the document."""


def _accepted(name: str, recording: dict[str, Any]) -> Accepted:
    body, behind = recording["body"], b""
    if isinstance(body, str):
        body, end = json.JSONDecoder().raw_decode(body)
        behind = recording["body"][end:].encode()
    place: Place = ("data", "taskId") if isinstance(body["data"], dict) else ("data",)
    parts: dict[Place, Part] = {place: (0, "id")} | {(key,): (0, key) for key in body if key != place[-1]}
    return Accepted(name, Told(name, body, {}, (), parts), recording["expect"]["task_id"], behind)


_SUBMITTED = {
    name: recording for name, recording in RECORDINGS.items() if recording["ask"].startswith("POST /suno/submit/")
}
ACCEPTED = [_accepted(name, recording) for name, recording in _SUBMITTED.items() if "task_id" in recording["expect"]]
REFUSED = [
    (recording["status"], Told(name, recording["body"], {}, (), {("data",): (0, "id")}))
    for name, recording in _SUBMITTED.items()
    if "error" in recording["expect"]
]
"""Answers to submissions that say no, or that nobody can tell."""
