"""Keys, quota, models."""

import re

import pytest


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
