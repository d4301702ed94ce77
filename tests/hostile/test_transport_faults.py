"""Faults 1 to 30 through the public client: broken connections, broken HTTP, too much, too slow, somebody else's."""

import asyncio
import gzip
import socket
import ssl

import aiohttp
import anyio
import brotli
import pytest
import trustme
from anyio.abc import SocketAttribute
from verdicts import (
    ACCEPTED,
    CAT,
    KEY,
    UNKNOWN,
    Fault,
    Patient,
    assert_fit_to_be_shown,
    assert_look,
    assert_many,
    assert_song,
    assert_submission,
    assert_wait,
    client,
    outcome_of,
    whole,
)
from wire import (
    HASTY,
    Call,
    Hasty,
    Step,
    Wire,
    answer,
    follow,
    no_such_name,
    raw,
    row,
    seen,
    then_fin,
    then_reset,
    then_stall,
    told,
    until,
    unvouched,
)

from suno_async import ConfigurationError, GatewayUnavailable, UnexpectedResponse


@pytest.fixture
def anyio_backend():
    """Real sockets, and a clock that runs thirty times as fast."""
    return HASTY


NO_ID = b'{"code":"success","message":"","da'
WITH_ID = b'{"code":"success","message":"","data":"task_1"'
_ID_IN_AN_ERROR = b'{"code":"fail_to_fetch_task","message":"x","data":"task_1"'


def _half(body: bytes, status: int = 200) -> bytes:
    return raw(f"HTTP/1.1 {status} Whatever", "Content-Length: 999", body=body)


def _half_chunked(body: bytes) -> bytes:
    return raw("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", body=b"%x\r\n%s\r\n" % (len(body), body))


def _zipped(call: Call) -> bytes:
    return answer(gzip.compress(whole(call).partition(b"\r\n\r\n")[2]), headers={"Content-Encoding": "gzip"})


def _cut_gzip(call: Call) -> bytes:
    body = gzip.compress(whole(call).partition(b"\r\n\r\n")[2])
    return answer(body[: len(body) // 2], headers={"Content-Encoding": "gzip"})


def _named_compressed(call: Call) -> bytes:
    """Says that it is compressed, and is not."""
    return answer(whole(call).partition(b"\r\n\r\n")[2], headers={"Content-Encoding": "rot13"})


async def _for_ever(call: Call) -> None:
    await call.send(raw("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"))
    await call.repeat(b"10000\r\n" + b"x" * 65536 + b"\r\n", 2**28)


async def _id_and_for_ever(call: Call) -> None:
    await call.send(raw("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", body=b"2e\r\n" + WITH_ID + b"\r\n"))
    await call.repeat(b"10000\r\n" + b" " * 65536 + b"\r\n", 2**28)


def _in_one_segment(call: Call) -> bytes:
    return whole(call) + answer({"code": "success", "data": "somebody-elses-1"})


_GONE = Fault(b"", GatewayUnavailable, UNKNOWN)
FAULTS = {
    "11 FIN before any byte": _GONE._replace(step=then_fin(b"")),
    "11 FIN in the status line": _GONE._replace(step=then_fin(b"HTTP/1.1 2")),
    "11 FIN in the headers": _GONE._replace(step=then_fin(b"HTTP/1.1 200 OK\r\nContent-Ty")),
    "13 RST before any byte": _GONE._replace(step=then_reset(b"")),
    "13 RST in the headers": _GONE._replace(step=then_reset(b"HTTP/1.1 200 OK\r\nContent-Ty")),
    "14 RST in the body": _GONE._replace(step=then_reset(_half(NO_ID))),
    "14 RST behind the id": Fault(then_reset(_half(WITH_ID)), GatewayUnavailable, ACCEPTED),
    "15 FIN in the body": _GONE._replace(step=then_fin(_half(NO_ID))),
    "15 FIN behind the id": Fault(then_fin(_half(WITH_ID)), GatewayUnavailable, ACCEPTED),
    "15 FIN behind the id of an error": _GONE._replace(step=then_fin(_half(_ID_IN_AN_ERROR))),
    "15 FIN in the body of a 500": _GONE._replace(step=then_fin(_half(WITH_ID, 500))),
    "15 a length and no body": _GONE._replace(step=then_fin(_half(b""))),
    "16 cut off where nobody can tell": Fault(
        then_fin(raw("HTTP/1.1 200 OK", body=NO_ID)), UnexpectedResponse, UNKNOWN
    ),
    "16 cut off behind the id": Fault(then_fin(raw("HTTP/1.1 200 OK", body=WITH_ID)), UnexpectedResponse, ACCEPTED),
    "17 FIN in a chunk": _GONE._replace(step=then_fin(_half_chunked(NO_ID)[:-9])),
    "17 FIN between chunks": _GONE._replace(step=then_fin(_half_chunked(NO_ID))),
    "17 FIN between chunks behind the id": Fault(then_fin(_half_chunked(WITH_ID)), GatewayUnavailable, ACCEPTED),
    "17 no chunk where one should be": _GONE._replace(step=then_fin(_half_chunked(NO_ID) + b"zz\r\n")),
    "18 gzip": _GONE._replace(step=_zipped),
    "18 gzip cut off, the length right": _GONE._replace(step=_cut_gzip),
    "19 no gzip at all": _GONE._replace(step=answer(b"\x1f\x8b\x08nonsense", headers={"Content-Encoding": "gzip"})),
    # whatever the header says of it, the id of a paid task is in there
    "20 an encoding nobody knows": Fault(_named_compressed, GatewayUnavailable, ACCEPTED),
    "21 a bomb of gzip": _GONE._replace(
        step=answer(gzip.compress(bytes(2**20), 9) * 256, headers={"Content-Encoding": "gzip"})
    ),
    "21 a bomb of brotli": _GONE._replace(
        step=answer(brotli.compress(bytes(2**26), quality=5), headers={"Content-Encoding": "br"})
    ),
    "21 a bomb in capitals": _GONE._replace(
        step=answer(gzip.compress(bytes(2**20), 9) * 64, headers={"Content-Encoding": "X-GZIP, identity"})
    ),
    "22 chunks for ever": Fault(_for_ever, UnexpectedResponse, UNKNOWN),
    "22 chunks for ever behind the id": Fault(_id_and_for_ever, UnexpectedResponse, ACCEPTED),
    "23 longer than it says": _GONE._replace(step=then_fin(answer(b"{}" * 9, headers={"Content-Length": "2"}))),
    "24 no HTTP": _GONE._replace(step=then_fin(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")),
    "24 only line ends": _GONE._replace(step=then_fin(b"\r\n\r\n\r\n")),
    "24 HTTP/2": _GONE._replace(step=then_fin(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80")),
    "24 a status of four digits": _GONE._replace(
        step=then_fin(raw("HTTP/1.1 2000 OK", "Content-Length: 2", body=b"{}"))
    ),
    "24 a status that is no number": _GONE._replace(
        step=then_fin(raw("HTTP/1.1 abc OK", "Content-Length: 2", body=b"{}"))
    ),
    "24 length and chunks": _GONE._replace(
        step=then_fin(raw("HTTP/1.1 200 OK", "Content-Length: 2", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"))
    ),
    "24 two lengths": _GONE._replace(
        step=then_fin(raw("HTTP/1.1 200 OK", "Content-Length: 2", "Content-Length: 3", body=b"{}"))
    ),
    "24 a length below zero": _GONE._replace(step=then_fin(raw("HTTP/1.1 200 OK", "Content-Length: -1", body=b"{}"))),
    "24 a length with a sign": _GONE._replace(step=then_fin(raw("HTTP/1.1 200 OK", "Content-Length: +2", body=b"{}"))),
    "24 a body on a 204": _GONE._replace(step=then_fin(raw("HTTP/1.1 204 No", "Content-Length: 2", body=b"{}"))),
    "24 a header without a colon": _GONE._replace(step=then_fin(raw("HTTP/1.1 200 OK", "nonsense", body=b"{}"))),
    "24 NUL in a header": _GONE._replace(
        step=then_fin(raw("HTTP/1.1 200 OK", "X: \x00", "Content-Length: 2", body=b"{}"))
    ),
    "25 a header of 8,191 bytes": _GONE._replace(step=then_fin(answer(b"{}", headers={"X-Long": "x" * 8191}))),
    "25 two thousand headers": _GONE._replace(
        step=then_fin(answer(b"{}", headers={f"X-{number}": "x" for number in range(2000)}))
    ),
    "26 fifty times 100": Fault(lambda call: raw("HTTP/1.1 100 Continue") * 50 + whole(call), None, ACCEPTED),
    "26 a switch of protocols": Fault(
        then_fin(raw("HTTP/1.1 101 Switching", "Upgrade: h2c")), UnexpectedResponse, UNKNOWN
    ),
    "29 two answers in one segment": Fault(_in_one_segment, None, ACCEPTED),
}
every = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


@every
async def test_a_look_at_a_broken_connection_ends_as_it_must(fault):
    """No fault of the connection gets out as anything but the error for it, and the client is fit for the next look."""
    await assert_look(fault)


@every
async def test_a_wait_goes_on_over_broken_connections(fault):
    """No fault of the connection ends a wait: the song comes."""
    await assert_wait(fault)


@every
async def test_a_bulk_wait_goes_on_over_broken_connections(fault):
    """No fault of the connection ends a bulk wait: every song comes, each once."""
    await assert_many(fault)


@every
async def test_a_submission_over_a_broken_connection_is_sent_once(fault):
    """Whatever broke behind the headers, the gateway is asked once, and the outcome says no more than is known."""
    await assert_submission(fault)


# nothing was sent: 1 to 6


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


async def assert_nothing_sent(url: str, kind: type[Exception] = GatewayUnavailable) -> None:
    """A look and a submission end with an error that is fit to be shown, and nobody says "unknown"."""
    async with client(url) as suno:
        for verb in (suno.fetch("task_1"), suno.submit(CAT)):
            with pytest.raises(kind) as caught:
                await verb
            assert_fit_to_be_shown(caught.value)


async def test_a_refused_connection_is_waited_out():
    """1: a port where nobody listens ends a look and a submission; a wait goes on until somebody listens there."""
    port = _free_port()
    await assert_nothing_sent(f"http://127.0.0.1:{port}")
    async with client(f"http://127.0.0.1:{port}") as suno, anyio.create_task_group() as group:
        found: list[object] = []

        async def wait() -> None:
            found.append(await suno.wait("task_1", timeout=600))

        group.start_soon(wait)
        await anyio.sleep(3)
        assert not found
        async with Wire(whole, port=port) as wire:
            await until(lambda: found)
            assert wire.asked == 1


class Unhurried(Hasty):
    """A loop on which there is time to do something between two attempts."""

    speed = 4.0


@pytest.mark.parametrize("anyio_backend", [("asyncio", {"loop_factory": Unhurried})], ids=["unhurried"])
async def test_a_submission_that_was_refused_a_connection_leaves_once_somebody_listens():
    """1: proven not sent, it is tried again, and what is sent then is sent once."""
    port, loop = _free_port(), asyncio.get_running_loop()
    async with client(f"http://127.0.0.1:{port}", rng=Patient()) as suno, anyio.create_task_group() as group:
        outcomes: list[str] = []

        async def submit() -> None:
            outcomes.append(await outcome_of(suno.submit(CAT), wire))

        wire = Wire(whole, port=port)
        group.start_soon(submit)
        await until(lambda: loop.attempts == 1 and not loop.connecting)
        async with wire:
            await until(lambda: outcomes)
            assert outcomes == [ACCEPTED]
            assert wire.asked == 1


async def test_a_name_that_nobody_knows_is_waited_out(monkeypatch):
    """2: the same for a host without an address."""
    async with Wire(whole) as wire:
        url = f"http://localhost:{wire.port}"
        with monkeypatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", no_such_name)
            await assert_nothing_sent(url)
            async with client(url) as suno, anyio.create_task_group() as group:
                found: list[object] = []

                async def wait() -> None:
                    found.append(await suno.wait("task_1", timeout=600))

                group.start_soon(wait)
                await anyio.sleep(3)
                assert not found
                assert wire.connections == 0
                patch.undo()
                await until(lambda: found)
        assert wire.asked == 1


async def test_a_connection_that_is_never_accepted_sends_nothing():
    """3: SYN and no answer ends a look, and a submission with "not sent"."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        address = listening.getsockname()
        with socket.create_connection(address, timeout=1):
            await assert_nothing_sent(f"http://127.0.0.1:{address[1]}")


async def test_a_certificate_that_nobody_vouches_for_ends_a_first_look():
    """4: told as a matter of configuration, not tried again, and nothing is sent to whoever shows it."""
    loop = asyncio.get_running_loop()
    async with Wire(whole, tls=unvouched()) as wire, client(wire.url) as suno:
        for verb in (suno.fetch("task_1"), suno.wait("task_1", timeout=600)):
            with pytest.raises(ConfigurationError, match="certificate is refused") as caught:
                await verb
            assert_fit_to_be_shown(caught.value)
        with pytest.raises((ConfigurationError, GatewayUnavailable), match="not valid for this host") as caught:
            await suno.submit(CAT)
        assert_fit_to_be_shown(caught.value)
        assert loop.attempts == 3
        assert wire.asked == 0


async def test_a_certificate_that_expires_under_a_wait_does_not_end_it(monkeypatch):
    """4: what is known to be a gateway may have trouble with its certificate: the wait goes on when that is over."""
    loop = asyncio.get_running_loop()
    authority = trustme.CA()
    good = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(good)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", trusting)
    port = _free_port()
    async with client(f"https://127.0.0.1:{port}") as suno, anyio.create_task_group() as group:
        found: list[object] = []

        async def wait() -> None:
            found.append(await suno.wait("task_1", timeout=3000))

        async with Wire(_then_closed, tls=good, port=port) as wire:
            group.start_soon(wait)
            await until(lambda: wire.asked == 1)
        async with Wire(whole, tls=unvouched(), port=port) as impostor:
            before = loop.attempts
            await until(lambda: loop.attempts >= before + 2)
            assert impostor.asked == 0
        assert not found
        async with Wire(whole, tls=good, port=port) as wire:
            await until(lambda: found)
            assert wire.asked >= 1


async def _then_closed(call: Call) -> None:
    await call.send(seen(call, "IN_PROGRESS"))
    call.fin()


@pytest.mark.parametrize("greeting", [b"220 mail.example ESMTP\r\n", b""], ids=["plain port", "stuck"])
async def test_tls_that_comes_to_nothing_sends_nothing(greeting):
    """5: no handshake, no request: a plain port, and one that never says a word."""

    async def listen(stream) -> None:
        async with stream:
            if greeting:
                await stream.send(greeting)
            heard.append(await stream.receive())
            await anyio.sleep_forever()

    heard: list[bytes] = []
    plain = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with plain, anyio.create_task_group() as group:
        group.start_soon(plain.serve, listen)
        port = plain.extra(SocketAttribute.local_port)  # noqa: S610 - not Django's
        await assert_nothing_sent(f"https://127.0.0.1:{port}")
        group.cancel_scope.cancel()
    assert heard
    assert not any(b"HTTP" in said or KEY.encode() in said for said in heard)


async def test_a_queue_for_the_pool_is_no_outage_and_stops_no_submission():
    """6: one look hangs in the only connection; the next one ends in its own time, and a submission passes both."""

    async def step(call: Call) -> bytes | None:
        return await follow(whole if call.method == "POST" else then_stall(b""), call)

    async with Wire(step) as wire, client(wire.url, concurrency=1, timeout=5.0) as suno:
        async with anyio.create_task_group() as group:
            group.start_soon(suno.wait, "task_9")
            await until(lambda: wire.asked == 1)
            with pytest.raises(GatewayUnavailable) as caught:
                await suno.fetch("task_1")
            assert_fit_to_be_shown(caught.value)
            assert await outcome_of(suno.submit(CAT), wire) == ACCEPTED
            group.cancel_scope.cancel()
        assert len(wire.posts) == 1


# it was sent, and the answer does not come: 7 to 10, 26


async def _drip_headers(call: Call) -> None:
    await call.send(b"HTTP/1.1 200 OK\r\n")
    await call.drip(b"X: y\r\n" * 10**6, 2.0)


async def _drip_body(call: Call) -> None:
    await call.send(raw("HTTP/1.1 200 OK", "Content-Length: 1000000"))
    await call.drip(b"x" * 10**6, 2.0)


async def _drip_the_rest(call: Call) -> None:
    await call.send(_half(WITH_ID))
    await call.drip(b" " * 10**6, 2.0)


async def _endless_103(call: Call) -> None:
    for _ in range(10**6):
        await call.send(raw("HTTP/1.1 103 Early Hints", "Link: </x>"))
        await anyio.sleep(1)


SLOW = {
    "7 no headers ever": _GONE._replace(step=then_stall(b"")),
    "8 headers that drip": _GONE._replace(step=_drip_headers),
    "9 a body that drips": _GONE._replace(step=_drip_body),
    "9 a body that drips behind the id": Fault(_drip_the_rest, GatewayUnavailable, ACCEPTED),
    "10 a body that stalls": _GONE._replace(step=then_stall(_half(NO_ID))),
    "10 a body that stalls behind the id": Fault(then_stall(_half(WITH_ID)), GatewayUnavailable, ACCEPTED),
    "26 103 for ever": _GONE._replace(step=_endless_103),
}
slow = pytest.mark.parametrize("fault", SLOW.values(), ids=SLOW)


@slow
async def test_a_look_at_a_gateway_that_takes_its_time_ends_in_time(fault):
    """Nothing hangs: the deadline is the look's own, however busy the gateway keeps the connection."""
    await assert_look(fault, timeout=5.0)


@slow
async def test_a_wait_goes_on_over_a_gateway_that_takes_its_time(fault):
    """What hangs is given up and asked for again: the song comes."""
    await assert_wait(fault, timeout=5.0)
    await assert_many(fault, timeout=5.0)


class Hastier(Hasty):
    """A loop on which two minutes take two seconds."""

    speed = 60.0


@pytest.mark.parametrize("anyio_backend", [("asyncio", {"loop_factory": Hastier})], ids=["hastier"])
async def test_a_submission_to_a_gateway_that_takes_its_time_is_sent_once():
    """Two minutes of waiting make it unknown, or accepted where the id had come; they do not make it two."""
    async with anyio.create_task_group() as group:
        for fault in SLOW.values():
            group.start_soon(assert_submission, fault)


# somebody else's answer: 12, 27, 28, 30


def _leaving(stray: bytes) -> Step:
    """A proper answer, and a moment later, on the idle connection, another one."""

    async def step(call: Call) -> None:
        await call.send(seen(call) if call.method == "GET" else whole(call))
        if call.connection == 1:
            await anyio.sleep(0.5)
            await call.send(stray)

    return step


STRAYS = {
    "27 another task's row": told(row("task_9", "FAILURE")),
    "27 an accepted submission": answer({"code": "success", "message": "", "data": "task_9"}),
    "27 a row that names no task": answer({"code": "success", "data": [{"id": "c", "audio_url": "https://x/9.mp3"}]}),
    "27 garbage": b"\x00\x01\x02\r\n\r\n",
    "28 an idle 408": answer(status=408),
    "28 400 and goodbye": raw("HTTP/1.1 400 Bad Request", "Connection: close", "Content-Length: 0"),
}


strays = pytest.mark.parametrize("stray", STRAYS.values(), ids=STRAYS)


@strays
async def test_a_stray_answer_is_nobodys(stray):
    """27, 28: what comes on an idle connection is not taken for the answer to the next look."""
    async with Wire(_leaving(stray)) as wire, client(wire.url) as suno:
        assert_song(await suno.fetch("task_1"))
        await anyio.sleep(3)
        task = await suno.fetch("task_2")
        assert (task.task_id, task.status) == ("task_2", "SUCCESS")


@strays
async def test_a_stray_answer_ends_no_wait(stray):
    """27, 28: nor to the next look of a wait, alone or one of many."""
    async with Wire(_leaving(stray)) as wire, client(wire.url) as suno:
        for task_ids in (["task_2"], ["task_3", "task_4"]):
            assert_song(await suno.fetch("task_1"))
            await anyio.sleep(3)
            done = {task.task_id: task.status async for task in suno.as_completed(task_ids, timeout=600)}
            assert done == dict.fromkeys(task_ids, "SUCCESS")


@strays
async def test_a_submission_never_reads_a_stray_answer(stray):
    """27, 28: the idle connection with the stray answer on it is there, and a submission does not use it."""
    async with Wire(_leaving(stray)) as wire, client(wire.url) as suno:
        assert_song(await suno.fetch("task_1"))
        await anyio.sleep(3)
        assert await outcome_of(suno.submit(CAT), wire) == ACCEPTED
        assert [call.connection for call in wire.calls] == [1, 2]


@strays
async def test_a_submission_leaves_no_connection_for_the_next_one(stray):
    """27, 28: what comes behind the answer to a submission reaches nobody: the next one has its own connection."""
    answered = whole(Call(b"POST /suno/submit/music HTTP/1.1\r\n\r\n", 1, 1, (None, None)))

    async def step(call: Call) -> bytes | None:
        await call.send(answered)
        await anyio.sleep(0.5)
        return stray if call.number == 1 else None

    async with Wire(step) as wire, client(wire.url) as suno:
        for _ in range(3):
            assert await outcome_of(suno.submit(CAT), wire) == ACCEPTED
            await anyio.sleep(3)
        assert [call.connection for call in wire.calls] == [1, 2, 3]


@pytest.mark.parametrize("verb", ["look", "submit"])
async def test_an_idle_connection_that_ends_this_moment_costs_nothing(verb):
    """12: the gateway says goodbye while a request leaves: the look is made again, the submission is sent once."""
    async with Wire(whole) as wire, client(wire.url) as suno:
        assert_song(await suno.fetch("task_1"))
        wire.calls[0].fin()
        if verb == "look":
            assert_song(await suno.fetch("task_1"))
        else:
            assert await outcome_of(suno.submit(CAT), wire) == ACCEPTED
            assert len(wire.posts) == 1
        assert wire.connections == 2


async def test_proxies_of_the_environment_see_neither_looks_nor_submissions(monkeypatch):
    """30: no request and no key goes to what HTTP_PROXY and its kin name."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with Wire(whole) as proxy, Wire(whole) as wire:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        async with client(wire.url) as suno:
            assert_song(await suno.fetch("task_1"))
            assert_song(await suno.wait("task_1"))
            assert await outcome_of(suno.submit(CAT), wire) == ACCEPTED
        assert (wire.asked, proxy.connections) == (3, 0)
