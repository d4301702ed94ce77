"""Suno end to end: every verb at the local gateway and at raw sockets."""

import asyncio
import gc
import math
from collections import Counter
from collections.abc import Callable

import anyio
import anyio.lowlevel
import pytest
from quick import CAT, KEY, SONG, collect, ignore, others, running, stall, to
from wire import HASTY, Call, Unhurt, Wire, answer, row, seen, told, until

from suno_async import (
    Adaptive,
    ConfigurationError,
    Custom,
    Experience,
    Extend,
    Fixed,
    GatewayUnavailable,
    Inspiration,
    Job,
    JournalError,
    Profile,
    QuotaExceeded,
    RateLimited,
    Scaled,
    Status,
    Submission,
    SubmitUnknown,
    Suno,
    SunoError,
    Task,
    TaskFailed,
    TaskNotFound,
    Unauthorized,
    WaitTimeout,
    WriteLyrics,
)
from suno_async.testing import Gateway

# one look, and many


async def test_fetch_is_one_look(gateway, suno):
    """A task as it is now costs one GET; an unknown id is TaskNotFound."""
    task_id = gateway.put(status="IN_PROGRESS", progress="40%")
    task = await suno.fetch(task_id)
    assert (task.task_id, task.status, task.progress) == (task_id, Status.IN_PROGRESS, 40)
    assert (gateway.counts["singles"], gateway.counts["batches"]) == (1, 0)
    with pytest.raises(TaskNotFound) as caught:
        await suno.fetch("task_nobody")
    assert caught.value.task_id == "task_nobody"


async def test_a_wait_for_what_a_fetch_has_seen_is_one_look(gateway):
    """With the pace that waits until a song can be done: what was just seen to be done is not waited for."""
    async with Suno(gateway.url, api_key=gateway.api_key) as suno:
        job = await suno.submit(CAT)
        gateway.finish(job.task_id)
        assert (await suno.fetch(job.task_id)).succeeded
        assert (await job.wait(timeout=5)).songs


async def test_fetch_many_keeps_the_order_asked(gateway, suno):
    """Duplicates are asked once, unknown ids are None, and all of it is one request."""
    ids = [gateway.put(status=status) for status in ("SUCCESS", "FAILURE", "QUEUED")]
    asked = [ids[2], "task_nobody", ids[0], ids[2], ids[1], "task_nobody"]
    tasks = await suno.fetch_many(asked)
    assert list(tasks) == list(dict.fromkeys(asked))
    assert [task and task.status for task in tasks.values()] == [Status.QUEUED, None, Status.SUCCESS, Status.FAILURE]
    assert len(gateway.requests) == 1
    assert sorted(gateway.requests[0].ids) == sorted(set(asked))


async def test_fetch_many_takes_any_iterable(gateway, suno):
    """Generators, sets and asynchronous generators of ids are as good as lists."""
    ids = gateway.seed_tasks(3)

    async def slowly():
        for task_id in ids:
            await anyio.lowlevel.checkpoint()
            yield task_id

    for source in (ids, tuple(ids), set(ids), iter(ids), dict.fromkeys(ids), (task_id for task_id in ids), slowly()):
        assert set(await suno.fetch_many(source)) == set(ids)


async def test_fetch_many_gives_the_loop_its_turn(gateway, suno):
    """Thousands of ids are checked and asked for without a stall, a hundred in each request."""
    ids = gateway.seed_tasks(2500)
    tasks = await suno.fetch_many(ids)
    assert list(tasks) == ids
    assert all(task is not None and task.status is Status.IN_PROGRESS for task in tasks.values())
    assert (gateway.counts["batches"], gateway.counts["singles"]) == (25, 0)


@pytest.mark.parametrize("nothing", [[], (), set(), iter(())])
async def test_nothing_to_look_at_is_no_request(gateway, suno, nothing):
    """Empty inputs have empty results and cost nothing."""
    assert await suno.fetch_many(nothing) == {}
    assert [task async for task in suno.as_completed(nothing)] == []
    assert [task async for task in suno.watch(nothing)] == []
    assert not gateway.requests


@pytest.mark.parametrize("wrong", ["task_1", b"task_1", None, 5, object()])
async def test_one_id_is_no_list_of_ids(gateway, suno, wrong):
    """A text where a list belongs would be asked for letter by letter: it is refused before any request."""
    with pytest.raises(ConfigurationError, match="list or another iterable"):
        await suno.fetch_many(wrong)
    for verb in (suno.as_completed, suno.watch):
        with pytest.raises(ConfigurationError, match="list or another iterable"):
            verb(wrong)
    assert not gateway.requests


async def test_fetch_many_that_cannot_finish_says_what_it_has():
    """The error has what was seen in ``.tasks`` and what was not in ``.task_ids``."""

    def step(call: Call) -> bytes:
        return answer(status=502) if "bad" in call.ids else seen(call)

    async with Wire(step) as wire, to(wire, batch_size=1, concurrency=1) as suno:
        with pytest.raises(GatewayUnavailable) as caught:
            await suno.fetch_many(["a", "bad", "b"])
        assert "bad" in caught.value.task_ids
        assert set(caught.value.tasks) | set(caught.value.task_ids) == {"a", "bad", "b"}
        assert all(task is not None and task.succeeded for task in caught.value.tasks.values())


@pytest.mark.parametrize("rate", [None, 1000])
async def test_fetch_many_under_a_closed_gate_does_not_wait_for_ever(rate):
    """When no request may leave for minutes, a bulk look ends within the client's timeout."""
    busy = answer(status=429, headers={"Retry-After": "200"})
    async with (
        Wire(busy) as wire,
        to(wire, timeout=0.3, rate=rate) as suno,
        anyio.create_task_group() as group,
    ):
        group.start_soon(ignore, suno.wait("x"))
        await until(lambda: suno._runtime.tracker.paused)
        with pytest.raises(SunoError) as caught, anyio.fail_after(5):
            await suno.fetch_many(["a", "b"])
        assert set(caught.value.task_ids) == {"a", "b"}
        assert wire.asked == 1
        group.cancel_scope.cancel()


async def test_a_budget_may_take_longer_than_the_timeout():
    """``timeout`` bounds each request of a bulk look, not the time that ``rate`` spreads them over."""
    async with Wire(seen) as wire, to(wire, timeout=0.3, rate=2, batch_size=1) as suno:
        assert all((await suno.fetch_many(["a", "b", "c"])).values())
        assert wire.asked == 3


async def test_a_cancelled_bulk_look_looks_no_more():
    """Cancelling ``fetch_many`` takes its ids out of the looking, also while a look is under way."""
    async with Wire(stall) as wire, to(wire, timeout=0.2) as suno:
        with anyio.move_on_after(0.1):
            await suno.fetch_many(["a", "b"])
        assert wire.asked == 1
        await anyio.sleep(0.5)
        assert wire.asked == 1
        assert not list(suno._runtime.tracker._lives)


# waiting


async def test_wait_ends_with_the_song(gateway, suno):
    """``wait`` returns the SUCCESS, and raises TaskFailed with the task and the reason for a FAILURE."""
    good, bad = gateway.seed_tasks(2, duration=math.inf)
    async with anyio.create_task_group() as group:
        group.start_soon(_finish, gateway, good, bad)
        task = await suno.wait(good)
        assert task.succeeded
        assert task.songs[0].audio_url
        with pytest.raises(TaskFailed, match="no cats") as caught:
            await suno.wait(bad)
    assert caught.value.task is not None
    assert caught.value.task.failed
    assert (caught.value.task_id, caught.value.reason) == (bad, "no cats")


async def _finish(gateway: Gateway, good: str, bad: str) -> None:
    await until(lambda: gateway.counts["ids_asked"] >= 2)
    gateway.finish(good)
    gateway.fail(bad, "no cats")


async def test_wait_until_playable_ends_sooner():
    """A song that can be streamed ends ``until="playable"``, and not ``until="done"``."""
    playable = row("a", "SUCCESS")["data"]

    def step(call: Call) -> bytes:
        return told(row("a", "IN_PROGRESS", data=playable if call.number > 2 else None))

    async with Wire(step) as wire, to(wire) as suno:
        task = await suno.wait("a", until="playable")
        assert (task.status, task.playable, wire.asked) == (Status.IN_PROGRESS, True, 3)
        with pytest.raises(WaitTimeout):
            await suno.wait("a", timeout=0.1)


async def test_wait_ends_at_its_own_deadline(gateway, suno):
    """WaitTimeout is a TimeoutError that has what was last seen; nothing is looked at afterwards."""
    task_id = gateway.put(status="QUEUED")
    with pytest.raises(TimeoutError) as caught:
        await suno.wait(task_id, timeout=0.1)
    assert isinstance(caught.value, WaitTimeout)
    assert caught.value.task is not None
    assert caught.value.task.status is Status.QUEUED
    assert caught.value.task_ids == (task_id,)
    await anyio.sleep(0.05)  # a look that was under way
    asked = len(gateway.requests)
    await anyio.sleep(0.1)
    assert len(gateway.requests) == asked


async def test_wait_without_a_deadline_outlives_outages():
    """``timeout=None``: pages, broken answers, 429 and a restart later, the song is there."""
    page = answer("<html>", 200, {"Content-Type": "text/html"})
    broken = (answer(status=429), page, answer(status=502), answer(b"{"), b"garbage\r\n\r\n", page)
    async with Wire(running, *broken, seen) as wire, to(wire) as suno:
        with anyio.fail_after(30):
            assert (await suno.wait("a", timeout=None)).succeeded
        assert wire.asked == 8


async def test_waits_on_one_id_share_its_looks(gateway, suno):
    """Fifty waits on one id cost what one costs, and all get the task."""
    task_id = gateway.seed_tasks(1, duration=math.inf)[0]
    found = []

    async def wait() -> None:
        found.append(await suno.wait(task_id))

    async with anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(wait)
        await until(lambda: gateway.counts["singles"] >= 2)
        asked = gateway.counts["singles"]
        gateway.finish(task_id)
    assert len(found) == 50
    assert gateway.counts["singles"] <= asked + 2
    assert gateway.counts["batches"] == 0


async def test_a_cancelled_wait_looks_no_more(gateway, suno):
    """Cancelling a wait takes its id out of the looking, and other waits go on."""
    one, two = gateway.seed_tasks(2, duration=math.inf)
    async with anyio.create_task_group() as group:
        group.start_soon(suno.wait, one)
        await until(lambda: gateway.requests)
        group.cancel_scope.cancel()
    gateway.requests.clear()
    with pytest.raises(WaitTimeout):
        await suno.wait(two, timeout=0.15)
    assert {task_id for request in gateway.requests for task_id in request.ids} == {two}


async def test_until_is_one_of_two_words(gateway, suno):
    """Anything else is refused before any request."""
    for wrong in ("finished", "", None, 5, ["done"]):
        with pytest.raises(ConfigurationError, match="until must be"):
            await suno.wait("task_1", until=wrong)
    assert not gateway.requests


async def test_a_pace_is_checked():
    """Something else than a pace, or its class, is refused before there is a client."""
    for wrong in (5, "fast", Fixed, Adaptive, object(), lambda: 5):
        with pytest.raises(ConfigurationError, match="pace must be"):
            Suno("https://gateway.example", api_key=KEY, pace=wrong)


async def test_an_outage_ends_a_fetch_and_no_wait():
    """``fetch`` tries three times and says so; a ``wait`` that goes on meanwhile gets its song."""
    async with Wire(*[answer(status=502)] * 3, seen) as wire, to(wire) as suno:
        with pytest.raises(GatewayUnavailable) as caught:
            await suno.fetch("a")
        assert (caught.value.attempts, caught.value.task_id, caught.value.status) == (3, "a", 502)
        assert (await suno.wait("a")).succeeded


# many


async def test_a_thousand_tasks_finish_once_each():
    """``as_completed`` yields each of 1,000 ids once, in far fewer requests than ids."""
    async with (
        Gateway(speed=150, seed=1) as gateway,
        Suno(gateway.url, api_key=gateway.api_key, pace=Scaled(Adaptive(), 150)) as suno,
    ):
        ids = gateway.seed_tasks(1000)
        tasks = [task async for task in suno.as_completed([*ids, *ids[:10]], timeout=60)]
        assert Counter(task.task_id for task in tasks) == Counter(ids)
        assert all(task.done for task in tasks)
        assert any(task.failed for task in tasks)
        assert gateway.counts["singles"] + gateway.counts["batches"] < 500


@pytest.mark.parametrize("anyio_backend", [HASTY], ids=["hasty"])
async def test_as_completed_raises_what_is_left_at_the_end(gateway, suno, anyio_backend):
    """Ids that nobody knows come after all tasks, as one ExceptionGroup of one error for all of them."""
    ids = [gateway.put(status="SUCCESS"), gateway.put(status="FAILURE")]
    strange = ["task_nobody", "task_no_one"]
    found: list[Task] = []
    with pytest.raises(ExceptionGroup) as caught:
        await collect(suno.as_completed([strange[0], *ids, strange[1]]), found)
    assert sorted(task.task_id for task in found) == sorted(ids)
    (error,) = caught.value.exceptions
    assert isinstance(error, TaskNotFound)
    assert sorted(error.task_ids) == sorted(strange)


async def test_as_completed_ends_at_its_deadline(gateway, suno):
    """One WaitTimeout names the ids still open, after what has come."""
    done, open_ = gateway.put(status="SUCCESS"), gateway.put(status="QUEUED")
    stream = suno.as_completed([done, open_], timeout=0.2)
    assert (await anext(stream)).task_id == done
    with pytest.raises(WaitTimeout) as caught:
        await anext(stream)
    assert caught.value.task_ids == (open_,)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_watch_tells_every_visible_change():
    """NOT_START, QUEUED, IN_PROGRESS, its progress, SUCCESS: each once, and then the end."""
    states = [("NOT_START", ""), ("QUEUED", ""), ("IN_PROGRESS", ""), ("IN_PROGRESS", "50%"), ("SUCCESS", "100%")]

    def step(call: Call) -> bytes:
        status, progress = states[min((call.number - 1) // 2, 4)]
        return seen(call, status, progress=progress)

    async with Wire(step) as wire, to(wire) as suno:
        told_of = [(task.status.name, task.progress) async for task in suno.watch(["a"])]
    assert told_of == [
        ("NOT_START", None),
        ("QUEUED", None),
        ("IN_PROGRESS", None),
        ("IN_PROGRESS", 50),
        ("SUCCESS", 100),
    ]


async def test_a_stream_can_be_left_at_any_moment(gateway, suno):
    """After ``break``, ``aclose`` or being forgotten, its ids are not looked at any more."""
    done = gateway.put(status="SUCCESS")
    ids = [done, *gateway.seed_tasks(3, duration=math.inf)]
    for leave in ("break", "aclose", "never begun"):
        stream = suno.as_completed(ids)
        if leave != "never begun":
            assert (await anext(stream)).task_id == done
        if leave == "aclose":
            await stream.aclose()
        del stream
        gc.collect()
        await anyio.sleep(0.05)
        asked = len(gateway.requests)
        await anyio.sleep(0.1)
        assert len(gateway.requests) == asked, leave


# submitting


@pytest.mark.parametrize(
    "body",
    [
        CAT,
        Custom("la la la", tags="punk", title="Cat"),
        Extend("clip-1", 80, task_id="task_1"),
        WriteLyrics("a cat"),
        Submission("music", {"prompt": "la", "mv": "chirp-v4"}),
    ],
    ids=lambda body: type(body).__name__,
)
async def test_submit_gives_a_job(gateway, suno, body):
    """Each kind of submission is accepted, once, and the job waits for it and watches it."""
    job = await suno.submit(body)
    assert isinstance(job, Job)
    assert repr(job) == f"Job({job.task_id!r})"
    assert gateway.counts["submissions"] == gateway.counts["accepted"] == 1
    gateway.finish(job.task_id)
    task = await job.wait(timeout=10)
    assert (task.task_id, task.succeeded) == (job.task_id, True)
    assert [each.status async for each in job.watch(timeout=10)] == [Status.SUCCESS]


async def test_run_submits_and_waits():
    """``run`` is the finished song."""
    async with (
        Gateway(speed=200, failure_rate=0) as gateway,
        Suno(gateway.url, api_key=gateway.api_key, pace=Scaled(Adaptive(), 200)) as suno,
    ):
        task = await suno.run(CAT, timeout=20)
        assert task.succeeded
        assert len(task.songs) == 2
        words = await suno.run(WriteLyrics("a cat"), timeout=20)
        assert words.lyrics is not None
        assert gateway.counts["accepted"] == 2


async def test_run_with_a_wrong_timeout_pays_for_nothing(gateway, suno):
    """Everything is checked before the submission leaves."""
    with pytest.raises(ConfigurationError):
        await suno.run(CAT, timeout=-1)
    with pytest.raises(ConfigurationError):
        await suno.run(CAT, until="never")
    assert not gateway.requests


async def test_a_submission_that_may_have_arrived_is_unknown():
    """A connection that breaks after the request left: SubmitUnknown, one POST, and what was sent is told."""

    def step(call: Call) -> None:
        call.reset()

    async with Wire(step) as wire, to(wire) as suno:
        with pytest.raises(SubmitUnknown) as caught:
            await suno.submit(CAT)
        assert wire.asked == 1
        assert caught.value.intent is not None
        assert caught.value.intent.body == wire.calls[0].body
        assert (caught.value.intent.action, caught.value.intent.sent) == ("music", True)


async def test_a_submission_that_never_left_is_not_unknown():
    """Nobody listens: it is proven that nothing was sent, and said so."""
    async with Wire() as wire:
        pass
    async with to(wire) as suno:
        with pytest.raises(GatewayUnavailable, match="was not sent"):
            await suno.submit(CAT)


async def test_a_cancelled_submission_is_read_to_its_end(caplog):
    """The caller leaves when the outcome is known; it is in the log, because nobody else will hear of it."""
    go = anyio.Event()

    async def step(call: Call) -> bytes:
        await go.wait()
        return SONG

    async with Wire(step) as wire, to(wire) as suno:
        task = asyncio.get_running_loop().create_task(suno.submit(CAT))
        await until(lambda: wire.asked)
        task.cancel()
        await anyio.sleep(0.05)
        assert not task.done()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert wire.asked == 1
    assert "task_1" in caplog.text


# limits


async def test_rate_bounds_everything():
    """``rate=20``: in no second more than 20 requests and one more begin, whatever they are for."""
    times: list[float] = []

    def step(call: Call) -> bytes:
        times.append(anyio.current_time())
        return SONG if "submit" in call.path else running(call)

    async with Wire(step) as wire, to(wire, rate=20, batch_size=1) as suno, anyio.create_task_group() as group:
        for index in range(4):
            group.start_soon(ignore, suno.wait(f"w{index}", timeout=1.2))
            group.start_soon(ignore, suno.fetch(f"f{index}"))
            group.start_soon(ignore, suno.submit(CAT))
    assert len(times) >= 15
    for index, begin in enumerate(times):
        assert sum(begin <= time < begin + 0.5 for time in times[index:]) <= 12


async def test_concurrency_bounds_looks_in_flight():
    """``concurrency=3``: never more than three looks at once, by whichever verb."""
    now, most = 0, 0

    async def step(call: Call) -> bytes:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await anyio.sleep(0.02)
        now -= 1
        return running(call)

    async with Wire(step) as wire, to(wire, concurrency=3, batch_size=1) as suno:
        async with anyio.create_task_group() as group:
            for index in range(12):
                group.start_soon(ignore, suno.wait(f"w{index}", timeout=0.3))
                group.start_soon(ignore, suno.fetch(f"f{index}"))
        assert most == 3
        assert wire.connections <= 4


async def test_submissions_have_slots_of_their_own():
    """``submissions=2``: two at once, however many; and they hold up no look."""
    now, most = 0, 0

    async def step(call: Call) -> bytes:
        nonlocal now, most
        if "submit" not in call.path:
            return seen(call)
        now += 1
        most = max(most, now)
        await anyio.sleep(0.1)
        now -= 1
        return SONG

    async with Wire(step) as wire, to(wire, concurrency=1, submissions=2) as suno:
        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(suno.submit, CAT)
            await until(lambda: now == 2)
            assert (await suno.fetch("a")).succeeded
            assert now == 2
        assert most == 2


async def test_batch_size_one_never_posts(gateway):
    """``batch_size=1`` asks by GET alone."""
    ids = gateway.seed_tasks(20)
    async with Suno(gateway.url, api_key=gateway.api_key, batch_size=1) as suno:
        assert all((await suno.fetch_many(ids)).values())
    assert (gateway.counts["singles"], gateway.counts["batches"]) == (20, 0)


@pytest.mark.parametrize("fault", ["no_batch_route", "batch_not_found"])
async def test_a_gateway_without_the_batch_route_is_asked_one_by_one(gateway, suno, fault):
    """It is learned from one refusal, and every id is found all the same."""
    gateway.faults[fault] = 1
    ids = gateway.seed_tasks(30)
    for _ in range(3):
        assert all(task is not None for task in (await suno.fetch_many(ids)).values())
    assert sum(request.method == "POST" for request in gateway.requests) == 1
    assert gateway.counts["singles"] == 90


# keys


@pytest.mark.parametrize("anyio_backend", [HASTY], ids=["hasty"])
async def test_a_key_that_is_refused_midway_ends_waits_and_no_task(anyio_backend):
    """Unauthorized names the ids and how to go on; the tasks run on, and another key of the account finishes them."""
    async with Gateway(beat=math.inf, failure_rate=0) as gateway:
        poor, rich = gateway.add_key(quota=50_000), gateway.api_key
        ended: list[Unauthorized] = []

        async def wait(awaitable) -> None:
            with pytest.raises(Unauthorized) as caught:
                await awaitable
            ended.append(caught.value)

        async def stream() -> None:
            async for _ in suno.as_completed([job.task_id, "task_other"]):
                pass

        async with Suno(gateway.url, api_key=poor) as suno:
            job = await suno.submit(CAT)
            with anyio.fail_after(600):
                async with anyio.create_task_group() as group:
                    group.start_soon(wait, job.wait())
                    group.start_soon(wait, stream())
            for error in ended:
                assert job.task_id in error.task_ids
                assert "with another key" in str(error)
            with pytest.raises(Unauthorized):
                await suno.fetch(job.task_id)
            with pytest.raises(SunoError):
                await suno.submit(CAT)
        gateway.finish(job.task_id)
        async with Suno(gateway.url, api_key=rich) as suno:
            assert (await suno.wait(job.task_id)).succeeded


async def test_a_key_without_credit_is_told(gateway):
    """QuotaExceeded: nothing was accepted."""
    async with Suno(gateway.url, api_key=gateway.add_key(quota=100)) as suno:
        with pytest.raises(QuotaExceeded):
            await suno.submit(CAT)
    assert gateway.counts["accepted"] == 0


async def test_a_key_that_is_a_function_is_asked_again(gateway):
    """A refused key is replaced by what the function gives next, once, and the look succeeds."""
    keys = iter(["sk-refused-and-old", gateway.api_key, "sk-not-asked-for"])
    task_id = gateway.put(status="SUCCESS")
    async with Suno(gateway.url, api_key=lambda: next(keys)) as suno:
        assert (await suno.fetch(task_id)).succeeded
        assert (await suno.wait(task_id)).succeeded
    assert next(keys) == "sk-not-asked-for"


def rotating() -> tuple[Callable[[], str], Callable[[Call], bytes]]:
    """A function that gives the old key once, and a gateway that takes only the new one."""
    keys = iter(["sk-old-and-refused"])
    refused = answer({"error": {"message": "Invalid token", "type": "new_api_error"}}, 401)

    def step(call: Call) -> bytes:
        if dict(call.headers)["Authorization"] != f"Bearer {KEY}":
            return refused
        return SONG if "submit" in call.path else seen(call)

    return (lambda: next(keys, KEY)), step


async def test_a_key_that_rotates_under_many_fetches_is_renewed_for_all():
    """Sixteen fetches at once over one rotation: each has its task, for the new key works."""
    give, step = rotating()
    async with Wire(step) as wire, to(wire, api_key=give) as suno:
        tasks = await asyncio.gather(*(suno.fetch(f"t{number}") for number in range(16)))
        assert all(task.succeeded for task in tasks)


async def test_a_key_that_rotates_under_submissions_is_renewed_for_all():
    """Each submission that the old key is refused for is sent once more with the new one, and accepted once."""
    give, step = rotating()
    async with Wire(step) as wire, to(wire, api_key=give) as suno:
        jobs = await asyncio.gather(*(suno.submit(CAT) for _ in range(3)))
        assert [job.task_id for job in jobs] == ["task_1"] * 3
        accepted = [call for call in wire.calls if dict(call.headers)["Authorization"] == f"Bearer {KEY}"]
        assert len(accepted) == 3


async def test_a_function_that_gives_no_key_opens_nothing():
    """What the function raises, or ConfigurationError, comes out of ``async with``; it may be tried again."""
    keys = iter([OSError("the vault is closed"), "", KEY])

    def give():
        key = next(keys)
        if isinstance(key, Exception):
            raise key
        return key

    async with Wire(seen) as wire:
        suno = Suno(wire.url, api_key=give)
        with pytest.raises(OSError, match="vault"):
            await suno.__aenter__()
        with pytest.raises(ConfigurationError, match="no API key"):
            await suno.__aenter__()
        assert not others()
        async with suno:
            assert (await suno.fetch("a")).succeeded


@pytest.mark.parametrize("anyio_backend", [HASTY], ids=["hasty"])
async def test_a_function_that_fails_later_ends_waits_as_a_refused_key(caplog, anyio_backend):
    """The client does not break when the function does: waits end with Unauthorized, and a new wait is possible."""
    keys = iter([KEY])
    refused = answer({"error": {"message": "no", "type": "new_api_error"}}, 401)
    good = False

    def step(call: Call) -> bytes:
        return seen(call) if good else refused

    async with Wire(step) as wire, to(wire, api_key=lambda: next(keys)) as suno:
        with pytest.raises(Unauthorized):
            await suno.wait("a", timeout=100)
        good = True
        assert (await suno.wait("a")).succeeded
    assert "StopIteration" in caplog.text


# settings


async def test_the_environment_names_gateway_and_key(monkeypatch, gateway):
    """``Suno()`` takes SUNO_BASE_URL and SUNO_API_KEY; what is passed goes first."""
    task_id = gateway.put()
    monkeypatch.setenv("SUNO_BASE_URL", gateway.url)
    monkeypatch.setenv("SUNO_API_KEY", gateway.api_key)
    async with Suno() as suno:
        assert (await suno.fetch(task_id)).succeeded
    monkeypatch.setenv("SUNO_BASE_URL", "https://elsewhere.invalid")
    monkeypatch.setenv("SUNO_API_KEY", "sk-of-somebody-else")
    async with Suno(gateway.url, api_key=gateway.api_key) as suno:
        assert (await suno.fetch(task_id)).succeeded


def test_without_gateway_or_key_it_says_what_to_set(monkeypatch):
    """The message names the argument and the variable."""
    with pytest.raises(ConfigurationError, match="SUNO_API_KEY"):
        Suno("https://gateway.example")
    monkeypatch.setenv("SUNO_API_KEY", KEY)
    with pytest.raises(ConfigurationError, match="SUNO_BASE_URL"):
        Suno()
    monkeypatch.setenv("SUNO_BASE_URL", "")
    with pytest.raises(ConfigurationError, match="SUNO_BASE_URL"):
        Suno()


async def test_v1_is_left_out_and_said_once(gateway, caplog):
    """A base URL as other clients want it works all the same; one line in the log says what was done."""
    async with Suno(f"{gateway.url}/v1/", api_key=gateway.api_key) as suno:
        await suno.fetch(gateway.put())
        await suno.fetch(gateway.put())
    assert [request.path.rpartition("/")[0] for request in gateway.requests] == ["/suno/fetch"] * 2
    assert len([record for record in caplog.records if "/v1" in record.getMessage()]) == 1
    assert gateway.api_key not in caplog.text


async def test_a_path_of_the_base_url_is_kept():
    """``https://host/api/`` asks ``https://host/api/suno/fetch/...``."""
    async with Wire(seen) as wire, Suno(f"{wire.url}/api/", api_key=KEY) as suno:
        await suno.fetch("a")
        assert wire.calls[0].path == "/api/suno/fetch/a"


def test_its_repr_names_the_gateway_alone():
    """No key and no setting shows."""
    assert repr(Suno("https://gateway.example/v1", api_key=KEY)) == "Suno('https://gateway.example')"


async def test_an_address_that_is_no_gateway_is_told_at_the_first_look():
    """A web page ends a first wait with ConfigurationError, for all ids."""
    async with Wire(answer("<html>hello</html>")) as wire, to(wire) as suno:
        with pytest.raises(ConfigurationError, match="base URL"):
            await suno.fetch("a")
        with pytest.raises(ConfigurationError, match="base URL") as caught:
            await suno.wait("a")
        assert caught.value.task_ids == ("a",)


# after a crash


@pytest.fixture
def path(tmp_path):
    return tmp_path / "suno.journal"


def gone(call: Call) -> None:
    """Reads the request and hangs up."""
    call.reset()


async def test_what_had_not_ended_goes_on_in_the_next_client(gateway, path):
    """The tasks submitted or waited for, and not ended, are in ``resume()``, and can be waited for."""
    options = {"api_key": gateway.api_key, "pace": Fixed(0.02), "rng": Unhurt(), "journal": path}
    stranger = gateway.put(status="IN_PROGRESS")
    async with Suno(gateway.url, **options) as suno:
        job = await suno.submit(CAT)
        done = gateway.put()
        await suno.wait(done)
        with pytest.raises(WaitTimeout):
            await suno.wait(stranger, timeout=0.1)
    async with Suno(gateway.url, **options) as suno:
        jobs = await suno.resume()
        assert [one.task_id for one in jobs] == [job.task_id, stranger]
        gateway.finish(job.task_id)
        gateway.finish(stranger)
        assert (await jobs[0].wait(timeout=5)).songs
        assert (await suno.fetch(stranger)).succeeded
    async with Suno(gateway.url, **options) as suno:
        assert await suno.resume() == []


@pytest.mark.parametrize(
    "songs", [None, [{"id": "c1", "title": "T", "audio_url": "", "status": "streaming"}]], ids=["nothing", "no address"]
)
async def test_a_fetch_of_a_song_without_an_address_ends_nothing(gateway, path, songs):
    """SUCCESS that lacks what it promises may still get it: the task stays in ``resume()``; whole, it leaves."""
    options = {"api_key": gateway.api_key, "journal": path}
    async with Suno(gateway.url, **options) as suno:
        job = await suno.submit(CAT)
        gateway.put(job.task_id, status="SUCCESS", data=songs)
        assert (await suno.fetch(job.task_id)).succeeded
    async with Suno(gateway.url, **options) as suno:
        assert [one.task_id for one in await suno.resume()] == [job.task_id]
        gateway.put(
            job.task_id,
            status="SUCCESS",
            data=[{"id": "c1", "audio_url": "https://cdn.example/c1.mp3", "status": "complete"}],
        )
        await suno.fetch(job.task_id)
    async with Suno(gateway.url, **options) as suno:
        assert await suno.resume() == []


async def test_what_nobody_can_tell_is_listed_and_never_sent_again(path):
    """An unknown submission stays in ``unknown()``, also for its idempotency key, until it is forgotten."""
    async with Wire(gone) as wire:
        async with to(wire, journal=path) as suno:
            with pytest.raises(SubmitUnknown) as caught:
                await suno.submit(CAT, idempotency_key="cat-1")
            assert wire.asked == 1
        async with to(wire, journal=path) as suno:
            (intent,) = await suno.unknown()
            assert (intent.gateway, intent.action, intent.idempotency_key) == (wire.url, "music", "cat-1")
            assert intent.body == caught.value.intent.body
            with pytest.raises(SubmitUnknown, match="idempotency_key") as again:
                await suno.submit(CAT, idempotency_key="cat-1")
            assert again.value.intent == intent
            assert await suno.forget(intent.intent_id)
            assert not await suno.forget(intent.intent_id)
            with pytest.raises(ConfigurationError, match="as text"):
                await suno.forget(7)
            assert await suno.unknown() == []
            assert wire.asked == 1
            with pytest.raises(SubmitUnknown):
                await suno.submit(CAT, idempotency_key="cat-1")
            assert wire.asked == 2


async def test_a_submission_under_way_is_not_listed_as_unknown(path):
    """It is on the disk without an outcome, and still nobody has to worry."""
    go = anyio.Event()

    async def step(call: Call) -> bytes:
        await go.wait()
        return SONG

    async with Wire(step) as wire, to(wire, journal=path) as suno, anyio.create_task_group() as group:
        group.start_soon(suno.submit, CAT)
        await until(lambda: wire.asked)
        assert await suno.unknown() == []
        (name,) = suno._runtime.submissions.under_way
        with pytest.raises(ConfigurationError, match="on its way"):
            await suno.forget(name)
        go.set()


async def test_one_key_is_one_task_whenever_and_wherever_it_is_used(gateway, path):
    """At once, later and in the next client: one POST, one id."""
    options = {"api_key": gateway.api_key, "journal": path}
    ids = set()
    for _ in range(2):
        async with Suno(gateway.url, **options) as suno:
            jobs = await asyncio.gather(*(suno.submit(CAT, idempotency_key="cat") for _ in range(3)))
            ids |= {job.task_id for job in jobs}
            with pytest.raises(ConfigurationError, match="another submission"):
                await suno.submit(Inspiration("a dog"), idempotency_key="cat")
    assert len(ids) == 1
    assert gateway.counts["submissions"] == 1


@pytest.mark.parametrize("key", ["", "\n", "ü", "x" * 201, 7, b"key"])
async def test_an_idempotency_key_is_checked(gateway, path, key):
    """Before anything is written or sent."""
    async with Suno(gateway.url, api_key=gateway.api_key, journal=path) as suno:
        with pytest.raises(ConfigurationError, match="idempotency key"):
            await suno.submit(CAT, idempotency_key=key)
        assert await suno.resume() == []
    assert not gateway.requests


async def test_without_a_journal_it_says_that_one_is_needed(gateway, suno):
    """Nothing pretends to survive a crash."""
    verbs = [suno.resume(), suno.unknown(), suno.reconcile(), suno.forget("x")]
    for verb in (*verbs, suno.submit(CAT, idempotency_key="k")):
        with pytest.raises(ConfigurationError, match="journal="):
            await verb
    assert not gateway.requests


async def test_the_journal_of_another_client_is_not_touched(gateway, path):
    """The second one is told whose it is, before anything is sent; nothing of it is left running."""
    options = {"api_key": gateway.api_key, "journal": path}
    async with Suno(gateway.url, **options) as suno:
        second = Suno(gateway.url, **options)
        with pytest.raises(JournalError, match="in this process"):
            await second.__aenter__()
        job = await suno.submit(CAT)
    async with second:
        assert [one.task_id for one in await second.resume()] == [job.task_id]


@pytest.mark.parametrize("wrong", ["", "/no/such/folder/x", "/", 7, b"x", "a\0b"])
def test_the_path_of_a_journal_is_checked(wrong):
    """It names what is wrong."""
    with pytest.raises(ConfigurationError, match="journal"):
        Suno("https://gateway.example", api_key=KEY, journal=wrong)


@pytest.mark.parametrize("options", [{"allow_insecure": "no"}, {"rng": 5}], ids=str)
def test_flags_and_dice_are_checked(options):
    """They are refused by name before anything is opened."""
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        Suno("https://gateway.example", api_key=KEY, **options)


async def test_whose_key_it_is_must_be_said_with_true_or_false(gateway, path):
    """``exclusive_key="no"`` would adopt what may be somebody else's: it is refused."""
    async with Suno(gateway.url, api_key=gateway.api_key, journal=path) as suno:
        with pytest.raises(ConfigurationError, match="exclusive_key"):
            await suno.reconcile(exclusive_key="no")


@pytest.mark.parametrize("wrong", [429, "429", [200], ["429"], [600], None])
def test_statuses_to_submit_again_on_are_checked(wrong):
    """They are a collection of statuses of errors."""
    with pytest.raises(ConfigurationError, match="resubmit_on"):
        Suno("https://gateway.example", api_key=KEY, resubmit_on=wrong)


async def test_a_refused_submission_is_sent_again_unless_that_is_switched_off():
    """429 and no Retry-After: the second POST is accepted; with ``resubmit_on=()`` there is none."""
    async with Wire(answer(b"", 429), SONG) as wire, to(wire) as suno:
        assert (await suno.submit(CAT)).task_id == "task_1"
        assert wire.asked == 2
    async with Wire(answer(b"", 429), SONG) as wire, to(wire, resubmit_on=()) as suno:
        with pytest.raises(RateLimited):
            await suno.submit(CAT)
        assert wire.asked == 1


async def test_what_was_learned_is_there_also_after_the_end():
    """What a client has learned can be asked for while it is open and afterwards, and another one begins with it."""
    async with Gateway(speed=200, failure_rate=0) as gateway:
        async with Suno(gateway.url, api_key=gateway.api_key, pace=Scaled(Adaptive(), 200)) as suno:
            await suno.run(CAT)
            assert suno.experience().durations
        known = suno.experience()
        pace = Scaled(Adaptive(experience=known), 200)
        async with Suno(gateway.url, api_key=gateway.api_key, pace=pace) as again:
            assert again.experience().durations == known.durations
        with pytest.raises(ConfigurationError, match="not open"):
            Suno(gateway.url, api_key=gateway.api_key).experience()


async def test_a_journal_keeps_what_was_learned(tmp_path):
    """The next client of a journal begins with what the last one learned, and that comes before anything given."""
    path = tmp_path / "songs.journal"
    async with Gateway(speed=200, failure_rate=0) as gateway:
        async with Suno(gateway.url, api_key=gateway.api_key, pace=Scaled(Adaptive(), 200), journal=path) as suno:
            await suno.run(CAT)
        pace = Scaled(Adaptive(experience=Experience()), 200)
        async with Suno(gateway.url, api_key=gateway.api_key, pace=pace, journal=path) as again:
            assert again.experience().durations == suno.experience().durations != {}


async def test_a_journal_keeps_what_a_client_was_given(tmp_path):
    """What another client has learned is in the journal of the one it was given to, though no song ended there."""
    known = Experience(no_beat=0.25)
    async with Gateway() as gateway:
        for pace in (Adaptive(experience=known), Adaptive()):
            async with Suno(gateway.url, api_key=gateway.api_key, pace=pace, journal=tmp_path / "j") as suno:
                assert suno.experience() == known


# other paths


@pytest.mark.parametrize(
    ("profile", "submits", "fetches", "batch"),
    [
        ("stock", "/suno/submit/music", "/suno/fetch/task_1", "/suno/fetch"),
        ("v1", "/v1/suno/submit/music", "/v1/suno/fetch/task_1", "/v1/suno/fetch"),
        ("bltcy", "/task/suno/v1/submit/music", "/task/suno/v1/fetch/task_1", "/task/suno/v1/fetch"),
        ("uniapi", "/suno/submit/music", "/suno/fetch/task_1", "/suno/submit/fetch"),
        (
            Profile("mine", root="/songs", paths={"fetch": "/songs/{task_id}/state"}),
            "/songs/submit/music",
            "/songs/task_1/state",
            "/songs/fetch",
        ),
    ],
)
async def test_a_profile_says_where_everything_is(profile, submits, fetches, batch):
    """Submissions, looks and batches; whatever else is asked for, too."""

    def step(call: Call) -> bytes:
        if call.path == submits:
            return SONG
        if call.path == fetches:
            return told(row("task_1", "SUCCESS"))
        return answer({"code": "success", "data": [row(one, "SUCCESS") for one in ("task_1", "task_2")]})

    async with Wire(step) as wire, to(wire, profile=profile) as suno:
        job = await suno.submit(CAT)
        await suno.fetch(job.task_id)
        await suno.fetch_many(["task_1", "task_2"])
        assert [call.path for call in wire.calls] == [submits, fetches, batch]


@pytest.mark.parametrize("profile", ["nobody", "", None, 7])
def test_a_profile_that_nobody_knows_is_refused(profile):
    """With the names of those that are known."""
    with pytest.raises(ConfigurationError, match="stock, v1, bltcy"):
        Suno("https://gateway.example", api_key=KEY, profile=profile)
