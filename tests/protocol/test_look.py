"""One look: what it holds, and what is read of its row."""

import json

import pytest

from suno_async.protocol.look import Look, Page, forget, is_final, known, read_rows
from suno_async.protocol.models import Status, Task

ROWS = [{"task_id": name, "status": "SUCCESS", "progress": "100%", "submit_time": 7, "data": []} for name in "abc"]
TIMES = {"submit_time": 1716192124, "start_time": 5, "finish_time": 6, "updated_at": 9}


def body(*rows: object) -> bytes:
    return json.dumps({"code": "success", "message": "", "data": rows}).encode()


def look(source: Task | bytes | Page, index: int = 0, *, task_id: str = "a", status: Status = Status.SUCCESS) -> Look:
    return Look(task_id, status, 1, frozen=False, action="MUSIC", source=source, index=index)


def page(*rows: object, remembered: bool = False) -> Page:
    return Page(body(*(rows or ROWS)), remembered=remembered)


def test_the_task_is_read_from_wherever_it_is():
    """A look gives the same task from its row, from the answer it is in, and from a task that was read already."""
    row = json.dumps(ROWS[1]).encode()
    task = look(row, task_id="b").task()
    assert (task.task_id, task.status, task.progress, task.payload) == ("b", Status.SUCCESS, 100, row)
    assert look(page(), 1, task_id="b").task() == task
    assert look(task, task_id="b").task() is task


@pytest.mark.parametrize(
    "row", [{"data": {"x": 1}}, {"data": 7}, {"progress": ["?"]}, {"submit_time": "soon"}], ids=str
)
def test_a_row_of_another_shape_keeps_whose_it_is(row):
    """What the fast path cannot read is read by `dialects`; id and status stay those of the look, also its payload."""
    payload = json.dumps({"task_id": "x", "status": "nonsense"} | row).encode()
    task = look(payload, status=Status.QUEUED).task()
    assert (task.task_id, task.status, task.status_text) == ("a", Status.QUEUED, "QUEUED")
    assert task.payload == payload


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b"{", b"[[1]]", b"\xff"])
def test_a_row_that_cannot_be_read_is_still_a_task(payload):
    """There is always a task: with the id and the status, and with what came in the place of a row."""
    task = look(payload, status=Status.FAILURE).task()
    assert (task.task_id, task.status, task.payload) == ("a", Status.FAILURE, payload)


def test_a_kept_look_holds_its_row_only():
    """What is kept of an answer that nobody remembers says the same, and does not pin it."""
    mine = look(page(), 2, task_id="c")
    names = ("task_id", "status", "mark", "frozen", "action")
    said, task = [getattr(mine, name) for name in names], mine.task()
    assert mine.kept() is mine
    assert [getattr(mine, name) for name in names] == said
    assert mine.source == json.dumps(ROWS[2]).encode()
    assert mine.task() == mine.kept().task() == task
    assert mine.keepers == 2
    assert look(task).kept().source is task


def test_what_is_remembered_is_cut_when_it_is_forgotten():
    """Of an answer that is held anyway rows are cut out when it is forgotten, those that are kept by somebody."""
    answer = page(remembered=True)
    kept, left, never, told = (look(answer, number) for number in (0, 1, 2, 0))
    task = known(Task(task_id="d"))
    for each in (kept, kept, left, task):
        each.kept()
    left.keepers -= 1
    assert all(each.source is answer for each in (kept, left, never, told))
    forget([kept, left, never, task])
    assert kept.source == json.dumps(ROWS[0]).encode()
    assert left.source is never.source is answer
    assert not answer.remembered
    assert told.kept().source == kept.source


def test_the_times_of_a_row_are_read_from_wherever_it_is():
    """A look tells when the gateway touched its row; a task that was read already knows no ``updated_at``."""
    row = ROWS[0] | TIMES
    for mine in (look(json.dumps(row).encode()), look(page(ROWS[1], row), 1), look(page(row)).kept()):
        times = mine.times()
        assert {name: getattr(times, name) for name in TIMES} == TIMES
    times = look(look(json.dumps(row).encode()).task()).times()
    assert times.submit_time.timestamp() == TIMES["submit_time"]
    assert (times.start_time.timestamp(), times.finish_time.timestamp(), times.updated_at) == (5, 6, None)


def test_times_that_cannot_be_read_are_none():
    """A row that is no object any more, or was never whole, has no times; nothing is raised."""
    for source in (b"", b"[1]", b'{"submit_time":', b"null"):
        times = look(source, status=Status.IN_PROGRESS).times()
        assert (times.submit_time, times.finish_time, times.updated_at) == (None, None, None)


def test_a_row_is_a_copy():
    """A row that is cut out is the bytes that came, however they were spaced; the answer is read once for all."""
    answer = Page(b'{"code":"success", "data": [ {"task_id": "a" } ,\n[1, 2] ]}', remembered=False)
    assert [answer.row(0), answer.row(1)] == [b'{"task_id": "a" }', b"[1, 2]"]
    with pytest.raises(IndexError):
        answer.row(2)


def test_an_answer_too_deep_to_read_has_nothing_in_its_rows():
    """Where the stack has no room to read the answer once more, a row is null."""
    assert Page(b'{"code":"success","data":[' + 5000 * b"[" + 5000 * b"]" + b"]}", remembered=False).row(0) == b"null"


def test_an_answer_without_rows_raises():
    """Bytes that are no answer to a look at many raise ValueError."""
    for wrong in (b"", b"{}", b'{"code":"success","data":{}}', b'{"code":"success","data":[}'):
        with pytest.raises(ValueError, match=r"."):
            read_rows(wrong)
    assert [bytes(row) for row in read_rows(body(1, "x")).data] == [b"1", b'"x"']


def test_final_is_success_or_failure():
    """Two statuses end a wait."""
    assert {status for status in Status if is_final(status)} == {Status.SUCCESS, Status.FAILURE}


def test_the_look_at_a_known_task_shows_it():
    """Its mark changes with what can be seen; it is frozen with a reason at 100 % that is no end."""
    seen = {
        "status_text": "x",
        "progress": 5,
        "fail_reason": "no",
        "songs": ("s",),
        "lyrics": "la",
    }
    plain = known(Task(task_id="a", action="MUSIC", status=Status.QUEUED))
    assert (plain.task_id, plain.action, plain.status, plain.frozen) == ("a", "MUSIC", Status.QUEUED, False)
    marks = {known(Task(task_id="a", **{name: value})).mark for name, value in seen.items()}
    assert len(marks) == len(seen)
    assert known(Task(task_id="b", payload=b"1")).mark == known(Task(task_id="c")).mark
    stuck = {"status": Status.IN_PROGRESS, "progress": 100, "fail_reason": "no"}
    assert known(Task(task_id="a", **stuck)).frozen
    for change in ({"progress": 99}, {"fail_reason": ""}, {"status": Status.FAILURE}, {"status": Status.SUCCESS}):
        assert not known(Task(task_id="a", **stuck | change)).frozen
