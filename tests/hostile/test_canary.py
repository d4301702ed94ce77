"""133 to 135: a key that is easy to find, a gateway that repeats it wherever it can, and everything we leave behind.

What is searched: results and errors down to their last field, the locals of every frame of ours, every log record
there is, what is pickled and encoded, the bytes of the journal's files, and what the command line writes. What is
looked for: the key with and without its beginning, plain, percent-encoded, as JSON, in hexadecimal and in base64.
"""

import asyncio
import base64
import json
import logging
import os
import pickle
import re
import stat
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import anyio
import msgspec
import pytest
from wire import Call, Step, Unhurt, Wire, answer, follow, raw, row, then_fin, then_reset

from suno_async import Fixed, Inspiration, Suno, SunoError, TaskFailed

KEY = 'sk-CANARY/+&<"\\canary0123456789'
BARE = KEY.removeprefix("sk-")
CAT = Inspiration("a song about a cat")


def forms() -> set[bytes]:
    """The key as it might be written; base64 of the middle part shows wherever it begins."""
    found: set[bytes] = set()
    for text in (KEY, BARE):
        plain = text.encode()
        quoted = json.dumps(text)[1:-1].encode()
        go = quoted.replace(b"&", b"\\u0026").replace(b"<", b"\\u003c")
        percent = quote(text, safe="").encode()
        small = re.sub(b"%..", lambda escape: escape[0].lower(), percent)
        found |= {plain, quoted, quoted.replace(b"/", b"\\/"), go, percent, small, plain.hex().encode()}
        for skipped in range(3):
            # whole groups only: the letters at both ends depend on their neighbours
            coded = base64.b64encode(plain[skipped : skipped + (len(plain) - skipped) // 3 * 3])
            found |= {coded[4:-4], coded[4:-4].replace(b"/", b"_").replace(b"+", b"-")}
    # nor a piece of it
    return found | {b"CANARY", b"canary01"}


FORMS = forms()


def assert_nowhere(texts: Iterable[str | bytes]) -> None:
    """No form of the key is in any of them, and there are some."""
    count = 0
    for text in texts:
        count += 1
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        for form in FORMS:
            assert form not in data, data[max(0, data.find(form) - 200) : data.find(form) + 100]
    assert count


def leaves(thing: Any, seen: set[int]) -> Iterator[str | bytes]:
    """Every text in a value: fields, attributes, arguments, notes, causes, and the locals of its frames."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, str | bytes):
        yield thing
        return
    yield repr(thing)
    if isinstance(thing, BaseException):
        yield str(thing)
        yield from (line for frame in _frames(thing) for line in (frame.locals or {}).values())
        below = [thing.args, thing.__cause__, thing.__context__, getattr(thing, "__notes__", None), vars(thing)]
        below += thing.exceptions if isinstance(thing, BaseExceptionGroup) else []
    elif isinstance(thing, Mapping):
        below = [*thing.keys(), *thing.values()]
    elif isinstance(thing, list | tuple | set | frozenset):
        below = list(thing)
    elif isinstance(thing, msgspec.Struct):
        below = [getattr(thing, name) for name in thing.__struct_fields__] + [getattr(thing, "raw", None)]
    else:
        # a client holds its key; what it shows of itself is its repr
        below = []
    for part in below:
        yield from leaves(part, seen)


def _frames(error: BaseException) -> Iterator[traceback.FrameSummary]:
    frames = traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), capture_locals=True)
    return (frame for frame in frames if "/tests/" not in frame.filename)


class Ears(logging.Handler):
    """Keeps every log record there is."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps one."""
        self.records.append(record)

    def heard(self) -> Iterator[str | bytes]:
        """What was said, in every way it can be written."""
        for record in self.records:
            yield record.getMessage()
            yield from leaves({**vars(record), "exc_info": None}, set())
            if record.exc_info and record.exc_info[1] is not None:
                yield from leaves(record.exc_info[1], set())


@pytest.fixture
async def ears() -> AsyncIterator[Ears]:
    """Hears all loggers there are, at DEBUG, asyncio's own debug mode included; and the key is in none of it."""
    root, heard = logging.getLogger(), Ears()
    names = ["asyncio", "suno_async", *(name for name in logging.root.manager.loggerDict if name.startswith("aiohttp"))]
    loggers = [root, *map(logging.getLogger, names)]
    levels = [logger.level for logger in loggers]
    loop = asyncio.get_running_loop()
    root.addHandler(heard)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    loop.set_debug(enabled=True)
    loop.slow_callback_duration = 0.0
    yield heard
    loop.set_debug(enabled=False)
    root.removeHandler(heard)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    assert_nowhere(["", *heard.heard()])


def repeated(call: Call) -> list[str]:
    """The key as the gateway got it, written in many ways."""
    key = dict(call.headers)["Authorization"].removeprefix("Bearer ")
    bare = key.removeprefix("sk-")
    return [key, bare, quote(key, safe=""), f"Bearer {key}", f"https://x.example/?key={key}"]


def everywhere(call: Call) -> dict[str, str]:
    """All of it in every header that is read, and in some that are not."""
    said = " ".join(repeated(call))
    names = ("X-Oneapi-Request-Id", "Retry-After", "Date", "Server", "Set-Cookie", "WWW-Authenticate")
    return {**dict.fromkeys(names, said), "Location": repeated(call)[-1]}


def saying(status: int, shape: str) -> Step:
    """An error of this shape with all of it."""

    def step(call: Call) -> bytes:
        said = " ".join(repeated(call))
        body: object = {
            "relay": {"code": "some_code", "message": said, "data": None},
            "middleware": {"error": {"message": said, "type": said, "code": said}},
            "code": {"code": said, "message": "", "data": None},
            "page": f"<html>{said}</html>",
            "text": said,
            "long": (said + " ") * 100,
            "nested": {"code": "success", "data": {"code": said, "data": {"error": said}}},
        }[shape]
        return answer(b"" if status == 204 else body, status, everywhere(call))

    return step


def failing(call: Call) -> bytes:
    """A task that failed, and has all of it in every field."""
    said = " ".join(repeated(call))
    clip = dict.fromkeys(
        ("id", "title", "audio_url", "video_url", "tags", "prompt", "model_name", "error_message"), said
    )
    rows = [
        row(task_id, "FAILURE", fail_reason=said, action=said, data=[clip], secret=said) | {said: said}
        for task_id in call.ids
    ]
    return answer({"code": "success", "message": said, "data": rows[0] if call.method == "GET" else rows})


def breaking(make: Any, then: Any = then_fin) -> Step:
    """Broken HTTP with all of it."""

    async def step(call: Call) -> bytes | None:
        return await follow(then(make(" ".join(repeated(call)).encode())), call)

    return step


SHAPES = ("relay", "middleware", "code", "page", "text", "long", "nested")
STEPS: dict[str, Step] = {
    **{
        f"{status} {shape}": saying(status, shape) for status in (200, 400, 401, 403, 429, 500, 503) for shape in SHAPES
    },
    **{f"{status}": saying(status, "relay") for status in (204, 302, 404, 408, 418)},
    "a failed task": lambda call: saying(401, "relay")(call) if "submit" in call.path else failing(call),
    "cut off": breaking(lambda said: answer(b'{"code":"success","data":"' + said, headers={"Content-Length": "9999"})),
    "cut off unseen": breaking(lambda said: raw("HTTP/1.1 401 No", body=said[:20])),
    "cut off by RST": breaking(lambda said: answer(said, 500, {"Content-Length": "9999"}), then_reset),
    "no HTTP": breaking(lambda said: said + b"\r\n\r\n"),
    "a status line": breaking(lambda said: b"HTTP/1.1 " + said + b"\r\n\r\n"),
    "a header without a colon": breaking(lambda said: b"HTTP/1.1 200 OK\r\n" + said.replace(b":", b"") + b"\r\n\r\n"),
    "a chunk": breaking(lambda said: raw("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", body=said + b"\r\n")),
    "said to be compressed": breaking(lambda said: answer(said, headers={"Content-Encoding": "br"})),
    "too long": breaking(lambda said: answer(said + b" " * 5 * 2**20)),
}


async def kept(request: Awaitable[object]) -> object:
    """What a verb gives, or raises."""
    try:
        return await request
    except Exception as error:  # noqa: BLE001 - it is looked at from all sides
        return error


def carried(thing: object) -> Iterator[str | bytes]:
    """What leaves a process when a result or an error is sent to another one."""
    if isinstance(thing, BaseException):
        yield pickle.dumps(thing)
        thing = vars(thing)
    yield json.dumps(msgspec.to_builtins(thing, str_keys=True, enc_hook=repr))
    yield msgspec.msgpack.encode(thing, enc_hook=repr)


ALWAYS = {
    "200 nested",
    "401 middleware",
    "403 code",
    "429 text",
    "500 relay",
    "500 long",
    "503 page",
    "302",
    "a failed task",
    "cut off",
    "cut off unseen",
    "a status line",
    "said to be compressed",
}
EVERY = [pytest.param(step, id=name, marks=[pytest.mark.long] * (name not in ALWAYS)) for name, step in STEPS.items()]


@pytest.mark.parametrize("step", EVERY)
async def test_the_key_is_in_nothing_that_comes_out(step, ears, tmp_path):
    """Each fault, every verb: no result, error, log, pickle or file of the journal holds the key in any form."""
    path = tmp_path / "suno.journal"
    found: list[object] = []
    async with (
        Wire(step) as wire,
        Suno(wire.url, api_key=KEY, pace=Fixed(0.01), rng=Unhurt(), timeout=0.5, journal=path, resubmit_on=()) as suno,
    ):
        for verb in (
            suno.submit(CAT, idempotency_key="one"),
            suno.fetch("task_1"),
            suno.fetch_many(["task_1", "task_2"]),
            suno.wait("task_1", timeout=0.03),
            anext(suno.watch(["task_1", "task_2"], timeout=0.03)),
            suno.unknown(),
            suno.resume(),
        ):
            found += [await kept(verb)]
        # with its write-ahead log, before it is folded into the file
        files = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
        assert any(name.endswith("-wal") for name in files)
        assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in tmp_path.iterdir())
        shown = [repr(suno), str(vars(suno).keys())]
    assert isinstance(found[0], SunoError)
    files |= {f"{file.name} closed": file.read_bytes() for file in tmp_path.iterdir()}
    # it is written down: what is searched is not empty
    assert any(b"a song about a cat" in data for data in files.values())
    assert_nowhere(files.values())
    assert_nowhere(shown)
    for thing in found:
        assert_nowhere(leaves(thing, set()))
        assert_nowhere(carried(thing))
    assert ears.records


COMMANDS = [
    (("submit", "inspiration", "a song about a cat"), saying(500, "relay"), 1),
    (("submit", "inspiration", "a song about a cat", "--json"), saying(401, "middleware"), 4),
    (("fetch", "a"), saying(500, "long"), 5),
    (("watch", "a", "b", "--json"), failing, 1),
]


async def test_the_key_is_in_nothing_that_the_command_line_writes(tmp_path):
    """With and without ``--json``, in asyncio's debug mode: not on stdout, not on stderr, and in no file of its own."""
    home = {name: str(tmp_path) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
    kept_names = {name: value for name, value in os.environ.items() if not name.startswith("SUNO_")}
    environment = {**kept_names, **home, "SUNO_API_KEY": KEY, "PYTHONASYNCIODEBUG": "1", "PYTHONUTF8": "1"}
    texts: list[bytes] = []

    async def run(words: tuple[str, ...], step: Step | None, code: int) -> None:
        async with Wire(*([step] if step else [])) as wire:
            command = [sys.executable, "-m", "suno_async", *words]
            with anyio.fail_after(60):
                done = await anyio.run_process(
                    command, check=False, env={**environment, "SUNO_BASE_URL": wire.url}, cwd=tmp_path
                )
        assert done.returncode == code, (words, done)
        texts.extend((done.stdout, done.stderr))

    async with anyio.create_task_group() as group:
        for words, step, code in COMMANDS:
            group.start_soon(run, words, step, code)
    await run(("journal", "list", "--json"), None, 0)
    assert b"a song about a cat" in texts[-2]
    assert_nowhere(texts)
    assert_nowhere(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


async def test_the_search_would_find_it():
    """Each way to hide it that is looked for is found: in a field, a cause, a note, a local, a payload and a file."""
    hidden = [
        quote(KEY, safe=""),
        json.dumps(KEY),
        base64.b64encode(b"xBearer " + KEY.encode()),
        KEY.encode().hex(),
        BARE,
    ]
    inner = TaskFailed(f"no {KEY}")
    outer = SunoError("no")
    outer.__cause__ = inner
    noted = SunoError("no")
    noted.add_note(KEY)
    for thing in [*hidden, outer, noted, {"a": [(KEY,)]}, ExceptionGroup("x", [inner])]:
        with pytest.raises(AssertionError):
            assert_nowhere(leaves(thing, set()))
