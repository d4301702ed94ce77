"""Many ids outstanding in one ``as_completed``: what each look, each waiting id and the loop's stalls cost.

``python -m benchmarks.many --ids 100000 --pace 10 --batch 100`` waits for N tasks that do not finish, at a fixed pace,
for one round of looks to warm up and ``--rounds`` rounds that count. ``cpu_us`` is this process's processor time for
each id looked at (the gateway has its own process and core), ``bytes`` what an id that waits adds to this process,
``stall_ms`` the worst stall of the event loop from the first step on, admission included, ``late_ms`` how much longer
than the pace the mean time between two looks at one id is. ``bare_cpu_us`` is what the same looks cost a hand-written
loop in the same process, which does nothing but send batches evenly and decode them.
"""

import argparse
import time

import anyio

from suno_async import Fixed, Suno

from .bare import batches, session
from .gauges import Server, Stalls, report, resident, server


async def measure(gateway: Server, pace: float, batch: int, rounds: int) -> dict[str, float]:
    """The figures of one run."""
    ids, empty, stalls = gateway.ids, resident(), Stalls()
    async with Suno(gateway.url, api_key=gateway.api_key, pace=Fixed(pace), batch_size=batch) as suno:
        stream = suno.as_completed(ids, timeout=None)
        async with anyio.create_task_group() as group:
            stalls.start()
            group.start_soon(stream.__anext__)
            await anyio.sleep(2 * pace)
            filled = resident()
            before, cpu, clock = gateway.counts()["ids_asked"], time.process_time(), time.monotonic()
            stalls.skip()  # the collection and the question above are the gauge's, not the library's
            await anyio.sleep(rounds * pace)
            used, elapsed = time.process_time() - cpu, time.monotonic() - clock
            looks = gateway.counts()["ids_asked"] - before
            worst = stalls.stop()
            group.cancel_scope.cancel()
        await stream.aclose()
    async with session(gateway.api_key) as http:
        bare_looks, bare = await batches(http, gateway.url, ids, batch, pace)
    return {
        "ids": len(ids),
        "looks": looks,
        "cpu_us": round(used / looks * 1e6, 2),
        "bare_cpu_us": round(bare / bare_looks * 1e6, 2),
        "bytes": round((filled - empty) / len(ids)),
        "resident_mb": round(filled / 1e6),
        "stall_ms": round(worst * 1e3, 1),
        "late_ms": round((elapsed * len(ids) / looks - pace) * 1e3),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ids", type=int, default=100_000)
    parser.add_argument("--pace", type=float, default=10.0)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    with server(arguments.ids) as gateway:
        figures = anyio.run(measure, gateway, arguments.pace, arguments.batch, arguments.rounds)
    report("many", {"pace": arguments.pace, "batch": arguments.batch, **figures})
