"""The journal: what the engine says is on the disk when it is told so, and a crash finds it there."""

import asyncio
import json
import os
import signal
from collections import Counter
from contextlib import suppress

import anyio
import msgspec
import pytest
from journals import GATEWAY, OTHER, Store, accepted, command, elsewhere, intent, lay, read, rows, snapshot
from wire import Wire, answer

from suno_async import Suno, WriteLyrics
from suno_async.engine.fingerprint import Fingerprint
from suno_async.engine.journal import Journal
from suno_async.protocol.errors import JournalError, SunoError
from suno_async.protocol.intents import Intent, IntentState

KEY = "sk-Sup3rS3cretK3yThatNobodyMayWrite"


@pytest.fixture
def anyio_backend():
    """A real thread, real time."""
    return "asyncio"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "j"


@pytest.fixture
async def journal(path):
    opened = Journal(path, GATEWAY)
    await opened.open()
    yield opened
    await opened.close()


def nameless(**facts):
    """A submission as the engine first has it."""
    return intent(intent_id="", **facts)


async def after_a_crash(journal, folder):
    """What the next process finds if this one dies now."""
    await journal.open_tasks()  # what was noted before is on the disk
    found = Journal(lay(folder, snapshot(journal.path)), GATEWAY)
    await found.open()
    return found


async def test_an_intent_gets_a_name_and_is_durable(journal, tmp_path):
    """Told back with it; a crash finds it as one of which nobody can tell."""
    stored, fresh = await journal.intend(nameless())
    assert fresh
    assert stored.intent_id
    assert stored.state is IntentState.INTENDED
    after = await after_a_crash(journal, tmp_path / "x")
    (found,) = await after.undecided()
    assert found == msgspec.structs.replace(
        stored, state=IntentState.UNKNOWN, sent=True, reason="the process that sent it ended before it knew the answer"
    )
    assert await after.intents() == [found]
    await after.close()


async def test_a_name_that_it_has_is_kept(journal):
    """An attempt after the first one is the same submission."""
    stored, _ = await journal.intend(nameless())
    refused = msgspec.structs.replace(stored, state=IntentState.REJECTED)
    await journal.conclude(refused)
    again, fresh = await journal.intend(refused)
    assert (msgspec.structs.replace(again, attempted_at=None), fresh) == (stored, True)
    assert again.attempted_at >= stored.created_at
    assert len(await journal.intents()) == 1


async def test_names_are_of_one_process_and_in_order(journal):
    """However many at once, none is given twice, and a later one is greater."""
    stored = [(await journal.intend(nameless()))[0].intent_id for _ in range(20)]
    assert stored == sorted(stored)
    many = await asyncio.gather(*(journal.intend(nameless()) for _ in range(2000)))
    names = [each.intent_id for each, _ in many]
    assert names == sorted(names)
    assert max(Counter(names).values()) == 1
    theirs = elsewhere("from suno_async.engine.journal.journal import _next_id\nprint(_next_id())")
    assert theirs > names[-1]
    assert theirs[-8:] != names[-1][-8:]


@pytest.mark.parametrize("state", IntentState)
async def test_a_key_that_was_used_before_the_crash(journal, tmp_path, state):
    """It gives what is known of it, so that it is sent again only where nothing came of it."""
    stored, _ = await journal.intend(nameless(idempotency_key="k"))
    if state is not IntentState.INTENDED:
        await journal.conclude(msgspec.structs.replace(stored, state=state, task_id="t", reason="so"))
    after = await after_a_crash(journal, tmp_path / "x")
    found, fresh = await after.intend(nameless(idempotency_key="k"))
    assert fresh == (state in {IntentState.REJECTED, IntentState.NOT_SENT})
    expected = IntentState.UNKNOWN if state is IntentState.INTENDED else IntentState.INTENDED if fresh else state
    assert (found.intent_id, found.state) == (stored.intent_id, expected)
    await after.close()


async def test_outcomes_and_waits_are_found_after_a_crash(journal, tmp_path):
    """Accepted tasks and ids that were waited for are open until they have ended; those of others are not told."""
    stored, _ = await journal.intend(nameless())
    await journal.conclude(msgspec.structs.replace(stored, state=IntentState.ACCEPTED, task_id="t"))
    ids = ["a", "b"]
    journal.waiting(ids)
    ids.clear()
    journal.ended("a", "SUCCESS", "")
    after = await after_a_crash(journal, tmp_path / "x")
    assert [(each.task_id, each.action, each.submitted) for each in await after.open_tasks()] == [
        ("t", "MUSIC", True),
        ("b", "", False),
    ]
    assert await after.task_ids() == {"t", "a", "b"}
    await after.close()
    theirs = Journal(after.path, OTHER)
    await theirs.open()
    assert await theirs.open_tasks() == await theirs.undecided() == []
    # but what is known of it tells what is not theirs: it may be the same gateway under another name
    assert [each.intent_id for each in await theirs.intents()] == [stored.intent_id]
    assert await theirs.task_ids() == {"t", "a", "b"}
    assert await theirs.forget("t") == 0
    await theirs.close()


async def test_what_is_forgotten_is_gone(journal):
    """An intent or a task by its name."""
    stored, _ = await journal.intend(nameless())
    journal.waiting(["a"])
    assert await journal.forget(stored.intent_id) == 1
    assert await journal.forget("a") == 1
    assert await journal.forget("a") == 0
    assert await journal.undecided() == await journal.open_tasks() == []


async def test_one_task_of_two_submissions_is_warned_of(journal, caplog):
    """It may be an answer that was mixed up, or the gateway's bug: both intents are kept."""
    await journal.conclude(accepted(1, task_id="t"))
    await journal.conclude(accepted(1, task_id="t"))
    assert caplog.messages == []
    await journal.conclude(accepted(2, task_id="t"))
    assert caplog.messages == [f"task t came of two submissions, the second one is {intent(2).intent_id}"]
    assert len(await journal.intents()) == 2


async def test_what_was_learned_is_found_after_a_crash(journal, tmp_path):
    """The last of it, and only by a journal of the same gateway."""
    assert await journal.learned() is None
    journal.learn(b"first")
    journal.learn(b"last")
    assert await journal.learned() == b"last"
    after = await after_a_crash(journal, tmp_path / "x")
    assert await after.learned() == b"last"
    await after.close()
    theirs = Journal(after.path, OTHER)
    await theirs.open()
    assert await theirs.learned() is None
    theirs.learn(b"theirs")
    await theirs.close()
    await after.open()
    assert await after.learned() == b"last"
    await after.close()


KILLED = """
import asyncio, os, signal
from suno_async.engine.fingerprint import Fingerprint
from suno_async.engine.journal import Journal

async def main():
    journal = Journal(Path(sys.argv[1]), GATEWAY)
    await journal.open()
    journal.learn(b"much")
    await journal.intend(intent(1))
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_what_was_learned_is_found_after_a_kill(path):
    """Nobody waited for it, but for an intent behind it."""
    killed = await anyio.run_process(command(KILLED, path), check=False)
    assert (killed.returncode, killed.stderr) == (-signal.SIGKILL, b"")
    after = Journal(path, GATEWAY)
    await after.open()
    assert (await after.learned(), len(await after.undecided())) == (b"much", 1)
    await after.close()


async def test_many_callers_are_each_told_their_own(journal):
    """Two hundred at once, each through all its steps."""

    async def one(number):
        for attempt in range(5):
            mine = nameless(body=b"%d.%d" % (number, attempt))
            stored, fresh = await journal.intend(mine)
            assert fresh
            assert stored.body == mine.body
            task = f"t{number}.{attempt}"
            await journal.conclude(msgspec.structs.replace(stored, state=IntentState.ACCEPTED, task_id=task))

    async with anyio.create_task_group() as group:
        for number in range(200):
            group.start_soon(one, number)
    intents = await journal.intents()
    assert len(intents) == 1000
    assert {each.task_id for each in intents} == {each.task_id for each in await journal.open_tasks()}
    assert all(each.task_id == f"t{each.body.decode()}" for each in intents)


# who may use it, and when


async def test_it_is_used_while_it_is_open(path):
    """Before and after that it says so, and what is merely noted is let go; it may be closed twice, and reopened."""
    journal = Journal(path, GATEWAY)
    for _ in range(2):
        with pytest.raises(JournalError, match=f"the journal {path} is not open"):
            await journal.intend(nameless())
        journal.waiting(["a"])
        journal.ended("a", "SUCCESS", "")
        journal.learn(b"much")
        await journal.close()
    await journal.open()
    assert await journal.task_ids() == frozenset()
    assert await journal.learned() is None
    await journal.close()
    await journal.close()
    with pytest.raises(JournalError, match="is not open"):
        await journal.undecided()
    await journal.open()
    await journal.close()


async def test_a_journal_that_does_not_open_is_not_open(path):
    """And closing it is nothing."""
    path.write_bytes(b"hello")
    journal = Journal(path, GATEWAY)
    with pytest.raises(JournalError, match=f"the journal {path} is damaged"):
        await journal.open()
    await journal.close()
    with pytest.raises(JournalError, match="is not open"):
        await journal.undecided()
    assert path.read_bytes() == b"hello"


async def test_one_process_at_a_time(journal, path):
    """The second one is told who has it."""
    with pytest.raises(JournalError, match=f"{path} is in use in this process: "):
        await Journal(path, GATEWAY).open()


FORKED = """
import asyncio, os
from suno_async.engine.fingerprint import Fingerprint
from suno_async.engine.journal import Journal
from suno_async.protocol.errors import JournalError

async def child(journal):
    try:
        await journal.intend(intent(2))
    except JournalError as error:
        print(error, flush=True)
    journal.waiting(["a"])
    await journal.close()

async def main():
    journal = Journal(Path(sys.argv[1]), GATEWAY)
    await journal.open()
    await journal.intend(intent(1))
    return journal

loop = asyncio.new_event_loop()
journal = loop.run_until_complete(main())
pid = os.fork()
if pid == 0:
    asyncio.run(child(journal))
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
loop.run_until_complete(journal.intend(intent(3)))
print(os.getpid())
os._exit(0)
"""


async def test_a_forked_child_cannot_use_its_parents_journal(path):
    """It is told so; what it does and its end change nothing for the parent, not even if that dies after it."""
    told, parent = elsewhere(FORKED, path).splitlines()
    assert told == f"the journal {path} belongs to process {parent}, which this one came from"
    assert path.with_name("j-wal").stat().st_size > 0
    intents, tasks = read(path)
    assert ([int(row[0]) for row in intents], tasks) == ([1, 3], [])


async def test_what_another_process_does_is_let_go(journal, monkeypatch):
    """As seen from inside: nothing reaches a queue that nobody reads there, and nobody waits for it."""
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: 1)
        with pytest.raises(JournalError, match=r"belongs to process \d+, which this one came from"):
            await journal.intend(nameless())
        journal.waiting(["a"])
        journal.ended("a", "SUCCESS", "")
        await journal.close()
    assert await journal.task_ids() == frozenset()
    assert await journal.intents() == []


async def test_somebody_else_may_carry_what_is_written(path):
    """A simulation has a writer of its own."""

    class Inline:
        async def open(self):
            self.store = Store(path)

        async def close(self):
            self.store.close()

        async def write(self, operation, *, kept=False):
            return self.store.commit([operation])[0]

        def note(self, operation):
            self.store.commit([operation])

    scribe = Inline()
    journal = Journal(path, GATEWAY, scribe)
    await journal.open()
    stored, _ = await journal.intend(Intent(action="music", body=b"{}", sent=False, gateway=GATEWAY))
    journal.waiting(["a"])
    assert [row[0] for row in rows(scribe.store)[0]] == [stored.intent_id]
    assert [each.task_id for each in await journal.open_tasks()] == ["a"]
    await journal.close()


async def test_no_key_is_in_any_file(path):
    """Whatever was submitted with it, accepted, refused or lost; prompts are there, for they are what is kept."""
    echo = {"code": "bad", "message": f"no such key: {KEY}"}
    steps = [answer({"code": "success", "data": "t1"}), answer(echo, 400), answer(KEY.encode(), 500)]
    async with Wire(*steps) as wire, Suno(wire.url, api_key=KEY, journal=path, resubmit_on=()) as suno:
        for number in range(3):
            with suppress(SunoError):
                await suno.submit(WriteLyrics(f"song {number}"), idempotency_key=f"key {number}")
        assert wire.asked == 3
        during = snapshot(path)
    after = snapshot(path)
    for data in [*during.values(), *after.values()]:
        assert KEY.encode() not in data
        assert KEY[3:20].encode() not in data
    assert b"song 2" in after[""]
    assert [json.loads(msgspec.msgpack.decode(row[5])["body"])["prompt"] for row in read(path)[0]] == [
        "song 0",
        "song 1",
        "song 2",
    ]


async def test_what_was_found_out_is_written_only_where_nothing_has_changed(journal):
    """An intent that was forgotten, settled or submitted again meanwhile stays as it is."""
    stored, _ = await journal.intend(nameless())
    (seen,) = await journal.undecided()
    settled = msgspec.structs.replace(seen, state=IntentState.REJECTED, reason="not charged")
    assert await journal.settle(seen, settled)
    assert not await journal.settle(seen, settled)
    await journal.intend(msgspec.structs.replace(stored, created_at=seen.created_at))
    assert not await journal.settle(seen, settled)
    assert [one.state for one in await journal.undecided()] == [IntentState.UNKNOWN]
    await journal.forget(stored.intent_id)
    assert not await journal.settle(seen, settled)


async def test_its_submissions_are_marked_with_the_key_in_use(journal, path):
    """Whose key that is says who asks the gateway; without that it is none, and always the same."""
    assert journal.fingerprint == journal.fingerprint == Journal(path, OTHER).fingerprint
    key = Fingerprint(KEY.encode())
    journal.key = lambda: key
    assert journal.fingerprint == key.text


@pytest.mark.parametrize("name", ["open", "unknown", "keyed"])
async def test_a_journal_of_another_gateway_is_known_by_what_is_open(journal, name):
    """Its open tasks, unknown submissions and idempotency keys, unless there are some of this gateway too."""
    theirs = msgspec.structs.replace(nameless(), gateway=OTHER, idempotency_key="k" if name == "keyed" else None)
    if name == "open":
        await journal._write(lambda store: store.wait_for(OTHER, ["a"]))
    else:
        stored, _ = await journal.intend(theirs)
    if name == "keyed":
        await journal.conclude(msgspec.structs.replace(stored, state=IntentState.ACCEPTED, task_id="t"))
        await journal._write(lambda store: store.end(OTHER, "t", "SUCCESS", ""))
    assert await journal.strangers() == [OTHER]
    journal.waiting(["b"])
    assert await journal.strangers() == []


async def test_what_has_ended_makes_no_stranger(journal):
    """Nothing of it can be missed."""
    stored, _ = await journal.intend(msgspec.structs.replace(nameless(), gateway=OTHER))
    await journal.conclude(msgspec.structs.replace(stored, state=IntentState.ACCEPTED, task_id="t"))
    await journal._write(lambda store: store.end(OTHER, "t", "SUCCESS", ""))
    assert await journal.strangers() == []


async def submitted_with(journal, key):
    """A task, "t", of that key; from now on another one is in use."""
    journal.key = lambda: key
    stored, _ = await journal.intend(nameless(fingerprint=journal.fingerprint))
    await journal.conclude(msgspec.structs.replace(stored, state=IntentState.ACCEPTED, task_id="t"))


async def reopened(journal, key):
    """The ids of the tasks that are open for the next client, which has this key."""
    await journal.close()
    await journal.open()
    journal.key = lambda: key
    return [task.task_id for task in await journal.open_tasks()]


async def test_what_another_key_does_not_find_is_open_again_next_time(journal):
    """A gateway knows no task of another account: with the key it was submitted with it is found, or is really gone."""
    mine, other = Fingerprint(b"mine"), Fingerprint(b"other")
    await submitted_with(journal, mine)
    assert await reopened(journal, other) == ["t"]
    journal.ended("t", "NOT_FOUND", "no such task")
    # not once more now: who goes on until nothing is open comes to an end
    assert await journal.open_tasks() == []
    journal.waiting(["t"])
    assert [task.task_id for task in await journal.open_tasks()] == ["t"]
    journal.ended("t", "NOT_FOUND", "no such task")
    assert await reopened(journal, Fingerprint(b"mine")) == ["t"]
    journal.ended("t", "NOT_FOUND", "no such task")
    assert await reopened(journal, mine) == []


@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE"])
async def test_whatever_another_key_sees_end_has_ended(journal, status):
    """What is seen is the task itself."""
    await submitted_with(journal, Fingerprint(b"mine"))
    other = Fingerprint(b"other")
    assert await reopened(journal, other) == ["t"]
    journal.ended("t", status, "")
    assert await reopened(journal, other) == []


@pytest.mark.parametrize("adopted", [False, True])
async def test_an_id_that_was_not_found_and_is_given_out_is_open(journal, adopted):
    """To a submission that is accepted, or adopted, after that: its task is among those that go on."""
    journal.ended("t", "NOT_FOUND", "no such task")
    stored, _ = await journal.intend(nameless())
    if adopted:
        (seen,) = await journal.undecided()
        assert await journal.settle(seen, msgspec.structs.replace(seen, state=IntentState.ACCEPTED, task_id="t"))
    else:
        await journal.conclude(msgspec.structs.replace(stored, state=IntentState.ACCEPTED, task_id="t"))
    assert [task.task_id for task in await journal.open_tasks()] == ["t"]
