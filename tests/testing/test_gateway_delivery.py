"""Answers that do not arrive whole."""

import math
import time

import aiohttp
import anyio
import pytest
from aiohttp import web

from suno_async.testing import Gateway
from suno_async.testing.gateway import delivery
from suno_async.testing.gateway.answers import Answer
from suno_async.testing.gateway.clock import Clock


async def test_a_reset_is_a_reset(ask, gateway):
    """connection_reset ends in ECONNRESET before a byte, for a POST, which nobody repeats."""
    gateway.faults.once("connection_reset")
    with pytest.raises(aiohttp.ClientOSError) as caught:
        await ask("POST", "/suno/fetch", json={"ids": []})
    assert isinstance(caught.value, ConnectionResetError) or caught.value.errno == 104


async def test_a_truncated_answer_breaks_off(ask, gateway):
    """The fault promises the whole length and closes in the middle."""
    gateway.faults.once("truncated")
    with pytest.raises(aiohttp.ClientPayloadError):
        await ask("POST", "/suno/fetch", json={"ids": []})


async def test_a_drip_is_slow_and_whole(dial):
    """The fault takes some twenty seconds of gateway time and delivers every byte."""
    async with Gateway(speed=200, beat=math.inf) as gateway, dial(gateway) as ask:
        gateway.faults.once("drip")
        before = time.perf_counter()
        reply = await ask("POST", "/suno/fetch", json={"ids": []})
        assert reply.data == []
        assert time.perf_counter() - before > 0.06


async def test_a_stream_comes_in_chunks_and_whole(ask):
    """The song that is still being made has no length, and every byte of the file."""
    clip = "12345678-1234-1234-1234-123456789abc"
    reply = await ask("GET", f"/audiopipe/?item_id={clip}")
    assert "Content-Length" not in reply.headers
    assert reply.body == (await ask("GET", f"/audio/{clip}.wav")).body


async def test_what_is_being_made_is_sent_as_it_comes(dial):
    """Piece by piece, without a length, and to its end."""
    async with Gateway(profile="private", speed=2000, failure_rate=0) as gateway, dial(gateway) as ask:
        body = {"model": "suno-v3", "messages": [{"role": "user", "content": "a cat"}], "stream": True}
        reply = await ask("POST", "/v1/chat/completions", json=body)
    assert "Content-Length" not in reply.headers
    assert reply.body.endswith(b"data: [DONE]\n\n")


async def test_a_hang_lasts_as_long_as_the_client(ask, gateway):
    """The gateway says nothing, and its handler ends when the client leaves."""
    gateway.faults.once("hang")
    with pytest.raises(TimeoutError):
        await ask("POST", "/suno/fetch", json={"ids": []}, timeout=aiohttp.ClientTimeout(total=0.1))
    assert (await ask("POST", "/suno/fetch", json={"ids": []})).status == 200


async def test_a_client_that_has_left_is_no_error():
    """Resetting or truncating towards nobody does nothing."""

    class Gone:
        transport = None

    assert (await delivery.reset(Gone())).status == 200


@pytest.mark.parametrize("way", ["truncated", "drip", "stream", "live"])
async def test_an_answer_to_nobody_is_no_error(way):
    """A client that leaves just before its answer begins is missed by nobody; what was made for it ends."""
    answer, clock, ended = Answer(200, b"x" * 100), Clock(1000), []

    async def making():
        while True:
            yield b"piece"

    made = making()
    more = {"drip": [clock], "live": [made]}.get(way, [])

    async def leave(request):
        request.transport.close()
        response = await getattr(delivery, way)(request, answer, {}, *more)
        ended.append(response)
        return response

    runner = web.ServerRunner(web.Server(leave))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await session.post(f"http://127.0.0.1:{runner.addresses[0][1]}/")
    finally:
        await runner.cleanup()
    assert len(ended) == 1
    if way == "live":
        with pytest.raises(StopAsyncIteration):
            await anext(made)


async def test_a_hang_never_answers():
    """Nothing but cancellation ends a hang."""
    with anyio.move_on_after(0.01) as scope:
        await delivery.hang()
    assert scope.cancelled_caught
