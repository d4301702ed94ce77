"""The deadlines: who is told that the time is over, and when."""

import asyncio
import gc
import weakref

import anyio
import pytest

from suno_async.engine.deadlines import Deadlines
from suno_async.protocol.life import Life

LIFE = Life(task_id="a", born=0.0)


class Guest:
    """Notes when it was told, and what."""

    def __init__(self, then=lambda: None):
        self.told, self.then = [], then

    def expire(self, life, seconds):
        self.told.append((round(asyncio.get_running_loop().time() - self.start, 6), life.task_id, seconds))
        self.then()

    def enter(self, deadlines, seconds):
        self.start = asyncio.get_running_loop().time()
        deadlines.add(self, LIFE, seconds)
        return self


async def test_each_is_told_once_at_its_time():
    """Whatever the others' times are, each is told once, with its life and its own seconds, when they are over."""
    deadlines, guests = Deadlines(), []
    for seconds in (3.0, 1.0, 3.0, 2.0, 3.0, 0.0):
        guests.append(Guest().enter(deadlines, seconds))
        await anyio.sleep(0.25)
    await anyio.sleep(10)
    assert [guest.told for guest in guests] == [[(s, "a", s)] for s in (3.0, 1.0, 3.0, 2.0, 3.0, 0.0)]


async def test_those_who_began_at_once_are_told_at_once():
    """Many with the same time are all told in the same turn of the loop."""
    deadlines = Deadlines()
    guests = [Guest().enter(deadlines, 1.0) for _ in range(1000)]
    await anyio.sleep(2)
    assert {tuple(guest.told) for guest in guests} == {((1.0, "a", 1.0),)}


async def test_who_was_discarded_is_not_told():
    """Who leaves is not told, be it the first, one in the middle or the last; the others are, in time."""
    deadlines = Deadlines()
    guests = []
    for _ in range(5):
        guests.append(Guest().enter(deadlines, 4.0))
        await anyio.sleep(0.5)
    for index in (0, 2, 4):
        deadlines.discard(guests[index], 4.0)
    await anyio.sleep(9)
    assert [len(guest.told) for guest in guests] == [0, 1, 0, 1, 0]
    assert guests[1].told == guests[3].told == [(4.0, "a", 4.0)]


async def test_who_is_not_there_can_be_discarded():
    """To be discarded again, or after one was told, changes nothing for the others."""
    deadlines = Deadlines()
    first, other = Guest().enter(deadlines, 1.0), Guest().enter(deadlines, 5.0)
    deadlines.discard(first, 5.0)
    await anyio.sleep(2)
    deadlines.discard(first, 1.0)
    deadlines.discard(first, 1.0)
    await anyio.sleep(4)
    assert (first.told, other.told) == ([(1.0, "a", 1.0)], [(5.0, "a", 5.0)])


async def test_one_who_is_told_may_let_another_in():
    """Who is told of its own time may begin once more, with the same seconds."""
    deadlines, again = Deadlines(), Guest()
    first = Guest(lambda: again.enter(deadlines, 1.0)).enter(deadlines, 1.0)
    await anyio.sleep(5)
    assert first.told == again.told == [(1.0, "a", 1.0)]


async def test_nothing_is_left_of_those_who_left():
    """Neither a timer nor a reference stays behind once everybody has left or was told."""
    loop = asyncio.get_running_loop()
    deadlines = Deadlines()
    left, told = Guest().enter(deadlines, 3600.0), Guest().enter(deadlines, 1.0)
    deadlines.discard(left, 3600.0)
    await anyio.sleep(2)
    refs = weakref.ref(left), weakref.ref(told)
    del left, told
    gc.collect()
    assert [ref() for ref in refs] == [None, None]
    assert [timer for timer in loop._scheduled if not timer.cancelled()] == []


@pytest.mark.parametrize("count", [10, 1000])
async def test_one_timer_is_enough_for_the_same_seconds(count):
    """However many wait for equally long, the loop has one timer for all of them."""
    loop, deadlines = asyncio.get_running_loop(), Deadlines()
    before = len(loop._scheduled)
    guests = [Guest().enter(deadlines, 3600.0) for _ in range(count)]
    assert len(loop._scheduled) == before + 1
    for guest in guests:
        deadlines.discard(guest, 3600.0)


async def test_one_that_breaks_takes_no_other_with_it():
    """The loop hears of it, and everybody else is told in time."""
    deadlines, heard = Deadlines(), []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: heard.append(context["exception"]))

    def broken():
        raise RuntimeError("broken")

    first, second, third = Guest(broken), Guest(), Guest()
    for guest in (first, second):
        guest.enter(deadlines, 1.0)
    await anyio.sleep(0.5)
    third.enter(deadlines, 1.0)
    await anyio.sleep(5)
    loop.set_exception_handler(None)
    assert [len(guest.told) for guest in (first, second, third)] == [1, 1, 1]
    assert [str(error) for error in heard] == ["broken"]
    assert not deadlines._queues
