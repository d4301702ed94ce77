"""A raw-socket HTTP server that says exactly what a test tells it to, and a loop on which time runs faster."""

import asyncio
import json
import selectors
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from types import TracebackType
from typing import Any, Self

import anyio
import trustme

_PHRASE = {200: "OK", 204: "No Content", 302: "Found", 400: "Bad Request", 404: "Not Found"}


def answer(body: bytes | str | Any = b"", status: int = 200, headers: dict[str, str] | None = None) -> bytes:
    """The bytes of a whole and proper HTTP answer; anything but bytes and text is written as JSON."""
    payload = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    fields = {"Content-Type": "application/json", "Content-Length": str(len(payload))} | (headers or {})
    lines = [f"HTTP/1.1 {status} {_PHRASE.get(status, 'Whatever')}", *(f"{key}: {fields[key]}" for key in fields)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + payload


def row(task_id: str, status: str = "IN_PROGRESS", **columns: Any) -> dict[str, Any]:
    """One row as new-api writes it; SUCCESS comes with a song."""
    song = {
        "id": f"clip-{task_id}",
        "title": "T",
        "audio_url": f"https://cdn.example/{task_id}.mp3",
        "status": "complete",
    }
    data = [song] if status == "SUCCESS" else None
    return {"task_id": task_id, "action": "MUSIC", "status": status, "fail_reason": "", "data": data} | columns


def told(*rows: dict[str, Any]) -> bytes:
    """The answer to a single look, if there is one row; else the answer to a batch."""
    return answer({"code": "success", "message": "", "data": rows[0] if len(rows) == 1 else list(rows)})


def seen(call: "Call", status: str = "SUCCESS", **columns: Any) -> bytes:
    """The answer of a well-behaved gateway to a look: every id that was asked for, with this status."""
    rows = [row(task_id, status, **columns) for task_id in call.ids]
    return told(rows[0]) if call.method == "GET" else answer({"code": "success", "data": rows})


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Call:
    """One request on one connection, and what may be done about it."""

    def __init__(self, request: bytes, number: int, connection: int, streams: Streams) -> None:
        self.request = request
        self.number = number
        self.connection = connection
        self._reader, self._writer = streams

    @property
    def method(self) -> str:
        """GET or POST."""
        return self.request.partition(b" ")[0].decode()

    @property
    def path(self) -> str:
        """The path as it was sent."""
        return self.request.split(b" ", 2)[1].decode()

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names and values, in order, as they were sent."""
        lines = self.request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return [(name, value) for name, _, value in (line.partition(": ") for line in lines)]

    @property
    def body(self) -> bytes:
        """What came behind the headers."""
        return self.request.partition(b"\r\n\r\n")[2]

    @property
    def ids(self) -> list[str]:
        """The ids a look asks for."""
        return json.loads(self.body)["ids"] if self.method == "POST" else [self.path.rpartition("/")[2]]

    async def send(self, data: bytes) -> None:
        """These bytes, now."""
        self._writer.write(data)
        await self._writer.drain()

    async def drip(self, data: bytes, seconds: float) -> None:
        """These bytes, one at a time."""
        for byte in data:
            await self.send(bytes([byte]))
            await anyio.sleep(seconds)

    async def repeat(self, data: bytes, most: int) -> None:
        """The same bytes over and over, ``most`` bytes altogether, or until the other side has had enough."""
        for _ in range(most // len(data)):
            await self.send(data)

    def fin(self) -> None:
        """The connection ends here, in good order."""
        self._writer.close()

    def reset(self) -> None:
        """The connection ends here, by RST; where the other side was the first to end it, its socket is closed."""
        if self._writer.is_closing():
            return
        plain = self._writer.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def stall(self) -> None:
        """Nothing more, for as long as the other side stays."""
        await self._reader.read()


Step = bytes | Callable[[Call], Awaitable[bytes | None]] | Callable[[Call], bytes | None]


def raw(*lines: str, body: bytes = b"") -> bytes:
    """An answer's head, line by line, and whatever follows it."""
    return "\r\n".join([*lines, "", ""]).encode() + body


def then_fin(data: bytes) -> Step:
    """These bytes, and the end of the connection in good order."""

    async def step(call: Call) -> None:
        await call.send(data)
        call.fin()

    return step


def then_reset(data: bytes) -> Step:
    """These bytes, and a moment later RST."""

    async def step(call: Call) -> None:
        await call.send(data)
        await anyio.sleep(0.05 * getattr(asyncio.get_running_loop(), "speed", 1.0))
        call.reset()

    return step


def then_stall(data: bytes) -> Step:
    """These bytes, and then nothing."""

    async def step(call: Call) -> None:
        await call.send(data)
        await call.stall()

    return step


async def follow(step: Step, call: Call) -> bytes | None:
    """What is left to be sent after a step, in a step that is made of others."""
    rest: Any = step(call) if callable(step) else step
    return await rest if isinstance(rest, Awaitable) else rest


class Wire:
    """``async with Wire(step, step, ...)``: the n-th request gets the n-th step, the last step is for all further ones.

    A step is the bytes of an answer, or a function of the call that may send for itself and return the rest. What
    fails in a step fails the test.
    """

    def __init__(self, *steps: Step, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.port = port
        self.calls: list[Call] = []
        self.connections = 0
        self.open = 0
        """Connections that are open now."""
        self._steps = steps
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._errors: list[Exception] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def asked(self) -> int:
        """Requests that have come."""
        return len(self.calls)

    @property
    def posts(self) -> list[Call]:
        """Submissions that have come: each may be paid for."""
        return [call for call in self.calls if "/suno/submit/" in call.path]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, ssl=self._tls, limit=2**24)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        with anyio.CancelScope(shield=True):
            if self._tasks:
                await asyncio.wait(self._tasks)
            await self._server.wait_closed()
        if error is None and self._errors:
            raise self._errors[0]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open += 1
        try:
            await self._serve(reader, writer, self.connections)
        except (ConnectionError, TimeoutError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except Exception as error:  # noqa: BLE001 - raised where the test can see it
            self._errors.append(error)
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.close()
            with suppress(ConnectionError, ssl.SSLError, TimeoutError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> None:
        while not writer.is_closing():
            request = await self._request(reader)
            if not request:
                return
            call = Call(request, len(self.calls) + 1, connection, (reader, writer))
            self.calls.append(call)
            step = self._steps[min(call.number, len(self._steps)) - 1]
            if (rest := await follow(step, call)) is not None:
                await call.send(rest)

    async def _request(self, reader: asyncio.StreamReader) -> bytes:
        first = await reader.readexactly(1)
        if first == b"\x16":
            # a TLS handshake: nobody here speaks that
            return b""
        head = first + await reader.readuntil(b"\r\n\r\n")
        length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return head + (await reader.readexactly(int(length[0].split(b":")[1])) if length else b"")


async def until(condition: Callable[[], object]) -> None:
    """Returns when a condition holds; fails after half a minute of real time."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it never came to hold"
        await anyio.sleep(0.002)


class Hasty(asyncio.SelectorEventLoop):
    """A loop with real sockets whose clock runs thirty times as fast: a minute of its time takes two seconds."""

    speed = 30.0

    def __init__(self) -> None:
        super().__init__(_Impatient(self.speed))
        self.attempts = 0
        """Connections that somebody here tried to open, also where nobody listens."""
        self.connecting = self.most_connecting = 0

    def time(self) -> float:
        """Loop time."""
        return time.monotonic() * self.speed

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Opens a connection, and counts it."""
        self.attempts += 1
        self.connecting += 1
        self.most_connecting = max(self.most_connecting, self.connecting)
        try:
            await super().sock_connect(sock, address)
        finally:
            self.connecting -= 1


class _Impatient(selectors.DefaultSelector):  # type: ignore[valid-type, misc]
    """Waits for a thirtieth of what the loop's clock says."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready."""
        return super().select(timeout if timeout is None else timeout / self._speed)


class Unhurt(Random):
    """Dice that always show the least: no retry waits for longer than it must."""

    def random(self) -> float:
        """0."""
        return 0.0


HASTY = ("asyncio", {"loop_factory": Hasty})
"""What an ``anyio_backend`` fixture returns to run tests on that loop."""


def unvouched() -> ssl.SSLContext:
    """A server's TLS context whose certificate nobody here has vouched for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


def no_such_name(*_: object, **__: object) -> list[object]:
    """What a resolver says of a name that does not exist: no test asks a real one, which is not on this machine."""
    raise socket.gaierror(socket.EAI_NONAME, "no such name")
