"""The redaction: takes the secrets out of what comes back, however they are written, and wherever it was cut."""

import json
import re
from binascii import a2b_qp
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from urllib.parse import quote

_PREFIX = "sk-"
_LEAST_SECRET = 20
"""What is shorter may be any word."""
_LEAST_CUT = 4
_INSTEAD = b"***"
_LEVELS = 3
"""How deep numbers are read: of letters, of the percent signs before them, of the backslashes before those."""
_WIDEST = 40
"""Bytes for a letter; written as a number that is itself written in numbers it takes 36."""
_PIECE = 8
"""So many of the widest secrets are read at once."""
_MOST_SPELLINGS = 16
"""Who writes a secret in more ways in one answer plays with us: what is behind them is not shown."""
_MOST_SIGNS = 512
"""Looked at one by one; behind them one search of the rest is cheaper."""
_LEFT = ("", "/", "$&+=:@", "!'()*", ";,/?:@&=+$#!'()*")
"""What urllib's quote_plus and quote, Go's PathEscape, JavaScript's encodeURIComponent and encodeURI leave as it is."""
_NUMBERS = b"\\%u0123456789abcdefABCDEF"
"""What the number of a letter is written with."""
_LETTER = re.compile(rb"\\u00[2-7]").search
_BACKSLASHED = b'"/\\'
# what a2b_qp reads begins with "=": signs of equality step aside, and an end of a line behind one would end the reading
_OUTER, _INNER = bytes.maketrans(b"=%", b"\x01="), bytes.maketrans(b"%", b"=")
_ASIDE, _BACK = bytes.maketrans(b"=%", b"\x01\x02"), bytes.maketrans(b"%\x02", b"==")
_DROPPED = b"\\\r\n"
_CUT_NUMBER = re.compile(rb"[\\%][\\%25cC]*(?:u0{0,2})?(?:25)*[2-7]?").fullmatch
_LONGEST_CUT = 16
_MOST_CLEAN, _LEAST_BYTES, _MOST_BYTES = 16, 1 << 13, 1 << 18
"""So many of the last bodies without a secret are remembered, and none that is longer; of shorter ones, soon searched,
the last."""
_TORN = re.compile(rb"(?:\\u00|%)[2-7]\Z").search


class Redaction:
    r"""Takes these secrets out of bytes: a gateway that echoes the key does not put it into anybody's hands.

    Found are the letters plain or as numbers (``\u0041``, ``%41``, ``%u0041``), those inside each other three deep, as
    encoders write them; and with any number of backslashes before them, as texts have that are JSON inside JSON.

    Without secrets it changes nothing.
    """

    __slots__ = (
        "_all",
        "_clean",
        "_codes",
        "_core",
        "_edged",
        "_ends",
        "_escapes",
        "_needles",
        "_plain",
        "_readings",
        "_short",
        "_whole",
        "_widest",
    )

    def __init__(self, secrets: Iterable[str]) -> None:
        # the longest first: what is left of a key without its beginning is still a secret
        words = sorted({word for secret in secrets for word in _words(secret)}, key=len, reverse=True)
        encoded = tuple(word.encode() for word in words)
        # a key without its beginning is in the key: one search of an answer is enough
        last = min(encoded, key=len, default=b"")
        self._core = last if all(last in word for word in encoded) else b""
        self._edged = tuple(word for word in encoded if _is_edged(word))
        self._plain = tuple(word for word in encoded if not _is_edged(word))
        self._readings = tuple(frozenset(_readings(word)) for word in encoded)
        self._all = _innermost(frozenset[bytes]().union(*self._readings))
        letters = set(_NUMBERS).union(*encoded)
        self._codes = {b"u0", *(form % letter for letter in letters for form in (b"%02x", b"%02X"))}
        self._escapes = tuple(b"\\%c" % sign for sign in _BACKSLASHED if any(sign in word for word in encoded))
        self._ends = letters if encoded else set[int]()
        self._widest = max(map(len, encoded), default=0) * _WIDEST
        # of those that begin alike the longer one first
        self._needles = tuple(sorted({form.encode() for word in words for form in _forms(word)}, reverse=True))
        self._whole = _any_of(self._needles)
        self._clean: deque[bytes] = deque(maxlen=_MOST_CLEAN)
        self._short: deque[bytes] = deque(maxlen=1)

    def clean(self, data: bytes) -> bytes:
        """The data without a secret in it, also one whose letters are escaped.

        The very same object where there was none.
        """
        if self._all and self._may_hide(data):
            # before the plain ones: of a key with an escape in its beginning the rest is one of them
            data = self._uncovered(data)
        if self._core in data:
            for word in self._plain:
                if word in data:
                    data = data.replace(word, _INSTEAD)
        return data

    def clean_cut(self, received: bytes | bytearray) -> bytes:
        """What came, without a secret and without the beginning of one at its end: it may have been cut off there."""
        clean = self._short if len(received) < _LEAST_BYTES else self._clean
        for known in clean:
            # looks at tasks that do not change are answered with the same bytes again and again
            if known == received:
                return known
        whole = bytes(received)
        data = self.clean(whole)
        # most answers end in what no secret has
        if data and data[-1] in self._ends:
            data = self._cut(data)
        if data is whole and len(data) <= _MOST_BYTES:
            clean.append(data)
        return data

    def shows(self, text: str) -> bool:
        """True if there is a secret in the text."""
        data = text.encode(errors="surrogateescape")
        return self.clean(data) is not data

    def split(self, data: bytes) -> tuple[bytes, bytes]:
        """The data without a secret, in two: what may be shown now, and what may be the beginning of a secret.

        Found are the secrets as they are usually written: the data is a text, and its letters have been read.
        Put before what comes next, the second part is found there if it was one; behind it nothing is kept back that
        is longer than a secret. What is left when nothing more comes is for ``clean_cut``.
        """
        shown, end = [], 0
        # all of them at once: there may be a secret in every few bytes
        begins = self._begun(data)
        while True:
            begun = begins[bisect_left(begins, end)]
            found = self._whole(data, end)
            if found is None or found.start() >= begun:
                # one secret may be the beginning of another
                break
            shown += [data[end : found.start()], _INSTEAD]
            end = found.end()
        return b"".join([*shown, data[end:begun]]), data[begun:]

    def _begun(self, data: bytes) -> list[int]:
        """Where the beginning of a secret goes to the end of the data; then the end."""
        size = len(data)
        lengths = {
            length
            for needle in self._needles
            for length in range(1, min(len(needle) - 1, size) + 1)
            if data.endswith(needle[:length])
        }
        return sorted({size, *(size - length for length in lengths)})

    def _may_hide(self, data: bytes) -> bool:
        """True if there may be a secret that is not plain: there are few backslashes and percent signs in answers."""
        if self._has_number(data, b"%") or any(word in data for word in self._edged):
            return True
        if b"\\" not in data:
            return False
        # from the end the search takes half as long
        if data.rfind(b"\\u00") >= 0 and self._has_number(data, b"\\u00"):
            return True
        return any(escape in data for escape in self._escapes)

    def _has_number(self, data: bytes, sign: bytes) -> bool:
        """True if behind one of these signs there is the number of a letter."""
        place = data.find(sign)
        if place < 0:
            return False
        find, size, codes = data.find, len(sign), self._codes
        for _ in range(_MOST_SIGNS):
            place += size
            if data[place : place + 2] in codes:
                return True
            place = find(sign, place)
            if place < 0:
                return False
        return sign == b"%" or _LETTER(data, place) is not None

    def _uncovered(self, data: bytes) -> bytes:
        """The data without the secrets whose letters are escaped.

        Only what they are behind is read letter by letter, and each way to write them once: anything else is done by
        searches of the whole, however much an answer has of what only looks so.
        """
        start, spellings = 0, 0
        while piece := data[start : start + (_PIECE + 1) * self._widest]:
            if not _holds(piece, self._all):
                start += _PIECE * self._widest
                continue
            if spellings == _MOST_SPELLINGS:
                return data[:start] + _INSTEAD
            spellings += 1
            data = _without(data, _spelling(piece, next(each for each in self._readings if _holds(piece, each))))
        return data

    def _cut(self, data: bytes) -> bytes:
        """The data without the beginning of a secret at its end."""
        end = data[-self._widest :]
        # a number may have been cut off too
        ends = [end, *(end[:-size] for size in range(1, _LONGEST_CUT) if _CUT_NUMBER(end[-size:]))]
        start = min((start for each in ends for start in self._begun_at(each)), default=len(end))
        return data if start == len(end) else _untorn(data[: len(data) - len(end) + start])

    def _begun_at(self, data: bytes) -> Iterator[int]:
        """Where the beginning of a secret, of so many letters that it is no word, goes to the end of the data."""
        texts = tuple(_readings(data))
        for words in self._readings:
            begun = _longest_end(texts, words)
            if begun:
                yield _last(data, partial(_ends_in, begun))


def _words(key: str) -> set[str]:
    """The key as gateways echo it: with or without its prefix (new-api takes it off)."""
    bare = key.removeprefix(_PREFIX)
    return {key, bare} if len(bare) >= _LEAST_SECRET else {key}


def _forms(word: str) -> set[str]:
    """How it is usually written: plain or escaped."""
    quoted = json.dumps(word)[1:-1]
    # Go writes JSON that may stand in a page
    go = quoted.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    percent = {quote(word, safe=safe) for safe in _LEFT}
    small = {re.sub("%..", lambda escape: escape[0].lower(), form) for form in percent}
    return {word, quoted, quoted.replace("/", "\\/"), go} | percent | small


def _is_edged(word: bytes) -> bool:
    """True if its last backslash may be a half of an escape."""
    return word.endswith(b"\\")


def _innermost(words: Iterable[bytes]) -> tuple[bytes, ...]:
    """Those that hold none of the others."""
    found = set(words)
    return tuple(word for word in found if not any(other in word for other in found - {word}))


def _any_of(needles: Iterable[bytes]) -> Callable[..., re.Match[bytes] | None]:
    """Finds the first of these; of none of them nothing."""
    return re.compile(b"|".join(map(re.escape, needles)) or rb"(?!)").search


def _readings(data: bytes) -> Iterator[bytes]:
    """What these bytes say without their backslashes; and what that says where it has numbers of letters.

    All of it at once, as fast as memory is copied: an answer may be nothing but escapes. "=" and "%" are changed into
    others, so what is looked for has to be read in the same way.
    """
    text = data.replace(b"\\u00", b"%").translate(_OUTER, _DROPPED)
    yield text
    if b"\\u00" in data:
        # where a percent sign before it, or in it, is none of an escape
        numbers = data.translate(_ASIDE).replace(b"\\u00", b"=").translate(None, _DROPPED)
        yield a2b_qp(numbers.replace(b"=3D", b"\x01").replace(b"=3d", b"\x01")).translate(_BACK, _DROPPED)
    for _ in range(_LEVELS):
        numbers = text.replace(b"=u00", b"=").replace(b"=3D", b"\x01").replace(b"=3d", b"\x01")
        read = a2b_qp(numbers).replace(b"\\u00", b"=").translate(_INNER, _DROPPED)
        if read == text:
            return
        text = read
        yield text


def _holds(data: bytes, words: Collection[bytes]) -> bool:
    """True if one of these words is in what the data says."""
    return any(word in text for text in _readings(data) for word in words)


def _ends_in(begun: bytes, data: bytes) -> bool:
    """True if that is how what the data says ends."""
    return any(text.endswith(begun) for text in _readings(data))


def _longest_end(texts: Collection[bytes], words: Iterable[bytes]) -> bytes:
    """The longest beginning of a word that one of the texts ends in; b"" if none is long enough."""
    begun = (word[:length] for word in words for length in range(_LEAST_CUT, len(word)))
    return max((each for each in begun if any(text.endswith(each) for text in texts)), key=len, default=b"")


def _spelling(data: bytes, words: Collection[bytes]) -> bytes:
    """How the first of these words is written in the data, which holds one."""
    end = bisect_left(range(len(data)), True, key=lambda size: _holds(data[:size], words))
    return data[_last(data[:end], lambda part: _holds(part, words)) : end]


def _last(data: bytes, is_so: Callable[[bytes], bool]) -> int:
    """The last place from which on it is so; from the beginning on it is."""
    return bisect_left(range(1, len(data)), True, key=lambda start: not is_so(data[start:]))


def _without(data: bytes, spelling: bytes) -> bytes:
    """The data with all that is written so taken out, and the backslashes before it: one of them may be its own."""
    *parts, last = data.split(spelling)
    return _INSTEAD.join([*(_untorn(part).rstrip(b"\\") for part in parts), last])


def _untorn(part: bytes) -> bytes:
    """What is before a secret, without half a number: its last digit may be taken for the secret's first letter."""
    torn = _TORN(part[-_LONGEST_CUT:])
    return part[: -len(torn[0])] if torn else part
