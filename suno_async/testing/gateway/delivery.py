"""Answers on their way to the client: whole, or broken as the faults say."""

import socket
import struct
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, suppress
from typing import NoReturn

import anyio
from aiohttp import web

from .answers import Answer
from .clock import Clock

DRIPS = 20  # pieces, one a second of gateway time


async def whole(answer: Answer, headers: dict[str, str]) -> web.StreamResponse:
    """The answer as it should arrive."""
    return web.Response(body=answer.body, status=answer.status, headers=headers)


async def reset(request: web.BaseRequest) -> web.StreamResponse:
    """Reset the connection (RST, not FIN)."""
    if (transport := request.transport) is not None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


async def hang() -> NoReturn:
    """Say nothing; the server cancels its handlers when their clients leave."""
    while True:
        await anyio.sleep_forever()


async def truncated(request: web.BaseRequest, answer: Answer, headers: dict[str, str]) -> web.StreamResponse:
    """Promise the whole body, send half of it, close."""
    response = web.StreamResponse(status=answer.status, headers=headers)
    response.content_length = len(answer.body)
    response.force_close()
    with suppress(ConnectionError):  # the client may have left
        await response.prepare(request)
        await response.write(answer.body[: len(answer.body) // 2])
    return response


async def drip(request: web.BaseRequest, answer: Answer, headers: dict[str, str], clock: Clock) -> web.StreamResponse:
    """Send the body in small pieces, one a second of gateway time."""
    response = web.StreamResponse(status=answer.status, headers=headers)
    response.content_length = len(answer.body)
    with suppress(ConnectionError):
        await response.prepare(request)
        for piece in _pieces(answer.body):
            await clock.sleep(1.0)
            await response.write(piece)
    return response


async def stream(request: web.BaseRequest, answer: Answer, headers: dict[str, str]) -> web.StreamResponse:
    """Send the body in chunks, without its length: a song that is still being made."""
    response = web.StreamResponse(status=answer.status, headers=headers)
    with suppress(ConnectionError):
        await response.prepare(request)
        for piece in _pieces(answer.body):
            await response.write(piece)
    return response


async def live(
    request: web.BaseRequest, answer: Answer, headers: dict[str, str], made: AsyncGenerator[bytes, None]
) -> web.StreamResponse:
    """Send what is being made, piece by piece, for as long as the client stays."""
    response = web.StreamResponse(status=answer.status, headers=headers)
    async with aclosing(made) as pieces:
        with suppress(ConnectionError):
            await response.prepare(request)
            async for piece in pieces:
                await response.write(piece)
    return response


def _pieces(body: bytes) -> Iterator[bytes]:
    size = max(1, -(-len(body) // DRIPS))
    return (body[start : start + size] for start in range(0, len(body), size))
