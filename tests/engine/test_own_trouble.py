"""Ids with trouble of their own among healthy ones: whatever is said of one id, the others are served in time."""

import anyio
import pytest
from virtual import REFUSED, Engine, World, one, row, said

from suno_async.protocol.errors import Unauthorized
from suno_async.protocol.exchange import Answer
from suno_async.protocol.models import Task
from suno_async.protocol.pace import Adaptive, Backoff, Fixed

FORBIDDEN = Answer(403, {}, b'{"error":{"message":"you may not see this task","type":"forbidden","code":"forbidden"}}')


def names(count, prefix="t"):
    """So many ids."""
    return [f"{prefix}{number}" for number in range(count)]


async def ended(engine, task_ids, found):
    """Waits for all of these ids; how many seconds from now each wait ended, and with what, is in ``found``."""
    begin = anyio.current_time()

    async def wait(task_id):
        try:
            result = await engine.wait(task_id)
        except Unauthorized as error:
            result = error
        found[task_id] = (anyio.current_time() - begin, result)

    async with anyio.create_task_group() as group:
        for task_id in task_ids:
            group.start_soon(wait, task_id)
            await anyio.sleep(1)


def refusing(world, theirs, answer):
    """Single looks at these ids are refused, batches leave them out."""
    world.rule = lambda ask: answer if len(ask.ids) == 1 and set(ask.ids) <= theirs else None


@pytest.mark.parametrize("size", [100, 1])
@pytest.mark.parametrize("pace", [Fixed(10), Fixed(1), Adaptive()], ids=repr)
@pytest.mark.parametrize("answer", [REFUSED, FORBIDDEN], ids=["401", "403"])
async def test_an_id_that_is_refused_ends_nobody_elses_wait(answer, pace, size):
    """The key is good for the others: they are answered to their end, and then the refusal is believed."""
    world, found = World(), {}
    world.add("a", "b", after=40)
    refusing(world, {"theirs"}, answer)
    async with Engine(world, pace=pace, size=size) as engine:
        with anyio.move_on_after(300):
            await ended(engine, ["a", "b", "theirs"], found)
        assert {task_id: type(result).__name__ for task_id, (_, result) in found.items()} == {
            "a": "Task",
            "b": "Task",
            "theirs": "Unauthorized",
        }
        assert found["theirs"][0] > max(found["a"][0], found["b"][0])
        assert len(world.times("theirs")) < 30
        await engine.settle()


class Hasty(World):
    """A world that takes its time, but not to refuse."""

    async def look(self, request, **more):
        """403 at once for a single look at what is not ours."""
        if request.path.endswith("/theirs"):
            await anyio.sleep(0.1)
            return FORBIDDEN
        return await super().look(request, **more)


@pytest.mark.parametrize("size", [100, 1])
@pytest.mark.parametrize("pace", [Fixed(2), Fixed(5), Backoff()], ids=repr)
@pytest.mark.parametrize("seconds", [4.0, 8.0])
async def test_a_refused_id_ends_nobody_whose_look_is_under_way(pace, size, seconds):
    """Answers may take longer than a refusal is held back: whom they are about is still there to be asked for."""
    world, found = Hasty(latency=seconds), {}
    world.add(*names(2), after=60)
    async with Engine(world, pace=pace, size=size) as engine:
        with anyio.move_on_after(200):
            await ended(engine, [*names(2), "theirs"], found)
        assert all(isinstance(found[task_id][1], Task) for task_id in names(2))


@pytest.mark.parametrize("order", [["theirs0", "a", "b"], ["a", *names(5, "theirs"), "b"]], ids=["first", "many"])
@pytest.mark.parametrize("size", [100, 1])
async def test_refused_ids_cost_the_others_no_time(order, size):
    """One that is refused before anybody was answered holds all up for three seconds; the others hold up nobody."""
    world, found = World(), {}
    world.add("a", "b", after=60)
    refusing(world, set(names(5, "theirs")), FORBIDDEN)
    async with Engine(world, pace=Fixed(10), size=size) as engine:
        with anyio.move_on_after(90):
            await ended(engine, order, found)
    for task_id in "ab":
        when, task = found[task_id]
        assert isinstance(task, Task)
        assert when <= 60 + 10 + 3.5


async def test_a_key_that_is_refused_to_all_is_believed_within_a_look_each():
    """Also where every id is asked for by itself: the second one that was answered before ends all waits."""
    world, found = World(), {}
    world.add(*names(6), after=1000)
    world.rule = lambda ask: REFUSED if ask.at > 30 else None
    async with Engine(world, pace=Fixed(10), size=1) as engine:
        with anyio.fail_after(30 + 10 + 4):
            await ended(engine, names(6), found)
        assert all(isinstance(error, Unauthorized) for _, error in found.values())
        assert len([ask for ask in world.asks if ask.at > 30]) <= 8
        await engine.settle()


@pytest.mark.parametrize("keys", [0, 1000])
async def test_of_a_function_that_gives_keys_one_refused_id_asks_once(keys):
    """If another key does not help it is not the key, however many there are."""
    world, found = World(), {}
    world.keys = keys
    world.add("a", "b", after=100)
    refusing(world, {"theirs"}, FORBIDDEN)
    async with Engine(world, pace=Fixed(5), size=1) as engine:
        with anyio.move_on_after(90):
            await ended(engine, ["a", "b", "theirs"], found)
        assert found == {}
        assert world.renewals == 1
        assert len(world.times("theirs")) > 3


@pytest.mark.parametrize("pace", [Fixed(10), Fixed(3), Adaptive()], ids=repr)
async def test_an_id_that_is_answered_under_another_name_slows_nobody(pace):
    """Its looks are foreign for ever: they get rare, and neither close the gate nor bring the others a delay."""
    ends = {}
    for spelling in ("ODD", "odd"):
        world, found, begin = World(), {}, anyio.current_time()
        world.add(*names(6), after=begin + 60)
        world.rule = lambda ask, name=spelling: one(row(name)) if ask.ids == ("ODD",) else None
        async with Engine(world, pace=pace, size=1) as engine:
            with anyio.move_on_after(85):
                await ended(engine, ["ODD", *names(6)], found)
        ends[spelling] = max(when for when, _ in found.values())
        assert len(found) == 6
    assert ends["odd"] <= ends["ODD"] + 4
    assert len(world.times("ODD")) <= 9


async def test_a_probe_passes_over_those_that_have_trouble_of_their_own():
    """However many of them are due before, how the gateway is is asked by one who has none."""
    world, sick = World(), set(names(5, "sick"))
    world.add(*names(3), after=1000)
    world.rule = lambda ask: said(400, "invalid_request") if sick & set(ask.ids) else None
    async with Engine(world, pace=Fixed(2)) as engine, anyio.create_task_group() as group:
        group.start_soon(ended, engine, [*sick, *names(3)], {})
        await anyio.sleep(30)
        engine.lane.gate.hold(anyio.current_time() + 5)
        for task_id in sick:
            engine.tracker.hasten(engine.tracker._lives.get(task_id), 0.0)
        await anyio.sleep(4.9)
        before = len(world.asks)
        await anyio.sleep(1)
        assert set(world.asks[before].ids) <= set(names(3))
        group.cancel_scope.cancel()
