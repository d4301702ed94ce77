"""The checked struct: what is refused when it is made, whichever struct it is."""

import json
import math
import urllib.parse

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.errors import ConfigurationError
from suno_async.protocol.requests import Custom, Extend, Inspiration, Metadata, PersonaSong, Stems, WriteLyrics
from suno_async.protocol.requests.checked import Body

QUICK = settings(max_examples=200, deadline=None, derandomize=True)
CLIP = "ce2cfbce-9ea0-45b0-9386-020c0ff54a49"
LONE = "half \ud83c"
NO_ID = "is no id: one is 1 to 128 letters, digits and _ . : - as the gateway gave it"
WRONG = [
    (lambda: Inspiration(5), "Inspiration.gpt_description_prompt: expected `str`, got `int`"),
    (lambda: Inspiration(None), "Inspiration.gpt_description_prompt: expected `str`, got `null`"),
    (lambda: Inspiration(b"cat"), "Inspiration.gpt_description_prompt: "),
    (lambda: Inspiration(""), "Inspiration.gpt_description_prompt: must not be empty"),
    (lambda: Inspiration(" \n"), "Inspiration.gpt_description_prompt: must not be empty"),
    (lambda: Inspiration(LONE), "Inspiration.gpt_description_prompt: holds half of a surrogate pair"),
    (lambda: Inspiration("cat", make_instrumental="true"), "Inspiration.make_instrumental: expected `bool`, got `str`"),
    (lambda: Inspiration("cat", make_instrumental=1), "Inspiration.make_instrumental: expected `bool`, got `int`"),
    (lambda: Inspiration("cat", mv=None), "Inspiration.mv: expected `str`, got `null`"),
    (lambda: Inspiration("cat", mv=4.5), "Inspiration.mv: expected `str`, got `float`"),
    (lambda: Inspiration("cat", notify_hook="me/h"), "Inspiration.notify_hook: must be an http:// or https:// URL"),
    (lambda: Inspiration("cat", notify_hook="HTTP"), "Inspiration.notify_hook: must be an http:// or https:// URL"),
    (lambda: Inspiration("cat", notify_hook=1), "Inspiration.notify_hook: expected `str`, got `int`"),
    (lambda: Custom(["la"]), "Custom.prompt: expected `str`, got `array`"),
    (lambda: Custom("la", tags=["pop"]), "Custom.tags: expected `str`, got `array`"),
    (lambda: Custom("la", title=7), "Custom.title: expected `str`, got `int`"),
    (lambda: Custom("la", title=LONE), "Custom.title: holds half"),
    (lambda: Custom("la", title="\ud800"), "Custom.title: holds half"),
    (lambda: Custom("la", title="\udfff"), "Custom.title: holds half"),
    (lambda: Custom("la", negative_tags=LONE), "Custom.negative_tags: holds half"),
    (lambda: Custom("la", notify_hook="javascript:x"), "Custom.notify_hook: must be an http"),
    (lambda: Custom("la", metadata={"vocal_gender": "f"}), "Custom.metadata: must be a Metadata(...)"),
    (lambda: Custom("la", metadata=Custom("la")), "Custom.metadata: must be a Metadata(...)"),
    (lambda: Custom("la", metadata=5), "Custom.metadata: must be a Metadata(...)"),
    (lambda: Extend("", 80), "Extend.continue_clip_id: must not be empty"),
    (lambda: Extend(" ", 80), f"Extend.continue_clip_id: {NO_ID}"),
    (lambda: Extend("../user", 80), f"Extend.continue_clip_id: {NO_ID}"),
    (lambda: Extend(CLIP, 80, task_id="a task"), f"Extend.task_id: {NO_ID}"),
    (lambda: Extend(CLIP, 80, task_id=" "), f"Extend.task_id: {NO_ID}"),
    (lambda: PersonaSong("p/q", CLIP, "la"), f"PersonaSong.persona_id: {NO_ID}"),
    (lambda: Extend(CLIP, "120"), "Extend.continue_at: expected `float`, got `str`"),
    (lambda: Extend(CLIP, None), "Extend.continue_at: expected `float`, got `null`"),
    (lambda: Extend(CLIP, True), "Extend.continue_at: expected `float`, got `bool`"),
    (lambda: Extend(CLIP, math.nan), "Extend.continue_at: must be a finite number"),
    (lambda: Extend(CLIP, math.inf), "Extend.continue_at: must be a finite number"),
    (lambda: Extend(CLIP, 10**400), "Extend.continue_at: number out of range"),
    (lambda: Extend(CLIP, 80, task="Extend"), "Extend.task: must be one of 'extend', 'upload_extend'"),
    (lambda: Extend(CLIP, 80, task=None), "Extend.task: expected `str`, got `null`"),
    (lambda: Stems(CLIP, stem_task="Two"), "Stems.stem_task: must be one of 'two', 'twelve'"),
    (lambda: Extend(CLIP, -1), "Extend.continue_at: must be zero or more seconds"),
    (lambda: WriteLyrics({}), "WriteLyrics.prompt: expected `str`, got `object`"),
]


@pytest.mark.parametrize(("make", "said"), WRONG, ids=[f"{number}-{row[1][:40]}" for number, row in enumerate(WRONG)])
def test_what_cannot_be_right_is_refused_when_it_is_made(make, said):
    """A wrong type, an empty field or what is no text or id raises ConfigurationError that names struct and field."""
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert str(caught.value).startswith(said)
    assert caught.value.__cause__ is None


@QUICK
@given(st.text(max_size=140))
def test_an_id_that_is_taken_is_safe_anywhere(text):
    """Whatever passes as an id stands in a path without escapes, and is no step up."""
    try:
        taken = Extend(text, 5).continue_clip_id
    except ConfigurationError:
        return
    assert taken == text
    assert urllib.parse.quote(taken, safe=":") == taken
    assert taken not in {"", ".", ".."}


@pytest.mark.parametrize(
    "clip_id", [CLIP, f"{CLIP}_1", "1268154180129529857", "clip_001", "m_05c9b477-4519", "a" * 128, "a:b.c"]
)
def test_the_ids_that_gateways_give_are_taken(clip_id):
    """Each form of id that has been seen passes."""
    assert Extend(clip_id, 0, task_id=clip_id).continue_clip_id == clip_id


@pytest.mark.parametrize("url", ["http://me/h", "https://me/h"])
def test_a_hook_is_an_address_of_the_web(url):
    """With or without TLS, it is sent as it is."""
    assert json.loads(Custom("la", notify_hook=url).encode())["notify_hook"] == url


def test_a_struct_is_checked_again_when_it_is_changed():
    """A copy with other fields is checked like a new one."""
    with pytest.raises(ConfigurationError, match=r"Inspiration\.gpt_description_prompt"):
        msgspec.structs.replace(Inspiration("cat"), gpt_description_prompt="")


def test_a_struct_does_not_change():
    """A field cannot be set once it was checked."""
    with pytest.raises(AttributeError):
        Inspiration("cat").gpt_description_prompt = ""


@pytest.mark.parametrize("field", ["negative_tag", "lyrics", "generation_type"])
def test_a_field_nobody_knows_is_a_mistake(field):
    """A misspelt field does not vanish: stock gateways would drop it without a word."""
    with pytest.raises(TypeError, match=field):
        Custom("la", **{field: "x"})
    with pytest.raises(msgspec.ValidationError, match=field):
        msgspec.convert({"prompt": "la", field: "x"}, Custom)


def test_what_was_not_set_is_not_sent():
    """A field at its default stays at home, in nested structs, too; the order is the struct's own."""
    assert Custom("la").encode() == b'{"prompt":"la"}'
    body = Custom(metadata=Metadata(vocal_gender="m"), title="T", prompt="la")
    assert body.encode() == b'{"prompt":"la","title":"T","metadata":{"vocal_gender":"m"}}'
    assert Custom("la", metadata=None) == Custom("la")


def test_every_body_goes_to_music_unless_it_says_otherwise():
    """A struct that names no action of its own is a submission of music, and adds nothing to its fields."""
    assert Body.action == "music"
    assert Body().encode() == b"{}"
