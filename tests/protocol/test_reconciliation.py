"""What the gateway's accounts say about submissions whose outcome nobody saw: as tables, and as whole histories."""

import json
from collections import Counter
from datetime import datetime
from random import Random
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from submitted import KEY, NOW, ZERO, accepted, findings, intent, moment

from suno_async.protocol import reconciliation
from suno_async.protocol.accounts import Charge, Made, words_of
from suno_async.protocol.adoption import by_tasks
from suno_async.protocol.intents import Intent, IntentState
from suno_async.protocol.reconciliation import (
    LONGEST,
    SLACK,
    Finding,
    by_charges,
    span_of,
    undecided,
)

ADOPTED, NOT_CHARGED, CHARGED, UNDECIDED = Finding


def charge(at: float, request_id: str = "", model: str = "suno_music") -> Charge:
    return Charge(ZERO + at, model, request_id)


BEFORE, AFTER = accepted("before", 1000), accepted("after", 5000)
LISTED = [charge(1001, "before"), charge(5001, "after")]
LOST = intent("lost", 3000, 3010)


def judge(judged, others=(), rows=(), *, now=NOW, exclusive=False, proof=True, keys=(KEY,)):
    """What the charges say, with something accepted and listed before and after, unless there is no such proof."""
    kept = [*([BEFORE, AFTER] if proof else []), *others, *judged]
    rows = [*(LISTED if proof else []), *rows]
    return by_charges(judged, kept, rows, ZERO + now, fingerprints=keys, exclusive=exclusive)


# the log proves something only where it is seen to be right


def test_a_log_without_a_charge_of_its_time_proves_that_there_was_none():
    """What was accepted before and after is listed, nothing in between: it was not accepted."""
    [verdict] = judge([LOST])
    assert verdict == reconciliation.Verdict(
        LOST, NOT_CHARGED, "there is no charge of its time that is not another's", None
    )


DOUBTS = {
    "too early": ({"now": 3609}, [BEFORE, AFTER], LISTED, "may still be at work on it: ask again in 1 s"),
    "nothing before": ({}, [AFTER], LISTED, "accepted before it"),
    "nothing after": ({}, [BEFORE], LISTED, "accepted since"),
    "before is not listed": ({}, [BEFORE, AFTER], LISTED[1:], "does not list all"),
    "after is not listed": ({}, [BEFORE, AFTER], LISTED[:1], "does not list all"),
    "nothing is listed": ({}, [BEFORE, AFTER], [], "does not list all"),
    "one in between is not listed": ({}, [BEFORE, accepted("x", 3100), AFTER], LISTED, "does not list all"),
    "the nearest before is not listed": ({}, [BEFORE, accepted("x", 2000), AFTER], LISTED, "does not list all"),
    "the nearest after is not listed": ({}, [BEFORE, accepted("x", 4000), AFTER], LISTED, "does not list all"),
    "listed as another model": ({}, [BEFORE, AFTER], [charge(1001, "before", "chirp"), LISTED[1]], "not list all"),
    "before overlaps it": ({}, [accepted("before", 1000, 2990), AFTER], LISTED, "accepted before it"),
    "after overlaps it": ({}, [BEFORE, accepted("after", 3609)], LISTED, "accepted since"),
    "after overlaps it, and is slow": ({}, [BEFORE, accepted("after", 3609, 3700)], LISTED, "accepted since"),
    "after, by a clock that was set back": ({}, [BEFORE, accepted("after", 5000, 3500)], LISTED, "accepted since"),
    "no request ids": ({}, [accepted("before", 1000, request_id=None), AFTER], LISTED, "accepted before it"),
    "adopted before": ({}, [accepted("before", 1000, reason="found"), AFTER], LISTED, "accepted before it"),
}


NAMES = {
    "unnamed": {},
    "named": {"request_id": "r", "status": 500},
    "perhaps named": {"request_id": "r"},
}


@pytest.mark.parametrize(("when", "others", "rows", "evidence"), DOUBTS.values(), ids=DOUBTS)
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("exclusive", [False, True])
def test_a_log_that_cannot_be_checked_proves_nothing(when, others, rows, evidence, name, exclusive):
    """Switched off, cut short, another key's, too fresh, or with nobody to check it by: undecided, and says why."""
    lost = intent("lost", 3000, 3010, **name)
    [verdict] = judge([lost], others, rows, proof=False, exclusive=exclusive, **when)
    assert verdict.finding is UNDECIDED
    assert evidence in verdict.evidence


REASONS = [
    ([AFTER], "nothing is known to be accepted before it, so the log cannot be checked for its time"),
    ([BEFORE], "nothing is known to be accepted since, so the log cannot be checked for its time: ask again later"),
    ([accepted("x", 2000), AFTER], "the log of this key does not list all that was accepted around its time"),
]


@pytest.mark.parametrize(("others", "reason"), REASONS)
def test_a_log_that_cannot_be_checked_says_why(others, reason):
    """The evidence is a sentence that says what is missing."""
    [verdict] = judge([LOST], others, LISTED, proof=False)
    assert verdict.evidence == reason


def test_its_time_is_over_to_the_second():
    """At the end of its time it is judged, and what was sent right then is a check of the log."""
    assert findings(judge([LOST], now=3610)) == [NOT_CHARGED]
    edge = accepted("edge", 3610)
    assert findings(judge([LOST], [BEFORE, edge], [LISTED[0], charge(3611, "edge")], proof=False)) == [NOT_CHARGED]


def test_the_nearest_check_counts():
    """What was accepted long before and long after, and is cut off by now, does no harm."""
    others = [accepted("x", 10), accepted("y", 9000), accepted("refused", 3000, state=IntentState.REJECTED)]
    assert findings(judge([LOST], others)) == [NOT_CHARGED]
    assert findings(judge([LOST], [accepted("edge", 2900, 3000 - SLACK)], [charge(2901, "edge")])) == [NOT_CHARGED]
    assert findings(judge([LOST], [accepted("edge", 3610)], [charge(3611, "edge")])) == [NOT_CHARGED]


def test_what_was_tried_several_times_counts_from_its_last_attempt():
    """An accepted one is a check of the log from when it was sent at last, not from when it was first meant to be."""
    late = accepted("late", 2900, 3702, attempted_at=moment(3700))
    assert findings(judge([LOST], [BEFORE, late], [LISTED[0], charge(3701, "late")], proof=False)) == [NOT_CHARGED]


def test_a_process_that_died_in_a_later_attempt_is_judged_by_that():
    """Its charge may come long after the first attempt."""
    for attempted, evidence in ((None, "if a clock was wrong"), (3700, "of its time may be its own")):
        [verdict] = judge([intent("died", 3000, attempted_at=moment(attempted))], rows=[charge(4200)])
        assert verdict.finding is UNDECIDED
        assert evidence in verdict.evidence


# what the log names


@pytest.mark.parametrize("now", [3011, NOW])
@pytest.mark.parametrize("proof", [False, True])
def test_a_charge_under_its_request_id_is_its_own(now, proof):
    """That needs no other proof, and nobody has to wait for it."""
    [verdict] = judge([intent("lost", 3000, 3010, request_id="r")], rows=[charge(9, "r")], now=now, proof=proof)
    assert (verdict.finding, verdict.evidence) == (CHARGED, "there is a charge under its request id")


@pytest.mark.parametrize("exclusive", [False, True])
def test_a_request_id_tells_it_from_all_others(exclusive):
    """Charges of its time under other names are not its own."""
    lost = intent("lost", 3000, 3010, request_id="r", status=500)
    [verdict] = judge([lost], rows=[charge(3001), charge(3002, "else")], exclusive=exclusive)
    assert (verdict.finding, verdict.evidence) == (NOT_CHARGED, "there is no charge under its request id")


def test_the_request_id_of_an_earlier_attempt_names_nothing():
    """While there is no outcome, what an earlier attempt was answered says nothing about this one."""
    lost = intent("lost", 3000, request_id="r", status=503)
    assert findings(judge([lost], rows=[charge(3001)])) == [UNDECIDED]
    assert findings(judge([lost], rows=[charge(3001)], exclusive=True)) == [CHARGED]


def test_a_charge_under_the_name_of_an_earlier_attempt_may_be_its_own():
    """While there is no outcome, no charge is taken for explained by it: not even one under that attempt's name."""
    lost = intent("lost", 3000, request_id="r", status=503)
    assert findings(judge([lost], rows=[charge(3001, "r")])) == [UNDECIDED]
    assert findings(judge([lost], rows=[charge(3001, "r")], exclusive=True)) == [CHARGED]


# what the log tells by its times


@pytest.mark.parametrize(
    ("row", "exclusive", "finding"),
    [
        (charge(3001), False, UNDECIDED),
        (charge(3001), True, CHARGED),
        (charge(3001, "unheard of"), True, CHARGED),
        (charge(3000 - SLACK - 1), True, CHARGED),
        (charge(3000 - SLACK - 1.1), True, UNDECIDED),
        (charge(3010 + LONGEST + SLACK + 1), True, CHARGED),
        (charge(3010 + LONGEST + SLACK + 1.1), True, UNDECIDED),
        (charge(3001, "before"), True, NOT_CHARGED),
        (charge(3001, model="gpt-5"), True, NOT_CHARGED),
    ],
)
def test_a_charge_of_its_time_may_be_its_own(row, exclusive, finding):
    """It is, if nobody else uses the key; the clocks' difference is taken from what is known to be accepted."""
    rows = [charge(1001, "before"), charge(5001, "after"), row]
    rows = rows[1:] if row.request_id == "before" else rows
    others = [BEFORE, AFTER] if row.request_id != "before" else [accepted("before", 1000, 1100), AFTER]
    if row.request_id == "before":
        # its time is odd, so the clocks may be far apart: nothing is its own all the same
        rows = [row, *rows]
    [verdict] = judge([LOST], others, rows, exclusive=exclusive, proof=False)
    assert verdict.finding is finding


@pytest.mark.parametrize("ahead", [-86_400, -3, 0, 7, 3600, 10**7])
@pytest.mark.parametrize("charged", [False, True])
def test_the_gateways_clock_may_be_anything(ahead, charged):
    """However far it is ahead of ours: it is read off what was charged between our sending and its answer."""
    rows = [charge(at + ahead, name) for at, name in ((1001, "before"), (5001, "after"))]
    rows += [charge(3004 + ahead)] * charged
    [verdict] = judge([LOST], [BEFORE, AFTER], rows, exclusive=True, proof=False)
    assert verdict.finding is (CHARGED if charged else NOT_CHARGED)


def test_a_clock_that_was_set_meanwhile_widens_the_time():
    """Between two clocks anything may be: a charge at either is a charge."""
    rows = [charge(1001, "before"), charge(5001 + 3600, "after")]
    for at in (3001, 3001 + 1800, 3001 + 3600):
        [verdict] = judge([LOST], [BEFORE, AFTER], [*rows, charge(at)], proof=False)
        assert verdict.finding is UNDECIDED


@pytest.mark.parametrize(
    ("lost", "rows", "expected"),
    [
        ([(3000, 3010), (3005, 3011)], [3001], [UNDECIDED, UNDECIDED]),
        ([(3000, 3010), (3005, 3011)], [3001, 3006], [CHARGED, CHARGED]),
        ([(3000, 3010), (3005, 3011)], [3001, 3006, 3007], [UNDECIDED, UNDECIDED]),
        ([(3000, 3010), (4000, 4010)], [3001], [CHARGED, UNDECIDED]),
        ([(3000, 3010), (4000, 4010)], [3001, 4001, 4002], [CHARGED, UNDECIDED]),
        ([(3000, 3010), (3300, 3310), (3900, 3910)], [3450, 3905], [UNDECIDED, UNDECIDED, UNDECIDED]),
        ([(3000, 3010), (3300, 3310), (3900, 3910)], [3450, 3905, 3906], [CHARGED, CHARGED, CHARGED]),
        ([(2000, 3990), (2100, 2110), (3000, 3010)], [3100], [UNDECIDED, UNDECIDED, UNDECIDED]),
        ([(3000, 3010)], [2000, 3001], [CHARGED]),
    ],
)
def test_several_at_once_are_charged_if_there_are_as_many_charges(lost, rows, expected):
    """Each charge is somebody's: as many as there are rivals for them are theirs, of fewer nobody knows whose."""
    judged = [intent(f"lost{place}", *times) for place, times in enumerate(lost)]
    found = judge(judged, rows=[charge(at) for at in rows], exclusive=True)
    assert findings(found) == expected
    for verdict in judge(judged, rows=[charge(at) for at in rows]):
        assert verdict.finding is not CHARGED


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize(
    ("rows", "finding"), [([3001], NOT_CHARGED), ([3001, 3002], CHARGED), ([3001, 3002, 3003], UNDECIDED)]
)
def test_what_is_accepted_without_a_request_id_has_one_of_the_charges(rows, finding, exclusive):
    """One charge is the accepted one's, two are both's, of three nobody knows whose they are."""
    known = accepted("known", 2999, 3005, request_id=None)
    [verdict] = judge([LOST], [known], [charge(at) for at in rows], exclusive=exclusive)
    assert verdict.finding is (UNDECIDED if finding is CHARGED and not exclusive else finding)


def test_what_is_accepted_in_a_time_that_the_log_has_lost_has_none_of_the_charges():
    """An adopted one may have been charged so long ago that its charge is cut off: those that are left may be ours."""
    adopted = accepted("adopted", 500, 4000, request_id=None, reason="found")
    assert findings(judge([LOST], [adopted], [charge(3001)])) == [UNDECIDED]
    first = accepted("first", 100)
    assert findings(judge([LOST], [first, adopted], [charge(101, "first"), charge(3001)])) == [NOT_CHARGED]
    assert findings(judge([LOST], [first, adopted], [charge(3001)])) == [UNDECIDED]


def test_one_that_is_under_way_may_have_the_charge():
    """What is on its way now may be charged already: the charge is not taken for another's."""
    under_way = intent("under way", 2995)
    assert findings(judge([LOST], [under_way], [charge(3001)], exclusive=True)) == [UNDECIDED]
    assert findings(judge([LOST], [under_way], [charge(3001), charge(3002)], exclusive=True)) == [CHARGED]
    late = intent("late", 100)
    assert findings(judge([LOST], [late], [charge(3001)], exclusive=True)) == [UNDECIDED]


MODELS = {
    "suno_music": UNDECIDED,
    "suno_lyrics": UNDECIDED,
    "suno-concat": UNDECIDED,
    "suno_music_concat": UNDECIDED,
    "suno": UNDECIDED,
    "vendor/suno-v4": UNDECIDED,
    "": UNDECIDED,
    "gpt-4o": NOT_CHARGED,
    "mj_imagine": NOT_CHARGED,
    "su no": NOT_CHARGED,
}


@pytest.mark.parametrize(("model", "finding"), MODELS.items())
@pytest.mark.parametrize("action", ["music", "MUSIC/custom", "concat", "lyrics"])
def test_a_charge_may_be_its_own_whatever_the_gateway_calls_it(action, model, finding):
    """Models are named as each gateway likes: only what is clearly for something else is not counted."""
    lost = msgspec.structs.replace(LOST, action=action)
    assert findings(judge([lost], rows=[charge(3001, model=model)])) == [finding]
    assert findings(judge([lost], rows=[charge(3001, model=model)], exclusive=True)) == [
        CHARGED if finding is UNDECIDED else NOT_CHARGED
    ]
    marks = [charge(1001, "before", model), charge(5001, "after", model)]
    assert findings(judge([lost], [BEFORE, AFTER], marks, proof=False)) == [
        NOT_CHARGED if finding is UNDECIDED else UNDECIDED
    ]


# a clock that was wrong for one submission


WRONG = {
    "between the checks": ([charge(2000)], UNDECIDED),
    "as late as the one before": ([charge(1001)], UNDECIDED),
    "as late as the one after": ([charge(5001)], UNDECIDED),
    "two of them": ([charge(1500), charge(4900)], UNDECIDED),
    "before the one before": ([charge(1000)], NOT_CHARGED),
    "after the one after": ([charge(5002)], NOT_CHARGED),
    "under a name that is known": ([charge(2000, "refused")], NOT_CHARGED),
    "for something else": ([charge(2000, model="gpt-4o")], NOT_CHARGED),
    "of one without a name": ([charge(4001)], NOT_CHARGED),
    "of one without a name, and another": ([charge(4001), charge(4002)], UNDECIDED),
    "not where it should be": ([charge(3700)], UNDECIDED),
}


@pytest.mark.parametrize(("rows", "finding"), WRONG.values(), ids=WRONG)
def test_a_charge_that_nothing_explains_may_be_its_own_at_any_time(rows, finding):
    """Our clock may have been wrong for just this one: what lies between the checks around it must be somebody's."""
    others = [accepted("refused", 2000, state=IntentState.REJECTED), accepted("unnamed", 4000, request_id=None)]
    named = any(row.at == ZERO + 4001 for row in rows)
    [verdict] = judge([LOST], others if named else others[:1], rows)
    assert verdict.finding is finding
    if finding is UNDECIDED:
        count = "2 charges" if len(rows) == 2 else "1 charge"
        assert verdict.evidence == f"{count} may be its own, if a clock was wrong"


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("off", [-3600, 3600, 9000])
def test_a_clock_that_was_an_hour_wrong_once_proves_nothing(off, exclusive):
    """It was charged at the true time, where nobody looks for it."""
    checks = [accepted("r1", 0), accepted("r2", 20_000)]
    rows = [charge(1, "r1"), charge(5001, "rx"), charge(20_001, "r2")]
    lost = intent("lost", 5000 + off, 5010 + off)
    found = judge([lost], checks, rows, proof=False, now=30_000, exclusive=exclusive)
    assert findings(found) == [UNDECIDED]
    assert findings(judge([lost], checks, [rows[0], rows[2]], proof=False, now=30_000)) == [NOT_CHARGED]


SET_BACK = {
    "at the answer": ((7000, None, 3410), (3290, 7720)),
    "between two attempts": ((7000, 3400, 3410), (3280, 7720)),
    "at the answer to the second": ((3300, 7000, 3410), (3180, 7720)),
    "before it died": ((7000, 3400, None), (3280, 7720)),
    "by a second": ((3411, None, 3410), (3290, 4131)),
}


@pytest.mark.parametrize(("times", "expected"), SET_BACK.values(), ids=SET_BACK)
def test_where_our_clock_was_set_back_it_may_have_been_at_any_time_of_both(times, expected):
    """One of its times is wrong and nobody knows which: it may have been accepted around either, or in between."""
    sent, attempted, settled = times
    lost = intent("lost", sent, settled, attempted_at=moment(attempted))
    assert tuple(at - ZERO for at in msgspec.structs.astuple(span_of(lost))) == expected
    checks, rows = [accepted("a", 1000), accepted("b", 9000)], [charge(1001, "a"), charge(9001, "b")]
    for at in (*expected, 3405):
        [verdict] = judge([lost], checks, [*rows, charge(at)], proof=False, exclusive=True)
        assert verdict.finding is CHARGED
    assert findings(judge([lost], checks, rows, proof=False)) == [NOT_CHARGED]


def test_a_gateways_clock_that_was_set_back_hides_no_charge():
    """Where the check after it stands before the one before it, what is between them counts all the same."""
    rows = [charge(1001, "before"), charge(5001 - 90_000, "after")]
    lost = intent("lost", 3000, 3010)
    assert findings(judge([lost], [BEFORE, AFTER], rows, proof=False)) == [NOT_CHARGED]
    assert findings(judge([lost], [BEFORE, AFTER], [*rows, charge(-80_000)], proof=False)) == [UNDECIDED]


@pytest.mark.parametrize(
    ("rows", "evidence"),
    [
        ([4500], "1 charge of its time may be its own, or another's"),
        ([2000, 4500], "2 charges of its time may be its own, or another's"),
        ([3001, 4500], "1 charge of its time may be its own, or another's"),
        ([3001], "there is no charge of its time that is not another's"),
    ],
)
def test_one_accepted_within_its_time_has_a_charge_of_its_own_time_only(rows, evidence):
    """What it cannot have been charged is not its own, though the one in question took longer than it on both sides."""
    lost, inside = intent("lost", 2000, 3990), accepted("inside", 3000, request_id=None)
    [verdict] = judge([lost], [inside], [charge(at) for at in rows])
    assert verdict.evidence == evidence


def test_fewer_charges_than_were_accepted_explain_nothing():
    """One of two accepted was charged elsewhere, so a clock is wrong: the charge that is there may be anybody's."""
    known = [accepted(name, 3800, request_id=None) for name in "xy"]
    assert findings(judge([LOST], known, [charge(3801)])) == [UNDECIDED]
    assert findings(judge([LOST], known, [charge(3801), charge(3802)])) == [NOT_CHARGED]


# gateways behind gateways


@pytest.mark.parametrize(
    ("status", "row", "finding"),
    [
        (500, charge(3001, "own"), NOT_CHARGED),
        (300, charge(3001, "own"), NOT_CHARGED),
        (299, charge(3001, "own"), UNDECIDED),
        (200, charge(3001, "own"), UNDECIDED),
        (0, charge(3001, "own"), UNDECIDED),
        (200, charge(3001), UNDECIDED),
        (200, charge(2000, "own"), UNDECIDED),
        (200, charge(9000, "own"), NOT_CHARGED),
        (200, charge(3001, "upstream's"), CHARGED),
        (500, charge(3001, "upstream's"), CHARGED),
    ],
)
def test_an_answer_without_an_error_may_have_the_name_of_a_gateway_behind(status, row, finding):
    """The log has it under another name then: what it lacks under this one is looked for by its time."""
    lost = intent("lost", 3000, 3010, request_id="upstream's", status=status)
    assert findings(judge([lost], rows=[row])) == [finding]


def test_one_accepted_under_a_foreign_name_may_have_the_charge():
    """Its charge is in the log under a name that nobody here knows: it is not taken for another's."""
    chained = accepted("upstream's", 3100, 6000)
    rows = [charge(3101, "own")]
    assert findings(judge([LOST], [chained], rows, exclusive=True)) == [UNDECIDED]
    assert findings(judge([LOST], [], rows, exclusive=True)) == [CHARGED]


@pytest.mark.parametrize(("name", "finding"), [("upstream's", UNDECIDED), (None, NOT_CHARGED)])
@pytest.mark.parametrize("status", [200, 500])
def test_one_adopted_that_the_log_lacks_under_its_name_has_no_charge_for_sure(name, status, finding):
    """It may be there under another name, or not at all: then the charge is somebody else's."""
    found = accepted("adopted", 3000, 3900, request_id=name, status=status, reason="found")
    assert findings(judge([LOST], [found], [charge(3001)])) == [finding]
    assert findings(judge([LOST], [found], [charge(3001)], exclusive=True)) == [finding]


def test_what_was_charged_is_said_in_words():
    """How many charges there are, and why that is no proof."""
    [verdict] = judge([LOST], rows=[charge(3001)])
    assert verdict.evidence == "1 charge of its time may be its own, or another's"
    [verdict] = judge([LOST], rows=[charge(3001), charge(3002)], exclusive=True)
    assert verdict.evidence == "2 charges of its time may be its own, or another's"
    [verdict] = judge([LOST], rows=[charge(3001)], exclusive=True)
    assert verdict.evidence == "there are as many charges of its time as submissions"
    known = [accepted(name, 3000, request_id=None) for name in "xy"]
    [verdict] = judge([LOST], known, [charge(3001)])
    assert verdict.evidence == "the log lists fewer charges of its time than were accepted"
    assert (verdict.intent, verdict.finding) == (LOST, UNDECIDED)


# whose log it is


LOST_WITH = {
    "another key": ("another", "it was sent with another key than the one whose log this is"),
    "nobody knows": ("", "nobody knows with which key it was sent"),
}


@pytest.mark.parametrize(("key", "evidence"), LOST_WITH.values(), ids=LOST_WITH)
@pytest.mark.parametrize("name", [NAMES["unnamed"], NAMES["named"]], ids=["unnamed", "named"])
@pytest.mark.parametrize("exclusive", [False, True])
def test_the_log_of_another_key_lists_no_charge_of_its_own(key, evidence, name, exclusive):
    """Whatever it is seen to list: what was sent with another key, or nobody knows with which, is paid elsewhere."""
    for rows in ([], [charge(3001)]):
        [verdict] = judge([intent("lost", 3000, 3010, fingerprint=key, **name)], rows=rows, exclusive=exclusive)
        assert (verdict.finding, verdict.evidence) == (UNDECIDED, evidence)


@pytest.mark.parametrize("key", ["another", ""])
def test_a_charge_under_its_request_id_needs_no_key(key):
    """A log that has its name is the log of its key."""
    [verdict] = judge([intent("lost", 3000, 3010, request_id="r", fingerprint=key)], rows=[charge(3001, "r")])
    assert (verdict.finding, verdict.evidence) == (CHARGED, "there is a charge under its request id")


@pytest.mark.parametrize("facts", [{"fingerprint": "another"}, {"fingerprint": ""}, {"gateway": "elsewhere"}])
def test_a_log_is_checked_by_what_was_sent_with_its_own_key(facts):
    """What another key, or what may be another gateway, has accepted shows nothing: not even that it is cut short."""
    before, after = accepted("before", 1000, **facts), accepted("after", 5000, **facts)
    assert findings(judge([LOST], [before, AFTER], LISTED, proof=False)) == [UNDECIDED]
    assert findings(judge([LOST], [BEFORE, after], LISTED, proof=False)) == [UNDECIDED]
    assert findings(judge([LOST], [accepted("x", 3100, **facts)])) == [NOT_CHARGED]


def test_a_key_may_have_several_fingerprints():
    """It has one for each time it was taken into use: all that fit it are its own."""
    others = [accepted("before", 1000, fingerprint="first"), accepted("after", 5000, fingerprint="second")]
    assert findings(judge([LOST], others, LISTED, proof=False, keys=("first", KEY, "second"))) == [NOT_CHARGED]
    assert findings(judge([LOST], others, LISTED, proof=False, keys=("first", KEY))) == [UNDECIDED]


@pytest.mark.parametrize(
    ("facts", "rows", "finding"),
    [
        ({}, [3001], NOT_CHARGED),
        ({"fingerprint": ""}, [3001], UNDECIDED),
        ({"fingerprint": ""}, [3001, 3002], CHARGED),
        ({"fingerprint": "another"}, [3001], CHARGED),
        ({"fingerprint": "another"}, [3001, 3002], UNDECIDED),
        ({"gateway": "elsewhere"}, [3001], UNDECIDED),
        ({"gateway": "elsewhere"}, [3001, 3002], CHARGED),
    ],
)
def test_what_is_accepted_has_a_charge_in_the_log_of_its_own_key(facts, rows, finding):
    """For sure only there; where its key or its gateway is not known to be this one it may have one all the same."""
    known = accepted("known", 2999, 3005, request_id=None, **facts)
    [verdict] = judge([LOST], [known], [charge(at) for at in rows], exclusive=True)
    assert verdict.finding is finding


@pytest.mark.parametrize(
    ("sent", "rows", "finding"),
    [
        (3001, [], NOT_CHARGED),
        (3001, [3001], UNDECIDED),
        (3001, [3001, 3002], CHARGED),
        (100, [3001], CHARGED),
    ],
)
def test_what_was_lost_under_another_name_of_the_gateway_is_a_rival(sent, rows, finding):
    """One gateway may be known by two addresses: a charge may be the other's, unless that was long before."""
    other = intent("other", sent, sent + 10, gateway="elsewhere")
    [verdict] = judge([LOST], [other], [charge(at) for at in rows], exclusive=True)
    assert verdict.finding is finding


# the time of a submission


@pytest.mark.parametrize(
    ("sent", "attempted", "settled", "end"),
    [
        (100, None, 110, 110 + LONGEST),
        (100, 300, 310, 310 + LONGEST),
        (100, None, None, 220 + LONGEST),
        (100, 900, None, 1020 + LONGEST),
    ],
)
def test_its_time_begins_with_the_first_attempt_and_ends_long_after_the_last(sent, attempted, settled, end):
    """The gateway may work on for ten minutes; of a process that died nobody knows when it had sent it."""
    found = span_of(intent("x", sent, settled, attempted_at=moment(attempted)))
    assert (found.start - ZERO, found.end - ZERO) == (sent, end)


def test_one_without_times_is_never_decided():
    """Nothing was accepted before 1970."""
    [verdict] = judge([msgspec.structs.replace(LOST, created_at=None, settled_at=None)])
    assert verdict.finding is UNDECIDED


def test_what_cannot_be_asked_is_undecided():
    """All of them, with the reason."""
    assert [(found.intent, found.finding, found.evidence) for found in undecided([LOST, BEFORE], "why")] == [
        (LOST, UNDECIDED, "why"),
        (BEFORE, UNDECIDED, "why"),
    ]


# whole histories


class True_(NamedTuple):  # noqa: N801 - what truly happened
    intent: Intent
    charged: bool
    task_id: str


class History(NamedTuple):
    """What truly happened, and what may be seen of it."""

    truths: dict[str, True_]
    kept: list[Intent]
    judged: list[Intent]
    charges: list[Charge]
    made: list[Made]
    now: float
    ahead: float
    """How far the gateway's clock seems to be ahead: three seconds off at most."""
    exclusive: bool


WORDS = [{"prompt": "a"}, {"prompt": "b", "title": "T"}, {"gpt_description_prompt": "c"}, {}]
OLD_KEY = "fingerprint of the key when it was in use before"
FATES = ["accepted"] * 6 + ["salvaged", "rejected", "lost", "lost", "answered", "died", "adopted"]


def history(rng: Random) -> History:
    """Submissions of ours and of others over some hours, and the accounts a gateway of 2026 keeps of them."""
    ahead, exclusive = rng.choice((0.0, 3.0, -40.0, 86_400.0)), rng.random() < 0.6
    end, at, truths, rows, made = 0.0, 0.0, {}, [], []
    busy, chained = rng.choice((20.0, 300.0, 2000.0)), rng.random() < 0.2
    spelling = rng.choice(("suno_{}", "suno-{}", "suno_music_{}"))
    mixed, elsewhere = rng.random() < 0.3, set()
    for number in range(rng.randint(2, 14)):
        at += rng.uniform(0, busy)
        fate = rng.choice(FATES)
        truth, when = _happens(rng, f"i{number}", at, fate, chained=chained)
        if mixed:
            truth, same_key = _otherwise(rng, truth)
            elsewhere |= set() if same_key else {truth.intent.intent_id}
        truths[truth.intent.intent_id] = truth
        end = max(end, at + 130.0, *(mark.timestamp() - ZERO for mark in _moments(truth.intent)))
        if truth.charged:
            words = rng.choice((truth.intent.body, b"[]", b'{"prompt": "made up", "title": "T"}'))
            rows.append((when, truth.intent.action, truth.intent.intent_id, truth.task_id, words))
    for number in range(0 if exclusive else rng.randint(0, 6)):
        words = json.dumps(rng.choice(WORDS)).encode()
        rows.append((rng.uniform(0, end), rng.choice(("music", "lyrics")), f"o{number}", f"t_o{number}", words))
    now = end + rng.choice((0.0, 300.0, 800.0, 5000.0))
    rows = sorted(row for row in rows if row[0] <= now)
    listed = _listed(rng, rows, end)
    for when, action, _, task_id, words in rows:
        second = float(int(ZERO + when + ahead + rng.uniform(0, 2)))
        made.append(Made(task_id, rng.choice(("", action.upper())), second, words_of(words)))
    charges = [
        Charge(float(int(ZERO + when + ahead + rng.uniform(0, 3))), spelling.format(action), name)
        for when, action, name, *_ in listed
        if name not in elsewhere
    ]
    rng.shuffle(made)
    kept = [truth.intent for truth in truths.values()]
    doubtful = [intent for intent in kept if intent.state is IntentState.UNKNOWN]
    home = [intent for intent in doubtful if not intent.gateway]
    judged = [intent for intent in home if intent.settled_at is not None or rng.random() < 0.7]
    return History(truths, kept, judged, charges, made, ZERO + now, ahead + rng.uniform(-3, 3), exclusive)


def _happens(rng: Random, name: str, at: float, fate: str, *, chained: bool) -> tuple[True_, float]:
    """One submission of ours: what came of it, when, and what its intent says."""
    status = rng.choice((200, 502)) if fate == "answered" else 0
    # a gateway behind has told its own name with its success
    told = f"upstream_{name}" if chained and status != 502 else name
    takes = rng.choice((0.5, 2.0, 30.0, 119.0))
    charged = fate in {"accepted", "salvaged", "adopted"} or (fate != "rejected" and rng.random() < 0.5)
    tried = at + rng.choice((0.0, 0.0, 0.0, 0.0, 200.0, 900.0))
    when = tried + rng.uniform(0, takes)
    if fate in {"lost", "died"} and rng.random() < 0.3:
        # the gateway works on when its client has left
        when = tried + rng.uniform(0, LONGEST)
    settled = None if fate == "died" else tried + takes
    known = charged and fate not in {"lost", "answered", "died"}
    facts = {
        "action": rng.choice(("music", "music", "lyrics")),
        "words": rng.choice(WORDS),
        "state": IntentState.UNKNOWN,
        "request_id": told if fate in {"accepted", "answered"} else None,
        "status": status,
        "task_id": f"t_{name}" if known else None,
        "reason": "found" if fate == "adopted" else "",
    }
    if fate == "rejected":
        facts |= {"state": IntentState.REJECTED, "request_id": name}
    elif known:
        facts["state"] = IntentState.ACCEPTED
    if fate == "adopted":
        settled = tried + rng.uniform(takes, 5000)
    if tried > at:
        facts["attempted_at"] = moment(tried)
    if settled is not None and fate != "adopted" and rng.random() < 0.15:
        # our clock was ahead when it was sent, and was set back before it was answered
        wrong = tried + takes + rng.choice((1.0, 20.0, 300.0, 3600.0))
        at, facts["attempted_at"] = (wrong - 1, moment(wrong)) if tried > at else (wrong, None)
    return True_(intent(name, at, settled, **facts), charged, f"t_{name}"), when


def _otherwise(rng: Random, truth: True_) -> tuple[True_, bool]:
    """The same with another key or under another name of the gateway; False with it if its log is another one."""
    fingerprint = rng.choice((KEY, KEY, OLD_KEY, "another", ""))
    gateway = rng.choice(("", "", "", "also here"))
    changed = msgspec.structs.replace(truth.intent, fingerprint=fingerprint, gateway=gateway)
    return truth._replace(intent=changed), fingerprint in {KEY, OLD_KEY} or (not fingerprint and rng.random() < 0.5)


def _moments(kept: Intent) -> list[datetime]:
    """When it was sent at last, and when it was answered."""
    adopted = bool(kept.reason)
    return [each for each in (kept.attempted_at, None if adopted else kept.settled_at) if each is not None]


def _listed(rng: Random, rows: list, end: float) -> list:
    """What the log shows: all, or what a switch, a change of the key, or a limit has left of it; in any order."""
    moment, how = rng.uniform(0, end), rng.choice(("all", "all", "all", "since", "until", "newest"))
    if how == "since":
        rows = [row for row in rows if row[0] >= moment]
    elif how == "until":
        rows = [row for row in rows if row[0] < moment]
    elif how == "newest":
        rows = rows[-rng.randint(1, 6) :]
    return rng.sample(rows, len(rows))


def verdicts_of(seen: History) -> list:
    charges = by_charges(
        seen.judged, seen.kept, seen.charges, seen.now, fingerprints={KEY, OLD_KEY}, exclusive=seen.exclusive
    )
    tasks = by_tasks(seen.judged, seen.kept, seen.made, frozenset(), seen.ahead, seen.now, exclusive=seen.exclusive)
    return [*charges, *tasks]


def check(seen: History) -> Counter:
    """Every verdict that is one is true; how many there are of each."""
    found = verdicts_of(seen)
    for verdict in found:
        truth = seen.truths[verdict.intent.intent_id]
        if verdict.finding is NOT_CHARGED:
            assert not truth.charged, verdict
        elif verdict.finding is CHARGED:
            assert truth.charged, verdict
        elif verdict.finding is ADOPTED:
            assert truth.charged, verdict
            assert verdict.task_id == truth.task_id
        assert (verdict.task_id is not None) == (verdict.finding is ADOPTED)
        assert verdict.evidence
    return Counter(verdict.finding for verdict in found)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.randoms(use_true_random=False))
def test_no_verdict_is_wrong(rng):
    """Whatever happened and however much of it can be seen: what is said to be so is so, or it is undecided."""
    seen = history(rng)
    assert check(seen).total() == len(verdicts_of(seen))


def test_histories_have_verdicts_of_every_kind():
    """The property above is about something: in a thousand histories each finding occurs dozens of times."""
    found = sum((check(history(Random(seed))) for seed in range(1000)), Counter())
    assert all(found[finding] >= 30 for finding in Finding), found


@pytest.mark.long
def test_no_verdict_is_wrong_in_very_many_histories():
    """The same for a hundred thousand histories."""
    found = sum((check(history(Random(seed))) for seed in range(1000, 101_000)), Counter())
    assert all(found[finding] >= 3000 for finding in Finding), found
