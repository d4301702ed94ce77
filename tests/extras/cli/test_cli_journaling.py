# ruff: noqa: S603 (it runs itself)
"""The commands of the journal that need no gateway, and what is left of processes that were killed."""

import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from suno_async import Intent, IntentState

GATEWAY = "https://gateway.example"
THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def intent(name, state, **more):
    fields = {"body": b'{"prompt": "a dog"}', "sent": True, "gateway": GATEWAY, "created_at": THEN, **more}
    return Intent(action="music", intent_id=name, state=state, **fields)


def intended(name="01", **more):
    return lambda store: store.intend(intent(name, IntentState.INTENDED, **{"body": b'{"prompt": "a cat"}', **more}))


def concluded(name, state, **more):
    return lambda store: store.conclude(intent(name, state, **more))


def waited(*ids):
    return lambda store: store.wait_for(GATEWAY, ids)


@pytest.fixture
def process(gateway):
    """Runs a command line in a process of its own."""
    started = []

    def start(*words):
        command = [sys.executable, "-m", "suno_async", *words]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.communicate()


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


VERBS = "list", "open", "unknown"


def test_nothing_yet(cli, folder):
    """Before anything was submitted there is nothing to show, nothing is made to show it, and it is said so."""
    said = f"suno-async: no journals in {folder}; one that lies elsewhere, as a program's own, is named with --journal"
    for verb in VERBS:
        assert cli("journal", verb) == cli("journal", verb, "--json") == (0, "", f"{said} PATH\n")
    assert not folder.exists()


def test_nothing_of_that(cli, write_journal, folder):
    """Where journals hold nothing of what is asked for, it is said which were read: the library's own lie elsewhere."""
    ended_long_ago = lambda store: store.end(GATEWAY, "task-a", "SUCCESS", "")  # noqa: E731 - an operation
    path = write_journal("1.journal", waited("task-a"), ended_long_ago)
    for count, which in ((1, f"1 journal in {folder};"), (2, f"2 journals in {folder};")):
        write_journal(f"{count}.journal")
        for verb in ("open", "unknown"):
            ended = cli("journal", verb)
            assert (ended.code, ended.out, ended.err.startswith(f"suno-async: nothing of that in {which}")) == (
                0,
                "",
                True,
            )
    assert cli("journal", "unknown", "--journal", path) == (0, "", f"suno-async: nothing of that in {path}\n")


def test_nothing_is_said_of_nothing_where_a_journal_is_left_out(cli, held, folder):
    """That the only journal could not be read is all there is to say: there may be something in it."""
    held(folder / "1.journal")
    for verb in VERBS:
        ended = cli("journal", verb)
        assert (ended.err.count("\n"), "is in use" in ended.err) == (1, True)


def test_an_empty_name(cli, folder, monkeypatch):
    """A flag that is empty, as a shell's variable that is not set, is a 2: no other journal was meant."""
    monkeypatch.setenv("SUNO_BASE_URL", GATEWAY)
    commands = [*VERBS, "resume", "reconcile"]
    for words in (*(["journal", verb] for verb in commands), ["doctor"], ["submit", "lyrics", "a"], ["wait", "a"]):
        for empty in ("", " "):
            ended = cli(*words, "--journal", empty)
            assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
            assert "--journal" in ended.err
            assert "empty" in ended.err
    assert "--base-url" in cli("wait", "a", "--base-url", "").err
    assert cli("doctor", "--base-url", "").code == 2
    assert not folder.exists()


def test_help(cli):
    """The commands of the journal are told with the others."""
    ended = cli("journal", "--help")
    assert all(verb in ended.out for verb in ("list", "open", "unknown", "resume", "reconcile", "forget"))
    assert "access-token-file" in cli("journal", "reconcile", "--help").out


def test_list(cli, write_journal):
    """Everything that is kept is a row: when, what, how far, and all its names; control characters are not."""
    write_journal(
        "1.journal",
        intended(body=b'{"title": "\\u001b[2Jevil \\u001b]0;owned\\u0007title"}', idempotency_key="order-7"),
        concluded("02", IntentState.ACCEPTED, task_id="task-a"),
        waited("task-b"),
    )
    ended = cli("journal", "list")
    head, *rows = ended.out.splitlines()
    assert (ended.code, ended.err, "\x1b" in ended.out) == (0, "", False)
    assert head.split() == ["when", "action", "state", "what", "task_id", "intent_id", "idempotency_key", "gateway"]
    assert rows[0].split()[2:] == ["MUSIC", "unknown", "evil", "title", "01", "order-7", GATEWAY]
    assert rows[1].split()[2:] == ["MUSIC", "accepted", "OPEN", "a", "dog", "task-a", "02", GATEWAY]
    assert rows[2].split()[2:] == ["OPEN", "task-b", GATEWAY]


def test_list_json(cli, write_journal):
    """With --json the whole body is told."""
    path = write_journal("1.journal", intended(), waited("task-b"))
    first, second = cli("journal", "list", "--json").lines
    assert (first["body"], first["when"], first["journal"]) == ({"prompt": "a cat"}, THEN.isoformat(), str(path))
    assert (second["task_id"], second["body"], second["status"]) == ("task-b", None, "OPEN")


def test_open(cli, write_journal):
    """The tasks that have not ended anywhere are open, with their age."""
    write_journal("1.journal", concluded("02", IntentState.ACCEPTED, task_id="task-a"), waited("task-b", "task-c"))
    end = lambda store: store.end(GATEWAY, "task-c", "SUCCESS", "")  # noqa: E731 - an operation
    write_journal("2.journal", waited("task-c"), end)
    assert [line["task_id"] for line in cli("journal", "open", "--json").lines] == ["task-a", "task-b"]
    head, *rows = cli("journal", "open").out.splitlines()
    assert head.split() == ["age", "action", "what", "task_id", "intent_id", "gateway"]
    assert rows[0].split()[1:] == ["days", "MUSIC", "a", "dog", "task-a", "02", GATEWAY]


def test_unknown(cli, write_journal):
    """What nobody can tell about is told with what is known of the answer, and what to do."""
    unknown = {"status": 504, "request_id": "r-1", "excerpt": "<html>", "reason": "no answer"}
    write_journal(
        "1.journal",
        intended(),
        concluded("02", IntentState.UNKNOWN, **unknown),
        concluded("03", IntentState.REJECTED),
    )
    ended = cli("journal", "unknown")
    assert (ended.code, ended.err.count("\n")) == (0, 1)
    assert "suno-async journal reconcile" in ended.err
    assert "ended before it knew the answer" in ended.out
    assert "HTTP 504, request id r-1" in ended.out
    assert "03" not in ended.out.split()
    lines = cli("journal", "unknown", "--json").lines
    assert [(line["intent_id"], line["http_status"], line["state"]) for line in lines] == [
        ("01", None, "unknown"),
        ("02", 504, "unknown"),
    ]


def test_one_that_was_named(cli, write_journal, tmp_path, monkeypatch):
    """A journal that is named by a flag or the environment is the only one that is shown."""
    write_journal("1.journal", waited("task-a"))
    mine = write_journal("1.journal", waited("task-b")).rename(tmp_path / "mine.journal")
    write_journal("1.journal", waited("task-c"))
    named = cli("journal", "open", "--json", "--journal", mine)
    monkeypatch.setenv("SUNO_JOURNAL", str(mine))
    for ended in (named, cli("journal", "open", "--json")):
        assert [line["task_id"] for line in ended.lines] == ["task-a", "task-b"]
    assert cli("journal", "open", "--journal", "gone").code == 2
    assert cli("journal", "open", "--journal", "none").code == 2


def test_what_cannot_be_shown(cli, write_journal, spoil, held, folder):
    """Journals that are in use or damaged are named on stderr; the others are shown all the same."""
    write_journal("1.journal", waited("task-a"))
    in_use = held(folder / "2.journal")
    ended = cli("journal", "list", "--json")
    assert (ended.code, [line["task_id"] for line in ended.lines]) == (0, ["task-a"])
    assert f"{in_use} is in use by process" in ended.err
    spoil(write_journal("3.journal", waited("spoilt", "task-b")))
    ended = cli("journal", "list", "--json")
    assert (ended.code, len(ended.lines), ended.err.splitlines()[-1]) == (4, 1, "  suno-async wait task-b")


def test_forget(cli, write_journal, stdin):
    """Only what is named is taken out, from whichever journal it lies in, and it is told how much that was."""
    write_journal("1.journal", intended("01"), intended("02"), waited("task-a"))
    write_journal("2.journal", waited("task-a", "task-b"))
    assert cli("journal", "forget", "task-a", "01") == (0, "3 forgotten\n", "")
    left = cli("journal", "list", "--json").lines
    assert [line["intent_id"] or line["task_id"] for line in left] == ["02", "task-b"]
    ended = cli("journal", "forget", "gone", "02")
    assert (ended.code, ended.out, ended.err) == (1, "1 forgotten\n", "suno-async: gone is in no journal\n")
    stdin("task-b\ngone\n")
    assert cli("journal", "forget", "-", "--json").lines == [
        {"id": "task-b", "forgotten": 1},
        {"id": "gone", "forgotten": 0},
    ]


def test_forget_a_task_that_was_submitted(cli, write_journal):
    """Its submission stays in the list, and it is said how to forget that; where both are named nothing stays."""
    write_journal("1.journal", concluded("02", IntentState.ACCEPTED, task_id="task-a", idempotency_key="k"))
    write_journal("2.journal", concluded("03", IntentState.ACCEPTED, task_id="task-b"), waited("task-a"))
    said = "suno-async: that it was submitted stays in the list, until it is forgotten by its intent id as well: 02\n"
    assert cli("journal", "forget", "task-a") == (0, "2 forgotten\n", said)
    assert [line["task_id"] for line in cli("journal", "open", "--json").lines] == ["task-b"]
    assert [line["intent_id"] for line in cli("journal", "list", "--json").lines] == ["02", "03"]
    # it is not waited for any more
    assert cli("journal", "forget", "task-a") == (1, "0 forgotten\n", "suno-async: task-a is in no journal\n")
    assert cli("journal", "forget", "02", "03", "task-b") == (0, "3 forgotten\n", "")


def test_forget_many_tasks_that_were_submitted(cli, write_journal):
    """However many they are, it is said in a line that a person can read."""
    many = [f"{number:02}" for number in range(30)]
    write_journal("1.journal", *(concluded(one, IntentState.ACCEPTED, task_id=f"task-{one}") for one in many))
    ended = cli("journal", "forget", *(f"task-{one}" for one in many))
    assert (ended.code, ended.out, ended.err.endswith("by its intent id as well\n")) == (0, "30 forgotten\n", True)


def test_forget_nothing(cli, write_journal):
    """Where one was not found it is a 1, and nothing is ever taken out without being named."""
    write_journal("1.journal", waited("task-a"))
    assert cli("journal", "forget", "gone").code == 1
    assert cli("journal", "forget", "gone", "--json").code == 1
    assert cli("journal", "forget").code == 2
    assert len(cli("journal", "list", "--json").lines) == 1


def test_forget_in_what_cannot_be_opened(cli, write_journal, held, folder):
    """What lies in a journal that is in use may still be there: a 4."""
    write_journal("1.journal", waited("task-a"))
    held(folder / "2.journal")
    ended = cli("journal", "forget", "task-a")
    assert (ended.code, ended.out, "is in use" in ended.err) == (4, "1 forgotten\n", True)
    assert cli("journal", "forget", "task-a").code == 4


def test_two_at_once(cli, gateway, process, folder):
    """Processes that run at the same time have a journal each; what one has is named with its id, and not shown."""
    runs = gateway.put(status="IN_PROGRESS", data=None)
    other = process("wait", runs, "--every", "0.1")
    until(lambda: gateway.counts["singles"] + gateway.counts["batches"])
    ended = cli("submit", "lyrics", "a")
    assert ended.err == ""
    assert sorted(path.name for path in folder.glob("*.journal")) == ["1.journal", "2.journal"]
    shown = cli("journal", "list", "--json")
    assert [line["task_id"] for line in shown.lines] == [ended.out.strip()]
    assert (
        shown.err == f"suno-async: {folder / '1.journal'} is in use by process {other.pid}: what it holds is left out\n"
    )


def test_killed_in_the_middle_of_a_wait(cli, gateway, process):
    """After kill -9 the ids are open in the journal, and one command goes on with them."""
    runs = gateway.put(status="IN_PROGRESS", data=None)
    victim = process("wait", runs, "--every", "0.1")
    until(lambda: gateway.counts["singles"] + gateway.counts["batches"] > 2)
    victim.kill()
    victim.wait()
    assert [line["task_id"] for line in cli("journal", "open", "--json").lines] == [runs]
    gateway.finish(runs)
    ended = cli("journal", "resume", "--json", "--every", "0.1")
    assert (ended.code, [line["status"] for line in ended.lines]) == (0, ["SUCCESS"])
    assert cli("journal", "open")[:2] == (0, "")


def test_killed_in_the_middle_of_a_submission(cli, gateway, process):
    """After kill -9 a submission that is on its way is known as one of which nobody can tell, and is not sent again."""
    gateway.faults.once("answer_withheld")
    words = "submit", "lyrics", "a dog", "--idempotency-key", "k"
    victim = process(*words)
    until(lambda: gateway.counts["accepted"])
    victim.kill()
    victim.wait()
    (line,) = cli("journal", "unknown", "--json").lines
    assert (line["idempotency_key"], line["body"]) == ("k", {"prompt": "a dog"})
    again = process(*words)
    assert again.wait() == 6
    assert gateway.counts["accepted"] == 1
    assert cli("journal", "forget", line["intent_id"]).code == 0
    assert process(*words).wait() == 0
    assert gateway.counts["accepted"] == 2


def test_one_key_in_many_processes(gateway, process):
    """However many processes submit with one key at the same time, it is accepted once; the others say 4, or its id."""
    many = [process("submit", "lyrics", "a dog", "--idempotency-key", "k") for _ in range(4)]
    ended = [one.communicate() for one in many]
    codes = [one.returncode for one in many]
    ids = {out.strip() for (out, _), code in zip(ended, codes, strict=True) if code == 0}
    assert (gateway.counts["accepted"], len(ids), set(codes) <= {0, 4}) == (1, 1, True), ended
