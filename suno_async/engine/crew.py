"""The crew: tasks that do one piece of work after the other. To wake one costs a tenth of what a new task costs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from anyio.abc import TaskGroup

T = TypeVar("T")


class Crew(Generic[T]):
    """As many tasks as there was ever work for at once; they end with their group."""

    def __init__(self, work: Callable[[T], Awaitable[None]], drop: Callable[[T], None]) -> None:
        self._work = work
        self._drop = drop
        """Takes back what somebody was woken for, and could not begin any more."""
        self._idle: list[asyncio.Future[T]] = []

    def send(self, group: TaskGroup, item: T) -> None:
        """Has somebody begin with this, in the loop's next turn."""
        while self._idle:
            turn = self._idle.pop()
            # one that was cancelled with its group, or whose loop is gone, does not wake up
            if not turn.done():
                turn.set_result(item)
                return
        group.start_soon(self._run, item)

    async def _run(self, item: T) -> None:
        while True:
            await self._work(item)
            del item  # nothing is kept while there is nothing to do
            item = await self._turn()

    async def _turn(self) -> T:
        turn: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._idle.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._drop(turn.result())
            raise
