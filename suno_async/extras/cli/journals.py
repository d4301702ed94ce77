"""The journals: which files there are, and which one a process has.

Each process has one of its own, the first whose owner is gone; so what a process that died has left is found again.
What has an idempotency key lies in a file of that name, so that two processes cannot both submit it.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from ...client import Suno
from ...protocol.errors import JournalError
from .configuration import NO_JOURNAL, Journaled, gateway_of, journal_setting, open_suno
from .exits import KeyNotSafe, UsageError
from .words import say

_ENDING = ".journal"


def owner(error: JournalError) -> str | None:
    """Who uses a journal that could not be opened; None if that is not what is wrong with it."""
    if not error.in_use:
        return None
    return f"process {error.pid}" if error.pid else "another process"


def folder() -> Path:
    """Where the journals lie that nobody has named."""
    from platformdirs import user_state_path  # noqa: PLC0415 - not needed where a journal is named

    return user_state_path("suno-async", appauthor=False) / "journal"


def named(journal: str | None, config: Path | None) -> str | None:
    """The journal that is to be looked into; None for all of the folder, also where nothing is written any more."""
    if journal == NO_JOURNAL:
        raise UsageError("--journal none has nothing to look into: name a file, or leave it out")
    setting = journal_setting(journal, config)
    return None if setting == NO_JOURNAL else setting


def all_files(setting: str | None) -> list[Path]:
    """The journals there are: the one that was named, or all of the folder, those of processes first."""
    if setting is not None:
        path = Path(setting).expanduser()
        if not path.is_file():
            raise UsageError(f"there is no journal {path}")
        return [path]
    try:
        found = [path for path in folder().glob(f"*{_ENDING}") if path.is_file()]
    except OSError as error:
        raise JournalError(f"the folder of journals, {folder()}, cannot be read: {error.strerror}") from None
    return sorted(found, key=lambda path: (not path.stem.isdigit(), len(path.stem), path.stem))


@asynccontextmanager
async def open_journaled(options: Journaled) -> AsyncIterator[Suno]:
    """A client for somebody who waits: where no journal can be had, it goes on without one."""
    setting = journal_setting(options.journal, options.config)
    async with AsyncExitStack() as stack:
        try:
            suno = await _entered(stack, options, setting)
        except JournalError as error:
            if setting is not None:
                raise
            say(f"nothing is written down: {error}")
            suno = await stack.enter_async_context(open_suno(options))
        yield suno


@asynccontextmanager
async def open_to_submit(options: Journaled, key: str | None = None) -> AsyncIterator[Suno]:
    """A client for somebody who submits: where no journal can be had, nothing is sent."""
    setting = journal_setting(options.journal, options.config)
    if key is not None and setting == NO_JOURNAL:
        raise UsageError("--idempotency-key needs a journal: take --journal none out, or name a file")
    async with AsyncExitStack() as stack:
        try:
            if key is None:
                suno = await _entered(stack, options, setting)
            else:
                suno = await _entered(stack, options, setting or str(_file_of(key, gateway_of(options))))
        except JournalError as error:
            if key is None:
                raise JournalError(f"{error}; nothing was submitted") from None
            raise _not_safe(error) from None
        yield suno


def _not_safe(error: JournalError) -> KeyNotSafe:
    who = owner(error)
    if who is not None:
        return KeyNotSafe(
            f"{who} has the journal of this idempotency key, to submit or to wait for the task; nothing was submitted"
            " here: run this again once it has ended"
        )
    return KeyNotSafe(f"{error}; so nobody can tell whether this idempotency key was used, and nothing was submitted")


async def _entered(stack: AsyncExitStack, options: Journaled, setting: str | None) -> Suno:
    if setting == NO_JOURNAL:
        return await stack.enter_async_context(open_suno(options))
    if setting is not None:
        return await stack.enter_async_context(open_suno(options, journal=setting))
    number = 1
    while True:
        path = _made_folder() / f"{number}{_ENDING}"
        suno = await _taken(stack, options, path, new=not path.exists())
        if suno is not None:
            return suno
        number += 1


async def _taken(stack: AsyncExitStack, options: Journaled, path: Path, *, new: bool) -> Suno | None:
    """A client with this journal, or None if that is another process's, or cannot be used while another one can."""
    try:
        return await stack.enter_async_context(open_suno(options, journal=path))
    except JournalError as error:
        if owner(error) is None:
            # where a new file fails as well, it is not the file but the folder or the disk
            if new:
                raise
            say(f"{path} is left out, the next one is taken; see suno-async journal list: {error}")
        return None


def _file_of(key: str, gateway: str) -> Path:
    name = hashlib.sha256(f"{gateway}\n{key}".encode()).hexdigest()[:32]
    return _made_folder() / f"key-{name}{_ENDING}"


def _made_folder() -> Path:
    made = folder()
    try:
        # there are prompts in it
        made.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise JournalError(f"the folder of journals, {made}, cannot be made: {error.strerror}") from None
    return made
