"""The lives of children: what each does, where it dies, and how it tells its parent."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from random import Random
from threading import Lock
from typing import Any

import anyio
import msgspec

from suno_async import (
    Fixed,
    GatewayUnavailable,
    RequestRejected,
    Submission,
    SubmitUnknown,
    Suno,
    TaskFailed,
    TaskNotFound,
)
from suno_async.engine.journal.store import Store
from suno_async.engine.transport import Transport

from .bugs import BUGS

LONGEST = 30  # seconds: a child whose parent is gone does not stay
POINTS = ("before commit", "after commit", "before send", "after answer")
Say = Callable[..., None]


class Life(msgspec.Struct, kw_only=True):
    """What a child is told to do."""

    url: str
    api_key: str
    journal: str
    number: int
    seed: str
    point: str = ""
    """Where it kills itself ..."""
    crossing: int = 1
    """... when it comes by for this time."""
    disk: float = 0.0
    """Seconds that a commit takes at most, on top of what it takes."""
    leaves_after: float | None = None
    """Seconds until it closes its client and goes."""
    finishes: bool = False
    """It submits nothing, waits for whatever is open, and goes."""
    bug: str = ""


def run(life: Life, pipe: int) -> None:
    """Live; in a process that was forked for it."""
    signal.alarm(LONGEST)
    say = _voice(pipe)
    if life.bug:
        BUGS[life.bug]()
    _observe(life, say)
    try:
        anyio.run(_live, life, say)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent has to know
        say("broke", repr(error))


def _voice(pipe: int) -> Say:
    """Lines to the parent: what has been written is heard, whatever happens to this process next."""
    lock = Lock()

    def say(*words: Any) -> None:
        line = msgspec.json.encode(words) + b"\n"
        with lock:
            while line:
                line = line[os.write(pipe, line) :]

    return say


def _observe(life: Life, say: Say) -> None:
    """Tell of commits, make the disk slow, and die at the point where this life ends. All else is the product's own."""
    crossings: Counter[str] = Counter()
    chance = Random(f"{life.seed}/disk").random
    commit, submit = Store.commit, Transport.submit

    def cross(point: str) -> None:
        crossings[point] += 1
        if (point, crossings[point]) == (life.point, life.crossing):
            os.kill(os.getpid(), signal.SIGKILL)

    def watched_commit(store: Store, operations: Sequence[Any]) -> list[Any]:
        say("committing")
        cross("before commit")
        time.sleep(chance() * life.disk)
        results = commit(store, operations)
        say("committed")
        cross("after commit")
        return results

    async def watched_submit(transport: Transport, request: Any) -> Any:
        cross("before send")
        answer = await submit(transport, request)
        cross("after answer")
        return answer

    Store.commit = watched_commit  # type: ignore[method-assign]
    Transport.submit = watched_submit  # type: ignore[method-assign]


async def _live(life: Life, say: Say) -> None:
    rng = Random(life.seed)
    async with Suno(life.url, api_key=life.api_key, journal=life.journal, pace=Fixed(0.05), rng=rng) as suno:
        say("opened")
        unknown, jobs = await suno.unknown(), await suno.resume()
        say("resumed", [job.task_id for job in jobs], [intent.intent_id for intent in unknown])
        async with anyio.create_task_group() as group:
            for job in jobs:
                group.start_soon(_wait, suno, job.task_id, say)
            for lane in () if life.finishes else range(4):
                group.start_soon(_submit, suno, life, lane, say)
            if life.leaves_after is not None:
                await anyio.sleep(life.leaves_after)
                group.cancel_scope.cancel()
        say("closing")
    say("closed")


async def _wait(suno: Suno, task_id: str, say: Say) -> None:
    try:
        task = await suno.wait(task_id)
    except TaskFailed:
        say("ended", task_id, "FAILURE")
    except TaskNotFound:
        say("ended", task_id, "NOT_FOUND")
    else:
        say("ended", task_id, task.status.value)


async def _submit(suno: Suno, life: Life, lane: int, say: Say) -> None:
    """Submit on and on: each song once, but those with a key again and again, in this life and in later ones."""
    rng = Random(f"{life.seed}/{lane}")
    async with anyio.create_task_group() as group:
        for number in count():
            key = f"order-{rng.randrange(2 * life.number + 8)}" if rng.random() < 0.3 else None
            marker = key or f"{life.number}.{lane}.{number}"
            patience = rng.uniform(0, 0.02) if rng.random() < 0.2 else None
            task_id = await _submit_one(suno, marker, key, patience, say)
            if task_id is not None and rng.random() < 0.5:
                group.start_soon(_wait, suno, task_id, say)
            await anyio.sleep(rng.uniform(0, 0.01))


async def _submit_one(suno: Suno, marker: str, key: str | None, patience: float | None, say: Say) -> str | None:
    song = Submission("music", {"title": marker, "prompt": "la la"})
    say("trying", marker)
    with anyio.move_on_after(patience) as scope:
        try:
            job = await suno.submit(song, idempotency_key=key)
        except SubmitUnknown:
            say("unknown", marker)
        except (RequestRejected, GatewayUnavailable):
            say("refused", marker)
        else:
            say("accepted", marker, job.task_id)
            return job.task_id
    if scope.cancelled_caught:
        say("cancelled", marker)
    return None
