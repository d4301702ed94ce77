"""How a gateway is asked, and what is told where that is cut short."""

import shlex

import pytest
from wire import answer, then_fin, then_reset

from suno_async import ConfigurationError
from suno_async.extras.cli.asking import Asking, ask, checked, clip_id
from suno_async.extras.cli.configuration import STANDARD
from suno_async.extras.cli.exits import DONE, UsageError

LATER = answer({"status": "processing"})
PAGE = answer(b"<!doctype html><html></html>", headers={"Content-Type": "text/html"})
NO_CHANNEL = {"error": {"code": "model_not_found", "message": "No available channel for model suno_music", "type": "x"}}
NO = answer({"code": "invalid_request", "message": "no such action", "data": None}, 400)


async def stall(call):
    await call.stall()


def test_answer(private):
    """What is told for the answer is the exit code."""
    told = []
    code = ask(lambda suno: suno.upsample_tags("pop"), lambda found: told.append(found) or DONE, STANDARD)
    assert (code, told[0].startswith("pop, ")) == (0, True)


def test_flags_again():
    """The options that were given are given again."""
    assert Asking().flags() == []
    assert Asking(timeout=5.0, as_json=True).flags() == ["--timeout", "5", "--json"]


def test_a_gateway_that_has_no_such_endpoint(cli, make_wire):
    """Its "no" is a 1, that it has no channel a 5; both name the gateway, the path and the answer."""
    make_wire(NO)
    ended = cli("wav", "c1")
    assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert "/suno/act/wav/c1 at http://127.0.0.1" in ended.err
    assert "no such action" in ended.err
    wire = make_wire(answer(NO_CHANNEL, 503))
    ended = cli("wav", "c1")
    assert (ended.code, ended.out, wire.asked) == (5, "", 1)
    assert "No available channel" in ended.err


def test_what_is_no_gateway(cli, make_wire):
    """A page from a base URL that never answered in JSON is a 4."""
    make_wire(PAGE)
    ended = cli("wav", "c1")
    assert (ended.code, ended.out, "/suno/act/wav/c1" in ended.err) == (4, "", True)


def test_stock_has_none_of_it(cli, gateway):
    """A stock gateway answers with its page."""
    ended = cli("timing", "c1")
    assert (ended.code, ended.out, ended.err.count("\n")) == (4, "", 1)


def test_interrupted(cli, make_wire, interrupt):
    """Ctrl-C is a 130 and prints the command that asks for the same again."""
    wire = make_wire(LATER)
    interrupt(lambda: wire.asked)
    ended = cli("wav", "c1", "--timeout", "60", "--json", "--rate", "9")
    assert (ended.code, ended.out) == (130, "")
    told, command = ended.err.splitlines()
    assert told == "suno-async: interrupted: what is being made is made all the same; ask for it again with"
    assert shlex.split(command) == shlex.split("suno-async wav --rate 9.0 --timeout 60 --json c1")


def test_the_wait_is_over(cli, make_wire):
    """A wait that is over is a 3: what was asked for, and the command that asks for it again."""
    make_wire(LATER)
    ended = cli("mp4", "c1", "--timeout", "0.5")
    assert (ended.code, ended.out) == (3, "")
    said, told, command = ended.err.splitlines()
    assert "/suno/act/mp4/c1" in said
    assert "still being made" in said
    assert told.startswith("suno-async: the wait is over")
    assert command.split() == shlex.split("suno-async mp4 --timeout 0.5 c1")


def test_what_is_not_asked_again(cli, make_wire):
    """Where nothing is being made, a wait that is over is an error and nothing else."""
    make_wire(LATER)
    ended = cli("feed", "c1", "--timeout", "0.5")
    assert (ended.code, ended.out, ended.err.count("\n")) == (3, "", 1)


def test_nothing_to_go_on_with(cli, make_wire, interrupt):
    """Where nothing is being made, an interruption has nothing to tell."""
    wire = make_wire(stall)
    interrupt(lambda: wire.asked)
    assert cli("feed", "c1") == (130, "", "")


def test_what_is_sent_once(cli, make_wire, interrupt):
    """Of what was sent it is told that it may have been accepted."""
    wire = make_wire(stall)
    interrupt(lambda: wire.asked)
    ended = cli("tags", "pop")
    assert (ended.code, ended.out) == (130, "")
    assert ended.err.startswith("suno-async: interrupted: what was sent may have been accepted all the same")


@pytest.mark.parametrize("end", [then_fin(b""), then_reset(b"")])
def test_nobody_can_tell(cli, make_wire, end):
    """What breaks off once it is sent is a 6, is not sent again, and is in no journal."""
    wire = make_wire(end)
    ended = cli("tags", "pop")
    assert (ended.code, ended.out, wire.asked) == (6, "", 1)
    assert "no journal knows of it" in ended.err


def test_progress(cli, private, terminal, clip, set_going):
    """A terminal sees that somebody waits; what is asked for is on stdout alone."""
    set_going("wav")
    screen = terminal()
    ended = cli("wav", clip)
    assert ended.out.endswith(f"/audio/{clip}.wav\n")
    assert "waiting" in screen.getvalue()
    assert ".wav" not in screen.getvalue()


@pytest.mark.parametrize("seconds", ["0", "-1", "inf", "nan", "soon", "none"])
def test_times_that_are_none(cli, seconds):
    """A time in which nothing can be waited for is a matter of usage."""
    ended = cli("wav", "c1", "--timeout", seconds)
    assert (ended.code, "--timeout" in ended.err) == (2, True)


@pytest.mark.parametrize("words", [["wav", "a/b"], ["stems", "-"], ["persona", "..", "--name", "x"], ["midi", ""]])
def test_ids_that_are_none(cli, words):
    """What cannot be a clip's id is a matter of usage; nothing is sent."""
    ended = cli(*words)
    assert (ended.code, ended.out, "is no clip id" in ended.err) == (2, "", True)


def test_checked():
    """What a check refuses is a matter of usage; everything else is as it was."""

    def refuse(value):
        raise ConfigurationError(f"not {value}")

    with pytest.raises(UsageError, match="not this"):
        checked(refuse, "this")
    assert checked(str, 3) == "3"
    assert clip_id("c1") == "c1"
