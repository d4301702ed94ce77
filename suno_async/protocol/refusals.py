"""Answers that are no news about a task: what kind of trouble each one is, and the error that tells of it."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Any

import msgspec

from .errors import (
    ConfigurationError,
    GatewayUnavailable,
    QuotaExceeded,
    RateLimited,
    RequestRejected,
    SunoError,
    TaskNotFound,
    Unauthorized,
    UnexpectedResponse,
)
from .exchange import Answer, Broken
from .lenient import Unreadable, excerpt, one_line, read_json, text


class Kind(Enum):
    """What a caller can do about an answer that is no news."""

    MISSING = auto()
    """The gateway does not know this id, now."""
    KEY = auto()
    """The key is refused."""
    LIMITED = auto()
    """Too many requests."""
    OUTAGE = auto()
    """Broken or unreachable for now; nothing is said about any task."""
    NO_NEWS = auto()
    """A readable answer that says nothing (new-api: 200 with an empty body, or with data null)."""
    ELSEWHERE = auto()
    """A page or a redirect: the base URL is wrong, or somebody stands between us and the gateway."""
    REJECTED = auto()
    """The gateway understood and said no."""
    FOREIGN = auto()
    """The answer is about other tasks: it was meant for another request on the same connection."""
    NAMELESS = auto()
    """The answer names no task and came on a used connection, so it may be another request's."""


class Trouble(msgspec.Struct, frozen=True):
    """Why an answer is no news."""

    kind: Kind
    error: SunoError
    readable: bool = False
    """The gateway's own JSON: whoever answered is a gateway."""
    divisible: bool = False
    """With several ids in the request, one of them (or their number) may be the cause: ask again with fewer."""
    routeless: bool = False
    """What a gateway that lacks this route answers."""
    retry_after: float | None = None
    late: bool = False
    """The request ran out of time."""


class _Words(msgspec.Struct, frozen=True):
    """What an error answer says of itself."""

    code: str
    message: str
    shape: str
    """"task" for {code, message, data}, "middleware" for {error: {...}}, else "html", "empty" or "garbled"."""


OK_CODES = frozenset({"", "success", "ok", "200", "0", "1"})
_QUOTA = re.compile(r"quota|insufficient.{0,20}balance|余额不足|额度不足", re.IGNORECASE)
_UNKNOWN_TASK = re.compile(r"task[ _]?(is )?not[ _](exist|found)|record not found|job not exi", re.IGNORECASE)
_NO_CHANNEL = re.compile(r"no available channel|无可用渠道|model_not_found", re.IGNORECASE)
_PAGE = re.compile(rb"<[!?/A-Za-z]").match
_SECONDS = re.compile(r"[0-9]{1,6}", re.ASCII).fullmatch
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,80}").fullmatch
_HOST = re.compile(r"(https?://)(?:[^/?#\\]*@)?([A-Za-z0-9.:\[\]-]{1,200})(?=[/?#]|\Z)", re.IGNORECASE).match
_RETRY_AFTER_MOST = 300.0
_TOO_LARGE = 413
"""A proxy says it of what the gateway never saw, with a page."""
_ENVELOPES = 4


def error_words(document: Any) -> tuple[str, str] | None:
    """The (code, message) of a decoded answer that says "no", or None if it says "yes".

    Three envelopes are known: {code, message, data}, {error: {message, type, code}} and {success: false, message}.
    """
    # one envelope inside another (yunwu): the inner one may say no. From Python 3.12 on documents may be nested deeper
    # than functions may call themselves
    for _ in range(_ENVELOPES):
        if not isinstance(document, dict):
            return None
        said = _words_of(document)
        inner = document.get("data")
        if said is not None or not (isinstance(inner, dict) and "code" in inner and "data" in inner):
            return said
        document = inner
    return None


def _words_of(document: dict[str, Any]) -> tuple[str, str] | None:
    error = document.get("error")
    if isinstance(error, dict) and error:
        return text(error.get("code"), error.get("type")), text(error.get("message"))
    if isinstance(error, str) and error and "task_id" not in document:
        return text(document.get("code")), error
    code = text(document.get("code"))
    if code.lower() not in OK_CODES or document.get("success") is False:
        return code, text(document.get("message"), document.get("msg"))
    return None


def trouble_of(answer: Answer, task_id: str | None = None) -> Trouble:
    """What kind of trouble an answer is that told about no task."""
    words = _words(answer.body)
    kind = _kind(answer.status, words)
    # new-api answers its own 404 in JSON: whoever says "no such route" is not the gateway we look for
    readable = words.shape in {"task", "middleware"} and kind is not Kind.ELSEWHERE
    refused = kind in {Kind.KEY, Kind.LIMITED}
    return Trouble(
        kind,
        _error(kind, answer, words, task_id),
        readable=readable,
        divisible=answer.status == _TOO_LARGE
        or (readable and not refused and (kind is Kind.MISSING or 400 <= answer.status != 503)),
        routeless=_is_routeless(answer.status, words),
        retry_after=retry_after(answer.headers),
    )


def trouble_of_broken(broken: Broken, task_id: str | None = None) -> Trouble:
    """What kind of trouble a look is that got no whole answer."""
    if broken.certificate:
        message = f"the gateway's certificate is refused ({broken.reason}): check the host in the base URL"
        return Trouble(Kind.ELSEWHERE, ConfigurationError(message, task_id=task_id))
    if broken.oversized:
        error = UnexpectedResponse(broken.reason, task_id=task_id, excerpt=excerpt(broken.received))
        return Trouble(Kind.REJECTED, error, divisible=True)
    message = f"the gateway gave no answer: {broken.reason}"
    return Trouble(Kind.OUTAGE, GatewayUnavailable(message, task_id=task_id), late=broken.late)


def foreign(task_id: str | None = None) -> Trouble:
    """The trouble of an answer that is about other tasks than were asked for: a stray one on a pooled connection."""
    error = UnexpectedResponse("the answer is about another task", task_id=task_id, status=200)
    return Trouble(Kind.FOREIGN, error, readable=True)


def settle_elsewhere(trouble: Trouble, *, readable: bool) -> Trouble:
    """A page or a redirect from what is known to be a gateway is an outage; else the base URL is wrong."""
    if trouble.kind is not Kind.ELSEWHERE or not readable:
        return trouble
    error = GatewayUnavailable(str(trouble.error), task_id=trouble.error.task_id)
    return Trouble(Kind.OUTAGE, error, routeless=trouble.routeless)


def _words(body: bytes) -> _Words:
    start = body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        return _Words("", "", "empty")
    if _PAGE(start):
        return _Words("", "", "html")
    try:
        document = read_json(body)
    except Unreadable:
        return _Words("", "", "garbled")
    said = error_words(document)
    if said is None:
        return _Words("", "", "task" if isinstance(document, dict) else "garbled")
    return _Words(*said, "middleware" if isinstance(document.get("error"), dict) else "task")


def _kind(status: int, words: _Words) -> Kind:
    if status < 300:
        return _kind_inside_200(words)
    if status < 400:
        return Kind.ELSEWHERE
    ours = words.shape in {"task", "middleware"}
    if ours and _UNKNOWN_TASK.search(f"{words.code} {words.message}"):
        return Kind.MISSING
    if status in {401, 403}:
        # a firewall's page about 403 says nothing about the key
        return Kind.KEY if ours or (status == 401 and words.shape == "empty") else Kind.OUTAGE
    if status in {404, 405, 501}:
        return Kind.REJECTED if words.shape == "task" and words.code else Kind.ELSEWHERE
    if status in {429, 430}:
        return Kind.LIMITED
    if status >= 500 or status in {408, 409, 425} or not ours:
        return Kind.OUTAGE
    return Kind.REJECTED


def _kind_inside_200(words: _Words) -> Kind:
    if words.shape == "html":
        return Kind.ELSEWHERE
    if words.shape == "garbled":
        return Kind.OUTAGE
    if not (words.code or words.message):
        return Kind.NO_NEWS
    if words.code in {"401", "403"}:
        return Kind.KEY
    if words.code in {"429", "430"}:
        return Kind.LIMITED
    if _UNKNOWN_TASK.search(f"{words.code} {words.message}"):
        return Kind.MISSING
    return Kind.OUTAGE


def _is_routeless(status: int, words: _Words) -> bool:
    if words.shape == "html":
        return status < 300 or status in {404, 405, 501}
    no_channel = status == 503 and _NO_CHANNEL.search(f"{words.code} {words.message}") is not None
    return no_channel or status in {404, 405, 501}


def _error(kind: Kind, answer: Answer, words: _Words, task_id: str | None) -> SunoError:
    facts: dict[str, Any] = {"task_id": task_id, "status": answer.status}
    if kind is Kind.MISSING:
        return TaskNotFound(f"the gateway does not know task {task_id}" if task_id else None, task_id=task_id)
    if kind is Kind.ELSEWHERE:
        return ConfigurationError(_elsewhere(answer, words), task_id=task_id)
    if kind in {Kind.KEY, Kind.LIMITED, Kind.REJECTED} or (kind is Kind.OUTAGE and answer.status < 500 and words.code):
        return rejection(answer, *_said(words), task_id=task_id)
    if kind is Kind.OUTAGE and answer.status >= 400:
        said = f": {one_line(words.message)}" if words.message else ""
        message = f"the gateway answered {answer.status}{said}"
        wait = retry_after(answer.headers)
        return GatewayUnavailable(message, request_id=request_id(answer.headers), retry_after=wait, **facts)
    shown = excerpt(answer.body)
    return UnexpectedResponse(f"the gateway's answer tells nothing: {shown or 'it is empty'}", excerpt=shown, **facts)


def _said(words: _Words) -> tuple[str, str]:
    return one_line(words.code, 80), one_line(words.message)


def rejection(answer: Answer, code: str, message: str, *, task_id: str | None = None) -> RequestRejected:
    """The error for an answer that says "no": Unauthorized, QuotaExceeded, RateLimited or RequestRejected."""
    facts: dict[str, Any] = {"status": answer.status, "code": code, "message": message, "task_id": task_id}
    facts["request_id"] = request_id(answer.headers)
    said = f"{message or code or 'no reason given'} ({answer.status})"
    if answer.status in {429, 430} or code in {"429", "430"}:
        wait = retry_after(answer.headers)
        return RateLimited(f"the gateway asks for fewer requests: {said}", retry_after=wait, **facts)
    if answer.status == 402 or (answer.status != 401 and _QUOTA.search(f"{code} {message}")):
        return QuotaExceeded(f"the account or the key is out of credit: {said}", **facts)
    if answer.status in {401, 403} or code in {"401", "403"}:
        return Unauthorized(f"the gateway refuses the key: {said}", **facts)
    return RequestRejected(f"the gateway said no: {said}", **facts)


def _elsewhere(answer: Answer, words: _Words) -> str:
    if 300 <= answer.status < 400:
        return redirection(answer)
    what = "a web page" if words.shape == "html" else f"{answer.status} {one_line(words.message, 80)}".strip()
    check = "check the base URL, without /v1 and without a path of a web page, and the profile if one is set"
    return f"this is no gateway's answer ({what}): {check}"


def redirection(answer: Answer) -> str:
    """What is said of a redirect: the host it names, and nothing else of it."""
    host = _HOST(answer.headers.get("Location", ""))
    target = f" to {host[1]}{host[2]}" if host else ""
    return f"the gateway redirects{target}; redirects are not followed: set the base URL to where it really is"


def request_id(headers: Mapping[str, str]) -> str | None:
    """The gateway's own name for the request (every answer of new-api has one), if it is fit to be shown."""
    value = headers.get("X-Oneapi-Request-Id", "")
    return value if _REQUEST_ID(value) else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the gateway asks to wait, at most 300; None where it says nothing that can be trusted.

    Only 1 to 6 ASCII digits or an HTTP date count: ``float("nan")`` in a heap breaks its order, and ``1e18`` never
    ends. A date is measured against the answer's own ``Date``, never against the local clock.
    """
    value = headers.get("Retry-After")
    if value is None:
        return None
    if _SECONDS(value):
        return min(float(value), _RETRY_AFTER_MOST)
    until, said = http_date(value), http_date(headers.get("Date", ""))
    if until is None or said is None:
        return None
    return min(max((until - said).total_seconds(), 0.0), _RETRY_AFTER_MOST)


def http_date(value: str) -> datetime | None:
    """The time in an HTTP header, or None if it is none."""
    if len(value) > 40 or not value.endswith("GMT"):
        return None
    try:
        return parsedate_to_datetime(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
