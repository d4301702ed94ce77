"""The blanks: what says that nothing is known, and what says something."""

import pytest

from suno_async.protocol.blanks import is_blank, knows_none

NONE = [
    {"code": "success", "message": "", "data": None},
    {"code": "success", "message": "no tasks", "data": []},
    {"code": 200, "msg": "nothing found", "data": {}},
    {"success": True, "message": "nothing found", "data": [None, {}]},
    {"data": {"a": None, "b": {"task_id": "", "status": 0}}},
    {"code": 0, "message": "ok", "data": [None] * 20_000},
    {"status": "success", "data": []},
]
SOMETHING = [
    {"status": "error", "message": "db down", "data": {}},
    {"status": "fail", "data": []},
    {"state": "FAILED", "data": None},
    {"ok": False, "data": None},
    {"detail": "nope", "data": []},
    {"errors": "nope", "data": []},
    {"code": 0, "message": "db down", "data": None},
    {"code": "1", "msg": "db down", "data": None},
    {"code": "success", "data": [None, {"task_id": "a"}]},
    {"code": "success", "data": {"a": [[]], "b": [[[1]]]}},
    {"code": "success", "data": [[{"a": 0}]]},
    {"code": "success", "data": 0},
    {"code": "success", "data": ""},
    {"code": "success", "data": False},
    {"code": "success", "data": [None] * 20_001},
    {"code": "success"},
    [],
    None,
    "none",
]


@pytest.mark.parametrize("document", NONE, ids=lambda document: ascii(document)[:70])
def test_an_answer_that_holds_no_task(document):
    """Nothing, or a place for each id with nothing in it, from a gateway that says yes, or says nothing."""
    assert knows_none(document)


@pytest.mark.parametrize("document", SOMETHING, ids=lambda document: ascii(document)[:70])
def test_an_answer_that_says_something_else(document):
    """An error with an empty place in it says nothing of the tasks; and where something is, it is read."""
    assert not knows_none(document)


def test_a_blank_is_one_as_deep_as_is_asked():
    """Below that anything counts that is there at all."""
    assert is_blank(None, 0)
    assert is_blank({}, 0)
    assert not is_blank([None], 0)
    assert is_blank([None, 0, "", False, {}], 1)
    assert not is_blank([[None]], 1)
    assert is_blank([[None], {"a": ""}], 2)
    assert not is_blank([[None], {"a": "b"}], 2)
