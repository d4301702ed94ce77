"""The documents: JSON written in all the ways JSON can be, with a note of where each value came to stand."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

Place = tuple[str | int, ...]
"""Keys and indexes from the top of a document down to a value."""
Spans = dict[Place, tuple[int, int]]


class Raw(bytes):
    """What no Python value is written as: NaN, a lone surrogate, a number of 5,000 digits."""


class Members(list[tuple[str, Any]]):
    """An object in which a key may stand twice."""


def _same(key: str) -> str:
    return key


class Style(NamedTuple):
    """How a document is written; it says the same in every style."""

    comma: str = ","
    colon: str = ":"
    ascii: bool = False
    """Letters of other scripts as ``\\uXXXX``."""
    slashed: bool = False
    """Slashes as ``\\/``, as PHP does."""
    key: Callable[[str], str] = _same

    def text(self, value: str) -> bytes:
        """A string."""
        shown = json.dumps(value, ensure_ascii=self.ascii)
        return (shown.replace("/", "\\/") if self.slashed else shown).encode()


PLAIN = Style()


def written(document: Any, style: Style = PLAIN) -> tuple[bytes, Spans]:
    """The bytes of a document, and from where to where each value, with its key, stands in them."""
    out, spans = bytearray(), Spans()
    _write(document, (), style, out, spans)
    return bytes(out), spans


def _write(value: Any, place: Place, style: Style, out: bytearray, spans: Spans) -> None:
    if isinstance(value, dict | list):
        _write_many(value, place, style, out, spans)
    elif isinstance(value, str):
        out += style.text(value)
    else:
        out += value if isinstance(value, Raw) else json.dumps(value).encode()


def _write_many(value: Any, place: Place, style: Style, out: bytearray, spans: Spans) -> None:
    plain = isinstance(value, list) and not isinstance(value, Members)
    pairs = enumerate(value) if plain else value.items() if isinstance(value, dict) else value
    out += b"[" if plain else b"{"
    for number, (key, item) in enumerate(pairs):
        out += style.comma.encode() if number else b""
        start = len(out)
        out += b"" if plain else style.text(style.key(key)) + style.colon.encode()
        _write(item, (*place, key), style, out, spans)
        spans[*place, key] = start, len(out)
    out += b"]" if plain else b"}"
