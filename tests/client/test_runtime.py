"""The runtime: what opening and closing mean, for the client and for everything that is under way."""

import asyncio
import logging
import os
import warnings

import anyio
import anyio.lowlevel
import pytest
from quick import CAT, KEY, SONG, collect, ignore, others, running, stall, to
from wire import Call, Wire, answer, seen, until

from suno_async import (
    ClientClosed,
    ConfigurationError,
    Inspiration,
    Job,
    JournalError,
    RequestRejected,
    Suno,
    SunoError,
    Task,
    TaskFailed,
    WaitTimeout,
)
from suno_async.engine.fingerprint import Fingerprint
from suno_async.engine.journal import Journal


async def test_it_must_be_open():
    """Each verb says so before anything is sent."""
    suno = Suno("https://gateway.example", api_key=KEY)
    await suno.aclose()
    for verb in (suno.fetch("a"), suno.fetch_many(["a"]), suno.wait("a"), suno.submit(CAT), suno.run(CAT)):
        with pytest.raises(ConfigurationError, match="not open"):
            await verb
    for stream in (suno.as_completed, suno.watch):
        with pytest.raises(ConfigurationError, match="not open"):
            stream(["a"])


async def test_it_stays_closed(gateway):
    """After closing each verb raises ClientClosed, a second closing is nothing, and it opens only once."""
    suno = Suno(gateway.url, api_key=gateway.api_key)
    async with suno:
        left = suno.as_completed(["a"])
        job = Job(suno, "a")
        with pytest.raises(ConfigurationError, match="opened before"):
            await suno.__aenter__()
    await suno.aclose()
    for verb in (suno.fetch("a"), suno.fetch_many(["a"]), suno.wait("a"), suno.submit(CAT), suno.run(CAT), job.wait()):
        with pytest.raises(ClientClosed):
            await verb
    for stream in (suno.as_completed, suno.watch):
        with pytest.raises(ClientClosed):
            stream(["a"])
    with pytest.raises(ClientClosed):
        await anext(left)
    with pytest.raises(ConfigurationError, match="opened before"):
        await suno.__aenter__()
    assert not gateway.requests
    assert not others()


def test_it_belongs_to_one_loop():
    """Used in another loop it says so; closed after its loop has ended, it is closed."""
    suno = Suno("http://127.0.0.1:9", api_key=KEY)

    async def use() -> None:
        with pytest.raises(ConfigurationError, match="another event loop"):
            await suno.fetch("a")
        with pytest.raises(ConfigurationError, match="another event loop"):
            suno.watch(["a"])
        with pytest.raises(ConfigurationError, match="another event loop"):
            await suno.aclose()

    first = asyncio.new_event_loop()
    try:
        first.run_until_complete(suno.__aenter__())
        asyncio.run(use())
        first.run_until_complete(suno.aclose())
    finally:
        first.close()
    late = Suno("http://127.0.0.1:9", api_key=KEY)
    asyncio.run(late.__aenter__())
    asyncio.run(late.aclose())


async def test_it_may_be_opened_in_one_task_and_closed_in_another(gateway):
    """No task has to be the one that closes."""
    suno = Suno(gateway.url, api_key=gateway.api_key)
    async with anyio.create_task_group() as group:
        group.start_soon(suno.__aenter__)
    assert (await suno.fetch(gateway.put())).succeeded
    async with anyio.create_task_group() as group:
        group.start_soon(suno.aclose)
        group.start_soon(suno.aclose)
    assert not others()


async def test_opening_it_twice_at_once_opens_it_once():
    """The second one is refused, and the first one is whole."""
    async with Wire(seen) as wire:
        suno = to(wire)
        results = await asyncio.gather(suno.__aenter__(), suno.__aenter__(), return_exceptions=True)
        assert results[0] is suno
        assert isinstance(results[1], ConfigurationError)
        assert (await suno.fetch("a")).succeeded
        await suno.aclose()


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
async def test_cancelled_while_it_opens_it_leaves_nothing(steps, caplog):
    """Wherever the cancellation strikes, no task, no session and no line in the log is left; it may be opened again."""
    async with Wire(seen) as wire:
        suno = to(wire)
        task = asyncio.get_running_loop().create_task(suno.__aenter__())
        for _ in range(steps):
            await anyio.lowlevel.checkpoint()
        task.cancel()
        await asyncio.wait([task])
        if task.cancelled():
            await suno.__aenter__()
        assert (await suno.fetch("a")).succeeded
        await suno.aclose()
        assert not others()
    assert not caplog.records


async def test_closing_while_ids_are_let_in_names_them_all():
    """A ``fetch_many`` that is closed in between raises ClientClosed with what is open and what was seen."""
    ids = [f"t{number}" for number in range(5000)]
    async with Wire(stall) as wire, to(wire) as suno:
        task = asyncio.get_running_loop().create_task(suno.fetch_many(ids))
        while not suno._runtime.tracker._lives:
            await anyio.lowlevel.checkpoint()
        assert len(suno._runtime.tracker._lives) < 5000
        await suno.aclose()
        with pytest.raises(ClientClosed) as caught:
            await task
        assert caught.value.task_ids == tuple(ids)
        assert caught.value.tasks == {}


async def test_a_source_may_close_the_client():
    """A stream whose own source closes the client ends with ClientClosed, and so does the closing."""

    async def source():
        yield "a"
        await suno.aclose()
        await anyio.sleep_forever()

    async with Wire(running) as wire, to(wire) as suno:
        with anyio.fail_after(10), pytest.raises(ClientClosed):
            await anext(suno.as_completed(source()))
    assert not others()


async def test_what_the_block_raises_comes_out_as_it_is(gateway):
    """An error of the caller's own, or of a wait, is wrapped in no ExceptionGroup, whatever is still open."""

    class Mine(Exception):
        pass

    async def use(error: BaseException) -> None:
        async with Suno(gateway.url, api_key=gateway.api_key) as suno:
            await anext(suno.watch([gateway.put(status="QUEUED")]))
            raise error

    for error in (Mine(), KeyError("x"), TaskFailed("x"), asyncio.CancelledError(), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught:
            await use(error)
        assert caught.value is error
    assert not others()


async def test_closing_ends_every_open_wait():
    """Each wait, stream and look ends with ClientClosed that names its own ids; nothing hangs."""
    errors: dict[str, SunoError] = {}

    async def note(name: str, awaitable) -> None:
        try:
            await awaitable
        except SunoError as error:
            errors[name] = error

    async with Wire(stall) as wire, anyio.create_task_group() as group:
        suno = await to(wire, concurrency=8).__aenter__()
        group.start_soon(note, "wait", suno.wait("w"))
        group.start_soon(note, "twice", suno.wait("w"))
        group.start_soon(note, "fetch", suno.fetch("f"))
        group.start_soon(note, "many", suno.fetch_many(["m1", "m2"]))
        group.start_soon(note, "as_completed", collect(suno.as_completed(["a1", "a2"]), []))
        group.start_soon(note, "watch", collect(suno.watch(["v"]), []))
        await until(lambda: wire.asked >= 2)
        await anyio.sleep(0.05)
        with anyio.fail_after(5):
            await suno.aclose()
            await until(lambda: len(errors) == 6)
    assert {name: sorted(error.task_ids) for name, error in errors.items()} == {
        "wait": ["w"],
        "twice": ["w"],
        "fetch": ["f"],
        "many": ["m1", "m2"],
        "as_completed": ["a1", "a2"],
        "watch": ["v"],
    }
    assert {type(error) for error in errors.values()} == {ClientClosed}
    assert len({id(error) for error in errors.values()}) == 6
    assert not others()


async def test_closing_reads_submissions_to_their_end():
    """A submission that was sent is accepted although the client is being closed."""
    go = anyio.Event()
    jobs = []

    async def step(call: Call) -> bytes:
        await go.wait()
        return SONG

    async def submit() -> None:
        jobs.append(await suno.submit(CAT))

    async with Wire(step) as wire, anyio.create_task_group() as group:
        suno = await to(wire).__aenter__()
        group.start_soon(submit)
        await until(lambda: wire.asked)
        group.start_soon(suno.aclose)
        await anyio.sleep(0.05)
        with pytest.raises(ClientClosed):
            await suno.submit(CAT)
        go.set()
    assert [job.task_id for job in jobs] == ["task_1"]
    assert wire.asked == 1


def test_a_loop_that_ends_leaves_nobody_waiting():
    """Never closed: when the loop shuts down, an open wait still ends."""
    ended = []

    async def main() -> None:
        async with Wire(stall) as wire:
            suno = await to(wire).__aenter__()

            async def wait() -> None:
                try:
                    await suno.wait("a")
                except BaseException as error:
                    ended.append(type(error))
                    raise

            task = asyncio.get_running_loop().create_task(wait())
            await until(lambda: wire.asked)
            suno._runtime.runner.cancel()
            await asyncio.wait([task])

    asyncio.run(main())
    assert ended == [ClientClosed]


class _Faulty:
    """A pace whose author was careless."""

    floor = 1.0

    def after(self, *_args: object) -> float:
        raise ZeroDivisionError("careless")


async def test_a_client_that_breaks_tells_everybody(caplog):
    """An error where none can be: every open wait and every later call hears of it, and closing works."""
    async with Wire(running) as wire, to(wire, pace=_Faulty()) as suno:
        with pytest.raises(SunoError, match=r"the client broke.*careless"):
            await suno.wait("a")
        stream = (suno.fetch("a"), suno.fetch_many(["a"]), suno.wait("a"), suno.submit(CAT), suno.run(CAT))
        for verb in stream:
            with pytest.raises(SunoError, match="the client broke"):
                await verb
        with pytest.raises(SunoError, match="the client broke"):
            suno.watch(["a"])
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert not others()


# with a journal


async def test_a_journal_that_cannot_be_opened_leaves_nothing(tmp_path, caplog):
    """A file that is no journal: JournalError, no task, no session, and the file is as it was."""
    path = tmp_path / "a.journal"
    path.write_bytes(b"a diary" * 100)
    async with Wire(seen) as wire:
        for _ in range(2):
            with pytest.raises(JournalError, match=r"a\.journal"):
                await to(wire, journal=path).__aenter__()
        assert wire.asked == 0
    assert path.read_bytes() == b"a diary" * 100
    assert not others()
    assert not caplog.records


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 10, 50])
async def test_cancelled_while_the_journal_opens_it_is_closed_again(tmp_path, steps):
    """Wherever the cancellation strikes, the next client can have the journal."""
    async with Wire(seen) as wire:
        suno = to(wire, journal=tmp_path / "a.journal")
        task = asyncio.get_running_loop().create_task(suno.__aenter__())
        for _ in range(steps):
            await anyio.lowlevel.checkpoint()
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            await suno.aclose()
        async with to(wire, journal=tmp_path / "a.journal") as suno:
            assert await suno.resume() == []
    assert not others()


async def test_closing_waits_for_what_has_to_be_written(tmp_path):
    """Waits that end just before the client is closed have ended in the journal too."""
    ids = [f"t{number}" for number in range(300)]
    async with Wire(seen) as wire:
        async with to(wire, journal=tmp_path / "a.journal") as suno:
            found: list[Task] = []
            await collect(suno.as_completed(ids), found)
            assert len(found) == 300
        async with to(wire, journal=tmp_path / "a.journal") as suno:
            assert await suno.resume() == []


async def test_open_waits_stay_open_in_the_journal_of_a_client_that_closes(tmp_path):
    """ClientClosed ends the wait, not the task."""
    async with Wire(running) as wire:
        async with to(wire, journal=tmp_path / "a.journal") as suno:
            task = asyncio.get_running_loop().create_task(ignore(suno.wait("a")))
            await until(lambda: wire.asked)
        await task
        async with to(wire, journal=tmp_path / "a.journal") as suno:
            assert [job.task_id for job in await suno.resume()] == ["a"]


async def test_an_intent_tells_with_which_key_the_gateway_was_asked(tmp_path):
    """A function that gives another key after a refusal: what is written is of the key that the last attempt had."""
    keys = iter(["sk-old-and-refused"])
    refused = answer({"error": {"message": "Invalid token", "type": "new_api_error"}}, 401)

    def step(call: Call) -> bytes:
        return SONG if dict(call.headers)["Authorization"] == f"Bearer {KEY}" else refused

    async with Wire(step) as wire, to(wire, journal=tmp_path / "j", api_key=lambda: next(keys, KEY)) as suno:
        await suno.submit(CAT)
        [intent] = await suno._runtime.journal.intents()
        assert intent.fingerprint == suno._runtime.transport.fingerprint.text
    assert Fingerprint(KEY.encode()).fits(intent.fingerprint)
    assert not Fingerprint(b"sk-old-and-refused").fits(intent.fingerprint)


@pytest.mark.parametrize("step", ["learned", "strangers"])
async def test_a_disk_in_trouble_on_opening_keeps_nobody_out(tmp_path, caplog, monkeypatch, step):
    """What was learned, and whose the journal was, is not worth a client that does not open; it is logged."""

    async def refuse(_journal: Journal) -> None:
        raise JournalError("the disk cannot be read")

    monkeypatch.setattr(Journal, step, refuse)
    async with Wire(SONG) as wire, to(wire, journal=tmp_path / "j") as suno:
        assert (await suno.submit(CAT)).task_id == "task_1"
    assert caplog.messages == ["what was learned cannot be read: the disk cannot be read"]


async def test_a_journal_of_another_address_is_warned_of(tmp_path, caplog):
    """The same gateway under another name knows nothing of what was submitted: that is said before it is paid twice."""
    async with Wire(SONG) as wire:
        there = wire.url.replace("127.0.0.1", "localhost")
        for _ in range(2):
            async with to(wire, journal=tmp_path / "j") as suno:
                await suno.submit(CAT, idempotency_key="k")
        assert caplog.messages == []
        async with Suno(there, api_key=KEY, journal=tmp_path / "j") as suno:
            assert await suno.resume() == []
        [message] = caplog.messages
        assert message.startswith(
            f"the journal {tmp_path / 'j'} has open tasks, unknown submissions or idempotency keys of"
        )
        assert f" of {wire.url}, but none of {there}: if that is the same gateway, open it under the address" in message
        caplog.clear()
        async with Suno(there, api_key=KEY, journal=tmp_path / "another") as suno:
            await suno.submit(CAT)
        assert caplog.messages == []


async def test_a_forked_process_is_kept_out(tmp_path):
    """Sockets, locks and the journal belong to the process that opened them; the child is told so."""
    async with Wire(seen) as wire, to(wire, journal=tmp_path / "a.journal") as suno:
        with warnings.catch_warnings():
            # from 3.12 on Python warns of forks where threads run
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if not child:
            try:
                suno.watch(["a"])
            except ConfigurationError as error:
                os._exit(0 if "forked" in str(error) else 2)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)  # noqa: ASYNC222 - it ends at once
        assert os.waitstatus_to_exitcode(status) == 0
        assert (await suno.fetch("a")).succeeded


async def test_who_cancels_a_task_of_ours_ends_the_waits(gateway, suno):
    """Where somebody from outside cancels what looks, every wait ends with ClientClosed instead of hanging for ever."""
    task_id, ended = gateway.put(status="IN_PROGRESS"), anyio.Event()

    async def wait():
        with pytest.raises(ClientClosed, match="stopped"):
            await suno.wait(task_id, timeout=None)
        ended.set()

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await until(lambda: gateway.counts["singles"] > 2)
            while not ended.is_set():
                for task in asyncio.all_tasks():
                    if "Crew" in task.get_name():
                        task.cancel()
                with anyio.move_on_after(0.05):
                    await ended.wait()
    with pytest.raises(ClientClosed):
        await suno.wait(task_id)


async def test_waits_that_are_over_leave_nothing_behind(gateway, suno):
    """However they end: no timer, no life, no waiter."""
    task_id = gateway.put(status="SUCCESS")
    await suno.wait(task_id)
    with pytest.raises(WaitTimeout):
        await suno.wait(gateway.put(status="IN_PROGRESS"), timeout=0.05)
    with anyio.move_on_after(0.05):
        await suno.wait(gateway.put(status="IN_PROGRESS"))
    tracker = suno._runtime.tracker
    assert not tracker.deadlines._queues
    assert not tracker.deadlines._timers
    assert len(tracker._lives) == 0


async def test_an_accepted_submission_shows_that_this_is_a_gateway(gateway, suno):
    """So a page that comes later means that it has no such endpoint, not that the base URL is wrong."""
    await suno.submit(Inspiration("a song about a cat"))
    with pytest.raises(RequestRejected, match="no such endpoint"):
        await suno.wav("c1")


async def test_what_is_fetched_and_not_over_goes_on(gateway, suno):
    """Only an end that is whole is told to those who wait."""
    task_id = gateway.put(status="SUCCESS", data=None)
    assert (await suno.fetch(task_id)).succeeded
    with pytest.raises(WaitTimeout):
        await suno.wait(task_id, timeout=0.1)
    gateway.finish(task_id)
    assert (await suno.fetch(task_id)).songs
    assert (await suno.wait(task_id, timeout=5)).songs
