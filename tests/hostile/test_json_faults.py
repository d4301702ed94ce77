"""Faults 55 to 67 through the public client: one bad byte costs no song, and no document ends a wait."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from verdicts import (
    ACCEPTED,
    UNKNOWN,
    Fault,
    assert_look,
    assert_many,
    assert_submission,
    assert_wait,
    spoiled,
)
from wire import HASTY, Call, Step, answer, row

from suno_async import ConfigurationError, RequestRejected, SunoError, UnexpectedResponse


@pytest.fixture
def anyio_backend():
    """Real sockets, and a clock that runs thirty times as fast."""
    return HASTY


def harmless(damage: Callable[[bytes], bytes]) -> Fault:
    """The song and the id are in there all the same."""
    return Fault(spoiled(damage), None, ACCEPTED)


def hopeless(
    damage: Callable[[bytes], bytes], look: type[SunoError] = UnexpectedResponse, submit: str = UNKNOWN
) -> Fault:
    """Nothing can be read in there."""
    return Fault(spoiled(damage), look, submit)


def beside(more: bytes) -> Callable[[bytes], bytes]:
    """One more field in the row, and in the answer of a submission."""

    def damage(body: bytes) -> bytes:
        spoiled_row = body.replace(b'"fail_reason":', more + b', "fail_reason":')
        return spoiled_row if spoiled_row != body else body[:-1] + b", " + more + b"}"

    return damage


def instead(name: str, value: bytes) -> Callable[[bytes], bytes]:
    """Another value for a field, wherever it stands."""
    field = re.compile(rb'"%s": ("[^"]*"|null|[^,}]*)' % name.encode())
    return lambda body: field.sub(lambda _: b'"%s": %s' % (name.encode(), value), body)


def with_columns(**columns: Any) -> Step:
    """Rows with these columns, and an ordinary yes to a submission."""

    def step(call: Call) -> bytes:
        if "/submit/" in call.path:
            return answer({"code": "success", "message": "", "data": "task_1"})
        rows = [row(task_id, "SUCCESS") | columns for task_id in call.ids]
        return answer({"code": "success", "data": rows[0] if call.method == "GET" else rows})

    return step


def taking(data: object, submit: str = UNKNOWN, **more: object) -> Fault:
    """A yes to a submission that says this for an id; looks are read as ever."""

    def step(call: Call) -> bytes:
        if "/submit/" not in call.path:
            return with_columns()(call)
        return answer({"code": "success", "message": "", "data": data, **more})

    return Fault(step, None, submit)


DEEP = b"[" * 10**5 + b"]" * 10**5
FAULTS = {
    "55 empty": hopeless(lambda _: b""),
    "55 one brace": hopeless(lambda _: b"{"),
    "55 cut in the middle": hopeless(lambda body: body[:12]),
    "55 cut at the last brace": hopeless(lambda body: body[:-1], submit=ACCEPTED),
    "55 a page": hopeless(lambda _: b"<html></html>", ConfigurationError),
    "55 not even text": hopeless(lambda _: bytes(range(256))),
    "56 byte order mark": harmless(lambda body: b"\xef\xbb\xbf" + body),
    "56 blanks before it": harmless(lambda body: b"\r\n\t " + body),
    "56 UTF-16": hopeless(lambda body: body.decode().encode("utf-16")),
    "56 UTF-32": hopeless(lambda body: body.decode().encode("utf-32")),
    "57 bad UTF-8 in a field that is read": harmless(instead("title", b'"\xff\xfe\x80"')),
    "57 bad UTF-8 in the message": harmless(instead("message", b'"\xc3\x28"')),
    "58 bad UTF-8 in a field that is not read": harmless(beside(b'"x": "\xff"')),
    "59 half a surrogate in a title": harmless(instead("title", b'"\\ud800"')),
    "59 half a surrogate beside it": harmless(beside(b'"x": "\\udfff\\ud800"')),
    "60 NaN": harmless(beside(b'"x": NaN')),
    "60 Infinity in a length": harmless(beside(b'"duration": -Infinity')),
    "61 1e999": harmless(beside(b'"finish_time": 1e999, "x": -1e999')),
    "62 an id twice, the last one right": harmless(
        lambda body: body.replace(b'{"task_id"', b'{"task_id": "task_9", "task_id"')
    ),
    "62 an id twice, the last one wrong": Fault(
        spoiled(lambda body: body.replace(b', "action"', b', "task_id": "task_9", "action"')),
        UnexpectedResponse,
        ACCEPTED,
    ),
    "62 everything twice": harmless(lambda body: body[:-1] + b", " + body[1:]),
    "63 2 to the 64th": harmless(beside(b'"submit_time": 18446744073709551616')),
    "63 4,000 digits": harmless(beside(b'"submit_time": ' + b"9" * 4000)),
    "63 5,000 digits": harmless(beside(b'"finish_time": -' + b"9" * 5000)),
    "63 a million digits": harmless(beside(b'"quota": ' + b"9" * 10**6)),
    "64 a hundred thousand deep, beside it": hopeless(beside(b'"x": ' + DEEP), submit=ACCEPTED),
    "64 a hundred thousand deep, all of it": hopeless(lambda _: DEEP),
    "64 a hundred thousand deep, and never closed": hopeless(lambda _: b'{"a":' * 10**5),
    "65 text behind it": harmless(lambda body: body + b"\n<!-- served by cache-7 -->"),
    "65 a second document that says no": harmless(
        lambda body: body + b'{"code":"insert_task_failed","message":"x","data":null}'
    ),
    "65 NUL behind it": harmless(lambda body: body + b"\x00" * 512),
    "65 a second document that says yes": Fault(
        spoiled(lambda body: b'{"code":"fail_to_fetch_task","message":"x","data":null}' + body),
        RequestRejected,
        UNKNOWN,
    ),
    "66 times as floats and texts": Fault(
        with_columns(submit_time=1.5, start_time="1700000000", finish_time="soon"), None, ACCEPTED
    ),
    "66 times as objects": Fault(with_columns(submit_time={}, start_time=[], finish_time=True), None, ACCEPTED),
    "66 progress as a number": Fault(with_columns(progress=100), None, ACCEPTED),
    "66 progress as anything": Fault(with_columns(progress=[{"x": None}]), None, ACCEPTED),
    "66 a reason that is none": Fault(with_columns(fail_reason=None), None, ACCEPTED),
    "66 an action that is none": Fault(with_columns(action=None), None, ACCEPTED),
    "66 the code as a number": harmless(instead("code", b"200")),
    "66 the code as null": harmless(instead("code", b"null")),
    "66 a title that is a number": harmless(instead("title", b"5")),
    "66 a title that is a list": harmless(instead("title", b"[[]]")),
    # 81: asked for by its id, on a connection that served nothing else, it can be no other task
    "66 an id that is null": Fault(with_columns(task_id=None), None, ACCEPTED),
    "66 rows that are texts": hopeless(lambda _: b'{"code": "success", "data": "task_9!"}'),
    "66 rows that are numbers": hopeless(lambda _: b'{"code": "success", "data": [1, 2, 3]}'),
    "66 a list of nothing": hopeless(lambda _: b'{"code": "success", "data": []}'),
    "66 only a number": hopeless(lambda _: b"5"),
    "66 only null": hopeless(lambda _: b"null"),
    "66 only a text": hopeless(lambda _: b'"task_1"'),
    "66 a submission without an id: null": taking(None),
    "66 a submission without an id: empty": taking(""),
    "66 a submission without an id: a list": taking([]),
    "66 a submission without an id: an object": taking({}),
    "66 a submission without an id: truth": taking(True),
    "66 a submission without an id: a small number": taking(5),
    "66 a submission without an id: a path": taking("../../api/user/self"),
    "66 a submission without an id: a word": taking("pending"),
    "66 a submission without an id: very long": taking("x" * 129),
    "66 a submission with its id in an object": taking({"task_id": "task_1"}, ACCEPTED),
    "66 a submission with its id in a list": taking([{"taskId": "task_1"}], ACCEPTED),
    "66 a submission whose task has failed": taking({"task_id": "task_1", "status": "FAILURE"}, ACCEPTED),
    "66 a submission that has failed": taking("task_1", status="failed"),
    "67 three megabytes beside it": harmless(beside(b'"x": "' + b"y" * 3 * 2**20 + b'"')),
    "67 three megabytes of a title": harmless(instead("title", b'"' + b"y" * 3 * 2**20 + b'"')),
    "67 a hundred thousand fields": harmless(
        beside(b", ".join(b'"%d": %d' % (number, number) for number in range(10**5)))
    ),
    "67 a hundred thousand lists": harmless(beside(b'"x": [' + b"[]," * 10**5 + b"[]]")),
    "67 five megabytes beside it": hopeless(beside(b'"x": "' + b"y" * 5 * 2**20 + b'"'), submit=ACCEPTED),
    "67 five megabytes before it": hopeless(lambda body: b" " * 5 * 2**20 + body),
}
every = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


def test_every_fault_is_one():
    """Each damage does what it says: no answer of the table is what a well-behaved gateway says."""
    look = Call(b"GET /suno/fetch/task_1 HTTP/1.1\r\n\r\n", 1, 1, (None, None))
    submission = Call(b"POST /suno/submit/music HTTP/1.1\r\n\r\n", 1, 1, (None, None))
    right = [spoiled(lambda body: body)(call) for call in (look, submission)]
    for name, fault in FAULTS.items():
        assert [fault.step(call) for call in (look, submission)] != right, name
    assert json.loads(right[1].partition(b"\r\n\r\n")[2])["data"] == "task_1"


@every
async def test_a_look_at_damaged_json_loses_no_song(fault):
    """What can be read is read; what cannot is an error of its own, and the client is fit for the next look."""
    await assert_look(fault)


@every
async def test_a_wait_goes_on_over_damaged_json(fault):
    """No document ends a wait but the one with the song in it."""
    await assert_wait(fault)


@every
async def test_a_bulk_wait_goes_on_over_damaged_json(fault):
    """No document ends a bulk wait: every song comes, each once."""
    await assert_many(fault)


@every
async def test_a_submission_answered_with_damaged_json_is_sent_once(fault):
    """An id that can be read is taken, one that cannot leaves it unknown, and neither costs a second request."""
    await assert_submission(fault)
