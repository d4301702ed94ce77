"""Faults 68 to 88 and 138 to 139: gateways that answer well and tell nonsense, in hours that take no time."""

import asyncio
import itertools
import time
from collections import Counter
from random import Random

import anyio
import pytest
from virtual import BACKEND, Engine, World, journaled, one, row, rows

from suno_async import Adaptive, Fixed, SunoError, TaskFailed, TaskNotFound, WaitTimeout


@pytest.fixture
def anyio_backend():
    """Time that jumps."""
    return BACKEND


@pytest.fixture
async def journal(tmp_path):
    """A real one, that writes at once."""
    async with journaled(tmp_path) as opened:
        yield opened


def names(count):
    return [f"t{number}" for number in range(count)]


def done(task_id, status="SUCCESS"):
    return row(
        task_id, status, progress="100%", reason="no voice" if status == "FAILURE" else "", audio="https://cdn/x"
    )


async def outcome(awaitable):
    """What it gives or raises."""
    try:
        return await awaitable
    except SunoError as error:
        return error


async def read(stream, found):
    """What a stream gives before it raises."""
    async for task in stream:
        found.append((task.task_id, task.status))


def written(journal):
    """What the journal says of each id."""
    return {entry[1]: entry[3] for entry in journal._scribe.store.tasks()}


# what has ended: 71, 72


@pytest.mark.parametrize(
    ("first", "then"), [("SUCCESS", "IN_PROGRESS"), ("SUCCESS", "FAILURE"), ("FAILURE", "SUCCESS")]
)
async def test_the_first_end_is_the_end(journal, first, then):
    """71, 72: each waiter hears it once, nobody looks again, and the journal keeps it, whatever the row says later."""
    world, heard, completed, changes = World(), [], [], []
    world.tell("a", 0, row("a"))
    world.tell("a", 20, done("a", first))
    world.tell("a", 26, row("a") if then == "IN_PROGRESS" else done("a", then))

    async def wait():
        heard.append(await outcome(engine.wait("a")))

    async with Engine(world, journal=journal) as engine:
        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            group.start_soon(wait)
            group.start_soon(read, engine.stream(["a"]), completed)
            group.start_soon(read, engine.stream(["a"], changes=True), changes)
        asked = len(world.asks)
        await engine.settle(3600)
        assert len(world.asks) == asked
        assert [end.status if first == "SUCCESS" else end.task.status for end in heard] == [first] * 2
        assert completed == [("a", first)]
        assert [status for _, status in changes] == ["IN_PROGRESS", first]
        assert written(journal) == {"a": first}
        assert await journal.open_tasks() == []
        # asked for anew it is as it is now, and what was written stays
        with anyio.move_on_after(60):
            again = await outcome(engine.wait("a"))
            assert (type(again) is TaskFailed) == (then == "FAILURE")
        assert written(journal) == {"a": first}


# SUCCESS with something missing: 68, 69


HALF = row("a", "SUCCESS", audio="https://cdn/1")[:-2] + b', {"id": "clip-2", "status": "complete", "audio_url": ""}]}'


@pytest.mark.parametrize(
    ("lacking", "songs"),
    [(row("a", "SUCCESS"), []), (HALF, ["https://cdn/1", ""])],
    ids=["68 nothing", "69 one of two"],
)
async def test_what_a_success_lacks_may_come_for_ten_minutes(journal, lacking, songs):
    """68, 69: it is asked for every round until then, and given with what there is if nothing more comes."""
    world = World(latency=0)
    world.tell("a", 0, lacking)
    async with Engine(world, pace=Adaptive(), journal=journal) as engine:
        task = await engine.wait("a")
        assert (task.status, [song.audio_url for song in task.songs]) == ("SUCCESS", songs)
        times = world.times("a")
        assert 600 <= times[-1] < 620
        assert max(later - earlier for earlier, later in itertools.pairwise(times)) <= 15.1
        assert written(journal) == {"a": "SUCCESS"}


# answers about somebody else: 80


@pytest.mark.parametrize("count", [1, 3])
async def test_answers_about_others_are_never_delivered(count):
    """80: for an hour each answer is about another task: nobody gets it, looks get rare, and the right one ends it."""
    world, found = World(), []
    world.add(*names(count), after=3600)
    stray = done("somebody-elses")
    world.rule = lambda ask: (rows(stray) if ask.batch else one(stray)) if ask.at < 3600 else None
    async with Engine(world, pace=Fixed(5)) as engine:
        with pytest.raises(WaitTimeout, match=r"another task|not final") as caught:
            await read(engine.stream(names(count), timeout=1800), found)
        assert sorted(caught.value.task_ids) == names(count)
        assert found == []
        assert world.distrusted == len(world.asks) < 150
        await read(engine.stream(names(count), timeout=None), found)
        assert sorted(found) == [(task_id, "SUCCESS") for task_id in names(count)]
        assert anyio.current_time() < 3600 + 130
        await engine.settle()


# what was there and is gone: 35, 75, 76


async def test_a_task_that_is_forgotten_is_asked_for_ten_times_in_ten_minutes(journal):
    """76: among others, and alone in the end; then TaskNotFound says how it was last seen."""
    world, errors = World(latency=0), []
    world.tell("a", 0, row("a", progress="40%"))
    world.add("b", after=3000)

    async def wait():
        errors.append(await outcome(engine.wait("a")))

    async with Engine(world, pace=Fixed(10), journal=journal) as engine, anyio.create_task_group() as group:
        group.start_soon(engine.wait, "b")
        group.start_soon(wait)
        await anyio.sleep(99)
        del world.plans["a"]
        await anyio.sleep(600)
        assert not errors
        await anyio.sleep(60)
        (error,) = errors
        assert isinstance(error, TaskNotFound)
        assert (error.task_id, error.last_seen.progress) == ("a", 40)
        since = [at for at in world.times("a") if at >= 99]
        assert len(since) >= 10
        assert since[-1] - since[0] >= 600
        assert [ask.ids for ask in world.asks if "a" in ask.ids][-1] == ("a",)
        assert written(journal) == {"a": "NOT_FOUND", "b": "OPEN"}
        group.cancel_scope.cancel()


async def test_a_task_that_comes_back_was_never_gone():
    """76: nine minutes of "I do not know it" cost a task nothing."""
    world = World(latency=0)
    world.tell("a", 0, row("a"))
    async with Engine(world, pace=Fixed(10)) as engine, anyio.create_task_group() as group:
        found = []

        async def wait():
            found.append(await engine.wait("a"))

        group.start_soon(wait)
        await anyio.sleep(60)
        plan = world.plans.pop("a")
        await anyio.sleep(540)
        world.plans["a"] = [*plan, (610, done("a"))]
        await anyio.sleep(60)
        assert [task.status for task in found] == ["SUCCESS"]


@pytest.mark.parametrize("others", [0, 30])
async def test_an_own_task_that_never_appears_is_given_up_late_and_with_what_is_known(others):
    """35, 75: two minutes and five looks at least, alone and among others; what was never there has no last state."""
    world = World(latency=0)
    world.add(*names(others), after=1000)
    async with Engine(world, pace=Adaptive()) as engine, anyio.create_task_group() as group:
        for task_id in names(others):
            group.start_soon(engine.wait, task_id)
        engine.tracker.submitted("mine", "MUSIC")
        error = await outcome(engine.wait("mine"))
        assert isinstance(error, TaskNotFound)
        assert (error.task_id, error.last_seen) == ("mine", None)
        assert len(world.times("mine")) >= 5
        assert 120 <= anyio.current_time() < 300
        group.cancel_scope.cancel()


# what never ends: 74, 77, 79


@pytest.mark.parametrize(
    "stuck",
    [row("a", progress="40%"), row("a", progress="100%"), row("a", "PONDERING"), row("a", ""), row("a", "UNKNOWN")],
    ids=["77 runs for ever", "79 all of it, and no end", "74 a word nobody knows", "74 no word", "74 UNKNOWN"],
)
async def test_a_task_that_never_ends_is_waited_for_as_long_as_its_caller_says(journal, stuck):
    """74, 77, 79: six hours here; looks get rare and do not stop, and the task stays open in the journal."""
    world = World(latency=0)
    world.tell("a", 0, stuck)
    async with Engine(world, pace=Adaptive(), journal=journal) as engine:
        error = await outcome(engine.wait("a", timeout=6 * 3600))
        assert isinstance(error, WaitTimeout)
        assert (error.task_id, error.task.task_id, error.task.done) == ("a", "a", False)
        assert written(journal) == {"a": "OPEN"}
        times = world.times("a")
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        # past the longest that a song was ever seen to take, from three a minute to one every two minutes
        rare = [gap for at, gap in zip(times, gaps, strict=False) if at > 1000]
        assert all(20 < gap < 121 for gap in rare)
        assert rare[-1] > 100
        assert times[-1] > 6 * 3600 - 121


# clocks: 85, 87


def dated(task_id, status, moment):
    """A row whose every time is this one."""
    told = {f'"{name}": {moment}' for name in ("submit_time", "start_time", "finish_time", "updated_at")}
    return done(task_id, status)[:-1] + b", " + ", ".join(sorted(told)).encode() + b"}"


async def test_no_clock_but_the_loops_counts(monkeypatch):
    """85: a gateway in another century, and a machine whose clock jumps, are looked at at the same times as any."""

    async def looks(moment, clock):
        world = World()
        start = anyio.current_time()
        with monkeypatch.context() as patch:
            if clock is not None:
                patch.setattr(time, "time", clock)
            async with Engine(world, pace=Adaptive()) as engine:
                engine.tracker.submitted("a", "MUSIC")
                world.tell("a", start, dated("a", "IN_PROGRESS", moment))
                world.tell("a", start + 150, dated("a", "SUCCESS", moment))
                assert (await engine.wait("a")).succeeded
        return [round(at - start, 6) for at in world.times("a")]

    jumps = itertools.cycle([0.0, 2e9, -5.0, 4e12])
    usual = await looks(0, None)
    assert len(usual) > 5
    for moment in (1, 4_102_444_800, -(10**9), 10**15, '"yesterday"'):
        # the loop's own time goes on between the runs, and with it the phase of the beat that is looked for
        assert await looks(moment, lambda: next(jumps)) == pytest.approx(usual, abs=1.0)


@pytest.mark.parametrize("rate", [None, 5.0])
async def test_a_machine_that_slept_asks_for_what_it_missed_once(rate):
    """87: an hour in which no timer ran is one look at each id, in full batches, within slots and rate; no storm."""
    world = World(latency=0.2)
    world.add(*names(2000), after=3800)
    async with (
        Engine(world, pace=Fixed(10), size=100, slots=4, rate=rate) as engine,
        anyio.create_task_group() as group,
    ):
        found = []
        group.start_soon(read, engine.stream(names(2000)), found)
        await anyio.sleep(100)
        woken = await asleep(3600)
        await anyio.sleep(8)
        asks = [ask for ask in world.asks if ask.at >= woken]
        # as many looks as in any interval of the pace, not the 360 that were missed
        assert {len(ask.ids) for ask in asks} == {100}
        assert 15 <= len(asks) <= 20
        assert max(Counter(task_id for ask in asks for task_id in ask.ids).values()) == 1
        assert world.most_in_flight <= 4
        if rate is not None:
            for ask in world.asks:
                assert sum(ask.at <= other.at < ask.at + 1 for other in world.asks) <= rate + 1
        await anyio.sleep(200)
        assert len(found) == 2000
        await engine.settle()


async def asleep(seconds):
    """The machine sleeps: the clock goes on, and nothing else does."""
    loop = asyncio.get_running_loop()
    loop._jumps.now += seconds
    await anyio.lowlevel.checkpoint()
    return loop.time()


# gateways that are busy: 88, 138, 139


async def test_a_gateway_where_nothing_moves_is_asked_seldom_and_waited_for():
    """88, 138: half an hour of NOT_START for everybody is no end, costs few requests, and teaches nothing wrong."""

    async def looks_at_a_new_task(engine, world):
        start = anyio.current_time()
        engine.tracker.submitted(f"new{start}", "MUSIC")
        world.add(f"new{start}", after=start + 100, before=start)
        assert (await engine.wait(f"new{start}")).succeeded
        return [at - start for at in world.times(f"new{start}")]

    world = World()
    async with Engine(world, pace=Adaptive(beat=None), seed=1) as engine:
        before = await looks_at_a_new_task(engine, world)
        await anyio.sleep(1000)
        start = anyio.current_time()
        for number, task_id in enumerate(names(300)):
            engine.tracker.submitted(task_id, "MUSIC")
            world.tell(task_id, 0, row(task_id, "NOT_START", progress=""))
            world.tell(task_id, start + 1800 + number // 10, row(task_id))
            world.tell(task_id, start + 1900 + number // 10, done(task_id))
        found = []
        async with anyio.create_task_group() as group:
            group.start_soon(read, engine.stream(names(300), timeout=None), found)
            await anyio.sleep(1800)
            # three batches hold them all; a row that has not begun changes with a round of the gateway at the soonest
            assert len([ask for ask in world.asks if ask.at > start + 900]) < 3 * 900 / 15 + 20
            assert not found
        assert sorted(found) == sorted((task_id, "SUCCESS") for task_id in names(300))
        assert anyio.current_time() - start < 1930 + 31
        # but for the one song that was waited for before
        assert await looks_at_a_new_task(engine, world) == pytest.approx(before, rel=0.1)


async def test_rounds_that_drift_make_nobody_late():
    """139: rows that change one after another, in rounds of 15 s and more, are seen within one interval of the pace."""
    dice, world, visible = Random(4), World(latency=0.1), {}
    begin = 0.0
    ready = {task_id: dice.uniform(20, 300) for task_id in names(400)}
    while len(visible) < len(ready):
        begin += 15 + dice.uniform(0, 1)
        for place, task_id in enumerate(sorted(ready)):
            at = begin + place * 0.0125
            if task_id not in visible and ready[task_id] <= at:
                visible[task_id] = at
    for task_id in ready:
        world.tell(task_id, 0, row(task_id))
        world.tell(task_id, visible[task_id], done(task_id))
    seen_at = {}
    async with Engine(world, pace=Fixed(5)) as engine:
        async for task in engine.stream(names(400)):
            seen_at[task.task_id] = anyio.current_time()
        assert all(0 <= seen_at[task_id] - visible[task_id] < 5 + 1 for task_id in ready)
        await engine.settle()
