"""109 to 115, counted at the gateway's door: what cannot be right is refused before there is a connection."""

import select
import socket
import sys
from collections.abc import Iterator
from io import StringIO

import pytest
from verdicts import KEY, assert_song, client, whole
from wire import Wire

from suno_async import ConfigurationError, Submission, Suno
from suno_async.extras.cli import main

IDS = [
    ".",
    "..",
    "a/b",
    "../../api/user/self",
    "..%2f..%2fapi%2fuser%2fself",
    "%2e%2e",
    "a?x=1",
    "a#f",
    "a;b",
    "a\\b",
    "a b",
    "a\r\nX-Evil: 1",
    "a\nGET /api/user/self",
    "a\x00",
    "\u202ea",
    "тест",
    "\ud800",
    "a" * 129,
    "a" * 10_240,
]
KEYS = [
    "short",
    "sk-CANARY with a blank",
    " sk-CANARY-leading-blank",
    "sk-CANARY\r\nX-Evil: 1",
    "sk-CANARY\nnext-line",
    "sk-CANARY\x00nul",
    "sk-CANARY\x7fdel",
    "sk-CANARYключ",
    "sk-CANARY\u2028separator",
    "sk-CANARY\u00a0blank",
    "sk-CANARY" + "x" * 20_000,
]
URLS = [
    "http://127.0.0.1:{port}?key=PASS",
    "http://127.0.0.1:{port}/?",
    "http://127.0.0.1:{port}/#PASS",
    "http://user:PASS@127.0.0.1:{port}",
    "http://PASS@127.0.0.1:{port}",
    "http://@127.0.0.1:{port}",
    "http://0x7f000001:{port}",
    "http://2130706433:{port}",
    "http://0177.0.0.1:{port}",
    "http://0.0.0.0:{port}",
    "http://[::ffff:127.0.0.1]:{port}",
    "http://127.0.0.1.nip.example:{port}",
    "http://gateway.example:{port}",
    "http://gateway.example:80@127.0.0.1:{port}",
    "http://127.0.0.1:{port}\\@gateway.example/",
    "http://127.0.0.1 :{port}/",
    "http://127.0.0.1:{port}/a b",
    "http://127.0.0.1:{port}\r\nHost: evil.example",
    "http://127.0.0.1:{port}\x00",
    "//127.0.0.1:{port}",
    "127.0.0.1:{port}",
    "ws://127.0.0.1:{port}",
    "ftp://127.0.0.1:{port}",
    "unix://127.0.0.1:{port}",
    "https://127.0.0.1:{port}, http://127.0.0.1:{port}",
]


@pytest.fixture
def door(tmp_path, monkeypatch) -> Iterator[int]:
    """The port of a gateway at whose door nobody may knock, and no configuration but the test's own."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("SUNO_JOURNAL", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        monkeypatch.setenv("SUNO_BASE_URL", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("SUNO_API_KEY", KEY)
        yield port
        assert select.select([listening], [], [], 0.01)[0] == []


@pytest.fixture
def refused(capsys, door):
    """Run a command line that must end with a code, and what it says on stderr: one line, nothing on stdout."""

    def run(*words: str, code: int) -> str:
        assert main(list(words)) == code
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith("suno-async: ")
        assert said.err.removesuffix("\n").isprintable()
        assert len(said.err) < 400
        return said.err

    return run


@pytest.mark.parametrize("task_id", IDS, ids=lambda value: ascii(value)[:30])
async def test_no_verb_knocks_for_what_is_no_id(task_id, door):
    """109: in every verb, alone and among proper ids."""
    async with client(f"http://127.0.0.1:{door}") as suno:
        for verb in (suno.fetch(task_id), suno.wait(task_id), suno.fetch_many(["a", task_id])):
            with pytest.raises(ConfigurationError, match="is no task id"):
                await verb
        for stream in (suno.as_completed(["a", task_id]), suno.watch([task_id, "a"])):
            with pytest.raises(ConfigurationError, match="is no task id"):
                await anext(stream)


@pytest.mark.parametrize("action", ["..", "../../api", "a/../b", "/music", "music/", "a?b", "a#b", "", "a b", "%2e%2e"])
def test_no_action_leads_out_of_its_path(action, refused):
    """109: the action of a submission is a path, too."""
    with pytest.raises(ConfigurationError, match="is no action"):
        Submission(action, {})
    assert "is no action" in refused("submit", action, "--body", "{}", code=2)


@pytest.mark.parametrize("command", ["fetch", "wait", "watch"])
@pytest.mark.parametrize("task_id", IDS, ids=lambda value: ascii(value)[:30])
def test_no_command_knocks_for_what_is_no_id(command, task_id, refused, monkeypatch):
    """109: among the words of the command line, and among the lines of stdin."""
    assert "is no task id" in refused(command, "a", task_id, code=2)
    if "\n" not in task_id:
        monkeypatch.setattr(sys, "stdin", StringIO(f"a\n{task_id}\n"))
        assert "is no task id" in refused(command, "-", code=2)


@pytest.mark.parametrize("key", KEYS, ids=lambda value: ascii(value)[:30])
async def test_no_client_knocks_with_what_is_no_key(key, door, monkeypatch):
    """110: as an argument, from a function, from the environment; and the message has no piece of it."""
    url = f"http://127.0.0.1:{door}"
    with pytest.raises(ConfigurationError) as caught:
        Suno(url, api_key=key)
    with pytest.raises(ConfigurationError) as late:
        await Suno(url, api_key=lambda: key).__aenter__()
    assert "CANARY" not in str(caught.value) + str(late.value)


@pytest.mark.parametrize("key", [key for key in KEYS if "\x00" not in key], ids=lambda value: ascii(value)[:30])
def test_no_command_knocks_with_what_is_no_key(key, refused, monkeypatch):
    """110: and neither does stderr."""
    monkeypatch.setenv("SUNO_API_KEY", key)
    for words in (("fetch", "a"), ("submit", "inspiration", "x"), ("watch", "a", "--json")):
        said = refused(*words, code=4)
        assert "key" in said
        assert "CANARY" not in said


@pytest.mark.parametrize("url", URLS, ids=lambda value: ascii(value)[:40])
def test_nobody_knocks_where_the_base_url_is_none(url, door, refused):
    """112 to 115: by the client and by the command line; and no message has a password in it."""
    address = url.format(port=door)
    with pytest.raises(ConfigurationError) as caught:
        Suno(address, api_key=KEY)
    assert "PASS" not in str(caught.value)
    if "\x00" not in address:
        assert "PASS" not in refused("fetch", "a", "--base-url", address, code=4)


@pytest.mark.parametrize("path", ["", "/", "/api", "/api/", "/api/v2/"])
async def test_a_path_in_the_base_url_is_kept(path):
    """111: the ids hang below it, and the key goes along."""
    async with Wire(whole) as wire, client(f"{wire.url}{path}") as suno:
        assert_song(await suno.fetch("task_1"))
        assert wire.calls[0].path == f"{path.removesuffix('/')}/suno/fetch/task_1"
        assert ("Authorization", f"Bearer {KEY}") in wire.calls[0].headers
