"""The alarm: who sleeps wakes up in time."""

import asyncio
from math import inf

import anyio
import pytest

from suno_async.engine.alarm import Alarm


async def test_one_sleeps_until_it_is_due():
    """Without a ring one sleeps until the time, and says so for as long."""
    alarm, loop = Alarm(), asyncio.get_running_loop()
    assert alarm.until == -inf
    due = loop.time() + 2.0
    async with anyio.create_task_group() as group:
        group.start_soon(alarm.sleep, due)
        await anyio.sleep(1)
        assert alarm.until == due
    assert loop.time() == pytest.approx(due)
    assert alarm.until == -inf


@pytest.mark.parametrize("due", [100.0, inf])
async def test_a_ring_wakes_the_one_who_sleeps(due):
    """One who sleeps, be it for ever, wakes up at the first ring; more of them do no harm."""
    alarm, loop = Alarm(), asyncio.get_running_loop()
    start = loop.time()
    async with anyio.create_task_group() as group:
        group.start_soon(alarm.sleep, start + due)
        await anyio.sleep(3)
        alarm.ring()
        alarm.ring()
    assert loop.time() == pytest.approx(start + 3)


async def test_a_ring_while_nobody_sleeps_wakes_nobody_later():
    """A ring is for who sleeps now."""
    alarm, loop = Alarm(), asyncio.get_running_loop()
    alarm.ring()
    await alarm.sleep(loop.time() + 1)
    alarm.ring()
    due = loop.time() + 5
    await alarm.sleep(due)
    assert loop.time() == pytest.approx(due)


async def test_one_who_is_cancelled_leaves_no_timer():
    """A sleep that is cancelled is over: nobody is said to sleep, and a sleep to come is as long as it should be."""
    alarm, loop = Alarm(), asyncio.get_running_loop()
    with anyio.move_on_after(1):
        await alarm.sleep(loop.time() + 2)
    assert alarm.until == -inf
    due = loop.time() + 9
    await alarm.sleep(due)
    assert loop.time() == pytest.approx(due)


async def test_one_ring_is_enough():
    """From the first one on nobody is said to sleep, though the one who slept has not had its turn yet."""
    alarm, loop = Alarm(), asyncio.get_running_loop()
    async with anyio.create_task_group() as group:
        group.start_soon(alarm.sleep, loop.time() + 100)
        await anyio.sleep(1)
        alarm.ring()
        assert alarm.until == -inf
