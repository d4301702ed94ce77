"""What can be submitted."""

import json
import math

import msgspec
import pytest

from suno_async.protocol.errors import ConfigurationError
from suno_async.protocol.requests import Custom, Extend, Inspiration, Submission, WriteLyrics, submission

WORDS = (
    "[Verse]\nWalking down the streets\nBeneath the city lights\nNeon signs flickering\nLighting up the night\n"
    "Heart beating faster\nLike a drum in my chest\nI'm alive in this moment\nFeeling so blessed"
)
TASK, CLIP = "736a6f88-bd29-4b1e-b110-37132a5325ac", "ce2cfbce-9ea0-45b0-9386-020c0ff54a49"

#: the three bodies of the user's own document (seeds/001), its lyrics, and what else there is
SENT = [
    (lambda: Inspiration("cat"), "music", {"gpt_description_prompt": "cat"}),
    (
        lambda: Custom(WORDS, tags="emotional punk", mv="chirp-v3-0", title="City Lights"),
        "music",
        {"prompt": WORDS, "tags": "emotional punk", "mv": "chirp-v3-0", "title": "City Lights"},
    ),
    (
        lambda: Extend(
            prompt=WORDS,
            tags="bass-driven atmospheric heavy metal",
            mv="chirp-v3-0",
            title="City Lights",
            task_id=TASK,
            continue_clip_id=CLIP,
            continue_at=80,
        ),
        "music",
        {
            "prompt": WORDS,
            "tags": "bass-driven atmospheric heavy metal",
            "mv": "chirp-v3-0",
            "title": "City Lights",
            "task_id": TASK,
            "continue_clip_id": CLIP,
            "continue_at": 80,
        },
    ),
    (lambda: WriteLyrics("dance"), "lyrics", {"prompt": "dance"}),
    (
        lambda: WriteLyrics("dance", notify_hook="https://me/h"),
        "lyrics",
        {"prompt": "dance", "notify_hook": "https://me/h"},
    ),
    (
        lambda: Inspiration("cat", make_instrumental=True, mv="chirp-v9000 (beta)", notify_hook="http://me/h"),
        "music",
        {
            "gpt_description_prompt": "cat",
            "make_instrumental": True,
            "mv": "chirp-v9000 (beta)",
            "notify_hook": "http://me/h",
        },
    ),
    (lambda: Custom(tags="ambient", make_instrumental=True), "music", {"tags": "ambient", "make_instrumental": True}),
    (lambda: Extend(CLIP, 0), "music", {"continue_clip_id": CLIP, "continue_at": 0}),
    (
        lambda: Extend(CLIP, 12.5, make_instrumental=True),
        "music",
        {"continue_clip_id": CLIP, "continue_at": 12.5, "make_instrumental": True},
    ),
    (lambda: Custom("我爱猫 \U0001f431"), "music", {"prompt": "我爱猫 \U0001f431"}),
    (
        lambda: Submission("concat", {"clip_id": "c", "is_infill": False}),
        "concat",
        {"clip_id": "c", "is_infill": False},
    ),
    (lambda: Submission("music/custom", {}), "music/custom", {}),
    (
        lambda: Submission("UPSAMPLE_TAGS", {"tags": ["流行"], "x": None}),
        "UPSAMPLE_TAGS",
        {"tags": ["流行"], "x": None},
    ),
]


@pytest.mark.parametrize(
    ("make", "action", "fields"), SENT, ids=[f"{number}-{row[1]}" for number, row in enumerate(SENT)]
)
def test_what_goes_over_the_wire(make, action, fields):
    """A submission is a POST with exactly the fields that were set, under the wire's own names."""
    request = submission(make())
    assert (request.method, request.path) == ("POST", f"/suno/submit/{action}")
    assert json.loads(request.body) == fields


def test_text_is_sent_as_utf8():
    """Words of any script go out as they are, not as escapes."""
    assert "我爱猫".encode() in submission(Custom("我爱猫")).body
    assert "我爱猫".encode() in submission(Submission("x", {"a": "我爱猫"})).body


LONE = "half \ud83c"
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
    (lambda: Inspiration("cat", notify_hook=1), "Inspiration.notify_hook: expected `str`, got `int`"),
    (Custom, "Custom.prompt: must not be empty, unless make_instrumental=True"),
    (lambda: Custom("  "), "Custom.prompt: must not be empty"),
    (lambda: Custom("la", make_instrumental=True), "Custom.make_instrumental: an instrumental has no words"),
    (lambda: Custom(["la"]), "Custom.prompt: expected `str`, got `array`"),
    (lambda: Custom("la", tags=["pop"]), "Custom.tags: expected `str`, got `array`"),
    (lambda: Custom("la", title=7), "Custom.title: expected `str`, got `int`"),
    (lambda: Custom("la", title=LONE), "Custom.title: holds half"),
    (lambda: Custom("la", title="\ud800"), "Custom.title: holds half"),
    (lambda: Custom("la", title="\udfff"), "Custom.title: holds half"),
    (lambda: Custom("la", notify_hook="javascript:x"), "Custom.notify_hook: must be an http"),
    (lambda: Extend("", 80), "Extend.continue_clip_id: must not be empty"),
    (lambda: Extend(CLIP, "120"), "Extend.continue_at: expected `float`, got `str`"),
    (lambda: Extend(CLIP, None), "Extend.continue_at: expected `float`, got `null`"),
    (lambda: Extend(CLIP, True), "Extend.continue_at: expected `float`, got `bool`"),
    (lambda: Extend(CLIP, math.nan), "Extend.continue_at: must be a finite number"),
    (lambda: Extend(CLIP, math.inf), "Extend.continue_at: must be a finite number"),
    (lambda: Extend(CLIP, -1), "Extend.continue_at: must be zero or more seconds"),
    (lambda: Extend(CLIP, -0.5), "Extend.continue_at: must be zero or more seconds"),
    (lambda: Extend(CLIP, 10**400), "Extend.continue_at: "),
    (lambda: Extend(CLIP, 80, make_instrumental=True, prompt="la"), "Extend.make_instrumental: an instrumental"),
    (lambda: WriteLyrics(""), "WriteLyrics.prompt: must not be empty"),
    (lambda: WriteLyrics({}), "WriteLyrics.prompt: expected `str`, got `object`"),
    (lambda: Submission("concat", [("a", 1)]), "Submission.body: must be a mapping"),
    (lambda: Submission("concat", {1: "a"}), "Submission.body: must be a mapping"),
    (lambda: Submission("concat", None), "Submission.body: must be a mapping from field names to JSON values"),
    (lambda: Submission("../user", {}), "'../user' is no action"),
    (lambda: Submission("a?b", {}), "'a?b' is no action"),
    (lambda: Submission(None, {}), "None is no action"),
]


@pytest.mark.parametrize(("make", "said"), WRONG, ids=[f"{number}-{row[1][:40]}" for number, row in enumerate(WRONG)])
def test_what_cannot_be_right_is_refused_when_it_is_made(make, said):
    """A wrong type, a contradiction or an empty field raises ConfigurationError that names struct and field."""
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert str(caught.value).startswith(said)
    assert caught.value.__cause__ is None


LOOP: dict = {}
LOOP["self"] = LOOP
DEEP: dict = {}
for _ in range(5000):
    DEEP = {"a": DEEP}
NO_JSON = {
    "NaN": {"a": math.nan},
    "nested NaN": {"a": [{"b": math.nan}]},
    "nested infinity": {"a": {"b": [-math.inf]}},
    "bytes": {"a": b"x"},
    "object": {"a": object()},
    "set": {"a": {1}},
    "loop": LOOP,
    "deep": DEEP,
    "surrogate": {"a": [LONE]},
    "key of a tuple": {"a": {(1, 2): 3}},
    "endless digits": {"a": 10**5000},
}


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json_is_refused_before_it_is_sent(body):
    """A body that has no JSON form raises ConfigurationError that names the field and can itself be printed."""
    with pytest.raises(ConfigurationError, match=r"^Submission.body: cannot be written as JSON: ") as caught:
        submission(Submission("concat", body))
    assert str(caught.value).encode()
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("body", [None, {}, {"prompt": "la"}, "a song", b"{}", Inspiration, 5], ids=ascii)
def test_other_things_cannot_be_submitted(body):
    """What is no submission is refused with what it is and what to pass instead."""
    with pytest.raises(ConfigurationError) as caught:
        submission(body)
    assert str(caught.value) == (
        f"a {type(body).__name__} cannot be submitted: pass Inspiration(...), Custom(...), Extend(...),"
        " WriteLyrics(...) or Submission(action, body)"
    )


def test_a_struct_is_checked_again_when_it_is_changed():
    """A copy with other fields is checked like a new one."""
    with pytest.raises(ConfigurationError, match=r"Inspiration\.gpt_description_prompt"):
        msgspec.structs.replace(Inspiration("cat"), gpt_description_prompt="")


@pytest.mark.parametrize("field", ["negative_tags", "lyrics"])
def test_a_field_nobody_knows_is_a_mistake(field):
    """A misspelt field does not vanish: stock gateways would drop it without a word."""
    with pytest.raises(TypeError, match=field):
        Custom("la", **{field: "x"})
