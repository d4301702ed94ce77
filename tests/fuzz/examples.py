"""The examples: how many of them a property is tried with, and from what dice they are made.

``SUNO_FUZZ_EXAMPLES=100000 pytest tests/fuzz`` tries that many, and other ones each time.
"""

import os
from collections.abc import Callable
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

_ASKED = os.environ.get("SUNO_FUZZ_EXAMPLES", "")
DICE = st.randoms(use_true_random=False)


def some(usual: int) -> settings:
    """The settings of a property: the same examples each time, unless more of them are asked for."""
    return settings(
        max_examples=int(_ASKED or usual),
        deadline=None,
        derandomize=not _ASKED,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def each(seeds: range, check: Callable[[Random], None]) -> None:
    """Checks with the dice of each seed; what fails says which one it was."""
    for seed in seeds:
        try:
            check(Random(seed))
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
