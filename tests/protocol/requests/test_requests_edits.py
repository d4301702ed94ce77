"""The edits: what is made from a clip that is there already."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.errors import ConfigurationError
from suno_async.protocol.requests import Concat, Cover, Extend, Metadata, ReplaceSection, Stems

QUICK = settings(max_examples=200, deadline=None, derandomize=True)
CLIP = "ce2cfbce-9ea0-45b0-9386-020c0ff54a49"
NO_WORDS = "make_instrumental: an instrumental has no words to sing: leave prompt empty"
NO_VOICE = "make_instrumental: an instrumental has no voice: leave vocal_gender empty"
SUNG = Metadata(vocal_gender="m")
WRONG = [
    (lambda: Extend(CLIP, -1), "Extend.continue_at: must be zero or more seconds"),
    (lambda: Extend(CLIP, -0.5), "Extend.continue_at: must be zero or more seconds"),
    (lambda: Extend(CLIP, 80, make_instrumental=True, prompt="la"), f"Extend.{NO_WORDS}"),
    (lambda: Extend(CLIP, 80, make_instrumental=True, metadata=SUNG), f"Extend.{NO_VOICE}"),
    (lambda: Concat(""), "Concat.clip_id: must not be empty"),
    (lambda: Concat(CLIP, is_infill="no"), "Concat.is_infill: expected `bool`, got `str`"),
    (lambda: Cover(""), "Cover.cover_clip_id: must not be empty"),
    (lambda: Cover(CLIP, "la", make_instrumental=True), f"Cover.{NO_WORDS}"),
    (lambda: Cover(CLIP, make_instrumental=True, metadata=SUNG), f"Cover.{NO_VOICE}"),
    (lambda: ReplaceSection("", 1, 2), "ReplaceSection.continue_clip_id: must not be empty"),
    (lambda: ReplaceSection(CLIP, -1, 2), "ReplaceSection.infill_start_s: must be zero or more seconds"),
    (lambda: ReplaceSection(CLIP, 2, 2), "ReplaceSection.infill_end_s: must be later than infill_start_s"),
    (lambda: ReplaceSection(CLIP, 3, 2), "ReplaceSection.infill_end_s: must be later than infill_start_s"),
    (lambda: ReplaceSection(CLIP, 1, 2, "la", make_instrumental=True), f"ReplaceSection.{NO_WORDS}"),
    (lambda: ReplaceSection(CLIP, 1, 2, make_instrumental=True, metadata=SUNG), f"ReplaceSection.{NO_VOICE}"),
    (lambda: Stems(""), "Stems.continue_clip_id: must not be empty"),
]


@pytest.mark.parametrize(("make", "said"), WRONG, ids=[f"{number}-{row[1][:40]}" for number, row in enumerate(WRONG)])
def test_contradictions_are_refused(make, said):
    """What two fields say against each other raises ConfigurationError that names struct and field."""
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert str(caught.value) == said


@pytest.mark.parametrize(
    "make",
    [
        lambda: Extend(CLIP, 80, prompt="la", metadata=SUNG),
        lambda: Cover(CLIP, "la", metadata=SUNG),
        lambda: ReplaceSection(CLIP, 1, 2, "la", metadata=SUNG),
    ],
    ids=["extend", "cover", "section"],
)
def test_an_edit_that_is_sung_has_words_and_a_voice(make):
    """Only an instrumental has neither."""
    body = json.loads(make().encode())
    assert (body["prompt"], body["metadata"]) == ("la", {"vocal_gender": "m"})


@QUICK
@given(st.floats() | st.integers(-5, 500), st.floats() | st.integers(-5, 500))
def test_a_section_has_a_beginning_and_a_later_end(start, end):
    """A section is taken if it lies within time and lasts, and then goes out as it was given."""
    if 0 <= start < end < float("inf"):
        body = json.loads(ReplaceSection(CLIP, start, end).encode())
        assert (body["infill_start_s"], body["infill_end_s"]) == (start, end)
    else:
        with pytest.raises(ConfigurationError, match=r"^ReplaceSection\.infill_(start|end)_s: "):
            ReplaceSection(CLIP, start, end)


FIXED = [
    (Extend(CLIP, 0), {"task": "extend"}),
    (Extend(CLIP, 0, task="upload_extend"), {"task": "upload_extend"}),
    (Cover(CLIP), {"task": "cover"}),
    (ReplaceSection(CLIP, 0, 1), {"task": "infill"}),
    (
        Stems(CLIP),
        {
            "task": "gen_stem",
            "make_instrumental": True,
            "stem_type_id": 91,
            "stem_type_group_name": "Two",
            "stem_task": "two",
            "mv": "chirp-auk",
        },
    ),
    (
        Stems(CLIP, "twelve", mv="chirp-v3-0"),
        {
            "task": "gen_stem",
            "make_instrumental": True,
            "stem_type_id": 91,
            "stem_type_group_name": "Twelve",
            "stem_task": "twelve",
            "mv": "chirp-v3-0",
        },
    ),
]


@pytest.mark.parametrize(("body", "always"), FIXED, ids=lambda value: type(value).__name__)
def test_what_belongs_to_a_scene_is_always_sent(body, always):
    """What a gateway knows the scene by is sent, set or not; a choice that takes several fields is made once."""
    sent = json.loads(body.encode())
    assert {name: sent[name] for name in always} == always
    assert sent.keys() <= always.keys() | set(body.__struct_fields__)


@pytest.mark.parametrize(
    ("kind", "place", "field"),
    [
        (Cover, (), "task"),
        (ReplaceSection, (1, 2), "task"),
        (Stems, (), "task"),
        (Stems, (), "stem_type_id"),
        (Stems, (), "stem_type_group_name"),
        (Stems, (), "make_instrumental"),
        (Concat, (), "task"),
    ],
)
def test_what_is_always_the_same_is_no_field(kind, place, field):
    """A value that could only be got wrong cannot be passed."""
    with pytest.raises(TypeError, match=field):
        kind(CLIP, *place, **{field: "x"})


def test_positions_of_a_continuation_are_as_they_always_were():
    """Nine fields by position, in the order they go out in; what came later stands behind them."""
    body = Extend(CLIP, 80, "t", "", "pop", "T", "m", True, "https://h")
    names = "continue_clip_id continue_at task_id tags title mv make_instrumental notify_hook task"
    assert " ".join(json.loads(body.encode())) == names
    assert json.loads(body.encode()) == {name: getattr(body, name) for name in names.split()}


def test_whole_seconds_stay_whole():
    """A number of seconds goes out as it was given: gateways that log bodies are read by people, and 80 is 80."""
    assert b'"continue_at":80,' in Extend(CLIP, 80).encode()
    assert b'"continue_at":80.5,' in Extend(CLIP, 80.5).encode()
