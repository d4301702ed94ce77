"""The waits: one id until it is final or playable, and many ids once."""

import asyncio
import gc
from collections import deque

import anyio
import pytest
from virtual import (
    BROKEN,
    GONE,
    NO_NEWS,
    REFUSED,
    SPOILED,
    UNKNOWN,
    Engine,
    World,
    limited,
    page,
    row,
    said,
)

from suno_async.engine.waits import Glance, Wait, ending, failure
from suno_async.protocol.errors import (
    ClientClosed,
    ConfigurationError,
    GatewayUnavailable,
    QuotaExceeded,
    RateLimited,
    SunoError,
    TaskFailed,
    TaskNotFound,
    Unauthorized,
    WaitTimeout,
)
from suno_async.protocol.life import Failed, Life, Settled
from suno_async.protocol.models import Status, Task
from suno_async.protocol.pace import Fixed

PLAYABLE = row("a", progress="50%", audio="https://cdn/stream")


def names(count):
    """So many ids."""
    return [f"t{number}" for number in range(count)]


async def outcome(awaitable):
    """What it gives or raises."""
    try:
        return await awaitable
    except Exception as error:  # noqa: BLE001
        return error


# one id


async def test_a_wait_gives_the_succeeded_task():
    """SUCCESS ends a wait with the task."""
    world = World()
    world.add("a", after=20)
    async with Engine(world) as engine:
        task = await engine.wait("a")
        assert task.succeeded
        assert task.playable
        await engine.settle()


async def test_a_wait_raises_for_a_failed_task():
    """FAILURE raises TaskFailed with the task and its reason, also where a clip could be played."""
    world = World()
    world.tell("a", 0, row("a", "FAILURE", reason="too loud", audio="https://cdn/a.mp3"))
    async with Engine(world) as engine:
        error = await outcome(engine.wait("a", until="playable"))
    assert type(error) is TaskFailed
    assert (error.reason, error.task_id, error.task_ids) == ("too loud", "a", ("a",))
    assert error.task.playable
    assert "too loud" in str(error)


def test_a_failure_without_a_reason_says_so():
    """Where the gateway gave no reason, the message does not invent one."""
    assert str(failure(Task(task_id="a"))) == "task a failed: the gateway gives no reason"


async def test_a_frozen_row_is_a_failure_by_inference():
    """A row that is frozen with a reason ends as TaskFailed, and says that it was inferred."""
    world = World()
    world.tell("a", 0, row("a", progress="100%", reason="refunded"))
    async with Engine(world) as engine:
        error = await outcome(engine.wait("a"))
    assert (type(error), error.inferred, error.reason) == (TaskFailed, True, "refunded")


async def test_a_playable_song_ends_only_the_wait_for_it():
    """``until`` belongs to each waiter: one goes with the stream, the other waits for the end; they share the looks."""
    world = World(latency=0)
    world.tell("a", 0, row("a"))
    world.tell("a", 12, PLAYABLE)
    world.tell("a", 32, row("a", "SUCCESS", progress="100%", audio="https://cdn/a.mp3"))
    times = {}
    async with Engine(world, pace=Fixed(5)) as engine:

        async def timed(until):
            task = await engine.wait("a", until=until)
            times[until] = (round(anyio.current_time()), task.succeeded)

        async with anyio.create_task_group() as group:
            group.start_soon(timed, "playable")
            group.start_soon(timed, "done")
        assert times == {"playable": (15, False), "done": (35, True)}
        assert len(world.asks) == 8
        await engine.settle()


async def test_a_wait_for_something_playable_that_joins_late():
    """A song that is playable already when somebody joins is given to him at the next look, though nothing changed."""
    world = World(latency=0)
    world.tell("a", 0, PLAYABLE)
    async with Engine(world, pace=Fixed(5)) as engine, anyio.create_task_group() as group:
        group.start_soon(engine.wait, "a")
        await anyio.sleep(12)
        assert (await engine.wait("a", until="playable")).playable
        assert anyio.current_time() == pytest.approx(15, abs=0.05)
        group.cancel_scope.cancel()


async def test_an_unchanged_row_is_read_once():
    """While nothing changes, a wait for something playable does not read the row again and again."""
    wait = Wait("a", "playable")
    reads = []

    class Counted:
        def __init__(self, mark):
            self.mark = mark

        def task(self):
            reads.append(self.mark)
            return Task(task_id="a")

    life = Life(task_id="a", born=0.0)
    for mark in (1, 1, 1, 2, 2, 1):
        wait.looked(life, Counted(mark))
    assert reads == [1, 2, 1]


async def test_lyrics_are_playable_at_their_end():
    """A wait until "playable" for lyrics ends with SUCCESS."""
    world = World()
    words = b'{"task_id":"a","action":"LYRICS","status":"SUCCESS","data":{"text":"la","title":"L","status":"complete"}}'
    world.tell("a", 0, words)
    async with Engine(world) as engine:
        assert (await engine.wait("a", until="playable")).lyrics.text == "la"


async def test_a_deadline_names_what_was_last_seen():
    """WaitTimeout has the task as it was last seen, is a TimeoutError, and says that it may still succeed."""
    world = World()
    world.tell("a", 0, row("a"))
    async with Engine(world) as engine:
        error = await outcome(engine.wait("a", timeout=12))
        assert type(error) is WaitTimeout
        assert isinstance(error, TimeoutError)
        assert (error.task.status_text, error.task_id, error.task_ids) == ("IN_PROGRESS", "a", ("a",))
        assert "last seen as IN_PROGRESS" in str(error)
        assert anyio.current_time() == 12
        await engine.settle()
        assert len(world.asks) == 3


async def test_a_deadline_before_anything_was_seen():
    """An id that was not seen is said not to have been."""
    world = World()
    world.rule = lambda _ask: GONE
    async with Engine(world) as engine:
        error = await outcome(engine.wait("a", timeout=5))
    assert error.task is None
    assert "not seen yet" in str(error)


async def test_an_answer_in_the_deadlines_own_tick_is_not_dropped():
    """A final answer that has come is given, however late the waiter gets his turn: two hundred of two hundred."""
    for _ in range(200):
        wait = Wait("a", "done")
        life = Life(task_id="a", born=0.0)
        loop = asyncio.get_running_loop()
        loop.call_at(loop.time() + 1, wait.ended, life, Settled(Task(task_id="a", status=Status.SUCCESS)))
        loop.call_at(loop.time() + 1, wait.expire, life, 1.0)
        assert isinstance(await wait.future, Task)


async def test_what_comes_first_counts():
    """Nothing that comes later changes how a wait ended."""
    life = Life(task_id="a", born=0.0)
    wait = Wait("a", "playable")
    wait.expire(life, 1.0)
    wait.ended(life, Failed(TaskNotFound()))
    wait.stopped(ClientClosed())
    wait.missed(life)

    class Playable:
        mark = 1

        def task(self):
            return Task(task_id="a", status=Status.SUCCESS, lyrics=object())

    wait.looked(life, Playable())
    assert wait.faulted(life, SunoError()) is False
    assert type(await outcome(wait.future)) is WaitTimeout


async def test_every_waiter_has_an_error_of_his_own():
    """Two waits on an id that is gone raise two errors: one that is raised twice collects both tracebacks."""
    world = World()
    world.rule = lambda _ask: UNKNOWN
    async with Engine(world) as engine:
        first, second = await asyncio.gather(outcome(engine.wait("a")), outcome(engine.wait("a")))
    assert type(first) is type(second) is TaskNotFound
    assert first is not second


async def test_a_closed_client_ends_a_wait():
    """ClientClosed names the id."""
    world = World()
    world.tell("a", 0, row("a"))
    async with Engine(world) as engine, anyio.create_task_group() as group:
        errors = []

        async def waiting():
            errors.append(await outcome(engine.wait("a")))

        group.start_soon(waiting)
        await anyio.sleep(3)
        engine.tracker.close(ClientClosed("closed"))
    assert (type(errors[0]), errors[0].task_id, errors[0].task_ids) == (ClientClosed, "a", ("a",))


def test_the_error_that_ends_many_is_copied_for_each():
    """A copy names the ids still open, keeps the facts, and tells how to go on where the key is refused."""
    error = Unauthorized("no", status=401, code="x")
    mine = ending(error, ("a", "b"))
    assert (mine.task_ids, mine.task_id, mine.status, mine.code) == (("a", "b"), None, 401, "x")
    assert "another key of the account" in str(mine)
    assert str(ending(ClientClosed("shut"), ("a",))) == "shut"
    assert error.task_ids == ()


# many ids, once


async def test_many_ids_are_seen_once_in_the_order_asked():
    """fetch_many gives each id's state as it is, None for the unknown, in order, in as few requests as possible."""
    world = World()
    world.add("a", after=0)
    world.add("b", after=100)
    async with Engine(world) as engine:
        found = await engine.glance(["b", "x", "a"])
        assert list(found) == ["b", "x", "a"]
        assert (found["a"].succeeded, found["b"].done, found["x"]) == (True, False, None)
        assert len(world.asks) == 1
        await engine.settle()


async def test_thousands_are_seen_at_once():
    """Nobody waits for the pace, and each id is asked for once."""
    world = World()
    world.add(*names(2500), after=0)
    async with Engine(world) as engine:
        found = await engine.glance(names(2500))
        assert all(task.succeeded for task in found.values())
        assert len(world.asks) == 25
        assert anyio.current_time() < 1
        await engine.settle()


async def test_ids_that_are_waited_for_anyway_are_looked_at_at_once():
    """A glance at an id whose next look is far away hastens it, and both hear of the look."""
    world = World(latency=0)
    world.add("a", after=10)
    async with Engine(world, pace=Fixed(100)) as engine, anyio.create_task_group() as group:
        group.start_soon(engine.wait, "a")
        await anyio.sleep(12)
        found = await engine.glance(["a"])
        assert found["a"].succeeded
        assert anyio.current_time() < 13


@pytest.mark.parametrize("fault", [GONE, BROKEN, NO_NEWS], ids=repr)
async def test_a_glance_tries_again_twice(fault):
    """Two faults in a row are got over, quickly."""
    world = World()
    world.add(*names(5), after=0)
    world.script = deque([fault, fault])
    async with Engine(world, pace=Fixed(60)) as engine:
        found = await engine.glance(names(5))
        assert all(task.succeeded for task in found.values())
        assert anyio.current_time() < 4
        await engine.settle()


@pytest.mark.parametrize("fault", [GONE, BROKEN, NO_NEWS, SPOILED], ids=repr)
async def test_a_glance_gives_up_after_three_faults(fault):
    """After the third fault it raises with what was seen and what is open."""
    world = World()
    world.add(*names(12), after=0)
    world.rule = lambda ask: fault if "t3" in ask.ids else None
    async with Engine(world, size=6) as engine:
        error = await outcome(engine.glance(names(12)))
        assert isinstance(error, SunoError)
        assert "t3" in error.task_ids
        assert set(error.tasks) | set(error.task_ids) == set(names(12))
        assert not set(error.tasks) & set(error.task_ids)
        assert all(task.succeeded for task in error.tasks.values())
        assert error.tasks
        assert len(world.times("t3")) <= 12
        await engine.settle()


async def test_a_lone_fault_names_its_id():
    """An error about one id has it as ``task_id`` too."""
    world = World()
    world.rule = lambda _ask: GONE
    async with Engine(world) as engine:
        error = await outcome(engine.glance(["a"]))
    assert (type(error), error.task_id, error.task_ids, error.tasks) == (GatewayUnavailable, "a", ("a",), {})


@pytest.mark.parametrize("answer", [REFUSED, said(403, "quota_not_enough", "insufficient quota")], ids=repr)
async def test_a_glance_with_a_refused_key_gives_up_at_once(answer):
    """A refused key is not tried again for a glance."""
    world = World()
    world.rule = lambda _ask: answer
    async with Engine(world) as engine:
        error = await outcome(engine.glance(names(3)))
        assert isinstance(error, Unauthorized | QuotaExceeded)
        assert set(error.task_ids) == set(names(3))
        assert len(world.asks) == 1
        await engine.settle()


async def test_a_glance_at_what_is_no_gateway():
    """A page before any answer is a wrong base URL."""
    world = World()
    world.rule = lambda _ask: page()
    async with Engine(world) as engine:
        assert type(await outcome(engine.glance(names(3)))) is ConfigurationError
        await engine.settle()


async def test_a_glance_does_not_wait_out_a_long_pause():
    """After a fault something has to come within the patience, whatever Retry-After says."""
    world = World()
    world.add("a", after=0)
    world.script = deque([limited(200)])
    async with Engine(world) as engine:
        error = await outcome(engine.glance(["a"], patience=30))
        assert isinstance(error, RateLimited)
        assert anyio.current_time() == pytest.approx(30.1, abs=0.1)
        error = await outcome(engine.glance(["a"], patience=30))
        assert isinstance(error, GatewayUnavailable)
        assert anyio.current_time() == pytest.approx(60.1, abs=0.2)
        await engine.settle()


async def test_a_glance_stays_impatient_after_a_fault():
    """An answer for another id gives new patience, but never patience without an end."""
    glance = Glance(["a", "b", "c"], 30.0, lambda *_: None)
    assert glance.faulted(Life(task_id="a", born=0.0), RateLimited()) is True
    await anyio.sleep(20)
    glance.missed(Life(task_id="b", born=0.0))
    error = await outcome(glance.future)
    assert (type(error), error.task_ids, error.tasks) == (RateLimited, ("a", "c"), {"b": None})
    assert anyio.current_time() == 50


async def test_a_glance_is_patient_while_all_is_well():
    """Without a fault a glance takes as long as its ids take, however small the budget."""
    world = World()
    world.add(*names(50), after=0)
    async with Engine(world, size=1, rate=1) as engine:
        found = await engine.glance(names(50), patience=5)
        assert all(task.succeeded for task in found.values())
        assert anyio.current_time() > 45


async def test_a_glance_at_ids_that_are_gone():
    """An id that a wait finds gone in the same look is None for the glance."""
    world = World(latency=0)
    world.rule = lambda _ask: UNKNOWN
    async with Engine(world, pace=Fixed(5)) as engine, anyio.create_task_group() as group:
        group.start_soon(outcome, engine.wait("a"))
        await anyio.sleep(9)
        assert await engine.glance(["a"]) == {"a": None}
        await anyio.sleep(0.999)
        assert await engine.glance(["a"]) == {"a": None}


async def test_a_closed_client_ends_a_glance():
    """ClientClosed names what was not seen."""
    world = World(latency=50)
    async with Engine(world) as engine, anyio.create_task_group() as group:
        errors = []

        async def glancing():
            errors.append(await outcome(engine.glance(names(3))))

        group.start_soon(glancing)
        await anyio.sleep(3)
        engine.tracker.close(ClientClosed("closed"))
    assert (type(errors[0]), set(errors[0].task_ids)) == (ClientClosed, set(names(3)))


async def test_a_cancelled_glance_leaves_nothing():
    """A glance that is cancelled, in its admission or later, leaves its ids and its timer."""
    world = World(latency=2)
    async with Engine(world) as engine:
        for seconds in (0.0, 1.0):
            with anyio.move_on_after(seconds):
                await engine.glance(names(2500))
            await engine.settle()
    assert not [timer for timer in asyncio.get_running_loop()._scheduled if not timer.cancelled()]


async def test_a_glance_that_gave_up_hears_of_nothing_more():
    """After its end faults and answers change nothing, start no timer, and nobody complains of an error unread."""
    left = []
    glance = Glance(["a", "b", "c"], 5.0, lambda ids, _waiter: left.extend(ids))
    life = Life(task_id="a", born=0.0)
    glance.stopped(ClientClosed())
    assert glance.faulted(life, GatewayUnavailable()) is False
    glance.missed(life)
    glance.missed(life)
    glance.stopped(ClientClosed())
    glance.close()
    assert glance.found == {"a": None, "b": None, "c": None}
    assert left == ["a", "b", "c"]
    del glance
    gc.collect()
    assert not asyncio.get_running_loop()._scheduled


async def test_the_last_answer_of_a_glance_ends_it():
    """Answers stop the clock that a fault has started, and the last one gives the result."""
    glance = Glance(["a", "b"], 5.0, lambda *_: None)
    assert glance.faulted(Life(task_id="a", born=0.0), GatewayUnavailable()) is True
    glance.ended(Life(task_id="a", born=0.0), Settled(Task(task_id="a")))
    await anyio.sleep(4)
    glance.ended(Life(task_id="b", born=0.0), Failed(TaskNotFound()))
    await glance.future
    assert (glance.found["a"].task_id, glance.found["b"]) == ("a", None)
    assert not [timer for timer in asyncio.get_running_loop()._scheduled if not timer.cancelled()]


@pytest.mark.parametrize(
    ("answer", "said_why"),
    [
        (GONE, "the gateway gave no answer: it closed the connection before it answered"),
        (BROKEN, "the gateway answered 502"),
        (UNKNOWN, "the gateway does not know task a"),
    ],
)
async def test_a_timeout_says_what_was_wrong(answer, said_why):
    """If the last look before the deadline told nothing, the error says why, and has that as its cause."""
    world = World()
    world.rule = lambda _ask: answer
    async with Engine(world, pace=Fixed(1)) as engine:
        with pytest.raises(WaitTimeout, match=f"may still succeed; the last look failed: {said_why}") as caught:
            await engine.wait("a", timeout=8)
        assert str(caught.value.__cause__) == said_why
        await engine.settle()


async def test_a_timeout_of_a_task_that_runs_has_no_cause():
    """Trouble that is over is not told: the task was seen since."""
    world = World()
    world.add("a", after=1000)
    world.script = deque([GONE])
    async with Engine(world, pace=Fixed(1)) as engine:
        with pytest.raises(WaitTimeout, match=r"may still succeed$") as caught:
            await engine.wait("a", timeout=8)
        assert caught.value.__cause__ is None


def test_the_reason_of_a_failure_is_shown_in_one_safe_line():
    """Escapes, line ends and direction marks of a gateway's text stay out of the text; ``.reason`` keeps them."""
    task = Task(task_id="a", status=Status.FAILURE, fail_reason="no\x1b[31m\nvoice\u202e" + "x" * 5000)
    error = failure(task)
    assert str(error).startswith("task a failed: no [31m voice x")
    assert len(str(error)) < 250
    assert str(error).isprintable()
    assert error.reason == task.fail_reason


async def test_a_wait_for_the_end_goes_on_past_something_to_hear():
    """Whatever it is told of a look, only a wait for something playable ends with it."""

    class Playable:
        mark = 1

        def task(self):
            return Task(task_id="a", status=Status.SUCCESS, lyrics=object())

    ends = {until: Wait("a", until) for until in ("done", "playable")}
    for wait in ends.values():
        wait.looked(Life(task_id="a", born=0.0), Playable())
    assert {until: wait.future.done() for until, wait in ends.items()} == {"done": False, "playable": True}
