"""The files of a journal: who owns them, what the disk's errors mean, and names that are really on the disk."""

import os
import sqlite3
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

from ...protocol.errors import JournalError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:
    # Windows: SQLite's own exclusive lock, which the store takes too, has to do
    fcntl = None

_WORDS = (
    ("SQLITE_FULL", "the disk is full"),
    ("SQLITE_READONLY", "it cannot be written to"),
    ("SQLITE_CANTOPEN", "it cannot be opened"),
    ("SQLITE_BUSY", "another process uses it"),
    ("SQLITE_CORRUPT", "it is damaged"),
    ("SQLITE_NOTADB", "it is no journal"),
    ("SQLITE_IOERR_LOCK", "it cannot be locked, so perhaps it cannot be written to"),
    ("SQLITE_IOERR", "the disk cannot be read or written"),
)


_SAID = 31
_OWN = os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""Not what somebody has put there in its place: a link to another file, or a pipe that never answers."""

_held: set[int] = set()
"""The lock files that are open here."""


def _let_go() -> None:
    """In a forked child: a lock lives until the last copy of its open file is closed, and the owner is the parent."""
    while _held:
        os.close(_held.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


class Lock:
    """One process owns a journal; the file beside it says which, for the message that others get, and what it has."""

    commits = 0
    """So many commits are in the journal at least: fewer mean that some were lost. 0 where nobody knows."""

    def __init__(self, path: Path) -> None:
        with disk(path):
            self._file = os.open(path.with_name(f"{path.name}.lock"), _OWN, 0o600)
            try:
                self._take(path)
            except BaseException:
                os.close(self._file)
                raise
        _held.add(self._file)

    def _take(self, path: Path) -> None:
        if not stat.S_ISREG(os.fstat(self._file).st_mode):
            raise JournalError(f"{path}.lock is no file: take it away")
        if fcntl is not None:
            try:
                # not lockf: such a lock is lost as soon as anybody in this process closes any file of that name
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = self._read()[0]
                named = f"by process {owner}" if owner else "by another process"
                named = "in this process" if owner == os.getpid() else named
                raise JournalError(
                    f"{path} is in use {named}: each client needs a journal of its own", in_use=True, pid=owner
                ) from None
        self.mark(self._read()[1])

    def _read(self) -> tuple[int | None, int]:
        """The owner and its commits; a file that is new, or damaged, says nothing."""
        line = os.read(self._file, 100)
        said, crc = line[:_SAID], line[_SAID:]
        if crc != _crc(said):
            return None, 0
        owner, commits = said.split()
        return int(owner), int(commits)

    def mark(self, commits: int) -> None:
        """So many commits are durable: written over what was there, in one go, and without a sync."""
        self.commits = commits
        said = b"%10d %20d" % (os.getpid(), commits)
        os.lseek(self._file, 0, os.SEEK_SET)
        os.write(self._file, said + _crc(said))

    def release(self) -> None:
        """Somebody else may own it."""
        if self._file in _held:
            _held.remove(self._file)
            os.close(self._file)


def _crc(said: bytes) -> bytes:
    return b" %010d\n" % zlib.crc32(said)


@contextmanager
def disk(path: Path) -> Iterator[None]:
    """Errors of the disk come out as JournalError, in words."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", None) or ""
        words = next((words for start, words in _WORDS if name.startswith(start)), str(error))
        busy = name.startswith("SQLITE_BUSY")
        raise JournalError(f"the journal {path}: {words} ({name or type(error).__name__})", in_use=busy) from None
    except OSError as error:
        raise JournalError(f"the journal {path}: {error.strerror or error}") from None


def identity(path: Path) -> tuple[int, int] | None:
    """Which file has this name; None where no file has it."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def make(path: Path) -> None:
    """An empty file in the place of what has this name, and nobody else may read it: there will be prompts in it."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def remove(path: Path) -> None:
    """Takes away a file of SQLite's and what belongs to it."""
    for end in ("", "-journal", "-wal"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """A new name in this folder survives a loss of power; where folders cannot be opened (Windows) it does anyway."""
    with suppress(PermissionError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
