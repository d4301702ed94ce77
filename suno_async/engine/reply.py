"""The reply: an answer that is read while it comes, without the key, up to a number of bytes."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Self

from ..protocol.exchange import Answer, Broken
from ..protocol.redaction import Redaction

Read = Callable[[], Awaitable[bytes | Broken]]
"""The next piece, an empty one at the end; or how it broke."""


class Reply:
    """Its pieces come by ``async for``; behind them ``end`` says how it ended. It raises nothing."""

    def __init__(self, redaction: Redaction) -> None:
        self.status = 0
        """The HTTP status; 0 where no answer came."""
        self.headers: Mapping[str, str] = {}
        self.end: Answer | Broken | None = None
        """How it ended: an Answer without its body, or how it broke; None before."""
        self.redaction = redaction
        """It knows the key that was asked with."""
        self._read: Read
        self._most = self._room = 0
        self._held = b""
        """The end of what came, which may be the beginning of the key."""

    def begin(self, read: Read, *, status: int, headers: Mapping[str, str], most: int) -> None:
        """The head has come; the body has so many bytes at most."""
        self._read = read
        self.status = status
        self.headers = headers
        self._most = self._room = most

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while self.end is None:
            data = await self._read()
            if isinstance(data, Broken):
                self.end = data
            elif shown := self._take(data):
                return shown
        left, self._held = self.redaction.clean_cut(self._held), b""
        if left:
            return left
        raise StopAsyncIteration

    def _take(self, data: bytes) -> bytes:
        """What may be shown of a piece."""
        room, self._room = self._room, self._room - len(data)
        if not data:
            self.end = Answer(self.status, self.headers, b"", fresh=True)
        elif self._room < 0:
            reason = f"the answer is longer than {self._most:,} bytes"
            self.end = Broken(reason, oversized=True, status=self.status)
        shown, self._held = self.redaction.split(self._held + data[:room])
        return shown
