"""What a stock row is."""

from datetime import UTC, datetime

import msgspec
import pytest

from suno_async.protocol.models import Lyrics, Song, Status
from suno_async.protocol.rows import Row, read_row, task_of

CLIP = {
    "id": "c1",
    "audio_url": "https://cdn1.suno.ai/c1.mp3",
    "title": "City Lights",
    "video_url": "v",
    "image_url": "i",
    "image_large_url": "l",
    "status": "complete",
    "model_name": "chirp-v4",
    "metadata": {"tags": "punk", "prompt": "[Verse]", "duration": 144.88, "error_message": "e"},
    "created_at": "2025-08-07T03:38:38.253Z",
}
ROW = {
    "task_id": "t1",
    "status": "SUCCESS",
    "action": "music",
    "progress": "100%",
    "submit_time": 1754537918,
    "start_time": 1754537920,
    "finish_time": 1754538018,
    "quota": 50000,
    "data": [CLIP],
}


def read(**fields):
    """The task of the row with some fields changed."""
    payload = msgspec.json.encode(ROW | fields)
    row = read_row(payload)
    return task_of(row, Status(row.status), payload)


def song(**fields):
    """The song of the clip with some fields changed."""
    return read(data=[CLIP | fields]).songs[0]


def test_a_row_is_its_task():
    """Every field of a stock row has its place in the task, and the row itself is kept as it came."""
    task = read()
    assert (task.task_id, task.action, task.status, task.status_text) == ("t1", "MUSIC", Status.SUCCESS, "SUCCESS")
    assert (task.progress, task.fail_reason, task.quota, task.lyrics) == (100, "", 50000, None)
    assert task.submit_time == datetime.fromtimestamp(1754537918, UTC)
    assert (task.finish_time - task.start_time).total_seconds() == 98
    assert msgspec.json.decode(task.payload) == ROW


@pytest.mark.parametrize("empty", [None, ""])
def test_what_a_clip_does_not_tell_is_empty(empty):
    """Of a clip with an id and an address alone, or with nothing in its other fields, the song's texts are empty."""
    bare = {"id": "c1", "audio_url": "c1.mp3"}
    rest = dict.fromkeys(CLIP.keys() - bare.keys() - {"metadata"}, empty)
    for clip in (bare, bare | rest, bare | rest | {"metadata": {"tags": empty, "prompt": empty}}):
        assert read(data=[clip]).songs == (Song(id="c1", audio_url="c1.mp3"),)


def test_a_clip_is_its_song():
    """Every field of a clip has its place in the song."""
    created = datetime(2025, 8, 7, 3, 38, 38, 253000, UTC)
    assert read().songs == (
        Song(
            id="c1",
            title="City Lights",
            audio_url="https://cdn1.suno.ai/c1.mp3",
            video_url="v",
            image_url="i",
            image_large_url="l",
            duration=144.88,
            tags="punk",
            prompt="[Verse]",
            model="chirp-v4",
            status="complete",
            error_message="e",
            created_at=created,
        ),
    )


def test_a_row_that_has_not_begun_has_nothing():
    """Times of 0, no data and no quota are None and empty, not 1970."""
    task = read(status="NOT_START", progress="0%", submit_time=0, start_time=0, finish_time=0, data=None, quota=None)
    assert (task.progress, task.submit_time, task.start_time, task.finish_time) == (0, None, None, None)
    assert (task.songs, task.lyrics, task.quota) == ((), None, None)


@pytest.mark.parametrize(
    ("stamp", "time"),
    [
        (99_999_999_999, datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC)),
        (100_000_000_000, datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
        (1754537918123, datetime(2025, 8, 7, 3, 38, 38, 123000, UTC)),
        (-1, None),
        (2**60, None),
    ],
)
def test_a_time_may_be_in_milliseconds(stamp, time):
    """From 10^11 on a number is milliseconds; what cannot be a time is none."""
    assert read(submit_time=stamp).submit_time == time


@pytest.mark.parametrize(("text", "progress"), [("100%", 100), ("7%", 7), ("250%", 100), ("55", 55), ("", None)])
def test_a_progress_is_from_nothing_to_all(text, progress):
    """What gateways write as a rule, and what they write as well, is a number from 0 to 100."""
    assert read(progress=text).progress == progress


def test_a_row_has_at_most_a_thousand_songs():
    """Whatever else an answer holds is not read."""
    assert len(read(data=[CLIP] * 1100).songs) == 1000


def test_lyrics_are_words():
    """An object with a text is lyrics; one whose text is empty is nothing yet."""
    words = {"text": "la", "id": "l", "title": "T", "tags": "soft", "status": "complete"}
    assert read(data=words).lyrics == Lyrics(id="l", title="T", text="la", tags="soft", status="complete")
    assert read(data={"text": "la"}).lyrics == Lyrics(text="la")
    assert read(data={"text": ""}).lyrics is None


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"audio_url": "https://x.example/None.mp3"}, "audio_url", ""),
        ({"audio_url": "None"}, "audio_url", ""),
        ({"audio_url": "null"}, "audio_url", ""),
        ({"metadata": None, "duration": 7}, "duration", 7),
        ({"metadata": {"duration": 0}, "duration": 0}, "duration", None),
        ({"metadata": {"duration": 2e16}, "duration": 7.5}, "duration", 7.5),
        ({"metadata": {"duration": 2e16}, "duration": -2e16}, "duration", None),
        ({"audio_url": "https://x.example/null"}, "audio_url", "https://x.example/null"),
        ({"audio_url": " NULL "}, "audio_url", ""),
        ({"metadata": {}, "tags": "a", "prompt": "p"}, "tags", "a"),
        ({"metadata": {}, "prompt": "p"}, "prompt", "p"),
        ({"model_name": None, "mv": "chirp-v5"}, "model", "chirp-v5"),
        ({"status": None, "state": "succeeded"}, "status", "succeeded"),
        ({"metadata": {"error_type": "moderation"}}, "error_message", "moderation"),
        ({"metadata": {}, "error_message": "m"}, "error_message", "m"),
        ({"created_at": ""}, "created_at", None),
        ({"title": None, "video_url": None, "image_url": None, "image_large_url": None}, "title", ""),
    ],
)
def test_a_field_has_its_second_place(fields, name, value):
    """What a clip does not say in one place is taken from the other places gateways use."""
    assert getattr(song(**fields), name) == value


def test_a_failure_gives_its_reason():
    """A FAILURE without a reason of its own has that of its first clip in error; a success has none."""
    clips = [CLIP | {"metadata": {}}, CLIP | {"metadata": {"error_message": "moderation"}}]
    assert read(status="FAILURE", data=clips).fail_reason == "moderation"
    assert read(status="FAILURE", fail_reason="said", data=clips).fail_reason == "said"
    assert read(status="SUCCESS", data=clips).fail_reason == ""


@pytest.mark.parametrize("fields", [{"data": "x"}, {"submit_time": "1"}, {"task_id": None}, {"data": [{"id": "c"}]}])
def test_another_shape_is_not_read(fields):
    """What does not fit the types is refused, for the slow path to read."""
    with pytest.raises(msgspec.ValidationError):
        read_row(msgspec.json.encode(ROW | fields))
    assert isinstance(read_row(msgspec.json.encode(ROW)), Row)
