"""Answers that are no news."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol import errors, refusals
from suno_async.protocol.exchange import Answer, Broken
from suno_async.protocol.refusals import Kind, error_words, trouble_of, trouble_of_broken

QUICK = settings(max_examples=80, deadline=None, derandomize=True)
PAGE = "<!doctype html><html><title>502</title></html>"
CLOUDFLARE = "<html><head><title>Attention Required! | Cloudflare</title></head></html>"
BAD_KEY = {"error": {"message": "无效的令牌 (request id: 2025)", "type": "new_api_error"}}
SATURATED = {"code": "fail_to_fetch_task", "message": "当前分组上游负载已饱和，请稍后再试", "data": None}
NO_TASK = {"code": "task_not_exist", "message": "task_not_exist", "data": None}
NO_CHANNEL = {
    "error": {"message": "No available channel for model suno_", "type": "new_api_error", "code": "model_not_found"}
}
NO_ROUTE = {
    "error": {"message": "Invalid URL (GET /v1/suno/fetch/x)", "type": "invalid_request_error", "param": "", "code": ""}
}
OVERLOAD = {"error": {"message": "system cpu overloaded (current: 95.1%)", "code": "system_cpu_overloaded"}}


def answer(body, status=200, **headers):
    raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


R, D, L = "readable", "divisible", "routeless"
#: what came, status, kind, error, flags
TABLE = [
    # the id is unknown
    ("unknown task", NO_TASK, 400, Kind.MISSING, errors.TaskNotFound, {R, D}),
    (
        "unknown task at Suno-API",
        {"code": "invalid_request", "message": "task not exist", "data": None},
        400,
        Kind.MISSING,
        errors.TaskNotFound,
        {R, D},
    ),
    ("unknown task inside a 200", NO_TASK, 200, Kind.MISSING, errors.TaskNotFound, {R, D}),
    (
        "record not found",
        {"code": "error", "message": "record not found"},
        404,
        Kind.MISSING,
        errors.TaskNotFound,
        {R, D, L},
    ),
    ("job not exist", {"code": 404, "message": "job not exist"}, 404, Kind.MISSING, errors.TaskNotFound, {R, D, L}),
    ("unknown task in a 500", NO_TASK, 500, Kind.MISSING, errors.TaskNotFound, {R, D}),
    # the key
    ("bad key", BAD_KEY, 401, Kind.KEY, errors.Unauthorized, {R}),
    ("bad key, no body", "", 401, Kind.KEY, errors.Unauthorized, set()),
    (
        "key limited to models",
        {"error": {"message": "This token has no access to model ", "type": "new_api_error"}},
        403,
        Kind.KEY,
        errors.Unauthorized,
        {R},
    ),
    (
        "key at Suno-API",
        {"code": "invalid_request", "message": "unauthorized secret token", "data": None},
        401,
        Kind.KEY,
        errors.Unauthorized,
        {R},
    ),
    (
        "spent key, OLD",
        {"error": {"message": "该令牌额度已用尽 TokenStatusExhausted[sk-abc***xyz]"}},
        401,
        Kind.KEY,
        errors.Unauthorized,
        {R},
    ),
    (
        "quota",
        {"code": "quota_not_enough", "message": "user quota is not enough", "data": None},
        403,
        Kind.KEY,
        errors.QuotaExceeded,
        {R},
    ),
    ("401 inside a 200", {"code": 401, "message": "unauthorized"}, 200, Kind.KEY, errors.Unauthorized, {R}),
    ("403 inside a 200", {"code": "403", "msg": "forbidden"}, 200, Kind.KEY, errors.Unauthorized, {R}),
    ("a firewall's 403", CLOUDFLARE, 403, Kind.OUTAGE, errors.GatewayUnavailable, set()),
    ("a firewall's 403 in words", "error code: 1020", 403, Kind.OUTAGE, errors.GatewayUnavailable, set()),
    ("a 403 with nothing", "", 403, Kind.OUTAGE, errors.GatewayUnavailable, set()),
    ("a proxy's 401 page", PAGE, 401, Kind.OUTAGE, errors.GatewayUnavailable, set()),
    # too many requests
    ("429 with nothing", "", 429, Kind.LIMITED, errors.RateLimited, set()),
    ("429 in JSON", SATURATED, 429, Kind.LIMITED, errors.RateLimited, {R}),
    ("429 page", PAGE, 429, Kind.LIMITED, errors.RateLimited, set()),
    ("430", {"code": 430, "msg": "too frequent"}, 430, Kind.LIMITED, errors.RateLimited, {R}),
    ("429 inside a 200", {"code": 429, "msg": "slow down"}, 200, Kind.LIMITED, errors.RateLimited, {R}),
    ("430 inside a 200", {"code": "430", "msg": "slow down"}, 200, Kind.LIMITED, errors.RateLimited, {R}),
    # broken for now
    ("502 page", PAGE, 502, Kind.OUTAGE, errors.GatewayUnavailable, set()),
    ("504 page", PAGE, 504, Kind.OUTAGE, errors.GatewayUnavailable, set()),
    ("520 words", "error code: 520", 520, Kind.OUTAGE, errors.GatewayUnavailable, set()),
    ("503 page", PAGE, 503, Kind.OUTAGE, errors.GatewayUnavailable, set()),
    ("500 with nothing", "", 500, Kind.OUTAGE, errors.GatewayUnavailable, set()),
    (
        "500 in JSON",
        {"code": "get_tasks_failed", "message": "too many SQL variables", "data": None},
        500,
        Kind.OUTAGE,
        errors.GatewayUnavailable,
        {R, D},
    ),
    ("503 overload", OVERLOAD, 503, Kind.OUTAGE, errors.GatewayUnavailable, {R}),
    ("503 no channel", NO_CHANNEL, 503, Kind.OUTAGE, errors.GatewayUnavailable, {R, L}),
    (
        "503 no channel in Chinese",
        {"error": {"message": "当前分组 default 下对于模型 suno_ 无可用渠道"}},
        503,
        Kind.OUTAGE,
        errors.GatewayUnavailable,
        {R, L},
    ),
    (
        "panic",
        {"error": {"message": "Panic detected", "type": "new_api_panic"}},
        500,
        Kind.OUTAGE,
        errors.GatewayUnavailable,
        {R, D},
    ),
    ("408 with nothing", "", 408, Kind.OUTAGE, errors.GatewayUnavailable, set()),
    ("409 in JSON", {"code": "busy", "message": "locked"}, 409, Kind.OUTAGE, errors.RequestRejected, {R, D}),
    ("425", "", 425, Kind.OUTAGE, errors.GatewayUnavailable, set()),
    ("nginx 400 page", PAGE, 400, Kind.OUTAGE, errors.GatewayUnavailable, set()),
    ("nginx 413 page", PAGE, 413, Kind.OUTAGE, errors.GatewayUnavailable, {"divisible"}),
    ("truncated 200", '{"code":"success","data":{"task', 200, Kind.OUTAGE, errors.UnexpectedResponse, set()),
    ("a list of nothing", [], 200, Kind.OUTAGE, errors.UnexpectedResponse, set()),
    ("not quite a page", "<5 requests a minute>", 200, Kind.OUTAGE, errors.UnexpectedResponse, set()),
    ("a feed", "<?xml version='1.0'?>", 200, Kind.ELSEWHERE, errors.ConfigurationError, {L}),
    ("bare words", "OK", 200, Kind.OUTAGE, errors.UnexpectedResponse, set()),
    (
        "unknown word inside a 200",
        {"code": "oops", "message": "try later"},
        200,
        Kind.OUTAGE,
        errors.RequestRejected,
        {R},
    ),
    (
        "no success inside a 200",
        {"success": False, "message": "try later"},
        200,
        Kind.OUTAGE,
        errors.UnexpectedResponse,
        {R},
    ),
    # says nothing
    ("empty 200", "", 200, Kind.NO_NEWS, errors.UnexpectedResponse, set()),
    ("blank 200", " \n", 200, Kind.NO_NEWS, errors.UnexpectedResponse, set()),
    ("204", "", 204, Kind.NO_NEWS, errors.UnexpectedResponse, set()),
    ("data null", {"code": "success", "message": "", "data": None}, 200, Kind.NO_NEWS, errors.UnexpectedResponse, {R}),
    ("a placeholder", {"code": "success", "data": "47443cc1-0000"}, 200, Kind.NO_NEWS, errors.UnexpectedResponse, {R}),
    # not a gateway
    ("a web page", PAGE, 200, Kind.ELSEWHERE, errors.ConfigurationError, {L}),
    ("a page behind a mark", "\ufeff\n <!DOCTYPE html>", 200, Kind.ELSEWHERE, errors.ConfigurationError, {L}),
    ("404 page", PAGE, 404, Kind.ELSEWHERE, errors.ConfigurationError, {L}),
    ("405 page", PAGE, 405, Kind.ELSEWHERE, errors.ConfigurationError, {L}),
    ("501 with nothing", "", 501, Kind.ELSEWHERE, errors.ConfigurationError, {L}),
    ("new-api's own 404", NO_ROUTE, 404, Kind.ELSEWHERE, errors.ConfigurationError, {L}),
    ("another API's 404", {"detail": "Not Found"}, 404, Kind.ELSEWHERE, errors.ConfigurationError, {L}),
    (
        "another API's 404 error",
        {"status": 404, "error": "Not Found", "path": "/suno"},
        404,
        Kind.ELSEWHERE,
        errors.ConfigurationError,
        {L},
    ),
    ("301", "", 301, Kind.ELSEWHERE, errors.ConfigurationError, set()),
    ("307", PAGE, 307, Kind.ELSEWHERE, errors.ConfigurationError, set()),
    # understood and refused
    (
        "malformed batch",
        {"code": "invalid_request", "message": "json: cannot unmarshal", "data": None},
        400,
        Kind.REJECTED,
        errors.RequestRejected,
        {R, D},
    ),
    (
        "too large in JSON",
        {"code": "read_request_body_failed", "message": "too large", "data": None},
        413,
        Kind.REJECTED,
        errors.RequestRejected,
        {R, D},
    ),
    (
        "payment required",
        {"code": "balance", "message": "insufficient account balance"},
        402,
        Kind.REJECTED,
        errors.QuotaExceeded,
        {R, D},
    ),
    ("its own 404", {"code": "no_such_thing", "message": "x"}, 404, Kind.REJECTED, errors.RequestRejected, {R, D, L}),
]


@pytest.mark.parametrize(
    ("body", "status", "kind", "error", "flags"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_what_an_answer_means(body, status, kind, error, flags):
    """Each answer that is no news is of one kind, and tells by its flags what a caller may do about it."""
    trouble = trouble_of(answer(body, status), "t-1")
    assert trouble.kind is kind
    assert type(trouble.error) is error
    assert {name for name in (R, D, L) if getattr(trouble, name)} == flags
    assert trouble.error.task_id == "t-1"
    assert trouble.retry_after is None


@pytest.mark.parametrize(("body", "status"), [row[1:3] for row in TABLE], ids=[row[0] for row in TABLE])
def test_an_answer_about_many_ids_names_none(body, status):
    """The trouble of a batch is about no id in particular."""
    assert trouble_of(answer(body, status)).error.task_id is None


def test_rejections_carry_the_gateways_words():
    """A refusal has status, code, message and request id as facts, and says them."""
    error = trouble_of(answer(SATURATED, 429, X_Oneapi_Request_Id="20261121abc", Retry_After="7")).error
    assert (error.status, error.code, error.request_id) == (429, "fail_to_fetch_task", "20261121abc")
    assert error.message == "当前分组上游负载已饱和，请稍后再试"
    assert error.retry_after == 7
    assert str(error) == "the gateway asks for fewer requests: 当前分组上游负载已饱和，请稍后再试 (429)"


def test_a_refusal_without_words_says_so():
    """Where the gateway gave no reason, none is invented."""
    assert str(trouble_of(answer("", 429)).error) == "the gateway asks for fewer requests: no reason given (429)"


def test_an_outage_tells_status_and_words():
    """A broken gateway's error holds the status, the message if there is one, and the request id."""
    error = trouble_of(answer(OVERLOAD, 503, X_Oneapi_Request_Id="r1")).error
    assert str(error) == "the gateway answered 503: system cpu overloaded (current: 95.1%)"
    assert (error.status, error.request_id, error.retry_after) == (503, "r1", None)
    assert trouble_of(answer(OVERLOAD, 503, Retry_After="7")).error.retry_after == 7
    assert str(trouble_of(answer(PAGE, 502)).error) == "the gateway answered 502"


def test_an_unreadable_answer_shows_its_beginning():
    """What could not be read is shown, short."""
    error = trouble_of(answer("OK " * 500)).error
    assert error.excerpt == ("OK " * 500)[:200]
    assert error.status == 200
    assert str(trouble_of(answer("")).error) == "the gateway's answer tells nothing: it is empty"


def test_an_unknown_id_is_named():
    """The error for an unknown id names it, or says the default sentence where several were asked for."""
    assert str(trouble_of(answer(NO_TASK, 400), "t-1").error) == "the gateway does not know task t-1"
    assert str(trouble_of(answer(NO_TASK, 400)).error) == "The gateway does not know this task id."


@pytest.mark.parametrize("name", ["a b", "x\r\ny", "x" * 81, "", "ключ"], ids=ascii)
def test_a_request_id_that_is_not_fit_is_left_out(name):
    """A request id with anything but letters, digits and - is not shown."""
    assert refusals.request_id({"X-Oneapi-Request-Id": name}) is None
    assert refusals.request_id({}) is None
    assert refusals.request_id({"X-Oneapi-Request-Id": "2026-abc"}) == "2026-abc"


REDIRECTS = [
    ("https://other.example/path?key=secret", " to https://other.example;"),
    ("http://other.example:8080", " to http://other.example:8080;"),
    ("https://[::1]:9/x", " to https://[::1]:9;"),
    ("https://user:secret@other.example/x", " to https://other.example;"),
    ("https://user:secret@a@other.example#x", " to https://other.example;"),
    ("https://other.example\\@secret/", "redirects;"),
    ("https://other.example secret", "redirects;"),
    ("/login?secret", "redirects;"),
    ("javascript:secret", "redirects;"),
    ("", "redirects;"),
]


@pytest.mark.parametrize(("location", "said"), REDIRECTS, ids=[row[0] or "none" for row in REDIRECTS])
def test_a_redirect_names_only_its_host(location, said):
    """A redirect is not followed; its error names the host, never a path, a query or a password."""
    for trouble in (trouble_of(answer("", 302, Location=location)), trouble_of(answer("", 308, Location=location))):
        assert trouble.kind is Kind.ELSEWHERE
        assert said in str(trouble.error)
        assert "secret" not in str(trouble.error)
        assert "user" not in str(trouble.error)


def test_a_page_and_a_foreign_404_are_told_apart():
    """The error says whether a web page or a wrong path answered."""
    assert "(a web page)" in str(trouble_of(answer(PAGE)).error)
    assert "(404 Invalid URL (GET /v1/suno/fetch/x))" in str(trouble_of(answer(NO_ROUTE, 404)).error)
    assert "(501)" in str(trouble_of(answer("", 501)).error)


# Retry-After

DATE = "Sat, 21 Nov 2026 12:00:00 GMT"
WAITS = [
    ("0", 0.0),
    ("7", 7.0),
    ("000012", 12.0),
    ("300", 300.0),
    ("999999", 300.0),
    ("Sat, 21 Nov 2026 12:00:30 GMT", 30.0),
    ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
    ("Sun, 22 Nov 2026 12:00:00 GMT", 300.0),
    *((value, None) for value in (
        "-1", "inf", "nan", "1e9", "1.5", "1234567", "9" * 5000, "٣", "²", "5, 10", " 5", "5\n", "+5", "",
        "soon", "0x10",
        "2026-11-21T12:00:30Z", "Sat, 21 Nov 2026 12:00:30 +0000", "Sat, 99 Nov 2026 12:00:30 GMT", "GMT", "x GMT",
        "Fri, 31 Dec 99999 23:59:59 GMT", "Sat, 21 Nov 2026 12:00:30 GMT" + " GMT" * 9,
    )),
]  # fmt: skip


@pytest.mark.parametrize(("value", "seconds"), WAITS, ids=[ascii(row[0])[:30] for row in WAITS])
def test_retry_after_is_believed_only_where_it_makes_sense(value, seconds):
    """One to six ASCII digits, or a date measured against the answer's own, up to 300 s; all else is nothing."""
    assert refusals.retry_after({"Retry-After": value, "Date": DATE}) == seconds
    assert trouble_of(answer("", 429, Retry_After=value, Date=DATE)).retry_after == seconds


@pytest.mark.parametrize("date", [{}, {"Date": "now"}, {"Date": "Sat, 21 Nov 2026"}], ids=["none", "words", "half"])
def test_a_date_without_the_gateways_clock_says_nothing(date):
    """The local clock is never asked what a gateway's date means."""
    assert refusals.retry_after({"Retry-After": "Sat, 21 Nov 2026 12:00:30 GMT", **date}) is None


def test_no_retry_after_is_none():
    """An answer without the header asks for nothing."""
    assert refusals.retry_after({}) is None


@QUICK
@given(st.text(max_size=40) | st.text("SatNovGMT 0123456789:,-+", max_size=36).map(lambda text: text + " GMT"))
def test_any_retry_after_is_a_short_time_or_none(value):
    """No header makes the reader fail, or asks for more than 300 s, or for less than none."""
    found = refusals.retry_after({"Retry-After": value, "Date": DATE})
    assert found is None or 0 <= found <= 300


# error_words

WORDS = [
    (None, None),
    ([], None),
    ("success", None),
    ({}, None),
    ({"code": "success", "data": None}, None),
    ({"code": "SUCCESS"}, None),
    ({"code": 200}, None),
    ({"code": 1}, None),
    ({"code": 0}, None),
    ({"code": None}, None),
    ({"success": True}, None),
    ({"error": None}, None),
    ({"error": ""}, None),
    ({"error": {}}, None),
    ({"task_id": "t", "error": "of the task"}, None),
    ({"code": "oops", "message": "m"}, ("oops", "m")),
    ({"code": "oops", "msg": "m"}, ("oops", "m")),
    ({"code": -1}, ("-1", "")),
    ({"error": {"message": "m", "type": "t", "code": None}}, ("t", "m")),
    ({"error": {"message": "m", "type": "t", "code": "c"}}, ("c", "m")),
    ({"error": "m"}, ("", "m")),
    ({"error": "m", "code": 500}, ("500", "m")),
    ({"success": False, "message": "m"}, ("", "m")),
    ({"code": 200, "data": {"code": 500, "message": "m", "data": None}}, ("500", "m")),
    ({"code": 200, "data": {"code": 200, "data": []}}, None),
    ({"code": 200, "data": {"code": 500}}, None),
]


@pytest.mark.parametrize(("document", "words"), WORDS, ids=[ascii(row[0])[:50] for row in WORDS])
def test_what_an_answer_says_of_itself(document, words):
    """The code and message of every known error envelope are found, and "yes" is not taken for "no"."""
    assert error_words(document) == words


def nested(depth):
    """A refusal inside so many envelopes that say "yes"."""
    document = {"code": 500, "message": "m", "data": None}
    for _ in range(depth):
        document = {"code": 200, "data": document}
    return document


@pytest.mark.parametrize(("depth", "words"), [(0, ("500", "m")), (3, ("500", "m")), (4, None), (5000, None)])
def test_a_refusal_is_found_in_four_envelopes(depth, words):
    """A refusal counts down to the fourth envelope; what is nested deeper says nothing, and does no harm."""
    assert error_words(nested(depth)) == words


# requests that broke, and what is known of the gateway


def test_a_broken_request_is_an_outage():
    """A request without an answer says nothing about any task."""
    trouble = trouble_of_broken(Broken("connection reset"), "t")
    assert trouble.kind is Kind.OUTAGE
    assert not trouble.readable
    assert type(trouble.error) is errors.GatewayUnavailable
    assert (str(trouble.error), trouble.error.task_id) == ("the gateway gave no answer: connection reset", "t")


def test_a_refused_certificate_is_a_matter_of_configuration():
    """Nobody tries again without checking the certificate."""
    trouble = trouble_of_broken(Broken("hostname mismatch", sent=False, certificate=True), "t")
    assert trouble.kind is Kind.ELSEWHERE
    assert type(trouble.error) is errors.ConfigurationError
    assert "hostname mismatch" in str(trouble.error)
    assert trouble.error.task_id == "t"


def test_an_answer_that_is_too_long_can_be_halved():
    """An answer over the byte cap is asked for again in parts."""
    trouble = trouble_of_broken(Broken("more than 4 MiB", oversized=True, received=b'{"code":'), "t")
    assert (trouble.kind, trouble.divisible) == (Kind.REJECTED, True)
    assert type(trouble.error) is errors.UnexpectedResponse
    assert (str(trouble.error), trouble.error.task_id) == ("more than 4 MiB", "t")
    assert trouble.error.excerpt == '{"code":'


def test_a_foreign_answer_is_readable_but_tells_nothing():
    """An answer about other tasks came from a gateway, on the wrong connection."""
    trouble = refusals.foreign("t")
    assert (trouble.kind, trouble.readable, trouble.divisible) == (Kind.FOREIGN, True, False)
    assert str(trouble.error) == "the answer is about another task"
    assert (trouble.error.task_id, trouble.error.status) == ("t", 200)


def test_a_page_from_a_known_gateway_is_an_outage():
    """Once a gateway has answered, a page is somebody between us and it: an outage that keeps its other facts."""
    page = trouble_of(answer(PAGE), "t")
    assert refusals.settle_elsewhere(page, readable=False) is page
    settled = refusals.settle_elsewhere(page, readable=True)
    assert (settled.kind, settled.routeless, settled.error.task_id) == (Kind.OUTAGE, True, "t")
    assert str(settled.error) == str(page.error)
    assert type(settled.error) is errors.GatewayUnavailable
    outage = trouble_of(answer(PAGE, 502))
    assert refusals.settle_elsewhere(outage, readable=True) is outage


# nothing of a server's text is dangerous

SPOOF = "\x1b[31m\r\n\u202e\u2066\u200f\x00\x9b"
SPOOFING = [
    answer({"code": f"c{SPOOF}", "message": f"m{SPOOF}" * 99}, 400),
    answer({"code": f"c{SPOOF}", "message": f"m{SPOOF}" * 99}, 200),
    answer({"error": {"message": f"m{SPOOF}"}}, 500),
    answer({"error": {"message": f"m{SPOOF}", "type": SPOOF}}, 401),
    answer({"error": {"message": f"m{SPOOF}"}}, 404),
    answer(f"words {SPOOF}" * 99),
    answer(f"{SPOOF}<html>", 403, X_Oneapi_Request_Id=SPOOF),
    answer("", 302, Location=f"https://h{SPOOF}/"),
]


@pytest.mark.parametrize("came", SPOOFING, ids=[f"{came.status}-{number}" for number, came in enumerate(SPOOFING)])
def test_no_error_holds_control_or_direction_characters(came):
    """Whatever a gateway writes, an error shows one short line of it without escapes."""
    error = trouble_of(came, "t").error
    texts = [str(error), *(value for value in vars(error).values() if isinstance(value, str))]
    assert not set("".join(texts)) & set(SPOOF.replace("[31m", ""))
    assert all(len(text) < 330 for text in texts)


@QUICK
@given(
    st.binary(max_size=80),
    st.integers(100, 999),
    st.dictionaries(st.sampled_from(["Retry-After", "Date", "Location"]), st.text(max_size=20)),
)
def test_trouble_is_found_in_any_answer(body, status, headers):
    """No answer makes the reader fail, and 2xx and 3xx never divide a batch."""
    trouble = trouble_of(Answer(status, headers, body), "t")
    assert isinstance(trouble.error, errors.SunoError)
    assert not (trouble.divisible and status < 400)


@QUICK
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["code", "message", "msg", "error", "data", "success", "type", "task_id"]),
                inner,
                max_size=5,
            )
        ),
        max_leaves=10,
    ),
    st.sampled_from([200, 400, 401, 403, 404, 429, 500, 503]),
)
def test_trouble_is_found_in_any_json(document, status):
    """No JSON document makes the reader fail."""
    assert isinstance(trouble_of(answer(document, status)).error, errors.SunoError)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Sat, 21 Nov 2026 16:01:40 GMT", datetime(2026, 11, 21, 16, 1, 40, tzinfo=UTC)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
        ("Sat, 21 Nov 2026 16:01:40 +0100", None),
        ("Sat, 21 Nov 2026 16:01:40", None),
        ("Sat, 21 Nov 0001 16:01:40 GMT", datetime(2001, 11, 21, 16, 1, 40, tzinfo=UTC)),
        ("Sat, 41 Nov 2026 16:01:40 GMT", None),
        ("Sat, 21 Nov 2026 16:01:40 " + " " * 40 + "GMT", None),
        ("GMT", None),
        ("", None),
    ],
)
def test_dates_are_those_of_http(value, expected):
    """Only what HTTP writes is a time, in UTC; anything else is none, and no error."""
    assert refusals.http_date(value) == expected


@QUICK
@given(st.text(max_size=45) | st.text(max_size=37).map(lambda text: f"{text}GMT"))
def test_any_text_is_a_date_or_none(value):
    """No text makes the reader fail, and what it reads knows its zone."""
    found = refusals.http_date(value)
    assert found is None or found.utcoffset() == timedelta(0)


@pytest.mark.parametrize("late", [False, True])
def test_a_look_that_ran_out_of_time_says_so(late):
    """Its retry costs more than another's."""
    trouble = trouble_of_broken(Broken("no answer in time", late=late))
    assert (trouble.kind, trouble.late) == (Kind.OUTAGE, late)
