"""How a command runs: one event loop, ended by Ctrl-C or SIGTERM, and how to go on afterwards."""

import asyncio
import shlex
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable, Sized
from contextlib import suppress
from typing import Any, TypeVar

from ...protocol.errors import innermost
from .words import say

Result = TypeVar("Result")
_PATIENCE = 0.5
"""Seconds after which it is explained why an interrupted command is still there."""
_ARGUMENTS = 20
"""Ids that are named as arguments; more are piped, because a command line has an end."""


def run(command: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """What the command returns. Ctrl-C and SIGTERM cancel it; a second one does not wait for its clearing up."""
    try:
        return asyncio.run(_stoppable(command))
    except ExceptionGroup as group:
        # such as a pipe that broke inside a task group
        raise innermost(group) from None


async def _stoppable(command: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def stop(number: int) -> None:
        loop.remove_signal_handler(number)
        loop.call_later(_PATIENCE, say, "what has been sent is read to its end; once more stops at once")
        task.cancel()  # type: ignore[union-attr]

    # Windows has no such handlers; what a shell has in the background ignores Ctrl-C
    with suppress(NotImplementedError):
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, stop, number)
    return await command()


def are_many(ids: Sized) -> bool:
    """True for more ids than anybody wants to see in one line."""
    return len(ids) > _ARGUMENTS


def tell_how_to_go_on(ids: Iterable[str], words: list[str], why: str, instead: list[str] | None = None) -> None:
    """Writes the ids that are still open to stderr, within the command that goes on with them.

    ``instead``: a command that knows the ids by itself.
    """
    known = list(ids)
    if not known:
        return
    tasks = "1 task is" if len(known) == 1 else f"{len(known)} tasks are"
    say(f"{why}: {tasks} still open and will run on; go on with")
    if instead:
        command = shlex.join(["suno-async", *instead])
    elif not are_many(known):
        command = shlex.join(["suno-async", *words, *known])
    else:
        command = f"printf '%s\\n' {shlex.join(known)} | {shlex.join(['suno-async', *words, '-'])}"
    print(f"  {command}", file=sys.stderr, flush=True)
