"""The network: two HTTP sessions, the key, the limits of time and size, and how far a request has come.

Looks share pooled connections. Each submission has a connection of its own: on a pooled one aiohttp hands a stray
answer to the next request, even to a POST (aio-libs/aiohttp#13656), and a paid task is too dear for that.
Nothing of aiohttp leaves this file: its exceptions carry the request's headers, and so the key.
"""

import asyncio
import json
import logging
import re
from collections import Counter
from collections.abc import Coroutine, Mapping
from types import SimpleNamespace
from typing import Any, Self
from urllib.parse import quote

import aiohttp
import anyio
from multidict import CIMultiDict
from yarl import URL

from ..protocol.exchange import Answer, Broken, Request
from ..protocol.inputs import Address, Secret

logger = logging.getLogger("suno_async")

_MOST_BYTES = 4 * 2**20
_FAT = 2**16
"""aiohttp lets a head of two megabytes pass, and keeps it twice: behind one the body is given this much."""
_CONNECT_SECONDS = 10.0
_SUBMIT_SECONDS = 120.0
"""A gateway may itself wait long for its upstream, and lyrics are written inside the POST: a short end of ours would
make unknown submissions."""
_JSON = {"Content-Type": "application/json"}
# RuntimeError: the session, or its loop, was closed under the request
_BREAKS = (aiohttp.ClientError, TimeoutError, OSError, ValueError, RuntimeError)
_KEYS_KNOWN = 3
_REFUSED = (401, 403)
_PREFIX = "sk-"
_LEAST_SECRET = 20
"""What is shorter may be any word."""
_LEAST_CUT = 4


class _Progress:
    """How far one request has come."""

    __slots__ = ("key", "received", "sent", "status")

    def __init__(self, key: bytes, *, sent: bool) -> None:
        self.key = key
        """The one it is asked with: there may be another one when the answer comes."""
        self.sent = sent
        self.status = 0
        self.received = bytearray()
        """Grows in place: bytes would be copied for every piece, and an answer may come in a million of them."""


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
        self._token = b""
        """The account's access token, once it was used."""
        self._needles: tuple[bytes, ...] = ()
        """The secrets in every form in which they are echoed."""
        self._refused = b""
        """The key of the last request that was refused, until somebody asked for another one."""
        self._looks: aiohttp.ClientSession
        self._single: aiohttp.ClientSession
        self._served = False
        """An answer has come over the connections in use."""
        self._flying: Counter[aiohttp.ClientSession] = Counter()
        self._retired: set[aiohttp.ClientSession] = set()

    async def __aenter__(self) -> Self:
        self._use(self._key.reveal().encode())
        self._looks = self._session(aiohttp.TCPConnector(limit=self._concurrency, keepalive_timeout=15))
        self._single = self._session(aiohttp.TCPConnector(limit=0, force_close=True), traces=[_phases()])
        return self

    async def __aexit__(self, *_: object) -> None:
        with anyio.CancelScope(shield=True):
            for session in (self._looks, self._single, *self._retired):
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
        """True if there is another key than the one refused last: in use by now, or given by the callable."""
        refused, self._refused = self._refused, b""
        if not self._key.renewable:
            return False
        if refused and refused != self._secrets[0]:
            # others were refused too, and one of them was here before
            return True
        try:
            key = self._key.reveal().encode()
        except Exception as error:  # noqa: BLE001 - the caller's own function, and the looks of all ids hang on it
            logger.warning("there is no other key: the function that gives it raised %s", type(error).__name__)
            return False
        if key == self._secrets[0]:
            return False
        self._use(key)
        for session in (self._looks, self._single):
            session.headers["Authorization"] = f"Bearer {key.decode()}"
        return True

    def _headers(self, request: Request) -> dict[str, str] | None:
        if request.account is None:
            return _JSON if request.body is not None else None
        token = request.account.access_token.reveal()
        self._token = token.encode()
        self._arm()
        return {"Authorization": token, "New-Api-User": str(request.account.user_id)}

    def _use(self, key: bytes) -> None:
        self._secrets = (key, *self._secrets)[:_KEYS_KNOWN]
        self._arm()

    def _arm(self) -> None:
        secrets = (*self._secrets, self._token) if self._token else self._secrets
        # the longest first: what is left of a key without its beginning is still a secret
        forms = {form for secret in secrets for form in _forms(secret.decode())}
        self._needles = tuple(sorted((form.encode() for form in forms), key=len, reverse=True))
        self._longest = len(self._needles[0])
        self._starts = re.compile(b"|".join({re.escape(needle[:_LEAST_CUT]) for needle in self._needles})).search

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
        if not self._served:
            # what is distrusted came over those that were distrusted before
            return
        old, self._served = self._looks, False
        self._looks = self._session(aiohttp.TCPConnector(limit=self._concurrency, keepalive_timeout=15))
        self._retired.add(old)
        await self._close_idle(old)

    async def _close_idle(self, session: aiohttp.ClientSession) -> None:
        """Closes retired connections, once the last look on them has come home."""
        if session in self._retired and not self._flying[session]:
            self._retired.discard(session)
            del self._flying[session]
            with anyio.CancelScope(shield=True):
                await session.close()

    async def _exchange(
        self, session: aiohttp.ClientSession, request: Request, limits: aiohttp.ClientTimeout, *, fresh: bool
    ) -> Answer | Broken:
        # only the single connections tell how far a request came; of a pooled one nothing is proven
        progress = _Progress(self._secrets[0], sent=not fresh)
        response = None
        self._flying[session] += 1
        try:
            response = await session.request(
                request.method,
                URL(self._base + request.path, encoded=True),
                data=request.body,
                headers=self._headers(request),
                allow_redirects=False,
                timeout=limits,
                trace_request_ctx=progress,
            )
            self._served = self._served or session is self._looks
            content = response.content
            if content.is_eof():
                return await self._read(response, progress, fresh=fresh)
            # an answer that lay on the connection before it was asked for has the dead timer of the request before
            alarm = asyncio.get_running_loop().call_later(limits.total or 0.0, content.set_exception, TimeoutError())
            try:
                return await self._read(response, progress, fresh=fresh)
            finally:
                alarm.cancel()
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
            self._flying[session] -= 1
            if self._retired:
                await self._close_idle(session)
            if progress.status in _REFUSED and request.account is None:
                # last of all: who gets this answer asks for another key before anything else happens
                self._refused = progress.key

    async def _read(self, response: aiohttp.ClientResponse, progress: _Progress, *, fresh: bool) -> Answer | Broken:
        progress.sent = True
        progress.status = response.status
        compressed = response.headers.get("Content-Encoding", "identity").lower() != "identity"
        content = response.content
        # what only says that it is compressed may hold the id of a paid task, so that is read, though never inflated
        while not content.at_eof() and (fresh or not compressed):
            progress.received += await content.readany()
            if len(progress.received) > _FAT and len(progress.received) > (most := _room(response)):
                # before the cut: it could leave half a key
                start = self._without_key(bytes(progress.received))[:800]
                reason = f"the answer is longer than {most:,} bytes"
                return Broken(reason, received=start, oversized=True, status=progress.status)
        if compressed:
            left = self._without_rest(progress.received)
            reason = "the answer is compressed, though nobody asked for that"
            return Broken(reason, received=left, status=progress.status)
        return self._answer(response, progress.received, fresh=fresh)

    def _answer(self, response: aiohttp.ClientResponse, body: bytearray, *, fresh: bool) -> Answer:
        """The answer, the key taken out wherever the gateway echoes it."""
        headers: Mapping[str, str] = response.headers
        said = b"\n".join([value for _, value in response.raw_headers])
        if self._without_key(said) is not said:
            keys = [needle.decode() for needle in self._needles]
            headers = CIMultiDict(item for item in headers.items() if not any(key in item[1] for key in keys))
        # an answer without a length that was cut off looks whole
        return Answer(response.status, headers, self._without_rest(body), fresh)

    def _without_key(self, data: bytes) -> bytes:
        for needle in self._needles:
            if needle in data:
                data = data.replace(needle, b"***")
        return data

    def _without_rest(self, received: bytearray) -> bytes:
        """What came, without a key and without the beginning of one at its end: it may have been cut off there."""
        data = self._without_key(bytes(received))
        end = data[-self._longest :]
        if self._starts(end) is None:
            return data
        return data[: len(data) - max(_begun(needle, data) for needle in self._needles)]

    def _broken(self, error: BaseException, progress: _Progress) -> Broken:
        certificate = isinstance(error, aiohttp.ClientConnectorCertificateError)
        return Broken(
            _reason(error),
            sent=progress.sent,
            received=self._without_rest(progress.received),
            certificate=certificate,
            status=progress.status,
            late=isinstance(error, TimeoutError),
        )


def _room(response: aiohttp.ClientResponse) -> int:
    """How many bytes of a body are read."""
    head = sum(len(name) + len(value) for name, value in response.raw_headers)
    return _MOST_BYTES if head <= _FAT else _FAT


def _forms(key: str) -> set[str]:
    """The key as gateways echo it: with or without its prefix (new-api takes it off), plain or escaped."""
    bare = key.removeprefix(_PREFIX)
    found = set()
    for plain in (key, bare) if len(bare) >= _LEAST_SECRET else (key,):
        quoted = json.dumps(plain)[1:-1]
        # Go writes JSON that may stand in a page
        go = quoted.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
        percent, path = quote(plain, safe=""), quote(plain)
        small = re.sub("%..", lambda escape: escape[0].lower(), percent)
        found |= {plain, quoted, quoted.replace("/", "\\/"), go, percent, small, path}
    return found


def _begun(needle: bytes, data: bytes) -> int:
    """How many bytes at the end of the data are the beginning of the needle; 0 for those that may be any word."""
    lengths = range(len(needle) - 1, _LEAST_CUT - 1, -1)
    return next((length for length in lengths if data.endswith(needle[:length])), 0)


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
