"""What cannot be right is refused before any request, with what to do instead, and nothing else is lost by it."""

import math
from decimal import Decimal

import anyio
import pytest
from wire import Wire, seen, until

from suno_async import (
    Adaptive,
    Backoff,
    ConfigurationError,
    Custom,
    Extend,
    Fixed,
    Inspiration,
    Scaled,
    Submission,
    Suno,
    SunoError,
    WriteLyrics,
)

KEY = "sk-0123456789abcdef"
HOME = "https://gateway.example"
IDS = [
    "",
    " ",
    ".",
    "..",
    "a/b",
    "/",
    "../../api/user/self",
    "%2e%2e",
    "%2E%2E%2fapi",
    "a?x=1",
    "a#f",
    "a&b",
    "a\\b",
    "a b",
    "a\r\nX-Evil: 1",
    "a\n",
    "\na",
    "a\x00",
    "a\x7f",
    "a\u2028b",
    "tásk",
    "任务",
    "\u202eabc",
    "\ud800",
    "a" * 129,
    "a" * 10_240,
    b"task_1",
    None,
    5,
    5.0,
    True,
    ["task_1"],
    ...,
]
KEYS = [
    "",
    " ",
    "short",
    "sk-with a blank",
    " sk-leading-blank",
    "sk-trailing-blank ",
    "sk-line\nend-in-it",
    "sk-trailing-line-end\n",
    "sk-cr\r\nX-Evil: 1",
    "sk-nul\x00nul-nul",
    "sk-tab\tbed-key",
    "sk-ключ-ключ",
    "sk-käse-käse",
    "sk-\u2028-\u2028-\u2028",
    "sk-" + "x" * 20_000,
    b"sk-in-bytes-0123",
    5,
    ["sk-0123456789"],
]
URLS = [
    "",
    " ",
    "gateway.example",
    "//gateway.example",
    "ftp://gateway.example",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https://",
    "https:///suno",
    "https://?",
    "https://gateway.example?key=1",
    "https://gateway.example/?",
    "https://gateway.example/#top",
    "https://user@gateway.example",
    "https://user:hunter2@gateway.example",
    "https://@gateway.example",
    "http://gateway.example",
    "http://192.168.0.1",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "http://127.0.0.1@evil.example",
    "http://2130706433",
    "http://0x7f000001",
    "http://0.0.0.0",
    "https://h\\@evil.example/",
    "https://a b/",
    "https://gateway.example/a b",
    "https://gateway.example\n",
    " https://gateway.example",
    "https://gateway.example\x00",
    "https://gätewäy.example",
    "https://gateway。example",
    "https://gateway..example",
    "https://.gateway.example",
    "https://-gateway.example",
    "https://" + "a" * 64 + ".example",
    "https://" + "a." * 127 + "example",
    "https://gateway.example:",
    "https://gateway.example:99999",
    "https://gateway.example:-1",
    "https://gateway.example:port",
    "https://[::1",
    "https://[::g]",
    "https://gate*way.example",
    "https://%67ateway.example",
    "https://gateway.example,evil.example",
    b"https://gateway.example",
    5,
]
NUMBERS = [-1, -0.001, math.nan, math.inf, -math.inf, True, False, "5", 10**400, Decimal(5), [5], 1 + 0j]
COUNTS = [0, -1, 1.0, 1.5, math.nan, math.inf, True, "5", 10**6, 10**400, None, [1]]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in ("SUNO_BASE_URL", "SUNO_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def assert_refused(make, *words: str) -> str:
    """The message of the ConfigurationError that a call raises: one line, not too long, with these words."""
    with pytest.raises(ConfigurationError) as caught:
        make()
    return checked(caught.value, *words)


def checked(error: ConfigurationError, *words: str) -> str:
    text = str(error)
    assert isinstance(error, SunoError)
    assert isinstance(error, ValueError)
    assert error.__cause__ is None
    assert text.isprintable()
    assert 20 < len(text) < 250
    for word in words:
        assert word in text
    return text


@pytest.mark.parametrize("task_id", IDS, ids=lambda value: ascii(value)[:30])
async def test_what_is_no_task_id_is_refused_by_every_verb(task_id):
    """109: refused before any request, told what an id looks like; a wait that is under way goes on."""
    async with (
        Wire(lambda call: seen(call, "IN_PROGRESS")) as wire,
        Suno(wire.url, api_key=KEY, pace=Fixed(60)) as suno,
        anyio.create_task_group() as group,
    ):
        group.start_soon(suno.wait, "healthy")
        await until(lambda: wire.asked == 1)
        for verb in (suno.fetch(task_id), suno.wait(task_id), suno.fetch_many(["a", task_id])):
            with pytest.raises(ConfigurationError) as caught:
                await verb
            checked(caught.value, "is no task id", "1 to 128 letters, digits and _ . : -")
        for stream in (suno.as_completed(["a", task_id]), suno.watch(["a", task_id])):
            with pytest.raises(ConfigurationError, match="is no task id"):
                await anext(stream)
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
        assert wire.asked == 1
        assert "healthy" in {life.task_id for life in suno._runtime.tracker._lives}
        group.cancel_scope.cancel()


@pytest.mark.parametrize("task_id", ["a", "a" * 128, "task_1.2:3-4", "...", "A-Z_0", "-", ":", "0"])
async def test_what_may_be_a_task_id_is_asked_for_as_it_is(task_id):
    """Every id a gateway may give out goes into the path unchanged."""
    async with Wire(seen) as wire, Suno(wire.url, api_key=KEY) as suno:
        assert (await suno.fetch(task_id)).task_id == task_id
        assert wire.calls[0].path == f"/suno/fetch/{task_id}"


@pytest.mark.parametrize("key", KEYS, ids=lambda value: ascii(value)[:30])
def test_what_is_no_key_is_refused_without_being_shown(key):
    """110: refused when the client is made, with what a key looks like, and not a piece of it in the message."""
    text = assert_refused(lambda: Suno(HOME, api_key=key), "API key")
    if isinstance(key, str) and len(key.strip()) > 5:
        assert key[3:9] not in text


@pytest.mark.parametrize("key", KEYS, ids=lambda value: ascii(value)[:30])
async def test_what_is_no_key_is_refused_from_a_function_and_the_environment(key, monkeypatch):
    """110: wherever it comes from."""
    suno = Suno(HOME, api_key=lambda: key)
    with pytest.raises(ConfigurationError) as caught:
        await suno.__aenter__()
    checked(caught.value, "API key")
    if isinstance(key, str) and "\x00" not in key:
        monkeypatch.setenv("SUNO_API_KEY", key)
        assert_refused(lambda: Suno(HOME), "API key")


@pytest.mark.parametrize("url", URLS, ids=lambda value: ascii(value)[:40])
def test_what_is_no_base_url_is_refused(url):
    """111 to 115: no query, no fragment, no user, no host that is none, and http:// only to this machine."""
    text = assert_refused(lambda: Suno(url, api_key=KEY))
    assert "base URL" in text or text.startswith("http:// to ")
    assert "hunter2" not in text


@pytest.mark.parametrize(
    "url",
    [
        "https://gateway.example",
        "https://gateway.example/",
        "https://gateway.example:8443/api/v1/",
        "HTTPS://GATEWAY.EXAMPLE",
        "https://gateway.example.",
        "https://xn--gtewy-hraf.example",
        "https://192.168.0.1",
        "https://[2001:db8::1]:8443",
        "http://localhost:3000",
        "http://127.0.0.1",
        "http://127.1.2.3:80",
        "http://[::1]:3000",
    ],
)
def test_what_may_be_a_base_url_is_taken(url):
    """With or without a port and a path, and in clear to this machine alone."""
    plain = url.lower().removesuffix("/").removesuffix("/v1").removesuffix(":80").removesuffix(".")
    assert repr(Suno(url, api_key=KEY)).lower().startswith(f"suno('{plain}")


def test_http_to_elsewhere_needs_a_word():
    """114: the message names the argument that allows it, and with it it is allowed."""
    assert_refused(lambda: Suno("http://gateway.example", api_key=KEY), "allow_insecure=True", "in clear", "https://")
    Suno("http://gateway.example", api_key=KEY, allow_insecure=True)


@pytest.mark.parametrize("value", [0, *NUMBERS, None], ids=lambda value: ascii(value)[:20])
def test_a_wrong_number_of_seconds_is_refused(value):
    """``timeout`` of a client is a finite number above zero."""
    assert_refused(lambda: Suno(HOME, api_key=KEY, timeout=value), "timeout must be a number of seconds above 0, not ")


@pytest.mark.parametrize("value", [0, *NUMBERS], ids=lambda value: ascii(value)[:20])
def test_a_wrong_rate_is_refused(value):
    """``rate`` is a finite number above zero, or None."""
    assert_refused(
        lambda: Suno(HOME, api_key=KEY, rate=value), "rate must be a number of requests a second above 0, not "
    )


@pytest.mark.parametrize("name", ["concurrency", "batch_size", "submissions"])
@pytest.mark.parametrize("value", COUNTS, ids=lambda value: ascii(value)[:20])
def test_a_wrong_count_is_refused(name, value):
    """Counts are whole numbers from 1 to a limit that is told."""
    assert_refused(lambda: Suno(HOME, api_key=KEY, **{name: value}), f"{name} must be a whole number from 1 to ")


@pytest.mark.parametrize("value", NUMBERS, ids=lambda value: ascii(value)[:20])
async def test_a_wrong_timeout_of_a_wait_is_refused(value):
    """``timeout`` of a wait is a finite number from zero on, or None; nothing is submitted for a wrong one."""
    async with Wire(seen) as wire, Suno(wire.url, api_key=KEY) as suno:
        for verb in (suno.wait("a", timeout=value), suno.run(Inspiration("x"), timeout=value)):
            with pytest.raises(ConfigurationError) as caught:
                await verb
            checked(caught.value, "timeout must be")
        for stream in (suno.as_completed, suno.watch):
            assert_refused(lambda stream=stream: stream(["a"], timeout=value), "timeout must be")
        assert wire.connections == 0


PACES = {
    "Fixed.every": Fixed,
    "Backoff.first": lambda value: Backoff(first=value),
    "Backoff.factor": lambda value: Backoff(factor=value),
    "Backoff.ceiling": lambda value: Backoff(ceiling=value),
    "Backoff.jitter": lambda value: Backoff(jitter=value),
    "Adaptive.price": lambda value: Adaptive(price=value),
    "Adaptive.floor": lambda value: Adaptive(floor=value),
    "Adaptive.ceiling": lambda value: Adaptive(ceiling=value),
    "Scaled.speed": lambda value: Scaled(Fixed(1), value),
}


@pytest.mark.parametrize("value", NUMBERS, ids=lambda value: ascii(value)[:20])
@pytest.mark.parametrize("name", PACES)
def test_a_wrong_pace_is_refused(name, value):
    """Each number of a pace is checked when it is made, and named."""
    assert_refused(lambda: PACES[name](value), f"{name} must be ")


SUBMISSIONS = {
    "empty": lambda: Inspiration(""),
    "blank": lambda: Inspiration(" \n"),
    "number": lambda: Inspiration(5),
    "no words": lambda: Custom(tags="punk"),
    "words for an instrumental": lambda: Custom("la", make_instrumental=True),
    "truth as text": lambda: Custom("la", make_instrumental="yes"),
    "before the start": lambda: Extend("clip", -1),
    "nowhere": lambda: Extend("clip", math.nan),
    "for ever": lambda: Extend("clip", math.inf),
    "no clip": lambda: Extend("", 5),
    "half a letter": lambda: WriteLyrics("\ud800"),
    "a hook that is none": lambda: Inspiration("x", notify_hook="javascript:alert(1)"),
    "a path as action": lambda: Submission("../../api", {}),
    "no action": lambda: Submission("", {}),
    "an address as action": lambda: Submission("a?b", {}),
    "no mapping": lambda: Submission("music", ["la"]),
    "keys that are no texts": lambda: Submission("music", {5: "la"}),
}


@pytest.mark.parametrize("make", SUBMISSIONS.values(), ids=SUBMISSIONS)
def test_a_wrong_submission_is_refused_when_it_is_made(make):
    """The message names the field."""
    assert_refused(make)


CIRCLE: list[object] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    "body",
    [
        "a song about a cat",
        {"prompt": "x"},
        None,
        Inspiration,
        Submission("music", {"x": math.nan}),
        Submission("music", {"x": object()}),
        Submission("music", {"x": {1, 2}}),
        Submission("music", {"x": "\ud800"}),
        Submission("music", {"x": CIRCLE}),
    ],
    ids=lambda body: type(body).__name__,
)
async def test_what_cannot_be_submitted_is_refused(body):
    """Before a byte leaves: a text, a dict, a class, and what JSON cannot say."""
    async with Wire(seen) as wire, Suno(wire.url, api_key=KEY) as suno:
        for verb in (suno.submit(body), suno.run(body)):
            with pytest.raises(ConfigurationError) as caught:
                await verb
            checked(caught.value)
        assert wire.connections == 0
