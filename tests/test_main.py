# ruff: noqa: S603 (it runs the console entry)
"""The console entry as users have it: another process, a real gateway."""

import json
import os
import runpy
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from suno_async import __main__

ENTRY = [sys.executable, "-m", "suno_async"]


@pytest.fixture
def environment(tmp_path):
    """An environment without any configuration of Suno's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SUNO_")}
    return {**kept, "XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}


@pytest.fixture
def exported(environment, tmp_path):
    """The environment that ``suno-async gateway`` asks for; it ends with 0 when it is interrupted."""
    words = [*ENTRY, "gateway", "--speed", "15"]
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, cwd=tmp_path
    )
    lines = [process.stdout.readline() for _ in range(2)]
    yield {**environment, **dict(line.removeprefix("export ").strip().split("=", 1) for line in lines)}
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=10)[0] == ""
    assert process.returncode == 0


def test_end_to_end(exported, tmp_path):
    """Submit, interrupt the wait, go on with the command that was printed: the song is there."""
    options = {"env": exported, "cwd": tmp_path, "text": True}
    task_id = subprocess.run(
        [*ENTRY, "submit", "inspiration", "a cat"], stdout=subprocess.PIPE, check=True, **options
    ).stdout.strip()
    first = subprocess.Popen(
        [*ENTRY, "watch", task_id, "--json", "--every", "0.1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )
    assert json.loads(first.stdout.readline())["task_id"] == task_id
    first.send_signal(signal.SIGINT)
    _, told = first.communicate(timeout=10)
    assert (first.returncode, "Traceback" in told) == (130, False)
    name, *words = shlex.split(told.splitlines()[-1])
    assert name == "suno-async"
    second = subprocess.run([*ENTRY, *words], capture_output=True, check=False, **options)
    final = json.loads(second.stdout.splitlines()[-1])
    assert (second.returncode, final["status"], second.stderr) == (0, "SUCCESS", "")
    assert final["songs"][0]["audio_url"].startswith(exported["SUNO_BASE_URL"])


def test_demo(environment, tmp_path):
    """The installed command shows it all with no key and no network."""
    script = Path(sys.executable).with_name("suno-async")
    done = subprocess.run(
        [script, "demo", "--json", "--tasks", "3", "--speed", "100"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        timeout=30,
        check=True,
    )
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == ["SUCCESS"] * 3


def test_missing_extra(environment, tmp_path):
    """Without the extra, one sentence says what to install, and the code is 2."""
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['cyclopts'] = None\n")
    done = subprocess.run(
        [*ENTRY, "demo"],
        capture_output=True,
        text=True,
        env={**environment, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "suno-async: the command line is an extra: pip install 'suno-async[cli]'\n"


@pytest.mark.parametrize("name", ["cyclopts", "rich", "platformdirs"])
def test_each_part_of_the_extra(monkeypatch, capsys, name):
    """Whatever part of the extra is missing, the sentence is the same."""
    monkeypatch.setitem(sys.modules, name, None)
    assert __main__.main() == 2
    assert "pip install 'suno-async[cli]'" in capsys.readouterr().err


def test_main(monkeypatch, capsys):
    """With the extra, main is the command line, and so is ``python -m suno_async``."""
    monkeypatch.setattr(sys, "argv", ["suno-async", "--version"])
    assert __main__.main() == 0
    version = capsys.readouterr().out
    monkeypatch.delitem(sys.modules, "suno_async.__main__")
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("suno_async", run_name="__main__")
    assert (ended.value.code, capsys.readouterr().out) == (0, version)
