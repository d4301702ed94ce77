"""The poller: when looks leave, what they take along, and what becomes of ids whose request told nothing."""

import itertools
import json
from collections import Counter, deque
from contextlib import suppress

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
    one,
    page,
    row,
    rows,
    said,
)

from suno_async.protocol.errors import (
    ClientClosed,
    ConfigurationError,
    TaskNotFound,
    Unauthorized,
)
from suno_async.protocol.exchange import Broken
from suno_async.protocol.life import Life
from suno_async.protocol.pace import Adaptive, Backoff, Fixed
from suno_async.protocol.schedule import Schedule

NAMELESS = one(b'[{"id":"c","audio_url":"https://cdn/c.mp3"}]')
OVERSIZED = Broken("the answer is longer than 4,194,304 bytes", oversized=True)
NO_ROUTE = [page(), page(404), page(405), said(404, ""), said(503, "x", "No available channel for model")]


def names(count, prefix="t"):
    """So many ids."""
    return [f"{prefix}{number}" for number in range(count)]


async def drained(engine, task_ids, **options):
    """Every task of these ids, as they finish."""
    return [task async for task in engine.stream(task_ids, **options)]


async def waited(engine, task_id, found=None, **options):
    """What a wait gives or raises; kept in ``found`` if that is given."""
    try:
        result = await engine.wait(task_id, **options)
    except Exception as error:  # noqa: BLE001
        result = error
    if found is not None:
        found[task_id] = result
    return result


def sizes(world):
    """How many ids each request asked for."""
    return [len(ask.ids) for ask in world.asks]


def own(task):
    """True if a task has its own song."""
    return [song.audio_url for song in task.songs] == [f"https://cdn/{task.task_id}.mp3"]


# when and with whom


async def test_one_id_is_asked_for_alone_at_its_pace():
    """One id is a GET at once and then one for each interval of the pace."""
    world = World(latency=0)
    world.add("a", after=12)
    async with Engine(world, pace=Fixed(5)) as engine:
        assert own(await engine.wait("a"))
        assert world.times("a") == pytest.approx([0, 5, 10, 15], abs=0.03)
        assert not any(ask.batch for ask in world.asks)
        await engine.settle()


async def test_what_is_due_together_is_one_request():
    """Three hundred ids that are due together leave in three full batches."""
    world = World()
    world.add(*names(300), after=30)
    async with Engine(world, pace=Fixed(10)) as engine:
        tasks = await drained(engine, names(300))
        assert sorted(task.task_id for task in tasks) == sorted(names(300))
        assert all(own(task) for task in tasks)
        assert set(sizes(world)) == {100}
        await engine.settle()


async def test_a_slow_gateway_does_not_make_batches_thin():
    """With one slot and a slow gateway, what falls due meanwhile leaves together: the slot comes before the taking."""
    world = World(latency=3.0)
    world.add(*names(40), after=60)
    async with Engine(world, pace=Fixed(2), slots=1) as engine, anyio.create_task_group() as group:
        for task_id in names(40):
            group.start_soon(engine.wait, task_id)
            await anyio.sleep(0.1)
    assert all(size > 10 for size in sizes(world)[1:])
    assert world.most_in_flight == 1


async def test_a_small_budget_does_not_make_batches_thin():
    """Ids are taken after the budget was slept for, so one request serves all that are due by then."""
    world = World(latency=0.05)
    world.add(*names(40), after=60)
    async with Engine(world, pace=Fixed(2), rate=0.2) as engine, anyio.create_task_group() as group:
        for task_id in names(40):
            group.start_soon(engine.wait, task_id)
            await anyio.sleep(0.1)
        await anyio.sleep(2)
        assert engine.lane.slots.value == 16
    assert sizes(world)[2:] == [40] * len(sizes(world)[2:])
    gaps = [then.at - now.at for now, then in itertools.pairwise(world.asks)]
    assert min(gaps) == pytest.approx(5.0, abs=0.01)


@pytest.mark.parametrize("pace", [Fixed(10), Adaptive(), Backoff(4, 2, 30, 0)], ids=repr)
async def test_riders_fill_a_request_but_never_ride_too_soon(pace):
    """A request takes along what is due next, not sooner than the pace's floor after its last look."""
    world = World(latency=0.1)
    world.add(*names(20), after=80)
    async with Engine(world, pace=pace) as engine, anyio.create_task_group() as group:
        for task_id in names(20):
            group.start_soon(engine.wait, task_id)
            await anyio.sleep(0.45)
    for task_id in names(20):
        gaps = [then - now for now, then in itertools.pairwise(world.times(task_id))]
        assert min(gaps) >= pace.floor
    assert len(world.asks) < 0.5 * len(world.ids)


async def test_a_rider_is_due_again_from_its_look():
    """An id that rode along is looked at one interval after that look, not when it was due before."""
    world = World(latency=0)
    world.add("a", "b", after=14)
    async with Engine(world, pace=Fixed(10)) as engine, anyio.create_task_group() as group:
        group.start_soon(engine.wait, "a")
        await anyio.sleep(4)
        group.start_soon(engine.wait, "b")
    assert world.times("a") == pytest.approx([0, 10, 20], abs=0.03)
    assert world.times("b") == pytest.approx([4, 10, 20], abs=0.03)


async def test_batch_size_one_never_uses_the_batch_route():
    """With a batch size of 1 every look is a GET, and none rides along."""
    world = World(latency=0)
    world.add(*names(5), after=12)
    async with Engine(world, pace=Fixed(5), size=1) as engine:
        await drained(engine, names(5))
    assert not any(ask.batch for ask in world.asks)
    assert set(Counter(world.ids).values()) <= {3, 4}


async def test_an_id_that_is_hastened_is_looked_at_once():
    """Its old place in the agenda counts no more; nor does a later time than it has."""
    world = World(latency=0)
    world.add("a", after=100)
    async with Engine(world, pace=Fixed(20)) as engine, anyio.create_task_group() as group:
        group.start_soon(engine.wait, "a")
        await anyio.sleep(1)
        life = engine.tracker._lives.get("a")
        engine.tracker.hasten(life, 4.0)
        engine.tracker.hasten(life, 9.0)
        await anyio.sleep(30)
        assert world.times("a") == pytest.approx([0, 5, 25], abs=0.03)


async def test_an_id_that_is_being_looked_at_cannot_be_hastened():
    """While its look is under way an id has no place in the agenda."""
    world = World(latency=2)
    world.add("a", after=1)
    async with Engine(world) as engine, anyio.create_task_group() as group:
        group.start_soon(engine.wait, "a")
        await anyio.sleep(1)
        engine.tracker.hasten(engine.tracker._lives.get("a"), 0.0)
    assert world.times("a") == [0]


async def test_an_id_that_must_go_alone_does_not_pull_others_along():
    """A single look at an id that spoils batches leaves the others where they are in the agenda."""
    world = World(latency=0)
    world.add(*names(300), after=1000)
    world.rule = lambda ask: said(400, "invalid_request") if "bad" in ask.ids else None
    async with Engine(world, pace=Fixed(100)) as engine, anyio.create_task_group() as group:
        group.start_soon(waited, engine, "bad")
        group.start_soon(drained, engine, names(300))
        await anyio.sleep(95)
        engine.tracker.hasten(engine.tracker._lives.get("bad"), 0.0)
        before = len(world.asks)
        await anyio.sleep(1)
        assert [ask.ids for ask in world.asks[before:]] == [("bad",)]
        group.cancel_scope.cancel()


async def test_an_id_that_must_go_alone_is_not_left_behind():
    """However busy the others keep the slots, an id that goes by itself has its turn, rarer the longer it fails."""
    world = World(latency=1.0)
    world.add(*names(50), after=1000)
    world.rule = lambda ask: said(400, "invalid_request") if "bad" in ask.ids else None
    async with Engine(world, pace=Fixed(1), slots=1, size=5) as engine, anyio.create_task_group() as group:
        group.start_soon(drained, engine, names(50))
        group.start_soon(waited, engine, "bad")
        await anyio.sleep(50)
        before = anyio.current_time()
        await anyio.sleep(120)
        alone = [ask for ask in world.asks if ask.at > before and ask.ids == ("bad",)]
        assert len(alone) >= 3
        waits = [later.at - ask.at for ask, later in itertools.pairwise(alone)]
        assert all(later > first for first, later in itertools.pairwise(waits))
        group.cancel_scope.cancel()


async def test_an_id_nobody_waits_for_is_not_asked_for_again():
    """Dropped in the agenda or while it is looked at, an id is never asked for again, and is counted once."""
    world = World(latency=1)
    world.add("a", "b", after=1000)
    async with Engine(world, pace=Fixed(5)) as engine:
        for seconds in (0.5, 3.0):
            world.asks.clear()
            with anyio.move_on_after(seconds):
                await engine.wait("a")
            assert engine.poller.outstanding == 0
            await engine.settle()
            assert len(world.asks) == 1


@pytest.mark.parametrize("fault", [NO_NEWS, said(400, "invalid_request"), GONE, REFUSED, UNKNOWN], ids=repr)
async def test_an_id_that_was_left_in_its_look_is_not_put_back(fault):
    """Whatever a look tells, an id that was left meanwhile is not asked for again."""
    world = World(latency=1)
    world.rule = lambda _ask: fault
    async with Engine(world, pace=Fixed(5)) as engine:
        with anyio.move_on_after(0.5):
            await engine.wait("a")
        await engine.settle(100)
        assert len(world.asks) == 1


async def test_an_id_that_is_dropped_twice_is_counted_once():
    """How many ids are outstanding is right, whoever drops one again."""
    async with Engine(World(latency=9)) as engine:
        life = Life(task_id="a", born=0.0)
        engine.poller.add(life, 5.0)
        engine.poller.drop(life)
        engine.poller.drop(life)
        assert engine.poller.outstanding == 0


async def test_an_id_that_is_asked_for_again_while_its_old_look_is_under_way():
    """A new wait is a new life: the old look's answer is not taken for it, and it has its own."""
    world = World(latency=2)
    world.add("a", after=0)
    async with Engine(world) as engine:
        with anyio.move_on_after(1):
            await engine.wait("a")
        assert own(await engine.wait("a"))
        assert world.times("a") == [0, 1]
        await engine.settle()


async def test_all_left_while_the_budget_was_slept_for():
    """A request whose ids were all left in the meantime does not leave."""
    world = World(latency=0)
    world.add("a", "b", after=1000)
    async with Engine(world, rate=0.1) as engine, anyio.create_task_group() as group:
        group.start_soon(waited, engine, "a")
        await anyio.sleep(6)
        with anyio.move_on_after(3):
            await engine.wait("b")
        await anyio.sleep(0.5)
        group.cancel_scope.cancel()
    assert world.ids == ["a"]


# what an answer says


async def test_answers_in_any_order_find_their_ids():
    """Rows out of order, twice, damaged, or of strangers: each id gets its own row or none."""
    world = World(latency=0)
    world.add("a", "b", after=5)
    final = row("a", "SUCCESS", progress="100%", audio="https://cdn/a.mp3")
    world.script = deque([rows(row("x"), row("b"), final, row("a"), row("b"), b'{"what": 1}')])
    async with Engine(world) as engine:
        tasks = await drained(engine, ["a", "b"])
        assert [task.task_id for task in tasks] == ["a", "b"]
        assert all(own(task) for task in tasks)
        await engine.settle()


@pytest.mark.parametrize("count", [1, 2])
async def test_a_foreign_answer_resolves_nobody(count):
    """An answer about other tasks only is nobody's: the connections are distrusted and the ids asked for again."""
    world = World()
    world.add(*names(count), after=0)
    stray = row("x", "SUCCESS", progress="100%", audio="https://cdn/x.mp3")
    world.script = deque([one(stray) if count == 1 else rows(stray)])
    async with Engine(world) as engine:
        tasks = await drained(engine, names(count))
        assert all(own(task) for task in tasks)
        assert world.distrusted == 1
        assert len(world.asks) == 2


async def test_a_nameless_answer_is_asked_for_afresh():
    """A single answer that names no task is asked for again at once on a connection of its own."""
    world = World()
    world.add("a", after=0)
    world.script = deque([NAMELESS])
    async with Engine(world) as engine:
        assert own(await engine.wait("a"))
    assert [ask.fresh for ask in world.asks] == [False, True]
    assert world.asks[1].at < 0.2


@pytest.mark.parametrize("count", [1, 3])
async def test_no_news_is_no_look_and_no_hurry(count):
    """A readable answer that says nothing ends nothing, counts as no look, and is asked again at the pace."""
    world = World(latency=0)
    world.rule = lambda _ask: NO_NEWS
    async with Engine(world, pace=Fixed(5)) as engine:
        error = None
        try:
            await drained(engine, names(count), timeout=52)
        except TimeoutError as timeout:
            error = timeout
        assert set(error.task_ids) == set(names(count))
        assert len(world.asks) == 11
        assert not engine.lane.gate.closed
        await engine.settle()


async def test_an_unknown_id_ends_after_looks_of_its_own():
    """Absence in a batch ends nothing: an id is gone after three looks over ten seconds, the last one alone."""
    world = World(latency=0)
    world.add("a", after=60)
    async with Engine(world, pace=Fixed(5)) as engine, anyio.create_task_group() as group:
        group.start_soon(engine.wait, "a")
        error = await waited(engine, "gone")
        assert isinstance(error, TaskNotFound)
        last = [ask for ask in world.asks if "gone" in ask.ids][-1]
        assert last.ids == ("gone",)
        assert anyio.current_time() >= 10
        assert len(world.times("gone")) >= 3


async def test_a_batch_of_which_nothing_is_known():
    """data: null is how new-api writes that it knows none of the ids: each of them ends as not found."""
    world = World(latency=0)
    world.rule = lambda ask: said(200, "success") if ask.batch else None
    async with Engine(world, pace=Fixed(5)) as engine:
        with pytest.raises(ExceptionGroup) as caught:
            await drained(engine, names(3))
        (error,) = caught.value.exceptions
        assert isinstance(error, TaskNotFound)
        assert set(error.task_ids) == set(names(3))
        await engine.settle()


async def test_an_incomplete_success_is_looked_at_again():
    """SUCCESS without a song goes on for as long as what it lacks may come."""
    world = World(latency=0)
    world.tell("a", 0, row("a", "SUCCESS", progress="100%"))
    world.tell("a", 20, row("a", "SUCCESS", progress="100%", audio="https://cdn/a.mp3"))
    async with Engine(world, pace=Fixed(100)) as engine:
        assert own(await engine.wait("a"))
        assert anyio.current_time() < 35


# requests that fail


async def test_a_failed_request_is_no_look():
    """Ids of a request that broke are asked for again within a second, and none is lost."""
    world = World(latency=0)
    world.add(*names(3), after=0)
    world.script = deque([GONE, BROKEN])
    async with Engine(world, pace=Fixed(60)) as engine:
        assert len(await drained(engine, names(3))) == 3
        assert anyio.current_time() < 3
        assert len(world.asks) == 3
        await engine.settle()


async def test_an_outage_closes_the_gate_and_is_waited_out():
    """While nothing answers, looks get rare: one probe for each pause, and the wait goes on to its end."""
    world = World(latency=0.1)
    world.add(*names(50), after=0)
    world.rule = lambda ask: GONE if ask.at < 600 else None
    async with Engine(world, size=10) as engine:
        assert len(await drained(engine, names(50), timeout=None)) == 50
        assert anyio.current_time() < 600 + 130
        assert len([ask for ask in world.asks if ask.at < 600]) < 60
        assert max(Counter(ask.at for ask in world.asks if 60 < ask.at < 600).values()) == 1
        await engine.settle()


async def test_one_failure_in_a_row_leaves_the_gate_open():
    """Single failures slow nobody down."""
    world = World(latency=0.1)
    world.add(*names(100), after=50)
    for number in range(40):
        world.script.append(GONE if number % 3 == 0 else None)
    async with Engine(world, size=10, slots=1) as engine:
        await drained(engine, names(100))
        assert anyio.current_time() < 60


async def test_429_stops_everybody_for_as_long_as_it_says():
    """Nothing leaves during Retry-After, whoever is due."""
    world = World(latency=0.1)
    world.add(*names(40), after=100)
    world.script = deque([None, limited(30)])
    async with Engine(world, size=10) as engine:
        await drained(engine, names(40))
    before, after = [ask for ask in world.asks if ask.at < 20], [ask for ask in world.asks if ask.at > 20]
    assert len(before) == 2
    assert after[0].at >= before[1].at + 30.1


async def test_when_the_pause_is_over_one_probe_goes_first():
    """After 429 one request goes alone, and the others follow when it has been answered."""
    world = World(latency=1.0)
    world.add(*names(40), after=0)
    world.script = deque([limited(30)] * 4)
    async with Engine(world, size=10) as engine:
        await drained(engine, names(40))
        probe, *others = [ask.at for ask in world.asks if ask.at > 5]
        assert min(others) >= probe + 1.0
        await engine.settle()


async def test_a_poller_that_is_cancelled_gives_everything_back():
    """A cancelled probe gives its permit and its slot back, and its ids their place."""
    world = World(latency=5.0)
    world.add("a", after=0)
    world.script = deque([limited(5)])
    engine = Engine(world)
    async with anyio.create_task_group() as waits:
        async with anyio.create_task_group() as group:
            group.start_soon(engine.poller.run)
            waits.start_soon(engine.wait, "a")
            await anyio.sleep(12)
            assert engine.lane.gate.probing
            group.cancel_scope.cancel()
        assert not engine.lane.gate.probing
        assert engine.lane.slots.value == 16
        async with anyio.create_task_group() as group:
            group.start_soon(engine.poller.run)
            await anyio.sleep(20)
            group.cancel_scope.cancel()
    assert engine.poller.outstanding == 0


async def test_a_poller_that_dies_takes_nobody_with_it():
    """If the poller itself breaks, its error comes out; who closes the tracker then ends every wait."""
    world = World()
    found = {}

    async def broken(*_args, **_options):
        await anyio.sleep(1)
        raise ZeroDivisionError

    world.look = broken
    engine = Engine(world)
    async with anyio.create_task_group() as waits:
        for task_id in names(3):
            waits.start_soon(waited, engine, task_id, found)
        await anyio.lowlevel.checkpoint()
        with pytest.raises(ExceptionGroup):
            await engine.poller.run()
        assert engine.lane.slots.value == 16
        engine.tracker.close(ClientClosed())
    assert [type(error) for error in found.values()] == [ClientClosed] * 3
    assert engine.poller.outstanding == 0


# no batch route


@pytest.mark.parametrize("answer", NO_ROUTE, ids=repr)
async def test_no_batch_route_is_learned_once(answer):
    """A gateway without the route is asked one by one from the first GET on, without losing a look."""
    world = World(latency=0.1)
    world.add(*names(30), after=20)
    world.rule = lambda ask: answer if ask.batch else None
    async with Engine(world, pace=Fixed(5), slots=4) as engine:
        tasks = await drained(engine, names(30))
        assert {task.task_id for task in tasks} == set(names(30))
        assert [ask.at for ask in world.asks if ask.batch] == [0.0]
        assert sum(ask.at < 3 for ask in world.asks) == 31
        await engine.settle()


async def test_no_batch_route_is_asked_about_again_after_ten_minutes():
    """What was learned holds for ten minutes; then one batch tries again, and is used if it is answered."""
    world = World(latency=0.1)
    world.add(*names(4), after=1500)
    world.rule = lambda ask: page() if ask.batch and ask.at < 900 else None
    async with Engine(world, pace=Fixed(20)) as engine:
        await drained(engine, names(4))
    batches = [ask.at for ask in world.asks if ask.batch]
    assert batches[0] == 0
    assert 600 <= batches[1] <= 640
    assert 1200 <= batches[2] <= 1260
    assert all(ask.batch for ask in world.asks if ask.at > 1265)


async def test_a_page_in_an_outage_is_not_believed():
    """If the single look gets no answer either, nothing is said about the route."""
    world = World(latency=0.1)
    world.add(*names(8), after=0)
    world.add("first", after=0)
    world.rule = lambda ask: page() if 10 < ask.at < 100 else None
    async with Engine(world, pace=Fixed(5)) as engine:
        await engine.wait("first")
        await anyio.sleep(11)
        await drained(engine, names(8))
        assert world.asks[-1].batch
        assert engine.batch.room(anyio.current_time()) == 100


@pytest.mark.parametrize("answer", [said(400, "invalid_request"), UNKNOWN], ids=repr)
async def test_a_refusal_of_the_single_look_is_an_answer(answer):
    """Any JSON of the gateway's own proves that single looks work and batches do not."""
    world = World(latency=0.1)
    world.rule = lambda ask: page() if ask.batch else answer
    async with Engine(world, pace=Fixed(50)) as engine:
        with anyio.move_on_after(4):
            await drained(engine, names(3))
    assert [ask.batch for ask in world.asks[:4]] == [True, False, False, False]
    assert engine.batch.room(4) == 1


async def test_a_page_before_any_answer_is_a_wrong_address():
    """HTML to the first batch and to the first single look ends every wait with ConfigurationError."""
    world = World()
    world.rule = lambda _ask: page()
    found = {}
    async with Engine(world) as engine:
        async with anyio.create_task_group() as group:
            for task_id in names(3):
                group.start_soon(waited, engine, task_id, found)
        assert [type(error) for error in found.values()] == [ConfigurationError] * 3
        assert anyio.current_time() < 5
        await engine.settle()


# batches that are refused as a whole


def spoiling(world, bad, limit, answer):
    """Batches with a bad id, or larger than the limit, are refused."""
    world.rule = lambda ask: answer if ask.batch and (bad & set(ask.ids) or len(ask.ids) > limit) else None


@pytest.mark.parametrize("answer", [SPOILED, said(400, "invalid_request"), said(413, "too_large"), OVERSIZED], ids=repr)
async def test_a_refused_batch_is_halved_until_the_culprit_is_alone(answer):
    """The failing half goes first, one part at a time; the healthy lose a round at most, the culprit goes alone."""
    world = World(latency=0.1)
    world.add(*names(64), after=0)
    spoiling(world, {"t37"}, 1000, answer)
    async with Engine(world) as engine:
        tasks = await drained(engine, names(64))
        assert len(tasks) == 64
        assert all(own(task) for task in tasks)
        assert anyio.current_time() < 0.1 * 15
        assert world.most_in_flight == 1
        assert sizes(world)[:3] == [64, 32, 32] or sizes(world)[:3] == [64, 32, 16]
        assert [ask.ids for ask in world.asks if not ask.batch]
        assert engine.batch.size == 100 or sizes(world)[-1] > 1
        await engine.settle()


async def test_others_wait_while_a_batch_is_halved():
    """One part at a time: what falls due meanwhile leaves afterwards."""
    world = World(latency=1.0)
    world.add(*names(16), after=0)
    world.add("late", after=0)
    world.rule = lambda ask: said(400, "no") if "t3" in ask.ids else None
    async with Engine(world) as engine, anyio.create_task_group() as group:
        for task_id in names(16):
            group.start_soon(waited, engine, task_id)
        await anyio.sleep(2.5)
        await engine.wait("late")
        assert world.most_in_flight == 1
        parts = [ask for ask in world.asks if ask.at < world.times("late")[0]]
        assert any(ask.ids == ("t3",) for ask in parts)
        group.cancel_scope.cancel()


async def test_the_culprit_goes_alone_and_the_size_stays():
    """After one id was found to spoil batches, it is asked for by itself and the others at full size."""
    world = World(latency=0.1)
    world.add(*names(63), after=100)
    world.rule = lambda ask: said(400, "invalid_request") if "bad" in ask.ids else None
    async with Engine(world, pace=Fixed(10)) as engine, anyio.create_task_group() as group:
        group.start_soon(waited, engine, "bad")
        tasks = await drained(engine, names(63))
        assert len(tasks) == 63
        assert engine.batch.size == 100
        later = [ask for ask in world.asks if ask.at > 5]
        assert {ask.ids for ask in later if "bad" in ask.ids} == {("bad",)}
        assert sum(len(ask.ids) for ask in later if ask.batch) >= 63 * 9
        assert max(sizes(world)[-12:]) == 63
        group.cancel_scope.cancel()


@pytest.mark.parametrize("alone", [UNKNOWN, SPOILED, GONE], ids=repr)
async def test_an_id_that_spoils_every_batch_does_not_stop_the_others(alone):
    """Also where its single look says "unknown" or nothing: the others are served, at full size."""
    world = World(latency=0.1)
    world.add(*names(31), after=100)
    world.rule = lambda ask: (SPOILED if ask.batch else alone) if "bad" in ask.ids else None
    async with Engine(world, pace=Fixed(10)) as engine, anyio.create_task_group() as group:
        group.start_soon(waited, engine, "bad")
        tasks = await drained(engine, names(31))
        assert len(tasks) == 31
        assert anyio.current_time() < 112
        assert engine.batch.size == 100
        assert len(world.asks) < 150
        assert max(ask.at for ask in world.asks if ask.batch and "bad" in ask.ids) < 3
        group.cancel_scope.cancel()


@pytest.mark.parametrize("answer", [said(413, "too_many"), OVERSIZED, SPOILED], ids=repr)
async def test_the_size_that_works_is_kept(answer):
    """If every part below some size is answered, the size was the cause, and later batches keep to it."""
    world = World(latency=0.1)
    world.add(*names(200), after=30)
    spoiling(world, set(), 30, answer)
    async with Engine(world, pace=Fixed(10)) as engine:
        assert len(await drained(engine, names(200))) == 200
        assert engine.batch.size == 25
        assert max(len(ask.ids) for ask in world.asks if ask.at > 10) == 25
        await engine.settle()


@pytest.mark.parametrize("answer", [limited(), said(503, "busy"), BROKEN, GONE], ids=repr)
async def test_what_says_nothing_about_a_batch_is_not_halved(answer):
    """429, 503 and broken requests are the gate's affair: the same ids are asked for together again."""
    world = World(latency=0.1)
    world.add(*names(20), after=0)
    world.script = deque([answer])
    async with Engine(world) as engine:
        assert len(await drained(engine, names(20))) == 20
        assert sizes(world) == [20, 20]


@pytest.mark.parametrize("answer", [BROKEN, UNKNOWN], ids=repr)
async def test_looks_under_way_when_a_search_begins_are_no_suspects(answer):
    """A single look that left before the halving began and told nothing does not make its id go alone."""
    world = World(latency=1.0)
    world.add("early", "late", "bad", *names(8), after=100)
    world.script = deque([answer])
    world.rule = lambda ask: SPOILED if ask.batch and "bad" in ask.ids else None
    async with Engine(world, pace=Fixed(4)) as engine, anyio.create_task_group() as group:
        group.start_soon(waited, engine, "early")
        await anyio.sleep(0.1)
        world.latency = 0.5
        group.start_soon(drained, engine, [*names(8), "bad"])
        await anyio.sleep(1.1)
        group.start_soon(waited, engine, "late")
        # before the next search begins
        await anyio.sleep(4)
        again = [ask for ask in world.asks if "early" in ask.ids][1:]
        assert again
        assert all(ask.batch for ask in again)
        group.cancel_scope.cancel()


async def test_a_search_is_given_up_when_something_else_is_wrong():
    """429 in the middle of the halving puts every part back, and nobody is lost."""
    world = World(latency=0.1)
    world.add(*names(16), after=0)
    world.script = deque([SPOILED, limited(10)])
    async with Engine(world) as engine:
        assert len(await drained(engine, names(16))) == 16
        assert sizes(world) == [16, 8, 16]
        await engine.settle()


async def test_a_lost_route_in_a_search():
    """A batch route that vanishes in the middle of the halving is learned as ever."""
    world = World(latency=0.1)
    world.add(*names(8), after=0)
    world.script = deque([SPOILED])
    world.rule = lambda ask: page() if ask.batch else None
    async with Engine(world) as engine:
        assert len(await drained(engine, names(8))) == 8
        assert sizes(world) == [8, 4] + [1] * 8


async def test_ids_that_are_left_during_a_search_are_not_asked_for():
    """A part whose ids were all left is passed over, and the others come after it."""
    world = World(latency=1.0)
    world.add(*names(8), after=0)
    world.script = deque([SPOILED, SPOILED])
    found = {}
    async with Engine(world) as engine, anyio.create_task_group() as others:
        async with anyio.create_task_group() as leavers:
            for task_id in names(8):
                group = others if task_id in {"t0", "t1"} else leavers
                group.start_soon(waited, engine, task_id, found)
            await anyio.sleep(1.5)
            leavers.cancel_scope.cancel()
        await anyio.sleep(20)
        assert set(found) == {"t0", "t1"}
        await engine.settle()


async def test_two_batches_that_are_refused_at_once():
    """A second batch that was under way when the halving began is halved after the first one."""
    world = World(latency=0.1)
    world.add(*names(20), after=0)
    spoiling(world, {"t3", "t13"}, 100, SPOILED)
    async with Engine(world, size=10) as engine:
        tasks = await drained(engine, names(20))
        assert len(tasks) == 20
        assert all(own(task) for task in tasks)
        assert anyio.current_time() < 4
        await engine.settle()


# a refused key


async def test_a_key_is_refused_the_second_time():
    """Every wait ends with Unauthorized after the second refusal, which names its ids and says how to go on."""
    world = World(latency=0.1)
    world.rule = lambda _ask: REFUSED
    found = {}
    async with Engine(world) as engine:
        async with anyio.create_task_group() as group:
            for task_id in names(3):
                group.start_soon(waited, engine, task_id, found)
        assert set(found) == set(names(3))
        for task_id, error in found.items():
            assert isinstance(error, Unauthorized)
            assert error.task_ids == (task_id,)
            assert "another key" in str(error)
        assert 2 <= anyio.current_time() < 6
        assert len(world.asks) == 2
        await engine.settle()


async def test_an_id_that_is_refused_while_others_are_answered_goes_alone():
    """Its refusals are not the key's: it is asked for by itself, ever rarer, and the others as ever."""
    world = World(latency=0.1)
    world.add(*names(3), after=100)
    world.rule = lambda ask: REFUSED if ask.ids == ("theirs",) else None
    async with Engine(world, pace=Fixed(2)) as engine, anyio.create_task_group() as group:
        group.start_soon(waited, engine, "theirs")
        assert len(await drained(engine, names(3))) == 3
        assert anyio.current_time() < 104
        assert len(world.times("theirs")) < 15
        group.cancel_scope.cancel()


async def test_a_refusal_that_passes_ends_nothing():
    """One refusal, or many within two seconds, are not believed: the wait goes on."""
    world = World(latency=0.1)
    world.add(*names(40), after=30)
    world.rule = lambda ask: REFUSED if ask.at < 1 else None
    async with Engine(world, size=10) as engine:
        assert len(await drained(engine, names(40))) == 40


async def test_a_callable_key_is_asked_once_more():
    """If there is another key, the looks go on with it."""
    world = World(latency=0.1)
    world.keys = 1
    world.add(*names(4), after=30)
    world.rule = lambda _ask: REFUSED if not world.renewals else None
    async with Engine(world) as engine:
        assert len(await drained(engine, names(4))) == 4
        assert world.renewals == 1


@pytest.mark.parametrize("answer", [page(), page(302), page(404)], ids=repr)
async def test_pages_after_a_readable_answer_only_close_the_gate(answer):
    """Once this has answered as a gateway does, pages and redirects are an outage, however long."""
    world = World(latency=0.1)
    world.add("a", after=500)
    world.rule = lambda ask: answer if 20 < ask.at < 450 else None
    async with Engine(world) as engine:
        assert own(await engine.wait("a"))
        await engine.settle()


async def test_the_bodies_that_are_sent():
    """A batch asks with the ids and nothing else."""
    world = World()
    world.add("a", "b", after=0)
    bodies = []
    look = world.look

    async def noted(request, **options):
        bodies.append((request.method, request.path, json.loads(request.body)))
        return await look(request, **options)

    world.look = noted
    async with Engine(world) as engine:
        await drained(engine, ["a", "b"])
    ((method, path, body),) = bodies
    assert (method, path, set(body), sorted(body["ids"])) == ("POST", "/suno/fetch", {"ids"}, ["a", "b"])


async def test_nobody_is_looked_at_in_a_hot_loop():
    """Whatever the gateway answers, an id is asked for at most a few times at one instant."""
    faults = [GONE, BROKEN, NO_NEWS, REFUSED, SPOILED, UNKNOWN, NAMELESS, OVERSIZED, limited(), limited(0), *NO_ROUTE]
    faults += [said(400, "invalid_request"), rows(row("x")), one(row("x")), page(302)]
    for fault in faults:
        world = World(latency=0.0)
        world.add("first", after=0)
        world.rule = lambda ask, fault=fault: None if ask.ids == ("first",) or ask.fresh else fault
        async with Engine(world, pace=Fixed(5), size=8) as engine:
            await engine.wait("first")
            with anyio.move_on_after(120), suppress(Unauthorized, ExceptionGroup):
                await drained(engine, names(30))
            assert max(Counter(world.times("t7")).values()) <= 6, fault
            assert len(world.times("t7")) < 150, fault
            await engine.settle()


# sick ids and sick gateways among healthy ones


async def test_a_batch_that_is_answered_unknown_is_taken_apart():
    """One unknown id in a batch that is answered "task_not_exist", also with 200, costs the others nothing."""
    world = World()
    world.add(*names(30), after=0)
    world.rule = lambda ask: said(200, "task_not_exist") if ask.batch and "gone" in ask.ids else None
    async with Engine(world, pace=Fixed(5)) as engine:
        found = {}
        with suppress(BaseExceptionGroup):
            async for task in engine.stream([*names(29), "gone", "t29"], timeout=60):
                found[task.task_id] = anyio.current_time()
        assert len(found) == 30
        assert max(found.values()) < 5
        await engine.settle()


async def test_a_gateway_whose_batches_are_always_unknown_is_served_by_single_looks():
    """Every id is found although no batch ever is, in about two requests for each."""
    world = World()
    world.add(*names(30), after=0)
    world.rule = lambda ask: said(200, "task_not_exist") if ask.batch else None
    async with Engine(world, pace=Fixed(5)) as engine:
        assert len(await drained(engine, names(30), timeout=60)) == 30
        assert len(world.asks) <= 2 * 30 + 1
        await engine.settle()


@pytest.mark.parametrize("refused", [page(404), said(400, "invalid_request")])
async def test_the_price_is_shared_only_where_the_request_is(refused):
    """Where ids go one by one, each pays its own request: once that is known, as few looks as without batches."""

    async def looks(size):
        world = World(latency=0.02)
        world.add(*names(100), after=10_000)
        world.rule = lambda ask: refused if ask.batch else None
        async with Engine(world, pace=Adaptive(beat=None), size=size) as engine:
            with suppress(TimeoutError):
                await drained(engine, names(100), timeout=130)
        return sum(ask.at > 30 for ask in world.asks)

    assert 500 < await looks(100) <= 1.1 * await looks(1)


@pytest.mark.parametrize("sick", [1, 20])
async def test_sick_ids_do_not_stop_the_healthy(sick):
    """Ids whose own looks are answered 500 go alone, ever rarer, and the others have their answers in time."""
    world = World()
    world.add(*names(300), after=100)
    ill = set(names(sick, "sick"))
    world.rule = lambda ask: said(500, "get_task_failed", "boom") if ill & set(ask.ids) else None
    async with Engine(world, pace=Fixed(5)) as engine, anyio.create_task_group() as group:
        for task_id in ill:
            group.start_soon(waited, engine, task_id)
        with anyio.fail_after(400):
            tasks = await drained(engine, names(300), timeout=600)
        assert len(tasks) == 300
        assert anyio.current_time() < 170
        before = world.times("sick0")
        await anyio.sleep(600)
        after = [at for at in world.times("sick0") if at not in before]
        assert 1 <= len(after) <= 60
        group.cancel_scope.cancel()


async def test_a_probe_is_not_an_id_with_trouble_of_its_own():
    """While the gate is closed, how the gateway is is asked by an id that has no trouble of its own."""
    world = World()
    world.add(*names(3), after=100)
    world.rule = lambda ask: said(400, "invalid_request") if "bad" in ask.ids else None
    async with Engine(world, pace=Fixed(2)) as engine, anyio.create_task_group() as group:
        group.start_soon(waited, engine, "bad")
        group.start_soon(drained, engine, names(3))
        await anyio.sleep(10)
        engine.lane.gate.hold(anyio.current_time() + 5)
        await anyio.sleep(4)
        before = len(world.asks)
        await anyio.sleep(1.1)
        assert "bad" not in world.asks[before].ids
        group.cancel_scope.cancel()


async def test_a_key_that_was_renewed_is_used_at_once():
    """Refused with an old key, ids are asked for again within a second, and nobody hears of it."""
    world = World()
    world.add("a", "b", after=3)
    world.keys = 1
    world.script = deque([REFUSED])
    async with Engine(world, pace=Fixed(1)) as engine:
        assert len(await drained(engine, ["a", "b"], timeout=30)) == 2
        assert anyio.current_time() < 6
        assert world.renewals == 1
        await engine.settle()


async def test_a_refused_key_is_not_asked_about_a_thousand_times():
    """Also where there is no batch route, a refused key costs few requests until it is believed."""
    world = World(latency=0.02)
    world.rule = lambda ask: page(404) if ask.batch else REFUSED
    async with Engine(world, pace=Fixed(5)) as engine:
        with pytest.raises(Unauthorized):
            await drained(engine, names(500), timeout=60)
        assert len(world.asks) <= 60
        await engine.settle()


@pytest.mark.parametrize(("tokens", "soon"), [(500, True), (0, False)])
async def test_failed_requests_are_repeated_soon_only_within_the_quota(tokens, soon):
    """Once the quota is spent a failed look is repeated at the pace; successes earn it back."""
    world = World(latency=0)
    world.add("a", after=500)
    world.script = deque([None, GONE])
    async with Engine(world, pace=Fixed(10)) as engine, anyio.create_task_group() as group:
        engine.lane.quota.most = tokens
        group.start_soon(engine.wait, "a")
        await anyio.sleep(25)
        first, failed, again = world.times("a")[:3]
        assert failed - first == pytest.approx(10, abs=0.02)
        assert (again - failed <= 1) == soon
        assert again - failed <= 10.02
        group.cancel_scope.cancel()


async def test_who_leaves_as_soon_as_he_is_told_is_not_looked_at_again():
    """A glance at tasks that go on is one look: they are not put down for another one."""
    world = World()
    world.add("a", "b", after=1000)
    async with Engine(world, pace=Fixed(1)) as engine:
        found = await engine.glance(["a", "b"])
        assert [task.status_text for task in found.values()] == ["IN_PROGRESS"] * 2
        await anyio.sleep(30)
        assert len(world.asks) == 1
        await engine.settle()


async def test_a_pace_that_learns_is_told_of_every_look(monkeypatch):
    """Also the looks of a batch that show nothing new say something: that it was not over yet."""
    saw, real = Counter(), Schedule.saw

    def counted(self, life, look, now):
        saw[life.task_id] += 1
        real(self, life, look, now)

    monkeypatch.setattr(Schedule, "saw", counted)
    world = World(latency=0)
    world.add(*names(3), after=60)
    async with Engine(world, pace=Adaptive()) as engine:
        await drained(engine, names(3))
    assert saw == Counter(world.ids)
    assert min(saw.values()) > 2
