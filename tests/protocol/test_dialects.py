"""Every shape of task that gateways have been seen to answer with."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.dialects import STATUSES, has_made, layers, read_songs, read_tasks, status_of
from suno_async.protocol.models import Song, Status, Task

QUICK = settings(max_examples=120, deadline=None, derandomize=True)
URL = "https://cdn1.suno.ai/c1.mp3"
CLIP = {
    "id": "c1",
    "title": "Cat",
    "audio_url": URL,
    "status": "complete",
    "metadata": {"tags": "pop", "duration": 120.5},
}
S = Status

WORDS = [
    *((status.value, status) for status in Status),
    ("success", S.SUCCESS),
    ("complete", S.SUCCESS),
    ("completed", S.SUCCESS),
    ("succeeded", S.SUCCESS),
    ("done", S.SUCCESS),
    ("finished", S.SUCCESS),
    ("30", S.SUCCESS),
    ("Success ", S.SUCCESS),
    ("FAIL", S.FAILURE),
    ("failed", S.FAILURE),
    ("error", S.FAILURE),
    ("cancelled", S.FAILURE),
    ("canceled", S.FAILURE),
    ("rejected", S.FAILURE),
    ("expired", S.FAILURE),
    ("timeout", S.FAILURE),
    ("40", S.FAILURE),
    ("CREATE_TASK_FAILED", S.FAILURE),
    ("GENERATE_AUDIO_FAILED", S.FAILURE),
    ("CALLBACK_EXCEPTION", S.FAILURE),
    ("SENSITIVE_WORD_ERROR", S.FAILURE),
    ("PENDING", S.QUEUED),
    ("queueing", S.QUEUED),
    ("waiting", S.QUEUED),
    ("processing", S.IN_PROGRESS),
    ("running", S.IN_PROGRESS),
    ("streaming", S.IN_PROGRESS),
    ("20", S.IN_PROGRESS),
    ("TEXT_SUCCESS", S.IN_PROGRESS),
    ("FIRST_SUCCESS", S.IN_PROGRESS),
    ("submitted", S.SUBMITTED),
    ("", S.UNKNOWN),
    ("WAT", S.UNKNOWN),
    ("almost_success", S.UNKNOWN),
    ("no_failure_yet", S.UNKNOWN),
    ("成功", S.UNKNOWN),
]


@pytest.mark.parametrize(("word", "status"), WORDS, ids=[row[0] or "nothing" for row in WORDS])
def test_what_a_status_word_means(word, status):
    """Each word a gateway was seen to use has one meaning in any case; words nobody has explained are not final."""
    assert status_of(word) is status
    assert status_of(word.lower()) is status
    assert status_of(word.upper()) is status


def test_every_explained_word_is_covered():
    """The table of words holds no word that is written in capitals, which could never be found."""
    assert all(word == word.lower().strip() for word in STATUSES)


def task(document) -> Task:
    (found,) = read_tasks(document)
    return found


def seen(document):
    """What is most often asked of a task."""
    found = task(document)
    return found.task_id, found.status, [song.id for song in found.songs]


def env(data, **more):
    return {"code": "success", "message": "", "data": data, **more}


def row(**fields):
    return {"task_id": "t1", **fields}


K4U = {
    "clipId": "c1",
    "title": "Cat",
    "cld2AudioUrl": URL,
    "cld2ImageUrl": "i",
    "cld2VideoUrl": "v",
    "progress": 100,
    "status": 30,
}
SHAPES = {
    "E1 stock": (env(row(status="SUCCESS", progress="100%", data=[CLIP])), ("t1", S.SUCCESS, ["c1"])),
    "E4 streaming": (
        env(row(status="IN_PROGRESS", progress="0%", data=[CLIP | {"status": "streaming"}])),
        ("t1", S.IN_PROGRESS, ["c1"]),
    ),
    "E5 just submitted": (env(row(id=17, status="NOT_START", progress="0%", data=None)), ("t1", S.NOT_START, [])),
    "E6 failure": (env(row(status="FAILURE", fail_reason="x", data=None)), ("t1", S.FAILURE, [])),
    "E7 apiai": (
        env(row(status="SUCCESS", data=[CLIP | {"clip_id": "c1", "task_id": "t1_1", "state": "succeeded"}])),
        ("t1", S.SUCCESS, ["c1"]),
    ),
    "E9 302": (
        {
            "code": 200,
            "progress": "100%",
            "status": "SUCCESS",
            "data": row(status="SUCCESS", data=[{"clip_id": "c1", "audio_url": URL, "status": "SUCCESS"}]),
        },
        ("t1", S.SUCCESS, ["c1"]),
    ),
    "E9 302 running": ({"code": 200, "data": row(status="IN_PROGRESS", data=[])}, ("t1", S.IN_PROGRESS, [])),
    "E9 302 failed": ({"code": 200, "data": row(status="CREATE_TASK_FAILED", data=[])}, ("t1", S.FAILURE, [])),
    "status at the top only": ({"code": 200, "status": "SUCCESS", "data": row(data=[CLIP])}, ("t1", S.SUCCESS, ["c1"])),
    "row without an id, status in it": (env({"status": "FAILURE", "data": [CLIP]}), ("", S.FAILURE, ["c1"])),
    "E10 crazyrouter": ({"code": 1, "data": row(status="processing", data=[])}, ("t1", S.IN_PROGRESS, [])),
    "E10 crazyrouter done": ({"code": 1, "data": row(status="complete", data=[CLIP])}, ("t1", S.SUCCESS, ["c1"])),
    "E12 clips as map": (
        {"code": 200, "data": row(status="completed", input='{"custom_mode":false}', clips={"c1": CLIP})},
        ("t1", S.SUCCESS, ["c1"]),
    ),
    "E15 in a list": (env([row(action="music", status="SUCCESS", data=CLIP)]), ("t1", S.SUCCESS, ["c1"])),
    "E16 Suno-API alone": (env([CLIP | {"status": "streaming"}, CLIP]), ("", S.IN_PROGRESS, ["c1", "c1"])),
    "E16 alone, done": (env([CLIP, CLIP]), ("", S.SUCCESS, ["c1", "c1"])),
    "alone, one in error": (env([CLIP, CLIP | {"status": "error"}]), ("", S.FAILURE, ["c1", "c1"])),
    "alone, error and running": (
        env([CLIP | {"status": "streaming"}, CLIP | {"status": "error"}]),
        ("", S.IN_PROGRESS, ["c1", "c1"]),
    ),
    "alone, no status, all there": (env({"audio_url": URL, "clip_id": "c1"}, progress="100%"), ("", S.SUCCESS, ["c1"])),
    "alone, no status, half": (env({"audio_url": URL, "clip_id": "c1"}, progress="50%"), ("", S.IN_PROGRESS, ["c1"])),
    "alone, no word at all": (env({"audio_url": URL, "clip_id": "c1"}), ("", S.UNKNOWN, ["c1"])),
    "E19 v1": (
        {"id": "g1", "clips": [CLIP | {"status": "submitted", "audio_url": ""}], "status": "complete"},
        ("", S.IN_PROGRESS, ["c1"]),
    ),
    "words alone": (env({"text": "la"}), ("", S.UNKNOWN, [])),
    "lyrics alone": (env({"lyrics": "la"}), ("", S.UNKNOWN, [])),
    "audio alone": (env({"audio": URL}), ("", S.UNKNOWN, [])),
    "more beside a song": (
        env(row(status="SUCCESS", data={"audio_url": URL, "clip_id": "c1", "result": {"x": 1}})),
        ("t1", S.SUCCESS, ["c1"]),
    ),
    "E16 alone, with task ids of their own": (
        env([CLIP | {"task_id": "t1_1"}, {"clip_id": "c2", "task_id": "t1_2", "status": "streaming"}]),
        ("", S.IN_PROGRESS, ["c1", "c2"]),
    ),
    "words at the top": (env(row(status="SUCCESS", text="la", data=[CLIP])), ("t1", S.SUCCESS, ["c1"])),
    "something like a clip at the top": (
        env(row(status="SUCCESS", param={"id": "x", "status": "complete"})),
        ("t1", S.SUCCESS, []),
    ),
    "E21 upload": ({"id": "u1", "status": "complete", "s3_id": "m"}, ("", S.SUCCESS, [])),
    "bare list": ([CLIP, CLIP], ("", S.SUCCESS, ["c1", "c1"])),
    "bare row": (row(status="SUCCESS", data=[CLIP]), ("t1", S.SUCCESS, ["c1"])),
    "list of clips in items": ({"items": [CLIP]}, ("", S.SUCCESS, ["c1"])),
    "yunwu nested, done": (
        env(row(status="SUCCESS", data={"code": 200, "data": {"taskBatchId": "9", "items": [K4U]}})),
        ("t1", S.SUCCESS, ["c1"]),
    ),
    "K4U 30": (env({"taskBatchId": "9", "items": [K4U]}), ("9", S.SUCCESS, ["c1"])),
    "K4U 20": (env({"taskBatchId": "9", "items": [K4U | {"status": 20}]}), ("9", S.IN_PROGRESS, ["c1"])),
    "K4U 40": (env({"taskBatchId": "9", "items": [K4U | {"status": 40}]}), ("9", S.FAILURE, ["c1"])),
    "K4U nested": (
        {"code": 200, "data": {"code": 200, "data": {"taskBatchId": 1268154180129529857, "items": [K4U]}}},
        ("1268154180129529857", S.SUCCESS, ["c1"]),
    ),
    "sunoapi.org": (
        {
            "code": 200,
            "msg": "success",
            "data": {
                "taskId": "t1",
                "param": "{}",
                "response": {"taskId": "t1", "sunoData": [{"id": "c1", "audioUrl": URL, "modelName": "v4"}]},
                "status": "SUCCESS",
            },
        },
        ("t1", S.SUCCESS, ["c1"]),
    ),
    "sunoapi.org in a string": (
        env(row(status="SUCCESS", response=json.dumps({"sunoData": [{"id": "c1", "audioUrl": URL}]}))),
        ("t1", S.SUCCESS, ["c1"]),
    ),
    "payload as a string": (env(row(status="SUCCESS", data=json.dumps([CLIP]))), ("t1", S.SUCCESS, ["c1"])),
    "whole task as a string": (env(json.dumps(row(status="SUCCESS", data=[CLIP]))), ("t1", S.SUCCESS, ["c1"])),
    "broken string": (env(row(status="SUCCESS", data="[{broken")), ("t1", S.SUCCESS, [])),
    "placeholder beside clips": (env(row(status="SUCCESS", data="47443cc1", clips=[CLIP])), ("t1", S.SUCCESS, ["c1"])),
    "ttapi": (
        {"status": "SUCCESS", "jobId": "t1", "data": {"jobId": "t1", "musics": [{"musicId": "c1", "audioUrl": URL}]}},
        ("t1", S.SUCCESS, ["c1"]),
    ),
    "id and status around it": (
        env(row(status="FAILURE", data=[CLIP]), id="r1", status="ok"),
        ("t1", S.FAILURE, ["c1"]),
    ),
    "camelCase row": (env({"taskId": "t1", "status": "SUCCESS", "data": [CLIP]}), ("t1", S.SUCCESS, ["c1"])),
    "concat": (
        env(row(status="SUCCESS", data={"audio_url": URL, "clip_id": "c1", "title": "Cat"})),
        ("t1", S.SUCCESS, ["c1"]),
    ),
    "state instead of status": (env(row(state="succeeded", data=[CLIP])), ("t1", S.SUCCESS, ["c1"])),
    "failed state instead of status": (env(row(state="failed", data=[CLIP])), ("t1", S.FAILURE, ["c1"])),
    "task_status": (env(row(task_status="FAILED", data=[CLIP])), ("t1", S.FAILURE, ["c1"])),
    "outer word wins": (env(row(status="PENDING", data=[CLIP])), ("t1", S.QUEUED, ["c1"])),
    "unknown word is not final": (env(row(status="cooking", data=[CLIP])), ("t1", S.UNKNOWN, ["c1"])),
    "noise among the clips": (
        env(row(status="SUCCESS", data=[CLIP, None, 5, "x", {"a": 1}, {"id": "n"}, {"status": "complete"}])),
        ("t1", S.SUCCESS, ["c1"]),
    ),
    "data is a number": (env(row(status="SUCCESS", data=7)), ("t1", S.SUCCESS, [])),
    "too deep": (
        env(row(status="SUCCESS", data={"data": {"data": {"data": {"data": [CLIP]}}}})),
        ("t1", S.SUCCESS, []),
    ),
}


@pytest.mark.parametrize(("document", "found"), SHAPES.values(), ids=SHAPES)
def test_every_shape_is_the_same_task(document, found):
    """The same id, status and songs come out of every shape that could answer a look."""
    assert seen(document) == found


@pytest.mark.parametrize("shape", [name for name in SHAPES if "alone" in name])
def test_a_status_that_nobody_said_has_no_word(shape):
    """Where the status is read from the clips, the task has no word of its own for it."""
    assert task(SHAPES[shape][0]).status_text == ""


def test_a_song_with_its_words_is_no_lyrics():
    """The words of a song belong to the song."""
    found = task(row(status="SUCCESS", data=[CLIP | {"lyrics": "la"}]))
    assert (len(found.songs), found.lyrics) == (1, None)


NOTHING = [
    None,
    5,
    "x",
    "{}",
    [],
    {},
    [1, "x", None],
    {"code": "success"},
    env(None),
    env([]),
    env(""),
    env("47443cc1"),
    env({}),
    env([{}]),
    env({"response": {"x": 1}}),
    {"data": {"data": {"data": {"data": {"data": [CLIP]}}}}},
    {"foo": 1},
]


@pytest.mark.parametrize("document", NOTHING, ids=[ascii(document)[:40] for document in NOTHING])
def test_what_tells_about_no_task_gives_none(document):
    """An answer that holds no task holds none: nothing is made up."""
    assert read_tasks(document) == []


def test_a_payload_alone_is_kept_as_data():
    """A task made of a payload alone has it as its data."""
    assert task([CLIP, CLIP]).raw == task({"data": [CLIP, CLIP]}).raw == {"data": [CLIP, CLIP]}
    assert task({"clips": [CLIP]}).raw == {"data": {"clips": [CLIP]}}


def test_many_tasks_are_read_in_their_order():
    """A batch gives every task, and no clip becomes one."""
    tasks = read_tasks(env([row(status="SUCCESS", data=[CLIP]), "noise", {"task_id": "t2", "status": "NOT_START"}]))
    assert [(found.task_id, found.status) for found in tasks] == [("t1", S.SUCCESS), ("t2", S.NOT_START)]


def test_every_field_of_a_song():
    """All fields of a clip are found, under metadata or beside it."""
    clip = {
        "id": "c1",
        "title": "Cat",
        "audio_url": URL,
        "video_url": "v",
        "image_url": "i",
        "image_large_url": "l",
        "model_name": "chirp-v4",
        "status": "complete",
        "state": "succeeded",
        "created_at": "2025-08-07T03:38:38.253Z",
        "metadata": {"tags": "pop", "prompt": "la", "duration": "8.12", "errorMessage": "none"},
    }
    (song,) = task(row(status="SUCCESS", data=[clip])).songs
    assert (song.id, song.title, song.audio_url, song.video_url) == ("c1", "Cat", URL, "v")
    assert (song.image_url, song.image_large_url, song.model, song.status) == ("i", "l", "chirp-v4", "complete")
    assert (song.tags, song.prompt, song.duration, song.error_message) == ("pop", "la", 8.12, "none")
    assert song.created_at == datetime(2025, 8, 7, 3, 38, 38, 253_000, tzinfo=UTC)


SONGS = {
    "camelCase": (
        {"id": "c", "audioUrl": URL, "imageUrl": "i", "modelName": "v4", "createTime": 1716192124000},
        {"audio_url": URL, "image_url": "i", "model": "v4", "created_at": datetime(2024, 5, 20, 8, 2, 4, tzinfo=UTC)},
    ),
    "K4U": (K4U, {"id": "c1", "audio_url": URL, "image_url": "i", "video_url": "v", "status": "30"}),
    "streaming address": ({"id": "c", "audioUrl": "", "streamAudioUrl": "s"}, {"audio_url": "s"}),
    "the file before the stream": ({"id": "c", "stream_audio_url": "s", "source_audio_url": "f"}, {"audio_url": "f"}),
    "song_url": ({"song_url": "s"}, {"audio_url": "s", "id": ""}),
    "url": ({"music_id": "c", "url": "u"}, {"audio_url": "u", "id": "c"}),
    "None.mp3": (CLIP | {"audio_url": "https://cdn1.suno.ai/None.mp3"}, {"audio_url": ""}),
    "None": (CLIP | {"audio_url": "None"}, {"audio_url": ""}),
    "null": (CLIP | {"audio_url": "null"}, {"audio_url": ""}),
    "None before an address": (CLIP | {"audio_url": "None", "stream_audio_url": "s"}, {"audio_url": "s"}),
    "no address yet": ({"id": "c", "title": "x", "status": "complete"}, {"id": "c", "audio_url": ""}),
    "no address, streaming": ({"id": "c", "status": "streaming"}, {"status": "streaming"}),
    "duration beside": (CLIP | {"metadata": None, "duration": 219}, {"duration": 219, "tags": ""}),
    "duration 0 and beside": (CLIP | {"metadata": {"duration": 0}, "duration": "198"}, {"duration": 198}),
    "duration 0": (CLIP | {"metadata": {"duration": 0}, "duration": 0}, {"duration": None}),
    "tags beside": (CLIP | {"metadata": {}, "tags": "folk"}, {"tags": "folk"}),
    "tags as a list": (CLIP | {"metadata": {"tags": ["pop", "rock"]}}, {"tags": "pop, rock"}),
    "state alone": ({"clip_id": "c", "state": "running"}, {"status": "running"}),
    "error type": (CLIP | {"metadata": {"error_type": "moderation"}}, {"error_message": "moderation"}),
    "prompt beside": (CLIP | {"metadata": {}, "prompt": "la", "lyric": "no"}, {"prompt": "la"}),
    "lyric": ({"id": "c", "audio_url": URL, "lyric": "la"}, {"prompt": "la"}),
    "mv": (
        {"id": "c", "audio_url": URL, "mv": "chirp-v4", "create_time": 0},
        {"model": "chirp-v4", "created_at": None},
    ),
    "model": ({"id": "c", "audio_url": URL, "model": "v5"}, {"model": "v5"}),
    "id by metadata": ({"id": "c", "metadata": {}}, {"id": "c", "audio_url": ""}),
    "number as id": ({"id": 7, "audio_url": URL}, {"id": "7"}),
    "number as address": ({"id": "c", "audio_url": 5, "stream_audio_url": "s"}, {"audio_url": "s"}),
    "list as address": ({"id": "c", "audio_url": ["s"]}, {"audio_url": "s"}),
    "wrong types": (
        {"id": None, "audio_url": {"a": 1}, "title": True, "metadata": "x", "duration": "long"},
        {"id": "", "audio_url": "", "title": "", "duration": None},
    ),
}


@pytest.mark.parametrize(("clip", "fields"), SONGS.values(), ids=SONGS)
def test_every_form_of_a_song(clip, fields):
    """Each spelling and type of a clip's field is read as the same field."""
    (song,) = task(row(status="SUCCESS", data=[clip])).songs
    assert {name: getattr(song, name) for name in fields} == fields


def test_a_clip_without_an_address_is_still_a_song():
    """A song that is not there yet is counted among the others, also where clips are in a map or in items."""
    bare = {"id": "c2", "status": "streaming"}
    for data in ([bare, CLIP], {"items": [bare, CLIP]}, {"clips": {"c2": bare, "c1": CLIP}}):
        assert [song.id for song in task(row(status="SUCCESS", data=data)).songs] == ["c2", "c1"]


MADE = {
    "persona": ({"data": {"persona_id": "p"}}, True),
    "persona alone": ({"data": "47443cc1"}, True),
    "wav": ({"data": {"wav_file_url": "u"}}, True),
    "wav nested": ({"data": {"code": 200, "data": {"wavFileUrl": "u"}}}, True),
    "video": ({"data": {"id": "v", "status": "complete", "video_url": "u"}}, True),
    "videos": ({"data": [{"id": "v", "status": "complete", "video_url": "u"}]}, True),
    "upload": ({"data": {"id": "u", "status": "complete", "s3_id": "m"}}, True),
    "beside an empty envelope": ({"data": {"data": None, "wav_url": "u"}}, True),
    "number": ({"data": 7}, True),
    "numbers": ({"data": [0, 1]}, True),
    "in a string": ({"data": '{"persona_id":"p"}'}, True),
    "result": ({"result": "https://x/y.wav"}, True),
    "persona of another action": ({"action": "persona", "data": {"persona_id": "p"}}, True),
    "titled video": ({"data": {"title": "Cat", "video_url": "u"}}, True),
    "song without a song": ({"action": "Music", "data": {"persona_id": "p"}}, False),
    "lyrics without words": ({"action": "LYRICS", "data": {"persona_id": "p"}}, False),
    "title without words": ({"data": {"id": "l", "title": "Cat", "tags": "pop"}}, False),
    "nothing": ({}, False),
    "null": ({"data": None}, False),
    "null as text": ({"data": " null"}, False),
    "list as text": ({"data": "[]"}, False),
    "object as text": ({"data": "{}"}, False),
    "broken text": ({"data": "[{broken"}, False),
    "broken object": ({"data": "{broken"}, False),
    "list of null": ({"data": [None]}, False),
    "list in a list": ({"data": [[CLIP]]}, False),
    "empty items": ({"data": {"code": 200, "data": {"taskBatchId": "t", "items": [], "total": 2}}}, False),
    "empty clips": ({"data": {"clips": []}}, False),
    "empty map": ({"data": {"clips": {}}}, False),
    "envelope alone": ({"data": {"code": 200, "msg": "success", "task_id": "t"}}, False),
    "no words": ({"data": {"id": "l", "text": "", "status": "complete"}}, False),
    "no lyrics": ({"data": {"id": "l", "lyrics": None}}, False),
    "under way": ({"data": {"id": "v", "status": "processing"}}, False),
    "state under way": ({"data": {"id": "v", "state": "processing", "s3_id": "m"}}, False),
    "clip in an odd place": ({"data": {"data": "", "output": {"output": CLIP}}}, False),
    "deep": ({"data": {"data": {"data": {"data": {"wav_url": "u"}}}}}, True),
    "too deep": ({"data": {"data": {"data": {"data": {"data": {"wav_url": "u"}}}}}}, False),
    "lists deep": ({"data": [[[[7]]]]}, True),
    "lists too deep": ({"data": [[[[[7]]]]]}, False),
    "behind a thousand of nothing": ({"data": [None] * 1000 + [7]}, False),
}


@pytest.mark.parametrize(("fields", "made"), MADE.values(), ids=MADE)
def test_what_has_been_made(fields, made):
    """A persona, a wav or a video is something; empty envelopes, unread text and unread clips are nothing."""
    assert has_made(row(status="SUCCESS", **fields)) is made


BARE = {"id": "c2", "status": "streaming"}
MAPS = {
    "two": ({"c1": CLIP, "c2": BARE}, ["c1", "c2"]),
    "bare alone": ({"c2": BARE}, ["c2"]),
    "something else beside": ({"c1": CLIP, "c2": BARE, "x": {"a": 1}, "n": 5}, ["c1", "c2"]),
    "something else beside a bare one": ({"c2": BARE, "x": {"a": 1}}, []),
    "words beside": ({"c1": CLIP, "text": "la"}, []),
    "nothing else": ({"x": {"a": 1}}, []),
    "a clip, no map": ({"id": "c3", "audio_url": URL, "metadata": {"c1": CLIP}}, ["c3"]),
}


@pytest.mark.parametrize(("clips", "ids"), MAPS.values(), ids=MAPS)
def test_clips_in_a_map_are_songs(clips, ids):
    """A map from clip id to clip gives its clips, whatever else is in it; where nothing is sure to be one, none."""
    assert [song.id for song in task(row(status="SUCCESS", clips=clips)).songs] == ids


@pytest.mark.parametrize("name", ["video_url", "wav_url", "wav_file_url", "url"])
def test_a_file_is_no_song(name):
    """What has an id, a status and an address of a file is something, but no song."""
    fields = row(status="SUCCESS", data=[{"id": "v", "status": "complete", name: "https://x/y"}])
    assert task(fields).songs == ()
    assert has_made(fields)


def test_no_answer_is_read_without_end():
    """Of one task 1,000 clips are read and of one answer 1,000 tasks, or as many as is said, whatever else is in it."""
    assert len(task(row(status="SUCCESS", data=[CLIP] * 1100)).songs) == 1000
    assert len(task(row(status="SUCCESS", data={str(key): CLIP for key in range(1100)})).songs) == 1000
    assert len(read_tasks([row(status="SUCCESS")] * 1100)) == 1000
    assert len(read_tasks([row(status="SUCCESS")] * 1100, 1050)) == 1050
    assert read_tasks([1] * 20_000 + [row(status="SUCCESS")]) == []


BUSY = {"status": "error", "message": "upstream busy"}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"data": None}, S.UNKNOWN),
        ({"progress": "30%"}, S.IN_PROGRESS),
        ({"data": [CLIP | {"status": "streaming"}]}, S.IN_PROGRESS),
        ({"finish_time": 0}, S.UNKNOWN),
        ({"progress": "100%"}, S.FAILURE),
        ({"finish_time": 1716192124}, S.FAILURE),
        ({"finished_at": "2024-05-20T08:02:04Z"}, S.FAILURE),
        ({"status": "FAILURE"}, S.FAILURE),
    ],
    ids=ascii,
)
def test_an_error_of_the_envelope_is_no_failure_of_the_task(fields, status):
    """The envelope's failing word ends a task only where its row is at its end."""
    assert task({**BUSY, "data": row(**fields)}).status is status


LYRICS = {
    "object": (
        {"id": "l", "text": "la", "title": "Cat", "status": "complete", "tags": ["a", "b"]},
        ("l", "la", "Cat", "a, b", "complete"),
    ),
    "in a list": ([{"text": "la"}], ("", "la", "", "", "")),
    "more beside them": ({"text": "la", "result": {"x": 1}}, ("", "la", "", "", "")),
    "lyrics field": ({"lyrics": "la", "title": "Cat"}, ("", "la", "Cat", "", "")),
}


@pytest.mark.parametrize(("payload", "fields"), LYRICS.values(), ids=LYRICS)
def test_every_form_of_lyrics(payload, fields):
    """Words come as an object or in a list, and are no song."""
    found = task(row(status="SUCCESS", action="lyrics", data=payload))
    words = found.lyrics
    assert (words.id, words.text, words.title, words.tags, words.status) == fields
    assert found.songs == ()
    assert found.action == "LYRICS"


@pytest.mark.parametrize("payload", [{"text": ""}, {"text": None}, {"foo": 1}, [], [5], "x", None], ids=ascii)
def test_no_words_are_no_lyrics(payload):
    """Lyrics without text are none."""
    assert task(row(status="SUCCESS", data=payload)).lyrics is None


def test_lyrics_alone():
    """Suno-API's single look at lyrics gives the words alone; their status is the task's."""
    found = task(env({"id": "l", "text": "la", "title": "Cat", "status": "complete"}))
    assert (found.task_id, found.status, found.lyrics.text) == ("", S.SUCCESS, "la")


FIELDS = {
    "snake": row(
        action="music",
        status="FAILURE",
        progress="45%",
        fail_reason="no",
        submit_time=1,
        start_time=2,
        finish_time=3,
        quota=5,
    ),
    "camel": {
        "taskId": "t1",
        "action": "MUSIC",
        "status": "failed",
        "progress": 45,
        "failReason": "no",
        "submitTime": 1,
        "startTime": "2",
        "finishTime": 3.0,
        "quota": "5",
    },
    "other names": {
        "job_id": "t1",
        "type": "music",
        "status": "error",
        "progress": "45",
        "failMsg": "no",
        "createdAt": 1,
        "startedAt": 2,
        "finishedAt": 3,
        "quota": 5.0,
    },
    "error_message": row(
        action="MUSIC",
        status="FAILURE",
        progress=45.7,
        error_message="no",
        created_at="1970-01-01T00:00:01Z",
        started_at=2,
        finished_at=3,
        quota=5,
    ),
}


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_every_field_of_a_task(fields):
    """All fields of a task are found under each of their names and in each of their types."""
    found = task(env(fields))
    assert (found.task_id, found.action, found.status, found.progress) == ("t1", "MUSIC", S.FAILURE, 45)
    assert (found.fail_reason, found.quota, found.status_text) == ("no", 5, fields["status"])
    assert [moment.timestamp() for moment in (found.submit_time, found.start_time, found.finish_time)] == [1, 2, 3]
    assert found.raw == fields


def test_times_in_milliseconds():
    """Milliseconds, as documents show them, are the same moment as seconds."""
    found = task(row(status="SUCCESS", submitTime=1716192124405, start_time=0, finishTime=None))
    assert found.submit_time == datetime(2024, 5, 20, 8, 2, 4, 405_000, tzinfo=UTC)
    assert (found.start_time, found.finish_time) == (None, None)


def test_a_failed_task_keeps_its_songs_and_finds_its_reason():
    """A FAILURE without a reason takes that of its clips, and its playable song stays."""
    bad = CLIP | {"id": "c2", "status": "error", "metadata": {"error_message": "moderated"}}
    found = task(env(row(status="FAILURE", fail_reason="", data=[CLIP, bad])))
    assert found.fail_reason == "moderated"
    assert [song.playable for song in found.songs] == [True, False]


def test_a_reason_is_not_invented_for_what_has_not_failed():
    """A clip's error is not the reason of a task that goes on."""
    bad = CLIP | {"status": "error", "metadata": {"error_message": "moderated"}}
    assert task(env(row(status="IN_PROGRESS", data=[bad]))).fail_reason == ""


NAMES = [
    "task_id",
    "taskBatchId",
    "status",
    "state",
    "data",
    "clips",
    "items",
    "response",
    "id",
    "clip_id",
    "audio_url",
    "audioUrl",
    "text",
    "lyrics",
    "metadata",
    "progress",
    "fail_reason",
    "submit_time",
    "code",
    "tags",
    "duration",
]
ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["t1", "SUCCESS", "error", "", "100%", "[]", '{"task_id":"t","data":[]}', "[{"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=16,
)


@QUICK
@given(ANY)
def test_any_json_gives_tasks_or_none(document):
    """No JSON document makes the reader fail, and every task it finds can be looked at."""
    for found in read_tasks(document):
        assert isinstance(found.task_id, str)
        assert isinstance(found.status, Status)
        assert found.progress is None or 0 <= found.progress <= 100
        assert all(isinstance(song.audio_url, str) for song in found.songs)
        assert repr(found)
        assert isinstance(found.raw, dict)


# what is no task


@pytest.mark.parametrize(
    ("document", "opened"),
    [
        ({"code": "success", "data": {"url": "x"}}, [{"code": "success", "data": {"url": "x"}}, {"url": "x"}]),
        ({"data": [{"a": 1}, {"b": 2}]}, [{"data": [{"a": 1}, {"b": 2}]}, [{"a": 1}, {"b": 2}], {"a": 1}]),
        ({"data": "id-1"}, [{"data": "id-1"}, "id-1"]),
        ({"data": '{"sunoData": ["x"]}'}, [{"data": '{"sunoData": ["x"]}'}, {"sunoData": ["x"]}, ["x"], "x"]),
        ('["[7]"]', [["[7]"], [7], 7]),
        (
            {"data": None, "result": "", "clips": [], "items": 0},
            [{"data": None, "result": "", "clips": [], "items": 0}],
        ),
        ({"data": "", "clips": {"c": 1}}, [{"data": "", "clips": {"c": 1}}, {"c": 1}]),
        ([], [[]]),
        ("{not", ["{not"]),
        (None, [None]),
        (0, [0]),
    ],
)
def test_answers_are_opened_from_the_outside_in(document, opened):
    """What an envelope holds, the first item of a list, JSON inside a text; empty places are passed by."""
    assert list(layers(document)) == opened


def test_answers_are_opened_to_a_depth():
    """Eight layers, whatever lies below."""
    document = "x"
    for _ in range(5000):
        document = {"data": document}
    assert len(list(layers(document))) == 8


def test_a_clip_is_a_song_and_so_is_each_in_a_list_or_map():
    """One layer of an answer, read as the clips of a task are."""
    song = Song(id="c1", title="Cat", audio_url=URL, status="complete", tags="pop", duration=120.5)
    assert read_songs(CLIP) == (song,)
    assert read_songs([CLIP, 7, CLIP]) == (song, song)
    assert read_songs({"c1": CLIP}) == (song,)


@pytest.mark.parametrize(
    "value", [{"clips": [CLIP]}, CLIP | {"data": {"x": 1}}, CLIP | {"clips": "[1]"}, {}, [], None, "x", {"id": "c1"}]
)
def test_what_holds_layers_is_no_song(value):
    """Clip-like fields around a list of clips are those of a batch (SunoAI-API's /generate)."""
    assert read_songs(value) == ()


@QUICK
@given(ANY)
def test_any_json_has_layers(document):
    """One at least, and songs or none in each."""
    opened = list(layers(document))
    assert 1 <= len(opened) <= 8
    assert all(isinstance(song, Song) for value in opened for song in read_songs(value))
