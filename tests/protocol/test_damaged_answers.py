"""Answers with one thing wrong in them, each of which once cost more than a look. `tests/fuzz` finds such things."""

import json

import pytest

from suno_async.protocol.dialects import has_made, read_tasks
from suno_async.protocol.exchange import Answer
from suno_async.protocol.refusals import Kind, error_words, trouble_of

CLIP = {"id": "c1", "audio_url": "https://cdn1.suno.ai/c1.mp3"}
BARE = {"id": "c2", "status": "queued"}


def kind_of(body: bytes) -> Kind:
    return trouble_of(Answer(200, {}, body)).kind


@pytest.mark.parametrize("beginning", [b"<", b"<{", b'<"', b"<\x00", b"<<", b"< a", b"<1", b"\xef\xbb\xbf <["])
def test_a_stray_byte_makes_no_page(beginning):
    """A less-than sign before an answer is damage, which passes, and no page of somebody else, which ends all waits."""
    assert kind_of(beginning + b'"code":"success"}') is Kind.OUTAGE


@pytest.mark.parametrize("beginning", [b"<a", b"<Z", b"<A", b"<z", b"<!", b"<?", b"</", b"\xef\xbb\xbf \t\r\n<h"])
def test_a_tag_makes_a_page(beginning):
    """What begins with a tag, a comment, a declaration or an end is a page."""
    assert kind_of(beginning) is Kind.ELSEWHERE


@pytest.mark.parametrize("depth", range(4))
def test_an_inner_envelope_may_say_no(depth):
    """A refusal inside envelopes that say yes is a refusal."""
    document = {"code": "oops", "message": "said", "data": None}
    for _ in range(depth):
        document = {"code": "success", "data": document}
    assert error_words(document) == ("oops", "said")


@pytest.mark.parametrize("depth", [4, 900, 5000])
def test_envelopes_without_end_say_nothing(depth):
    """No depth of envelopes overflows the stack; from Python 3.12 on the decoder reads far deeper than calls may go."""
    document: object = {"code": "oops", "message": "said", "data": None}
    for _ in range(depth):
        document = {"code": "success", "data": document}
    assert error_words(document) is None
    assert kind_of(b'{"code":"success","data":' * depth + b"1" + b"}" * depth) in {Kind.NO_NEWS, Kind.OUTAGE}


def songs(data: object) -> list[tuple[str, str]]:
    (task,) = read_tasks({"task_id": "t1", "status": "SUCCESS", "data": data})
    return [(song.id, song.audio_url) for song in task.songs]


C1, C2 = ("c1", CLIP["audio_url"]), ("c2", "")


@pytest.mark.parametrize(
    ("clips", "found"),
    [
        ({"c1": CLIP, "x": {"a": 1}}, [C1]),
        ({"x": {}, "c1": CLIP}, [C1]),
        ({"x": None, "c1": CLIP, "y": 7}, [C1]),
        ({"x": {"a": 1}, "c2": BARE, "c1": CLIP}, [C2, C1]),
        ({"c2": BARE}, [C2]),
        ({"c2": BARE, "x": {"a": 1}}, []),
        ({"c1": CLIP, "text": "la"}, []),
        ({"c1": CLIP, "audio_url": "u", "id": "c3"}, [("c3", "u")]),
        ({"x": {"a": 1}}, []),
        ({}, []),
    ],
    ids=ascii,
)
def test_what_is_no_clip_spoils_no_map_of_clips(clips, found):
    """Beside a clip that has what only clips have, anything else in the map is passed over."""
    assert songs(clips) == found
    assert songs({"clips": clips}) == found or not clips


@pytest.mark.parametrize("address", [7, 0, 1.5, True, None, {}, {"a": "b"}, [], [7]], ids=ascii)
def test_an_address_is_text(address):
    """A number is no address; the next field that holds one counts."""
    assert songs([{"id": "c", "audio_url": address}]) == [("c", "")]
    assert songs([{"id": "c", "audio_url": address, "song_url": "u"}]) == [("c", "u")]
    assert songs([{"id": "c", "audio_url": ["u"]}]) == [("c", "u")]


@pytest.mark.parametrize("action", ["MUSIC", "music", "LYRICS"])
@pytest.mark.parametrize("data", [7, "x", {"persona_id": "p"}, [1], {"uext": "la"}, {"x": {"y": 1}}], ids=ascii)
def test_a_song_that_is_none_is_nothing(action, data):
    """What says that it makes songs, or words, has made nothing if it holds something else: it is looked at again."""
    assert not has_made({"task_id": "t", "action": action, "data": data})
    assert has_made({"task_id": "t", "action": "PERSONA", "data": data})
    assert has_made({"task_id": "t", "action": None, "data": data})


@pytest.mark.parametrize(
    ("data", "made"),
    [
        ({"id": "l", "uext": "[Verse]", "title": "T", "status": "complete"}, False),
        ({"id": "l", "title": "T", "status": "complete"}, False),
        ({"id": "v", "title": "T", "video_url": "u"}, True),
        ({"id": "v", "title": "T", "video_url": ""}, False),
        ({"id": "u", "status": "complete"}, True),
    ],
    ids=json.dumps,
)
def test_what_has_a_title_and_no_address_is_nothing(data, made):
    """Words whose text is damaged look like a thing of their own, but for their title."""
    assert has_made({"task_id": "t", "data": data}) is made
