"""The uploads: a file to where a gateway keeps it. The key does not go there, nor does a request to our own network."""

import asyncio
import io
import socket
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from ..protocol.exchange import Answer, Broken
from ..protocol.places import Place, is_public

_CONNECT_SECONDS = 10.0
_MOST_BYTES = 65_536
"""What a storage answers is read as far as this."""


async def store(
    place: Place, data: bytes, *, filename: str, fields: Mapping[str, str] | None, timeout: float
) -> Answer | Broken:
    """What a storage answered to a file; redirects are not followed.

    With ``fields`` it is posted as a form, the file last, as S3 wants it; without them it is put.
    """
    connector = aiohttp.TCPConnector(force_close=True, resolver=None if place.own else PublicResolver())
    limits = aiohttp.ClientTimeout(total=timeout, sock_connect=_CONNECT_SECONDS)
    try:
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            timeout=limits,
            headers={"User-Agent": "suno_async", "Accept-Encoding": "identity"},
        ) as session:
            # aiohttp sends a PUT again by itself when the connection breaks
            session._retry_connection = False  # noqa: SLF001 - no public switch
            # as a file: aiohttp would write large bytes in one piece, and hold up the loop
            file = io.BytesIO(data)
            method, body = ("PUT", file) if fields is None else ("POST", _form(fields, file, filename))
            # as it is written: it may be signed
            url = URL(place.url, encoded=True)
            async with session.request(method, url, data=body, allow_redirects=False) as response:
                return Answer(response.status, dict(response.headers), await _start(response.content))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        reason = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
        return Broken(f"the storage of the upload could not be reached: {reason}", late=isinstance(error, TimeoutError))


def _form(fields: Mapping[str, str], file: io.BytesIO, filename: str) -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False)
    for name, value in fields.items():
        form.add_field(name, value)
    kind = next((value for name, value in fields.items() if name.lower() == "content-type"), None)
    form.add_field("file", file, filename=filename, content_type=kind or "application/octet-stream")
    return form


async def _start(content: aiohttp.StreamReader) -> bytes:
    try:
        return await content.readexactly(_MOST_BYTES)
    except asyncio.IncompleteReadError as whole:
        return whole.partial


class PublicResolver(AbstractResolver):
    """Finds addresses on the internet only: a name may lead into our own network."""

    def __init__(self) -> None:
        self._inner: Any = aiohttp.DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The public ones of a host's addresses; OSError if there is none."""
        found: list[ResolveResult] = await self._inner.resolve(host, port, family)
        public = [one for one in found if is_public(one["host"])]
        if not public:
            raise OSError(None, f"{host} has no public address")
        return public

    async def close(self) -> None:
        """Closes what it asks."""
        await self._inner.close()
