"""The clock: an event loop without file descriptors, threads or sockets, whose time jumps from timer to timer."""

import asyncio
import socket
from collections.abc import Callable
from heapq import heappush
from typing import Any

from virtual import Deadlock, Livelock

_STEPS_AT_ONCE = 200_000


class _Timer(asyncio.TimerHandle):
    """Of two for the same instant the first that was set is the first that rings, whatever else is in the heap."""

    __slots__ = ("_number",)

    def __init__(self, number: int, *given: Any) -> None:
        super().__init__(*given)
        self._number = number

    def __lt__(self, other: "_Timer") -> bool:  # type: ignore[override]
        return (self._when, self._number) < (other._when, other._number)


class SimLoop(asyncio.BaseEventLoop):
    """Nothing outside can wake it, so it is the same on every run.

    It begins at ``start``: what comes after a crash goes on where the crashed loop stopped.
    """

    def __init__(self, start: float = 0.0) -> None:
        super().__init__()
        self._now = start
        self._turns = 0
        self._timers = 0
        # its own selector: there is nothing to select from
        self._selector = self
        self.dial: Callable[..., Any] | None = None
        """Makes the transport of a new connection."""
        self.resolve: Callable[[str], None] = lambda _host: None
        """Raises OSError for a name that cannot be resolved."""

    def time(self) -> float:
        return self._now

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        self._timers += 1
        timer = _Timer(self._timers, when, callback, args, self, context)
        heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer

    def select(self, timeout: float | None) -> tuple[()]:
        """Jumps to the next timer."""
        if timeout == 0:
            self._turns += 1
            if self._turns > _STEPS_AT_ONCE:
                raise Livelock(Livelock.__doc__)
            return ()
        self._turns = 0
        if timeout is None:
            raise Deadlock(Deadlock.__doc__)
        # exactly there: `now + timeout` may be a hair before it, for ever
        self._now = self._scheduled[0].when()
        return ()

    def _process_events(self, events: object) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """It never sleeps, so nothing has to wake it."""

    def run_in_executor(self, executor: object, func: object, *args: object) -> Any:
        raise RuntimeError("a thread would end the determinism of a simulation")

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> list[Any]:
        self.resolve(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async def create_connection(self, protocol_factory: Any, *_: Any, sock: Any = None, **__: Any) -> Any:
        protocol = protocol_factory()
        assert self.dial is not None
        return self.dial(protocol, sock), protocol
