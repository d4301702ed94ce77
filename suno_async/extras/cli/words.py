"""Words in and out: what is read from stdin and files, and what is safe to show in a terminal."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

from ...protocol.errors import ConfigurationError
from ...protocol.inputs import check_task_id
from .exits import UsageError

STDIN = "@-"
"""How "-" reaches the commands: a bare dash looks like an option to the parser."""

_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # titles, links, clipboard
    r"|\x1b[ -/]*[0-~]"
)
_BLANKS = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029 ]+")
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UNSEEN = re.compile(rf"(?![\n\t]){_INVISIBLE.pattern}")


def clean(text: str) -> str:
    """Somebody else's text in one line that a terminal shows and does not obey."""
    return _INVISIBLE.sub("", _BLANKS.sub(" ", _ESCAPES.sub("", text))).strip()


def harmless(text: str) -> str:
    """Somebody else's text in its own lines, without what a terminal would obey."""
    return _UNSEEN.sub("", _ESCAPES.sub("", text))


def say(text: str) -> None:
    """One line on stderr."""
    print(f"suno-async: {clean(text)}", file=sys.stderr)


def read_text(value: str) -> str:
    """The text itself; ``-`` is read from stdin, ``@file`` from a file."""
    if not value.startswith("@"):
        return value
    try:
        return sys.stdin.read() if value == STDIN else Path(value[1:]).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{value[1:]} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{value[1:]} is no UTF-8 text") from None


def read_ids(given: tuple[str, ...], what: str = "task", check: Callable[[str], str] = check_task_id) -> list[str]:
    """The ids of tasks or of something else, each once; ``-`` among them stands for those on stdin, one a line."""
    if not given:
        raise UsageError(f"no {what} ids: name them, or pass - and write them to stdin, one a line")
    ids: dict[str, None] = {}
    for word in given:
        for line in read_text(word).splitlines() if word == STDIN else [word]:
            if line.strip():
                ids[_checked(line.strip(), check)] = None
    return list(ids)


def _checked(one: str, check: Callable[[str], str]) -> str:
    try:
        return check(one)
    except ConfigurationError as error:
        raise UsageError(str(error)) from None
