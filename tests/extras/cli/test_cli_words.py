"""Words in and out."""

import sys

import pytest

from suno_async.extras.cli.exits import UsageError
from suno_async.extras.cli.words import STDIN, clean, read_ids, read_text, say


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


def test_stdin_is_read_when_asked_for(monkeypatch):
    """Ids that are named do not touch stdin."""
    monkeypatch.setattr(sys, "stdin", None)
    assert read_ids(("a",)) == ["a"]
