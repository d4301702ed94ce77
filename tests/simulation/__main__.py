"""Run many seeds, or one again: ``python -m tests.simulation --seeds 500`` and ``--tier 2 --seed 81``."""

import argparse
import gc
import sys
import time

from .world import Result, simulate

_TASKS = {1: 100, 2: 40}


def main() -> int:
    """1 if a rule was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--seeds", type=int, default=100, metavar="N", help="how many, from --first on")
    which.add_argument("--seed", type=int, metavar="K", help="this one alone, with its last events")
    parser.add_argument("--first", type=int, default=0, metavar="K")
    parser.add_argument("--tier", type=int, choices=(1, 2), default=1, help="2: through aiohttp, on wires in memory")
    parser.add_argument("--tasks", type=int, metavar="M", help="100 in tier 1, 40 in tier 2")
    given = parser.parse_args()
    tasks = given.tasks or _TASKS[given.tier]
    gc.freeze()
    if given.seed is not None:
        result = simulate(given.seed, tasks=tasks, tier=given.tier)
        print("\n".join(result.events))
        print(f"seed {result.seed}: {result.looks} looks in {result.requests} requests, {result.crashes} crashes,")
        print(f"{result.seconds:.0f} virtual seconds, trace {result.digest}")
        return _judge([result])
    begin = time.perf_counter()
    results = [simulate(seed, tasks=tasks, tier=given.tier) for seed in range(given.first, given.first + given.seeds)]
    took = time.perf_counter() - begin
    looks, requests = sum(result.looks for result in results), sum(result.requests for result in results)
    crashes, hours = sum(result.crashes for result in results), sum(result.seconds for result in results) / 3600
    print(f"{len(results)} seeds, {looks} looks in {requests} requests, {crashes} crashes, {hours:.1f} virtual hours")
    print(f"{took:.1f} s, {looks / took:.0f} looks a second")
    return _judge(results)


def _judge(results: list[Result]) -> int:
    for result in results:
        for broken in result.violations[:1]:
            print(f"seed {result.seed}: {broken.invariant} at {broken.at:.3f}: {broken.message}")
    return int(any(result.violations for result in results))


if __name__ == "__main__":
    sys.exit(main())
