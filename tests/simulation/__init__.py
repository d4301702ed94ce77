"""Deterministic simulation: the whole client against a gateway in memory, on a clock that jumps, from one seed."""

import sys
from pathlib import Path

_TESTS = str(Path(__file__).parent.parent)
if _TESTS not in sys.path:
    # `python -m tests.simulation` starts at the root: what the tests share stands one floor lower
    sys.path.insert(0, _TESTS)
