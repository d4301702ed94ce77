"""What a look at one id that told nothing says about the id."""

import pytest

from suno_async.protocol.errors import GatewayUnavailable
from suno_async.protocol.life import Life
from suno_async.protocol.refusals import Kind, Trouble
from suno_async.protocol.setbacks import is_refused_alone, pause, set_back

OWN = {Kind.REJECTED, Kind.KEY, Kind.FOREIGN}


def life(**facts):
    return Life(task_id="t", born=0.0, **facts)


def trouble(kind, **facts):
    return Trouble(kind, GatewayUnavailable(), **facts)


FRESH, SEEN = life(), life(mark=1)
SICK = life(faults=1, alone=True)
FORGOTTEN = life(faults=1, alone=True, mark=1)


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name)
def test_what_may_be_about_the_id_has_it_asked_for_by_itself(kind):
    """A refusal, or an answer about somebody else: it goes alone from then on, and its setbacks are counted."""
    mine = life()
    for now in (5.0, 6.0):
        set_back(mine, kind, now, sought=False)
    assert (mine.alone, mine.faults, mine.failed) == ((True, 2, 6.0) if kind in OWN else (False, 0, float("-inf")))


def test_the_end_of_a_search_has_it_asked_for_by_itself():
    """Whatever was told about the last part: this id may be what spoils every batch."""
    mine = life()
    set_back(mine, Kind.OUTAGE, 5.0, sought=True)
    assert (mine.alone, mine.faults, mine.failed) == (True, 1, 5.0)


def test_an_outage_counts_for_an_id_that_is_alone():
    """Once by itself, each look that told nothing is one more."""
    mine = life(alone=True, faults=3)
    set_back(mine, Kind.OUTAGE, 5.0, sought=False)
    assert (mine.alone, mine.faults, mine.failed) == (True, 4, 5.0)


ALONE = {
    "never seen, others were": (0, [SICK, SEEN], True),
    "never seen, nor were others": (0, [FRESH, FRESH], False),
    "never seen, the others are in trouble": (0, [SICK, FORGOTTEN], False),
    "seen, others were": (1, [SEEN, FRESH], False),
    "nobody else": (0, [], False),
}


@pytest.mark.parametrize(("mark", "others", "alone"), ALONE.values(), ids=ALONE)
def test_a_first_refusal_is_its_own_if_others_were_answered(mark, others, alone):
    """The key was good for somebody who is asked for still, and never yet for this id."""
    assert is_refused_alone(life(mark=mark or None, faults=1), others) is alone


def test_neither_itself_nor_one_that_is_gone_is_another():
    """Who is asked for still can say that the key is good, and nobody else."""
    mine, gone = life(mark=1, faults=2), life(mark=1)
    mine.faults = 2
    gone.gone = True
    healthy = life(mark=None, faults=0)
    assert not is_refused_alone(mine, [mine, gone])
    assert not is_refused_alone(healthy, [healthy])
    assert is_refused_alone(mine, [mine, gone, healthy])


@pytest.mark.parametrize(("others", "alone"), [([FRESH], True), ([SICK, SEEN], True), ([SICK], False), ([], False)])
@pytest.mark.parametrize("mark", [None, 1])
def test_the_next_refusals_are_its_own_while_there_are_others(mark, others, alone):
    """It has been heard: whether the key is at fault is for those to say who have no trouble."""
    assert is_refused_alone(life(mark=mark, faults=2), others) is alone


@pytest.mark.parametrize(
    ("faults", "least"), [(0, 0), (1, 0), (2, 2), (3, 4), (4, 8), (6, 32), (7, 60), (8, 60), (5000, 60)]
)
def test_who_fails_again_and_again_is_asked_for_ever_rarer(faults, least):
    """From the second setback on the pause doubles, up to a minute; a longer one stays as it is."""
    assert pause(life(faults=faults), trouble(Kind.REJECTED), 0.5) == max(0.5, least)
    assert pause(life(faults=faults), trouble(Kind.REJECTED), 77.0) == 77.0


@pytest.mark.parametrize(("kind", "seconds"), [(Kind.OUTAGE, 9.5), (Kind.LIMITED, 0.5), (Kind.REJECTED, 0.5)])
def test_a_time_to_wait_counts_for_the_ids_of_the_request(kind, seconds):
    """Retry-After goes on top after an outage; after 429 it is the gate that keeps everybody back."""
    assert pause(life(), trouble(kind, retry_after=9.0), 0.5) == seconds
    assert pause(life(), trouble(kind), 0.5) == 0.5
