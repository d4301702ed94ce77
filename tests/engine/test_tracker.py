"""The tracker: who waits for which id, and that an id nobody waits for is not looked at."""

import asyncio
from collections import Counter
from contextlib import suppress

import anyio
import pytest
from virtual import GONE, UNKNOWN, Engine, World, journaled, row, settled

from suno_async.engine.tracker import Tracker
from suno_async.engine.waits import Wait
from suno_async.protocol.durations import Event
from suno_async.protocol.errors import ClientClosed, TaskNotFound, WaitTimeout
from suno_async.protocol.experience import unpacked
from suno_async.protocol.life import Settled
from suno_async.protocol.models import Status, Task
from suno_async.protocol.pace import Adaptive, Backoff, Fixed
from suno_async.protocol.schedule import Schedule


def names(count):
    """So many ids."""
    return [f"t{number}" for number in range(count)]


class Ear:
    """A waiter that notes what it is told."""

    def __init__(self, *, sees=True, again=False, event=Event.END):
        self.sees = self.hears = sees
        self.event = event
        self.again = again
        self.heard = Counter()

    def looked(self, life, look):
        self.heard["looked"] += 1

    def missed(self, life):
        self.heard["missed"] += 1

    def faulted(self, life, error):
        self.heard["faulted"] += 1
        return self.again

    def ended(self, life, verdict):
        self.heard["ended"] += 1

    def stopped(self, error):
        self.heard["stopped"] += 1


async def outcome(awaitable):
    """What it gives or raises."""
    try:
        return await awaitable
    except Exception as error:  # noqa: BLE001
        return error


async def test_waits_on_one_id_share_its_looks():
    """Ten waits on one id are one life: one look at a time, and each of them hears of the end."""
    world = World()
    world.add("a", after=20)
    async with Engine(world) as engine:
        tasks = await asyncio.gather(*(engine.wait("a") for _ in range(10)))
        assert all(task.succeeded for task in tasks)
        assert max(Counter(world.times("a")).values()) == 1
        assert len(world.asks) == 5
        await engine.settle()


async def test_a_waiter_who_joins_twice_hears_once():
    """A second join of the same waiter changes nothing."""
    world = World()
    world.add("a", after=0)
    ear = Ear()
    async with Engine(world) as engine:
        assert engine.tracker.join("a", ear) is engine.tracker.join("a", ear)
        await anyio.sleep(1)
        assert ear.heard == {"ended": 1}
        await engine.settle()


async def test_the_last_waiter_takes_the_life_with_it():
    """Looks go on while anybody waits, and end with the last one."""
    world = World(latency=0)
    world.add("a", after=1000)
    async with Engine(world, pace=Fixed(5)) as engine:
        first, second = Ear(), Ear(sees=False)
        life = engine.tracker.join("a", first)
        engine.tracker.join("a", second)
        await anyio.sleep(6)
        assert life.keeps
        engine.tracker.leave("a", first)
        assert not life.keeps
        engine.tracker.leave("a", first)
        engine.tracker.leave("x", first)
        await anyio.sleep(5)
        assert engine.poller.outstanding == 1
        engine.tracker.leave("a", second)
        assert engine.poller.outstanding == 0
        await engine.settle()
        assert world.times("a") == pytest.approx([0, 5, 10], abs=0.03)
        assert first.heard["looked"] == 2


async def test_only_those_who_see_are_told_of_looks():
    """A life that nobody watches keeps no look; one watcher among others makes it keep them."""
    world = World(latency=0)
    world.add("a", after=1000)
    async with Engine(world, pace=Fixed(5)) as engine:
        blind = Ear(sees=False)
        life = engine.tracker.join("a", blind)
        await anyio.sleep(1)
        assert life.last is None
        engine.tracker.join("a", Ear())
        await anyio.sleep(5)
        assert life.last_task().task_id == "a"
        engine.tracker.leave("a", blind)
        assert life.keeps


async def test_waiters_hear_of_misses_and_faults():
    """An unknown id is told as missed, a broken request as a fault, and the end as the end."""
    world = World(latency=0)
    world.script.extend([GONE, UNKNOWN])
    ear = Ear()
    async with Engine(world, pace=Fixed(5)) as engine:
        engine.tracker.join("a", ear)
        await anyio.sleep(40)
        assert ear.heard["faulted"] == 1
        assert ear.heard["missed"] >= 2
        assert ear.heard["ended"] == 1
        await engine.settle()


async def test_a_fault_is_asked_again_soon_for_who_wants_it():
    """Who says so has an id asked for again within a second, whatever the pace."""
    world = World(latency=0)
    world.add("a", after=0)
    world.script.append(said_nothing())
    async with Engine(world, pace=Fixed(500)) as engine:
        engine.tracker.join("a", Ear(again=True))
        await anyio.sleep(2)
        assert len(world.asks) == 2
        await engine.settle()


def said_nothing():
    """A readable answer that says nothing."""
    from virtual import NO_NEWS

    return NO_NEWS


# admission


async def test_admission_lets_the_loop_turn_and_spreads_the_first_looks():
    """Thousands of ids come in by the thousand, and their first looks are spread over one interval of the pace."""
    world = World(latency=0.01)
    world.add(*names(5000), after=1000)
    async with Engine(world, pace=Fixed(10)) as engine:
        turns = asyncio.get_running_loop().steps
        await engine.tracker.admit(names(5000), Ear())
        assert asyncio.get_running_loop().steps - turns >= 5
        await anyio.sleep(9.99)
        assert set(Counter(world.ids).values()) == {1}
        assert {len(ask.ids) for ask in world.asks} == {100}
        per_second = Counter(int(ask.at) for ask in world.asks)
        assert max(per_second.values()) <= 6
        assert world.asks[0].at == 0


async def test_admission_at_once():
    """For a glance all are due now, also those that were waited for already."""
    world = World(latency=0.01)
    world.add(*names(500), after=1000)
    async with Engine(world, pace=Fixed(100)) as engine:
        engine.tracker.join("t7", Ear())
        await anyio.sleep(50)
        await engine.tracker.admit(names(500), Ear(), at_once=True)
        await anyio.sleep(1)
        assert Counter(world.ids)["t7"] == 2
        assert len(world.ids) == 501
        assert engine.poller.outstanding == 500


async def test_leaving_by_the_thousand():
    """Many ids are left in pieces, so that the loop does not stall, and all are left."""
    world = World(latency=0.01)
    async with Engine(world, pace=Fixed(100)) as engine:
        ear = Ear()
        await engine.tracker.admit(names(3500), ear)
        engine.tracker.leave_all(names(3500), ear)
        assert engine.poller.outstanding == 2500
        await settled()
        await engine.settle(120)


async def test_leaving_stops_when_nothing_is_left():
    """Where the tracker was closed meanwhile, there is nothing more to leave."""
    world = World()
    async with Engine(world) as engine:
        ear = Ear()
        await engine.tracker.admit(names(2000), ear)
        engine.tracker.leave_all(names(2000), ear)
        engine.tracker.close(ClientClosed())
        await settled()
        assert ear.heard == {"stopped": 1}
        engine.tracker.leave_all(names(1000), ear)


# ids submitted here


@pytest.mark.parametrize("pace", [Fixed(20), Backoff(20, 1, 20, 0), Adaptive()], ids=repr)
async def test_what_was_submitted_here_is_not_looked_at_too_soon(pace):
    """The first look at an own task comes when it can be done, counted from its submission."""
    world = World(latency=0)
    world.add("a", after=1000)
    async with Engine(world, pace=pace) as engine:
        engine.tracker.submitted("a", "MUSIC")
        first = pace.after(0.0, 0, 0.5, 1.0, "MUSIC")
        await anyio.sleep(3)
        with anyio.move_on_after(first):
            await engine.wait("a")
        assert world.times("a") == pytest.approx([first], abs=0.02)


async def test_short_waits_for_an_own_task_come_to_an_end():
    """Whoever waits again and again for less than an interval of the pace sees his task done all the same."""
    world = World(latency=0)
    world.add("a", after=30)
    async with Engine(world, pace=Fixed(10)) as engine:
        engine.tracker.submitted("a", "MUSIC")
        task = None
        while task is None or isinstance(task, WaitTimeout):
            assert anyio.current_time() < 60
            task = await outcome(engine.wait("a", timeout=3))
        assert task.succeeded


async def test_an_own_task_is_looked_at_at_once_for_a_glance():
    """A glance does not wait for the pace, also for a task that was submitted a moment ago."""
    world = World(latency=0)
    world.add("a", after=1000)
    async with Engine(world, pace=Fixed(50)) as engine:
        engine.tracker.submitted("a", "MUSIC")
        found = await engine.glance(["a"])
        assert found["a"].task_id == "a"
        assert anyio.current_time() < 1


async def test_an_own_task_may_be_unknown_for_a_while():
    """new-api answers before it inserts the row: for two minutes an own id is not given up."""
    world = World(latency=0)
    world.add("a", after=150, before=100)
    async with Engine(world, pace=Fixed(5)) as engine:
        engine.tracker.submitted("a", "MUSIC")
        assert (await engine.wait("a")).succeeded
        engine.tracker.submitted("b", "MUSIC")
        error = await outcome(engine.wait("b"))
        assert isinstance(error, TaskNotFound)
        assert 120 <= anyio.current_time() - 150 < 150


async def test_submissions_are_remembered_for_an_hour():
    """An own id is forgotten after an hour, so that a process that runs for months does not fill up."""
    world = World()
    async with Engine(world) as engine:
        for number in range(300):
            engine.tracker.submitted(f"s{number}", "MUSIC")
            await anyio.sleep(60)
        assert len(engine.tracker._submitted) <= 65


# the end


async def test_everybody_hears_of_the_end_once():
    """When nobody can be asked any more, each waiter hears of it once, however many ids he has."""
    world = World()
    async with Engine(world) as engine:
        one, many = Ear(), Ear()
        await engine.tracker.admit(names(50), many)
        engine.tracker.join("t3", one)
        engine.tracker.stopped(ClientClosed())
        assert (one.heard, many.heard) == ({"stopped": 1}, {"stopped": 1})
        assert not engine.tracker.paused
        await engine.settle()
        assert len(world.ids) in {0, 50}


async def test_nobody_joins_a_closed_tracker():
    """Whoever comes too late hears why, with an error of his own."""
    async with Engine(World()) as engine:
        engine.tracker.check_open()
        over = ClientClosed("closed")
        engine.tracker.close(over)
        errors = [await outcome(engine.wait("a")), await outcome(engine.tracker.admit(["a"], Ear()))]
        assert [(type(error), str(error)) for error in errors] == [(ClientClosed, "closed")] * 2
        assert errors[0] is not errors[1]
        assert errors[0] is not over
        with pytest.raises(ClientClosed):
            engine.tracker.check_open()


async def test_an_answer_for_an_old_life_does_not_reach_the_new_one():
    """A life that was left is nobody's, also where the same id is waited for again."""
    async with Engine(World(latency=10)) as engine:
        ear = Ear()
        old = engine.tracker.join("a", ear)
        engine.tracker.leave("a", ear)
        new = engine.tracker.join("a", ear)
        engine.tracker.missed(old)
        engine.tracker.faulted([old], ClientClosed())
        assert not ear.heard
        engine.tracker.missed(new)
        assert ear.heard == {"missed": 1}


async def test_many_who_wait_for_one_id():
    """Each of many waiters can leave by himself."""
    world = World()
    world.tell("a", 0, row("a"))
    async with Engine(world) as engine:
        waits = [Wait("a", "done") for _ in range(100)]
        for wait in waits:
            engine.tracker.join("a", wait)
        for wait in waits[::-1]:
            assert engine.poller.outstanding == 1
            engine.tracker.leave("a", wait)
        await engine.settle()


@pytest.fixture
async def journal(tmp_path):
    """A real one, that writes at once."""
    async with journaled(tmp_path) as opened:
        yield opened


def ends(journal):
    """What the journal says of each id."""
    return {row[1]: row[3:] for row in journal._scribe.store.tasks()}


async def test_the_record_knows_who_is_waited_for_and_how_it_ended(journal):
    """Ids of ``wait`` and of streams are open in it until they end; a deadline and a close leave them open."""
    world = World()
    world.add("good", "late", after=20)
    world.add("bad", after=20, status="FAILURE")
    world.tell("bad", 20, row("bad", "FAILURE", reason="no voice"))
    async with Engine(world, journal=journal) as engine, anyio.create_task_group() as group:
        group.start_soon(outcome, engine.wait("good"))
        group.start_soon(outcome, engine.wait("late", timeout=5))
        group.start_soon(outcome, _read(engine.stream(["bad", "good", "nobody"])))
        await anyio.sleep(1)
        assert set(ends(journal).values()) == {("OPEN", "")}
        assert len(await journal.open_tasks()) == 4
        await anyio.sleep(60)
        group.start_soon(outcome, engine.wait("left"))
        await anyio.sleep(1)
        group.cancel_scope.cancel()
    told = ends(journal)
    assert (told["good"], told["bad"]) == (("SUCCESS", ""), ("FAILURE", "no voice"))
    assert (told["late"][0], told["left"][0], told["nobody"][0]) == ("OPEN", "OPEN", "NOT_FOUND")
    assert "does not know" in told["nobody"][1]


async def test_one_look_at_many_is_no_wait(journal):
    """``fetch_many`` opens nothing in the record, but what it sees final is final there."""
    world = World()
    world.add("a", "b", after=0)
    async with Engine(world, journal=journal) as engine:
        await engine.glance(["b"])
        assert ends(journal) == {}
        journal.waiting(["a"])
        await engine.glance(["a", "b"])
        assert ends(journal) == {"a": ("SUCCESS", "")}


async def test_an_id_of_an_earlier_process_is_as_old_as_it_is():
    """``age`` seconds since its submission: the pace goes on from there, and the grace of a new id is over."""
    world = World()
    async with Engine(world, pace=Adaptive()) as engine:
        engine.tracker.submitted("old", "MUSIC", 500.0)
        engine.tracker.submitted("new", "MUSIC")
        lives = [engine.tracker.join(task_id, Ear()) for task_id in ("old", "new")]
        assert [life.born - anyio.current_time() for life in lives] == [-500, 0]
        assert [life.ours for life in lives] == [False, True]


async def _read(stream):
    async for _ in stream:
        pass


@pytest.mark.parametrize("joined", [False, True], ids=["before it is waited for", "while it is waited for"])
async def test_what_was_seen_to_be_over_is_not_waited_for(joined):
    """Somebody has fetched an id of ours and seen its end: a wait asks at once, not when it should be over."""
    world = World(latency=0)
    world.add("a", after=0)
    async with Engine(world, pace=Adaptive()) as engine, anyio.create_task_group() as group:
        engine.tracker.submitted("a", "MUSIC")
        if joined:
            group.start_soon(engine.wait, "a")
        await anyio.sleep(1)
        assert world.asks == []
        engine.tracker.finished("a")
        engine.tracker.finished("nobody waits for this one")
        await engine.wait("a")
        assert anyio.current_time() < 1.1


async def test_who_waits_for_less_has_the_next_look_sooner():
    """A watcher who joins a wait has the id looked at for changes; once he leaves, it is the end that counts again."""
    world = World(latency=0)
    world.add("a", after=1000)
    async with Engine(world, pace=Adaptive()) as engine:
        patient, watcher, listener = Ear(), Ear(event=Event.CHANGE), Ear(event=Event.PLAYABLE)
        engine.tracker.submitted("a", "MUSIC")
        life = engine.tracker.join("a", patient)
        assert life.event is Event.END
        await anyio.sleep(20)
        alone = len(world.asks)
        engine.tracker.join("a", watcher)
        engine.tracker.join("a", listener)
        assert life.event is Event.CHANGE
        await anyio.sleep(10)
        assert len(world.asks) > alone + 1
        engine.tracker.leave("a", watcher)
        assert life.event is Event.PLAYABLE
        engine.tracker.leave("a", listener)
        assert life.event is Event.END
        engine.tracker.leave("a", patient)
        await engine.settle()


async def test_a_waiter_for_more_hastens_nothing():
    """Somebody who waits for the end of what is watched already changes nothing about its looks."""
    world = World(latency=0)
    world.add("a", after=1000)
    async with Engine(world, pace=Adaptive()) as engine:
        watcher, patient = Ear(event=Event.CHANGE), Ear()
        life = engine.tracker.join("a", watcher)
        await anyio.sleep(1)
        slot = life.slot
        engine.tracker.join("a", patient)
        assert life.event is Event.CHANGE
        assert life.slot == slot
        engine.tracker.leave_all(["a"], watcher)
        engine.tracker.leave_all(["a"], patient)
        await engine.settle()


async def test_what_was_learned_is_written_down_now_and_then_and_at_the_end(tmp_path):
    """The record has what was learned ten seconds ago at the latest, and all of it once nobody waits any more."""
    world = World()
    async with journaled(tmp_path) as journal:
        async with Engine(world, pace=Adaptive(), journal=journal) as engine:
            assert await journal.learned() is None
            for some, written in ((("a", "b"), 1), (("c",), 3)):
                for name in some:
                    world.add(name, after=anyio.current_time() + 20)
                    engine.tracker.submitted(name, "MUSIC")
                await asyncio.gather(*map(engine.wait, some))
                assert unpacked(await journal.learned()).durations["end:MUSIC"].seen == written
        assert unpacked(await journal.learned()).durations["end:MUSIC"].seen == 3


@pytest.mark.parametrize("pace", [Fixed(5), Adaptive()], ids=["fixed", "adaptive"])
async def test_where_nothing_was_learned_nothing_is_written(tmp_path, pace):
    """A pace that learns nothing, or a client that saw nothing end, leaves what an earlier one has written."""
    world = World()
    world.add("a", after=0 if isinstance(pace, Fixed) else 1000)
    async with journaled(tmp_path) as journal:
        journal.learn(b"earlier")
        async with Engine(world, pace=pace, journal=journal) as engine:
            with suppress(WaitTimeout):
                await engine.wait("a", timeout=20)
        assert await journal.learned() == b"earlier"


async def test_what_was_learned_before_is_where_it_begins():
    """The first look at a new song comes when songs of this gateway end, not when others do."""
    learned = Schedule(Adaptive())
    for _ in range(100):
        learned.durations.took("MUSIC", 400.0)
    world = World(latency=0)
    world.add("a", after=1000)
    engine = Engine(world, pace=Adaptive())
    engine.tracker = Tracker(engine.lane, pace=Adaptive(), batch=engine.batch, experience=learned.experience())
    engine.tracker.submitted("a", "MUSIC")
    life = engine.tracker.join("a", Ear())
    life.born -= 50
    assert engine.tracker.poller.delay(life, anyio.current_time()) > 30


async def test_where_a_crowd_has_left_those_that_stay_are_due_sooner():
    """Also of thousands that stay, each is put down anew, a thousand at a time; what is looked at just now is not."""
    world = World(latency=0.5)
    world.add(*names(4000), after=10_000)
    async with Engine(world, pace=Fixed(5), rate=1) as engine:
        crowd, rest = engine.stream(names(4000)[1500:]), engine.stream(names(1500))
        async with anyio.create_task_group() as group:
            group.start_soon(outcome, anext(rest))
            with anyio.move_on_after(400):
                await anext(crowd)
            rests = set(names(1500))
            for _ in range(600):
                await anyio.sleep(0.1)
                if any(life.slot == -1 for life in engine.tracker._lives if life.task_id in rests):
                    break
            due = {life.task_id: life.slot for life in engine.tracker._lives}
            await crowd.aclose()
            await settled(50)
            sooner = [life.slot < due[life.task_id] for life in engine.tracker._lives if life.slot != -1]
            assert len(sooner) > 1300
            assert sum(sooner) > 0.4 * len(sooner)
            group.cancel_scope.cancel()
        await rest.aclose()
        await engine.settle()


@pytest.mark.parametrize("crowd", [False, True], ids=["one of many", "half of a crowd"])
@pytest.mark.parametrize("how", ["ends", "is left"])
async def test_those_that_stay_are_put_down_anew_only_where_a_crowd_is_gone(how, crowd, monkeypatch):
    """When an id ends or is left, nobody else is touched until half of a crowd is gone; then all others are."""
    world, ear, anew = World(), Ear(), []
    world.add(*names(5), after=1000)
    async with Engine(world) as engine:
        lives = [engine.tracker.join(name, ear) for name in names(5)]
        await anyio.sleep(1)
        monkeypatch.setattr(Schedule, "relaxed", lambda _self: crowd)
        monkeypatch.setattr(engine.poller, "hasten", lambda life, _due: anew.append(life.task_id))
        if how == "ends":
            engine.poller._end(lives[0], Settled(Task(task_id="t0", status=Status.SUCCESS)))
        else:
            engine.tracker.leave("t0", ear)
        assert sorted(anew) == (names(5)[1:] if crowd else [])
