"""All figures in one go: ``python -m benchmarks`` prints a Markdown table, and each JSON line on standard error.

With ``--million`` also the run of a million ids, which takes a minute and a gigabyte for both processes.
"""

import argparse
import json
import subprocess
import sys
from typing import Any

LOOK = ["look"]
THOUSANDS = ["many", "--ids", "100000", "--pace", "10", "--batch", "100"]
MILLION = ["many", "--ids", "1000000", "--pace", "20", "--batch", "500", "--rounds", "1"]
IMPORTS = ["imports"]
JOURNAL = ["journal"]


def run(arguments: list[str]) -> dict[str, Any]:
    """The figures of one script."""
    command = [sys.executable, "-m", f"benchmarks.{arguments[0]}", *arguments[1:]]
    line = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    print(line, end="", file=sys.stderr)
    figures: dict[str, Any] = json.loads(line)
    return figures


def rows(*, million: bool) -> list[tuple[str, str, str, list[str]]]:
    """What was measured, the figure, the bar it has to keep, and the script that measured it."""
    look = run(LOOK)
    imports = run(IMPORTS)
    table = [
        ("one `fetch`, processor time over a bare aiohttp + msgspec loop", f"{look['ratio']} x", "1.15 x", LOOK),
        ("`import suno_async` over `import aiohttp, msgspec, anyio`", f"{imports['ratio']} x", "1.1 x", IMPORTS),
    ]
    if "help_ratio" in imports:
        ratio = f"{imports['help_ratio']} x"
        table.append(("`suno-async --help` over `import suno_async`", ratio, "2 x", IMPORTS))
    journal = run(JOURNAL)
    each = f"{journal['each_us']} us ({journal['plain_us']} us)"
    stalls = f"{journal['stall_p99_ms']} ms ({journal['idle_p99_ms']} ms)"
    alone = f"{journal['alone_ms']} ms ({journal['plain_alone_ms']} ms)"
    table += [
        ("200 submissions at once written down: time for each (a plain `sqlite3` loop's)", each, "20 us", JOURNAL),
        ("the same: processor time over that loop's", f"{journal['cpu_ratio']} x", "6 x", JOURNAL),
        ("the same: 99 of 100 stalls of the loop are shorter (an idle loop's)", stalls, "5 ms", JOURNAL),
        ("one submission written down: time until it is durable (a plain commit's)", alone, "-", JOURNAL),
    ]
    sizes = [(THOUSANDS, "100,000 ids", ("15", "800", "20")), (MILLION, "1,000,000 ids", ("10", "1,000", "100"))]
    for script, name, (cpu, size, stall) in sizes[: 1 + million]:
        many = run(script)
        both = f"{many['cpu_us']} us ({many['bare_cpu_us']} us)"
        table += [
            (f"{name}: processor time for each id looked at (a bare loop's)", both, f"{cpu} us", script),
            (f"{name}: memory for each id that waits", f"{many['bytes']} bytes", f"{size} bytes", script),
            (f"{name}: worst stall of the loop, admission included", f"{many['stall_ms']} ms", f"{stall} ms", script),
            (f"{name}: mean lateness of a look", f"{many['late_ms']} ms", "-", script),
        ]
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--million", action="store_true")
    print("| what | measured | its bar | `python -m benchmarks.` |\n| --- | --- | --- | --- |")
    for what, measured, most, script in rows(million=parser.parse_args().million):
        print(f"| {what} | {measured} | {most} | `{' '.join(script)}` |")
