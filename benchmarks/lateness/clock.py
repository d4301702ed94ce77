"""The clock: an event loop whose time jumps to the next timer instead of waiting for it."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any


class _Jumps(selectors.DefaultSelector):
    """Nothing ever comes from outside, so instead of waiting it sets the time to that of the next timer."""

    now = 0.0
    timers: list[asyncio.TimerHandle]

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Nothing is ready."""
        if timeout is None:
            raise RuntimeError("everybody waits, and no timer is set")
        if timeout > 0:
            # not `now + timeout`: rounding would leave it a hair before the timer, for ever
            self.now = self.timers[0].when()
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop with a time of its own, which begins at 0."""

    def __init__(self) -> None:
        self._jumps = _Jumps()
        super().__init__(self._jumps)
        loop: Any = self
        self._jumps.timers = loop._scheduled  # noqa: SLF001 - asyncio has no public way to the next timer

    def time(self) -> float:
        """Seconds since the beginning."""
        return self._jumps.now

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What a callback raises ends the run."""
        raise context.get("exception") or RuntimeError(context["message"])


def run(scenario: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """What a scenario gives, on a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(scenario())
