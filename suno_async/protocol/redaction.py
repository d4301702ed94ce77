"""The redaction: takes the secrets out of what comes back, however they are written, and wherever it was cut."""

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from urllib.parse import quote

_PREFIX = "sk-"
_LEAST_SECRET = 20
"""What is shorter may be any word."""
_LEAST_CUT = 4
_INSTEAD = b"***"
_ESCAPE = re.compile(rb"\\\\|\\u00([2-7][0-9a-f])", re.IGNORECASE)
_ESCAPE_SIZE = 6
_CUT_ESCAPE = re.compile(rb"\\(?:u[0-9a-f]{0,3})?\Z", re.IGNORECASE)


class Redaction:
    """Takes these secrets out of bytes: a gateway that echoes the key does not put it into anybody's hands.

    Without secrets it changes nothing.
    """

    __slots__ = ("_begins", "_core", "_longest", "_needles", "_whole", "_words")

    def __init__(self, secrets: Iterable[str]) -> None:
        # the longest first: what is left of a key without its beginning is still a secret
        forms = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
        self._words = tuple(forms)
        self._needles = tuple(form.encode() for form in forms)
        self._longest = max(map(len, self._needles), default=0)
        # a key of letters and digits is in all its forms: one search of an answer is enough
        last = min(self._needles, key=len, default=b"")
        self._core = last if all(last in needle for needle in self._needles) else b""
        self._begins = _any_of(dict.fromkeys(needle[:_LEAST_CUT] for needle in self._needles))
        self._whole = _any_of(self._needles)

    def clean(self, data: bytes) -> bytes:
        """The data without a secret in it, also one whose letters are escaped as JSON's may be.

        The very same object where there was none.
        """
        plain = _plain(data)
        shown = self._taken_out(plain)
        return self._taken_out(data) if shown is plain and plain is not data else shown

    def clean_cut(self, received: bytes | bytearray) -> bytes:
        """What came, without a secret and without the beginning of one at its end: it may have been cut off there."""
        data = self.clean(bytes(received))
        if self._ends_in_escapes(data):
            return self._cut(_uncut(data))
        return self._cut(data)

    def shows(self, text: str) -> bool:
        """True if there is a secret in the text."""
        return any(word in text for word in self._words)

    def split(self, data: bytes) -> tuple[bytes, bytes]:
        """The data without a secret, in two: what may be shown now, and what may be the beginning of a secret.

        Put before what comes next, the second part is found there if it was one; behind it nothing is kept back that
        is longer than a secret. What is left when nothing more comes is for ``clean_cut``.
        """
        shown, end = [], 0
        # all of them at once: there may be a secret in every few bytes
        begins = self._begun(data, least=1)
        while True:
            begun = begins[bisect_left(begins, end)]
            found = self._whole(data, end)
            if found is None or found.start() >= begun:
                # one secret may be the beginning of another
                break
            shown += [data[end : found.start()], _INSTEAD]
            end = found.end()
        return b"".join([*shown, data[end:begun]]), data[begun:]

    def _taken_out(self, data: bytes) -> bytes:
        if self._core not in data:
            return data
        for needle in self._needles:
            if needle in data:
                data = data.replace(needle, _INSTEAD)
        return data

    def _ends_in_escapes(self, data: bytes) -> bool:
        """True if the beginning of a secret is at its end once the escapes there are read."""
        start = max(0, len(data) - self._longest * _ESCAPE_SIZE)
        if b"\\" not in data[start:]:
            return False
        # not in the middle of a run of them: every second one is a letter
        end = _uncut(data[len(data[:start].rstrip(b"\\")) :])
        return len(self._cut(end)) < len(end)

    def _cut(self, data: bytes) -> bytes:
        """The data without the beginning of a secret at its end."""
        if self._begins(data[-self._longest :]) is None:
            return data
        return data[: self._begun(data, least=_LEAST_CUT)[0]]

    def _begun(self, data: bytes, *, least: int) -> list[int]:
        """Where the beginning of a secret, of at least so many bytes, goes to the end of the data; then the end."""
        size = len(data)
        lengths = {
            length
            for needle in self._needles
            for length in range(least, min(len(needle) - 1, size) + 1)
            if data.endswith(needle[:length])
        }
        return sorted({size, *(size - length for length in lengths)})


def _forms(key: str) -> set[str]:
    """The key as gateways echo it: with or without its prefix (new-api takes it off), plain or escaped."""
    bare = key.removeprefix(_PREFIX)
    found = set()
    for plain in (key, bare) if len(bare) >= _LEAST_SECRET else (key,):
        quoted = json.dumps(plain)[1:-1]
        # Go writes JSON that may stand in a page
        go = quoted.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
        percent, path = quote(plain, safe=""), quote(plain)
        small = re.sub("%..", lambda escape: escape[0].lower(), percent)
        found |= {plain, quoted, quoted.replace("/", "\\/"), go, percent, small, path}
    return found


def _any_of(needles: Iterable[bytes]) -> Callable[..., re.Match[bytes] | None]:
    """Finds the first of these; of none of them nothing."""
    return re.compile(b"|".join(map(re.escape, needles)) or rb"(?!)").search


def _plain(data: bytes) -> bytes:
    """The same JSON without an escape that need not be; the very same object where there is none."""
    # there are few backslashes in most answers; and from the end the search takes half as long
    return _ESCAPE.sub(_unescaped, data) if b"\\" in data and data.rfind(b"\\u00") >= 0 else data


def _uncut(data: bytes) -> bytes:
    """The same without an escape that need not be, and without what is left of one that was cut off."""
    return _plain(_CUT_ESCAPE.sub(b"", data))


def _unescaped(escape: re.Match[bytes]) -> bytes:
    if escape[1] is None:
        return escape[0]
    letter = bytes.fromhex(escape[1].decode())
    return b"\\" + letter if letter in b'"\\' else letter
