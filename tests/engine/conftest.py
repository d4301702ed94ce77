"""The engine's tests run in virtual time; those of the network have a fixture of their own."""

import pytest
from virtual import BACKEND


@pytest.fixture
def anyio_backend():
    """A loop that jumps to its next timer."""
    return BACKEND
