"""demo: all of it, with no key and no network."""

import re
from collections import deque
from types import SimpleNamespace

from suno_async.extras.cli.demo import Looks
from suno_async.testing.gateway.routes import Seen

KEYS = ["task_id", "action", "status", "seconds", "looks", "songs", "lyrics"]


def test_json(cli):
    """Each finished task is one object; its looks add up to the ids that the gateway was asked for."""
    ended = cli("demo", "--json", "--tasks", "5", "--speed", "200")
    assert ended.code == 0
    assert [list(line) for line in ended.lines] == [KEYS] * 5
    summary = ended.err.splitlines()[-1]
    assert int(re.search(r"would have been (\d+)", summary)[1]) == sum(line["looks"] for line in ended.lines)
    assert "5 requests to submit" in summary
    songs = [line for line in ended.lines if line["action"] == "MUSIC"]
    lyrics = [line for line in ended.lines if line["action"] == "LYRICS"]
    assert all(list(song) == ["id", "title", "audio_url", "duration"] for line in songs for song in line["songs"])
    assert all(len(line["songs"]) == 2 and line["lyrics"] is None and line["seconds"] > 0 for line in songs)
    assert lyrics[0]["lyrics"].keys() == {"title", "text"}


def test_table(cli):
    """Without --json a table comes at the end, and what happens is told line by line."""
    ended = cli("demo", "--tasks", "2", "--speed", "200")
    head, *rows = ended.out.splitlines()
    assert head.split() == ["title", "task", "length", "status", "seconds", "looks", "audio"]
    assert len(rows) == 4
    assert all("SUCCESS" in row and "/audio/" in row for row in rows)
    assert ended.err.startswith("suno-async: 2 tasks submitted\n")
    assert ended.err.count("SUCCESS") == 2


def test_live(cli, terminal):
    """On a terminal the tasks are drawn while they run."""
    screen = terminal()
    assert cli("demo", "--tasks", "2", "--speed", "100").code == 0
    assert "at the gateway" in screen.getvalue()
    assert "looks" in screen.getvalue()


def test_usage(cli):
    """A demonstration of nothing is a 2."""
    assert cli("demo", "--tasks", "0").code == 2


def test_looks_are_counted_at_the_gateway():
    """Looks are the times the gateway was asked for an id, each request counted once."""
    requests = deque([Seen("POST", "/suno/fetch", ("a", "b")), Seen("POST", "/suno/submit/music", ())])
    looks = Looks(SimpleNamespace(requests=requests))
    assert (looks.of("a"), looks.of("b"), looks.of("c")) == (1, 1, 0)
    requests.append(Seen("GET", "/suno/fetch/a", ("a",)))
    assert looks.of("a") == 2
