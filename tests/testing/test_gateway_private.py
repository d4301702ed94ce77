"""The routes of a private build, and that stock has none of them."""

import re

import aiohttp
import pytest

from suno_async.protocol.routes import ROUTES, Family
from suno_async.testing import Gateway
from suno_async.testing.gateway.answers import PAGE
from suno_async.testing.gateway.private import pattern

CLIP = "12345678-1234-1234-1234-123456789abc"
PARTS = {"action": "concat", "task_id": "x", "clip_id": CLIP, "clip_ids": f"{CLIP},{CLIP}", "upload_id": CLIP}


def asked(route):
    """What a request for a route looks like."""
    path = route.path.format_map(PARTS)
    return (route.method, path), {} if route.method == "GET" else {"json": {}}


@pytest.mark.parametrize("name", ROUTES)
async def test_every_route_is_answered_by_a_private_build(ask_private, name):
    """With JSON of its own, be it a refusal: neither the page nor an invalid URL."""
    where, options = asked(ROUTES[name])
    reply = await ask_private(*where, **options)
    assert reply.headers["Content-Type"].startswith("application/json"), reply.body[:80]
    assert b"Invalid URL" not in reply.body


@pytest.mark.parametrize("name", ROUTES)
async def test_a_stock_gateway_answers_as_stock_does(ask, name):
    """Its own routes in JSON; of the others the page, 503 for an action it has no channel for, 404 under /v1."""
    route = ROUTES[name]
    where, options = asked(route)
    reply = await ask(*where, **options)
    if route.path.startswith("/suno/submit/") and where[1] not in {"/suno/submit/music", "/suno/submit/lyrics"}:
        assert (reply.status, reply.json["error"]["code"]) == (503, "model_not_found")
    elif route.family is Family.STOCK or route.path.startswith("/suno/submit/"):
        assert reply.headers["Content-Type"].startswith("application/json")
    elif route.path.startswith("/v1/"):
        assert (reply.status, reply.json["error"]["type"]) == (404, "invalid_request_error")
    else:
        assert (reply.status, reply.body) == (200, PAGE)


@pytest.mark.parametrize("profile", ["stock", "private"])
@pytest.mark.parametrize("era", ["2026", "2025"])
async def test_stock_routes_answer_alike(dial, profile, era):
    """A plain song is accepted and shown in both, in the columns of the era; only the hook is a private one."""
    async with Gateway(profile=profile, era=era, beat=float("inf"), failure_rate=0) as gateway, dial(gateway) as ask:
        task_id = (await ask("POST", "/suno/submit/music", json={"prompt": "la"})).data
        gateway.finish(task_id)
        row = (await ask("GET", f"/suno/fetch/{task_id}")).data
        assert [clip["status"] for clip in row["data"]] == ["complete"] * 2
        assert ("notify_hook" in row, "clip_id" in row["data"][0]) == ((profile == "private"),) * 2
        listed = [model["id"] for model in (await ask("GET", "/v1/models")).data]
    more = ["suno_concat", "suno-v3", "suno-v3.5"] if profile == "private" else []
    assert listed == ["suno_music", "suno_lyrics", *more]


async def test_other_actions_have_no_channel(ask_private):
    """A private build knows concat beside stock's, and that is all."""
    reply = await ask_private("POST", "/suno/submit/remaster", json={})
    assert (reply.status, reply.json["error"]["code"]) == (503, "model_not_found")


async def test_other_paths_are_the_page(ask_private):
    """Also other methods on the paths of its routes."""
    for method, path in (("GET", "/suno/act/tags"), ("POST", f"/suno/act/wav/{CLIP}"), ("GET", "/suno/act/vox/x")):
        reply = await ask_private(method, path)
        assert (reply.status, reply.body) == (200, PAGE)


async def test_keys_are_asked_for(private, ask_private, dial):
    """401 without one; one that is limited to models may not look, as elsewhere."""
    reply = await ask_private("GET", f"/suno/act/wav/{CLIP}", headers={"Authorization": "Bearer x"})
    assert reply.status == 401
    async with dial(private, private.add_key(models=["suno_music"])) as ask:
        assert (await ask("GET", f"/suno/act/wav/{CLIP}")).status == 403


async def test_faults_strike_what_is_private(private, ask_private):
    """Before any work and after it."""
    for path in (f"/suno/act/wav/{CLIP}", "/v1/chat/completions"):
        private.faults.once("overloaded")
        reply = await ask_private("GET" if "act" in path else "POST", path)
        assert reply.json["error"]["code"] == "system_cpu_overloaded"
    private.faults.once("truncated")
    with pytest.raises(aiohttp.ClientPayloadError):
        await ask_private("GET", f"/suno/feed/{CLIP}")


async def test_requests_are_remembered(private, ask_private):
    """What comes to the storage as well."""
    await ask_private("POST", "/suno/act/tags", json={})
    await ask_private("GET", "/storage/x")
    assert [(one.method, one.path) for one in private.requests] == [("POST", "/suno/act/tags"), ("GET", "/storage/x")]


async def test_films_need_no_key(private):
    """For every clip there is one, in full or in part; what is no clip's, or no film, is 404."""
    async with aiohttp.ClientSession(private.url) as session:
        for path, status in ((f"/video/{CLIP}.mp4", 206), (f"/video/{CLIP}.mov", 404), ("/video/x.mp4", 404)):
            async with session.get(path, headers={"Range": "bytes=4-7"}) as reply:
                assert reply.status == status
                assert status == 404 or await reply.read() == b"ftyp"
        for verb, path in ((session.post, f"/video/{CLIP}.mp4"), (session.get, "/video"), (session.get, "/storage")):
            async with verb(path) as reply:
                assert reply.status == 404


async def test_stock_has_no_storage(ask):
    """There the storage and the films are unknown paths."""
    for path in ("/storage/x", f"/video/{CLIP}.mp4"):
        assert (await ask("GET", path)).body == PAGE


def test_a_template_is_a_pattern():
    """Each part is one segment of the path; a dot is a dot, and a slash at the end is neither here nor there."""
    path = pattern("/a.b/{one}/{two}/c/")
    assert path.fullmatch("/a.b/x/y,z/c").groupdict() == {"one": "x", "two": "y,z"}
    assert path.fullmatch("/a.b/x/y/c/")
    assert not any(path.fullmatch(other) for other in ("/a.b/x//c", "/axb/x/y/c", "/a.b/x/y/z/c", "/a.b/x/y/c//"))
    assert re.fullmatch(pattern("/x"), "/x")
