"""The tolerant reader."""

import json
import time
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol import lenient
from suno_async.protocol.lenient import Unreadable, read_json

QUICK = settings(max_examples=80, deadline=None, derandomize=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)

READ = {
    "plain": (b'{"a":1}', {"a": 1}),
    "byte order mark": (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
    "blank lines and a mark": (b'\xef\xbb\xbf \r\n{"a":1}', {"a": 1}),
    "bad UTF-8": (b'{"a":"x\xff"}', {"a": "x\ufffd"}),
    "bad UTF-8 in a key": (b'{"a\xff":1}', {"a\ufffd": 1}),
    "lone surrogate": (b'{"a":["\\ud800",{"\\udfff":"b"}]}', {"a": ["?", {"?": "b"}]}),
    "pair of surrogates": (b'{"a":"\\ud83c\\udfb5","n":NaN}', {"a": "\U0001f3b5", "n": None}),
    "NaN and infinities": (b"[NaN,Infinity,-Infinity,1]", [None, None, None, 1]),
    "number beyond floats": (b"[1e999,-1e999,1.5]", [None, None, 1.5]),
    "control characters": (b'{"a":"x\x01\ny"}', {"a": "x\x01\ny"}),
    "second document": (b'{"data":"t"}{"code":"insert_task_failed"}', {"data": "t"}),
    "text behind": (b'{"a":1} trailing', {"a": 1}),
    "snowflake beside NaN": (b'{"id":1268154180129529857,"n":NaN}', {"id": 1268154180129529857, "n": None}),
    "2**64": (b"18446744073709551616", 2**64),
    "40 digits beside NaN": (b"[" + b"9" * 40 + b",NaN]", [int("9" * 40), None]),
    "41 digits": (b"[" + b"9" * 41 + b",NaN]", [1e41, None]),
    "5000 digits": (b"[" + b"9" * 5000 + b"]", [None]),
    "duplicate keys": (b'{"a":1,"a":2}', {"a": 2}),
    "duplicate keys beside NaN": (b'{"a":1,"a":2,"n":NaN}', {"a": 2, "n": None}),
    "bare text": (b'"abc"', "abc"),
    "null": (b"null", None),
}


@pytest.mark.parametrize(("body", "document"), READ.values(), ids=READ)
def test_almost_json_is_read(body, document):
    """The first document is read, whatever a proxy or a gateway has done to the bytes around or inside it."""
    assert read_json(body) == document


UNREADABLE = {
    "empty": b"",
    "blank": b" \n",
    "page": b"<!doctype html><html></html>",
    "words": b"Bad Gateway",
    "truncated": b'{"code":"success","data":{"task',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "gzip": b"\x1f\x8b\x08\x00abc",
    "mark alone": b"\xef\xbb\xbf",
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "deep maps": b'{"a":' * 50_000,
    "deep beside NaN": b"[NaN," + b"[" * 900 + b"]" * 900 + b"]",
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_json_is_unreadable(body):
    """Bytes that hold no document raise Unreadable, which keeps none of the text."""
    with pytest.raises(Unreadable, match=r"^no JSON$") as caught:
        read_json(body)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@QUICK
@given(JSON)
def test_proper_json_comes_back_as_it_is(document):
    """What is proper JSON is read as any other reader would read it."""
    body = json.dumps(document).encode()
    assert read_json(body) == json.loads(body)


@QUICK
@given(st.binary(max_size=60) | st.text('[]{}",:\\ud8019.eE+-NaIfnity \x00', max_size=60).map(str.encode))
def test_any_bytes_are_a_document_or_unreadable(body):
    """No bytes make reading fail in another way, and what is read can be written as JSON again."""
    try:
        document = read_json(body)
    except Unreadable:
        return
    assert isinstance(msgspec.json.encode(document), bytes)


def test_field_names_become_snake_case():
    """CamelCase names and capitals are read as snake_case, nothing else changes."""
    fields = {"taskId": 1, "failReason": 2, "cld2AudioUrl": 3, "Status": 4, "ok": 5, "imageURL": 6}
    assert lenient.snake(fields) == {
        "task_id": 1, "fail_reason": 2, "cld2_audio_url": 3, "status": 4, "ok": 5, "image_url": 6,
    }  # fmt: skip


@pytest.mark.parametrize(
    "fields", [{"task_id": "a", "taskId": "b"}, {"taskId": "b", "task_id": "a"}], ids=["first", "last"]
)
def test_snake_case_wins_over_camel_case(fields):
    """Where a field is there in both spellings, the stock one counts, wherever it stands."""
    assert lenient.snake(fields) == {"task_id": "a"}


def test_snake_case_is_left_alone():
    """Fields that need no other names are the same object."""
    fields = {"task_id": 1, "data": 2}
    assert lenient.snake(fields) is fields
    assert lenient.snake({}) == {}


TEXTS = [
    ((), ""),
    ((None, "", [], {}, True), ""),
    (("a", "b"), "a"),
    (("", "b"), "b"),
    ((5, "b"), "5"),
    ((1.5,), "1.5"),
    ((True, "b"), "b"),
    ((["pop", "rock"],), "pop, rock"),
    ((["pop", 1, None],), "pop"),
    (([1, 2], "b"), "b"),
    (([""], "b"), "b"),
    (({"a": 1}, "b"), "b"),
]


@pytest.mark.parametrize(("values", "text"), TEXTS, ids=[ascii(row[0]) for row in TEXTS])
def test_text_is_the_first_that_says_something(values, text):
    """The first text, number or list of texts is taken, never a bool, a map or an empty one."""
    assert lenient.text(*values) == text


NUMBERS = [
    ((), None),
    ((None, "x", True, [], {}), None),
    ((0, 5), 0),
    ((144.88,), 144.88),
    ((" 8.12 ",), 8.12),
    (("198",), 198),
    (("45%",), 45),
    (("nan", "inf", 3), 3),
    ((2**53,), 2**53),
    ((2**53 + 1, 7), 7),
    ((10**400, 7), 7),
    ((float("nan"), 7), 7),
    ((float("inf"), 7), 7),
    ((-3,), -3),
]


@pytest.mark.parametrize(("values", "number"), NUMBERS, ids=[ascii(row[0])[:30] for row in NUMBERS])
def test_number_is_the_first_that_is_one(values, number):
    """The first finite number of a sane size is taken, also out of a text."""
    assert lenient.number(*values) == number


@pytest.mark.parametrize(
    ("value", "progress"),
    [
        (45, 45), ("45", 45), ("45%", 45), ("100%", 100), (0, 0), (33.9, 33), (150, 100), (-5, 0),
        ("", None), (None, None), ("half", None), (True, None), (10**30, None),
    ],
)  # fmt: skip
def test_progress_is_a_whole_number_to_100(value, progress):
    """Every form of progress is a whole number from 0 to 100, or none."""
    assert lenient.percent(value) == progress


def test_progress_is_taken_where_it_is():
    """The first holder of a progress counts."""
    assert lenient.percent(None, "", "30%") == 30


T0 = datetime(2024, 5, 20, 8, 2, 4, tzinfo=UTC)
MOMENTS = [
    (1716192124, T0),
    (1716192124.0, T0),
    ("1716192124", T0),
    (1716192124000, T0),
    ("1716192124000", T0),
    ("2024-05-20T08:02:04Z", T0),
    ("2024-05-20T08:02:04.000Z", T0),
    ("2024-05-20T16:02:04+08:00", T0),
    ("2024-05-20T08:02:04", T0),
    ("2024-05-20 08:02:04", T0),
    (0, None),
    ("0", None),
    (-5, None),
    ("", None),
    (None, None),
    (True, None),
    ([], None),
    ("yesterday", None),
    ("nan", None),
    (2**53, None),
    (2**63, None),
    (10**400, None),
    (10**11 - 1, datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC)),
    (10**11, datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
    ("0001-01-01T00:00:00+14:00", None),
]


@pytest.mark.parametrize(("value", "moment"), MOMENTS, ids=[ascii(row[0])[:30] for row in MOMENTS])
def test_times_are_aware_and_in_utc(value, moment):
    """Seconds, milliseconds and ISO texts are the same moment in UTC; 0 and nonsense are none."""
    read = lenient.moment(value)
    assert read == moment
    assert read is None or read.utcoffset() == timedelta(0)


@pytest.fixture
def _far_from_utc():
    """A machine whose own time is nine hours ahead of UTC."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "XYZ-9")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_far_from_utc")
def test_the_machines_time_zone_plays_no_part():
    """A time without a zone is UTC, and every time comes out in UTC, wherever the machine is."""
    for value in (1716192124, "2024-05-20T08:02:04", "2024-05-20T08:02:04Z", "2024-05-20T16:02:04+08:00"):
        assert lenient.moment(value) == T0
        assert lenient.moment(value).tzinfo is UTC


def test_the_first_moment_counts():
    """Where the first field holds no time, the next is asked."""
    assert lenient.moment(0, "soon", 2**53, 1716192124, 5) == T0
    assert lenient.moment("2024-05-20T10:02:04+02:00").tzinfo is not timezone(timedelta(hours=2))


SPOOF = "".join(
    map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)])
)


def test_server_text_loses_its_control_characters():
    """Terminal escapes, line ends and direction marks become blanks."""
    assert lenient.one_line(f"a{SPOOF}b\x1b[31mc") == "a b [31mc"
    assert lenient.one_line("无效的令牌") == "无效的令牌"


def test_server_text_is_cut():
    """Shown text is at most 200 characters, or what the caller allows."""
    assert lenient.one_line("x" * 10_000) == "x" * 200
    assert lenient.one_line(" ab ", 1) == "a"


def test_an_excerpt_is_fit_to_be_shown():
    """The beginning of any body is one printable line of at most 200 characters."""
    assert lenient.excerpt(b"<html>\r\n\xff\x00ok") == "<html> \ufffd ok"
    assert lenient.excerpt(b"") == ""
    assert len(lenient.excerpt(b"y" * 100_000)) == 200
    assert lenient.excerpt("\u2028".encode() * 266 + b"abc") == "ab"  # of 800 bytes


@QUICK
@given(st.binary(max_size=300))
def test_no_excerpt_holds_a_spoof(body):
    """No body gets a control or direction character into an excerpt."""
    assert not set(lenient.excerpt(body)) & set(SPOOF)


@QUICK
@given(JSON)
def test_plain_values_come_out_of_anything(value):
    """No JSON value makes the readers of plain values fail."""
    assert isinstance(lenient.text(value), str)
    assert lenient.percent(value) in {None, *range(101)}
    assert lenient.moment(value) is None or lenient.moment(value).tzinfo is UTC
    assert lenient.number(value) is None or abs(lenient.number(value)) <= 2**53


def test_a_thousand_fields_are_ids():
    """A map of clips by their ids is left as it is: to rename a hundred thousand of them would take a second."""
    many = {f"clipId{number}": number for number in range(1001)}
    assert lenient.snake(many) is many
    assert len(many) == 1001
    del many["clipId0"]
    assert lenient.snake(many)["clip_id1"] == many["clipId1"]
    assert lenient.snake({"clipId": 1}) == {"clip_id": 1}
