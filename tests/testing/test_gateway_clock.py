"""Gateway time."""

import math
from email.utils import parsedate_to_datetime

import anyio

from suno_async.testing import Gateway
from suno_async.testing.gateway.clock import Clock


async def test_time_stands_still_until_it_is_started():
    """A clock that has not been started shows its epoch."""
    clock = Clock(1e6)
    before = clock.now()
    await anyio.sleep(0.001)
    assert clock.now() == before


async def test_time_runs_at_the_chosen_speed():
    """At speed 1000 ten milliseconds are ten seconds, and starting again changes nothing."""
    clock = Clock(1000.0)
    clock.start()
    before = clock.now()
    await anyio.sleep(0.01)
    clock.start()
    assert clock.now() - before >= 10.0


async def test_sleep_is_gateway_time():
    """Sleeping until a moment ends at or after it; a moment in the past only gives way."""
    clock = Clock(1000.0)
    clock.start()
    moment = clock.now() + 5.0
    await clock.sleep_until(moment)
    assert clock.now() >= moment - 0.5
    with anyio.fail_after(0.5):
        await clock.sleep_until(0.0)


def test_stamps_are_cut_to_the_second():
    """The Date header is the whole second; request ids begin with it and the nanoseconds."""
    clock = Clock(1.0)
    assert clock.date(1_795_256_423.75) == "Sat, 21 Nov 2026 10:20:23 GMT"
    assert clock.compact(1_795_256_423.75) == "20261121102023750000000"


async def test_the_date_header_is_the_clock_of_the_rows(dial):
    """Date and updated_at of a fresh row are the same clock, at any speed."""
    async with Gateway(speed=50, beat=math.inf) as gateway, dial(gateway) as ask:
        task_id = gateway.put(status="SUCCESS")
        reply = await ask("GET", f"/suno/fetch/{task_id}")
        date = parsedate_to_datetime(reply.headers["Date"]).timestamp()
    assert 0 <= date - reply.data["updated_at"] <= 100  # two real seconds
