"""The store: one SQLite file and everything that is read from it or written to it, without a thread or a loop.

WAL and synchronous=FULL: what ``commit`` has returned survives a crash of the process, of the machine, and a loss of
power. Each row carries a checksum, because SQLite has none of its own, and each commit a number. No key is ever
written, only salted fingerprints of it; prompts are.
"""

import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from ...protocol.errors import JournalError
from ...protocol.intents import FREE, Intent, IntentState, OpenTask
from .damage import check, connect, crc_of, leave_out
from .files import Lock, disk, identity
from .schema import SCRIPTS, create, migrate

logger = logging.getLogger("suno_async")

NOT_FOUND = "NOT_FOUND"
"""The end of a task that its gateway does not know."""
_KEPT_SECONDS = 30 * 86_400.0
"""How long what has ended stays readable; what has an idempotency key stays for good."""
_NEAR_SECONDS = 86_400.0
_PUT_INTENT = """
INSERT INTO intents VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (intent_id) DO UPDATE SET state = ?4, settled_at = ?5, record = ?6, crc = ?7
"""
_PUT_OPEN_INTENT = """
INSERT INTO intents VALUES (?1, ?2, NULL, ?3, NULL, ?4, ?5)
ON CONFLICT (intent_id) DO UPDATE SET state = ?3, settled_at = NULL, record = ?4, crc = ?5
"""
"""The same for one without a key that is not settled: Python binds a None slowly, and most of them are like that."""
_PUT_TASK = """
INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (gateway, task_id) DO UPDATE SET status = 'OPEN', reason = '', settled_at = NULL,
    crc = crc_of(gateway, task_id, action, intent_id, since, 'OPEN', '', NULL)
WHERE status = 'NOT_FOUND'
"""
"""A gateway knows no task of another account: with the right key it may well be found."""
_END_TASK = """
UPDATE tasks SET status = ?1, reason = ?2, settled_at = ?3,
    crc = crc_of(gateway, task_id, action, intent_id, since, ?1, ?2, ?3)
WHERE gateway = ?4 AND task_id = ?5 AND status = 'OPEN'
"""

_NOT_ITS_OWN = {sqlite3.OperationalError, sqlite3.DatabaseError, sqlite3.InternalError, MemoryError}
"""What the disk and the machine are to blame for; SQLite's other errors are about what was to be written."""

_FRESH = {
    "state": IntentState.INTENDED,
    "settled_at": None,
    "status": 0,
    "request_id": None,
    "excerpt": "",
    "reason": "",
}

_encode_into = msgspec.msgpack.Encoder().encode_into
_changed = msgspec.structs.replace
_decode = msgspec.msgpack.Decoder(Intent).decode

Operation = Callable[["Store"], Any]


class Store:
    """The one connection to a journal's file; raises JournalError for everything that is wrong with the disk."""

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], float] = lambda: datetime.now(UTC).timestamp(),
        scripts: Sequence[str] = SCRIPTS,
    ) -> None:
        # SQLite's own files lie beside the real one
        self.path = Path(os.path.realpath(path))
        self._now = now
        self._lock = Lock(self.path)
        try:
            self._connection = self._opened(scripts)
            self._identity = identity(self.path)
        except BaseException:
            self._lock.release()
            raise
        self._record = bytearray()
        """Of the intent that is written just now."""

    def _opened(self, scripts: Sequence[str]) -> sqlite3.Connection:
        check(self.path, scripts, self._lock.commits)
        with disk(self.path):
            if not self.path.exists():
                if self._lock.commits:
                    logger.warning("the journal %s is gone, with what it knew; it begins anew", self.path)
                self._lock.mark(0)
                create(self.path, scripts)
        connection = connect(self.path, timeout=0, check_same_thread=False)
        try:
            with disk(self.path):
                self._prepare(connection, scripts)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection, scripts: Sequence[str]) -> None:
        # exclusive: no second process even where there are no lock files, and no shared memory beside the file
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        migrate(connection, scripts)
        if leave_out(connection):
            logger.warning("the journal %s: what was learned of a gateway is damaged, and is learned anew", self.path)
        # what became of an unknown submission is found out by what was accepted about its time
        rows = connection.execute("SELECT record FROM intents WHERE state IN ('intended', 'unknown')").fetchall()
        unknown = [_decode(row[0]).created_at for row in rows]
        oldest = min([self._now() - _KEPT_SECONDS, *(at.timestamp() - _NEAR_SECONDS for at in unknown if at)])
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM tasks WHERE settled_at < ?", (oldest,))
        connection.execute(
            "DELETE FROM intents WHERE settled_at < ? AND idempotency_key IS NULL AND state <> 'unknown'", (oldest,)
        )
        connection.execute("COMMIT")
        self._number = connection.execute("SELECT number FROM commits").fetchone()[0]

    def close(self) -> None:
        """Everything is in the one file now, and another process may open it."""
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()
        self._lock.release()

    def commit(self, operations: Sequence[Operation]) -> list[Any]:
        """The results of operations on this store, durable all together; or JournalError, and none has happened."""
        connection, number = self._connection, self._number
        self._seconds = self._now()
        self._moment = datetime.fromtimestamp(self._seconds, UTC)
        self._first = _FRESH | {"created_at": self._moment, "attempted_at": None}
        with disk(self.path):
            self._check_place()
            connection.execute("BEGIN IMMEDIATE")
            try:
                before = connection.total_changes
                results = self._results(operations)
                if connection.total_changes > before:
                    number += 1
                    connection.execute("UPDATE commits SET number = ?", (number,))
                connection.execute("COMMIT")
            except BaseException:
                # SQLite itself has rolled back after some of the disk's errors
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        self._written(number)
        return results

    def _check_place(self) -> None:
        """What is written to a file that has lost its name is found by nobody."""
        if identity(self.path) != self._identity:
            raise JournalError(
                f"the journal {self.path} was moved or deleted while it was in use, so nothing more is written to it: "
                "put it back, or open the client with another one"
            )

    def _written(self, number: int) -> None:
        """From here on the lock file knows of this commit."""
        if number > self._number:
            self._number = number
            # it is durable all the same
            with suppress(OSError):
                self._lock.mark(number)

    def _results(self, operations: Sequence[Operation]) -> list[Any]:
        """What operations give; one that cannot be written at all must not keep the others from the disk."""
        results = []
        for operation in operations:
            try:
                results.append(operation(self))
            except Exception as error:
                if type(error) in _NOT_ITS_OWN:
                    raise
                results.append(JournalError(f"the journal {self.path} cannot hold this: {error}"))
        return results

    # operations: inside a commit

    def intend(self, intent: Intent) -> tuple[Intent, bool]:
        """Writes an intent down before it is sent, and gives back (it, True).

        Where its idempotency key was used before, and something may have come of that, it gives back (that intent,
        False), and nothing is written.
        """
        key = intent.idempotency_key
        if key is not None:
            found = self._intents(" WHERE gateway = ? AND idempotency_key = ?", intent.gateway, key)
            if found and found[0].state not in FREE:
                return found[0], False
            if found:
                intent = _changed(intent, intent_id=found[0].intent_id)
        # nothing is left of what an earlier attempt was answered
        fresh = _FRESH | {"attempted_at": self._moment} if intent.created_at else self._first
        intent = _changed(intent, **fresh)
        self._put(intent, None)
        return intent, True

    def conclude(self, intent: Intent) -> bool:
        """Writes down how an intent ended, and the task it became; True if another intent became the same task."""
        self._put(_changed(intent, settled_at=self._moment), self._seconds)
        task_id, gateway = intent.task_id, intent.gateway
        if task_id is None:
            return False
        known = self._all("SELECT intent_id, status FROM tasks WHERE gateway = ? AND task_id = ?", gateway, task_id)
        owner, status = known[0] if known else (None, "")
        if known and status != "OPEN" and owner != intent.intent_id:
            # the gateway gives out an id again: that task has ended, this one has not
            self._connection.execute("DELETE FROM tasks WHERE gateway = ? AND task_id = ?", (gateway, task_id))
            known = []
        if not known:
            born = intent.created_at or self._moment
            self._put_tasks(gateway, [task_id], intent.action.upper(), intent.intent_id, born.timestamp())
        return owner not in {intent.intent_id, None}

    def put(self, intent: Intent) -> None:
        """Writes an intent as it is, such as one that another journal has."""
        self._put(intent, intent.settled_at.timestamp() if intent.settled_at else None)

    def wait_for(self, gateway: str, task_ids: Sequence[str]) -> None:
        """Writes down ids that are waited for; what has ended stays so, what only was not found is open again."""
        self._put_tasks(gateway, task_ids, "", None, self._seconds)

    def end(self, gateway: str, task_id: str, status: str, reason: str) -> None:
        """Writes down how a task ended; the first end stays."""
        self._connection.execute(_END_TASK, (status, reason, self._seconds, gateway, task_id))

    def miss(self, gateway: str, task_id: str, reason: str, fits: Callable[[str], bool]) -> None:
        """Writes down that a gateway does not know a task, unless another key asks than it was submitted with.

        A gateway knows no task of another account. After a month it is taken for gone all the same.
        """
        rows = self._all(
            "SELECT record FROM intents JOIN tasks USING (intent_id)"
            " WHERE tasks.gateway = ? AND task_id = ? AND since > ?",
            gateway,
            task_id,
            self._seconds - _KEPT_SECONDS,
        )
        fingerprints = [_decode(row[0]).fingerprint for row in rows]
        if all(not text or fits(text) for text in fingerprints):
            self.end(gateway, task_id, NOT_FOUND, reason)

    def forget(self, name: str, gateway: str | None = None) -> int:
        """Takes out the intent or the task of this name, of one gateway or of all; how many rows that were."""
        chosen = "gateway = coalesce(?, gateway)"
        count = 0
        for table, column in (("intents", "intent_id"), ("tasks", "task_id")):
            query = f"DELETE FROM {table} WHERE {column} = ? AND {chosen}"  # noqa: S608 - names of ours
            count += self._connection.execute(query, (name, gateway)).rowcount
        return count

    def learn(self, gateway: str, record: bytes) -> None:
        """Writes down what was learned of a gateway, in the place of what was known of it."""
        crc = crc_of(gateway.encode(), record, self._seconds)
        self._connection.execute("REPLACE INTO learned VALUES (?, ?, ?, ?)", (gateway, record, self._seconds, crc))

    # what is known

    def learned(self, gateway: str) -> bytes | None:
        """What was learned of a gateway, as it was written down; None if nothing was."""
        rows = self._all("SELECT CAST(record AS BLOB) FROM learned WHERE gateway = ?", gateway)
        return rows[0][0] if rows else None

    def intents(self, gateway: str | None = None, *, undecided: bool = False) -> list[Intent]:
        """The intents that are kept, of one gateway or of all, the oldest first.

        ``undecided``: only those of which nobody can tell what came of them.
        """
        which = " AND state IN ('intended', 'unknown')" if undecided else ""
        return self._intents(f" WHERE gateway = coalesce(?, gateway){which}", gateway)

    def find(self, intent_id: str) -> Intent | None:
        """The intent of this name, if it is kept."""
        found = self._intents(" WHERE intent_id = ?", intent_id)
        return found[0] if found else None

    def open_tasks(self, gateway: str | None = None) -> list[OpenTask]:
        """The tasks that have not ended, of one gateway or of all, the oldest first."""
        now = self._now()
        rows = self._all(
            "SELECT gateway, task_id, action, since, intent_id FROM tasks"
            " WHERE status = 'OPEN' AND gateway = coalesce(?, gateway) ORDER BY since",
            gateway,
        )
        # the clock of the machine may have been set back since
        return [OpenTask(row[0], row[1], row[2], max(0.0, now - row[3]), row[4] is not None) for row in rows]

    def tasks(self) -> list[tuple[str, str, str, str, str]]:
        """(gateway, id, action, status, reason) of every task that is kept, the oldest first."""
        return self._all("SELECT gateway, task_id, action, status, reason FROM tasks ORDER BY since")

    def gateways(self) -> list[str]:
        """The gateways of which something is open, or has an idempotency key."""
        rows = self._all(
            "SELECT gateway FROM tasks WHERE status = 'OPEN' UNION SELECT gateway FROM intents"
            " WHERE state IN ('intended', 'unknown') OR idempotency_key IS NOT NULL"
        )
        return sorted(row[0] for row in rows)

    # rows

    def _put(self, intent: Intent, settled: float | None) -> None:
        name, gateway, key, record = intent.intent_id, intent.gateway, intent.idempotency_key, self._record
        # Python binds an enum's member and bytes slowly too: it looks for an adapter first
        state = str(intent.state)
        _encode_into(intent, record)
        crc = crc_of(name, gateway, key, state, settled, record)
        if key is None and settled is None:
            self._connection.execute(_PUT_OPEN_INTENT, (name, gateway, state, record, crc))
        else:
            self._connection.execute(_PUT_INTENT, (name, gateway, key, state, settled, record, crc))

    def _put_tasks(self, gateway: str, ids: Sequence[str], action: str, intent_id: str | None, since: float) -> None:
        rows = [(gateway, task_id, action, intent_id, since, "OPEN", "", None) for task_id in ids]
        self._connection.executemany(_PUT_TASK, [(*row, crc_of(*row)) for row in rows])

    def _intents(self, where: str, *values: Any) -> list[Intent]:
        query = f"SELECT record FROM intents{where} ORDER BY intent_id"  # noqa: S608 - conditions of ours
        return [_decode(row[0]) for row in self._all(query, *values)]

    def _all(self, statement: str, *values: Any) -> list[Any]:
        return self._connection.execute(statement, values).fetchall()
