"""How a command runs, and how to go on afterwards."""

import signal

import anyio
import pytest

from suno_async.extras.cli.running import are_many, run, tell_how_to_go_on


def test_run():
    """What the command returns comes back."""

    async def seven():
        return 7

    assert run(seven) == 7


def test_what_is_ignored_stays_ignored(monkeypatch):
    """Where Ctrl-C is ignored (a job in the background), it stays so."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)

    async def strike():
        signal.raise_signal(signal.SIGINT)
        return signal.getsignal(signal.SIGINT)

    try:
        assert run(strike) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_twice():
    """A second Ctrl-C does not wait for anything."""

    async def stubborn():
        signal.raise_signal(signal.SIGINT)
        try:
            await anyio.sleep(5)
        finally:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(stubborn)


def test_nothing_is_open(capsys):
    """Where nothing is open, nothing is said."""
    tell_how_to_go_on([], ["wait"], "interrupted")
    assert capsys.readouterr() == ("", "")


def test_few(capsys):
    """A few ids are arguments, quoted for the shell."""
    tell_how_to_go_on(["a", "b"], ["wait", "--config", "my file"], "interrupted")
    assert capsys.readouterr().err == (
        "suno-async: interrupted: 2 tasks are still open and will run on; go on with\n"
        "  suno-async wait --config 'my file' a b\n"
    )


def test_many(capsys):
    """Many ids are piped."""
    tell_how_to_go_on([f"t{number}" for number in range(21)], ["wait"], "interrupted")
    command = capsys.readouterr().err.splitlines()[1]
    assert command.startswith("  printf '%s\\n' t0 t1 ")
    assert command.endswith(" t20 | suno-async wait -")


def test_the_command_that_knows_the_ids(capsys):
    """Where a command knows the ids by itself, none is named."""
    ids = [f"t{number}" for number in range(21)]
    assert (are_many(ids[1:]), are_many(ids)) == (False, True)
    tell_how_to_go_on(ids, ["wait"], "interrupted", ["journal", "resume"])
    assert capsys.readouterr().err.splitlines()[1] == "  suno-async journal resume"


def test_groups():
    """What goes wrong in a task group comes out as it went wrong."""

    async def write():
        async with anyio.create_task_group():
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run(write)
