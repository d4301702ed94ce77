"""The inspection: the best next look from every age."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.durations import Durations, Hazard
from suno_async.protocol.inspection import Inspection, inspection

QUICK = settings(max_examples=60, deadline=None, derandomize=True)
RATES = st.lists(st.sampled_from([0.0005, 0.002, 0.01, 0.05, 0.2]), min_size=2, max_size=12)
PRICES = st.sampled_from([1.0, 3.0, 10.0])


def hazard_of(rates, step=4.0, tail=(0.4,) * 5):
    """A hazard that is constant for so many seconds each, up to a last 20 s in which nearly all ends."""
    rates = [*rates, *tail]
    ages = [step * index for index in range(len(rates) + 1)]
    expected, effort = [0.0], [0.0]
    for rate in rates:
        expected.append(expected[-1] + rate * step)
        effort.append(effort[-1] + math.sqrt(rate) * step)
    return Hazard(ages, expected, effort)


def looks_of(inspection, begin=0.0):
    """The ages of all looks at a task that never ends, from an age on."""
    ages = [begin]
    while (delay := inspection.after(ages[-1])) < math.inf:
        ages.append(ages[-1] + delay)
    return ages


def left_at(hazard, age):
    """The share that is left at an age."""
    for (begin, end), (before, after) in zip(pairwise(hazard.ages), pairwise(hazard.expected), strict=True):
        if age <= end:
            return math.exp(-before - (after - before) * (age - begin) / (end - begin))
    return math.exp(-hazard.expected[-1])


def cost_of(hazard, price, looks, steps=20):
    """What these looks cost, summed in small steps: a look for all that are left, and the wait of all that ended."""
    total = 0.0
    for begin, end in pairwise(looks):
        total += price * left_at(hazard, begin)
        edges = [begin + (end - begin) * index / steps for index in range(steps + 1)]
        for low, high in pairwise(edges):
            total += (left_at(hazard, low) - left_at(hazard, high)) * (end - (low + high) / 2)
    return total


@QUICK
@given(RATES, PRICES)
def test_no_other_plan_is_better(rates, price):
    """No plan in steps of a second costs less than the looks it makes, but for the width of its own steps."""
    hazard = hazard_of(rates)
    last = hazard.ages[-1]
    grid = [float(second) for second in range(int(last) + 1)]
    best = [0.0] * len(grid)
    for here in range(len(grid) - 2, -1, -1):
        best[here] = min(
            cost_of(hazard, price, [grid[here], grid[there]], 8) + best[there] for there in range(here + 1, len(grid))
        )
    mine = cost_of(hazard, price, looks_of(Inspection(hazard, price)))
    assert mine <= best[0] * 1.01 + 0.02


@QUICK
@given(st.lists(st.sampled_from([0.001, 0.1, 1.0, 4.0, 20.0]), min_size=1, max_size=14), st.floats(0.2, 3))
def test_of_all_ages_that_are_told_apart_it_looks_at_the_best(rates, price):
    """Every plan pays for its looks and waits for all that is left at each: the one that is made pays least."""
    hazard = hazard_of(rates, step=0.25, tail=())
    ages, left = hazard.ages, [math.exp(-expected) for expected in hazard.expected]
    best = [0.0] * len(ages)
    for here in range(len(ages) - 2, -1, -1):
        best[here] = min(
            left[here] * (price + ages[there] - ages[here]) + best[there] for there in range(here + 1, len(ages))
        )
    for begin, least in zip(ages, best, strict=True):
        looks = looks_of(Inspection(hazard, price), begin)
        assert looks == pytest.approx([age for age in ages if age in looks])
        mine = sum(left[ages.index(here)] * (price + there - here) for here, there in pairwise(looks))
        assert mine == pytest.approx(least)


def test_where_the_hazard_is_constant_the_looks_are_evenly_spaced():
    """Nothing is learned by waiting: every look comes as long after the last one, at about sqrt(2 κ / h)."""
    hazard = Hazard([10.0 * index for index in range(60)], [0.2 * index for index in range(60)], [0.0] * 60)
    looks = looks_of(Inspection(hazard, 1.0))[:20]
    gaps = [after - before for before, after in pairwise(looks)]
    assert max(gaps) - min(gaps) <= 1.1
    assert sum(gaps) / len(gaps) == pytest.approx(math.sqrt(2 / 0.02), rel=0.05)


def test_the_last_failure_of_a_cluster_is_waited_for():
    """Where a tenth fail within 20 s and nothing happens for a minute then, a look comes just after the 20 s."""
    rates = [0.005] * 5 + [1e-7] * 15 + [0.05] * 20
    looks = looks_of(Inspection(hazard_of(rates), 1.0))
    assert any(20.0 <= look <= 21.5 for look in looks)
    assert not any(22.0 < look < 78.0 for look in looks)


@QUICK
@given(RATES, st.floats(0, 60))
def test_every_look_is_ahead_and_a_later_age_looks_no_sooner(rates, age):
    """From any age the next look is in the future, and the next look of an older task is not before it."""
    inspection = Inspection(hazard_of(rates), 1.0)
    delay, later = inspection.after(age), inspection.after(age + 1.0)
    assert delay > 0
    assert age + 1.0 + later >= age + delay - 1e-9


@QUICK
@given(RATES)
def test_a_higher_price_makes_no_more_looks(rates):
    """The dearer the looks, the fewer there are."""
    hazard = hazard_of(rates)
    counts = [len(looks_of(Inspection(hazard, price))) for price in (0.3, 1.0, 3.0, 10.0)]
    assert counts == sorted(counts, reverse=True)


def test_past_the_known_tail_it_does_not_know():
    """An age at which nothing was ever seen to end has no best look."""
    hazard = Durations().hazard("MUSIC")
    inspection = Inspection(hazard, 0.3)
    assert inspection.after(hazard.ages[-1]) == math.inf
    assert inspection.after(1e9) == math.inf
    assert 0 < inspection.after(hazard.ages[-1] - 0.01) <= 0.011


def test_between_two_ages_the_next_look_is_between_theirs():
    """A quarter of a second is told apart at first; from within it the next look is on the line between its ends'."""
    hazard = hazard_of([0.01, 0.2, 0.05, 0.002] * 16, step=0.25)
    inspection = Inspection(hazard, 1.0)
    following = [*(age + inspection.after(age) for age in hazard.ages[:-1]), hazard.ages[-1]]
    for (begin, end), (first, second) in zip(pairwise(hazard.ages), pairwise(following), strict=True):
        age = begin + 0.7 * (end - begin)
        assert age + inspection.after(age) == pytest.approx(first + 0.7 * (second - first))
    assert len({round(second - first, 6) for first, second in pairwise(following)}) > 2


def test_it_beats_the_rule_where_the_hazard_jumps():
    """For songs of which a tenth fail early its looks cost less than those of the square root."""
    durations = Durations()
    for index in range(200):
        durations.took("MUSIC", 3 + index % 17 if index % 10 == 0 else 100 * math.exp(0.35 * math.sin(index)))
    hazard = durations.hazard("MUSIC")
    root, looks = math.sqrt(2), [0.0]
    while looks[-1] < hazard.ages[-1]:
        looks.append(looks[-1] + hazard.until(looks[-1], root))
    best = looks_of(Inspection(hazard, 1.0))
    assert cost_of(hazard, 1.0, best) < 0.97 * cost_of(hazard, 1.0, [*looks[:-1], hazard.ages[-1]])


def test_what_was_worked_out_is_kept():
    """The same hazard and nearly the same price have the same inspection; another price, or hazard, another one."""
    hazard, other = Durations().hazard("MUSIC"), Durations().hazard("MUSIC")
    assert inspection(hazard, 1.0) is inspection(hazard, 1.001)
    assert inspection(hazard, 1.0) is not inspection(hazard, 1.3)
    assert inspection(hazard, 1.0) is not inspection(other, 1.0)
    assert inspection(hazard, math.inf).after(0) > 0


@pytest.mark.parametrize("price", [0.2, 0.23, 1.0, 7.3, 400.0])
def test_what_is_kept_is_about_that_price(price):
    """There are no fewer looks than at a price that is 6 % higher, and no more than at one that is 6 % lower."""
    hazard = Durations().hazard("MUSIC")
    higher, lower = (looks_of(Inspection(hazard, price * factor)) for factor in (1.06, 0.94))
    assert len(higher) <= len(looks_of(inspection(hazard, price))) <= len(lower)
