"""The clock: an event loop without file descriptors, threads or sockets, whose time jumps from timer to timer."""

import asyncio
import socket
from collections.abc import Callable
from contextvars import copy_context
from heapq import heappop, heappush
from typing import Any

from virtual import Deadlock, Livelock

_STEPS_AT_ONCE = 200_000
_AT_ONCE_SECONDS = 1e-9
"""Timers so near to each other ring together, as they do where the clock of the machine is not finer."""


class _Handle(asyncio.Handle):
    """A callback; nobody debugs this loop, so it does not ask on each occasion whether somebody does."""

    __slots__ = ()

    def __init__(self, loop: "SimLoop", callback: Any, args: Any, context: Any) -> None:
        self._loop = loop
        self._callback = callback
        self._args = args
        self._context = copy_context() if context is None else context
        self._cancelled = False
        self._source_traceback = self._repr = None

    def cancel(self) -> None:
        self._cancelled = True
        self._callback = self._args = None


class _Timer(_Handle, asyncio.TimerHandle):
    """A callback with its time; if it is cancelled it stays in the heap until that has come."""

    __slots__ = ()


class SimLoop(asyncio.BaseEventLoop):
    """Nothing outside can wake it, so it is the same on every run.

    It begins at ``start``: what comes after a crash goes on where the crashed loop stopped.
    """

    def __init__(self, start: float = 0.0) -> None:
        super().__init__()
        self._now = start
        self._turns = 0
        self._timers = 0
        self._heap: list[tuple[float, int, _Timer]] = []
        """Of two for the same instant the first that was set is the first that rings, whatever else is in it."""
        self.dial: Callable[..., Any] | None = None
        """Makes the transport of a new connection."""
        self.resolve: Callable[[str], None] = lambda _host: None
        """Raises OSError for a name that cannot be resolved."""

    def time(self) -> float:
        return self._now

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> Any:
        if self._closed:
            self._check_closed()
        handle = _Handle(self, callback, args, context)
        self._ready.append(handle)
        return handle

    def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
        return self._set(self._now + delay, callback, args, context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        return self._set(when, callback, args, context)

    def _set(self, when: float, callback: Any, args: Any, context: Any) -> _Timer:
        timer = _Timer(self, callback, args, context)
        timer._when = when
        self._timers += 1
        heappush(self._heap, (when, self._timers, timer))
        return timer

    def _run_once(self) -> None:
        """One turn, as every loop makes it; where all sleep it begins with a jump to the next timer."""
        ready, heap = self._ready, self._heap
        while heap and heap[0][2]._cancelled:
            heappop(heap)
        self._turns += 1
        if not ready and not self._stopping:
            self._jump()
        if self._turns > _STEPS_AT_ONCE:
            raise Livelock(Livelock.__doc__)
        end = self._now + _AT_ONCE_SECONDS
        while heap and heap[0][0] < end:
            ready.append(heappop(heap)[2])
        # what they make ready has its turn after this one
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            try:
                handle._context.run(handle._callback, *handle._args)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:  # noqa: BLE001 - whatever a callback raises is reported, as in every loop
                self.call_exception_handler({"message": f"error in {handle!r}", "exception": error})

    def _jump(self) -> None:
        if not self._heap:
            raise Deadlock(Deadlock.__doc__)
        when = self._heap[0][0]
        if when > self._now:
            self._now = when
            self._turns = 0

    def _timer_handle_cancelled(self, handle: object) -> None:
        """It goes when its time comes."""

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
