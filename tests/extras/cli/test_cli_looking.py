"""fetch, wait and watch, against a local gateway."""

import json
import os
import shlex
import signal
import sys

import pytest

from suno_async import Job, Suno
from suno_async.extras.cli import running
from suno_async.extras.cli.looking import Waiting
from suno_async.protocol.life import Again

CLIP = {
    "id": "c",
    "title": "Song",
    "audio_url": "https://x/a.mp3",
    "status": "complete",
    "metadata": {"duration": 61.5},
}


def looked(gateway):
    return lambda: gateway.counts["singles"] + gateway.counts["batches"]


def test_fetch_table(cli, gateway):
    """A look prints a row for each song, in whole lines where stdout is no terminal; success is 0."""
    task_id = gateway.put(data=[CLIP])
    ended = cli("fetch", task_id)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0].split() == ["task", "status", "seconds", "title", "length", "clip", "audio"]
    assert ended.out.splitlines()[1].split()[:2] == [task_id, "SUCCESS"]
    assert ended.out.splitlines()[1].split()[3:] == ["Song", "1:01", "c", "https://x/a.mp3"]


def test_fetch_of_a_running_task(cli, gateway):
    """A task that still runs is no failure of a look."""
    ended = cli("fetch", gateway.put(status="IN_PROGRESS", data=None))
    assert ended.code == 0
    assert "IN_PROGRESS" in ended.out


def test_fetch_json(cli, gateway, stdin):
    """Each id gets one object on a line of its own, also the one that is unknown; then the code is 1."""
    good, bad = gateway.put(data=[CLIP]), gateway.put(status="FAILURE", fail_reason="no")
    stdin(f"{good}\n\n  {bad}  \nunknown\n")
    ended = cli("fetch", "-", "--json")
    by_id = {line["task_id"]: line for line in ended.lines}
    assert ended.code == 1
    assert len(ended.lines) == 3
    assert by_id[good]["songs"][0]["duration"] == 61.5
    assert (by_id[good]["status"], by_id[good]["error"]) == ("SUCCESS", None)
    assert (by_id[bad]["status"], by_id[bad]["fail_reason"]) == ("FAILURE", "no")
    assert (by_id["unknown"]["status"], by_id["unknown"]["error"]) == (None, "not_found")
    assert by_id["unknown"].keys() == by_id[good].keys()
    assert ended.err == "suno-async: the gateway does not know task unknown\n"


def test_fetch_of_failures(cli, gateway):
    """A task that failed is a 1."""
    ended = cli("fetch", gateway.put(status="FAILURE", fail_reason="the band"))
    assert (ended.code, "the band" in ended.out) == (1, True)


def test_fetch_of_many_unknown(cli, gateway):
    """Many ids that are unknown are one line on stderr."""
    ended = cli("fetch", "a", "b", "c")
    assert (ended.code, ended.err) == (
        1,
        "suno-async: The gateway does not know this task id. (3 ids, the first is a)\n",
    )


def test_fetch_from_nobody(cli, gateway):
    """A gateway that is not there is a 5, and says what to do."""
    ended = cli("fetch", "a", "--base-url", "http://127.0.0.1:9", "--json")
    assert (ended.code, ended.err.count("\n"), "try again later" in ended.err) == (5, 1, True)
    assert ended.lines[0]["error"] == "unanswered"


def test_fetch_with_a_wrong_key(cli, gateway, monkeypatch):
    """A key that is refused is a 4, and is not shown."""
    monkeypatch.setenv("SUNO_API_KEY", "sk-wrongwrongwrong")
    ended = cli("fetch", "a")
    assert (ended.code, "wrongwrong" in ended.err + ended.out) == (4, False)


def test_evil_titles(cli, gateway):
    """What a gateway says cannot drive the terminal, nor the table."""
    clip = {**CLIP, "title": "[red]x[/] \x1b[2J\x1b]0;owned\x07:smile:"}
    task_id = gateway.put(data=[clip])
    table, lines = cli("fetch", task_id), cli("fetch", task_id, "--json")
    assert "[red]x[/] :smile:" in table.out
    assert "\x1b" not in table.out + lines.out
    assert lines.lines[0]["songs"][0]["title"] == clip["title"]


def test_wait(cli, gateway):
    """Waiting ends with every task told once; one that failed makes it a 1."""
    good, bad = gateway.put(data=[CLIP]), gateway.put(status="FAILURE", fail_reason="no")
    ended = cli("wait", good, bad, "--json")
    assert {line["task_id"]: line["status"] for line in ended.lines} == {good: "SUCCESS", bad: "FAILURE"}
    assert ended.code == 1
    assert cli("wait", good).code == 0


def test_wait_for_nothing(cli, gateway, stdin):
    """Nothing to wait for is a success without a word."""
    stdin("")
    assert cli("wait", "-") == (0, "", "")


def test_wait_until_playable(cli, gateway):
    """What can be heard ends the wait, although the task runs on; a failure is a 1."""
    streams = gateway.put(status="IN_PROGRESS", data=[{**CLIP, "status": "streaming"}])
    ended = cli("wait", streams, "--until", "playable", "--json")
    assert (ended.code, ended.lines[0]["status"]) == (0, "IN_PROGRESS")
    ended = cli("wait", gateway.put(status="FAILURE", fail_reason="no"), "--until", "playable")
    assert (ended.code, ended.err) == (1, "")


def test_timeout(cli, gateway):
    """A wait that is over is a 3, and says how to go on with what still runs."""
    good, runs = gateway.put(data=[CLIP]), gateway.put(status="IN_PROGRESS", data=None)
    ended = cli("wait", good, runs, "--timeout", "0.3", "--json", "--every", "0.1")
    assert ended.code == 3
    assert {line["task_id"]: line["error"] for line in ended.lines} == {good: None, runs: "timeout"}
    assert ended.err.splitlines()[-1].split() == shlex.split(f"suno-async wait --every 0.1 --timeout 0.3 --json {runs}")
    assert cli("wait", runs, "--until", "playable", "--timeout", "0.1").code == 3
    assert cli("watch", runs, "--timeout", "0.1").code == 3


def test_the_highest_code(cli, gateway):
    """Where several codes apply, the highest counts."""
    bad, runs = gateway.put(status="FAILURE", fail_reason="no"), gateway.put(status="IN_PROGRESS", data=None)
    assert cli("wait", bad, runs, "--timeout", "0.3").code == 3


def test_unknown_ids(cli, gateway, monkeypatch):
    """An id that stays unknown is a 1, and nothing is left to go on with."""
    monkeypatch.setattr("suno_async.protocol.life._STRANGE_SECONDS", 0.0)
    monkeypatch.setattr("suno_async.protocol.life._SOON", Again(within=0.01))
    ended = cli("wait", "nope", "--every", "0.01")
    assert (ended.code, "still open" in ended.err) == (1, False)
    assert "not found" in ended.out


def test_refused_key(cli, gateway, monkeypatch):
    """A key that is refused ends a wait with a 4, and the tasks are still open."""
    monkeypatch.setenv("SUNO_API_KEY", "sk-wrongwrongwrong")
    ended = cli("wait", "a")
    assert ended.code == 4
    assert ended.err.splitlines()[-1] == "  suno-async wait a"


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "soon"])
def test_timeouts_that_are_none(cli, seconds):
    """A time that cannot be waited for is a matter of usage."""
    ended = cli("wait", "a", "--timeout", seconds)
    assert (ended.code, "--timeout" in ended.err) == (2, True)


def test_no_end(cli, gateway):
    """A wait can be without end."""
    assert cli("wait", gateway.put(data=[CLIP]), "--timeout", "none").code == 0


def test_watch(cli, gateway):
    """Each change is a line, with what there is to hear."""
    good = gateway.put(data=[CLIP])
    ended = cli("watch", good)
    assert (ended.code, ended.out) == (0, f"{good}  SUCCESS  Song https://x/a.mp3\n")
    assert cli("watch", good, "--json").lines[0]["task_id"] == good


def test_watch_unknown_ids(cli, gateway, monkeypatch):
    """An id that is unknown is told on stderr."""
    monkeypatch.setattr("suno_async.protocol.life._STRANGE_SECONDS", 0.0)
    monkeypatch.setattr("suno_async.protocol.life._SOON", Again(within=0.01))
    ended = cli("watch", "nope", "--every", "0.01")
    assert (ended.code, ended.out, "nope" in ended.err) == (1, "", True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("verb", ["wait", "watch"])
def test_interrupted(cli, gateway, interrupt, verb, number):
    """Ctrl-C and SIGTERM are a 130, and print the command that goes on with what is open."""
    runs = gateway.put(status="IN_PROGRESS", data=None)
    interrupt(looked(gateway), number)
    ended = cli(verb, runs, "--json")
    assert ended.code == 130
    told, command = ended.err.splitlines()
    assert told == "suno-async: interrupted: 1 task is still open and will run on; go on with"
    assert command.split() == ["suno-async", verb, "--json", runs]
    gateway.finish(runs)
    assert cli(*command.split()[1:]).lines[-1]["status"] == "SUCCESS"


def test_interrupted_with_many(cli, gateway, interrupt, stdin):
    """Many ids that the journal keeps are gone on with by the journal, and none is named."""
    runs = gateway.seed_tasks(30, status="QUEUED", duration=float("inf"))
    interrupt(looked(gateway))
    stdin("\n".join(runs))
    ended = cli("wait", "-", "--until", "playable")
    assert ended.code == 130
    assert ended.err.splitlines()[-1].split() == ["suno-async", "journal", "resume", "--until", "playable"]
    assert {line["task_id"] for line in cli("journal", "open", "--json").lines} == set(runs)


def test_interrupted_with_many_that_nobody_keeps(cli, gateway, interrupt, stdin):
    """Without a journal, many ids are not named as arguments but piped."""
    runs = gateway.seed_tasks(30, status="QUEUED", duration=float("inf"))
    interrupt(looked(gateway))
    stdin("\n".join(runs))
    ended = cli("wait", "-", "--until", "playable", "--journal", "none")
    words = shlex.split(ended.err.splitlines()[-1])
    assert ended.code == 130
    assert words[:2] == ["printf", "%s\\n"]
    assert sorted(words[2:32]) == sorted(runs)
    assert words[32:] == ["|", "suno-async", "wait", "--journal", "none", "--until", "playable", "-"]


def test_interrupted_before_all_are_kept(cli, gateway, interrupt, stdin, monkeypatch):
    """Ids that were not written down yet are named, or they would be lost."""
    runs = gateway.seed_tasks(30, status="QUEUED", duration=float("inf"))

    async def some(self):
        return [Job(self, task_id) for task_id in runs[:29]]

    monkeypatch.setattr(Suno, "resume", some)
    interrupt(looked(gateway))
    stdin("\n".join(runs))
    ended = cli("watch", "-")
    assert (ended.code, ended.err.splitlines()[-1].split()[0]) == (130, "printf")


def test_what_is_waited_for_is_written_down(cli, gateway, folder):
    """What was waited for is in the journal, with its end; a look is not."""
    done, runs = gateway.put(data=[CLIP]), gateway.put(status="IN_PROGRESS", data=None)
    assert cli("fetch", done).code == 0
    assert not folder.exists()
    assert cli("wait", done, runs, "--timeout", "0.3").code == 3
    assert cli("watch", done).code == 0
    assert {line["task_id"]: line["status"] for line in cli("journal", "list", "--json").lines} == {
        done: "SUCCESS",
        runs: "OPEN",
    }
    assert [path.name for path in folder.glob("*.journal")] == ["1.journal"]


@pytest.mark.parametrize("words", [["wait"], ["wait", "--until", "playable"], ["watch"]])
def test_a_reader_that_has_gone(cli, gateway, monkeypatch, words):
    """Whoever closes the pipe has seen enough: a 141, without a word, whatever is still open."""
    runs = gateway.put(status="IN_PROGRESS", data=[{**CLIP, "status": "streaming"}])
    ids = [gateway.put(data=[CLIP]), runs]
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", buffering=1) as gone:  # noqa: PTH123 - a pipe has no path
        monkeypatch.setattr(sys, "stdout", gone)
        ended = cli(*words, *ids, "--json", "--timeout", "5")
    assert (ended.code, ended.err) == (141, "")


def test_bar_of_a_wait(cli, gateway, terminal):
    """On a terminal a bar shows how many are done."""
    screen = terminal()
    assert cli("wait", gateway.put(data=[CLIP]), gateway.put(data=[CLIP])).code == 0
    assert "2/2" in screen.getvalue()


def test_only_one_loop(cli, gateway, monkeypatch):
    """Where a loop has no signal handlers (Windows), everything but SIGTERM works."""

    def cannot(*_):
        raise NotImplementedError

    monkeypatch.setattr(running.asyncio.unix_events._UnixSelectorEventLoop, "add_signal_handler", cannot)
    assert cli("fetch", gateway.put(data=[CLIP])).code == 0


def test_json_is_for_machines(cli, gateway):
    """Other scripts stay as they are, and times are ISO 8601."""
    task_id = gateway.put(data=[{**CLIP, "title": "猫"}])
    ended = cli("fetch", task_id, "--json")
    assert json.loads(ended.out)["finish_time"].endswith("+00:00")
    assert "猫" in ended.out


def test_the_ids_are_told_also_where_nothing_can_be_written(cli, gateway, monkeypatch):
    """If stdout breaks while a wait goes on, how to go on with the open ids is told all the same."""
    done, still = gateway.put(data=[CLIP]), gateway.put(status="IN_PROGRESS", data=None)
    with open("/dev/full", "w", buffering=1) as full:  # noqa: PTH123 - a device, not a path of ours
        monkeypatch.setattr("sys.stdout", full)
        ended = cli("wait", "--json", done, still, "--timeout", "5")
    assert ended.code == 1
    assert shlex.join(["suno-async", "wait", "--timeout", "5.0", "--json"]) in ended.err
    assert still in ended.err


def test_how_to_wait_is_told_in_plain_words(cli):
    """The help of --timeout has one word for no end, and a number as people write it."""
    for verb in ("wait", "watch"):
        told = " ".join(cli(verb, "--help").out.replace("│", " ").split())
        assert "none waits for as long as it takes. [default: 3600]" in told
        assert "choices: none" not in told


def test_the_options_to_go_on_with():
    """They are given again as they were given, but for the one with which nobody waits."""
    assert Waiting(timeout=0.5, until="playable").flags() == ["--timeout", "0.5", "--until", "playable"]
    assert Waiting(timeout="none", as_json=True).flags() == ["--timeout", "none", "--json"]
    assert Waiting().flags() == Waiting(timeout=0.0).flags() == []
