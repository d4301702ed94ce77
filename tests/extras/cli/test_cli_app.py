# ruff: noqa: S603 (it runs itself)
"""The commands by name, and what every one of them may end with."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import suno_async
from suno_async.extras.cli import app, main


def test_help(cli):
    """Help names every command and every exit code."""
    ended = cli("--help")
    assert ended.code == 0
    for word in (
        "demo",
        "gateway",
        "submit",
        "fetch",
        "wait",
        "watch",
        "journal",
        "doctor",
        "upload",
        "feed",
        "wav",
        "mp4",
        "midi",
        "timing",
        "stems",
        "persona",
        "tags",
        "chat",
        "balance",
        "to list such submissions is a 0",
        "130 interrupted",
        "141",
        "SUNO_API_KEY",
    ):
        assert word in ended.out


@pytest.mark.parametrize(
    "words",
    [
        ["demo"],
        ["gateway"],
        ["submit"],
        ["submit", "custom"],
        ["submit", "extend"],
        ["fetch"],
        ["watch"],
        ["journal"],
        ["doctor"],
        ["upload"],
        ["feed"],
        ["wav"],
        ["mp4"],
        ["midi"],
        ["timing"],
        ["stems"],
        ["persona"],
        ["tags"],
        ["chat"],
        ["balance"],
    ],
)
def test_help_of_commands(cli, words):
    """Every command has its own help, and none has a flag for the key."""
    ended = cli(*words, "--help")
    assert (ended.code, "--api-key" in ended.out) == (0, False)
    assert " ".join(words) in ended.out


def test_the_order_of_help(cli):
    """What needs no gateway comes first, then tasks, then what only some gateways have."""
    lines = cli("--help").out.splitlines()
    first = [line.strip("│ ").partition(" ")[0] for line in lines]
    assert [word for word in first if word in app._COMMANDS] == list(app._COMMANDS)


def test_version(cli):
    """The version is the package's."""
    assert cli("--version") == (0, f"{version('suno-async')}\n", "")


def test_own_arguments(monkeypatch, capsys):
    """Without arguments of its own, main takes the process's."""
    monkeypatch.setattr(sys, "argv", ["suno-async", "nope"])
    assert main() == 2
    assert 'Unknown command "nope"' in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["nope"],
        ["wait"],
        ["wait", "a", "--until", "noon"],
        ["wait", "a", "--timeout", "-1"],
        ["wait", "a", "--timeout", "nan"],
        ["watch", "a", "--timeout", "inf"],
        ["fetch", "a", "--timeout", "0"],
        ["fetch", "a", "--nope"],
        ["doctor", "--every", "5"],
        ["fetch", "a/b"],
        ["gateway", "--port", "99999"],
    ],
)
def test_usage(cli, words):
    """What the command line cannot mean is a 2, told in one line."""
    ended = cli(*words)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("error", [KeyboardInterrupt, app.CancelledError])
def test_interrupted(monkeypatch, error):
    """An interruption is a 130 without a traceback, wherever it strikes."""

    def strike():
        raise error

    monkeypatch.setattr(app, "build", strike)
    assert main([]) == 130


def test_nobody_reads(monkeypatch):
    """A reader of stdout that has gone (``| head``) is what a shell calls it, and no traceback."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        monkeypatch.setattr(app, "build", lambda: print)
        assert main(["some data"]) == 141


def test_a_full_disk(monkeypatch, capsys):
    """What cannot be written to stdout is told in one line, and is no traceback."""
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device, not a path of ours
        monkeypatch.setattr(sys, "stdout", full)
        monkeypatch.setattr(app, "build", lambda: print)
        assert main(["some data"]) == 1
    assert capsys.readouterr().err == "suno-async: stdout cannot be written to: No space left on device\n"


def test_letters_that_an_encoding_has_not(gateway):
    """Where stdout has no letter for something, it is a question mark and no traceback."""
    task_id = gateway.put(data=[{"id": "c", "title": "猫 song", "audio_url": "https://x/a.mp3", "status": "complete"}])
    done = subprocess.run(
        [sys.executable, "-m", "suno_async", "fetch", task_id],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr, "? song" in done.stdout) == (0, "", True)


def test_lazy_imports():
    """Help needs no command's file, nothing that draws, and no gateway."""
    heavy = "rich.progress rich.live suno_async.testing aiohttp.web_app suno_async.extras.cli.looking platformdirs"
    check = f"""
import sys
from suno_async.extras.cli import main
assert main(["--help"]) == 0
print([name for name in "{heavy}".split() if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_help_needs_no_client():
    """But for the package's own door, help imports no client and no network."""
    check = f"""
import sys, types
door = types.ModuleType("suno_async")
door.__path__ = {[str(Path(suno_async.__file__).parent)]}
sys.modules["suno_async"] = door
from suno_async.extras.cli import main
assert main(["--help"]) == 0
print([name for name in ("aiohttp", "anyio", "suno_async.client") if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_journal_errors(cli, held, folder, monkeypatch):
    """A journal that cannot be had is a 4, in one line with what to do."""
    monkeypatch.setenv("SUNO_BASE_URL", "https://gateway.example")
    monkeypatch.setenv("SUNO_API_KEY", "sk-0123456789")
    ended = cli("wait", "a", "--journal", held(folder / "mine"))
    assert (ended.code, ended.out, ended.err.count("\n")) == (4, "", 1)
    assert "--journal none" in ended.err
