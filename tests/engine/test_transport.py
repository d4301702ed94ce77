"""The network at real sockets: what every broken answer becomes, whether it was sent, and where the key goes."""

import asyncio
import gzip
import logging
import socket
import traceback
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import brotli
import pytest
from anyio.abc import SocketAttribute
from wire import (
    HASTY,
    Call,
    Wire,
    answer,
    no_such_name,
    raw,
    then_fin,
    then_reset,
    then_stall,
    until,
    unvouched,
)

from suno_async import ConfigurationError
from suno_async.engine.transport import Transport
from suno_async.protocol.exchange import Account, Answer, Broken, Request
from suno_async.protocol.inputs import Address, Secret

KEY = "sk-0123456789abcdefABCDEF"
LOOK = Request("GET", "/suno/fetch/task_1")
MANY = Request("POST", "/suno/fetch", b'{"ids":["a"]}')
SUBMISSION = Request("POST", "/suno/submit/music", b'{"prompt":"x"}')
VERBS = ["look", "fresh", "submit"]
OK = answer(b'{"code":"success"}')
CUT, GONE, NO_HTTP = (
    "the answer was cut off",
    "it closed the connection before it answered",
    "the answer is no proper HTTP",
)
LATE = "no answer in time"
PACKED = "the answer is compressed, though nobody asked for that"
hasty = pytest.mark.parametrize("anyio_backend", [HASTY], ids=["hasty"])


@pytest.fixture
def anyio_backend():
    """Real sockets, real time."""
    return "asyncio"


@asynccontextmanager
async def connected(
    url: str, *, key: object = KEY, timeout: float = 30.0, concurrency: int = 4
) -> AsyncIterator[Transport]:
    async with Transport(Address(url, "127.0.0.1"), Secret(key), timeout=timeout, concurrency=concurrency) as transport:
        yield transport


async def ask(transport: Transport, verb: str) -> Answer | Broken:
    if verb == "submit":
        return await transport.submit(SUBMISSION)
    return await transport.look(LOOK, fresh=verb == "fresh")


def said(found: Answer | Broken) -> tuple[int, bytes, bool]:
    assert isinstance(found, Answer), found
    return found.status, found.body, found.fresh


HALF = raw("HTTP/1.1 200 OK", "Content-Length: 100", body=b'{"code":"success","data":"task_1"')
HALF_CHUNKED = raw("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", body=b'21\r\n{"code":"success","data":"task_1"\r\n')
PART = b'{"code":"success","data":"task_1"'
WIRE_FAULTS = {
    "11 FIN before any byte": (then_fin(b""), GONE, b""),
    "11 FIN inside the headers": (then_fin(b"HTTP/1.1 200 OK\r\nContent-Ty"), GONE, b""),
    "13 RST before any byte": (then_reset(b""), "it broke the connection off", b""),
    "14 RST in the body": (then_reset(HALF), CUT, PART),
    "15 FIN in the body": (then_fin(HALF), CUT, PART),
    "17 FIN in a chunked body": (then_fin(HALF_CHUNKED), CUT, PART),
    "17 no chunk where one should be": (
        then_fin(raw("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", body=b"zz\r\n")),
        NO_HTTP,
        b"",
    ),
    "20 an encoding nobody knows": (
        answer(b"", headers={"Content-Encoding": "rot13"}),
        "the answer is compressed, though nobody asked for that",
        b"",
    ),
    "23 longer than it says": (then_fin(answer(b"{}" * 9, headers={"Content-Length": "2"})), NO_HTTP, b""),
    "24 no HTTP at all": (then_fin(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), NO_HTTP, b""),
    "24 length and chunks": (
        then_fin(raw("HTTP/1.1 200 OK", "Content-Length: 2", "Transfer-Encoding: chunked", body=b"0\r\n\r\n")),
        NO_HTTP,
        b"",
    ),
    "24 two lengths": (
        then_fin(raw("HTTP/1.1 200 OK", "Content-Length: 2", "Content-Length: 3", body=b"{}")),
        NO_HTTP,
        b"",
    ),
    "24 a length below zero": (then_fin(raw("HTTP/1.1 200 OK", "Content-Length: -1", body=b"{}")), NO_HTTP, b""),
    "24 a body on a 204": (then_fin(raw("HTTP/1.1 204 No Content", "Content-Length: 2", body=b"{}")), NO_HTTP, b""),
    "25 a header of 8,191 bytes": (then_fin(answer(b"{}", headers={"X-Long": "x" * 8191})), NO_HTTP, b""),
    "25 two thousand headers": (
        then_fin(answer(b"{}", headers={f"X-{n}": "x" for n in range(2000)})),
        NO_HTTP,
        b"",
    ),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("step", "reason", "received"), WIRE_FAULTS.values(), ids=WIRE_FAULTS)
async def test_broken_answers_are_told_in_our_own_words(step, reason, received, verb):
    """Whatever breaks after the headers left is Broken and counts as sent, was asked for once, and spoils nothing."""
    async with Wire(step, OK) as wire, connected(wire.url) as transport:
        broken = await ask(transport, verb)
        assert isinstance(broken, Broken)
        assert broken == Broken(reason, sent=True, received=received, status=broken.status)
        assert wire.asked == 1
        assert said(await ask(transport, verb)) == (200, b'{"code":"success"}', verb != "look")
        await until(lambda: wire.open <= (verb == "look"))


FINE = {
    "16 cut off, and nobody can tell": (then_fin(raw("HTTP/1.1 200 OK", body=b'{"code":"succ')), b'{"code":"succ'),
    "18 a length of nothing": (answer(b""), b""),
    "25 a header of 8,190 bytes": (answer(b"{}", headers={"X-Long": "x" * 8190}), b"{}"),
    "25 a hundred headers": (answer(b"{}", headers={f"X-{n}": "x" for n in range(100)}), b"{}"),
    "26 fifty times 100": (raw("HTTP/1.1 100 Continue") * 50 + answer(b"{}"), b"{}"),
    "29 two answers in one segment": (answer(b"first") + answer(b"second"), b"first"),
    "HTTP/1.0": (then_fin(raw("HTTP/1.0 200 OK", "Content-Type: text/html", body=b"{}")), b"{}"),
    "no reason phrase": (raw("HTTP/1.1 200", "Content-Length: 2", body=b"{}"), b"{}"),
    "identity in capitals": (answer(b"{}", headers={"Content-Encoding": "Identity"}), b"{}"),
    "a cookie that is none": (answer(b"{}", headers={"Set-Cookie": "=;;;=ÿ; Domain=; Max-Age=x"}), b"{}"),
    "headers that are no UTF-8": (
        raw("HTTP/1.1 200 OK", "Content-Length: 2").replace(b"OK\r\n", b"OK\r\nX: \xff\xfe\r\n") + b"{}",
        b"{}",
    ),
    "exactly four megabytes": (answer(b"x" * 4 * 2**20), b"x" * 4 * 2**20),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("step", "body"), FINE.values(), ids=FINE)
async def test_answers_that_are_odd_and_whole_are_answers(step, body, verb):
    """What HTTP allows is read, byte for byte, and what it means is left to the protocol."""
    async with Wire(step, OK) as wire, connected(wire.url) as transport:
        assert said(await ask(transport, verb)) == (200, body, verb != "look")
        assert said(await ask(transport, verb)) == (200, b'{"code":"success"}', verb != "look")
        assert wire.asked == 2


# nothing was sent: 1 to 6


@pytest.mark.parametrize("verb", VERBS)
async def test_a_refused_connection_sends_nothing(verb):
    """1: a port where nobody listens: proven not sent, where that can be told, and tried once."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    async with connected(f"http://127.0.0.1:{port}") as transport:
        assert await ask(transport, verb) == Broken("the connection was refused", sent=verb == "look")


@pytest.mark.parametrize("verb", VERBS)
async def test_a_host_without_an_address_sends_nothing(verb, monkeypatch):
    """2: a name that nobody knows: proven not sent."""
    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    async with connected("http://nowhere.invalid") as transport:
        assert await ask(transport, verb) == Broken("its host name cannot be found", sent=verb == "look")


@pytest.mark.parametrize("verb", VERBS)
async def test_a_host_that_can_be_none_sends_nothing(verb):
    """What aiohttp refuses by itself is Broken too: an error of its own never leaves."""
    async with connected("http://a..b") as transport:
        broken = await ask(transport, verb)
        assert isinstance(broken, Broken)
        assert broken.sent == (verb == "look")
        assert broken.reason.isidentifier()


@hasty
@pytest.mark.parametrize("verb", VERBS)
async def test_a_connection_that_is_never_accepted_sends_nothing(verb):
    """3: SYN and no answer: over after ten seconds, proven not sent."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        address = listening.getsockname()
        with socket.create_connection(address, timeout=1):
            async with connected(f"http://127.0.0.1:{address[1]}") as transport:
                began = anyio.current_time()
                broken = await ask(transport, verb)
                assert broken == Broken("no connection in time", sent=verb == "look", late=True)
                assert 9 < anyio.current_time() - began < 60


@pytest.fixture
def context():
    return unvouched()


@pytest.mark.parametrize("verb", VERBS)
async def test_a_certificate_that_nobody_vouches_for_is_told_apart(context, verb):
    """4: nothing is sent to whoever shows such a certificate, and it is not tried without the check."""
    # in debug mode the server's side of the loop complains of handshakes that its client breaks off
    asyncio.get_running_loop().set_debug(enabled=False)
    async with Wire(OK, tls=context) as wire, connected(wire.url) as transport:
        broken = await ask(transport, verb)
        assert broken == Broken(
            "not valid for this host, or from an authority unknown here", sent=verb == "look", certificate=True
        )
        assert wire.asked == 0


@pytest.mark.parametrize("verb", VERBS)
async def test_tls_to_a_plain_port_sends_nothing(verb):
    """5: no part of the request leaves before the handshake is done."""
    async with Wire(OK) as wire:
        plain = await anyio.create_tcp_listener(local_host="127.0.0.1")
        async with anyio.create_task_group() as group:
            group.start_soon(plain.serve, _say_hello)
            port = plain.extra(SocketAttribute.local_port)  # noqa: S610 - not Django's
            async with connected(f"https://127.0.0.1:{port}") as transport:
                broken = await ask(transport, verb)
            assert broken == Broken("no TLS there, or none that is understood here", sent=verb == "look")
            group.cancel_scope.cancel()
        await plain.aclose()
        assert wire.asked == 0


async def _say_hello(stream) -> None:
    async with stream:
        await stream.send(b"220 mail.example ESMTP\r\n")
        await stream.receive()


@hasty
@pytest.mark.parametrize("verb", VERBS)
async def test_a_handshake_that_is_never_answered_sends_nothing(verb):
    """5: over after ten seconds, proven not sent; the other side has seen no HTTP."""
    greeting = []

    async def listen(stream) -> None:
        async with stream:
            greeting.append(await stream.receive())
            await anyio.sleep_forever()

    plain = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with plain, anyio.create_task_group() as group:
        group.start_soon(plain.serve, listen)
        port = plain.extra(SocketAttribute.local_port)  # noqa: S610 - not Django's
        async with connected(f"https://127.0.0.1:{port}") as transport:
            assert await ask(transport, verb) == Broken("no connection in time", sent=verb == "look", late=True)
        group.cancel_scope.cancel()
    assert len(greeting) == 1
    assert KEY.encode() not in greeting[0]
    assert b"HTTP" not in greeting[0]


async def test_looks_wait_for_a_pooled_connection_within_their_time():
    """6: one more look than there are connections waits in the pool, and never longer than its own timeout."""
    async with Wire(then_stall(b"")) as wire, connected(wire.url, concurrency=1, timeout=30) as transport:
        async with anyio.create_task_group() as group:
            group.start_soon(transport.look, LOOK)
            await until(lambda: wire.asked == 1)
            assert await transport.look(LOOK, timeout=0.1) == Broken(LATE, sent=True, late=True)
            group.cancel_scope.cancel()
        assert wire.asked == 1


async def test_submissions_never_queue_behind_looks():
    """6: a submission has its own connection, however busy the pool is."""

    def step(call: Call):
        return answer(b"mine") if call.method == "POST" else then_stall(b"")(call)

    async with Wire(step) as wire, connected(wire.url, concurrency=1) as transport, anyio.create_task_group() as group:
        group.start_soon(transport.look, LOOK)
        await until(lambda: wire.asked == 1)
        assert said(await transport.submit(SUBMISSION)) == (200, b"mine", True)
        group.cancel_scope.cancel()


# it was sent, and the answer does not come: 7 to 10, 26


async def _drip_headers(call: Call) -> None:
    await call.send(b"HTTP/1.1 200 OK\r\n")
    await call.drip(b"X: y\r\n" * 10**6, 2.0)


async def _drip_body(call: Call) -> None:
    await call.send(raw("HTTP/1.1 200 OK", "Content-Length: 1000000"))
    await call.drip(b"x" * 10**6, 2.0)


async def _endless_103(call: Call) -> None:
    for _ in range(10**6):
        await call.send(raw("HTTP/1.1 103 Early Hints", "Link: </x>"))
        await anyio.sleep(1)


SLOW = {
    "7 no headers ever": (then_stall(b""), 15, b""),
    "8 headers that drip": (_drip_headers, 30, b""),
    "9 a body that drips": (_drip_body, 30, b"x"),
    "10 a body that stalls": (then_stall(HALF), 15, PART),
    "26 endless 103": (_endless_103, 30, b""),
}


@hasty
@pytest.mark.parametrize(("step", "seconds", "received"), SLOW.values(), ids=SLOW)
async def test_no_look_lasts_longer_than_its_time(step, seconds, received, anyio_backend):
    """Fifteen seconds of silence end a look, and thirty altogether, however busy the other side keeps it."""
    async with Wire(step) as wire, connected(wire.url, timeout=30) as transport:
        began = anyio.current_time()
        broken = await transport.look(LOOK)
        assert isinstance(broken, Broken)
        assert (broken.reason, broken.sent, broken.oversized) == (LATE, True, False)
        assert broken.received.startswith(received)
        assert seconds - 1 < anyio.current_time() - began < seconds + 60
        assert wire.asked == 1
        await until(lambda: wire.open == 0)


@hasty
async def test_a_submission_waits_two_minutes_and_no_longer(anyio_backend):
    """Silence does not end a submission, its gateway may wait for an upstream; two minutes do."""

    async def submit(step, received: bytes) -> None:
        async with Wire(step) as wire, connected(wire.url, timeout=5) as transport:
            began = anyio.current_time()
            broken = await transport.submit(SUBMISSION)
            assert isinstance(broken, Broken)
            assert (broken.reason, broken.sent) == (LATE, True)
            assert broken.received.startswith(received)
            assert 119 < anyio.current_time() - began < 200
            assert wire.asked == 1

    async with anyio.create_task_group() as group:
        for step, _, received in SLOW.values():
            group.start_soon(submit, step, received)


async def test_a_look_can_be_given_less_time():
    """``timeout`` of one look overrules the transport's own."""
    async with Wire(then_stall(b"")) as wire, connected(wire.url) as transport:
        with anyio.fail_after(5):
            assert await transport.look(LOOK, timeout=0.05) == Broken(LATE, late=True)


# too much: 21, 22


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "zstd", "GZIP", "gzip, identity"])
async def test_compressed_answers_are_not_opened(encoding, verb):
    """21: a bomb of 64 MiB or more costs three at most, because nothing here inflates anything."""
    bomb = brotli.compress(bytes(2**26), quality=5) if encoding == "br" else gzip.compress(bytes(2**20), 9) * 256
    step = answer(bomb, headers={"Content-Encoding": encoding})
    async with Wire(step, OK) as wire, connected(wire.url) as transport:
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            broken = await ask(transport, verb)
            peak = tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()
        # a submission keeps the bytes as they are: they may hold its id
        left = b"" if verb == "look" else bomb
        assert broken == Broken("the answer is compressed, though nobody asked for that", received=left, status=200)
        assert peak < 3 * 2**20
        assert said(await ask(transport, verb))[1] == b'{"code":"success"}'


async def _chunks_for_ever(call: Call) -> None:
    await call.send(raw("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"))
    await call.repeat(b"10000\r\n" + b"x" * 65536 + b"\r\n", 2**28)


async def _bytes_for_ever(call: Call) -> None:
    await call.send(raw("HTTP/1.1 200 OK", f"Content-Length: {2**28}"))
    await call.repeat(b"x" * 65536, 2**28)


async def _until_closed(call: Call) -> None:
    await call.send(raw("HTTP/1.1 200 OK"))
    await call.repeat(b"x" * 65536, 2**28)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("step", [_chunks_for_ever, _bytes_for_ever, _until_closed])
async def test_an_endless_answer_is_read_up_to_four_megabytes(step, verb):
    """22: whatever is longer is oversized, its connection is closed, and the beginning is kept."""
    async with Wire(step, OK) as wire, connected(wire.url) as transport:
        tracemalloc.start()
        try:
            broken = await ask(transport, verb)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert broken == Broken(
            "the answer is longer than 4,194,304 bytes", received=b"x" * 800, oversized=True, status=200
        )
        assert peak < 24 * 2**20
        await until(lambda: wire.open == 0)
        assert said(await ask(transport, verb))[1] == b'{"code":"success"}'


async def test_one_byte_more_than_four_megabytes_is_too_long():
    """22: the cap is exact."""
    async with Wire(answer(b"x" * (4 * 2**20 + 1))) as wire, connected(wire.url) as transport:
        broken = await transport.look(LOOK)
        assert isinstance(broken, Broken)
        assert broken.oversized


@pytest.mark.parametrize("verb", VERBS)
async def test_a_fat_head_leaves_less_room_for_a_body(verb):
    """25: behind a head of more than 64 KiB, which aiohttp keeps twice, a body may have 64 KiB, and not a byte more."""
    fat = {f"X-{number}": "x" * 8000 for number in range(9)}
    steps = (answer(b"x" * 2**16, headers=fat), answer(b"x" * (2**16 + 1), headers=fat))
    async with Wire(*steps) as wire, connected(wire.url) as transport:
        assert said(await ask(transport, verb))[1] == b"x" * 2**16
        broken = await ask(transport, verb)
        assert broken == Broken(
            "the answer is longer than 65,536 bytes", received=b"x" * 800, oversized=True, status=200
        )


# answers to questions that were not asked: 12, 27, 28


def _with_stray(stray: bytes):
    """Answers, and a moment later, on the idle connection, once more."""

    async def step(call: Call) -> None:
        await call.send(answer(f"answer {call.number}".encode()))
        if call.number == 1:
            await anyio.sleep(0.02)
            await call.send(stray)

    return step


async def test_a_stray_answer_never_reaches_a_submission_or_a_fresh_look():
    """27: they ride no connection that served anything before; a pooled look gets the stray and says it is pooled."""
    async with Wire(_with_stray(answer(b"stray"))) as wire, connected(wire.url) as transport:
        assert said(await transport.look(LOOK)) == (200, b"answer 1", False)
        await anyio.sleep(0.06)
        assert said(await transport.submit(SUBMISSION)) == (200, b"answer 2", True)
        assert said(await transport.look(LOOK, fresh=True)) == (200, b"answer 3", True)
        assert said(await transport.look(LOOK)) == (200, b"stray", False)
        assert wire.asked == 3


async def test_distrusted_connections_are_not_used_again():
    """27: after ``distrust`` the stray answer on an idle connection reaches nobody."""
    async with Wire(_with_stray(answer(b"stray"))) as wire, connected(wire.url) as transport:
        await transport.look(LOOK)
        await anyio.sleep(0.06)
        await transport.distrust()
        assert said(await transport.look(LOOK)) == (200, b"answer 2", False)
        await transport.distrust()
        assert said(await transport.look(LOOK)) == (200, b"answer 3", False)
        await until(lambda: wire.open <= 2)
        assert wire.connections == 3


async def test_distrust_lets_looks_under_way_come_home():
    """A look that is on a connection that is distrusted gets its own answer."""
    late = anyio.Event()

    async def step(call: Call) -> bytes:
        if call.number == 1:
            await late.wait()
        return answer(f"answer {call.number}".encode())

    found = []

    async def look() -> None:
        found.append(said(await transport.look(LOOK)))

    async with Wire(step) as wire, connected(wire.url) as transport, anyio.create_task_group() as group:
        group.start_soon(look)
        await until(lambda: wire.asked == 1)
        await transport.distrust()
        assert said(await transport.look(LOOK)) == (200, b"answer 2", False)
        late.set()
        await until(lambda: found)
        assert found == [(200, b"answer 1", False)]


async def test_a_second_distrust_lets_looks_under_way_come_home_too():
    """However often connections are distrusted, no look is cut; they are closed with the last look on them."""
    late = anyio.Event()
    found = []

    async def step(call: Call) -> bytes:
        if call.path.endswith("slow"):
            await late.wait()
        return answer(call.path.encode())

    async def look() -> None:
        found.append(said(await transport.look(Request("GET", "/slow"))))

    async with Wire(step) as wire, connected(wire.url) as transport, anyio.create_task_group() as group:
        for number in (1, 2, 3):
            await transport.look(LOOK)
            group.start_soon(look)
            await until(lambda asked=2 * number: wire.asked == asked)
            await transport.distrust()
        assert wire.open == 3
        late.set()
        await until(lambda: len(found) == 3)
        assert found == [(200, b"/slow", False)] * 3
        await until(lambda: wire.open == 0)


async def test_what_was_distrusted_at_once_by_many_is_distrusted_once():
    """Connections over which nothing has come since the last distrust are kept."""
    late = anyio.Event()

    async def slow(_call: Call) -> bytes:
        await late.wait()
        return OK

    async with Wire(OK, slow, OK) as wire, connected(wire.url) as transport:
        await transport.look(LOOK)
        await transport.distrust()
        async with anyio.create_task_group() as group:
            group.start_soon(transport.look, LOOK)
            await until(lambda: wire.asked == 2)
            for _ in range(9):
                group.start_soon(transport.distrust)
            await anyio.sleep(0.01)
            late.set()
        await transport.look(LOOK)
        assert wire.connections == 2


async def test_an_idle_408_never_reaches_a_submission():
    """28: a pooled look may read the goodbye of an idle connection, a submission does not."""
    async with Wire(_with_stray(answer(status=408))) as wire, connected(wire.url) as transport:
        await transport.look(LOOK)
        await anyio.sleep(0.06)
        assert said(await transport.submit(SUBMISSION)) == (200, b"answer 2", True)
        assert said(await transport.look(LOOK)) == (408, b"", False)
        assert wire.asked == 2


async def test_looks_share_connections_and_submissions_do_not():
    """12: five looks one after the other need one connection, five submissions five, closed behind them."""
    async with Wire(OK) as wire, connected(wire.url) as transport:
        for _ in range(5):
            await transport.look(LOOK)
        assert wire.connections == 1
        for _ in range(5):
            await transport.submit(SUBMISSION)
        assert wire.connections == 6
        await until(lambda: wire.open == 1)
        assert all(("Connection", "close") in call.headers for call in wire.calls[5:])


@pytest.mark.parametrize("verb", VERBS)
async def test_a_connection_that_ends_while_idle_is_not_used(verb):
    """11: a proper goodbye after an answer costs a new connection and nothing else."""

    async def step(call: Call) -> None:
        await call.send(OK)
        call.fin()

    async with Wire(step) as wire, connected(wire.url) as transport:
        for _ in range(3):
            assert said(await ask(transport, verb))[0] == 200
            await anyio.sleep(0.01)
        assert wire.asked == wire.connections == 3


async def test_a_kept_connection_that_breaks_is_not_asked_behind_our_back():
    """12: aiohttp's own second try is off: a GET whose kept connection breaks is one request and one Broken."""
    async with Wire(OK, then_fin(b""), OK) as wire, connected(wire.url) as transport:
        await transport.look(LOOK)
        assert await transport.look(LOOK) == Broken(GONE)
        assert wire.asked == 2
        assert wire.connections == 1


# where the key goes: 30, 31


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("scheme", ["http://", "//"])
async def test_redirects_are_not_followed(status, verb, scheme):
    """31: the answer is the redirect itself, and where it leads nobody hears of us."""
    async with Wire(OK) as elsewhere:
        moved = answer(status=status, headers={"Location": f"{scheme}127.0.0.1:{elsewhere.port}/suno/fetch/task_1"})
        async with Wire(moved) as wire, connected(wire.url) as transport:
            found = await ask(transport, verb)
            assert isinstance(found, Answer)
            assert found.status == status
            assert str(elsewhere.port) in found.headers["location"]
            assert (wire.asked, elsewhere.connections) == (1, 0)


async def test_cookies_are_neither_kept_nor_sent():
    """A cookie that a gateway sets is gone with its answer."""
    step = answer(b"{}", headers={"Set-Cookie": "session=1; Path=/; Domain=localhost"})
    async with Wire(step) as wire, connected(f"http://localhost:{wire.port}") as transport:
        for verb in VERBS * 2:
            await ask(transport, verb)
        assert wire.asked == 6
        assert not any(name.lower() == "cookie" for call in wire.calls for name, _ in call.headers)


async def test_proxies_of_the_environment_are_not_used(monkeypatch, tmp_path):
    """30: no request and no key goes to what HTTP_PROXY and its kin name, and .netrc changes no header."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login evil password evil\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with Wire(OK) as proxy, Wire(OK) as wire:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        async with connected(wire.url) as transport:
            for verb in VERBS:
                assert said(await ask(transport, verb))[0] == 200
        assert (wire.asked, proxy.connections) == (3, 0)
        assert {value for call in wire.calls for name, value in call.headers if name == "Authorization"} == {
            f"Bearer {KEY}"
        }


@pytest.mark.parametrize("verb", ["look", "fresh"])
async def test_the_headers_of_a_look_are_these(verb):
    """A GET says who asks, with which key, and that nothing is to be compressed; nothing more."""
    async with Wire(OK) as wire, connected(wire.url) as transport:
        await ask(transport, verb)
        extra = [] if verb == "look" else [("Connection", "close")]
        assert wire.calls[0].request.startswith(b"GET /suno/fetch/task_1 HTTP/1.1\r\n")
        assert sorted(wire.calls[0].headers) == sorted(
            [
                ("Host", f"127.0.0.1:{wire.port}"),
                ("Authorization", f"Bearer {KEY}"),
                ("Accept", "application/json"),
                ("Accept-Encoding", "identity"),
                ("User-Agent", "suno_async"),
                *extra,
            ]
        )
        assert wire.calls[0].body == b""


@pytest.mark.parametrize("request_", [MANY, SUBMISSION], ids=["look", "submit"])
async def test_the_headers_of_a_post_are_these(request_):
    """A POST has the same and the JSON's type and length, and the body goes out byte for byte."""
    async with Wire(OK) as wire, connected(wire.url) as transport:
        await (transport.submit(request_) if request_ is SUBMISSION else transport.look(request_))
        call = wire.calls[0]
        assert (call.method, call.path, call.body) == ("POST", request_.path, request_.body)
        headers = dict(call.headers)
        assert headers.pop("Content-Type") == "application/json"
        assert headers.pop("Content-Length") == str(len(request_.body))
        assert set(headers) - {"Connection"} == {"Host", "Authorization", "Accept", "Accept-Encoding", "User-Agent"}


async def test_paths_go_out_as_they_are():
    """Nothing is decoded, encoded or collapsed on the way: what was checked is what is sent."""
    async with Wire(OK) as wire, connected(f"{wire.url}/api/..%2f") as transport:
        await transport.look(Request("GET", "/suno/fetch/a%2e%2e:b..c"))
        assert wire.calls[0].path == "/api/..%2f/suno/fetch/a%2e%2e:b..c"


# what the other side says of the key


@pytest.mark.parametrize("verb", VERBS)
async def test_the_key_is_taken_out_of_what_comes_back(verb):
    """135: a gateway that echoes the key in a body or a header does not put it into our hands."""
    step = answer(
        f'{{"error":"Bearer {KEY} and {KEY}"}}'.encode(),
        401,
        {"X-Oneapi-Request-Id": KEY, "Location": f"https://x.example/?key={KEY}", "Retry-After": "7"},
    )
    async with Wire(step) as wire, connected(wire.url) as transport:
        found = await ask(transport, verb)
        assert isinstance(found, Answer)
        assert found.body == b'{"error":"Bearer *** and ***"}'
        assert KEY not in repr(found)
        assert found.headers.get("retry-after") == "7"
        assert "Location" not in found.headers
        assert "X-Oneapi-Request-Id" not in found.headers


@pytest.mark.parametrize("verb", VERBS)
async def test_the_key_is_taken_out_of_headers_that_come_with_good_news(verb):
    """135: also where the answer says success."""
    step = answer(b'{"code":"success","data":null}', headers={"X-Oneapi-Request-Id": KEY, "X-Other": "1"})
    async with Wire(step) as wire, connected(wire.url) as transport:
        found = await ask(transport, verb)
        assert isinstance(found, Answer)
        assert KEY not in repr(found)
        assert found.headers["x-other"] == "1"


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    "step",
    [
        then_fin(raw("HTTP/1.1 200 OK", "Content-Length: 9999", body=f"you sent {KEY}".encode())),
        then_fin(raw("HTTP/1.1 200 OK", f"Content-Length: {KEY}")),
        then_fin(f"HTTP/9 {KEY}\r\n\r\n".encode()),
        then_fin(raw("HTTP/1.1 200 OK", f"X-{'y' * 8180}: {KEY}")),
        # at the cut of the excerpt
        then_fin(answer(b" " * 790 + KEY.encode() + b"x" * 5 * 2**20)),
    ],
    ids=["body", "length", "status line", "long header", "cut"],
)
async def test_the_key_is_taken_out_of_broken_answers(step, verb):
    """135: aiohttp's own texts hold what the other side sent; ours do not."""
    async with Wire(step) as wire, connected(wire.url) as transport:
        broken = await ask(transport, verb)
        assert isinstance(broken, Broken)
        assert KEY[:8] not in repr(broken)


ODD = "sk-Ab/Cd+&<\\0123456789abcd"
ECHOES = {
    "JSON of PHP": ODD[3:].replace("\\", "\\\\").replace("/", "\\/"),
    "percent": "Ab%2fCd%2b%26%3c%5c0123456789abcd",
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
async def test_the_key_is_taken_out_however_it_is_written(echo, verb):
    """Without its ``sk-``, escaped as JSON or percent-encoded: in a body, in a header and in what broke."""
    whole = answer(f"<{echo}>".encode(), 401, {"X-Oneapi-Request-Id": echo})
    cut = then_fin(raw("HTTP/1.1 401 No", "Content-Length: 9999", body=f"<{echo}>".encode()))
    async with Wire(whole, cut) as wire, connected(wire.url, key=ODD) as transport:
        found = await ask(transport, verb)
        assert isinstance(found, Answer)
        assert found.body == b"<***>"
        assert "X-Oneapi-Request-Id" not in found.headers
        broken = await ask(transport, verb)
        assert broken == Broken(CUT, received=b"<***>", status=401)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("last", "left"), [(KEY[:4], ""), (KEY[:3], "sk-"), (f"{KEY}{KEY[:9]}", "***")])
async def test_the_beginning_of_a_key_is_taken_out_where_an_answer_was_cut_off(last, left, verb):
    """Four characters or more of a key at the very end of what came are no longer there."""
    cut = then_fin(raw("HTTP/1.1 401 No", "Content-Length: 9999", body=f"bad key {last}".encode()))
    async with Wire(cut) as wire, connected(wire.url) as transport:
        assert await ask(transport, verb) == Broken(CUT, received=f"bad key {left}".encode(), status=401)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("last", "left"), [(KEY[:4], ""), (KEY[:3], "sk-"), (f"{KEY}{KEY[:9]}", "***")])
@pytest.mark.parametrize(
    "ending",
    [
        lambda said: then_fin(raw("HTTP/1.1 401 No", body=said)),
        lambda said: then_fin(raw("HTTP/1.0 401 No", body=said)),
        lambda said: answer(said, 401),
        lambda said: raw(
            "HTTP/1.1 401 No", "Transfer-Encoding: chunked", body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(said), said)
        ),
    ],
    ids=["by the end of the connection", "HTTP/1.0", "by a length", "by chunks"],
)
async def test_the_beginning_of_a_key_is_taken_out_where_an_answer_may_have_been_cut_off(ending, last, left, verb):
    """16: an answer that was cut off may look whole, or somebody before us cut it: its end is no better trusted."""
    async with Wire(ending(f"bad key {last}".encode())) as wire, connected(wire.url) as transport:
        assert said(await ask(transport, verb)) == (401, f"bad key {left}".encode(), verb != "look")


@pytest.mark.parametrize("verb", ["fresh", "submit"])
async def test_the_beginning_of_a_key_is_taken_out_of_what_only_says_that_it_is_compressed(verb):
    """20: the bytes of such an answer are kept, and may be plain text."""
    cut = then_fin(raw("HTTP/1.1 200 OK", "Content-Encoding: br", body=f"bad key {KEY[:9]}".encode()))
    async with Wire(cut) as wire, connected(wire.url) as transport:
        broken = await ask(transport, verb)
        assert isinstance(broken, Broken)
        assert broken.received == b"bad key "


async def test_json_keeps_its_end():
    """What ends as JSON does is given on byte for byte, whatever the key begins with."""
    body = b'{"message":"bad key sk-0","data":[{}]}\n'
    async with Wire(answer(body)) as wire, connected(wire.url) as transport:
        assert said(await transport.look(LOOK))[1] == body


@pytest.mark.parametrize("verb", VERBS)
async def test_a_broken_answer_keeps_its_status(verb):
    """Whatever broke after the headers: cut off, compressed or too long, the status is known; before them it is 0."""
    steps = (
        then_fin(raw("HTTP/1.1 403 No", "Content-Length: 99", body=b"{")),
        answer(b"", 502, {"Content-Encoding": "gzip"}),
        then_fin(answer(b"x" * 5 * 2**20, 500)),
        then_fin(b""),
    )
    async with Wire(*steps) as wire, connected(wire.url) as transport:
        assert [(await ask(transport, verb)).status for _ in steps] == [403, 502, 500, 0]


# another key


async def test_a_request_that_was_asked_with_the_older_key_has_another_one():
    """Of many refused at once the first one brings the new key, and it is the others' new key too, once each."""
    keys = iter(["sk-first-key", "sk-second-key", "sk-second-key", "sk-second-key"])
    all_here, found = anyio.Event(), []

    async def step(call: Call) -> bytes:
        if call.number == 16:
            all_here.set()
        await all_here.wait()
        if "second" in dict(call.headers)["Authorization"]:
            return answer(b"{}")
        # all heads come before the first body does, and the bodies one by one
        await call.send(raw("HTTP/1.1 401 No", "Content-Length: 2"))
        await anyio.sleep(0.05 + 0.01 * call.number)
        return b"{}"

    async def look() -> None:
        refused = await transport.look(LOOK)
        found.append((refused.status, transport.renew_key()))
        found.append((await transport.look(LOOK)).status)

    async with (
        Wire(step) as wire,
        connected(wire.url, key=lambda: next(keys), concurrency=16) as transport,
        anyio.create_task_group() as group,
    ):
        for _ in range(16):
            group.start_soon(look)
        await until(lambda: len(found) == 32)
        assert sorted(found, key=str) == [(401, True)] * 16 + [200] * 16
        assert not transport.renew_key()


async def test_a_refused_key_that_is_the_one_in_use_is_no_other_key():
    """A gateway that refuses the new key too gets no third request from a function that has no third key."""
    keys = iter(["sk-first-key", "sk-second-key", "sk-second-key"])
    async with Wire(answer(status=401)) as wire, connected(wire.url, key=lambda: next(keys)) as transport:
        await transport.look(LOOK)
        assert transport.renew_key()
        await transport.look(LOOK)
        assert not transport.renew_key()


async def test_a_key_that_is_a_text_is_not_renewed():
    """There is nobody to ask for another one."""
    async with Wire(OK) as wire, connected(wire.url) as transport:
        assert not transport.renew_key()


async def test_a_key_that_is_a_function_is_asked_once_more():
    """``renew_key`` is True if it gave another key, and all requests have it from then on, after a distrust too."""
    keys = iter(["sk-first-key", "sk-second-key", "sk-second-key"])
    async with Wire(OK) as wire, connected(wire.url, key=lambda: next(keys)) as transport:
        await transport.look(LOOK)
        assert transport.renew_key()
        assert not transport.renew_key()
        for verb in VERBS:
            await ask(transport, verb)
        await transport.distrust()
        await transport.look(LOOK)
        sent = [dict(call.headers)["Authorization"] for call in wire.calls]
        assert sent == ["Bearer sk-first-key"] + ["Bearer sk-second-key"] * 4


async def test_a_key_that_was_replaced_is_still_a_secret():
    """An answer may echo the key it was asked with, when there is another one already."""
    keys = iter(["sk-first-key", "sk-second-key"])
    async with (
        Wire(answer(b"sk-first-key sk-second-key")) as wire,
        connected(wire.url, key=lambda: next(keys)) as transport,
    ):
        assert transport.renew_key()
        assert said(await transport.look(LOOK))[1] == b"*** ***"


@pytest.mark.parametrize("end", ["whole", "cut", "too long"])
async def test_a_key_that_is_in_flight_is_a_secret_however_many_came_after_it(end):
    """Five others since, as of one that lives for a minute: in what a submission brings at last there is none."""
    numbers, go = iter(range(99)), anyio.Event()
    body = b"sk-key-number-0 sk-key-number-5"
    length = {"whole": len(body), "cut": 99, "too long": 5 * 2**20}[end]

    async def step(call: Call) -> bytes | None:
        await go.wait()
        await call.send(
            raw("HTTP/1.1 500 No", f"Content-Length: {length}", f"X-Oneapi-Request-Id: {body[:15].decode()}")
        )
        await call.send(body + b" " * (length - len(body)) * (end == "too long"))
        call.fin()

    async with (
        Wire(step) as wire,
        connected(wire.url, key=lambda: f"sk-key-number-{next(numbers)}") as transport,
        anyio.create_task_group() as group,
    ):
        found = []

        async def submit() -> None:
            found.append(await transport.submit(SUBMISSION))

        group.start_soon(submit)
        await until(lambda: wire.asked)
        for _ in range(5):
            assert transport.renew_key()
        go.set()
        await until(lambda: found)
    if isinstance(found[0], Answer):
        assert (found[0].body, "X-Oneapi-Request-Id" in found[0].headers) == (b"*** ***", False)
    else:
        assert found[0].received.strip() == b"*** ***"


async def test_a_token_that_is_in_flight_is_a_secret_when_there_is_another_one():
    """Whoever asks with a token that a function gives may have another one before the first answer comes."""
    tokens, go = iter(["user-token-first", "user-token-second"]), anyio.Event()
    own = Request("GET", "/api/task/self?p=0", account=Account(Secret(lambda: next(tokens)), 7))

    async def first(call: Call) -> bytes:
        await go.wait()
        return answer(b"user-token-first user-token-second")

    found = []

    async def ask_first() -> None:
        found.append(said(await transport.look(own))[1])

    async with Wire(first, OK) as wire, connected(wire.url) as transport, anyio.create_task_group() as group:
        group.start_soon(ask_first)
        await until(lambda: wire.asked)
        await transport.look(own)
        go.set()
        await until(lambda: found)
    assert found == [b"*** ***"]


@pytest.mark.parametrize("written", [KEY, KEY[3:], KEY.replace("-", "%2D"), f"v1/{KEY}/x"])
def test_a_base_url_that_holds_the_key_is_refused(written):
    """Errors name the base URL, and the journal keeps it; what refuses it does not say it once more."""
    with pytest.raises(ConfigurationError) as caught:
        Transport(Address(f"http://127.0.0.1:9/{written}", "127.0.0.1"), Secret(KEY), timeout=1, concurrency=1)
    assert KEY[3:] not in str(caught.value)
    frames = traceback.StackSummary.extract(traceback.walk_tb(caught.value.__traceback__), capture_locals=True)
    ours = [frame.locals or {} for frame in frames if frame.filename != __file__]
    assert ours
    assert not any("key" in names and KEY[3:] in names["key"] for names in ours)


async def test_a_base_url_that_holds_a_key_of_a_function_is_refused(caplog):
    """Before there is a session; and no such key takes the place of another one."""
    address, keys = Address(f"http://127.0.0.1:9/{KEY}", "127.0.0.1"), iter([KEY, "sk-another-key", KEY])
    made = Transport(address, Secret(lambda: next(keys)), timeout=1, concurrency=1)
    with pytest.raises(ConfigurationError, match="holds the API key"):
        await made.__aenter__()
    async with made:
        assert not made.renew_key()
    assert caplog.messages == ["there is no other key: the function that gives it raised ConfigurationError"]


@pytest.mark.parametrize("wrong", ["", None, "sk with blanks", OSError("the vault is closed")])
async def test_a_function_that_gives_no_key_leaves_the_old_one(wrong, caplog):
    """A refused key and no other one: a refusal, told in one line that holds neither."""
    keys = iter([KEY, wrong])

    def give():
        key = next(keys)
        if isinstance(key, Exception):
            raise key
        return key

    async with Wire(OK) as wire, connected(wire.url, key=give) as transport:
        with caplog.at_level(logging.WARNING, "suno_async"):
            assert not transport.renew_key()
        await transport.look(LOOK)
        assert dict(wire.calls[0].headers)["Authorization"] == f"Bearer {KEY}"
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("there is no other key: the function that gives it raised ")
    assert caplog.records[0].exc_info is None


@pytest.mark.parametrize(
    "wrong", [None, "", "short", "sk-with blank", "sk-line\nend", "sk-käse-käse", b"sk-in-bytes", lambda: ""]
)
async def test_nothing_opens_with_a_key_that_cannot_be_one(wrong):
    """A wrong key is told before there is a session."""
    with pytest.raises(ConfigurationError):
        await Transport(
            Address("http://127.0.0.1:9", "127.0.0.1"), Secret(wrong), timeout=1, concurrency=1
        ).__aenter__()


# leaving


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("step", [then_stall(b""), then_stall(HALF)], ids=["before the headers", "in the body"])
async def test_a_cancelled_request_takes_its_connection_with_it(step, verb):
    """89, 90: the cancellation leaves at once, brings no frame of aiohttp's along, and the next request is fine."""
    caught: list[BaseException] = []
    files: set[str] = set()

    async def look() -> None:
        try:
            await ask(transport, verb)
        except BaseException as error:
            caught.append(error)
            files.update(Path(frame.filename).name for frame in traceback.extract_tb(error.__traceback__))
            raise

    async with Wire(step, OK) as wire, connected(wire.url, concurrency=1) as transport:
        async with anyio.create_task_group() as group:
            group.start_soon(look)
            await until(lambda: wire.asked == 1)
            await anyio.sleep(0.01)
            group.cancel_scope.cancel()
        await until(lambda: wire.open == 0)
        assert files == {"test_transport.py", "transport.py"}
        assert caught[0].__context__ is None
        assert caught[0].__cause__ is None
        assert said(await ask(transport, verb))[0] == 200


@pytest.mark.parametrize("verb", VERBS)
async def test_a_request_under_which_the_transport_closes_is_broken(verb):
    """What is under way when everything closes ends at once, and what comes later is not sent."""
    found: list[Answer | Broken] = []

    async def look() -> None:
        found.append(await ask(transport, verb))

    async with Wire(then_stall(b"")) as wire, anyio.create_task_group() as group:
        async with connected(wire.url) as transport:
            group.start_soon(look)
            await until(lambda: wire.asked == 1)
        with anyio.fail_after(5):
            await until(lambda: found)
        assert isinstance(found[0], Broken)
        assert found[0].sent
        assert await ask(transport, verb) == Broken("the client was closed", sent=verb == "look")
        assert wire.asked == 1


async def test_leaving_closes_every_connection():
    """Nothing is left open behind ``async with``, distrusted connections included."""
    async with Wire(OK) as wire:
        async with connected(wire.url) as transport:
            await transport.look(LOOK)
            await transport.distrust()
            await transport.look(LOOK)
            assert wire.open >= 1
        await until(lambda: wire.open == 0)
        assert wire.open == 0


async def test_half_an_answer_that_nobody_asked_for_stops_no_look():
    """27: the rest of it never comes, and its timer died with the request before: the look ends in its time."""
    half = b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"code":"success"'
    stray = _with_stray(half)

    async def step(call: Call) -> None:
        await (call.stall() if call.number == 2 else stray(call))

    async with Wire(step) as wire, connected(wire.url, timeout=0.3) as transport:
        await transport.look(LOOK)
        await anyio.sleep(0.06)
        with anyio.fail_after(5):
            late = await transport.look(LOOK)
            assert said(await transport.look(LOOK)) == (200, b"answer 3", False)
        assert late == Broken(LATE, received=b'{"code":"success"', status=200, late=True)


async def test_what_is_asked_as_a_user_carries_the_token_and_not_the_key():
    """The access token and the user's number in their headers; what echoes the token says *** from then on."""
    token = "user-token-0123456789abcdef"
    own = Request("GET", "/api/task/self?p=0", account=Account(Secret(token), 7))
    async with Wire(answer(f"hello {token}".encode())) as wire, connected(wire.url) as transport:
        for request in (own, LOOK, own):
            assert said(await transport.look(request)) == (200, b"hello ***", False)
    first, second, _ = (dict(call.headers) for call in wire.calls)
    assert (first["Authorization"], first["New-Api-User"]) == (token, "7")
    assert KEY not in str(first)
    assert (second["Authorization"], "New-Api-User" in second) == (f"Bearer {KEY}", False)


# what is read while it comes

CHAT = Request("POST", "/v1/chat/completions", b'{"stream":true}')
EVENTS = {"Content-Type": "text/event-stream"}
ENDED = raw("HTTP/1.1 200 OK", "Content-Type: text/event-stream")


async def streamed(transport: Transport, *, timeout: float = 30.0, silence: float = 15.0) -> tuple[bytes, object]:
    """All that came of a stream, and how it ended."""
    async with transport.stream(CHAT, timeout=timeout, silence=silence) as reply:
        said = b"".join([piece async for piece in reply])
        return said, reply.end


async def test_a_stream_is_read_while_it_comes():
    """Each piece is there before the next one is sent, on a connection of its own that is closed behind it."""
    heard = anyio.Event()

    async def step(call: Call) -> None:
        await call.send(
            raw("HTTP/1.1 200 OK", "X-Oneapi-Request-Id: 7", "Transfer-Encoding: chunked", body=b"3\r\none\r\n")
        )
        await heard.wait()
        await call.send(b"3\r\ntwo\r\n0\r\n\r\n")

    async with Wire(OK, step) as wire, connected(wire.url) as transport:
        await transport.look(LOOK)
        async with transport.stream(CHAT, timeout=30, silence=15) as reply:
            assert (reply.status, reply.headers["x-oneapi-request-id"], reply.end) == (200, "7", None)
            assert await anext(reply) == b"one"
            heard.set()
            assert [piece async for piece in reply] == [b"two"]
            assert isinstance(reply.end, Answer)
            assert (reply.end.status, reply.end.body, reply.end.fresh) == (200, b"", True)
        call = wire.calls[1]
        assert (call.method, call.path, call.body) == ("POST", CHAT.path, CHAT.body)
        assert ("Connection", "close") in call.headers
        assert wire.connections == 2
        await until(lambda: wire.open == 1)


STREAMED_BREAKS = {
    "FIN before any byte": (then_fin(b""), b"", GONE, 0),
    "RST in the body": (then_reset(HALF), PART, CUT, 200),
    "FIN in the body": (then_fin(HALF), PART, CUT, 200),
    "FIN in a chunked body": (then_fin(HALF_CHUNKED), PART, CUT, 200),
    "no HTTP at all": (then_fin(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), b"", NO_HTTP, 0),
    "compressed": (answer(b"x", headers={"Content-Encoding": "br"}), b"", PACKED, 200),
}


@pytest.mark.parametrize(("step", "came", "reason", "status"), STREAMED_BREAKS.values(), ids=STREAMED_BREAKS)
async def test_a_broken_stream_is_told_behind_what_came(step, came, reason, status):
    """In our own words, asked for once, and its connection is gone."""
    async with Wire(step) as wire, connected(wire.url) as transport:
        assert await streamed(transport) == (came, Broken(reason, status=status))
        assert wire.asked == 1
        await until(lambda: wire.open == 0)


async def test_a_stream_that_is_not_sent_says_so():
    """Proven: nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    async with connected(f"http://127.0.0.1:{port}") as transport:
        assert await streamed(transport) == (b"", Broken("the connection was refused", sent=False))
    async with connected("http://a..b") as transport:
        said, end = await streamed(transport)
        assert (said, end.sent) == (b"", False)


async def test_an_endless_stream_is_read_up_to_four_megabytes():
    """22: then it is oversized, its connection is closed."""
    async with Wire(_bytes_for_ever) as wire, connected(wire.url) as transport:
        said, end = await streamed(transport)
        assert said == b"x" * 2**22
        assert end == Broken("the answer is longer than 4,194,304 bytes", oversized=True, status=200)
        await until(lambda: wire.open == 0)


async def test_the_key_does_not_come_through_a_stream():
    """135: not in its headers, not in a piece, and not cut in two or begun at its end."""

    async def step(call: Call) -> None:
        await call.send(raw("HTTP/1.1 200 OK", f"X-Oneapi-Request-Id: {KEY}", "X-Other: 1"))
        for piece in (f"you sent {KEY}, ", KEY[:7], KEY[7:], f" {KEY[:9]}"):
            await call.send(piece.encode())
            await anyio.sleep(0.02)
        call.fin()

    async with Wire(step) as wire, connected(wire.url) as transport:
        async with transport.stream(CHAT, timeout=30, silence=15) as reply:
            said = b"".join([piece async for piece in reply])
        assert said == b"you sent ***, *** "
        assert KEY not in repr(reply.end) + repr(reply.headers)
        assert reply.headers["x-other"] == "1"


@hasty
@pytest.mark.parametrize(
    ("step", "silence", "timeout", "seconds"),
    [
        (then_stall(HALF), 15, 400, 15),
        (then_stall(b""), 15, 400, 15),
        (_drip_body, 15, 40, 40),
        (then_stall(HALF), 400, 40, 40),
    ],
    ids=["silent in the body", "silent before it", "never silent", "silence is allowed"],
)
async def test_no_stream_lasts_longer_than_its_time(step, silence, timeout, seconds, anyio_backend):
    """Silence ends it, and the time for all of it does."""
    async with Wire(step) as wire, connected(wire.url) as transport:
        began = anyio.current_time()
        _, end = await streamed(transport, timeout=timeout, silence=silence)
        assert isinstance(end, Broken)
        assert (end.reason, end.late, end.sent) == (LATE, True, True)
        assert seconds - 1 < anyio.current_time() - began < seconds + 200
        await until(lambda: wire.open == 0)


@pytest.mark.parametrize("step", [then_stall(b""), then_stall(HALF)], ids=["before the headers", "in the body"])
async def test_a_cancelled_stream_takes_its_connection_with_it(step):
    """89, 90: the cancellation leaves at once and brings no frame of aiohttp's along."""
    caught: list[BaseException] = []
    files: set[str] = set()

    async def read() -> None:
        try:
            await streamed(transport)
        except BaseException as error:
            caught.append(error)
            files.update(Path(frame.filename).name for frame in traceback.extract_tb(error.__traceback__))
            raise

    async with Wire(step) as wire, connected(wire.url) as transport:
        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await until(lambda: wire.asked == 1)
            await anyio.sleep(0.01)
            group.cancel_scope.cancel()
        await until(lambda: wire.open == 0)
    assert files <= {"test_transport.py", "transport.py", "reply.py", "contextlib.py"}
    assert caught[0].__context__ is None
    assert caught[0].__cause__ is None


async def test_who_stops_reading_a_stream_closes_it():
    """With the rest unread."""
    async with Wire(_bytes_for_ever) as wire, connected(wire.url) as transport:
        async with transport.stream(CHAT, timeout=30, silence=15) as reply:
            assert await anext(reply)
        await until(lambda: wire.open == 0)
        with pytest.raises(ZeroDivisionError):
            async with transport.stream(CHAT, timeout=30, silence=15) as reply:
                raise ZeroDivisionError
        await until(lambda: wire.open == 0)


async def test_a_stream_under_which_the_transport_closes_is_broken():
    """It ends at once."""
    async with Wire(then_stall(HALF)) as wire, connected(wire.url) as transport:
        async with transport.stream(CHAT, timeout=30, silence=15) as reply:
            assert await anext(reply) == PART
            await transport.__aexit__()
            with anyio.fail_after(5):
                assert [piece async for piece in reply] == []
        assert isinstance(reply.end, Broken)
        assert await streamed(transport) == (b"", Broken("the client was closed", sent=False))


async def test_a_key_that_is_refused_in_a_stream_can_be_renewed():
    """As one that is refused in a look."""
    keys = iter(["sk-first-key", "sk-second-key", "sk-third-key"])
    async with Wire(answer(b"{}", 401)) as wire, connected(wire.url, key=lambda: next(keys)) as transport:
        said, end = await streamed(transport)
        assert (said, end.status) == (b"{}", 401)
        assert transport.renew_key()
        await streamed(transport)
        assert dict(wire.calls[1].headers)["Authorization"] == "Bearer sk-second-key"


async def test_a_stream_that_was_asked_with_the_older_key_has_another_one():
    """Another request was refused before it and brought the new key: nobody is asked for a third one."""
    keys = iter(["sk-first-key", "sk-second-key", "sk-third-key"])
    late = anyio.Event()

    async def slow(_call: Call) -> bytes:
        await late.wait()
        return answer(b"{}", 401)

    async def read() -> None:
        await streamed(transport)
        assert transport.renew_key()

    no = answer(b"{}", 401)
    async with Wire(slow, no) as wire, connected(wire.url, key=lambda: next(keys)) as transport:
        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await until(lambda: wire.asked == 1)
            await streamed(transport)
            assert transport.renew_key()
            late.set()
        await streamed(transport)
        assert dict(wire.calls[2].headers)["Authorization"] == "Bearer sk-second-key"


# another gateway's paths


async def test_requests_go_where_this_gateway_has_them():
    """Whatever is asked for: its place is asked with its method and path, which goes out as it is told."""
    placed: list[tuple[str, str]] = []

    def place(method: str, path: str) -> str:
        placed.append((method, path))
        return f"/v1{path}%2e"

    async with Wire(OK) as wire:
        address, key = Address(f"{wire.url}/base", "127.0.0.1"), Secret(KEY)
        async with Transport(address, key, timeout=30, concurrency=4, place=place) as transport:
            for verb in VERBS:
                await ask(transport, verb)
            await streamed(transport)
        paths = [LOOK.path, LOOK.path, SUBMISSION.path, CHAT.path]
        assert [call.path for call in wire.calls] == [f"/base/v1{path}%2e" for path in paths]
        assert placed == [(call.method, path) for call, path in zip(wire.calls, paths, strict=True)]
