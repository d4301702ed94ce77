"""When to look next."""

import math
import random
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.durations import Durations, prior_hazard
from suno_async.protocol.errors import ConfigurationError
from suno_async.protocol.experience import Experience
from suno_async.protocol.inspection import inspection
from suno_async.protocol.pace import Adaptive, Backoff, Fixed, Scaled, check_pace

QUICK = settings(max_examples=100, deadline=None, derandomize=True)
AGES = st.floats(0, 1e7) | st.sampled_from([0, 0.25, 100, *prior_hazard("").ages[-2:], 1e300])
LOOKS = st.integers(0, 10**9)
CHANCES = st.floats(0, 1)
SHARES = st.floats(1, 1000)
KINDS = st.sampled_from(["", "MUSIC", "LYRICS", "CONCAT"])
PRICES = st.floats(0.001, 1000)
LEARNED = st.lists(st.floats(0.5, 5000), max_size=30)
PACES = [
    Fixed(5),
    Backoff(),
    Backoff(first=0.5, factor=1, jitter=0),
    Adaptive(),
    Adaptive(price=3, floor=2, ceiling=20),
]
PACES += [Scaled(Adaptive(), 10), Scaled(Backoff(), 0.1), Scaled(Fixed(2), 1e6)]


def hazard_of(took):
    """What is known after these durations."""
    durations = Durations()
    for seconds in took:
        durations.took("MUSIC", seconds)
    return durations.hazard("MUSIC")


@pytest.mark.parametrize("pace", PACES, ids=repr)
@QUICK
@given(AGES, LOOKS, CHANCES, SHARES, KINDS)
def test_every_delay_is_finite_and_above_the_floor(pace, age, looks, chance, share, kind):
    """No age, count, chance or share makes a pace ask for a look at once, never, or sooner than its floor."""
    delay = pace.after(age, looks, chance, share, kind)
    assert math.isfinite(delay)
    assert 0 < pace.floor <= delay


def test_fixed_is_fixed():
    """Fixed looks every so many seconds, from parts of one to a day; riders may come at half of that."""
    assert [Fixed(every).after(50, 3, 0.3, 1) for every in (0.001, 86_400)] == [0.001, 86_400]
    assert {Fixed(5).after(age, looks, 0.3, 1) for age in (0, 50, 5000) for looks in (0, 9)} == {5}
    assert Fixed(5).floor == 2.5


def test_backoff_grows_to_its_ceiling():
    """Without jitter each delay is the factor times the last one, up to the ceiling."""
    pace = Backoff(first=1, factor=2, ceiling=30, jitter=0)
    assert [pace.after(0, looks, 0.7, 1) for looks in range(7)] == [
        1,
        2,
        4,
        8,
        16,
        pytest.approx(30),
        pytest.approx(30),
    ]
    assert pace.after(0, 10**9, 0.7, 1) == pytest.approx(30)
    assert Backoff(first=0.5, factor=2, ceiling=30, jitter=0).after(0, 10**9, 0.7, 1) == pytest.approx(30)


@pytest.mark.parametrize(("first", "ceiling"), [(0.25, 0.5), (5, 5), (86_400, 86_400), (0.001, 0.001)])
def test_the_ceiling_of_backoff_may_be_anything_from_its_first_delay_on(first, ceiling):
    """Below a second, no higher than the first delay, or a day: no delay is longer than that."""
    pace = Backoff(first=first, factor=2, ceiling=ceiling, jitter=0)
    assert [pace.after(0, looks, 0, 1) for looks in (0, 10**6)] == [first, pytest.approx(ceiling)]


def test_backoff_with_a_factor_of_one_is_fixed():
    """A factor of one never grows."""
    pace = Backoff(first=3, factor=1, jitter=0)
    assert {pace.after(0, looks, 0, 1) for looks in (0, 1, 10**6)} == {3}


def test_the_jitter_of_backoff_is_its_random_part():
    """Full jitter goes from the whole delay down to the floor, half jitter to half of the delay."""
    assert [Backoff(first=8, factor=1).after(0, 0, chance, 1) for chance in (0, 0.25, 0.5, 1)] == [8, 6, 4, 4]
    assert Backoff(first=8, factor=1).floor == 4
    assert [Backoff(first=1, factor=2, jitter=0.5).after(0, 3, chance, 1) for chance in (0, 1)] == [8, 4]


def done_by(age, kind):
    """The part of the tasks that are done at an age: a tenth fail early, the others take as long as such tasks do."""
    median, spread = (12.0, 0.5) if kind == "LYRICS" else (110.0, 0.4)
    early, late = NormalDist(math.log(10), 0.6), NormalDist(math.log(median), spread)
    return 0.1 * early.cdf(math.log(age)) + 0.9 * late.cdf(math.log(age))


def effort(begin, end, kind):
    """The integral of the square root of the hazard rate between two ages, in small steps."""
    steps = max(2, math.ceil((end - begin) * 50))
    alive = [1 - done_by(begin + (end - begin) * step / steps, kind) for step in range(steps + 1)]
    return sum(math.sqrt(math.log(one / other) * (end - begin) / steps) for one, other in pairwise(alive))


@pytest.mark.parametrize("share", [1, 4])
@pytest.mark.parametrize("price", [0.003, 0.05])
@pytest.mark.parametrize(("kind", "ages"), [("MUSIC", [2, 6, 13, 27, 50, 77, 110, 160]), ("LYRICS", [1, 3, 8, 12, 20])])
def test_adaptive_spends_the_same_effort_between_looks(kind, ages, price, share):
    """Between two cheap looks the integral of sqrt(h) is sqrt(2 x price / share), h being the hazard of their end."""
    pace = Adaptive(price=price, floor=1e-6, ceiling=86_400)
    for age in ages:
        spent = effort(age, age + pace.after(age, 0, 0, share, kind), kind)
        # the hazard is known in steps of 7 %
        assert spent == pytest.approx(math.sqrt(2 * price / share), rel=0.05)


@QUICK
@given(st.floats(0, 500), st.floats(0.01, 0.15), st.floats(0.01, 0.15), KINDS)
def test_two_short_steps_lead_where_a_long_one_does(age, one, other, kind):
    """The effort of two cheap looks in a row adds up: from any age, both together end where one of their sum does."""

    def after(start, spent):
        return start + Adaptive(price=spent**2 / 2, floor=1e-9, ceiling=80_000).after(start, 0, 0, 1, kind)

    far = after(age, one + other)
    if far - age < 80_000:
        assert after(after(age, one), other) == pytest.approx(far, abs=1e-3)


@pytest.mark.parametrize("kind", ["MUSIC", "LYRICS"])
def test_the_known_tail_is_used_to_its_end(kind):
    """Up to the last age that is known delays follow the hazard, and from there on they go by the age alone."""
    pace, end = Adaptive(price=1e-9, floor=1e-9), prior_hazard(kind).ages[-1]
    assert 1 - done_by(end, kind) == pytest.approx(1e-6, rel=0.7)
    for share in (1, 4):
        assert pace.after(end * 0.99, 0, 0, share, kind) < 0.5 * pace.after(end, 0, 0, share, kind)
        assert pace.after(end, 0, 0, share, kind) == pytest.approx(math.sqrt(2e-9 / share * end), rel=1e-3)


@pytest.mark.parametrize("price", [0.3, 3])
def test_past_the_known_tail_looks_get_rarer_up_to_the_ceiling(price):
    """A task older than any that was seen to end is looked at every sqrt(2 x price x age) seconds and a little more."""
    pace = Adaptive(price=price)
    delays = [pace.delay(hazard_of([90] * 30), age, 1) for age in (800, 1600, 3200, 1e6)]
    for age, delay in zip((800, 1600, 3200), delays, strict=False):
        assert delay == pytest.approx(min(120, math.sqrt(2 * price * age) + price / 2))
    assert sorted(delays) == delays
    assert delays[-1] == pace.ceiling == 120


@pytest.mark.parametrize("price", [0.01, 0.3, 3, 100])
@pytest.mark.parametrize("kind", ["MUSIC", "LYRICS"])
def test_no_delay_jumps_at_the_end_of_the_known_tail(kind, price):
    """A task that is a hair older than any that was seen to end is looked at as soon as one that is a hair younger."""
    end, pace = prior_hazard(kind).ages[-1], Adaptive(price=price, floor=1e-9, ceiling=80_000)
    before, after = (pace.after(age, 0, 0, 1, kind) for age in (end - 1e-5, end + 1e-5))
    assert before == pytest.approx(after, rel=1e-3)


def test_the_gap_after_the_early_failures_is_not_entered_blindly():
    """Where a tenth fail by 20 s and the next end comes a minute later, the last early look is just after the 20 s."""
    took = [3 + index % 17 if index % 10 == 0 else 95 + index % 13 for index in range(200)]
    pace, hazard, looks = Adaptive(price=1.0), hazard_of(took), [0.0]
    while looks[-1] < 60:
        looks.append(looks[-1] + pace.delay(hazard, looks[-1], 1))
    assert [look for look in looks if 18 <= look <= 25]
    assert not [look for look in looks if 30 < look < 60]


@pytest.mark.parametrize("price", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("took", [[], [90] * 30])
def test_a_dear_look_is_made_when_the_exact_solution_has_it(took, price):
    """From 0.2 s on the price decides alone, up to the end of what is known; no look is made just before that end."""
    hazard, pace = hazard_of(took), Adaptive(price=price, floor=1e-9, ceiling=80_000)
    end, exact = hazard.ages[-1], inspection(hazard, price)
    for age in range(int(end)):
        best, delay = exact.after(age), pace.delay(hazard, age, 1)
        assert delay == best or (age + best == pytest.approx(end) and age + delay > end - 1e-6)


@pytest.mark.parametrize("share", [1.0, 1.49, 1.51, 5.0, 100.0])
def test_no_delay_jumps_between_dear_looks_and_cheap_ones(share):
    """From the exact solution to the rule there is no step down: a share a little larger never looks later."""
    pace = Adaptive()
    for took in ([], [90] * 30, [5] * 20 + [100] * 200):
        hazard = hazard_of(took)
        for age in range(0, 900, 7):
            assert pace.delay(hazard, age, share) >= pace.delay(hazard, age, share * 1.01) - 1e-9


@QUICK
@given(PRICES, PRICES, AGES, SHARES, KINDS)
def test_a_higher_price_never_looks_sooner(one, other, age, share, kind):
    """The more a request costs, the longer the time to the next look."""
    cheap, dear = sorted((one, other))
    assert (
        Adaptive(price=cheap).after(age, 0, 0, share, kind) <= Adaptive(price=dear).after(age, 0, 0, share, kind) + 1e-9
    )


@QUICK
@given(LEARNED, st.lists(st.floats(0.001, 1e9), min_size=2, max_size=6), AGES, SHARES)
def test_whatever_was_learned_a_higher_price_never_looks_sooner(took, prices, age, share):
    """The same with any hazard, up to prices at which no look at all is worth it."""
    hazard = hazard_of(took)
    delays = [Adaptive(price=price).delay(hazard, age, share) for price in sorted(prices)]
    assert all(cheap <= dear + 1e-9 for cheap, dear in pairwise(delays))


@QUICK
@given(LEARNED, PRICES, st.floats(0.01, 10), st.floats(1, 50), st.floats(-100, 1e7), SHARES)
def test_whatever_was_learned_the_bounds_are_kept(took, price, floor, more, age, share):
    """The same with any hazard: no look sooner than the floor, none later than the ceiling."""
    pace = Adaptive(price=price, floor=floor, ceiling=floor * more)
    assert floor <= pace.delay(hazard_of(took), age, share) <= floor * more


def test_nothing_learned_is_what_a_pace_by_itself_goes_by():
    """Without a schedule that learns, a pace answers by what is known of the action, whatever the model."""
    for kind in ("MUSIC", "LYRICS"):
        for age in (0, 10, 100, 1000):
            delay = Adaptive().delay(prior_hazard(kind), age, 3)
            assert delay == Adaptive().after(age, 0, 0, 3, kind) == Adaptive().after(age, 0, 0, 3, kind + "/v4")


@pytest.mark.parametrize("beat", [None, 1, 15.0, 3600])
def test_a_beat_is_a_number_of_seconds_or_none(beat):
    """From a second to an hour; None takes no notice of rounds; stock gateways sleep 15 s."""
    assert Adaptive(beat=beat).beat == beat
    assert Adaptive() == Adaptive(price=0.3, floor=0.5, ceiling=120, beat=15)


@QUICK
@given(SHARES, SHARES, AGES, KINDS)
def test_a_shared_price_never_looks_later(one, other, age, kind):
    """The more ids share a request, the sooner each of them is looked at."""
    few, many = sorted((one, other))
    assert Adaptive().after(age, 0, 0, many, kind) <= Adaptive().after(age, 0, 0, few, kind) + 1e-9


@QUICK
@given(PRICES, st.floats(0.01, 10), st.floats(1, 50), AGES, SHARES, KINDS)
def test_adaptive_keeps_its_bounds(price, floor, more, age, share, kind):
    """No look comes sooner than the floor or later than the ceiling."""
    pace = Adaptive(price=price, floor=floor, ceiling=floor * more)
    assert floor <= pace.after(age, 0, 0, share, kind) <= floor * more


def test_adaptive_looks_when_the_answer_is_likely():
    """Looks are rare at the start, close together when most songs end, and rare in the tail."""
    pace = Adaptive()
    start, likely, tail = (pace.after(age, 0, 0, 1) for age in (30, 120, 2000))
    assert start > 2 * likely
    assert tail > 5 * likely
    assert pace.after(5, 0, 0, 1, "LYRICS") < pace.after(5, 0, 0, 1, "MUSIC")
    assert pace.after(300, 0, 0, 1, "LYRICS") > 2 * pace.after(300, 0, 0, 1, "MUSIC")


@pytest.mark.parametrize("pace", [5, "fast", None, Scaled(Fixed(5), 2)], ids=repr)
def test_only_a_pace_can_be_scaled(pace):
    """What is no pace, or is scaled already, is refused before anything is opened with it."""
    with pytest.raises(ConfigurationError, match=r"Scaled\.pace"):
        Scaled(pace, 2)


def test_what_is_no_experience_is_refused():
    """Only what a client has learned can be gone on from, and whoever has it as JSON is told how to read that."""
    with pytest.raises(ConfigurationError) as caught:
        Adaptive(experience={"end:MUSIC": 3})
    assert str(caught.value) == (
        "Adaptive.experience must be what Suno.experience() gave, or None;"
        " from JSON: msgspec.json.decode(data, type=Experience)"
    )
    assert Adaptive(experience=Experience()).experience == Experience()


def test_a_price_beyond_reason_waits_for_the_ceiling():
    """Where no look is worth its price, the ceiling decides, also for a task of no age."""
    assert Adaptive(price=1e6).after(100, 0, 0, 1) == 120
    assert Adaptive(price=1e6, ceiling=60).after(0, 0, 0, 1) == 60
    assert Adaptive(price=1e308).after(0, 0, 0, 1) == 120


def test_a_task_that_seems_unborn_is_looked_at_like_a_new_one():
    """An age below zero is none."""
    assert Adaptive().after(-5, 0, 0, 1) == Adaptive().after(0, 0, 0, 1)


def simulated(pace, median, spread, kind, tasks=400):
    """Looks and seconds of lateness for each of many lone tasks, one after another."""
    rng = random.Random(20261121)
    looks = late = 0
    for _ in range(tasks):
        takes, now, mine = rng.lognormvariate(math.log(median), spread), 0.0, 0
        while now < takes:
            now += pace.after(now, mine, rng.random(), 1.0, kind)
            mine += 1
        looks += mine
        late += now - takes
    return looks / tasks, late / tasks


def test_a_lone_song_costs_about_ten_looks_and_three_seconds():
    """Songs of about 100 s cost about 10 looks and 3 s of lateness at the default price, half of what backoff costs."""
    looks, late = simulated(Adaptive(price=0.3), 100, 0.35, "MUSIC")
    assert 7 <= looks <= 13
    assert 1.5 <= late <= 4.5
    often, slow = simulated(Backoff(), 100, 0.35, "MUSIC")
    assert 0.3 * looks + late < 0.6 * (0.3 * often + slow)


def test_a_higher_price_buys_fewer_looks():
    """A price of 3 s for a request means fewer looks and more lateness than one of 0.3 s."""
    looks, late = simulated(Adaptive(price=3), 100, 0.35, "MUSIC")
    assert looks < 6
    assert 5 < late < 15


def test_lone_lyrics_are_looked_at_soon():
    """Lyrics of about 12 s take a few looks and a second or two."""
    looks, late = simulated(Adaptive(), 12, 0.35, "LYRICS")
    assert looks < 8
    assert late < 2.5


@QUICK
@given(st.sampled_from(PACES[:5]), st.floats(0.001, 1e6), st.floats(0, 1e4), LOOKS, CHANCES, SHARES, KINDS)
def test_a_scaled_pace_is_the_same_in_a_faster_world(pace, speed, age, looks, chance, share, kind):
    """A world that runs so many times as fast sees the same looks so many times as often."""
    scaled = Scaled(pace, speed)
    assert scaled.floor == pace.floor / speed
    assert scaled.after(age, looks, chance, share, kind) == pace.after(age * speed, looks, chance, share, kind) / speed


def test_lyrics_are_lyrics_in_a_faster_world_too():
    """A scaled pace is told the kind: ten times as fast, lyrics are looked at ten times as often as lyrics are."""
    delays = [Scaled(Adaptive(), 10).after(0.5, 0, 0, 1, kind) for kind in ("LYRICS", "MUSIC")]
    assert delays == [Adaptive().after(5, 0, 0, 1, kind) / 10 for kind in ("LYRICS", "MUSIC")]
    assert delays[0] < delays[1]


WRONG = [
    (lambda: Fixed(0), "Fixed.every"),
    (lambda: Fixed(-1), "Fixed.every"),
    (lambda: Fixed(math.nan), "Fixed.every"),
    (lambda: Fixed("5"), "Fixed.every"),
    (lambda: Fixed(86_400.5), "Fixed.every must be a number from 0 to 86400,"),
    (lambda: Backoff(first=0), "Backoff.first"),
    (lambda: Backoff(first=5e-324), "Backoff.first"),
    (lambda: Backoff(first=86_400.5, ceiling=86_400.5), "Backoff.first must be a number from 0.001 to 86400,"),
    (lambda: Backoff(factor=0.5), "Backoff.factor"),
    (lambda: Backoff(factor=100.5), "Backoff.factor must be a number from 1 to 100,"),
    (lambda: Backoff(factor=math.inf), "Backoff.factor"),
    (lambda: Backoff(first=0.5, ceiling=-1), "Backoff.ceiling must be a number from 0 to 86400, not -1"),
    (lambda: Backoff(ceiling=86_400.5), "Backoff.ceiling must be a number from 0 to 86400, not 86400.5"),
    (lambda: Backoff(ceiling=math.inf), "Backoff.ceiling must be a number from 0 to 86400, not inf"),
    (lambda: Backoff(first=5, ceiling=4), "Backoff.ceiling (4) must not be below its first (5)"),
    (lambda: Backoff(jitter=1.1), "Backoff.jitter"),
    (lambda: Adaptive(price=0), "Adaptive.price"),
    (lambda: Adaptive(floor=0), "Adaptive.floor"),
    (lambda: Adaptive(floor=5, ceiling=4), "Adaptive.ceiling (4) must not be below its floor (5)"),
    (lambda: Adaptive(ceiling=math.inf), "Adaptive.ceiling"),
    (lambda: Adaptive(ceiling=86_400.5), "Adaptive.ceiling must be a number from 0 to 86400"),
    (lambda: Adaptive(beat=0.99), "Adaptive.beat must be a number from 1 to 3600"),
    (lambda: Adaptive(beat=3600.5), "Adaptive.beat must be a number from 1 to 3600"),
    (lambda: Adaptive(beat=math.nan), "Adaptive.beat"),
    (lambda: Adaptive(beat="15"), "Adaptive.beat"),
    (lambda: Scaled(Fixed(1), 0), "Scaled.speed"),
    (lambda: Scaled(Fixed(1), math.nan), "Scaled.speed"),
    (lambda: Scaled(Fixed(1), 1_000_000.5), "Scaled.speed"),
]


@pytest.mark.parametrize(("make", "name"), WRONG, ids=[f"{i}-{row[1][:16]}" for i, row in enumerate(WRONG)])
def test_a_pace_that_cannot_be_is_refused(make, name):
    """A wrong number is refused when the pace is made, by the name of its field."""
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert str(caught.value).startswith(name)


class Own:
    """A pace of a user's own."""

    floor = 0.5

    def __init__(self, answer):
        self.answer = answer

    def after(self, age, looks, chance, share, kind=""):
        return self.answer if self.answer != "age" else age + looks


@pytest.mark.parametrize(
    ("answer", "delay"),
    [(5, 5.0), (0.2, 0.2), (0, 0.01), (-3, 0.01), (math.inf, 86400), (math.nan, 86400), (1e18, 86400), ("age", 7.0)]
    + [(answer, 86400) for answer in (None, "soon", [5], 5j, 10**400, Decimal("NaN"), Decimal("inf"))]
    + [(Decimal("2.5"), 2.5), (Fraction(1, 3), 1 / 3), (True, 1.0)],
)
def test_a_pace_of_ones_own_is_kept_within_sense(answer, delay):
    """Delays of a user's own pace are at least 10 ms and at most a day, also where they are no numbers at all."""
    pace = check_pace(Own(answer))
    assert pace.floor == 0.5
    assert pace.after(5.0, 2, 0.5, 1.0) == delay


def test_a_pace_of_ones_own_is_told_everything():
    """A user's own pace gets age, looks, chance, share and kind, and no kind where none is known."""
    told = []

    class Curious:
        floor = 1.0

        def after(self, *facts):
            told.append(facts)
            return 3.0

    pace = check_pace(Curious())
    assert pace.after(5.0, 2, 0.5, 7.0, "MUSIC") == 3.0
    assert pace.after(6.0, 3, 0.25, 1.0) == 3.0
    assert told == [(5.0, 2, 0.5, 7.0, "MUSIC"), (6.0, 3, 0.25, 1.0, "")]


@pytest.mark.parametrize("pace", [Fixed(2), Backoff(), Adaptive(), Scaled(Fixed(2), 3)])
def test_our_own_paces_are_used_as_they_are(pace):
    """What this library makes needs no check; no pace at all is Adaptive()."""
    assert check_pace(pace) is pace
    assert check_pace(None) == Adaptive()


class Floorless:
    """A pace that has forgotten its floor."""

    def after(self, age, looks, chance, share, kind=""):
        return 1.0


class Wordless:
    """A pace that says nothing."""

    floor = 1.0
    after = 5.0


@pytest.mark.parametrize("pace", [5, "fast", Fixed, object(), Own, Floorless(), Wordless()])
def test_what_is_no_pace_is_refused(pace):
    """A number, a class or anything else without floor and after is no pace."""
    with pytest.raises(
        ConfigurationError, match=r"^pace must be a pace such as Adaptive\(\), Backoff\(\) or Fixed\(5\)$"
    ):
        check_pace(pace)
