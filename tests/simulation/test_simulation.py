"""Simulated worlds: whatever goes wrong in them, the client keeps its rules; and each planted bug is found."""

import gc
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from .planted import BUGS, planted
from .world import Result, simulate

ROOT = Path(__file__).parents[2]
ENOUGH = 60
"""Seeds within which each planted bug must be found."""


def broken(results: list[Result]) -> list[tuple[object, ...]]:
    return [(result.seed, *result.violations[0]) for result in results if result.violations]


@pytest.mark.parametrize("first", range(0, 100, 10))
def test_worlds_in_memory(first):
    """A hundred tasks in each of a hundred worlds: every rule is kept at every request, and all ends come in time."""
    assert broken([simulate(seed) for seed in range(first, first + 10)]) == []


def test_worlds_on_wires():
    """The same through aiohttp and bytes: cut, dripped, garbled, stray."""
    assert broken([simulate(seed, tasks=40, tier=2) for seed in range(10)]) == []


@pytest.mark.long
@pytest.mark.parametrize("first", range(3000, 3300, 50))
def test_more_worlds_in_memory(first):
    """Three hundred more, of a hundred tasks each."""
    assert broken([simulate(seed) for seed in range(first, first + 50)]) == []


@pytest.mark.long
def test_more_worlds_on_wires():
    """Thirty more."""
    assert broken([simulate(seed, tasks=40, tier=2) for seed in range(1000, 1030)]) == []


def test_the_worlds_are_hard_enough():
    """Among a few dozen seeds there are crashes, closed clients, outages, submissions and journals."""
    results = [simulate(seed, tasks=20) for seed in range(30)]
    assert sum(result.crashes for result in results) >= 3
    assert sum(result.requests for result in results) >= 3000
    assert len({result.digest for result in results}) == 30


@pytest.mark.parametrize("tier", [1, 2])
def test_a_seed_replays_bit_for_bit(tier):
    """The same seed gives the same trace, in this process and in one whose hashes are others."""
    command = [sys.executable, "-m", "tests.simulation", "--tier", str(tier), "--tasks", "30", "--seed"]
    for seed in (3, 11):
        traces = set()
        for salt in ("1", "77"):
            env = {**os.environ, "PYTHONHASHSEED": salt}
            run = subprocess.run([*command, str(seed)], cwd=ROOT, env=env, check=True, capture_output=True, text=True)  # noqa: S603
            traces.add(run.stdout.rstrip().rpartition("trace ")[2])
        traces.add(simulate(seed, tasks=30, tier=tier).digest)
        assert len(traces) == 1


def found(name: str) -> str | None:
    """The invariant that a planted bug breaks first."""
    tier = BUGS[name].tier
    for seed in range(ENOUGH):
        result = simulate(seed, tasks=40, tier=tier)
        if result.violations:
            return result.violations[0].invariant
        if "I14" in BUGS[name].caught_by and simulate(seed, tasks=40, tier=tier).digest != result.digest:
            return "I14"
    return None


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name):
    """The simulation that finds nothing in the product finds it in a product with this bug."""
    with planted(name), warnings.catch_warnings():
        # a world that is given up in the middle leaves its connections as they are
        warnings.simplefilter("ignore", ResourceWarning)
        assert found(name) in BUGS[name].caught_by
        gc.collect()


def test_a_violation_is_reported_with_its_seed():
    """The command ends with 1 and names the seed, the invariant and the last events."""
    code = (
        "import sys; from tests.simulation.planted import planted; from tests.simulation.__main__ import main\n"
        "sys.argv = ['simulation', '--seed', '0', '--tasks', '20']\n"
        "with planted('a_final_task_is_looked_at_again'): sys.exit(main())"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True, text=True)  # noqa: S603
    assert run.returncode == 1
    assert "seed 0: I2 at " in run.stdout
    assert " look (" in run.stdout
