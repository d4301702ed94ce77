"""The explanation: why a client looks when it looks, as figures and as a text.

A text of plain ASCII, at most 79 columns wide: it is read in terminals, logs and bug reports.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import msgspec

from .beat import SLEEP, WIDTHS, Beat
from .durations import Durations, Event, Hazard, prior_hazard
from .errors import ConfigurationError
from .experience import Experience
from .lenient import one_line
from .pace import Adaptive, Scaled

_DONE = 0.99
"""Looks are told until so much of all tasks has ended."""
_MOST_LOOKS = 10_000
_LIKELY = 0.05
_TELLING = math.sqrt(10)
"""Odds that have changed by less are no substantial evidence (Jeffreys)."""
_KINDS_TOLD, _LOOKS_TOLD = 10, 12
_NAME, _MARGIN, _ANY = 21, 7, "(any)"
_COLUMNS, _LINES, _TICK = 70, 8, 10
_ROUND_NUMBERS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
_STANDARD = Adaptive()


class Quantiles(msgspec.Struct, frozen=True):
    """The ages, in seconds, by which so many percent have happened."""

    p10: float
    p50: float
    p90: float
    p99: float


class Took(msgspec.Struct, frozen=True):
    """How long it takes until something happens to one kind of task."""

    kind: str
    event: Event
    seen: int
    """How many durations of it were seen."""
    learned: Quantiles
    """What a client reckons with."""
    known_before: Quantiles
    """What it reckons with where nothing was seen."""


class Rounds(msgspec.Struct, frozen=True):
    """In which rounds the gateway shows what has changed, if it does."""

    learned: bool
    """False where what was seen, if anything, says hardly more than what a client begins with."""
    probability: float
    sleep: float
    """Seconds that are taken as given, by the pace's ``beat``: only the work of a round is learned."""
    period: float
    """Seconds from one round to the next, on average over what is likely."""
    shortest: float
    longest: float
    """What the period may well be."""


class Looks(msgspec.Struct, frozen=True):
    """The looks at a task that nobody else's requests carry along, while no rounds are known."""

    price: float
    floor: float
    ceiling: float
    ages: list[float]
    """The task's ages at them, until 99 % of all tasks are done."""
    expected: float | None
    """How many a task has until it is seen to be done; None for more than can be counted."""
    lateness: float | None
    """Seconds after which the end of a task is seen, on average."""


class Figures(msgspec.Struct, frozen=True):
    """All that is told."""

    kind: str
    durations: list[Took]
    """That of the kind in question first, then what was seen most."""
    beat: Rounds | None
    """None for a pace that takes no notice of one."""
    looks: Looks


def figures(experience: Experience, pace: Adaptive = _STANDARD, *, kind: str = "MUSIC") -> Figures:
    """What an experience comes down to; raises ConfigurationError for what is none."""
    for name, value, known in (("experience", experience, Experience), ("pace", pace, Adaptive), ("kind", kind, str)):
        if not isinstance(value, known):
            hint = ": pass the pace that is in it" if isinstance(value, Scaled) else ""
            raise ConfigurationError(f"{name} must be of the type {known.__name__}, not {type(value).__name__}{hint}")
    durations = Durations(experience.durations)
    seen = {name: histogram.seen for name, histogram in durations.histograms.items()}
    first = f"{Event.END}:{kind}"
    names = [first, *sorted(seen.keys() - {first}, key=lambda name: (-seen[name], name))]
    return Figures(
        kind=kind,
        durations=[_took(durations, name, seen.get(name, 0)) for name in names],
        beat=_rounds(experience, pace.beat),
        looks=_looks(durations.hazard(kind), pace),
    )


def _took(durations: Durations, name: str, seen: int) -> Took:
    event, _, kind = name.partition(":")
    awaited = Event(event)
    learned, before = durations.hazard(kind, awaited), prior_hazard(kind, awaited)
    return Took(kind, awaited, seen, _quantiles(learned), _quantiles(before))


def _quantiles(hazard: Hazard) -> Quantiles:
    return Quantiles(*(_age(hazard, share) for share in (0.1, 0.5, 0.9, 0.99)))


def _age(hazard: Hazard, share: float) -> float:
    """The age by which this share has ended."""
    return _read(-math.log1p(-share), hazard.expected, hazard.ages)


def _read(place: float, places: list[float], values: list[float]) -> float:
    """A value between two points of a table; the last one from its end on."""
    there = bisect_right(places, place)
    if there == len(places):
        return values[-1]
    begin, value = places[there - 1], values[there - 1]
    return value + (place - begin) * (values[there] - value) / (places[there] - begin)


def _left(hazard: Hazard, age: float) -> float:
    """The share that has not ended at this age."""
    return math.exp(-_read(age, hazard.ages, hazard.expected))


def _rounds(experience: Experience, sleep: float | None) -> Rounds | None:
    if sleep is None:
        return None
    start = Beat(0.0)
    no_beat = start.no_beat if experience.no_beat is None else experience.no_beat
    shares = experience.widths or start.widths()
    periods = [(SLEEP + width.seconds) * sleep / SLEEP for width in WIDTHS]
    likely = [period for period, share in zip(periods, shares, strict=True) if share >= _LIKELY]
    return Rounds(
        learned=_tells(no_beat, start.no_beat) or min(shares) < _LIKELY,
        probability=1 - no_beat,
        sleep=sleep,
        period=sum(period * share for period, share in zip(periods, shares, strict=True)),
        shortest=likely[0],
        longest=likely[-1],
    )


def _tells(no_beat: float, first: float) -> bool:
    """Whether it is more than what was assumed at first, which without news becomes as likely as not."""
    is_less = no_beat * (1 - first) * _TELLING < first * (1 - no_beat)
    return is_less or no_beat > _TELLING * (1 - no_beat)


def _looks(hazard: Hazard, pace: Adaptive) -> Looks:
    ages = _ages(hazard, pace)
    lefts = [_left(hazard, age) for age in ages]
    told = next((index for index, left in enumerate(lefts) if left <= 1 - _DONE), len(ages)) + 1
    expected = lateness = None
    if ages[-1] >= hazard.ages[-1]:
        gaps = [after - before for before, after in pairwise([0.0, *ages])]
        # what is left after each look is what needs the next one, and waits for it, but for the time it still takes
        needed = [1.0, *lefts[:-1]]
        expected = sum(needed)
        lateness = sum(left * gap for left, gap in zip(needed, gaps, strict=True)) - _lasting(hazard)
    return Looks(pace.price, pace.floor, pace.ceiling, ages[:told], expected, lateness)


def _ages(hazard: Hazard, pace: Adaptive) -> list[float]:
    """The looks until nothing is known to be left, or so many that nobody counts them."""
    ages = [pace.delay(hazard, 0.0, 1)]
    while ages[-1] < hazard.ages[-1] and len(ages) < _MOST_LOOKS:
        ages.append(ages[-1] + pace.delay(hazard, ages[-1], 1))
    return ages


def _lasting(hazard: Hazard) -> float:
    """How many seconds a task lasts on average."""
    points = zip(pairwise(hazard.ages), pairwise(hazard.expected), strict=True)
    return sum(
        (end - begin) * math.exp(-before) * -math.expm1(before - after) / (after - before)
        for (begin, end), (before, after) in points
    )


def explain(experience: Experience, pace: Adaptive = _STANDARD, *, kind: str = "MUSIC") -> str:
    """What was learned, and when a new task of this kind is looked at because of it: a text to print.

    ``suno.experience()`` is what a client has learned; ``Experience()`` shows what is known before.
    """
    told = figures(experience, pace, kind=kind)
    hazard = Durations(experience.durations).hazard(kind)
    parts = [_table(told.durations), _beat_lines(told.beat), _look_lines(told), _plot(hazard, told.looks.ages)]
    return "\n\n".join("\n".join(line.rstrip() for line in part) for part in parts)


def _table(rows: list[Took]) -> Iterator[str]:
    yield f"So many have ended by this age (s):{'learned':>10}{'assumed at first':>27}"
    heads = "".join(f"{share:>5}" for share in ("10%", "50%", "90%", "99%"))
    yield f"{'kind':{_NAME}} {'until':8} {'seen':>6}{heads}  {heads}"
    for row in rows[:_KINDS_TOLD]:
        seen = f"{row.seen}" if row.seen < 1e6 else f"{row.seen:.0e}"
        yield f"{_plain(row.kind):{_NAME}} {row.event:8} {seen:>6}{_cells(row.learned)}  {_cells(row.known_before)}"
    if len(rows) > _KINDS_TOLD:
        yield f"and {len(rows) - _KINDS_TOLD} more, of which less was seen"


def _cells(quantiles: Quantiles) -> str:
    return "".join(f"{_short(seconds):>5}" for seconds in msgspec.structs.astuple(quantiles))


def _plain(kind: str) -> str:
    """A gateway's word, safe to print anywhere."""
    return one_line(kind).encode("ascii", "backslashreplace").decode()[:_NAME] or _ANY


def _short(seconds: float) -> str:
    """At most four characters."""
    if seconds < 9.95:
        return f"{seconds:.1f}"
    return f"{seconds:.0f}" if seconds < 9999.5 else f"{seconds / 3600:.0f}h"


def _beat_lines(beat: Rounds | None) -> Iterator[str]:
    if beat is None:
        yield "Rounds: this pace takes no notice of those of a gateway (beat=None)."
        return
    reach = f"{beat.shortest:.4g} to {beat.longest:.4g} s"
    if beat.learned and beat.probability < 0.5:
        yield f"Rounds: there seem to be none ({1 - beat.probability:.0%} sure)."
        return
    if beat.learned:
        reach = f" or so ({reach})" if beat.shortest < beat.longest else ""
        yield f"Rounds: there is news every {beat.period:.4g} s{reach}, {beat.probability:.0%} sure;"
        yield f"  {beat.sleep:g} s of that are as the pace says (beat=), the rest was learned."
    else:
        yield f"Rounds: not known yet ({beat.probability:.0%} sure that there are some, {reach} apart)."
    yield "  Each client finds out when they are; its looks then come just after each, and"
    yield "  fewer than below. What the gateway itself holds back nobody can see sooner."


def _look_lines(told: Figures) -> Iterator[str]:
    looks, kind = told.looks, _plain(told.kind)
    yield f"Looks at a new task {kind if kind == _ANY else f'({kind})'}, alone, while no rounds are known:"
    yield f"  one look is worth {looks.price:g} s of lateness; floor {looks.floor:g} s, ceiling {looks.ceiling:g} s"
    yield f"  at {' '.join(map(_short, looks.ages[:_LOOKS_TOLD]))} s"
    if looks.expected is None or looks.lateness is None:
        yield f"  and so on: more than {_MOST_LOOKS} looks until the last task is done"
        return
    if len(looks.ages) > _LOOKS_TOLD:
        yield f"  and {len(looks.ages) - _LOOKS_TOLD} more until {_DONE:.0%} of all tasks are done"
    yield f"  {looks.expected:.1f} looks a task, and its end is seen {looks.lateness:.1f} s late, on average"


def _plot(hazard: Hazard, ages: list[float]) -> Iterator[str]:
    """The share of tasks that end in each interval of age, and the looks under it."""
    most = max(ages[-1], _age(hazard, _DONE))
    step = _round_number(most / _COLUMNS * _TICK) / _TICK
    columns = min(math.ceil(most / step), _COLUMNS)
    lefts = [_left(hazard, index * step) for index in range(columns + 1)]
    shares = [before - after for before, after in pairwise(lefts)]
    top = max(shares)
    yield f"Ends by age, early failures too, and looks (^ one, + over 9); {step:g} s a column:"
    for line in range(_LINES, 0, -1):
        label = f"{top * line / _LINES * 100:.3g}%" if line in {_LINES, _LINES // 2} else ""
        yield f"{label:>{_MARGIN}}|" + "".join(_cell(share / top * _LINES - line) for share in shares)
    counts = Counter(min(int(age / step), columns - 1) for age in ages)
    yield f"{'looks':>{_MARGIN}}|" + "".join(" ^23456789+"[min(counts[column], 10)] for column in range(columns))
    yield f"{'age':>{_MARGIN}} " + "".join(f"{column * step:<{_TICK}g}" for column in range(0, columns, _TICK))


def _round_number(least: float) -> float:
    """The next number that is easy to read."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in _ROUND_NUMBERS if power * factor >= least)


def _cell(above: float) -> str:
    """One character of a bar that ends so many lines above, or below, the top of this line."""
    if above >= 0:
        return "#"
    return ":" if above >= -0.5 else "." if above >= -0.9 else " "
