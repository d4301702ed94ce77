"""The network: two HTTP sessions, the key, the limits of time and size, and how far a request has come.

Looks share pooled connections. Each submission has a connection of its own: on a pooled one aiohttp hands a stray
answer to the next request, even to a POST (aio-libs/aiohttp#13656), and a paid task is too dear for that.
Nothing of aiohttp leaves this file: its exceptions carry the request's headers, and so the key.
"""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from types import SimpleNamespace
from typing import Any, Self

import aiohttp
import anyio
from multidict import CIMultiDict
from yarl import URL

from ..protocol.exchange import Answer, Broken, Request
from ..protocol.inputs import Address, Secret

logger = logging.getLogger("suno_async")

_MOST_BYTES = 4 * 2**20
_CONNECT_SECONDS = 10.0
_SUBMIT_SECONDS = 120.0
"""A gateway may itself wait long for its upstream, and lyrics are written inside the POST: a short end of ours would
make unknown submissions."""
_JSON = {"Content-Type": "application/json"}
# RuntimeError: the session, or its loop, was closed under the request
_BREAKS = (aiohttp.ClientError, TimeoutError, OSError, ValueError, RuntimeError)
_KEYS_KNOWN = 3


class _Progress:
    """How far one request has come."""

    __slots__ = ("received", "sent")

    def __init__(self, *, sent: bool) -> None:
        self.sent = sent
        self.received = b""


class Transport:
    """One gateway, asked with one key. Open it with ``async with``; it never raises what it can return."""

    def __init__(self, address: Address, key: Secret, *, timeout: float, concurrency: int) -> None:
        self._base = address.base
        self._key = key
        self._concurrency = concurrency
        # one clock for a look: a second one, for silence, would cost a timer for every piece that comes
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=_CONNECT_SECONDS)
        self._secrets: tuple[bytes, ...] = ()
        """The key, and before it those it took the place of: an answer may echo the one it was asked with."""
        self._looks: aiohttp.ClientSession
        self._single: aiohttp.ClientSession
        self._retired: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._secrets = (self._key.reveal().encode(),)
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
                "Authorization": f"Bearer {self._secrets[0].decode()}",
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
        try:
            key = self._key.reveal().encode()
        except Exception as error:  # noqa: BLE001 - the caller's own function, and the looks of all ids hang on it
            logger.warning("there is no other key: the function that gives it raised %s", type(error).__name__)
            return False
        if key == self._secrets[0]:
            return False
        self._secrets = (key, *self._secrets)[:_KEYS_KNOWN]
        for session in (self._looks, self._single):
            session.headers["Authorization"] = f"Bearer {key.decode()}"
        return True

    def look(
        self, request: Request, *, fresh: bool = False, timeout: float | None = None
    ) -> Coroutine[Any, Any, Answer | Broken]:
        """The answer to a request that may be sent again; ``fresh`` on a connection that served nothing else."""
        limits = self._timeout
        if timeout is not None:
            limits = aiohttp.ClientTimeout(timeout, sock_connect=_CONNECT_SECONDS)
        return self._exchange(self._single if fresh else self._looks, request, limits, fresh=fresh)

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
        # only the single connections tell how far a request came; of a pooled one nothing is proven
        progress = _Progress(sent=not fresh)
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
        compressed = response.headers.get("Content-Encoding", "identity").lower() != "identity"
        content = response.content
        # what only says that it is compressed may hold the id of a paid task, so that is read, though never inflated
        while not content.at_eof() and (fresh or not compressed):
            progress.received += await content.readany()
            if len(progress.received) > _MOST_BYTES:
                # before the cut: it could leave half a key
                start = self._without_key(progress.received)[:800]
                return Broken(f"the answer is longer than {_MOST_BYTES:,} bytes", received=start, oversized=True)
        if compressed:
            left = self._without_key(progress.received)
            return Broken("the answer is compressed, though nobody asked for that", received=left)
        return self._answer(response, progress.received, fresh=fresh)

    def _answer(self, response: aiohttp.ClientResponse, body: bytes, *, fresh: bool) -> Answer:
        """The answer, the key taken out wherever the gateway echoes it."""
        headers: Mapping[str, str] = response.headers
        said = b"\n".join([value for _, value in response.raw_headers])
        if self._without_key(said) is not said:
            keys = [secret.decode() for secret in self._secrets]
            headers = CIMultiDict(item for item in headers.items() if not any(key in item[1] for key in keys))
        return Answer(response.status, headers, self._without_key(body), fresh)

    def _without_key(self, data: bytes) -> bytes:
        for secret in self._secrets:
            if secret in data:
                data = data.replace(secret, b"***")
        return data

    def _broken(self, error: BaseException, progress: _Progress) -> Broken:
        certificate = isinstance(error, aiohttp.ClientConnectorCertificateError)
        received = self._without_key(progress.received)
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
    (aiohttp.ClientSSLError, "no TLS there, or none that is understood here"),
    (aiohttp.ClientConnectorError, "the connection was refused"),
    (TimeoutError, "no answer in time"),
    (aiohttp.ServerDisconnectedError, "it closed the connection before it answered"),
    (aiohttp.ClientPayloadError, "the answer was cut off"),
    (aiohttp.ClientResponseError, "the answer is no proper HTTP"),
    (OSError, "it broke the connection off"),
    (RuntimeError, "the client was closed"),
)
