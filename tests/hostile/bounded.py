"""A process of its own with a limit on its memory: looks and submissions, all at once, at the gateway it is given.

``python bounded.py URL COUNT MOST_BYTES`` prints one line of JSON: what became of the requests, and by how many bytes
the process grew at its peak. Much more than ``MOST_BYTES`` it cannot have.
"""

import asyncio
import json
import re
import resource
import sys
from collections import Counter
from collections.abc import Awaitable
from pathlib import Path

from suno_async import Inspiration, Suno, SunoError

_SPARE = 2**26
"""Address space is taken in larger pieces than memory is used."""


def measured(name: str) -> int:
    """VmRSS, VmHWM or VmSize of this process, in bytes; the peak that getrusage tells would be the parent's, too."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


async def grow(url: str, count: int, most: int) -> None:
    """As many looks, and as many submissions."""
    ends: Counter[str] = Counter()

    async def end(verb: str, request: Awaitable[object]) -> None:
        try:
            await request
        except (SunoError, MemoryError) as error:
            ends[f"{verb}: {type(error).__name__}"] += 1
        else:
            ends[f"{verb}: answered"] += 1

    async with Suno(url, api_key="sk-0123456789abcdef", concurrency=count, submissions=count) as suno:
        await suno.fetch("warm")
        before, limit = measured("VmRSS"), measured("VmSize") + most + _SPARE
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(end("look", suno.fetch(f"task_{number}")))
                group.create_task(end("submit", suno.submit(Inspiration("a cat"))))
        print(json.dumps({"ends": ends, "grown": measured("VmHWM") - before}))


if __name__ == "__main__":
    asyncio.run(grow(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
