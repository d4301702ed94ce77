"""The commands about clips: feed, wav, mp4, midi, timing, stems."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.text import Text

from ...client import Suno
from ...client.arguments import check_clip_id
from ...protocol.materials import Instrument, Midi
from ...protocol.models import Song
from ...protocol.timing import Timing, Word
from .asking import CALMLY, Asking, Clip, ask, clip_id
from .configuration import STANDARD, Options
from .exits import DONE, FAILED, UsageError
from .records import print_json, song_record
from .tables import Cells, minutes, print_table, song_row
from .words import clean, read_ids, say

SONGS = ("clip", "status", "title", "length", "audio")
Clips = Annotated[str, Parameter(help="Songs' own ids; - reads them from stdin, one a line.")]
Lrc = Annotated[bool, Parameter(name="--lrc", help="Lyrics with times, as players show them.", show_default=False)]
Srt = Annotated[bool, Parameter(name="--srt", help="Subtitles, as video tools take them.", show_default=False)]


def feed(*ids: Clips, asking: Asking = CALMLY, options: Options = STANDARD) -> int:
    """Look at songs by their own ids, without their tasks."""
    wanted = read_ids(ids, "clip", check_clip_id)

    def tell(found: dict[str, Song | None]) -> int:
        if asking.as_json:
            for one, song in found.items():
                print_json(song_record(song or Song(id=one), None if song else "not_found"))
        elif found:
            print_table(SONGS, [_row(one, song) for one, song in found.items()])
        missing = [one for one, song in found.items() if song is None]
        if missing:
            more = f" and {len(missing) - 1} more of these" if len(missing) > 1 else ""
            say(f"the gateway does not know clip {missing[0]}{more}")
        return FAILED if missing else DONE

    return ask(lambda suno: suno.feed(wanted, timeout=asking.timeout), tell, options)


def _row(one: str, song: Song | None) -> Cells:
    return song_row(song) if song is not None else {"clip": Text(one), "status": Text("not found", style="red")}


def wav(clip: Clip, /, *, asking: Asking = CALMLY, options: Options = STANDARD) -> int:
    """Print the address of a song's WAV file, once it is made."""
    return _address("wav", Suno.wav, clip, asking, options)


def mp4(clip: Clip, /, *, asking: Asking = CALMLY, options: Options = STANDARD) -> int:
    """Print the address of a song's video, once it is made."""
    return _address("mp4", Suno.mp4, clip, asking, options)


def _address(verb: str, question: Callable[..., Awaitable[str]], clip: str, asking: Asking, options: Options) -> int:
    one = clip_id(clip)

    def tell(url: str) -> int:
        if asking.as_json:
            print_json({"clip_id": one, "url": url})
        else:
            print(clean(url))
        return DONE

    again = [verb, *options.flags(), *asking.flags(), one]
    return ask(lambda suno: question(suno, one, timeout=asking.timeout), tell, options, again=again)


def midi(clip: Clip, /, *, asking: Asking = CALMLY, options: Options = STANDARD) -> int:
    """See which instruments play in a song; the notes themselves with --json."""
    one = clip_id(clip)

    def tell(found: Midi) -> int:
        if asking.as_json:
            print_json({"clip_id": one, **msgspec.to_builtins(found)})
        else:
            print_table(("instrument", "notes", "from", "to"), [_notes(part) for part in found.instruments])
        return DONE

    again = ["midi", *options.flags(), *asking.flags(), one]
    return ask(lambda suno: suno.midi(one, timeout=asking.timeout), tell, options, again=again)


def _notes(part: Instrument) -> Cells:
    return {
        "instrument": Text(clean(part.name)),
        "notes": Text(str(len(part.notes))),
        "from": Text(minutes(min((note.start_s for note in part.notes), default=None))),
        "to": Text(minutes(max((note.end_s for note in part.notes), default=None))),
    }


def timing(
    clip: Clip, /, *, lrc: Lrc = False, srt: Srt = False, asking: Asking = CALMLY, options: Options = STANDARD
) -> int:
    """See when each word of a song is sung, in seconds; as a file for players with --lrc or --srt."""
    one = clip_id(clip)
    if lrc + srt + asking.as_json > 1:
        raise UsageError("--lrc, --srt and --json are three ways to write one thing: choose one")

    def tell(found: Timing) -> int:
        if not found.words:
            say("there are no words in it")
        if asking.as_json:
            print_json({"clip_id": one, **msgspec.to_builtins(found)})
        elif lrc or srt:
            print(found.lrc() if lrc else found.srt(), end="")
        elif found.words:
            print_table(("start", "end", "word"), [_word(word) for word in found.words])
        return DONE

    kind = ["--lrc"] * lrc + ["--srt"] * srt
    again = ["timing", *options.flags(), *asking.flags(), *kind, one]
    return ask(lambda suno: suno.timing(one, timeout=asking.timeout), tell, options, again=again)


def _word(word: Word) -> Cells:
    times = {"start": word.start_s, "end": word.end_s}
    cells = {name: Text("" if seconds is None else f"{seconds:.2f}") for name, seconds in times.items()}
    return {**cells, "word": Text(clean(word.word), style="" if word.success else "dim")}


def stems(clip: Clip, /, *, asking: Asking = CALMLY, options: Options = STANDARD) -> int:
    """Take a song apart: voice and instruments, each a song of its own."""
    one = clip_id(clip)

    def tell(songs: tuple[Song, ...]) -> int:
        if asking.as_json:
            for song in songs:
                print_json(song_record(song))
        else:
            print_table(SONGS, [song_row(song) for song in songs])
        return DONE

    again = ["stems", *options.flags(), *asking.flags(), one]
    return ask(lambda suno: suno.stems(one, timeout=asking.timeout), tell, options, again=again)
