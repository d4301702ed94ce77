"""The key is in no text that anybody sees: whatever goes wrong, whatever is logged, however hostile the gateway."""

import asyncio
import gzip
import io
import logging
import math
import pickle
import socket
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from types import TracebackType

import anyio
import anyio.lowlevel
import pytest
from wire import Call, Unhurt, Wire, answer, no_such_name, row, seen, told, until, unvouched

import suno_async
from suno_async import Fixed, Inspiration, Submission, Suno, SunoError
from suno_async.protocol.inputs import Secret
from suno_async.testing import Gateway

CANARY = "CANARYcanary"
KEY = f"sk-{CANARY}0123456789"
CAT = Inspiration("a song about a cat")


@pytest.fixture
def anyio_backend():
    """With asyncio's debug mode on: it logs what it runs, arguments included."""
    return "asyncio", {"debug": True}


Verbs = Callable[[Suno], list[Awaitable[object]]]


class Ears(logging.Handler):
    """Hears every log record there is, and keeps what it says in every way it can be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps one record."""
        self.heard += [record.getMessage(), repr(record.args), repr(record.__dict__)]
        if record.exc_info and record.exc_info[1] is not None:
            self.errors.append(record.exc_info[1])


class Spill:
    """Whatever could hold the key; ``texts()`` is all of it."""

    def __init__(self, ears: Ears) -> None:
        self.ears = ears
        self.objects: list[object] = []
        self.errors: list[BaseException] = []

    def texts(self) -> Iterator[str]:
        """Everything that was said."""
        yield from self.ears.heard
        for thing in self.objects:
            yield repr(thing)
            yield str(thing)
        for error in self.errors + self.ears.errors:
            for each in chain(error):
                yield from texts_of(each)


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error and everything that hangs on it."""
    found, waiting = {}, [error]
    while waiting:
        each = waiting.pop()
        if id(each) not in found:
            found[id(each)] = each
            waiting += [other for other in (each.__cause__, each.__context__) if other is not None]
            waiting += each.exceptions if isinstance(each, BaseExceptionGroup) else []
    return iter(found.values())


def texts_of(error: BaseException) -> Iterator[str]:
    """An error in every way it can be written, the locals of all frames but the tests' own included."""
    yield repr(error)
    yield str(error)
    yield repr(error.args)
    yield repr(vars(error))
    yield repr(getattr(error, "__notes__", ()))
    with suppress(TypeError, AttributeError, pickle.PicklingError):
        yield pickle.dumps(error).decode("latin-1")
    yield from locals_of(error.__traceback__)


def locals_of(trace: TracebackType | None) -> Iterator[str]:
    """The locals of each frame, as debuggers, error trackers and ``capture_locals=True`` show them."""
    for frame in traceback.StackSummary.extract(traceback.walk_tb(trace), capture_locals=True):
        if "/tests/" not in frame.filename:
            yield from (frame.locals or {}).values()


@pytest.fixture
def spill(capfd, recwarn):
    """Everything is recorded, and at the end the canary is in none of it."""
    root, ears = logging.getLogger(), Ears()
    loggers = [root, *map(logging.getLogger, ("asyncio", "suno_async", "aiohttp.client", "aiohttp.internal"))]
    levels = [logger.level for logger in loggers]
    root.addHandler(ears)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    heard = Spill(ears)
    yield heard
    root.removeHandler(ears)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    written = capfd.readouterr()
    texts = [*heard.texts(), written.out, written.err, *(str(warning.message) for warning in recwarn)]
    assert len(texts) > 3
    for text in texts:
        assert CANARY not in text


def told_back(call: Call) -> str:
    """The key as the gateway got it."""
    return dict(call.headers)["Authorization"].removeprefix("Bearer ")


async def use(url: str, spill: Spill, verbs: Verbs | None = None, **options) -> None:
    """Every verb, one after the other; what it gives and what it raises is kept."""
    asyncio.get_running_loop().slow_callback_duration = 0.0
    suno = Suno(url, **{"api_key": KEY, "pace": Fixed(0.02), "rng": Unhurt(), "timeout": 2.0} | options)
    spill.objects.append(suno)
    try:
        async with suno:
            for verb in verbs(suno) if verbs else every(suno):
                await note(verb, spill)
    except Exception as error:  # noqa: BLE001 - it is looked at from all sides
        spill.errors.append(error)
    spill.objects += [vars(suno)]


def every(suno: Suno) -> list[Awaitable[object]]:
    """Every verb once."""
    return [
        suno.fetch("task_1"),
        suno.fetch_many(["task_1", "task_2"]),
        suno.wait("task_1", timeout=0.1),
        suno.submit(CAT),
        suno.run(CAT, timeout=0.1),
        listed(suno.as_completed(["task_1", "task_2"], timeout=0.1)),
        listed(suno.watch(["task_1", "task_2"], timeout=0.1)),
    ]


async def listed(stream) -> list[object]:
    return [task async for task in stream]


async def note(awaitable: Awaitable[object], spill: Spill) -> None:
    try:
        found = await awaitable
    except Exception as error:  # noqa: BLE001 - it is looked at from all sides
        spill.errors.append(error)
    else:
        spill.objects.append(found)


SAID = {
    "task": lambda key: {"code": "some_code", "message": f"no: {key}", "data": None},
    "middleware": lambda key: {"error": {"message": f"Invalid token {key}", "type": key, "code": key}},
    "code": lambda key: {"code": key, "message": "", "data": None},
    "page": lambda key: f"<html><title>{key}</title></html>",
    "garbled": lambda key: f'{{"code":"success","data":{key}',
    "plain": lambda key: key,
    "long": lambda key: (key + " ") * 1000,
    "url": lambda key: f"https://x.example/?key={key}",
}
STATUSES = [200, 204, 302, 400, 401, 402, 403, 404, 429, 500, 503]


def echoing(said: Callable[[str], object], status: int) -> Callable[[Call], bytes]:
    """A gateway that repeats the key wherever an answer has room."""

    def step(call: Call) -> bytes:
        key = told_back(call)
        echoes = dict.fromkeys(("X-Oneapi-Request-Id", "Retry-After", "Date", "Set-Cookie", "Server"), key)
        echoes["Location"] = f"https://x.example/{key}"
        return answer(b"" if status == 204 else said(key), status, echoes)

    return step


@pytest.mark.parametrize("status", STATUSES)
async def test_a_gateway_that_echoes_the_key_in_an_error_is_not_quoted(status, spill):
    """Each status, with the key in the body and in every header that is read: no error, log or repr repeats it."""

    def quick(suno: Suno) -> list[Awaitable[object]]:
        return [
            suno.fetch("a"),
            suno.wait("a", timeout=0.02),
            listed(suno.watch(["a"], timeout=0.02)),
            suno.submit(CAT),
        ]

    async def one(said: Callable[[str], object]) -> None:
        async with Wire(echoing(said, status)) as wire:
            await use(wire.url, spill, quick)
            await use(wire.url, spill, lambda suno: [suno.fetch_many(["a", "b"])])

    async with anyio.create_task_group() as group:
        for said in SAID.values():
            group.start_soon(one, said)
    assert len(spill.errors) > len(SAID)


async def test_a_gateway_that_echoes_the_key_in_a_task_is_not_quoted(spill):
    """The key in any field of a row, a clip, an id or the payload is taken out of the Task and of its raw."""

    def step(call: Call) -> bytes:
        key = told_back(call)
        if "submit" in call.path:
            return answer({"code": "success", "data": key}, headers={"X-Oneapi-Request-Id": key})
        clip = {"id": key, "title": key, "audio_url": key}
        odd = row(call.ids[0], "FAILURE", fail_reason=key, notify_hook=key, data=[clip])
        return told(odd) if call.method == "GET" else answer({"code": "success", "data": [odd, row(key, "SUCCESS")]})

    async with Wire(step) as wire:
        await use(wire.url, spill)
    for found in spill.objects:
        if isinstance(found, suno_async.Task):
            assert CANARY not in repr(found.raw)
            assert CANARY.encode() not in found.payload
            assert CANARY not in repr([vars_of(song) for song in found.songs])
    assert any(isinstance(error, suno_async.TaskFailed) for error in spill.errors)


def vars_of(struct) -> dict[str, object]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def _then_fin(make: Callable[[str], bytes]):
    async def step(call: Call) -> None:
        await call.send(make(told_back(call)))
        call.fin()

    return step


def _then_reset(make: Callable[[str], bytes]):
    async def step(call: Call) -> None:
        await call.send(make(told_back(call)))
        await anyio.sleep(0.01)
        call.reset()

    return step


BROKEN = {
    "garbage": _then_fin(lambda key: f"{key} {key}\r\n\r\n".encode()),
    "status": _then_fin(lambda key: f"HTTP/1.1 {key} OK\r\n\r\n".encode()),
    "header": _then_fin(lambda key: f"HTTP/1.1 200 OK\r\n{key}\r\n\r\n".encode()),
    "long header": _then_fin(lambda key: f"HTTP/1.1 200 OK\r\nX: {key * 999}\r\n\r\n".encode()),
    "length": _then_fin(lambda key: f"HTTP/1.1 200 OK\r\nContent-Length: {key}\r\n\r\n".encode()),
    "chunk": _then_fin(lambda key: f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{key}\r\n".encode()),
    "reason": _then_fin(lambda key: f"HTTP/1.1 500 {key}\r\nContent-Length: 0\r\n\r\n".encode()),
    "cut": _then_fin(lambda key: answer(f'{{"code":"success","data":"{key}"', headers={"Content-Length": "999"})),
    "reset": _then_reset(lambda key: answer(key, headers={"Content-Length": "999"})),
    "nothing": _then_fin(lambda _: b""),
    "half a head": _then_fin(lambda key: f"HTTP/1.1 200 OK\r\nX: {key}".encode()),
    "compressed": _then_fin(lambda key: answer(gzip.compress(key.encode()), 401, {"Content-Encoding": "gzip"})),
    "too long": _then_fin(lambda key: answer(key.encode() + b"\x01" * 5 * 2**20)),
}


async def test_broken_answers_that_hold_the_key_are_not_quoted(spill):
    """What aiohttp says about broken HTTP quotes it; what we say does not."""

    async def one(step) -> None:
        async with Wire(step) as wire:
            await use(wire.url, spill)

    async with anyio.create_task_group() as group:
        for step in BROKEN.values():
            group.start_soon(one, step)
    assert len(spill.errors) == 7 * len(BROKEN)


@pytest.mark.parametrize("kind", ["task.cancel", "cancel scope", "wait_for"])
@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"], ids=["head", "body"])
async def test_a_cancelled_request_shows_no_frame_that_holds_the_key(beginning, kind, spill):
    """Aiohttp's frames have the headers among their locals; a cancellation does not bring them along."""

    async def step(call: Call) -> None:
        await call.send(beginning)
        await call.stall()

    async def caught(awaitable: Awaitable[object]) -> None:
        try:
            await awaitable
        except BaseException as error:
            spill.errors.append(error)
            raise

    async def cancelled(awaitable: Awaitable[object]) -> None:
        before = wire.asked
        if kind == "wait_for":
            with suppress(TimeoutError):
                await asyncio.wait_for(caught(awaitable), 0.05)
        elif kind == "cancel scope":
            with anyio.move_on_after(0.05):
                await caught(awaitable)
        else:
            task = asyncio.get_running_loop().create_task(caught(awaitable))
            await until(lambda: wire.asked > before)
            task.cancel()
            await asyncio.wait([task])

    async with Wire(step) as wire:
        suno = await Suno(wire.url, api_key=KEY, pace=Fixed(0.02), timeout=60).__aenter__()
        for verb in (suno.fetch("a"), suno.wait("b"), suno.fetch_many(["c", "d"]), listed(suno.watch(["e"]))):
            await cancelled(verb)
        suno._runtime.runner.cancel()
        await asyncio.wait([suno._runtime.runner])
        with suppress(asyncio.CancelledError):
            spill.errors += [error] if (error := suno._runtime.runner.exception()) else []
    assert len(spill.errors) == 4


async def test_a_submission_that_is_cancelled_says_nothing_of_the_key(spill):
    """Its outcome goes to the log, and the gateway may have put the key into it."""
    go = anyio.Event()

    async def step(call: Call) -> bytes:
        await go.wait()
        key = told_back(call)
        return answer({"code": "x1", "message": key, "data": None}, 500, {"X-Oneapi-Request-Id": key})

    async with Wire(step) as wire, Suno(wire.url, api_key=KEY) as suno:
        task = asyncio.get_running_loop().create_task(suno.submit(CAT))
        await until(lambda: wire.asked)
        task.cancel()
        await anyio.lowlevel.checkpoint()
        go.set()
        await asyncio.wait([task])
    assert any("caller was cancelled" in text for text in spill.ears.heard)


async def test_closing_under_open_waits_says_nothing_of_the_key(spill):
    """ClientClosed, and whatever the sessions say when they are closed under a request."""

    async def step(call: Call) -> None:
        await call.stall()

    async with Wire(step) as wire, anyio.create_task_group() as group:
        suno = await Suno(wire.url, api_key=KEY, rng=Unhurt()).__aenter__()
        for verb in (suno.fetch("a"), suno.wait("b"), suno.fetch_many(["c", "d"]), listed(suno.watch(["e"]))):
            group.start_soon(note, verb, spill)
        await until(lambda: wire.asked >= 2)
        await anyio.sleep(0.05)
        await suno.aclose()
    assert len(spill.errors) == 4
    spill.objects += [suno, vars(suno)]


class _Faulty:
    floor = 1.0

    def after(self, *_args: object) -> float:
        raise ZeroDivisionError("careless")


async def test_a_client_that_breaks_says_nothing_of_the_key(spill):
    """The log has the whole traceback, and every frame of it may be shown with its locals."""
    async with Wire(lambda call: seen(call, "IN_PROGRESS")) as wire:
        await use(wire.url, spill, pace=_Faulty())
    assert any(isinstance(error, ExceptionGroup) for error in spill.ears.errors)


async def test_a_network_that_is_not_there_says_nothing_of_the_key(spill, monkeypatch):
    """Refused, no such host, no such TLS, a certificate of nobody's."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    await use(f"http://127.0.0.1:{port}", spill)
    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    await use("https://nowhere.invalid", spill)
    async with Wire(seen) as wire:
        await use(f"https://127.0.0.1:{wire.port}", spill)
    # in debug mode the server's side of the loop complains of handshakes that its client breaks off
    asyncio.get_running_loop().set_debug(enabled=False)
    async with Wire(seen, tls=unvouched()) as wire:
        await use(wire.url, spill)
    assert len(spill.errors) == 28


WRONG = ["{} blank", " {}", "{}\n", "{}\r\nX: y", "{}\x00", "{}ключ", "{}" + "x" * 600]


@pytest.mark.parametrize("shape", WRONG, ids=ascii)
async def test_a_key_that_is_refused_is_not_shown(shape, spill, monkeypatch):
    """A mistyped key is still most of a key: passed, given by a function, of the wrong type or in the environment."""

    def make(**options) -> None:
        try:
            Suno("https://gateway.example", **options)
        except SunoError as error:
            spill.errors.append(error)

    make(api_key=shape.format(KEY))
    make(api_key=shape.format(KEY).encode())
    make(api_key=[shape.format(KEY)])
    await use("https://gateway.example", spill, api_key=lambda: shape.format(KEY))
    await use("https://gateway.example", spill, api_key=lambda: shape.format(KEY).encode())
    if "\x00" not in shape:
        monkeypatch.setenv("SUNO_API_KEY", shape.format(KEY))
        make()
    assert len(spill.errors) == (5 if "\x00" in shape else 6)


@pytest.mark.parametrize(
    "url", ["https://{}@gateway.example", "https://x:{}@gateway.example", "https://gateway.example?key={}"]
)
async def test_a_key_in_the_base_url_is_not_shown(url, spill):
    """Somebody will put it there; the refusal does not repeat it (the frames have it: it is the caller's own URL)."""
    with pytest.raises(SunoError) as caught:
        Suno(url.format(KEY), api_key="sk-some-other-key")
    spill.objects += [caught.value, caught.value.args, vars(caught.value)]


async def test_other_wrong_arguments_do_not_bring_the_key_along(spill):
    """The frames of the constructor have the key as a Secret from the first line on."""
    for options in (
        {"timeout": -1},
        {"rate": 0},
        {"concurrency": 0},
        {"batch_size": 0},
        {"pace": 5},
        {"base_url": "ftp://x"},
    ):
        try:
            Suno(**{"base_url": "https://gateway.example", "api_key": KEY} | options)
        except SunoError as error:
            spill.errors.append(error)
    assert len(spill.errors) == 6


async def test_a_function_that_fails_with_the_key_in_its_error_is_not_quoted(spill):
    """What a vault says when it fails is not repeated, once there was a key."""
    keys = iter([KEY])

    def give() -> str:
        for key in keys:
            return key
        raise OSError(f"cannot renew {KEY}")

    async with Wire(answer({"error": {"message": "no", "type": "x"}}, 401)) as wire:
        await use(wire.url, spill, lambda suno: [suno.fetch("a"), suno.submit(CAT)], api_key=give)
    assert any("OSError" in text for text in spill.ears.heard)


async def test_a_key_that_was_replaced_is_not_quoted_either(spill):
    """The old key is echoed when the new one is already in use."""
    keys = iter([KEY, "sk-another-key-of-mine"])
    refused = answer({"error": {"message": f"bad {KEY}", "type": "x"}}, 401, {"X-Oneapi-Request-Id": KEY})

    def thrice(suno: Suno) -> list[Awaitable[object]]:
        return [suno.fetch("a"), suno.fetch("a"), suno.submit(CAT)]

    async with Wire(refused) as wire:
        await use(wire.url, spill, thrice, api_key=lambda: next(keys))
    assert len(spill.errors) == 3


async def test_a_key_that_is_echoed_in_part_is_not_quoted(spill):
    """Without its beginning, as new-api has it, and cut in the middle where the answer breaks off."""

    async def cut(call: Call) -> None:
        key = told_back(call)
        await call.send(answer(f"bad key {key[: len(CANARY) + 5]}", 401, {"Content-Length": "999"}))
        call.fin()

    async with Wire(cut) as wire:
        await use(wire.url, spill)
    async with Wire(lambda call: answer({"error": {"message": told_back(call)[3:], "type": "x"}}, 401)) as wire:
        await use(wire.url, spill)
    assert len(spill.errors) == 14


async def test_an_ordinary_day_says_nothing_of_the_key(spill):
    """Everything goes well at the local gateway, and everything there is is shown."""
    async with Gateway(beat=math.inf, failure_rate=0) as gateway:
        account_key = gateway.add_key()
        async with Suno(gateway.url, api_key=account_key, pace=Fixed(0.02)) as suno:
            job = await suno.submit(CAT)
            gateway.finish(job.task_id)
            task = await job.wait()
            stream = suno.watch([job.task_id])
            texts = [repr(thing) for thing in (suno, job, task, stream, vars(suno), vars(job), vars(stream))]
            texts += [repr(await anext(stream)), repr(await suno.fetch_many([job.task_id])), repr(task.raw)]
    # a log of the server's own would be its own affair: there is none
    texts += spill.ears.heard
    assert not any(account_key.removeprefix("sk-") in text for text in texts)


async def test_errors_travel_without_the_key(spill):
    """Every class of error survives pickling with its facts, and holds no key on the other side."""
    for name in suno_async.__all__:
        kind = getattr(suno_async, name)
        if isinstance(kind, type) and issubclass(kind, SunoError):
            spill.errors.append(kind())
    sent = pickle.load(io.BytesIO(pickle.dumps(spill.errors)))  # noqa: S301 - our own bytes
    assert [type(error) for error in sent] == [type(error) for error in spill.errors]


def test_a_secret_does_not_leave_its_process():
    """A key cannot be pickled, printed or formatted."""
    key = Secret(KEY)
    with pytest.raises(TypeError):
        pickle.dumps(key)
    assert f"{key} {key!r}" == "*** ***"
    assert key.reveal() == KEY


async def test_a_submission_with_the_key_in_it_is_the_callers_own(spill):
    """What is submitted is sent as it is; the key is not looked for in it, and refusals do not quote it."""
    async with Wire(answer(b"<html>", 502)) as wire:
        await use(wire.url, spill, lambda suno: [suno.submit(Submission("music", {"prompt": "la"}))])
        assert wire.calls[0].body == b'{"prompt": "la"}'
