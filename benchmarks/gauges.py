"""The gauges: a gateway in another process, processor seconds, resident bytes, stalls of the loop."""

import asyncio
import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CORES = sorted(os.sched_getaffinity(0))


class Server:
    """A gateway process: ``url``, ``api_key``, ``ids``, and its counts when asked."""

    def __init__(self, process: "subprocess.Popen[str]", ids: Path) -> None:
        self._process = process
        said = json.loads(self._read())
        self.url: str = said["url"]
        self.api_key: str = said["api_key"]
        self.ids: list[str] = ids.read_text().split()

    def counts(self) -> dict[str, int]:
        """What the gateway has counted so far."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        counts: dict[str, int] = json.loads(self._read())
        return counts

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            sys.exit("the gateway process ended before its time")
        return line


@contextmanager
def server(tasks: int, module: str = "benchmarks.server") -> Iterator[Server]:
    """A gateway with so many tasks, on the last core; this process keeps to the first one."""
    if len(CORES) > 1:
        os.sched_setaffinity(0, {CORES[0]})
    with tempfile.TemporaryDirectory() as folder:
        ids = Path(folder) / "ids"
        command = [sys.executable, "-m", module, "--tasks", str(tasks), "--ids", str(ids)]
        pin = {CORES[-1]}
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, pin),  # noqa: PLW1509 - no threads are running yet
        ) as process:
            yield Server(process, ids)
            assert process.stdin is not None
            process.stdin.close()


def resident() -> int:
    """Bytes of this process that are in memory, after a collection."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Stalls:
    """The times the event loop did not come round, beyond ``every`` seconds, while it was watched."""

    def __init__(self, every: float = 0.005) -> None:
        self.worst = 0.0
        self._all: list[float] = []
        self._every = every
        self._last = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begins to watch."""
        self._last = asyncio.get_running_loop().time()
        self._tick()

    def skip(self) -> None:
        """What has just held the loop up was not what is measured."""
        self._last = asyncio.get_running_loop().time()

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._all.append(now - self._last - self._every)
        self.worst = max(self.worst, self._all[-1])
        self._last = now
        self._timer = loop.call_later(self._every, self._tick)

    def percentile(self, share: float) -> float:
        """So many of a hundred stalls were shorter."""
        return sorted(self._all)[int(len(self._all) * share / 100)]

    def stop(self) -> float:
        """Ends it; the worst stall in seconds."""
        if self._timer is not None:
            self._timer.cancel()
        return self.worst


def report(name: str, figures: dict[str, Any]) -> None:
    """One JSON line on standard output."""
    print(json.dumps({"benchmark": name, **figures}), flush=True)
