"""How the tests of the protocol are run."""

from pathlib import Path

import pytest
from hypothesis import Phase, is_hypothesis_test, settings

# for .ci/mutation: which of a thousand small faults is found is all that counts, not its simplest example
settings.register_profile("mutation", phases=[Phase.explicit, Phase.generate])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of many examples come last here: where something is broken, a plain test says so sooner."""
    places = [place for place, item in enumerate(items) if Path(__file__).parent in item.path.parents]
    mine = sorted((items[place] for place in places), key=lambda item: is_hypothesis_test(getattr(item, "obj", None)))
    for place, item in zip(places, mine, strict=True):
        items[place] = item
