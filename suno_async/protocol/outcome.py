"""The outcome of a submission: accepted, refused, never sent, or unknown. Money hangs on it, so it is one table.

Evidence, from new-api's source and from asking it: an error that the gateway itself answers is not charged, an
upstream's own refusal comes as 500 with the upstream's code, and the codes in `_DOUBTFUL` are written after the
request went upstream. There is no idempotency key, so what may have been accepted is never sent again.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from .dialects import status_of
from .errors import ConfigurationError, GatewayUnavailable, RequestRejected, SubmitUnknown, SunoError
from .exchange import Answer
from .inputs import is_task_id
from .intents import Intent, IntentState
from .lenient import Unreadable, excerpt, one_line, read_json, snake, text
from .models import Status
from .refusals import OK_CODES, error_words, redirection, rejection, request_id, retry_after

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
_TAKEN = re.compile(
    r"success|submit|creat|accept|receiv|queu|start|schedul|generat|progress|process|\b(okay|yes|true)\b", re.IGNORECASE
)
_NOT_TAKEN = re.compile(
    r"fail|error|full|\bno|_no|invalid|exceed|limit|quota|denied|exist|reject|block|disab|forbid|unavail|busy|sensitiv"
    r"|violat|wrong|missing|bad|empty|requir|insuffi|refus|exception|illegal|\bun|_un",
    re.IGNORECASE,
)
"""What there is in words for yes, of which there are many more than any list has, and in none of them."""
_LATE = re.compile(r"time[d _-]{0,2}out|deadline", re.IGNORECASE)
_CUT = re.compile(
    r"reset|disconnect|time[d _-]{0,2}out|\bEOF\b|deadline|broken pipe|hang up|ECONN|closed|prematurely|GOAWAY"
    r"|terminat|cancell?ed|connect error|refused stream|unexpected end",
    re.IGNORECASE,
)
"""What proxies and Go say of a connection that was lost behind the gateway's door: the upstream may have accepted."""
_PIECE = re.compile(rb'"(?:[^"\\]|\\.)*(?:"(?=\s*(?:[]:,}]|\Z)))?|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)
_IDS = ("task_id", "task_batch_id", "data", "id")
_NAMED = frozenset({"task_id", "task_batch_id"})
"""What these hold is the task's id, however small a number it is."""
_SALVAGED_IDS = frozenset({"task_id", "taskId", "task_batch_id", "taskBatchId"})
_SALVAGED_MOST = 65_536
_HEAD = 1024
_LEAST_NUMBER, _MOST_NUMBER = 10**15, 2**63 - 1
"""Some backends count their tasks with snowflakes, and not all of those write them as text; times are smaller."""
_LONG = 16
"""A text without a digit is an id from this length on; "pending" and "maintenance" are words."""
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
    if isinstance(document, dict) and isinstance(document.get("code"), str):
        document["code"] = document["code"].strip()
    said = error_words(document)
    if not 200 <= answer.status < 300:
        return _judge_error(answer, document, said, action, body)
    if said is None:
        found = _salvaged(answer.body, body) if document is None else _accepted(document)
        return found or _unknown(answer, action, body, _why(answer, document))
    # a word nobody knows beside an id may well be a yes: "submitted", "queued", "created"; and one with no reason
    # beside it may be what damage left of a yes
    if _is_refusal(*said) and _is_reason(said[1]) and not _names_something(document):
        return _refused(answer, *said)
    return _unknown(answer, action, body, said[1] or said[0])


def _why(answer: Answer, document: Any) -> str:
    """Why an answer that says no "no" is no "yes" either."""
    if document is not None:
        return "accepted, but names no task"
    if answer.body[:_HEAD].lstrip().startswith(b"<"):
        return (
            "the answer is a web page, as if the base URL were wrong: check it, without a path of a web page,"
            " and the profile if one is set"
        )
    return "the answer is no JSON"


def _judge_error(answer: Answer, document: Any, said: tuple[str, str] | None, action: str, body: bytes) -> SunoError:
    if 300 <= answer.status < 400:
        return RequestRejected(redirection(answer), **_facts(answer))
    if answer.status in _NEVER_PROCESSED:
        return _refused(answer, *(said or ("", "")))
    if said is None:
        return _unknown(answer, action, body, excerpt(answer.body))
    if answer.status in _REFUSING:
        return _refused(answer, *said)
    # the distributor refuses before anything goes upstream: {"error": {...}} with 503
    aborted = isinstance(document.get("error"), dict) and not _is_doubtful(*said)
    if answer.status == 503 and (aborted or _is_refusal(*said)):
        message = one_line(said[1] or said[0])
        wait = retry_after(answer.headers)
        return GatewayUnavailable(
            f"the gateway cannot take this now: {message} (503)", retry_after=wait, **_facts(answer)
        )
    own = "message" in document and document.get("data", 0) is None
    if answer.status >= 500 and own and _is_refusal(*said):
        return _refused(answer, *said)
    return _unknown(answer, action, body, said[1] or said[0])


def unanswered(
    reason: str,
    *,
    sent: bool,
    action: str,
    body: bytes,
    received: bytes = b"",
    status: int = 0,
    certificate: bool = False,
) -> str | SunoError:
    """What a submission without a whole answer means: the id if it can be read in what came, else the error.

    ``sent`` is False only where it is proven that not one byte of the request left. ``status`` is that of the answer
    which broke, 0 where none is known: what is left of an error names no accepted task.
    """
    if certificate:
        # an address that is not whose it says it is: to try again changes nothing
        return ConfigurationError(f"the submission was not sent: the gateway's certificate is refused ({reason})")
    if not sent:
        return GatewayUnavailable(f"the submission was not sent: {reason}")
    found = _salvaged(received, body) if status == 0 or 200 <= status < 300 else None
    if found is not None:
        return found
    intent = Intent(action=action, body=body, sent=True, status=status, excerpt=excerpt(received))
    return SubmitUnknown(f"the submission may or may not have been accepted: {reason}", intent=intent)


def concluded(intent: Intent, outcome: str | SunoError, request: str | None = None) -> Intent:
    """The intent with its outcome: the task id of an accepted submission, or the error that says what is known.

    ``request`` is the gateway's own name for the request that was accepted.
    """
    change = msgspec.structs.replace
    if isinstance(outcome, str):
        return change(intent, state=IntentState.ACCEPTED, sent=True, task_id=outcome, request_id=request, reason="")
    reason = str(outcome)
    if isinstance(outcome, SubmitUnknown):
        known = outcome.intent or intent
        return change(
            intent,
            state=IntentState.UNKNOWN,
            sent=True,
            status=known.status,
            request_id=known.request_id,
            excerpt=known.excerpt,
            reason=reason,
        )
    answered = isinstance(outcome, RequestRejected) or getattr(outcome, "status", 0) > 0
    return change(
        intent,
        state=IntentState.REJECTED if answered else IntentState.NOT_SENT,
        sent=answered,
        status=getattr(outcome, "status", 0),
        request_id=getattr(outcome, "request_id", None),
        reason=reason,
    )


def _accepted(document: Any) -> str | None:
    """The id in an accepted answer: the data itself (new-api), or an object that names it (sunoapi.org forks)."""
    if not isinstance(document, dict) or _has_failed(text(document.get("status"), document.get("state"))):
        return None
    value: Any = document
    for _ in range(4):
        if _is_id(value):
            return str(value)
        if isinstance(value, list) and value:
            value = value[0]
        elif isinstance(value, dict):
            fields = snake(value)
            key = next((key for key in _IDS if fields.get(key)), None)
            value = None if key is None else fields[key]
            if key in _NAMED and type(value) is int and 0 < value <= _MOST_NUMBER:
                return str(value)
    return None


def _is_id(value: Any) -> bool:
    if not is_task_id(value):
        return type(value) is int and _LEAST_NUMBER <= value <= _MOST_NUMBER
    return len(value) >= _LONG or any(letter.isdigit() for letter in value)


def _has_failed(word: str) -> bool:
    return status_of(word) is Status.FAILURE


def _names_something(document: dict[str, Any]) -> bool:
    """True if there is anything in an answer that could be a task."""
    fields = snake(document)
    return any(fields.get(key) for key in _IDS)


def _salvaged(received: bytes, body: bytes) -> str | None:
    """The id in what came of an accepted answer: at its top or directly in its data, and not one that was sent."""
    start = received[:_SALVAGED_MOST].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start.startswith(b"{") or b'"error"' in start:
        return None
    found = None
    for depth, key, value in _pairs(start):
        word = value.strip('"')
        if _says_no(key, word):
            return None
        named = key in _SALVAGED_IDS or (key == "data" and depth == 1)
        if found is None and named and value == f'"{word}"' and _is_id(word) and word.encode() not in body:
            found = word
    return found


def _says_no(key: str, word: str) -> bool:
    if key == "code":
        return word.strip().lower() not in OK_CODES
    return (key == "success" and word == "false") or (key in {"status", "state"} and _has_failed(word))


def _pairs(body: bytes) -> Iterator[tuple[int, str, str]]:
    """(depth, name, value as written) at the top of cut-off JSON (depth 1) and directly in its data (depth 2)."""
    path: list[str] = []
    key = last = ""
    for match in _PIECE.finditer(body):
        piece = match[0].decode(errors="replace")
        if piece in "{[":
            path.append(key if piece == "{" else "[")
        elif piece in "}]":
            path.pop()
        elif piece == ":":
            key = last
            continue
        elif key and path in ([""], ["", "data"]):
            yield len(path), key, piece
        if not path:
            return
        key, last = "", piece.strip('"')


def _is_refusal(code: str, message: str) -> bool:
    """A code that is the gateway's or the upstream's own refusal, such as ``sensitive_words``."""
    return any(letter.isalpha() for letter in code) and not _is_taken(code) and not _is_doubtful(code, message)


def _is_taken(code: str) -> bool:
    """True for words of what was taken or is under way: whoever says so does not say no."""
    if _TAKEN.search(code) and not _NOT_TAKEN.search(code):
        return True
    return status_of(code) not in {Status.FAILURE, Status.UNKNOWN}


def _is_reason(message: str) -> bool:
    return message.strip().lower() not in OK_CODES


def _is_doubtful(code: str, message: str) -> bool:
    """True for what is said after the request went upstream: its codes, and connections that were lost on the way."""
    return code in _DOUBTFUL or _LATE.search(code) is not None or _CUT.search(message) is not None


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
