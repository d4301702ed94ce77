"""What a submission asks for, read as the gateway's Go code reads it."""

import json
from typing import Any, NoReturn

import msgspec

from .answers import JSON, TEXT, RefusalError
from .keys import PRICES, Key
from .songs import Order

# dto.SunoSubmitReq, complete: every other field is dropped without a word
FIELDS: dict[str, type] = {
    "gpt_description_prompt": str,
    "prompt": str,
    "mv": str,
    "title": str,
    "tags": str,
    "continue_at": float,
    "task_id": str,
    "continue_clip_id": str,
    "make_instrumental": bool,
}
GO_TYPES = {str: "string", float: "float64", bool: "bool"}
GO_KINDS = {str: "string", float: "number", int: "number", bool: "bool", list: "array", dict: "object"}
GO_SYNTAX = {  # what Python's decoder says, and what Go's says of the same place
    "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
    "Expecting value": "looking for beginning of value",
    "Expecting ':' delimiter": "after object key",
    "Expecting ',' delimiter": "after object key:value pair",
    "Extra data": "after top-level value",
    "Invalid control character at": "in string literal",
    "Invalid \\escape": "in string escape code",
}


class BatchAsk(msgspec.Struct):
    """The body of POST /suno/fetch; ``action`` is read by nobody."""

    ids: list[Any] | None = None


def read_submission(body: bytes) -> dict[str, Any]:
    """The known fields of a submission.

    Raises:
        RefusalError: 400 invalid_request with Go's words; the JSON or the type of a field is wrong.
    """
    found = _decode(body, plain=False)
    if not isinstance(found, dict):
        _refuse(f"json: cannot unmarshal {kind(found)} into Go value of type dto.SunoSubmitReq")
    asked = {name: value for name, value in found.items() if name in FIELDS and value is not None}
    for name, value in asked.items():
        if kind(value) != GO_KINDS[FIELDS[name]]:
            go_type = GO_TYPES[FIELDS[name]]
            _refuse(f"json: cannot unmarshal {kind(value)} into Go struct field SunoSubmitReq.{name} of type {go_type}")
    return {name: _scrubbed(value) if isinstance(value, str) else value for name, value in asked.items()}


def read_order(action: str, asked: dict[str, Any], key: Key) -> Order:
    """The order of a submission that can be read; LYRICS without a prompt are refused."""
    if action == "LYRICS" and not asked.get("prompt"):
        _refuse("prompt_empty")
    described = bool(asked.get("gpt_description_prompt"))  # the upstream then ignores prompt, title and tags
    return Order(
        action=action,
        title="" if described else asked.get("title", ""),
        tags=None if described else asked.get("tags"),
        prompt="" if described else asked.get("prompt", ""),
        model=asked.get("mv") or "chirp-v3-0",
        price=PRICES[action],
        account=key.account,
        key=key,
    )


def read_ids(body: bytes) -> list[Any]:
    """The ids of a batch, of whatever type; RefusalError (400 as text/plain) if the body is no such JSON."""
    try:
        return msgspec.json.decode(body, type=BatchAsk).ids or []
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _ids_of(_decode(body, plain=True))


def _ids_of(found: Any) -> list[Any]:
    """The ids of a batch that only Go's decoder reads: it puts up with broken UTF-8."""
    if not isinstance(found, dict):
        _refuse(f"json: cannot unmarshal {kind(found)} into Go value of type struct", plain=True)
    ids = found.get("ids", [])
    if not isinstance(ids, list):
        _refuse(f"json: cannot unmarshal {kind(ids)} into Go struct field .ids of type []interface {{}}", plain=True)
    return ids


def kind(value: object) -> str:
    """What Go calls a JSON value."""
    return GO_KINDS.get(type(value), "null")


def _decode(body: bytes, *, plain: bool) -> Any:
    """The body as JSON, or Go's words for what is wrong with it."""
    text = body.decode("utf-8", "replace")
    if not text.strip():
        _refuse("EOF", plain=plain)
    try:
        found = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        place = GO_SYNTAX.get(error.msg)
        if place is None or error.pos >= len(error.doc):
            _refuse("unexpected EOF", plain=plain)
        _refuse(f"invalid character '{error.doc[error.pos]}' {place}", plain=plain)
    except RecursionError:
        _refuse("exceeded max depth", plain=plain)
    return {} if found is None else found  # null is as good as an empty object


def _scrubbed(text: str) -> str:
    """The text without lone surrogates, which Go replaces."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _no_number(name: str) -> NoReturn:
    """Python reads NaN and Infinity; Go does not."""
    raise json.JSONDecodeError("Expecting value", name, 0)


def _refuse(message: str, *, plain: bool = False) -> NoReturn:
    raise RefusalError(400, "invalid_request", message, kind=TEXT if plain else JSON)
