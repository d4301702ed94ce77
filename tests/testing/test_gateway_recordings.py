"""The gateway against what was observed on the real software."""

import json
import math
import re
from pathlib import Path

import pytest

from suno_async.testing import Gateway

RECORDINGS = Path(__file__).parent.parent / "recordings"
LIVE = sorted(path.stem for path in RECORDINGS.glob("live-*.json"))
SONG = {"prompt": "[Verse]", "tags": "pop", "title": "City Lights", "mv": "chirp-v4"}


async def submit(ask, action="music", body=SONG):
    return (await ask("POST", f"/suno/submit/{action}", json=body)).data


async def look(ask, task_id):
    return await ask("GET", f"/suno/fetch/{task_id}")


async def bad_key(gateway, dial):
    async with dial(gateway, "sk-wrong") as ask:
        return await look(ask, "x")


async def no_key(gateway, dial):
    async with dial(gateway) as ask:
        return await ask("GET", "/suno/fetch/x", headers={"Authorization": ""})


async def limited(gateway, dial):
    async with dial(gateway, gateway.add_key(models=["suno_music"])) as ask:
        return await look(ask, await submit(ask))


async def quota(gateway, dial):
    async with dial(gateway, gateway.add_key(quota=60_000)) as ask:
        reply = await ask("POST", "/suno/submit/music", json=SONG)
        while reply.status == 200:
            reply = await ask("POST", "/suno/submit/music", json=SONG)
        return reply


async def spent(gateway, dial):
    async with dial(gateway, gateway.add_key(quota=50_000)) as ask:
        return await look(ask, await submit(ask))


async def spent_other_key(gateway, dial):
    async with dial(gateway, gateway.add_key(quota=50_000)) as ask:
        task_id = await submit(ask)
    async with dial(gateway) as other:
        return await look(other, task_id)


async def not_started(gateway, dial):
    async with dial(gateway) as ask:
        return await look(ask, await submit(ask))


async def submitted(gateway, dial):
    async with dial(gateway) as ask:
        return await ask("POST", "/suno/submit/music", json=SONG)


async def words(gateway, dial):
    async with dial(gateway) as ask:
        task_id = await submit(ask, "lyrics", {"prompt": "la"})
        gateway.finish(task_id)
        return await look(ask, task_id)


async def song(gateway, dial):
    async with dial(gateway) as ask:
        task_id = await submit(ask)
        gateway.finish(task_id)
        return await look(ask, task_id)


async def bad(gateway, dial):
    async with dial(gateway) as ask:
        task_id = await submit(ask, body={"prompt": "FAILME"})
        gateway.fail(task_id, "Song Description contained artist name: http x")
        return await look(ask, task_id)


async def streaming(gateway, dial):
    async with dial(gateway) as ask:
        task_id = await submit(ask)
        row = gateway._desk.table.get(task_id)
        row.starts, row.ends = gateway.now(), math.inf
        await gateway.round()
        return await look(ask, task_id)


async def batch(gateway, dial):
    async with dial(gateway) as ask:
        ids = [await submit(ask), await submit(ask, body={"prompt": "FAILME"})]
        ids.append(await submit(ask, "lyrics", {"prompt": "la"}))
        gateway.finish(ids[0])
        gateway.fail(ids[1])
        gateway.finish(ids[2])
        return await ask("POST", "/suno/fetch", json={"ids": [*ids[::-1], "unknown", ids[0]]})


def asking(method, path, **options):
    async def situation(gateway, dial):
        async with dial(gateway) as ask:
            return await ask(method, path, **options)

    return situation


def struck(fault):
    async def situation(gateway, dial):
        gateway.faults.once(fault)
        return await submitted(gateway, dial)

    return situation


SITUATIONS = {
    "bad-key": bad_key,
    "no-key": no_key,
    "key-limited-to-models": limited,
    "key-quota": quota,
    "key-spent": spent,
    "key-spent-other-key": spent_other_key,
    "not-started": not_started,
    "submit": submitted,
    "lyrics": words,
    "song": song,
    "bad": bad,
    "streaming": streaming,
    "batch": batch,
    "batch-malformed": asking("POST", "/suno/fetch", data=b"{bad"),
    "batch-none-known": asking("POST", "/suno/fetch", json={"ids": ["a", "b"]}),
    "batch-poison-id": asking("POST", "/suno/fetch", json={"ids": ["a", {}]}),
    "batch-too-many": asking("POST", "/suno/fetch", json={"ids": [str(n) for n in range(40_003)]}),
    "no-channel": asking("POST", "/suno/submit/concat", json={}),
    "unknown-id": asking("GET", "/suno/fetch/unknown"),
    "unknown-path": asking("GET", "/suno/feed/x"),
    "v1-path": asking("GET", "/v1/suno/fetch/task_plRc9a1ba7bkptuxcaQYGfK4TEPbvSnl"),
    "wrong-type": asking("POST", "/suno/submit/music", json={"continue_at": "120"}),
    "submit-up502": struck("upstream_502"),
    "submit-upcode": struck("upstream_refuses"),
    "submit-uphtml": struck("upstream_html"),
}


def shape(value):
    """Keys and types of a JSON value, all the way down."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__


def spoken(body):
    """The words of an error, without what differs between two requests."""
    error = body.get("error") or {"message": body["message"], "code": body["code"]}
    message = re.sub(r"request id: \w+", "request id", error["message"])
    return {**error, "message": re.sub(r"sk-\w{3}\*{3}\w{3}", "masked key", message)}


@pytest.mark.parametrize("name", LIVE)
async def test_answers_as_the_real_software_was_seen_to_answer(name, dial):
    """Status, content type, X- headers, and the JSON's keys, their order and types are those of the recording."""
    recording = json.loads((RECORDINGS / f"{name}.json").read_text())
    _, era, situation = name.split("-", 2)
    async with Gateway(era=era, beat=math.inf, failure_rate=0) as gateway:
        reply = await SITUATIONS[situation](gateway, dial)
    assert reply.status == recording["status"]
    assert reply.headers["Content-Type"] == recording["content_type"]
    assert {header for header in reply.headers if header.startswith("X-")} == set(recording["headers"])
    if isinstance(recording["body"], str):
        assert reply.body.startswith(recording["body"][:40].encode())
        return
    assert shape(reply.json) == shape(recording["body"])
    assert json.dumps(shape(reply.json)) == json.dumps(shape(recording["body"]))
    if recording["status"] != 200:
        assert spoken(reply.json) == spoken(recording["body"])


def test_every_situation_is_recorded():
    """No situation stands here without a recording, and none is recorded without standing here."""
    assert {name.split("-", 2)[2] for name in LIVE} == set(SITUATIONS)
