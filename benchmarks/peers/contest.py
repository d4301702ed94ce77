"""The contest: every competitor that is installed, one after the other, and what must hold between them."""

import json
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec

from .competitors import COMPETITORS

PAIRS = {"ours-get": "bare-loop", "ours-batch": "batch-loop"}
"""Whom ours is measured against, run by run."""
DECIDES = {"ours-get": "look_us", "ours-batch": "cpu_s"}
"""By which figure."""
INSTALL = "pip install 'suno-async[bench]'"
_PATIENCE = 300.0
_MOST = 500

_HEAD = (
    "who waits",
    "waits",
    "requests",
    "CPU of a look, us",
    "CPU of the run, s",
    "memory of a wait, bytes",
    "late, median / worst, ms",
    "worst stall, ms",
    "failed waits",
)

Figures = dict[str, Any]


class Row(msgspec.Struct, frozen=True):
    """One competitor with so many waits: the medians of its runs."""

    name: str
    title: str
    version: str
    waits: int
    runs: int
    requests: int = 0
    looks: int = 0
    cpu_s: float = 0.0
    look_us: float = 0.0
    bytes: int = 0
    late_ms: int = 0
    late_max_ms: int = 0
    stall_ms: float = 0.0
    ratio: float | None = None
    """Of ours: the median of the ratios to the loop by hand that ran next to it."""
    failed: int = 0
    """Waits that ended with an error, in the worst of its runs."""
    error: str = ""
    """The first of those errors."""


class Bar(msgspec.Struct, frozen=True):
    """Something that must hold."""

    what: str
    measured: float
    most: float

    @property
    def holds(self) -> bool:
        """True if it does."""
        return self.measured <= self.most


def missing() -> list[str]:
    """The packages that are not installed."""
    return sorted({rival.package for rival in COMPETITORS.values() if rival.version() is None})


def installed() -> list[str]:
    """The names of the competitors that can run."""
    return [name for name, rival in COMPETITORS.items() if rival.version() is not None]


def run(name: str, waits: int, *, watch: bool = False) -> Figures:
    """The figures of one run, in a fresh interpreter."""
    command = [sys.executable, "-m", "benchmarks.peers.run", name, "--waits", str(waits), *["--watch"] * watch]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        return {"failed": waits, "error": f"not done after {_PATIENCE:g} s"}
    print(done.stdout, end="", file=sys.stderr, flush=True)
    if done.returncode:
        return {"failed": waits, "error": (done.stderr.strip().splitlines() or ["it said nothing"])[-1]}
    figures: Figures = json.loads(done.stdout)
    return figures


def _runs(names: Iterable[str], waits: int, rounds: int) -> dict[str, list[Figures]]:
    """Those that are compared run by run, their order turned round each time; then each of the others once."""
    names, runs = set(names), defaultdict(list)
    pairs = [pair for pair in PAIRS.items() if names.issuperset(pair)]
    for number in range(rounds):
        for pair in pairs:
            for name in pair if number % 2 else reversed(pair):
                runs[name].append(run(name, waits))
    for name in COMPETITORS:
        if name in names and name not in runs:
            runs[name].append(run(name, waits))
    return runs


def _row(name: str, waits: int, runs: dict[str, list[Figures]]) -> Row:
    rival, mine = COMPETITORS[name], runs[name]
    watched = run(name, waits, watch=True)
    counted = [figures for figures in mine if "cpu_s" in figures]
    worst = max([*mine, watched], key=lambda figures: figures.get("failed", 0))
    row = Row(
        name,
        rival.title,
        rival.version() or "",
        waits,
        len(mine),
        stall_ms=watched.get("stall_ms", 0.0),
        failed=worst.get("failed", 0),
        error=worst.get("error", ""),
    )
    if not counted:
        return row
    other, by = runs.get(PAIRS.get(name, ""), []), DECIDES.get(name, "")
    ratios = [a[by] / b[by] for a, b in zip(mine, other, strict=False) if by in a and by in b]
    fields = ("requests", "looks", "cpu_s", "look_us", "bytes", "late_ms", "late_max_ms")
    medians = {field: statistics.median_low([figures[field] for figures in counted]) for field in fields}
    ratio = round(statistics.median(ratios), 3) if ratios else None
    return msgspec.structs.replace(row, ratio=ratio, **medians)


def results(sizes: Iterable[int] = (100, _MOST), rounds: int = 5, names: Iterable[str] = ()) -> list[Row]:
    """A row for each competitor that is installed (or of these names) and each number of waits."""
    wanted, rows = set(names), []
    chosen = [name for name in installed() if name in wanted or not wanted]
    for waits in sizes:
        runs = _runs(chosen, waits, rounds)
        rows += [_row(name, waits, runs) for name in COMPETITORS if name in runs]
    return rows


def bars(rows: Iterable[Row]) -> list[Bar]:
    """What must hold, as far as it was measured."""
    found = []
    for waits in sorted({row.waits for row in rows}):
        of = {row.name: row for row in rows if row.waits == waits}
        packages = [row for row in of.values() if row.version and not row.failed]
        single, batched = of.get("ours-get"), of.get("ours-batch")
        if single is not None and single.ratio is not None:
            found.append(
                Bar(f"{waits} waits by GET: processor time of a look over the bare loop's", single.ratio, 1.25)
            )
        if single is not None and packages:
            best = min(packages, key=lambda row: row.look_us)
            share = round(single.look_us / best.look_us, 3)
            found.append(Bar(f"{waits} waits by GET: processor time of a look over {best.title}'s", share, 1 / 3))
        if batched is not None and batched.ratio is not None:
            found.append(Bar(f"{waits} waits by batch: processor time over the batch loop's", batched.ratio, 1.5))
        if batched is not None and waits == _MOST:
            found.append(Bar(f"{waits} waits of 8 to 9 s by batch: requests", batched.requests, 60))
    return found


def markdown(rows: Iterable[Row]) -> str:
    """The rows as a table."""
    lines = ["| " + " | ".join(_HEAD) + " |", "| --- " + "| ---: " * (len(_HEAD) - 1) + "|"]
    for row in rows:
        failed = f"{row.failed} ({row.error})" if row.failed else "0"
        figures = ["", "", "", "", ""]
        if row.looks:
            late = f"{row.late_ms:,} / {row.late_max_ms:,}"
            figures = [f"{row.requests:,}", f"{row.look_us:,.1f}", f"{row.cpu_s:.3f}", f"{row.bytes:,}", late]
        stall = f"{row.stall_ms:,.1f}" if row.stall_ms else ""
        cells = [f"{row.title} {row.version}".strip(), str(row.waits), *figures, stall, failed]
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return "\n".join(lines)
