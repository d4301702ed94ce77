"""gateway: a local gateway in the foreground."""

import signal
import socket

import pytest

from suno_async.extras.cli import serving


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_interrupted(cli, interrupt, monkeypatch, number):
    """It prints the two lines to export, serves, and Ctrl-C or SIGTERM end it with 0."""
    opened = []

    class Watched(serving.Gateway):
        async def __aenter__(self):
            opened.append(self)
            return await super().__aenter__()

    monkeypatch.setattr(serving, "Gateway", Watched)
    interrupt(lambda: opened, number)
    ended = cli("gateway", "--speed", "100", "--fault", "hang=0.1", "--fault", "drip=0", "--era", "2025", "--seed", "x")
    url, key = ended.out.splitlines()
    assert ended.code == 0
    assert (url, key) == (f"export SUNO_BASE_URL={opened[0].url}", f"export SUNO_API_KEY={opened[0].api_key}")
    assert dict(opened[0].faults) == {"hang": 0.1, "drip": 0.0}
    assert "100 x as fast" in ended.err
    assert "Scaled(Adaptive(), 100)" in ended.err


@pytest.mark.parametrize(("words", "profile"), [(["--profile", "private"], "private"), ([], "stock")])
def test_serves_a_private_build(cli, interrupt, monkeypatch, words, profile):
    """To --profile private; stock is what it is otherwise."""
    made, opened = [], []

    class Watched(serving.Gateway):
        def __init__(self, **knobs):
            super().__init__(**knobs)
            made.append(knobs["profile"])

        async def __aenter__(self):
            opened.append(await super().__aenter__())
            return opened[0]

    monkeypatch.setattr(serving, "Gateway", Watched)
    interrupt(lambda: opened, signal.SIGINT)
    ended = cli("gateway", *words)
    assert ended.code == 0
    assert "Scaled" not in ended.err
    assert made == [profile]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fault", "hang"], "NAME=RATE"),
        (["--fault", "hang=often"], "NAME=RATE"),
        (["--fault", "nope=0.1"], "no fault is called"),
        (["--fault", "hang=2"], "between 0 and 1"),
        (["--era", "1999"], "1999"),
        (["--profile", "public"], "public"),
        (["--speed", "0"], "--speed"),
    ],
)
def test_usage(cli, words, said):
    """A gateway that cannot be is a 2, told in one line."""
    ended = cli("gateway", *words)
    assert (ended.code, ended.out, said in ended.err, ended.err.count("\n")) == (2, "", True, 1)


def test_port_that_is_taken(cli):
    """A port that is taken is told in one line."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        ended = cli("gateway", "--port", str(other.getsockname()[1]))
    assert (ended.code, "cannot be had" in ended.err, ended.err.count("\n")) == (2, True, 1)
