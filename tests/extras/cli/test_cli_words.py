"""Words in and out."""

import sys

import pytest

from suno_async import ConfigurationError
from suno_async.extras.cli.exits import UsageError
from suno_async.extras.cli.words import STDIN, clean, harmless, read_ids, read_text, say


@pytest.mark.parametrize(
    ("evil", "harmless"),
    [
        ("\x1b[2J\x1b[31mred", "red"),
        ("\x9b2Jgone", "gone"),
        ("\x1b]0;owned\x07title", "title"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP1;2|data\x1b\\x", "x"),
        ("\x1b(0box\x1bc", "box"),
        ("two\r\nlines\tand\x0bmore\u2028end", "two lines and more end"),
        ("a\u202eb\u2066c\x00\x7f\ud800d", "abcd"),
        ("\x1b", ""),
        ("[red]x[/] :smile: 猫", "[red]x[/] :smile: 猫"),
    ],
)
def test_clean(evil, harmless):
    """Nothing is left that a terminal obeys, and everything that it shows."""
    assert clean(evil) == harmless


@pytest.mark.parametrize(
    ("evil", "shown"),
    [
        ("a  b\tc\n\nd\n", "a  b\tc\n\nd\n"),
        ("two\r\nlines\x0b\x0c", "two\nlines"),
        ("\x1b[2J\x1b[31mred\x9b2J ", "red "),
        ("\x1b]0;owned\x07title", "title"),
        ("a\u202eb\u2066c\x00\x7f\ud800d\x85", "abcd"),
        ("猫 😀", "猫 😀"),
    ],
)
def test_harmless(evil, shown):
    """Lines and blanks stay as they are; nothing is left that a terminal obeys."""
    assert harmless(evil) == shown


def test_harmless_in_pieces():
    """What is cut in two is harmless too: a terminal obeys none of it."""
    evil = "\x1b]0;owned\x07\x1b[2J\x9b2J"
    for cut in range(len(evil)):
        shown = harmless(evil[:cut]) + harmless(evil[cut:])
        assert not {"\x1b", "\x9b", "\x07"} & set(shown)


def test_say(capsys):
    """What is said is one line on stderr."""
    say("a\nb\x1b[1m")
    assert capsys.readouterr() == ("", "suno-async: a b\n")


def test_text_from_everywhere(stdin, tmp_path):
    """A text is itself, or comes from stdin or a file."""
    (tmp_path / "words.txt").write_text("la la\nläh", encoding="utf-8")
    stdin("from stdin\n")
    assert [read_text("plain"), read_text(STDIN)] == ["plain", "from stdin\n"]
    assert read_text(f"@{tmp_path / 'words.txt'}") == "la la\nläh"


def test_text_that_cannot_be_read(tmp_path):
    """A file that is not there, or holds no text, is a matter of usage."""
    (tmp_path / "noise").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UsageError, match=r"gone cannot be read: No such file"):
        read_text("@gone")
    with pytest.raises(UsageError, match="noise is no UTF-8 text"):
        read_text(f"@{tmp_path / 'noise'}")


def test_ids(stdin):
    """Ids come as arguments and from stdin; blanks around them and blank lines are nothing, twice is once."""
    stdin("  b \n\n\t\nc\r\na\n")
    assert read_ids(("a", STDIN, "d", "a")) == ["a", "b", "c", "d"]


def test_no_ids_on_stdin(stdin):
    """An empty stdin is an empty list."""
    stdin("\n")
    assert read_ids((STDIN,)) == []


def test_ids_that_are_none():
    """No ids, and texts that are none, are a matter of usage."""
    with pytest.raises(UsageError, match="no task ids"):
        read_ids(())
    with pytest.raises(UsageError, match="'a b' is no task id"):
        read_ids(("a b",))


def test_ids_of_something_else():
    """Other ids are called by their name, and checked as they are."""

    def refuse(one):
        raise ConfigurationError(f"{one} is no clip id")

    with pytest.raises(UsageError, match="no clip ids"):
        read_ids((), "clip", refuse)
    with pytest.raises(UsageError, match="a is no clip id"):
        read_ids(("a",), "clip", refuse)
    assert read_ids(("a", "b", "a"), "clip", str.upper) == ["A", "B"]


def test_stdin_is_read_when_asked_for(monkeypatch):
    """Ids that are named do not touch stdin."""
    monkeypatch.setattr(sys, "stdin", None)
    assert read_ids(("a",)) == ["a"]
