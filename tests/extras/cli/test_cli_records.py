"""What a task looks like as one line of JSON."""

import io
import json
import sys
from datetime import UTC, datetime

import pytest

from suno_async import GatewayUnavailable, Lyrics, Song, Task, TaskNotFound, WaitTimeout
from suno_async.extras.cli.records import (
    absence_record,
    demo_record,
    print_json,
    seconds_of,
    song_record,
    task_record,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2026, 1, 1, 0, 1, 38, tzinfo=UTC)


def test_task():
    """A task is told with all its songs, its times and its lyrics."""
    task = Task(task_id="a", songs=(Song(id="s"),), lyrics=Lyrics(text="la"), submit_time=START, finish_time=END)
    record = task_record(task)
    assert (record["seconds"], record["songs"][0]["id"], record["lyrics"]["text"]) == (98.0, "s", "la")
    assert record["status"] == "UNKNOWN"


def test_song():
    """A song has the same fields as within a task, and a word for why there is none."""
    record = song_record(Song(id="s", title="T"))
    assert {**task_record(Task(task_id="a", songs=(Song(id="s", title="T"),)))["songs"][0], "error": None} == record
    assert song_record(Song(id="s"), "not_found") == {**record, "title": "", "error": "not_found"}


@pytest.mark.parametrize(
    ("error", "word"),
    [(TaskNotFound(), "not_found"), (WaitTimeout(), "timeout"), (GatewayUnavailable(), "unanswered")],
)
def test_absence(error, word):
    """An id without a task has the same fields, and one word for why."""
    record = absence_record("a", error)
    assert (record["task_id"], record["status"], record["error"]) == ("a", None, word)


def test_demo():
    """A demonstration tells the looks, and lyrics as title and text."""
    assert demo_record(Task(task_id="a", lyrics=Lyrics(title="T", text="la")), 3) == {
        "task_id": "a",
        "action": "",
        "status": "",
        "seconds": None,
        "looks": 3,
        "songs": [],
        "lyrics": {"title": "T", "text": "la"},
    }


def test_seconds_of_what_has_not_ended():
    """A task without an end has no length."""
    assert seconds_of(Task(task_id="a", submit_time=START)) is None


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_one_line(monkeypatch, encoding):
    """A line decodes to what it was, in every encoding, and holds nothing that a terminal obeys."""
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", out)
    record = {"title": "猫 \x1b[2J \x9b2J \u2028 \u202e \ud800 \n 😀", "at": "x"}
    print_json({**record, "at": START})
    out.flush()
    (line,) = out.buffer.getvalue().decode(encoding).splitlines()
    assert json.loads(line) == {**record, "at": "2026-01-01T00:00:00+00:00"}
    assert not {"\x1b", "\x9b", "\u202e"} & set(line)
