"""The client's tests: a gateway whose rows move only when a test moves them, and no environment."""

import math

import pytest
from wire import Unhurt

from suno_async import Fixed, Suno
from suno_async.testing import Gateway


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in ("SUNO_BASE_URL", "SUNO_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def gateway():
    """A gateway of 2026 whose rows move only when a test moves them."""
    async with Gateway(beat=math.inf, failure_rate=0) as opened:
        yield opened


@pytest.fixture
async def suno(gateway):
    """A quick client of it."""
    async with Suno(gateway.url, api_key=gateway.api_key, pace=Fixed(0.02), rng=Unhurt()) as opened:
        yield opened
