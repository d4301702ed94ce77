"""How many ids one request may ask for."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.batch import Batch, Search
from suno_async.protocol.errors import GatewayUnavailable
from suno_async.protocol.refusals import Kind, Trouble

QUICK = settings(max_examples=80, deadline=None, derandomize=True)

# the route


def test_a_batch_is_as_large_as_it_was_set():
    """Without bad experience the user's size counts."""
    assert Batch(100).room(0) == 100


def test_a_missing_route_is_believed_only_if_a_single_look_answers():
    """A page for a batch and an answer for a single look: there is no batch route, for ten minutes."""
    batch = Batch(100)
    batch.refused_route(0)
    assert batch.room(0) == 1
    batch.answered_single(1)
    assert [batch.room(now) for now in (1, 600.9, 601)] == [1, 1, 100]


def test_an_outage_says_nothing_about_the_route():
    """A page for a batch and for a single look is an outage: the route is asked again at once."""
    batch = Batch(100)
    batch.refused_route(0)
    batch.failed_single()
    assert batch.room(0) == 100
    batch.answered_single(1)
    assert batch.room(1) == 100


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name)
@pytest.mark.parametrize("readable", [True, False])
def test_a_single_look_that_told_nothing_may_be_an_answer(kind, readable):
    """The gateway's own words about the look itself say that it has no batch route; an outage says nothing."""
    batch = Batch(100)
    batch.refused_route(0)
    batch.looked_in_vain(Trouble(kind, GatewayUnavailable(), readable=readable), 1)
    answered = readable and kind in {Kind.REJECTED, Kind.NO_NEWS, Kind.NAMELESS, Kind.KEY}
    assert batch.room(1) == (1 if answered else 100)


def test_a_single_look_without_suspicion_teaches_nothing():
    """That single looks are answered is no reason to do without batches."""
    batch = Batch(100)
    batch.answered_single(0)
    batch.failed_single()
    assert batch.room(0) == 100


def test_late_batches_do_not_lengthen_the_ten_minutes():
    """Batches that were under way when the route was found missing raise no new suspicion."""
    batch = Batch(100)
    batch.refused_route(0)
    batch.answered_single(1)
    batch.refused_route(2)
    batch.answered_single(3)
    assert [batch.room(now) for now in (600.9, 601)] == [1, 100]


def test_the_first_batch_after_ten_minutes_counts():
    """A refusal at the very moment when the route is asked for again is believed like any other."""
    batch = Batch(100)
    batch.refused_route(0)
    batch.answered_single(1)
    batch.refused_route(601)
    assert batch.room(601) == 1


def test_a_missing_route_is_asked_for_again_every_ten_minutes():
    """After ten minutes one batch asks again, and its refusal counts for ten minutes more."""
    batch = Batch(100)
    for begin in (0, 1000, 2000):
        assert batch.room(begin) == 100
        batch.refused_route(begin)
        batch.answered_single(begin)
        assert batch.room(begin + 599) == 1
    batch.succeeded(100)
    assert batch.room(2600) == 100


def test_a_missing_route_is_small_until_it_is_asked_for_again():
    """While it is in doubt the next answer decides; then for ten minutes; and never where nothing is in its way."""
    batch = Batch(100)
    assert batch.small_until(0) == math.inf
    batch.refused_route(7)
    assert batch.small_until(8) == 8
    batch.answered_single(9)
    assert [batch.small_until(now) for now in (9, 608.9)] == [609, 609]
    assert batch.small_until(609) == math.inf
    # and in doubt again, long after
    batch.refused_route(700)
    assert batch.small_until(701) == 701


# the size


def test_a_smaller_size_is_so_for_ten_minutes():
    """From the first batch of that size on; then the size that the user has set is tried again."""
    batch = Batch(100)
    found(batch, 25)
    found(batch, 25)
    assert (batch.room(50), batch.small_until(60)) == (25, 650)
    assert (batch.room(650), batch.small_until(650)) == (100, math.inf)


def found(batch, *sizes):
    """One search in which parts of these sizes were answered."""
    batch.refused(batch.size)
    for ids in sizes:
        batch.succeeded(ids)
    batch.searched()


def test_the_size_that_works_is_kept():
    """After two searches in a row that found no culprit the largest part that was answered is the size."""
    batch = Batch(100)
    found(batch, 25, 50, 13)
    assert batch.size == 100
    found(batch, 25, 50, 13)
    assert batch.size == batch.room(0) == 50


def test_a_hiccup_does_not_shrink_the_batch():
    """A batch as large as the refused one that is answered between two searches clears the size."""
    batch = Batch(100)
    for _ in range(5):
        found(batch, 50)
        batch.carried(99)
        batch.carried(100)
    assert batch.size == 100
    found(batch, 50)
    batch.carried(99)
    found(batch, 50)
    assert batch.size == 50


def test_a_size_that_was_learned_is_tried_again():
    """Ten minutes after it was learned, a smaller size is forgotten."""
    batch = Batch(100)
    found(batch, 50)
    found(batch, 50)
    assert batch.room(1000) == batch.room(1599) == 50
    assert batch.room(1600) == batch.room(1601) == batch.size == 100


def test_a_size_that_is_learned_again_is_not_kept_longer():
    """What a larger batch that was still under way finds out once more does not lengthen the ten minutes."""
    batch = Batch(100)
    found(batch, 50)
    found(batch, 50)
    assert batch.room(1000) == 50
    found(batch, 50)
    found(batch, 50)
    assert [batch.room(now) for now in (1300, 1599, 1600)] == [50, 50, 100]


def test_a_culprit_does_not_shrink_the_batch():
    """If one id spoiled the batch, its size was not the cause, however often it happens."""
    batch = Batch(100)
    for _ in range(3):
        batch.refused(100)
        batch.succeeded(50)
        batch.spoiled()
        batch.searched()
    assert batch.size == 100


@pytest.mark.parametrize("abandoned", [False, True])
def test_a_search_without_an_answer_teaches_no_size(abandoned):
    """Where no part was answered there is no size that works."""
    batch = Batch(100)
    if abandoned:
        batch.abandoned()
    found(batch)
    found(batch)
    assert batch.size == 100


def test_one_id_at_a_time_can_be_learned():
    """A gateway that takes no two ids together is asked for one at a time."""
    batch = Batch(2)
    found(batch, 1)
    found(batch, 1)
    assert batch.room(0) == 1


def test_one_search_teaches_nothing_about_the_next():
    """What a search has found is forgotten at its end, also if it was abandoned."""
    batch = Batch(100)
    batch.spoiled()
    batch.searched()
    batch.spoiled()
    batch.succeeded(7)
    batch.abandoned()
    found(batch, 20)
    found(batch, 20)
    assert batch.size == 20
    found(batch, 60)
    found(batch, 60)
    assert batch.size == 20


# the search


def searched(ids, fails, batch=None):
    """The requests of a search for what spoils ``ids``, and what was learned."""
    batch = batch or Batch(len(ids))
    search = Search(batch)
    asked = []
    search.refused(list(ids))
    while search.running:
        assert search.ready
        part = search.take()
        assert search.running
        assert not search.ready
        asked.append(list(part))
        if not fails(part):
            search.answered(part)
        elif len(part) == 1:
            search.spoiled(part)
        else:
            search.refused(part)
    return asked, batch


def test_the_failing_half_comes_first():
    """A batch is halved, and the halves of a part that fails before the other parts."""
    asked, batch = searched("abcdefgh", lambda part: "b" in part)
    assert ["".join(part) for part in asked] == ["abcd", "ab", "a", "b", "cd", "efgh"]
    assert batch.size == 8


def test_a_batch_that_is_too_large_is_found_out():
    """Where only the size was the cause, twice, the largest size that works is used from then on."""
    asked, batch = searched(range(100), lambda part: len(part) > 30)
    assert max(map(len, asked)) == 50
    assert batch.size == 100
    again, batch = searched(range(100), lambda part: len(part) > 30, batch)
    assert again == asked
    assert batch.size == 25


def test_two_culprits_are_found():
    """Every id that spoils its batch stands alone in the end."""
    asked, batch = searched("abcd", lambda part: {"a", "d"} & set(part))
    assert ["a"] in asked
    assert ["d"] in asked
    assert batch.size == 4


@QUICK
@given(st.integers(2, 40), st.sets(st.integers(0, 39), max_size=3), st.integers(1, 40))
def test_a_search_ends_with_every_id_asked_for(count, culprits, most):
    """Every id is answered in a part or found alone, in few requests, whatever spoils the batch."""
    asked, batch = searched(range(count), lambda part: len(part) > most or culprits & set(part))
    good = [item for part in asked if not (len(part) > most or culprits & set(part)) for item in part]
    alone = [part[0] for part in asked if len(part) == 1 and part[0] in culprits]
    assert sorted(good + alone) == list(range(count))
    assert len(asked) <= 2 * count
    assert 1 <= batch.size <= count


def test_a_request_from_before_the_search_is_not_its_own():
    """Answers to requests that were under way when the search began neither end nor steer it."""
    batch = Batch(4)
    search = Search(batch)
    search.refused([1, 2, 3, 4])
    part = search.take()
    search.answered([9, 8])
    search.spoiled([7])
    assert search.abandon([6]) == []
    assert search.running
    assert not search.ready
    search.answered(part)
    search.answered(search.take())
    assert not search.running
    # the two ids of the stranger were fewer than the four that were refused: they clear nothing
    search.refused([1, 2, 3, 4])
    search.answered([9, 8])
    search.answered(search.take())
    search.answered(search.take())
    assert batch.size == 2


def test_two_batches_are_searched_one_after_another():
    """A second batch that is refused during a search joins it, and there is still one request at a time."""
    search = Search(Batch(4))
    search.refused([1, 2, 3, 4])
    part = search.take()
    search.refused([5, 6])
    assert not search.ready
    search.answered(part)
    assert [search.take(), search.ready] == [[5], False]


def test_an_abandoned_search_gives_its_ids_back():
    """Where something else is wrong, the parts not yet asked for are given back, once, and nothing is learned."""
    batch = Batch(8)
    search = Search(batch)
    search.refused([1, 2, 3, 4, 5, 6, 7])
    part = search.take()
    assert part == [1, 2, 3, 4]
    assert search.abandon(part) == [5, 6, 7]
    assert not search.running
    assert search.abandon(part) == []
    assert batch.size == 8


@pytest.mark.parametrize("count", [2, 3, 5, 100])
def test_halves_are_as_equal_as_can_be(count):
    """No half is larger than the other by more than one id, and none is empty."""
    search = Search(Batch(count))
    search.refused(list(range(count)))
    first = search.take()
    search.answered(first)
    second = search.take()
    assert [*first, *second] == list(range(count))
    assert 0 <= len(first) - len(second) <= 1


def test_the_search_knows_its_own_request():
    """A request that was under way when the search began is not its own, and neither is one that has been answered."""
    search = Search(Batch(4))
    under_way = [3]
    search.refused([1, 2])
    part = search.take()
    assert search.asks(part)
    assert not search.asks(under_way)
    search.answered(part)
    assert not search.asks(part)
