"""How long tasks were seen to take, and the hazard that follows from it."""

import math
import random
from bisect import bisect_left
from itertools import pairwise
from statistics import NormalDist, fmean

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.durations import Durations, Event, Histogram, prior_hazard
from suno_async.protocol.pace import Adaptive

QUICK = settings(max_examples=60, deadline=None, derandomize=True)
KINDS = ["", "MUSIC", "MUSIC/chirp-v4", "MUSIC/", "/chirp-v4", "/", "LYRICS", "LYRICS/x", "A/B/C", "a:b", "end:", "音"]
SECONDS = st.floats(0, 60_000) | st.sampled_from([0.0, 1.0, 100.0, 46_000.0, -1.0, math.nan, math.inf, -math.inf])
TOOK = st.tuples(st.sampled_from(KINDS), SECONDS, st.none() | SECONDS, st.sampled_from(Event))


def tables(hazard):
    """All that is in it."""
    return msgspec.structs.astuple(hazard)


def learned(*took, kind="MUSIC"):
    """What is known after these durations."""
    durations = Durations()
    for seconds in took:
        durations.took(kind, seconds)
    return durations


def quantile(hazard, share):
    """The age by which this share has happened."""
    wanted = -math.log(1 - share)
    there = bisect_left(hazard.expected, wanted)
    slope = (hazard.expected[there] - hazard.expected[there - 1]) / (hazard.ages[there] - hazard.ages[there - 1])
    return hazard.ages[there] - (hazard.expected[there] - wanted) / slope


def left(hazard, age):
    """The share that takes longer, by adding up the hazard."""
    inner = [0.0, *(known for known in hazard.ages[1:] if known < age), age]
    return math.exp(-sum(hazard.rate(begin) * (end - begin) for begin, end in pairwise(inner)))


def looks(hazard, price, last):
    """The ages at which it is looked at, until one is past the last end."""
    pace, ages, age = Adaptive(price=price), [], 0.0
    while age < last:
        age += pace.delay(hazard, age, 1.0)
        ages.append(age)
    return ages


# before anything is seen


def normal(median, spread):
    return lambda age: 1 - NormalDist(math.log(median), spread).cdf(math.log(age))


EARLY = normal(10, 0.6)
UNSEEN = [
    ("", Event.END, 0.1, normal(110, 0.4)),
    ("MUSIC", Event.END, 0.1, normal(110, 0.4)),
    ("LYRICS", Event.END, 0.1, normal(12, 0.5)),
    ("", Event.PLAYABLE, 0.1, normal(45, 0.6)),
    ("LYRICS", Event.PLAYABLE, 0.1, normal(12, 0.5)),
    ("", Event.CHANGE, 0.0, normal(20, 0.9)),
    ("LYRICS", Event.CHANGE, 0.0, normal(20, 0.9)),
]


@pytest.mark.parametrize(("kind", "event", "failing", "late"), UNSEEN)
def test_what_is_expected_of_what_was_never_seen(kind, event, failing, late):
    """A tenth ends around 10 s, the others where tasks of this kind are known to; a change takes 20 s or so."""
    hazard = prior_hazard(kind, event)
    for age, expected in zip(hazard.ages[1:-1], hazard.expected[1:-1], strict=True):
        assert math.exp(-expected) == pytest.approx(failing * EARLY(age) + (1 - failing) * late(age), abs=1e-9)
    assert failing * EARLY(hazard.ages[-1]) + (1 - failing) * late(hazard.ages[-1]) < 1e-6
    assert failing * EARLY(hazard.ages[-2]) + (1 - failing) * late(hazard.ages[-2]) > 1e-6


def test_songs_take_two_minutes_and_lyrics_twelve_seconds():
    """Half of all songs that do not fail end by 110 s, half of all lyrics by 12 s; an eleventh fails by 20 s."""
    assert quantile(prior_hazard("MUSIC"), 0.55) == pytest.approx(110, rel=0.01)
    assert quantile(prior_hazard("LYRICS"), 0.5) == pytest.approx(11.9, rel=0.01)
    assert left(prior_hazard("MUSIC"), 20) == pytest.approx(0.9124, abs=0.001)
    assert prior_hazard("MUSIC/chirp-v4") is prior_hazard("MUSIC") is prior_hazard("")
    assert prior_hazard("LYRICS/x") is prior_hazard("LYRICS")
    assert tables(Durations().hazard("MUSIC")) == tables(prior_hazard("MUSIC"))


# the tables


def test_ages_are_seven_percent_apart():
    """From one second on, up to thirteen hours, a point of the tables is 7 % older than the one before it."""
    ages = learned(*[40_000.0] * 9).hazard("MUSIC").ages
    assert ages[:2] == [0.0, 1.0]
    assert [after / before for before, after in pairwise(ages[1:])] == pytest.approx([1.07] * (len(ages) - 2))
    assert ages[-1] > 45_000


def increases(values):
    return all(before < after for before, after in pairwise(values)) and all(map(math.isfinite, values))


@QUICK
@given(st.lists(TOOK, max_size=40), st.sampled_from(KINDS), st.sampled_from(Event), st.floats(0, 1e6), st.floats(0, 99))
def test_no_duration_makes_a_hazard_that_is_none(took, kind, event, age, effort):
    """Whatever is said to have taken how long: tables increase, so that there is always a next look, later on."""
    durations = Durations()
    for of, most, least, what in took:
        durations.took(of, most, least=least, event=what)
    hazard = durations.hazard(kind, event)
    assert hazard.ages[0] == hazard.expected[0] == hazard.effort[0] == 0
    assert increases(hazard.ages)
    assert increases(hazard.expected)
    assert increases(hazard.effort)
    assert len(hazard.ages) == len(hazard.expected) == len(hazard.effort)
    assert 0 <= hazard.rate(age) < math.inf
    assert -1e-9 * age <= hazard.until(age, effort) < math.inf
    assert all(histogram.is_sane for histogram in durations.histograms.values())


@QUICK
@given(st.lists(TOOK, max_size=40), st.floats(0.1, 50))
def test_nothing_is_lost_between_the_bins(took, worth):
    """All shares together are 1, however much what was known before is worth."""
    durations = Durations()
    for kind, most, least, event in took:
        durations.took(kind, most, least=least, event=event)
    for histogram in durations.histograms.values():
        shares = histogram.shares([1 / 160] * 160, [worth])
        assert sum(shares) == pytest.approx(1, abs=1e-9)
        assert min(shares) > 0


def test_the_tables_agree_with_one_another():
    """The rate is the slope of what is expected, and the effort the integral of its root; past the tail both end."""
    hazard = prior_hazard("MUSIC")
    total = 0.0
    for index, (begin, end) in enumerate(pairwise(hazard.ages)):
        rate = hazard.rate((begin + end) / 2)
        assert rate == hazard.rate(begin)
        assert hazard.expected[index + 1] - hazard.expected[index] == pytest.approx(rate * (end - begin), abs=1e-12)
        total += math.sqrt(rate) * (end - begin)
        assert hazard.effort[index + 1] == pytest.approx(total)
    assert hazard.rate(hazard.ages[-1]) == hazard.rate(1e9) == 0
    assert hazard.expected[-1] == pytest.approx(-math.log(1e-6))


@QUICK
@given(st.floats(0, 2000), st.floats(0.001, 8), st.floats(0.001, 8), st.sampled_from(["", "LYRICS"]))
def test_two_efforts_lead_where_their_sum_does(age, one, other, kind):
    """From any age, within the tables and past them: the effort of two looks in a row adds up."""
    hazard = prior_hazard(kind)
    first = hazard.until(age, one)
    assert first + hazard.until(age + first, other) == pytest.approx(hazard.until(age, one + other), rel=1e-6)


def test_all_the_effort_there_is_leads_to_the_end_of_the_known_tail():
    """From no age on, the last effort of the tables comes together at their last age, and what is less before it."""
    hazard = prior_hazard("MUSIC")
    assert hazard.until(0.0, hazard.effort[-1]) == hazard.ages[-1]
    assert hazard.until(0.0, fmean(hazard.effort[-2:])) == pytest.approx(fmean(hazard.ages[-2:]))


@pytest.mark.parametrize("age", [prior_hazard("MUSIC").ages[-1], 800.0, 5_000.0, 1e300])
def test_past_the_known_tail_the_hazard_is_one_over_age(age):
    """The root of 1 / t, added up from the age to the next look, is the effort."""
    delay = prior_hazard("MUSIC").until(age, 0.8)
    assert delay == pytest.approx(0.8 * math.sqrt(age) + 0.16)
    if age < 1e6:
        assert 2 * (math.sqrt(age + delay) - math.sqrt(age)) == pytest.approx(0.8)


# what is seen


def test_half_is_learned_from_eight_durations():
    """What is known before is worth eight durations: after as many, half of all tasks is expected to be like them."""
    count = (1 - 0.99**8) / 0.01 * 0.99
    for kind in ("MUSIC", "", "LYRICS"):
        assert left(learned(*[2000.0] * 8, kind=kind).hazard(kind), 1000) == pytest.approx(
            count / (count + 8), rel=1e-3
        )


def test_half_of_a_model_is_learned_from_twelve_durations():
    """What is known of an action is worth twelve durations of a model of it, and a model starts from there."""
    durations = learned(*[600.0] * 500)
    assert durations.hazard("MUSIC/chirp-v4") is durations.hazard("MUSIC")
    for _ in range(12):
        durations.took("MUSIC/chirp-v4", 20.0)
    count = (1 - 0.99**12) / 0.01 * 0.99
    known = left(Durations(durations.copy()).hazard("MUSIC"), 100)
    assert left(durations.hazard("MUSIC/chirp-v4"), 100) == pytest.approx(known * 12 / (count + 12), rel=1e-6)


def test_a_duration_is_spread_over_five_bins():
    """What is seen at 100 s is a rough 100 s: (1 4 6 4 1) / 16 in the bins around it, and nothing elsewhere."""
    shares = learned(*[100.0]).histograms["end:MUSIC"].shares([0.0] * 160, [1e-9])
    ages = learned(*[5000.0]).hazard("MUSIC").ages
    middle = next(index for index, age in enumerate(ages) if age > 100) - 1
    assert shares[middle - 2 : middle + 3] == pytest.approx([1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16])
    assert sum(shares) == pytest.approx(1)


def bin_of(seconds):
    """The number of its bin."""
    return next(index for index in range(160) if seconds < 1.07**index)


def counted(bins):
    """A histogram with so many durations in each of these bins, all of them of a moment ago."""
    return Histogram([float(bins.get(index, 0)) for index in range(160)], 1.0, sum(bins.values()))


KERNELS = {
    "five bins": [0, 0, 1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16, 0, 0],
    "nine bins": [1 / 64, 4 / 64, 8 / 64, 12 / 64, 14 / 64, 12 / 64, 8 / 64, 4 / 64, 1 / 64],
}
SPREADS = [
    ("five bins", {100: 1}),
    ("five bins", {100: 30}),
    ("five bins", {100: 2, 60: 2, 140: 2}),
    ("five bins", {60: 1, 70: 1, 80: 1, 90: 1, 100: 1}),
    ("nine bins", {100: 1, 104: 1}),
    ("nine bins", {100: 1, 97: 1}),
    ("nine bins", {92: 1, 96: 2, 100: 3, 104: 2, 108: 1}),
    ("nine bins", dict.fromkeys(range(80, 110, 3), 1)),
    ("five bins", {99: 0.2, 100: 0.6, 101: 0.2}),
    ("five bins", {2: 1}),
    ("five bins", {157: 1}),
    ("nine bins", {4: 1, 8: 1}),
    ("nine bins", {151: 1, 155: 1}),
]


@pytest.mark.parametrize(("kernel", "bins"), SPREADS)
def test_durations_are_spread_as_far_as_they_foretell_one_another(kernel, bins):
    """Over nine bins where each is between others, over five where they are the same or tell nothing of each other."""
    shares = counted(bins).shares([1 / 160] * 160, [1e-6])
    expected = [0.0] * 168
    for middle, count in bins.items():
        for place, part in enumerate(KERNELS[kernel], middle):
            expected[place] += count * part / sum(bins.values())
    assert shares == pytest.approx(expected[4:-4], abs=1e-6)


@pytest.mark.parametrize("end", [0, 1, 158, 159])
def test_at_the_ends_nothing_foretells_itself_either(end):
    """What is spread past the first bin or the last comes back, and is no reason to spread anything further."""
    for count in (1, 30):
        shares = counted({end: count}).shares([1 / 160] * 160, [1e-6])
        assert sum(share > 1e-6 for share in shares) <= 4
        assert sum(shares) == pytest.approx(1)


def songs():
    """How much of all songs lies in each bin, as expected."""
    tail = normal(110, 0.4)
    return [before - after for before, after in pairwise([1.0, *(tail(1.07**index) for index in range(160))])]


@pytest.mark.parametrize("worth", [1.0, 8.0, 12.0])
@pytest.mark.parametrize(
    ("seconds", "times"),
    [
        ([100.0], 1),
        ([500.0], 1),
        ([500.0] * 30, 1),
        ([110.0] * 30, 1),
        ([110 * math.exp(0.4 * NormalDist().inv_cdf((index + 0.5) / 27)) for index in range(27)], 4),
        ([300 * math.exp(0.4 * NormalDist().inv_cdf((index + 0.5) / 27)) for index in range(27)], 1),
    ],
)
def test_what_was_known_is_worth_four_times_as_much_where_it_foretold_what_was_seen(seconds, times, worth):
    """Songs that take as long as was expected make it surer; one alone, and those that take another time, do not."""
    known, histogram = songs(), learned(*seconds).histograms["end:MUSIC"]
    count = sum(histogram.weights) / histogram.unit
    far = bin_of(1200.0)
    assert histogram.shares(known, [worth, 4 * worth])[far] / known[far] == pytest.approx(
        times * worth / (count + times * worth), rel=1e-6
    )


def row(first, bins, apart, count):
    """So many bins, so far apart, with so many durations in each."""
    return {first + apart * index: count for index in range(bins)}


def test_only_the_ends_are_left_out():
    """In the third bin a duration foretells others, and is spread as they are."""
    for bins in ({2: 1, 6: 1}, {157: 1, 153: 1}):
        shares = counted(bins).shares([1 / 160] * 160, [1e-6])
        assert shares[10 if 2 in bins else 149] > 0.001


@pytest.mark.parametrize(("kind", "worth"), [("MUSIC", 32), ("LYRICS", 32), ("", 32), ("MUSIC/chirp-v4", 12)])
def test_what_an_action_learns_is_no_witness_for_its_models(kind, worth):
    """Tasks that take as long as was expected are worth so much of it; a model's own are in what its action expects."""
    expected, durations = prior_hazard(kind), Durations()
    for index in range(27):
        durations.took(kind, quantile(expected, (index + 0.5) / 27))
    late, count = quantile(expected, 0.9999), (1 - 0.99**27) / 0.01 * 0.99
    before = durations.hazard("MUSIC") if "/" in kind else expected
    assert left(durations.hazard(kind), late) == pytest.approx(left(before, late) * worth / (count + worth), rel=0.03)


@pytest.mark.parametrize(
    ("bins", "kernel", "worth"),
    [
        (row(55, 2, 5, 1), "five bins", 8),
        (row(60, 8, 5, 1), "five bins", 32),
        (row(60, 4, 3, 1), "nine bins", 32),
        (row(60, 4, 4, 1), "five bins", 8),
        (row(60, 8, 4, 1), "nine bins", 32),
        (row(60, 3, 2, 1), "five bins", 8),
        (row(60, 3, 2, 2), "five bins", 8),
        (row(77, 4, 3, 0.5), "nine bins", 8),
        (row(80, 10, 3, 1), "nine bins", 8),
        (row(92, 5, 4, 3), "five bins", 8),
    ],
)
def test_no_duration_foretells_itself(bins, kernel, worth):
    """Of what is in a bin one duration is left out, or all of it where that is less; the rest must have foretold it."""
    known, total = songs(), sum(bins.values())
    expected = [worth * share / (total + worth) for share in known]
    for middle, count in bins.items():
        for place, part in enumerate(KERNELS[kernel], middle - 4):
            expected[place] += count * part / (total + worth)
    assert counted(bins).shares(known, [8.0, 32.0]) == pytest.approx(expected)


@pytest.mark.parametrize(("bins", "kernel"), [(2, "five bins"), (3, "nine bins")])
def test_what_foretells_hardly_better_is_not_believed(bins, kernel):
    """Two durations that foretell one another e ** 0.5 times better by nine bins are spread over five all the same."""
    shares = counted(row(60, bins, 4, 1)).shares([1 / 160] * 160, [8.0])
    assert shares[60] == pytest.approx((KERNELS[kernel][4] + KERNELS[kernel][8] + 8 / 160) / (bins + 8))


def test_a_duration_that_was_not_seen_may_have_been_at_any_moment():
    """Of what ended from 40 to 80 s, as far as the looks tell, half ended by 60 s, and little before 30 or past 110."""
    durations = Durations()
    for _ in range(2000):
        durations.took("MUSIC", 80.0, least=40.0)
    hazard = durations.hazard("MUSIC")
    assert quantile(hazard, 0.5) == pytest.approx(60, rel=0.03)
    assert quantile(hazard, 0.25) == pytest.approx(50, rel=0.03)
    assert left(hazard, 30) > 0.96
    assert left(hazard, 110) < 0.04
    assert learned(*[80.0] * 9).hazard("MUSIC") != durations.hazard("MUSIC")


def counts(durations, kind="MUSIC", event=Event.END):
    """How much of a single duration was counted in each bin."""
    return durations.copy()[f"{event}:{kind}"].weights


def test_a_duration_that_was_not_seen_is_counted_where_ends_are_expected():
    """Between two looks at 50 and 200 s it counts for most where others ended, and in no bin outside of them."""
    durations = learned(*[100.0] * 300)
    before = durations.copy()["end:MUSIC"]
    durations.took("MUSIC", 200.0, least=50.0)
    added = [now - then for now, then in zip(counts(durations), before.weights, strict=True)]
    assert sum(added) == pytest.approx(before.unit)
    assert sum(added[bin_of(100.0) - 2 : bin_of(100.0) + 3]) > 0.85 * before.unit
    assert [share > 0 for share in added] == [bin_of(50.0) <= index <= bin_of(200.0) for index in range(160)]


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("kind", ["MUSIC", "LYRICS", ""])
def test_what_was_not_seen_is_as_likely_as_it_was_before(kind, event):
    """The first of its kind, from 3 to 300 s, leaves what is expected there as it was; an eighth is for any moment."""
    durations, expected = Durations(), prior_hazard(kind, event)
    durations.took(kind, 300.0, least=3.0, event=event)
    first, last = bin_of(3.0), bin_of(300.0)
    edges = [0.0, *(1.07**index for index in range(last + 1))]
    between = left(expected, edges[first]) - left(expected, edges[last + 1])
    for index in range(first, last + 1):
        share = (left(expected, edges[index]) - left(expected, edges[index + 1])) / between
        share = 7 / 8 * share + 1 / 8 * (edges[index + 1] - edges[index]) / (edges[last + 1] - edges[first])
        assert counts(durations, kind, event)[index] == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("price", [0.3, 1, 3])
def test_a_gateway_that_becomes_faster_is_noticed_by_looks_alone(price):
    """After a hundred songs of 110 s, fifty of 40 s that nobody has timed make looks that cost a third less."""
    songs_before, songs_now = lognormal(110, 0.1), lognormal(40, 0.1)
    costs = []
    for seed in range(8):
        chance, durations = random.Random(seed), Durations()
        for count in range(150):
            ages = [
                0.0,
                *looks(durations.hazard("MUSIC"), price, chance.choice(songs_before if count < 100 else songs_now)),
            ]
            durations.took("MUSIC", ages[-1], least=ages[-2])
        costs.append(cost(durations.hazard("MUSIC"), price, songs_now))
    assert fmean(costs) < 2 / 3 * cost(prior_hazard("MUSIC"), price, songs_now)


@pytest.mark.parametrize(("least", "most"), [(5_000.0, 20_000.0), (700.0, 40_000.0), (0.0, 46_000.0)])
def test_what_nobody_expected_happens_as_well(least, most):
    """Past all that is expected, a duration between two looks may have been at any moment alike."""
    durations = Durations()
    durations.took("MUSIC", most, least=least)
    found, first, last = counts(durations), bin_of(max(least, 5_000.0)), bin_of(most)
    assert sum(found) == pytest.approx(1)
    assert [found[index + 1] / found[index] for index in range(first, last)] == pytest.approx([1.07] * (last - first))


@pytest.mark.parametrize("spread", [0.1, 0.2, 0.35])
def test_what_was_seen_last_counts_most(spread):
    """Two hundred tasks after songs began to take twice as long, the median is known to 10 %."""
    rng, durations = random.Random(7), Durations()
    for median in (100, 200):
        for _ in range(200):
            durations.took("MUSIC", rng.lognormvariate(math.log(median), spread))
        assert quantile(durations.hazard("MUSIC"), 0.5) == pytest.approx(median, rel=0.1)


def test_about_the_last_hundred_count():
    """A hundred tasks later, what was seen before counts for a little more than a third, and never for nothing."""
    durations = learned(*[50.0] * 1000)
    for _ in range(100):
        durations.took("MUSIC", 1000.0)
    histogram = durations.copy()["end:MUSIC"]
    assert sum(histogram.weights[:80]) / sum(histogram.weights) == pytest.approx(0.366, abs=0.001)
    assert histogram.seen == 1100


def test_a_long_life_is_no_trouble():
    """After thousands of durations what one counts for is scaled down, and nothing else is different."""
    rng, late = random.Random(3), Durations()
    took = [rng.uniform(80, 150) for _ in range(6000)]
    for count, seconds in enumerate(took):
        late.took("MUSIC", seconds)
        histogram = late.histograms["end:MUSIC"]
        assert histogram.unit <= 1e9
        assert count < 1000 or sum(histogram.weights) == pytest.approx(99 * histogram.unit, rel=1e-4)
    soon = learned(*took[-2060:])
    assert late.hazard("MUSIC").ages == soon.hazard("MUSIC").ages
    assert late.hazard("MUSIC").expected == pytest.approx(soon.hazard("MUSIC").expected, abs=1e-5)


def test_the_last_that_end_are_waited_for_like_the_others():
    """Where all tasks take as long, well past what was expected, none is left to the rule for the unknown."""
    hazard = learned(*[5000.0] * 100).hazard("MUSIC")
    assert hazard.ages[-1] > 5000 * 1.07**2
    assert left(hazard, 5000 * 1.07**3) < 1e-5
    assert hazard.until(5200.0, 0.8) < 30


@pytest.mark.parametrize(
    ("most", "least"),
    [
        (-1.0, None),
        (-1.0, -2.0),
        (math.nan, None),
        (math.inf, None),
        (math.inf, 5.0),
        (5.0, math.nan),
        (5.0, -0.1),
        (5.0, 6.0),
        (-math.inf, None),
        (1e300, None),
        (48_000.0, None),
        (1.07**159, None),
    ],
)
def test_what_cannot_be_is_not_counted(most, least):
    """No time below zero, without end, longer than half a day or so, or least longer than most is learned."""
    durations = Durations()
    durations.took("MUSIC", most, least=least)
    assert durations.copy() == {}


@pytest.mark.parametrize(
    ("most", "least"),
    [(0.0, None), (0.0, 0.0), (5.0, 5.0), (46_900.0, 0.0), (46_900.0, None), (math.nextafter(1.07**159, 0), None)],
)
def test_what_can_be_is_counted_once(most, least):
    """Anything from no time at all to thirteen hours is one more duration, however wide."""
    durations = Durations()
    durations.took("MUSIC", most, least=least)
    assert sum(durations.copy()["end:MUSIC"].weights) == pytest.approx(1)
    assert durations.copy()["end:MUSIC"].seen == 1


# of which kind


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("", {"end:"}),
        ("/", {"end:"}),
        ("MUSIC", {"end:MUSIC"}),
        ("MUSIC/", {"end:MUSIC"}),
        ("MUSIC/chirp-v4", {"end:MUSIC", "end:MUSIC/chirp-v4"}),
        ("MUSIC/a/b", {"end:MUSIC", "end:MUSIC/a/b"}),
        ("/chirp-v4", {"end:", "end:/chirp-v4"}),
        ("playable:", {"end:playable:"}),
    ],
)
def test_a_model_teaches_its_action_too(kind, names):
    """Each duration counts once for its kind, and once for the action of it."""
    durations = learned(5.0, kind=kind)
    assert {name: histogram.seen for name, histogram in durations.copy().items()} == dict.fromkeys(names, 1)
    assert left(durations.hazard(kind), 20) < left(prior_hazard(kind), 20)


def test_events_are_learned_apart():
    """When songs end says nothing about when they can first be heard, or how often they change."""
    durations = learned(*[5.0] * 100)
    assert tables(durations.hazard("MUSIC", Event.PLAYABLE)) == tables(prior_hazard("MUSIC", Event.PLAYABLE))
    durations.took("MUSIC", 7.0, event=Event.CHANGE)
    assert set(durations.copy()) == {"end:MUSIC", "change:MUSIC"}
    assert durations.hazard("MUSIC", Event.CHANGE) != prior_hazard("MUSIC", Event.CHANGE)


def test_an_action_starts_from_tasks_of_no_kind():
    """Where rows tell no action, what they took is where actions start; lyrics are known to be something else."""
    durations = learned(*[300.0] * 100, kind="")
    assert durations.hazard("MUSIC") is durations.hazard("")
    assert tables(durations.hazard("LYRICS")) == tables(prior_hazard("LYRICS"))
    durations.took("CONCAT", 300.0)
    assert quantile(durations.hazard("CONCAT"), 0.5) == pytest.approx(300, rel=0.05)


def test_models_know_at_once_what_their_action_has_learned():
    """A model that was looked up before its action learned something is not left behind, nor an action by no kind."""
    durations = learned(100.0, kind="MUSIC/a")
    for kind in ("MUSIC/a", "MUSIC"):
        before = durations.hazard("MUSIC/a")
        durations.took({"MUSIC/a": "MUSIC", "MUSIC": ""}[kind], 900.0)
        assert left(durations.hazard("MUSIC/a"), 500) > left(before, 500) + 0.001


def test_tables_are_made_anew_when_they_would_differ():
    """The first 40 durations each make new tables, later each twentieth: tables take 20 times as long as a look."""
    durations, made = Durations(), []
    known = durations.hazard("MUSIC")
    for count in range(1, 121):
        durations.took("MUSIC", 100.0)
        if durations.hazard("MUSIC") is not known:
            made.append(count)
        known = durations.hazard("MUSIC")
    assert made == [*range(1, 41), 60, 80, 100, 120]


# names that others have made up


def test_there_is_room_for_so_many_kinds():
    """Of each event 64 kinds are kept apart; the others are counted as tasks of no kind, and served as such."""
    durations = Durations()
    for event in Event:
        for number in range(200):
            durations.took(f"KIND{number}", 300.0, event=event)
    names = list(durations.copy())
    assert [name for name in names if name.startswith("end:")] == [*(f"end:KIND{n}" for n in range(64)), "end:"]
    assert len(names) == 3 * 65
    assert durations.copy()["end:"].seen == 136
    assert durations.hazard("KIND199") is durations.hazard("KIND64") is durations.hazard("")
    assert quantile(durations.hazard("KIND199"), 0.5) == pytest.approx(300, rel=0.05)
    durations.took("LYRICS", 5.0)
    durations.took("KIND0/model", 5.0)
    durations.took("KIND70/model", 5.0)
    assert durations.copy()["end:LYRICS"].seen == 1
    assert durations.copy()["end:KIND0"].seen == 2
    assert durations.copy()["end:"].seen == 137
    assert len(durations.copy()) == 3 * 65 + 1


def test_a_colon_in_a_name_makes_no_room():
    """A gateway that puts colons into its names has no more room than others."""
    durations = Durations()
    for number in range(100):
        durations.took(f"{number}:x", 5.0)
    assert list(durations.copy()) == [*(f"end:{n}:x" for n in range(64)), "end:"]


def test_a_name_without_end_is_no_name():
    """Names longer than 200 characters, with the event's, are not kept: the action is, or else no kind."""
    durations = learned(5.0, kind="MUSIC/" + "x" * 200)
    durations.took("x" * 1000, 5.0)
    durations.took("y" * 196, 5.0)
    durations.took("z" * 197, 5.0)
    assert set(durations.copy()) == {"end:MUSIC", "end:", "end:" + "y" * 196}


def test_asking_for_any_kind_keeps_nothing():
    """Tables are kept for what was seen only, not for each name that was ever asked for."""
    durations = learned(5.0)
    for number in range(1000):
        durations.hazard(f"KIND{number}/model")
        durations.hazard("MUSIC/" + str(number))
        prior_hazard(f"KIND{number}")
    assert len(durations._hazards) == 2
    assert durations.hazard("KIND5/model") is durations.hazard("")
    assert prior_hazard("KIND5") is prior_hazard("")


# to go on with


@pytest.mark.parametrize("codec", [msgspec.json, msgspec.msgpack])
def test_what_was_learned_can_be_written_down(codec):
    """Another process goes on with the same tables, and with the same in both it learns the same."""
    durations = Durations()
    for seconds in range(80, 120):
        durations.took("MUSIC/chirp-v4", float(seconds))
        durations.took("LYRICS", seconds / 10, least=seconds / 20, event=Event.PLAYABLE)
    other = Durations(codec.decode(codec.encode(durations.copy()), type=dict[str, Histogram]))
    assert other.copy() == durations.copy()
    for each in (durations, other):
        each.took("MUSIC/chirp-v4", 10.0)
    for kind, event in (("MUSIC/chirp-v4", Event.END), ("MUSIC", Event.END), ("LYRICS", Event.PLAYABLE)):
        assert tables(other.hazard(kind, event)) == tables(durations.hazard(kind, event))


def test_two_clients_learn_apart():
    """What one learns changes neither what it was given, nor what it gave away, nor what another was given."""
    given_to_both = learned(*[100.0] * 5).copy()
    one, other = Durations(given_to_both), Durations(given_to_both)
    kept = one.copy()
    for _ in range(2500):
        one.took("MUSIC", 20.0)
    assert given_to_both == other.copy() == kept == learned(*[100.0] * 5).copy()
    assert one.copy()["end:MUSIC"].seen == 2505


def histogram(*, at=100, weight=1.0, **fields):
    weights = [0.0] * 160
    weights[at] = weight
    return Histogram(**{"weights": weights, "unit": 2.0, "seen": 3} | fields)


INSANE = {
    "a weight below zero": histogram(weight=-0.001),
    "a weight that is no number": histogram(weight=math.nan),
    "a weight without end": histogram(weight=math.inf),
    "more than can have come together": histogram(weight=200.1),
    "more than a float can hold": histogram(weights=[1e308] * 160),
    "too few bins": histogram(weights=[0.0] * 159),
    "too many bins": histogram(weights=[0.0] * 161),
    "no bins": histogram(weights=[]),
    "no unit": histogram(unit=0.0),
    "a unit below one": histogram(unit=0.99),
    "a unit that is no number": histogram(unit=math.nan),
    "a unit without end": histogram(unit=math.inf),
    "a unit that would have been scaled": histogram(unit=1.1e9),
    "fewer than none": histogram(seen=-1),
    "more than anybody has seen": histogram(seen=10**15 + 1),
}


@pytest.mark.parametrize("damaged", INSANE.values(), ids=INSANE)
def test_what_cannot_have_been_learned_is_dropped(damaged):
    """Of what was written down, a histogram that no durations can have made is learned anew; the others stay."""
    durations = Durations({"end:MUSIC": damaged, "end:LYRICS": histogram()})
    assert set(durations.copy()) == {"end:LYRICS"}
    assert tables(durations.hazard("MUSIC")) == tables(prior_hazard("MUSIC"))
    durations.took("MUSIC", 100.0)
    assert durations.copy()["end:MUSIC"].seen == 1


@pytest.mark.parametrize(
    "whole",
    [
        histogram(weight=199.9),
        histogram(weight=0.0, seen=0),
        histogram(weight=5e-324, unit=1.0),
        histogram(at=0, unit=1e9),
        histogram(at=159, weight=9.9e10, unit=1e9),
        histogram(seen=10**15),
    ],
)
def test_what_can_have_been_learned_is_gone_on_with(whole):
    """Whatever is in bounds makes tables like any other, and so does one duration more."""
    durations = Durations({"end:MUSIC": whole})
    assert durations.copy() == {"end:MUSIC": whole}
    for seconds in (100.0, 46_000.0):
        hazard = durations.hazard("MUSIC")
        assert increases(hazard.ages)
        assert increases(hazard.expected)
        assert increases(hazard.effort)
        durations.took("MUSIC", seconds)


def test_names_that_nobody_asks_for_are_dropped():
    """What was written down of other events, or of more kinds than there is room for, is not taken up."""
    many = {f"end:KIND{n}": histogram() for n in range(100)}
    durations = Durations({"start:MUSIC": histogram(), "": histogram(), "end": histogram()} | many)
    assert list(durations.copy()) == [f"end:KIND{n}" for n in range(64)]
    for seconds in range(9):
        durations.took("KIND99", float(seconds))
    assert durations.copy()["end:"].seen == 9


@QUICK
@given(st.lists(st.floats(), min_size=158, max_size=162), st.floats(), st.integers(), SECONDS)
def test_nothing_that_is_read_makes_a_hazard_that_is_none(weights, unit, seen, seconds):
    """Of any numbers at all tables come out that increase, also after the next duration."""
    durations = Durations({"end:MUSIC": Histogram(weights, unit, seen), "end:": histogram(weights=weights)})
    durations.took("MUSIC", seconds)
    hazard = durations.hazard("MUSIC")
    assert increases(hazard.expected)
    assert increases(hazard.effort)


# what it is good for


def lognormal(median, spread):
    return [median * math.exp(spread * NormalDist().inv_cdf((index + 0.5) / 400)) for index in range(400)]


def mixed(share, early, ends):
    """That share ends early, the others as they did."""
    few = round(400 * share)
    return sorted(
        [early[index * 400 // few] for index in range(few)]
        + [ends[index * 400 // (400 - few)] for index in range(400 - few)]
    )


AT_ONCE = [3 + 17 * (index + 0.5) / 400 for index in range(400)]
WORLDS = {
    **{f"{median} s, {spread}": lognormal(median, spread) for median in (60, 100, 200) for spread in (0.2, 0.35, 0.6)},
    "a tenth fails": mixed(0.1, AT_ONCE, lognormal(100, 0.35)),
    "three tenths fail": mixed(0.3, AT_ONCE, lognormal(100, 0.35)),
    "a tenth of slow ones fails": mixed(0.1, AT_ONCE, lognormal(200, 0.35)),
    "lyrics": lognormal(12, 0.35),
    "as expected": mixed(0.1, lognormal(10, 0.6), lognormal(110, 0.4)),
}


def cost(hazard, price, ends):
    """What waiting costs on average: the price of each look, and the seconds from each end to the look that sees it."""
    ages = looks(hazard, price, ends[-1])
    seen = [bisect_left(ages, end) for end in ends]
    return fmean(price * (index + 1) + ages[index] - end for index, end in zip(seen, ends, strict=True))


@pytest.mark.parametrize("durations", [30, 60])
@pytest.mark.parametrize("name", WORLDS)
def test_what_is_learned_from_thirty_durations_does_no_harm(name, durations):
    """Looking by 30 durations or more costs at most 5 % more than by none, on average, whatever they are."""
    ends, kind = WORLDS[name], "LYRICS" if name == "lyrics" else "MUSIC"
    hazards = []
    for seed in range(200):
        rng = random.Random(seed)
        hazards.append(learned(*rng.choices(ends, k=durations), kind=kind).hazard(kind))
    for price in (0.3, 1, 3):
        before = cost(prior_hazard(kind), price, ends)
        assert fmean(cost(hazard, price, ends) for hazard in hazards) < 1.05 * before


@pytest.mark.parametrize("name", WORLDS)
def test_what_is_learned_by_looks_alone_does_no_harm(name):
    """Where a gateway writes no times down, 30 ends that were seen by these same looks do no more harm than that."""
    ends, kind = WORLDS[name], "LYRICS" if name == "lyrics" else "MUSIC"
    for price in (0.3, 1, 3):
        costs = []
        for seed in range(40):
            durations = Durations()
            for end in random.Random(seed).choices(ends, k=30):
                ages = [0.0, *looks(durations.hazard(kind), price, end)]
                durations.took(kind, ages[-1], least=ages[-2])
            costs.append(cost(durations.hazard(kind), price, ends))
        assert fmean(costs) < 1.05 * cost(prior_hazard(kind), price, ends)


@pytest.mark.parametrize(("name", "gain"), [("60 s, 0.2", 0.7), ("200 s, 0.2", 0.75), ("100 s, 0.2", 0.85)])
def test_what_is_learned_pays(name, gain):
    """Where songs are not what was expected, 30 durations save 15 to 30 % of what waiting costs."""
    hazard = learned(*WORLDS[name][6::13][:30]).hazard("MUSIC")
    for price in (0.3, 3):
        assert cost(hazard, price, WORLDS[name]) < gain * cost(prior_hazard("MUSIC"), price, WORLDS[name])
