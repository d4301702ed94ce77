"""The blanks: what gateways write where they know nothing of a task."""

from typing import Any

from .dialects import status_of
from .lenient import text
from .models import FAILURE
from .refusals import OK_CODES
from .rows import MOST_ROWS


def knows_none(document: Any) -> bool:
    """True if an answer about many tasks holds none: new-api writes ``null``, others a place for each id asked for."""
    if not isinstance(document, dict) or not _says_yes(document):
        return False
    told = document.get("data", 0)
    return told is None or (isinstance(told, dict | list) and len(told) <= MOST_ROWS and is_blank(told, 2))


def is_blank(value: Any, depth: int) -> bool:
    """True if there is nothing in a value, or in what it holds, so deep: ``null``, empty, or the zeros of a struct."""
    if depth == 0 or not isinstance(value, dict | list):
        return not value
    return all(is_blank(held, depth - 1) for held in (value.values() if isinstance(value, dict) else value))


def _says_yes(document: dict[str, Any]) -> bool:
    """True unless an answer that has no error's shape tells of an error all the same."""
    if document.get("ok") is False or status_of(text(document.get("status"), document.get("state"))) is FAILURE:
        return False
    if document.get("success") is True or text(document.get("code")).lower() not in {"", "0", "1"}:
        return True
    said = text(document.get("message"), document.get("msg"), document.get("detail"), document.get("errors"))
    return said.strip().lower() in OK_CODES
