"""The gateway as a whole."""

import math
import socket
import time

import aiohttp
import anyio
import pytest

import suno_async.testing
from suno_async.testing import Gateway
from suno_async.testing import gateway as room


def test_the_doors_open_to_the_same_gateway():
    """The package and its room export the gateway and the table of faults."""
    assert set(suno_async.testing.__all__) == set(room.__all__) == {"FAULTS", "Gateway"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"era": "2024"}, "era is one of 2026, 2025"),
        ({"profile": "public"}, "profile is stock or private, not 'public'"),
        ({"speed": 0}, "speed is greater than 0"),
        ({"median": -1}, "median is greater than 0"),
        ({"beat": 0}, "beat is greater than 0"),
        ({"failure_rate": 2}, "failure_rate is between 0 and 1"),
        ({"failure_rate": math.nan}, "failure_rate is between 0 and 1"),
        ({"sigma": -1}, "sigma is 0 or more, not -1"),
        ({"speed": "5"}, "speed is greater than 0 and finite, not '5'"),
        ({"speed": math.inf}, "speed is greater than 0 and finite, not inf"),
        ({"median": None}, "median is greater than 0, not None"),
        ({"port": 99_999}, "port is a whole number from 0 to 65535, not 99999"),
        ({"port": "80"}, "port is a whole number from 0 to 65535, not '80'"),
        ({"era": []}, r"era is one of 2026, 2025, not \[\]"),
        ({"faults": ["hang"]}, r"faults are rates by name, such as \{'hang': 0.1\}, not \['hang'\]"),
        ({"faults": {"hang": "often"}}, "the rate of hang is between 0 and 1, not 'often'"),
    ],
)
def test_senseless_settings_are_refused(options, words):
    """A setting out of range is a ValueError that says what is allowed."""
    with pytest.raises(ValueError, match=words):
        Gateway(**options)


async def test_it_listens_on_loopback_at_the_port_it_is_told(dial):
    """port= is where it listens; the URL is 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with Gateway(port=port) as gateway, dial(gateway) as ask:
        assert gateway.url == f"http://127.0.0.1:{port}"
        assert (await ask("GET", "/v1/models")).status == 200


async def test_the_callers_own_error_comes_out_as_it_is():
    """An error inside the block is not wrapped, and the port is free afterwards."""
    with pytest.raises(KeyError, match="mine"):
        async with Gateway() as gateway:
            raise KeyError("mine")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(gateway.url)


async def test_a_port_in_use_leaves_nothing_behind(gateway):
    """A gateway that cannot listen raises OSError and is closed."""
    with pytest.raises(OSError, match="address already in use"):
        async with Gateway(port=int(gateway.url.rpartition(":")[2])):
            pytest.fail("two gateways on one port")


async def test_it_serves_until_it_is_cancelled(dial, eventually):
    """serve_forever opens the gateway if need be, serves, and closes when cancelled."""
    gateway = Gateway()
    async with anyio.create_task_group() as group:
        group.start_soon(gateway.serve_forever)
        await eventually(lambda: not gateway.url.endswith(":0"))
        async with dial(gateway) as ask:
            assert (await ask("GET", "/v1/models")).status == 200
        group.cancel_scope.cancel()


async def test_an_open_gateway_is_served_as_it_is(gateway):
    """serve_forever on an open gateway only waits."""
    with anyio.move_on_after(0.01) as scope:
        await gateway.serve_forever()
    assert scope.cancelled_caught


async def test_a_restart_keeps_the_rows_and_the_address(dial, eventually):
    """Connections are lost, nobody listens while it is down, then the tasks are there as before and go on."""
    async with Gateway(speed=100, failure_rate=0) as gateway, dial(gateway) as ask:
        url, task_id = gateway.url, gateway.seed_tasks(1, duration=30.0)[0]
        async with anyio.create_task_group() as group:
            group.start_soon(gateway.restart, 30.0)
            await anyio.sleep(0.05)
            with pytest.raises(aiohttp.ClientError):
                await ask("POST", "/suno/fetch", json={})
        assert gateway.url == url

        async def done():
            return (await ask("GET", f"/suno/fetch/{task_id}")).data["status"] == "SUCCESS"

        await eventually(done)


async def test_a_gateway_that_is_down_can_be_left():
    """Leaving while a restart was cancelled half-way is no error."""
    async with Gateway() as gateway:
        with anyio.move_on_after(0.05) as scope:
            await gateway.restart(1e6)
    assert scope.cancelled_caught


async def test_what_is_closed_cannot_be_restarted():
    """restart() needs an open gateway."""
    with pytest.raises(RuntimeError, match="not open"):
        await Gateway().restart()


async def test_what_is_closed_has_no_rounds():
    """round() needs an open gateway, before it and after it."""
    gateway = Gateway()
    with pytest.raises(RuntimeError, match="not open"):
        await gateway.round()
    async with gateway:
        await gateway.round()
    with pytest.raises(RuntimeError, match="not open"):
        await gateway.round()


async def test_planted_tasks_show_what_they_were_given(ask, gateway):
    """put() shows any status and columns, replaces a task of the same id, and no round touches it."""
    task_id = gateway.put("my-task", status="weird", progress="45%", data={"x": 1}, fail_reason="r")
    await gateway.round()
    row = (await ask("GET", "/suno/fetch/my-task")).data
    assert (row["status"], row["progress"], row["data"], row["fail_reason"]) == ("weird", "45%", {"x": 1}, "r")
    gateway.put(task_id)
    row = (await ask("GET", "/suno/fetch/my-task")).data
    assert (row["status"], len(row["data"])) == ("SUCCESS", 2)
    assert row["submit_time"] < row["start_time"] < row["finish_time"] <= gateway.now()


async def test_planted_running_tasks_began_in_the_past(ask, gateway):
    """A planted stream has begun, and is not over."""
    row = (await ask("GET", f"/suno/fetch/{gateway.put(status='IN_PROGRESS')}")).data
    assert row["start_time"] <= gateway.now()
    assert row["finish_time"] == 0


async def test_tasks_end_by_hand(ask, gateway):
    """finish() and fail() end a task at once; an unknown id is a KeyError."""
    good, bad = gateway.seed_tasks(2)
    gateway.finish(good, data=[])
    gateway.fail(bad, "because")
    rows = (await ask("POST", "/suno/fetch", json={"ids": [good, bad]})).data
    assert [row["status"] for row in rows] == ["SUCCESS", "FAILURE"]
    assert (rows[0]["data"], rows[1]["fail_reason"], rows[1]["result_url"]) == ([], "because", "because")
    with pytest.raises(KeyError):
        gateway.finish("unknown")


async def test_many_tasks_are_planted_quickly_and_run_for_ever(ask, gateway):
    """20,000 tasks take well under three seconds; duration=inf never ends; a batch of 500 is quick work."""
    began = time.perf_counter()
    ids = gateway.seed_tasks(20_000, duration=math.inf)
    assert time.perf_counter() - began < 3.0
    assert len(set(ids)) == 20_000
    await ask("POST", "/suno/fetch", json={"ids": ids[:500]})
    began = time.perf_counter()
    reply = await ask("POST", "/suno/fetch", json={"ids": ids[500:1000]})
    assert time.perf_counter() - began < 0.5
    assert [row["task_id"] for row in reply.data] == ids[500:1000]
    assert {row["status"] for row in reply.data} == {"IN_PROGRESS"}


async def test_what_came_in_can_be_read(ask, gateway):
    """Looks by id, submissions by body, what they were accepted as; the account has a token and a number."""
    task_id = (await ask("POST", "/suno/submit/music", data=b"{}")).data
    await ask("GET", f"/suno/fetch/{task_id}")
    assert (gateway.looks, gateway.submissions, gateway.accepted) == ({task_id: 1}, {b"{}": 1}, {b"{}": [task_id]})
    headers = {"Authorization": gateway.access_token, "New-Api-User": str(gateway.user_id)}
    items = (await ask("GET", "/api/task/self", headers=headers)).data["items"]
    assert [row["task_id"] for row in items] == [task_id]


async def test_planted_tasks_have_the_status_they_are_told(ask, gateway):
    """A task that is planted as waiting has not begun; each request can be read afterwards."""
    task_id = gateway.seed_tasks(1, status="QUEUED")[0]
    row = (await ask("GET", f"/suno/fetch/{task_id}")).data
    assert (row["status"], row["start_time"]) == ("QUEUED", 0)
    assert [seen.ids for seen in gateway.requests] == [(task_id,)]
