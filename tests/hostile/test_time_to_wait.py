"""Faults 41 to 45: whoever is asked to come again later does, with looks and with submissions."""

import anyio
import pytest
from verdicts import ACCEPTED, CAT, client, outcome_of, whole
from virtual import BACKEND, Engine, World, limited
from wire import HASTY, Call, Hasty, Wire, answer, seen

from suno_async import GatewayUnavailable, RateLimited


class Rushing(Hasty):
    """A loop on which a minute takes a second."""

    speed = 60.0


@pytest.fixture
def anyio_backend():
    """Real sockets, and a clock that runs so much faster."""
    return ("asyncio", {"loop_factory": Rushing})


OVERLOADED = {"error": {"message": "system cpu overloaded", "type": "new_api_error", "code": ""}}
BUSY = {
    "503 of the gateway": (503, OVERLOADED),
    "503 of a proxy": (503, "<html>maintenance</html>"),
    "502 of a proxy": (502, "<html>bad gateway</html>"),
    "500 and nothing": (500, b""),
}
busy = pytest.mark.parametrize(("status", "body"), BUSY.values(), ids=BUSY)


def later(status, body, seconds):
    """An answer that asks for so many seconds."""
    return answer(body, status, {"Retry-After": str(seconds)})


class Watched:
    """Steps of a server, and when each of them was asked for."""

    def __init__(self, *steps):
        self.times = []
        self._steps = steps

    def __call__(self, call: Call) -> bytes:
        self.times.append(anyio.current_time())
        step = self._steps[min(call.number, len(self._steps)) - 1]
        return step(call) if callable(step) else step


@busy
async def test_a_look_comes_again_when_it_was_told_to(status, body):
    """43: an outage that says how long it lasts is believed, by ``wait``, ``fetch`` and ``fetch_many``."""
    for verb in ("wait", "fetch", "fetch_many"):
        step = Watched(later(status, body, 10), whole)
        async with Wire(step) as wire, client(wire.url, timeout=300.0) as suno:
            with anyio.fail_after(900):
                if verb == "fetch_many":
                    found = await suno.fetch_many(["task_1", "task_2"])
                    assert all(task is not None and task.succeeded for task in found.values())
                else:
                    assert (await getattr(suno, verb)("task_1")).succeeded
        assert len(step.times) == 2
        assert step.times[1] - step.times[0] >= 10


@pytest.mark.parametrize(("status", "kind"), [(429, RateLimited), (503, GatewayUnavailable), (502, GatewayUnavailable)])
async def test_a_look_that_would_have_to_wait_longer_than_it_may_says_so_at_once(status, kind):
    """43: ``fetch`` ends after one request, with how long the gateway asks to wait."""
    async with Wire(later(status, OVERLOADED, 100)) as wire, client(wire.url, timeout=60.0) as suno:
        with pytest.raises(kind) as caught:
            await suno.fetch("task_1")
        assert caught.value.retry_after == 100
        assert wire.asked == 1


async def test_one_that_has_to_wait_holds_up_nobody_else():
    """43: a single 503 closes no gate, however long it asks for: the other ids have their songs meanwhile."""
    order = []

    def step(call: Call) -> bytes:
        order.append(call.ids[0])
        return later(503, OVERLOADED, 60) if order.count("task_1") == 1 and call.ids == ["task_1"] else seen(call)

    async with Wire(step) as wire, client(wire.url, batch_size=1) as suno:
        begin = anyio.current_time()
        done = [
            (task.task_id, anyio.current_time() - begin)
            async for task in suno.as_completed(["task_1", "task_2", "task_3"], timeout=600)
        ]
        assert [task_id for task_id, _ in done][-1] == "task_1"
        assert done[-1][1] >= 60 > done[-2][1]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_submission_comes_again_when_it_was_told_to(status):
    """43: and is sent once more then, accepted once, and paid once."""
    step = Watched(later(status, OVERLOADED, 20), whole)
    async with Wire(step) as wire, client(wire.url) as suno:
        assert await outcome_of(suno.submit(CAT), wire) == ACCEPTED
    assert len(step.times) == 2
    assert step.times[1] - step.times[0] >= 20


@pytest.mark.parametrize(("status", "kind"), [(429, RateLimited), (503, GatewayUnavailable)])
async def test_a_submission_that_would_have_to_wait_for_minutes_is_the_callers_affair(status, kind):
    """43: more than a minute is told, with how long it is, after one POST."""
    async with Wire(later(status, OVERLOADED, 61)) as wire, client(wire.url) as suno:
        with pytest.raises(kind) as caught:
            await suno.submit(CAT)
        assert caught.value.retry_after == 61
        assert wire.asked == 1


@pytest.mark.parametrize("anyio_backend", [HASTY], ids=["hasty"])
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    "value",
    ["-1", "inf", "nan", "1e9", "1000000", "9" * 5000, "٣", "²", "5, 10", "2026-11-21T00:00:00Z", "", "0x10"],
    ids=lambda value: ascii(value[:12]),
)
async def test_a_submission_is_not_held_up_by_a_time_that_is_none(anyio_backend, value, status):
    """45: what is no number of seconds is not obeyed: it is sent again as if nothing had been said."""
    step = Watched(later(status, OVERLOADED, value), whole)
    async with Wire(step) as wire, client(wire.url) as suno:
        assert await outcome_of(suno.submit(CAT), wire) == ACCEPTED
    assert len(step.times) == 2
    assert step.times[1] - step.times[0] < 20


@pytest.mark.parametrize("anyio_backend", [BACKEND], ids=["virtual"])
async def test_a_limit_that_says_no_time_slows_everybody_down(anyio_backend):
    """41: ten minutes of 429 and nothing more: one probe at a time, ever rarer; every id has its song afterwards."""
    world = World(latency=0.1)
    task_ids = [f"t{number}" for number in range(50)]
    world.add(*task_ids, after=0)
    world.rule = lambda ask: limited() if ask.at < 600 else None
    async with Engine(world, size=10) as engine:
        with anyio.fail_after(600 + 130):
            found = [task.task_id async for task in engine.stream(task_ids)]
        assert sorted(found) == sorted(task_ids)
        pressed = [ask.at for ask in world.asks if 1 < ask.at < 600]
        assert 8 < len(pressed) < 60
        assert len(set(pressed)) == len(pressed)
        await engine.settle()
