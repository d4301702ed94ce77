"""What people read: tables of tasks on stdout, and lines for what changes."""

import sys

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from ...protocol.errors import SunoError
from ...protocol.models import Song, Task
from .records import absence, seconds_of
from .words import clean

_STYLES = {"SUCCESS": "green", "FAILURE": "red", "IN_PROGRESS": "yellow"}
_WIDEST = 100_000
_NUMBERS = frozenset(
    {"length", "seconds", "looks", "start", "end", "from", "to", "notes", "limit", "used", "remaining"}
)
Cells = dict[str, Text]


class _Plain(Console):
    """A console that leaves it to us what a broken pipe means."""

    def on_broken_pipe(self) -> None:
        """Not rich's own exit with a 1."""
        raise BrokenPipeError


def stdout() -> Console:
    """The console for data: no markup, and as wide as it takes where nobody's screen ends."""
    return _console(sys.stdout)


def stderr() -> Console:
    """The console for progress."""
    return _console(sys.stderr)


def _console(file: object) -> Console:
    console = _Plain(file=file, markup=False, emoji=False, highlight=False)  # type: ignore[arg-type]
    if not console.is_terminal:
        console.width = _WIDEST
    return console


def status_text(task: Task) -> Text:
    """The gateway's own word for the status, coloured by what it means."""
    return Text(clean(task.status_text or task.status.value), style=_STYLES.get(task.status.value, ""))


def minutes(seconds: float | None) -> str:
    """A song's length as players show it."""
    return "" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def task_rows(task: Task) -> list[Cells]:
    """A row for each song, and one for a task that has none, or has something else to say."""
    seconds = seconds_of(task)
    common = {"task": Text(task.task_id), "status": status_text(task)}
    common["seconds"] = Text("" if seconds is None else f"{seconds:g}")
    songs = [{**common, **_song_cells(song)} for song in task.songs]
    return songs if songs and not task.failed else [{**common, "title": Text(detail(task))}, *songs]


def _song_cells(song: Song) -> Cells:
    return {
        "title": Text(clean(song.title)),
        "clip": Text(clean(song.id)),
        "length": Text(minutes(song.duration)),
        "audio": Text(clean(song.audio_url)),
    }


def song_row(song: Song) -> Cells:
    """The row of a song by its own id."""
    return {"status": Text(clean(song.status)), **_song_cells(song)}


def absence_row(task_id: str, error: SunoError) -> Cells:
    """The row of an id of which there is no task to tell."""
    return {"task": Text(task_id), "status": Text(absence(error).replace("_", " "), style="red")}


def detail(task: Task) -> str:
    """What else there is to say about a task: why it failed, what it wrote, where it can be heard, how far it is."""
    if task.failed:
        return clean(task.fail_reason)
    if task.lyrics is not None:
        return clean(task.lyrics.title)
    song = next((song for song in task.songs if song.playable), None)
    if song is not None:
        return clean(f"{song.title} {song.audio_url}")
    return f"{task.progress} %" if task.progress else ""


def change_line(task: Task) -> Text:
    """One change of one task."""
    return Text("  ").join([Text(task.task_id), status_text(task), Text(detail(task))])


def print_table(columns: tuple[str, ...], rows: list[Cells]) -> None:
    """The rows as a table; where the screen is too narrow for it, clips and addresses stand in whole lines below it."""
    console = stdout()
    table = _table(console, columns, rows)
    if Measurement.get(console, console.options.update(width=_WIDEST), table).maximum <= console.width:
        console.print(table)
        return
    # without a task's id it is the clip's by which a row is known
    below = ("clip", "audio") if "task" in columns else ("audio",)
    console.print(_table(console, tuple(name for name in columns if name not in below), rows))
    for row in rows:
        if "audio" in row:
            words = [row["title"], *(row[name] for name in below if name in columns)]
            console.print(Text("  ").join(words), soft_wrap=True)


def _table(console: Console, columns: tuple[str, ...], rows: list[Cells]) -> Table:
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False, header_style="bold")
    for name in columns:
        justify = "right" if name in _NUMBERS else "left"
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*(row.get(name, Text()) for name in columns))
    return table
