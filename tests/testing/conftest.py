"""One client and one quiet gateway for the tests of the gateway."""

import inspect
import json
import math
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import anyio
import pytest

from suno_async.testing import Gateway


class Reply(NamedTuple):
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        return self.json["data"]


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def dial():
    """A client of a gateway, and what it calls with: method, path, options."""

    @asynccontextmanager
    async def connect(gateway, key=None):
        headers = {"Authorization": f"Bearer {key or gateway.api_key}"}
        async with aiohttp.ClientSession(gateway.url, headers=headers) as session:

            async def ask(method, path, **options):
                async with session.request(method, path, allow_redirects=False, **options) as response:
                    return Reply(response.status, response.headers, await response.read())

            yield ask

    return connect


@pytest.fixture
async def gateway():
    """A gateway of 2026 whose rows move only when a test moves them."""
    async with Gateway(beat=math.inf, failure_rate=0) as opened:
        yield opened


@pytest.fixture
async def old():
    """The same of 2025."""
    async with Gateway(era="2025", beat=math.inf, failure_rate=0) as opened:
        yield opened


@pytest.fixture
async def ask(gateway, dial):
    async with dial(gateway) as call:
        yield call


@pytest.fixture
async def ask_old(old, dial):
    async with dial(old) as call:
        yield call


@pytest.fixture
async def private():
    """A private build whose rows move only when a test moves them."""
    async with Gateway(profile="private", beat=math.inf, failure_rate=0) as opened:
        yield opened


@pytest.fixture
async def ask_private(private, dial):
    async with dial(private) as call:
        yield call


@pytest.fixture
def clips_of(private, ask_private):
    """Submit something to the private build, let it succeed, and return its clips."""

    async def make(action="music", **body):
        reply = await ask_private("POST", f"/suno/submit/{action}", json=body)
        assert reply.status == 200, reply.body
        private.finish(reply.data)
        return (await ask_private("GET", f"/suno/fetch/{reply.data}")).data["data"]

    return make


@pytest.fixture
def row_of():
    """The row behind an id, for tests that bend its times."""

    def find(gateway, task_id):
        return gateway._desk.table.get(task_id)

    return find


@pytest.fixture
def later():
    """Let so many seconds of a gateway's time pass at once."""

    def pass_by(gateway, seconds):
        gateway._desk.clock._epoch += seconds

    return pass_by


@pytest.fixture
def eventually():
    """Wait, five seconds at most, until a condition holds; what it returned is the result."""

    async def wait(condition):
        for _ in range(1000):
            found = condition()
            found = await found if inspect.isawaitable(found) else found
            if found:
                return found
            await anyio.sleep(0.005)
        return pytest.fail("it never came to hold")

    return wait
