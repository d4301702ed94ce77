"""The chat: a song that tells of itself while it is made."""

import asyncio
import weakref
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from types import AsyncGeneratorType
from typing import TYPE_CHECKING, Any, Self

import anyio
import msgspec

from ..protocol.chat import Transcript, chat_outcome, chat_request
from ..protocol.errors import ConfigurationError, GatewayUnavailable, SunoError, Unauthorized
from ..protocol.exchange import Answer, Broken
from ..protocol.inputs import check_seconds
from ..protocol.models import Song

if TYPE_CHECKING:
    from ..engine.reply import Reply
    from .runtime import Runtime

_SILENCE = 300.0
"""Gateways give a sign of life every few seconds, or none until the song is there."""
_REFUSED = 401
_LEAST_SECONDS = 0.001


class Chat:
    """A song by chatting: ``async for piece in chat`` gives its text as it comes; ``await chat`` reads it to its end.

    Nothing is sent before that, and then once; in the task of who reads, within ``rate``. To stop reading (``break``,
    ``aclose()``, a cancellation) closes the connection, and what was sent is charged all the same. The journal knows
    nothing of chats: no gateway names the task behind one, so nothing could be looked for after a crash, and
    ``resume()`` and ``reconcile()`` would take it for a song that was lost. What was read is kept in ``text`` and
    ``songs``, also where it raises.

    Raises, while it is read:
        RequestRejected, QuotaExceeded, RateLimited, Unauthorized: the gateway said no; nothing is charged.
        GatewayUnavailable: it could not be sent, or the gateway cannot take it now; nothing is charged.
        SubmitUnknown: it broke off before a word was said: nobody can tell whether it is charged. Never sent again.
        TaskFailed: the chat says itself that it failed.
        WaitTimeout: ``timeout`` seconds were over, or the gateway's own time; the song may still come.
        UnexpectedResponse: it was cut off behind some text, or is longer than is read (4 MiB).
        ConfigurationError: it has been read before, or the base URL leads to no gateway.
        ClientClosed: the client was closed.
    """

    def __init__(self, runtime: "Runtime", prompt: str, *, model: str = "suno-v3", timeout: float = 600.0) -> None:
        self._runtime = runtime
        self._request = chat_request(prompt, model)
        self._timeout = check_seconds("timeout", timeout)
        self._heard = Transcript()
        self._error: SunoError | None = None
        self._reader: weakref.ref[AsyncGenerator[str]] | None = None

    def __repr__(self) -> str:
        return f"Chat({len(self.text)} characters)"

    @property
    def text(self) -> str:
        """What it has said so far: Markdown, in the gateway's own template."""
        return self._heard.text

    @property
    def songs(self) -> tuple[Song, ...]:
        """The songs that the text names or links so far."""
        return self._heard.songs

    def __aiter__(self) -> AsyncGenerator[str]:
        if self._reader is not None:
            raise ConfigurationError("this chat has been read: its text is in .text; to ask again is another chat")
        reader = self._read()
        # to forget the iterator is to stop reading, though the chat is kept
        self._reader = weakref.ref(reader)
        return reader

    def __await__(self) -> Generator[Any, None, Self]:
        return self._whole().__await__()

    async def aclose(self) -> None:
        """Stops reading; raises ConfigurationError while another task waits for the next piece: cancel that task."""
        reader = self._reader() if self._reader is not None else None
        if isinstance(reader, AsyncGeneratorType):
            if reader.ag_running:
                raise ConfigurationError("another task is reading this chat: cancel that task to stop it")
            await reader.aclose()

    async def _whole(self) -> Self:
        async for _ in self:
            pass
        return self

    async def _read(self) -> AsyncGenerator[str]:
        end = asyncio.get_running_loop().time() + self._timeout
        renewed = False
        while True:
            async with aclosing(self._ask(await self._afford(end))) as pieces:
                async for piece in pieces:
                    yield piece
            error, self._error = self._error, None
            if error is None:
                return
            refused = isinstance(error, Unauthorized) and error.status == _REFUSED
            if not refused or renewed or not self._runtime.transport.renew_key():
                raise error
            # it was not accepted, and there is another key
            renewed = True

    async def _ask(self, seconds: float) -> AsyncGenerator[str]:
        """One request; what went wrong with it is in ``_error`` then."""
        body = bytearray()
        async with self._runtime.transport.stream(self._request, timeout=seconds, silence=_SILENCE) as reply:
            self._heard = Transcript(reply.redaction)
            async for data in reply:
                if not 200 <= reply.status < 300:
                    body += data
                elif piece := self._heard.feed(data):
                    yield piece
                if self._heard.done:
                    break
            if piece := self._heard.end():
                yield piece
            self._error = self._outcome(reply, reply.redaction.clean_cut(body))

    async def _afford(self, end: float) -> float:
        """Takes a place of the budget when there is one; the seconds that are left."""
        now = asyncio.get_running_loop().time
        budget = self._runtime.budget
        self._runtime.check_open()
        while (delay := budget.wait(now())) > 0 or now() >= end:
            if now() + delay >= end:
                raise GatewayUnavailable("the chat was not sent: rate= lets nothing leave in time", attempts=0)
            await anyio.sleep(delay)
            self._runtime.check_open()
        budget.reserve(now())
        return max(_LEAST_SECONDS, end - now())

    def _outcome(self, reply: "Reply", body: bytes) -> SunoError | None:
        if not self._heard.done:
            # where everything was closed a body without a length looks whole
            self._runtime.check_open()
        came = reply.end or Answer(reply.status, reply.headers, b"")
        if body:
            name = "received" if isinstance(came, Broken) else "body"
            came = msgspec.structs.replace(came, **{name: body})
        return chat_outcome(came, self._heard, self._request, readable=self._runtime.lane.readable)
