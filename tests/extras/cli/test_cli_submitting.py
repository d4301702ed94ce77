"""submit: what each command would send, and what is refused before anything is opened."""

import pytest


def test_every_kind(cli, sent, stdin):
    """Every kind has the wire's own field names as flags."""
    cli("submit", "inspiration", "a cat", "--make-instrumental", "--mv", "m", "--notify-hook", "https://h")
    cli("submit", "custom", "--prompt", "la", "--tags", "t", "--title", "T", "--negative-tags", "n")
    stdin('{"clip_id": "c"}')
    cli("submit", "wav", "--body", "-")
    stdin("a long\npoem")
    cli("submit", "lyrics", "-")
    assert sent == [
        (
            "music",
            {"gpt_description_prompt": "a cat", "make_instrumental": True, "mv": "m", "notify_hook": "https://h"},
        ),
        ("music", {"prompt": "la", "tags": "t", "title": "T", "negative_tags": "n"}),
        ("wav", {"clip_id": "c"}),
        ("lyrics", {"prompt": "a long\npoem"}),
    ]


def test_how_it_sounds(cli, sent):
    """The singer and the sliders are one object on the wire, for a description and for words."""
    cli("submit", "inspiration", "a cat", "--vocal-gender", "f")
    cli("submit", "custom", "la", "--vocal-gender", "m", "--style-weight", "1", "--weirdness-constraint", "0.2")
    assert [body["metadata"] for _, body in sent] == [
        {"vocal_gender": "f"},
        {"vocal_gender": "m", "control_sliders": {"style_weight": 1, "weirdness_constraint": 0.2}},
    ]


def test_words_from_a_file(cli, sent, tmp_path):
    """Long words come from a file."""
    (tmp_path / "words.txt").write_text("la\nla")
    cli("submit", "custom", "--prompt", "@words.txt")
    assert sent[0][1] == {"prompt": "la\nla"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["custom"], "Custom.prompt: must not be empty"),
        (["inspiration", " "], "gpt_description_prompt: must not be empty"),
        (["custom", "--prompt", "@gone"], "gone cannot be read"),
        (
            ["custom", "la", "--style-weight", "70"],
            "control_sliders['style_weight'] must be a number from 0 to 1, not 70",
        ),
        (["custom", "la", "--vocal-gender", "female"], "female"),
        (["custom", "la", "--audio-weight", "0.5"], "--audio-weight"),
        (["inspiration", "a cat", "--negative-tags", "jazz"], "--negative-tags"),
        (["wav", "--body", "{"], "--body is no JSON"),
        (["wav", "--body", "[]"], "--body must be a JSON object"),
        (["con cat", "--body", "{}"], "is no action"),
        (["wav"], "--body"),
    ],
)
def test_usage(cli, words, said):
    """What cannot be submitted is a 2, before anything is opened."""
    ended = cli("submit", *words)
    assert (ended.code, ended.out, said in ended.err, ended.err.count("\n")) == (2, "", True, 1)


@pytest.mark.parametrize(
    "edit", ["extend", "concat", "cover", "replace", "persona", "stems", "inspiration", "custom", "lyrics"]
)
def test_every_kind_is_a_command(cli, edit):
    """Each scene is a command of its own, and in the list of commands."""
    ended = cli("submit", edit, "--help")
    assert (ended.code, f"submit {edit}" in ended.out, "--json" in ended.out) == (0, True, True)
    assert f" {edit} " in cli("submit", "--help").out
