"""What README.md shows is true: its programs run, its commands exist, and what it names is there."""

import os
import re
import shlex
import sys
from pathlib import Path

import anyio
import pytest

import suno_async
from suno_async.extras.cli.app import build
from suno_async.extras.cli.words import STDIN
from suno_async.protocol.routes import ROUTES
from suno_async.testing import Gateway

README = Path(__file__).parent.parent.joinpath("README.md").read_text()
MARK = re.compile(r"<!-- not run: (.+?) -->\s*\Z")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MOST_MARKS = 3


def blocks(*languages: str) -> list[str]:
    """The blocks of these languages that no comment right above takes out."""
    found = [block for block in BLOCK.finditer(README) if block[1] in languages]
    return [block[2] for block in found if MARK.search(README[: block.start()]) is None]


def commands() -> list[list[str]]:
    """The words of each ``suno-async ...`` in a block of commands, without what the shell makes of the rest."""
    found = []
    for block in blocks("console", "sh", "bash", "shell"):
        for line in block.replace("\\\n", " ").splitlines():
            lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            words: list[str] = []
            for word in [*lexer, ";"]:
                if re.fullmatch(r"[&|;<>()]+", word):
                    found.append(words)
                    words = []
                else:
                    words.append(word)
    cut = [words[index:] for words in found for index, word in enumerate(words) if Path(word).name == "suno-async"]
    return [words[1:] for words in cut]


async def test_every_program_runs(tmp_path):
    """Each python block, as a script of its own: it ends well, and says nothing on stderr."""
    programs = blocks("python", "py")
    assert programs
    ended: list[tuple[int, str]] = []

    async def run(program: str, gateway: Gateway) -> None:
        environment = {**os.environ, "SUNO_BASE_URL": gateway.url, "SUNO_API_KEY": gateway.api_key}
        command = [sys.executable, "-W", "error", "-c", program]
        with anyio.fail_after(45):
            done = await anyio.run_process(command, env=environment, cwd=tmp_path, check=False)
        ended.append((done.returncode, done.stderr.decode()))

    # slow enough for the ids to be there when they are asked for, quick enough for a test
    async with Gateway(speed=100, failure_rate=0) as gateway, anyio.create_task_group() as group:
        for program in programs:
            group.start_soon(run, program, gateway)
    assert ended == [(0, "")] * len(programs)


@pytest.mark.parametrize("words", commands(), ids=shlex.join)
def test_every_command_is_one(words):
    """Each ``suno-async ...`` in a block of commands is a command line that the parser takes."""
    command, _, _ = build().parse_args([STDIN if word == "-" else word for word in words])
    assert callable(command)


def test_every_command_in_the_text_is_one():
    """Also those between backticks: the subcommand and the options they name exist."""
    for line in re.findall(r"`suno-async ([^`]+)`", README):
        names = [word for word in shlex.split(line) if not word.startswith("-")]
        if names:
            assert build()[names[0]].name == (names[0],)


def test_little_is_left_out():
    """A block that cannot be run says why, and there are at most three of them."""
    marks = re.findall(r"<!-- not run: .+? -->", README)
    assert len(marks) <= MOST_MARKS


def test_what_is_imported_in_it_is_public():
    """Every name that a block imports from suno_async comes from its door."""
    for block in BLOCK.findall(README):
        for names in re.findall(r"^from suno_async import (.+)$", block[1], re.MULTILINE):
            assert set(re.findall(r"\w+", names)) <= set(suno_async.__all__)


def test_what_is_offered_stands_in_a_table():
    """One line for each verb, made of the routes that the client asks: the first of those that it takes."""
    verbs = {route.verb: route for route in reversed(ROUTES.values()) if route.verb}
    firsts = [route for route in ROUTES.values() if verbs.get(route.verb) is route]
    rows = [
        f"| `{route.verb}` | {route.about} | `{route.method} {route.path}` | {route.family.value} |" for route in firsts
    ]
    assert "\n".join(["| you write | you get | it asks | gateways |", "| --- | --- | --- | --- |", *rows]) in README


def test_it_is_short():
    """Nobody reads a longer one."""
    assert len(README.splitlines()) <= 235


def test_its_links_lead_somewhere():
    """Each link to a file of this repository."""
    for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", README):
        assert Path(__file__).parent.parent.joinpath(target).exists(), target
