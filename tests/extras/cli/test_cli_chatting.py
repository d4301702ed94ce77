"""chat, against a local gateway and odd answers."""

import json
import re

import pytest
from wire import answer, raw, then_fin, then_stall

CLIP = "0f3a1b2c-1111-4222-8333-944445555666"
LINK = f"https://cdn1.suno.ai/{CLIP}.mp3"
HEAD = raw("HTTP/1.1 200 OK", "Content-Type: text/event-stream")


def said(*pieces):
    """A stream's chunks."""
    chunks = [json.dumps({"choices": [{"delta": {"content": piece}}]}) for piece in pieces]
    return "".join(f"data: {chunk}\n\n" for chunk in chunks).encode()


def stream(*pieces, done=b"data: [DONE]\n\n"):
    return then_fin(HEAD + said(*pieces) + done)


def test_a_chat(cli, private):
    """Its text, then a row for each song, on stdout; nothing on stderr."""
    ended = cli("chat", "a song about a cat")
    assert (ended.code, ended.err) == (0, "")
    text, _, table = ended.out.rpartition("\n\n")
    heads, *rows = table.splitlines()
    assert heads.split() == ["clip", "title", "audio"]
    assert rows
    for row in rows:
        assert row.split()[0] in text
        assert re.search(r"http://127\.0\.0\.1:\d+/audio/\S+$", row)


def test_json(cli, private):
    """One object at the end: the text as it was said, and the songs."""
    (told,) = cli("chat", "a song about a cat", "--model", "suno-v3.5", "--json").lines
    assert (told["model"], told["error"]) == ("suno-v3.5", None)
    assert all(song["id"] in told["text"] and song["audio_url"] in told["text"] for song in told["songs"])
    assert told["songs"]


def test_what_is_sent(cli, make_wire, stdin):
    """The prompt, which may come from stdin, and the model; once."""
    wire = make_wire(stream("no song"))
    stdin("a song about a dog")
    assert cli("chat", "-", "--model", "mine") == (0, "no song\n", "")
    (call,) = wire.calls
    body = json.loads(call.body)
    assert (call.path, body["model"]) == ("/v1/chat/completions", "mine")
    assert body["messages"] == [{"role": "user", "content": "a song about a dog"}]


def test_text_as_it_comes(cli, make_wire, terminal, interrupt):
    """Each piece is on stdout before the next one has come; Ctrl-C is a 130 and keeps what was said, and the songs."""

    async def step(call):
        await call.send(HEAD + said("queued\n", f"listen: {LINK} "))
        await call.stall()

    make_wire(step)
    screen = terminal("stdout")
    interrupt(lambda: LINK in screen.getvalue())
    ended = cli("chat", "a cat")
    first, second, blank, *table = screen.getvalue().splitlines()
    assert (first, second, blank) == ("queued", f"listen: {LINK} ", "")
    assert any(line.endswith(LINK) for line in table)
    assert (ended.code, ended.err.startswith("suno-async: interrupted: no gateway names the task of a chat")) == (
        130,
        True,
    )


def test_interrupted_json(cli, make_wire, interrupt):
    """Interrupted, the one object is told all the same."""

    async def step(call):
        await call.send(HEAD + said(f"listen: {LINK} "))
        await call.stall()

    wire = make_wire(step)
    interrupt(lambda: wire.asked)
    ended = cli("chat", "a cat", "--json")
    (told,) = ended.lines
    assert (ended.code, told["error"]) == (130, "interrupted")
    assert told.keys() == {"model", "text", "songs", "error"}


@pytest.mark.parametrize(
    ("step", "code", "word"),
    [
        (answer({"error": {"code": "invalid_request", "message": "no such model", "type": "x"}}, 400), 1, "rejected"),
        (answer({"error": {"code": "x", "message": "No available channel", "type": "x"}}, 503), 5, "unanswered"),
        (lambda call: call.fin(), 6, "unknown"),
        (then_fin(HEAD + said("queued")), 0, None),
        (then_fin(HEAD[:-2] + b"Content-Length: 9999\r\n\r\n" + said("queued")), 5, "cut_off"),
        (stream("queued\n", "timeout", done=b""), 3, "timeout"),
    ],
)
def test_what_goes_wrong(cli, make_wire, step, code, word):
    """The code says what it means for scripts, the object in a word, and stderr in a line; it is sent once."""
    wire = make_wire(step)
    ended = cli("chat", "a cat", "--json")
    (told,) = ended.lines
    assert (ended.code, told["error"], told["songs"], wire.asked) == (code, word, [], 1)
    assert ended.err.count("\n") == (word is not None)


def test_a_chat_that_fails(cli, make_wire):
    """What was said stays on stdout, with its last line ended, and what failed is told on stderr."""
    error = b'data: {"error": {"message": "flagged", "type": "x", "code": "moderation"}}\n\n'
    make_wire(then_fin(HEAD + said("queued") + error))
    ended = cli("chat", "a cat")
    assert (ended.code, ended.out) == (1, "queued\n")
    assert "flagged" in ended.err
    make_wire(then_fin(HEAD + said("queued") + error))
    assert cli("chat", "a cat", "--json").lines[0]["error"] == "failed"


def test_nobody_can_tell(cli, make_wire):
    """What breaks off before a word is said may be charged, is in no journal, and prints nothing."""
    make_wire(lambda call: call.fin())
    ended = cli("chat", "a cat")
    assert (ended.code, ended.out, "no journal knows of it" in ended.err) == (6, "", True)


def test_the_time_is_over(cli, make_wire):
    """A chat that is not over in time is a 3, and what it had said is there."""
    make_wire(then_stall(HEAD + said("queued")))
    ended = cli("chat", "a cat", "--timeout", "0.3")
    assert (ended.code, ended.out, ended.err.count("\n")) == (3, "queued\n", 1)


def test_words_that_cannot_drive_the_terminal(cli, make_wire):
    """Text keeps its lines and blanks, and a terminal obeys nothing in it; --json has it whole."""
    text = "a\tb\r\n\x1b[2J c \x1b]0;owned\x07 \u202e\x00d\n"
    make_wire(stream(text))
    assert cli("chat", "a cat") == (0, "a\tb\n c  d\n", "")
    ended = cli("chat", "a cat", "--json")
    assert ended.lines[0]["text"] == text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", ended.out)


def test_nothing_to_say(cli, private):
    """No prompt, and no model, are a matter of usage; nothing is sent."""
    for words in (["chat", " "], ["chat", "a cat", "--model", ""], ["chat"]):
        ended = cli(*words)
        assert (ended.code, ended.out) == (2, "")
    assert not private.requests
