"""Random worlds: whatever goes wrong for a while, every id ends once, with its own data, and soon after it can."""

import asyncio
from collections import Counter
from contextlib import suppress
from itertools import pairwise
from random import Random

import anyio
import pytest
from virtual import (
    BROKEN,
    GONE,
    NO_NEWS,
    REFUSED,
    SPOILED,
    Engine,
    World,
    limited,
    one,
    page,
    row,
    rows,
    run,
    said,
)

from suno_async.protocol.exchange import Answer, Broken
from suno_async.protocol.pace import Adaptive, Backoff, Fixed

STRAY = row("stray", "SUCCESS", progress="100%", audio="https://cdn/stray.mp3")
NAMELESS = one(b'[{"id":"c","audio_url":"https://cdn/c.mp3"}]')
OVERSIZED = Broken("the answer is longer than 4,194,304 bytes", oversized=True)
GARBLED = Answer(200, {}, b'{"code":"success","data":[{"task_i')
BUSY = said(503, "busy")
FAULTS = [GONE, BROKEN, NO_NEWS, REFUSED, SPOILED, BUSY, GARBLED, NAMELESS, OVERSIZED, page(), page(302), page(404)]
FAULTS += [limited(), limited(7), said(400, "invalid_request"), one(STRAY), rows(STRAY)]
PACES = [Fixed(5), Fixed(1), Backoff(), Backoff(2, 2, 20, 0), Adaptive()]
CEILING = 30.0
LONGEST_PAUSE = 60.0


class Case:
    """One random world and those who wait in it."""

    def __init__(self, seed, faults):
        rng = self.rng = Random(seed)
        self.world = World(latency=rng.choice([0.0, 0.05, 0.5, 2.0]))
        self.world.keys = 10**6
        self.slots = rng.choice([1, 2, 16])
        self.size = rng.choice([1, 3, 10, 100])
        self.pace = rng.choice(PACES)
        self.ids = [f"t{number}" for number in range(rng.choice([1, 5, 40, 120]))]
        self.healed = rng.uniform(20, 200)
        self.share = rng.choice([0.05, 0.3, 1.0]) if faults else 0.0
        self.faults = faults
        self.without_route = rng.random() < 0.2
        self.ends = {}
        self.given = {}
        for task_id in self.ids:
            self.world.add(task_id, after=rng.uniform(0, 150), status=rng.choice(["SUCCESS", "SUCCESS", "FAILURE"]))
        self.world.add("first", after=0)
        self.world.rule = self.rule

    def rule(self, ask):
        if ask.ids == ("first",):
            return None
        if ask.at < self.healed and self.rng.random() < self.share:
            fault = self.rng.choice(self.faults)
            # a nameless answer to a fresh connection would be the answer
            return None if fault is NAMELESS and ask.fresh else fault
        if ask.batch and self.without_route:
            return page(404)
        if ask.batch and ask.at < self.healed and self.share and self.rng.random() < 0.3:
            return self.partly(ask)
        return None

    def partly(self, ask):
        """Some of the rows, out of order, with strangers among them."""
        now = anyio.current_time()
        found = [self.world.row(task_id, now) for task_id in self.rng.sample(ask.ids, len(ask.ids) // 2)]
        return rows(STRAY, *found, *found[:1])

    def give(self, who, task):
        assert task.songs[0].audio_url == f"https://cdn/{task.task_id}.mp3"
        assert task.done
        self.given[who, task.task_id] = self.given.get((who, task.task_id), 0) + 1
        self.ends.setdefault(task.task_id, anyio.current_time())

    async def wait(self, engine, task_id):
        try:
            self.give("wait", await engine.wait(task_id))
        except Exception as error:  # noqa: BLE001
            self.give("wait", error.task)

    async def read(self, engine, who, ids, *, changes):
        async for task in engine.stream(ids, changes=changes):
            if task.done:
                self.give(who, task)
            await anyio.sleep(self.rng.choice([0, 0, 0.3]))

    async def give_up(self, engine, task_id):
        await anyio.sleep(self.rng.uniform(0, 60))
        with anyio.move_on_after(self.rng.uniform(0, 60)):
            await self.wait(engine, task_id)

    def bound(self):
        """When everything must have ended: gates, paces and queues, one after another."""
        ready = max(150.0, self.healed)
        requests = len(self.ids) * 2 / self.slots
        return ready + 2 * LONGEST_PAUSE + 2 * CEILING + (self.world.latency + 0.05) * 4 * requests + 40

    async def scenario(self):
        async with Engine(self.world, pace=self.pace, size=self.size, slots=self.slots) as engine:
            await engine.wait("first")
            half = len(self.ids) // 2
            async with anyio.create_task_group() as group:
                group.start_soon(lambda: self.read(engine, "stream", self.ids, changes=False))
                group.start_soon(lambda: self.read(engine, "watch", self.ids[half:], changes=True))
                for task_id in self.ids[:half]:
                    group.start_soon(self.wait, engine, task_id)
                for task_id in self.ids[::7]:
                    group.start_soon(self.give_up, engine, task_id)
                while len(self.ends) < len(self.ids):
                    await anyio.sleep(5)
                    assert anyio.current_time() < self.bound(), set(self.ids) - set(self.ends)
            asked = len(self.world.asks)
            await engine.settle(200)
            assert len(self.world.asks) == asked
        assert asyncio.all_tasks() == {asyncio.current_task()}

    def assert_kept(self):
        once = {key: count for key, count in self.given.items() if key[0] != "wait"}
        assert set(once.values()) == {1}
        assert {task_id for who, task_id in self.given if who == "stream"} == set(self.ids)
        assert self.world.most_in_flight <= self.slots
        asks = [ask for ask in self.world.asks if ask.at > 0]
        assert max(Counter(ask.at for ask in asks).values(), default=0) <= 3 * len(self.ids) + 20


@pytest.mark.parametrize("seed", range(60))
def test_in_a_random_world(seed):
    """Up to 30 % or all of the answers are faults until the gateway heals: nobody is lost, nobody waits long after."""
    case = Case(seed, FAULTS)
    run(case.scenario)
    case.assert_kept()


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_in_a_world_with_one_kind_of_fault(fault):
    """Each kind of fault alone, often and seldom, ends nothing and loses nobody."""
    for seed in range(4):
        case = Case(seed, [fault])
        run(case.scenario)
        case.assert_kept()


@pytest.mark.parametrize("seed", range(15))
def test_in_a_healthy_world_nobody_is_late(seed):
    """Without faults every id ends within an interval of the pace and a queue's time of its own end."""
    case = Case(seed + 1000, [])
    case.without_route = False
    run(case.scenario)
    case.assert_kept()
    queue = (case.world.latency + 0.05) * (3 + len(case.ids) / case.size / case.slots)
    spread = 5.0
    for task_id, ended in case.ends.items():
        done = case.world.plans[task_id][1][0]
        assert ended - done <= CEILING + queue * 3 + spread


@pytest.mark.parametrize("pace", [Adaptive(ceiling=20.0), Adaptive(beat=None), Fixed(5), Backoff(jitter=0.0)])
@pytest.mark.parametrize(("ids", "size", "rate"), [(60, 1, 1.0), (400, 10, 1.0)], ids=["single", "batches"])
async def test_a_budget_makes_every_id_late_by_its_share(pace, ids, size, rate):
    """With more looks wanted than ``rate`` allows most are used, and no id waits more than 3 of its own intervals."""
    world, rng = World(latency=0.05), Random(7)
    names = [f"t{number}" for number in range(ids)]
    world.add(*names, after=1e6)
    async with Engine(world, pace=pace, size=size, rate=rate, slots=4) as engine:
        for name in names:
            engine.tracker.submitted(name, "MUSIC", age=rng.uniform(0, 90))
        stream = engine.stream(names)
        with suppress(TimeoutError):
            async with asyncio.timeout(1900):
                await anext(stream)
        await stream.aclose()
    # by then no song is younger than the longest that is known: no id's own interval changes any more
    late = [ask for ask in world.asks if ask.at > 1000]
    assert 0.75 <= len(late) / (900 * rate) <= 1.01
    seen = {name: [ask.at for ask in late if name in ask.ids] for name in names}
    for times in seen.values():
        gaps = [after - before for before, after in pairwise(times)]
        assert max(gaps) <= 3 * (sum(gaps) / len(gaps))
    counts = sorted(map(len, seen.values()))
    assert counts[-1] <= 3 * counts[0]


@pytest.mark.parametrize("pace", [Adaptive(), Fixed(5)])
async def test_who_was_put_down_while_batches_were_refused_is_not_late_when_they_are_back(pace):
    """One web page has all ids asked for one by one for ten minutes; whoever ends after those is seen soon after."""
    world, refused = World(latency=0.1), []
    names = [f"t{number}" for number in range(300)]
    world.add(*names, after=850)

    def once(ask):
        if ask.batch and ask.at > 100 and not refused:
            refused.append(ask.at)
            return page()
        return None

    world.rule = once
    async with Engine(world, pace=pace, rate=0.5) as engine:
        late = [anyio.current_time() - 850 async for _ in engine.stream(names)]
    assert len(refused) == 1
    assert max(late) < 30
    seen = {name: [ask.at for ask in world.asks if name in ask.ids] for name in names}
    # one by one, half an id a second: the turns of 300 take 600 s
    assert max(after - before for times in seen.values() for before, after in pairwise(times)) < 620


async def test_a_budget_that_is_enough_delays_nothing():
    """As long as all looks fit into the budget they come when they would without one."""

    async def asks(rate):
        world = World(latency=0.0)
        world.add("a", "b", after=1e6)
        async with Engine(world, pace=Fixed(5), rate=rate) as engine:
            stream = engine.stream(["a", "b"])
            with suppress(TimeoutError):
                async with asyncio.timeout(100):
                    await anext(stream)
            await stream.aclose()
        times = world.times("a")
        return [at - times[0] for at in times]

    assert await asks(5.0) == await asks(None)


@pytest.mark.parametrize("pace", [Adaptive(), Fixed(5)], ids=repr)
@pytest.mark.parametrize("beside", [False, True], ids=["a later one", "one beside it"])
async def test_a_crowd_that_is_gone_delays_nobody(pace, beside):
    """What a crowd made rare is not rare any more once it has left: the next task, or one beside it, is seen soon."""
    world = World()
    world.add(*[f"t{number}" for number in range(3000)], after=1e6)
    async with Engine(world, pace=pace, rate=0.1) as engine, anyio.create_task_group() as group:
        crowd = engine.stream([f"t{number}" for number in range(3000)])
        start = anyio.current_time()
        world.add("mine", after=start + 1060, before=start)

        async def wait():
            engine.tracker.submitted("mine", "MUSIC")
            assert (await engine.wait("mine")).succeeded

        if beside:
            group.start_soon(wait)
        with anyio.move_on_after(1000):
            await anext(crowd)
        await crowd.aclose()
        if not beside:
            await anyio.sleep(30)
            group.start_soon(wait)
        await anyio.sleep_until(start + 1200)
        assert engine.poller.outstanding == 0
        assert engine.tracker.schedule._wanted == pytest.approx(0, abs=1e-9)


async def test_streams_that_are_over_want_nothing():
    """However many streams a client with a budget has had, their ids have no share of it any more."""
    world = World(latency=0.01)
    async with Engine(world, pace=Fixed(5), rate=2) as engine:
        for number in range(200):
            world.add(f"a{number}", f"b{number}", after=0)
            assert len([task async for task in engine.stream([f"a{number}", f"b{number}"])]) == 2
        assert engine.tracker.schedule._wanted == pytest.approx(0, abs=1e-9)
