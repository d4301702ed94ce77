"""Cancelled in every turn of the loop: nothing of ours is left running, no slot is taken, and others are served on."""

import asyncio
import logging
from collections import deque
from functools import partial

import anyio
import pytest
from virtual import GONE, NO_NEWS, SPOILED, Engine, World, limited, run

from suno_async.protocol.exchange import Broken, Request
from suno_async.protocol.pace import Fixed

SONG = Request("POST", "/suno/submit/music", b"{}")
NOT_SENT = Broken("the connection was refused", sent=False)


def names(count):
    """So many ids."""
    return [f"t{number}" for number in range(count)]


class Ears(logging.Handler):
    """What was logged."""

    def __init__(self):
        super().__init__()
        self.heard = []

    def emit(self, record):
        self.heard.append(record.getMessage())


async def fetching(engine):
    """A fetch that is tried again, behind a gate that closes."""
    engine.world.script = deque([GONE, limited(2)])
    await engine.lane.fetch("t0", 60)


async def fetching_together(engine):
    """Fetches that queue for one slot and for the budget."""
    async with anyio.create_task_group() as group:
        for task_id in names(4):
            group.start_soon(engine.lane.fetch, task_id, 60)


async def waiting(engine):
    """A wait through an outage."""
    engine.world.script = deque([None, GONE, limited(1), NO_NEWS])
    await engine.wait("t9", timeout=100)


async def glancing(engine):
    """A bulk look with faults."""
    engine.world.script = deque([SPOILED, None, GONE])
    await engine.glance(names(12))


async def reading(engine):
    """A stream that is read to its end."""
    async for _ in engine.stream(names(12), timeout=500):
        pass


async def watching_as_they_come(engine):
    """A watch over ids that come one by one, left in the middle."""

    async def source():
        for task_id in names(6):
            yield task_id
            await anyio.sleep(1)

    stream = engine.stream(source(), changes=True)
    try:
        for _ in range(8):
            await anext(stream)
    finally:
        await stream.aclose()


async def admitting(engine):
    """A stream over thousands of ids, most of them unfinished."""
    stream = engine.stream(["t0", *(f"x{number}" for number in range(2500))])
    await anext(stream)


async def submitting(engine):
    """A submission that is sent at the second attempt."""
    engine.world.outcomes = deque([NOT_SENT])
    await engine.submissions.submit(SONG)


async def submitting_together(engine):
    """Submissions that queue for one slot."""
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(engine.submissions.submit, SONG)


SCENARIOS = [fetching, fetching_together, waiting, glancing, reading, watching_as_they_come, admitting]
SUBMISSIONS = [submitting, submitting_together]


def built():
    """A world and an engine that has little to spare."""
    world = World(latency=0.3)
    for number, task_id in enumerate(names(12)):
        world.add(task_id, after=3 * number)
    return Engine(world, pace=Fixed(2), slots=1, size=5, rate=4)


async def scoped(scenario, engine, scopes):
    with anyio.CancelScope() as scope:
        scopes.append(scope)
        await scenario(engine)


async def cancelled(scenario, turn, native, complaints):
    """Runs a scenario and cancels it in a turn of the loop; False if it was over before."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: complaints.append(context))
    async with built() as engine:
        scopes = []
        task = loop.create_task(scenario(engine) if native else scoped(scenario, engine, scopes))
        at = loop.steps + turn
        loop.at_step[at] = lambda: task.cancel() if native or not scopes else scopes[0].cancel()
        await asyncio.wait([task])
        hit = loop.at_step.pop(at, None) is None
        assert task.cancelled() or task.exception() is None
        engine.world.script.clear()
        # its traceback holds the stream that it has left
        task = None
        await engine.settle(200)
        engine.world.add("other", after=0)
        assert (await engine.wait("other", timeout=30)).succeeded
        assert (await engine.lane.fetch("other", 30)).succeeded
        await engine.settle(20)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    return hit, engine.world


def everywhere(scenario, native, check=lambda _world: None):
    """Cancels a scenario in its every turn; how many there were."""
    complaints = []
    for turn in range(1, 2000):
        hit, world = run(partial(cancelled, scenario, turn, native, complaints))
        check(world)
        if not hit:
            assert complaints == []
            return turn
    raise AssertionError("it never ends")


@pytest.mark.parametrize("native", [True, False], ids=["task", "scope"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda function: function.__name__)
def test_wherever_it_is_cancelled(scenario, native):
    """Cancelled in any turn, everything is given back, nothing is looked at any more, and others are served."""
    assert everywhere(scenario, native) > 5


@pytest.mark.parametrize("native", [True, False], ids=["task", "scope"])
@pytest.mark.parametrize("scenario", SUBMISSIONS, ids=lambda function: function.__name__)
def test_wherever_a_submission_is_cancelled(scenario, native):
    """Cancelled in any turn, each accepted task was given to its caller or logged, and none is sent twice."""
    ears = Ears()
    logger = logging.getLogger("suno_async")
    logger.addHandler(ears)
    given = []

    async def noting(engine):
        submit = engine.submissions.submit

        async def noted(request):
            given.append(await submit(request))

        engine.submissions.submit = noted
        await scenario(engine)

    def check(world):
        expected = 2 if scenario is submitting else 3
        assert len(world.posts) <= expected
        accepted = len(world.posts) - (scenario is submitting and bool(world.posts))
        told = {*given, *(line.rpartition(" ")[2] for line in ears.heard)}
        assert len(told) == accepted
        given.clear()
        ears.heard.clear()

    try:
        assert everywhere(noting, native, check) > 5
    finally:
        logger.removeHandler(ears)


@pytest.mark.parametrize("native", [True, False], ids=["task", "scope"])
def test_wherever_the_poller_is_cancelled(native):
    """A poller that is stopped in any turn loses no id: another one that takes over serves them all."""

    async def scenario(turn):
        loop = asyncio.get_running_loop()
        engine = built()
        engine.world.script = deque([None, SPOILED, None, limited(1), GONE, None, SPOILED])
        async with asyncio.TaskGroup() as group:
            waits = [group.create_task(engine.wait(task_id)) for task_id in names(8)]
            scopes = []

            async def polling():
                with anyio.CancelScope() as scope:
                    scopes.append(scope)
                    await engine.poller.run()

            first = loop.create_task(engine.poller.run() if native else polling())

            def stop():
                (first if native or not scopes else scopes[0]).cancel()

            loop.at_step[loop.steps + turn] = stop
            await asyncio.wait([first, *waits], timeout=12)
            first.cancel()
            await asyncio.wait([first])
            assert engine.lane.slots.value == 1
            assert not engine.lane.gate.probing
            second = loop.create_task(engine.poller.run())
            await asyncio.wait(waits, timeout=200)
            assert all(wait.done() for wait in waits), turn
            second.cancel()
            await asyncio.wait([second])
        assert engine.poller.outstanding == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}

    for turn in range(1, 160):
        run(partial(scenario, turn))
