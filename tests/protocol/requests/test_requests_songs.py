"""The songs, and the words, that are made from nothing but words."""

import json

import pytest

from suno_async.protocol.errors import ConfigurationError
from suno_async.protocol.requests import Custom, Inspiration, Metadata, PersonaSong, WriteLyrics

NO_WORDS = "make_instrumental: an instrumental has no words to sing: leave prompt empty"
NO_VOICE = "make_instrumental: an instrumental has no voice: leave vocal_gender empty"
SUNG = Metadata(vocal_gender="f")
WILD = Metadata(control_sliders={"weirdness_constraint": 0.9})
SOURCE = "54834687-5e79-4f08-8e14-cf188f15b598"
WRONG = [
    (lambda: Inspiration("cat", True, metadata=SUNG), f"Inspiration.{NO_VOICE}"),
    (Custom, "Custom.prompt: must not be empty, unless make_instrumental=True"),
    (lambda: Custom("  "), "Custom.prompt: must not be empty, unless make_instrumental=True"),
    (lambda: Custom("la", make_instrumental=True), f"Custom.{NO_WORDS}"),
    (lambda: Custom(make_instrumental=True, metadata=SUNG), f"Custom.{NO_VOICE}"),
    (lambda: PersonaSong("", SOURCE, "la"), "PersonaSong.persona_id: must not be empty"),
    (lambda: PersonaSong("p", "", "la"), "PersonaSong.artist_clip_id: must not be empty"),
    (lambda: PersonaSong("p", SOURCE), "PersonaSong.prompt: must not be empty, unless make_instrumental=True"),
    (lambda: PersonaSong("p", SOURCE, "la", make_instrumental=True), f"PersonaSong.{NO_WORDS}"),
    (lambda: PersonaSong("p", SOURCE, make_instrumental=True, metadata=SUNG), f"PersonaSong.{NO_VOICE}"),
    (lambda: WriteLyrics(""), "WriteLyrics.prompt: must not be empty"),
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
        lambda: Inspiration("cat", metadata=SUNG),
        lambda: Custom("la", metadata=SUNG),
        lambda: PersonaSong("p", SOURCE, "la", metadata=SUNG),
    ],
    ids=["inspiration", "custom", "persona"],
)
def test_a_song_that_is_sung_may_say_by_whom(make):
    """Only an instrumental has no voice."""
    assert json.loads(make().encode())["metadata"] == {"vocal_gender": "f"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: Inspiration("cat", True, metadata=WILD),
        lambda: Custom(make_instrumental=True, metadata=WILD),
        lambda: PersonaSong("p", SOURCE, make_instrumental=True, metadata=WILD),
    ],
    ids=["inspiration", "custom", "persona"],
)
def test_an_instrumental_in_every_mode(make):
    """An instrumental needs no words, and may be as odd as it likes."""
    body = json.loads(make().encode())
    assert body["make_instrumental"] is True
    assert body["metadata"] == {"control_sliders": {"weirdness_constraint": 0.9}}
    assert "prompt" not in body


def test_a_persona_is_asked_for_by_its_task():
    """The task is sent, though nobody set it, and cannot be set to something else."""
    assert json.loads(PersonaSong("p", SOURCE, "la").encode())["task"] == "artist_consistency"
    with pytest.raises(TypeError, match="task"):
        PersonaSong("p", SOURCE, "la", task="cover")


OLD = [
    (Inspiration("cat", True, "m", "https://h"), "gpt_description_prompt make_instrumental mv notify_hook"),
    (Custom("la", "t", "T", "m", False, "https://h"), "prompt tags title mv notify_hook"),
    (Custom("", "t", "T", "m", True, "https://h"), "tags title mv make_instrumental notify_hook"),
    (WriteLyrics("la", "https://h"), "prompt notify_hook"),
]


@pytest.mark.parametrize(("body", "names"), OLD, ids=lambda value: type(value).__name__)
def test_journals_of_earlier_versions_still_fit(body, names):
    """Positions and the order on the wire are as they always were: a key that was used goes on naming the same body."""
    assert " ".join(json.loads(body.encode())) == names
    assert json.loads(body.encode()) == {name: getattr(body, name) for name in names.split()}
