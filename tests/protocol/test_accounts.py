"""What a gateway's accounts are asked, and how their answers are read."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.accounts import (
    SLACK,
    Charge,
    Claim,
    Made,
    Page,
    Span,
    ask_charges,
    ask_made,
    read_charges,
    read_made,
    rivals_of,
    words_of,
)
from suno_async.protocol.exchange import Answer, Broken

QUICK = settings(max_examples=200, deadline=None, derandomize=True)
DATE = "Sat, 21 Nov 2026 16:01:40 GMT"
NOW = datetime(2026, 11, 21, 16, 1, 40, tzinfo=UTC).timestamp()


def answer(document, status=200, **headers) -> Answer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Answer(status, {"Date": DATE} | headers, body)


def listed(*rows) -> Answer:
    return answer({"data": list(rows), "message": "", "success": True})


ROW = {
    "id": 1,
    "user_id": 1,
    "created_at": 1_750_000_000,
    "type": 2,
    "content": "操作 MUSIC",
    "model_name": "suno_music",
    "quota": 50_000,
    "request_id": "20260612x",
    "other": '{"is_task":true}',
}
REFUND = {"created_at": 1_750_000_009, "type": 6, "model_name": "suno_music", "other": '{"task_id":"task_1"}'}

# asking


def test_the_log_is_asked_for_as_it_is():
    """One GET without parameters: it has none, and the key is in no URL."""
    request = ask_charges()
    assert (request.method, request.path, request.body, request.account) == ("GET", "/api/log/token", None, None)


def test_tasks_are_asked_for_by_their_time():
    """Whole seconds that leave nothing out, the platform, and the page."""
    request = ask_made(10.9, 20.1, 3)
    assert request.path == "/api/task/self?platform=suno&start_timestamp=10&end_timestamp=21&p=3&page_size=50"
    assert (request.method, request.body, request.account) == ("GET", None, None)


# charges


def test_charges_are_the_rows_that_say_so():
    """Type 2, each with its time, its model and its request id; refunds and top-ups are none."""
    rows = [ROW, REFUND, ROW | {"type": 1}, ROW | {"type": 5, "quota": 0}]
    assert read_charges(listed(*rows)) == (Charge(1_750_000_000.0, "suno_music", "20260612x"),)
    assert read_charges(listed()) == ()


@pytest.mark.parametrize(
    ("change", "charge"),
    [
        ({"type": "2"}, Charge(1_750_000_000.0, "suno_music", "20260612x")),
        ({"type": 2.0}, Charge(1_750_000_000.0, "suno_music", "20260612x")),
        ({"created_at": "1750000000"}, Charge(1_750_000_000.0, "suno_music", "20260612x")),
        ({"created_at": 1_750_000_000_500}, Charge(1_750_000_000.5, "suno_music", "20260612x")),
        ({"created_at": "2025-06-15T15:06:40Z"}, Charge(1_750_000_000.0, "suno_music", "20260612x")),
        ({"model_name": " SUNO_Music "}, Charge(1_750_000_000.0, "suno_music", "20260612x")),
        ({"model_name": None}, Charge(1_750_000_000.0, "", "20260612x")),
        ({"request_id": ""}, Charge(1_750_000_000.0, "suno_music", "")),
        ({"request_id": None}, Charge(1_750_000_000.0, "suno_music", "")),
        ({"request_id": 17}, Charge(1_750_000_000.0, "suno_music", "17")),
    ],
)
def test_a_charge_is_read_in_any_spelling(change, charge):
    """Numbers as text, milliseconds, dates: what can be understood is not passed over."""
    assert read_charges(listed(ROW | change)) == (charge,)


@pytest.mark.parametrize(
    "odd",
    [
        None, [], "row", 5, {}, {"type": 2}, {"created_at": 5}, ROW | {"type": None}, ROW | {"type": "consume"},
        ROW | {"type": True}, ROW | {"created_at": 0}, ROW | {"created_at": None}, ROW | {"created_at": "soon"},
        ROW | {"created_at": -5}, REFUND | {"created_at": None},
    ],
)  # fmt: skip
def test_a_log_with_a_row_that_cannot_be_read_is_not_read(odd):
    """It may be the charge that is looked for: a list without it would prove too much."""
    assert read_charges(listed(ROW, odd, ROW)) == "it cannot be read"


UNREADABLE = {
    "broken": (Broken("no answer in time"), "no answer in time"),
    "empty": (answer(b""), "it answered 200 without JSON"),
    "limited": (answer(b"", 429), "it answered 429 without JSON"),
    "a page": (answer(b"<!doctype html>"), "it answered 200 without JSON"),
    "cut": (answer(b'{"success":true,"data":[{"type":2,'), "it answered 200 without JSON"),
    "no route": (
        answer({"error": {"message": "Invalid URL (GET /x)", "type": "invalid_request_error"}}, 404),
        "it answered 404: Invalid URL (GET /x)",
    ),
    "no key": (answer({"message": "Invalid token", "success": False}, 401), "it answered 401: Invalid token"),
    "no inside a 200": (answer({"message": "no", "success": False}), "it answered 200: no"),
    "no without words": (answer({"success": False, "data": []}), "it answered 200"),
    "no words, an error": (answer({"error": {"x": 1}, "data": []}), "it answered 200"),
    "an odd status": (answer({"data": [], "success": True}, 500), "it answered 500"),
    "created": (answer({"data": [], "success": True}, 201), "it answered 201"),
    "redirect": (answer({}, 301), "it answered 301"),
    "a list": (answer([]), "it cannot be read"),
    "nothing": (answer(None), "it cannot be read"),
    "no data": (answer({"success": True}), "it cannot be read"),
    "null": (answer({"success": True, "data": None}), "it cannot be read"),
    "data is text": (answer({"success": True, "data": "[]"}), "it cannot be read"),
}


@pytest.mark.parametrize(("came", "why"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_account_says_why(came, why):
    """Neither the log nor the tasks are read from it; the reason is one line."""
    assert read_charges(came) == why
    assert read_made(came, 0) == why


def test_a_reason_is_one_short_line():
    """Whatever the gateway writes."""
    why = read_charges(answer({"message": "a\nb\u202e" + "x" * 999, "success": False}))
    assert why.isprintable()
    assert len(why) < 240


def test_a_log_has_its_own_clock():
    """Without a Date it is read all the same: its rows tell what time it is there."""
    assert read_charges(Answer(200, {}, b'{"data":[]}')) == ()


# tasks

TASK = {
    "id": 7,
    "created_at": 1_750_000_000,
    "submit_time": 1_740_000_000,
    "task_id": "task_1",
    "platform": "suno",
    "action": "MUSIC",
    "channel_id": 0,
    "data": [{"title": "Rain", "metadata": {"prompt": "la la", "tags": "pop"}}, {"title": "Rain"}],
}
MADE = Made("task_1", "MUSIC", 1_750_000_000.0, frozenset({("title", "Rain"), ("prompt", "la la")}))


def paged(*rows, **data) -> Answer:
    return answer({"data": {"page": 1, "page_size": 50, "total": 99, "items": list(rows)} | data, "success": True})


def test_a_task_of_2026_is_read():
    """Its time is that of its row: an upstream may have replaced the time of its submission."""
    assert read_made(paged(TASK), 0) == Page((MADE,), NOW, None)


def test_a_task_of_2025_is_read():
    """A bare list, no action, no words before its upstream has begun."""
    old = TASK | {"action": "", "data": None}
    assert read_made(listed(old), 0) == Page((Made("task_1", "", 1_750_000_000.0),), NOW, None)
    assert read_made(listed({"task_id": "t", "submit_time": 5}), 0).tasks == (Made("t", "", 5.0),)


@pytest.mark.parametrize(
    ("count", "page", "size", "after"),
    [
        (50, 0, 50, 2),
        (50, 2, 50, 3),
        (49, 2, 50, None),
        (0, 2, 50, None),
        (20, 1, 20, 2),
        (19, 1, 20, None),
        (50, 1, None, 2),
        (49, 1, "x", None),
        (49, 1, 0, None),
        (1, 1, -5, 2),
        (0, 1, -5, None),
    ],
)
def test_pages_of_2026_go_on_while_they_are_full(count, page, size, after):
    """Counted from 1, and as large as the gateway says they are, whatever was asked for."""
    assert read_made(paged(*[TASK] * count, page_size=size), page).after == after


@pytest.mark.parametrize(("count", "page", "after"), [(10, 0, 1), (10, 1, 2), (9, 1, None), (0, 0, None)])
def test_pages_of_2025_hold_ten(count, page, after):
    """Counted from 0."""
    assert read_made(listed(*[TASK] * count), page).after == after


@pytest.mark.parametrize(
    "odd",
    [
        None, "row", 5, [], {}, TASK | {"task_id": ""}, TASK | {"task_id": "../../api/user"}, TASK | {"task_id": 17},
        TASK | {"task_id": None}, TASK | {"created_at": 0, "submit_time": 0}, TASK | {"platform": "mj"},
        TASK | {"created_at": "soon", "submit_time": None}, TASK | {"platform": ["mj"]}, TASK | {"platform": 5},
    ],
)  # fmt: skip
def test_a_row_that_is_no_task_of_ours_is_passed_over(odd):
    """It cannot be adopted; the page is no shorter for it."""
    found = read_made(paged(odd, TASK, page_size=2), 1)
    assert (found.tasks, found.after) == ((MADE,), 2)


@pytest.mark.parametrize("data", [{"items": None}, {"items": {}}, {}, "x", 5])
def test_tasks_that_are_no_list_are_not_read(data):
    """Whatever stands where they should."""
    assert read_made(answer({"success": True, "data": data}), 0) == "it cannot be read"


@pytest.mark.parametrize("headers", [{}, {"Date": ""}, {"Date": "yesterday"}, {"Date": "2026-11-21T16:01:40Z"}])
def test_tasks_without_a_date_cannot_be_placed(headers):
    """Nobody knows what time it is there."""
    body = json.dumps({"data": [TASK]}).encode()
    assert read_made(Answer(200, headers, body), 0) == "the answer has no Date to compare clocks by"


# words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b'{"title":" T ","prompt":"p","tags":"x","mv":"y"}', {("title", "T"), ("prompt", "p")}),
        (b'{"gpt_description_prompt":"d","prompt":"","title":" "}', {("gpt_description_prompt", "d")}),
        (b'{"prompt":5,"title":null}', set()),
        (b"not json", set()),
        (b"\xff\xfe", set()),
        (b"[" * 10**5, set()),
        (b'"prompt"', set()),
        ("prompt", set()),
        (None, set()),
        ([{"prompt": "a"}, {"prompt": "b"}], {("prompt", "a"), ("prompt", "b")}),
        ({"metadata": {"prompt": "p"}, "title": "T"}, {("title", "T"), ("prompt", "p")}),
        ({"a": {"b": {"c": {"prompt": "deep"}}}}, {("prompt", "deep")}),
        ({"a": {"b": {"c": {"d": {"prompt": "too deep"}}}}}, set()),
        ([{}] * 100 + [{"prompt": "too far"}], set()),
        ([{}] * 99 + [{"prompt": "last"}], {("prompt", "last")}),
    ],
)
def test_words_are_the_titles_and_prompts(value, words):
    """Each with its name, without blanks around it; of clips and their metadata, and no deeper."""
    assert words_of(value) == words


# times


def test_a_span_holds_both_its_ends():
    """From its first moment to its last."""
    span = Span(1, 2)
    assert [span.holds(at) for at in (0.9, 1, 2, 2.1)] == [False, True, True, False]


def test_a_span_on_another_clock_has_room_on_both_sides():
    """As far ahead as that clock is at least, and at most, and the seconds that gateways round away."""
    assert Span(100, 200).seen(-5, 7) == Span(95 - SLACK, 207 + SLACK)
    assert Span(100, 200).seen(3, 3, slack=0) == Span(103, 203)


# whose a task may be


def owners(task: Made, claims: list[Claim]) -> list[Claim]:
    """Whose a task may be: by its time, and among those by its words if it has somebody's. Each with each."""
    near = [claim for claim in claims if task.action in {"", claim.action} and claim.time.holds(task.at)]
    return [claim for claim in near if claim.telling and claim.telling <= task.words] or near


WORDS = st.frozensets(st.tuples(st.sampled_from(["prompt", "title"]), st.sampled_from("ab")), max_size=3)
CLAIMS = st.builds(
    lambda action, start, length, words: Claim(action, Span(start, start + length), words),
    st.sampled_from(["MUSIC", "LYRICS"]),
    st.integers(0, 9),
    st.sampled_from([0, 1, 5, float("inf")]),
    WORDS,
)
TASKS = st.builds(Made, st.uuids().map(str), st.sampled_from(["", "MUSIC", "LYRICS", "X"]), st.integers(0, 12), WORDS)


@QUICK
@given(
    st.lists(CLAIMS, max_size=8), st.lists(TASKS, max_size=8).map(lambda made: sorted(made, key=lambda each: each.at))
)
def test_tasks_are_shared_out_as_if_each_were_compared_with_each(claims, made):
    """How many tasks may be a claim's, and which of them no other's: whatever the times, actions and words."""
    rivals = rivals_of(made, claims)
    for claim in claims:
        found = [rivals[claim.action, words].of(claim.time) for words in {claim.telling, frozenset()}]
        theirs = [(task, len(owners(task, claims))) for task in made if claim in owners(task, claims)]
        assert sum(count for count, _ in found) == len(theirs)
        sole = sorted(task.task_id for _, tasks in found for task in tasks)
        assert sole == sorted(task.task_id for task, count in theirs if count == 1)


@pytest.mark.parametrize(
    ("words", "telling"),
    [
        (set(), False),
        ({("title", "T")}, False),
        ({("prompt", "p")}, True),
        ({("title", "T"), ("prompt", "p")}, True),
    ],
)
def test_a_title_alone_tells_nothing(words, telling):
    """An upstream makes up titles."""
    claim = Claim("MUSIC", Span(0, 1), frozenset(words))
    assert claim.telling == (words if telling else set())


# anything

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "data",
                    "items",
                    "type",
                    "created_at",
                    "success",
                    "error",
                    "task_id",
                    "platform",
                    "prompt",
                    "page_size",
                ]
            )
            | st.text(max_size=4),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


@QUICK
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()), st.sampled_from([200, 200, 404]))
def test_any_answer_is_read_or_has_a_reason(body, status):
    """No answer makes the readers fail; what they give is of the kinds they promise."""
    came = Answer(status, {"Date": DATE}, body)
    charges, made = read_charges(came), read_made(came, 0)
    assert isinstance(charges, tuple | str)
    assert isinstance(made, Page | str)
    assert status == 200 or (isinstance(charges, str) and isinstance(made, str))


@QUICK
@given(st.lists(JSON | st.fixed_dictionaries({"type": JSON, "created_at": JSON}), max_size=4), st.integers(0, 4))
def test_no_charge_is_lost_among_garbage(garbage, place):
    """A log is read with its charge in it, or not at all."""
    rows = [*garbage[:place], ROW, *garbage[place:]]
    found = read_charges(listed(*rows))
    assert found == "it cannot be read" or Charge(1_750_000_000.0, "suno_music", "20260612x") in found


@QUICK
@given(JSON)
def test_any_value_has_words_or_none(value):
    """No payload makes the reader of words fail, and no word is empty."""
    assert all(name and word == word.strip() != "" for name, word in words_of(value))


def test_lists_in_lists_are_read_as_deep_as_objects():
    """Down to the same depth, and no deeper, whatever is nested in what: an answer of a million brackets ends."""

    def nested(depth, wrap):
        value = {"prompt": "deep"}
        for _ in range(depth):
            value = wrap(value)
        return bool(words_of(value))

    reach = max(depth for depth in range(60) if nested(depth, lambda value: {"data": value}))
    assert 0 < reach < 59
    assert [nested(depth, lambda value: [value]) for depth in (reach, reach + 1, 900)] == [True, False, False]
