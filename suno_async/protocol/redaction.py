"""The redaction: takes the secrets out of what comes back, however they are written, and wherever it was cut."""

import json
import re
from collections.abc import Iterable
from urllib.parse import quote

_PREFIX = "sk-"
_LEAST_SECRET = 20
"""What is shorter may be any word."""
_LEAST_CUT = 4
_INSTEAD = b"***"


class Redaction:
    """Takes these secrets out of bytes: a gateway that echoes the key does not put it into anybody's hands."""

    __slots__ = ("_begins", "_core", "_longest", "_needles", "_whole", "_words")

    def __init__(self, secrets: Iterable[str]) -> None:
        # the longest first: what is left of a key without its beginning is still a secret
        forms = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
        self._words = tuple(forms)
        self._needles = tuple(form.encode() for form in forms)
        self._longest = len(self._needles[0])
        # a key of letters and digits is in all its forms: one search of an answer is enough
        last = self._needles[-1]
        self._core = last if all(last in needle for needle in self._needles) else b""
        self._begins = re.compile(b"|".join({re.escape(needle[:_LEAST_CUT]) for needle in self._needles})).search
        self._whole = re.compile(b"|".join(map(re.escape, self._needles))).search

    def clean(self, data: bytes) -> bytes:
        """The data without a secret in it; the very same object where there was none."""
        if self._core not in data:
            return data
        for needle in self._needles:
            if needle in data:
                data = data.replace(needle, _INSTEAD)
        return data

    def clean_cut(self, received: bytes | bytearray) -> bytes:
        """What came, without a secret and without the beginning of one at its end: it may have been cut off there."""
        data = self.clean(bytes(received))
        if self._begins(data[-self._longest :]) is None:
            return data
        return data[: len(data) - self._held(data)]

    def shows(self, text: str) -> bool:
        """True if there is a secret in the text."""
        return any(word in text for word in self._words)

    def split(self, data: bytes) -> tuple[bytes, bytes]:
        """The data without a secret, in two: what may be shown now, and what may be the beginning of a secret.

        Put before what comes next, the second part is found there if it was one; behind it nothing is kept back that
        is longer than a secret. What is left when nothing more comes is for ``clean_cut``.
        """
        shown, end = [], 0
        while True:
            begun = len(data) - self._held(data[max(end, len(data) - self._longest) :], least=1)
            found = self._whole(data, end)
            if found is None or found.start() >= begun:
                # one secret may be the beginning of another
                break
            shown += [data[end : found.start()], _INSTEAD]
            end = found.end()
        return b"".join([*shown, data[end:begun]]), data[begun:]

    def _held(self, data: bytes, *, least: int = _LEAST_CUT) -> int:
        """How many bytes at the end of the data are the beginning of a secret; 0 for fewer than ``least``."""
        return max(_begun(needle, data, least) for needle in self._needles)


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


def _begun(needle: bytes, data: bytes, least: int) -> int:
    """How many bytes at the end of the data are the beginning of the needle; 0 for fewer than ``least``."""
    lengths = range(min(len(needle) - 1, len(data)), least - 1, -1)
    return next((length for length in lengths if data.endswith(needle[:length])), 0)
