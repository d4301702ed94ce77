"""Damaged answers to those who wait: whatever came before, the truth is what they get.

First the life alone, look by look; then the engine as it is, on a loop whose time jumps, over a gateway most of whose
answers are damaged. What is allowed is what `test_mutated_looks` allows, and one thing more: a gateway that was never
known to be one, and answers with a page, is a wrong address.
"""

from functools import cache
from random import Random

import anyio
import pytest
from corpus import SINGLES, Part, Told, things, told_of
from documents import written
from examples import DICE, each, some
from hypothesis import given
from hypothesis import strategies as st
from mutations import Damaged, damage, damage_short
from properties import check_end, check_retried, check_songs, read
from virtual import Ask, Engine, World, one, row, rows, run

from suno_async.protocol.exchange import Answer
from suno_async.protocol.life import Again, Life, Settled
from suno_async.protocol.models import Task
from suno_async.protocol.refusals import Trouble

_EACH = 15.0
"""Seconds from look to look."""


def watch(told: Told, bodies: list[bytes], *, ours: bool, fresh: bool) -> tuple[int, Task] | None:
    """The look that ended a life, and its task; None if it goes on."""
    life = Life(task_id=told.task_id, born=0.0, ours=ours, keeps=True)
    for number, body in enumerate(bodies):
        found = read(Answer(200, {}, body, fresh), told.task_id)
        if isinstance(found, Trouble):
            check_retried(found, body)
            continue
        verdict = life.observe(found, _EACH * number)
        if isinstance(verdict, Settled):
            return number, verdict.task
        assert isinstance(verdict, Again)
    return None


@some(200)
@given(DICE, st.sampled_from(SINGLES), st.integers(0, 8), st.booleans(), st.booleans())
def test_after_any_damage_the_truth_ends_a_life(dice, told, count, ours, fresh):
    """So many damaged looks and then the answer itself: it ends with its songs, at the latest then."""
    many = [damage(told, dice) for _ in range(count)]
    ended = watch(told, [damaged.body for damaged in many] + [written(told.document)[0]], ours=ours, fresh=fresh)
    assert ended is not None
    number, task = ended
    if number < count:
        check_end(told, task, many[number].hurt)
    else:
        assert things(task) == things(told.tasks[told.task_id])


@some(100)
@given(DICE, st.sampled_from(SINGLES), st.booleans())
def test_the_same_damage_for_ever_ends_in_no_error(dice, told, fresh):
    """The same damaged answer for a quarter of an hour is SUCCESS with what there is, or the wait goes on.

    A row whose status cannot be read, with 100 % and a reason to fail that the damage wrote, is the one exception: it
    is how new-api leaves its failed rows.
    """
    damaged = damage(told, dice)
    ended = watch(told, [damaged.body] * 61, ours=False, fresh=fresh)
    if ended is not None:
        _, task = ended
        check_songs(told, task, damaged.hurt)
        wrote = task.inferred and task.fail_reason != told.tasks[told.task_id].fail_reason
        assert task.succeeded or wrote


# the engine

HONEST = {told.task_id: told for told in SINGLES if isinstance(told.document["data"], dict)}


@cache
def batch(task_ids: tuple[str, ...]) -> Told:
    """An undamaged answer about these tasks."""
    data = [HONEST[task_id].document["data"] for task_id in task_ids]
    return told_of("batch", {"code": "success", "message": "", "data": data})


class Damaging(World):
    """A gateway whose tasks are all finished, and whose first answers are damaged."""

    def __init__(self, dice: Random, count: int) -> None:
        super().__init__()
        self.dice = dice
        self.left = count
        self.told: dict[str, list[tuple[Told, frozenset[Part]]]] = {}
        """All that was said about each id, and which parts of it were touched."""
        self.rule = self.damaged

    def damaged(self, ask: Ask) -> Answer:
        """The answer to a look; the very first one shows that this is a gateway."""
        if len(self.asks) == 1:
            young = [row(task_id, "NOT_START") for task_id in ask.ids]
            return rows(*young) if ask.batch else one(young[0])
        told = batch(ask.ids) if ask.batch else HONEST[ask.ids[0]]
        harm = Damaged(written(told.document)[0], frozenset())
        if self.left > 0:
            self.left -= 1
            harm = damage(told, self.dice)
        for task_id in ask.ids:
            self.told.setdefault(task_id, []).append((told, harm.hurt))
        return Answer(200, {}, harm.body, ask.fresh)


def is_told(world: Damaging, task: Task) -> bool:
    """True if one of the answers about a task accounts for what its wait ended with."""
    for told, hurt in world.told[task.task_id]:
        try:
            check_end(told, task, hurt)
        except AssertionError:
            continue
        return True
    return False


def check_engine(dice: Random) -> None:
    """Everybody who waits gets songs, through the poller with its batches, searches, gates and fresh connections."""
    ids = dice.sample(sorted(HONEST), dice.randrange(1, len(HONEST) + 1))
    world = Damaging(dice, dice.randrange(1, 30))
    found: list[Task] = []

    async def scenario() -> None:
        async def wait(task_id: str) -> None:
            found.append(await engine.wait(task_id))

        async with Engine(world, seed=dice.randrange(1000)) as engine:
            async with anyio.create_task_group() as group:
                for task_id in ids:
                    group.start_soon(wait, task_id)
            await engine.settle(120.0)

    run(scenario)
    assert sorted(task.task_id for task in found) == sorted(ids)
    for task in found:
        assert is_told(world, task), task


def test_everybody_who_waits_gets_the_songs():
    """A gateway that damages up to thirty answers in a row costs looks, and no song."""
    each(range(60), check_engine)


@pytest.mark.long
def test_everybody_who_waits_gets_the_songs_many_times():
    """The same with five hundred seeds."""
    each(range(1000, 1500), check_engine)


def test_damage_that_is_short_is_damage_too():
    """The dice decide what happens, and nothing else does: a seed is all it takes to see it again."""
    for told in SINGLES:
        assert damage(told, Random(7)) == damage(told, Random(7))
        assert damage_short(told, Random(7)) == damage_short(told, Random(7))
