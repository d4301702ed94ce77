"""What is due when."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.agenda import NOWHERE, SLOT, Agenda

QUICK = settings(max_examples=120, deadline=None, derandomize=True)


class Item(msgspec.Struct, eq=False):
    name: Any
    slot: int = NOWHERE
    alone: bool = False
    looked: float = 0.0


def agenda_of(*dues):
    agenda, items = Agenda(), [Item(due) for due in dues]
    for item in items:
        agenda.put(item, item.name)
    return agenda, items


def names(items):
    return [item.name for item in items]


def test_an_empty_agenda_is_never_due():
    """Where nothing stands nothing is due, and nothing is taken."""
    agenda, _ = agenda_of()
    assert agenda.due() == math.inf
    assert agenda.take(math.inf, 10, soonest=0.0) == []


def test_entries_are_taken_in_the_order_they_are_due():
    """What is due is taken, the earliest first, and what is not stays."""
    agenda, _ = agenda_of(3.0, 1.0, 2.0, 9.0)
    assert agenda.due() == 1.0
    assert names(agenda.take(3.0, 10)) == [1.0, 2.0, 3.0]
    assert agenda.due() == 9.0
    assert agenda.take(8.0, 10) == []
    assert names(agenda.take(9.0, 10)) == [9.0]
    assert agenda.due() == math.inf


def test_what_was_taken_stands_nowhere():
    """An entry that was taken is free to be put down again."""
    agenda, (item,) = agenda_of(1.0)
    assert item.slot == 100
    agenda.take(1.0, 1, soonest=0.0)
    assert item.slot == NOWHERE
    agenda.put(item, 2.0)
    assert agenda.due() == 2.0


def test_an_entry_that_was_put_elsewhere_is_passed_over():
    """An entry counts where it was put last, sooner or later, and only once."""
    agenda, (later, sooner, back) = agenda_of(1.0, 5.0, 3.0)
    agenda.put(later, 8.0)
    agenda.put(sooner, 2.0)
    agenda.put(back, 7.0)
    agenda.put(back, 3.0)
    assert agenda.due() == 2.0
    assert agenda.take(10.0, 10, soonest=0.0) == [sooner, back, later]
    assert agenda.due() == math.inf


def test_an_entry_that_was_taken_out_is_passed_over():
    """Whoever sets an entry's slot to nowhere has taken it out."""
    agenda, (gone, other) = agenda_of(1.0, 1.0)
    gone.slot = NOWHERE
    assert agenda.due() == 1.0
    assert agenda.take(1.0, 10, soonest=0.0) == [other]
    agenda.put(gone, 2.0)
    gone.slot = NOWHERE
    assert agenda.due() == math.inf


def test_what_was_taken_out_hides_nothing():
    """An entry that was taken out does not keep those of the same time from being taken in the same go."""
    agenda, (first, second, third) = agenda_of(1.0, 1.0, 1.0)
    second.slot = third.slot = NOWHERE
    assert agenda.take(1.0, 10, soonest=0.0) == [first]


def test_there_is_room_for_so_many():
    """No more is taken than there is room for; the rest of a slot stays for the next time."""
    agenda, items = agenda_of(*[1.0] * 5, 2.0)
    first = agenda.take(9.0, 3, soonest=0.0)
    second = agenda.take(9.0, 3, soonest=0.0)
    assert (len(first), len(second)) == (3, 3)
    assert {id(item) for item in first + second} == {id(item) for item in items}


def test_room_is_filled_with_what_is_due_next():
    """What was not looked at too lately rides along, in order, due or not; what was stays where it was."""
    agenda, items = agenda_of(1.0, 2.0, 3.0, 4.0)
    items[0].looked = items[1].looked = 0.8
    items[2].looked = 0.5
    taken = agenda.take(1.0, 2, soonest=0.5)
    assert names(taken) == [1.0, 3.0]
    assert [item.slot for item in items] == [NOWHERE, 200, NOWHERE, 400]
    assert agenda.due() == 2.0


@pytest.mark.parametrize("soonest", [None, 0.0])
def test_what_is_alone_can_be_left_out(soonest):
    """What is by itself is taken only where that is asked for, also when it is due."""
    agenda, (first, second) = agenda_of(1.0, 1.0)
    second.alone = True
    assert agenda.take(1.0, 2, alone=False, soonest=soonest) == [first]
    assert agenda.due() == 1.0
    assert agenda.take(1.0, 2, soonest=soonest) == [second]


@pytest.mark.parametrize("apart", [0.0, 1.0], ids=["due at once", "due apart"])
@pytest.mark.parametrize(("before", "found"), [(1, True), (20, True), (100, True), (101, False)])
def test_one_that_is_not_alone_is_found_behind_a_hundred_that_are(apart, before, found):
    """Those that are by themselves hide nobody who is due too; after a hundred the search ends, and all stay."""
    agenda, items = agenda_of(*[1.0 + number * apart for number in range(before)])
    for item in items:
        item.alone = True
    other = Item("other")
    if apart:
        agenda.put(other, 500.0)
    else:
        agenda.put(other, 1.0)
    assert agenda.take(500.0, 1, alone=False) == [other] * found
    assert {id(item) for item in agenda.take(500.0, 200)} == {id(item) for item in items + [other] * (not found)}


@pytest.mark.parametrize("apart", [0.0, 1.0], ids=["due at once", "due apart"])
def test_the_search_for_riders_ends(apart):
    """After as many entries that do not fit as there is room for, the search ends, though the next one would fit."""
    agenda, items = agenda_of(*[1.0 + number * apart for number in range(20)])
    for item in items:
        item.looked = 1.0
    items[10].looked = 0.0
    # each time those that it has passed over are the first again
    assert agenda.take(0.0, 10, soonest=0.5) == []
    assert agenda.take(0.0, 11, soonest=0.5) == [items[10]]
    assert agenda.due() == 1.0
    del items[10]
    assert {id(item) for item in agenda.take(100.0, 20)} == {id(item) for item in items}


def test_those_that_were_moved_take_nobodys_place():
    """Of a slot that many have left as many are taken as there is room for, and what does not fit stays."""
    agenda, items = agenda_of(*[1.0] * 12)
    for item in items[:8]:
        agenda.put(item, 9.0)
    items[8].looked = 2.0
    assert agenda.take(0.0, 2, soonest=0.5) == [items[9], items[10]]
    assert agenda.take(1.0, 9) == [items[8], items[11]]
    assert agenda.due() == 9.0


def test_many_are_put_down_as_each_would_be():
    """Many at once stand where each of them would stand alone."""
    agenda, items = agenda_of(1.0, 2.0, 3.0, 4.0, 5.0)
    agenda.put_all(items, [5.0, 2.0, 5.001, 5.001, 5.0])
    assert [item.slot for item in items] == [500, 200, 501, 501, 500]
    assert names(agenda.take(9.0, 9)) == [2.0, 5.0, 1.0, 3.0, 4.0]
    assert agenda.due() == math.inf


@pytest.mark.parametrize("room", [1, 7, 100, 449, 450, 500])
def test_those_that_are_due_at_once_stay_together(room):
    """Who was put down first comes first, however many are taken at a time: the same ones are asked for together."""
    agenda, items = agenda_of(*[1.0] * 450)
    for at in (1.0, 2.0, 3.0):
        taken = agenda.take(at, 1)
        while some := agenda.take(at, room):
            taken += some
        assert taken == items
        agenda.put_all(taken, [at + 1.0] * 450)


def test_what_is_put_where_others_are_being_taken_is_taken_too():
    """A slot that was taken from in part takes more in, and none of them gets lost."""
    agenda, items = agenda_of(*[1.0] * 5)
    assert agenda.take(1.0, 2) == items[:2]
    late = Item("late")
    agenda.put(late, 1.0)
    assert sorted(map(id, agenda.take(1.0, 9))) == sorted(map(id, [*items[2:], late]))
    agenda.put_all(items, [1.0] * 5)
    assert agenda.take(1.0, 9) == items


@pytest.mark.parametrize("due", [0.0, 0.001, 0.07, 0.29, 1.1, 1234.567, 10**6 + 0.1])
def test_nothing_comes_too_early_or_much_too_late(due):
    """An entry comes not before it is due, and at most a slot later."""
    agenda, _ = agenda_of(due)
    assert due - 1e-9 <= agenda.due() <= due + SLOT * 1.001
    assert agenda.take(agenda.due(), 1)


def test_those_that_stand_in_it_can_be_gone_through():
    """Each that was put down and not taken, nor moved or taken out, is met where it stands."""
    agenda, (first, moved, out, taken) = agenda_of(2.0, 2.0, 3.0, 1.0)
    agenda.put(moved, 9.0)
    out.slot = NOWHERE
    assert agenda.take(1.0, 1) == [taken]
    assert sorted(names(agenda)) == [2.0, 2.0]
    assert {id(item) for item in agenda} == {id(first), id(moved)}


STEPS = st.one_of(
    st.tuples(st.just("put"), st.integers(0, 7), st.integers(0, 40)),
    st.tuples(st.just("out"), st.integers(0, 7), st.just(0)),
    st.tuples(st.just("take"), st.integers(1, 5), st.integers(0, 40)),
)


@QUICK
@given(st.lists(STEPS, max_size=60))
def test_an_agenda_is_a_map_from_entries_to_times(steps):
    """After any putting, moving and taking, what is due is what a plain map from entries to slots says."""
    agenda, items, model = Agenda(), [Item(number) for number in range(8)], {}
    for what, number, tenths in steps:
        if what == "put":
            agenda.put(items[number], tenths / 10)
            model[number] = items[number].slot
        elif what == "out":
            items[number].slot = NOWHERE
            model.pop(number, None)
        else:
            now = tenths / 10
            due = sorted(slot for slot in model.values() if slot * SLOT <= now)
            taken = names(agenda.take(now, number))
            assert sorted(model.pop(name) for name in taken) == due[:number]
        assert agenda.due() == min((slot * SLOT for slot in model.values()), default=math.inf)
