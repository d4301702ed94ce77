"""The benchmark of lateness: what it measures against, and that it measures what it says."""

import json
import math
from itertools import combinations, islice, pairwise
from random import Random

import anyio
import pytest

from benchmarks.lateness import clock
from benchmarks.lateness.bars import Bar
from benchmarks.lateness.gateway import Gateway, Rounds
from benchmarks.lateness.optimum import Cost, best_cost, best_interval, best_looks, cost_of
from benchmarks.lateness.outstanding import AT_ONCE, measure
from benchmarks.lateness.policies import BACKOFF, PEERS, adaptive, fixed
from benchmarks.lateness.single import COLD, SETTINGS, WARM, Setting, rows, run
from benchmarks.lateness.worlds import BEATING, FAILING, LYRICS, SONGS, Exponential, LogNormal, Mixture, Uniform
from suno_async.protocol.durations import Durations
from suno_async.protocol.pace import Fixed
from suno_async.protocol.wire import ask_many, ask_one

WORLDS = [*SONGS.values(), FAILING, LYRICS, BEATING, Exponential(100.0), Uniform(3.0, 20.0)]


class Certain:
    """A world in which every task takes the same time."""

    def __init__(self, mean):
        self.mean = mean

    def left(self, age):
        return float(age < self.mean)

    def draw(self, _rng):
        return self.mean


def looks(policy, count):
    return list(islice(policy.looks(Durations(), "MUSIC", Random(0)), count))


# the optimum


@pytest.mark.parametrize("price", [0.3, 1.0, 3.0, 30.0])
def test_without_memory_the_best_looks_are_periodic(price):
    """Where age says nothing they are T apart, with exp(T / m) = 1 + (price + T) / m."""
    best = best_looks(Exponential(100.0), price)
    period = best[0]
    assert [after - before for before, after in pairwise(best[:20])] == pytest.approx([period] * 19)
    step = 100.0 / 1000
    assert math.exp((period - step) / 100) < 1 + (price + period - step) / 100
    assert math.exp((period + step) / 100) > 1 + (price + period + step) / 100


@pytest.mark.parametrize("price", [0.05, 0.5, 2.0])
@pytest.mark.parametrize(
    "world", [Uniform(0.0, 8.0), Uniform(2.0, 6.0), Mixture((0.2, Uniform(0.0, 2.0)), (0.8, Uniform(5.0, 8.0)))]
)
def test_no_other_looks_cost_less(world, price):
    """Of all choices of looks on the grid none is cheaper than the one that dynamic programming finds."""
    step, last = world.mean / 4, world.parts[1][1].most if isinstance(world, Mixture) else world.most
    ages = [step * index for index in range(1, math.ceil(last / step - 1e-9) + 1)]
    choices = [(*some, ages[-1]) for size in range(len(ages)) for some in combinations(ages[:-1], size)]
    cheapest = min(cost_of(choice, world).at(price) for choice in choices)
    assert cost_of(best_looks(world, price, steps=4), world).at(price) == pytest.approx(cheapest, rel=0.02)


@pytest.mark.parametrize("world", [SONGS[0.2], SONGS[0.6], FAILING, LYRICS])
def test_the_grid_is_fine_enough(world):
    """Steps half as long change the optimum by less than half a percent."""
    fine = cost_of(best_looks(world, 1.0, steps=2000), world).at(1.0)
    assert best_cost(world, 1.0).at(1.0) == pytest.approx(fine, rel=0.005)


def test_the_cost_of_looks_is_exact():
    """A task of 25 s that is looked at every 10 s takes three requests, and is seen 5 s late."""
    assert cost_of((10.0 * index for index in range(1, 100)), Certain(25.0)) == Cost(3.0, 5.0)


def test_the_best_interval_is_the_best_one():
    """Every neighbour of the interval that is called the best costs as much or more."""
    best = best_interval(SONGS[0.35], 1.0)
    costs = [
        cost_of((best * scale * n for n in range(1, 1000)), SONGS[0.35]).at(1.0) for scale in (1.0, 1.02, 1 / 1.02)
    ]
    assert costs[0] == min(costs)


# worlds and policies


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: type(world).__name__)
def test_a_world_is_one_distribution(world):
    """What is left integrates to the mean, and about half of the draws are longer than the median."""
    step = world.mean / 100
    area = sum((world.left(step * index) + world.left(step * (index + 1))) / 2 * step for index in range(3000))
    assert area == pytest.approx(world.mean, rel=1e-3)
    rng = Random(1)
    draws = sorted(world.draw(rng) for _ in range(4001))
    assert world.left(draws[2000]) == pytest.approx(0.5, abs=0.03)
    assert world.left(draws[3800]) == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize(
    ("name", "ages", "extra"),
    [
        ("fal-client", [0.0, 0.1, 0.2], 1),
        ("replicate", [0.5, 1.0, 1.5], 0),
        ("openai", [0.0, 1.0, 2.0], 0),
        ("azure-core", [0.0, 30.0, 60.0], 0),
        ("acedatacloud", [0.0, 3.0, 6.0], 0),
        ("popnow", [0.0, 2.0, 5.0, 9.5, 16.25, 26.375, 41.375, 56.375], 0),
    ],
)
def test_other_libraries_look_as_their_source_says(name, ages, extra):
    """Each looks at the ages that its loop with nothing set comes to."""
    (peer,) = (peer for peer in PEERS if peer.name.startswith(name))
    assert looks(peer, len(ages)) == pytest.approx(ages)
    assert peer.extra == extra


def test_our_own_policies_look_as_they_say():
    """The ages are the sums of the delays of the library's own paces."""
    assert looks(fixed("", 5.0), 3) == [5.0, 10.0, 15.0]
    assert looks(BACKOFF, 4) == pytest.approx([1.0, 2.5, 4.75, 8.125])
    assert looks(BACKOFF, 20)[-1] - looks(BACKOFF, 19)[-1] == pytest.approx(30.0)


# one task at a time


def test_a_fixed_pace_costs_what_its_cost_is():
    """The rows of a policy that does not learn are exact, whatever was drawn; the percentile is that of the draws."""
    setting = Setting("", LogNormal(100.0, 0.35))
    (row,) = rows(setting, fixed("", 10.0), 2)
    assert Cost(row.requests, row.late) == pytest.approx(cost_of((10.0 * n for n in range(1, 999)), setting.world))
    assert 9.0 < row.late95 < 10.0
    assert row.costs["3"] == pytest.approx(3 * row.requests + row.late)


def test_what_is_learned_pays():
    """Where songs take three times as long as expected, warm tasks cost less than cold ones; a seed repeats itself."""
    setting = Setting("", LogNormal(330.0, 0.1))
    tasks = run(setting, adaptive(1.0), 0)
    cold, warm = ([task.cost.at(1.0) for task in tasks[window.start : window.stop]] for window in (COLD, WARM))
    assert sum(warm) / len(warm) < sum(cold) / len(cold)
    assert [task.late for task in tasks] == [task.late for task in run(setting, adaptive(1.0), 0)]


def test_a_world_that_changes_does_so_before_the_warm_tasks():
    """The later world is that of all warm tasks and of none before."""
    (setting,) = (setting for setting in SETTINGS if setting.later is not None)
    assert [setting.at(index) is setting.later for index in (0, 199, 200, 399)] == [False, False, True, True]


# many outstanding


def told(answer):
    rows = json.loads(answer.body)["data"]
    return {row["task_id"]: row for row in (rows if isinstance(rows, list) else [rows])}


def test_a_round_shows_ends_in_the_order_of_submission():
    """What has ended when a round begins is shown inside it, first come first; what ends later, in the next one."""

    async def scenario():
        gateway = Gateway(Random(0), Rounds(work=1.0, each=0.5), dated=True)
        ids = [f"task-{index}" for index in range(10)]
        rows = [gateway.submit(task_id, 0.0, 40.0, failed=False) for task_id in ids]
        late = gateway.submit("late", 0.0, 1000.0, failed=True)
        shown = []
        for _ in range(80 * 5):
            await anyio.sleep(0.2)
            answer = await gateway.look(ask_many(ids))
            shown.append({task_id for task_id, row in told(answer).items() if row["status"] == "SUCCESS"})
        return gateway, rows, late, shown

    gateway, rows, late, shown = clock.run(scenario)
    times = [row.shown for row in rows]
    assert times == sorted(times)
    assert min(times) >= 40.0
    assert max(times) <= 40.0 + 15.0 + 2 * (1.0 + 11 * 0.5)
    assert times[-1] - times[0] > 3.0
    assert late.shown == math.inf
    assert all(before <= after for before, after in pairwise(shown))
    assert len({len(some) for some in shown}) > 5
    final = json.loads(rows[3].final)
    assert final["updated_at"] == math.floor(1_800_000_000.4 + rows[3].shown)
    assert final["finish_time"] == 1_800_000_040
    assert gateway.requests == 400


def test_without_rounds_an_end_is_seen_at_once():
    """The answer is that of half way: sent 10 ms before the end it tells of none, sent at the end it does."""

    async def scenario():
        gateway = Gateway(Random(0))
        gateway.submit("a", 0.0, 5.0, failed=True)
        await anyio.sleep(4.98)
        before = await gateway.look(ask_one("a"))
        return before, await gateway.look(ask_one("a"))

    before, after = clock.run(scenario)
    assert told(before)["a"]["status"] == "IN_PROGRESS"
    assert told(after)["a"]["status"] == "FAILURE"
    assert "updated_at" not in told(after)["a"]
    assert after.headers["Date"] == "Fri, 15 Jan 2027 08:00:05 GMT"


def test_the_engine_at_a_fixed_pace_is_half_of_it_late():
    """Every 5 s one request for all: the lateness is 2.5 s and the latency, and 20 tasks share each request."""
    row = measure(AT_ONCE, "Fixed(5)", Fixed(5.0), 20, 1)
    assert row.late == pytest.approx(2.5, abs=0.25)
    assert row.requests == pytest.approx(FAILING.mean / 5 / 20, rel=0.15)
    assert row.cost == pytest.approx(row.requests + row.late)


def test_a_bar_that_is_not_kept_says_so():
    """A figure may be as large as its bar and no larger, and a bar names what it is about."""
    assert Bar("what", 1.1, 1.1).kept
    missed = Bar("songs: cost", 1.11, 1.1)
    assert not missed.kept
    assert str(missed) == "songs: cost: 1.11, at most 1.1"
