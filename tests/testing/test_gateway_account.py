"""The routes about the account."""

import gzip
import json

import aiohttp
import pytest

SONG = {"prompt": "la la", "title": "T", "tags": "pop"}


@pytest.fixture
def as_user():
    """The headers of a user, of account 1 unless said otherwise."""

    def headers(gateway, token=None, user=None):
        return {"Authorization": token or gateway.access_token, "New-Api-User": str(user or gateway.user_id)}

    return headers


async def test_the_log_tells_of_each_accepted_submission_and_its_request(ask, gateway):
    """One row of type 2 for each, newest first; its request_id is the header of the submission's own answer."""
    replies = [await ask("POST", "/suno/submit/music", json=SONG) for _ in range(3)]
    gateway.faults.once("upstream_refuses")
    assert (await ask("POST", "/suno/submit/music", json=SONG)).status == 500
    reply = await ask("GET", "/api/log/token")
    assert (reply.status, list(reply.json), reply.json["success"]) == (200, ["data", "message", "success"], True)
    told = [(row["type"], row["request_id"]) for row in reply.data]
    assert told == [(2, reply.headers["X-Oneapi-Request-Id"]) for reply in reversed(replies)]


async def test_a_spent_key_reads_its_log_and_no_more(dial, gateway):
    """What a key may read only does not ask what is left of it; looks and bills do."""
    async with dial(gateway, gateway.add_key(quota=50_000)) as ask:
        task_id = (await ask("POST", "/suno/submit/music", json={})).data
        assert (await ask("GET", f"/suno/fetch/{task_id}")).status == 401
        assert (await ask("GET", "/dashboard/billing/usage")).json["error"]["type"] == "new_api_error"
        assert [row["quota"] for row in (await ask("GET", "/api/log/token")).data] == [50_000]
        assert (await ask("GET", "/api/usage/token/")).data["total_available"] == 0


async def test_who_is_not_known_reads_no_log(ask, gateway):
    """No key and a wrong key are 401 in the account's own shape; an unused key has an empty log."""
    wrong = await ask("GET", "/api/log/token", headers={"Authorization": "Bearer sk-x"})
    assert (wrong.status, wrong.body) == (401, b'{"message":"Invalid token","success":false}')
    async with aiohttp.ClientSession(gateway.url) as session, session.get("/api/log/token") as none:
        assert (none.status, await none.json()) == (401, {"message": "Token not provided", "success": False})
    assert (await ask("GET", "/api/log/token")).data == []


async def test_the_log_of_2025_wants_its_key_in_the_url(ask_old, old):
    """A header counts for nothing there: without ``?key=`` the log is empty, whatever was charged."""
    await ask_old("POST", "/suno/submit/music", json={})
    for path in ("/api/log/token", "/api/log/token?key=sk-x"):
        assert (await ask_old("GET", path)).json == {"data": [], "message": "", "success": True}
    assert [row["type"] for row in (await ask_old("GET", f"/api/log/token?key={old.api_key}")).data] == [2]


async def test_usage_is_what_was_charged(dial, gateway):
    """Granted is used and available together; a failure is paid back and leaves a row of type 6 with its task."""
    async with dial(gateway, gateway.add_key(quota=120_000, models=["suno_music"])) as ask:
        ids = [(await ask("POST", "/suno/submit/music", json={})).data for _ in range(2)]
        assert (await ask("GET", "/api/usage/token/")).json == {
            "code": True,
            "data": {
                "expires_at": 0,
                "model_limits": {"suno_music": True},
                "model_limits_enabled": True,
                "name": "key2",
                "object": "token_usage",
                "total_available": 20_000,
                "total_granted": 120_000,
                "total_used": 100_000,
                "unlimited_quota": False,
            },
            "message": "ok",
        }
        gateway.fail(ids[0], "time out")
        assert (await ask("GET", "/api/usage/token/")).data["total_used"] == 50_000
        newest = (await ask("GET", "/api/log/token")).data[0]
        assert (newest["type"], json.loads(newest["other"])["task_id"]) == (6, ids[0])


async def test_an_unlimited_key_goes_below_zero(ask):
    """Nothing was granted, so what is used is missing."""
    await ask("POST", "/suno/submit/music", json={})
    data = (await ask("GET", "/api/usage/token/")).data
    assert (data["total_granted"], data["total_available"], data["unlimited_quota"]) == (0, -50_000, True)


@pytest.mark.parametrize(
    ("form", "status", "message"),
    [
        ("sk-{}", 401, "Invalid Bearer token"),
        ("Bearer  sk-{}", 401, "Invalid Bearer token"),
        ("Bearer sk-{}-5", 200, "Failed to get token info, please try again later"),
        ("Bearer sk-x", 401, "Invalid token"),
    ],
)
async def test_usage_reads_its_header_twice(ask, gateway, form, status, message):
    """The second time it must be two words, and a channel behind the key makes it another key."""
    header = form.format(gateway.api_key.removeprefix("sk-"))
    reply = await ask("GET", "/api/usage/token/", headers={"Authorization": header})
    assert (reply.status, reply.json) == (status, {"message": message, "success": False})


async def test_2025_has_no_usage(ask_old):
    """There the path is unknown, with and without its slash."""
    for path in ("/api/usage/token/", "/api/usage/token"):
        reply = await ask_old("GET", path)
        assert (reply.status, reply.json["error"]["message"]) == (404, f"Invalid URL (GET {path})")


@pytest.mark.parametrize("prefix", ["", "/v1"])
async def test_bills_are_in_cents_and_dollars(dial, gateway, old, prefix):
    """Usage in cents, what was granted in dollars, in both eras; whole numbers are written without a point."""
    for here in (gateway, old):
        async with dial(here, here.add_key(quota=60_500)) as ask:
            await ask("POST", "/suno/submit/lyrics", json={"prompt": "x"})
            await ask("POST", "/suno/submit/music", json={})
            usage = await ask("GET", f"{prefix}/dashboard/billing/usage")
            assert usage.body == b'{"object":"list","total_usage":11}'
            assert (await ask("GET", f"{prefix}/dashboard/billing/subscription")).json == {
                "object": "billing_subscription",
                "has_payment_method": True,
                "soft_limit_usd": 0.121,
                "hard_limit_usd": 0.121,
                "system_hard_limit_usd": 0.121,
                "access_until": 0,
            }


async def test_an_unlimited_key_has_a_hundred_million_dollars(ask):
    """So the software says."""
    reply = await ask("GET", "/dashboard/billing/subscription")
    assert b'"hard_limit_usd":100000000,' in reply.body


async def test_2025_keeps_what_a_key_paid_for_a_failure(ask_old, old):
    """The user gets it back there, the key does not: usage and log stay."""
    task_id = (await ask_old("POST", "/suno/submit/music", json={})).data
    old.fail(task_id)
    assert (await ask_old("GET", "/dashboard/billing/usage")).json["total_usage"] == 10
    assert len((await ask_old("GET", f"/api/log/token?key={old.api_key}")).data) == 1


async def test_an_account_lists_its_tasks_newest_first(dial, gateway, as_user):
    """All keys of the account together, planted tasks too, nobody else's; a row is a look's without its channel."""
    async with dial(gateway) as ask, dial(gateway, gateway.add_key()) as second:
        ids = [(await call("POST", "/suno/submit/music", json=SONG)).data for call in (ask, second)]
        ids += gateway.seed_tasks(1)
        gateway.put(account=2)
        reply = await ask("GET", "/api/task/self?platform=suno", headers=as_user(gateway))
        looks = {**(await ask("GET", f"/suno/fetch/{ids[0]}")).data, "channel_id": 0}
    assert reply.headers["Auth-Version"] == "864b7076dbcd0a3c01b5520316720ebf"
    assert (reply.data["page"], reply.data["page_size"], reply.data["total"]) == (1, 10, 3)
    assert [row["task_id"] for row in reply.data["items"]] == ids[::-1]
    assert list(reply.data["items"][2].items()) == list(looks.items())


async def test_a_row_tells_of_the_song_once_the_upstream_has_begun(ask, gateway, as_user):
    """Nothing of the request is in a fresh row; title, tags and prompt are in its clips later."""
    task_id = (await ask("POST", "/suno/submit/music", json=SONG)).data
    rows = [(await ask("GET", "/api/task/self", headers=as_user(gateway))).data["items"][0]]
    gateway.finish(task_id)
    rows.append((await ask("GET", "/api/task/self", headers=as_user(gateway))).data["items"][0])
    assert (rows[0]["data"], rows[0]["properties"]["input"]) == (None, "")
    clip = rows[1]["data"][0]
    assert (clip["title"], clip["metadata"]["tags"], clip["metadata"]["prompt"]) == ("T", "pop", "la la")


async def test_2025_lists_tens_from_page_zero(ask_old, old, as_user):
    """No page size, no total: ten rows a page, in a bare list, all columns of the table."""
    ids = old.seed_tasks(12)
    headers = as_user(old)
    pages = [(await ask_old("GET", f"/api/task/self?p={p}&page_size=50", headers=headers)).data for p in (-1, 0, 1, 2)]
    found = [[row["task_id"] for row in rows] for rows in pages]
    assert found == [ids[:1:-1], ids[:1:-1], ids[1::-1], []]
    names = "id created_at updated_at task_id platform user_id channel_id quota action status fail_reason submit_time"
    assert list(pages[2][0]) == [*names.split(), "start_time", "finish_time", "progress", "properties", "data"]
    assert (pages[2][0]["action"], pages[2][0]["properties"], pages[2][0]["quota"]) == ("", {"input": ""}, 50_000)


@pytest.mark.parametrize(
    ("query", "page", "size", "found"),
    [
        ("p=2&page_size=5", 2, 5, slice(5, 10)),
        ("p=3&ps=5", 3, 5, slice(10, 12)),
        ("size=3", 1, 3, slice(3)),
        ("page_size=1000", 1, 100, slice(12)),
        ("p=-2&page_size=2", -2, 2, slice(2)),
        ("page_size=-2", 1, -2, slice(12)),
        ("p=x&page_size=1.5", 1, 10, slice(10)),
        ("p=9", 9, 10, slice(0)),
    ],
)
async def test_pages_of_2026(ask, gateway, as_user, query, page, size, found):
    """From 1, ten rows unless asked otherwise, a hundred at most; a negative page is the first, a negative size all."""
    ids = gateway.seed_tasks(12)[::-1]
    data = (await ask("GET", f"/api/task/self?{query}", headers=as_user(gateway))).data
    assert (data["page"], data["page_size"], data["total"]) == (page, size, 12)
    assert [row["task_id"] for row in data["items"]] == ids[found]


async def test_tasks_are_found_by_what_they_are(ask, gateway, ask_old, old, as_user):
    """By id, status, action and platform, all of them exactly; 2025 knows no action."""
    song, words = gateway.seed_tasks(1)[0], gateway.seed_tasks(1, action="LYRICS", status="QUEUED")[0]
    shown = gateway.put(status="FAILURE")

    async def found(query):
        rows = (await ask("GET", f"/api/task/self?{query}", headers=as_user(gateway))).data["items"]
        return [row["task_id"] for row in rows]

    assert await found("action=LYRICS") == await found("status=QUEUED") == [words]
    assert await found(f"task_id={song}&platform=suno") == [song]
    assert await found("status=FAILURE&action=MUSIC") == [shown]
    assert await found("platform=mj") == await found(f"task_id={song}&action=LYRICS") == []
    old.seed_tasks(1)
    assert (await ask_old("GET", "/api/task/self?action=MUSIC", headers=as_user(old))).data == []


async def test_tasks_are_found_by_their_time(ask, gateway, as_user, row_of):
    """From the first second to the last, both included; what is no number is no bound."""
    ids = gateway.seed_tasks(3)
    for number, task_id in enumerate(ids):
        row_of(gateway, task_id).submitted = 1000.5 + number

    async def found(query):
        rows = (await ask("GET", f"/api/task/self?{query}", headers=as_user(gateway))).data["items"]
        return [row["task_id"] for row in rows]

    assert await found("start_timestamp=1001&end_timestamp=1001") == [ids[1]]
    assert await found("start_timestamp=1001") == [ids[2], ids[1]]
    assert await found("end_timestamp=1001") == [ids[1], ids[0]]
    assert await found("start_timestamp=x&end_timestamp=0") == ids[::-1]


async def test_a_row_that_was_never_written_is_in_no_list(ask, gateway, as_user):
    """lost_row: charged, in the log, and in no list of tasks."""
    gateway.faults.once("lost_row")
    await ask("POST", "/suno/submit/music", json={})
    assert (await ask("GET", "/api/task/self", headers=as_user(gateway))).data["items"] == []
    assert len((await ask("GET", "/api/log/token")).data) == 1


@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("/api/usage/token", "/api/usage/token/"),
        ("/api/log/token/", "/api/log/token"),
        ("/dashboard/billing/usage/", "/dashboard/billing/usage"),
        ("/api/task/self/?p=1", "/api/task/self?p=1"),
    ],
)
async def test_a_slash_too_many_or_too_few_is_redirected(ask, path, other):
    """301 to the same path with the other end, its query kept."""
    reply = await ask("GET", path)
    assert (reply.status, reply.headers["Location"]) == (301, other)


async def test_other_methods_are_unknown(ask):
    """These routes are read only."""
    assert (await ask("POST", "/api/log/token")).status == 404


async def test_2026_lets_an_address_read_twenty_times_in_twenty_minutes(ask, gateway, later):
    """Log and usage share the limit, a wrong key counts too; beyond it 429 with nothing, until the first is old."""
    assert (await ask("GET", "/api/log/token", headers={"Authorization": "Bearer sk-x"})).status == 401
    for number in range(19):
        assert (await ask("GET", "/api/usage/token/" if number % 2 else "/api/log/token")).status == 200
    reply = await ask("GET", "/api/log/token")
    assert (reply.status, reply.body, "Retry-After" in reply.headers) == (429, b"", False)
    assert (await ask("GET", "/dashboard/billing/usage")).status == 200
    later(gateway, 1200)
    assert (await ask("GET", "/api/log/token")).status == 200


async def test_2025_has_no_limit_but_the_general_one(ask_old, old):
    """180 requests in three minutes over all of them; songs are not touched by it."""
    for _ in range(180):
        assert (await ask_old("GET", "/api/log/token")).status == 200
    assert (await ask_old("GET", "/dashboard/billing/usage")).status == 429
    assert (await ask_old("POST", "/suno/submit/music", json={})).status == 200


async def test_who_reads_gzip_gets_gzip(gateway, dial):
    """Answers, refusals and the nothing of a 429 alike; looks are never compressed."""
    headers = {"Authorization": f"Bearer {gateway.api_key}", "Accept-Encoding": "gzip"}
    async with aiohttp.ClientSession(gateway.url, headers=headers, auto_decompress=False) as session:
        for path in ("/api/log/token", "/dashboard/billing/usage"):
            async with session.get(path) as reply:
                assert (reply.headers["Content-Encoding"], reply.headers["Vary"]) == ("gzip", "Accept-Encoding")
                assert json.loads(gzip.decompress(await reply.read()))
        async with session.get("/api/log/token", headers={"Authorization": "x"}) as reply:
            assert (reply.status, reply.headers["Content-Encoding"]) == (401, "gzip")
        for _ in range(18):
            await (await session.get("/api/log/token")).read()
        async with session.get("/api/log/token") as reply:
            assert (reply.status, gzip.decompress(await reply.read())) == (429, b"")
        async with session.get("/v1/models") as reply:
            assert "Content-Encoding" not in reply.headers


async def test_a_gateway_that_is_no_new_api_has_none_of_this(ask, gateway, as_user):
    """no_account_routes: unknown paths, JSON under /api and /v1, the page elsewhere."""
    gateway.faults["no_account_routes"] = 1.0
    for path in ("/api/log/token", "/api/usage/token/", "/api/task/self", "/v1/dashboard/billing/usage"):
        reply = await ask("GET", path, headers=as_user(gateway))
        assert (reply.status, reply.json["error"]["type"]) == (404, "invalid_request_error")
    assert (await ask("GET", "/dashboard/billing/usage")).body.startswith(b"<!doctype html")


async def test_a_silent_log_is_no_proof(ask, gateway):
    """charge_unlogged: the log is empty, the usage is not."""
    gateway.faults.once("charge_unlogged")
    await ask("POST", "/suno/submit/music", json={})
    assert (await ask("GET", "/api/log/token")).data == []
    assert (await ask("GET", "/api/usage/token/")).data["total_used"] == 50_000


async def test_a_slow_upstream_is_charged_before_it_is_logged(ask, gateway, as_user, later):
    """slow_upstream: usage at once, log and task twenty seconds later, though the client has left long before."""
    gateway.faults.once("slow_upstream")
    with pytest.raises(TimeoutError):
        await ask("POST", "/suno/submit/music", json={}, timeout=aiohttp.ClientTimeout(total=0.2))
    assert (await ask("GET", "/api/usage/token/")).data["total_used"] == 50_000
    assert (await ask("GET", "/api/log/token")).data == []
    assert (await ask("GET", "/api/task/self", headers=as_user(gateway))).data["items"] == []
    later(gateway, 20)
    [row] = (await ask("GET", "/api/task/self", headers=as_user(gateway))).data["items"]
    [entry] = (await ask("GET", "/api/log/token")).data
    assert row["created_at"] == entry["created_at"]
