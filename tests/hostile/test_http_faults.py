"""Faults 31 to 54 through the public client: what a status, a header and an envelope must come to."""

import anyio
import pytest
from verdicts import (
    ACCEPTED,
    CAT,
    REJECTED,
    UNAVAILABLE,
    UNKNOWN,
    Fault,
    assert_look,
    assert_many,
    assert_submission,
    assert_wait,
    client,
    outcome_of,
    whole,
)
from wire import HASTY, Call, Hasty, Wire, answer, seen

from suno_async import (
    ConfigurationError,
    GatewayUnavailable,
    QuotaExceeded,
    RateLimited,
    RequestRejected,
    TaskNotFound,
    Unauthorized,
    UnexpectedResponse,
)


@pytest.fixture
def anyio_backend():
    """Real sockets, and a clock that runs thirty times as fast."""
    return HASTY


PAGE = "<!doctype html><html><head><title>Just a moment...</title></head><body>x</body></html>"


def task_error(code: str, message: str = "something", data: object = None) -> dict[str, object]:
    """As new-api's relay says no."""
    return {"code": code, "message": message, "data": data}


def middleware(message: str, code: str = "", kind: str = "new_api_error") -> dict[str, object]:
    """As new-api says no before the relay."""
    return {"error": {"message": message, "type": kind, "code": code}}


def says(status: int, body: object = b"", **headers: str) -> bytes:
    """An answer with this status, body and headers."""
    return answer(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def page(status: int) -> Fault:
    """A page of somebody between us and the gateway: an outage, and nothing is known of a submission."""
    return Fault(says(status, PAGE, Content_Type="text/html"), GatewayUnavailable, UNKNOWN)


def upstream(code: str, message: str = "x", submit: str = UNKNOWN) -> Fault:
    """A 500 of the relay's own."""
    return Fault(says(500, task_error(code, message)), GatewayUnavailable, submit)


LIMITED = Fault(b"", RateLimited, REJECTED, resent=True)
REFUSED_KEY = Fault(b"", Unauthorized, REJECTED, wait=Unauthorized)
FAULTS = {
    **{
        f"31 {status}": Fault(says(status, Location="/elsewhere"), ConfigurationError, REJECTED)
        for status in (300, 301)
    },
    "31 304": Fault(says(304), ConfigurationError, REJECTED),
    "33 401 of the middleware": REFUSED_KEY._replace(step=says(401, middleware("Invalid token"))),
    "33 401 of the relay": REFUSED_KEY._replace(step=says(401, task_error("invalid_token"))),
    "33 401 and nothing": Fault(says(401), Unauthorized, UNKNOWN, wait=Unauthorized),
    "33 401 and a page": Fault(says(401, PAGE), GatewayUnavailable, UNKNOWN),
    "34 403 the token is disabled": REFUSED_KEY._replace(step=says(403, middleware("the token is disabled"))),
    "34 403 no quota": Fault(
        says(403, middleware("insufficient user quota", "insufficient_user_quota")),
        QuotaExceeded,
        REJECTED,
        QuotaExceeded,
    ),
    "34 402": Fault(says(402, task_error("payment_required")), QuotaExceeded, REJECTED),
    "34 403 and a page": page(403),
    "35 400 the task does not exist": Fault(says(400, task_error("task_not_exist")), TaskNotFound, REJECTED),
    "36 400 invalid request": Fault(says(400, task_error("invalid_request")), RequestRejected, REJECTED),
    "36 400 empty prompt": Fault(says(400, task_error("prompt_empty")), RequestRejected, REJECTED),
    "36 400 invalid action": Fault(says(400, task_error("invalid_action")), RequestRejected, REJECTED),
    "36 400 and a page": page(400),
    "36 400 and nothing": Fault(says(400), GatewayUnavailable, UNKNOWN),
    **{f"37 {status} and a page": Fault(says(status, PAGE), ConfigurationError, UNKNOWN) for status in (404, 405, 501)},
    "37 404 in JSON": Fault(
        says(404, middleware("Invalid URL", "", "invalid_request_error")), ConfigurationError, REJECTED
    ),
    "37 405 in JSON": Fault(says(405, task_error("method_not_allowed")), RequestRejected, REJECTED),
    "38 408": Fault(says(408), GatewayUnavailable, UNKNOWN),
    "38 408 in JSON": Fault(says(408, task_error("request_timeout")), RequestRejected, UNKNOWN),
    "39 409": Fault(says(409), GatewayUnavailable, UNKNOWN),
    "39 409 in JSON": Fault(says(409, task_error("conflict")), RequestRejected, UNKNOWN),
    "39 425": Fault(says(425), GatewayUnavailable, REJECTED, resent=True),
    **{f"40 {status}": Fault(says(status), GatewayUnavailable, REJECTED) for status in (414, 431)},
    "40 413 in JSON": Fault(says(413, middleware("request body too large")), RequestRejected, REJECTED),
    "40 413 and a page": page(413),
    "41 429 and nothing": LIMITED._replace(step=says(429)),
    "41 429 and a page": LIMITED._replace(step=says(429, PAGE)),
    "42 429 of the relay": LIMITED._replace(step=says(429, task_error("rate_limit", "channel saturated"))),
    "42 429 of the middleware": LIMITED._replace(step=says(429, middleware("too many requests"))),
    "43 429 and seconds": LIMITED._replace(step=says(429, Retry_After="1")),
    "46 500 of the relay, sent upstream": upstream("do_request_failed"),
    "46 500 of the relay, upstream's answer lost": upstream("read_response_body_failed"),
    "46 500 of the relay, upstream's answer garbled": upstream("unmarshal_response_body_failed"),
    "46 500 of the relay, nothing fetched": upstream("fail_to_fetch_task"),
    "46 500 of the relay, not written down": upstream("insert_task_failed"),
    "46 500 of the relay, answer not copied": upstream("copy_response_body_failed"),
    "46 500 of the relay, out of time": upstream("request_timeout"),
    "46 500 of the relay, connection lost": upstream("fail", "read tcp: connection reset by peer"),
    "46 500 of the relay, upstream's own no": upstream("sensitive_words", submit=REJECTED),
    "46 500 of the relay, with an id": Fault(says(500, task_error("x1", "x", "task_1")), GatewayUnavailable, UNKNOWN),
    "46 500 of the middleware": Fault(says(500, middleware("panic")), GatewayUnavailable, UNKNOWN),
    "46 500 and nothing": Fault(says(500), GatewayUnavailable, UNKNOWN),
    **{f"47 {status} and a page": page(status) for status in (500, 502, 504, 520, 524)},
    "47 502 of the relay": Fault(says(502, task_error("do_request_failed")), GatewayUnavailable, UNKNOWN),
    "47 504 and nothing": Fault(says(504), GatewayUnavailable, UNKNOWN),
    "48 503 no channel": Fault(
        says(503, middleware("no available channel for suno_music")), GatewayUnavailable, UNAVAILABLE, resent=True
    ),
    "48 503 of the relay": Fault(says(503, task_error("no_channel")), GatewayUnavailable, UNAVAILABLE, resent=True),
    "48 503 of the relay, sent upstream": Fault(
        says(503, task_error("do_request_failed")), GatewayUnavailable, UNKNOWN
    ),
    "48 503 and a page": page(503),
    "48 503 and nothing": Fault(says(503), GatewayUnavailable, UNKNOWN),
    "49 200 and a page": Fault(says(200, PAGE), ConfigurationError, UNKNOWN),
    "49 200 and a page behind a byte order mark": Fault(says(200, "\ufeff \n" + PAGE), ConfigurationError, UNKNOWN),
    "49 200 and a word": Fault(says(200, "OK"), UnexpectedResponse, UNKNOWN),
    "50 200 and nothing": Fault(says(200), UnexpectedResponse, UNKNOWN),
    "50 200 and blanks": Fault(says(200, " \r\n "), UnexpectedResponse, UNKNOWN),
    "51 204": Fault(b"HTTP/1.1 204 No Content\r\n\r\n", UnexpectedResponse, UNKNOWN),
    "51 202 and nothing": Fault(says(202), UnexpectedResponse, UNKNOWN),
    "52 200 and no data": Fault(
        says(200, {"code": "success", "message": "", "data": None}), UnexpectedResponse, UNKNOWN
    ),
    "53 200 and a no": Fault(says(200, task_error("sensitive_words")), RequestRejected, REJECTED),
    "53 200 and a doubtful no": Fault(says(200, task_error("do_request_failed")), RequestRejected, UNKNOWN),
    "53 200 and a no with an id": Fault(says(200, task_error("queued", "", "task_1")), RequestRejected, UNKNOWN),
    "53 200 and 401 inside": Fault(says(200, task_error("401")), Unauthorized, UNKNOWN, wait=Unauthorized),
    "53 200 and 429 inside": Fault(says(200, task_error("429")), RateLimited, UNKNOWN),
    "54 an error in the middleware's envelope": Fault(says(200, middleware("no")), RequestRejected, REJECTED),
    "54 an error without words": Fault(says(400, {"error": {}}), RequestRejected, UNKNOWN),
    "54 success is false": Fault(says(200, {"success": False, "message": "no"}), UnexpectedResponse, UNKNOWN),
    "54 an error that is a text": Fault(says(500, {"error": "boom"}), GatewayUnavailable, UNKNOWN),
}
every = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


@every
async def test_a_look_that_is_answered_badly_ends_as_it_must(fault):
    """Each answer has its error, and the client is fit for the next look."""
    await assert_look(fault)


@every
async def test_a_wait_goes_on_over_bad_answers(fault):
    """Only a refused key, said twice, ends a wait: the song comes."""
    await assert_wait(fault)


@every
async def test_a_bulk_wait_goes_on_over_bad_answers(fault):
    """Only a refused key, said twice, ends a bulk wait: every song comes, each once."""
    await assert_many(fault)


@every
async def test_a_submission_that_is_answered_badly_is_sent_once(fault):
    """What says by itself that nothing happened may be sent again, five times at most; everything else never is."""
    await assert_submission(fault)


# how long to wait: 43 to 45

NO_TIME = {
    "below zero": "-1",
    "for ever": "inf",
    "no number": "nan",
    "a float": "1.5",
    "an exponent": "1e9",
    "a sign": "+5",
    "seven digits": "1000000",
    "5,000 digits": "9" * 5000,
    "Arabic digits": "٣",
    "a superscript": "²",
    "a list": "5, 10",
    "hexadecimal": "0x10",
    "ISO 8601": "2026-11-21T00:00:00Z",
    "nothing": "",
    "a date long gone": "Thu, 01 Jan 1970 00:00:00 GMT",
    "a date and no clock": "Fri, 31 Dec 9999 23:59:59 GMT",
    "a date that is none": "Mon, 99 Foo 2026 99:99:99 GMT",
}


@pytest.mark.parametrize("value", NO_TIME.values(), ids=NO_TIME)
async def test_a_wait_is_not_held_up_by_a_time_that_is_none(value):
    """45: what is no number of seconds is not obeyed: the wait goes on as if nothing had been said."""
    refused = says(429, middleware("too many requests"), Retry_After=value)
    async with Wire(lambda call: seen(call, "IN_PROGRESS"), refused, whole) as wire, client(wire.url) as suno:
        with anyio.fail_after(200):
            assert (await suno.wait("task_1")).succeeded
        assert wire.asked == 3


class Rushing(Hasty):
    """A loop on which five minutes take half a second."""

    speed = 600.0


TIMES = {
    "43 seconds": ({"Retry_After": "30"}, 30),
    "44 a date, by the gateway's own clock": (
        {"Date": "Sat, 21 Nov 2026 10:00:00 GMT", "Retry_After": "Sat, 21 Nov 2026 10:01:00 GMT"},
        60,
    ),
    "45 more than five minutes": ({"Retry_After": "999999"}, 300),
    "45 a date in a thousand years": (
        {"Date": "Sat, 21 Nov 2026 10:00:00 GMT", "Retry_After": "Sat, 21 Nov 3026 10:00:00 GMT"},
        300,
    ),
}


@pytest.mark.parametrize("anyio_backend", [("asyncio", {"loop_factory": Rushing})], ids=["rushing"])
@pytest.mark.parametrize(("headers", "seconds"), TIMES.values(), ids=TIMES)
async def test_a_time_to_wait_is_obeyed_up_to_five_minutes(headers, seconds):
    """43 to 45: no request about any id leaves before then, and then the song comes; nobody waits for a year."""
    times: list[float] = []

    def step(call: Call) -> bytes:
        times.append(anyio.current_time())
        if call.number == 1:
            return says(429, **headers)
        return seen(call)

    async with Wire(step) as wire, client(wire.url, timeout=600) as suno:
        with anyio.fail_after(20_000):
            async with anyio.create_task_group() as group:
                for task_id in ("task_1", "task_2", "task_3"):
                    group.start_soon(suno.wait, task_id)
        early = [at for at in times[1:] if at < times[0] + seconds]
        # what had left before the answer came
        assert len(early) <= 2
        assert all(at < times[0] + seconds / 2 for at in early)


# what may be sent again: 39, 41, 42, 48


@pytest.mark.parametrize("status", [425, 429, 503])
async def test_what_may_be_sent_again_is_sent_until_it_is_taken(status):
    """Refused before anything happened and sent again, it is accepted once, and paid once."""
    refused = says(status, middleware("no available channel"))
    async with Wire(refused, refused, whole) as wire, client(wire.url) as suno:
        assert await outcome_of(suno.submit(CAT), wire) == ACCEPTED
        assert len(wire.posts) == 3
        assert len({call.body for call in wire.posts}) == 1


@pytest.mark.parametrize("fault", [fault for fault in FAULTS.values() if fault.resent])
async def test_nothing_is_sent_again_where_nobody_wants_that(fault):
    """With ``resubmit_on=()`` there is no exception: one submission, one request, whatever the answer."""
    async with Wire(fault.step) as wire:
        async with client(wire.url, resubmit_on=()) as suno:
            assert await outcome_of(suno.submit(CAT), wire) == fault.submit
        assert len(wire.posts) == 1


async def test_what_becomes_doubtful_while_it_is_sent_again_is_not_sent_any_more():
    """Refused, refused, and then an answer that tells nothing: there it ends, unknown."""
    refused = says(429)
    async with Wire(refused, refused, says(502, PAGE), whole) as wire, client(wire.url) as suno:
        assert await outcome_of(suno.submit(CAT), wire) == UNKNOWN
        assert len(wire.posts) == 3
