"""The damage: whatever happens to a journal's files, it opens as it was, or says so and leaves them alone."""

import sqlite3
import struct
from contextlib import closing
from random import Random

import pytest
from journals import GATEWAY, OTHER, PARTS, Store, accepted, do, elsewhere, intent, lay, read, rows, snapshot

from suno_async.engine.journal.damage import _at_rest, check, crc_of
from suno_async.engine.journal.files import Lock
from suno_async.engine.journal.schema import SCRIPTS
from suno_async.protocol.errors import JournalError

FLIPS = 500
LEARNED = b"what the gateway is like"


def key(number):
    """Every third one has a key."""
    return f"key-{number}" if number % 3 == 0 else None


class Dead:
    """A journal of some sixty rows whose process has died: part of it in the file, part of it in the log."""

    def __init__(self, folder):
        path = folder / "dead"
        store = Store(path)
        first, second = range(20), range(20, 40)
        written = [lambda s, n=n: s.intend(intent(n, idempotency_key=key(n))) for n in first]
        store.commit([*written, lambda s: s.learn(GATEWAY, LEARNED), lambda s: s.learn(OTHER, b"")])
        store._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        self.states = [rows(store)]
        for start in second[::5]:
            store.commit([lambda s, n=n: s.intend(intent(n)) for n in range(start, start + 5)])
            self.states.append(rows(store))
        store.commit([lambda s, n=n: s.conclude(accepted(n, idempotency_key=key(n))) for n in first])
        self.states.append(rows(store))
        do(store, "wait_for", GATEWAY, ["a", "b"])
        self.states.append(rows(store))
        self.rows, self.parts = self.states[-1], snapshot(path)
        store.close()
        self.closed = snapshot(path)

    def without(self, *parts):
        return {name: data for name, data in self.parts.items() if name not in parts}


@pytest.fixture(scope="module")
def dead(tmp_path_factory):
    return Dead(tmp_path_factory.mktemp("dead"))


def kept(path):
    """What an opened journal holds; what was learned is as it was, or is not there."""
    store = Store(path)
    try:
        assert store.learned(GATEWAY) in {LEARNED, None}
        assert store.learned(OTHER) in {b"", None}
        return rows(store)
    finally:
        store.close()


def looked(path):
    """What is in it after the check has let it pass; without the syncs that opening and closing it take."""
    lock = Lock(path)
    try:
        check(path, SCRIPTS, lock.commits)
    finally:
        lock.release()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        return [sorted(connection.execute(f"SELECT * FROM {table}")) for table in ("intents", "tasks")]  # noqa: S608


def opened(folder, parts, how=kept):
    """What a journal made of these files holds, or the error that it does not open with; which changes nothing."""
    path = lay(folder, parts)
    try:
        return how(path)
    except JournalError as error:
        assert str(path) in str(error)  # noqa: PT017 - or else it gives what it read
        assert {file.name for file in folder.iterdir()} <= {f"j{part}" for part in PARTS}
        assert snapshot(path) | {".lock": b""} == parts | {".lock": b""}
        return error


def flipped(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def bits(data, seed, *always):
    """Five hundred places, and those where every bit counts; with how to open it: every tenth time in earnest."""
    rng = Random(seed)
    places = [*always, *(rng.randrange(len(data) * 8) for _ in range(FLIPS))]
    return [(bit, looked if number % 10 else kept) for number, bit in enumerate(places)]


def frames(log):
    """Where each record of a log begins, and where the last one ends."""
    size = struct.unpack(">I", log[8:12])[0] + 24
    return range(32, len(log) + 1, size)


def test_the_sample_is_worth_testing(dead, tmp_path):
    """It is in two files, has rows of every kind, and opens as it was; so does what was learned."""
    assert [len(table) for table in dead.rows] == [40, 22]
    assert len(dead.parts[""]) > 4 * 4096
    assert len(frames(dead.parts["-wal"])) > 15
    assert opened(tmp_path / "x", dead.parts) == dead.rows
    assert opened(tmp_path / "x", dead.closed) == dead.rows
    for parts in (dead.parts, dead.closed):
        assert learned(lay(tmp_path / "x", parts), dead.rows) == LEARNED


def learned(path, records):
    """What it knows of one gateway when it is opened, while all else is as it was."""
    store = Store(path)
    try:
        assert store.learned(OTHER) == b""
        assert rows(store) == records
        return store.learned(GATEWAY)
    finally:
        store.close()


def test_no_bit_of_what_was_learned_flips_without_a_word(dead, tmp_path, caplog):
    """Every third one: it is left out, and the log says so; or JournalError, if the page makes no sense with it."""
    data = dead.closed[""]
    at = data.rindex(GATEWAY.encode() + LEARNED)
    refused = 0
    # from the row's six bytes of sizes on; it is the last one of its page
    for bit in range((at - 6) * 8, (at // 4096 + 1) * 4096 * 8, 3):
        caplog.clear()
        path = lay(tmp_path / "x", dead.closed | {"": flipped(data, bit)})
        try:
            found = learned(path, dead.rows)
        except JournalError:
            refused += 1
            assert path.read_bytes() == flipped(data, bit)
        else:
            assert (found is None) == ("is learned anew" in caplog.text), bit
            assert found in {None, LEARNED}
    assert 0 < refused < 40


@pytest.mark.parametrize(
    "change",
    [
        "record = x'00'",
        "record = CAST('x' || record AS TEXT)",
        "record = 7",
        "record = CAST(x'ff' AS TEXT)",
        "gateway = CAST(x'ff' AS TEXT)",
        "gateway = 'https://nobody.example'",
        "saved_at = saved_at + 1",
        "saved_at = CAST(x'ff' AS TEXT)",
        "crc = crc + 1",
        "crc = CAST(x'ff' AS TEXT)",
    ],
)
def test_what_was_learned_is_left_out_if_it_was_changed(dead, tmp_path, change):
    """Whichever column, and whatever it is then; nothing else is lost, and it is gone from the file."""
    path = lay(tmp_path / "x", dead.closed)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"UPDATE learned SET {change} WHERE gateway = ?", (GATEWAY,))  # noqa: S608 - columns of ours
    assert opened(tmp_path / "y", dead.closed | {"": path.read_bytes()}) == dead.rows
    assert learned(path, dead.rows) is None
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT gateway FROM learned").fetchall() == [(OTHER,)]


def test_no_bit_of_the_log_flips_without_a_word(dead, tmp_path):
    """500 places, and each bit of its header and of its first and last records' headers: JournalError each time."""
    log = dead.parts["-wal"]
    places = frames(log)
    heads = [*range(32 * 8), *range(places[-2] * 8, places[-2] * 8 + 24 * 8, 5)]
    found = [opened(tmp_path / "x", dead.parts | {"-wal": flipped(log, bit)}) for bit, _ in bits(log, 1, *heads[::3])]
    assert all(isinstance(each, JournalError) for each in found)


def test_no_bit_of_the_file_flips_without_a_word(dead, tmp_path):
    """Of a journal that was closed: it opens with the same records, as no record has the bit, or with JournalError."""
    data = dead.closed[""]
    places = bits(data, 2, *range(0, 800, 7))
    found = [opened(tmp_path / "x", dead.closed | {"": flipped(data, bit)}, how) for bit, how in places]
    refused = [each for each in found if isinstance(each, JournalError)]
    assert all(each == dead.rows for each in found if not isinstance(each, JournalError))
    assert 100 < len(refused) < len(found) - 100


def test_no_bit_of_the_file_under_a_log_flips_without_a_word(dead, tmp_path):
    """Pages that the log has anew do not matter, the others do."""
    data = dead.parts[""]
    for bit, how in bits(data, 3):
        found = opened(tmp_path / "x", dead.parts | {"": flipped(data, bit)}, how)
        assert isinstance(found, JournalError) or found == dead.rows


def test_a_damaged_lock_file_keeps_nobody_out(dead, tmp_path):
    """It only says less."""
    lock = dead.parts[".lock"]
    for bit in range(0, len(lock) * 8, 5):
        assert opened(tmp_path / "x", dead.parts | {".lock": flipped(lock, bit)}, looked) == dead.rows


def test_a_file_that_was_cut_off_is_found_out(dead, tmp_path):
    """At every page, with its log and without one, the first byte included."""
    for parts in (dead.parts, dead.closed):
        for end in range(0, len(parts[""]), 4096):
            found = opened(tmp_path / "x", parts | {"": parts[""][:end]})
            assert isinstance(found, JournalError) or found == dead.rows, end
    assert isinstance(opened(tmp_path / "x", dead.closed | {"": b""}), JournalError)


def test_a_log_that_was_cut_off_is_found_out(dead, tmp_path):
    """At the end of every record and at fifty other places: each commit in it was durable, and none may be missing."""
    log, rng = dead.parts["-wal"], Random(4)
    for end in [*frames(log)[:-1], *(rng.randrange(len(log)) for _ in range(50))]:
        found = opened(tmp_path / "x", dead.parts | {"-wal": log[:end]})
        assert isinstance(found, JournalError), end
        assert "writes are not in it" in str(found)


def test_a_log_that_was_left_behind_is_missed(dead, tmp_path):
    """The file alone, and an older copy of it, are refused; without the lock file they are taken as they are."""
    error = opened(tmp_path / "x", dead.without("-wal"))
    assert "its last 6 writes are not in it (without its .lock file it is taken as it is)" in str(error)
    assert opened(tmp_path / "x", dead.without("-wal", ".lock")) == dead.states[0]


def test_what_was_never_told_may_be_torn(dead, tmp_path):
    """A crash in the middle of a commit leaves a part of it: the journal opens as it was before that commit."""
    path = lay(tmp_path / "x", dead.parts)
    store = Store(path)
    do(store, "intend", intent(50))
    before, records = snapshot(path), rows(store)
    do(store, "intend", intent(51, body=b"x" * 9000))
    log = snapshot(path)["-wal"]
    store.close()
    assert len(log) > len(before["-wal"]) + 3 * 4096
    for end in range(len(before["-wal"]), len(log), 1234):
        assert opened(tmp_path / "y", before | {"-wal": log[:end]}) == records


def test_the_log_alone_is_no_journal(dead, tmp_path):
    """A new file beside an old log would be mixed with it."""
    error = opened(tmp_path / "x", dead.without(""))
    assert "is not there, but" in str(error)
    assert "j-wal is" in str(error)


def test_what_can_still_be_read_is_told(dead, tmp_path):
    """The open tasks of rows that are whole are in the message and in ``task_ids``."""
    at = dead.closed[""].rindex(b"task-7")
    error = opened(tmp_path / "x", dead.closed | {"": flipped(dead.closed[""], at * 8)})
    assert isinstance(error, JournalError)
    assert "1 rows of " in str(error)
    assert len(error.task_ids) >= 21
    assert f"{len(error.task_ids)} open tasks can still be read, such as {error.task_ids[0]}" in str(error)


def test_a_damaged_message_of_damage_is_still_one(dead, tmp_path):
    """SQLite quotes damaged text that is not UTF-8 in its errors."""
    at = dead.closed[""].rindex(b"WITHOUT ROWID") + len("WITHOUT ")
    data = bytearray(dead.closed[""])
    data[at] = 0xD2
    error = opened(tmp_path / "x", dead.closed | {"": bytes(data)})
    assert isinstance(error, JournalError)
    assert "0 open tasks can still be read." in str(error)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("PRAGMA user_version = 9", "its version is 9, this suno_async knows 2: update it"),
        ("PRAGMA user_version = 0", "its tables are not those of a journal"),
        ("PRAGMA user_version = -5", "its tables are not those of a journal"),
        ("CREATE TABLE more (x)", "its tables are not those of a journal"),
        ("DROP INDEX open_tasks", "its tables are not those of a journal"),
        ("UPDATE tasks SET since = since + 1", "22 rows of tasks are not what was written"),
        (
            "UPDATE intents SET state = 'rejected' WHERE state = 'intended'",
            "20 rows of intents are not what was written",
        ),
        ("UPDATE commits SET number = number - 3", "its last 3 writes are not in it"),
        ("DELETE FROM commits", "its commits have no number"),
        ("INSERT INTO commits VALUES (9)", "its commits have no number"),
    ],
)
def test_what_somebody_else_has_changed_is_found_out(dead, tmp_path, script, words):
    """With SQLite's own tools, so that the file itself is whole."""
    path = lay(tmp_path / "x", dead.closed)
    with sqlite3.connect(path) as connection:
        connection.execute(script)
    connection.close()
    error = opened(tmp_path / "y", dead.closed | {"": path.read_bytes()})
    assert words in str(error)


@pytest.mark.parametrize("data", [b"", b"hello", b"x" * 9000, b"SQLite format 3\0"])
def test_a_file_of_another_kind_is_no_journal(tmp_path, data):
    """It is left alone."""
    assert isinstance(opened(tmp_path / "x", {"": data}), JournalError)


def test_a_rollback_log_is_looked_at_as_well(dead, tmp_path):
    """One that holds nothing which belongs to the file changes nothing."""
    path = lay(tmp_path / "x", dead.closed | {"-journal": b"\0" * 600})
    assert read(path) == dead.rows


def test_copies_of_a_process_that_died_are_cleared_away(dead, tmp_path):
    """One that was killed while it looked leaves them behind, the next one takes them; nobody else may read them."""
    path = lay(tmp_path / "x", dead.parts)
    left = [path.with_name(".j.check"), path.with_name(".j.check-wal")]
    for file in left:
        file.write_bytes(b"half a copy")
    assert read(path) == dead.rows
    assert not any(file.exists() for file in left)


def test_copies_are_nobody_elses(dead, tmp_path):
    """There are prompts in them: whatever the umask, they belong to their owner alone."""
    path = lay(tmp_path / "x", dead.parts)
    modes = []
    with _at_rest(path, [path.with_name("j-wal")]):
        modes += [file.stat().st_mode & 0o777 for file in path.parent.glob(".j.check*")]
    assert modes == [0o600, 0o600]


def test_nothing_is_copied_where_there_is_no_log(dead, tmp_path):
    """A large journal that was closed in good order is read in place."""
    path = lay(tmp_path / "x", dead.closed)
    path.with_name(".j.check").mkdir()
    check(path, SCRIPTS, 7)
    lay(tmp_path / "y", dead.parts)
    (tmp_path / "y" / ".j.check").mkdir()
    with pytest.raises(JournalError, match="Is a directory"):
        check(tmp_path / "y" / "j", SCRIPTS, 7)


def test_a_copy_that_finds_no_room_is_told(dead, tmp_path):
    """As an error of the disk, before anything is written."""
    path = lay(tmp_path / "x", dead.parts)
    script = """
import resource, signal
from suno_async.protocol.errors import JournalError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
try:
    Store(Path(sys.argv[1]))
except JournalError as error:
    print(error)
"""
    assert elsewhere(script, path) == f"the journal {path}: File too large"
    assert snapshot(path) | {".lock": b""} == dead.parts | {".lock": b""}
    assert read(path) == dead.rows


def test_the_checksum_knows_every_field_and_its_kind():
    """Values that look alike are told apart."""
    fields = [("1",), (1,), (1.5,), (b"1",), (None,), ("1", ""), ("", "1")]
    assert len({crc_of(*each) for each in fields}) == len(fields)
