"""Keys, quota, models."""

import re

import pytest

from suno_async.testing import Gateway


async def test_a_key_looks_like_a_key(gateway):
    """sk- and 48 letters and digits."""
    assert re.fullmatch(r"sk-[A-Za-z0-9]{48}", gateway.api_key)


@pytest.mark.parametrize(
    ("form", "status"),
    [("Bearer {}", 200), ("bearer {}", 200), ("{}", 200), ("Bearer {}-3", 403), ("Bearer x", 401), ("Basic {}", 401)],
)
async def test_the_forms_of_a_key(ask, gateway, form, status):
    """With or without Bearer and sk-; a channel behind it is for administrators."""
    for text in (gateway.api_key, gateway.api_key.removeprefix("sk-")):
        reply = await ask("POST", "/suno/fetch", json={}, headers={"Authorization": form.format(text)})
        assert reply.status == status


async def test_2025_does_not_know_a_small_bearer(ask_old, old):
    """2025 strips Bearer, not bearer."""
    reply = await ask_old("POST", "/suno/fetch", json={}, headers={"Authorization": f"bearer {old.api_key}"})
    assert reply.status == 401


async def test_a_key_of_2026_stops_at_its_quota(dial, gateway):
    """While something is left looks go on and a song is 403; exactly spent, even looks are 401."""
    async with dial(gateway, gateway.add_key(quota=55_000)) as ask:
        task_id = (await ask("POST", "/suno/submit/music", json={})).data
        reply = await ask("POST", "/suno/submit/music", json={})
        assert (reply.status, reply.json["code"]) == (403, "pre_consume_token_quota_failed")
        assert (await ask("GET", f"/suno/fetch/{task_id}")).status == 200
        assert (await ask("POST", "/suno/submit/lyrics", json={"prompt": "x"})).status == 200
        assert (await ask("GET", f"/suno/fetch/{task_id}")).status == 401


async def test_a_key_of_2025_may_overdraw(dial, old):
    """60,000 buy two songs of 50,000, then everything is 401 with the masked key and what is missing."""
    key = old.add_key(quota=60_000)
    async with dial(old, key) as ask:
        assert [(await ask("POST", "/suno/submit/music", json={})).status for _ in range(3)] == [200, 200, 401]
        message = (await ask("POST", "/suno/fetch", json={})).json["error"]["message"]
    assert message.startswith(f"[{key[:6]}***{key[-3:]}] 该令牌额度已用尽")
    assert "RemainQuota = -40000" in message


async def test_a_key_for_models_submits_and_may_not_look(dial, gateway):
    """A limited key submits what it is for, nothing else, and never looks; its models are listed."""
    async with dial(gateway, gateway.add_key(models=["suno_music"])) as ask:
        task_id = (await ask("POST", "/suno/submit/music", json={})).data
        assert (await ask("POST", "/suno/submit/lyrics", json={"prompt": "x"})).status == 403
        assert (await ask("GET", f"/suno/fetch/{task_id}")).status == 403
        assert (await ask("POST", "/suno/fetch", json={"ids": [task_id]})).status == 403
        assert [model["id"] for model in (await ask("GET", "/v1/models")).data] == ["suno_music"]


async def test_a_spent_key_may_still_read_what_it_spent(dial, gateway):
    """Its log is open to a key with nothing left, with a channel behind it, with a small bearer; not to a stranger."""
    key = gateway.add_key(quota=50_000)
    async with dial(gateway, key) as ask:
        await ask("POST", "/suno/submit/music", json={})
        for form, status in (("Bearer {}", 200), ("bearer {}-7", 200), ("{}", 200), ("Bearer x", 401), ("", 401)):
            reply = await ask("GET", "/api/log/token", headers={"Authorization": form.format(key)})
            assert reply.status == status, form


STRANGERS = [
    ("", "1", 401, "not logged in and no access token", "未登录且未提供 access token"),
    ("{key}", "1", 200, "invalid access token", "access token 无效"),
    ("{token}", "", 401, "header not provided", "未提供 New-Api-User"),
    ("{token}", "x", 401, "header format error", "New-Api-User 格式错误"),
    ("{token}", "2", 401, "does not match logged in user", "New-Api-User 与登录用户不匹配"),
    ("{second}", "1", 401, "does not match logged in user", "New-Api-User 与登录用户不匹配"),
]


@pytest.mark.parametrize(("form", "user", "status", "new", "words"), STRANGERS)
async def test_whoever_shows_no_token_or_another_number_is_refused(gateway, old, dial, form, user, status, new, words):
    """Each era in its own words; only an unknown token is refused with 200. A key is no access token."""
    for here, said in ((gateway, new), (old, words)):
        token = form.format(key=here.api_key, token=here.access_token, second=here.add_access_token(account=2))
        async with dial(here) as ask:
            reply = await ask("GET", "/api/task/self", headers={"Authorization": token, "New-Api-User": user})
        assert (reply.status, reply.json["success"]) == (status, False)
        assert said in reply.json["message"]


@pytest.mark.parametrize("form", ["{}", "Bearer {}"])
async def test_an_account_is_known_by_its_token(gateway, dial, form):
    """With or without Bearer; each account sees its own tasks. A token is 32 characters and follows from the seed."""
    second = gateway.add_access_token(account=2)
    mine, theirs = gateway.put(), gateway.put(account=2)
    async with dial(gateway) as ask:
        for token, user, task_id in ((gateway.access_token, "1", mine), (second, "+2", theirs)):
            headers = {"Authorization": form.format(token), "New-Api-User": user}
            items = (await ask("GET", "/api/task/self", headers=headers)).data["items"]
            assert [row["task_id"] for row in items] == [task_id]
    assert len(gateway.access_token) == 32
    assert gateway.access_token == Gateway().access_token != second


async def test_no_key_is_refused_in_each_eras_words(gateway, old, dial):
    """401 without a header: 2025 says that there is none, 2026 does not."""
    for here, said in ((gateway, "Invalid token"), (old, "未提供令牌")):
        async with dial(here) as ask:
            reply = await ask("POST", "/suno/fetch", json={}, headers={"Authorization": ""})
        assert (reply.status, reply.json["error"]["message"].partition(" (")[0]) == (401, said)
