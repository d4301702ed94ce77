"""The streams: every id once or every change, read as slowly as the reader likes, left at any moment."""

import asyncio
import gc
import sys
import threading
import weakref
from collections import Counter

import anyio
import pytest
from virtual import GONE, REFUSED, UNKNOWN, Engine, World, limited, row, rows, settled

from suno_async.engine.streams import Inbox, Stream
from suno_async.protocol.errors import (
    ClientClosed,
    ConfigurationError,
    GatewayUnavailable,
    TaskNotFound,
    Unauthorized,
    WaitTimeout,
)
from suno_async.protocol.life import Life, Settled
from suno_async.protocol.look import Page
from suno_async.protocol.models import Status, Task
from suno_async.protocol.pace import Fixed


def names(count):
    """So many ids."""
    return [f"t{number}" for number in range(count)]


async def all_of(stream):
    """Every task, and what ended the stream (None for its natural end)."""
    tasks = []
    try:
        async for task in stream:
            tasks.append(task)  # noqa: PERF401 - what came before the error counts
    except Exception as error:  # noqa: BLE001
        return tasks, error
    return tasks, None


async def trickle(ids, seconds):
    """Ids that come one by one."""
    for task_id in ids:
        yield task_id
        await anyio.sleep(seconds)


# as they finish


async def test_each_id_comes_once_when_it_is_done():
    """as_completed gives SUCCESS and FAILURE, each once, in the order they finish."""
    world = World(latency=0)
    world.add("slow", after=40)
    world.add("quick", after=10)
    world.add("bad", after=20, status="FAILURE")
    async with Engine(world) as engine:
        tasks, error = await all_of(engine.stream(["slow", "bad", "quick", "slow"]))
        assert error is None
        assert [(task.task_id, task.status) for task in tasks] == [
            ("quick", Status.SUCCESS),
            ("bad", Status.FAILURE),
            ("slow", Status.SUCCESS),
        ]
        await engine.settle()


@pytest.mark.parametrize("ids", [[], iter(()), trickle([], 1)], ids=["list", "iterator", "async"])
async def test_nothing_to_wait_for(ids):
    """An empty source is an empty stream, without a request."""
    world = World()
    async with Engine(world) as engine:
        assert await all_of(engine.stream(ids)) == ([], None)
        assert await all_of(engine.stream([], changes=True)) == ([], None)
        assert world.asks == []


async def test_ids_that_are_unknown_are_raised_at_the_end():
    """Every final task comes first; then one error for all unknown ids, which names them."""
    world = World(latency=0)
    world.add("a", after=50)
    async with Engine(world) as engine:
        tasks, error = await all_of(engine.stream(["x", "a", "y"]))
        assert [task.task_id for task in tasks] == ["a"]
        assert isinstance(error, ExceptionGroup)
        (missing,) = error.exceptions
        assert (type(missing), set(missing.task_ids)) == (TaskNotFound, {"x", "y"})
        assert "2 ids" in str(missing)
        tasks, error = await all_of(engine.stream(["x"]))
        assert error.exceptions[0].task_ids == ("x",)
        assert error.exceptions[0].task_id == "x"
        await engine.settle()


async def test_a_deadline_names_the_ids_that_are_open():
    """After the last task that came, WaitTimeout has the ids still open, and the looks have ended."""
    world = World(latency=0)
    world.add("a", after=5)
    world.add("b", "c", after=500)
    async with Engine(world) as engine:
        tasks, error = await all_of(engine.stream(["a", "b", "c"], timeout=30))
        assert [task.task_id for task in tasks] == ["a"]
        assert (type(error), error.task_ids, error.task_id) == (WaitTimeout, ("b", "c"), None)
        assert anyio.current_time() == 30
        _, error = await all_of(engine.stream(["b"], timeout=3))
        assert error.task_id == "b"
        await engine.settle()


async def test_what_came_before_the_deadline_is_read_after_it():
    """A slow reader gets every final task that came in time, then the error; nothing is looked at after the end."""
    world = World(latency=0)
    world.add(*names(10), after=10)
    world.add("late", after=45)
    async with Engine(world) as engine:
        stream = engine.stream([*names(10), "late"], timeout=40)
        first = await anext(stream)
        await anyio.sleep(60)
        assert max(ask.at for ask in world.asks) <= 40
        tasks, error = await all_of(stream)
        assert {task.task_id for task in [first, *tasks]} == set(names(10))
        assert error.task_ids == ("late",)
        await engine.settle()


async def test_a_final_state_in_the_deadlines_own_tick_is_not_dropped():
    """What has come when the deadline strikes is given before its error."""
    inbox = Inbox(changes=False)
    inbox.open = {"a": None, "b": None}
    loop = asyncio.get_running_loop()
    loop.call_at(1, inbox.ended, Life(task_id="a", born=0.0), Settled(Task(task_id="a")))
    loop.call_at(1, inbox.expire, 1.0)
    await inbox.news()
    assert inbox.pop().task_id == "a"
    assert inbox.error.task_ids == ("b",)
    assert inbox.pop() is None


async def test_a_refused_key_ends_a_stream():
    """One error names the ids still open, after everything that came."""
    world = World(latency=0)
    world.add("a", after=0)
    world.add("b", "c", after=500)
    world.rule = lambda ask: REFUSED if ask.at > 8 else None
    async with Engine(world) as engine:
        tasks, error = await all_of(engine.stream(["a", "b", "c"]))
        assert [task.task_id for task in tasks] == ["a"]
        assert (type(error), error.task_ids) == (Unauthorized, ("b", "c"))
        await engine.settle()


async def test_outages_end_nothing():
    """Failed requests say nothing about tasks: the stream goes on."""
    world = World(latency=0)
    world.add(*names(5), after=0)
    world.script.extend([GONE, limited(3), GONE])
    async with Engine(world) as engine:
        tasks, error = await all_of(engine.stream(names(5)))
        assert (len(tasks), error) == (5, None)


async def test_a_large_stream():
    """Thousands of ids come each exactly once, also where the source is an iterator."""
    world = World(latency=0.05)
    for number, task_id in enumerate(names(5000)):
        world.add(task_id, after=number % 40)
    async with Engine(world) as engine:
        tasks, error = await all_of(engine.stream(iter(names(5000))))
        assert error is None
        assert set(Counter(task.task_id for task in tasks).values()) == {1}
        assert len(tasks) == 5000
        await engine.settle()


# changes


async def test_every_visible_change_comes():
    """A watch gives each change of an id and ends when all are final."""
    world = World(latency=0)
    for at, status in ((0, "NOT_START"), (12, "IN_PROGRESS"), (27, "SUCCESS")):
        world.tell("a", at, row("a", status, audio="https://cdn/a.mp3" if status == "SUCCESS" else ""))
    async with Engine(world) as engine:
        tasks, error = await all_of(engine.stream(["a"], changes=True))
        assert error is None
        assert [task.status_text for task in tasks] == ["NOT_START", "IN_PROGRESS", "SUCCESS"]


async def test_a_slow_reader_gets_the_latest_state_and_every_end():
    """States that were not read are replaced by newer ones; final states come first and are never dropped."""
    world = World(latency=0)
    for task_id in names(3):
        for at in range(0, 100, 10):
            world.tell(task_id, at, row(task_id, progress=f"{at}%"))
    world.tell("t0", 100, row("t0", "SUCCESS", audio="https://cdn/t0.mp3"))
    async with Engine(world) as engine:
        stream = engine.stream(names(3), changes=True)
        await anext(stream)
        await anyio.sleep(104)
        seen = [await anext(stream) for _ in range(3)]
        assert [(task.task_id, task.progress) for task in seen[:1]] == [("t0", 0)]
        assert {(task.task_id, task.progress) for task in seen[1:]} == {("t1", 90), ("t2", 90)}
        assert seen[0].succeeded
        assert len(stream._inbox._latest) == 0
        await stream.aclose()
        await engine.settle()


async def test_kept_states_hold_their_own_bytes():
    """What a slow watcher keeps does not pin the whole batch that it came with, unless that is held anyway."""
    world = World(latency=0)
    padding = row("noise", reason="x" * 300_000)
    world.tell("a", 0, row("a"))
    world.tell("b", 0, row("b"))
    world.rule = lambda ask: rows(row("a", progress="5%"), padding, row("b")) if ask.at > 3 else None
    async with Engine(world) as engine:
        stream = engine.stream(["a", "b"], changes=True)
        for _ in range(2):
            await anext(stream)
        await anyio.sleep(8)
        assert gc.isenabled()
        kept = [*stream._inbox._latest.values(), *(life.last for life in engine.tracker._lives)]
        assert len(kept) == 3
        held = [look.source for look in kept if not isinstance(look.source, Page)]
        assert [len(source) < 500 for source in held] == [True] * 2
        assert all(look.source in held or look.source.remembered for look in kept)
        await stream.aclose()


async def test_a_watch_that_joins_an_id_that_is_waited_for():
    """Whoever comes later is told the present state at the next look, though it has not changed."""
    world = World(latency=0)
    world.add("a", after=100)
    async with Engine(world) as engine, anyio.create_task_group() as group:
        group.start_soon(engine.wait, "a")
        await anyio.sleep(12)
        stream = engine.stream(["a"], changes=True)
        assert (await anext(stream)).status_text == "IN_PROGRESS"
        assert anyio.current_time() < 16
        await stream.aclose()
        group.cancel_scope.cancel()


# sources


async def test_ids_that_come_while_others_are_waited_for():
    """An async source is asked for ids as they come; a duplicate is asked once; the end is its end and theirs."""
    world = World(latency=0)
    world.add("a", "b", "c", after=0)
    async with Engine(world) as engine:
        tasks, error = await all_of(engine.stream(trickle(["a", "b", "a", "c"], 10)))
        assert error is None
        assert [task.task_id for task in tasks] == ["a", "b", "c"]
        assert len(world.ids) == 3
        await engine.settle()


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_what_the_source_raises_ends_the_stream(asynchronous):
    """A source's own error comes out after what came before it, and nothing is looked at any more."""
    world = World(latency=0)
    world.add("a", after=0)
    world.add("b", after=500)

    def failing():
        yield "a"
        yield "b"
        raise ZeroDivisionError

    async def failing_later():
        yield "a"
        yield "b"
        await anyio.sleep(7)
        raise ZeroDivisionError

    async with Engine(world) as engine:
        tasks, error = await all_of(engine.stream(failing_later() if asynchronous else failing()))
        assert type(error) is ZeroDivisionError
        assert [task.task_id for task in tasks] == (["a"] if asynchronous else [])
        await engine.settle()


@pytest.mark.parametrize("bad", ["..", "a/b", "", 5])
async def test_an_id_that_is_none_ends_the_stream(bad):
    """Every id of a list is checked before the first one is asked for."""
    world = World()
    async with Engine(world) as engine:
        _, error = await all_of(engine.stream(["a", bad]))
        assert type(error) is ConfigurationError
        assert world.asks == []
        _, error = await all_of(engine.stream(trickle([bad], 1)))
        assert type(error) is ConfigurationError
        await engine.settle()


async def test_a_source_that_never_ends_can_be_left():
    """A stream over an endless source is closed like any other, and the source with it."""
    world = World(latency=0)
    ended = []

    async def endless():
        try:
            for number in range(10**9):
                world.add(f"n{number}", after=0)
                yield f"n{number}"
                await anyio.sleep(1)
        finally:
            ended.append(anyio.current_time())

    async with Engine(world) as engine:
        stream = engine.stream(endless())
        for _ in range(5):
            await anext(stream)
        await stream.aclose()
        assert [task async for task in stream] == []
        await anyio.sleep(1)
        assert len(ended) == 1
        await engine.settle()


async def test_an_id_that_comes_in_the_same_moment_as_the_end_is_left_too():
    """What is let in after the stream was closed is not looked at."""
    world = World(latency=0)
    gate = asyncio.Event()

    async def source():
        yield "a"
        await gate.wait()
        yield "b"
        yield "c"

    async with Engine(world) as engine:
        world.add("a", after=0)
        stream = engine.stream(source())
        await anext(stream)
        gate.set()
        await stream.aclose()
        await engine.settle()
        assert set(world.ids) == {"a"}


async def test_a_stream_that_is_left_before_its_ids_were_let_in():
    """Closed in the very moment it began, a stream leaves nothing that is looked at."""
    world = World(latency=0)
    async with Engine(world) as engine:
        stream = engine.stream(names(1500))
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(all_of(stream))
            await anyio.lowlevel.checkpoint()
            await stream.aclose()
        assert reader.result() == ([], None)
        await engine.settle()


# leaving


async def left_by_break(stream):
    async for _ in stream:
        break


async def test_a_stream_left_by_break_stops_its_looks():
    """A ``break`` and nothing more: the forgotten stream's ids are looked at no longer, its timer is stopped."""
    world = World(latency=0)
    world.add("a", after=0)
    world.add(*names(2500), after=10_000)
    async with Engine(world, pace=Fixed(50)) as engine:
        await left_by_break(engine.stream(["a", *names(2500)], timeout=3600))
        gc.collect()
        asked = len(world.asks)
        await engine.settle(100)
        assert len(world.asks) <= asked + 1
        assert not [timer for timer in asyncio.get_running_loop()._scheduled if not timer.cancelled()]


async def test_a_forgotten_stream_is_collected():
    """Neither its feeder nor its timer nor the tracker keeps a stream alive, nor what it holds unread."""
    world = World(latency=0)
    world.add("a", after=0)
    async with Engine(world) as engine:
        stream = engine.stream(trickle(["a", "b"], 1000), timeout=3600)
        await anext(stream)
        known, inbox = weakref.ref(stream), weakref.ref(stream._inbox)
        del stream
        gc.collect()
        assert known() is None
        await engine.settle(1)
        gc.collect()
        assert inbox() is None


async def test_a_stream_that_is_collected_in_another_thread():
    """A collection may run anywhere: what it finds is left on the loop's own thread."""
    world = World(latency=0)
    world.add("a", after=0)
    async with Engine(world) as engine:
        held = [engine.stream(["a", *names(1500)])]
        await anext(held[0])
        thread = threading.Thread(target=held.clear)
        thread.start()
        thread.join()
        assert engine.poller.outstanding == 1500
        await engine.settle()


def test_a_stream_that_outlives_its_loop(monkeypatch):
    """Forgotten after its loop was closed, a stream does nothing and complains of nothing."""
    complaints = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)

    async def made():
        return Stream([], ledger=None, spawn=None, changes=False, timeout=None)

    with asyncio.Runner() as runner:
        stream = runner.run(made())
    del stream
    gc.collect()
    assert complaints == []


async def test_a_stream_that_was_never_read():
    """Nothing is looked at before the first step."""
    world = World()
    async with Engine(world) as engine:
        engine.stream(names(3))
        stream = engine.stream(names(3), timeout=1)
        await anyio.sleep(5)
        await stream.aclose()
        assert await all_of(stream) == ([], None)
        assert world.asks == []


async def test_closing_wakes_who_reads():
    """A reader in another task comes to an end when the stream is closed under him."""
    world = World(latency=0)
    world.add("a", after=1000)
    async with Engine(world) as engine:
        stream = engine.stream(["a"])
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(all_of(stream))
            await anyio.sleep(3)
            await stream.aclose()
        assert reader.result() == ([], None)
        assert anyio.current_time() == 3
        await engine.settle()


async def test_two_readers_share_a_stream():
    """Each task goes to one of them, and both come to an end."""
    world = World(latency=0)
    for number, task_id in enumerate(names(20)):
        world.add(task_id, after=number)
    async with Engine(world) as engine:
        stream = engine.stream(names(20))
        first, second = await asyncio.gather(all_of(stream), all_of(stream))
        assert sorted(task.task_id for task in first[0] + second[0]) == sorted(names(20))
        assert first[1] is second[1] is None


async def test_a_reader_that_is_cancelled_can_go_on():
    """Cancelled while it waits for news, a stream loses nothing and is read on."""
    world = World(latency=0)
    world.add("a", "b", after=20)
    async with Engine(world) as engine:
        stream = engine.stream(["a", "b"])
        for _ in range(5):
            with anyio.move_on_after(1):
                await anext(stream)
        tasks, error = await all_of(stream)
        assert (sorted(task.task_id for task in tasks), error) == (["a", "b"], None)
        await engine.settle()


async def test_a_stream_is_its_own_iterator():
    """It is gone through once; afterwards it is empty."""
    world = World(latency=0)
    world.add("a", after=0)
    async with Engine(world) as engine:
        stream = engine.stream(["a"])
        assert aiter(stream) is stream
        assert len((await all_of(stream))[0]) == 1
        assert await all_of(stream) == ([], None)


# the client's end


async def test_a_closed_client_ends_a_stream():
    """ClientClosed names the ids still open, after what came."""
    world = World(latency=0)
    world.add("a", after=0)
    world.add("b", after=500)
    async with Engine(world) as engine:
        stream = engine.stream(["a", "b"])
        first = await anext(stream)
    tasks, error = await all_of(stream)
    assert (first.task_id, tasks, type(error), error.task_ids) == ("a", [], ClientClosed, ("b",))


async def test_a_closed_client_ends_a_stream_that_has_no_id():
    """Also where every id so far is final and the source has not ended."""
    world = World(latency=0)
    world.add("a", after=0)
    found = []
    async with anyio.create_task_group() as group, Engine(world) as engine:
        stream = engine.stream(trickle(["a"], 1000))

        async def reading():
            found.append(await all_of(stream))

        group.start_soon(reading)
        await anyio.sleep(20)
    ((tasks, error),) = found
    assert [task.task_id for task in tasks] == ["a"]
    assert type(error) is ClientClosed
    assert error.task_ids == ()


async def test_a_stream_that_begins_when_nothing_can_be_spawned():
    """What refuses its feeder comes out of the first step, and the stream is over."""

    def refuse(_function):
        raise GatewayUnavailable("closed")

    ledger = Engine(World()).tracker
    stream = Stream(["a"], ledger=ledger, spawn=refuse, changes=False, timeout=5)
    with pytest.raises(GatewayUnavailable):
        await anext(stream)
    assert await all_of(stream) == ([], None)
    assert not asyncio.get_running_loop()._scheduled


async def test_a_tracker_that_is_closed_ends_a_stream_that_begins():
    """A stream that starts too late hears why."""
    async with Engine(World()) as engine:
        stream = engine.stream(["a"])
        engine.tracker.close(ClientClosed("closed"))
        _, error = await all_of(stream)
        assert type(error) is ClientClosed


async def test_unknown_ids_do_not_hide_an_earlier_end():
    """If the stream ends by an error, that is what comes out."""
    world = World(latency=0)
    world.rule = lambda ask: UNKNOWN if ask.ids == ("x",) else None
    world.add("a", after=1000)
    async with Engine(world) as engine:
        _, error = await all_of(engine.stream(["x", "a"], timeout=60))
        assert type(error) is WaitTimeout
        assert error.task_ids == ("a",)


async def test_the_first_reason_counts():
    """What ends a stream is the first thing that ended it."""
    inbox = Inbox(changes=True)
    inbox.stopped(ClientClosed("first"))
    inbox.expire(5.0)
    assert str(inbox.error) == "first"
    inbox.missed(Life(task_id="a", born=0.0))
    assert inbox.faulted(Life(task_id="a", born=0.0), ClientClosed()) is False
    await settled(1)
