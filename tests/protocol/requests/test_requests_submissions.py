"""The submissions: what goes over the wire for each scene."""

import ast
import inspect
import json
import math
import textwrap
from typing import get_args

import msgspec
import pytest

from suno_async.protocol.errors import ConfigurationError
from suno_async.protocol.requests import (
    Concat,
    Cover,
    Custom,
    Extend,
    Inspiration,
    Metadata,
    PersonaSong,
    ReplaceSection,
    Stems,
    Submission,
    Submittable,
    WriteLyrics,
    submission,
)
from suno_async.testing.gateway.submissions import FIELDS

WORDS = (
    "[Verse]\nWalking down the streets\nBeneath the city lights\nNeon signs flickering\nLighting up the night\n"
    "Heart beating faster\nLike a drum in my chest\nI'm alive in this moment\nFeeling so blessed"
)
TASK, CLIP = "736a6f88-bd29-4b1e-b110-37132a5325ac", "ce2cfbce-9ea0-45b0-9386-020c0ff54a49"
PERSONA, HOOK = "0f6e8077-a7ba-4fc8-8f60-de02c66e56ce", "https://me/h"

#: the bodies of the documents that users start from, scene by scene: one without and one with all the rest
SCENES = {
    "1 inspiration": (Inspiration("cat"), "music", {"gpt_description_prompt": "cat"}),
    "1 inspiration, all": (
        Inspiration("cat", mv="chirp-v9000 (beta)", notify_hook="http://me/h", metadata=Metadata(vocal_gender="f")),
        "music",
        {
            "gpt_description_prompt": "cat",
            "mv": "chirp-v9000 (beta)",
            "notify_hook": "http://me/h",
            "metadata": {"vocal_gender": "f"},
        },
    ),
    "2 custom": (
        Custom(WORDS, tags="emotional punk", mv="chirp-v3-0", title="City Lights"),
        "music",
        {"prompt": WORDS, "tags": "emotional punk", "mv": "chirp-v3-0", "title": "City Lights"},
    ),
    "2 custom, all": (
        Custom(
            "我爱猫 \U0001f431",
            negative_tags="jazz",
            notify_hook=HOOK,
            metadata=Metadata("custom", "m", {"style_weight": 0.5}, ("style_weight",)),
        ),
        "music",
        {
            "prompt": "我爱猫 \U0001f431",
            "negative_tags": "jazz",
            "notify_hook": HOOK,
            "metadata": {
                "create_mode": "custom",
                "vocal_gender": "m",
                "control_sliders": {"style_weight": 0.5},
                "can_control_sliders": ["style_weight"],
            },
        },
    ),
    "3 instrumental, custom": (
        Custom(tags="heavy metal", title="北京", mv="chirp-v3-5", make_instrumental=True),
        "music",
        {"tags": "heavy metal", "title": "北京", "mv": "chirp-v3-5", "make_instrumental": True},
    ),
    "4 instrumental, inspiration": (
        Inspiration("一首关于彻夜跳舞的流行歌曲", mv="chirp-v3-5", make_instrumental=True),
        "music",
        {"gpt_description_prompt": "一首关于彻夜跳舞的流行歌曲", "mv": "chirp-v3-5", "make_instrumental": True},
    ),
    "5 and 10 continuation of an upload": (
        Extend(CLIP, 10, prompt="歌词", mv="chirp-v4", title="标题", task="upload_extend"),
        "music",
        {
            "prompt": "歌词",
            "mv": "chirp-v4",
            "title": "标题",
            "continue_clip_id": CLIP,
            "continue_at": 10,
            "task": "upload_extend",
        },
    ),
    "6 continuation": (
        Extend(
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
            "task": "extend",
        },
    ),
    "6 continuation, all": (
        Extend(CLIP, 12.5, make_instrumental=True, negative_tags="jazz", notify_hook=HOOK, metadata=Metadata("custom")),
        "music",
        {
            "continue_clip_id": CLIP,
            "continue_at": 12.5,
            "make_instrumental": True,
            "negative_tags": "jazz",
            "notify_hook": HOOK,
            "metadata": {"create_mode": "custom"},
            "task": "extend",
        },
    ),
    "6 the whole song": (Concat(CLIP), "concat", {"clip_id": CLIP}),
    "7 cover": (
        Cover(CLIP, WORDS, tags="rock, punk", mv="chirp-v4-tau", title="工作 (Cover)"),
        "music",
        {
            "prompt": WORDS,
            "tags": "rock, punk",
            "mv": "chirp-v4-tau",
            "title": "工作 (Cover)",
            "task": "cover",
            "cover_clip_id": CLIP,
        },
    ),
    "7 cover, all": (
        Cover(
            CLIP,
            make_instrumental=True,
            notify_hook=HOOK,
            negative_tags="jazz",
            metadata=Metadata(control_sliders={"audio_weight": 1}, is_remix=True),
            task_id=TASK,
        ),
        "music",
        {
            "cover_clip_id": CLIP,
            "make_instrumental": True,
            "notify_hook": HOOK,
            "negative_tags": "jazz",
            "metadata": {"control_sliders": {"audio_weight": 1.0}, "is_remix": True},
            "task_id": TASK,
            "task": "cover",
        },
    ),
    "8 another section": (
        ReplaceSection(CLIP, 50, 64.8, WORDS, tags="rock, punk", mv="chirp-v3-5-tau", title="工作 (replace)"),
        "music",
        {
            "prompt": WORDS,
            "tags": "rock, punk",
            "mv": "chirp-v3-5-tau",
            "title": "工作 (replace)",
            "continue_clip_id": CLIP,
            "infill_start_s": 50,
            "infill_end_s": 64.8,
            "task": "infill",
        },
    ),
    "8 another section, all": (
        ReplaceSection(
            CLIP,
            0,
            1,
            make_instrumental=True,
            notify_hook=HOOK,
            negative_tags="jazz",
            metadata=Metadata("custom"),
            continued_aligned_prompt="la",
            task_id=TASK,
        ),
        "music",
        {
            "continue_clip_id": CLIP,
            "infill_start_s": 0,
            "infill_end_s": 1,
            "make_instrumental": True,
            "notify_hook": HOOK,
            "negative_tags": "jazz",
            "metadata": {"create_mode": "custom"},
            "continued_aligned_prompt": "la",
            "task_id": TASK,
            "task": "infill",
        },
    ),
    "8 the whole song": (Concat(CLIP, is_infill=True), "concat", {"clip_id": CLIP, "is_infill": True}),
    "9 persona": (
        PersonaSong(PERSONA, CLIP, WORDS, tags="electronic, pop", mv="chirp-v4-tau", title="老公"),
        "music",
        {
            "prompt": WORDS,
            "tags": "electronic, pop",
            "mv": "chirp-v4-tau",
            "title": "老公",
            "task": "artist_consistency",
            "persona_id": PERSONA,
            "artist_clip_id": CLIP,
        },
    ),
    "9 persona, all": (
        PersonaSong(
            PERSONA,
            CLIP,
            make_instrumental=True,
            notify_hook=HOOK,
            negative_tags="jazz",
            metadata=Metadata(control_sliders={"audio_weight": 0}),
            task_id=TASK,
        ),
        "music",
        {
            "persona_id": PERSONA,
            "artist_clip_id": CLIP,
            "make_instrumental": True,
            "notify_hook": HOOK,
            "negative_tags": "jazz",
            "metadata": {"control_sliders": {"audio_weight": 0.0}},
            "task_id": TASK,
            "task": "artist_consistency",
        },
    ),
    "two stems": (
        Stems(CLIP, title="安全之弦"),
        "music",
        {
            "task": "gen_stem",
            "title": "安全之弦",
            "mv": "chirp-auk",
            "make_instrumental": True,
            "continue_clip_id": CLIP,
            "stem_type_id": 91,
            "stem_type_group_name": "Two",
            "stem_task": "two",
        },
    ),
    "twelve stems": (
        Stems(CLIP, "twelve", task_id=TASK, notify_hook=HOOK),
        "music",
        {
            "task": "gen_stem",
            "task_id": TASK,
            "mv": "chirp-auk",
            "make_instrumental": True,
            "notify_hook": HOOK,
            "continue_clip_id": CLIP,
            "stem_type_id": 91,
            "stem_type_group_name": "Twelve",
            "stem_task": "twelve",
        },
    ),
    "lyrics": (WriteLyrics("dance"), "lyrics", {"prompt": "dance"}),
    "lyrics, all": (WriteLyrics("dance", HOOK), "lyrics", {"prompt": "dance", "notify_hook": HOOK}),
    "anything": (Submission("sound", {"a": [True, None]}), "sound", {"a": [True, None]}),
    "anything with a path": (Submission("music/custom", {}), "music/custom", {}),
    "anything in capitals": (
        Submission("UPSAMPLE_TAGS", {"tags": ["流行"], "x": None}),
        "UPSAMPLE_TAGS",
        {"tags": ["流行"], "x": None},
    ),
}


@pytest.mark.parametrize("scene", SCENES)
def test_what_goes_over_the_wire(scene):
    """A scene is a POST with exactly the fields that were set and those it is known by, under the wire's own names."""
    body, action, fields = SCENES[scene]
    request = submission(body)
    assert (request.method, request.path) == ("POST", f"/suno/submit/{action}")
    assert json.loads(request.body) == fields


def test_every_field_is_sent_somewhere():
    """The table of scenes leaves out no struct, and no field of one."""
    for kind in get_args(Submittable)[:-1]:
        sent = set().union(*(fields for body, _, fields in SCENES.values() if type(body) is kind))
        assert sent >= set(kind.__struct_fields__), kind


def test_what_was_not_set_says_nothing():
    """A field that nobody set is empty, false or None, but for the three that choose a way to make it."""
    chosen = {(Extend, "task"): "extend", (Stems, "stem_task"): "two", (Stems, "mv"): "chirp-auk"}
    for kind in (*get_args(Submittable)[:-1], Metadata):
        for field in msgspec.structs.fields(kind):
            if not field.required:
                default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
                expected = chosen.get((kind, field.name))
                assert default == expected if expected else not default, (kind, field.name)


def test_equal_submissions_are_equal_bytes():
    """The same fields are the same bytes, in whatever order they were named: idempotency keys compare them."""
    one = Cover(CLIP, tags="pop", metadata=Metadata(is_remix=True, vocal_gender="f"), title="T")
    two = Cover(title="T", metadata=Metadata(vocal_gender="f", is_remix=True), tags="pop", cover_clip_id=CLIP)
    assert submission(one).body == submission(two).body == submission(one).body


def test_text_is_sent_as_utf8():
    """Words of any script go out as they are, not as escapes."""
    assert "我爱猫".encode() in submission(Custom("我爱猫")).body
    assert "我爱猫".encode() in submission(Submission("x", {"a": "我爱猫"})).body


def documented(kind: type) -> dict[str, str]:
    """The docstring of each field of a struct, "" for one without."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    found = {}
    for field, then in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign):
            told = isinstance(then, ast.Expr) and isinstance(then.value, ast.Constant)
            found[field.target.id] = " ".join(then.value.value.split()) if told else ""
    return found


@pytest.mark.parametrize("kind", [kind for kind in get_args(Submittable)[:-1] if kind is not Concat])
def test_what_stock_gateways_drop_is_said_where_it_is_set(kind):
    """Every field that stock new-api drops says so, and no other one; what is always sent is named above."""
    told = documented(kind)
    for name in kind.__struct_fields__:
        assert ("Stock new-api drops it without a word" in told[name]) is (name not in FIELDS), name
    always = json.loads(submission(next(body for body, *_ in SCENES.values() if type(body) is kind)).body)
    for name in always.keys() - set(kind.__struct_fields__):
        assert f"``{name}``" in inspect.getdoc(kind), name


def test_stock_gateways_have_no_concat():
    """The struct whose action stock new-api does not know says what comes of it."""
    assert "answers 503, no channel for model suno_concat" in inspect.getdoc(Concat)


LONE = "half \ud83c"
WRONG = [
    (lambda: Submission("concat", [("a", 1)]), "Submission.body: must be a mapping"),
    (lambda: Submission("concat", {1: "a"}), "Submission.body: must be a mapping"),
    (lambda: Submission("concat", None), "Submission.body: must be a mapping from field names to JSON values"),
    (lambda: Submission("../user", {}), "'../user' is no action"),
    (lambda: Submission("a?b", {}), "'a?b' is no action"),
    (lambda: Submission(None, {}), "None is no action"),
]


@pytest.mark.parametrize(("make", "said"), WRONG, ids=[f"{number}-{row[1][:40]}" for number, row in enumerate(WRONG)])
def test_anything_else_is_an_action_and_a_mapping(make, said):
    """What has no action that fits in a path, or no field names, is refused when it is made."""
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("kind", [*get_args(Submittable), Metadata], ids=lambda kind: kind.__name__)
def test_what_was_checked_does_not_change(kind):
    """No field of any struct can be set behind the back of its checks."""
    assert kind.__struct_config__.frozen


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


@pytest.mark.parametrize(
    "body", [None, {}, {"prompt": "la"}, "a song", b"{}", Inspiration, 5, Metadata()], ids=lambda body: ascii(body)[:20]
)
def test_other_things_cannot_be_submitted(body):
    """What is no submission is refused with what it is and what to pass instead."""
    with pytest.raises(ConfigurationError) as caught:
        submission(body)
    assert str(caught.value) == (
        f"a {type(body).__name__} cannot be submitted: pass Inspiration(...), Custom(...), Extend(...), Concat(...),"
        " Cover(...), ReplaceSection(...), PersonaSong(...), Stems(...), WriteLyrics(...) or Submission(action, body)"
    )
