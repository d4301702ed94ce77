"""The wires of tier 2: the client's own transport, aiohttp and all, over connections in memory.

The gateway's end parses the bytes by hand and answers with bytes: whole, chunked, in drips, cut off anywhere, not at
all, or with an answer that nobody asked for on a connection that was idle.
"""

import asyncio
import errno
import json
import socket
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from random import Random
from typing import Any, NamedTuple, Self

from virtual import said

from suno_async.engine.fingerprint import Fingerprint
from suno_async.engine.transport import Transport
from suno_async.protocol.exchange import Answer, Broken, Request

from .desk import ACCEPTED, UNSENT, Arrival, Fate
from .gateway import Gateway, Told
from .ledger import Look, Session
from .network import OLD_KEY
from .weather import LOOKS, NO_NEWS, OUTAGE, REJECTED, Reply

HOST = "gateway.example"
_MOST_BYTES = 4 * 2**20
_PIECE = 65_536
_HUGE_ANSWERS = 3
HALVES = 0.3
"""How many of the answers that nobody asked for come by half: aiohttp bounds the reading of the rest by nothing."""
_PHRASES = {200: "OK", 204: "No Content", 302: "Found", 400: "Bad Request", 401: "Unauthorized"}
_IDLE_408 = Reply("idle 408", OUTAGE, said(408, "timeout", "too slow"), readable=True, divisible=True)
_GARBAGE = (
    b"220 smtp.example ready\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"x" * 9000 + b"\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 banana OK\r\n\r\n",
)


class Sent(NamedTuple):
    """A whole answer that has reached the client's end of a connection."""

    answer: Answer
    told: Told
    reply: Reply | None
    arrival: Arrival | None


class Call:
    """One request of the client's, from the call of its transport to the return."""

    def __init__(self, look: Look | None, fate: Fate | None) -> None:
        self.look = look
        self.fate = fate
        self.requests = 0
        """How often it has come to the gateway: aiohttp may send by itself what broke."""
        self.line: Line | None = None
        self.key = ""


CALL: ContextVar[Call] = ContextVar("call")


class Line(asyncio.Transport):
    """The client's end of one connection."""

    def __init__(self, wires: "Wires", protocol: Any) -> None:
        super().__init__()
        self._wires = wires
        self._protocol = protocol
        self._paused = False
        self._held: list[Callable[[], None]] = []
        self.open = True
        self.sent: deque[Sent] = deque()
        """Whole answers that nobody has taken yet, in order."""
        self.server = Server(wires, self)
        protocol.connection_made(self)

    # what aiohttp uses

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 80) if name == "peername" else default

    def is_closing(self) -> bool:
        return not self.open

    def set_protocol(self, protocol: Any) -> None:
        self._protocol = protocol

    def get_protocol(self) -> Any:
        return self._protocol

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        self._paused = False
        held, self._held = self._held, []
        for step in held:
            self._step(step)

    def write(self, data: Any) -> None:
        if self.open:
            self.server.feed(bytes(data))

    def writelines(self, parts: Any) -> None:
        self.write(b"".join(parts))

    def close(self) -> None:
        self._end(None)

    def abort(self) -> None:
        self._end(None)

    def _end(self, error: Exception | None) -> None:
        if self.open:
            self.open = False
            self._wires.lines.pop(self, None)
            self._wires.loop.call_soon(self._protocol.connection_lost, error)

    # what the gateway does

    def _step(self, step: Callable[[], None]) -> None:
        if self._paused:
            self._held.append(step)
        elif self.open:
            step()

    def deliver(self, data: bytes) -> None:
        """Bytes for the client."""
        self._step(lambda: self._protocol.data_received(data))

    def arrived(self, sent: Sent) -> None:
        """All bytes of an answer have been delivered."""
        self._step(lambda: self.sent.append(sent))

    def fin(self) -> None:
        """The gateway closes in good order."""
        self._step(self._finish)

    def _finish(self) -> None:
        self._protocol.eof_received()
        self._end(None)

    def reset(self) -> None:
        """The gateway breaks it off."""
        self._end(ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"))


class Server:
    """The gateway's end of one connection."""

    def __init__(self, wires: "Wires", line: Line) -> None:
        self._wires = wires
        self._line = line
        self._buffer = b""
        self._busy = False
        """A request has come, and not all of its answer has left."""
        self._queue: deque[Callable[[], None]] = deque()

    def feed(self, data: bytes) -> None:
        """Bytes from the client: request after request."""
        self._buffer += data
        while True:
            head, mark, rest = self._buffer.partition(b"\r\n\r\n")
            if not mark:
                return
            lines = head.decode("latin-1").split("\r\n")
            fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
            length = int(fields.get("content-length", "0"))
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            self._request(*lines[0].split(" ")[:2], fields, rest[:length])

    def _request(self, method: str, path: str, fields: dict[str, str], body: bytes) -> None:
        wires, call = self._wires, CALL.get()
        call.requests += 1
        call.line = self._line
        call.key = fields.get("authorization", "").removeprefix("Bearer ")
        wires.check_request(call, path, fields, body)
        if call.fate is not None:
            self._queue.append(lambda: self._submission(call, call.fate, body))
        else:
            ids = [path.rpartition("/")[2]] if method == "GET" else json.loads(body)["ids"]
            self._queue.append(lambda: self._look(call, ids, method == "GET"))
        self._next()

    def _next(self) -> None:
        """The requests of a connection are answered one after another."""
        if self._queue and not self._busy:
            self._busy = True
            self._queue.popleft()()

    # looks

    def _look(self, call: Call, ids: list[str], single: bool) -> None:
        delay = self._wires.gateway.weather.delay(self._wires.loop.time())
        self._wires.loop.call_later(delay, self._answer, call, ids, single)

    def _answer(self, call: Call, ids: list[str], single: bool) -> None:
        if not self._line.open:
            return
        wires = self._wires
        fresh = call.look is not None and call.look.fresh
        answer, told, reply = wires.gateway.answer(ids, wires.loop.time(), single=single, fresh=fresh)
        if wires.is_old(call.key):
            answer, told, reply = OLD_KEY.answer, {}, OLD_KEY
        if answer is None:
            self._break(reply.breaks if reply is not None else "gone")
            return
        self._say(Sent(answer, told, reply, None), call.key if reply is not None else "")

    def _break(self, how: str) -> None:
        rng = self._wires.rng
        if how == "huge" and self._wires.huge > 0:
            self._wires.huge -= 1
            self._line.deliver(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * _MOST_BYTES))
            for _ in range(_MOST_BYTES // _PIECE + 1):
                self._line.deliver(b" " * _PIECE)
        elif how == "silence":
            return
        elif how == "drip":
            self._drip(b'HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n{"code":"success"' + b" " * 4000)
        elif how == "cut":
            whole = _http(Answer(200, {}, b'{"code":"success","message":"","data":null}'), "length")
            self._line.deliver(whole[: rng.randrange(1, len(whole))])
            self._part()
        elif rng.random() < 0.2:
            self._line.deliver(rng.choice(_GARBAGE))
            self._part()
        else:
            self._part()

    def _part(self) -> None:
        if self._wires.rng.random() < 0.5:
            self._line.fin()
        else:
            self._line.reset()

    def _drip(self, data: bytes) -> None:
        if data and self._line.open:
            self._line.deliver(data[:8])
            self._wires.loop.call_later(1.0, self._drip, data[8:])

    def _say(self, sent: Sent, key: str = "") -> None:
        """A whole answer, framed in one way or another, in one piece or in several; it may echo the key."""
        wires = self._wires
        framing = wires.rng.choice(["length", "length", "chunked", "end"])
        answer = sent.answer
        if key and wires.rng.random() < 0.2:
            echo = answer.body.replace(b"words", b"your key is %s" % key.encode())
            answer = Answer(answer.status, {**answer.headers, "X-Key": key}, echo)
            taken_out = Answer(answer.status, {}, echo.replace(key.encode(), b"***"))
            sent = sent._replace(answer=taken_out)
        data = _http(answer, framing)
        pieces = [data]
        if wires.rng.random() < 0.2:
            at = wires.rng.randrange(1, len(data))
            pieces = [data[:at], data[at:]]
        self._piece(pieces, sent, framing)

    def _piece(self, pieces: list[bytes], sent: Sent, framing: str) -> None:
        if not self._line.open:
            return
        first, *rest = pieces
        if rest:
            self._line.deliver(first)
            self._wires.loop.call_later(self._wires.rng.uniform(0.0, 0.2), self._piece, rest, sent, framing)
            return
        self._busy = False
        # before the last bytes: who reads them may ask at once what has come
        self._line.arrived(sent)
        if sent.arrival is not None:
            self._wires.accepted(sent.arrival)
        self._line.deliver(first)
        if framing == "end":
            self._line.fin()
        elif sent.arrival is None:
            self._stray()
        self._next()

    def _stray(self) -> None:
        """Later, on the idle connection, an answer that nobody asked for."""
        wires = self._wires
        if wires.loop.time() < wires.healed and wires.rng.random() < wires.strays:
            reply = wires.rng.choice([_IDLE_408, LOOKS["foreign"][0]])
            wires.loop.call_later(wires.rng.uniform(0.0, 3.0), self._speak_up, reply)

    def _speak_up(self, reply: Reply) -> None:
        wires = self._wires
        if self._line.open and not self._busy and reply.answer is not None:
            wires.tainted.append(self._line)
            data = _http(reply.answer, "length")
            if wires.rng.random() < HALVES:
                self._line.deliver(data[:-9])
                return
            self._line.arrived(Sent(reply.answer, {}, reply, None))
            self._line.deliver(data)

    # submissions

    def _submission(self, call: Call, fate: Any, body: bytes) -> None:
        wires, now = self._wires, self._wires.loop.time()
        wires.gateway.tick(now)
        if wires.is_old(call.key):
            fate = Fate("401", takes=False, meaning="refused", answer=OLD_KEY.answer, resend=True)
        wires.check_post(body)
        arrival = wires.gateway.desk.arrive(body, fate, now)
        wires.note("post", body, fate.name, arrival.task_id)
        wires.loop.call_later(wires.gateway.desk.delay(now), self._reply, arrival, call.key)

    def _reply(self, arrival: Arrival, key: str) -> None:
        fate, desk = arrival.fate, self._wires.gateway.desk
        if fate.breaks == "silence" or not self._line.open:
            return
        if fate.breaks == "gone":
            self._part()
        elif fate.breaks == "cut":
            part = desk.cut(arrival)
            arrival.answered = True
            self._wires.accepted(arrival)
            self._line.deliver(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + part)
            self._part()
        else:
            arrival.answered = True
            self._say(Sent(desk.answer(arrival), {}, None, arrival), "" if arrival.task_id else key)


def _misread(look: Look, sent: Sent) -> Reply | None:
    """What an honest answer is to somebody who did not ask for it; None if it is about what was asked for."""
    if sent.told:
        return None if any(name in sent.told for name in look.ids) else LOOKS["foreign"][0]
    if look.single and sent.answer.status == 200:
        return Reply("nothing", NO_NEWS, readable=True)
    if not look.single and sent.answer.status == 400:
        return Reply("400", REJECTED, readable=True, divisible=True)
    return None


def _http(answer: Answer, framing: str) -> bytes:
    """The bytes of an answer."""
    fields = {"Content-Type": "application/json", **answer.headers}
    body = answer.body
    if answer.status == 204:
        framing, body = "none", b""
    if framing == "length":
        fields["Content-Length"] = str(len(body))
    elif framing == "chunked":
        fields["Transfer-Encoding"] = "chunked"
        middle = len(body) // 2
        parts = [part for part in (body[:middle], body[middle:]) if part]
        body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    elif framing == "end":
        fields["Connection"] = "close"
    lines = [f"HTTP/1.1 {answer.status} {_PHRASES.get(answer.status, 'Whatever')}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Wires:
    """The network of one client: real requests out, real bytes back, and the ledger between them."""

    def __init__(
        self,
        gateway: Gateway,
        session: Session,
        note: Any,
        transport: Transport,
        rng: Random,
        *,
        report: Callable[[str, str], None],
        check_post: Callable[[bytes], None],
        is_old: Callable[[str], bool],
        secret: str,
    ) -> None:
        self.gateway = gateway
        self.session = session
        self.note = note
        self.rng = rng
        self.healed = gateway.weather.healed
        self.strays = rng.choice([0.0, 0.0, 0.05, 0.3])
        self.unreachable = rng.choice([0.0, 0.0, 0.05, 0.3])
        self.huge = _HUGE_ANSWERS
        self.lines: dict[Line, None] = {}
        self.tainted: list[Line] = []
        """Those on which something came that nobody asked for."""
        self.loop: Any = None
        self.check_post = check_post
        self.is_old = is_old
        self.dead = self._closed = False
        self.looks = self.submitting = 0
        self._transport = transport
        self._report = report
        self._secret = secret
        self._latest: Look | None = None

    async def __aenter__(self) -> Self:
        self.loop = asyncio.get_running_loop()
        self.loop.dial = self._dial
        self.loop.resolve = self._resolve
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        self._closed = True
        await self._transport.__aexit__(*error)

    # connections

    def _dial(self, protocol: Any, sock: object) -> Line:
        line = Line(self, protocol)
        self.lines[line] = None
        return line

    def _resolve(self, host: str) -> None:
        call = CALL.get(None)
        if host != HOST:
            self._report("I11", f"somebody else is asked: {host}")
        if call is not None and call.fate is not None and call.fate.breaks == "no name":
            raise socket.gaierror(socket.EAI_NONAME, "no such name")

    async def connect(self) -> object:
        """In the place of a real socket's connecting."""
        if self.dead:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        call = CALL.get()
        breaks = call.fate.breaks if call.fate is not None and call.fate.meaning == UNSENT else ""
        if call.fate is None and self.loop.time() < self.healed and self.rng.random() < self.unreachable:
            breaks = self.rng.choice(["refused", "stuck"])
        if breaks == "stuck":
            await asyncio.get_running_loop().create_future()
        await _nap(self.rng.choice([0.0, 0.01, 0.2]))
        if breaks:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        return object()

    def check_request(self, call: Call, path: str, fields: dict[str, str], body: bytes) -> None:
        """A request has reached the gateway: once, with the key where it belongs and nowhere else."""
        if call.requests > 1:
            self._report("I9" if call.fate is not None else "I7", f"{path} was sent again by itself")
        rest = [value for name, value in fields.items() if name != "authorization"]
        if self._secret in f"{path} {rest} {body!r}":
            self._report("I11", f"the key is in the request for {path}")
        if fields.get("host") != HOST:
            self._report("I11", f"somebody else is asked: {fields.get('host')}")

    def accepted(self, arrival: Arrival) -> None:
        """An answer that tells of an accepted task is with the client."""
        if arrival.meaning == ACCEPTED and arrival.task_id is not None:
            self.session.accepted(arrival.task_id, "MUSIC", self.loop.time())

    # what the engine asks

    async def look(self, request: Request, *, fresh: bool = False, timeout: float | None = None) -> Answer | Broken:
        """The answer to a look, or its break."""
        if self.dead:
            return Broken("the client was closed")
        if self._closed:
            return await self._transport.look(request, fresh=fresh, timeout=timeout)
        single = request.method == "GET"
        ids = [request.path.rpartition("/")[2]] if single else json.loads(request.body or b"")["ids"]
        self.looks += 1
        self.note("look", self.looks, *ids)
        look = self.session.begin(self.looks, self.loop.time(), ids, single=single)
        look.fresh = fresh
        call = Call(look, None)
        CALL.set(call)
        landed = False
        try:
            answer = await self._transport.look(request, fresh=fresh, timeout=timeout)
            landed = True
            self._land(call, look, answer)
            return answer
        finally:
            if not landed and not self.dead:
                self.session.lost(look, self.loop.time())

    def _land(self, call: Call, look: Look, answer: Answer | Broken) -> None:
        now = self.loop.time()
        if self._secret.encode() in (answer.body if isinstance(answer, Answer) else answer.received):
            self._report("I11", f"the key is in the answer to look {look.number}")
        sent = self._taken(call, answer) if isinstance(answer, Answer) else None
        if isinstance(answer, Broken):
            self.note("broke", look.number, answer.reason)
            self._latest = look
            if answer.oversized:
                self.session.troubled(look, now, LOOKS["huge"][0])
            else:
                self.session.lost(look, now, timed_out=True)
        elif sent is None:
            self._report(
                "I1", f"an answer that nobody sent: {answer.status} {answer.body[:100]!r} .. {answer.body[-99:]!r}"
            )
        else:
            self._tell(look, now, sent, sent.reply or _misread(look, sent))

    def _tell(self, look: Look, now: float, sent: Sent, reply: Reply | None) -> None:
        if reply is None:
            self.note("told", look.number, *sent.told)
            self.session.told(look, now, {name: state for name, state in sent.told.items() if name in look.ids})
        else:
            self.note(reply.name, look.number)
            self._latest = look
            self.session.troubled(look, now, reply)

    def _taken(self, call: Call, answer: Answer) -> Sent | None:
        """Which of the answers that were sent this is: its own, or one that lay in a connection before."""
        for line in ([call.line] if call.line is not None else []) + self.tainted:
            for sent in line.sent:
                if (sent.answer.status, sent.answer.body) == (answer.status, answer.body):
                    while line.sent.popleft() is not sent:
                        """What lay there before is lost."""
                    return sent
        return None

    async def distrust(self) -> None:
        """As the transport does."""
        await self._transport.distrust()

    @property
    def fingerprint(self) -> Fingerprint:
        """That of the transport's key."""
        return self._transport.fingerprint

    def renew_key(self) -> bool:
        """As the transport does."""
        changed = self._transport.renew_key()
        if changed:
            self.session.renewed(self._latest, self.loop.time())
        return changed

    async def submit(self, request: Request) -> Answer | Broken:
        """The answer to a submission, or how far it came."""
        if self.dead:
            return Broken("the client was closed")
        self.submitting += 1
        self._latest = None
        try:
            self.session.post(self.loop.time(), self.submitting)
            CALL.set(Call(None, self.gateway.desk.fate(self.loop.time())))
            return await self._transport.submit(request)
        finally:
            self.submitting -= 1


async def _nap(seconds: float) -> None:
    await asyncio.sleep(seconds)  # noqa: TID251 - inside the patched place of a socket, below anyio
