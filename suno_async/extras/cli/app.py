"""The commands by name, and what every one of them may end with.

A command's file is imported when the command is run: ``--help`` and ``--version`` need none of them.
"""

import os
import sys
from asyncio import CancelledError
from collections.abc import Sequence
from importlib.metadata import version
from io import TextIOWrapper

from cyclopts import App, CycloptsError, Group, Parameter

from ...protocol.errors import SunoError
from .exits import FAILED, INTERRUPTED, UNHEARD, USAGE, UsageError, advice, code_of
from .words import STDIN, say

HELP = """Submit songs to a Suno-compatible gateway, and wait for them.

The gateway is told by `--base-url`, `SUNO_BASE_URL` or `base_url` in `./suno.toml` or your own `config.toml`; the key
by `SUNO_API_KEY` or `api_key` in one of these files. Without a gateway, try `suno-async demo`.

What is submitted and waited for is written to a journal in your own state folder, or to the file of `--journal PATH`
or `SUNO_JOURNAL` (`none`: nowhere): `suno-async journal` shows it, and goes on with it after a crash.
"""
EPILOGUE = (
    "Exit codes: 0 all succeeded, 1 a task failed or was not found, 2 usage, 3 timed out, 4 configuration, key or"
    " journal, 5 gateway unavailable, 6 the outcome of a submission is unknown (to list such submissions is a 0), 130"
    " interrupted, 141 nobody reads the output."
)
_TRY, _TASKS = "Without a gateway", "Songs and other tasks"
_CLIPS, _MORE = "Clips, which are songs by their own ids (private gateways)", "What else a gateway offers"
_COMMANDS = {
    "demo": (_TRY, "demo:demo", "See it work: a local gateway, some songs, no key, no network."),
    "gateway": (_TRY, "serving:gateway", "Run a local gateway to develop against."),
    "submit": (_TASKS, "submitting:submit", "Submit a song, lyrics, or whatever the gateway offers."),
    "fetch": (_TASKS, "looking:fetch", "Look at tasks once."),
    "wait": (_TASKS, "looking:wait", "Wait until tasks are done."),
    "watch": (_TASKS, "looking:watch", "See every change of tasks until they are done."),
    "journal": (_TASKS, "journaling:journal", "What was submitted and waited for, also by what has crashed."),
    "doctor": (_TASKS, "doctor:doctor", "See why tasks are looked at when they are."),
    "upload": (_CLIPS, "uploading:upload", "Make a clip of your own audio: to extend, to cover, to take apart."),
    "feed": (_CLIPS, "clips:feed", "Look at songs by their own ids."),
    "wav": (_CLIPS, "clips:wav", "The address of a song's WAV file."),
    "mp4": (_CLIPS, "clips:mp4", "The address of a song's video."),
    "midi": (_CLIPS, "clips:midi", "The notes of a song."),
    "timing": (_CLIPS, "clips:timing", "When each word is sung, also as .lrc and .srt."),
    "stems": (_CLIPS, "clips:stems", "Voice and instruments as songs of their own."),
    "persona": (_CLIPS, "materials:persona", "Make a singer of a song."),
    "tags": (_MORE, "materials:tags", "Make a rich description of a style in a few words."),
    "chat": (_MORE, "chatting:chat", "A song by chatting, told as it is made."),
    "balance": (_MORE, "materials:balance", "What the key may spend, has spent and has left."),
}


def build() -> App:
    """The parser of the whole command line."""
    app = App(
        name="suno-async",
        help=HELP,
        help_epilogue=EPILOGUE,
        version=lambda: version("suno-async"),
        result_action="return_value",
        suppress_keyboard_interrupt=False,
        print_error=False,
        exit_on_error=False,
        help_format="markdown",
        default_parameter=Parameter(negative=()),
    )
    groups = {title: Group(title, sort_key=order) for order, title in enumerate((_TRY, _TASKS, _CLIPS, _MORE))}
    for order, (name, (title, place, text)) in enumerate(_COMMANDS.items()):
        app.command(f"{__package__}.{place}", name=name, help=text, group=groups[title], sort_key=order)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of one command line; what went wrong stands on stderr, in one line."""
    _endure()
    given = sys.argv[1:] if arguments is None else arguments
    tokens = [STDIN if word == "-" else word for word in given]
    try:
        code = build()(tokens)
        sys.stdout.flush()
    except (CycloptsError, UsageError) as error:
        say(str(error))
        return USAGE
    except SunoError as error:
        say(f"{error}{advice(error)}")
        return code_of(error)
    except (KeyboardInterrupt, CancelledError):
        return INTERRUPTED
    except BrokenPipeError:
        _hush()
        return UNHEARD
    except OSError as error:
        say(f"stdout cannot be written to: {error.strerror}")
        _hush()
        return FAILED
    return code if isinstance(code, int) else 0


def _endure() -> None:
    """What the encoding of stdout has no letter for becomes a question mark, and no traceback."""
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")


def _hush() -> None:
    """Nobody reads stdout any more (``| head``): what is left to say goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
