"""What ``import suno_async`` costs over ``import aiohttp, msgspec, anyio``, in fresh processes, side by side.

``python -m benchmarks.imports`` prints the medians of the processor milliseconds of both and the median of the ratios
of neighbouring runs; likewise for ``suno-async --help`` over ``import suno_async``, if the command line is installed.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
from importlib.util import find_spec

from .gauges import report

PEERS = ["-c", "import aiohttp, msgspec, anyio"]
OURS = ["-c", "import suno_async"]
HELP = ["-m", "suno_async", "--help"]


def cpu(arguments: list[str]) -> float:
    """Processor milliseconds of one fresh interpreter."""
    # packages are installed with their bytecode: so must this one be, or its source is compiled in every run
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3


def pairs(a: list[str], b: list[str], runs: int) -> tuple[float, float, float]:
    """The medians of both and of the ratio a / b, after one run of each that does not count."""
    cpu(a), cpu(b)
    times = [(cpu(a), cpu(b)) for _ in range(runs)]
    ratio = statistics.median(x / y for x, y in times)
    return statistics.median(x for x, _ in times), statistics.median(y for _, y in times), ratio


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    ours, peers, ratio = pairs(OURS, PEERS, runs)
    figures = {"ours_ms": round(ours), "peers_ms": round(peers), "ratio": round(ratio, 3)}
    if find_spec("cyclopts") is not None:
        shown, _, over = pairs(HELP, OURS, runs)
        figures |= {"help_ms": round(shown), "help_ratio": round(over, 3)}
    report("imports", figures)
