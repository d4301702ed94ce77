"""The outcome of a submission: accepted, refused, never sent, or unknown. Money hangs on it, so it is one table.

Evidence, from new-api's source and from asking it: an error that the gateway itself answers is not charged, an
upstream's own refusal comes as 500 with the upstream's code, and the codes in `_DOUBTFUL` are written after the
request went upstream. There is no idempotency key, so what may have been accepted is never sent again.
"""

import re
from typing import Any

from .errors import GatewayUnavailable, RequestRejected, SubmitUnknown, SunoError
from .exchange import Answer
from .inputs import is_task_id
from .lenient import Unreadable, excerpt, one_line, read_json, snake
from .models import Intent
from .refusals import OK_CODES, error_words, rejection, request_id

_DOUBTFUL = frozenset(
    {
        "do_request_failed",
        "read_response_body_failed",
        "unmarshal_response_body_failed",
        "fail_to_fetch_task",
        "insert_task_failed",
        "copy_response_body_failed",
    }
)
_SALVAGE = re.compile(rb'"(?:data|task_?[iI]d)"\s*:\s*"([A-Za-z0-9_.:-]{1,128})"')
_CODE = re.compile(rb'"code"\s*:\s*"?([^",}]*)')
_LEAST_NUMBER = 10**9
"""Some backends count their tasks with snowflakes, and not all of those write them as text."""
_REFUSING = frozenset({400, 401, 402, 403, 404, 405, 413, 422})
_NEVER_PROCESSED = frozenset({414, 425, 429, 430, 431})


def judge(answer: Answer, *, action: str, body: bytes) -> str | SunoError:
    """The task id of an accepted submission, or the error that says what is known about it.

    RequestRejected and its kinds, and GatewayUnavailable, mean: not accepted, not charged. SubmitUnknown means that
    nobody here can tell.
    """
    try:
        document = read_json(answer.body)
    except Unreadable:
        document = None
    said = error_words(document)
    if 200 <= answer.status < 300:
        if said is None:
            return _accepted(document, answer.body) or _unknown(answer, action, body, "accepted, but names no task")
        return _refused(answer, *said) if _is_word(said[0]) else _unknown(answer, action, body, said[1] or said[0])
    return _judge_error(answer, document, action, body)


def _judge_error(answer: Answer, document: Any, action: str, body: bytes) -> SunoError:
    said = error_words(document)
    if 300 <= answer.status < 400 or answer.status in _NEVER_PROCESSED:
        return _refused(answer, *(said or ("", "")))
    if said is None:
        return _unknown(answer, action, body, excerpt(answer.body))
    if answer.status in _REFUSING:
        return _refused(answer, *said)
    # the distributor refuses before anything goes upstream: {"error": {...}} with 503
    aborted = isinstance(document.get("error"), dict) and said[0] not in _DOUBTFUL
    if answer.status == 503 and (aborted or _is_word(said[0])):
        message = one_line(said[1] or said[0])
        return GatewayUnavailable(f"the gateway cannot take this now: {message} (503)", **_facts(answer))
    own = "message" in document and document.get("data", 0) is None
    if answer.status >= 500 and own and _is_word(said[0]):
        return _refused(answer, *said)
    return _unknown(answer, action, body, said[1] or said[0])


def unanswered(reason: str, *, sent: bool, action: str, body: bytes, received: bytes = b"") -> str | SunoError:
    """What a submission without a whole answer means: the id if it can be read in what came, else the error.

    ``sent`` is False only where it is proven that not one byte of the request left.
    """
    if not sent:
        return GatewayUnavailable(f"the submission was not sent: {reason}")
    found = _salvaged(received)
    if found is not None:
        return found
    intent = Intent(action=action, body=body, sent=True, excerpt=excerpt(received))
    return SubmitUnknown(f"the submission may or may not have been accepted: {reason}", intent=intent)


def _accepted(document: Any, body: bytes) -> str | None:
    """The id in an accepted answer: the data itself (new-api), or an object that names it (sunoapi.org forks)."""
    value = document
    for _ in range(4):
        if is_task_id(value) or (type(value) is int and value >= _LEAST_NUMBER):
            return str(value)
        if isinstance(value, list) and value:
            value = value[0]
        elif isinstance(value, dict):
            fields = snake(value)
            keys = ("task_id", "task_batch_id", "data", "id")
            value = next((fields[key] for key in keys if fields.get(key)), None)
    return _salvaged(body) if document is None else None


def _salvaged(body: bytes) -> str | None:
    """The id in what came of an accepted answer; a page's or an error's own data is none."""
    found, code = _SALVAGE.search(body), _CODE.search(body)
    task_id = found[1].decode() if found else ""
    said_yes = code is None or code[1].decode(errors="replace").strip().lower() in OK_CODES
    whole = body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and b'"error"' not in body
    return task_id if is_task_id(task_id) and said_yes and whole else None


def _is_word(code: str) -> bool:
    """A code that is the gateway's or the upstream's own refusal, such as ``sensitive_words``."""
    return any(letter.isalpha() for letter in code) and code not in _DOUBTFUL


def _refused(answer: Answer, code: str, message: str) -> RequestRejected:
    return rejection(answer, one_line(code, 80), one_line(message))


def _unknown(answer: Answer, action: str, body: bytes, reason: str) -> SubmitUnknown:
    intent = Intent(
        action=action,
        body=body,
        sent=True,
        status=answer.status,
        request_id=request_id(answer.headers),
        excerpt=excerpt(answer.body),
    )
    message = f"the submission may or may not have been accepted: {one_line(reason)} ({answer.status})"
    return SubmitUnknown(message, intent=intent)


def _facts(answer: Answer) -> dict[str, Any]:
    return {"status": answer.status, "request_id": request_id(answer.headers)}
