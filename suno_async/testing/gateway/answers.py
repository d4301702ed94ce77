"""What the gateway answers: both shapes of its errors, its pages, its envelopes. Values only."""

from collections.abc import AsyncGenerator
from typing import Any

import msgspec

from .eras import Era

JSON = "application/json; charset=utf-8"
JSON_PLAIN = "application/json"  # rows leave the gateway as ready bytes, without a charset
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"

PAGE = b"<!doctype html><html><head><title>New API</title></head><body><div id='root'></div></body></html>\n"
CAPTCHA = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"
NOT_FOUND = b"<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1></body></html>"
SATURATED = "当前分组上游负载已饱和，请稍后再试"


class Answer(msgspec.Struct, frozen=True):
    """One answer before it becomes HTTP."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = {}
    delay: float = 0.0  # seconds of gateway time before the first byte
    pieces: AsyncGenerator[bytes, None] | None = None  # the body, if it is still being made


class RefusalError(Exception):
    """A handler says no: ``{"code", "message", "data": null}``."""

    def __init__(
        self, status: int, code: str, message: str, *, kind: str = JSON, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.kind, self.headers = kind, headers or {}

    def answer(self, _era: Era, _request_id: str) -> Answer:
        """The refusal as the answer to one request."""
        body = {"code": self.code, "message": self.message, "data": None}
        return Answer(self.status, msgspec.json.encode(body), self.kind, self.headers)


class MiddlewareRefusalError(RefusalError):
    """Something before the handlers says no (key, model, load): ``{"error": {...}}`` with the request's id."""

    def answer(self, era: Era, request_id: str) -> Answer:
        """The refusal as the answer to one request."""
        error = {"message": f"{self.message} (request id: {request_id})", "type": "new_api_error"}
        if era.error_code:
            error = {"code": self.code, **error}
        return Answer(self.status, msgspec.json.encode({"error": error}))


class AccountRefusalError(RefusalError):
    """A route about the account says no: ``{"message", "success": false}``, now and then with 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, "", message)

    def answer(self, _era: Era, _request_id: str) -> Answer:
        """The refusal as the answer to one request."""
        return Answer(self.status, msgspec.json.encode({"message": self.message, "success": False}))


def success(
    data: bytes, content_type: str = JSON_PLAIN, headers: dict[str, str] | None = None, delay: float = 0.0
) -> Answer:
    """The envelope of everything that went well around ``data``, which is JSON already."""
    return Answer(200, b'{"code":"success","message":"","data":' + data + b"}", content_type, headers or {}, delay)


def told(data: Any, headers: dict[str, str] | None = None) -> Answer:
    """The envelope of what a route about the account tells."""
    body = msgspec.json.encode({"data": data, "message": "", "success": True})
    return Answer(200, body, headers=headers or {})


def moved(path: str) -> Answer:
    """301: the same path with its slash at the end, or without it."""
    return Answer(301, f'<a href="{path}">Moved Permanently</a>.\n\n'.encode(), HTML, {"Location": path})


def page() -> Answer:
    """The single-page application: new-api serves it with 200 for every unknown path and any method."""
    return Answer(200, PAGE, HTML)


def invalid_url(method: str, path: str) -> Answer:
    """404 as JSON, which new-api keeps for paths under /v1, /api and /assets."""
    error = {"message": f"Invalid URL ({method} {path})", "type": "invalid_request_error", "param": "", "code": ""}
    return Answer(404, msgspec.json.encode({"error": error}))


def models(names: list[str], era: Era) -> Answer:
    """The list of GET /v1/models."""
    listed = [{"id": name, "object": "model", "created": 1626777600, "owned_by": "custom"} for name in names]
    body: dict[str, Any] = {"data": listed, "success": True}
    if era.name == "2026":
        body["object"] = "list"
    return Answer(200, msgspec.json.encode(body))


def server_error(status: int, reason: str) -> Answer:
    """The HTML of a proxy in front of the gateway."""
    text = f"<html><head><title>{status} {reason}</title></head><body><h1>{status} {reason}</h1></body></html>"
    return Answer(status, text.encode(), "text/html")
