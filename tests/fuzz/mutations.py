"""The mutations: what may happen to an answer on its way, and which of its parts each of them touches.

All of them draw from one ``Random``: a seeded one, one of Hypothesis, or one that is fed by a fuzzer. None of them
writes a word that says no, a key that is refused or a failure into an answer that said yes; what comes out worse than
it went in is damage, not news.
"""

import gzip
import json
import zlib
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from corpus import FOREIGN, Part, Told
from documents import Members, Place, Raw, Spans, Style, written


class Damaged(NamedTuple):
    """An answer after what happened to it."""

    body: bytes
    hurt: frozenset[Part]
    """The parts whose bytes, or whose neighbours, were touched: only these may read otherwise than before."""


class Strip:
    """Bytes that remember where they came from."""

    def __init__(self, body: bytes) -> None:
        self.body = bytearray(body)
        self.touched: set[int] = set()
        """The places in the original that were changed, lost, copied, or are beside such a change."""
        self._origin = list(range(len(body)))

    def replace(self, start: int, stop: int, new: bytes) -> None:
        """These bytes give way to others; what stands next to a seam counts as touched."""
        wide = slice(max(0, start - 1), stop + 1) if len(new) != stop - start else slice(start, stop)
        self.touched.update(self._origin[wide])
        self.body[start:stop] = new
        self._origin[start:stop] = [-1] * len(new)

    def double(self, start: int, stop: int) -> None:
        """These bytes stand there twice."""
        self.touched.update(self._origin[start:stop])
        self.replace(stop, stop, bytes(self.body[start:stop]))

    def hits(self, start: int, stop: int) -> bool:
        """True if anything in this range of the original was touched."""
        return any(place in self.touched for place in range(start, stop))


BEHIND = "behind"
"""The name of the part that is a second document."""

# byte by byte

TOKENS = [
    *(b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"<", b"\x00", b"\n", b"\x7f", b"0", b"9", b"-", b"e", b" "),
    *(b"null", b"NaN", b"-Infinity", b"1e999", b"true", b"\\ud800", b"\\u0000", b"\xff", b"\xc3(", b"\xef\xbb\xbf"),
    *(b"\xe2\x80\xa8", b"\xed\xa0\x80", b"\xf0\x9f", b"\\x", b"//", b"/*", b"\r\n", b"\x1f\x8b", b"[[[[", b'""', b"{}"),
]


def flip(strip: Strip, rng: Random) -> None:
    """One byte is another one, or one bit of it."""
    place = rng.randrange(len(strip.body))
    with_ = 1 << rng.randrange(8) if rng.randrange(2) else rng.randrange(1, 256)
    strip.replace(place, place + 1, bytes([strip.body[place] ^ with_]))


def lose(strip: Strip, rng: Random) -> None:
    """A few bytes are lost."""
    place = rng.randrange(len(strip.body))
    strip.replace(place, min(len(strip.body), place + rng.randrange(1, 13)), b"")


def insert(strip: Strip, rng: Random) -> None:
    """Something stands between two bytes."""
    place = rng.randrange(len(strip.body) + 1)
    new = rng.choice(TOKENS) if rng.randrange(4) else bytes(rng.randrange(256) for _ in range(rng.randrange(1, 4)))
    strip.replace(place, place, new)


def overwrite(strip: Strip, rng: Random) -> None:
    """Something stands where something else stood."""
    place, new = rng.randrange(len(strip.body)), rng.choice(TOKENS)
    strip.replace(place, min(len(strip.body), place + len(new)), new)


def double(strip: Strip, rng: Random) -> None:
    """A few bytes stand there twice."""
    place = rng.randrange(len(strip.body))
    strip.double(place, min(len(strip.body), place + rng.randrange(1, 40)))


def cut(strip: Strip, rng: Random) -> None:
    """The end is lost."""
    strip.replace(rng.randrange(len(strip.body)), len(strip.body), b"")


def behead(strip: Strip, rng: Random) -> None:
    """The beginning is lost."""
    strip.replace(0, rng.randrange(len(strip.body)), b"")


def tear(strip: Strip, rng: Random) -> None:
    """A long piece in the middle is lost."""
    start = rng.randrange(len(strip.body))
    strip.replace(start, rng.randrange(start, len(strip.body)) + 1, b"")


Harm = Callable[[Strip, Random], None]
BYTES: list[Harm] = [flip, lose, insert, overwrite, double, cut, behead]


def hurt(strip: Strip, told: Told, spans: Spans) -> frozenset[Part]:
    """The parts that were touched."""
    return frozenset(part for place, part in told.parts.items() if place in spans and strip.hits(*spans[place]))


# value by value

ODD: list[Any] = [
    *(None, True, False, 0, -1, 7, 1.5, 2**53, 2**64, -(2**63) - 1, 10**40, 10**4000, "", " ", "x", "None", "0", "Ω"),
    *([], {}, [None], [[]], {"a": 1}, [7], ["x"], "[{", "{}", "[]", "nan", "1e999", "\x00", "\u2028", "x" * 5000),
    *(Raw(b"NaN"), Raw(b"-Infinity"), Raw(b"1e999"), Raw(b"-1e-999"), Raw(b"9" * 5000), Raw(b"0." + b"1" * 5000)),
    *(Raw(b'"\\ud800"'), Raw(b'"\\udc00\\ud800"'), Raw(b'"\xff"'), Raw(b'"\x01\n"'), Raw(b'"\xed\xa0\x80"')),
    *(Raw(b"[" * depth + b"]" * depth) for depth in (10, 200, 20_000)),
    *(Raw(b'{"data":' * depth + b"1" + b"}" * depth) for depth in (5, 200)),
]
"""Values that a field may hold by mistake. No word, and no number, that is a known status or refusal is among them."""
_STRANGE = ["x", "extra", "_", "", "🎵", "n" * 300, "a.b", "$ref"]
"""Names that nobody gives a field."""


def places(value: Any, place: Place = ()) -> list[Place]:
    """Where the values of a document are, from the top down."""
    if not isinstance(value, dict | list) or isinstance(value, Members):
        return [place]
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return [place, *(below for key, item in pairs for below in places(item, (*place, key)))]


def at(value: Any, place: Place) -> Any:
    """The value at a place."""
    for key in place:
        value = value[key]
    return value


def put(value: Any, place: Place, new: Any) -> Any:
    """The document with another value at this place."""
    if not place:
        return new
    copy = value.copy()
    copy[place[0]] = put(value[place[0]], place[1:], new)
    return copy


def objects(document: Any) -> list[Place]:
    """Where the objects of a document are."""
    return [place for place in places(document) if isinstance(at(document, place), dict) and at(document, place)]


def mistype(told: Told, rng: Random) -> tuple[Told, frozenset[Part]]:
    """A field holds what it should not."""
    place = rng.choice(places(told.document)[1:])
    return told._replace(document=put(told.document, place, rng.choice(ODD))), told.hurt(place)


def drop(told: Told, rng: Random) -> tuple[Told, frozenset[Part]]:
    """A field is missing."""
    place = rng.choice(objects(told.document))
    key = rng.choice(list(at(told.document, place)))
    rest = {name: value for name, value in at(told.document, place).items() if name != key}
    return told._replace(document=put(told.document, place, rest)), told.hurt((*place, key))


def shuffle(told: Told, rng: Random) -> tuple[Told, frozenset[Part]]:
    """The fields of an object stand in another order."""
    place = rng.choice(objects(told.document))
    members = list(at(told.document, place).items())
    rng.shuffle(members)
    return told._replace(document=put(told.document, place, dict(members))), frozenset()


def add(told: Told, rng: Random) -> tuple[Told, frozenset[Part]]:
    """An object has one more field, that nobody knows."""
    place = rng.choice(objects(told.document))
    members = [*at(told.document, place).items()]
    members.insert(rng.randrange(len(members) + 1), (rng.choice(_STRANGE), rng.choice(ODD)))
    return told._replace(document=put(told.document, place, dict(members))), frozenset()


def repeat(told: Told, rng: Random) -> tuple[Told, frozenset[Part]]:
    """A key stands there twice, first with something else: the last one counts."""
    place = rng.choice(objects(told.document))
    members = list(at(told.document, place).items())
    name = rng.choice(members)[0]
    members.insert(0, (name, rng.choice(ODD)))
    return told._replace(document=put(told.document, place, Members(members))), frozenset()


def join(told: Told, rng: Random) -> Told:
    """Rows of other tasks stand beside this one."""
    data = told.document["data"]
    rows = data if isinstance(data, list) else [data]
    index = rng.randrange(len(rows) + 1)
    mixed = [*rows[:index], rng.choice(FOREIGN), *rows[index:]]

    def moved(place: Place) -> Place:
        _, row, *rest = place if isinstance(data, list) else ("data", 0, *place[1:])
        return ("data", int(row) + (int(row) >= index), *rest)

    parts = {moved(place): part for place, part in told.parts.items()}
    return told._replace(document=told.document | {"data": mixed}, parts=parts)


Change = Callable[[Told, Random], tuple[Told, frozenset[Part]]]
ONCE: list[Change] = [mistype, drop, shuffle, add]
VALUES: list[Change] = [*ONCE, repeat]


def camel(key: str) -> str:
    """As JavaScript names things: taskId."""
    first, *rest = key.split("_")
    return first + "".join(word.capitalize() for word in rest)


def pascal(key: str) -> str:
    """As Go names things that it shows: TaskId."""
    return camel(key)[:1].upper() + camel(key)[1:]


STYLES = [
    Style(),
    Style(", ", ": "),
    Style(",\r\n\t ", " :\n"),
    Style(ascii=True, slashed=True),
    Style(key=camel),
    Style(key=pascal),
    Style(key=str.upper),
]


# the whole of it

LAST_WORDS = b'{"code":"insert_task_failed","message":"x","data":null}'


def _utf(name: str) -> Callable[[bytes], bytes]:
    return lambda body: body.decode("utf-8", "replace").encode(name)


WRAPS: dict[str, Callable[[bytes], bytes]] = {
    "a mark": lambda body: b"\xef\xbb\xbf" + body,
    "two marks": lambda body: b"\xef\xbb\xbf\xef\xbb\xbf" + body,
    "blanks": lambda body: b" \r\n\t" + body + b"\n\n ",
    "heartbeats": lambda body: b"\n" * 300 + body,
    "a zero behind": lambda body: body + b"\x00",
    "a zero before": lambda body: b"\x00" + body,
    "words behind": lambda body: body + b"OK",
    "a second document": lambda body: body + LAST_WORDS,
    "twice": lambda body: body * 2,
    "a page around": lambda body: b"<!doctype html><html><body><pre>" + body + b"</pre></body></html>",
    "a tag behind": lambda body: body + b"<!-- 0.1 s -->",
    "a less-than before": lambda body: b"<" + body,
    "a guard": lambda body: b")]}',\n" + body,
    "a callback": lambda body: b"cb(" + body + b");",
    "an event": lambda body: b"data: " + body + b"\n\n",
    "chunks": lambda body: b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body),
    "gzip": lambda body: gzip.compress(body, mtime=0),
    "deflate": zlib.compress,
    "UTF-16": _utf("utf-16"),
    "UTF-16 without a mark": _utf("utf-16-be"),
    "UTF-32": _utf("utf-32-le"),
    "a string of it": lambda body: json.dumps(body.decode("utf-8", "replace")).encode(),
    "a list of it": lambda body: b"[" + body + b"]",
    "nothing": lambda _: b"",
}


def damage(told: Told, rng: Random) -> Damaged:
    """A little of everything, to an answer about tasks."""
    single = len(told.tasks) == 1
    joined = told if rng.randrange(4) else join(told, rng)
    # what is lost between two rows makes one of them: where there is one alone, it may be much
    return _damaged(joined, rng, VALUES, [*BYTES, tear] if single and joined is told else BYTES)


def damage_short(told: Told, rng: Random, behind: bytes = b"") -> Damaged:
    """A little of everything, to an answer without rows.

    No key stands there twice: who has only the beginning of an answer cannot know that another one would have come.
    """
    return _damaged(told, rng, ONCE, [*BYTES, tear], behind)


def _damaged(told: Told, rng: Random, changes: list[Change], kinds: list[Harm], behind: bytes = b"") -> Damaged:
    touched: frozenset[Part] = frozenset()
    for _ in range(rng.randrange(3)):
        if objects(told.document):
            told, more = rng.choice(changes)(told, rng)
            touched |= more
    body, spans = written(told.document, rng.choice(STYLES) if rng.randrange(2) else STYLES[0])
    strip = Strip(body + behind)
    for _ in range(rng.randrange(4)):
        if strip.body:
            rng.choice(kinds)(strip, rng)
    whole = bytes(strip.body)
    if not rng.randrange(4):
        whole = WRAPS[rng.choice(sorted(WRAPS))](whole)
    if behind and strip.hits(len(body), len(body) + len(behind)):
        touched |= {(0, BEHIND)}
    return Damaged(whole, touched | hurt(strip, told, spans))
