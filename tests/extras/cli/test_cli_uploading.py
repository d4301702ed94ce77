"""upload, against a local gateway and odd answers."""

import io
import json
import shlex
import sys

import pytest
from wire import answer, row, told

from suno_async.extras.cli import uploading

MP3 = b"ID3" + bytes(2000)
TASK = answer({"code": "success", "data": "task_0123456789abcdef"})
URL = "https://sounds.example/a.mp3"


@pytest.fixture
def bytes_on_stdin(monkeypatch):
    """Put bytes on stdin."""
    return lambda data: monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.fixture
def song(tmp_path):
    """A file that sounds."""
    path = tmp_path / "song.mp3"
    path.write_bytes(MP3)
    return path


def by_task(*rows):
    """A gateway that takes an address in as a task, and tells these rows of it one after the other."""
    left = list(rows)

    def step(call):
        if "uploads" in call.path:
            return TASK
        return told(left.pop(0) if len(left) > 1 else left[0])

    return step


RUNNING = row("task_0123456789abcdef", action="UPLOAD")


def test_a_file(cli, private, song):
    """The clip's id, and nothing else, on stdout: the clip is known by it."""
    ended = cli("upload", song)
    clip_id = ended.out.strip()
    assert (ended.code, ended.err) == (0, "")
    assert cli("feed", clip_id, "--json").lines[0]["title"] == "song"


def test_json(cli, private, song):
    """Where it came from, and what it has become."""
    (line,) = cli("upload", "song.mp3", "--json", "--filename", "other.mp3").lines
    assert line["source"] == "song.mp3"
    assert cli("feed", line["clip_id"], "--json").lines[0]["title"] == "other"


def test_stdin(cli, private, bytes_on_stdin):
    """A file may come from stdin; its first bytes tell what it is, or its name."""
    bytes_on_stdin(MP3)
    (line,) = cli("upload", "-", "--json").lines
    assert line["source"] == "-"
    bytes_on_stdin(b"\x01\x02\x03\x04")
    assert cli("upload", "-", "--filename", "odd.mp3").code == 0


def test_an_address(cli, make_wire):
    """An address goes to the gateway, and the task that comes of it is waited for."""
    done = row("task_0123456789abcdef", "SUCCESS", action="UPLOAD")
    wire = make_wire(by_task(RUNNING, done))
    ended = cli("upload", URL, "--every", "0.05")
    assert ended == (0, "clip-task_0123456789abcdef\n", "")
    assert json.loads(wire.calls[0].body) == {"url": URL}


def test_interrupted(cli, make_wire, interrupt):
    """While the task runs, Ctrl-C is a 130 and prints the command that goes on with it."""
    wire = make_wire(by_task(RUNNING))
    interrupt(lambda: wire.asked > 2)
    ended = cli("upload", URL, "--every", "0.05", "--rate", "50")
    assert (ended.code, ended.out) == (130, "")
    why, command = ended.err.splitlines()
    assert why.startswith("suno-async: interrupted, and the clip will be the song of its task: 1 task is still open")
    assert shlex.split(command) == shlex.split("suno-async wait --every 0.05 --rate 50.0 --json task_0123456789abcdef")


def test_going_on(cli, make_wire):
    """What goes on with the task tells the clip's id."""
    make_wire(by_task(row("task_0123456789abcdef", "SUCCESS", action="UPLOAD")))
    (line,) = cli("wait", "--json", "task_0123456789abcdef").lines
    assert [song["id"] for song in line["songs"]] == ["clip-task_0123456789abcdef"]


def test_the_wait_is_over(cli, make_wire):
    """A wait that is over is a 3, and names the task, also without a journal."""
    make_wire(by_task(RUNNING))
    ended = cli("upload", URL, "--every", "0.05", "--timeout", "0.5", "--journal", "none")
    assert (ended.code, ended.out) == (3, "")
    said, _, command = ended.err.splitlines()
    assert "may still succeed" in said
    assert command.split()[-2:] == ["--json", "task_0123456789abcdef"]


def test_interrupted_while_it_is_sent(cli, make_wire, interrupt):
    """Where nothing names a task yet, it is told that it may have been taken in, and it is sent once."""
    wire = make_wire(lambda call: call.stall())
    interrupt(lambda: wire.asked)
    ended = cli("upload", URL, "--journal", "none")
    assert (ended.code, ended.out, wire.asked) == (130, "", 1)
    assert ended.err.startswith("suno-async: interrupted: the gateway may have taken it in all the same")


def test_tasks_of_others_are_left_out(cli, make_wire, interrupt, write_journal):
    """What the journal had before is not what was uploaded."""
    wire = make_wire(lambda call: call.stall())
    write_journal("1.journal", lambda store: store.wait_for(wire.url, ("earlier",)))
    interrupt(lambda: wire.asked)
    ended = cli("upload", URL)
    assert (ended.code, "earlier" in ended.err) == (130, False)


def test_nobody_can_tell(cli, make_wire):
    """What breaks off once it is sent is a 6, and is not sent again."""
    wire = make_wire(lambda call: call.fin())
    ended = cli("upload", URL)
    assert (ended.code, ended.out, wire.asked) == (6, "", 1)
    assert "no journal knows of it" in ended.err


def test_a_recording_that_is_known(cli, private, song):
    """What the gateway refuses is a 1, in its own words."""
    private.faults.once("upload_matches")
    ended = cli("upload", song)
    assert (ended.code, ended.out, "matches an existing recording" in ended.err) == (1, "", True)


def test_files_that_are_none(cli, private, bytes_on_stdin, tmp_path, monkeypatch):
    """What cannot be uploaded is a matter of usage, told in one line, and nothing is sent."""
    (tmp_path / "empty.mp3").write_bytes(b"")
    (tmp_path / "letter").write_bytes(b"Dear Sir,")
    for source, said in (
        ("nowhere.mp3", "there is no such file"),
        ("", "SOURCE must be"),
        ("empty.mp3", "is empty"),
        ("letter", "pass --filename song.mp3"),
        (".", "no such file"),
    ):
        ended = cli("upload", source)
        assert (ended.code, ended.out, ended.err.count("\n"), said in ended.err) == (2, "", 1, True), ended.err
    monkeypatch.setattr(uploading, "MOST_BYTES", 1000)
    bytes_on_stdin(MP3)
    ended = cli("upload", "-")
    assert (ended.code, "on stdin" in ended.err) == (2, True)
    assert not private.requests


def test_a_file_that_cannot_be_read(cli):
    """It is named, with the reason."""
    ended = cli("upload", "/proc/self/mem", "--filename", "song.mp3")
    assert ended == (2, "", "suno-async: /proc/self/mem cannot be read: Input/output error\n")
