"""The lane: gate, budget and slots in this order, one fetch in the caller's own task, and what is learned."""

import asyncio
from collections import deque
from itertools import pairwise

import anyio
import pytest
from virtual import BROKEN, GONE, NO_NEWS, REFUSED, UNKNOWN, Engine, World, limited, one, page, row, said

from suno_async.engine.lane import told
from suno_async.protocol.errors import (
    ConfigurationError,
    GatewayUnavailable,
    RateLimited,
    RequestRejected,
    TaskNotFound,
    Unauthorized,
    UnexpectedResponse,
)
from suno_async.protocol.exchange import Broken, Request
from suno_async.protocol.pace import Fixed

NAMELESS = one(b'[{"id":"c","audio_url":"https://cdn/c.mp3"}]')
FRESH = one(b'[{"id":"c","audio_url":"https://cdn/c.mp3"}]', fresh=True)
FOREIGN = one(row("somebody-else"))


@pytest.fixture
def world():
    world = World()
    world.add("a", "b", "c", after=0)
    return world


@pytest.fixture
async def lane(world):
    return Engine(world, slots=2).lane


async def fetched(lane, task_id="a", timeout=30.0):
    """What a fetch gives or raises."""
    try:
        return await lane.fetch(task_id, timeout)
    except Exception as error:  # noqa: BLE001
        return error


async def closed(lane, world, *answers):
    """Looks that close the gate."""
    world.script = deque(answers)
    found = await fetched(lane, timeout=5.0)
    assert lane.gate.closed
    return found


async def test_a_fetch_is_one_look(lane, world):
    """A fetch that is answered asks once and gives its own task."""
    task = await lane.fetch("a", 30)
    assert (task.task_id, task.succeeded, len(world.asks)) == ("a", True, 1)
    assert lane.readable
    assert lane.slots.value == 2


@pytest.mark.parametrize("fault", [GONE, BROKEN, NO_NEWS, FOREIGN, NAMELESS], ids=repr)
async def test_a_fetch_tries_again_twice(lane, world, fault):
    """Transient faults are tried again at most twice, within seconds, and the third answer counts."""
    world.script = deque([fault, fault])
    assert (await lane.fetch("a", 30)).task_id == "a"
    assert len(world.asks) == 3
    assert anyio.current_time() < 3


@pytest.mark.parametrize("fault", [GONE, BROKEN, NO_NEWS, FOREIGN], ids=repr)
async def test_a_fetch_gives_up_after_three_attempts(lane, world, fault):
    """After the third fault the fetch raises an error of its own that names the id and counts the attempts."""
    world.rule = lambda _ask: fault
    error = await fetched(lane)
    assert isinstance(error, GatewayUnavailable | UnexpectedResponse)
    assert error.task_id == "a"
    assert getattr(error, "attempts", 3) == 3
    assert len(world.asks) == 3


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (UNKNOWN, TaskNotFound),
        (REFUSED, Unauthorized),
        (said(400, "invalid_request"), RequestRejected),
        (page(), ConfigurationError),
        (page(404), ConfigurationError),
        (page(302, Location="https://elsewhere.example/x"), ConfigurationError),
    ],
)
async def test_what_is_no_fault_is_not_tried_again(lane, world, answer, kind):
    """A plain no, an unknown id, a refused key and a wrong base URL are told after one look."""
    world.rule = lambda _ask: answer
    error = await fetched(lane)
    assert type(error) is kind
    assert error.task_id == "a"
    assert len(world.asks) == 1
    assert lane.slots.value == 2


async def test_a_page_after_a_readable_answer_is_an_outage(lane, world):
    """Once one readable answer has come, a page is the gate's affair and is tried again."""
    await lane.fetch("a", 30)
    world.script = deque([page()])
    assert (await lane.fetch("b", 30)).task_id == "b"
    assert len(world.asks) == 3


async def test_an_answer_without_a_name_is_asked_for_on_a_connection_of_its_own(lane, world):
    """A nameless answer is believed only on a fresh connection, and from then on single looks use such ones."""
    world.rule = lambda ask: FRESH if ask.fresh else NAMELESS
    task = await lane.fetch("a", 30)
    assert [ask.fresh for ask in world.asks] == [False, True]
    assert (task.task_id, task.playable) == ("a", True)
    await lane.fetch("b", 30)
    assert world.asks[-1].fresh


async def test_a_foreign_answer_is_nobodys(lane, world):
    """An answer about another task makes the pooled connections distrusted and is given to nobody."""
    world.script = deque([FOREIGN])
    assert (await lane.fetch("a", 30)).task_id == "a"
    assert world.distrusted == 1


async def test_a_callable_key_is_asked_once_more(lane, world):
    """A fetch whose key is refused asks for another key once, and uses it at once."""
    world.keys = 5
    world.script = deque([REFUSED])
    assert (await lane.fetch("a", 30)).task_id == "a"
    assert world.times("a") == [0.0, 0.1]
    world.script = deque([REFUSED, REFUSED])
    assert isinstance(await fetched(lane, "b"), Unauthorized)
    assert world.renewals == 2


async def test_three_failures_in_a_row_close_the_gate(lane, world):
    """Two failures leave the gate open, the third closes it, and one success opens it again."""
    world.script = deque([GONE, GONE])
    await lane.fetch("a", 30)
    assert not lane.gate.closed
    await closed(lane, world, GONE, GONE, GONE)
    world.script.clear()
    assert (await lane.fetch("b", 30)).task_id == "b"
    assert not lane.gate.closed


async def test_429_closes_the_gate_at_once_for_as_long_as_it_says(lane, world):
    """Retry-After is honoured by every look, also by those of others."""
    world.script = deque([limited(20)])
    async with anyio.create_task_group() as group:
        group.start_soon(lane.fetch, "a", 60)
        await anyio.sleep(0.2)
        group.start_soon(lane.fetch, "b", 60)
    assert [ask.at >= 20.1 for ask in world.asks] == [False, True, True]


async def test_a_fetch_does_not_wait_for_a_gate_that_opens_too_late(lane, world):
    """If the gate stays closed beyond its time, a fetch raises at once what closed it, about its own id."""
    error = await closed(lane, world, limited(200))
    assert isinstance(error, RateLimited)
    now, asked = anyio.current_time(), len(world.asks)
    error = await fetched(lane, "b")
    assert isinstance(error, RateLimited)
    assert error.task_id == "b"
    assert (anyio.current_time(), len(world.asks)) == (now, asked)


async def test_only_what_closed_the_gate_is_told_of_it(lane, world):
    """An unknown id that is looked up while the gate is closed is not the reason that others hear."""
    world.script = deque([None, limited(200)])
    world.rule = lambda ask: UNKNOWN if ask.ids == ("gone",) else None
    world.latency = 1.0
    async with anyio.create_task_group() as group:
        group.start_soon(fetched, lane, "gone")
        await anyio.lowlevel.checkpoint()
        world.latency = 0.5
        group.start_soon(fetched, lane, "a")
    assert isinstance(await fetched(lane, "b"), RateLimited)


@pytest.mark.parametrize("answer", [None, UNKNOWN], ids=["news", "a refusal"])
async def test_an_answer_that_left_before_does_not_cut_the_pause_short(lane, world, answer):
    """What comes back from a request that was under way when the gate closed leaves Retry-After as it is."""
    world.script = deque([answer, limited(20)])
    world.latency = 1.0
    async with anyio.create_task_group() as group:
        group.start_soon(fetched, lane, "a", 60)
        await anyio.lowlevel.checkpoint()
        world.latency = 0.5
        group.start_soon(fetched, lane, "b", 60)
        await anyio.sleep(2)
        group.start_soon(fetched, lane, "c", 60)
    assert [ask.at >= 20.5 for ask in world.asks] == [False, False, True, True]


async def test_one_probe_at_a_time(world):
    """When the pause is over one request goes alone; the others wait for what it says."""
    lane = Engine(world, slots=8).lane
    await closed(lane, world, limited(10))
    async with anyio.create_task_group() as group:
        for task_id in ("a", "b", "c", "a", "b"):
            group.start_soon(lane.fetch, task_id, 60)
    times = [ask.at for ask in world.asks[1:]]
    assert len(times) == 6 - 1
    assert times[1] - times[0] == pytest.approx(world.latency)
    assert times[1:] == [times[1]] * 4


async def test_a_probe_that_fails_closes_the_gate_again(world):
    """A failed probe lengthens the pause, and those who cannot wait that long hear why."""
    lane = Engine(world, slots=8).lane
    await closed(lane, world, limited(10))
    world.script = deque([limited(100)])
    async with anyio.create_task_group() as group:
        group.start_soon(fetched, lane, "a", 30)
        group.start_soon(fetched, lane, "b", 30)
    assert len(world.asks) == 2
    assert lane.gate.closed


async def test_a_fetch_waits_for_a_probe_until_its_own_end(world):
    """A probe that takes too long ends the patience of a fetch that waits behind it."""
    lane = Engine(world, slots=8).lane
    await closed(lane, world, limited(10))
    world.latency = 30.0
    async with anyio.create_task_group() as group:
        group.start_soon(lane.fetch, "a", 100)
        await anyio.sleep(15)
        with pytest.raises(RateLimited):
            await lane.fetch("b", 5)
        assert anyio.current_time() == pytest.approx(20.1)


@pytest.mark.parametrize("native", [True, False])
async def test_a_cancelled_probe_gives_its_permit_back(world, native):
    """After a probe was cancelled the next request may probe, at once."""
    lane = Engine(world, slots=8).lane
    await closed(lane, world, limited(10))
    world.latency = 5.0
    async with asyncio.TaskGroup() as group:
        probe = group.create_task(lane.fetch("a", 60))
        await anyio.sleep(12)
        assert lane.gate.probing
        if native:
            probe.cancel()
            await anyio.lowlevel.checkpoint()
        else:
            with anyio.move_on_after(0):
                await probe
    assert not lane.gate.probing
    assert lane.slots.value == 8
    assert (await lane.fetch("b", 10)).task_id == "b"


async def test_a_probe_keeps_its_permit_while_connections_are_thrown_away(world):
    """A probe with a foreign answer gives its permit back once, and two probes are never out."""
    lane = Engine(world, slots=8).lane
    await closed(lane, world, limited(10))
    world.distrusting = 20.0
    world.script = deque([FOREIGN])
    world.most_in_flight = 0
    async with anyio.create_task_group() as group:
        for task_id in ("a", "b", "c"):
            group.start_soon(lane.fetch, task_id, 90)
    times = [ask.at for ask in world.asks[1:]]
    assert times[1] - times[0] >= 20.0
    assert times[2] - times[1] == pytest.approx(world.latency)


async def test_budget_then_slot(world):
    """Nobody holds a slot while sleeping for the budget, and the rate holds."""
    lane = Engine(world, slots=1, rate=0.5).lane
    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(lane.fetch, "a", 60)
        await anyio.sleep(1.0)
        assert lane.slots.value == 1
    assert world.times("a") == [0, 2, 4, 6]


async def test_slots_bound_what_is_in_flight(world, lane):
    """No more looks are under way than there are slots."""
    async with anyio.create_task_group() as group:
        for _ in range(7):
            group.start_soon(lane.fetch, "a", 60)
    assert world.most_in_flight == 2
    assert len(world.asks) == 7


async def test_a_gate_that_closes_while_a_slot_is_awaited_is_heeded(world):
    """Who got a slot after the gate had closed gives it back and waits."""
    lane = Engine(world, slots=1).lane
    world.script = deque([limited(10)])
    async with anyio.create_task_group() as group:
        group.start_soon(lane.fetch, "a", 60)
        group.start_soon(lane.fetch, "b", 60)
    assert [ask.at >= 10.1 for ask in world.asks] == [False, True, True]
    assert world.asks[0].ids == ("a",)


async def test_a_retry_has_only_what_is_left_of_the_timeout(world, lane):
    """A fetch's timeout bounds its retries too, also where a slot comes late: never without any timeout."""
    seen = []
    look = world.look

    async def noted(request, *, fresh=False, timeout=None):
        seen.append(timeout)
        return await look(request, fresh=fresh, timeout=timeout)

    world.look = noted
    world.latency = 3.0
    world.rule = lambda _ask: NO_NEWS
    assert isinstance(await fetched(lane, timeout=4.0), GatewayUnavailable)
    assert seen[0] is None
    assert 0 < seen[1] < 1.0
    busy = Engine(world, slots=1).lane
    async with anyio.create_task_group() as group:
        group.start_soon(fetched, busy, "a", 4.0)
        await anyio.sleep(0.1)
        group.start_soon(fetched, busy, "b", 40.0)
    assert all(timeout is None or timeout > 0 for timeout in seen)


async def test_refusals_are_believed_the_second_time(world):
    """A key is refused for good at the second refusal, two seconds or more after the first, if no other is there."""
    lane = Engine(world).lane
    assert not lane.refused_for_good()
    await anyio.sleep(1)
    assert not lane.refused_for_good()
    await anyio.sleep(1)
    assert lane.refused_for_good()
    world.keys = 1
    assert not lane.refused_for_good()
    await anyio.sleep(2)
    assert not lane.refused_for_good()
    assert world.renewals == 2


async def test_a_cancelled_fetch_leaves_no_trace(lane, world):
    """Cancelled in its request, its sleep or its queue, a fetch gives back what it held."""
    world.rule = lambda _ask: GONE
    for seconds in (0.05, 0.2, 0.5):
        with anyio.move_on_after(seconds):
            await fetched(lane)
        assert lane.slots.value == 2
        assert world.in_flight == 0


def test_an_error_is_told_as_a_copy():
    """Facts that an error does not have are left out of its copy."""
    error = TaskNotFound("gone", task_id="a")
    mine = told(error, attempts=3, task_id="b")
    assert mine is not error
    assert (mine.task_id, str(mine), error.task_id) == ("b", "gone", "a")
    assert not hasattr(mine, "attempts")


async def test_two_who_wait_for_the_gate_both_hear_of_it(world):
    """A change of the gate wakes everybody who waits for it."""
    lane = Engine(world, pace=Fixed(5), slots=8).lane
    await closed(lane, world, limited(10))
    world.latency = 5.0
    times = []

    async def timed(task_id):
        await lane.fetch(task_id, 100)
        times.append(anyio.current_time())

    async with anyio.create_task_group() as group:
        for task_id in ("a", "b", "c"):
            group.start_soon(timed, task_id)
    assert times[1:] == [times[0] + 5.0] * 2


async def test_a_fetch_that_cannot_leave_in_time_blames_nobody():
    """Too many for a slow gateway end at their own time, without a request, and the gate stays open for the others."""
    world = World(latency=1.0)
    world.add("a", after=0)
    lane = Engine(world, slots=4).lane
    found = []

    async def one_of_many():
        found.append(await fetched(lane, timeout=3.0))

    async with anyio.create_task_group() as group:
        for _ in range(40):
            group.start_soon(one_of_many)
    late = [error for error in found if isinstance(error, GatewayUnavailable)]
    assert len(late) + sum(not isinstance(task, Exception) for task in found) == 40
    assert len(late) >= 24
    assert all("in time" in str(error) and error.task_id == "a" for error in late)
    assert not lane.gate.closed
    assert lane.gate.failures == 0
    assert anyio.current_time() < 4.5
    assert lane.slots.value == 4


async def test_who_gives_up_takes_nobodys_place(world):
    """Cancelled while they wait for the budget, five hundred fetches delay the next one by one place at most."""
    lane = Engine(world, rate=1.0).lane
    await lane.fetch("a", 30)
    async with anyio.create_task_group() as group:
        for _ in range(500):
            group.start_soon(lane.fetch, "a", 600)
        await anyio.sleep(0.5)
        group.cancel_scope.cancel()
    began = anyio.current_time()
    await lane.fetch("b", 30)
    assert anyio.current_time() - began < 2.2
    assert not lane._turn.statistics().locked


async def test_the_rate_holds_when_slots_come_free_together(world):
    """However many wait for a slot, they leave no faster than the rate when the gateway comes round."""
    world.latency = 25.0
    lane = Engine(world, slots=4, rate=2.0).lane
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(fetched, lane, "a", 300.0)
        await anyio.sleep(20)
        world.latency = 0.1
    times = [ask.at for ask in world.asks]
    assert len(times) == 20
    assert all(later - first >= 0.499 for first, later in pairwise(times))
    assert world.most_in_flight <= 4


async def test_the_budget_is_looked_at_again_with_the_slot_in_hand(world):
    """A submission that spends the budget while a look waits for its slot goes first."""
    world.latency = 5.0
    engine = Engine(world, slots=1, rate=1.0)
    async with anyio.create_task_group() as group:
        group.start_soon(engine.lane.fetch, "a", 60)
        await anyio.sleep(1)
        group.start_soon(engine.lane.fetch, "b", 60)
        await anyio.sleep(3.5)
        engine.lane.budget.reserve(anyio.current_time() + 0.5)
    assert world.asks[1].at == pytest.approx(6.0, abs=0.05)


async def test_a_hurried_look_that_runs_out_of_time_is_no_failure(world):
    """The last moment of a fetch is shorter than any look should have: that it was not enough closes no gate."""
    lane = Engine(world).lane
    world.script = deque([GONE])
    world.latency = 0.9
    error = await fetched(lane, timeout=1.5)
    assert isinstance(error, GatewayUnavailable)
    assert lane.gate.failures == 1


async def test_another_key_is_welcome(world):
    """A key that was renewed is nobody's refusal."""
    lane = Engine(world).lane
    assert not lane.renewed()
    world.keys = 1
    assert lane.renewed()


async def test_a_fetch_spends_of_the_quota_of_retries(lane, world):
    """With nothing left of it a fault is told at once; each success gives a little back."""
    world.add("a")
    lane.quota.most = 10
    world.script = deque([GONE] * 9)
    for asked in (3, 1, 1):
        world.asks.clear()
        with pytest.raises(GatewayUnavailable):
            await lane.fetch("a", 30)
        assert len(world.asks) == asked
        lane.gate.passed()
    world.script.clear()
    for _ in range(5):
        await lane.fetch("a", 30)
    world.script = deque([GONE])
    assert (await lane.fetch("a", 30)).succeeded


# what is about no task

ABOUT = Request("GET", "/api/log/token")


async def test_once_is_one_request(lane, world):
    """The answer comes back as it is, after one request, and the slot is free again."""
    world.rule = lambda _ask: REFUSED
    assert await lane.once(ABOUT, 30) is REFUSED
    assert len(world.asks) == 1
    # its answer names nothing: on a pooled connection it could be another request's
    assert world.asks[0].fresh
    assert lane.slots.value == 2


@pytest.mark.parametrize("answer", [REFUSED, BROKEN, GONE, limited(60), page()], ids=repr)
async def test_once_teaches_nothing(lane, world, answer):
    """Whatever it is answered, and however often, the gate stays open and looks go on."""
    world.script = deque([answer] * 5)
    for _ in range(5):
        await lane.once(ABOUT, 30)
    assert (lane.gate.closed, lane.gate.failures, lane.readable, lane.quota.spent) == (False, 0, False, 0)
    assert (await lane.fetch("a", 30)).succeeded


async def test_once_takes_its_turn(world):
    """It needs a slot, its place in the budget, and an open gate like any look."""
    lane = Engine(world, slots=1, rate=1.0).lane
    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(lane.once, ABOUT, 60)
    assert [round(later.at - first.at, 6) for first, later in pairwise(world.asks)] == [1.0, 1.0, 1.0]
    assert world.most_in_flight == 1


async def test_once_waits_at_a_closed_gate_and_raises_what_closed_it(lane, world):
    """As long as its time lasts; what it raises is what the looks were told."""
    assert isinstance(await closed(lane, world, limited(60)), RateLimited)
    began = len(world.asks)
    with pytest.raises(RateLimited):
        await lane.once(ABOUT, 5)
    assert len(world.asks) == began
    assert await lane.once(ABOUT, 300) is UNKNOWN


async def test_once_gives_a_probe_back(lane, world):
    """Through a half-open gate it is the only one, and the next look probes again: it proves nothing itself."""
    await closed(lane, world, limited(), limited(), limited())
    await lane.once(ABOUT, 300)
    assert (lane.gate.closed, lane.gate.probing) == (True, False)
    assert (await lane.fetch("a", 300)).succeeded
    assert not lane.gate.closed


async def test_once_has_its_own_time(lane, world):
    """Waiting and asking together take no longer than it was given."""
    world.latency = 50.0
    assert await lane.once(ABOUT, 3) == Broken("no answer in time")
    assert anyio.current_time() == pytest.approx(3, abs=0.01)


async def test_once_leaves_cleanly_when_it_is_cancelled(lane, world):
    """The slot is given back."""
    world.latency = 50.0
    with anyio.move_on_after(1):
        await lane.once(ABOUT, 30)
    assert lane.slots.value == 2
