"""``python -m tests.crash --kills 2000 --seed 7``: as many kills as you like."""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from .bugs import BUGS
from .campaign import run


async def main() -> None:
    """Kill, and tell what happened."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description="kill -9 children that use a journal")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bug", choices=sorted(BUGS), default="", help="plant this bug: it must be found")
    asked = parser.parse_args()
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        tally = await run(Path(folder), kills=asked.kills, seed=asked.seed, bug=asked.bug)
    for name, count in sorted(tally.items()):
        print(f"{count:8} {name}")
    print(f"no promise was broken in {asked.kills} kills ({time.monotonic() - began:.1f} s)")


anyio.run(main)
