"""What a submission asks for, read as the gateway's Go code reads it."""

import json
from typing import Any, NoReturn

import msgspec

from .answers import JSON, TEXT, RefusalError
from .keys import PRIVATE_PRICES, Key
from .ledger import Origin
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
# what private builds read on top (protocol of the GB and YW documents); they keep all else as it is
PRIVATE_FIELDS: dict[str, type] = {
    **FIELDS,
    "task": str,
    "clip_id": str,
    "is_infill": bool,
    "negative_tags": str,
    "notify_hook": str,
    "cover_clip_id": str,
    "persona_id": str,
    "artist_clip_id": str,
    "infill_start_s": float,
    "infill_end_s": float,
    "stem_type_id": int,
    "stem_type_group_name": str,
    "stem_task": str,
    "metadata": dict,
}
DEEPEST = 200  # levels of what is kept; Go goes down to 10,000, this language's stack does not
GO_TYPES = {
    str: "string",
    float: "float64",
    bool: "bool",
    int: "int",
    list: "[]string",
    dict: "map[string]interface {}",
}
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


class Ask(msgspec.Struct, frozen=True):
    """One request to a route that only private builds have: whose, and for what."""

    key: Key
    parts: dict[str, str]
    body: bytes
    origin: Origin

    @property
    def account(self) -> int:
        """Whose it is."""
        return self.key.account

    def fields(self, *texts: str, **types: type) -> dict[str, Any]:
        """The fields of the body: all of them must be there, and the ``texts`` must say something."""
        asked = read_submission(self.body, {**dict.fromkeys(texts, str), **types})
        missing = [name for name in texts if not asked.get(name)] + [name for name in types if name not in asked]
        if missing:
            _refuse(f"{missing[0]} is empty")
        return asked


def read_submission(body: bytes, fields: dict[str, type] = FIELDS, *, keep: bool = False) -> dict[str, Any]:
    """The known fields of a submission; all of them to ``keep``, as private builds do.

    Raises:
        RefusalError: 400 invalid_request with Go's words; the JSON or the type of a field is wrong.
    """
    found = _decode(body, plain=False)
    if not isinstance(found, dict):
        _refuse(f"json: cannot unmarshal {kind(found)} into Go value of type dto.SunoSubmitReq")
    asked = {name: value for name, value in found.items() if (keep or name in fields) and value is not None}
    for name, value in asked.items():
        if name in fields and kind(value) != GO_KINDS[fields[name]]:
            go_type = GO_TYPES[fields[name]]
            _refuse(f"json: cannot unmarshal {kind(value)} into Go struct field SunoSubmitReq.{name} of type {go_type}")
    return {name: _scrubbed(value, DEEPEST) for name, value in asked.items()}


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
        price=PRIVATE_PRICES[action],
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


def _scrubbed(value: Any, depth: int) -> Any:
    """The value without lone surrogates, which Go replaces; an integer beyond 64 bits is a float there."""
    if not depth:
        _refuse("exceeded max depth")
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_scrubbed(one, depth - 1) for one in value]
    if isinstance(value, dict):
        return {_scrubbed(name, 1): _scrubbed(one, depth - 1) for name, one in value.items()}
    return value if type(value) is not int or -(2**63) <= value < 2**64 else float(value)


def _no_number(name: str) -> NoReturn:
    """Python reads NaN and Infinity; Go does not."""
    raise json.JSONDecodeError("Expecting value", name, 0)


def _refuse(message: str, *, plain: bool = False) -> NoReturn:
    raise RefusalError(400, "invalid_request", message, kind=TEXT if plain else JSON)
