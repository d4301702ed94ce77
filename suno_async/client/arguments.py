"""The arguments: what the verbs are given is checked, or collected, before anything happens."""

import os
import stat
from collections.abc import AsyncIterable, Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio.lowlevel

from ..engine.streams import TaskIds
from ..protocol.errors import ConfigurationError
from ..protocol.exchange import Account
from ..protocol.inputs import Secret, check_task_id, check_timeout, is_task_id

if TYPE_CHECKING:
    from ..protocol.profiles import Profile

TIMEOUT = 3600.0
_MOST_SHOWN = 300
"""Of a path, in an error."""


def check_wait(timeout: object, until: object) -> float | None:
    """The timeout of a wait, in seconds, or None for no end."""
    if until not in ("done", "playable"):
        raise ConfigurationError(f"until must be 'done' or 'playable', not {until!r}")
    return check_timeout("timeout", timeout)


def check_clip_id(clip_id: object) -> str:
    """A clip's id, safe in a path."""
    if is_task_id(clip_id):
        return str(clip_id)
    raise ConfigurationError(f"{ascii(clip_id)[:60]} is no clip id: pass a song's .id, as the gateway gave it")


def check_clips(clip_ids: Collection[str]) -> list[str]:
    """Each clip's id once, in order."""
    if isinstance(clip_ids, str | bytes) or not isinstance(clip_ids, Iterable):
        raise ConfigurationError(f"clip ids come as a list or another iterable, not as {type(clip_ids).__name__}")
    return list(dict.fromkeys(map(check_clip_id, clip_ids)))


def check_text(name: str, text: object, *, empty: bool = False) -> str:
    """A text that is not blank, unless it may be."""
    if not isinstance(text, str) or not (empty or text.strip()):
        raise ConfigurationError(f"{name} must be a text{'' if empty else ' that is not empty'}")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ConfigurationError(f"{name} holds half of a surrogate pair, which is no text")
    return text


def check_link(name: str, url: object) -> str:
    """An address that names a host."""
    link = check_text(name, url)
    try:
        host = urlsplit(link).hostname or ""
    except ValueError:
        host = ""
    if not host.strip():
        raise ConfigurationError(f"{name} must name a host, as https://host/song.mp3 does")
    return link


def check_switch(name: str, value: object) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be True or False, not a {type(value).__name__}")
    return value


def check_file(name: str, path: str | os.PathLike[str]) -> Path:
    """The path of a file that is there."""
    found = _path(name, path, "an address (https://...), the path of a file, or its bytes")
    if not stat.S_ISREG(_mode(name, found)):
        raise ConfigurationError(f"{name}={_shown(path)}: there is no such file")
    return found


def check_path(name: str, path: str | os.PathLike[str]) -> Path:
    """A path in a folder that exists."""
    found = _path(name, path, "the path of a file")
    if stat.S_ISDIR(_mode(name, found)) or not stat.S_ISDIR(_mode(name, found.parent)):
        raise ConfigurationError(f"{name}={_shown(path)}: it must be a file, in a folder that exists")
    return found


def _path(name: str, path: str | os.PathLike[str], wanted: str) -> Path:
    given = _text_of(path)
    if not given or "\0" in given:
        raise ConfigurationError(f"{name} must be {wanted}")
    try:
        return Path(given).expanduser()
    except RuntimeError:
        raise ConfigurationError(f"{name}={_shown(given)}: there is no such home folder") from None


def _text_of(path: str | os.PathLike[str]) -> str:
    """A path as the system takes it; "" for what it does not take."""
    try:
        given = os.fspath(path)
        os.fsencode(given)
    except (TypeError, UnicodeEncodeError):
        return ""
    return given if isinstance(given, str) else ""


def _mode(name: str, path: Path) -> int:
    """What kind of thing is there; 0 for nothing."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError as error:
        raise ConfigurationError(f"{name}={_shown(path)}: {error.strerror}") from None


def _shown(path: str | os.PathLike[str]) -> str:
    return repr(os.fspath(path)[:_MOST_SHOWN])


def check_statuses(name: str, statuses: Collection[int]) -> frozenset[int]:
    """A set of HTTP statuses."""
    found = isinstance(statuses, Collection) and not isinstance(statuses, str | bytes)
    if not found or not all(isinstance(status, int) and 400 <= status <= 599 for status in statuses):
        raise ConfigurationError(f"{name} must be a collection of HTTP statuses of errors, such as {{429, 503}}")
    return frozenset(statuses)


def check_account(token: Secret | None, user_id: object) -> Account | None:
    """Both parts of an account, or neither."""
    if token is None and user_id is None:
        return None
    if token is None or not isinstance(user_id, int) or isinstance(user_id, bool) or not 0 < user_id < 2**63:
        raise ConfigurationError("access_token and user_id (a whole number) are given together, or not at all")
    try:
        token.reveal()
    except ConfigurationError:
        raise ConfigurationError("access_token is none: copy it from the gateway's settings page") from None
    return Account(token, user_id)


def iterable(task_ids: TaskIds) -> TaskIds:
    """Ids that can be iterated over."""
    if isinstance(task_ids, str | bytes) or not isinstance(task_ids, Iterable | AsyncIterable):
        raise ConfigurationError(f"task ids come as a list or another iterable, not as {type(task_ids).__name__}")
    return task_ids


async def collected(task_ids: TaskIds) -> list[str]:
    """Each id once, checked, in order; the loop gets its turn in between."""
    source = iterable(task_ids)
    ids: dict[str, None] = {}
    if isinstance(source, AsyncIterable):
        async for task_id in source:
            ids[check_task_id(task_id)] = None
        return list(ids)
    for index, task_id in enumerate(source, 1):
        ids[check_task_id(task_id)] = None
        if index % 1000 == 0:
            await anyio.lowlevel.checkpoint()
    return list(ids)


def place_of(profile: "str | Profile") -> Callable[[str, str], str] | None:
    """What makes this gateway's paths of stock's; None where they are the same."""
    if profile == "stock":
        return None
    # most gateways are stock
    from ..protocol.profiles import read_profile  # noqa: PLC0415

    return read_profile(profile).place
