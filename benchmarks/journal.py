"""Submissions written down durably: how many a second, what each costs, and what the loop feels of it.

``python -m benchmarks.journal`` has 200 callers write intents of 200 bytes, each waiting for one before the next, in
turns with the loop anybody would write: plain ``sqlite3``, one table, commits of 256 rows, the same WAL and syncs, no
callers and no event loop. ``each_us`` and ``plain_us`` are the medians of the turns' microseconds for each record,
``cpu_us`` and ``plain_cpu_us`` of their processor time, the ratios those of neighbouring turns. ``stall_p99_ms`` and
``stall_ms`` tell how late a timer of every 5 ms was meanwhile, ``idle_p99_ms`` how late it is if nothing runs.
``alone_ms`` is what one caller waits who is alone, ``plain_alone_ms`` what a commit of one row takes.
``--folder /dev/shm`` leaves the disk out of it.
"""

import argparse
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import anyio

from suno_async.engine.journal import Journal
from suno_async.protocol.intents import Intent, IntentState

from .gauges import Stalls, report

GATEWAY = "https://gateway.example"
BODY = b'{"prompt":"%b"}' % (b"a song about the sea, " * 8)
INTENT = Intent(gateway=GATEWAY, action="music", body=BODY, sent=False, state=IntentState.INTENDED)
COMMIT = 256


class Turn(NamedTuple):
    """Microseconds for each record."""

    wall: float
    cpu: float


class Watch:
    """Measures from the moment it is made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def turn(self, records: int) -> Turn:
        """What has passed since, for so many records."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return Turn(wall / records * 1e6, cpu / records * 1e6)


async def ours(journal: Journal, callers: int, records: int) -> Turn:
    """So many records by so many callers."""

    async def write() -> None:
        for _ in range(records // callers):
            await journal.intend(INTENT)

    watch = Watch()
    async with anyio.create_task_group() as group:
        for _ in range(callers):
            group.start_soon(write)
    return watch.turn(records)


class Plain:
    """One table and no second thought, but as durable."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("CREATE TABLE intents (id TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID")
        self._written = 0
        self.close = self._connection.close

    def write(self, records: int, commit: int) -> Turn:
        """So many records, so many in a commit."""
        watch = Watch()
        for _ in range(records // commit):
            self._connection.execute("BEGIN IMMEDIATE")
            for _ in range(commit):
                self._written += 1
                self._connection.execute("INSERT INTO intents VALUES (?, ?)", (f"{self._written:020x}", BODY))
            self._connection.execute("COMMIT")
        return watch.turn(records // commit * commit)


async def measure(folder: Path, callers: int, records: int, turns: int) -> dict[str, float]:
    """The figures of one run."""
    journal, stalls, idle = Journal(folder / "ours", GATEWAY), Stalls(), Stalls()
    idle.start()
    await anyio.sleep(2)
    idle.stop()
    await journal.open()
    with closing(Plain(folder / "plain")) as plain:
        pairs: list[tuple[Turn, Turn]] = []
        for counted in range(-1, turns):
            if counted >= 0:
                stalls.start()
            mine = await ours(journal, callers, records // turns)
            stalls.stop()
            pair = (mine, plain.write(records // turns, COMMIT))
            pairs += [pair] if counted >= 0 else []
        alone = [(await ours(journal, 1, 1)).wall for _ in range(200)]
        plain_alone = [plain.write(1, 1).wall for _ in range(200)]
    await journal.close()
    middle = statistics.median
    return {
        "records": records // turns * turns,
        "each_us": round(middle(a.wall for a, _ in pairs), 1),
        "plain_us": round(middle(b.wall for _, b in pairs), 1),
        "a_second": round(1e6 / middle(a.wall for a, _ in pairs)),
        "ratio": round(middle(a.wall / b.wall for a, b in pairs), 2),
        "cpu_us": round(middle(a.cpu for a, _ in pairs), 1),
        "plain_cpu_us": round(middle(b.cpu for _, b in pairs), 1),
        "cpu_ratio": round(middle(a.cpu / b.cpu for a, b in pairs), 2),
        "stall_p99_ms": round(stalls.percentile(99) * 1e3, 1),
        "idle_p99_ms": round(idle.percentile(99) * 1e3, 1),
        "stall_ms": round(stalls.worst * 1e3, 1),
        "alone_ms": round(middle(alone) / 1e3, 2),
        "plain_alone_ms": round(middle(plain_alone) / 1e3, 2),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callers", type=int, default=200)
    parser.add_argument("--records", type=int, default=60_000)
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--folder", help="on the disk that is meant; without it, where temporary files lie")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        figures = anyio.run(measure, Path(folder), arguments.callers, arguments.records, arguments.turns)
    report("journal", {"callers": arguments.callers, **figures})
