"""The network: two HTTP sessions, the key, the limits of time and size, and how far a request has come.

Looks share pooled connections. Each submission has a connection of its own: on a pooled one aiohttp hands a stray
answer to the next request, even to a POST (aio-libs/aiohttp#13656), and a paid task is too dear for that.
Nothing of aiohttp leaves this file: its exceptions carry the request's headers, and so the key.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any, Self, TypeVar

import aiohttp
import anyio
from multidict import CIMultiDict
from yarl import URL

from ..protocol.errors import ConfigurationError
from ..protocol.exchange import Answer, Broken, Request
from ..protocol.inputs import Address, Secret
from ..protocol.redaction import Redaction
from .breaks import words_for
from .fingerprint import Fingerprint
from .progress import Progress
from .reply import Reply

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
_COMPRESSED = "the answer is compressed, though nobody asked for that"
_Got = TypeVar("_Got")
Place = Callable[[str, str], str] | None


class Transport:
    """One gateway, asked with one key. Open it with ``async with``; it never raises what it can return."""

    def __init__(self, address: Address, key: Secret, *, timeout: float, concurrency: int, place: Place = None) -> None:
        self._base = address.base
        self.place = place
        self._key = key
        self._concurrency = concurrency
        # one clock for a look: a second one, for silence, would cost a timer for every piece that comes
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=_CONNECT_SECONDS)
        self._secrets: tuple[bytes, ...] = ()
        """The key, and before it those it took the place of: an answer may echo the one it was asked with."""
        self._token = b""
        """The account's access token, once it was used."""
        self._known: tuple[bytes, ...] = ()
        """All of them."""
        self._redaction: Redaction
        self._refused = b""
        """The key of the last request that was refused, until somebody asked for another one."""
        self._looks: aiohttp.ClientSession
        self._single: aiohttp.ClientSession
        self._served = False
        """An answer has come over the connections in use."""
        self._flying: Counter[aiohttp.ClientSession] = Counter()
        self._retired: set[aiohttp.ClientSession] = set()
        if not key.renewable:
            # before anybody sees the base
            self._reveal()

    async def __aenter__(self) -> Self:
        self._use(self._reveal())
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
            key = self._reveal()
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
        self.fingerprint = Fingerprint(key)
        self._secrets = (key, *self._secrets)[:_KEYS_KNOWN]
        self._arm()

    def _arm(self) -> None:
        known = (*self._secrets, self._token) if self._token else self._secrets
        if known != self._known:
            self._known, self._redaction = known, _redaction_of(known)

    def _redaction_of(self, progress: Progress) -> Redaction:
        """What knows the secrets of now and those of when this was asked: there may be many others since."""
        if progress.known is self._known:
            return self._redaction
        return _redaction_of((*self._known, *progress.known))

    def _reveal(self) -> bytes:
        """The key; raises ConfigurationError if it is none, or is in the base URL: errors and the journal have that."""
        key = self._key.reveal()
        if not Redaction((key,)).shows(self._base):
            return key.encode()
        del key  # a traceback shows the locals of its frames
        raise ConfigurationError("the base URL holds the API key: take it out, the key goes in api_key")

    def look(
        self, request: Request, *, fresh: bool = False, timeout: float | None = None
    ) -> Coroutine[Any, Any, Answer | Broken]:
        """The answer to a request that may be sent again; ``fresh`` on a connection that served nothing else."""
        limits = self._timeout
        if timeout is not None:
            limits = aiohttp.ClientTimeout(timeout, sock_connect=_CONNECT_SECONDS)
        return self._exchange(self._single if fresh else self._looks, request, limits, fresh=fresh)

    async def submit(self, request: Request, timeout: float = _SUBMIT_SECONDS) -> Answer | Broken:
        """The answer to a request that must not be sent twice, or how far it came."""
        limits = aiohttp.ClientTimeout(min(timeout, _SUBMIT_SECONDS), sock_connect=_CONNECT_SECONDS)
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
        progress = Progress(self._secrets[0], sent=not fresh)
        response = None
        self._flying[session] += 1
        try:
            response = await self._ask(session, request, limits, progress)
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
            raise _bare(cancelled) from None
        except _BREAKS as error:
            return _broken(error, progress, self._redaction_of(progress).clean_cut(progress.received))
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

    def _ask(
        self, session: aiohttp.ClientSession, request: Request, limits: aiohttp.ClientTimeout, progress: Progress
    ) -> Awaitable[aiohttp.ClientResponse]:
        path = request.path if self.place is None else self.place(request.method, request.path)
        asked = session.request(
            request.method,
            URL(self._base + path, encoded=True),
            data=request.body,
            headers=self._headers(request),
            allow_redirects=False,
            timeout=limits,
            trace_request_ctx=progress,
        )
        progress.known = self._known
        return asked

    @asynccontextmanager
    async def stream(self, request: Request, *, timeout: float, silence: float) -> AsyncGenerator[Reply]:
        """The answer to a request that must not be sent twice, read while it comes, on its own connection."""
        progress = Progress(self._secrets[0], sent=False)
        limits = aiohttp.ClientTimeout(total=timeout, sock_connect=_CONNECT_SECONDS, sock_read=silence)
        reply = Reply(self._redaction)
        response = await _unbroken(partial(self._ask, self._single, request, limits, progress), progress)
        if isinstance(response, Broken):
            reply.end = response
            yield reply
            return
        try:
            progress.sent, progress.status = True, response.status
            if progress.status in _REFUSED:
                self._refused = progress.key
            read, said = partial(_unbroken, response.content.readany, progress), _said(response, reply.redaction)
            reply.begin(read, status=response.status, headers=said, most=_room(response))
            if _is_compressed(response):
                reply.end = Broken(_COMPRESSED, status=response.status)
            yield reply
        finally:
            response.close()

    async def _read(self, response: aiohttp.ClientResponse, progress: Progress, *, fresh: bool) -> Answer | Broken:
        progress.sent, progress.status = True, response.status
        compressed, content = _is_compressed(response), response.content
        # what only says that it is compressed may hold the id of a paid task, so that is read, though never inflated
        while not content.at_eof() and (fresh or not compressed):
            progress.add(await content.readany())
            if len(progress.received) > _FAT and len(progress.received) > (most := _room(response)):
                # before the cut: it could leave half a key
                start = self._redaction_of(progress).clean(bytes(progress.received))[:800]
                reason = f"the answer is longer than {most:,} bytes"
                return Broken(reason, received=start, oversized=True, status=progress.status)
        # an answer without a length that was cut off looks whole
        redaction = self._redaction_of(progress)
        body = redaction.clean_cut(progress.received)
        if compressed:
            return Broken(_COMPRESSED, received=body, status=progress.status)
        return Answer(response.status, _said(response, redaction), body, fresh)


def _redaction_of(secrets: Iterable[bytes]) -> Redaction:
    return Redaction(secret.decode() for secret in secrets)


def _room(response: aiohttp.ClientResponse) -> int:
    """How many bytes of a body are read."""
    head = sum(len(name) + len(value) for name, value in response.raw_headers)
    return _MOST_BYTES if head <= _FAT else _FAT


def _is_compressed(response: aiohttp.ClientResponse) -> bool:
    return response.headers.get("Content-Encoding", "identity").lower() != "identity"


def _said(response: aiohttp.ClientResponse, redaction: Redaction) -> Mapping[str, str]:
    """The headers, without those in which the gateway echoes the key."""
    said = b"\n".join([value for _, value in response.raw_headers])
    if redaction.clean(said) is said:
        return response.headers
    return CIMultiDict(item for item in response.headers.items() if not redaction.shows(item[1]))


def _bare(cancelled: asyncio.CancelledError) -> asyncio.CancelledError:
    """Without the frames it came through: they hold the key among their locals."""
    cancelled.__context__ = None
    return cancelled.with_traceback(None)


async def _unbroken(ask: Callable[[], Awaitable[_Got]], progress: Progress) -> _Got | Broken:
    """What was asked for, or how that broke."""
    try:
        return await ask()
    except asyncio.CancelledError as cancelled:
        raise _bare(cancelled) from None
    except _BREAKS as error:
        return _broken(error, progress)


def _broken(error: BaseException, progress: Progress, received: bytes = b"") -> Broken:
    return Broken(
        words_for(error),
        sent=progress.sent,
        received=received,
        certificate=isinstance(error, aiohttp.ClientConnectorCertificateError),
        status=progress.status,
        late=isinstance(error, TimeoutError),
    )


def _phases() -> aiohttp.TraceConfig:
    """Tells when the headers of a request have left: before that, nothing has (one-sided, and never wrong)."""
    config: aiohttp.TraceConfig = aiohttp.TraceConfig()

    async def note(_session: object, context: SimpleNamespace, _params: object) -> None:
        context.trace_request_ctx.sent = True

    config.on_request_headers_sent.append(note)
    return config
