"""The alarm: sleep until something is due, or until something sooner turns up."""

import asyncio
from math import inf


class Alarm:
    """Wakes the one who sleeps. A timer and a future: a scope and an event would cost ten times as much."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._nap: asyncio.Future[None] | None = None
        self.until = -inf
        """When the one who sleeps wakes up by itself; minus infinity while nobody sleeps."""

    async def sleep(self, due: float) -> None:
        """Returns at ``due``, or as soon as somebody rings."""
        self._nap = nap = self._loop.create_future()
        self.until = due
        timer = self._loop.call_at(due, self.ring) if due < inf else None
        try:
            await nap
        finally:
            self.until = -inf
            if timer is not None:
                timer.cancel()

    def ring(self) -> None:
        """Wakes the one who sleeps, if there is one."""
        # once is enough: many ids may be put down before the one who sleeps gets its turn
        self.until = -inf
        if self._nap is not None and not self._nap.done():
            self._nap.set_result(None)
