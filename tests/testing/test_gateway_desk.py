"""Submissions and looks."""

import math

import pytest

from suno_async.testing import Gateway


async def test_an_accepted_submission_is_a_row_at_once(ask, gateway):
    """The answer is the id; the row behind it is NOT_START, 0 %, null."""
    task_id = (await ask("POST", "/suno/submit/MUSIC", json={"prompt": "x", "negative_tags": "y"})).data
    row = (await ask("GET", f"/suno/fetch/{task_id}")).data
    assert (row["status"], row["progress"], row["data"], row["quota"]) == ("NOT_START", "0%", None, 50_000)
    assert row["submit_time"] == row["created_at"] == row["updated_at"]
    assert dict(gateway.counts) == {"submissions": 1, "accepted": 1, "singles": 1, "ids_asked": 1}


async def test_a_batch_leaves_out_what_it_does_not_know(ask, gateway):
    """Duplicates collapse, unknown ids, numbers and null are left out, 2026 answers in order of insertion."""
    ids = gateway.seed_tasks(5)
    asked = [ids[3], "unknown", ids[0], 7, None, True, ids[3], ids[4]]
    reply = await ask("POST", "/suno/fetch", json={"ids": asked, "action": "LYRICS"})
    assert [row["task_id"] for row in reply.data] == [ids[0], ids[3], ids[4]]
    assert (gateway.counts["batches"], gateway.counts["ids_asked"]) == (1, 8)


async def test_2025_answers_a_batch_in_any_order(ask_old, old):
    """All ids come back, not in the order of insertion."""
    ids = old.seed_tasks(30)
    answered = [row["task_id"] for row in (await ask_old("POST", "/suno/fetch", json={"ids": ids})).data]
    assert sorted(answered) == sorted(ids)
    assert answered != ids


async def test_empty_and_unknown_batches_differ(ask):
    """No ids, missing or null ids give []; ids of which none is known give null."""
    for body in ({"ids": []}, {"ids": None}, {}):
        assert (await ask("POST", "/suno/fetch", json=body)).data == []
    assert (await ask("POST", "/suno/fetch", json={"ids": ["x"]})).data is None


@pytest.mark.parametrize("poison", [{}, []])
async def test_one_poisoned_id_spoils_the_batch(ask, gateway, poison):
    """An object or a list among the ids is 500 get_tasks_failed for all."""
    reply = await ask("POST", "/suno/fetch", json={"ids": [*gateway.seed_tasks(2), poison]})
    assert (reply.status, reply.json["code"]) == (500, "get_tasks_failed")
    assert "$4" in reply.json["message"]


async def test_the_largest_batch(ask, gateway):
    """32,766 ids are answered, one more is too many."""
    ids = [str(number) for number in range(32_766)]
    assert (await ask("POST", "/suno/fetch", json={"ids": ids})).status == 200
    assert (await ask("POST", "/suno/fetch", json={"ids": [*ids, "x"]})).status == 500


async def test_accounts_do_not_see_each_other(ask, gateway, dial):
    """Keys of one account share its tasks; to another account they do not exist."""
    task_id = (await ask("POST", "/suno/submit/music", json={})).data
    async with dial(gateway, gateway.add_key()) as same, dial(gateway, gateway.add_key(account=2)) as other:
        assert (await same("GET", f"/suno/fetch/{task_id}")).status == 200
        assert (await other("GET", f"/suno/fetch/{task_id}")).json["code"] == "task_not_exist"


async def test_2025_wants_the_task_of_a_continued_clip(ask_old, old, ask):
    """2025 refuses a continuation without a known task_id; 2026 does not ask."""
    body = {"continue_clip_id": "c", "continue_at": 12}
    assert (await ask_old("POST", "/suno/submit/music", json=body)).json["message"] == "task id is empty"
    body["task_id"] = "unknown"
    assert (await ask_old("POST", "/suno/submit/music", json=body)).json["code"] == "task_not_exist"
    body["task_id"] = old.put()
    assert (await ask_old("POST", "/suno/submit/music", json=body)).status == 200
    assert (await ask("POST", "/suno/submit/music", json={"continue_clip_id": "c"})).status == 200


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("upstream_429", 429, "fail_to_fetch_task"),
        ("upstream_502", 502, "fail_to_fetch_task"),
        ("upstream_refuses", 500, "sensitive_words"),
        ("upstream_html", 500, "unmarshal_response_body_failed"),
        ("out_of_credit", 403, "insufficient_user_quota"),
    ],
)
async def test_a_refused_submission_costs_nothing(dial, gateway, fault, status, code):
    """What the upstream or the account refuses is not accepted and not charged: the quota still buys one song."""
    gateway.faults[fault] = 1.0
    async with dial(gateway, gateway.add_key(quota=50_001)) as ask:
        reply = await ask("POST", "/suno/submit/music", json={})
        assert (reply.status, reply.json["code"]) == (status, code)
        assert "Retry-After" not in reply.headers
        gateway.faults.clear()
        assert (await ask("POST", "/suno/submit/music", json={})).status == 200
    assert (gateway.counts["submissions"], gateway.counts["accepted"], gateway.counts[fault]) == (2, 1, 1)


async def test_the_account_of_2025_is_out_of_credit_in_its_own_words(ask_old, old):
    """2025 calls it quota_not_enough."""
    old.faults.once("out_of_credit")
    reply = await ask_old("POST", "/suno/submit/music", json={})
    assert (reply.status, reply.json["code"]) == (403, "quota_not_enough")


async def test_2025_passes_headers_of_the_upstream_through(ask_old, old):
    """An accepted submission of 2025 carries the upstream's headers, a refused one does not."""
    assert (await ask_old("POST", "/suno/submit/music", json={})).headers["X-Up"] == "1"
    old.faults.once("upstream_refuses")
    assert "X-Up" not in (await ask_old("POST", "/suno/submit/music", json={})).headers


async def test_a_late_row_appears_and_a_lost_row_does_not(dial, eventually):
    """A late row is task_not_exist for ten seconds; a lost row is for ever, though it was accepted."""
    async with Gateway(speed=50, beat=math.inf) as gateway, dial(gateway) as ask:
        gateway.faults.once("late_row")
        late = (await ask("POST", "/suno/submit/music", json={})).data
        gateway.faults.once("lost_row")
        lost = (await ask("POST", "/suno/submit/music", json={})).data
        assert (await ask("GET", f"/suno/fetch/{late}")).json["code"] == "task_not_exist"

        async def there():
            return (await ask("GET", f"/suno/fetch/{late}")).status == 200

        await eventually(there)
        assert (await ask("GET", f"/suno/fetch/{lost}")).json["code"] == "task_not_exist"
    assert gateway.counts["accepted"] == 2


async def test_a_failure_is_paid_back(dial, gateway):
    """A key that spent its last quota on a song that fails may look again."""
    async with dial(gateway, gateway.add_key(quota=50_000)) as ask:
        task_id = (await ask("POST", "/suno/submit/music", json={})).data
        assert (await ask("GET", f"/suno/fetch/{task_id}")).status == 401
        gateway.fail(task_id)
        assert (await ask("GET", f"/suno/fetch/{task_id}")).data["status"] == "FAILURE"
        gateway.fail(task_id, "again: no second refund")
        assert (await ask("POST", "/suno/submit/music", json={})).status == 200
        assert (await ask("GET", f"/suno/fetch/{task_id}")).status == 401


async def test_2025_does_not_pay_a_key_back(dial, old):
    """Its user gets the quota back, the key that paid does not: it stays refused."""
    async with dial(old, old.add_key(quota=50_000)) as ask:
        task_id = (await ask("POST", "/suno/submit/music", json={})).data
        old.fail(task_id)
        assert (await ask("GET", f"/suno/fetch/{task_id}")).status == 401


async def test_looks_are_counted_for_each_id(ask, gateway):
    """Alone and in batches, twice in a batch twice, unknown ids too; what is no text is not."""
    task_id = gateway.put()
    await ask("GET", f"/suno/fetch/{task_id}")
    await ask("POST", "/suno/fetch", json={"ids": [task_id, task_id, "x", 7, None]})
    assert gateway.looks == {task_id: 3, "x": 1}


async def test_submissions_are_counted_for_each_body(ask, gateway):
    """Every body that came in, byte for byte, refused or not; and the tasks that it was accepted as."""
    bodies = [b'{"title":"a"}', b'{"title":"a"}', b'{"title": "a"}', b"{"]
    replies = [await ask("POST", "/suno/submit/music", data=body) for body in bodies]
    gateway.faults.once("upstream_refuses")
    await ask("POST", "/suno/submit/music", data=b'{"title":"b"}')
    counts = {b'{"title":"a"}': 2, b'{"title": "a"}': 1, b"{": 1, b'{"title":"b"}': 1}
    assert gateway.submissions == counts
    ids = [reply.data for reply in replies[:3]]
    assert gateway.accepted == {b'{"title":"a"}': ids[:2], b'{"title": "a"}': ids[2:]}


@pytest.mark.parametrize("faults", [["slow_upstream"], ["slow_upstream", "late_row"]])
async def test_a_slow_upstream_accepts_in_its_time(dial, eventually, faults):
    """The answer comes after twenty seconds; the row's own time begins then, and a late row is late on top."""
    async with Gateway(speed=200, beat=math.inf) as gateway, dial(gateway) as ask:
        began = gateway.now()
        for fault in faults:
            gateway.faults.once(fault)
        task_id = (await ask("POST", "/suno/submit/music", json={})).data
        assert gateway.now() >= began + 20

        async def there():
            return (await ask("GET", f"/suno/fetch/{task_id}")).status == 200

        await eventually(there)
        assert gateway.now() >= began + 20 + 10 * ("late_row" in faults)
        assert (await ask("GET", f"/suno/fetch/{task_id}")).data["submit_time"] >= int(began + 20)


async def test_a_frozen_failure_stays_in_progress(ask, gateway):
    """frozen_failure shows IN_PROGRESS, 100 % and the reason."""
    gateway.faults.once("frozen_failure")
    task_id = gateway.seed_tasks(1)[0]
    gateway.fail(task_id, "time out")
    await gateway.round()
    row = (await ask("GET", f"/suno/fetch/{task_id}")).data
    assert (row["status"], row["progress"], row["fail_reason"]) == ("IN_PROGRESS", "100%", "time out")


async def test_the_same_seed_makes_the_same_tasks():
    """Ids, keys and fates follow from the seed."""
    first, second, third = Gateway(seed=1), Gateway(seed=1), Gateway(seed=2)
    ids = [gateway.seed_tasks(3) for gateway in (first, second, third)]
    assert ids[0] == ids[1] != ids[2]
    assert first.api_key == second.api_key != third.api_key


async def test_what_no_channel_serves_is_refused_in_each_eras_words(ask, ask_old):
    """503 for an action that is no model of the gateway; nothing is charged."""
    for call, code in ((ask, "model_not_found"), (ask_old, None)):
        reply = await call("POST", "/suno/submit/concat", json={})
        assert (reply.status, reply.json["error"].get("code")) == (503, code)
        assert "suno_concat" in reply.json["error"]["message"]


async def test_planted_tasks_last_as_long_as_they_are_told(ask, gateway, row_of):
    """duration= overrules the dice: the stream begins at three tenths, and a finished task is not paid back."""
    row = row_of(gateway, gateway.seed_tasks(1, duration=100.0, status="QUEUED")[0])
    assert (row.starts - row.submitted, row.ends - row.submitted, row.reason) == (
        pytest.approx(30, abs=0.001),
        pytest.approx(100, abs=0.001),
        "",
    )
    gateway.finish(row.task_id)
    assert (await ask("GET", f"/suno/fetch/{row.task_id}")).data["status"] == "SUCCESS"


async def test_what_costs_nothing_is_not_in_the_log(private, ask_private):
    """An upload by URL is accepted as a task, and no charge is told of."""
    reply = await ask_private("POST", "/suno/uploads/audio-url", json={"url": "http://h/x.mp3"})
    assert (reply.status, private.counts["accepted"]) == (200, 1)
    assert (await ask_private("GET", "/api/log/token")).data == []
    await ask_private("POST", "/suno/submit/concat", json={})
    await ask_private("POST", "/suno/submit/music", json={})
    assert [row["quota"] for row in (await ask_private("GET", "/api/log/token")).data] == [50_000]
