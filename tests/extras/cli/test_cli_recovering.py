"""resume and reconcile, against a local gateway."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from suno_async import Finding, Intent, IntentState, Verdict
from suno_async.client import Suno


@pytest.fixture
def waits(gateway, write_journal):
    """Write ids down as waited for at the gateway."""

    def write(name, *ids, url=gateway.url):
        return write_journal(name, lambda store: store.wait_for(url, ids))

    return write


@pytest.fixture
def unknown(gateway, write_journal):
    """Write a submission down of which nobody can tell, an hour ago."""

    def write(name="1.journal", intent_id="01", **more):
        then = datetime.now(UTC) - timedelta(hours=1)
        fields = {"state": IntentState.INTENDED, "sent": True, "gateway": gateway.url, "created_at": then, **more}
        intent = Intent(action="music", body=b'{"prompt": "a cat"}', intent_id=intent_id, **fields)
        return write_journal(name, lambda store: store.put(intent))

    return write


def statuses(cli):
    return {line["task_id"]: line["status"] for line in cli("journal", "list", "--json").lines}


def test_resume(cli, gateway, waits):
    """All tasks of this gateway that are open are waited for, over all journals, and have ended in them then."""
    good, bad = gateway.put(), gateway.put(status="FAILURE", fail_reason="no")
    waits("1.journal", good)
    waits("2.journal", bad, good)
    waits("key-a.journal", "elsewhere", url="https://other.example")
    ended = cli("journal", "resume", "--json")
    assert (ended.code, {line["task_id"]: line["status"] for line in ended.lines}) == (
        1,
        {good: "SUCCESS", bad: "FAILURE"},
    )
    assert statuses(cli) == {good: "SUCCESS", bad: "FAILURE", "elsewhere": "OPEN"}
    left_out = "open tasks of other gateways than"
    said = f"suno-async: {left_out} {gateway.url} are left out: 1 at https://other.example; --base-url names another"
    assert cli("journal", "resume") == (0, "", f"{said} one\n")


def test_resume_in_a_table(cli, gateway, waits):
    """Without --json it is the table of a wait."""
    waits("1.journal", gateway.put())
    assert cli("journal", "resume").out.split()[:3] == ["task", "status", "seconds"]


def test_resume_what_was_submitted(cli, gateway):
    """A submission is gone on with by its journal alone."""
    task_id = cli("submit", "lyrics", "a dog", "--idempotency-key", "k").out.strip()
    gateway.finish(task_id)
    assert cli("journal", "resume", "--every", "0.05", "--json").lines[0]["task_id"] == task_id
    assert statuses(cli) == {task_id: "SUCCESS"}


def test_resume_for_a_while(cli, gateway, waits):
    """A wait that is over is a 3; what has ended until then has ended, and the same command goes on with the rest."""
    done, runs = gateway.put(), gateway.put(status="IN_PROGRESS", data=None)
    waits("1.journal", done, runs)
    ended = cli("journal", "resume", "--timeout", "0.4", "--every", "0.1")
    assert (ended.code, statuses(cli)) == (3, {done: "SUCCESS", runs: "OPEN"})
    assert ended.err.splitlines()[-1].split() == [
        "suno-async",
        "journal",
        "resume",
        "--every",
        "0.1",
        "--timeout",
        "0.4",
    ]


def test_resume_without_waiting(cli, gateway, waits):
    """Who looks once is not told to go on by looking once more."""
    waits("1.journal", gateway.put(status="IN_PROGRESS", data=None))
    ended = cli("journal", "resume", "--timeout", "0", "--every", "0.1")
    assert (ended.code, ended.err.splitlines()[-1]) == (3, "  suno-async journal resume --every 0.1")


def test_resume_until_playable(cli, gateway, waits):
    """What can be heard ends the wait, and not the task."""
    clip = {"id": "c", "audio_url": "https://x/a.mp3", "status": "streaming"}
    runs = gateway.put(status="IN_PROGRESS", data=[clip])
    waits("1.journal", runs)
    assert cli("journal", "resume", "--until", "playable").code == 0
    assert statuses(cli) == {runs: "OPEN"}


def test_resume_interrupted(cli, gateway, waits, interrupt):
    """Ctrl-C is a 130, and loses neither what has ended nor what is open."""
    done, runs = gateway.put(), gateway.put(status="IN_PROGRESS", data=None)
    waits("1.journal", done, runs)
    interrupt(lambda: gateway.counts["singles"] + gateway.counts["batches"] > 2)
    ended = cli("journal", "resume", "--every", "0.1")
    assert (ended.code, statuses(cli)) == (130, {done: "SUCCESS", runs: "OPEN"})
    assert ended.err.splitlines()[-1].split() == ["suno-async", "journal", "resume", "--every", "0.1"]


def test_resume_with_one_that_is_damaged(cli, gateway, waits, spoil):
    """The others are gone on with, and it is no success."""
    good = gateway.put()
    waits("1.journal", good)
    spoil(waits("2.journal", "spoilt"))
    ended = cli("journal", "resume", "--json")
    assert (ended.code, [line["task_id"] for line in ended.lines]) == (4, [good])


def test_a_named_one(cli, gateway, waits, tmp_path):
    """A journal that is named is the only one that is gone on with."""
    good = gateway.put()
    mine = waits("1.journal", good).rename(tmp_path / "mine.journal")
    waits("1.journal", gateway.put())
    assert [line["task_id"] for line in cli("journal", "resume", "--json", "--journal", mine).lines] == [good]
    for verb in ("resume", "reconcile"):
        assert cli("journal", verb, "--journal", "none").code == 2


def test_reconcile_nothing(cli, gateway, folder):
    """Without anything unknown the gateway is not asked, and it is said where that was looked for."""
    cli("submit", "lyrics", "a dog")
    ended = cli("journal", "reconcile")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.startswith(f"suno-async: nothing of that in 1 journal in {folder};")
    assert not [seen for seen in gateway.requests if seen.path.startswith("/api/")]


def test_what_was_decided_is_written_down(cli, gateway, unknown, monkeypatch):
    """What was not accepted is written down so where it lies, and its key is free again."""

    async def settle(self, **_):
        (intent,) = await self.unknown()
        rejected = msgspec.structs.replace(intent, state=IntentState.REJECTED)
        await self._runtime.journal.conclude(rejected)
        return [Verdict(intent, Finding.NOT_CHARGED, "there is no charge")]

    unknown("key-a.journal", idempotency_key="k")
    monkeypatch.setattr(Suno, "reconcile", settle)
    ended = cli("journal", "reconcile", "--json")
    (line,) = ended.lines
    assert (ended.code, ended.err, line["finding"], line["idempotency_key"]) == (0, "", "not charged", "k")
    (kept,) = cli("journal", "list", "--json").lines
    assert (kept["idempotency_key"], kept["state"]) == ("k", "rejected")


def test_reconcile_adopted(cli, gateway, unknown, monkeypatch):
    """What is found in the account's list of tasks is accepted from then on, and can be waited for."""
    unknown()
    # the task that it became was made when it was written down
    gateway._gateway._desk.clock._epoch -= 3595
    gateway.put(status="NOT_START")
    gateway._gateway._desk.clock._epoch += 3595
    monkeypatch.setenv("SUNO_ACCESS_TOKEN", gateway.access_token)
    ended = cli("journal", "reconcile", "--user-id", gateway.user_id, "--exclusive-key")
    assert (ended.code, " adopted as task_" in ended.out) == (0, True)
    assert "suno-async journal resume" in ended.err
    assert gateway.access_token not in ended.out + ended.err
    (kept,) = cli("journal", "open", "--json").lines
    gateway.finish(kept["task_id"])
    assert cli("journal", "resume", "--every", "0.05").code == 0
    assert cli("journal", "unknown")[:2] == (0, "")


def test_what_other_journals_know_is_nobody_elses(cli, gateway, held, folder, tmp_path):
    """A task that another process has submitted, by its own journal, is not taken for the one that is looked for."""
    gateway.faults.once("connection_reset")
    assert cli("submit", "inspiration", "a cat", "--idempotency-key", "lost").code == 6
    other = cli("submit", "inspiration", "a cat").out.strip()
    token = tmp_path / "token"
    token.write_text(f"{gateway.access_token}\n")
    words = "journal", "reconcile", "--access-token-file", token, "--user-id", gateway.user_id, "--json"
    (line,) = cli(*words, "--exclusive-key").lines
    assert (line["finding"], line["task_id"] == other) == ("undecided", False)


def test_reconcile_undecided(cli, gateway):
    """What the accounts do not tell is a 6, with the reason, and stays as it is."""
    gateway.faults.once("answer_lost")
    cli("submit", "inspiration", "a song about a cat")
    ended = cli("journal", "reconcile")
    assert (ended.code, "undecided  a song about a cat: " in ended.out, ended.err) == (6, True, "")
    assert len(cli("journal", "unknown", "--json").lines) == 1


def test_reconcile_charged(cli, gateway, unknown):
    """What was paid for and cannot be found is a 1."""
    cli("submit", "inspiration", "a dog")
    (accepted,) = cli("journal", "list", "--json").lines
    known = {"request_id": accepted["request_id"], "status": 504, "settled_at": datetime.now(UTC)}
    unknown("2.journal", state=IntentState.UNKNOWN, **known)
    ended = cli("journal", "reconcile", "--json")
    assert (ended.code, ended.lines[0]["finding"]) == (1, "charged")


def test_the_access_token_from_stdin(cli, gateway, unknown, stdin, monkeypatch):
    """The access token comes from a file, stdin or the environment, and is never an argument itself."""
    given = []

    async def ask(self, **named):
        given.append(named)
        return [Verdict(intent, Finding.UNDECIDED, "who knows") for intent in await self.unknown()]

    monkeypatch.setattr(Suno, "reconcile", ask)
    unknown()
    monkeypatch.setenv("SUNO_ACCESS_TOKEN", "from-env")
    stdin("from-stdin\n")
    cli("journal", "reconcile", "--user-id", "7")
    cli("journal", "reconcile", "--access-token-file", "-", "--user-id", "7")
    monkeypatch.delenv("SUNO_ACCESS_TOKEN")
    cli("journal", "reconcile")
    assert [one["access_token"] for one in given] == ["from-env", "from-stdin", None]
    assert (given[0]["user_id"], given[0]["exclusive_key"]) == (7, False)
    assert cli("journal", "reconcile", "--access-token-file", "gone").code == 2


def test_what_is_of_other_gateways(cli, gateway, waits, unknown):
    """One host has many names, and journals many gateways: what is not reached is told, how much of it and where."""
    elsewhere = gateway.url.replace("127.0.0.1", "localhost")
    waits("1.journal", "task-a", "task-b", url=elsewhere)
    waits("2.journal", gateway.put(), "task-c", url="https://other.example")
    unknown("3.journal", "01", gateway=elsewhere)
    unknown("4.journal", "02", gateway=elsewhere)
    ended = cli("journal", "resume")
    assert (ended.code, ended.out) == (0, "")
    assert f"than {gateway.url} are left out: 2 at {elsewhere}, 2 at https://other.example;" in ended.err
    ended = cli("journal", "reconcile")
    assert (ended.code, ended.out) == (0, "")
    assert "submissions of which nobody can tell of other gateways than" in ended.err
    assert f"left out: 2 at {elsewhere}; --base-url names another one" in ended.err


def test_half_an_account(cli, gateway, monkeypatch):
    """The access token and the user's number go together: who gives one of them is told the flags of the other."""
    ended = cli("journal", "reconcile", "--user-id", "1")
    assert (ended.code, ended.out) == (2, "")
    assert all(word in ended.err for word in ("--user-id", "--access-token-file", "SUNO_ACCESS_TOKEN"))
    monkeypatch.setenv("SUNO_ACCESS_TOKEN", "a-token")
    ended = cli("journal", "reconcile")
    assert (ended.code, ended.out, "--user-id" in ended.err, "a-token" in ended.err) == (2, "", True, False)


def test_an_exclusive_key_cannot_be_claimed(cli, gateway, unknown, held, folder, waits, spoil):
    """Where a journal here cannot be read, others may submit with the key, whatever is claimed."""
    unknown()
    path = held(folder / "2.journal")
    ended = cli("journal", "reconcile", "--exclusive-key")
    assert (ended.code, f"{path} is in use" in ended.err, "--exclusive-key cannot be" in ended.err) == (2, True, True)
