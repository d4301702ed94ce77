"""What private builds make of other songs, and what they refuse to."""

import pytest


@pytest.fixture
def refusal(ask_private):
    """Submit what must be refused as 400 invalid_request, and return the words."""

    async def ask(action="music", **body):
        reply = await ask_private("POST", f"/suno/submit/{action}", json=body)
        assert (reply.status, reply.json["code"], reply.data) == (400, "invalid_request", None)
        return reply.json["message"]

    return ask


async def test_fields_are_kept_and_the_hook_is_told(private, ask_private, clips_of):
    """All of a submission shows in its clips, lyrics included in their task; a hook shows in the row."""
    clip = (await clips_of(prompt="la", task="", negative_tags="drums", anything={"at": ["all", 1]}))[0]
    assert (clip["metadata"]["negative_tags"], clip["metadata"]["anything"]) == ("drums", {"at": ["all", 1]})
    for action in ("music", "lyrics"):
        body = {"prompt": "la", "notify_hook": "http://h"}
        task_id = (await ask_private("POST", f"/suno/submit/{action}", json=body)).data
        assert (await ask_private("GET", f"/suno/fetch/{task_id}")).data["notify_hook"] == "http://h"


async def test_a_plain_task_may_be_named(clips_of):
    """Some clients send generate."""
    assert len(await clips_of(prompt="la", task="generate")) == 2


@pytest.mark.parametrize("task", ["extend", None])
async def test_a_continuation_keeps_what_lies_before_it(clips_of, task):
    """Two clips: the seconds that are kept, and a new part. Title, style and words are the song's if not told anew."""
    source = (await clips_of(prompt="la", title="T", tags="pop"))[0]
    clips = await clips_of(task=task, continue_clip_id=source["id"], continue_at=30.5)
    assert all(clip["duration"] >= 90.5 for clip in clips)
    assert [(clip["title"], clip["tags"], clip["prompt"]) for clip in clips] == [("T", "pop", "la")] * 2
    assert {clip["metadata"]["audio_prompt_id"] for clip in clips} == {source["id"]}
    assert {clip["metadata"]["type"] for clip in clips} == {"extend"}
    told = (await clips_of(continue_clip_id=source["id"], continue_at=1, title="U", tags="jazz", prompt="lo"))[0]
    assert (told["title"], told["tags"], told["prompt"]) == ("U", "jazz", "lo")


async def test_a_continuation_begins_at_the_end_unless_told(clips_of):
    """No continue_at, or null: all of the song is kept."""
    source = (await clips_of(prompt="la"))[0]
    clip = (await clips_of(continue_clip_id=source["id"], continue_at=None))[0]
    assert clip["duration"] >= source["duration"] + 60


async def test_a_whole_song_is_one_clip_and_the_sum(clips_of):
    """A concat of a continuation is as long as that and what it continues, and can be continued again."""
    source = (await clips_of(prompt="la", title="T"))[0]
    part = (await clips_of(task="extend", continue_clip_id=source["id"], continue_at=30))[1]
    whole = await clips_of("concat", clip_id=part["id"])
    assert [clip["title"] for clip in whole] == ["T"]
    assert whole[0]["duration"] == pytest.approx(source["duration"] + part["duration"])
    assert len(await clips_of(continue_clip_id=whole[0]["id"])) == 2


async def test_a_section_is_put_back(clips_of, refusal):
    """An infill makes the section alone; concat with is_infill makes the song of it, as long as before."""
    source = (await clips_of(prompt="la"))[0]
    body = {"task": "infill", "continue_clip_id": source["id"], "infill_start_s": 10, "infill_end_s": 25.5}
    part = (await clips_of(**body))[0]
    assert part["duration"] == 15.5
    whole = (await clips_of("concat", clip_id=part["id"], is_infill=True))[0]
    assert whole["duration"] == source["duration"] > part["duration"]
    assert "is_infill" in await refusal("concat", clip_id=part["id"])


async def test_a_cover_is_as_long_as_the_song(clips_of):
    """Two clips in another style."""
    source = (await clips_of(prompt="la", tags="pop"))[0]
    clips = await clips_of(task="cover", cover_clip_id=source["id"], tags="bossa nova")
    assert [(clip["duration"], clip["tags"]) for clip in clips] == [(source["duration"], "bossa nova")] * 2


@pytest.mark.parametrize(
    ("how", "count", "cost"),
    [({"stem_task": "two"}, 2, 1), ({"stem_type_group_name": "Twelve", "stem_type_id": 91}, 12, 5), ({}, 2, 1)],
)
async def test_stems_are_two_or_twelve(private, dial, clips_of, how, count, cost):
    """Each named after what it is, each as long as the song; twelve cost five times as much."""
    source = (await clips_of(prompt="la", title="T"))[0]
    clips = await clips_of(task="gen_stem", continue_clip_id=source["id"], make_instrumental=True, **how)
    assert len({clip["id"] for clip in clips}) == len({clip["title"] for clip in clips}) == count
    assert clips[0]["title"] == "T - Vocals"
    assert {clip["duration"] for clip in clips} == {source["duration"]}
    key = private.add_key(quota=50_000 * cost + 1)
    body = {"task": "gen_stem", "continue_clip_id": source["id"], **how}
    async with dial(private, key) as ask:
        assert (await ask("POST", "/suno/submit/music", json=body)).status == 200
        assert (await ask("POST", "/suno/submit/lyrics", json={"prompt": "x"})).status == 403  # one unit is left


async def test_a_persona_sings(ask_private, clips_of, refusal):
    """The persona must exist, and so must the clip it is asked with."""
    source = (await clips_of(prompt="la"))[0]
    persona = {"root_clip_id": source["id"], "name": "N", "description": "", "clips": [], "is_public": False}
    persona_id = (await ask_private("POST", "/suno/persona/create/", json=persona)).json["id"]
    for more in ({}, {"artist_clip_id": source["id"]}):
        body = {"task": "artist_consistency", "persona_id": persona_id, "prompt": "lo", **more}
        assert [clip["metadata"]["persona_id"] for clip in await clips_of(**body)] == [persona_id] * 2
    assert await refusal(task="artist_consistency", persona_id="x") == "record not found"
    assert await refusal(task="artist_consistency") == "record not found"
    body = {"task": "artist_consistency", "persona_id": persona_id, "artist_clip_id": "x"}
    assert await refusal(**body) == "clip not found"


@pytest.mark.parametrize(
    "body",
    [
        {"task": "extend", "continue_clip_id": "x", "continue_at": 1},
        {"task": "upload_extend", "continue_clip_id": "x"},
        {"task": "cover", "cover_clip_id": "x"},
        {"task": "infill", "continue_clip_id": "x", "infill_start_s": 0, "infill_end_s": 1},
        {"task": "gen_stem", "continue_clip_id": "x"},
        {"clip_id": "x"},
    ],
)
async def test_clips_must_exist(refusal, body):
    """Unknown ids are clip not found; none at all is an empty field."""
    action = "concat" if "clip_id" in body else "music"
    assert await refusal(action, **body) == "clip not found"
    empty = {name: value for name, value in body.items() if not name.endswith("clip_id")}
    assert (await refusal(action, **empty)).endswith("clip_id is empty")


async def test_places_lie_within_the_clip(clips_of, refusal):
    """Neither before its start nor behind its end, and in order."""
    clip = (await clips_of(prompt="la"))[0]
    name, end = clip["id"], clip["duration"]
    for at in (-1, end + 0.1):
        assert "continue_at" in await refusal(task="extend", continue_clip_id=name, continue_at=at)
    for first, last in ((-1, 5), (5, 5), (6, 5), (0, end + 1), (None, 5), (5, None)):
        body = {"task": "infill", "continue_clip_id": name, "infill_start_s": first, "infill_end_s": last}
        assert "infill_start_s" in await refusal(**body)


async def test_other_tasks_are_refused(private, ask_private, clips_of, refusal):
    """So are other stems, an upload_extend of no upload, and a concat of what continues nothing, planted or not."""
    clip = (await clips_of(prompt="la"))[0]
    assert await refusal(task="polka") == "task polka is not supported"
    assert "stem_task six" in await refusal(task="gen_stem", continue_clip_id=clip["id"], stem_task="six")
    assert "no uploaded" in await refusal(task="upload_extend", continue_clip_id=clip["id"])
    planted = (await ask_private("GET", f"/suno/fetch/{private.put()}")).data["data"][0]
    for one in (clip, planted):
        assert await refusal("concat", clip_id=one["id"]) == "clip_id is no continuation"
    assert private.counts["accepted"] == 1


async def test_types_are_checked(refusal):
    """The fields of private builds have types as stock's have."""
    assert "metadata of type map[string]" in await refusal(prompt="la", metadata="f")
    assert "stem_type_id of type int" in await refusal(task="gen_stem", stem_type_id="91")


async def test_uploads_are_continued_covered_and_separated(private, ask_private, clips_of, refusal):
    """A clip that was uploaded is as good as any, and may be the source of an upload_extend."""
    reply = await ask_private("POST", "/suno/uploads/audio-url", json={"url": "http://h/tune.mp3"})
    private.finish(reply.data)
    clip = (await ask_private("GET", f"/suno/fetch/{reply.data}")).data["data"][0]
    for task in ("extend", "upload_extend"):
        part = (await clips_of(task=task, continue_clip_id=clip["id"], continue_at=5, prompt="la"))[0]
        assert (part["metadata"]["type"], part["title"]) == (task, "tune")
        assert len(await clips_of("concat", clip_id=part["id"])) == 1
    assert len(await clips_of(task="cover", cover_clip_id=clip["id"])) == 2
    assert len(await clips_of(task="gen_stem", continue_clip_id=clip["id"], stem_task="twelve")) == 12


async def test_2025_asks_for_no_task_where_the_clip_is_known(dial):
    """A private build looks for the clip, so that it need not be told whose it is."""
    from suno_async.testing import Gateway

    async with (
        Gateway(profile="private", era="2025", beat=float("inf"), failure_rate=0) as gateway,
        dial(gateway) as ask,
    ):
        clip = (await ask("GET", f"/suno/fetch/{gateway.put()}")).data["data"][0]
        reply = await ask("POST", "/suno/submit/music", json={"continue_clip_id": clip["id"], "continue_at": 3})
        assert reply.status == 200
