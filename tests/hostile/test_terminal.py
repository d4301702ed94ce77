"""135: what a gateway says is shown by the real ``suno-async``, and obeyed by no terminal."""

import os
import pty
import re
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

import anyio
import anyio.to_thread
import pytest
from verdicts import KEY
from wire import Call, Wire, answer, row

EVIL = (
    "MARK\x1b[2J\x1b[5;41mblink\x1b]8;;https://evil.example/\x1b\\link\x1b]8;;\x07 \x1b]0;title\x07"
    "\x1b]52;c;ZXZpbA==\x1b\\"
    "\x1b[?1049h\x1b[6n\x1bP1$r\x1b\\\x1bc\x9b5m\x9d0;title\x9c\x90q\x9c\x07\b\b\bover\rwritten\x00\x7f\x0b\x0c\x85"
    "\u202egnp.exe\u202c\u2066\u2067\u2068\u2069\u200e\u200f\u202a\u202b\u202d\u2028next\u2029next\ud800"
    "\n\nforged line\tEND"
)
OBEYED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
DRAWN = re.compile(r"\x1b\[(?:\d{1,2}(?:;\d{1,3})*)?m|\x1b\[\?25[lh]|\x1b\[\d*[AK]|\r+(?=[\n\x1b])")
"""What rich itself writes to a terminal: colours, the cursor, the line above, the line's end."""
ENTRY = [sys.executable, "-m", "suno_async"]
ROUNDS = 3


class Ended(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def environment(tmp_path, monkeypatch) -> Iterator[dict[str, str]]:
    """No configuration but the key; a terminal that is no particular one."""
    monkeypatch.chdir(tmp_path)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SUNO_")}
    home = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"), str(tmp_path))
    return {**kept, **home, "TERM": "xterm-256color", "PYTHONUTF8": "1", "SUNO_API_KEY": KEY}


async def piped(url: str, words: tuple[str, ...], environment: dict[str, str]) -> Ended:
    """A command whose output is read by another program."""
    with anyio.fail_after(60):
        done = await anyio.run_process([*ENTRY, *words], check=False, env={**environment, "SUNO_BASE_URL": url})
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


async def shown(url: str, words: tuple[str, ...], environment: dict[str, str]) -> str:
    """What a terminal is sent by a command."""
    ours, theirs = pty.openpty()
    try:
        with anyio.fail_after(60):
            process = await anyio.open_process(
                [*ENTRY, *words], stdin=theirs, stdout=theirs, stderr=theirs, env={**environment, "SUNO_BASE_URL": url}
            )
            os.close(theirs)
            screen = await anyio.to_thread.run_sync(_read, ours)
            await process.wait()
    finally:
        os.close(ours)
    return screen


def _read(terminal: int) -> str:
    """All of it: the last one who writes there closes it, and Linux calls that an error of input."""
    pieces = []
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        pieces.append(piece)
    return b"".join(pieces).decode()


def _song(**fields: str) -> dict[str, object]:
    return {"id": "clip-1", "title": "T", "audio_url": "https://cdn.example/1.mp3", "status": "complete", **fields}


def failing(call: Call) -> bytes:
    """A task in progress, whatever that is, and then one that failed with a reason to remember."""
    rows = [
        row(task_id, "FAILURE" if call.number >= ROUNDS else EVIL, fail_reason=EVIL, action=EVIL)
        for task_id in call.ids
    ]
    return answer({"code": "success", "message": EVIL, "data": rows[0] if call.method == "GET" else rows})


def singing(call: Call) -> bytes:
    """A song with a title, a model and an address to remember."""
    song = _song(
        title=EVIL, audio_url=f"https://cdn.example/{EVIL}.mp3", model_name=EVIL, tags=EVIL, error_message=EVIL
    )
    status = "SUCCESS" if call.number >= ROUNDS else "IN_PROGRESS"
    rows = [row(task_id, status, data=[song], progress=EVIL) for task_id in call.ids]
    return answer({"code": "success", "data": rows[0] if call.method == "GET" else rows})


def refusing(status: int, code: str = EVIL) -> Callable[[Call], bytes]:
    """An error with a message, a code and a type to remember."""

    def step(_call: Call) -> bytes:
        return answer({"code": code, "message": EVIL, "data": None}, status)

    return step


def garbled(_call: Call) -> bytes:
    """No JSON."""
    return answer(b"MARK \x1b]0;title\x07\xff\xfe \xc2\x9b31m \xe2\x80\xae \x1b[2J{", 200)


LOOKS: dict[str, tuple[tuple[str, ...], Callable[[Call], bytes], int]] = {
    "a table of failures": (("fetch", "a", "b"), failing, 0),
    "a table of songs": (("wait", "a", "b", "--every", "0.05"), singing, 0),
    "changes": (("watch", "a", "b", "--every", "0.05"), failing, 1),
    "changes of songs": (("watch", "a", "--every", "0.05"), singing, 0),
    "JSON of songs": (("wait", "a", "b", "--every", "0.05", "--json"), singing, 0),
    "a refusal": (("fetch", "a", "b"), refusing(400), 1),
    "a refused submission": (("submit", "inspiration", "x"), refusing(400), 1),
    "an unknown submission": (("submit", "inspiration", "x", "--json"), refusing(500, "insert_task_failed"), 6),
    "a garbled answer": (("fetch", "a"), garbled, 5),
}


ALWAYS = {"a table of failures", "changes of songs", "JSON of songs", "a refused submission"}
EACH = [pytest.param(*look, id=name, marks=[pytest.mark.long] * (name not in ALWAYS)) for name, look in LOOKS.items()]


@pytest.mark.parametrize(("words", "step", "code"), EACH)
async def test_nothing_a_gateway_says_is_obeyed(words, step, code, environment):
    """Tables, changes, JSON and errors have the words in them, and no control, escape or direction mark."""
    async with Wire(step) as wire:
        ended = await piped(wire.url, words, environment)
    assert ended.code == code
    assert "MARK" in ended.out + ended.err
    for text in (ended.out, ended.err):
        assert OBEYED.search(text) is None, ascii(text)
        # nor does it make lines of its own
        assert not any(line.startswith("forged line") for line in text.splitlines())
    if "--json" not in words:
        assert not ended.err or all(line.startswith(("suno-async: ", "  ")) for line in ended.err.splitlines())


async def test_nothing_that_is_kept_is_obeyed(environment):
    """What a gateway said of a submission is kept in the journal, and shown from there as harmlessly."""
    async with Wire(refusing(500, "insert_task_failed")) as wire:
        assert (await piped(wire.url, ("submit", "inspiration", "MARK \x1b[2J\u202e"), environment)).code == 6
        for words in (("journal", "unknown"), ("journal", "list")):
            ended = await piped(wire.url, words, environment)
            assert "MARK" in ended.out
            for text in (ended.out, ended.err):
                assert OBEYED.search(text) is None, ascii(text)


@pytest.mark.parametrize(
    "name",
    [
        "a table of failures",
        *(pytest.param(name, marks=pytest.mark.long) for name in ("changes of songs", "JSON of songs")),
    ],
)
async def test_a_terminal_obeys_nobody_but_us(name, environment):
    """On a screen there are colours and a cursor of ours, and nothing of the gateway's."""
    words, step, _ = LOOKS[name]
    async with Wire(step) as wire:
        screen = await shown(wire.url, words, environment)
    assert "MARK" in screen
    for escape in ("\x1b[2J", "\x1b[5;41m", "\x1b]", "\x1bP", "\x1bc", "\x1b[6n", "\x1b[?1049h", "\x07"):
        assert escape not in screen
    assert OBEYED.search(DRAWN.sub("", screen)) is None, ascii(screen)
