"""The crew: tasks that are woken again instead of started anew."""

import asyncio

import anyio
import pytest

from suno_async.engine.crew import Crew


class Shop:
    """Work that takes as long as it is told, and a record of who did it."""

    def __init__(self):
        self.done, self.dropped, self.hands = [], [], []
        self.crew = Crew(self.work, self.dropped.append)

    async def work(self, seconds):
        self.hands.append(asyncio.current_task())
        await anyio.sleep(seconds)
        if seconds < 0.02:
            raise ValueError("this cannot be done")
        self.done.append(seconds)


async def test_one_after_the_other_is_done_by_one():
    """Work that comes when the last is done is done by the same task, and everything is done once."""
    shop = Shop()
    async with anyio.create_task_group() as group:
        for number in range(5):
            shop.crew.send(group, 1.0 + number)
            await anyio.sleep(10)
        group.cancel_scope.cancel()
    assert shop.done == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert len(set(shop.hands)) == 1
    assert shop.dropped == []


async def test_as_many_as_there_is_work_for_at_once():
    """What comes at the same time is done at the same time; later those who are there take turns."""
    shop = Shop()
    async with anyio.create_task_group() as group:
        for _ in range(3):
            shop.crew.send(group, 5.0)
        await anyio.sleep(5.5)
        assert shop.done == [5.0] * 3
        for _ in range(2):
            shop.crew.send(group, 1.0)
        await anyio.sleep(2)
        group.cancel_scope.cancel()
    assert len(shop.done) == 5
    assert len(set(shop.hands)) == 3


async def test_what_nobody_could_begin_any_more_is_given_back():
    """One who is cancelled after he was woken, and before he began, gives back what he was woken for."""
    shop = Shop()
    async with anyio.create_task_group() as group:
        shop.crew.send(group, 1.0)
        await anyio.sleep(2)
        shop.crew.send(group, 2.0)
        # as a loop that is shut down does; a group lets those begin whom somebody has woken
        shop.hands[0].cancel()
        await anyio.sleep(3)
        group.cancel_scope.cancel()
    assert shop.done == [1.0]
    assert shop.dropped == [2.0]


async def test_who_is_gone_is_not_woken():
    """Those whose group has ended are passed over: in another group somebody new begins."""
    shop = Shop()
    async with anyio.create_task_group() as group:
        shop.crew.send(group, 1.0)
        await anyio.sleep(2)
        group.cancel_scope.cancel()
    async with anyio.create_task_group() as group:
        shop.crew.send(group, 3.0)
        await anyio.sleep(4)
        group.cancel_scope.cancel()
    assert shop.done == [1.0, 3.0]
    assert len(set(shop.hands)) == 2
    assert shop.dropped == []


async def test_an_error_ends_the_group():
    """What goes wrong in the work is not kept quiet."""
    shop = Shop()

    async def break_it():
        async with anyio.create_task_group() as group:
            shop.crew.send(group, 1.0)
            await anyio.sleep(2)
            shop.crew.send(group, 0.01)
            await anyio.sleep(2)

    with pytest.raises(ExceptionGroup) as caught:
        await break_it()
    assert isinstance(caught.value.exceptions[0], ValueError)
    assert shop.done == [1.0]
