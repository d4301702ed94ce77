"""The outcome of a submission, as the decision table it is."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol import errors, lenient
from suno_async.protocol.exchange import Answer
from suno_async.protocol.inputs import is_task_id
from suno_async.protocol.intents import Intent, IntentState
from suno_async.protocol.outcome import concluded, judge, unanswered

QUICK = settings(max_examples=100, deadline=None, derandomize=True)
RECORDINGS = sorted((Path(__file__).parents[1] / "recordings").glob("*.json"))
SENT = b'{"gpt_description_prompt":"cat"}'
PAGE = '<!doctype html><html><body>{"data":"abc"}</body></html>'
ID = "736a6f88-bd29-4b1e-b110-37132a5325ac"


def raw(body) -> bytes:
    return body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()


def asked(status, body, **headers):
    return judge(Answer(status, headers, raw(body)), action="music", body=SENT)


def task_error(code, message="said", **more):
    return {"code": code, "message": message, "data": None, **more}


NO_CHANNEL = {"error": {"message": "No available channel", "type": "new_api_error", "code": "model_not_found"}}
BODIES = {
    "nothing": "",
    "page": PAGE,
    "words": "upstream timeout",
    "truncated": '{"code":"success","message":"","da',
    "null": "null",
    "list": [],
    "object": {},
    "message alone": {"message": "Service Unavailable"},
    "own word": task_error("sensitive_words"),
    "doubtful": task_error("fail_to_fetch_task"),
    "number": task_error("503"),
    "word with data": {"code": "oops", "message": "said", "data": {"x": 1}},
    "word without data": {"code": "EREFUSED", "message": "said"},
    "late word": {"code": "ETIMEDOUT", "message": "said", "data": None},
    "lost upstream": task_error("internal_error", "read tcp: connection reset by peer"),
    "own word with an id": {"code": "oops", "message": "", "data": "task_1"},
    "own word for yes": {"code": "submitted", "message": "", "data": None},
    "own word for yes with an id": {"code": "queued", "message": "", "data": "task_1"},
    "error object": NO_CHANNEL,
    "error object, doubtful": {"error": {"message": "said", "code": "do_request_failed"}},
    "error object, number": {"error": {"message": "said", "code": 503}},
    "error text": {"error": "said"},
    "success false": {"success": False, "message": "said"},
}
NO, UNKNOWN, LATER, LIMIT = errors.RequestRejected, errors.SubmitUnknown, errors.GatewayUnavailable, errors.RateLimited
NEVER = {414: NO, 425: NO, 431: NO, 429: LIMIT, 430: LIMIT}
REFUSED = dict.fromkeys((400, 404, 405, 413, 422), NO)
REFUSED |= {401: errors.Unauthorized, 402: errors.QuotaExceeded, 403: errors.Unauthorized}
#: the classes of a body: does it say no, is it a word of the gateway's own, did the distributor abort
SAYS_NO = {
    name
    for name in BODIES
    if name.startswith(("own", "doubtful", "number", "word ", "error", "success", "late", "lost"))
}
WORDS = {"own word", "own word with an id", "word with data", "word without data", "error object"}
WITH_DATA = {"word with data", "own word with an id"}
ABORTED = {"error object", "error object, number"}


def expected(status: int, name: str) -> type:
    """The table of faults.md 4b, written once more and plainly."""
    if 300 <= status < 400 or status in NEVER:
        return NEVER.get(status, NO)
    if status < 300:
        return NO if name in WORDS - WITH_DATA else UNKNOWN
    if name in SAYS_NO and status in REFUSED:
        return REFUSED[status]
    if status == 503 and name in WORDS | ABORTED:
        return LATER
    return NO if status >= 500 and name == "own word" else UNKNOWN


STATUSES = [
    200,
    201,
    204,
    299,
    300,
    301,
    302,
    304,
    307,
    308,
    400,
    401,
    402,
    403,
    404,
    405,
    406,
    408,
    409,
    413,
    414,
    415,
    418,
]
STATUSES += [
    422,
    423,
    425,
    429,
    430,
    431,
    451,
    499,
    500,
    501,
    502,
    503,
    504,
    507,
    520,
    521,
    522,
    523,
    524,
    529,
    598,
    999,
]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("name", BODIES)
def test_the_decision_table(status, name):
    """Every status with every body is refused, for later, or unknown: and what is unknown is nothing less."""
    found = asked(status, BODIES[name])
    assert type(found) is expected(status, name)
    if isinstance(found, errors.SubmitUnknown):
        assert (found.intent.action, found.intent.body, found.intent.sent) == ("music", SENT, True)
        assert found.intent.status == status
        assert str(found).startswith("the submission may or may not have been accepted: ")
        assert str(found).endswith(f" ({status})")


DOUBTFUL = ["do_request_failed", "read_response_body_failed", "unmarshal_response_body_failed", "fail_to_fetch_task"]
DOUBTFUL += ["insert_task_failed", "copy_response_body_failed"]


@pytest.mark.parametrize("code", DOUBTFUL)
@pytest.mark.parametrize("status", [200, 500, 502, 503, 504, 520])
def test_doubtful_codes_decide_nothing(code, status):
    """A code that is written after the request went upstream never counts as a refusal."""
    assert type(asked(status, task_error(code))) is errors.SubmitUnknown


MAYBE = {
    "submitted": (200, {"code": "submitted", "message": "", "data": "task_1"}),
    "queued": (200, {"code": "queued", "data": {"task_id": "task_1"}}),
    "created": (201, {"code": "created", "data": {"task_id": "t1"}}),
    "id at the top": (200, {"code": "submitted", "taskId": "t1"}),
    "late": (200, {"code": "timeout", "message": "upstream timeout"}),
    "late 504": (504, task_error("request_timeout")),
    "deadline": (500, task_error("context_deadline_exceeded")),
    "timed out": (500, task_error("upstream_error", "i/o timed out")),
    "reset": (500, task_error("internal_error", "read tcp: connection reset by peer")),
    "end": (502, task_error("internal_error", "unexpected EOF")),
    "late in an object": (503, {"error": {"message": "upstream timeout", "code": "x"}}),
}


@pytest.mark.parametrize(("status", "body"), MAYBE.values(), ids=MAYBE)
def test_what_may_be_a_yes_is_no_refusal(status, body):
    """An unexplained word beside an id, and a connection lost behind the gateway, decide nothing."""
    assert type(asked(status, body)) is errors.SubmitUnknown


@pytest.mark.parametrize("code", ["submitted", "PENDING", "processing", "queued", "Created", "accepted", "received"])
@pytest.mark.parametrize("status", [200, 500, 503])
def test_a_word_for_what_was_taken_is_no_refusal(code, status):
    """A word for yes, or for what is under way, may be a yes, however little stands beside it."""
    assert type(asked(status, {"code": code, "message": "wait for the song", "data": None})) is errors.SubmitUnknown


SAID = "in_queue queuing enqueued submit_success task_submitted task_created task_accepted started scheduled generating"
SAID += " successful success! okay yes TRUE request_received"


@pytest.mark.parametrize("code", SAID.split())
def test_a_word_that_sounds_like_yes_is_no_refusal(code):
    """Of words for yes there are many more than any list has: what sounds like one may be one."""
    assert type(asked(200, {"code": code, "message": "wait for the song", "data": None})) is errors.SubmitUnknown


REFUSALS = "submit_failed create_task_failed generate_error queue_full not_started no_process invalid_submission"
REFUSALS += (
    " success_rate_exceeded processing_limit unprocessable task_unaccepted started_quota creation_disabled yesterday"
)


@pytest.mark.parametrize("code", REFUSALS.split())
def test_a_word_with_a_no_in_it_is_a_refusal(code):
    """Whatever else it sounds like."""
    assert isinstance(asked(200, {"code": code, "message": "no", "data": None}), errors.RequestRejected)


def test_a_word_for_what_has_failed_is_a_refusal():
    """What is known to mean no, as the status of a task too, stays a no."""
    assert type(asked(200, {"code": "failed", "message": "no", "data": None})) is errors.RequestRejected


@pytest.mark.parametrize("data", [None, "", [], {}], ids=ascii)
def test_a_word_with_nothing_beside_it_is_a_refusal(data):
    """A 2xx that says a word of its own and holds nothing is not accepted."""
    assert type(asked(200, {"code": "sensitive_words", "message": "no", "data": data})) is errors.RequestRejected


@pytest.mark.parametrize("message", ["", " ", "Success", "OK ", "200"])
def test_a_word_without_a_reason_is_no_refusal(message):
    """A 2xx with an odd word, but with what is said beside a yes, may be what damage has left of a yes."""
    assert type(asked(200, {"code": "succ3ss", "message": message, "data": None})) is errors.SubmitUnknown


@pytest.mark.parametrize("code", ["sensitive_words", "invalid_request", "gen_relay_info_failed", "内容违规"])
def test_a_word_of_the_gateways_own_is_a_refusal(code):
    """The gateway's own envelope with a word that nobody doubts means: not accepted, not charged."""
    error = asked(500, task_error(code, "prompt was refused"), **{"X-Oneapi-Request-Id": "r1"})
    assert type(error) is errors.RequestRejected
    assert (error.status, error.code, error.message, error.request_id) == (500, code, "prompt was refused", "r1")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, task_error("quota_not_enough", "user quota is not enough"), errors.QuotaExceeded),
        (403, task_error("pre_consume_token_quota_failed"), errors.QuotaExceeded),
        (500, task_error("insufficient_user_quota"), errors.QuotaExceeded),
        (200, task_error("err", "insufficient account balance"), errors.QuotaExceeded),
        (402, task_error("x"), errors.QuotaExceeded),
        (401, {"error": {"message": "该令牌额度已用尽"}}, errors.Unauthorized),
        (429, "", errors.RateLimited),
        (429, task_error("fail_to_fetch_task"), errors.RateLimited),
    ],
)
def test_refusals_say_what_to_do(status, body, error):
    """Quota, key and rate have errors of their own; OLD's empty quota is a refused key, as it says 401."""
    assert type(asked(status, body)) is error


@pytest.mark.parametrize("status", [200, 500])
def test_an_unknown_outcome_says_the_gateways_words(status):
    """The error holds the gateway's message, or its code where there is no message."""
    for code, message, shown in (("fail_to_fetch_task", "no luck", "no luck"), ("fail_to_fetch_task", "", "fail_to")):
        said = str(asked(status, task_error(code, message)))
        assert said.startswith(f"the submission may or may not have been accepted: {shown}")


def test_a_refusal_without_words_has_none():
    """Where the gateway says nothing there is no code and no message."""
    error = asked(301, "")
    assert (type(error), error.code, error.message) == (errors.RequestRejected, "", "")


def test_what_was_never_processed_needs_no_words():
    """Some statuses say enough: then there is no code and no message."""
    error = asked(425, "")
    assert (type(error), error.code, error.message) == (errors.RequestRejected, "", "")


def test_a_refusals_code_is_cut():
    """Of a code that is too long to be one, 80 characters are kept."""
    assert asked(400, task_error("x" * 100)).code == "x" * 80


def test_a_gateway_that_cannot_take_it_says_so():
    """503 of the distributor is not accepted and not charged, with the gateway's words."""
    error = asked(503, NO_CHANNEL, **{"X-Oneapi-Request-Id": "r1"})
    assert str(error) == "the gateway cannot take this now: No available channel (503)"
    assert (error.status, error.request_id) == (503, "r1")
    assert error.retry_after is None
    assert asked(503, NO_CHANNEL, **{"Retry-After": "7"}).retry_after == 7
    assert str(asked(503, {"code": "EREFUSED"})) == "the gateway cannot take this now: EREFUSED (503)"


def test_an_unknown_outcome_keeps_the_evidence():
    """What is needed to look for the task later is in the intent, fit to be shown."""
    intent = asked(502, b"<html>\x1b[31m bad\r\ngateway", **{"X-Oneapi-Request-Id": "r1"}).intent
    assert (intent.status, intent.request_id, intent.excerpt) == (502, "r1", "<html> [31m bad gateway")


ACCEPTED = {
    "new-api": ({"code": "success", "message": "", "data": ID}, ID),
    "code 200": ({"code": 200, "data": ID}, ID),
    "capitals": ({"code": "SUCCESS", "data": ID}, ID),
    "no code": ({"data": ID}, ID),
    "sunoapi.org": ({"code": 200, "msg": "success", "data": {"taskId": "5c79be8e"}}, "5c79be8e"),
    "task_id": ({"task_id": "t1", "clip_id": "c1"}, "t1"),
    "batch": (
        {"code": 200, "data": {"code": 200, "data": {"taskBatchId": "1268154180129529857"}}},
        "1268154180129529857",
    ),
    "v1": ({"id": "g1", "clips": [{"id": "c1"}], "status": "complete"}, "g1"),
    "in a list": ({"code": "success", "data": [{"task_id": "t1"}]}, "t1"),
    "the task itself": (
        {"code": "success", "data": {"id": 7, "task_id": "t1", "status": "NOT_START", "data": None}},
        "t1",
    ),
    "two documents": (
        f'{{"code":"success","message":"","data":"{ID}"}}{{"code":"insert_task_failed","data":null}}',
        ID,
    ),
    "three deep": ({"data": {"data": {"data": "t1"}}}, "t1"),
    "snowflake as a number": ({"code": "success", "data": 1268154180129529857}, "1268154180129529857"),
    "the smallest snowflake": ({"code": "success", "data": 10**15}, "1000000000000000"),
    "the largest snowflake": ({"code": "success", "data": 2**63 - 1}, "9223372036854775807"),
    "a small number that is named": ({"code": "success", "data": {"task_id": 1}}, "1"),
    "a large number that is named": ({"code": 200, "data": {"taskId": 2**63 - 1}}, "9223372036854775807"),
    "a batch's number": ({"code": 200, "data": {"taskBatchId": 12345}}, "12345"),
    "blank behind the code": ({"code": "success ", "data": "task_1"}, "task_1"),
    "letters alone": ({"data": "abcdefabcdefabcd"}, "abcdefabcdefabcd"),
    "bad UTF-8": (b'{"code":"success","message":"\xff","data":"t1"}', "t1"),
    "mark": (b'\xef\xbb\xbf{"code":"success","data":"t1"}', "t1"),
    "truncated": ('{"code":"success","message":"","data":"t1"', "t1"),
    "truncated fork": (b' \xef\xbb\xbf{"code":200,"msg":"success","data":{"taskId":"t1"', "t1"),
    "truncated, no code": ('{"task_id": "t1", "x', "t1"),
    "truncated, success": ('{"success":true,"stream":false,"data":"t1"', "t1"),
    "truncated, under way": ('{"status":"pending","title":"failed","data":"t1"', "t1"),
    "truncated, odd value": ('{"code":"success","x":X,"data":"t1"', "t1"),
    "truncated, capitals": ('{"code":"success","data":"X1X"', "X1X"),
}


@pytest.mark.parametrize(("body", "task_id"), ACCEPTED.values(), ids=ACCEPTED)
def test_an_accepted_submission_has_its_id(body, task_id):
    """The id is found wherever a gateway puts it, also in what is left of a damaged answer."""
    assert asked(200, body) == task_id


NO_ID = {
    "empty": {"code": "success", "data": ""},
    "null": {"code": "success", "data": None},
    "true": {"code": "success", "data": True},
    "count": {"code": "success", "data": 1},
    "time in ms": {"code": 200, "msg": "success", "data": 1763724000000},
    "a word alone": '"ok"',
    "maintenance": '"maintenance"',
    "an id alone": f'"{ID}"',
    "list alone": [ID],
    "pending": {"data": "pending"},
    "failed": {"status": "failed", "id": "req-1", "message": "nope"},
    "failed state": {"state": "error", "data": {"task_id": "t1"}},
    "dots": {"code": "success", "data": ".."},
    "path": {"code": "success", "data": "../../api/user/self"},
    "long": {"code": "success", "data": "x" * 129},
    "empty list": {"code": "success", "data": []},
    "too deep": {"data": {"data": {"data": {"data": "t1"}}}},
    "a number below all snowflakes": {"code": "success", "data": 10**15 - 1},
    "a number above all snowflakes": {"code": "success", "data": 2**63},
    "a named number that is none": {"code": "success", "data": {"task_id": -1}},
    "a named number above all": {"code": "success", "data": {"task_id": 2**63}},
    "a field without a name": {"code": "success", "": "t1", "data": None},
    "a named truth": {"code": "success", "data": {"task_id": True}},
    "a count that is not named": {"code": "success", "data": {"id": 12345}},
    "truncated before the end of the id": '{"code":"success","message":"","data":"736a6f88',
    "truncated dots": '{"code":"success","message":"","data":".."',
    "truncated refusal": '{"code":"quota_not_enough","message":"","data":"t1"',
    "truncated error": '{"error":{"message":"x"},"data":"t1"',
    "truncated deep": '{"request":{"task_id":"origin-1"},"code":"success","da',
    "truncated list": '{"code":"success","data":[{"task_id":"t1"}',
    "truncated failure": '{"status":"failed","task_id":"t1"',
    "truncated failed state": '{"state":"failed","task_id":"t1"',
    "truncated no": '{"success":false,"task_id":"t1"',
    "truncated inner no": '{"code":200,"data":{"code":"oops","task_id":"t1"',
    "page with data": PAGE,
    "nothing": "",
}  # fmt: skip


@pytest.mark.parametrize("body", NO_ID.values(), ids=NO_ID)
def test_an_accepted_submission_without_an_id_is_unknown(body):
    """Where there is no id that could be asked for, none is invented: the outcome is unknown, with the answer kept."""
    found = asked(200, body)
    assert type(found) is errors.SubmitUnknown
    assert found.intent.status == 200
    assert found.intent.excerpt == raw(body).decode()[:200]
    try:
        lenient.read_json(raw(body))
        said = "accepted, but names no task (200)"
    except lenient.Unreadable:
        said = "the answer is no JSON (200)"
    if body == PAGE:
        check = "check it, without a path of a web page, and the profile if one is set"
        said = f"the answer is a web page, as if the base URL were wrong: {check} (200)"
    assert said in str(found)


@pytest.mark.parametrize("blanks", ["\n", " " * 1023])
def test_a_web_page_hints_at_the_base_url(blanks):
    """A page may be a proxy's, so nothing is decided; that the base URL may lead to it is said."""
    assert "base URL" in str(asked(200, blanks + PAGE))
    assert "base URL" not in str(asked(200, " " * 1024 + PAGE))


# without a whole answer


def test_what_never_left_is_not_unknown():
    """A request of which not one byte left is a gateway that cannot be reached, whatever else came."""
    error = unanswered("refused", sent=False, action="music", body=SENT, received=b'{"data":"t1"}')
    assert type(error) is errors.GatewayUnavailable
    assert str(error) == "the submission was not sent: refused"


@pytest.mark.parametrize(
    "received", [b'{"code":"success","message":"","data":"t1"', b'{"code":200,"data":{"taskId":"t1"}}']
)
def test_an_id_in_a_broken_answer_is_real(received):
    """An id that came before the connection broke is the task's."""
    assert unanswered("reset", sent=True, action="music", body=SENT, received=received) == "t1"


CUT = {
    "error": (500, b'{"message":"upstream failed","data":"trace-abc1"'),
    "refusal": (400, b'{"message":"bad","task_id":"origin-task1"'),
    "redirect": (302, b'{"data":"t1"'),
    "choices": (300, b'{"data":"t1"'),
    "something before": (200, b'X{"code":"success","data":"t1"'),
    "another name": (200, b'{"code":"success","trace":"abc123","da'),
    "longer name": (200, b'{"code":"success","Xdata":"t1"'),
    "data in data": (200, b'{"code":200,"data":{"data":"t1"'),
    "deep": (200, b'{"request":{"task_id":"task-2"},"code":"success","da'),
    "sent": (200, b'{"code":"success","task_id":"origin-1","da'),
    "word": (0, b'{"data":"pending"'),
    "half an id": (200, b'{"code":"success","data":"736a6f88'),
    "closed": (200, b'{"code":"success"}{"data":"t1"'),
}


@pytest.mark.parametrize(("status", "received"), CUT.values(), ids=CUT)
def test_a_cut_off_answer_gives_no_other_id(status, received):
    """What broke off in an error, deep inside, or with an id that was sent itself names no accepted task."""
    sent = b'{"task_id":"origin-1","continue_at":3}'
    error = unanswered("reset", sent=True, action="music", body=sent, received=received, status=status)
    assert type(error) is errors.SubmitUnknown
    assert error.intent.status == status


def test_no_answer_at_all_is_unknown():
    """A request that left and has no answer is unknown, with nothing to show of it."""
    error = unanswered("timeout", sent=True, action="music", body=SENT)
    assert type(error) is errors.SubmitUnknown
    assert error.intent.excerpt == ""


@pytest.mark.parametrize("status", [0, 200, 299])
def test_a_cut_off_acceptance_gives_its_id(status):
    """The first id that was not sent counts, of an answer that was a yes or whose status is not known."""
    received = b' {"code":200,"x":["a",{"b":1}],"task_id":"origin-1","data":{"n":{"q":1},"taskId":"t7","task_id":"t8"},'
    sent = b'{"task_id":"origin-1"}'
    assert unanswered("reset", sent=True, action="music", body=sent, received=received, status=status) == "t7"


@pytest.mark.parametrize(
    "received",
    [b"", b"{", PAGE.encode(), b'{"error":{"code":"x"},"data":"t1"', b'{"code":"oops","data":"t1"', b'{"data":"."'],
)
def test_what_may_have_been_sent_is_unknown(received):
    """A request that left and has no readable answer is unknown, with what was to be submitted."""
    error = unanswered("timeout", sent=True, action="lyrics", body=SENT, received=received)
    assert type(error) is errors.SubmitUnknown
    assert str(error) == "the submission may or may not have been accepted: timeout"
    assert (error.intent.action, error.intent.body, error.intent.sent, error.intent.status) == ("lyrics", SENT, True, 0)
    assert error.intent.excerpt == received.decode()[:200]


# what is written down of it


INTENT = Intent(action="music", body=SENT, sent=False, state=IntentState.INTENDED, intent_id="i1", excerpt="e")
EVIDENCE = Intent(action="music", body=SENT, sent=True, status=502, request_id="r2", excerpt="<html>")
CONCLUDED = {
    "accepted": ("t1", {"state": "accepted", "sent": True, "task_id": "t1", "request_id": "r1"}),
    "unknown": (
        errors.SubmitUnknown("who knows", intent=EVIDENCE),
        {
            "state": "unknown",
            "sent": True,
            "status": 502,
            "request_id": "r2",
            "excerpt": "<html>",
            "reason": "who knows",
        },
    ),
    "unknown, no evidence": (errors.SubmitUnknown("gone"), {"state": "unknown", "sent": True, "reason": "gone"}),
    "refused": (
        errors.RequestRejected("no", status=400, request_id="r2"),
        {"state": "rejected", "sent": True, "status": 400, "request_id": "r2", "reason": "no"},
    ),
    "refused, no status": (errors.RequestRejected("no"), {"state": "rejected", "sent": True, "reason": "no"}),
    "later": (
        errors.GatewayUnavailable("busy", status=503, request_id="r2"),
        {"state": "rejected", "sent": True, "status": 503, "request_id": "r2", "reason": "busy"},
    ),
    "not sent": (errors.GatewayUnavailable("refused"), {"state": "not_sent", "reason": "refused"}),
    "not configured": (errors.ConfigurationError("certificate"), {"state": "not_sent", "reason": "certificate"}),
}


@pytest.mark.parametrize(("outcome", "changed"), CONCLUDED.values(), ids=CONCLUDED)
def test_an_outcome_is_written_down(outcome, changed):
    """An intent takes over what its outcome says, and keeps everything else."""
    found = concluded(INTENT, outcome, "r1")
    assert msgspec.structs.asdict(found) == msgspec.structs.asdict(INTENT) | changed


def test_what_was_accepted_later_has_no_reason():
    """A submission that was accepted after all has nothing to explain."""
    again = concluded(concluded(INTENT, errors.GatewayUnavailable("refused")), "t1")
    assert (again.state, again.task_id, again.request_id, again.reason) == (IntentState.ACCEPTED, "t1", None, "")


# recordings and noise


TOLD = {path.stem: json.loads(path.read_text()) for path in RECORDINGS}
SUBMISSIONS = {name: told for name, told in TOLD.items() if told["ask"].startswith("POST /suno/submit")}


@pytest.mark.parametrize("told", SUBMISSIONS.values(), ids=SUBMISSIONS)
def test_recorded_submissions_are_judged(told):
    """Every recorded answer to a submission is the id or the error that its recording expects."""
    found = asked(told["status"], told["body"], **told.get("headers", {}))
    if "error" in told["expect"]:
        assert type(found).__name__ == told["expect"]["error"]
    else:
        assert found == told["expect"]["task_id"]


def is_outcome(found) -> bool:
    return is_task_id(found) if isinstance(found, str) else isinstance(found, errors.SunoError)


@QUICK
@given(st.binary(max_size=80), st.integers(100, 999))
def test_any_bytes_have_an_outcome(body, status):
    """No answer makes the judgement fail, and an id is only ever read from a 2xx."""
    found = asked(status, body)
    assert is_outcome(found)
    assert not isinstance(found, str) or 200 <= status < 300


@QUICK
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.sampled_from(["success", "x", "..", ""]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["code", "message", "error", "data", "taskId", "id", "success"]), inner, max_size=5
            )
        ),
        max_leaves=10,
    ),
    st.sampled_from([200, 400, 429, 500, 503]),
)
def test_any_json_has_an_outcome(document, status):
    """No JSON document makes the judgement fail."""
    assert is_outcome(asked(status, document))


@QUICK
@given(st.data())
def test_a_damaged_acceptance_is_never_refused(data):
    """However an accepted answer is damaged behind its code, there is an id or the outcome is unknown: no refusal."""
    body = bytearray(raw({"code": "success", "message": "", "data": ID}))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(30, len(body) - 1))  # behind the code, which says yes
        body[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    found = asked(200, bytes(body))
    assert is_task_id(found) if isinstance(found, str) else type(found) is errors.SubmitUnknown


def test_a_redirected_submission_names_the_host():
    """Not followed, not accepted; the host it was sent on to is said, and nothing else of the address."""
    answer = Answer(307, {"Location": "HTTPS://user:word@other.example/suno?x=1"}, b"")
    error = judge(answer, action="music", body=b"{}")
    assert (type(error), error.status) == (errors.RequestRejected, 307)
    assert "other.example" in str(error)
    assert "word" not in str(error)
    assert "x=1" not in str(error)


def test_a_refused_certificate_is_a_matter_of_configuration():
    """Nothing was sent, and to try again changes nothing."""
    error = unanswered("expired", sent=False, action="music", body=b"{}", certificate=True)
    assert type(error) is errors.ConfigurationError
    assert "not sent" in str(error)
    assert concluded(INTENT, error).state is IntentState.NOT_SENT


LOST_BEHIND = [
    "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
    "remote reset",
    "write: broken pipe",
    "http2: server sent GOAWAY and closed the connection",
    "use of closed network connection",
    "http: server closed idle connection",
    "upstream prematurely closed connection",
    "socket hang up",
    "read ECONNRESET",
    "context canceled",
    "unexpected end of JSON input",
]


@pytest.mark.parametrize("message", LOST_BEHIND, ids=[f"lost {number}" for number in range(len(LOST_BEHIND))])
@pytest.mark.parametrize("status", [200, 500, 502, 503])
def test_a_connection_lost_behind_the_gateway_is_unknown(status, message):
    """Whoever says so, in whatever envelope: the upstream may have accepted, so it is not sent again."""
    for document in (
        {"error": {"code": "x", "message": message}},
        {"code": "bad_gateway", "message": message, "data": None},
    ):
        error = judge(Answer(status, {}, json.dumps(document).encode()), action="music", body=b"{}")
        assert type(error) is errors.SubmitUnknown
