"""The deadlines: waits that have to end after so many seconds. One timer for all that may take equally long.

Those end in the order they began, and most callers give the same timeout: a timer for each of a thousand waits would
cost as much as to join them.
"""

import asyncio
from itertools import takewhile
from typing import Protocol

from ..protocol.life import Life


class Expiring(Protocol):
    """Somebody who waits for one id, and not for ever."""

    def expire(self, life: Life, seconds: float) -> None:
        """The time is over."""
        ...


class Deadlines:
    """Tells those who wait that their time is over."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._now = self._loop.time
        self._queues: dict[float, dict[Expiring, tuple[float, Life]]] = {}
        self._timers: dict[float, asyncio.TimerHandle] = {}

    def add(self, wait: Expiring, life: Life, seconds: float) -> None:
        """Tells a wait after so many seconds, unless it was discarded before."""
        due = self._now() + seconds
        queue = self._queues.get(seconds)
        if queue is None:
            queue = self._queues[seconds] = {}
            self._timers[seconds] = self._loop.call_at(due, self._expire, seconds)
        queue[wait] = due, life

    def discard(self, wait: Expiring, seconds: float) -> None:
        """This wait is over."""
        queue = self._queues.get(seconds)
        if queue is not None and queue.pop(wait, None) is not None and not queue:
            self._timers[seconds].cancel()
            del self._queues[seconds], self._timers[seconds]

    def _expire(self, seconds: float) -> None:
        queue, now = self._queues[seconds], self._now()
        over = list(takewhile(lambda item: item[1][0] <= now, queue.items()))
        try:
            for wait, (_, life) in over:
                del queue[wait]
                wait.expire(life, seconds)
        finally:
            # one that breaks takes no other's deadline with it
            self._go_on(seconds)

    def _go_on(self, seconds: float) -> None:
        queue = self._queues[seconds]
        if queue:
            due, _ = next(iter(queue.values()))
            self._timers[seconds] = self._loop.call_at(due, self._expire, seconds)
        else:
            del self._queues[seconds], self._timers[seconds]
