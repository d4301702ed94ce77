"""The writer: many callers, one thread, few commits; nothing is told before it is durable, and nothing is lost."""

import asyncio
import threading
import time
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import pytest
from journals import GATEWAY, Store, accepted, clear, fill, intent, lay, read, snapshot

from suno_async.engine.journal.writer import Writer
from suno_async.protocol.errors import JournalError
from suno_async.protocol.intents import IntentState

SURROGATE = "half \ud83d of it"


class Desk:
    """A real store that is opened by a writer; what it is told to do is written down."""

    def __init__(self, path) -> None:
        self.path = path
        self.statements = []
        self.store = None

    def __call__(self):
        self.store = Store(self.path)
        self.store._connection.set_trace_callback(self.statements.append)
        return self.store

    @property
    def commits(self):
        """How many submissions were written in each commit so far."""
        counts = [0]
        for statement in self.statements:
            if statement == "COMMIT":
                counts.append(0)
            counts[-1] += "INSERT INTO intents" in statement
        return counts[:-1]


class Gate:
    """Something that takes until it is let go on."""

    def __init__(self) -> None:
        self._begun, self._open = threading.Event(), threading.Event()

    def __call__(self, store=None):
        self._begun.set()
        assert self._open.wait(20)
        return "passed"

    async def reached(self):
        assert await asyncio.to_thread(self._begun.wait, 20)

    def open(self):
        self._open.set()


@pytest.fixture
def anyio_backend():
    """A real thread, real time."""
    return "asyncio"


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "j")


@asynccontextmanager
async def writing(desk):
    writer = Writer(desk)
    await writer.open()
    try:
        yield writer
    finally:
        await writer.close()


def intend(number, **facts):
    return lambda store: store.intend(intent(number, **facts))


def large(number):
    return intend(number, body=b"x" * 5000)


def numbers(path):
    return [int(row[0]) for row in read(path)[0]]


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "suno_async journal"]


def joined():
    for thread in threads():
        thread.join(20)
    assert not threads()


async def test_what_is_told_is_durable(desk, tmp_path):
    """When the result comes, a crash changes nothing any more."""
    async with writing(desk) as writer:
        stored, fresh = await writer.write(intend(1))
        assert fresh
        assert numbers(lay(tmp_path / "x", snapshot(desk.path))) == [1]
        assert await writer.write(lambda store: store.intents()) == [stored]
    assert numbers(desk.path) == [1]


async def test_many_share_a_commit_but_no_more_than_256(desk):
    """In the order in which they were given, whoever waits for them."""
    gate, order = Gate(), []
    async with writing(desk) as writer:
        first = writer.write(gate)
        await gate.reached()
        rest = []
        for number in range(600):

            def operation(store, number=number):
                order.append(number)
                return store.intend(intent(number))

            if number % 3:
                rest.append(writer.write(operation))
            else:
                writer.note(operation)
        gate.open()
        assert await first == "passed"
        await asyncio.gather(*rest)
    assert order == list(range(600))
    assert [count for count in desk.commits if count] == [256, 256, 88]
    assert numbers(desk.path) == order


async def test_closing_writes_what_was_given_before(desk):
    """And the file is free; nobody waits for ever."""
    gate = Gate()
    writer = Writer(desk)
    await writer.open()
    writer.note(gate)
    await gate.reached()
    futures = [writer.write(intend(number)) for number in range(300)]
    writer.note(intend(300))
    async with asyncio.TaskGroup() as group:
        group.create_task(writer.close())
        await anyio.lowlevel.checkpoint()
        gate.open()
    assert all(future.done() for future in futures)
    assert numbers(desk.path) == list(range(301))
    joined()


async def test_closing_cannot_be_cancelled(desk):
    """What was given is on the disk before the cancellation leaves."""
    gate = Gate()
    writer = Writer(desk)
    await writer.open()
    writer.note(gate)
    writer.note(intend(1))
    await gate.reached()
    with anyio.CancelScope() as scope:
        scope.cancel()
        threading.Timer(0.1, gate.open).start()
        await writer.close()
        assert numbers(desk.path) == [1]
        await anyio.sleep(10)
    assert scope.cancelled_caught
    assert numbers(desk.path) == [1]


async def test_a_caller_that_is_cancelled_does_not_take_its_record_back(desk):
    """It may be on the disk already; the others are told as ever."""
    gate = Gate()
    async with writing(desk) as writer:
        writer.note(gate)
        await gate.reached()
        one, two = writer.write(intend(1)), writer.write(intend(2))
        one.cancel()
        gate.open()
        assert (await two)[1]
        assert one.cancelled()
    assert numbers(desk.path) == [1, 2]


async def test_what_cannot_be_written_is_told_to_its_caller_alone(desk, caplog):
    """The log hears of it only where nobody waits."""
    gate = Gate()
    async with writing(desk) as writer:
        writer.note(gate)
        await gate.reached()
        good, bad = writer.write(intend(1)), writer.write(intend(2, action=SURROGATE))
        gate.open()
        with pytest.raises(JournalError, match="cannot hold this"):
            await bad
        assert (await good)[1]
        assert caplog.messages == []
        writer.note(intend(3, action=SURROGATE))
        assert (await writer.write(intend(4)))[1]
        assert len(caplog.messages) == 1
        assert "cannot hold this" in caplog.messages[0]
    assert numbers(desk.path) == [1, 4]


async def test_each_caller_gets_an_error_of_its_own(desk):
    """A traceback that several tasks write into tells nobody anything."""
    gate = Gate()
    async with writing(desk) as writer:
        writer.note(gate)
        await gate.reached()
        fill(desk.store)
        futures = [writer.write(large(number)) for number in range(20)]
        gate.open()
        errors = [future.exception() for future in (await asyncio.wait(futures))[0]]
        clear(desk.store)
    assert all(isinstance(error, JournalError) and "the disk is full" in str(error) for error in errors)
    assert len({id(error) for error in errors}) == 20
    assert numbers(desk.path) == []


async def test_what_the_disk_refuses_is_kept_for_when_there_is_room(desk, caplog):
    """Notes and outcomes are written later, in order and before what comes then; intents are not: they were refused."""
    async with writing(desk) as writer:
        await writer.write(intend(1))
        fill(desk.store)
        writer.note(large(2))
        outcome = writer.write(lambda store: store.conclude(accepted(1, body=b"y" * 5000)), kept=True)
        with pytest.raises(JournalError, match="the disk is full"):
            await outcome
        with pytest.raises(JournalError, match="the disk is full"):
            await writer.write(large(3))
        writer.note(lambda store: store.end(GATEWAY, "task-1", "SUCCESS", ""))
        with pytest.raises(JournalError, match="the disk is full"):
            await writer.write(lambda store: store.intents())
        assert len(caplog.messages) == 1
        assert caplog.messages[0].endswith("the disk is full (SQLITE_FULL); it is tried again with what comes next")
        clear(desk.store)
        found = await writer.write(lambda store: store.intents())
        assert [(int(each.intent_id), each.state) for each in found] == [
            (1, IntentState.ACCEPTED),
            (2, IntentState.INTENDED),
        ]
        assert await writer.write(lambda store: store.tasks()) == [(GATEWAY, "task-1", "MUSIC", "SUCCESS", "")]
    assert len(caplog.messages) == 1


async def test_what_was_kept_is_written_in_commits_of_256(desk, caplog):
    """However much has gathered; what cannot be written at all is told to the log, as its caller knows no more."""
    async with writing(desk) as writer:
        fill(desk.store)
        for number in range(300):
            writer.note(large(number))
        bad = writer.write(lambda store: store.intend(intent(999, action=SURROGATE)), kept=True)
        for number in range(300, 600):
            writer.note(large(number))
        with pytest.raises(JournalError, match="the disk is full"):
            await writer.write(intend(1000))
        with pytest.raises(JournalError, match="the disk is full"):
            await bad
        desk.statements.clear()
        clear(desk.store)
        await writer.write(intend(1000))
        assert max(desk.commits) <= 256
        assert sum(desk.commits) == 601
    assert numbers(desk.path) == [*range(600), 1000]
    assert [message for message in caplog.messages if "cannot hold this" in message]


async def test_what_is_left_unwritten_at_the_end_is_told(desk, caplog):
    """Once more it is tried; then the log says how much it was."""
    async with writing(desk) as writer:
        fill(desk.store)
        for number in range(3):
            writer.note(large(number))
        with pytest.raises(JournalError):
            await writer.write(large(3))
    assert caplog.messages[-1] == f"the journal {desk.path}: the last 3 records could not be written"
    assert caplog.records[-1].levelname == "CRITICAL"
    assert numbers(desk.path) == []


async def test_an_operation_that_breaks_does_not_end_the_thread(desk):
    """Whoever was in its commit hears of it, and the next one is written."""

    def exhausted(store):
        raise MemoryError

    async with writing(desk) as writer:
        with pytest.raises(JournalError, match=r"the journal broke: MemoryError\(\)"):
            await writer.write(exhausted)
        with pytest.raises(JournalError, match="cannot hold this: 'x'"):
            await writer.write(lambda store: {}["x"])
        await writer.write(intend(1))
    assert numbers(desk.path) == [1]


# opening


async def test_what_is_wrong_with_a_file_is_told_on_opening(desk):
    """And once it has been put right, the same writer opens it."""
    desk.path.write_bytes(b"hello")
    writer = Writer(desk)
    with pytest.raises(JournalError, match="is damaged"):
        await writer.open()
    joined()
    desk.path.unlink()
    await writer.open()
    await writer.write(intend(1))
    await writer.close()
    assert numbers(desk.path) == [1]


async def test_a_mistake_of_ours_is_told_on_opening(desk):
    """As what it is."""

    def broken():
        raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        await Writer(broken).open()


@pytest.mark.parametrize("damaged", [False, True])
async def test_cancelled_while_it_opens_it_is_closed_again(desk, damaged):
    """The file is free when the cancellation leaves, whether it could be opened or not; and it opens the next time."""
    gate = Gate()
    if damaged:
        desk.path.write_bytes(b"hello")

    def slowly():
        gate()
        return desk()

    writer = Writer(slowly)
    with anyio.move_on_after(10) as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(writer.open)
            await gate.reached()
            scope.cancel()
            threading.Timer(0.05, gate.open).start()
    assert scope.cancelled_caught
    joined()
    if damaged:
        desk.path.unlink()
    await writer.open()
    await writer.write(intend(1))
    await writer.close()
    assert numbers(desk.path) == [1]


# a loop that goes away


def test_a_loop_that_was_closed_leaves_nothing_unwritten(desk, caplog):
    """What was given is written, the log says that nobody heard of it, and the file is let go."""
    loop = asyncio.new_event_loop()
    writer, gate = Writer(desk), Gate()
    loop.run_until_complete(writer.open())
    writer.write(gate)
    loop.run_until_complete(gate.reached())
    for number in range(300):
        writer.note(intend(number))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    gate.open()
    joined()
    assert "the event loop was closed before the journal had told it what was written" in caplog.messages
    assert numbers(desk.path) == list(range(300))


def test_a_loop_that_was_closed_while_it_opened_keeps_no_file(desk, caplog):
    """Nobody is left who could close it."""
    loop = asyncio.new_event_loop()
    gate = Gate()

    def slowly():
        gate()
        return desk()

    opening = loop.create_task(Writer(slowly).open())
    loop.run_until_complete(gate.reached())
    opening.get_coro().close()
    opening._log_destroy_pending = False
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    gate.open()
    joined()
    assert numbers(desk.path) == []
    assert len(caplog.messages) >= 1
    opening.get_coro().close()


async def test_a_store_that_cannot_be_closed_ends_the_writer_all_the_same(tmp_path, caplog):
    """It is logged, and nobody waits for ever."""

    class Stuck(Store):
        def close(self):
            super().close()
            raise OSError(5, "EIO")

    writer = Writer(lambda: Stuck(tmp_path / "j"))
    await writer.open()
    with anyio.fail_after(5):
        await writer.close()
    assert "could not be closed" in caplog.text


def test_a_loop_that_was_closed_without_closing_it_lets_the_journal_go(tmp_path, monkeypatch):
    """The thread notices by itself; somebody else in this process may have the journal then."""
    path = tmp_path / "j"
    monkeypatch.setattr("suno_async.engine.journal.writer._PATIENCE", 0.02)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(Writer(lambda: Store(path)).open())
    loop.run_until_complete(anyio.sleep(0.1))
    with pytest.raises(JournalError, match="in use"):
        Store(path)
    loop.close()
    end = time.monotonic() + 10
    while any(thread.name == "suno_async journal" for thread in threading.enumerate()) and time.monotonic() < end:
        time.sleep(0.02)
    Store(path).close()
