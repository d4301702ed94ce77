"""The chat: a song asked for as OpenAI's chat completions, and what came of it.

A gateway hands it to its upstream, or to Suno-API, which makes a submission of it. So it costs money as a submission
does, is sent once, and is judged as one; but nothing names its task, and no journal could ask for that later.
"""

import json
from typing import Any

import msgspec

from .errors import (
    ConfigurationError,
    RequestRejected,
    SubmitUnknown,
    SunoError,
    UnexpectedResponse,
    WaitTimeout,
)
from .exchange import Answer, Broken, Request
from .lenient import Unreadable, excerpt, one_line, read_json
from .links import songs_in
from .outcome import judge, unanswered
from .refusals import error_words, request_id
from .transcript import ACTION, Transcript

__all__ = ["Transcript", "chat_outcome", "chat_request", "songs_in"]

_NO_ROUTE = frozenset({404, 405, 501})


def chat_request(prompt: str, model: str = "suno-v3", *, stream: bool = True) -> Request:
    """The request for a song about ``prompt``; raises ConfigurationError for what is no text.

    ``model`` is the gateway's name for it: ``suno-v3`` and ``suno-v3.5`` are Suno-API's, others are passed on.
    """
    for name, value in (("prompt", prompt), ("model", model)):
        if not isinstance(value, str) or not value.strip():
            raise ConfigurationError(f"chat: {name} must be a text that is not blank")
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], "stream": stream}
    try:
        return Request("POST", "/v1/chat/completions", json.dumps(body, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        raise ConfigurationError("chat: half a character (a lone surrogate) cannot be sent") from None


def chat_outcome(
    came: Answer | Broken, heard: Transcript, request: Request, *, readable: bool = False
) -> SunoError | None:
    """What went wrong with a chat that is over; None if nothing did. It is judged as a submission is: it costs money.

    ``came`` is how its answer ended: an Answer where it came to an end in good order (its body is not looked at where
    the status is a success), Broken where it did not. ``heard`` is what was read of a success. ``readable``: this base
    URL is known to be a gateway's.

    Proven not to be accepted, and so not charged, is only what is a RequestRejected or one of its kinds,
    GatewayUnavailable, or ConfigurationError (a page from what is no gateway). SubmitUnknown: it broke off before
    anything was said, so nobody can tell. After that it was accepted, whatever comes: WaitTimeout where the time was
    over, UnexpectedResponse where it was cut off, TaskFailed where it says itself that it failed.
    """
    if isinstance(came, Broken):
        return None if heard.done else _broken(came, heard, request)
    if not 200 <= came.status < 300:
        return _refused(came, request, readable=readable)
    if heard.refusal and not heard.text:
        return _judged(came, heard.refusal, request)
    if heard.error is not None or heard.text.strip():
        return heard.error
    if heard.page and not readable:
        return _no_gateway(came, request)
    found = _judged(came, heard.body, request)
    if isinstance(found, SubmitUnknown):
        message = "the chat may or may not have been accepted: its answer says nothing that is understood"
        return SubmitUnknown(message, intent=found.intent)
    return found


def _broken(came: Broken, heard: Transcript, request: Request) -> SunoError:
    shown = one_line(heard.text)
    if came.oversized:
        return UnexpectedResponse(came.reason, excerpt=shown, status=came.status)
    if not heard.text.strip():
        found = unanswered(
            came.reason,
            sent=came.sent,
            action=ACTION,
            body=request.body or b"",
            received=came.received or heard.refusal,
            status=came.status,
            certificate=came.certificate,
        )
        return _error(found, came.status)
    if came.late:
        return WaitTimeout(f"the chat was not over in time ({came.reason}); what it had said is kept")
    message = f"the chat broke off: {came.reason}; what it had said is kept"
    return UnexpectedResponse(message, excerpt=shown, status=came.status)


def _refused(came: Answer, request: Request, *, readable: bool) -> SunoError:
    try:
        said = error_words(read_json(came.body))
    except Unreadable:
        said = None
    if came.status in _NO_ROUTE and said is None:
        # whoever has no such route has accepted nothing
        if not readable:
            return _no_gateway(came, request)
        facts: dict[str, Any] = {"status": came.status, "request_id": request_id(came.headers)}
        return RequestRejected(f"the gateway has no {request.path}: it answered {came.status}", **facts)
    return _judged(came, came.body, request)


def _no_gateway(came: Answer, request: Request) -> ConfigurationError:
    shown = excerpt(came.body) or "a page"
    return ConfigurationError(
        f"this is no gateway's answer to {request.path} ({came.status}: {shown[:80]}): check the base URL"
    )


def _judged(came: Answer, body: bytes, request: Request) -> SunoError:
    return _error(judge(msgspec.structs.replace(came, body=body), action=ACTION, body=request.body or b""), came.status)


def _error(found: str | SunoError, status: int) -> SunoError:
    if isinstance(found, SunoError):
        return found
    return UnexpectedResponse("the gateway answered the chat with a task: wait for it", task_id=found, status=status)
