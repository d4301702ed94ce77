"""submit, against a local gateway."""

import json

import pytest

from suno_async.extras.cli import submitting
from suno_async.protocol import requests


@pytest.fixture
def sent(monkeypatch):
    """What would be submitted: action and body."""
    bodies = []

    def keep(make, after, options):
        body = make()
        bodies.append((body.action, json.loads(requests.submission(body).body)))
        return 0

    monkeypatch.setattr(submitting, "_submit", keep)
    return bodies


def test_every_kind(cli, sent, stdin):
    """Every kind has the wire's own field names as flags."""
    cli("submit", "inspiration", "a cat", "--make-instrumental", "--mv", "m", "--notify-hook", "https://h")
    cli("submit", "custom", "--prompt", "la", "--tags", "t", "--title", "T")
    cli("submit", "extend", "--continue-clip-id", "c", "--continue-at", "80.5", "--task-id", "t", "--prompt", "la")
    stdin('{"clip_id": "c"}')
    cli("submit", "concat", "--body", "-")
    stdin("a long\npoem")
    cli("submit", "lyrics", "-")
    assert sent == [
        (
            "music",
            {"gpt_description_prompt": "a cat", "make_instrumental": True, "mv": "m", "notify_hook": "https://h"},
        ),
        ("music", {"prompt": "la", "tags": "t", "title": "T"}),
        ("music", {"continue_clip_id": "c", "continue_at": 80.5, "task_id": "t", "prompt": "la"}),
        ("concat", {"clip_id": "c"}),
        ("lyrics", {"prompt": "a long\npoem"}),
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
        (["concat", "--body", "{"], "--body is no JSON"),
        (["concat", "--body", "[]"], "--body must be a JSON object"),
        (["con cat", "--body", "{}"], "is no action"),
        (["concat"], "--body"),
        (["extend", "--continue-clip-id", "c", "--continue-at", "soon"], "soon"),
    ],
)
def test_usage(cli, words, said):
    """What cannot be submitted is a 2, before anything is opened."""
    ended = cli("submit", *words)
    assert (ended.code, ended.out, said in ended.err, ended.err.count("\n")) == (2, "", True, 1)


def test_id(cli, gateway):
    """A submission prints the id and nothing else, or an object."""
    ended = cli("submit", "inspiration", "a cat")
    assert (ended.code, ended.err) == (0, "")
    assert cli("fetch", ended.out.strip(), "--json").lines[0]["status"] == "NOT_START"
    assert cli("submit", "lyrics", "a dog", "--json").lines[0].keys() == {"task_id"}


def test_wait(cli, make_gateway, monkeypatch):
    """With --wait the task is waited for, and the id is told at once on stderr."""
    served = make_gateway(speed=500, beat=1)
    monkeypatch.setenv("SUNO_API_KEY", served.api_key)
    ended = cli("submit", "lyrics", "a dog", "--wait", "--json", "--base-url", served.url, "--every", "0.05")
    (task,) = ended.lines
    assert (ended.code, task["status"]) == (0, "SUCCESS")
    assert task["lyrics"]["text"]
    assert ended.err == f"suno-async: submitted as {task['task_id']}\n"


def test_interrupted(cli, gateway, interrupt):
    """Ctrl-C while it is waited for prints how to go on."""
    interrupt(lambda: gateway.counts["singles"])
    ended = cli("submit", "lyrics", "a dog", "--wait", "--every", "0.05")
    task_id = ended.err.split()[3]
    assert ended.code == 130
    assert ended.err.splitlines()[-1].split() == ["suno-async", "wait", "--every", "0.05", task_id]


def test_interrupted_on_its_way(cli, make_gateway, monkeypatch, interrupt, caplog):
    """Ctrl-C while the answer is on its way reads it to its end, and tells the id."""
    served = make_gateway(speed=40)
    monkeypatch.setenv("SUNO_API_KEY", served.api_key)
    served.faults.once("drip")
    monkeypatch.setattr("suno_async.extras.cli.running._PATIENCE", 0.01)
    interrupt(lambda: served.counts["accepted"])
    ended = cli("submit", "lyrics", "a dog", "--wait", "--base-url", served.url)
    assert (ended.code, ended.out) == (130, "")
    assert "once more stops at once" in ended.err
    assert "suno-async wait ID" in ended.err
    assert "task_" in caplog.text


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("answer_lost", 6, "before you submit it again"),
        ("upstream_refuses", 1, "prompt was refused"),
        ("out_of_credit", 4, "add credit"),
        ("overloaded", 5, "try again later"),
        ("rate_limited", 5, "try again later"),
    ],
)
def test_refusals(cli, gateway, fault, code, said):
    """What became of a submission is told by the exit code, in one line."""
    gateway.faults.once(fault)
    ended = cli("submit", "inspiration", "a cat")
    assert (ended.code, ended.out, said in ended.err, ended.err.count("\n")) == (code, "", True, 1)
