"""The gateway in a process of its own, so that what is measured is the client alone.

``python -m benchmarks.server --tasks N`` plants N tasks that never finish, writes their ids to ``--ids``, prints one
JSON line with url and key, and then answers each line on its standard input with its counts, until that closes.
"""

import argparse
import json
import math
import sys
from pathlib import Path

import anyio
from anyio import to_thread

from suno_async.testing import Gateway


async def serve(tasks: int, ids: Path) -> None:
    """Serves until standard input closes."""
    async with Gateway(beat=math.inf) as gateway:
        await anyio.Path(ids).write_text("\n".join(gateway.seed_tasks(tasks, status="QUEUED")))
        print(json.dumps({"url": gateway.url, "api_key": gateway.api_key}), flush=True)
        while await to_thread.run_sync(sys.stdin.readline):
            print(json.dumps(gateway.counts), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, required=True)
    parser.add_argument("--ids", type=Path, required=True)
    arguments = parser.parse_args()
    anyio.run(serve, arguments.tasks, arguments.ids)
