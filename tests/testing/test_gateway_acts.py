"""What can be made of a clip, and asked about it."""

import io
import struct
import wave

import aiohttp
import pytest

from suno_async.testing import Gateway
from suno_async.testing.gateway import audio
from suno_async.testing.gateway.acts import MAKING, notes

LONGEST = 1.5  # times what an act takes
PENDING = {
    "wav": (200, {"status": "processing"}),
    "mp4": (200, {"status": "processing"}),
    "midi": (200, {"state": "running"}),
    "timing": (400, {"code": "task_not_exist", "message": "task_not_exist", "data": None}),
    "stems": (200, {"status": "processing"}),
}
WORDS = "[Verse]\nWinter is here\n\n[Chorus]\nla la la"


@pytest.fixture
def act(private, ask_private, later):
    """Ask for something of a clip, and again when it must be there."""

    async def ask(name, clip_id):
        first = await ask_private("GET", f"/suno/act/{name}/{clip_id}")
        assert (first.status, first.json) == PENDING[name]
        later(private, LONGEST * MAKING[name])
        reply = await ask_private("GET", f"/suno/act/{name}/{clip_id}")
        assert reply.status == 200, reply.body
        return reply.json

    return ask


@pytest.mark.parametrize("name", PENDING)
async def test_it_takes_a_while_after_the_first_question(private, ask_private, clips_of, later, name):
    """Pending at first, and for at least half of what it takes on average; then there, for good."""
    path = f"/suno/act/{name}/{(await clips_of(prompt='la'))[0]['id']}"
    for passed in (0, 0.49 * MAKING[name]):
        later(private, passed)
        reply = await ask_private("GET", path)
        assert (reply.status, reply.json) == PENDING[name]
    later(private, LONGEST * MAKING[name])
    there = (await ask_private("GET", path)).json
    assert there == (await ask_private("GET", path)).json != PENDING[name][1]


@pytest.mark.parametrize("name", PENDING)
async def test_a_song_that_is_being_made_has_to_be_waited_for(private, ask_private, later, name):
    """What is asked of a streaming clip is pending, however long, until the song is complete and some time more."""
    task_id = private.seed_tasks(1)[0]
    path = f"/suno/act/{name}/{(await ask_private('GET', f'/suno/fetch/{task_id}')).data['data'][0]['id']}"
    for step in (lambda: None, lambda: later(private, 3600), lambda: private.finish(task_id)):
        step()
        reply = await ask_private("GET", path)
        assert (reply.status, reply.json) == PENDING[name]
    later(private, LONGEST * MAKING[name])
    assert (await ask_private("GET", path)).json != PENDING[name][1]


@pytest.mark.parametrize("name", PENDING)
async def test_unknown_clips_are_refused(private, dial, ask_private, clips_of, name):
    """Clip not found: no such id, or another account's."""
    clip_id = (await clips_of(prompt="la"))[0]["id"]
    async with dial(private, private.add_key(account=2)) as other:
        for ask, name_of in ((ask_private, "nobody"), (other, clip_id)):
            reply = await ask("GET", f"/suno/act/{name}/{name_of}")
            assert (reply.status, reply.json["message"]) == (400, "clip not found")


async def test_a_wav_is_served(act, clips_of):
    """Its URL leads to the WAV file of the clip, without a key."""
    clip_id = (await clips_of(prompt="la"))[0]["id"]
    url = (await act("wav", clip_id))["wav_file_url"]
    async with aiohttp.ClientSession() as session, session.get(url) as reply:
        assert (reply.status, reply.headers["Content-Type"]) == (200, "audio/wav")
        content = await reply.read()
    assert content == audio.melody(clip_id)
    with wave.open(io.BytesIO(content)) as found:
        assert found.getnframes() > 30_000


async def test_a_film_is_served(act, clips_of):
    """Its URL leads to an MP4 file."""
    url = (await act("mp4", (await clips_of(prompt="la"))[0]["id"]))["mp4"]
    async with aiohttp.ClientSession() as session, session.get(url) as reply:
        assert (reply.status, reply.headers["Content-Type"]) == (200, "video/mp4")
        assert struct.unpack(">I4s4s", (await reply.read())[:12]) == (24, b"ftyp", b"isom")


async def test_a_midi_has_the_notes_of_the_file(act, clips_of):
    """Pitch by pitch, one after the other, as long as the file."""
    clip_id = (await clips_of(prompt="la"))[0]["id"]
    found = await act("midi", clip_id)
    assert (found["state"], [one["name"] for one in found["instruments"]]) == ("complete", ["Lead"])
    heard = found["instruments"][0]["notes"]
    root, steps = audio.tune(clip_id)
    frequencies = [440 * 2 ** ((note["pitch"] - 69) / 12) for note in heard]
    assert frequencies == pytest.approx([root * 2 ** (step / 12) for step in steps], rel=0.001)
    assert [note["end"] for note in heard[:-1]] == [note["start"] for note in heard[1:]]
    assert (heard[0]["start"], heard[-1]["end"]) == (0, pytest.approx(3, abs=0.01))
    assert heard == notes(clip_id)


async def test_the_timing_has_the_words_that_were_sent(act, clips_of):
    """All words of the prompt, within the clip."""
    clip = (await clips_of(prompt=WORDS))[0]
    found = await act("timing", clip["id"])
    assert "".join(line["word"] for line in found["aligned_words"]) == WORDS
    assert found["aligned_words"][0]["word"] == "[Verse]\nWinter "
    assert 0 < found["aligned_words"][-1]["end_s"] < clip["duration"]


async def test_stems_are_clips_of_their_own(private, act, ask_private, clips_of):
    """Voice and rest, named after the song and free of charge; the feed knows them, and they can be taken on."""
    key = private.add_key(quota=1)
    clip = (await clips_of(prompt="la", title="T"))[0]
    shown = (await act("stems", clip["id"]))["clips"]
    assert [one["title"] for one in shown] == ["T - Vocals", "T - Instrumental"]
    assert {one["duration"] for one in shown} == {clip["duration"]}
    ids = ",".join(one["id"] for one in shown)
    reply = await ask_private("GET", f"/suno/feed/{ids}", headers={"Authorization": f"Bearer {key}"})
    assert reply.json == shown
    assert len(await clips_of(task="cover", cover_clip_id=shown[0]["id"])) == 2


async def test_a_wav_may_come_as_a_task(private, ask_private, clips_of):
    """To act_as_task it is a task's id, always the same, which tells the URL at its end. It costs nothing."""
    clip_id = (await clips_of(prompt="la"))[0]["id"]
    private.faults["act_as_task"] = 1.0
    first, second = [await ask_private("GET", f"/suno/act/wav/{clip_id}") for _ in range(2)]
    assert first.json == second.json == {"code": "success", "message": "", "data": first.data}
    row = (await ask_private("GET", f"/suno/fetch/{first.data}")).data
    assert (row["status"], row["action"], row["quota"], row["data"]) == ("NOT_START", "WAV", 0, None)
    private.finish(first.data)
    found = (await ask_private("GET", f"/suno/fetch/{first.data}")).data["data"]
    assert found == {"wav_file_url": f"{private.url}/audio/{clip_id}.wav"}
    charges = (await ask_private("GET", "/api/log/token")).data
    assert [charge["model_name"] for charge in charges] == ["suno_music"]


async def test_tags_say_more(ask_private):
    """What was sent and more of it, the same for the same words; nothing is refused."""
    first, second = [
        (await ask_private("POST", "/suno/act/tags", json={"original_tags": "pop"})).json for _ in range(2)
    ]
    assert first["upsampled_tags"] == second["upsampled_tags"]
    assert first["upsampled_tags"].startswith("pop, ")
    assert first["request_id"] != second["request_id"]
    for body in ({}, {"original_tags": ""}):
        reply = await ask_private("POST", "/suno/act/tags", json=body)
        assert (reply.status, reply.json["message"]) == (400, "original_tags is empty")


@pytest.mark.parametrize("path", ["/suno/persona/create/", "/suno/persona/create"])
async def test_a_persona_is_made_of_a_clip(ask_private, clips_of, path):
    """It tells the clip it comes from and those that show it, with or without the slash."""
    root, other = await clips_of(prompt="la")
    body = {"root_clip_id": root["id"], "name": "N", "description": "D", "clips": [other["id"]], "is_public": True}
    found = (await ask_private("POST", path, json=body)).json
    assert found.pop("id")
    del body["clips"]
    assert found == {**body, "clip": root, "persona_clips": [{"clip": other, "id": 1}]}


async def test_a_persona_needs_all_fields(ask_private, clips_of):
    """Every one of them, and clips that exist."""
    clip_id = (await clips_of(prompt="la"))[0]["id"]
    body = {"root_clip_id": clip_id, "name": "N", "description": "", "clips": [], "is_public": False}
    for name in body:
        reply = await ask_private("POST", "/suno/persona/create/", json={**body, name: None})
        assert (reply.status, reply.json["message"]) == (400, f"{name} is empty")
    for wrong in ({"root_clip_id": "x"}, {"clips": ["x"]}, {"clips": [7]}):
        reply = await ask_private("POST", "/suno/persona/create/", json={**body, **wrong})
        assert (reply.status, reply.json["message"]) == (400, "clip not found")


async def test_the_feed_is_a_bare_list(private, ask_private, clips_of):
    """Clips that are known, in the order asked, those of a running task streaming; none known is refused."""
    done = await clips_of(prompt="la")
    running = (await ask_private("GET", f"/suno/fetch/{private.seed_tasks(1)[0]}")).data["data"]
    ids = [done[1]["id"], "nobody", running[0]["id"], done[0]["id"]]
    found = (await ask_private("GET", f"/suno/feed/{','.join(ids)}")).json
    assert found == [done[1], running[0], done[0]]
    assert [clip["status"] for clip in found] == ["complete", "streaming", "complete"]
    reply = await ask_private("GET", "/suno/feed/nobody,none")
    assert (reply.status, reply.json["message"]) == (400, "clip not found")


async def test_personas_and_tags_follow_from_the_seed(dial):
    """Two gateways of one seed make the same ones; another seed makes others."""
    made = []
    for seed in (1, 1, 2):
        async with Gateway(profile="private", seed=seed, beat=float("inf")) as gateway, dial(gateway) as ask:
            clip = (await ask("GET", f"/suno/fetch/{gateway.put('task_x')}")).data["data"][0]
            body = {"root_clip_id": clip["id"], "name": "N", "description": "", "clips": [], "is_public": False}
            persona = (await ask("POST", "/suno/persona/create/", json=body)).json["id"]
            tags = (await ask("POST", "/suno/act/tags", json={"original_tags": "pop"})).json
            made.append((persona, tags))
    assert made[0] == made[1] != made[2]
    assert made[0][0] != made[2][0]
