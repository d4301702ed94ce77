"""Other packages that wait for tasks, beside this one, against a server in its own process on the other core.

``python -m benchmarks.peers`` runs each that is installed with 100 and 500 waits for tasks of 8 to 9 s, a look every
second, and prints a Markdown table and what must hold; the JSON line of each run goes to standard error. Ours and the
loops by hand run ``--rounds`` times, turn by turn, the others once, and each once more to watch the loop. All of it
takes 20 minutes. What is not installed is named: ``pip install 'suno-async[bench]'``.
"""

import argparse
import sys
from pathlib import Path

from .competitors import COMPETITORS
from .contest import INSTALL, Bar, bars, markdown, missing, results

_RESULTS = Path(__file__).parent.parent / "results" / "peers.md"
_HEAD = ("", "| what must hold | measured | at most | |", "| --- | ---: | ---: | --- |")


def _line(bar: Bar) -> str:
    return f"| {bar.what} | {bar.measured:g} | {bar.most:.3g} | {'holds' if bar.holds else 'does not hold'} |"


def main() -> int:
    """Everything; 1 if something that must hold does not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--waits", type=int, nargs="+", default=[100, 500])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write the table to benchmarks/results/")
    parser.add_argument("--only", nargs="+", choices=COMPETITORS, default=[])
    arguments = parser.parse_args()
    if absent := missing():
        print(f"not installed, so left out: {', '.join(absent)}; all of them: {INSTALL}", file=sys.stderr)
    rows = results(arguments.waits, arguments.rounds, arguments.only)
    if not rows:
        sys.exit("none of what was asked for is installed")
    found = bars(rows)
    text = "\n".join([markdown(rows), *_HEAD, *map(_line, found)])
    print(text)
    if arguments.write:
        command = " ".join(["python -m benchmarks.peers", *sys.argv[1:]])
        _RESULTS.write_text(f"# Other packages that wait for tasks\n\nWritten by `{command}`.\n\n{text}\n")
    return 0 if all(bar.holds for bar in found) else 1


if __name__ == "__main__":
    sys.exit(main())
