"""The beat."""

import math
import time

import anyio
import anyio.lowlevel

from suno_async.testing import Gateway
from suno_async.testing.gateway.rounds import upstream_status


async def test_a_song_walks_through_its_states(dial, eventually):
    """NOT_START, QUEUED, IN_PROGRESS, SUCCESS; its own length is real, and it becomes visible up to a round later."""
    async with Gateway(speed=100, failure_rate=0, seed=2) as gateway, dial(gateway) as ask:
        task_id = (await ask("POST", "/suno/submit/music", json={})).data
        seen = {}

        async def done():
            row = (await ask("GET", f"/suno/fetch/{task_id}")).data
            return seen.setdefault(row["status"], row)["status"] == "SUCCESS"

        await eventually(done)
    assert list(seen) == ["NOT_START", "QUEUED", "IN_PROGRESS", "SUCCESS"]
    assert [row["progress"] for row in seen.values()] == ["0%", "0%", "0%", "100%"]
    streaming, row = seen["IN_PROGRESS"], seen["SUCCESS"]
    assert 40 < row["finish_time"] - row["submit_time"] < 250
    assert 0 <= row["updated_at"] - row["finish_time"] < 60
    assert all("/audiopipe/" in clip["audio_url"] for clip in streaming["data"])
    assert [clip["id"] for clip in streaming["data"]] == [clip["id"] for clip in row["data"]]


def statuses(gateway, ids):
    return [gateway._desk.table.get(task_id).status for task_id in ids]


async def test_only_the_oldest_rows_are_refreshed():
    """1,000 rows a round; the younger ones stand at NOT_START though they are finished, then jump to SUCCESS."""
    async with Gateway(speed=100, beat=math.inf) as gateway:
        ids = gateway.seed_tasks(1500, status="NOT_START", duration=0.0)
        began = time.perf_counter()
        await gateway.round()
        assert time.perf_counter() - began > 0.014  # 1.4 ms a row, a hundred times faster
        assert statuses(gateway, ids) == ["SUCCESS"] * 1000 + ["NOT_START"] * 500
        await gateway.round()
        assert set(statuses(gateway, ids)) == {"SUCCESS"}


async def test_2025_refreshes_half_as_many():
    """500 rows a round."""
    async with Gateway(era="2025", speed=1000, beat=math.inf) as gateway:
        ids = gateway.seed_tasks(600, duration=0.0)
        await gateway.round()
        assert statuses(gateway, ids).count("SUCCESS") == 500


async def test_rows_of_one_round_become_visible_in_order(eventually):
    """While a round works, the older rows have changed and the younger have not."""
    async with Gateway(speed=10, beat=math.inf) as gateway:
        ids = gateway.seed_tasks(1000, duration=0.0)
        async with anyio.create_task_group() as group:
            group.start_soon(gateway.round)
            await eventually(lambda: "SUCCESS" in statuses(gateway, ids))
            seen = statuses(gateway, ids)
        done = seen.count("SUCCESS")
        assert 0 < done < 1000
        assert seen == ["SUCCESS"] * done + ["IN_PROGRESS"] * (1000 - done)


async def test_a_row_that_is_settled_by_hand_is_left_alone():
    """A round that has already taken a row does not overwrite what a test did to it meanwhile."""
    async with Gateway(speed=100, beat=math.inf) as gateway:
        task_id = gateway.seed_tasks(1, duration=0.0)[0]
        async with anyio.create_task_group() as group:
            group.start_soon(gateway.round)
            await anyio.lowlevel.checkpoint()
            gateway.fail(task_id, "by hand")
        assert statuses(gateway, [task_id]) == ["FAILURE"]


async def test_the_beat_goes_on_by_itself(eventually):
    """Rounds follow each other; an idle gateway only sleeps."""
    async with Gateway(speed=1000, failure_rate=0) as gateway:
        await anyio.sleep(0.04)
        ids = gateway.seed_tasks(1, duration=30.0)
        await eventually(lambda: statuses(gateway, ids) == ["SUCCESS"])
        assert statuses(gateway, ids) == ["SUCCESS"]


async def test_what_the_upstream_says(gateway, row_of):
    """Queued until it streams, done or failed at its end; lyrics are never queued."""
    song = row_of(gateway, gateway.seed_tasks(1, status="NOT_START", duration=100.0)[0])
    moments = [song.submitted + after for after in (1, 31, 100)]
    assert [upstream_status(song, at) for at in moments] == ["QUEUED", "IN_PROGRESS", "SUCCESS"]
    song.reason = "time out"
    assert upstream_status(song, moments[2]) == "FAILURE"
    words = row_of(gateway, gateway.seed_tasks(1, status="NOT_START", duration=100.0, action="LYRICS")[0])
    assert upstream_status(words, moments[0]) == "IN_PROGRESS"
