"""Children on one journal, killed with SIGKILL at any moment: what they were told is there, nothing is sent twice."""

import os
from random import Random

import pytest

from suno_async.testing.gateway.faults import UPSTREAM

from .bugs import BUGS
from .campaign import FAULTS, HEARD, Found, plan, run
from .lives import POINTS

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")

WORDS = {
    "outcome_told_before_it_is_durable": r"was told as \w+, and is \[\(?<IntentState.INTENDED",
    "sent_before_the_intent_is_durable": r"was submitted, and is intended (0|2) times|was told as \w+, and is \[\]",
    "committed_every_other_time": r"was told as \w+, and is \[(\]|\(?<IntentState.INTENDED)|is intended 0 times",
    "intents_without_an_outcome_are_swept_away": r"the intent \w+ \((intended|unknown)\) is gone|unknown\(\) differs",
    "an_unfinished_order_is_sent_again": "was submitted 2 times|became .* after its process",
    "unknown_is_taken_for_refused": r"and is \[<IntentState.REJECTED|the journal says rejected|was submitted 2 times",
}
"""How each planted bug gives itself away."""


async def test_nothing_is_lost_or_sent_twice_in_twenty_kills(tmp_path):
    """Accepted is on the disk before it is told, intended before it is sent; nothing vanishes or is paid twice."""
    tally = await run(tmp_path, kills=20, seed=2)
    assert sum(count for name, count in tally.items() if name.startswith("killed: ")) == 20
    assert tally["accepted"]
    assert tally["left intended"]


@pytest.mark.long
async def test_nothing_is_lost_or_sent_twice_in_two_hundred_kills(tmp_path):
    """The same, for every kind of death and of outcome; ``python -m tests.crash --kills N --seed S`` for more."""
    tally = await run(tmp_path, kills=200, seed=3)
    said = ("accepted", "unknown", "cancelled", "ended", "closed", "left intended")
    deaths = [f"killed: {kind}" for kind in ("time", "word", "point", "opening", "leave")]
    assert not [name for name in (*said, *deaths) if not tally[name]]
    assert sum(tally[name] for name in deaths) == 200


@pytest.mark.parametrize(
    "bug", [pytest.param(bug, marks=[pytest.mark.long] if number else []) for number, bug in enumerate(BUGS)]
)
async def test_a_planted_bug_is_found(tmp_path, bug):
    """Each breaks one promise, and gives itself away within a hundred kills: here by what it broke, not by chance."""
    with pytest.raises(Found, match=WORDS[bug]):
        await run(tmp_path, kills=100, seed=4, bug=bug)


def test_every_bug_is_known_by_what_it_breaks():
    """None may be planted whose finding nobody can tell from another one's."""
    assert set(WORDS) == set(BUGS)


def test_deaths_follow_from_the_seed_and_are_of_all_kinds():
    """The same seed plans the same deaths; every kind, every point and every word has its turn."""
    plans = [[plan(rng) for _ in range(500)] for rng in (Random("1/plans"), Random("1/plans"))]
    assert plans[0] == plans[1]
    assert {one.kind for one in plans[0]} == {"time", "word", "point", "opening", "leave"}
    assert {one.point for one in plans[0]} == {"", *POINTS}
    assert {one.word for one in plans[0]} >= set(HEARD)


def test_no_fault_of_the_gateway_makes_it_read_a_submission_twice():
    """What the campaign counts as sent twice would else be nobody's fault: these are before it reads, or after."""
    assert not set(FAULTS) & {*UPSTREAM, "lost_row"}


async def test_a_child_that_dies_by_itself_is_no_kill(tmp_path):
    """Whoever breaks, says so: a campaign with a client that cannot open its journal finds that at once."""
    (tmp_path / "suno.journal").write_bytes(b"no journal")
    with pytest.raises(Found, match=r"a child broke: .*JournalError|the journal does not open"):
        await run(tmp_path, kills=1, seed=5)
