"""The run of one competitor, in an interpreter of its own: so many waits at once, each for a task of 8 to 9 s.

``python -m benchmarks.peers.run NAME --waits N`` prints one JSON line. ``cpu_s`` is this process's processor time from
the start of the waits to the end of the last one, imports, client and a first wait excluded; ``look_us`` that time for
each time an id was asked for; ``bytes`` how far the process's resident memory rose above what it was before, for each
wait, at its peak; ``late_ms`` and ``late_max_ms`` tell how long after the server could first have said "done" the wait
returned. With ``--watch`` it prints the loop's worst stall instead, because the watch itself costs as much processor
time as a lean competitor.
"""

import argparse
import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

import anyio

from ..gauges import Server, Stalls, report, resident, server
from .competitors import COMPETITORS, Competitor, Wait
from .schedule import WARM, endings

SERVER = "benchmarks.peers.server"
"""That of all competitors."""


class Peak:
    """The most of this process that was in memory since this was made, as the kernel counted it."""

    def __init__(self) -> None:
        self._before = resident()
        Path("/proc/self/clear_refs").write_text("5")

    def risen(self) -> int:
        """Bytes above what there was at the beginning."""
        lines = Path("/proc/self/status").read_text().splitlines()
        (most,) = (int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
        return most - self._before


async def together(waits: list[Wait], watch: Stalls | None) -> tuple[list[float | None], list[BaseException]]:
    """All waits at once: when each returned, and what went wrong."""
    returned: list[float | None] = [None] * len(waits)

    async def one(index: int, wait: Wait) -> None:
        await wait()
        returned[index] = time.monotonic()

    if watch is not None:
        watch.start()
    outcomes = await asyncio.gather(*(one(*pair) for pair in enumerate(waits)), return_exceptions=True)
    if watch is not None:
        watch.stop()
    return returned, [outcome for outcome in outcomes if outcome is not None]


async def measure(competitor: Competitor, gateway: Server, *, watch: bool) -> dict[str, Any]:
    """The figures of one run."""
    ids, warm = gateway.ids[:-WARM], gateway.ids[-WARM:]
    stalls = Stalls() if watch else None
    async with competitor.open(gateway.url, gateway.api_key) as prepare:
        await together([await prepare(task_id) for task_id in warm], None)
        peak = Peak()
        waits = [await prepare(task_id) for task_id in ids]
        before, cpu = gateway.counts(), time.process_time()
        returned, errors = await together(waits, stalls)
        cpu = time.process_time() - cpu
        risen, after = peak.risen(), gateway.counts()
    figures: dict[str, Any] = {"failed": len(errors), "error": repr(errors[0])[:120]} if errors else {}
    if stalls is not None:
        return figures | {"stall_ms": round(stalls.worst * 1e3, 1)}
    begin, looks = before["begin_ns"] / 1e9, after["looks"] - before["looks"]
    ends = zip(returned, endings(len(ids)), strict=True)
    late = [back - begin - ending for back, ending in ends if back is not None]
    assert min(late) >= 0, "a wait returned before its task was done"
    return figures | {
        "requests": after["requests"] - before["requests"],
        "looks": looks,
        "cpu_s": round(cpu, 4),
        "look_us": round(cpu / looks * 1e6, 1),
        "bytes": round(risen / len(ids)),
        "late_ms": round(statistics.median(late) * 1e3),
        "late_max_ms": round(max(late) * 1e3),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=COMPETITORS)
    parser.add_argument("--waits", type=int, default=500)
    parser.add_argument("--watch", action="store_true")
    arguments = parser.parse_args()
    with server(arguments.waits, SERVER) as gateway:
        chosen = COMPETITORS[arguments.name]
        figures = anyio.run(lambda: measure(chosen, gateway, watch=arguments.watch))
    report("peers.run", {"name": arguments.name, "waits": arguments.waits, **figures})
