"""What callers hand us."""

import copy
import math
import pickle
import sys
from random import Random
from traceback import TracebackException
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol import inputs
from suno_async.protocol.errors import ConfigurationError
from suno_async.protocol.inputs import Secret, read_address
from suno_async.protocol.models import Task

QUICK = settings(max_examples=80, deadline=None, derandomize=True)
KEY = "sk-CanaryCanary0123456789"

GOOD_IDS = [
    "736a6f88-bd29-4b1e-b110-37132a5325ac",
    "8f95a34d095747bcae9868b0dd5b759f",
    "task_plRc9a1ba7bkptuxcaQYGfK4TEPbvSnl",
    "1268154180129529857",
    "a",
    "a:b.c",
    "...",
    "x" * 128,
]
BAD_IDS = [
    "", ".", "..", "a/b", "../../api/user/self", "//x.invalid/y", "%2e%2e", "a%2fb", "a?x", "a#f", "a\r\nX: 1", "a\n",
    "a\x00", "a b", " a", "ключ", "²", "a\u2028", "x" * 129, "x" * 10_240, "a\\b", "a;b", "a@b",
    None, 5, b"a", ["a"], {"id": "a"}, True, 10**5000,
]  # fmt: skip


@pytest.mark.parametrize("task_id", GOOD_IDS)
def test_ids_of_gateways_pass(task_id):
    """Every form of id that a gateway was seen to give out passes unchanged."""
    assert inputs.check_task_id(task_id) == task_id
    assert inputs.is_task_id(task_id)


@pytest.mark.parametrize("task_id", BAD_IDS, ids=lambda value: ascii(type(value).__name__) + str(BAD_IDS.index(value)))
def test_other_ids_are_refused_before_any_request(task_id):
    """What could leave its place in the path, or is no text at all, is refused in one short printable line."""
    assert not inputs.is_task_id(task_id)
    with pytest.raises(ConfigurationError) as caught:
        inputs.check_task_id(task_id)
    said = str(caught.value)
    assert said.endswith(" is no task id: one is 1 to 128 letters, digits and _ . : - as the gateway gave it")
    assert said.isascii()
    assert said.isprintable()
    assert len(said) < 180


def test_what_is_no_id_is_shown():
    """The error shows what was given."""
    with pytest.raises(ConfigurationError, match=r"^'a b' is no task id: "):
        inputs.check_task_id("a b")
    with pytest.raises(ConfigurationError, match=r"^'a b' is no action: "):
        inputs.check_action("a b")


@QUICK
@given(st.text())
def test_an_id_that_passes_is_safe_in_a_path(text):
    """Whatever passes as an id has none of the characters that mean something in a URL, and is not a dot or two."""
    if inputs.is_task_id(text):
        assert text.isascii()
        assert not set(text) & set("/\\?#%&=@;\r\n\t \x00")
        assert text not in {".", ".."}


@pytest.mark.parametrize("action", ["music", "LYRICS", "upsample-tags", "music/custom", "a/b/c/d", "x" * 64])
def test_actions_pass(action):
    """Words of letters, digits, _ and -, up to four of them with slashes between, are actions."""
    assert inputs.check_action(action) == action


@pytest.mark.parametrize(
    "action", ["", "/", "a/", "/a", "a//b", "..", "a/..", "a/b/c/d/e", "a b", "a?b", "x" * 65, None, 3]
)
def test_other_actions_are_refused(action):
    """What could leave ``/suno/submit/`` is no action."""
    with pytest.raises(ConfigurationError, match="is no action"):
        inputs.check_action(action)


@pytest.mark.parametrize("key", ["a", "order 4711/b", "x" * 200, "~!@#"])
def test_idempotency_keys_pass(key):
    """1 to 200 printable ASCII characters are an idempotency key."""
    assert inputs.check_idempotency_key(key) == key


@pytest.mark.parametrize("key", ["", "x" * 201, "a\n", "ключ", "a\x00", None, 5, b"a"], ids=list("abcdefgh"))
def test_other_idempotency_keys_are_refused(key):
    """What is no such text is refused."""
    with pytest.raises(ConfigurationError) as caught:
        inputs.check_idempotency_key(key)
    assert str(caught.value).endswith(" is no idempotency key: one is 1 to 200 printable ASCII characters")
    assert str(caught.value).startswith(ascii(key)[:50] if not isinstance(key, bytes) else "a bytes")


# the key


def texts_of(error: BaseException) -> str:
    """Everything that can be printed of an error, the locals of its frames included."""
    told = "".join(TracebackException.from_exception(error, capture_locals=True).format())
    return f"{error!s} {error!r} {error.args!r} {vars(error)!r} {error.__cause__!r} {error.__context__!r} {told}"


BAD_KEYS = {
    "blank inside": f"{KEY} x",
    "blanks around": f" {KEY} ",
    "line end": f"{KEY}\n",
    "CRLF": f"{KEY}\r\nX: 1",
    "NUL": f"{KEY}\x00",
    "Cyrillic": f"{KEY}ключ",
    "U+2028": f"{KEY}\u2028",
    "20 KB": KEY * 1000,
    "bytes": KEY.encode(),
    "list": [KEY],
}


@pytest.mark.parametrize("key", BAD_KEYS.values(), ids=BAD_KEYS)
@pytest.mark.parametrize("given_as", ["value", "callable"])
def test_a_bad_key_is_refused_without_being_told(key, given_as):
    """A key that cannot be one is refused, and no text of the error holds it: not even the locals of its frames."""
    secret = Secret(key if given_as == "value" else lambda: key)
    with pytest.raises(ConfigurationError, match="API key") as caught:
        secret.reveal()
    # the frame of this test knows the key: only what lies below it counts
    told = texts_of(caught.value.with_traceback(caught.value.__traceback__.tb_next))
    assert KEY not in told
    assert "reveal" in told


@pytest.mark.parametrize(
    "key",
    [None, "", 5, b"", lambda: None, lambda: ""],
    ids=["None", "empty", "int", "bytes", "gives None", "gives empty"],
)
def test_a_missing_key_says_where_to_put_it(key):
    """Where there is no key, the error names the parameter and the environment variable."""
    with pytest.raises(ConfigurationError, match=r"^there is no API key: pass api_key=\.\.\. or set SUNO_API_KEY$"):
        Secret(key).reveal()


@pytest.mark.parametrize(
    "key",
    ["sk-12345", "~!@#$%^&*()", "%%%%%%%a", "x" * 512, KEY],
    ids=["8", "punctuation", "one letter", "512", "usual"],
)
def test_good_keys_are_revealed(key):
    """8 to 512 printable ASCII characters are a key, given directly or by a callable."""
    assert Secret(key).reveal() == key
    assert Secret(lambda: key).reveal() == key


@pytest.mark.parametrize("key", ["1234567", "x" * 513, "%" * 8, "%\\" * 8], ids=["7", "513", "percents", "escapes"])
def test_what_can_be_no_key_is_refused(key):
    """Fewer than 8 or more than 512 characters are no key, nor are signs that only begin escapes."""
    with pytest.raises(
        ConfigurationError, match=r"^the API key has .* is not 8 to 512 characters long: copy it again$"
    ):
        Secret(key).reveal()


def test_a_secret_shows_itself_to_nobody():
    """No way of writing a secret down gives its value away, and it does not leave its process."""
    secret = Secret(KEY)
    assert {repr(secret), str(secret), f"{secret}", f"{secret!r:>3}", "%s" % secret} == {"***"}  # noqa: UP031
    assert not hasattr(secret, "__dict__")
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match=r"^a Secret does not leave its process$"):
            leave(secret)


def test_only_a_callable_key_can_be_asked_again():
    """A key given as a value stays what it is; a callable may give another one."""
    assert not Secret(KEY).renewable
    assert Secret(lambda: KEY).renewable


# the base URL

ADDRESSES = [
    ("https://gateway.example", "https://gateway.example", "gateway.example", False),
    ("https://gateway.example/", "https://gateway.example", "gateway.example", False),
    ("https://gateway.example/v1", "https://gateway.example", "gateway.example", True),
    ("https://gateway.example/v1/", "https://gateway.example", "gateway.example", True),
    ("https://h/api/", "https://h/api", "h", False),
    ("https://h/api/v1", "https://h/api", "h", True),
    ("HTTPS://Gateway.Example:8443", "https://gateway.example:8443", "gateway.example", False),
    ("https://gateway.example.:443/x", "https://gateway.example/x", "gateway.example", False),
    ("http://127.0.0.1:80", "http://127.0.0.1", "127.0.0.1", False),
    ("http://localhost:8080", "http://localhost:8080", "localhost", False),
    ("http://LOCALHOST", "http://localhost", "localhost", False),
    ("http://127.0.0.1:9", "http://127.0.0.1:9", "127.0.0.1", False),
    ("http://[::1]:9/x", "http://[::1]:9/x", "[::1]", False),
    ("https://[2001:db8::1]", "https://[2001:db8::1]", "[2001:db8::1]", False),
    ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example", "xn--bcher-kva.example", False),
]


@pytest.mark.parametrize(("url", "base", "host", "v1"), ADDRESSES, ids=[row[0] for row in ADDRESSES])
def test_addresses_are_read(url, base, host, v1):
    """An address keeps its path and its port, loses a last slash and a last /v1, and knows its host."""
    address = read_address(url)
    assert (address.base, address.host, address.stripped_v1) == (base, host, v1)


BAD_ADDRESSES = [
    (None, "no base URL"),
    ("", "no base URL"),
    ("  ", "no base URL"),
    (b"https://h", "no base URL"),
    ("https://h\\@evil/", "characters no URL has"),
    ("http://a b/", "characters no URL has"),
    ("https://h/\r\nX: 1", "characters no URL has"),
    ("https://h\x00", "characters no URL has"),
    ("https://bücher.example", "xn--"),
    ("https://h:99999", "cannot be read"),
    ("https://h:port", "cannot be read"),
    ("https://[::1", "cannot be read"),
    ("gateway.example", "must begin with https://"),
    ("ftp://h", "must begin with https://"),
    ("file:///etc/passwd", "must begin with https://"),
    ("//h", "must begin with https://"),
    ("https://user:pass@h", "user name or password"),
    ("https://h/?a=1", "query or fragment"),
    ("https://h/?", "query or fragment"),
    ("https://h#x", "query or fragment"),
    ("https://", "no usable host"),
    ("https://:80", "no usable host"),
    ("https://h:", "no usable host"),
    ("https://-h", "no usable host"),
    ("https://h-.example", "no usable host"),
    ("https://a..b", "no usable host"),
    ("https://.h", "no usable host"),
    ("https://h,i", "no usable host"),
    ("https://h%2fevil", "no usable host"),
    ("https://" + "x" * 254, "no usable host"),
    ("http://gateway.example", "in clear"),
    ("http://127.0.0.1.evil.example", "in clear"),
    ("http://localhost.evil.example", "in clear"),
]


@pytest.mark.parametrize(("url", "why"), BAD_ADDRESSES, ids=[str(number) for number in range(len(BAD_ADDRESSES))])
def test_other_addresses_are_refused(url, why):
    """A base URL that cannot be right is refused with what is wrong about it, and never shows a password."""
    with pytest.raises(ConfigurationError, match=why) as caught:
        read_address(url)
    assert str(caught.value).startswith(("the base URL ", "there is no base URL", "http:// to "))
    assert "pass@" not in texts_of(caught.value).split("Traceback")[0]


def test_http_is_allowed_where_the_caller_says_so():
    """``allow_insecure`` lets the key go in clear to any host."""
    assert read_address("http://gateway.example", allow_insecure=True).base == "http://gateway.example"


@QUICK
@given(st.text(max_size=40) | st.text("htps:/@[]?#.%\\ 1a", max_size=30).map("https://".__add__))
def test_any_text_is_an_address_or_a_configuration_error(url):
    """No text makes reading an address fail in another way, and what is read has a plain host."""
    try:
        address = read_address(url)
    except ConfigurationError:
        return
    assert address.base.startswith(("https://", "http://"))
    assert "@" not in address.base.removeprefix("https://").split("/")[0]
    assert address.host


# numbers

NO_NUMBERS = [None, "1", True, math.nan, math.inf, -math.inf, -1, 10**400, -(10**5000), [1], 1j]
of_number = pytest.mark.parametrize("value", NO_NUMBERS, ids=[str(i) for i in range(len(NO_NUMBERS))])


@of_number
def test_what_is_no_number_of_seconds_is_refused_by_name(value):
    """Anything but a finite number above zero is refused, and the error names the parameter."""
    with pytest.raises(ConfigurationError, match=r"^pause must be a number of seconds above 0, not "):
        inputs.check_seconds("pause", value)


def test_zero_seconds_only_where_they_are_allowed():
    """Zero is a number of seconds only for a timeout."""
    assert inputs.check_seconds("pause", 0, zero=True) == 0
    with pytest.raises(ConfigurationError, match="not 0"):
        inputs.check_seconds("pause", 0)
    with pytest.raises(ConfigurationError, match="from 0 on, not -1"):
        inputs.check_seconds("pause", -1, zero=True)


def test_what_has_a_task_id_is_told_so():
    """A job or a task instead of its id: the message says which part of it to pass."""
    with pytest.raises(ConfigurationError, match=r"a Task is no task id: .*; pass its task_id, 'task_1'"):
        inputs.check_task_id(Task(task_id="task_1"))


@pytest.mark.parametrize("value", [1, 0.5, 10**20, 5e-324, sys.float_info.max])
def test_seconds_pass_unchanged(value):
    """A finite number above zero passes as it is."""
    assert inputs.check_seconds("pause", value) == value


def test_a_timeout_may_be_none_or_zero():
    """None is no end, 0 is at once."""
    assert inputs.check_timeout("timeout", None) is None
    assert inputs.check_timeout("timeout", 0) == 0
    assert inputs.check_timeout("timeout", 9.5) == 9.5
    for wrong in (-1, -0.5, float("nan"), float("inf")):
        with pytest.raises(ConfigurationError, match="timeout must be"):
            inputs.check_timeout("timeout", wrong)


def test_a_rate_may_be_none_but_not_zero():
    """None is no limit; a rate of nothing would never let a request go."""
    assert inputs.check_rate("rate", None) is None
    assert inputs.check_rate("rate", 2.5) == 2.5
    assert inputs.check_rate("rate", 0.01) == 0.01
    with pytest.raises(ConfigurationError, match="rate must be a number of requests a second above 0, not 0"):
        inputs.check_rate("rate", 0)


@pytest.mark.parametrize("value", [0, 101, -1, 1.0, True, "5", None, 10**5000], ids=[str(i) for i in range(8)])
def test_counts_have_bounds(value):
    """A count is a whole number from 1 to its most."""
    assert inputs.check_count("size", 1, 100) == 1
    assert inputs.check_count("size", 100, 100) == 100
    with pytest.raises(ConfigurationError, match=r"^size must be a whole number from 1 to 100, not "):
        inputs.check_count("size", value, 100)


SHOWN = [
    (0, "0"),
    (2.5, "2.5"),
    (None, "None"),
    ("5", "'5'"),
    ("\u2028", "'\\u2028'"),
    ([1], "a list"),
    (b"5", "a bytes"),
    (10**59, "1" + "0" * 59),
    (10**60, "a int"),
    ("x" * 58, "'" + "x" * 58 + "'"),
    ("x" * 59, "'" + "x" * 55 + "...'"),
]


@pytest.mark.parametrize(("value", "shown"), SHOWN, ids=[str(i) for i in range(len(SHOWN))])
def test_a_wrong_value_is_shown(value, shown):
    """An error shows what was given as printable ASCII, at most 60 characters; of odd things only the type."""
    with pytest.raises(ConfigurationError) as caught:
        inputs.check_count("size", value, -1)
    assert str(caught.value) == f"size must be a whole number from 1 to -1, not {shown}"


def test_factors_have_bounds_that_are_allowed():
    """Both bounds of a factor are allowed, what lies outside is not."""
    assert inputs.check_factor("f", 1, 1, 2) == 1
    assert inputs.check_factor("f", 2.0, 1, 2) == 2.0
    for wrong in (0.99, 2.01, math.nan):
        with pytest.raises(ConfigurationError, match="f must be a number from 1 to 2, not"):
            inputs.check_factor("f", wrong, 1, 2)


@QUICK
@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.lists(st.integers()))
def test_any_value_is_a_number_or_a_configuration_error(value):
    """No value makes a check of a number fail in another way, and what passes is finite."""
    for check in (inputs.check_seconds, inputs.check_timeout, inputs.check_rate):
        try:
            passed = check("x", value)
        except ConfigurationError as error:
            said = str(error)
        else:
            said = ""
            assert passed is None or passed >= 0
        assert said.isprintable()
        assert len(said) < 150


def test_an_address_in_brackets_is_one_name_too():
    """In small letters, and without the port that is meant anyway."""
    address = read_address("https://[2001:DB8::1]:443")
    assert (address.base, address.host) == ("https://[2001:db8::1]", "[2001:db8::1]")


def test_a_path_ends_as_it_was_given_but_for_its_slashes():
    """Only those are taken off."""
    assert read_address("https://gateway.example/API-X//").base == "https://gateway.example/API-X"


@pytest.mark.parametrize("wrong", ["no", "", 0, 1, None])
def test_a_flag_is_true_or_false(wrong):
    """What Python would take for one of them is refused by name: the text "no" would mean yes."""
    assert inputs.check_flag("f", True)
    assert not inputs.check_flag("f", False)
    with pytest.raises(ConfigurationError, match=f"^f must be True or False, not {wrong!r}$"):
        inputs.check_flag("f", wrong)
    with pytest.raises(ConfigurationError, match=r"^allow_insecure must be True or False, not "):
        read_address("https://gateway.example", allow_insecure=wrong)


def test_dice_can_be_thrown():
    """A ``Random`` or None passes; what cannot be thrown is refused by name."""
    dice = Random(1)
    assert inputs.check_random("rng", dice) is dice
    assert inputs.check_random("rng", None) is None
    for wrong, shown in ((5, "5"), ("random", "'random'"), (SimpleNamespace(random=0.5), "a SimpleNamespace")):
        with pytest.raises(ConfigurationError, match=f"^rng must be a random.Random, not {shown}$"):
            inputs.check_random("rng", wrong)
