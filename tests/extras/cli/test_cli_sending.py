"""The sending of a submission, against a local gateway."""

import pytest

from suno_async import JournalError
from suno_async.engine.journal import Journal


def test_id(cli, gateway):
    """A submission prints the id and nothing else, or an object."""
    ended = cli("submit", "inspiration", "a cat")
    assert (ended.code, ended.err) == (0, "")
    assert cli("fetch", ended.out.strip(), "--json").lines[0]["status"] == "NOT_START"
    assert cli("submit", "lyrics", "a dog", "--json").lines[0].keys() == {"task_id"}


def test_wait(cli, make_gateway, monkeypatch):
    """With --wait the task is waited for, and the id is told at once on stderr."""
    served = make_gateway(speed=500, beat=1)
    monkeypatch.setenv("SUNO_API_KEY", served.api_key)
    ended = cli("submit", "lyrics", "a dog", "--wait", "--json", "--base-url", served.url, "--every", "0.05")
    (task,) = ended.lines
    assert (ended.code, task["status"]) == (0, "SUCCESS")
    assert task["lyrics"]["text"]
    assert ended.err == f"suno-async: submitted as {task['task_id']}\n"


def test_interrupted(cli, gateway, interrupt):
    """Ctrl-C while it is waited for prints how to go on."""
    interrupt(lambda: gateway.counts["singles"])
    ended = cli("submit", "lyrics", "a dog", "--wait", "--every", "0.05")
    task_id = ended.err.split()[3]
    assert ended.code == 130
    assert ended.err.splitlines()[-1].split() == ["suno-async", "wait", "--every", "0.05", task_id]


def test_interrupted_on_its_way(cli, make_gateway, monkeypatch, interrupt, caplog):
    """Ctrl-C while the answer is on its way reads it to its end, and tells the id."""
    served = make_gateway(speed=40)
    monkeypatch.setenv("SUNO_API_KEY", served.api_key)
    served.faults.once("drip")
    monkeypatch.setattr("suno_async.extras.cli.running._PATIENCE", 0.01)
    interrupt(lambda: served.counts["accepted"])
    ended = cli("submit", "lyrics", "a dog", "--wait", "--base-url", served.url)
    assert (ended.code, ended.out) == (130, "")
    assert "once more stops at once" in ended.err
    assert "suno-async wait ID" in ended.err
    assert "task_" in caplog.text


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("answer_lost", 6, "before you submit it again, see suno-async journal unknown"),
        ("upstream_refuses", 1, "prompt was refused"),
        ("out_of_credit", 4, "add credit"),
    ],
)
def test_refusals(cli, gateway, fault, code, said):
    """What became of a submission is told by the exit code, in one line."""
    gateway.faults.once(fault)
    ended = cli("submit", "inspiration", "a cat")
    assert (ended.code, ended.out, said in ended.err, ended.err.count("\n")) == (code, "", True, 1)


@pytest.mark.parametrize("fault", ["overloaded", "rate_limited"])
def test_a_gateway_that_is_full(cli, gateway, monkeypatch, fault):
    """A gateway that cannot take it now, also when asked again, is a 5."""
    monkeypatch.setattr("suno_async.protocol.limits._MOST_RESUBMITTED", 2)
    gateway.faults[fault] = 1.0
    ended = cli("submit", "inspiration", "a cat")
    assert (ended.code, ended.out, "try again later" in ended.err, ended.err.count("\n")) == (5, "", True, 1)


def test_written_down(cli, gateway):
    """What was submitted is in the journal, and ``--journal none`` keeps nothing."""
    task_id = cli("submit", "inspiration", "a cat").out.strip()
    cli("submit", "inspiration", "a dog", "--journal", "none")
    (kept,) = cli("journal", "list", "--json").lines
    assert (kept["task_id"], kept["state"], kept["status"]) == (task_id, "accepted", "OPEN")


@pytest.mark.parametrize("more", [[], ["--journal", "mine.journal"]])
def test_idempotency(cli, gateway, more):
    """The same key gives the same task and sends nothing; another body under it is refused."""
    words = ["--idempotency-key", "order 1", *more]
    first = cli("submit", "inspiration", "a cat", *words)
    again = cli("submit", "inspiration", "a cat", *words)
    other = cli("submit", "inspiration", "a dog", *words)
    assert (again.code, again.out, gateway.counts["accepted"]) == (0, first.out, 1)
    assert (other.code, "another submission" in other.err) == (4, True)
    assert cli("submit", "inspiration", "a cat", "--idempotency-key", "order 2", *more).out != first.out


def test_an_unknown_one_is_not_sent_again(cli, gateway):
    """An idempotency key whose submission may have been accepted sends nothing, again and again."""
    gateway.faults.once("answer_lost")
    codes = [cli("submit", "lyrics", "a cat", "--idempotency-key", "k").code for _ in range(3)]
    assert (codes, gateway.counts["submissions"]) == ([6, 6, 6], 1)


@pytest.mark.parametrize("key", ["", "ü", "x" * 201])
def test_keys_that_are_none(cli, key):
    """A key that is none is a matter of usage."""
    ended = cli("submit", "lyrics", "a cat", "--idempotency-key", key)
    assert (ended.code, "is no idempotency key" in ended.err) == (2, True)


def test_a_disk_that_is_full(cli, gateway, monkeypatch):
    """Where the intent cannot be written down nothing is sent, and no other journal is advised for a key."""

    async def refuse(*_):
        raise JournalError("the disk is full")

    monkeypatch.setattr(Journal, "intend", refuse)
    plain, keyed = (cli("submit", "lyrics", "a", *more) for more in ([], ["--idempotency-key", "k"]))
    assert (plain.code, keyed.code, gateway.counts["submissions"]) == (4, 4, 0)
    assert ("--journal PATH" in plain.err, "--journal" in keyed.err) == (True, False)


def test_a_disk_that_fills_up(cli, gateway, monkeypatch):
    """A task that was accepted and cannot be written down is told on stdout all the same, with a 4."""

    async def refuse(*_):
        raise JournalError("the disk is full")

    monkeypatch.setattr(Journal, "conclude", refuse)
    ended = cli("submit", "lyrics", "a cat", "--wait")
    assert (ended.code, "keep the id" in ended.err) == (4, True)
    assert cli("fetch", ended.out.strip()).code == 0
