"""The table of what can go wrong."""

from collections import Counter

import pytest

from suno_async.testing import FAULTS, Gateway
from suno_async.testing.gateway.faults import AFTER, BEFORE, UPSTREAM, Faults


def test_every_fault_is_documented_and_the_groups_name_faults():
    """Each name has a sentence; the groups are names of the table."""
    assert all(FAULTS.values())
    assert {*BEFORE, *AFTER, *UPSTREAM} <= set(FAULTS)


def test_an_unknown_name_is_refused_with_all_names():
    """The error names every fault there is, wherever the name is used."""
    faults = Faults({}, 0, Counter())
    for use in (lambda: faults.once("nonsense"), lambda: faults["nonsense"], lambda: faults.update(nonsense=1)):
        with pytest.raises(ValueError, match=r"'nonsense'.*rate_limited"):
            use()
    with pytest.raises(ValueError, match="nonsense"):
        Gateway(faults={"nonsense": 0.5})


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_lies_between_0_and_1(rate):
    """Any other rate is refused."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        Gateway(faults={"drip": rate})


def test_what_are_no_rates():
    """Rates come by name: a list of names, or a rate that is a text, is refused with what to give instead."""
    with pytest.raises(ValueError, match=r"faults are rates by name, such as \{'hang': 0.1\}, not \['hang'\]"):
        Faults(["hang"], 0, Counter())
    faults = Faults({}, 0, Counter())
    with pytest.raises(ValueError, match="the rate of hang is between 0 and 1, not 'often'"):
        faults["hang"] = "often"


def test_rates_read_as_a_mapping():
    """What is not set has rate 0; names can be set, listed and removed at run time."""
    faults = Faults({"drip": 0.5}, 0, Counter())
    assert (faults["drip"], faults["hang"], list(faults), len(faults)) == (0.5, 0.0, ["drip"], 1)
    del faults["drip"], faults["hang"]
    assert not faults.active


def test_the_same_seed_throws_the_same_dice():
    """The same seed strikes at the same occasions, about as often as the rate says, whatever else is set."""
    alone, other = Faults({"drip": 0.3}, 7, Counter()), Faults({"drip": 0.3, "hang": 0.5}, 7, Counter())
    other.first(["hang", "late_row"])
    strikes = [alone.strikes("drip") for _ in range(1000)]
    assert strikes == [other.strikes("drip") for _ in range(1000)]
    assert 250 < sum(strikes) < 350
    assert alone.counts["drip"] == sum(strikes)


def test_once_strikes_at_the_next_occasions_only():
    """once() strikes exactly so many times, whatever the rate."""
    faults = Faults({}, 0, Counter())
    faults.once("drip", 2)
    assert [faults.first(["hang", "drip"]) for _ in range(3)] == ["drip", "drip", None]
    assert not faults.active


def test_the_way_a_fault_shows_follows_from_the_seed():
    """One of the given values, the same for the same seed, and each of them sooner or later."""
    first, second = ([Faults({}, 7, Counter()).choose("server_error", [1, 2, 3])] for _ in range(2))
    assert first == second
    faults = Faults({}, 7, Counter())
    assert {faults.choose("server_error", [1, 2, 3]) for _ in range(100)} == {1, 2, 3}
