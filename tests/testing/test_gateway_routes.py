"""HTTP in, HTTP out."""

import re

import aiohttp
import pytest

from suno_async.testing import Gateway
from suno_async.testing.gateway.routes import PROXY_ERRORS


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/suno/feed/x"),
        ("GET", "/suno/fetch/"),
        ("GET", "/suno/fetch/a/b"),
        ("DELETE", "/suno/fetch/x"),
        ("PUT", "/suno/submit/music"),
        ("POST", "/suno/submit/"),
        ("POST", "/suno/act/tags"),
    ],
)
async def test_unknown_paths_are_a_page(ask, method, path):
    """Whatever is no route is the page, with 200 and any method."""
    reply = await ask(method, path)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert reply.body.startswith(b"<!doctype html")
    assert reply.headers["X-New-Api-Version"]


async def test_a_head_is_a_page_without_its_body(ask):
    """HEAD on a look is no look."""
    reply = await ask("HEAD", "/suno/fetch/x")
    assert (reply.status, reply.headers["Content-Type"], reply.body) == (200, "text/html; charset=utf-8", b"")


@pytest.mark.parametrize("path", ["/v1/suno/fetch/x", "/api/none", "/assets/none"])
async def test_unknown_paths_of_the_api_are_json(ask, path):
    """Under /v1, /api and /assets an unknown path is 404 in JSON."""
    reply = await ask("GET", path)
    assert (reply.status, reply.json["error"]["type"]) == (404, "invalid_request_error")


async def test_a_trailing_slash_is_redirected(ask):
    """POST /suno/fetch/ is 307 to /suno/fetch."""
    reply = await ask("POST", "/suno/fetch/", json={})
    assert (reply.status, reply.headers["Location"]) == (307, "/suno/fetch")


async def test_a_preflight_is_204(ask):
    """A CORS preflight is answered without a body."""
    reply = await ask("OPTIONS", "/suno/fetch", headers={"Access-Control-Request-Method": "POST"})
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (204, "*")


async def test_models_need_a_key(ask, ask_old):
    """GET /v1/models lists what the key may use, on both eras; without a key it is 401."""
    for call in (ask, ask_old):
        assert [model["id"] for model in (await call("GET", "/v1/models")).data] == ["suno_music", "suno_lyrics"]
        assert (await call("GET", "/v1/models", headers={"Authorization": "Bearer x"})).status == 401


async def test_request_ids_differ_and_tell_the_time(ask, ask_old):
    """Every answer has an id of its own; 2026's tell the node too."""
    new = {(await ask("GET", "/")).headers["X-Oneapi-Request-Id"] for _ in range(3)}
    assert len(new) == 3
    assert all(re.fullmatch(r"20\d{12}\d{1,9}8268d9d6\w{8}", text) for text in new)
    assert re.fullmatch(r"20\d{12}\d{1,9}\w{8}", (await ask_old("GET", "/")).headers["X-Oneapi-Request-Id"])


async def test_requests_are_remembered(ask, gateway):
    """Method, path and ids of each request can be read afterwards, refused ones included."""
    await ask("GET", "/suno/fetch/x")
    await ask("POST", "/suno/fetch", json={"ids": ["a", 1]})
    await ask("POST", "/suno/fetch", data=b"{")
    await ask("POST", "/suno/submit/music", json={})
    gateway.faults.once("rate_limited")
    await ask("POST", "/suno/fetch", json={"ids": ["a", 1]})
    assert list(gateway.requests) == [
        ("GET", "/suno/fetch/x", ("x",)),
        ("POST", "/suno/fetch", ("a", 1)),
        ("POST", "/suno/fetch", ()),
        ("POST", "/suno/submit/music", ()),
        ("POST", "/suno/fetch", ()),
    ]


JSON = "application/json; charset=utf-8"
BROKEN = {
    "rate_limited": (429, "application/octet-stream", b""),
    "retry_after": (429, JSON, b'{"code":"fail_to_fetch_task"'),
    "overloaded": (503, JSON, b'{"error":{"message":"system cpu'),
    "html_page": (200, "text/html; charset=utf-8", b"<!DOCTYPE html"),
    "empty_answer": (200, "application/octet-stream", b""),
}


@pytest.mark.parametrize("fault", BROKEN)
async def test_faults_before_any_work(ask, gateway, fault):
    """The answer is the fault's; nothing was accepted. Only retry_after tells when to come again."""
    status, kind, start = BROKEN[fault]
    gateway.faults[fault] = 1.0
    reply = await ask("POST", "/suno/submit/music", json={})
    assert (reply.status, reply.headers.get("Content-Type", kind)) == (status, kind)
    assert reply.body[: len(start) or None] == start
    assert reply.headers.get("Retry-After") == ("1" if fault == "retry_after" else None)
    assert (gateway.counts["accepted"], gateway.counts[fault]) == (0, 1)


async def test_proxies_fail_in_several_ways(ask, gateway):
    """server_error is one of several statuses, always HTML."""
    gateway.faults["server_error"] = 1.0
    replies = [await ask("GET", "/suno/fetch/x") for _ in range(40)]
    assert {reply.status for reply in replies} == set(PROXY_ERRORS)
    assert {reply.headers["Content-Type"] for reply in replies} == {"text/html"}


async def test_a_lost_answer_was_accepted(ask, gateway):
    """answer_lost: the submission is accepted, its answer is reset."""
    gateway.faults.once("answer_lost")
    with pytest.raises(aiohttp.ClientError):
        await ask("POST", "/suno/submit/music", json={})
    assert gateway.counts["accepted"] == 1


async def test_an_answer_withheld_was_accepted(ask, gateway):
    """answer_withheld: the submission is accepted, and no answer comes as long as anybody waits."""
    gateway.faults.once("answer_withheld")
    with pytest.raises(TimeoutError):
        await ask("POST", "/suno/submit/music", json={}, timeout=aiohttp.ClientTimeout(total=0.2))
    assert gateway.counts["accepted"] == 1


@pytest.mark.parametrize("fault", ["drip", "truncated"])
async def test_an_answer_in_pieces_was_accepted(dial, fault):
    """drip: it comes whole in the end; truncated: it breaks off. Accepted both."""
    async with Gateway(speed=200) as gateway, dial(gateway) as ask:
        gateway.faults.once(fault)
        if fault == "drip":
            assert (await ask("POST", "/suno/submit/music", json={})).data
        else:
            with pytest.raises(aiohttp.ClientPayloadError):
                await ask("POST", "/suno/submit/music", json={})
        assert gateway.counts["accepted"] == 1


async def test_faults_strike_what_is_asked_about_the_account(ask, gateway):
    """Before any work and after it, as on the songs' own routes."""
    gateway.faults.once("overloaded")
    assert (await ask("GET", "/api/log/token")).json["error"]["code"] == "system_cpu_overloaded"
    gateway.faults.once("truncated")
    with pytest.raises(aiohttp.ClientPayloadError):
        await ask("GET", "/dashboard/billing/usage")
    assert (await ask("GET", "/dashboard/billing/usage")).status == 200


async def test_a_gateway_without_a_batch_route(ask, gateway):
    """no_batch_route is the page, batch_not_found is 404; single looks go on."""
    task_id = gateway.put()
    gateway.faults["no_batch_route"] = 1.0
    reply = await ask("POST", "/suno/fetch", json={"ids": [task_id]})
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    gateway.faults.clear()
    gateway.faults["batch_not_found"] = 1.0
    assert (await ask("POST", "/suno/fetch", json={"ids": [task_id]})).status == 404
    assert (await ask("GET", f"/suno/fetch/{task_id}")).status == 200
    assert gateway.counts["batches"] == 0


async def test_faults_spare_what_is_not_suno(ask, gateway):
    """Faults of the API do not touch the models and the files."""
    gateway.faults.update(rate_limited=1.0, truncated=1.0)
    assert (await ask("GET", "/v1/models")).status == 200


CLIP = "12345678-1234-1234-1234-123456789abc"


async def test_files_need_no_key_and_count_as_audio(gateway):
    """A song, its stream and its cover; what is no clip's is 404. Only songs are counted."""
    async with aiohttp.ClientSession(gateway.url) as session:
        for path, status in (
            (f"/audio/{CLIP}.wav", 200),
            (f"/audiopipe/?item_id={CLIP}", 200),
            (f"/image/{CLIP}.svg", 200),
            ("/audio/none.wav", 404),
        ):
            async with session.get(path) as reply:
                assert reply.status == status
    assert gateway.counts["audio"] == 2


async def test_faults_of_files_strike_files(ask, gateway):
    """audio_missing is 404, audio_truncated breaks off."""
    gateway.faults.once("audio_missing")
    assert (await ask("GET", f"/audio/{CLIP}.wav")).status == 404
    gateway.faults.once("audio_truncated")
    with pytest.raises(aiohttp.ClientPayloadError):
        await ask("GET", f"/audio/{CLIP}.wav")


@pytest.mark.parametrize(("fault", "error"), [("connection_reset", aiohttp.ClientError), ("hang", TimeoutError)])
async def test_no_answer_before_any_work(ask, gateway, fault, error):
    """The connection is reset, or nothing comes for as long as anybody waits; nothing was accepted."""
    gateway.faults.once(fault)
    with pytest.raises(error):
        await ask("POST", "/suno/submit/music", json={}, timeout=aiohttp.ClientTimeout(total=0.2))
    assert gateway.counts["accepted"] == 0


async def test_an_answer_waits_for_a_slow_upstream(dial):
    """slow_upstream: the headers, too, come after its twenty seconds."""
    async with Gateway(speed=200) as gateway, dial(gateway) as ask:
        gateway.faults.once("slow_upstream")
        began = gateway.now()
        assert (await ask("POST", "/suno/submit/music", json={})).status == 200
        assert gateway.now() >= began + 20


async def test_a_private_build_adds_its_own(dial):
    """An act, a stream, the storage and the films are answered; no fault of the songs touches the last two."""
    async with Gateway(profile="private", speed=2000, failure_rate=0) as fast, dial(fast) as ask:
        fast.faults["truncated"] = 1.0
        body = {"model": "suno-v3", "messages": [{"role": "user", "content": "a cat"}], "stream": True}
        assert (await ask("POST", "/v1/chat/completions", json=body)).headers["Content-Type"] == "text/event-stream"
        film = await ask("GET", f"/video/{CLIP}.mp4")
        assert (film.status, film.headers["Content-Type"]) == (200, "video/mp4")
        assert (await ask("GET", "/storage/none.mp3")).status == 404
        fast.faults.clear()
        fast.faults.once("overloaded")
        assert (await ask("POST", "/v1/chat/completions", json=body)).status == 503
        reply = await ask("POST", "/suno/act/tags", json={"original_tags": "pop"})
        assert reply.json["upsampled_tags"].startswith("pop")
        assert reply.headers["X-Oneapi-Request-Id"]
        assert (await ask("GET", "/suno/act/tags")).body.startswith(b"<!doctype html")
