"""What people read."""

import os
import sys
from contextlib import suppress

import pytest
from rich.text import Text

from suno_async import Lyrics, Song, Status, Task, TaskNotFound, WaitTimeout
from suno_async.extras.cli.tables import (
    absence_row,
    change_line,
    detail,
    minutes,
    print_table,
    song_row,
    status_text,
    stderr,
    task_rows,
)

URL = "https://gateway.example/audio/36b4ae76-fc41-df7f-de68-ec7b97e27482.wav"


def rows(count=1):
    song = Song(id="c1", title="City Lights", audio_url=URL, duration=123.4)
    return task_rows(Task(task_id="task_1", status=Status.SUCCESS, songs=(song,) * count))


def test_wide(capsys):
    """Where no screen ends, everything stands in one line."""
    print_table(("task", "title", "length", "audio"), rows())
    assert capsys.readouterr().out.splitlines()[1] == f"task_1  City Lights    2:03  {URL}"


def test_songs(capsys):
    """A song by its own id; what a gateway says of it cannot drive the terminal, and numbers stand to the right."""
    song = Song(id="c\x1b[2J1", title="T\n", status="stream\x07ing", audio_url=URL, duration=61)
    print_table(("clip", "status", "title", "length", "audio"), [song_row(song)])
    assert capsys.readouterr().out.splitlines()[1] == f"c1    streaming  T        1:01  {URL}"
    print_table(("used", "word"), [{"used": Text("1"), "word": Text("x")}])
    assert capsys.readouterr().out.splitlines()[1].rstrip() == "   1  x"


def test_narrow(terminal, monkeypatch):
    """On a narrow terminal clips and addresses stand in lines of their own, whole; colours only where wanted."""
    screen = terminal("stdout")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    print_table(("task", "status", "title", "clip", "audio"), [*rows(), {"task": Text("b")}])
    assert f"City Lights  c1  {URL}\n" in screen.getvalue()
    assert "clip" not in screen.getvalue()
    assert "\x1b[3" not in screen.getvalue()


def test_narrow_without_a_task(terminal, monkeypatch):
    """A clip that nobody knows has nothing but its id, which stays in the table."""
    screen = terminal("stdout")
    monkeypatch.setenv("COLUMNS", "60")
    print_table(("clip", "title", "audio"), [song_row(Song(id="c1", title="T", audio_url=URL)), {"clip": Text("c2")}])
    words = screen.getvalue().split()
    assert [word for word in words if word in {"c1", "c2", "T", URL}] == ["c1", "T", "c2", "T", URL]


def test_wide_terminal(terminal, monkeypatch):
    """On a wide terminal the table holds it all, in colour."""
    screen = terminal("stdout")
    monkeypatch.setenv("COLUMNS", "200")
    print_table(("task", "status", "title", "audio"), rows())
    assert screen.getvalue().count(URL) == 1
    assert "\x1b[32m" in screen.getvalue()


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (Task(task_id="a", status=Status.FAILURE, fail_reason="the \x1b[1mband"), "the band"),
        (Task(task_id="a", lyrics=Lyrics(title="Words")), "Words"),
        (Task(task_id="a", songs=(Song(title="No"), Song(title="Yes", audio_url="u"))), "Yes u"),
        (Task(task_id="a", progress=45), "45 %"),
        (Task(task_id="a"), ""),
    ],
)
def test_detail(task, said):
    """There is one thing to say about every task."""
    assert detail(task) == said


def test_failed_task_with_songs():
    """A failed task tells why, and keeps its songs."""
    told = task_rows(Task(task_id="a", status=Status.FAILURE, fail_reason="no", songs=(Song(title="T"),)))
    assert [row["title"].plain for row in told] == ["no", "T"]


def test_status():
    """The gateway's own word is shown, cleaned."""
    assert status_text(Task(task_id="a", status_text="\x1b[2JODD")).plain == "ODD"


def test_minutes():
    """Lengths read as players show them."""
    assert [minutes(None), minutes(0), minutes(61.9), minutes(600)] == ["", "0:00", "1:01", "10:00"]


def test_absence():
    """An id without a task says why in words."""
    told = [absence_row("a", error)["status"].plain for error in (TaskNotFound(), WaitTimeout())]
    assert told == ["not found", "timeout"]


def test_change():
    """A change is one harmless line."""
    line = change_line(Task(task_id="a", status=Status.FAILURE, status_text="FAILURE", fail_reason="the\nband"))
    assert line.plain == "a  FAILURE  the band"


def test_progress_goes_to_stderr(capsys):
    """What is no data is drawn on stderr."""
    stderr().print("50 %")
    assert capsys.readouterr() == ("", "50 %\n")


def test_a_reader_that_has_gone(monkeypatch):
    """A table that nobody reads is a broken pipe, and no exit of somebody else's choice."""
    reader, writer = os.pipe()
    os.close(reader)
    with suppress(BrokenPipeError), open(writer, "w") as gone:  # noqa: PTH123 - a pipe has no path
        monkeypatch.setattr(sys, "stdout", gone)
        with pytest.raises(BrokenPipeError):
            print_table(("task", "title"), rows())
