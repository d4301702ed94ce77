"""A bar on stderr."""

from suno_async.extras.cli.progress import bar, nothing


def test_no_terminal(capsys):
    """Without a terminal nothing is shown."""
    with bar(3, streaming=False) as advance:
        advance(1)
    assert advance is nothing
    assert capsys.readouterr() == ("", "")


def test_terminal(terminal):
    """On a terminal it tells how many are done, and goes away."""
    screen = terminal()
    with bar(3, streaming=True) as advance:
        advance(2)
    assert "2/3" in screen.getvalue()


def test_data_on_the_same_terminal(terminal):
    """Where data is written to the same terminal, it keeps quiet."""
    screen = terminal()
    terminal("stdout")
    with bar(3, streaming=True) as advance:
        assert advance is nothing
    assert screen.getvalue() == ""
