"""One ``fetch`` by GET against the loop anybody would write: the processor time of a look, side by side.

``python -m benchmarks.look`` asks for one finished song again and again, in turns of ``--looks`` by either side, and
prints the medians of their processor microseconds and the median of the ratios of neighbouring turns.
"""

import argparse
import statistics
import time
from collections.abc import Awaitable, Callable

import anyio

from suno_async import Suno

from .bare import fetch, session
from .gauges import Server, report, server


async def turn(look: Callable[[], Awaitable[object]], looks: int) -> float:
    """Processor seconds of so many looks, one after the other."""
    start = time.process_time()
    for _ in range(looks):
        await look()
    return time.process_time() - start


async def measure(gateway: Server, looks: int, turns: int) -> dict[str, float]:
    """The figures of one run."""
    (task_id,) = gateway.ids
    async with Suno(gateway.url, api_key=gateway.api_key) as suno, session(gateway.api_key) as http:
        ours: list[float] = []
        bare: list[float] = []
        for counted in range(-1, turns):
            a = await turn(lambda: suno.fetch(task_id), looks)
            b = await turn(lambda: fetch(http, gateway.url, task_id), looks)
            if counted >= 0:
                ours.append(a / looks * 1e6)
                bare.append(b / looks * 1e6)
    return {
        "looks": looks * turns,
        "ours_us": round(statistics.median(ours), 1),
        "bare_us": round(statistics.median(bare), 1),
        "ratio": round(statistics.median(a / b for a, b in zip(ours, bare, strict=True)), 3),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--looks", type=int, default=500)
    parser.add_argument("--turns", type=int, default=15)
    arguments = parser.parse_args()
    with server(1) as gateway:
        figures = anyio.run(measure, gateway, arguments.looks, arguments.turns)
    report("look", figures)
