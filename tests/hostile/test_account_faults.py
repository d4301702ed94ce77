"""Faults of the gateway software itself, at the local gateway: rows that are late, lost or stuck, and spent keys."""

import anyio
import pytest
from verdicts import CAT, KEY
from wire import HASTY, Call, Unhurt, Wire, answer, seen, until

from suno_async import (
    ConfigurationError,
    Fixed,
    QuotaExceeded,
    RequestRejected,
    SubmitUnknown,
    Suno,
    SunoError,
    TaskNotFound,
    Unauthorized,
)
from suno_async.testing import Gateway


@pytest.fixture
def anyio_backend():
    """Real sockets, and a clock that runs thirty times as fast, the gateway's too."""
    return HASTY


def client(gateway, **options):
    """A client that looks every two seconds."""
    return Suno(gateway.url, **{"api_key": gateway.api_key, "pace": Fixed(2.0), "rng": Unhurt()} | options)


async def outcome(awaitable):
    """What it gives or raises."""
    try:
        return await awaitable
    except SunoError as error:
        return error


async def test_a_row_that_comes_late_is_waited_for():
    """35, 75: "there is no such task" right after the submission is not believed, alone and among others."""
    async with Gateway(failure_rate=0, median=20, beat=5) as gateway, client(gateway) as suno:
        others = gateway.seed_tasks(3, duration=30)
        gateway.faults.once("late_row", 2)
        jobs = [await suno.submit(CAT), await suno.submit(CAT)]
        with pytest.raises(TaskNotFound):
            await suno.fetch(jobs[0].task_id)
        alone = await jobs[0].wait(timeout=300)
        many = [task async for task in suno.as_completed([jobs[1].task_id, *others], timeout=300)]
        assert alone.succeeded
        assert {task.task_id for task in many if task.succeeded} == {jobs[1].task_id, *others}


async def test_a_row_that_was_never_written_is_given_up_with_its_id(tmp_path):
    """35: paid for and unknown for ever; after two minutes TaskNotFound has the id, and it is not paid twice."""
    async with Gateway(failure_rate=0, faults={"lost_row": 1}) as gateway:
        async with client(gateway, journal=tmp_path / "a.journal") as suno:
            job = await suno.submit(CAT, idempotency_key="cat-1")
            begin = anyio.current_time()
            with pytest.raises(TaskNotFound) as caught:
                await job.wait(timeout=600)
            assert caught.value.task_id == job.task_id
            assert anyio.current_time() - begin >= 110
            assert gateway.looks[job.task_id] >= 5
            assert (await suno.submit(CAT, idempotency_key="cat-1")).task_id == job.task_id
        assert gateway.counts["accepted"] == 1


async def test_a_gateway_with_too_many_rows_is_waited_for():
    """88, 138: a row that is not refreshed because a thousand older ones are is NOT_START, and no more than that."""
    async with Gateway(failure_rate=0, median=5, beat=5) as gateway, client(gateway) as suno:
        older = gateway.seed_tasks(1100, duration=float("inf"))
        job = await suno.submit(CAT)
        found = []

        async def wait():
            found.append(await job.wait(timeout=3000))

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.sleep(100)
            assert (await suno.fetch(job.task_id)).status == "NOT_START"
            assert not found
            for task_id in older[:200]:
                gateway.finish(task_id)
            await until(lambda: found)
        assert found[0].succeeded


async def test_a_key_that_spent_its_last_credit_ends_waits_and_loses_no_task(tmp_path):
    """137: every id stays open in the journal, and another key of the account goes on with all of them."""
    async with Gateway(failure_rate=0, median=60, beat=5) as gateway:
        poor = gateway.add_key(quota=100_000)
        async with client(gateway, api_key=poor, journal=tmp_path / "a.journal") as suno:
            jobs = [await suno.submit(CAT), await suno.submit(CAT)]
            ids = [job.task_id for job in jobs]
            async with anyio.create_task_group() as group:
                errors = []

                async def ended(awaitable):
                    errors.append(await outcome(awaitable))

                async def stream():
                    return [task async for task in suno.as_completed(ids)]

                group.start_soon(ended, jobs[0].wait())
                group.start_soon(ended, stream())
            assert [type(error) for error in errors] == [Unauthorized] * 2
            assert all("The tasks run on" in str(error) and jobs[0].task_id in error.task_ids for error in errors)
            asked = len(gateway.requests)
            await anyio.sleep(60)
            assert len(gateway.requests) == asked
        async with client(gateway, journal=tmp_path / "a.journal") as suno:
            assert [job.task_id for job in await suno.resume()] == ids
            assert {task.task_id async for task in suno.as_completed(ids, timeout=600) if task.succeeded} == set(ids)
            assert await suno.resume() == []


@pytest.mark.parametrize(
    "body", ["<html>413 Request Entity Too Large</html>", b"", {"error": {"message": "too large"}}]
)
async def test_a_proxy_that_takes_no_large_requests_is_asked_in_smaller_ones(body):
    """136: 413 is about the size, whoever says it: every id is found, and nobody waits for an outage to end."""

    def step(call: Call) -> bytes:
        return answer(body, 413) if len(call.ids) > 12 else seen(call)

    task_ids = [f"task_{number}" for number in range(100)]
    async with Wire(step) as wire, Suno(wire.url, api_key=KEY, pace=Fixed(2.0), rng=Unhurt()) as suno:
        with anyio.fail_after(300):
            assert len([task async for task in suno.as_completed(task_ids)]) == 100
            found = await suno.fetch_many(task_ids)
        assert all(task is not None and task.succeeded for task in found.values())


@pytest.mark.parametrize("era", ["2025", "2026"])
async def test_credit_that_ends_in_the_middle_of_a_run_leaves_nothing_unknown(tmp_path, era):
    """140: what is refused says QuotaExceeded or Unauthorized and is not charged, what was accepted is waited for."""
    async with Gateway(era=era, failure_rate=0, median=10, beat=5) as gateway:
        outcomes = []
        async with client(gateway, api_key=gateway.add_key(quota=160_000), journal=tmp_path / "a.journal") as suno:

            async def submit():
                outcomes.append(await outcome(suno.submit(CAT)))

            async with anyio.create_task_group() as group:
                for _ in range(8):
                    group.start_soon(submit)
            refused = [each for each in outcomes if isinstance(each, SunoError)]
            ids = {each.task_id for each in outcomes if not isinstance(each, SunoError)}
            # 2025 lets a key overdraw, and then says 401
            assert len(ids) == {"2025": 4, "2026": 3}[era]
            assert {type(each) for each in refused} == {{"2025": Unauthorized, "2026": QuotaExceeded}[era]}
            assert len(refused) + len(ids) == 8
            assert await suno.unknown() == []
        assert gateway.counts["accepted"] == len(ids)
        assert sum(gateway.submissions.values()) == 8
        async with client(gateway, journal=tmp_path / "a.journal") as suno:
            assert {job.task_id for job in await suno.resume()} == ids
            assert {task.task_id async for task in suno.as_completed(ids, timeout=600) if task.succeeded} == ids


@pytest.mark.parametrize("path", ["/panel", "/api", "/v1/chat"])
async def test_what_the_software_answers_to_unknown_paths_is_no_answer(path):
    """141: 200 and a page, or 404 in JSON: no task, no id, and whoever asked is told to check the base URL."""
    async with Gateway() as gateway, client(gateway, timeout=10.0) as known:
        task_id = gateway.put(status="SUCCESS")
        async with client(gateway) as suno:
            assert (await suno.fetch(task_id)).succeeded
        async with Suno(gateway.url + path, api_key=gateway.api_key, rng=Unhurt()) as suno:
            for verb in (suno.fetch(task_id), suno.wait(task_id), suno.fetch_many([task_id, "task_2"])):
                error = await outcome(verb)
                assert type(error) is ConfigurationError
                assert "base URL" in str(error)
            error = await outcome(suno.submit(CAT))
            assert isinstance(error, SubmitUnknown | RequestRejected)
        assert gateway.counts["accepted"] == 0
        assert (await known.fetch(task_id)).succeeded
