"""The schedule: which tasks there are, and when each of them is done. The same numbers in every process."""

from random import Random
from string import ascii_letters, digits

EVERY = 1.0
"""Seconds between two looks at one task, for everybody."""
WARM = 2
"""Tasks that are done from the beginning: what a wait loads and builds but once is not what is measured."""
_SHORTEST, _LONGEST = 8.0, 9.0
_SEED = 2026


def task_ids(waits: int) -> list[str]:
    """So many ids as a gateway gives them out, and those to warm up with at the end."""
    dice = Random(_SEED)
    return ["task_" + "".join(dice.choices(ascii_letters + digits, k=32)) for _ in range(waits + WARM)]


def endings(waits: int) -> list[float]:
    """Seconds from the start until each of the tasks is done."""
    dice = Random(_SEED)
    return [dice.uniform(_SHORTEST, _LONGEST) for _ in range(waits)]
