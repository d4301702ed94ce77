"""What happens to the tasks of a demonstration, shown on stderr."""

import pytest
from rich.console import Console

from suno_async import Song, Status, Task
from suno_async.extras.cli.board import Lines, Live, board


class Screen:
    """Keeps what was drawn."""

    def update(self, renderable, refresh):
        console = Console(width=100, color_system=None)
        with console.capture() as captured:
            console.print(renderable)
        self.text = captured.get()


def task(task_id, status=Status.IN_PROGRESS, **more):
    return Task(task_id=task_id, status=status, status_text=status.value, **more)


@pytest.fixture
def live():
    return Live(Screen(), lambda: 7.0, {"task-1": 3}.get)


def test_live_before_anything(live):
    """Before the first id is known, it is said that tasks are submitted."""
    live.draw()
    assert live._screen.text.strip() == "0 s at the gateway: submitting"


def test_live_rows(live):
    """Each task has a row with its status, its looks and what there is of it; markup in it is just text."""
    live.begin(["task-1"])
    live.change(task("task-1", songs=(Song(title="[b]Hi\x1b[2J", audio_url="https://x"),)))
    live.draw()
    assert live._screen.text.splitlines()[0].split() == ["…task-1", "IN_PROGRESS", "3", "looks", "[b]Hi", "https://x"]
    assert "1 IN_PROGRESS" in live._screen.text


def test_live_of_many(live):
    """Of many tasks only some that still run have a row; all are counted."""
    live.begin([f"t{number}" for number in range(40)])
    for number in range(30):
        live.change(task(f"t{number}", Status.SUCCESS))
    live.draw()
    assert len(live._screen.text.splitlines()) == 11
    assert "30 SUCCESS, 10 SUBMITTED" in live._screen.text


def test_lines(capsys):
    """Without a terminal each change is a line."""
    lines = Lines(iter([0.0, 1.0, 3.4]).__next__)
    lines.begin(["a"])
    lines.draw()
    lines.change(task("a"))
    assert capsys.readouterr().err == "suno-async: 1 tasks submitted\nsuno-async: 2 s a IN_PROGRESS\n"


def test_which(terminal):
    """A terminal is drawn upon, unless data is written to it meanwhile."""
    with board(lambda: 0.0, {}.get, streaming=True) as shown:
        assert isinstance(shown, Lines)
    terminal()
    with board(lambda: 0.0, {}.get, streaming=True) as shown:
        assert isinstance(shown, Live)
    terminal("stdout")
    with board(lambda: 0.0, {}.get, streaming=True) as shown:
        assert isinstance(shown, Lines)
