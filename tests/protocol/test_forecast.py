"""The forecast: what it makes of the delays that the hazard asks for."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.beat import CELLS, SLEEP, WIDTHS, Beat
from suno_async.protocol.forecast import Forecast

QUICK = settings(max_examples=100, deadline=None, derandomize=True)
STEP = 0.25
HORIZON = 25.0
WANTED = st.floats(0.01, 300)
NOWS = st.floats(-1e6, 1e6)


def certain(width, start, *, no_beat=0.0):
    """A beat of which is known that its rounds have this width and begin at this moment."""
    beat = Beat(0.0)
    beat.no_beat = no_beat
    beat.cells = [[0.0] * CELLS for _ in WIDTHS]
    beat.cells[width][WIDTHS[width].place(start)] = 1 - no_beat
    return beat


@st.composite
def beats(draw):
    """Anything that may be known: likelihoods of a few rounds, of many, or of none."""
    beat = Beat(0.0)
    some = st.lists(
        st.tuples(st.integers(0, len(WIDTHS) - 1), st.integers(0, CELLS - 1), st.floats(0.01, 1)), max_size=8
    )
    evenly, none = draw(st.floats(0, 0.01)), draw(st.floats(0.001, 1))
    beat.cells = [[evenly] * CELLS for _ in WIDTHS]
    for width, cell, weight in draw(some):
        beat.cells[width][cell] += weight
    total = none + sum(map(sum, beat.cells)) + 1e-3
    beat.cells = [[(share + 1e-3 / CELLS / len(WIDTHS)) / total for share in cells] for cells in beat.cells]
    beat.no_beat = none / total
    return beat


def best(forecast, wanted):
    """The least of (κ / h + ∫ (V(s) - V(a)) ds) / (V(t) - V(a)) over all steps, tried one by one."""
    shown = forecast.shown
    costs, waited = {}, 0.0
    for step in range(1, len(shown)):
        waited += STEP * (shown[step] + shown[step - 1] - 2 * shown[0]) / 2
        if shown[step] > shown[0] + 1e-5:
            costs[step * STEP] = (wanted * wanted / 2 + waited) / (shown[step] - shown[0])
    return costs


@QUICK
@given(NOWS, st.floats(STEP, 19.9))
def test_without_a_beat_a_delay_stays_what_it_was(now, wanted):
    """Where nothing speaks for rounds, the delay that the hazard asks for is the answer, within a step."""
    assert Forecast(certain(0, 0.0, no_beat=1 - 1e-9), now).delay(now, wanted) == pytest.approx(wanted, abs=STEP)


@QUICK
@given(NOWS, st.floats(20.1, 300))
def test_without_a_beat_a_long_delay_stays_what_it_was(now, wanted):
    """The whole rounds by which a long delay is made shorter come back."""
    assert Forecast(certain(0, 0.0, no_beat=1 - 1e-9), now).delay(now, wanted) == pytest.approx(wanted, abs=STEP)


@pytest.mark.parametrize("width", range(3), ids=lambda width: f"{WIDTHS[width].seconds:.2f}s")
@pytest.mark.parametrize("wanted", [4.0, 6.0, 9.0])
@pytest.mark.parametrize("to_go", [3.0, 7.0, 11.0])
def test_a_certain_round_is_looked_at_when_it_ends(width, wanted, to_go):
    """Wherever a round begins, and however soon the hazard asks for it, the look comes as the round ends."""
    now = 1234.5
    delay = Forecast(certain(width, now + to_go), now).delay(now, wanted)
    assert -0.3 <= delay - to_go - WIDTHS[width].seconds <= 1.3


@pytest.mark.parametrize("width", range(3, len(WIDTHS)), ids=lambda width: f"{WIDTHS[width].seconds:.2f}s")
def test_a_wide_round_is_looked_at_while_it_is_under_way(width):
    """Where rows change for seconds and many end, looks are worth it before the round is over, and not before it."""
    now = 1234.5
    forecast = Forecast(certain(width, now + 7), now)
    assert 6.5 < forecast.delay(now, 1.0) < 7 + WIDTHS[width].seconds
    assert forecast.delay(now, 9.0) == pytest.approx(7 + WIDTHS[width].seconds, abs=0.8)


def test_a_small_hazard_passes_over_rounds():
    """Where one request is worth more than a round of lateness, the look comes at the end of a later one."""
    now, width = 100.0, WIDTHS[2]
    forecast = Forecast(certain(2, now + 5), now)
    assert forecast.delay(now, 8.0) == pytest.approx(5 + width.seconds, abs=0.8)
    assert forecast.delay(now, 25.0) == pytest.approx(5 + width.seconds + width.period, abs=0.8)
    assert forecast.delay(now, 8.0 + 4 * width.period) == pytest.approx(5 + width.seconds + 4 * width.period, abs=0.8)


@pytest.mark.parametrize("no_beat", [0.0, 0.4])
@pytest.mark.parametrize("width", range(len(WIDTHS)), ids=lambda width: f"{WIDTHS[width].seconds:.2f}s")
def test_a_delay_of_many_rounds_is_as_many_rounds_longer(width, no_beat):
    """What is longer by four rounds, of the width that they have, becomes a delay that is longer by just that."""
    now = 100.0
    forecast = Forecast(certain(width, now + 5, no_beat=no_beat), now)
    longer = forecast.delay(now, 9.0 + 4 * WIDTHS[width].period) - forecast.delay(now, 9.0)
    assert longer == pytest.approx(4 * WIDTHS[width].period)


def test_a_delay_that_is_just_made_shorter_is_no_shorter_one():
    """A hair under 20 s and a hair over it, which is made shorter by a round, lead to the same look."""
    forecast = Forecast(certain(2, 101.0, no_beat=0.3), 100.0)
    assert forecast.delay(100.0, 19.99) == pytest.approx(forecast.delay(100.0, 20.01))
    assert forecast.delay(100.0, 19.99) < 19


def test_rounds_come_a_period_apart():
    """Added up over a period, V is a period further in the next one, wherever the round lies in it."""
    width = WIDTHS[2]
    steps = round(width.period / STEP)
    shown = Forecast(certain(2, 53.0), 50.0).shown
    grown = [later - sooner for sooner, later in zip(shown, shown[steps:], strict=False)]
    assert sum(grown) / len(grown) == pytest.approx(width.period, rel=0.001)
    # before and after the round, as its edges become less sharp
    assert grown[:8] + grown[-12:] == pytest.approx([width.period] * 20)


def test_nothing_new_is_shown_between_rounds_and_a_period_of_it_in_each():
    """V stands still until a round begins, has come a period further when it has ended, and stands still again."""
    now, width = 50.0, WIDTHS[2]
    shown = Forecast(certain(2, now + 5), now).shown
    come = [shown[round(seconds / STEP)] - shown[0] for seconds in (4, 7, 12, 19, 24.5)]
    assert come == pytest.approx([0, *[width.period] * 3, 2 * width.period], abs=1e-6)
    assert 0.3 < (shown[round(5.5 / STEP)] - shown[0]) / width.period < 0.7
    assert len(shown) == HORIZON / STEP


def test_a_beat_that_may_not_be_is_half_believed():
    """As likely as not: half of what happens is shown at once, and the look still comes at the round's end."""
    now = 50.0
    sure, unsure = Forecast(certain(2, now + 5), now), Forecast(certain(2, now + 5, no_beat=0.5), now)
    half = [(come - sure.shown[0] + step * STEP) / 2 for step, come in enumerate(sure.shown)]
    assert [come - unsure.shown[0] for come in unsure.shown] == pytest.approx(half)
    assert unsure.delay(now, 6.0) == pytest.approx(sure.delay(now, 6.0), abs=STEP)


@QUICK
@given(beats(), NOWS, st.floats(0.3, 4))
def test_the_delay_is_the_best_of_all_steps(beat, now, wanted):
    """The hull finds what trying every step finds."""
    forecast = Forecast(beat, now)
    costs = best(forecast, wanted)
    assert costs[forecast.delay(now, wanted)] <= min(costs.values()) * (1 + 1e-6)


@QUICK
@given(beats(), NOWS, st.floats(0, 14), WANTED, WANTED)
def test_who_wants_a_longer_delay_gets_no_shorter_one(beat, now, later, one, other):
    """The order of the delays that tasks ask for stays, across the whole rounds that long ones are made of."""
    forecast = Forecast(beat, now)
    short, long = sorted((one, other))
    assert forecast.delay(now + later, short) <= forecast.delay(now + later, long) + 1e-9


@QUICK
@given(beats(), NOWS, st.floats(-10, 1e5), WANTED)
def test_every_delay_is_one(beat, now, later, wanted):
    """At any moment, long after the forecast as well, a delay is a positive number not far from what was asked for."""
    delay = Forecast(beat, now).delay(now + later, wanted)
    assert math.isfinite(delay)
    assert 0 < delay <= wanted + HORIZON


def test_a_second_later_the_same_round_is_meant():
    """A forecast serves all that happens until the next answer: the round ends when it ends."""
    now, width = 100.0, WIDTHS[2]
    forecast = Forecast(certain(2, now + 6), now)
    first = forecast.delay(now, 6.0)
    assert now + 1 + forecast.delay(now + 1, 6.0) == pytest.approx(now + first, abs=STEP)
    assert now + 2 + forecast.delay(now + 2, 5.0) == pytest.approx(now + first, abs=2 * STEP)
    assert first == pytest.approx(6 + width.seconds, abs=0.8)


def test_a_forecast_that_is_too_old_says_nothing():
    """After two seconds no delay is moved any more: the schedule has another one after one."""
    forecast = Forecast(certain(2, 109.0), 100.0)
    assert forecast.delay(102.0, 5.0) > 6
    assert forecast.delay(102.25, 5.0) == forecast.delay(100.0 + SLEEP, 5.0) == 5.0
    assert forecast.delay(1e6, 25.0) == 25.0


def test_a_clock_that_stands_still_is_no_harm():
    """A moment before the forecast's own counts as its own."""
    forecast = Forecast(certain(2, 106.0), 100.0)
    assert forecast.delay(99.0, 5.0) == forecast.delay(100.0, 5.0)


@QUICK
@given(beats(), NOWS, WANTED, st.integers(-30, 30))
def test_cells_count_as_they_are_scaled(beat, now, wanted, power):
    """What a beat has not multiplied yet makes no other forecast."""
    plain = Forecast(beat, now)
    beat.cells = [[share * 2.0**power for share in cells] for cells in beat.cells]
    beat.scale = 2.0**-power
    scaled = Forecast(beat, now)
    assert scaled.shown == plain.shown
    assert scaled.delay(now, wanted) == plain.delay(now, wanted)


@pytest.mark.parametrize("width", range(len(WIDTHS)))
def test_a_round_looks_the_same_wherever_the_circle_begins(width):
    """What is expected of a round depends on how long ago it began, and not on the cell in which the moment lies."""
    starts = [(place + 0.5) * WIDTHS[width].cell for place in range(CELLS)]
    for ago in (1.0, 6.0, 11.0):
        forecasts = [Forecast(certain(width, start), start + ago) for start in starts]
        first, *others = ([shown - each.shown[0] for shown in each.shown] for each in forecasts)
        assert all(other == pytest.approx(first, abs=1e-6) for other in others)
