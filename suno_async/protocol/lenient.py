"""The tolerant reader: JSON out of bytes that are almost JSON, and plain values out of almost anything."""

import json
import math
import re
from datetime import UTC, datetime
from typing import Any

import msgspec

_MOST_FIELDS = 1000
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+")
_LATEST = 2.0**53


class Unreadable(ValueError):
    """These bytes hold no JSON document."""


def read_json(body: bytes) -> Any:
    """The first JSON document in ``body``; raises Unreadable if there is none.

    Accepts what gateways and the proxies before them really send: a byte order mark, bad UTF-8, lone surrogates,
    NaN and Infinity (read as None), control characters in strings, numbers of any length, and text behind the
    document (new-api 2025-04 appends a second one when its insert fails).
    """
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        pass
    try:
        text = body.decode("utf-8-sig", "replace").lstrip()
        document, _ = _DECODER.raw_decode(text)
        return _scrub(document)
    except (ValueError, RecursionError):
        # a new error: the old one holds the whole text
        raise Unreadable("no JSON") from None


def _int(digits: str) -> int | float | None:
    # long enough for every id that is a number (snowflakes have 19 digits), short enough to cost nothing
    return int(digits) if len(digits) <= 40 else _float(digits)


def _float(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


_DECODER = json.JSONDecoder(strict=False, parse_int=_int, parse_float=_float, parse_constant=lambda _: None)


def _scrub(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_scrub(item) for item in value]
    if isinstance(value, dict):
        return {_scrub(key): _scrub(item) for key, item in value.items()}
    return value


def snake(fields: dict[str, Any]) -> dict[str, Any]:
    """The same fields with snake_case names; where both spellings are there, snake_case wins."""
    if len(fields) > _MOST_FIELDS or all(key.islower() for key in fields):
        # so many are no fields but ids
        return fields
    renamed = {_CAMEL.sub("_", key).lower(): value for key, value in fields.items()}
    return renamed | {key: value for key, value in fields.items() if key in renamed}


def text(*values: Any) -> str:
    """The first value that is a non-empty text, or a number or list of texts written as one; else ""."""
    for value in values:
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, list) and any(isinstance(item, str) and item for item in value):
            return ", ".join(item for item in value if isinstance(item, str))
    return ""


def number(*values: Any) -> float | None:
    """The first value that is a finite number, also when written as text; else None."""
    for value in values:
        if isinstance(value, str):
            try:
                value = float(value.strip().removesuffix("%"))  # noqa: PLW2901 - the text is done with
            except ValueError:
                continue
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LATEST:
            return value
    return None


def percent(*values: Any) -> int | None:
    """A progress from 0 to 100: 45, "45" and "45%" are 45; None where there is none."""
    value = number(*values)
    return None if value is None else max(0, min(100, int(value)))


def moment(*values: Any) -> datetime | None:
    """The first value that is a time: seconds or milliseconds since 1970, also as text, or ISO 8601; 0 is none.

    From 10^11 on a number is milliseconds (documents show both; seconds would be the year 5138).
    """
    for value in values:
        seconds = number(value)
        try:
            if seconds is not None and seconds > 0:
                return datetime.fromtimestamp(seconds / 1000 if seconds >= 1e11 else seconds, UTC)
            if seconds is None and isinstance(value, str) and value:
                read = datetime.fromisoformat(value)
                return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
        except (ValueError, OverflowError, OSError):
            continue
    return None


def one_line(message: str, most: int = 200) -> str:
    """Server text that is safe to show: one line, no control or direction characters, at most ``most`` characters."""
    return _CONTROL.sub(" ", message[: most * 4]).strip()[:most]


def excerpt(body: bytes) -> str:
    """The beginning of an answer, safe to show."""
    return one_line(body[:800].decode("utf-8", "replace"))
