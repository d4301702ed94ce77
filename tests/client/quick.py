"""Quick clients of raw servers, and what their tests share."""

import asyncio
import json
from contextlib import suppress

from wire import Call, Unhurt, Wire, answer, seen

from suno_async import Fixed, Inspiration, Suno, SunoError, Task

KEY = "sk-0123456789abcdef"
CAT = Inspiration("a song about a cat")
SONG = answer({"code": "success", "message": "", "data": "task_1"})
MP3 = b"ID3" + bytes(2000)
CLIP = {"id": "c1", "title": "A", "audio_url": "https://cdn1.suno.ai/c1.mp3", "status": "complete"}
OTHER = CLIP | {"id": "c2", "title": "B"}
WAV = {"wav_file_url": "https://cdn1.suno.ai/c1.wav"}


def to(wire: Wire, **options) -> Suno:
    """A quick client of a raw server."""
    return Suno(wire.url, **{"api_key": KEY, "pace": Fixed(0.02), "rng": Unhurt()} | options)


async def stall(call: Call) -> None:
    await call.stall()


def running(call: Call) -> bytes:
    return seen(call, "IN_PROGRESS")


def others() -> set[asyncio.Task[object]]:
    return {task for task in asyncio.all_tasks() if "suno_async" in repr(task.get_coro())}


async def ignore(awaitable) -> None:
    with suppress(SunoError):
        await awaitable


async def collect(stream, found: list[Task]) -> None:
    """What a stream gives before it raises."""
    async for task in stream:
        found.append(task)  # noqa: PERF401 - what came before the error counts


def serving(table):
    """A server that answers by path; a list is for one request after the other, its last for all further ones."""
    left = {path: list(said) if isinstance(said, list) else [said] for path, said in table.items()}

    def step(call):
        said = left[call.path]
        one = said.pop(0) if len(said) > 1 else said[0]
        return one(call) if callable(one) else one if isinstance(one, bytes) else answer(one)

    return Wire(step)


def bodies(wire):
    return [json.loads(call.body) for call in wire.calls if call.body]
