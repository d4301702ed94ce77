"""The network: two HTTP sessions, the key, the limits of time and size, and how far a request has come.

Looks share pooled connections. Each submission has a connection of its own: on a pooled one aiohttp hands a stray
answer to the next request, even to a POST (aio-libs/aiohttp#13656), and a paid task is too dear for that.
Nothing of aiohttp leaves this file: its exceptions carry the request's headers, and so the key.
"""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Self

import aiohttp
import anyio
from multidict import CIMultiDict
from yarl import URL

from ..protocol.exchange import Answer, Broken, Request
from ..protocol.inputs import Address, Secret

_MOST_BYTES = 4 * 2**20
_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 15.0
_SUBMIT_SECONDS = 120.0
"""A gateway may itself wait long for its upstream, and lyrics are written inside the POST: a short end of ours would
make unknown submissions."""
_JSON = {"Content-Type": "application/json"}
_BREAKS = (aiohttp.ClientError, TimeoutError, OSError, ValueError)


class _Progress:
    """How far one request has come."""

    __slots__ = ("received", "sent")

    def __init__(self) -> None:
        self.sent = False
        self.received = b""


class Transport:
    """One gateway, asked with one key. Open it with ``async with``; it never raises what it can return."""

    def __init__(self, address: Address, key: Secret, *, timeout: float, concurrency: int) -> None:
        self._base = address.base
        self._key = key
        self._concurrency = concurrency
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=_CONNECT_SECONDS, sock_read=_SILENCE_SECONDS)
        self._secret = b""
        self._looks: aiohttp.ClientSession
        self._single: aiohttp.ClientSession
        self._retired: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._secret = self._key.reveal().encode()
        self._looks = self._session(aiohttp.TCPConnector(limit=self._concurrency, keepalive_timeout=15))
        self._single = self._session(aiohttp.TCPConnector(limit=0, force_close=True), traces=[_phases()])
        return self

    async def __aexit__(self, *_: object) -> None:
        with anyio.CancelScope(shield=True):
            for session in (self._looks, self._single, self._retired):
                if session is not None:
                    await session.close()

    def _session(
        self, connector: aiohttp.TCPConnector, traces: list[aiohttp.TraceConfig] | None = None
    ) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            raise_for_status=False,
            trace_configs=traces,
            # gateways do not compress, even if asked; what is compressed all the same is not opened: no bombs
            headers={
                "Authorization": f"Bearer {self._secret.decode()}",
                "Accept-Encoding": "identity",
                "Accept": "application/json",
                "User-Agent": "suno_async",
            },
        )
        # aiohttp sends a GET again by itself when the connection breaks; what is asked twice is ours to decide
        session._retry_connection = False  # noqa: SLF001 - no public switch; a test counts the requests
        return session

    def renew_key(self) -> bool:
        """Ask a callable key once more; True if it gave another one, which is used from now on."""
        if not self._key.renewable:
            return False
        before, self._secret = self._secret, self._key.reveal().encode()
        for session in (self._looks, self._single):
            session.headers["Authorization"] = f"Bearer {self._secret.decode()}"
        return self._secret != before

    async def look(self, request: Request, *, fresh: bool = False, timeout: float | None = None) -> Answer | Broken:
        """The answer to a request that may be sent again; ``fresh`` on a connection that served nothing else."""
        limits = self._timeout
        if timeout is not None:
            limits = aiohttp.ClientTimeout(timeout, sock_connect=_CONNECT_SECONDS, sock_read=_SILENCE_SECONDS)
        return await self._exchange(self._single if fresh else self._looks, request, limits, fresh=fresh)

    async def submit(self, request: Request) -> Answer | Broken:
        """The answer to a request that must not be sent twice, or how far it came."""
        limits = aiohttp.ClientTimeout(total=_SUBMIT_SECONDS, sock_connect=_CONNECT_SECONDS)
        return await self._exchange(self._single, request, limits, fresh=True)

    async def distrust(self) -> None:
        """Use none of the pooled connections again: one of them answers with what was asked before."""
        old, self._retired = self._retired, self._looks
        self._looks = self._session(aiohttp.TCPConnector(limit=self._concurrency, keepalive_timeout=15))
        if old is not None:
            await old.close()

    async def _exchange(
        self, session: aiohttp.ClientSession, request: Request, limits: aiohttp.ClientTimeout, *, fresh: bool
    ) -> Answer | Broken:
        progress = _Progress()
        response = None
        try:
            response = await session.request(
                request.method,
                URL(self._base + request.path, encoded=True),
                data=request.body,
                headers=_JSON if request.body is not None else None,
                allow_redirects=False,
                timeout=limits,
                trace_request_ctx=progress,
            )
            return await self._read(response, progress, fresh=fresh)
        except asyncio.CancelledError as cancelled:
            # the frames it came through hold the key among their locals
            cancelled.__context__ = None
            raise cancelled.with_traceback(None) from None
        except _BREAKS as error:
            return self._broken(error, progress)
        finally:
            if response is not None:
                # closes the connection unless the whole answer was read
                response.close()

    async def _read(self, response: aiohttp.ClientResponse, progress: _Progress, *, fresh: bool) -> Answer | Broken:
        progress.sent = True
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            return Broken("the answer is compressed, though nobody asked for that")
        content = response.content
        while not content.at_eof():
            progress.received += await content.readany()
            if len(progress.received) > _MOST_BYTES:
                start = progress.received[:800].replace(self._secret, b"***")
                return Broken(f"the answer is longer than {_MOST_BYTES:,} bytes", received=start, oversized=True)
        return self._answer(response, progress.received, fresh=fresh)

    def _answer(self, response: aiohttp.ClientResponse, body: bytes, *, fresh: bool) -> Answer:
        """The answer, the key taken out wherever the gateway echoes it."""
        if self._secret in body:
            body = body.replace(self._secret, b"***")
        headers: Mapping[str, str] = response.headers
        if response.status != 200 or not body.startswith(b'{"code":"success"'):
            key = self._secret.decode()
            headers = CIMultiDict((name, value) for name, value in headers.items() if key not in value)
        return Answer(response.status, headers, body, fresh)

    def _broken(self, error: BaseException, progress: _Progress) -> Broken:
        certificate = isinstance(error, aiohttp.ClientConnectorCertificateError)
        received = progress.received.replace(self._secret, b"***")
        return Broken(_reason(error), sent=progress.sent, received=received, certificate=certificate)


def _phases() -> aiohttp.TraceConfig:
    """Tells when the headers of a request have left: before that, nothing has (one-sided, and never wrong)."""
    config: aiohttp.TraceConfig = aiohttp.TraceConfig()

    async def note(_session: object, context: SimpleNamespace, _params: object) -> None:
        context.trace_request_ctx.sent = True

    config.on_request_headers_sent.append(note)
    return config


def _reason(error: BaseException) -> str:
    """What broke, in words of ours: aiohttp's own texts hold whatever the other side sent."""
    for kind, words in _REASONS:
        if isinstance(error, kind):
            return words
    return type(error).__name__


_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ClientConnectorCertificateError, "not valid for this host, or from an authority unknown here"),
    (aiohttp.ClientConnectorDNSError, "its host name cannot be found"),
    (aiohttp.ConnectionTimeoutError, "no connection in time"),
    (aiohttp.ClientConnectorError, "the connection was refused"),
    (TimeoutError, "no answer in time"),
    (aiohttp.ServerDisconnectedError, "it closed the connection before it answered"),
    (aiohttp.ClientPayloadError, "the answer was cut off"),
    (aiohttp.ClientResponseError, "the answer is no proper HTTP"),
    (ConnectionResetError, "it broke the connection off"),
)
