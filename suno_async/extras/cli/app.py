"""The commands by name, and what every one of them may end with.

A command's file is imported when the command is run: ``--help`` and ``--version`` need none of them.
"""

import os
import sys
from asyncio import CancelledError
from collections.abc import Sequence
from importlib.metadata import version

from cyclopts import App, CycloptsError, Parameter

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
    " journal, 5 gateway unavailable, 6 the outcome of a submission is unknown, 130 interrupted, 141 nobody"
    " reads the output."
)
_COMMANDS = {
    "demo": ("demo:demo", "See it work: a local gateway, some songs, no key, no network."),
    "gateway": ("serving:gateway", "Run a local gateway to develop against."),
    "submit": ("submitting:submit", "Submit a song, lyrics, or whatever the gateway offers."),
    "fetch": ("looking:fetch", "Look at tasks once."),
    "wait": ("looking:wait", "Wait until tasks are done."),
    "watch": ("looking:watch", "See every change of tasks until they are done."),
    "journal": ("journaling:journal", "What was submitted and waited for, also by what has crashed."),
    "doctor": ("doctor:doctor", "See why tasks are looked at when they are."),
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
    for order, (name, (place, text)) in enumerate(_COMMANDS.items()):
        app.command(f"{__package__}.{place}", name=name, help=text, sort_key=order)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of one command line; what went wrong stands on stderr, in one line."""
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


def _hush() -> None:
    """Nobody reads stdout any more (``| head``): what is left to say goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
