"""The redaction: no secret is left in what comes back, however it is written and wherever it is cut."""

import json
import re
from collections.abc import Callable
from functools import reduce
from itertools import pairwise
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.redaction import Redaction

QUICK = settings(max_examples=200, deadline=None, derandomize=True)
KEY = "sk-0123456789abcdefABCDEF"
LAST = "sk-zyxwvutsrqponmlkjihgfe"
"""Without its ``sk-`` it is behind it in the alphabet."""
ODD = "sk-Ab/Cd+&<>\\0123456789abcd"
ECHOES = {
    "plain": ODD,
    "without its beginning": ODD[3:],
    "JSON": ODD.replace("\\", "\\\\"),
    "JSON of PHP": ODD[3:].replace("\\", "\\\\").replace("/", "\\/"),
    "JSON of Go": ODD.replace("\\", "\\\\").replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"),
    "percent": "sk-Ab%2FCd%2B%26%3C%3E%5C0123456789abcd",
    "percent, small": "Ab%2fCd%2b%26%3c%3e%5c0123456789abcd",
    "percent, in a path": "Ab/Cd%2B%26%3C%3E%5C0123456789abcd",
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_a_secret_is_taken_out_however_it_is_written(echo):
    """Without its ``sk-``, escaped as JSON or percent-encoded; where it is whole and where it is cut."""
    redaction = Redaction([ODD])
    assert redaction.clean(f"<{echo}{echo}>".encode()) == b"<******>"
    assert redaction.clean_cut(bytearray(f"<{echo}>{echo[:-1]}".encode())) == b"<***>"
    assert redaction.shows(f"x{echo}x")
    assert redaction.split(f"<{echo}>".encode()) == (b"<***>", b"")


ESCAPES = {
    "a letter": r"sk\u002d0123456789abcdefABCDEF",
    "all of them": "".join(f"\\u{ord(letter):04x}" for letter in KEY),
    "all of them, in capitals": "".join(f"\\u{ord(letter):04X}" for letter in KEY),
    "without its beginning": r"\u0030123456789abcdefABCDEF",
    "the last one": r"sk-0123456789abcdefABCDE\u0046",
}


@pytest.mark.parametrize("echo", ESCAPES.values(), ids=ESCAPES)
def test_a_secret_is_taken_out_whatever_letters_of_it_are_escaped(echo):
    """JSON may write any letter as its number; and what is cut off may be cut in the middle of one."""
    redaction = Redaction([KEY])
    assert redaction.clean(f'{{"a":"{echo}\\n","b":"{echo}"}}'.encode()) == b'{"a":"***\\n","b":"***"}'
    assert redaction.clean_cut(f"<{echo}>{echo[:-1]}".encode()) == b"<***>"
    for length in range(4 * 6, len(echo)):
        assert redaction.clean_cut(f"<{echo[:length]}".encode()) == b"<"


@pytest.mark.parametrize("form", ["%{:02x}", "%{:02X}", "%u{:04x}", "%u{:04X}"])
def test_a_secret_is_found_in_numbers_of_one_form(form):
    """Of all its letters, or of one of them; ``%u`` is what JavaScript's escape writes."""
    redaction = Redaction([KEY])
    for some in (KEY, "-", "5", "F"):
        echo = "".join(form.format(ord(letter)) if letter in some else letter for letter in KEY)
        assert redaction.clean(echo.encode()) == b"***"
        assert redaction.clean(f"<{echo}>".encode()) == b"<***>"
    assert redaction.clean(rb"\u0073k-0123456789abcdefABCDEF") == b"***"


@pytest.mark.parametrize("sign", ["%", r"\u00e9", "%zz \\u00zz "])
@pytest.mark.parametrize("number", ["%35", "%u0035", r"\u0035"])
def test_a_secret_is_found_behind_however_many_signs(sign, number):
    """Those that are none of a number do not hide the one that is: neither few of them nor many."""
    redaction, echo = Redaction([KEY]), KEY.replace("5", number)
    for times in (1, 2, 3, 511, 512, 513, 1200):
        assert redaction.clean(f"{sign * times} {echo}".encode()).decode() == f"{sign * times} ***"
        assert redaction.clean(f"{echo} {sign * times}".encode()).decode() == f"*** {sign * times}"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"], ids=repr)
@pytest.mark.parametrize("sign", ["%", "=", r"\u00", r"\u003d"])
def test_the_end_of_a_line_behind_a_sign_hides_nothing(sign, end):
    """In quoted-printable it would end a line, and what is up to the next one would be nothing."""
    before = f"a {sign}{end} "
    assert Redaction([KEY]).clean(f"{before}{KEY.replace('5', '%35')}".encode()).decode() == f"{before}***"
    said = rf"{before}100%0123456789abc\u0064efABCDEF"
    assert Redaction([KEY[3:]]).clean(said.encode()).decode() == f"{before}100%***"


@pytest.mark.parametrize("before", ["\\n", r"\u00e9", r"\u0058", "100% ", r"\u0058" + r"\u00e9" * 600, "% " * 100])
def test_a_plain_secret_is_taken_out_as_it_is(before):
    """What is beside it stays, though it were the first half of a number."""
    said = f"{before} %2{KEY}".encode()
    assert Redaction([KEY]).clean(said) == f"{before} %2***".encode()
    assert Redaction([KEY]).clean(b"%2" + KEY.encode()) == b"%2***"


@pytest.mark.parametrize("before", ["", "x", r"\n", "\\n" * 300], ids=len)
@pytest.mark.parametrize("run", [0, 1, 2, 7, 8, 400, 401])
def test_the_beginning_of_a_secret_in_escapes_is_found_whatever_is_before_it(before, run):
    """One backslash belongs to the number behind it, also behind others: a text of JSON inside JSON has more."""
    redaction, echo = Redaction(["zyxwvutsrqponmlkjihgfe"]), "".join(f"\\u{ord(letter):04x}" for letter in LAST[3:])
    for length in (4 * 6, 4 * 6 + 5, 60, len(echo) - 6, len(echo) - 1):
        shown = before + "\\" * run
        assert redaction.clean_cut((shown + echo[:length]).encode()).decode() == shown


def _json(said: str) -> str:
    return json.dumps(said)[1:-1]


def _go(said: str) -> str:
    return _json(said).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _small(encoder: Callable[[str], str]) -> Callable[[str], str]:
    return lambda said: re.sub(r"%[0-9A-F]{2}", lambda number: number[0].lower(), encoder(said))


PERCENT: list[Callable[[str], str]] = [
    quote_plus,
    *(lambda said, safe=safe: quote(said, safe=safe) for safe in ("", "/", "$&+=:@", "!'()*", ";,/?:@&=+$#!'()*")),
]
"""urllib's, Go's PathEscape, JavaScript's encodeURIComponent and encodeURI."""
ENCODERS: list[Callable[[str], str]] = [
    _json,
    lambda said: json.dumps(said, ensure_ascii=False)[1:-1],
    lambda said: _json(said).replace("/", "\\/"),
    _go,
    lambda said: "".join(f"\\u{ord(letter):04x}" for letter in said),
    lambda said: "".join(f"%{letter:02X}" for letter in said.encode()),
    lambda said: re.sub("[ -~]", lambda letter: f"%u{ord(letter[0]):04X}", said),
    *PERCENT,
    *map(_small, PERCENT),
]
BASE64 = "sk-Ab+/Cd=0123456789abcdEF/g=="
KEYS = [
    KEY,
    LAST,
    ODD,
    BASE64,
    "sk-/+0123456789&abcdef<ABCDEF>",
    "/b+/Cd=0123456789abcd",
    "sk-ab!cd'(/)0123456789*x|\\\\y",
]


@QUICK
@given(
    st.sampled_from(KEYS),
    st.booleans(),
    st.lists(st.sampled_from(ENCODERS), max_size=3),
    st.sampled_from(["", "bad key ", 'é "', "C:\\", "100% ", "a/"]),
    st.sampled_from(["", " ", '"', "\\", "é", "."]),
)
def test_no_secret_is_left_in_texts_inside_texts(key, whole, encoders, before, after):
    """Up to three encoders inside each other, in any order: what is around it stays, and opens to no secret."""
    echo = key if whole or len(key) < 23 else key.removeprefix("sk-")
    said, *inner = (reduce(lambda text, encode: encode(text), encoders, text) for text in (before + echo + after, echo))
    redaction = Redaction([key])
    cleaned = redaction.clean(said.encode()).decode()
    assert inner[0] not in cleaned
    assert cleaned.count("***") == 1
    assert redaction.shows(said)
    for encode in reversed(encoders):
        if encode in ENCODERS[:5]:
            # what was a JSON text is one
            cleaned = json.loads(f'"{cleaned}"')
            continue
        break
    assert redaction.clean(cleaned.encode()).decode() == cleaned


def test_a_text_inside_an_answer_opens_to_no_secret():
    """PHP in PHP: a slash has one backslash inside, and three in the answer; the answer and its text are still JSON."""
    inner = json.dumps({"msg": f"bad key {BASE64}", "title": BASE64[3:]}).replace("/", "\\/")
    body = json.dumps({"code": "success", "data": inner}).replace("/", "\\/")
    cleaned = json.loads(Redaction([BASE64]).clean(body.encode()))
    assert json.loads(cleaned["data"]) == {"msg": "bad key ***", "title": "***"}


@pytest.mark.parametrize("key", [KEY[3:], "sk-5%25%2541%41%%0123456789"])
def test_a_percent_sign_may_be_no_escape(key):
    """Before a key that begins as a number does, or in a key."""
    numbers = "".join(f"\\u{ord(letter):04x}" for letter in key[9:])
    said = f"100%{key[:9]}{numbers} {key}"
    assert Redaction([key]).clean(said.encode()) == b"100%*** ***"


PERCENTS = {
    "a sign of the key, before a number": ("sk-ab%41cdefghij01234567", r"sk-ab%\u00341cdefghij01234567"),
    "a sign of the key, a number too": ("sk-ab%41cdefghij01234567", r"sk-ab\u0025\u00341cdefghij01234567"),
    "before a key with a backslash": ("0123456789\\abcdefghij", r"%0123456789\u005cabcdefghij"),
    "before a key with a sign of equality": ("0123456789=abcdefghij", r"%0123456789\u003dabcdefghij"),
    "the same in capitals": ("0123456789=abcdefghij", r"%0123456789\u003Dabcdefghij"),
    "the same, plain too": ("0123456789=3=Dabcdefghij", r"%0123456789=3\u003dD\u0061bcdefghij"),
}


@pytest.mark.parametrize(("key", "echo"), PERCENTS.values(), ids=PERCENTS)
def test_a_percent_sign_is_none_of_an_escape_where_json_escapes(key, echo):
    """What JSON writes as numbers is found though a percent sign is before two digits."""
    before = "%" if echo.startswith("%") else ""
    assert Redaction([key]).clean(f"<{echo}>".encode()).decode() == f"<{before}***>"


def test_the_beginning_of_a_secret_before_a_percent_sign_is_taken_out():
    """A number that is cut off behind its first sign; and one before it that is none."""
    redaction = Redaction([KEY[3:]])
    assert redaction.clean_cut(rb"100%0123456\u0037%") == b"100%"
    assert redaction.clean_cut(rb"100%0123456\u0037" + b"\\") == b"100%"


@pytest.mark.parametrize("key", ["sk-ab%%sk-ab%%sk-ab%", "%%%abc%%%abc%%%abc%%%01234", "sk-ab%41sk-ab%41sk-ab%410"])
def test_of_a_beginning_that_repeats_nothing_is_left(key):
    """The longest goes; of a key with percent signs that is not the longest of each way to read it."""
    redaction = Redaction([key])
    for length in range(5, len(key)):
        assert redaction.clean_cut(f"<{key[:length]}".encode()) == b"<"


def test_an_escape_behind_a_secret_stays_whole():
    """Where it is a key's last backslash that is before a quote, or before a letter."""
    redaction = Redaction(["sk-0123456789\\"])
    assert json.loads(redaction.clean(rb'{"a":"sk-0123456789\"","b":1}')) == {"a": '***"', "b": 1}
    assert json.loads(redaction.clean(rb'{"a":"sk-0123456789\n"}')) == {"a": "***\n"}
    assert json.loads(redaction.clean(rb'{"a":"sk-0123456789\\"}')) == {"a": "***\\"}


def test_what_is_far_behind_is_found_too():
    """Wherever it is: what is read at once is a small part of an answer."""
    redaction, echo = Redaction([KEY]), KEY.replace("-", "\\u002d").encode()
    for size in (*range(7900, 8100, 7), 100_000):
        said = b"x" * size + echo + b"y" * size
        assert redaction.clean(said) == b"x" * size + b"***" + b"y" * size


def test_an_answer_that_writes_a_secret_in_a_hundred_ways_is_not_shown_to_its_end():
    """Each way costs a search of the whole: what is behind so many is taken out."""
    ways = [KEY[:place] + f"%{ord(KEY[place]):02x}" + KEY[place + 1 :] for place in range(len(KEY))]
    said = "<" + " ".join(ways).replace(" ", "z" * 9000) + ">"
    cleaned = Redaction([KEY]).clean(said.encode())
    assert cleaned.startswith(b"<***zzz")
    assert cleaned.endswith(b"***")
    assert cleaned.count(b"***") == 17


def test_of_an_answer_that_writes_a_secret_in_many_ways_the_beginning_is_shown():
    """Up to what is read at once with the first way that is too many."""
    ways = [KEY[:place] + f"%{ord(KEY[place]):02x}" + KEY[place + 1 :] for place in range(17)]
    cleaned = Redaction([KEY]).clean(" ".join(ways[:-1]).encode() + b" " + b"z" * 9300 + ways[-1].encode())
    assert cleaned.startswith(b"*** " * 16 + b"z" * 5000)
    assert cleaned.endswith(b"zzz***")


@pytest.mark.parametrize(
    "last",
    ["sk%2D0", "sk%2D01%3", "sk-01%", "sk-01%253", "sk\\\\u002d01\\\\u00", "sk%5Cu002d01%5Cu00", "sk-01\\u00253"],
)
def test_the_beginning_of_a_secret_is_taken_out_however_it_is_written(last):
    """Cut off in the middle of a number too."""
    redaction = Redaction([KEY])
    assert redaction.clean_cut(f"bad key {last}".encode()) == b"bad key "
    assert redaction.clean_cut(b"bad key sk%2D1") == b"bad key sk%2D1"


def test_what_is_beside_a_secret_stays_as_it_is_written():
    """What is left is the same JSON, byte for byte."""
    redaction = Redaction(['sk-"\\-0123'])
    said = rb'{"a":"\u0022\u005c\u0058","b":"sk-\u0022\u005c\u002d0123"}'
    assert redaction.clean(said) == rb'{"a":"\u0022\u005c\u0058","b":"***"}'
    assert json.loads(redaction.clean(said)) == {"a": '"\\X', "b": "***"}
    assert redaction.clean(rb'{"a":"XsX\u0073k-\"\\-0123X"}') == b'{"a":"XsX***X"}'


@pytest.mark.parametrize(
    "said", [rb"sk\\u002d 0", rb"\u003csk\u003e", rb"a\u00", rb"sk\u002", rb"a\\", rb"\u00e9" * 600, b"%" * 600]
)
def test_escapes_that_spell_no_secret_are_left(said):
    """Two letters are no key, and many escapes are none either."""
    redaction = Redaction([KEY])
    assert redaction.clean(said) is said
    assert redaction.clean_cut(said) == said
    assert Redaction(["sk-music"]).clean(rb"\\u0073k-musi \u0073k-music") == rb"\\u0073k-musi ***"


def test_without_secrets_nothing_is_changed():
    """Nor kept back."""
    redaction, said = Redaction(()), b"sk-anything \\u0041"
    assert redaction.clean(said) is said
    assert redaction.clean_cut(said) == said
    assert redaction.split(said) == (said, b"")
    assert redaction.split(b"") == (b"", b"")
    assert not redaction.shows("sk-anything")


def test_a_megabyte_of_secrets_is_read_in_its_turn():
    """What may be the beginning of a secret is looked for once, and not behind each: that would take minutes here."""
    redaction = Redaction(["sk-1", "sk-" + "~" * 2000])
    assert redaction.split(b"sk-1" * 2**18 + b"sk") == (b"***" * 2**18, b"sk")


def test_what_holds_no_secret_is_the_same_object():
    """Who asks whether there was one compares objects."""
    redaction, said = Redaction([KEY]), b'{"code":"success"}'
    assert redaction.clean(said) is said
    assert redaction.clean_cut(said) is said
    assert not redaction.shows("success")


def test_each_of_several_secrets_is_taken_out():
    """The key in use, those before it, and the account's token; and of two the longer one first."""
    redaction = Redaction(["sk-first-key", "sk-first-key-and-more", "token-of-a-user"])
    assert redaction.clean(b"sk-first-key-and-more sk-first-key token-of-a-user") == b"*** *** ***"
    assert redaction.clean(b"token-of-a-user") == b"***"
    assert redaction.split(b"<token-of-a-user sk-first-key-and-more>") == (b"<*** ***>", b"")
    assert Redaction([LAST]).clean(f"{LAST} {LAST[3:]}".encode()) == b"*** ***"


def test_a_secret_is_seen_in_a_header_that_is_no_text():
    """Bytes that are no UTF-8 come as half letters: who asks gets an answer all the same."""
    redaction = Redaction([KEY])
    assert redaction.shows(f"\udce9 {KEY}")
    assert not redaction.shows("\udce9 \udcff")


def padded(said: bytes) -> bytes:
    """An answer that is long enough to be remembered."""
    return b"." * 2**13 + said


SAID = [b"", b'{"code":"success"}', b"ends in 0"]


@pytest.mark.parametrize("body", [*SAID, *map(padded, SAID), b"z" * 2**18], ids=len)
def test_the_same_answer_again_is_the_same_object(body):
    """A task that does not change is answered with the same bytes, in a new buffer each time."""
    redaction = Redaction([KEY])
    first = redaction.clean_cut(bytearray(body))
    assert type(first) is bytes
    assert first == body
    assert redaction.clean_cut(bytearray(body)) is first
    assert redaction.clean_cut(bytes(bytearray(body))) is first


@pytest.mark.parametrize("said", [SAID[1], padded(SAID[1])], ids=len)
def test_an_answer_that_changes_is_cleaned_again(said):
    """Whatever was remembered of the one before: also where it is the same buffer."""
    redaction, body = Redaction([KEY]), bytearray(said)
    first = redaction.clean_cut(body)
    assert redaction.clean_cut(body + KEY.encode()) == first + b"***"
    assert redaction.clean_cut(body + KEY[:9].encode()) == first
    body += KEY.encode()
    assert redaction.clean_cut(body) == first + b"***"
    assert first == said


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (f"<{KEY}>", "<***>"),
        (f"<{KEY[:-1]}", "<"),
        (r"<sk-01234\u003567", "<"),
        (rf"<\u0073{KEY[1:]}", "<***"),
        (f"<{KEY}{KEY[:9]}", "<***"),
    ],
)
@pytest.mark.parametrize("longer", [bytes, padded], ids=["short", "long"])
def test_an_answer_with_a_secret_is_cleaned_each_time(said, left, longer):
    """In the same way; and it takes the place of none that is remembered."""
    redaction = Redaction([KEY])
    first = redaction.clean_cut(bytearray(longer(b"first")))
    for _ in range(17):
        assert redaction.clean_cut(bytearray(longer(said.encode()))) == longer(left.encode())
    assert redaction.clean_cut(bytearray(longer(b"first"))) is first


def test_an_answer_that_is_too_long_is_not_remembered():
    """Up to 256 KiB they are; a longer one is cleaned each time, and takes the place of none."""
    redaction, other, first = Redaction([KEY]), b"z" * (2**18 + 1), padded(b"first")
    assert redaction.clean_cut(first) is first
    for _ in range(17):
        assert redaction.clean_cut(bytearray(other)) == other
    assert redaction.clean_cut(bytearray(other)) is not redaction.clean_cut(bytearray(other))
    assert redaction.clean_cut(bytearray(first)) is first


@pytest.mark.parametrize("size", [2, 2**13 - 1])
def test_of_short_answers_the_last_is_remembered(size):
    """Below 8 KiB one is; it takes the place of no longer one, nor a longer one its."""
    redaction, first, second, long = Redaction([KEY]), b"z" * size, b"y" * size, padded(b"long")
    assert all(redaction.clean_cut(body) is body for body in (long, first))
    assert redaction.clean_cut(padded(b"another")) == padded(b"another")
    assert redaction.clean_cut(bytearray(first)) is first
    assert redaction.clean_cut(second) is second
    assert redaction.clean_cut(bytearray(first)) is not first
    assert redaction.clean_cut(bytearray(long)) is long


def test_the_last_sixteen_answers_are_remembered():
    """The seventeenth pushes out the first, and no other."""
    redaction = Redaction([KEY])
    cleaned = [redaction.clean_cut(bytearray(padded(b"answer %d." % number))) for number in range(16)]
    assert all(redaction.clean_cut(bytearray(each)) is each for each in cleaned)
    redaction.clean_cut(padded(b"answer 16."))
    assert all(redaction.clean_cut(bytearray(each)) is each for each in cleaned[1:])
    again = redaction.clean_cut(bytearray(cleaned[0]))
    assert again == cleaned[0]
    assert again is not cleaned[0]


def test_what_one_redaction_remembers_no_other_does():
    """What is no secret to one is a secret to another."""
    said = f"<{KEY}>".encode()
    assert Redaction([LAST]).clean_cut(said) is said
    assert Redaction([KEY]).clean_cut(said) == b"<***>"
    assert Redaction([LAST]).clean_cut(bytearray(said)) is not said


class Searched(bytes):
    """Bytes that know what was looked for in them."""

    sought: list[object]

    def __contains__(self, part: object) -> bool:
        self.sought.append(part)
        return super().__contains__(part)

    def rfind(self, part: Any, *between: Any) -> int:
        self.sought.append(part)
        return super().rfind(part, *between)


@pytest.mark.parametrize("key", [KEY, LAST])
def test_a_key_of_letters_and_digits_is_looked_for_in_one_form(key):
    """The one that is in all the others: an answer without it is not read again for each of them."""
    for body, escapes in ((b'{"code":"success"}', {b"\\"}), (rb'{"code":"a\n"}', {b"\\", rb"\u00"})):
        said = Searched(body)
        said.sought = []
        assert Redaction([key]).clean(said) is said
        assert set(said.sought) == {key[3:].encode(), *escapes}
        assert len(said.sought) == len(escapes) + 1


def test_a_key_is_no_secret_where_it_is_any_word():
    """Less than twenty characters behind ``sk-`` are not looked for alone: they may be any word."""
    assert Redaction(["sk-music"]).clean(b"a music task of sk-music") == b"a music task of ***"
    assert Redaction(["sk-" + "m" * 20]).clean(b"m" * 20) == b"***"


@pytest.mark.parametrize(
    ("last", "left"),
    [(KEY[:-1], ""), (KEY[:4], ""), (KEY[3:7], ""), (KEY[:3], "sk-"), (f"{KEY}{KEY[:9]}", "***"), (KEY[1:3], "k-")],
)
def test_the_beginning_of_a_secret_at_the_end_is_taken_out(last, left):
    """From four characters on; fewer may be any word."""
    redaction = Redaction([KEY])
    assert redaction.clean_cut(f"bad key {last}".encode()) == f"bad key {left}".encode()
    assert redaction.clean_cut(f"bad key {last} ".encode())[:8] == b"bad key "


def test_the_beginning_of_a_secret_is_kept_back():
    """Also a single byte of it: it may come in pieces of one byte."""
    redaction = Redaction([KEY])
    assert redaction.split(b"a s") == (b"a ", b"s")
    assert redaction.split(b"sk") == (b"", b"sk")
    assert redaction.split(KEY[:-1].encode()) == (b"", KEY[:-1].encode())
    assert redaction.split(KEY.encode() + b"s") == (b"***", b"s")
    assert redaction.split(b"so") == (b"so", b"")
    assert redaction.split(b"") == (b"", b"")


def test_a_secret_that_is_the_beginning_of_another_is_kept_back():
    """Until it is known which one it is."""
    redaction = Redaction(["sk-first-key", "sk-first-key-and-more"])
    assert redaction.split(b"<sk-first-key") == (b"<", b"sk-first-key")
    assert redaction.split(b"sk-first-key-and-more>") == (b"***>", b"")
    assert redaction.split(b"sk-first-key>") == (b"***>", b"")


def test_a_secret_that_ends_as_it_begins_is_found():
    """Its end is not taken for the beginning of the next one."""
    redaction = Redaction(["sk-secret-sk-"])
    assert redaction.split(b"<sk-secret-sk-") == (b"<***", b"")
    assert redaction.split(b"<sk-secret-sk-sk") == (b"<***", b"sk")


SECRETS = ["sk-abab", "sk-ababab", "abcab-abcab", "ssk-sss"]
PIECES = st.lists(
    st.sampled_from([*(secret.encode() for secret in SECRETS), b"a", b"b", b"s", b"sk-", b"sk-ab", b"abc", b"-", b" "]),
    max_size=12,
)


def run(redaction: Redaction, pieces: list[bytes]) -> tuple[bytes, int]:
    """What comes out of a stream of pieces, and the most that was kept back."""
    out, held, most = b"", b"", 0
    for piece in pieces:
        shown, held = redaction.split(held + piece)
        out += shown
        most = max(most, len(held))
    return out + redaction.clean_cut(held), most


@QUICK
@given(PIECES.map(b"".join) | st.binary(max_size=40), st.lists(st.integers(0, 99), max_size=9))
def test_no_secret_comes_through_in_any_pieces(data, cuts):
    """Wherever a stream is cut: no secret comes out, nothing is kept back for long, and the pieces change nothing."""
    redaction = Redaction(SECRETS)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    out, most = run(redaction, [data[start:end] for start, end in pairwise(edges)])
    assert not any(secret.encode() in out for secret in SECRETS)
    assert most < max(map(len, SECRETS))
    assert (
        out == run(redaction, [data])[0] == run(redaction, [data[place : place + 1] for place in range(len(data))])[0]
    )


@QUICK
@given(st.binary(max_size=40))
def test_what_is_no_secret_comes_through(data):
    """Byte for byte, in pieces of one."""
    redaction = Redaction([KEY])
    assert run(redaction, [data[place : place + 1] for place in range(len(data))])[0] == redaction.clean_cut(data)


def test_digits_at_the_beginning_are_no_number():
    """Where there is no percent sign nothing is read as a number: what is before a plain secret stays."""
    assert Redaction([KEY]).clean(f"41 \\{KEY}".encode()) == b"41 \\***"
