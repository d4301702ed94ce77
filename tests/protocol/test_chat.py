"""The chat: what is asked, and what every end of its answer means for the money."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async import (
    ConfigurationError,
    GatewayUnavailable,
    QuotaExceeded,
    RateLimited,
    RequestRejected,
    SubmitUnknown,
    SunoError,
    TaskFailed,
    Unauthorized,
    UnexpectedResponse,
    WaitTimeout,
)
from suno_async.protocol import chat
from suno_async.protocol.chat import chat_outcome, chat_request
from suno_async.protocol.exchange import Answer, Broken, Request
from suno_async.protocol.transcript import Transcript

ASKED = chat_request("a song about a cat")
HEADERS = {"X-Oneapi-Request-Id": "2026-abc"}
DELTA = b'data: {"choices":[{"delta":{"content":"meow"}}]}\n\n'
DONE = b"data: [DONE]"
PAGE = b"<!doctype html><title>new-api</title>"


def said(*pieces: bytes) -> Transcript:
    """What was heard."""
    transcript = Transcript()
    for piece in pieces:
        transcript.feed(piece)
    transcript.end()
    return transcript


def ended(body: bytes, *, readable: bool = False) -> SunoError | None:
    """What a success with this body, whole and in good order, means."""
    return chat_outcome(Answer(200, HEADERS, b""), said(body), ASKED, readable=readable)


def answered(status: int, body: bytes, *, readable: bool = False) -> SunoError | None:
    """What any other status means: its body is never heard."""
    return chat_outcome(Answer(status, HEADERS, body), Transcript(), ASKED, readable=readable)


def test_a_request_is_openais():
    """One message of the user's; the text goes out as it is, to suno-v3 where no model is named."""
    request = chat_request('猫 "x"\n', "suno-v3.5")
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert json.loads(request.body) == {
        "model": "suno-v3.5",
        "messages": [{"role": "user", "content": '猫 "x"\n'}],
        "stream": True,
    }
    assert "猫".encode() in request.body
    assert json.loads(chat_request("x", stream=False).body) == {
        "model": "suno-v3",
        "messages": [{"role": "user", "content": "x"}],
        "stream": False,
    }


@pytest.mark.parametrize(
    ("prompt", "model", "words"),
    [
        ("", "m", "prompt must be a text that is not blank"),
        (" \n", "m", "prompt must be a text that is not blank"),
        (None, "m", "prompt must be a text that is not blank"),
        (b"x", "m", "prompt must be a text that is not blank"),
        ("x", "", "model must be a text that is not blank"),
        ("x", 3, "model must be a text that is not blank"),
        ("x\ud800", "m", "half a character (a lone surrogate) cannot be sent"),
        ("x", "\udfff", "half a character (a lone surrogate) cannot be sent"),
    ],
)
def test_what_is_no_text_is_not_asked(prompt, model, words):
    """Nothing is sent for it."""
    with pytest.raises(ConfigurationError) as caught:
        chat_request(prompt, model)
    assert str(caught.value) == f"chat: {words}"


def test_all_of_the_chat_is_at_one_door():
    """The transcript and the songs in a text too."""
    assert chat.Transcript is Transcript
    assert chat.songs_in("https://x.example/a.mp3")[0].audio_url == "https://x.example/a.mp3"


FINE = {
    "a stream": DELTA + DONE,
    "a stream without an end": DELTA,
    "a message": b'{"choices":[{"message":{"content":"meow"}}]}',
    "a JSON text": b'"meow"',
    "a text": b"meow",
}


@pytest.mark.parametrize("body", FINE.values(), ids=FINE)
def test_what_says_something_is_fine(body):
    """With ``[DONE]`` or without."""
    assert ended(body) is None


@pytest.mark.parametrize("late", [True, False])
def test_what_breaks_behind_done_is_fine(late):
    """All had been said."""
    assert chat_outcome(Broken("x", status=200, late=late), said(DELTA, DONE), ASKED) is None


NO_CHANNEL = {"message": "No available channel for model suno-v3 under group default", "code": "model_not_found"}
REFUSED = {
    "no channel": (503, {"error": NO_CHANNEL}, GatewayUnavailable),
    "the key": (401, {"error": {"message": "无效的令牌", "type": "new_api_error"}}, Unauthorized),
    "no credit": (403, {"error": {"message": "x", "code": "insufficient_user_quota"}}, QuotaExceeded),
    "too many": (429, {"error": {"message": "slow down"}}, RateLimited),
    "no such route": (404, {"error": {"message": "Invalid URL (POST /v1/x)", "type": "x"}}, RequestRejected),
    "its own no": (500, {"code": "suno_config_invalid", "message": "it is empty", "data": None}, RequestRejected),
    "a body it cannot read": (400, {"code": "parse_body_failed", "message": "EOF", "data": None}, RequestRejected),
    "a redirect": (307, {}, RequestRejected),
}  # fmt: skip


@pytest.mark.parametrize(("status", "document", "kind"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_is_proven(status, document, kind):
    """As a submission's: nothing was accepted, nothing is charged."""
    error = answered(status, json.dumps(document).encode())
    assert type(error) is kind
    assert error.status == status
    assert error.request_id == "2026-abc"


@pytest.mark.parametrize(
    ("status", "kind"), [(199, SubmitUnknown), (200, type(None)), (299, type(None)), (300, RequestRejected)]
)
def test_only_a_success_has_said_something(status, kind):
    """From 200 to 299; behind any other status no text makes a chat of it."""
    assert type(chat_outcome(Answer(status, HEADERS, b""), said(DELTA, DONE), ASKED)) is kind


UNKNOWN = {
    "time at Suno-API": (504, b'{"code":"request_timeout","message":"get feed task timeout","data":null}'),
    "a proxy": (502, b"<html>Bad Gateway</html>"),
    "an upstream": (500, b'{"error":{"message":"upstream error","type":"upstream_error"}}'),
    "a 500 of nothing": (500, b""),
}


@pytest.mark.parametrize(("status", "body"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_may_have_been_accepted_is_unknown(status, body):
    """It may be charged, and is never sent again: what was asked is in the intent."""
    error = answered(status, body)
    assert type(error) is SubmitUnknown
    assert (error.intent.action, error.intent.body, error.intent.status) == ("chat", ASKED.body, status)
    assert error.intent.request_id == "2026-abc"


@pytest.mark.parametrize("status", [404, 405, 501])
@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (PAGE, PAGE.decode()),
        (b"404 page not found", "404 page not found"),
        (b"", "a page"),
        (b"<" + b"x" * 100, "<" + "x" * 79),
    ],
)
def test_who_has_no_such_route_has_accepted_nothing(status, body, shown):
    """From what is known to be a gateway it is a no, else the base URL is wrong; both name the path.

    Of what came instead 80 characters are shown, and an answer of nothing is called a page.
    """
    error = answered(status, body)
    assert type(error) is ConfigurationError
    wrong = "this is no gateway's answer to /v1/chat/completions"
    assert str(error) == f"{wrong} ({status}: {shown}): check the base URL"
    error = answered(status, body, readable=True)
    assert type(error) is RequestRejected
    assert str(error) == f"the gateway has no /v1/chat/completions: it answered {status}"
    assert (error.status, error.request_id) == (status, "2026-abc")


def test_a_page_with_200_is_no_gateways_if_nothing_else_ever_came():
    """A gateway's own page stands where it has no route; behind a known one a page proves nothing.

    Nobody is known to be a gateway unless it is said.
    """
    for error in (ended(PAGE), chat_outcome(Answer(200, HEADERS, b""), said(PAGE), ASKED)):
        assert type(error) is ConfigurationError
        wrong = "this is no gateway's answer to /v1/chat/completions"
        assert str(error) == f"{wrong} (200: a page): check the base URL"
    assert type(ended(PAGE, readable=True)) is SubmitUnknown


SILENT = {
    "nothing": b"",
    "blanks": b"\n\n",
    "only an end": DONE,
    "no text": b'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n',
    "blank text": b'data: {"choices":[{"delta":{"content":" "}}]}\n\n',
    "half a message": b'{"choices":[{"mess',
    "another document": b'{"code":"success","data":null}',
}


@pytest.mark.parametrize("body", SILENT.values(), ids=SILENT)
def test_a_success_that_says_nothing_is_unknown(body):
    """It may be charged."""
    error = ended(body)
    assert type(error) is SubmitUnknown
    assert str(error) == ("the chat may or may not have been accepted: its answer says nothing that is understood")
    assert (error.intent.body, error.intent.status) == (ASKED.body, 200)


@pytest.mark.parametrize("status", [200, 202])
def test_a_chat_that_became_a_task_names_it(status):
    """Some gateways answer everything with a task's id: whole or cut off, the error says what to do with it."""
    whole = said(b'{"code":"success","message":"","data":"task_1234567890"}')
    broken = Broken("x", status=status, received=b'{"code":"success","data":"task_1234567890"')
    for error in (
        chat_outcome(Answer(status, HEADERS, b""), whole, ASKED),
        chat_outcome(broken, said(), ASKED),
    ):
        assert type(error) is UnexpectedResponse
        assert (error.task_id, error.status) == ("task_1234567890", status)
        assert str(error) == "the gateway answered the chat with a task: wait for it"


def test_what_had_no_body_has_none_in_its_intent():
    """The intent holds what was sent and nothing else, whether the answer came or broke."""
    bare = Request("POST", "/v1/chat/completions")
    for came in (Answer(200, HEADERS, b""), Broken("x", status=200)):
        error = chat_outcome(came, said(), bare)
        assert type(error) is SubmitUnknown
        assert error.intent.body == b""


def test_a_refusal_inside_a_200_is_judged_as_a_submissions():
    """Before any text a word of the gateway's own is a no, and one of a lost connection none."""
    no = ended(b'data: {"error":{"message":"bad words","code":"sensitive_words"}}\n\n')
    assert (type(no), no.code, no.request_id) == (RequestRejected, "sensitive_words", "2026-abc")
    lost = ended(b'{"error":{"message":"connection reset","code":"x"}}')
    assert type(lost) is SubmitUnknown
    assert (lost.intent.body, lost.intent.request_id) == (ASKED.body, "2026-abc")


def test_what_says_itself_that_it_failed_has_failed():
    """It was accepted: behind a text, as one, or as time that was over at the gateway."""
    assert ended(DELTA + b'data: {"error":"no song"}\n\n').reason == "no song"
    assert type(ended(DELTA + b'data: {"error":"no song"}\n\n')) is TaskFailed
    assert type(ended(DELTA.replace(b"meow", b"timeout"))) is WaitTimeout


# it broke


def broke(*pieces: bytes, **facts: object) -> SunoError | None:
    return chat_outcome(Broken("it broke", **({"status": 200} | facts)), said(*pieces), ASKED)


def test_what_was_not_sent_is_not_unknown():
    """Proven: not one byte left."""
    assert type(broke(sent=False, status=0)) is GatewayUnavailable
    assert type(broke(sent=False, status=0, certificate=True)) is ConfigurationError


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("pieces", [(), (b": PING\n\n",), (b"data: {",), (b'{"choices":[',)])
def test_what_breaks_before_a_word_is_unknown(pieces, late):
    """Nobody can tell whether it was accepted: why it broke is told, and what was asked is in the intent."""
    error = broke(*pieces, late=late)
    assert type(error) is SubmitUnknown
    assert str(error) == "the submission may or may not have been accepted: it broke"
    assert (error.intent.action, error.intent.body, error.intent.status) == ("chat", ASKED.body, 200)


def test_what_breaks_behind_a_word_was_accepted():
    """It is not SubmitUnknown any more: late, it may still come; cut off, what was said is all there is."""
    late = broke(DELTA, late=True)
    assert type(late) is WaitTimeout
    assert str(late) == "the chat was not over in time (it broke); what it had said is kept"
    cut = broke(DELTA)
    assert type(cut) is UnexpectedResponse
    assert (cut.excerpt, cut.status) == ("meow", 200)
    assert str(cut) == "the chat broke off: it broke; what it had said is kept"


def test_what_is_too_long_is_told_so():
    """By whoever counts, with the beginning of what it had said."""
    error = broke(DELTA, oversized=True)
    assert (type(error), str(error), error.status, error.excerpt) == (UnexpectedResponse, "it broke", 200, "meow")
    assert broke(oversized=True).excerpt == ""
    error = ended(DELTA + b":" + b"x" * 2**22)
    assert (type(error), error.excerpt) == (UnexpectedResponse, "meow")


QUICK = settings(max_examples=150, deadline=None, derandomize=True)


@QUICK
@given(
    st.binary(max_size=40) | st.sampled_from([DELTA, PAGE, DONE, *SILENT.values()]),
    st.integers(100, 599),
    st.booleans(),
)
def test_every_end_has_an_outcome(body, status, readable):
    """None or an error of ours, whatever came and however it ended."""
    heard = said(body)
    for came in (Answer(status, {}, body), Answer(200, {}, body), Broken("x", status=status), Broken("x", sent=False)):
        found = chat_outcome(came, heard, ASKED, readable=readable)
        assert found is None or isinstance(found, SunoError)
