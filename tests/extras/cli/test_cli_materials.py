"""persona, tags and balance, against a local gateway and odd answers."""

import json

from wire import answer


def limit(amount):
    return {"object": "billing_subscription", "hard_limit_usd": amount, "soft_limit_usd": amount}


def accounts(amount, cents):
    """A gateway that tells of this account."""
    return lambda call: answer({"total_usage": cents} if "usage" in call.path else limit(amount))


def test_persona(cli, private, clip):
    """Its id, and nothing else, on stdout: made of the one clip, or of several."""
    ended = cli("persona", clip, "--name", "Ella")
    assert (ended.code, ended.err, ended.out.count("\n")) == (0, "", 1)
    ended = cli("persona", clip, "--name", "Ella", "--description", "warm", "--also", clip, "--public", "--json")
    (told,) = ended.lines
    assert (told["name"], told["description"], told["root_clip_id"]) == ("Ella", "warm", clip)
    assert (told["clip_ids"], told["is_public"]) == ([clip], True)


def test_what_a_persona_is_made_of(cli, make_wire):
    """The clip itself is the first of several, and a name that is blank is a matter of usage."""
    wire = make_wire(answer({"id": "p1", "name": "x", "root_clip_id": "c1"}))
    assert cli("persona", "c1", "--name", "x", "--also", "c2", "--also", "c3") == (0, "p1\n", "")
    assert json.loads(wire.calls[0].body)["clips"] == ["c1", "c2", "c3"]
    ended = cli("persona", "c1", "--name", " ")
    assert (ended.code, wire.asked, "--name must be a text" in ended.err) == (2, 1, True)
    assert cli("persona", "c1").code == 2
    assert cli("persona", "c1", "--name", "x", "--also", "a/b").code == 2


def test_an_unknown_clip(cli, private):
    """A clip that the gateway does not know is a 1, in its own words."""
    ended = cli("persona", "nope", "--name", "x")
    assert (ended.code, ended.out, "clip not found" in ended.err) == (1, "", True)


def test_tags(cli, private, stdin, tmp_path):
    """The description on stdout; the style may come from stdin and from a file."""
    ended = cli("tags", "pop")
    assert (ended.code, ended.err, ended.out.startswith("pop, ")) == (0, "", True)
    stdin("jazz")
    (told,) = cli("tags", "-", "--json").lines
    assert (told["text"], told["tags"].startswith("jazz, ")) == ("jazz", True)
    (tmp_path / "style").write_text("folk")
    assert cli("tags", "@style").out.startswith("folk, ")


def test_a_blank_style(cli, private):
    """No style is a matter of usage, and nothing is sent."""
    ended = cli("tags", " ")
    assert (ended.code, ended.out, private.requests) == (2, "", private.requests.__class__(maxlen=1000))


def test_tags_cannot_drive_the_terminal(cli, make_wire):
    """What a gateway says is one line that a terminal shows and does not obey."""
    make_wire(answer({"upsampled_tags": "warm\n\x1b[2Jsynths"}))
    assert cli("tags", "pop").out == "warm synths\n"
    assert cli("tags", "pop", "--json").lines[0]["tags"] == "warm\n\x1b[2Jsynths"


def test_balance_of_a_key_without_a_limit(cli, gateway):
    """Every gateway tells it, also a stock one; no limit is no amount."""
    ended = cli("balance")
    assert (ended.code, ended.err) == (0, "")
    heads, row = (line.split() for line in ended.out.splitlines())
    assert (heads, row[0], row[2]) == (["limit", "used", "remaining"], "unlimited", "unlimited")
    (told,) = cli("balance", "--json").lines
    assert (told["limit"], told["remaining"], told["unlimited"]) == (None, None, True)
    assert told["used"] == float(row[1])


def test_balance(cli, make_wire):
    """What there was, what is spent and what is left, to the millionth."""
    make_wire(accounts(12.5, 1.2345))
    assert cli("balance").out.splitlines()[1].split() == ["12.5", "0.012345", "12.487655"]
    (told,) = cli("balance", "--json", "--timeout", "5").lines
    assert told == {"limit": 12.5, "used": 0.012345, "remaining": 12.487655, "unlimited": False}


def test_amounts_that_are_round(cli, make_wire):
    """A round amount keeps its zeros before the point, and an overdrawn one its sign."""
    make_wire(accounts(100, 12_000))
    assert cli("balance").out.splitlines()[1].split() == ["100", "120", "-20"]
