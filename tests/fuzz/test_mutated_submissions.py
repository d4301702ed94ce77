"""Damaged answers to submissions: money hangs on these.

What is allowed, and why. An id cannot be verified, so an id in which a byte is another one reads as another id; but an
id that was cut, or that ends in the middle of itself, is none. Of an answer whose code, words and data are all touched
nothing is left that was a yes, so it may read as a no; nothing less may (`properties.check_accepted`).
"""

import json
from collections.abc import Callable, Iterable
from random import Random

import pytest
from corpus import ACCEPTED, REFUSED, Accepted
from documents import Members, written
from examples import DICE, each, some
from hypothesis import given
from hypothesis import strategies as st
from mutations import ODD, WRAPS, Damaged, Strip, damage_short, hurt, places, put
from properties import check_accepted, check_any_outcome, check_refused, judged

from suno_async.protocol.errors import RequestRejected, SubmitUnknown
from suno_async.protocol.inputs import is_task_id

NAMES = [accepted.name for accepted in ACCEPTED]


def whole(accepted: Accepted) -> bytes:
    return written(accepted.told.document)[0] + accepted.behind


@pytest.mark.parametrize("accepted", ACCEPTED, ids=NAMES)
def test_an_undamaged_acceptance_is_its_id(accepted):
    """Every answer of the corpus is accepted: so that it is damage, where one is unknown."""
    assert check_accepted(accepted, Damaged(whole(accepted), frozenset())) == [accepted.task_id] * 2


@some(600)
@given(DICE, st.sampled_from(ACCEPTED))
def test_a_damaged_acceptance_is_its_id_or_unknown(dice, accepted):
    """Damage never turns "accepted" into "not charged", and never into another task's id."""
    check_accepted(accepted, damage_short(accepted.told, dice, accepted.behind))


@some(300)
@given(DICE, st.sampled_from(REFUSED))
def test_a_damaged_refusal_names_no_task(dice, refused):
    """Damage never turns "no" into the id of a task."""
    status, told = refused
    check_refused(status, damage_short(told, dice))


def check_bytes(accepted: Accepted, others: Callable[[int], Iterable[int]]) -> None:
    """Each byte as each of those others: the id, or one of the same length with that byte in it, or unknown."""
    body = whole(accepted)
    _, spans = written(accepted.told.document)
    for place, byte in enumerate(body):
        for other in others(byte):
            strip = Strip(body)
            strip.replace(place, place + 1, bytes([other]))
            for found in check_accepted(accepted, Damaged(bytes(strip.body), hurt(strip, accepted.told, spans))):
                assert not isinstance(found, str) or len(found) == len(accepted.task_id)


@pytest.mark.parametrize("accepted", ACCEPTED, ids=NAMES)
def test_no_flipped_bit_makes_another_end_of_an_id(accepted):
    """Each bit of each byte, and each byte as a quote or a backslash, which end strings and join them."""
    check_bytes(accepted, lambda byte: [*(byte ^ 1 << bit for bit in range(8)), *b'"\\'])


@pytest.mark.long
@pytest.mark.parametrize("accepted", ACCEPTED, ids=NAMES)
def test_no_other_byte_makes_another_end_of_an_id(accepted):
    """Each byte as every other byte."""
    check_bytes(accepted, lambda byte: (other for other in range(256) if other != byte))


@pytest.mark.parametrize("accepted", ACCEPTED, ids=NAMES)
def test_a_cut_id_is_none(accepted):
    """Cut at any byte, before the id has ended there is no id; from its last quote on there is."""
    body = whole(accepted)
    end = body.index(accepted.task_id.encode()) + len(accepted.task_id) + 1
    for place in range(len(body)):
        for found in judged(200, body[:place]):
            assert found == accepted.task_id if place >= end else type(found) is SubmitUnknown


@some(250)
@given(DICE, st.sampled_from(ACCEPTED))
def test_a_cut_id_is_none_after_other_damage_either(dice, accepted):
    """Whatever happened to the rest of it, an answer that ends inside the id names nothing."""
    damaged = damage_short(accepted.told, dice, accepted.behind)
    place = damaged.body.find(accepted.task_id.encode())
    if place >= 0 and (0, "id") not in damaged.hurt and accepted.task_id.encode() not in damaged.body[place + 1 :]:
        cut = damaged.body[: place + dice.randrange(len(accepted.task_id) + 1)]
        assert [type(found) for found in judged(200, cut)] == [SubmitUnknown] * 2


@pytest.mark.parametrize("accepted", ACCEPTED, ids=NAMES)
@pytest.mark.parametrize("wrap", WRAPS)
def test_what_stands_around_an_acceptance_refuses_nothing(accepted, wrap):
    """A page, a guard or another encoding around an acceptance leaves it accepted or unknown."""
    check_accepted(accepted, Damaged(WRAPS[wrap](whole(accepted)), frozenset()))


@pytest.mark.parametrize("accepted", ACCEPTED, ids=NAMES)
def test_no_field_of_the_wrong_type_refuses_anything(accepted):
    """Each field in turn, and each two of them, hold what they should not: still nothing reads as a refusal."""
    everywhere = places(accepted.told.document)[1:]
    for place in everywhere:
        for odd in ODD:
            once = put(accepted.told.document, place, odd)
            check_accepted(accepted, Damaged(written(once)[0], accepted.told.hurt(place)))
    for other in ODD:
        once = put(put(accepted.told.document, ("code",), other), ("data",), None)
        touched = accepted.told.hurt(("code",)) | accepted.told.hurt(("data",))
        check_accepted(accepted, Damaged(written(once)[0], touched))


@pytest.mark.parametrize("accepted", ACCEPTED, ids=NAMES)
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20])
def test_of_a_key_that_stands_there_twice_the_last_one_counts(accepted, odd):
    """In a whole answer, that is: nothing that stood before an id takes its place."""
    members = list(accepted.told.document.items())
    for key, _ in members:
        body, _ = written(Members([(key, odd), *members]))
        found = judged(200, body + accepted.behind)[0]
        assert found == accepted.task_id if isinstance(found, str) else type(found) is SubmitUnknown


@pytest.mark.parametrize("number", [2**63 - 1, 10**18], ids=["most", "usual"])
def test_a_number_is_an_id_where_it_can_be_one(number):
    """A snowflake names a task."""
    assert judged(200, json.dumps({"code": "success", "data": number}).encode())[0] == str(number)


@pytest.mark.parametrize("number", [2**63, 10**40, 10**127, 10**128, 10**4000], ids=lambda number: number.bit_length())
def test_a_number_that_no_gateway_counts_to_is_no_id(number):
    """A number that is longer than a snowflake is damage: nobody can be asked for it."""
    assert type(judged(200, json.dumps({"code": "success", "data": number}).encode())[0]) is SubmitUnknown


WORDS = ["suc", "sucXess", "success736a6f88", "S"]


@pytest.mark.parametrize("message", [{}, {"message": ""}, {"message": " "}, {"msg": "success"}, {"message": None}])
@pytest.mark.parametrize("word", WORDS)
def test_a_word_without_a_reason_is_no_refusal(word, message):
    """A code nobody knows, with nothing said about it, may be what is left of "success"; one that begins so, always."""
    for body in ({"code": word, **message}, {"code": word, **message, "data": None}):
        assert type(judged(200, json.dumps(body).encode())[0]) is SubmitUnknown
    body = {"code": word, "message": "prompt was refused", "data": None}
    refused = SubmitUnknown if word.startswith("success") else RequestRejected
    assert type(judged(200, json.dumps(body).encode())[0]) is refused


@pytest.mark.parametrize("quote", ['"', '" ', '"\n\t'], ids=ascii)
@pytest.mark.parametrize("behind", ["88-bd29", '"', "{", "\\", "1", "\x00"], ids=ascii)
def test_an_id_with_more_of_it_behind_its_quote_is_none(quote, behind):
    """A quote in the middle of an id ends it for no reader: something has to end behind it as well."""
    body = f'{{"code":"success","message":"","data":"736a6f{quote}{behind}'.encode()
    assert [type(found) for found in judged(200, body)] == [SubmitUnknown] * 2


@some(500)
@given(st.binary(max_size=120), st.integers(100, 999))
def test_any_bytes_have_an_outcome(body, status):
    """Every answer has an outcome; it is an id that can be asked for, or an error that says what is known."""
    check_any_outcome(status, body)


@some(300)
@given(DICE, st.integers(100, 999))
def test_any_damage_has_an_outcome_under_any_status(dice, status):
    """A status that does not fit the body is no surprise either."""
    accepted = dice.choice(ACCEPTED)
    check_any_outcome(status, damage_short(accepted.told, dice).body)


@pytest.mark.long
def test_many_damaged_submissions():
    """The same with dice of fifteen thousand seeds."""

    def check(dice: Random) -> None:
        accepted = dice.choice(ACCEPTED)
        check_accepted(accepted, damage_short(accepted.told, dice, accepted.behind))
        status, told = dice.choice(REFUSED)
        check_refused(status, damage_short(told, dice))

    each(range(15_000), check)


def test_the_outcomes_of_damage_differ():
    """The damage is neither harmless nor total: many an id comes through, and many another does not."""
    found = []
    for seed in range(1000):
        dice = Random(seed)
        accepted = dice.choice(ACCEPTED)
        outcome = check_accepted(accepted, damage_short(accepted.told, dice, accepted.behind))[0]
        found.append(outcome == accepted.task_id if isinstance(outcome, str) else None)
    assert found.count(True) > 200
    assert found.count(None) > 200
    assert found.count(False) > 5
    assert is_task_id(ACCEPTED[0].task_id)
