"""The damage: a journal that was cut off or changed is found out before anything is written to it.

SQLite has no checksums in its pages, and takes the first damaged record of its log for the end of the log: both would
lose paid tasks without a word. So each row has a checksum, each commit has a number, and the lock file says which was
the last one.
"""

import shutil
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from ...protocol.errors import JournalError
from .files import disk, make, remove

_TABLES = ("intents", "tasks")
"""Those of which no row may be damaged; their checksums are their last columns."""
_LEAVE_OUT = """
DELETE FROM learned WHERE crc <> crc_of(CAST(gateway AS BLOB), CAST(record AS BLOB), CAST(saved_at AS REAL))
"""
"""Their bytes: what is damaged may be a text that cannot be read as one."""


_encode = msgspec.msgpack.Encoder().encode


def crc_of(*fields: Any) -> int:
    """The checksum of a row."""
    return zlib.crc32(_encode(fields))


def check(path: Path, scripts: Sequence[str], commits: int) -> None:
    """Returns if a journal is whole, or not there; raises JournalError, and leaves its files as they are.

    ``scripts`` make its tables, one for each version; so many ``commits`` must be in it.
    """
    with disk(path):
        logs = [path.with_name(path.name + end) for end in ("-wal", "-journal")]
        logs = [log for log in logs if log.exists() and log.stat().st_size]
        if not path.exists():
            if logs:
                raise JournalError(
                    f"the journal {path} is not there, but {logs[0]} is, which holds a part of it: put back the one, or"
                    " move the other away too"
                )
            return
        with _at_rest(path, logs) as address, closing(connect(address, uri=True)) as connection:
            what = _what_is_wrong(connection, scripts, commits)
            if what:
                raise _damaged(path, what, _readable(connection))


@contextmanager
def _at_rest(path: Path, logs: list[Path]) -> Iterator[str]:
    """The journal itself if it has no log; else a copy, as a connection writes the log into the file when it closes."""
    if not logs:
        yield f"{path.absolute().as_uri()}?immutable=1"
        return
    copy = path.with_name(f".{path.name}.check")
    try:
        for file in (path, *logs):
            target = copy.with_name(copy.name + file.name.removeprefix(path.name))
            make(target)
            shutil.copyfile(file, target)
        yield copy.absolute().as_uri()
    finally:
        remove(copy)


def leave_out(connection: sqlite3.Connection) -> int:
    """Takes out what was learned where it is damaged: that costs time, and no task; how many rows that were."""
    return connection.execute(_LEAVE_OUT).rowcount


def connect(address: Path | str, **options: Any) -> sqlite3.Connection:
    """A connection that knows the checksum, and begins no transaction on its own."""
    connection: sqlite3.Connection = sqlite3.connect(address, isolation_level=None, **options)
    connection.create_function("crc_of", -1, crc_of, deterministic=True)
    return connection


def _what_is_wrong(connection: sqlite3.Connection, scripts: Sequence[str], commits: int) -> str:
    try:
        # nobody needs the copy after a loss of power
        connection.execute("PRAGMA synchronous = OFF")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(scripts):
            known = f"this suno_async knows {len(scripts)}"
            return f"its version is {version}, {known}: update it, unless the file is damaged"
        found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            return str(found)
        if version < 1 or _schema(connection) != _schema_of(scripts[:version]):
            return "its tables are not those of a journal"
        for table in _TABLES:
            query = f"SELECT count(*) FROM {table} WHERE {_differs(connection, table)}"  # noqa: S608 - names of ours
            count = connection.execute(query).fetchone()[0]
            if count:
                return f"{count} rows of {table} are not what was written"
        numbers = [row[0] for row in connection.execute("SELECT number FROM commits")]
        if len(numbers) != 1:
            return "its commits have no number"
        lost = commits - numbers[0]
    except Exception as error:  # noqa: BLE001 - also its messages may be damaged, and be no text
        return str(error)
    if lost > 0:
        return f"its last {lost} writes are not in it (without its .lock file it is taken as it is)"
    return ""


def _schema(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}


def _schema_of(scripts: Sequence[str]) -> set[str]:
    with closing(connect(":memory:")) as connection:
        connection.executescript("".join(scripts))
        return _schema(connection)


def _differs(connection: sqlite3.Connection, table: str) -> str:
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    return f"crc <> crc_of({', '.join(columns[:-1])})"


def _readable(connection: sqlite3.Connection) -> list[str]:
    """The ids of open tasks in rows that are whole."""
    ids = []
    try:
        whole = f"NOT ({_differs(connection, 'tasks')})"
        query = f"SELECT task_id FROM tasks NOT INDEXED WHERE status = 'OPEN' AND {whole}"  # noqa: S608 - names of ours
        for row in connection.execute(query):
            ids.append(row[0])  # noqa: PERF401 - what was read before an error is kept
    except Exception:  # noqa: BLE001, S110 - the same
        pass
    return ids


def _damaged(path: Path, what: str, ids: list[str]) -> JournalError:
    told = f"{len(ids)} open tasks can still be read" + (f", such as {ids[0]}" if ids else "")
    return JournalError(
        f"the journal {path} is damaged: {what}. {told}. Nothing was written to it. What it knew of submissions and"
        " idempotency keys is lost with it: look at the gateway's own list before you submit any of that again; then"
        " move it away (with its -wal file) and go on with a new one",
        task_ids=tuple(ids),
    )
