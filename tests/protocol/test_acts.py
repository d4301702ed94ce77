"""What the answers to a gateway's acts tell, in every shape they have been seen in."""

import json
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.acts import (
    Later,
    Made,
    read_aligned,
    read_clip_id,
    read_feed,
    read_midi,
    read_mp4,
    read_nothing,
    read_persona,
    read_slot,
    read_stems,
    read_tags,
    read_upload,
    read_wav,
    told,
)
from suno_async.protocol.errors import (
    ConfigurationError,
    GatewayUnavailable,
    QuotaExceeded,
    RateLimited,
    RequestRejected,
    SunoError,
    Unauthorized,
    UnexpectedResponse,
)
from suno_async.protocol.exchange import Answer, Broken
from suno_async.protocol.materials import Instrument, Midi, Note, Persona, Slot, Uploaded
from suno_async.protocol.models import Song
from suno_async.protocol.refusals import Kind, Trouble
from suno_async.protocol.routes import ROUTES
from suno_async.protocol.timing import Timing, Word

RECORDINGS = Path(__file__).parent.parent / "recordings"
QUICK = settings(max_examples=300, deadline=None, derandomize=True)
UUID = "47443cc1-95bf-41e5-a0b7-33a3b5cd4a4f"
WAV = "https://cdn1.suno.ai/c1.wav"
MP3 = "https://cdn1.suno.ai/c1.mp3"
NEW_ROW = {"id": 17, "platform": "suno", "user_id": 1, "action": "WAV", "fail_reason": "", "progress": "100%"}


def answer(document, status=200, **headers) -> Answer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Answer(status, headers, body)


def ask(given_answer, name="wav", readable=True, path="/suno/act/wav/c1"):
    return told(given_answer, ROUTES[name], gateway="gw.example", path=path, readable=readable)


def recorded(name) -> Answer:
    recording = json.loads((RECORDINGS / f"{name}.json").read_text())
    return answer(recording["body"], recording["status"])


def nested(value, deep, as_list):
    for _ in range(deep):
        value = [value] if as_list else {"data": value}
    return value


# files


@pytest.mark.parametrize(
    ("read", "document", "expected"),
    [
        (read_wav, {"wav_file_url": None}, Later()),
        (read_wav, {"code": "success", "data": {"wav_file_url": ""}}, Later()),
        (read_mp4, {"mp4": ""}, Later()),
        (read_mp4, {"id": "c1", "status": "complete", "video_url": ""}, None),
        (read_wav, {"wav": {"odd": 1}, "url": []}, None),
    ],
)
def test_an_empty_place_for_an_address_means_later(read, document, expected):
    """But a song without a video says so for ever."""
    assert read(document) == expected


@pytest.mark.parametrize("name", ["wav-direct", "wav-enveloped"])
def test_recorded_wavs(name):
    """Bare and in an envelope."""
    assert ask(recorded(name)) == WAV


@pytest.mark.parametrize(
    ("read", "document"),
    [
        (read_wav, {"wav_file_url": WAV}),
        (read_wav, {"wavFileUrl": WAV}),
        (read_wav, {"code": "success", "data": {"wav_file_url": WAV}}),
        (read_wav, {"code": "success", "data": {"wav_url": WAV}}),
        (read_wav, {"data": {"url": WAV, "status": "complete"}}),
        (read_wav, {"code": 200, "msg": "success", "data": {"audio_wav_url": WAV}}),
        (read_wav, {"code": "success", "message": "", "data": WAV}),
        (read_wav, {"code": "success", "data": json.dumps({"wav_url": WAV})}),
        (read_wav, {"code": "success", "data": [{"wav_url": WAV}]}),
        (read_wav, WAV),
        (read_wav, NEW_ROW | {"task_id": UUID, "status": "SUCCESS", "data": {"wav_file_url": WAV}}),
        (read_wav, NEW_ROW | {"task_id": UUID, "status": "SUCCESS", "data": WAV}),
        (read_wav, {"task_id": UUID, "status": "SUCCESS", "data": {"code": 200, "data": {"items": [{"wav": WAV}]}}}),
        (read_wav, {"data": {"wav_file_url": f" {WAV}\n"}}),
        (read_wav, {"wav_file_url": "", "wav_url": None, "url": WAV}),
        (read_mp4, {"mp4": WAV}),
        (read_mp4, {"code": "success", "data": {"mp4_file_url": WAV}}),
        (read_mp4, {"data": {"mp4_url": WAV}}),
        (read_mp4, {"data": {"id": "c1", "video_url": WAV, "status": "complete"}}),
        (read_mp4, {"task_id": UUID, "status": "SUCCESS", "data": {"mp4": WAV}}),
    ],
)
def test_an_address_is_found_where_gateways_put_it(read, document):
    """At the top, in envelopes, in lists, as the data itself, as JSON inside a text, and in a finished task."""
    assert read(document) == WAV


@pytest.mark.parametrize(
    "address",
    [
        "https://cdn1.suno.ai/None.mp3",
        "None",
        "null",
        "file:///etc/passwd",
        "//x/a.wav",
        "https://",
        7,
        True,
        ["https://x"],
        "https://x/a b.wav",
        "https://x/\x00.wav",
        "https://x/" + "a" * 5000,
        "javascript:https://x",
    ],
)
def test_what_is_no_address_is_none(address):
    """Only http(s), without blanks and control characters, and not what is written where there is none."""
    assert read_wav({"wav_file_url": address}) is None
    assert read_wav({"wav_file_url": address, "url": WAV}) == WAV


@pytest.mark.parametrize(
    "document", [{"status": "processing"}, {"state": "running"}, {"data": {"task_status": "pending"}}]
)
@pytest.mark.parametrize("read", [read_wav, read_mp4, read_aligned, read_midi, read_stems, read_tags, read_persona])
def test_what_is_being_made_comes_later(read, document):
    """{"status":"processing"} (APICore), {"state":"running"} (gpt-best): ask again in three seconds."""
    assert read(document) == Later(3.0)


def test_being_made_wins_over_an_address():
    """An address beside "processing" is that of a file that is not ready."""
    assert read_wav({"status": "processing", "wav_url": WAV}) == Later()
    assert read_wav({"task_id": UUID, "status": "IN_PROGRESS", "data": {"wav_url": WAV}}) == Made(UUID)


@pytest.mark.parametrize(
    ("document", "task_id"),
    [
        ({"code": "success", "message": "", "data": UUID}, UUID),
        ({"code": "SUCCESS", "data": "1268154180129529857"}, "1268154180129529857"),
        ({"code": "success", "data": 1268154180129529857}, "1268154180129529857"),
        ({"code": "success", "data": "task_7f11c4b772f44710ac0fae0d5b3dc4c1"}, "task_7f11c4b772f44710ac0fae0d5b3dc4c1"),
        ({"code": 200, "data": {"taskId": UUID}}, UUID),
        ({"code": 200, "data": {"taskBatchId": "1268154180129529857"}}, "1268154180129529857"),
        ({"code": "success", "data": {"task_id": UUID, "status": "SUBMITTED"}}, UUID),
        ({"task_id": UUID, "data": {"status": "processing"}}, UUID),
        ({"code": "success", "data": json.dumps({"task_id": UUID})}, UUID),
    ],
)
def test_a_task_id_is_a_task(document, task_id):
    """As the data itself or named, whether the gateway says how far it is or not."""
    assert read_wav(document) == Made(task_id)
    assert read_tags(document) == Made(task_id)
    assert read_clip_id(document) == Made(task_id)


@pytest.mark.parametrize(
    "document",
    [
        {"code": "success", "data": "ok"},
        {"code": "success", "data": "../../etc"},
        {"code": "success", "data": "a sentence of 3 words"},
        {"code": "success", "data": 12},
        {"code": "success", "data": True},
        {"code": "success", "data": 10**15 - 1},
        {"code": "success", "data": 2**63},
        {"code": "success", "data": None},
        {"code": "success", "data": []},
        {"data": {"task_id": "../x"}},
        {"data": {"task_id": [7]}, "task_id": True},
        {},
        [],
        None,
        "",
        0,
    ],
)
def test_words_and_numbers_are_no_task(document):
    """A task id is safe in a path, and is not a word or a count."""
    assert read_wav(document) is None


@pytest.mark.parametrize("number", [10**15, 2**63 - 1])
def test_numbers_may_be_ids_within_bounds(number):
    """Snowflakes; smaller ones are times."""
    assert read_wav({"data": number}) == Made(str(number))


def test_words_are_ids_from_sixteen_characters_on():
    """Shorter ones need a digit."""
    assert read_wav({"data": "a" * 15}) is None
    assert read_wav({"data": "a" * 16}) == Made("a" * 16)
    assert read_wav({"data": "abc1"}) == Made("abc1")


def test_a_finished_task_that_holds_nothing_is_not_waited_for_again():
    """Its row names its own id: that is no new task."""
    row = NEW_ROW | {"task_id": UUID, "status": "SUCCESS", "data": None}
    assert read_wav(row) is None
    assert read_wav({"code": "success", "data": row}) is None


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"status": "error", "error_message": "no such clip"}, "no such clip"),
        ({"data": {"state": "failed", "message": "busy\nnow"}}, "busy now"),
        ({"task_id": UUID, "status": "FAILURE", "fail_reason": "moderation", "data": None}, "moderation"),
        ({"data": {"status": "CREATE_TASK_FAILED", "msg": "x"}}, "x"),
        ({"status": "failed", "fail_msg": "m"}, "m"),
        ({"status": "failed", "error": "e"}, "e"),
        ({"status": "failed", "error": {"deep": 1}}, ""),
    ],
)
def test_a_failed_act_has_its_reason(document, reason):
    """A failed state is a "no", with the gateway's sentence on one line."""
    found = read_wav(document)
    assert type(found) is RequestRejected
    assert found.message == reason
    assert str(found) == f"the gateway could not make it: {reason or 'no reason given'}"


@given(st.integers(0, 12), st.booleans())
@QUICK
def test_layers_are_opened_to_a_depth(deep, as_list):
    """Seven envelopes or lists around an answer are opened; then it has no known shape, at once."""
    found = read_wav(nested({"wav_url": WAV}, deep, as_list))
    assert found == (WAV if deep < 8 else None)


def test_a_list_is_read_by_its_first_item():
    """Nothing else in it is looked at, and an empty one holds nothing."""
    assert read_wav([{"wav_url": WAV}, {"wav_url": MP3}]) == WAV
    assert read_wav({"data": [7, {"wav_url": MP3}]}) is None


# timing


def test_the_recorded_timing():
    """The words of gpt-best's documents."""
    timing = ask(recorded("timing"), "timing")
    assert timing == Timing((Word("[Verse]\nWinter ", 8.38, 8.78, True, 0.982),), (0.001,), 0.0355, False)


@pytest.mark.parametrize(
    "document",
    [
        {"aligned_words": [{"word": "a", "start_s": 1}]},
        {"alignedWords": [{"word": "a", "startS": 1}]},
        {"words": [{"word": "a", "start": 1}]},
        {"code": "success", "data": {"aligned_words": [{"word": "a", "start_s": "1"}]}},
        {"code": "success", "data": [{"word": "a", "start_s": 1}]},
        {"task_id": UUID, "status": "SUCCESS", "data": {"aligned_words": [{"word": "a", "start_s": 1}]}},
    ],
)
def test_timings_in_other_places(document):
    """APICore writes ``words``, others an envelope, a bare list or a task."""
    assert read_aligned(document).words == (Word("a", 1),)


@pytest.mark.parametrize("status", [200, 400, 404])
def test_a_timing_that_is_not_ready_is_no_task(status):
    """Two families (yunwu, K4U) answer task_not_exist until they have it: that is later, for this act alone."""
    not_there = answer({"code": "task_not_exist", "message": "task_not_exist", "data": None}, status)
    assert ask(not_there, "timing") == Later()
    assert isinstance(ask(not_there, "wav"), Trouble)


# midi


def test_midi():
    """Instruments and notes, whatever is broken in them left out; times may have their unit in their name."""
    notes = [
        {"pitch": 60, "start": 0.5, "end": 1, "velocity": 0.8},
        {"pitch": "61", "start_s": 1, "end_s": "2.5"},
        {"pitch": 62, "start": 1},
        {"pitch": None, "start": 1, "end": 2},
        {"pitch": 63, "end": 2},
        7,
    ]
    document = {"state": "complete", "instruments": [{"name": "Piano", "notes": notes}, 7, {"notes": None}]}
    made = Midi((Instrument("Piano", (Note(60, 0.5, 1, 0.8), Note(61, 1, 2.5, 0.0))), Instrument("", ())))
    assert read_midi(document) == made
    assert read_midi({"code": "success", "data": document}) == made
    assert read_midi({"state": "complete", "instruments": []}) == Midi()
    assert read_midi({"state": "complete", "instruments": "x"}) is None


def test_midi_is_bounded():
    """A thousand instruments, and twenty thousand notes altogether."""
    note = {"pitch": 1, "start": 0, "end": 1}
    many = read_midi({"instruments": [{"name": "a", "notes": [note] * 15_000}] * 3})
    assert [len(row.notes) for row in many.instruments] == [15_000, 5_000, 0]
    assert len(read_midi({"instruments": [{"name": "a"}] * 1001}).instruments) == 1000


# stems and feed

CLIPS = [
    {"id": "c1", "audio_url": "", "metadata": {}, "title": "T - Vocals", "status": "submitted"},
    {"id": "c2", "audio_url": MP3, "metadata": {"duration": 60}, "title": "T - Drums", "status": "complete"},
]
SONGS = (
    Song(id="c1", title="T - Vocals", status="submitted"),
    Song(id="c2", title="T - Drums", audio_url=MP3, duration=60, status="complete"),
)
PLACES = [
    CLIPS,
    {"clips": CLIPS},
    {"code": "success", "message": "", "data": CLIPS},
    {"code": 200, "data": {"clips": {"c1": CLIPS[0], "c2": CLIPS[1]}}},
    {"id": "x", "clips": CLIPS, "metadata": {}, "status": "complete", "batch_size": 1},
    {"code": "success", "data": {"task_id": UUID, "status": "SUCCESS", "data": CLIPS}},
    {"code": "success", "data": {"task_id": UUID, "status": "SUCCESS", "data": {"taskBatchId": "9", "items": CLIPS}}},
    {"code": "success", "data": json.dumps(CLIPS)},
]


@pytest.mark.parametrize("document", PLACES)
def test_clips_are_found_where_gateways_put_them(document):
    """A bare list, ``clips``, envelopes, a map, the submission's own shape, a finished task, JSON inside a text."""
    assert read_stems(document) == SONGS
    assert read_feed(document) == list(SONGS)


def test_stems_by_their_names():
    """APICore's client reads ``vocals`` and ``instrumental``."""
    two = {"vocals": MP3, "instrumental": WAV}
    sung = Song(title="vocals", audio_url=MP3, status="complete")
    played = Song(title="instrumental", audio_url=WAV, status="complete")
    assert read_stems(two) == read_stems({"code": "success", "data": two}) == (sung, played)
    assert read_stems({"vocal_audio_url": MP3}) == (sung,)
    assert read_stems({"vocals": "", "instrumental": None}) is None


def test_stems_under_way_are_waited_for():
    """The task's own word counts, not the clips it has so far; an empty list is nothing yet."""
    assert read_stems({"task_id": UUID, "status": "IN_PROGRESS", "data": CLIPS}) == Made(UUID)
    assert read_stems({"clips": []}) is None
    assert read_stems([]) is None


def test_the_recorded_feed():
    """The clip family's bare list: one song, and one that failed."""
    whole, failed = ask(recorded("feed-bare-list"), "feed")
    assert (whole.id, whole.audio_url, whole.duration, whole.playable) == ("c1", MP3, 60.0, True)
    assert (failed.id, failed.broken, failed.error_message) == ("c2", True, "x")


@pytest.mark.parametrize("document", [{"id": "c2"} | CLIPS[1], {"code": "success", "data": CLIPS[1]}])
def test_a_feed_of_one(document):
    """One clip by itself, bare or in an envelope."""
    assert read_feed(document) == [SONGS[1]]


def test_clips_go_on_in_a_feed():
    """A clip that streams or has failed is an answer, not a reason to ask again or to give up."""
    streaming = {"id": "c1", "audio_url": MP3, "status": "streaming"}
    assert read_feed(streaming) == [Song(id="c1", audio_url=MP3, status="streaming")]
    assert read_feed([streaming | {"status": "error"}])[0].broken


@pytest.mark.parametrize(
    "document", [[], {"clips": []}, {"clips": None}, {"code": "success", "data": None}, {"code": "success", "data": []}]
)
def test_a_feed_that_knows_none(document):
    """An empty list, and Go's way to write one, tell that none of the clips is known."""
    assert read_feed(document) == []


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"status": "processing"}, Later()),
        ({"code": "success", "data": UUID}, Made(UUID)),
        ({"code": "success", "data": "x"}, None),
        ({}, None),
        (None, None),
        (7, None),
    ],
)
def test_a_feed_that_is_something_else(document, found):
    """As with every other act."""
    assert read_feed(document) == found


def test_feeds_are_bounded():
    """A thousand clips; nobody asks for more."""
    assert len(read_feed(CLIPS * 600)) == 1000


# tags, personas


@pytest.mark.parametrize(
    "document",
    [
        {"upsampled_tags": "dreamy pop", "request_id": "r"},
        {"code": 200, "data": {"taskBatchId": "1268154180129529857", "upsampled_tags": "dreamy pop"}},
        {"task_id": UUID, "status": "SUCCESS", "data": {"upsampledTags": "dreamy pop"}},
    ],
)
def test_tags(document):
    """At once, even where a task is named too, or in a finished task."""
    assert read_tags(document) == "dreamy pop"
    assert read_tags({"upsampled_tags": ""}) is None


def test_a_persona():
    """gpt-best's raw answer; the clips may be wrapped or not."""
    document = {
        "id": "p1",
        "name": "Ada",
        "description": "warm",
        "root_clip_id": "c1",
        "clip": {"id": "c1", "status": "complete"},
        "persona_clips": [{"clip": {"id": "c1"}, "id": 1}, {"id": "c2"}, {"clip": None}, {}, 7],
        "is_public": False,
    }
    made = Persona(id="p1", name="Ada", description="warm", root_clip_id="c1", clip_ids=("c1", "c2"), is_public=False)
    assert read_persona(document) == made
    assert read_persona({"code": "success", "data": document}) == made


@pytest.mark.parametrize(
    "document",
    [
        {"persona_id": "p1"},
        {"id": "p1", "name": ""},
        {"id": "p1", "persona_clips": None, "is_public": "yes"},
        {"task_id": UUID, "status": "SUCCESS", "data": {"personaId": "p1"}},
    ],
)
def test_a_persona_with_little_about_it(document):
    """Its id is all that is needed."""
    assert read_persona(document) == Persona(id="p1")


@pytest.mark.parametrize("document", [{"id": "p1"}, {"name": "Ada"}, {"clip": {"id": "c1"}}, [], "p"])
def test_what_is_no_persona(document):
    """An id alone may be anybody's."""
    assert read_persona(document) is None


# uploads


def test_a_slot():
    """S3's form: its fields go with the file; without fields the file is PUT."""
    document = {"id": "u1", "url": "https://s3.example/", "fields": {"key": "k", "n": 1}, "is_file_uploaded": False}
    assert read_slot(document) == Slot("u1", "https://s3.example/", {"key": "k", "n": "1"})
    assert read_slot({"data": {"upload_id": "u1", "url": "https://s3.example/"}}) == Slot("u1", "https://s3.example/")


@pytest.mark.parametrize(
    "document", [{"id": "../u", "url": WAV}, {"url": WAV}, {"id": "u1", "url": "ftp://x"}, {"id": "u1"}, [], WAV]
)
def test_what_is_no_slot(document):
    """Its id goes into paths, and its url is where bytes go."""
    assert read_slot(document) is None


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (
            {"id": "u1", "status": "complete", "error_message": None, "s3_id": "m_1", "title": "T", "image_url": WAV},
            Uploaded("u1", "T", WAV),
        ),
        ({"code": "success", "data": {"id": "u1", "status": "complete"}}, Uploaded("u1")),
        ({"upload_id": "u1", "state": "complete"}, Uploaded("u1")),
        ({"id": "u1", "status": "pending"}, Later()),
        ({"id": "u1", "status": "passed_audio_processing"}, Later()),
        ({"status": "complete"}, None),
        ({"id": "u1"}, None),
        ({}, None),
        ([], None),
    ],
)
def test_how_far_an_upload_is(document, found):
    """Complete, or later: Suno has words of its own for the steps between."""
    assert read_upload(document) == found


def test_a_refused_upload():
    """It says why."""
    why = "matches an existing recording"
    found = read_upload({"id": "u1", "status": "error", "error_message": why})
    assert isinstance(found, RequestRejected)
    assert found.message == why


@pytest.mark.parametrize(
    "document",
    [
        {"clip_id": "c1"},
        {"clipId": "c1"},
        {"clip_id": "c1", "task_id": UUID},
        {"id": "u1", "clip_id": "c1"},
        {"code": "success", "data": {"clip_id": "c1"}},
        {"task_id": UUID, "status": "SUCCESS", "data": {"clip_id": "c1"}},
        {"task_id": UUID, "status": "SUCCESS", "data": [{"id": "c1", "task_id": f"{UUID}_1", "audio_url": MP3}]},
        {"task_id": UUID, "status": "SUCCESS", "data": [{"id": "c1", "audio_url": MP3, "status": "complete"}]},
        {"task_id": UUID, "status": "SUCCESS", "data": {"id": "c1", "status": "complete", "s3_id": "m_1"}},
    ],
)
def test_the_clip_of_an_upload(document):
    """At once (APICore, initialize-clip), or in a finished task."""
    assert read_clip_id(document) == "c1"


@pytest.mark.parametrize("document", [{"clip_id": "../c"}, {"id": "c1"}, {}, []])
def test_what_is_no_clip_of_an_upload(document):
    """Its id goes into paths and bodies; an id alone may be anybody's."""
    assert read_clip_id(document) is None


def test_nothing_to_read():
    """Every answer will do that tells of no failure."""
    for document in ({}, None, [], {"status": "pending"}, {"code": "success", "data": UUID}):
        assert read_nothing(document) is True
    assert isinstance(read_nothing({"status": "error"}), RequestRejected)
    assert isinstance(read_nothing({"code": "success", "data": {"status": "error"}}), RequestRejected)


# answers that say no


def test_errors_say_where():
    """Which gateway, which path, how it was asked, and what it answered."""
    trouble = ask(answer({"code": "invalid_action", "message": "no\nwav"}, 400))
    assert trouble.kind is Kind.REJECTED
    assert type(trouble.error) is RequestRejected
    assert str(trouble.error) == "GET /suno/act/wav/c1 at gw.example: the gateway said no: no wav (400)"
    assert (trouble.error.status, trouble.error.code, trouble.error.message) == (400, "invalid_action", "no wav")
    assert trouble.readable


@pytest.mark.parametrize(
    ("status", "document", "kind", "error"),
    [
        (400, {"code": "invalid_request", "message": "x"}, Kind.REJECTED, RequestRejected),
        (400, {"code": "task_not_exist", "message": "task_not_exist", "data": None}, Kind.MISSING, RequestRejected),
        (404, {"error": {"message": "Invalid URL (GET /suno/x)", "code": ""}}, Kind.REJECTED, RequestRejected),
        (404, {"detail": "Not Found"}, Kind.REJECTED, RequestRejected),
        (405, {"code": "no", "message": "x"}, Kind.REJECTED, RequestRejected),
        (501, {"error": {"message": "x"}}, Kind.REJECTED, RequestRejected),
        (422, {"code": "x", "message": "y"}, Kind.REJECTED, RequestRejected),
        (401, {"error": {"message": "无效的令牌", "type": "new_api_error"}}, Kind.KEY, Unauthorized),
        (403, {"code": "access_denied", "message": "no"}, Kind.KEY, Unauthorized),
        (403, {"code": "insufficient_user_quota", "message": "x"}, Kind.KEY, QuotaExceeded),
        (400, {"code": "x", "message": "余额不足"}, Kind.REJECTED, QuotaExceeded),
        (402, {"error": "pay"}, Kind.REJECTED, QuotaExceeded),
        (429, {"code": "x", "message": "slow"}, Kind.LIMITED, RateLimited),
        (429, b"", Kind.LIMITED, RateLimited),
        (430, {"msg": "x", "code": 430}, Kind.LIMITED, RateLimited),
        (401, b"", Kind.KEY, Unauthorized),
        (500, {"code": "get_task_failed", "message": "x"}, Kind.OUTAGE, GatewayUnavailable),
        (409, {"code": "busy", "message": "x"}, Kind.OUTAGE, RequestRejected),
        (502, b"<html>502</html>", Kind.OUTAGE, GatewayUnavailable),
        (403, b"<html>firewall</html>", Kind.OUTAGE, GatewayUnavailable),
        (200, {"code": 401, "message": "unauthorized"}, Kind.KEY, Unauthorized),
        (200, {"code": 429, "msg": "slow"}, Kind.LIMITED, RateLimited),
        (200, {"code": 500, "msg": "x"}, Kind.OUTAGE, RequestRejected),
        (202, {"code": 503, "msg": "x"}, Kind.OUTAGE, RequestRejected),
        (200, {"code": "5 songs", "msg": "x"}, Kind.REJECTED, RequestRejected),
        (200, {"code": "sensitive_words", "message": "x"}, Kind.REJECTED, RequestRejected),
        (200, {"success": False, "message": "clip not found"}, Kind.MISSING, RequestRejected),
        (404, {"code": "song_not_exist"}, Kind.MISSING, RequestRejected),
        (500, {"code": "x", "message": "The clip was not found"}, Kind.MISSING, RequestRejected),
        (500, {"code": "x", "message": "record not found"}, Kind.MISSING, RequestRejected),
        (429, {"code": "x", "message": "clip not found"}, Kind.LIMITED, RateLimited),
        (400, {"code": "x", "message": "the key was not found"}, Kind.REJECTED, RequestRejected),
        (200, {"error": "record not found"}, Kind.MISSING, RequestRejected),
        (200, {"data": "x", "code": "success"}, Kind.NO_NEWS, UnexpectedResponse),
        (200, b"{cut off", Kind.OUTAGE, UnexpectedResponse),
        (200, b"", Kind.NO_NEWS, UnexpectedResponse),
        (204, b" \n", Kind.NO_NEWS, UnexpectedResponse),
        (200, b"404 page not found", Kind.NO_NEWS, UnexpectedResponse),
    ],
)
def test_every_no(status, document, kind, error):
    """What each answer is that holds nothing, and the error that tells of it: never one of a decoder."""
    trouble = ask(answer(document, status))
    assert (trouble.kind, type(trouble.error)) == (kind, error)
    assert "GET /suno/act/wav/c1 at gw.example: " in str(trouble.error)
    assert not isinstance(trouble.error, GatewayUnavailable | RequestRejected | UnexpectedResponse) or (
        trouble.error.status == status
    )


@pytest.mark.parametrize("name", ["error-no-channel", "live-2026-no-channel"])
def test_no_channel_is_a_gateway_that_cannot(name):
    """Stock's answer to every act it lacks: another request would hear the same."""
    trouble = ask(recorded(name))
    assert (trouble.kind, trouble.routeless) == (Kind.OUTAGE, True)
    assert isinstance(trouble.error, GatewayUnavailable)
    assert trouble.error.status == 503
    assert "/suno/act/wav/c1 at gw.example" in str(trouble.error)


def test_an_ordinary_outage_is_worth_another_request():
    """A 502 has a route."""
    assert not ask(answer({"code": "x", "message": "y"}, 502)).routeless


PAGES = [
    answer(b"<!doctype html><title>New API</title>"),
    answer(b"<html>nginx</html>", 404),
    answer(b"", 404),
    answer(b"404 page not found", 404),
    answer(b"<html>", 405),
]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_from_a_gateway_is_a_missing_act(page):
    """Its base URL is right, so it has no such endpoint; what it answered is shown."""
    trouble = ask(page)
    assert (trouble.kind, trouble.routeless) == (Kind.REJECTED, True)
    assert type(trouble.error) is RequestRejected
    shown = page.body.decode()
    assert str(trouble.error) == (
        "GET /suno/act/wav/c1 at gw.example: this gateway has no such endpoint, or something else answers in front of"
        f" it ({page.status})" + (f": {shown}" if shown else "")
    )
    assert (trouble.error.status, trouble.error.message) == (page.status, shown)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_from_a_stranger_is_a_wrong_base_url(page):
    """Nobody there has ever answered in JSON."""
    trouble = ask(page, readable=False)
    assert trouble.kind is Kind.ELSEWHERE
    assert type(trouble.error) is ConfigurationError
    assert "check the base URL" in str(trouble.error)
    shown = page.body.decode() or "nothing"
    assert str(trouble.error).endswith(f"; or it has no such endpoint; it answered: {shown}")


@pytest.mark.parametrize("status", [300, 302, 399])
@pytest.mark.parametrize("body", [b"<a href='https://x/?token=t'>", b'{"location":"https://x/?token=t"}'])
def test_a_redirect_shows_no_more_than_a_host(body, status):
    """Its page may say where to, with whatever is in that address; from a gateway it is a missing act."""
    place = "GET /suno/act/wav/c1 at gw.example: "
    redirect = Answer(status, {"Location": "https://x/?token=t"}, body)
    trouble = ask(redirect)
    assert (trouble.kind, trouble.routeless, type(trouble.error)) == (Kind.REJECTED, True, RequestRejected)
    missing = "this gateway has no such endpoint, or something else answers in front of it"
    assert str(trouble.error) == f"{place}{missing} ({status})"
    trouble = ask(redirect, readable=False)
    assert (trouble.kind, type(trouble.error)) == (Kind.ELSEWHERE, ConfigurationError)
    assert str(trouble.error).startswith(f"{place}the gateway redirects to https://x; ")
    assert "token" not in str(trouble.error)


def test_json_from_a_stranger_is_an_answer():
    """Whoever says no in JSON is no web page, even if it never answered before."""
    trouble = ask(answer({"error": {"message": "Invalid URL"}}, 404), readable=False)
    assert (type(trouble.error), trouble.readable, trouble.routeless) == (RequestRejected, True, True)


def test_a_no_without_an_envelope_is_shown():
    """FastAPI's: there is no code, and the sentence is the beginning of the answer."""
    trouble = ask(answer({"detail": "Not Found"}, 404))
    assert (trouble.error.code, trouble.error.message) == ("", '{"detail": "Not Found"}')


def test_codes_and_sentences_are_bounded():
    """80 characters of the one, 200 of the other."""
    trouble = ask(answer({"code": "c" * 900, "message": "m" * 900}, 400))
    assert (trouble.error.code, trouble.error.message) == ("c" * 80, "m" * 200)


def test_unknown_shapes_are_shown():
    """The path, and the beginning of the answer, on one line."""
    trouble = ask(answer({"code": "success", "data": "w\u202eords"}))
    assert type(trouble.error) is UnexpectedResponse
    assert trouble.error.excerpt == '{"code": "success", "data": "w\\u202eords"}'
    assert trouble.error.excerpt in str(trouble.error)
    assert (trouble.kind, trouble.readable) == (Kind.NO_NEWS, True)
    assert str(ask(answer(b"")).error).endswith("no shape that is known: it is empty")


def test_a_failed_act_is_told_with_its_place():
    """What a decoder calls failed is a "no" with the status of its answer."""
    trouble = ask(answer({"status": "error", "error_message": "too long"}, 201))
    assert (trouble.kind, trouble.readable) == (Kind.REJECTED, True)
    assert str(trouble.error) == "GET /suno/act/wav/c1 at gw.example: the gateway could not make it: too long"
    assert (trouble.error.status, trouble.error.message) == (201, "too long")


@pytest.mark.parametrize(
    ("broken", "kind", "error"),
    [
        (Broken("it timed out", late=True), Kind.OUTAGE, GatewayUnavailable),
        (Broken("bad name", certificate=True), Kind.ELSEWHERE, ConfigurationError),
        (Broken("more than 8 MB", oversized=True, received=b"{"), Kind.REJECTED, UnexpectedResponse),
    ],
)
def test_no_whole_answer(broken, kind, error):
    """As looks have it, with the place."""
    trouble = ask(broken)
    assert (trouble.kind, type(trouble.error), trouble.late) == (kind, error, broken.late)
    assert str(trouble.error).startswith("GET /suno/act/wav/c1 at gw.example: ")


def test_facts_of_errors_are_kept():
    """What else an error knows is not lost when it learns its place."""
    slow = answer({"code": "x", "message": "y"}, 429, **{"Retry-After": "7", "X-Oneapi-Request-Id": "r1"})
    trouble = ask(slow)
    assert (trouble.retry_after, trouble.error.retry_after, trouble.error.request_id) == (7.0, 7.0, "r1")


def test_paths_and_hosts_are_shown_on_one_line():
    """Whatever they hold."""
    trouble = told(answer(b""), ROUTES["wav"], gateway="a\nb", path="/c\rd" + "e" * 900, readable=True)
    assert "\n" not in str(trouble.error)
    assert len(str(trouble.error)) < 500


# answers that say something


@pytest.mark.parametrize("status", [200, 201, 202])
def test_values_are_told_as_they_are(status):
    """Any 2xx; the content type plays no part."""
    assert ask(answer({"wav_url": WAV}, status)) == WAV
    assert ask(answer({"status": "processing"}, status)) == Later()
    assert ask(answer({"code": "success", "data": UUID}, status)) == Made(UUID)


def test_a_step_without_an_answer():
    """upload-finish has nothing to say, and may say it with an empty body."""
    for body in (b"", b"{}", b"null"):
        assert ask(answer(body), "upload_finish") is True


def test_routes_without_a_decoder():
    """Their answer is told as the document it is."""
    assert ask(answer({"data": [{"id": "suno_music"}]}), "models") == {"data": [{"id": "suno_music"}]}


def test_values_are_values():
    """Frozen, and equal where they say the same."""
    assert Made("a") == Made("a")
    assert Later() == Later(3.0)
    with pytest.raises(AttributeError):
        Later().after = 1.0


# anything

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.sampled_from([WAV, UUID])
KEYS = st.sampled_from(
    re.findall(
        r"\w+",
        "data code clips items status state task_id taskId id url wav_url clip_id fields instruments notes word words"
        " aligned_words start_s end_s pitch start end name persona_id persona_clips clip metadata upsampled_tags vocals"
        " error message success audio_url s3_id hard_limit_usd total_usage result waveform_data",
    )
)
WORDS = st.sampled_from(["success", "SUCCESS", "error", "processing", "complete", "FAILURE", "pending", 200, "x"])
DOCUMENTS = st.recursive(
    SCALARS | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=6),
    max_leaves=25,
)
DECODERS = {name: route.read for name, route in ROUTES.items() if route.read}


@given(DOCUMENTS)
@QUICK
def test_any_document_is_read(document):
    """By every decoder: a value, Later, Made, a failure or None, never an exception."""
    before = json.dumps(document)
    for read in DECODERS.values():
        found = read(document)
        assert not isinstance(found, Exception) or type(found) is RequestRejected
        if isinstance(found, Made):
            assert found.task_id
    assert json.dumps(document) == before


@given(DOCUMENTS, st.sampled_from(list(DECODERS)), st.sampled_from([200, 202, 302, 400, 401, 404, 429, 500, 503]))
@QUICK
def test_any_answer_is_told(document, name, status):
    """Trouble, or a value; of Trouble, an error of ours that names the place."""
    found = ask(Answer(status, {}, json.dumps(document).encode()), name)
    assert found is not None
    if isinstance(found, Trouble):
        assert isinstance(found.error, SunoError)
        assert " at gw.example: " in str(found.error)
    elif not isinstance(found, Later):
        assert status < 300


@given(st.binary(max_size=200), st.sampled_from(list(DECODERS)), st.integers(200, 599), st.booleans())
@QUICK
def test_any_bytes_are_told(body, name, status, readable):
    """The same for what is no document."""
    found = ask(Answer(status, {}, body), name, readable)
    assert found is not None
    assert isinstance(found, Trouble | Later) or status < 300


def test_raw_of_a_task_goes_through_the_same_decoders():
    """A finished task's payload, decoded, is what the act would have told at once."""
    row = NEW_ROW | {"task_id": UUID, "status": "SUCCESS", "data": {"wav_file_url": WAV}}
    assert read_wav(msgspec.json.decode(json.dumps(row))) == WAV


def test_the_address_of_a_slot_is_shown_to_nobody():
    """Whoever has it may write there."""
    trouble = ask(answer({"upload": {"signed_url": "https://s3.example/x?sig=SECRET"}}), "upload_slot")
    assert type(trouble.error) is UnexpectedResponse
    place = "POST /suno/act/wav/c1 at gw.example"
    assert str(trouble.error) == f"{place}: the answer has no shape that is known: it is not shown"
    assert trouble.error.excerpt == "it is not shown"
