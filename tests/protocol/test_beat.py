"""The beat: whether there is one is found out, followed and given up by what looks show."""

import math
import random
from statistics import NormalDist, fmean
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rounds import drifting, rounds, watch

from suno_async.protocol import beat as beats
from suno_async.protocol.beat import CELLS, SLEEP, WIDTHS, Beat, blurred, likely, turned

QUICK = settings(max_examples=100, deadline=None, derandomize=True)
SEEDS = range(4)
CIRCLES = st.lists(st.floats(0, 1), min_size=CELLS, max_size=CELLS)
WIDTH = pytest.mark.parametrize("width", WIDTHS, ids=lambda width: f"{width.seconds:.2f}s")


def one(cell):
    """A circle with everything in one cell."""
    return turned([1.0] + [0.0] * (CELLS - 1), -cell % CELLS)


def everything(beat):
    """All that a beat holds likely, which is 1."""
    return beat.no_beat + beat.scale * sum(map(sum, beat.cells))


# what rounds of one width mean


def lag(width, place, start):
    """V = S - (1 - min((t - S) / w, 1)) P, as seconds before t, for a look and a round that began in these cells."""
    after = (place - start) % CELLS * width.cell
    return after + (1 - min(after / width.seconds, 1)) * width.period


def moment(width, cell):
    """A time in the middle of a cell."""
    return (cell + 0.5) * width.cell


@WIDTH
@pytest.mark.parametrize(
    ("before", "now"), [(0, 0), (0, 1), (3, 20), (60, 65), (17, 80), (5, 68), (10, 400), (-70, -61)]
)
def test_looks_that_show_no_end_are_worth_the_difference_of_their_lags(width, before, now):
    """Two looks with a hazard of so much between them: exp(-h (V(t) - V(a)) + h (t - a)), wherever the round began."""
    odds = width.unseen([(moment(width, before), -0.1), (moment(width, now), 0.1)])
    expected = [0.1 * (lag(width, now, start) - lag(width, before, start)) for start in range(CELLS)]
    assert list(map(math.log, odds)) == pytest.approx(expected, abs=1e-9)


@QUICK
@given(st.lists(st.tuples(st.integers(0, 200), st.floats(0, 0.02)), max_size=12), st.sampled_from(WIDTHS))
def test_what_many_looks_say_adds_up(looks, width):
    """However many looks an answer's rows had before it, each counts as it would alone."""
    now = 201
    weights = [(moment(width, now), sum(weight for _, weight in looks))]
    odds = width.unseen(weights + [(moment(width, place), -weight) for place, weight in looks])
    for start in (0, 1, 31, CELLS - 1):
        expected = sum(w * (lag(width, now, start) - lag(width, place, start)) for place, w in looks)
        assert math.log(odds[start]) == pytest.approx(max(-8, min(8, expected)), abs=1e-9)


@WIDTH
@pytest.mark.parametrize(
    ("before", "now"), [(0, 1), (3, 20), (CELLS - 4, CELLS + 1), (17, CELLS + 16), (5, CELLS + 4), (10, 400)]
)
def test_a_change_is_worth_the_part_of_the_time_it_may_have_been_in(width, before, now):
    """A change between two looks: (V(t) - V(a)) / (t - a), as far as rows keep to rounds; and no more were seen."""
    begin, end = moment(width, before), moment(width, now)
    odds = width.seen(begin, end, 0.01, 2.0)
    assert len(odds) == CELLS
    for start in range(CELLS):
        grown = lag(width, now, start) - lag(width, before, start)
        part = max(1 - 0.93 * grown / max(end - begin, 0.125), 0.07)
        assert math.log(odds[start]) == pytest.approx(min(8, 0.01 * grown + 2 * math.log(part)), abs=1e-6)


@WIDTH
@pytest.mark.parametrize("time", [-1000.0, 0.0, 12.3, 1e6])
def test_what_a_row_says_of_itself_is_most_likely_in_the_middle_of_a_round(width, time):
    """A time that a row tells points at a round that began half a width before it."""
    told = width.updated(time, 1)
    assert len(told) == CELLS
    off = (told.index(max(told)) * width.cell - (time - width.seconds / 2) + SLEEP / 2) % width.period - SLEEP / 2
    assert abs(off) < 1.6 * width.cell
    assert max(told) > math.e
    assert min(told) < math.exp(-2)
    assert width.updated(time, 0.5) == pytest.approx(list(map(math.sqrt, told)))
    assert width.updated(time, 2) == pytest.approx([max(odds * odds, math.exp(-8)) for odds in told])


@WIDTH
def test_what_a_row_says_of_itself_is_as_wide_as_its_round(width):
    """Spread evenly over the round and over the second it is cut to, and a little more; the rest is for any moment."""
    spread = NormalDist(0, math.sqrt((width.seconds**2 + 1) / 12 + 0.02))
    told = width.updated(moment(width, 0), 1)
    for start in range(CELLS):
        off = (-start % CELLS * width.cell - width.seconds / 2 + width.period / 2) % width.period - width.period / 2
        assert told[start] == pytest.approx(0.93 * width.period * spread.pdf(off) + 0.07)


@WIDTH
def test_what_a_row_says_of_itself_is_no_evidence_on_the_whole(width):
    """Over all phases the likelihoods of a told time have the mean 1: it says where, not whether."""
    assert fmean(width.told) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("time", [-1e6, -0.01, 0.0, 15.7, 1e6])
@WIDTH
def test_every_moment_has_its_cell(width, time):
    """Cells follow one another and come again after a period, before zero as well as after it."""
    middle = (time // width.cell + 0.5) * width.cell
    assert 0 <= width.place(time) < CELLS
    assert width.place(middle + width.cell) == (width.place(middle) + 1) % CELLS
    assert width.place(middle + width.period) == width.place(middle)


def test_a_share_that_is_just_enough_is_enough():
    """Of all weight, each has its share: from exactly so much on it counts."""
    assert likely([0.5, 1.0, 0.25, 0.25], 0.25) == [0, 1]
    assert likely([3.0, 0.5, 0.5], 0.125) == [0, 1, 2]
    assert likely([3.0, 0.5, 0.5], 0.126) == [0]


@QUICK
@given(CIRCLES, st.integers(0, 10**9), st.floats(0, 1), st.floats(0, 1))
def test_a_blur_keeps_the_sum_and_invents_nothing(cells, reach, kept, found):
    """However wide it is, what is kept stays as likely on the whole, and nothing gets likelier than the best."""
    spread = blurred(cells, reach, kept, found)
    assert len(spread) == CELLS
    assert sum(spread) == pytest.approx(kept * sum(cells) + CELLS * found, abs=1e-9)
    assert min(spread) >= kept * min(cells) + found - 1e-9
    assert max(spread) <= kept * max(cells) + found + 1e-9


@pytest.mark.parametrize("reach", [0, 1, 2, CELLS // 2 - 1])
def test_a_blur_goes_to_both_sides_and_round_the_circle(reach):
    """The phase that was most likely stays in the middle of as many as were asked for, and cell 0 follows the last."""
    assert blurred(one(3), reach) == pytest.approx(
        [
            (min(cell - 3, 3 - cell + CELLS, key=abs) in range(-reach, reach + 1)) / (2 * reach + 1)
            for cell in range(CELLS)
        ]
    )


def test_a_blur_ends_in_knowing_nothing():
    """After hours each cell is as likely as any other."""
    assert blurred(one(5), CELLS // 2) == pytest.approx([1 / CELLS] * CELLS)


@WIDTH
def test_wider_rounds_drift_more(width):
    """By half a second a round, and a seventh of what they take."""
    assert math.sqrt(width.drift) * width.cell == pytest.approx(0.5 + 0.14 * width.seconds)


@WIDTH
@pytest.mark.parametrize("steps", [[8.0] * 3, [24.0], [8.0, 16.0], [11.0, 13.0]])
def test_rounds_wander_by_their_drift_however_often_that_is_taken_in(width, steps):
    """In 24 s a phase gets the variance of one and a half rounds, but for less than a cell to both sides."""
    beat, index, now = Beat(0.0, 0.05), WIDTHS.index(width), 0.0
    beat.cells = [[0.0] * CELLS for _ in WIDTHS]
    beat.cells[index] = [0.95 * share for share in one(30)]
    for step in steps:
        now += step
        beat.take_in(now)
    floor = beat.cells[index][(30 + CELLS // 2) % CELLS]
    above = [share - floor for share in beat.cells[index]]
    variance = sum((cell - 30) ** 2 * share for cell, share in enumerate(above)) / sum(above)
    assert variance + beat._wandered[index] == pytest.approx(width.drift * now / 16, rel=0.03)
    assert variance > width.drift * now / 16 - 4


# one look


def test_what_is_not_known_is_even():
    """At first there may be no beat, and if there is one, every width and every phase is as likely as another."""
    beat = Beat(0.0)
    assert beat.no_beat == 0.3
    assert everything(beat) == pytest.approx(1)
    assert beat.widths() == pytest.approx([1 / len(WIDTHS)] * len(WIDTHS))
    assert not beat.has_news


@pytest.mark.parametrize(("kept", "begun"), [(0.0, 0.05), (0.4, 0.4), (1.0, 0.95), (-1e300, 0.05), (math.nan, 0.05)])
def test_what_was_known_yesterday_is_never_certain_today(kept, begun):
    """A process begins with what another one has learned, and some doubt."""
    assert Beat(0.0, kept).no_beat == begun


def test_widths_that_were_learned_are_begun_with():
    """What is known of the widths is good in another process as well."""
    shares = [0.6, 0.3, 0.1] + [0.0] * (len(WIDTHS) - 3)
    assert Beat(0.0, 0.5, shares).widths() == pytest.approx(shares)


@pytest.mark.parametrize(
    "widths",
    [[], [1.0], [0.5] * 5, [0.5, 0.4, 0.3, 0.2, 0.1], [2.0, -1.0, 0, 0, 0], [math.nan] * 5, [1e308] * 5, [0.0] * 5],
)
def test_widths_that_are_no_shares_are_not_begun_with(widths):
    """What another version or a damaged file has left is not believed."""
    assert Beat(0.0, 0.5, widths).widths() == pytest.approx([1 / len(WIDTHS)] * len(WIDTHS))


def test_a_look_that_shows_nothing_is_evidence_against_the_rounds_that_would_have_shown_something():
    """A pair of looks around a round's end that shows no end makes that round unlikely, and others likelier."""
    beat = Beat(100.0)
    beat.looked(102.0, 107.0, 1.0)
    beat.take_in(107.0)
    width = WIDTHS[2]
    within, outside = beat.cells[2][width.place(104.0)], beat.cells[2][width.place(110.0)]
    assert within < outside / 100
    assert everything(beat) == pytest.approx(1)


FEW = [(100.0, 107.0, 0.02), (102.0, 107.0, 0.01), (102.0, 109.0, 0.005), (102.0, 109.0, 0.0075)]
MANY = [(107.0, 109.0, 0.05)] * 40
CHANGES = [(102.0, 107.0), (103.0, 109.0)]


@pytest.mark.parametrize(
    ("looks", "changes"),
    [
        (FEW, []),
        (MANY, []),
        (MANY + FEW, []),
        (FEW, CHANGES),
        (FEW[:1], CHANGES[:1]),
        ([], CHANGES[:1] * 2),
        (FEW, [*CHANGES, (102.0, 106.0), (103.0, 108.0)]),
    ],
    ids=["a few", "many", "many and a few", "changes too", "one of each", "a change twice", "four changes"],
)
def test_every_look_counts_from_the_one_before_it(looks, changes):
    """Each says h (V(t) - V(a)), a change what part of the time it was in; all as much as eight ends at most."""
    beat, start_at = Beat(109.0), 107.5
    beat._taken = start_at
    for before, now, rate in looks:
        beat.looked(before, now, rate)
    for before, now in changes:
        beat.changed(before, now, None)
    beat.take_in(109.0)
    ends = sum(rate * (now - before) for before, now, rate in looks)
    trust = 8 / max(8, 16 / (109.0 - start_at) * ends)
    even = 0.7 / len(WIDTHS) / CELLS / 0.3

    def said(width, start):
        def grown(before, now):
            return lag(width, width.place(now), start) - lag(width, width.place(before), start)

        parts = [1 - 0.93 * grown(before, now) / (now - before) for before, now in changes]
        shown = sum(math.log(max(part, 0.07)) for part in parts)
        return trust * (0.93 * sum(rate * grown(before, now) for before, now, rate in looks) + shown)

    for width, cells in zip(WIDTHS, beat.cells, strict=True):
        expected = [max(-8, min(8, said(width, start))) for start in range(CELLS)]
        assert [math.log(beat.scale * share / beat.no_beat / even) for share in cells] == pytest.approx(
            expected, abs=1e-6
        )


def test_what_was_taken_in_makes_the_next_looks_no_less_worth():
    """How many ends were due is counted from one answer to the next."""
    beat, fresh = Beat(109.0), Beat(109.0)
    for _ in range(40):
        beat.looked(107.0, 109.0, 0.05)
    beat.take_in(109.0)
    fresh.no_beat, fresh.cells, fresh.scale = beat.no_beat, [list(cells) for cells in beat.cells], beat.scale
    for each in (beat, fresh):
        for _ in range(40):
            each.looked(108.0, 110.0, 0.05)
        each.take_in(110.0)
    assert beat.cells == fresh.cells


def test_of_many_different_changes_the_most_frequent_count():
    """Four kinds of changes are taken in at once: the fifth, which was seen no more often, is left out."""
    few, more = Beat(109.0), Beat(109.0)
    kinds = [(102.0, 107.0), (102.5, 107.0), (103.0, 107.0), (103.5, 107.0), (100.0, 101.0)]
    for beat, left_out in ((few, kinds[4:]), (more, [])):
        for place, kind in enumerate(kinds):
            for _ in range(0 if kind in left_out else 2 if place < 3 else 1):
                beat.changed(*kind, None)
        beat.take_in(109.0)
    for some, others in zip(few.cells, more.cells, strict=True):
        assert some == pytest.approx(others)


def test_where_there_is_hardly_a_beat_its_widths_matter_as_much():
    """How likely a width is counts among the widths only: none of them is left out because there may be no beat."""
    weights = [0.01 / len(WIDTHS)] * len(WIDTHS)
    assert likely(weights, 0.04) == list(range(len(WIDTHS)))
    assert likely([weights[0], 0.009 * weights[1], *weights[2:]], 0.04) == [0, 2, 3, 4]
    beat = Beat(0.0)
    beat.no_beat, beat.cells = 0.99, [[weight / CELLS] * CELLS for weight in weights]
    beat.cells[1] = [0.009 * share for share in beat.cells[1]]
    before = [list(cells) for cells in beat.cells]
    beat.looked(0.0, 5.0, 0.5)
    beat.take_in(5.0)
    uneven = [max(cells) > 1.01 * min(cells) for cells in beat.cells]
    assert uneven == [True, False, True, True, True]
    assert beat.cells != before


@pytest.mark.parametrize("updated", [None, 104.5])
def test_what_was_unlikely_has_its_share_of_the_news(updated):
    """However unlikely a width has become, four changes tell of its rounds as of all; fewer tell too little."""
    beat, even = Beat(100.0, widths=[0.001, 0.999, 0.0, 0.0, 0.0]), Beat(100.0)
    few = Beat(100.0, widths=[0.001, 0.999, 0.0, 0.0, 0.0])
    for _ in range(3):
        few.changed(95.0, 110.0, updated)
    few.take_in(100.0)
    assert max(few.cells[0]) == min(few.cells[0]) < max(few.cells[1])
    for each in (beat, even):
        for _ in range(4):
            each.changed(95.0, 110.0, updated)
        each.looked(95.0, 110.0, 0.01)
        # so that nothing is widened before it is taken in
        each.take_in(100.0)
    assert beat.widths()[0] / beat.widths()[1] == pytest.approx(0.001 / 0.999 * even.widths()[0] / even.widths()[1])
    assert max(beat.cells[0]) > 2 * min(beat.cells[0])


@pytest.mark.parametrize("believed", range(len(WIDTHS)))
def test_a_wrong_width_is_found_out(believed):
    """Whatever width was believed in: five minutes of rounds of 1.4 to 2.4 s, seen by many looks, tell a better one."""
    chance, beat, begin = random.Random(5), Beat(0.0, 0.05, [float(index == believed) for index in range(5)]), 5.0
    while begin < 300:
        work, looked = chance.uniform(1.4, 2.4), begin - 1
        while looked < begin + work + 1:
            now = looked + 0.25
            for _ in range(40):
                beat.looked(looked, now, 0.01)
                shown = begin + work * chance.random()
                if looked < shown <= now:
                    beat.changed(looked, now, math.floor(shown) + 0.5)
            beat.take_in(now)
            looked = now
        begin += work + SLEEP
    assert sum(share * width.seconds for share, width in zip(beat.widths(), WIDTHS, strict=True)) > 1.2


def test_a_change_between_two_looks_makes_the_rounds_between_them_likely():
    """A round that ends between the look that showed nothing and the one that showed the change is likelier."""
    beat = Beat(100.0)
    beat.changed(102.0, 107.0, None)
    assert beat.has_news
    beat.take_in(107.0)
    assert not beat.has_news
    width = WIDTHS[2]
    within, outside = beat.cells[2][width.place(104.0)], beat.cells[2][width.place(110.0)]
    assert within > outside * 10


def test_a_row_that_tells_when_it_changed_points_at_the_round():
    """One told time makes its own phase likelier than a whole window of seeing could."""
    seen, told = Beat(100.0), Beat(100.0)
    seen.changed(95.0, 110.0, None)
    told.changed(95.0, 110.0, 104.5)
    for beat in (seen, told):
        beat.take_in(110.0)
    best = max(range(CELLS), key=told.cells[2].__getitem__)
    assert abs(best - WIDTHS[2].place(104.0)) <= 1
    assert max(told.cells[2]) > 3 * max(seen.cells[2])
    told = Beat(110.0)
    told.changed(95.0, 110.0, 104.5)
    told.take_in(110.0)
    even = 0.7 / len(WIDTHS) / CELLS / 0.3
    for width, cells in zip(WIDTHS, told.cells, strict=True):
        assert [share / told.no_beat / even for share in cells] == pytest.approx(width.updated(104.5, 1))


@pytest.mark.parametrize("updated", [94.4, 95.6, 109.4, 110.6])
def test_a_row_may_be_half_a_second_off(updated):
    """What it tells is cut to a second, and clocks differ: just outside of the two looks is believed as well."""
    beat = Beat(100.0)
    beat.changed(95.0, 110.0, updated)
    assert beat._updates


@pytest.mark.parametrize("updated", [math.nan, math.inf, -math.inf, 0.0, 1.7e9, 1e300, 94.0, 111.0])
def test_a_row_of_another_kind_of_time_is_not_believed(updated):
    """Where a row says it changed when it cannot have, it counts as a change that tells no time."""
    plain, odd = Beat(100.0), Beat(100.0)
    plain.changed(95.0, 110.0, None)
    odd.changed(95.0, 110.0, updated)
    for beat in (plain, odd):
        beat.take_in(110.0)
    assert odd.cells == plain.cells
    assert odd.no_beat == plain.no_beat


def test_a_clock_that_told_impossible_times_is_not_believed_for_hours():
    """After a few of them the possible ones count as changes without a time, and what was told is forgotten."""
    beat, plain = Beat(0.0), Beat(0.0)
    for _ in range(20):
        beat.changed(0.0, 10.0, 5.0)
    beat.take_in(10.0)
    for _ in range(4):
        beat.changed(10.0, 20.0, 25.0)
    assert beat.no_beat == 0.3
    assert all(max(cells) == min(cells) for cells in beat.cells)
    beat.take_in(20.0)
    beat.changed(20.0, 30.0, 25.0)
    plain.cells, plain.no_beat, plain.scale = [list(cells) for cells in beat.cells], beat.no_beat, beat.scale
    plain._wandered = list(beat._wandered)
    plain._aged = plain._taken = 20.0
    plain.changed(20.0, 30.0, None)
    for each in (beat, plain):
        each.take_in(30.0)
    assert beat.cells == plain.cells
    later = 10.0 + beats._DISBELIEF
    beat.take_in(later)
    before = max(beat.cells[2])
    beat.changed(later, later + 15, later + 5)
    beat.take_in(later + 15)
    assert max(beat.cells[2]) > 3 * before
    beat.changed(later + 15, later + 30, later + 21)
    assert beat._updates


def test_one_impossible_time_is_no_reason_to_believe_none():
    """A row that changed while it was read may tell of a moment that its looks do not: the others count as before."""
    beat, plain = Beat(0.0), Beat(0.0)
    beat.changed(0.0, 10.0, 25.0)
    plain.changed(0.0, 10.0, None)
    for each in (beat, plain):
        each.changed(0.0, 10.0, 5.0)
        each.take_in(10.0)
    assert beat.cells == plain.cells


def test_a_look_after_a_long_pause_says_nothing():
    """What an id that nobody looked at for minutes shows is no evidence for any phase."""
    beat, silent = Beat(0.0), Beat(0.0)
    beat.looked(0.0, 200.0, 0.01)
    beat.changed(0.0, 200.0, 100.5)
    assert not beat.has_news
    for each in (beat, silent):
        each.take_in(200.0)
    assert beat.cells == silent.cells


def test_the_rows_of_one_look_say_one_thing():
    """Ten thousand rows that change in one look are no more evidence than eight."""
    few, many = Beat(0.0), Beat(0.0)
    for _ in range(8):
        few.changed(0.0, 10.0, 5.0)
    for _ in range(10_000):
        many.changed(0.0, 10.0, 5.0)
    for beat in (few, many):
        beat.take_in(10.0)
    assert many.no_beat == pytest.approx(few.no_beat)


def test_no_single_answer_decides():
    """However many rows say so, a look makes nothing more than e to the 8 times likelier, or less likely."""
    beat = Beat(0.0)
    beat.take_in(8.0)
    before = beat.no_beat, list(beat.cells)
    for _ in range(100):
        beat.changed(0.0, 8.0, 4.0)
    beat.take_in(8.0)
    gained = [
        math.log(beat.scale * share / old * before[0] / beat.no_beat)
        for cells, known in zip(beat.cells, before[1], strict=True)
        for share, old in zip(cells, known, strict=True)
    ]
    assert max(gained) == pytest.approx(8)
    assert min(gained) == pytest.approx(-8)


# time


def test_the_parts_that_go_elsewhere_come_from_somewhere():
    """Time widens what is known, and all of it stays 1."""
    beat = Beat(0.0)
    for now in (3.0, 4.5, 60.0, 61.0, 3600.0, 3599.0):
        beat.take_in(now)
        assert everything(beat) == pytest.approx(1)


def test_in_a_round_a_little_of_all_goes_elsewhere():
    """As much as is said for one round, from a beat to none and back; half of it at most."""
    part, most = beats._AWAY
    beat = Beat(0.0, 0.05)
    beat.take_in(beats.ROUND)
    assert beat.no_beat == pytest.approx(0.05 + part * 0.9)
    beat.take_in(1e7)
    assert beat.no_beat == pytest.approx(most)


def test_a_little_time_changes_nothing():
    """Rounds do not drift within seconds."""
    beat = Beat(0.0)
    beat.cells[2] = one(5)
    before = [list(cells) for cells in beat.cells]
    beat.take_in(3.9)
    assert beat.cells == before


def test_widths_beside_one_another_share_the_round_and_not_the_cell():
    """What goes over to the width beside stands where the round began, wherever the cells of the two widths are."""
    beat = Beat(1e4, 0.05)
    width, beside = WIDTHS[2], WIDTHS[3]
    beat.cells = [[0.0] * CELLS for _ in WIDTHS]
    beat.cells[2] = [0.95 * share for share in one(width.place(1e4 - 3.0))]
    beat.take_in(1e4 + 8.0)
    # a blur is flat at its top
    best = [cell for cell, share in enumerate(beat.cells[3]) if share > 0.99 * max(beat.cells[3])]
    assert abs((best[len(best) // 2] - beside.place(1e4 - 3.0) + 4) % CELLS - 4) <= 2


def test_after_hours_of_silence_little_is_known():
    """No phase outlives a night; whether there is a beat, and how wide its rounds are, becomes as uncertain as ever."""
    beat = Beat(0.0)
    beat.no_beat, beat.cells[1] = 0.05, [0.95 * share for share in one(7)]
    beat.take_in(8 * 3600.0)
    assert all(max(cells) < 1.001 * min(cells) for cells in beat.cells)
    assert beat.no_beat == pytest.approx(0.5, abs=0.01)
    assert max(beat.widths()) < 2 / len(WIDTHS)


TIMES = st.floats(-1e6, 1e6)
LOOKS = st.lists(
    st.tuples(
        st.floats(0, 300),
        st.floats(0, 300) | st.sampled_from([3600.0, 86_400.0]),
        st.floats(0, 1e5),
        st.integers(0, 40),
        st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.floats(-20, 5),
    ),
    max_size=20,
)


@QUICK
@given(TIMES, LOOKS)
def test_nothing_that_looks_show_breaks_it(now, looks):
    """Any hazard, gap, silence, number of changes and told time leaves likelihoods, which add up to 1."""
    beat = Beat(now)
    for gap, silence, rate, changes, updated in looks:
        now += silence
        beat.looked(now - gap, now, rate)
        for _ in range(changes):
            beat.changed(now - gap, now, updated if updated is None else now + updated)
        beat.take_in(now)
        assert everything(beat) == pytest.approx(1)
        assert all(share >= 0 for cells in beat.cells for share in cells)
        assert sum(beat.widths()) == pytest.approx(1)


def test_a_gateway_cannot_make_it_grow():
    """Rows with as many different times and gaps as there are rows take no more room than two minutes of them."""
    beat = Beat(1e5)
    for row in range(20_000):
        gap = row * 37 % 100_000 / 500
        beat.looked(1e5 - gap, 1e5, 0.01)
        beat.changed(1e5 - gap, 1e5, 1e5 - gap * 0.7)
        beat.changed(1e5 - gap, 1e5, None)
    assert max(map(len, (beat._exposed, beat._changes, beat._updates))) < 1000
    beat.take_in(1e5 + 1)
    assert not beat._exposed
    assert not beat.has_news


# gateways, and a poller that has the beat for a guide


@pytest.fixture(scope="module")
def worlds():
    """The same rounds for the poller that knows of no beat, the one that does, and the one that is told times."""
    return SimpleNamespace(
        plain=[watch(rounds(seed), seed, beat=False) for seed in SEEDS],
        seen=[watch(rounds(seed), seed) for seed in SEEDS],
        told=[watch(rounds(seed), seed, tells=True) for seed in SEEDS],
    )


def cost(found):
    return fmean(each.cost() for each in found)


def lateness(found, begin, end=math.inf):
    return fmean(each.lateness(begin, end) for each in found)


def test_nothing_is_lost_where_there_is_no_beat():
    """Where every end is seen at once, looking for a beat costs at most 2 %, and mostly none is believed in."""
    seeds = range(10)
    plain = [watch(None, seed, beat=False, seconds=3000) for seed in seeds]
    found = [watch(None, seed, seconds=3000) for seed in seeds]
    assert cost(found) <= 1.02 * cost(plain)
    for each in found:
        doubts = [doubt for _, doubt in each.doubts[len(each.doubts) // 10 :]]
        assert sum(doubt > 0.9 for doubt in doubts) > 0.85 * len(doubts)


def test_a_beat_is_recognised_within_a_minute(worlds):
    """With 20 tasks a minute is enough: ends are then seen twice as soon, for half the requests."""
    assert all(each.doubt(60) < 0.5 for each in worlds.seen)
    assert lateness(worlds.seen, 60) < 0.6 * lateness(worlds.plain, 60)
    assert cost(worlds.seen) < 0.5 * cost(worlds.plain)


def test_rows_that_tell_their_times_make_it_sooner(worlds):
    """Where rows say when they changed, the beat is certain after a minute, and the looks are better."""
    assert fmean(each.doubt(60) for each in worlds.told) < fmean(each.doubt(60) for each in worlds.seen)
    assert cost(worlds.told) < cost(worlds.seen)


def test_a_drifting_beat_is_followed():
    """Rounds that get longer and longer, by seconds in all, are followed, for half of what it costs without."""
    found = [watch(drifting(seed, seconds=2400), seed, seconds=2000) for seed in SEEDS]
    plain = [watch(drifting(seed, seconds=2400), seed, seconds=2000, beat=False) for seed in SEEDS]
    assert lateness(found, 1400) < 0.9
    assert fmean(each.cost(1400) for each in found) < 0.6 * fmean(each.cost(1400) for each in plain)


def test_a_skipped_round_costs_little(worlds):
    """Where 3 % of the rounds are skipped, the beat is not lost for that."""
    found = [watch(rounds(seed, skipped=0.03), seed) for seed in SEEDS]
    assert cost(found) < 1.15 * cost(worlds.seen)


def test_a_restarted_gateway_is_found_again():
    """Two minutes after a restart has moved the rounds by 7 s, looks are as good as before."""
    found = [watch(rounds(seed, jump=600), seed) for seed in range(12)]
    assert lateness(found, 616, 660) > 4
    assert lateness(found, 740) < 1.25 * lateness(found, 200, 600)


@pytest.mark.parametrize("clock", [-7, -5, -3, -2])
def test_times_of_another_machine_s_clock_make_nothing_worse(worlds, clock):
    """A clock that is behind is found out by its rows' own looks: it gets no worse than if they told no times."""
    found = [watch(rounds(seed), seed, seconds=2000, tells=True, clock=clock) for seed in SEEDS]
    assert fmean(each.cost(600) for each in found) < 1.1 * fmean(each.cost(600) for each in worlds.seen)


def test_the_cells_are_scaled_when_they_are_widened():
    """What a look makes likelier is multiplied out with the next work on every cell, and no sooner."""
    beat = Beat(0.0)
    beat.changed(0.0, 5.0, None)
    beat.take_in(5.0)
    assert beat.scale != 1
    assert everything(beat) == pytest.approx(1)
    beat.take_in(15.0)
    assert beat.scale == 1
    assert everything(beat) == pytest.approx(1)


def test_however_often_something_is_taken_in_the_numbers_stay_numbers():
    """Evidence by the thousand before the cells are widened makes none of them infinite, and none nothing."""
    beat = Beat(0.0)
    for step in range(3000):
        now = 1.0 + step / 500
        for _ in range(8):
            beat.changed(0.0, now, 0.5)
        beat.take_in(now)
        assert everything(beat) == pytest.approx(1)
    assert sum(beat.widths()) == pytest.approx(1)
    assert 1e-100 <= beat.scale <= 1
