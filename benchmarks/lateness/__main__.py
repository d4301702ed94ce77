"""Policies of looking x worlds, on virtual time: ``python -m benchmarks.lateness`` prints the tables.

``--write`` puts them into benchmarks/results/, with the figures as JSON and a picture; ``--check`` fails and names each
bar that is not kept; ``--quick`` takes fewer seeds.
"""

import argparse
import sys
from pathlib import Path

import msgspec

from .bars import bars
from .picture import draw, pyplot
from .report import report
from .results import Results, measure

_RESULTS = Path(__file__).parent.parent / "results"
_SEEDS, _QUICK = 20, 3


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lateness", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the tables and the picture to benchmarks/results/")
    parser.add_argument("--check", action="store_true", help="fail if a bar is not kept")
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK} seeds instead of {_SEEDS}")
    arguments = parser.parse_args()
    if arguments.write:
        pyplot()  # before minutes of work
    results = measure(_QUICK if arguments.quick else _SEEDS)
    found = bars(results)
    options = [name for name in ("write", "check", "quick") if getattr(arguments, name)]
    text = report(results, found, " ".join(["python -m benchmarks.lateness", *(f"--{name}" for name in options)]))
    if arguments.write:
        write(results, text)
    else:
        print(text)
    missed = [bar for bar in found if not bar.kept]
    for bar in missed:
        print(f"not kept: {bar}", file=sys.stderr)
    sys.exit(1 if missed and arguments.check else 0)


def write(results: Results, text: str) -> None:
    """Puts everything into its place."""
    _RESULTS.mkdir(exist_ok=True)
    (_RESULTS / "lateness.md").write_text(text)
    figures = msgspec.json.format(msgspec.json.encode(_rounded(msgspec.to_builtins(results))), indent=1)
    (_RESULTS / "lateness.json").write_bytes(figures + b"\n")
    draw(results.points, _RESULTS / "lateness.svg")


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
