"""The schema: the tables of a journal, as each version has made them out of those of the one before."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from .damage import connect
from .files import make, remove, sync_folder

SCRIPTS = (
    """
CREATE TABLE commits (number INTEGER NOT NULL);
INSERT INTO commits VALUES (0);
CREATE TABLE intents (
    intent_id TEXT PRIMARY KEY,
    gateway TEXT NOT NULL,
    idempotency_key TEXT,
    state TEXT NOT NULL,
    settled_at REAL,
    record BLOB NOT NULL,
    crc INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX keyed_intents ON intents (gateway, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE TABLE tasks (
    gateway TEXT NOT NULL,
    task_id TEXT NOT NULL,
    action TEXT NOT NULL,
    intent_id TEXT,
    since REAL NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    settled_at REAL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (gateway, task_id)
) WITHOUT ROWID;
CREATE INDEX open_tasks ON tasks (gateway) WHERE status = 'OPEN';
""",
    """
CREATE TABLE learned (
    gateway TEXT PRIMARY KEY, record BLOB NOT NULL, saved_at REAL NOT NULL, crc INTEGER NOT NULL
) WITHOUT ROWID;
""",
)
"""The n-th makes version n of the tables out of the one before."""


def create(path: Path, scripts: Sequence[str]) -> None:
    """Makes the file under another name first: one that is there under its own name is whole."""
    new = path.with_name(f"{path.name}.new")
    remove(new)
    make(new)
    with closing(connect(new)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection, scripts)
    new.replace(path)
    sync_folder(path.parent)


def migrate(connection: sqlite3.Connection, scripts: Sequence[str]) -> None:
    """Makes tables of the latest version, at once or not at all."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version < len(scripts):
        script = "".join(scripts[version:])
        connection.executescript(f"BEGIN EXCLUSIVE;{script}PRAGMA user_version = {len(scripts)};COMMIT;")
