"""A hundred thousand waits at a gateway that is dead: one probe at a time asks how it is, and nobody else."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import anyio
import pytest
from verdicts import KEY
from wire import Call, Hasty, Step, Wire, answer, follow, seen, then_fin, until

from suno_async import ClientClosed, Fixed, Suno
from suno_async.engine import transport

COUNT = 100_000
SLOTS = 16
PATIENCE = 6000.0
"""Seconds of this clock in which every request has its answer."""
IDS = [f"task_{number}" for number in range(COUNT)]


class Fast(Hasty):
    """A loop on which the pauses between probes are short."""

    speed = 100.0


@pytest.fixture
def anyio_backend():
    """Real sockets, and a clock that runs a hundred times as fast."""
    return "asyncio", {"loop_factory": Fast}


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Ten seconds to connect are a tenth of one here, which a machine that has other work may need."""
    monkeypatch.setattr(transport, "_CONNECT_SECONDS", PATIENCE)


@asynccontextmanager
async def waiting(url: str) -> AsyncIterator[list[str]]:
    """A hundred thousand wait; what is done is told, and all the others are still waited for when the client closes."""
    done: list[str] = []
    left: list[str] = []

    async def wait() -> None:
        try:
            async for task in suno.as_completed(IDS, timeout=None):
                done.append(task.task_id)  # noqa: PERF401 - they are wanted while the others are not there
        except ClientClosed as error:
            left.extend(error.task_ids)

    async with anyio.create_task_group() as group:
        suno = Suno(
            url, api_key=KEY, concurrency=SLOTS, batch_size=500, pace=Fixed(60.0), rng=Random(7), timeout=PATIENCE
        )
        async with suno:
            group.start_soon(wait)
            yield done
    assert len(done) + len(left) == COUNT


async def test_a_port_where_nobody_listens_is_tried_by_one_at_a_time():
    """Once the gate is closed there are no more tries than one probe makes; and when somebody listens, songs come."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    loop = asyncio.get_running_loop()
    async with waiting(f"http://127.0.0.1:{port}") as done:
        await until(lambda: loop.attempts >= 3)
        began, first = anyio.current_time(), loop.attempts
        await until(lambda: loop.attempts >= first + 4 and anyio.current_time() > began + 60)
        # a probe waits for a tenth of a second at least; what was under way when the gate closed comes on top
        assert loop.attempts - first <= 10 * (anyio.current_time() - began) + SLOTS
        assert loop.most_connecting <= SLOTS
        async with Wire(seen, port=port):
            await until(lambda: done)


class Crowd:
    """Counts how many requests are with the gateway at once; the first ones have their answers when they are let go."""

    def __init__(self, step: Step, held: int) -> None:
        self.now = self.most = self.calls = 0
        self._step = step
        self._held = [anyio.Event() for _ in range(held)]

    def let_go(self, first: int, last: int) -> None:
        """The answers for these."""
        for held in self._held[first:last]:
            held.set()

    async def __call__(self, call: Call) -> bytes | None:
        self.now += 1
        self.calls += 1
        self.most = max(self.most, self.now)
        if call.number <= len(self._held):
            await self._held[call.number - 1].wait()
        else:
            # long enough for everybody who may come to come
            await anyio.sleep(1.0)
        self.now -= 1
        return await follow(self._step, call)


DEATHS = {
    "502": (answer("<html>bad gateway</html>", 502), 3),
    "429": (answer(status=429), 1),
    "FIN": (then_fin(b""), 3),
}


@pytest.mark.parametrize(("step", "failures"), DEATHS.values(), ids=DEATHS)
async def test_a_gateway_that_only_says_how_broken_it_is_has_one_visitor_at_a_time(step, failures):
    """Counted at the server: as many as there are slots until the gate closes, and from then on never two at once."""
    wave = SLOTS + failures - 1
    crowd = Crowd(step, wave)
    async with Wire(crowd) as wire, waiting(wire.url) as done:
        for failure in range(failures):
            # before the gate closes the next one takes the place
            await until(lambda come=SLOTS + failure: crowd.calls == come)
            crowd.let_go(failure, failure + 1)
        crowd.let_go(failures, wave)
        await until(lambda: not crowd.now)
        first, crowd.most = crowd.calls, 0
        await until(lambda: crowd.calls >= first + 3)
        assert crowd.most == 1
        assert not done
