"""The repeats: what is read once, and what is read again."""

import json

import pytest

from suno_async.protocol.exchange import Answer
from suno_async.protocol.refusals import Kind, Trouble
from suno_async.protocol.repeats import Repeats
from suno_async.protocol.wire import read_many


def answer(*ids: str, progress: str = "30%", status: int = 200, padding: int = 0) -> Answer:
    rows = [{"task_id": each, "status": "IN_PROGRESS", "progress": progress, "x": "x" * padding} for each in ids]
    return Answer(status, {}, json.dumps({"code": "success", "message": "", "data": rows}).encode())


def test_the_same_answer_is_read_once():
    """The looks of an answer that is the same, byte for byte, are the very same; they say what reading it would."""
    repeats = Repeats()
    first, again = repeats.read(answer("a", "b"), 2), repeats.read(answer("a", "b"), 2)
    assert again is first
    fresh = read_many(answer("a", "b"))
    assert [(look.task_id, look.status, look.mark) for look in first.values()] == [
        (look.task_id, look.status, look.mark) for look in fresh.values()
    ]
    assert first["b"].task().progress == 30


@pytest.mark.parametrize("other", [answer("a", "b", progress="31%"), answer("b", "a"), answer("a")], ids=range(3))
def test_another_answer_is_read(other):
    """One byte more, less or otherwise, and it is another answer."""
    repeats = Repeats()
    first = repeats.read(answer("a", "b"), 2)
    told = repeats.read(other, 2)
    assert told is not first
    assert {name: look.mark for name, look in told.items()} == {
        name: look.mark for name, look in read_many(other).items()
    }
    # and neither is forgotten for the other
    assert repeats.read(answer("a", "b"), 2) is first
    assert repeats.read(other, 2) is told


def test_an_answer_to_more_ids_is_another_one():
    """How much of an answer is read depends on how many were asked for."""
    repeats = Repeats()
    assert repeats.read(answer("a"), 2) is not repeats.read(answer("a"), 3)
    assert repeats.read(answer("a"), 2) is repeats.read(answer("a"), 2)


def test_who_asks_for_many_is_told_of_all_of_them():
    """Of rows that no stock gateway writes as many are read as were asked for."""
    rows = [{"task_id": f"a{number}", "status": "processing"} for number in range(1100)]
    body = json.dumps({"code": "success", "message": "", "data": rows}).encode()
    repeats = Repeats()
    assert [len(repeats.read(Answer(200, {}, body), asked).keys() - {""}) for asked in (1050, 1100)] == [1050, 1100]


def test_a_look_that_was_kept_is_as_good_as_before():
    """Who keeps a look cuts its row out of the answer; whoever is told the same look later reads the same task."""
    repeats = Repeats()
    task = repeats.read(answer("a", "b"), 2)["a"].kept().task()
    assert repeats.read(answer("a", "b"), 2)["a"].task() == task


@pytest.mark.parametrize("status", [199, 300, 401, 500])
def test_a_refusal_is_no_repeat(status):
    """The same bytes with another status say something else, and what says no is never remembered."""
    repeats = Repeats()
    repeats.read(answer("a"), 2)
    refused = repeats.read(answer("a", status=status), 2)
    assert isinstance(refused, Trouble)
    assert isinstance(repeats.read(answer("a", status=status), 2), Trouble)
    assert isinstance(Repeats().read(Answer(200, {}, b"no"), 2), Trouble)


@pytest.mark.parametrize("status", [200, 299])
def test_any_yes_is_a_repeat(status):
    """201 with the bytes of a 200 says the same."""
    repeats = Repeats()
    assert repeats.read(answer("a", status=status), 2) is repeats.read(answer("a"), 2)


def test_trouble_is_read_again():
    """What was no answer is none the next time, and says so itself."""
    repeats = Repeats()
    first, again = repeats.read(Answer(200, {}, b"no"), 2), repeats.read(Answer(200, {}, b"no"), 2)
    assert first is not again
    assert first.kind is again.kind is Kind.OUTAGE


def test_sixteen_answers_are_remembered():
    """The seventeenth takes the place of the first."""
    repeats = Repeats()
    told = [repeats.read(answer(str(number)), 2) for number in range(16)]
    assert all(repeats.read(answer(str(number)), 2) is told[number] for number in range(16))
    repeats.read(answer("16"), 2)
    assert repeats.read(answer("1"), 2) is told[1]
    assert repeats.read(answer("0"), 2) is not told[0]


def test_what_is_kept_outlives_its_answer():
    """A look that somebody keeps holds its own row once its answer is forgotten; one that nobody keeps is left."""
    repeats = Repeats()
    told = repeats.read(answer("a", "b", "c"), 2)
    kept, left, never = (told[name] for name in "abc")
    kept.kept()
    left.kept().keepers -= 1
    for number in range(15):
        repeats.read(answer(str(number)), 2)
    assert not any(isinstance(look.source, bytes) for look in told.values())
    repeats.read(answer("15"), 2)
    assert isinstance(kept.source, bytes)
    assert not isinstance(left.source, bytes)
    assert not isinstance(never.source, bytes)
    assert [look.task().task_id for look in (kept, left, never)] == ["a", "b", "c"]
    assert isinstance(never.kept().source, bytes)


def test_of_a_long_answer_only_what_is_kept_stays():
    """What is cut out of an answer that is not remembered is cut out at once."""
    look = Repeats().read(answer("a", "b", padding=1 << 17), 2)["a"]
    assert isinstance(look.kept().source, bytes)


def test_a_long_answer_is_not_remembered():
    """256 KiB are, and one byte more is not."""
    repeats = Repeats()
    most = answer("a", padding=(1 << 18) - len(answer("a").body))
    assert len(most.body) == 1 << 18
    assert repeats.read(most, 2) is repeats.read(most, 2)
    longer = answer("a", padding=(1 << 18) - len(answer("a").body) + 1)
    assert repeats.read(longer, 2) is not repeats.read(longer, 2)
