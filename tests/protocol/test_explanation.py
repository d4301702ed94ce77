"""Why a client looks when it looks, as figures and as a text."""

import math
import re
from bisect import bisect_left
from itertools import accumulate, islice
from random import Random
from statistics import NormalDist, mean

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.beat import WIDTHS, Beat
from suno_async.protocol.durations import Durations, Event, prior_hazard
from suno_async.protocol.errors import ConfigurationError
from suno_async.protocol.experience import Experience
from suno_async.protocol.explanation import Rounds, explain, figures
from suno_async.protocol.pace import Adaptive, Fixed, Scaled

QUICK = settings(max_examples=60, deadline=None, derandomize=True)
STEP = 0.05
START = Beat(0.0)
EVEN = START.widths()
SHARES = [0.2, 0.75, 0.05, *[0.0] * (len(WIDTHS) - 3)]
EVIL = "\x1b[2Jevil\r\n\u202etitle\u2066 \x9b歌" + "x" * 300


def experience(*, count=80, **more):
    """Songs took from 80 to 160 s, lyrics from 5 to 9 s."""
    rng, durations = Random(0), Durations()
    for _ in range(count):
        durations.took("MUSIC/chirp-v4", rng.uniform(80, 160))
    for _ in range(count // 4):
        durations.took("LYRICS", rng.uniform(5, 9))
        durations.took("MUSIC", rng.uniform(30, 50), event=Event.PLAYABLE)
    return Experience(durations.copy(), **more)


def left(hazard, upto):
    """The share that has not ended, every so many hundredths of a second: out of the hazard itself."""
    rates = (hazard.rate((index + 0.5) * STEP) * STEP for index in range(math.ceil(upto / STEP)))
    return [math.exp(-total) for total in accumulate(rates, initial=0.0)]


def ends(hazard, count=4000):
    """So many tasks that are as long as the hazard says, evenly from the shortest to the longest."""
    gone = [1 - share for share in left(hazard, hazard.ages[-1])]
    return [bisect_left(gone, (index + 0.5) / count) * STEP for index in range(count)]


def looked(pace, hazard):
    """The ages at which a task is looked at."""
    age = 0.0
    while True:
        age += pace.delay(hazard, age, 1)
        yield age


def plot(text):
    """The plot as it can be read: the seconds of a column, the height of each, its looks, and the label on top."""
    lines = text.split("\n\n")[-1].splitlines()
    step = float(re.search(r"(\S+) s a column:$", lines[0])[1])
    bars = [line.partition("|")[2].ljust(70) for line in lines[1:-2]]
    heights = [
        sum({"#": 1, ":": 0.75, ".": 0.3, " ": 0}[sign] for sign in column) for column in zip(*bars, strict=True)
    ]
    marks = lines[-2].removeprefix("  looks|")
    counts = [1 if sign == "^" else 10 if sign == "+" else int(sign) if sign != " " else 0 for sign in marks]
    ages = [float(word) for word in lines[-1].removeprefix("    age").split()]
    return step, heights, counts, float(lines[1].partition("%")[0]) / 100, ages


# figures


@pytest.mark.parametrize("kind", ["MUSIC", "LYRICS"])
def test_what_is_known_before_is_told(kind):
    """With nothing seen the quantiles are those of how long such tasks take, a tenth of them failing early."""
    (row,) = figures(Experience(), kind=kind).durations
    assert (row.kind, row.event, row.seen, row.learned) == (kind, Event.END, 0, row.known_before)
    median, spread = (12.0, 0.5) if kind == "LYRICS" else (110.0, 0.4)
    early, late = NormalDist(math.log(10), 0.6), NormalDist(math.log(median), spread)
    for share, age in zip((0.1, 0.5, 0.9, 0.99), msgspec.structs.astuple(row.learned), strict=True):
        done = 0.1 * early.cdf(math.log(age)) + 0.9 * late.cdf(math.log(age))
        assert done == pytest.approx(share, abs=0.01)


def test_the_quantiles_are_those_of_the_hazard():
    """By each of them so much has happened as its name says, of every kind and event that was seen."""
    known = experience()
    durations = Durations(known.durations)
    for row in figures(known).durations:
        for told, hazard in (
            (row.learned, durations.hazard(row.kind, row.event)),
            (row.known_before, prior_hazard(row.kind, row.event)),
        ):
            shares = left(hazard, hazard.ages[-1])
            done = [1 - shares[round(age / STEP)] for age in msgspec.structs.astuple(told)]
            assert done == pytest.approx([0.1, 0.5, 0.9, 0.99], abs=0.01)


def test_what_was_seen_most_comes_first():
    """The kind in question leads; the others follow by how often they were seen, each event on its own."""
    rows = [(row.kind, row.event, row.seen) for row in figures(experience(), kind="LYRICS").durations]
    assert rows == [
        ("LYRICS", "end", 20),
        ("MUSIC", "end", 80),
        ("MUSIC/chirp-v4", "end", 80),
        ("MUSIC", "playable", 20),
    ]


def test_a_kind_that_was_never_seen():
    """It is reckoned with as the client does: a model as its action."""
    first, second, *_ = figures(experience(), kind="MUSIC/chirp-v5").durations
    assert (first.kind, first.seen, first.learned) == ("MUSIC/chirp-v5", 0, second.learned)
    assert second.kind == "MUSIC"
    assert figures(experience(), kind="MUSIC/chirp-v5").looks == figures(experience(), kind="MUSIC").looks


def test_the_rounds():
    """What was learned of them is told as it was learned: how likely, how far apart, and within which bounds."""
    told = figures(experience(no_beat=0.03, widths=SHARES)).beat
    shortest, middle, longest = (15 + width.seconds for width in WIDTHS[:3])
    period = 0.2 * shortest + 0.75 * middle + 0.05 * longest
    assert told == Rounds(True, 0.97, 15.0, pytest.approx(period), pytest.approx(shortest), pytest.approx(longest))
    slower = figures(experience(no_beat=0.03, widths=SHARES), Adaptive(beat=30)).beat
    assert slower == Rounds(True, 0.97, 30.0, *(pytest.approx(2 * seconds) for seconds in (period, shortest, longest)))


@pytest.mark.parametrize(
    ("no_beat", "shares", "is_learned"),
    [
        (START.no_beat, EVEN, False),
        (0.31, EVEN, False),
        (0.5, EVEN, False),
        (0.25, [EVEN[0] + 0.05, *EVEN[1:-1], EVEN[-1] - 0.05], False),
        (0.14, EVEN, False),
        (0.1, EVEN, True),
        (0.8, EVEN, True),
        (0.0, EVEN, True),
        (1.0, EVEN, True),
        (0.25, [EVEN[0] + EVEN[-1] - 0.04, *EVEN[1:-1], 0.04], True),
        (0.25, [EVEN[0] + EVEN[-1] - 0.05, *EVEN[1:-1], 0.05], False),
    ],
)
def test_what_was_assumed_is_not_learned(no_beat, shares, is_learned):
    """Learned is what has changed the odds threefold, or ruled out a width: not what is assumed, or came of waiting."""
    known = experience(no_beat=no_beat, widths=shares)
    assert figures(known).beat.learned is is_learned
    assert ("Rounds: not known yet" in explain(known)) is not is_learned


def test_time_alone_teaches_nothing():
    """A client that saw nothing new for hours has not learned of the rounds, however its doubt has grown."""
    beat = Beat(0.0)
    for now in range(0, 36_000, 60):
        beat.looked(now - 60, now, 0.0)
        beat.take_in(now)
        assert not figures(Experience(no_beat=beat.no_beat, widths=beat.widths())).beat.learned
    assert beat.no_beat > 0.49


def test_no_rounds_are_known_yet():
    """Before anything was seen it is told what a client begins with; a pace without a beat has none."""
    told = figures(Experience()).beat
    assert (told.learned, told.probability) == (False, 1 - Beat(0.0).no_beat)
    assert (told.shortest, told.longest) == (15 + WIDTHS[0].seconds, 15 + WIDTHS[-1].seconds)
    assert figures(Experience(), Adaptive(beat=None)).beat is None


@pytest.mark.parametrize("kind", ["MUSIC", "LYRICS"])
@pytest.mark.parametrize("pace", [Adaptive(), Adaptive(price=3), Adaptive(price=0.01, floor=4), Adaptive(ceiling=6)])
@pytest.mark.parametrize("known", [Experience(), experience()], ids=["nothing", "something"])
def test_the_looks_are_those_of_the_pace(known, pace, kind):
    """They follow one another as the pace has it, up to the first one at which 99 % of all tasks are done."""
    looks, hazard = figures(known, pace, kind=kind).looks, Durations(known.durations).hazard(kind)
    assert (looks.price, looks.floor, looks.ceiling) == (pace.price, pace.floor, pace.ceiling)
    assert looks.ages == pytest.approx(list(islice(looked(pace, hazard), len(looks.ages))))
    shares = left(hazard, looks.ages[-1] + 1)
    before, last = (shares[round(age / STEP)] for age in looks.ages[-2:])
    assert last <= 0.0101
    assert before >= 0.0099


@pytest.mark.parametrize("kind", ["MUSIC", "LYRICS"])
@pytest.mark.parametrize(
    "pace", [Adaptive(), Adaptive(price=3), Adaptive(price=1000), Adaptive(price=0.01, floor=4), Adaptive(ceiling=6)]
)
@pytest.mark.parametrize("known", [Experience(), experience()], ids=["nothing", "something"])
def test_what_the_looks_cost(known, pace, kind):
    """Tasks that are followed one by one take so many looks, and are seen so late, on average."""
    looks, hazard = figures(known, pace, kind=kind).looks, Durations(known.durations).hazard(kind)
    ages = list(islice(looked(pace, hazard), 1000))
    seen = [(bisect_left(ages, end), end) for end in ends(hazard)]
    assert looks.expected == pytest.approx(mean(index + 1 for index, _ in seen), rel=0.01)
    assert looks.lateness == pytest.approx(mean(ages[index] - end for index, end in seen), rel=0.03)


def test_more_looks_than_can_be_counted():
    """A pace that hardly waits is followed for ten thousand looks, and nothing is said of what they come to."""
    looks = figures(Experience(), Adaptive(price=1e-9, floor=1e-3)).looks
    assert (len(looks.ages), looks.expected, looks.lateness) == (10_000, None, None)
    assert looks.ages[-1] < 100


def test_the_looks_can_just_be_counted():
    """Whoever needs ten thousand looks for all that is known has what they come to; with a few more nothing is said."""
    ages = prior_hazard("MUSIC").ages
    floor = ages[-1] / 9_999.5
    looks = figures(Experience(), Adaptive(price=1e-9, floor=floor, ceiling=floor)).looks
    assert looks.lateness == pytest.approx(floor / 2, rel=0.01)
    floor = mean(ages[-2:]) / 10_000
    looks = figures(Experience(), Adaptive(price=1e-9, floor=floor, ceiling=floor)).looks
    assert (looks.expected, looks.lateness) == (None, None)


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"pace": Fixed(5)}, "pace must be of the type Adaptive, not Fixed"),
        ({"pace": Scaled(Adaptive(), 2)}, "pace must be of the type Adaptive, not Scaled: pass the pace that is in it"),
        ({"kind": None}, "kind must be of the type str, not NoneType"),
        ({"experience": b"packed"}, "experience must be of the type Experience, not bytes"),
    ],
)
def test_what_cannot_be_explained(given_, said):
    """Whatever is not what an adaptive pace has learned is refused, by the name of the argument."""
    for asked in (figures, explain):
        with pytest.raises(ConfigurationError) as caught:
            asked(**{"experience": Experience(), **given_})
        assert str(caught.value) == said


# the text


def test_the_table_has_the_figures():
    """Each row is a kind: how often it was seen, what was learned, and what was known before."""
    told = figures(experience()).durations
    head, names, *rows = explain(experience()).partition("\n\n")[0].splitlines()
    assert head.split() == [
        "So",
        "many",
        "have",
        "ended",
        "by",
        "this",
        "age",
        "(s):",
        "learned",
        "assumed",
        "at",
        "first",
    ]
    assert names.split() == ["kind", "until", "seen", *["10%", "50%", "90%", "99%"] * 2]
    for row, line in zip(told, rows, strict=True):
        kind, event, seen, *ages = line.split()
        assert (kind, event, int(seen)) == (row.kind, row.event, row.seen)
        expected = [*msgspec.structs.astuple(row.learned), *msgspec.structs.astuple(row.known_before)]
        assert [float(age) for age in ages] == pytest.approx(expected, abs=0.5)


def test_ages_are_short():
    """Seconds have a digit behind the point while that says something; from 10,000 on there are hours."""
    durations = Durations()
    for _ in range(500):
        durations.took("SLOW", 30_000.0)
        durations.took("QUICK", 3.0)
    rows = {line.split()[0]: line.split()[4] for line in explain(Experience(durations.copy())).splitlines()[2:5]}
    assert rows["SLOW"] == "8h"
    assert re.fullmatch(r"3\.\d|2\.9", rows["QUICK"])
    assert re.fullmatch(r"\d{3}", rows["MUSIC"])


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (2.54, "2.5"),
        (9.94, "9.9"),
        (9.95, "10"),
        (9.96, "10"),
        (9999.4, "9999"),
        (9999.5, "3h"),
        (10_000.4, "3h"),
        (45_001, "13h"),
        (86_400, "24h"),
    ],
)
def test_an_age_takes_four_characters_at_most(seconds, told):
    """Whatever the age of a look: a digit behind the point below ten, whole seconds, then whole hours."""
    text = explain(Experience(), Adaptive(floor=seconds, ceiling=seconds))
    assert re.search(r"^  at (\S+)", text, re.MULTILINE)[1] == told


def test_what_is_not_told():
    """Of many kinds those are told that were seen most, and how many others there are."""
    durations = Durations()
    for count in range(1, 25):
        for _ in range(count):
            durations.took(f"KIND{count}", 60.0)
    _, _, *rows, rest = explain(Experience(durations.copy())).partition("\n\n")[0].splitlines()
    assert [row.split()[0] for row in rows] == ["MUSIC", *(f"KIND{count}" for count in range(24, 15, -1))]
    assert rest == "and 15 more, of which less was seen"


def test_ten_kinds_are_all_told():
    """Where all kinds have a row, nothing is said of others."""
    durations = Durations()
    for number in range(10):
        durations.took(f"KIND{number}", 60.0)
    text = explain(Experience(durations.copy()), kind="KIND0")
    assert ("KIND9 " in text, "of which less was seen" in text) == (True, False)


def test_millions_fit():
    """However often a kind was seen, its row is as long as the others."""
    known = experience()
    for histogram in known.durations.values():
        histogram.seen = 999_999
    assert " 999999 " in explain(known)
    for histogram in known.durations.values():
        histogram.seen = 1_000_000
    assert " 1e+06 " in explain(known)


def test_no_kind():
    """Tasks of which nobody knows what they are have a row too."""
    durations = Durations()
    durations.took("", 60.0)
    assert "(any)                 end           1" in explain(Experience(durations.copy()))
    assert "Looks at a new task (any), alone" in explain(Experience(), kind="")
    assert "Looks at a new task (MUSIC), alone" in explain(Experience())


def test_the_text_of_the_rounds():
    """How likely rounds are, how far apart, and whether that was learned; and that a pace may not care."""
    known = figures(experience(no_beat=0.03, widths=SHARES)).beat
    assert (
        f"news every {known.period:.4g} s or so ({known.shortest:.4g} to {known.longest:.4g} s), 97% sure;\n"
        "  15 s of that are as the pace says (beat=), the rest was learned.\n"
        in explain(experience(no_beat=0.03, widths=SHARES))
    )
    sharp = Experience(no_beat=0.5, widths=[1.0, *[0.0] * (len(WIDTHS) - 1)])
    assert f"news every {WIDTHS[0].period:.4g} s, 50% sure;\n  15 s of that" in explain(sharp)
    assert "\n  7.5 s of that" in explain(sharp, Adaptive(beat=7.5))
    assert "Rounds: there seem to be none (86% sure).\n\nLooks" in explain(Experience(no_beat=0.86, widths=EVEN))
    start = figures(Experience()).beat
    assert (
        f"not known yet ({start.probability:.0%} sure that there are some,"
        f" {start.shortest:.4g} to {start.longest:.4g} s apart)." in explain(Experience())
    )
    said = [explain(Experience(), pace).split("\n\n")[1].splitlines() for pace in (Adaptive(), Adaptive(beat=None))]
    assert said[0][1:] == [
        "  Each client finds out when they are; its looks then come just after each, and",
        "  fewer than below. What the gateway itself holds back nobody can see sooner.",
    ]
    assert said[1] == ["Rounds: this pace takes no notice of those of a gateway (beat=None)."]


def test_the_text_of_the_looks():
    """The first twelve, how many more there are, what they were reckoned from, and what they come to."""
    looks = figures(experience()).looks
    text = explain(experience())
    assert "  one look is worth 0.3 s of lateness; floor 0.5 s, ceiling 120 s\n" in text
    told = re.search(r"^  at (.*) s$", text, re.MULTILINE)[1].split()
    assert [float(age) for age in told] == pytest.approx(looks.ages[:12], abs=0.5)
    assert f"  and {len(looks.ages) - 12} more until 99% of all tasks are done\n" in text
    assert f"  {looks.expected:.1f} looks a task, and its end is seen {looks.lateness:.1f} s late, on average" in text


def test_few_looks_are_all_told():
    """Where all looks are there, nothing is said of others."""
    dear = Adaptive(price=40)
    assert len(figures(Experience(), dear).looks.ages) < 12
    assert "more until" not in explain(Experience(), dear)


def test_the_text_of_too_many_looks():
    """It says so, and the plot goes as far as tasks do, not as far as the looks."""
    text = explain(Experience(), Adaptive(price=1e-9, floor=1e-3))
    assert "more than 10000 looks until the last task is done" in text
    assert "on average" not in text
    step, heights, counts, _, ages = plot(text)
    assert step * len(ages) * 10 >= figures(Experience()).durations[0].learned.p99
    assert (max(heights), len(counts), set(counts)) == (8, 3, {10})


@pytest.mark.parametrize("count", [12, 13])
def test_twelve_looks_and_thirteen(count):
    """Nothing is said of no more looks, and of one there is."""
    paces = (Adaptive(price=price / 100) for price in range(100, 600))
    pace = next(pace for pace in paces if len(figures(Experience(), pace).looks.ages) == count)
    told = re.findall(r"  and (\d+) more until", explain(Experience(), pace))
    assert told == ["1"] * (count - 12)


@pytest.mark.parametrize("kind", ["MUSIC", "LYRICS"])
@pytest.mark.parametrize("pace", [Adaptive(), Adaptive(price=3), Adaptive(price=0.01, floor=0.5)])
@pytest.mark.parametrize("known", [Experience(), experience()], ids=["nothing", "something"])
def test_the_plot(known, pace, kind):
    """Each column is as high as the share of tasks that end in it, and has as many looks as are made in it."""
    step, heights, counts, top, ages = plot(explain(known, pace, kind=kind))
    hazard, looks = Durations(known.durations).hazard(kind), figures(known, pace, kind=kind).looks.ages
    shares = left(hazard, step * 71)
    bars = [shares[round(column * step / STEP)] - shares[round((column + 1) * step / STEP)] for column in range(70)]
    bars[len(counts) :] = [0.0] * (70 - len(counts))
    assert top == pytest.approx(max(bars), rel=0.006)
    assert heights == pytest.approx([8 * bar / max(bars) for bar in bars], abs=0.3)
    expected = [0] * len(counts)
    for age in looks:
        expected[min(int(age / step), len(counts) - 1)] += 1
    assert counts == [min(10, count) for count in expected]
    assert ages == pytest.approx([column * step for column in range(0, len(counts), 10)])


def test_the_last_column_has_a_bar():
    """Where all tasks take long, and alike, some of the last ones end at the very right."""
    durations = Durations()
    for _ in range(300):
        durations.took("SLOW", 3000.0)
    _, heights, counts, _, _ = plot(explain(Experience(durations.copy()), kind="SLOW"))
    assert min(heights[len(counts) - 3 : len(counts)]) > 0


def test_the_height_is_told_twice():
    """The highest bar and half of it have their shares beside them, the other lines nothing."""
    lines = explain(Experience()).split("\n\n")[-1].splitlines()[1:9]
    first, *labels = (line.partition("|")[0].strip() for line in lines)
    half = f"{float(first.rstrip('%')) / 2:.3g}%"
    assert labels == ["", "", "", half, "", "", ""]


def test_what_fits_sharp_is_not_made_wider():
    """Seventy columns of five seconds are enough where the last look is at 350 s."""
    step, _, counts, _, _ = plot(explain(Experience(), Adaptive(floor=350, ceiling=350)))
    assert (step, len(counts), figures(Experience(), Adaptive(floor=350, ceiling=350)).looks.ages) == (5, 70, [350])


@QUICK
@given(st.floats(-4, 5))
def test_the_ages_of_the_plot_are_easy_to_read(power):
    """A column is the least easy number of seconds with which all fits, and every tenth one has its age under it."""
    told = figures(Experience(), Adaptive(price=10**power))
    step, _, counts, _, ages = plot(explain(Experience(), Adaptive(price=10**power)))
    span = max(told.looks.ages[-1], told.durations[0].learned.p99)
    easy = [digits * 10.0**zeros for zeros in range(-3, 5) for digits in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)]
    assert step == pytest.approx(next(number for number in easy if number * 70 >= span))
    assert len(counts) == math.ceil(span / step)
    assert ages == pytest.approx([column * step for column in range(0, len(counts), 10)])


@QUICK
@given(
    st.lists(
        st.tuples(st.text(max_size=30) | st.just(EVIL), st.floats(0, 50_000), st.sampled_from(Event)), max_size=30
    ),
    st.text(max_size=30) | st.just(EVIL),
    st.floats(0, 1) | st.none(),
    st.builds(
        Adaptive,
        price=st.floats(1e-3, 1e6),
        floor=st.floats(0.2, 100),
        ceiling=st.floats(100, 86_400),
        beat=st.floats(1, 3600) | st.none(),
    ),
)
def test_the_text_fits_everywhere(seen, kind, no_beat, pace):
    """Whatever was learned, of kinds with whatever names: ASCII, at most 79 columns, nothing a terminal would obey."""
    durations = Durations()
    for name, seconds, event in seen:
        durations.took(name, seconds, event=event)
    text = explain(Experience(durations.copy(), no_beat), pace, kind=kind)
    for line in text.split("\n"):
        assert len(line) <= 79
        assert re.fullmatch(r"[ -~]*", line)
        assert line == line.rstrip()
