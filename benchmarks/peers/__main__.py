"""Other packages that wait for tasks, beside this one, against a server in its own process on the other core.

``python -m benchmarks.peers`` runs each that is installed with 100 and 500 waits for tasks of 8 to 9 s, a look every
second, and prints a Markdown table and what must hold; the JSON line of each run goes to standard error. Ours and the
loops by hand run ``--rounds`` times, turn by turn, the others once, and each once more to watch the loop. All of it
takes 20 minutes. What is not installed is named: ``pip install 'suno-async[bench]'``.
"""

import argparse
import sys

from .competitors import COMPETITORS
from .contest import INSTALL, bars, markdown, missing, results


def main() -> int:
    """Everything; 1 if something that must hold does not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--waits", type=int, nargs="+", default=[100, 500])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=COMPETITORS, default=[])
    arguments = parser.parse_args()
    if absent := missing():
        print(f"not installed, so left out: {', '.join(absent)}; all of them: {INSTALL}", file=sys.stderr)
    rows = results(arguments.waits, arguments.rounds, arguments.only)
    if not rows:
        sys.exit("none of what was asked for is installed")
    print(markdown(rows))
    found = bars(rows)
    print("\n| what must hold | measured | at most | |\n| --- | ---: | ---: | --- |")
    for bar in found:
        print(f"| {bar.what} | {bar.measured:g} | {bar.most:.3g} | {'holds' if bar.holds else 'does not hold'} |")
    return 0 if all(bar.holds for bar in found) else 1


if __name__ == "__main__":
    sys.exit(main())
