"""What all tests share."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Tests run on asyncio: aiohttp knows no other."""
    return "asyncio"
