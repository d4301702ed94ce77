"""submit, for what is made from a clip."""

import pytest

ALL = [
    *(
        "--prompt",
        "la",
        "--tags",
        "t",
        "--negative-tags",
        "n",
        "--title",
        "T",
        "--mv",
        "m",
        "--notify-hook",
        "https://h",
    ),
    *("--task-id", "i", "--vocal-gender", "f", "--audio-weight", "0.5"),
]
SENT = {
    "prompt": "la",
    "tags": "t",
    "negative_tags": "n",
    "title": "T",
    "mv": "m",
    "notify_hook": "https://h",
    "task_id": "i",
    "metadata": {"vocal_gender": "f", "control_sliders": {"audio_weight": 0.5}},
}
STEMS = {"make_instrumental": True, "stem_type_id": 91, "task": "gen_stem"}
SECTION = "--infill-start-s", "50", "--infill-end-s", "64.8"


@pytest.mark.parametrize(
    ("words", "action", "body"),
    [
        (
            ["extend", "--continue-clip-id", "c", "--continue-at", "80.5", *ALL],
            "music",
            {"continue_clip_id": "c", "continue_at": 80.5, "task": "extend", **SENT},
        ),
        (
            ["extend", "--continue-clip-id", "c", "--continue-at", "0", "--upload", "--make-instrumental"],
            "music",
            {"continue_clip_id": "c", "continue_at": 0, "task": "upload_extend", "make_instrumental": True},
        ),
        (["concat", "c"], "concat", {"clip_id": "c"}),
        (["concat", "--clip-id", "c", "--is-infill"], "concat", {"clip_id": "c", "is_infill": True}),
        (["cover", "c"], "music", {"cover_clip_id": "c", "task": "cover"}),
        (["cover", "--cover-clip-id", "c", *ALL], "music", {"cover_clip_id": "c", "task": "cover", **SENT}),
        (
            ["replace", "c", *SECTION],
            "music",
            {"continue_clip_id": "c", "infill_start_s": 50, "infill_end_s": 64.8, "task": "infill"},
        ),
        (
            ["replace", "c", *SECTION, "--continued-aligned-prompt", "a", *ALL],
            "music",
            {
                "continue_clip_id": "c",
                "infill_start_s": 50,
                "infill_end_s": 64.8,
                "continued_aligned_prompt": "a",
                "task": "infill",
                **SENT,
            },
        ),
        (
            ["persona", "p", "--artist-clip-id", "c", *ALL],
            "music",
            {"persona_id": "p", "artist_clip_id": "c", "task": "artist_consistency", **SENT},
        ),
        (
            ["stems", "c"],
            "music",
            {"continue_clip_id": "c", "stem_task": "two", "stem_type_group_name": "Two", "mv": "chirp-auk", **STEMS},
        ),
        (
            ["stems", "c", "--stem-task", "twelve", "--mv", "m", "--task-id", "i", "--title", "T"],
            "music",
            {
                "continue_clip_id": "c",
                "stem_task": "twelve",
                "stem_type_group_name": "Twelve",
                "mv": "m",
                "task_id": "i",
                "title": "T",
                **STEMS,
            },
        ),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, list) else "",
)
def test_every_edit(cli, sent, words, action, body):
    """Every edit has the wire's own field names as flags, and sends what its scene is known by."""
    assert cli("submit", *words).code == 0
    assert sent == [(action, body)]


def test_words_from_stdin(cli, sent, stdin):
    """The words of an edit come from stdin, too."""
    stdin("la\nla")
    cli("submit", "cover", "c", "--prompt", "-")
    assert sent[0][1]["prompt"] == "la\nla"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["extend", "--continue-clip-id", "c", "--continue-at", "soon"], "soon"),
        (["extend", "--continue-clip-id", "a b", "--continue-at", "1"], "Extend.continue_clip_id: is no id"),
        (["concat"], "--clip-id"),
        (["concat", ""], "Concat.clip_id: must not be empty"),
        (["concat", "c", "--tags", "pop"], "--tags"),
        (
            ["cover", "c", "--make-instrumental", "--vocal-gender", "m"],
            "Cover.make_instrumental: an instrumental has no",
        ),
        (
            ["cover", "c", "--audio-weight", "-1"],
            "control_sliders['audio_weight'] must be a number from 0 to 1, not -1",
        ),
        (["cover", "c", "--prompt", "@gone"], "gone cannot be read"),
        (["replace", "c", "--infill-start-s", "5", "--infill-end-s", "5"], "infill_end_s: must be later than"),
        (["replace", "c", "--infill-start-s", "5"], "--infill-end-s"),
        (["persona", "p", "--prompt", "la"], "--artist-clip-id"),
        (["persona", "p", "--artist-clip-id", "c"], "PersonaSong.prompt: must not be empty"),
        (["stems", "c", "--stem-task", "three"], "three"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_usage(cli, words, said):
    """What cannot be submitted is a 2, before anything is opened."""
    ended = cli("submit", *words)
    assert (ended.code, ended.out, said in ended.err, ended.err.count("\n")) == (2, "", True, 1)


def test_an_edit_is_sent(cli, gateway):
    """A continuation of a finished song is accepted, and its id is an object with --json."""
    ended = cli("submit", "extend", "--continue-clip-id", "c", "--continue-at", "8", "--prompt", "la", "--json")
    assert (ended.code, ended.lines[0].keys()) == (0, {"task_id"})
    assert gateway.counts["accepted"] == 1


def test_a_gateway_without_concat(cli, gateway, monkeypatch):
    """A stock gateway says that it has no concat, in one line, with a 5."""
    monkeypatch.setattr("suno_async.protocol.limits._MOST_RESUBMITTED", 1)
    ended = cli("submit", "concat", "c")
    assert (ended.code, ended.out, "suno_concat" in ended.err, ended.err.count("\n")) == (5, "", True, 1)
