"""The files: one process owns a journal, and what the disk says is told in words."""

import importlib.util
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from journals import command, elsewhere

from suno_async.engine.journal import files
from suno_async.engine.journal.files import Lock, disk, make, remove, sync_folder
from suno_async.protocol.errors import JournalError

SAID = "{} is in use by process {}: each client needs a journal of its own"
TRY = """
from suno_async.engine.journal.files import Lock
from suno_async.protocol.errors import JournalError
try:
    lock = Lock(Path(sys.argv[1]))
    print(lock.commits)
except JournalError as error:
    print(error)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "j"


def test_the_first_owner_is_named_to_the_second(path):
    """Also within one process; when it lets go, the next one may have it."""
    lock = Lock(path)
    assert elsewhere(TRY, path) == SAID.format(path, os.getpid())
    with pytest.raises(JournalError, match="in use in this process:"):
        Lock(path)
    lock.release()
    lock.release()
    assert elsewhere(TRY, path) == "0"


def test_an_owner_that_was_killed_holds_nothing(path):
    """What it had is told to the next one, to the last commit that it marked."""
    script = """
import os, time
from suno_async.engine.journal.files import Lock
lock = Lock(Path(sys.argv[1]))
for number in range(1235):
    lock.mark(number)
print(os.getpid(), flush=True)
time.sleep(30)
"""
    with subprocess.Popen(command(script, path), stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout.readline() == f"{process.pid}\n"
        assert elsewhere(TRY, path) == SAID.format(path, process.pid)
        process.kill()
        process.wait()
    assert elsewhere(TRY, path) == "1234"


def test_a_forked_child_keeps_nothing_of_its_parents(path):
    """A parent that closes, or dies, lets go although its children live on; a child that ends takes nothing away."""
    script = """
import os, time
from suno_async.engine.journal.files import Lock
lock = Lock(Path(sys.argv[1]))
ours, theirs = os.pipe()
if os.fork() == 0:
    lock.release()
    os.close(theirs)
    os.read(ours, 1)
    os._exit(0)
if os.fork() == 0:
    os._exit(0)
os.wait()
print(elsewhere(TRY, sys.argv[1]))
lock.release()
print(elsewhere(TRY, sys.argv[1]))
os.close(theirs)
os.wait()
"""
    told = elsewhere(f"TRY = {TRY!r}\n{script}", path).splitlines()
    assert told[0].startswith(f"{path} is in use by process ")
    assert told[1] == "0"


def test_what_a_child_does_first_lets_go_once(path):
    """And what it may do later to the same lock does not close a file that has its number by then."""
    lock = Lock(path)
    files._let_go()
    with path.open("w") as file:
        assert file.fileno() == lock._file
        lock.release()
        file.write("still open")
    assert elsewhere(TRY, path) == "0"


@pytest.mark.parametrize("data", [b"", b"4711", b"x" * 43, b" " * 31 + b" 0000000000\n"])
def test_a_lock_file_that_says_nothing_is_no_obstacle(path, data):
    """It may be new, of an owner that is just about to write, or damaged."""
    lock_file = path.with_name("j.lock")
    lock_file.write_bytes(data)
    lock = Lock(path)
    assert lock.commits == 0
    lock_file.write_bytes(data)
    with pytest.raises(JournalError, match="in use by another process: "):
        Lock(path)
    lock.release()


def test_a_mark_is_what_was_marked_last(path):
    """Also a smaller one, of a new journal in the old one's place; nothing is left of a longer one."""
    for number in (7, 2**62, 8, 0):
        lock = Lock(path)
        lock.mark(number)
        assert lock.commits == number
        lock.release()
        assert elsewhere(TRY, path) == str(number)


def open_files():
    """The numbers of this process's open files, where the system tells them."""
    return list(Path("/proc/self/fd").glob("*"))


def test_a_lock_file_that_cannot_be_made_is_an_error_of_the_disk(tmp_path):
    """A folder of that name, no room for it, no such folder; nothing stays open."""
    before = len(open_files())
    (tmp_path / "j.lock").mkdir()
    with pytest.raises(JournalError, match=f"the journal {tmp_path}/j: Is a directory"):
        Lock(tmp_path / "j")
    with pytest.raises(JournalError, match=f"the journal {tmp_path}/no/j: No such file or directory"):
        Lock(tmp_path / "no" / "j")
    limit = "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    assert elsewhere(limit + TRY, tmp_path / "k") == f"the journal {tmp_path}/k: File too large"
    assert len(open_files()) == before
    assert not files._held


def sqlite_error(name):
    error = sqlite3.OperationalError("SQLite's own words")
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (sqlite_error("SQLITE_FULL"), "the disk is full (SQLITE_FULL)"),
        (sqlite_error("SQLITE_READONLY_DIRECTORY"), "it cannot be written to (SQLITE_READONLY_DIRECTORY)"),
        (sqlite_error("SQLITE_CANTOPEN_ISDIR"), "it cannot be opened (SQLITE_CANTOPEN_ISDIR)"),
        (sqlite_error("SQLITE_BUSY"), "another process uses it (SQLITE_BUSY)"),
        (sqlite_error("SQLITE_CORRUPT_VTAB"), "it is damaged (SQLITE_CORRUPT_VTAB)"),
        (sqlite_error("SQLITE_NOTADB"), "it is no journal (SQLITE_NOTADB)"),
        (sqlite_error("SQLITE_IOERR_FSYNC"), "the disk cannot be read or written (SQLITE_IOERR_FSYNC)"),
        (sqlite_error("SQLITE_SOMETHING"), "SQLite's own words (SQLITE_SOMETHING)"),
        (sqlite3.ProgrammingError("closed"), "closed (ProgrammingError)"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError("odd"), "odd"),
    ],
)
def test_the_disk_is_told_in_words(path, error, words):
    """With the name of the file, and what to look for in SQLite's documentation."""
    with pytest.raises(JournalError) as caught, disk(path):
        raise error
    assert str(caught.value) == f"the journal {path}: {words}"
    assert caught.value.__suppress_context__


def test_what_is_no_error_of_the_disk_goes_through(path):
    """Such as a mistake of ours."""
    with pytest.raises(KeyError), disk(path):
        raise KeyError("x")


def test_a_file_is_made_anew_and_for_its_owner_alone(path):
    """Whatever stood there, whoever might read that, and whatever links to it."""
    path.write_text("old")
    path.chmod(0o666)
    os.link(path, path.with_name("k"))
    mask = os.umask(0)
    make(path)
    os.umask(mask)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"", 0o600)
    assert path.with_name("k").read_text() == "old"


def test_what_belongs_to_a_file_goes_with_it(path):
    """Its logs; and nothing else that begins with its name."""
    for end in ("", "-wal", "-journal", ".lock", "2"):
        path.with_name(f"j{end}").touch()
    remove(path)
    remove(path)
    assert sorted(each.name for each in path.parent.iterdir()) == ["j.lock", "j2"]


def test_a_folder_is_synced_where_it_can_be_opened(tmp_path):
    """One that cannot be opened (Windows opens none) is no error; one that is not there is."""
    sync_folder(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "no")
    script = """
import os
from suno_async.engine.journal.files import sync_folder
if os.geteuid() == 0:
    os.setegid(65534)
    os.seteuid(65534)
try:
    os.open(sys.argv[1], os.O_RDONLY)
except PermissionError:
    print("it may not")
sync_folder(Path(sys.argv[1]))
"""
    tmp_path.chmod(0o000)
    told = elsewhere(script, tmp_path)
    tmp_path.chmod(0o700)
    assert told == "it may not"


def test_a_system_without_locks_and_forks_can_have_journals(monkeypatch, path):
    """There the file names its owner, and SQLite itself keeps others out."""
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.delattr(os, "register_at_fork")
    spec = importlib.util.spec_from_file_location("suno_async.engine.journal.without", files.__file__)
    there = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(there)
    assert there.fcntl is None
    lock = there.Lock(path)
    lock.mark(5)
    lock.release()
    assert elsewhere(TRY, path) == "5"


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_lock_that_is_no_file_is_not_touched(path, tmp_path, kind):
    """A link leads to somebody's file, and a pipe never answers: neither is written to or waited for."""
    lock_file, target = path.with_name("j.lock"), tmp_path / "target"
    target.write_text("precious")
    if kind == "link":
        lock_file.symlink_to(target)
    else:
        os.mkfifo(lock_file)
    with pytest.raises(JournalError):
        Lock(path)
    assert target.read_text() == "precious"


def test_a_file_is_known_again_under_its_name(path):
    """The same file stays the same whatever is written to it; another one is another, and none is None."""
    assert files.identity(path) is None
    path.write_bytes(b"a")
    first = files.identity(path)
    path.write_bytes(b"b")
    assert files.identity(path) == first
    away = path.rename(path.with_name("away"))
    path.write_bytes(b"b")
    assert files.identity(path) != first
    assert files.identity(away) == first
