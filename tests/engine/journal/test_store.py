"""The store: what is written is there afterwards, once and in order; what the disk refuses has not happened."""

import os
import sqlite3
import stat
import tempfile
import zlib
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from journals import (
    FUTURE,
    GATEWAY,
    OTHER,
    Store,
    accepted,
    clear,
    do,
    elsewhere,
    fill,
    intent,
    lay,
    read,
    rows,
    snapshot,
)

from suno_async.engine.journal import files
from suno_async.engine.journal.schema import SCRIPTS, create
from suno_async.protocol.errors import JournalError
from suno_async.protocol.intents import FREE, IntentState

DAY = 86_400.0
SURROGATE = "half \ud83d of it"


class Clock:
    """The machine's, which somebody sets."""

    def __init__(self) -> None:
        self.now = FUTURE

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "j"


@pytest.fixture
def store(path, clock):
    opened = Store(path, now=clock)
    yield opened
    opened.close()


def moment(seconds):
    return datetime.fromtimestamp(seconds, UTC)


# submissions


def test_an_intent_is_written_and_concluded(store, clock):
    """What comes back is what is on the disk, with the machine's time."""
    stored, fresh = do(store, "intend", intent())
    assert fresh
    assert stored == intent(state=IntentState.INTENDED, created_at=moment(FUTURE))
    assert store.intents() == [stored]
    clock.now += 5
    assert not do(store, "conclude", accepted(created_at=stored.created_at))
    end = accepted(created_at=moment(FUTURE), settled_at=moment(FUTURE + 5))
    assert store.intents() == [end]
    clock.now += 5
    (task,) = store.open_tasks()
    assert (task.task_id, task.gateway, task.action, task.age, task.submitted) == ("task-1", GATEWAY, "MUSIC", 10, True)


def test_an_outcome_without_a_task_makes_none(store):
    """A refusal is an intent that has ended, and no more."""
    assert not do(store, "conclude", intent(state=IntentState.REJECTED, reason="no"))
    assert [each.reason for each in store.intents()] == ["no"]
    assert store.tasks() == []


def test_an_intent_of_another_attempt_begins_anew(store, clock):
    """It keeps its name and its first moment; nothing is left of the answer to the attempt before."""
    stored, _ = do(store, "intend", intent())
    clock.now += 60
    facts = {"status": 503, "request_id": "r", "excerpt": "busy", "reason": "busy"}
    refused = intent(state=IntentState.REJECTED, created_at=stored.created_at, **facts)
    do(store, "conclude", refused)
    again, fresh = do(store, "intend", refused)
    assert fresh
    assert again.attempted_at - stored.created_at == timedelta(seconds=60)
    assert msgspec.structs.replace(again, attempted_at=None) == stored
    assert store.intents() == [again]
    # or it would be pruned as one that has ended
    assert [row[4] for row in rows(store)[0]] == [None]


def test_without_a_key_nothing_is_recognised(store):
    """The same body may be meant twice."""
    for number in (1, 2):
        assert do(store, "intend", intent(number, body=b"same"))[1]
    assert len(store.intents()) == 2


@pytest.mark.parametrize("state", IntentState)
def test_a_key_that_was_used_before(store, state):
    """It gives the earlier intent, unless nothing came of that: then it is written anew under its old name."""
    earlier, _ = do(store, "intend", intent(1, idempotency_key="k"))
    if state is not IntentState.INTENDED:
        earlier = intent(1, idempotency_key="k", state=state, task_id="t" if state is IntentState.ACCEPTED else None)
        do(store, "conclude", earlier)
    (kept,) = store.intents()
    before = rows(store)
    found, fresh = do(store, "intend", intent(2, idempotency_key="k", body=b"other"))
    assert fresh == (state in FREE)
    if fresh:
        assert (found.intent_id, found.body, found.state) == (earlier.intent_id, b"other", IntentState.INTENDED)
        assert store.intents() == [found]
    else:
        assert found == kept
        assert rows(store) == before


def test_a_key_belongs_to_a_gateway(store):
    """Another gateway in the same file has keys, submissions and tasks of its own."""
    for number, gateway in enumerate((GATEWAY, OTHER)):
        assert do(store, "intend", intent(number, gateway=gateway, idempotency_key="k"))[1]
        do(store, "conclude", accepted(number, gateway=gateway, idempotency_key="k", task_id="same"))
    assert [each.gateway for each in store.intents(OTHER)] == [OTHER]
    assert [each.gateway for each in store.open_tasks(GATEWAY)] == [GATEWAY]
    assert [each.gateway for each in store.open_tasks()] == [GATEWAY, OTHER]
    do(store, "end", GATEWAY, "same", "SUCCESS", "")
    assert [each.gateway for each in store.open_tasks()] == [OTHER]
    assert do(store, "forget", "same", OTHER) == 1
    assert store.tasks() == [(GATEWAY, "same", "MUSIC", "SUCCESS", "")]


def test_one_task_of_two_submissions_is_told(store):
    """Both intents stay, the task is the first one's."""
    assert do(store, "conclude", accepted(1, task_id="t")) is False
    assert do(store, "conclude", accepted(1, task_id="t")) is False
    assert do(store, "conclude", accepted(2, task_id="t")) is True
    assert [each.task_id for each in store.intents()] == ["t", "t"]
    assert [row[3] for row in rows(store)[1]] == [intent(1).intent_id]


@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE", "NOT_FOUND"])
@pytest.mark.parametrize("earlier", ["submitted", "waited for"])
def test_an_id_that_is_given_out_again_is_open_again(store, clock, status, earlier):
    """A gateway whose database was reset counts from the start: the paid task is found after a crash, both are kept."""
    if earlier == "submitted":
        do(store, "conclude", accepted(1, task_id="1001"))
    else:
        do(store, "wait_for", GATEWAY, ["1001"])
    do(store, "end", GATEWAY, "1001", status, "over")
    clock.now += DAY
    stored, _ = do(store, "intend", intent(2, action="lyrics"))
    fresh = msgspec.structs.replace(stored, state=IntentState.ACCEPTED, task_id="1001")
    assert do(store, "conclude", fresh) == (earlier == "submitted")
    clock.now += 5
    assert [(task.task_id, task.action, task.age, task.submitted) for task in store.open_tasks()] == [
        ("1001", "LYRICS", 5, True)
    ]
    assert [each.task_id for each in store.intents()] == ["1001"] * (2 if earlier == "submitted" else 1)
    do(store, "end", GATEWAY, "1001", "SUCCESS", "")
    do(store, "conclude", fresh)
    assert store.open_tasks() == []


def test_a_task_that_was_waited_for_first_is_not_of_two_submissions(store):
    """It may have been told of by other means; it stays as it is."""
    do(store, "wait_for", GATEWAY, ["t"])
    assert do(store, "conclude", accepted(1, task_id="t")) is False
    assert [each.submitted for each in store.open_tasks()] == [False]


# tasks


def test_ids_are_waited_for_from_the_first_time_on(store, clock):
    """Asked for again, they stay as they are; the oldest come first."""
    do(store, "wait_for", GATEWAY, ["b", "a"])
    clock.now += 10
    do(store, "wait_for", GATEWAY, ["a", "c", "b", "c"])
    assert [(each.task_id, each.age) for each in store.open_tasks()] == [("a", 10), ("b", 10), ("c", 0)]
    assert not any(each.submitted or each.action for each in store.open_tasks())


def test_the_first_end_of_a_task_stays(store, clock):
    """Neither a second end nor another wait opens it again; an id that is not known is not written."""
    do(store, "wait_for", GATEWAY, ["a"])
    do(store, "end", GATEWAY, "a", "FAILURE", "no\0voice")
    clock.now += 10
    do(store, "end", GATEWAY, "a", "SUCCESS", "")
    do(store, "wait_for", GATEWAY, ["a"])
    do(store, "end", GATEWAY, "b", "SUCCESS", "")
    assert store.tasks() == [(GATEWAY, "a", "", "FAILURE", "no\0voice")]
    assert rows(store)[1][0][7] == FUTURE
    assert store.open_tasks() == []


def test_a_clock_that_was_set_back_makes_no_task_of_the_future(store, clock):
    """Its age is 0, and nothing is pruned."""
    do(store, "wait_for", GATEWAY, ["a", "b"])
    do(store, "end", GATEWAY, "b", "SUCCESS", "")
    clock.now -= 1000 * DAY
    assert [each.age for each in store.open_tasks()] == [0]
    store.close()
    again = Store(store.path, now=clock)
    assert [row[1] for row in again.tasks()] == ["a", "b"]
    again.close()


def test_what_is_forgotten_is_gone(store):
    """An intent or a task, of one gateway or of all; its key is free again."""
    do(store, "intend", intent(1, idempotency_key="k"))
    do(store, "wait_for", GATEWAY, ["a"])
    do(store, "wait_for", OTHER, ["a"])
    assert do(store, "forget", "nobody") == 0
    assert do(store, "forget", intent(1).intent_id, OTHER) == 0
    assert do(store, "forget", intent(1).intent_id, GATEWAY) == 1
    assert do(store, "forget", "a") == 2
    assert rows(store) == [[], []]
    assert do(store, "intend", intent(2, idempotency_key="k"))[1]


def test_the_undecided_are_those_of_which_nobody_can_tell(store):
    """Intended and unknown ones, the oldest first."""
    for number, state in enumerate(IntentState):
        do(store, "intend", intent(number))
        if state is not IntentState.INTENDED:
            do(store, "conclude", intent(number, state=state))
    assert [str(each.state) for each in store.intents(GATEWAY, undecided=True)] == ["intended", "unknown"]
    assert len(store.intents(GATEWAY)) == 5
    assert store.intents(OTHER, undecided=True) == []


@pytest.mark.parametrize("days", [29, 31])
def test_what_has_ended_stays_for_thirty_days(store, clock, days):
    """And for good what has an idempotency key, what is open, and what nobody can tell."""
    do(store, "wait_for", GATEWAY, ["open", "ended"])
    do(store, "end", GATEWAY, "ended", "NOT_FOUND", "")
    # those that nobody can tell come last: what was about their time is kept for them
    for number, state in sorted(enumerate(IntentState), key=lambda one: one[0] in {0, 4}):
        clock.now += 2 * DAY if number == 0 else 0
        do(store, "intend", intent(number))
        do(store, "intend", intent(10 + number, idempotency_key=f"k{number}"))
        if state is not IntentState.INTENDED:
            do(store, "conclude", intent(number, state=state))
            do(store, "conclude", intent(10 + number, idempotency_key=f"k{number}", state=state))
    store.close()
    clock.now += (days - 2) * DAY
    again = Store(store.path, now=clock)
    tasks, intents = [row[1] for row in again.tasks()], [int(each.intent_id) for each in again.intents()]
    again.close()
    kept = [0, 4, 10, 11, 12, 13, 14]
    assert (tasks, intents) == ((["ended", "open"], [0, 1, 2, 3, *kept[1:]]) if days < 30 else (["open"], kept))


def test_what_was_learned_of_a_gateway_is_kept(store, path, clock, tmp_path):
    """The last of it, bytes as they were, for each gateway its own; after a crash, and after closing and opening."""
    assert store.learned(GATEWAY) is None
    last = bytes(range(256)) * 40
    do(store, "learn", GATEWAY, b"first")
    do(store, "learn", OTHER, b"")
    do(store, "learn", GATEWAY, last)
    after = Store(lay(tmp_path / "x", snapshot(path)))
    store.close()
    clock.now += 1000 * DAY
    again = Store(path, now=clock)
    for each in (after, again):
        assert (each.learned(GATEWAY), each.learned(OTHER), each.learned("")) == (last, b"", None)
        each.close()


def test_what_was_learned_and_is_damaged_is_left_out(store, path, caplog):
    """It is said, once, and no task is lost for it; what is learned then is kept."""
    do(store, "conclude", accepted(1))
    do(store, "learn", GATEWAY, b"much")
    do(store, "learn", OTHER, b"more")
    held = rows(store)
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE learned SET record = x'00' WHERE gateway = ?", (GATEWAY,))
    connection.close()
    for _ in range(2):
        again = Store(path)
        assert (again.learned(GATEWAY), again.learned(OTHER), rows(again)) == (None, b"more", held)
        again.close()
    told = f"the journal {path}: what was learned of a gateway is damaged, and is learned anew"
    assert caplog.messages == [told]
    again = Store(path)
    do(again, "learn", GATEWAY, b"anew")
    assert again.learned(GATEWAY) == b"anew"
    again.close()


# commits


def test_what_is_committed_is_there_after_a_crash(store, tmp_path):
    """The files as they are, without a close."""
    do(store, "conclude", accepted(1))
    assert read(lay(tmp_path / "x", snapshot(store.path))) == rows(store)


def test_closing_puts_everything_into_the_one_file(store, path):
    """Nothing is left beside it but the lock file, and another process may own it."""
    do(store, "conclude", accepted(1))
    held = rows(store)
    store.close()
    assert sorted(file.name for file in path.parent.iterdir()) == ["j", "j.lock"]
    assert elsewhere("store = Store(Path(sys.argv[1])); print(rows(store)); store.close()", path) == str(held)


def test_a_crash_while_it_closes_loses_nothing(store, tmp_path, path):
    """Whatever pages of the log are in the file already, and however much of the log is cut off after that."""
    for number in range(30):
        do(store, "intend", intent(number, body=b"x" * 500))
    held, before = rows(store), snapshot(path)
    store.close()
    closed = snapshot(path)
    for number in range(len(closed[""]) // 4096 + 1):
        mixed = closed[""][: number * 4096] + before[""][number * 4096 :]
        assert read(lay(tmp_path / "x", before | {"": mixed})) == held
    assert read(lay(tmp_path / "x", before | {"": closed[""], "-wal": b""})) == held
    assert read(lay(tmp_path / "x", closed)) == held


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("end", (GATEWAY, "a", "FAILURE", SURROGATE)),
        ("intend", (intent(5, body=b"", action=SURROGATE),)),
        ("intend", (intent(5, idempotency_key=SURROGATE),)),
        ("conclude", (accepted(5, status=2**70),)),
        ("conclude", (accepted(5, reason=SURROGATE),)),
        ("conclude", (accepted(5, task_id=SURROGATE),)),
        ("conclude", (intent(5, idempotency_key="mine"),)),
        ("wait_for", (GATEWAY, ["b", SURROGATE, "c"])),
        ("wait_for", (GATEWAY, [object()])),
        ("learn", (SURROGATE, b"much")),
        ("learn", (GATEWAY, None)),
        ("nothing", ()),
    ],
)
def test_what_cannot_be_written_does_not_stop_the_others(store, name, arguments):
    """It is refused alone and as a whole; what stands before and behind it in the same commit is written."""
    first, last = intent(1, idempotency_key="mine"), intent(2)
    do(store, "wait_for", GATEWAY, ["a"])
    refused = store.commit(
        [
            lambda s: s.intend(first),
            lambda s: getattr(s, name)(*arguments),
            lambda s: s.intend(last),
        ]
    )[1]
    assert isinstance(refused, JournalError)
    assert f"the journal {store.path} cannot hold this: " in str(refused)
    assert [each.intent_id for each in store.intents()] == [first.intent_id, last.intent_id]
    assert store.tasks() == [(GATEWAY, "a", "", "OPEN", "")]


@pytest.mark.parametrize("instead", [False, True], ids=["nothing", "another file"])
def test_nothing_is_written_to_a_journal_that_was_moved(store, path, instead):
    """What would be lost with a file that lost its name is refused before anything is sent; put back, it goes on."""
    do(store, "intend", intent(1))
    away = path.with_name("away")
    path.rename(away)
    if instead:
        path.write_bytes(b"")
    for _ in range(2):
        with pytest.raises(JournalError, match=rf"^the journal {path} was moved or deleted while it was in use"):
            do(store, "intend", intent(2))
    away.replace(path)
    do(store, "intend", intent(3))
    assert [one.intent_id for one in store.intents(GATEWAY)] == [intent(1).intent_id, intent(3).intent_id]


def test_nothing_is_written_to_a_journal_that_was_deleted(store, path):
    """A file without a name takes in nothing: nobody would ever find it."""
    path.unlink()
    with pytest.raises(JournalError, match="moved or deleted"):
        do(store, "intend", intent(2))
    assert not path.exists()


def test_a_full_disk_undoes_the_whole_commit(store, path):
    """JournalError in words; nothing has happened, and with room again everything goes on."""
    do(store, "intend", intent(1))
    before = rows(store)
    fill(store)
    large = intent(2, body=b"x" * 50_000)
    with pytest.raises(JournalError, match=rf"the journal {path}: the disk is full \(SQLITE_FULL\)"):
        store.commit([lambda s: s.conclude(accepted(1)), lambda s: s.intend(large)])
    assert rows(store) == before
    assert store.open_tasks() == []
    clear(store)
    assert do(store, "intend", large)[1]
    store.close()
    assert len(read(path)[0]) == 2


def test_an_error_of_sqlite_itself_undoes_the_whole_commit(store):
    """One that is no single record's fault."""
    with pytest.raises(JournalError, match="no such table: nowhere"):
        store.commit([lambda s: s.intend(intent(1)), lambda s: s._connection.execute("DELETE FROM nowhere")])
    assert store.intents() == []
    assert do(store, "intend", intent(1))[1]


def test_an_error_after_which_sqlite_has_rolled_back_is_told_as_it_was(store):
    """Not as a transaction that is not there."""
    with pytest.raises(JournalError, match="no such table: nowhere"):
        store.commit(
            [lambda s: s._connection.execute("ROLLBACK"), lambda s: s._connection.execute("DELETE FROM nowhere")]
        )
    assert do(store, "intend", intent(1))[1]


def test_a_disk_that_cannot_be_written_is_told(path):
    """A real one: a limit of the system on the size of files; with room again everything goes on."""
    script = """
import resource, signal
from suno_async.protocol.errors import JournalError
store = Store(Path(sys.argv[1]))
do(store, "intend", intent(1))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
try:
    store.commit([lambda s: s.conclude(accepted(1)), lambda s: s.intend(intent(2, body=b"x" * 90_000))])
except JournalError as error:
    print(error)
print([str(each.state) for each in store.intents()])
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
do(store, "intend", intent(2, body=b"x" * 90_000))
"""
    told, states = elsewhere(script, path).splitlines()
    assert told == f"the journal {path}: the disk cannot be read or written (SQLITE_IOERR_WRITE)"
    assert states == "['intended']"
    assert len(read(path)[0]) == 2


def test_a_lock_file_that_cannot_be_written_undoes_no_commit(store, path):
    """It is durable all the same; the lock file knows less."""
    do(store, "intend", intent(1))
    where = store._lock._file
    store._lock._file = os.open(path, os.O_RDONLY)
    do(store, "intend", intent(2))
    os.close(store._lock._file)
    store._lock._file = where
    store.close()
    assert len(read(path)[0]) == 2


def test_reading_is_no_commit_of_its_own(store):
    """The number of the last one stays, so that the lock file need not be written."""
    do(store, "intend", intent(1))
    before = store._lock.commits
    assert len(do(store, "intents")) == 1
    assert do(store, "end", GATEWAY, "nobody", "SUCCESS", "") is None
    assert store._lock.commits == before
    do(store, "intend", intent(2))
    assert store._lock.commits == before + 1


# opening


def test_a_new_file_belongs_to_its_owner_alone(store, path):
    """There are prompts in it, in its log and beside it: nobody else may read them, whatever the umask."""
    do(store, "intend", intent(1))
    for end in ("", "-wal", ".lock"):
        assert stat.S_IMODE(path.with_name(f"j{end}").stat().st_mode) == 0o600


def test_what_a_crash_left_of_a_file_in_the_making_is_no_journal(path, tmp_path):
    """It is made anew, from nothing."""
    Store(path).close()
    junk = snapshot(path)[""]
    for left in ({".new": b""}, {".new": junk[:5000], ".new-journal": junk}, {".new": junk, ".new-wal": junk[:700]}):
        found = lay(tmp_path / "x", left)
        assert read(found) == [[], []]
        assert sorted(file.name for file in found.parent.iterdir()) == ["j", "j.lock"]


def test_a_file_that_was_moved_away_leaves_nothing_to_be_missed(store, path):
    """A new one in its place begins at nought, whatever the lock file knew of the old one."""
    for number in range(5):
        do(store, "intend", intent(number))
    store.close()
    path.rename(path.with_name("old"))
    assert read(path) == [[], []]
    assert len(read(path.with_name("old"))[0]) == 5


def test_two_processes_cannot_have_one_journal(store, path):
    """The second one is told who has it; once it is closed, the other may have it."""
    script = """
from suno_async.protocol.errors import JournalError
try:
    Store(Path(sys.argv[1])).close()
except JournalError as error:
    print(error)
"""
    told = f"{path} is in use by process {os.getpid()}: each client needs a journal of its own"
    assert elsewhere(script, path) == told
    with pytest.raises(JournalError, match="in use in this process"):
        Store(path)
    do(store, "intend", intent(1))
    store.close()
    assert elsewhere(script, path) == ""


def test_another_name_for_a_journal_is_the_same_journal(store, path, tmp_path):
    """By a link it is in use as well, and after a crash its log is not overlooked."""
    do(store, "intend", intent(1))
    other = tmp_path / "other"
    other.symlink_to(path)
    with pytest.raises(JournalError, match="in use in this process"):
        Store(other)
    dead = lay(tmp_path / "x", snapshot(path))
    link = tmp_path / "link"
    link.symlink_to(dead)
    assert read(link) == rows(store)
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "made")
    Store(dangling).close()
    assert dangling.is_symlink()
    assert (tmp_path / "made").exists()


def test_without_lock_files_sqlite_keeps_others_out(path):
    """Where the system has no locks of that kind."""
    script = """
from suno_async.engine.journal import files
from suno_async.protocol.errors import JournalError
files.fcntl = None
store = Store(Path(sys.argv[1]))
do(store, "intend", intent(1))
print(elsewhere(OTHER, sys.argv[1]) if len(sys.argv) < 3 else "")
store.close()
"""
    other = """
from suno_async.engine.journal import files
from suno_async.protocol.errors import JournalError
files.fcntl = None
try:
    Store(Path(sys.argv[1]))
except JournalError as error:
    print(error)
"""
    told = elsewhere(f"OTHER = {other!r}\n{script}", path)
    assert told == f"the journal {path}: another process uses it (SQLITE_BUSY)"
    assert len(read(path)[0]) == 1


def test_a_journal_that_cannot_be_opened_is_let_go(path):
    """What was wrong can be put right, and it opens, in the same process."""
    path.write_bytes(b"hello")
    for _ in range(2):
        with pytest.raises(JournalError, match="is damaged"):
            Store(path)
    path.unlink()
    Store(path).close()
    assert not files._held


def test_a_folder_in_place_of_the_file_is_told(tmp_path):
    """And a folder that is not there."""
    (tmp_path / "d").mkdir()
    with pytest.raises(JournalError, match=rf"the journal {tmp_path}/d: it cannot be opened \(SQLITE_CANTOPEN"):
        Store(tmp_path / "d")
    with pytest.raises(JournalError, match=rf"the journal {tmp_path}/x/j: No such file or directory"):
        Store(tmp_path / "x" / "j")


@pytest.mark.parametrize("name", ["a#b", "a?b=c", "ein Lied %41", "日本語", "q'\"", "-wal"])
def test_names_of_files_are_taken_as_they_are(tmp_path, name):
    """SQLite reads some of them as addresses, where they mean something else."""
    store = Store(tmp_path / name)
    do(store, "intend", intent(1))
    held = rows(store)
    dead = lay(tmp_path / "x", snapshot(tmp_path / name), name)
    store.close()
    assert read(tmp_path / name) == held
    assert read(dead) == held


@pytest.fixture
def public():
    """A folder that others can reach; pytest's own are closed to them, again with each run that starts."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


READ_ONLY = """
import os
from suno_async.protocol.errors import JournalError
if os.geteuid() == 0:
    os.setegid(65534)
    os.seteuid(65534)
try:
    Store(Path(sys.argv[1]))
except JournalError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("file", "folder", "words"),
    [
        (0o444, 0o777, "the journal {}: it cannot be locked, so perhaps it cannot be written to (SQLITE_IOERR_LOCK)"),
        (0o000, 0o777, "the journal {}: it cannot be opened (SQLITE_CANTOPEN"),
        (0o666, 0o555, "the journal {}: Permission denied"),
    ],
)
def test_what_may_not_be_written_is_told_before_anything_is(public, file, folder, words):
    """By a user who is not allowed to: the file, or its folder."""
    place, path = public, public / "j"
    Store(path).close()
    before = path.read_bytes()
    path.with_name("j.lock").unlink()
    path.chmod(file)
    place.chmod(folder)
    told = elsewhere(READ_ONLY, path)
    place.chmod(0o700)
    path.chmod(0o600)
    assert told.startswith(words.format(path))
    assert path.read_bytes() == before


# versions

NEXT = """
CREATE TABLE albums (name TEXT PRIMARY KEY);
UPDATE tasks SET action = 'OLD',
    crc = crc_of(gateway, task_id, 'OLD', intent_id, since, status, reason, settled_at);
"""
BROKEN = "DROP TABLE intents; INSERT INTO nowhere VALUES (1);"


def test_an_older_journal_becomes_a_newer_one(store, path):
    """The scripts of the versions it lacks run on opening; its records stay, and an older program is told."""
    do(store, "conclude", accepted(1))
    held = rows(store)
    store.close()
    newer = Store(path, scripts=[*SCRIPTS, NEXT])
    assert rows(newer)[0] == held[0]
    assert newer.tasks() == [(GATEWAY, "task-1", "OLD", "OPEN", "")]
    assert newer._connection.execute("SELECT count(*) FROM albums").fetchone() == (0,)
    newer.close()
    Store(path, scripts=[*SCRIPTS, NEXT]).close()
    with pytest.raises(JournalError, match="its version is 3, this suno_async knows 2: update it"):
        Store(path)


def test_a_new_journal_is_of_the_newest_version(path):
    """It goes through the same scripts, so that both ways lead to the same tables."""
    Store(path, scripts=[*SCRIPTS, NEXT]).close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    connection.close()
    assert read_newer(path) == [[], []]


def read_newer(path):
    newer = Store(path, scripts=[*SCRIPTS, NEXT])
    held = rows(newer)
    newer.close()
    return held


OLDER = (
    "eNrt3M9rI2UYB/B30kyjse2IVMMSZN+WhaZSt5vWrti6Yn8MNphNdvODblEI08mrHdJM4szEtopgW28eFA/rTVbZbbUsyIIoiCxl15MePCx69Q"
    "8Qe9KTB33nR5ImnbSCu+Dq98Mkk7wz8877Ps/0MPOEZi8mNYvRVypGWbHoOHmYBALkeUoJIQH+CpGmbv4KHvguePscJUBOq0KvffBDvxDpy75v"
    "+kZ79nve518AAAAAAOBe2hjsDkWiUWEzailLK2yFKYbOit4qNJuRp3MyzU3PJGXqNdJYmHKvKhZbVdZpTr6UoxcyifPTmUX6orw4Qg2mVowinU"
    "mmZ2gqnaOpfDI5Qk3ldVYs8NsJ3mXyQLtqqDSRyskvyJlGa3iYLiRy8+l8jmbSC4m5l8VQZCAibPRqepGtVapML1iKWTKdt25vkInUnHyJNjfS"
    "dIq6H2LeWHmv83JGpvw4q2bSc3QofUFODW0+FwxFIhHhnZecEDR7Flum7/V1ePKNuTib7N0KWtFvk6JaWkX326LpFtOt+mFum6npKmuLlrvBHb"
    "5PNwZTTP8TmMyyVprxdxv9Qu9uOZDPRvRG6lMbbk/PRrgrFBmKChsFJz8lts7P5E7J9FZBL5T5VOJivp6rlh3tdNU/Nk+pFVm5WuGt6nqB717P"
    "YFszTWQbE9hYDTgX9JbsZLN1GF0tGW2czicHLZf0cTlvH86BJPJcsb+dEN+/nI6pak/DvNBtT1xz5q1WymXNMr1VoGXeXiON6bXyEjMOdTxs35"
    "sL0h+ELwAAAAAAAADw39MlBIQHwvaHnmXS913vu3wFAAAAAADwj20OPDgxRR4nW6ngmcPGly2rak6OjnqV19NsTSlXvZJukRXf23YL6tfKNVNT"
    "ry5Viuvf9r05WDUq5ao1ODk4PvjWVZPp1q1tt2JOdg32Wo2Zdo13b4etqcyoWld2vN6/6nC2zxp14S/8xvh5W+1375pT8v20PshttyZ/Zccrnu"
    "/tqrzFciq/P/25X5o7dV2xLN6F27S32ywM7y38mvto8xwPkRQVt97wC9FYh0GXanpJr6zqhOyXzvYfF6gxL1C372GgxtoD9XHJjdSON1QvUDf0"
    "ClV0c5UZVNOppZVZp8idfaRj5JzN/eJc+NnNp5wrTNxa9gtfvMNUFFVldrd2+GKB48IXPyJ8nxjxuxTAeKcrrT7Y9itt214/GW+LWowcGbVYYP"
    "aDD9+27/8F6QfCFwAAAAAAAAC4P5wJTkkTnZ4U+T2rCUs3SEA6SaST0jrCBwAAAAAAAP9Ti+GpE5EJMdorih3uqt3S+/l8NjHrV8p3fldAsvnZ"
    "WTmbtb/MnSLk+98Ll5/mPfcS8VH+OqrnZ9xj7P9eQcidy5MrfFDpuzjBsPQzEaSbRLrJ3wAAAAAAAADgX4h2TZ045ukBGTj6/p/Yv///kfAFAA"
    "AAAAAAAO4nT4hT/WKww4OBck1ddn9U8Nidr3/7C4P0DXE="
)
"""A journal with three submissions and two tasks, compressed, as it was written before intents had fingerprints."""


class First:
    """A journal of the first version, with everything that it could hold."""

    def __init__(self, folder, clock):
        model, self.path = Store(folder / "model", now=clock), folder / "first"
        for number, state in enumerate(IntentState):
            do(model, "intend", intent(number, idempotency_key=f"k{number}" if number % 2 else None))
            do(model, "conclude", intent(number, idempotency_key=f"k{number}" if number % 2 else None, state=state))
        do(model, "conclude", accepted(9))
        do(model, "wait_for", OTHER, ["open", "ended"])
        do(model, "end", OTHER, "ended", "FAILURE", "no voice")
        self.rows = rows(model)
        model.close()
        create(self.path, SCRIPTS[:1])
        with sqlite3.connect(self.path, isolation_level=None) as connection:
            connection.execute("ATTACH ? AS model", (str(model.path),))
            connection.execute("BEGIN")
            for table in ("intents", "tasks"):
                connection.execute(f"INSERT INTO {table} SELECT * FROM model.{table}")  # noqa: S608 - names of ours
            connection.execute("UPDATE commits SET number = 4")
            connection.execute("COMMIT")
            self.dead = snapshot(self.path)
        connection.close()
        self.closed = snapshot(self.path)


def version(path):
    with sqlite3.connect(path) as connection:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return found


@pytest.mark.parametrize("crashed", [False, True])
def test_a_journal_of_the_first_version_keeps_everything(tmp_path, clock, crashed):
    """Its records are the same, also those that its process has left in the log; something can be learned from then on.

    What a crash leaves right after that is of the new version, or as it was.
    """
    first = First(tmp_path, clock)
    assert ("-wal" in first.dead, "-wal" in first.closed) == (True, False)
    parts = first.dead if crashed else first.closed
    path = lay(tmp_path / "x", parts)
    opened = Store(path, now=clock)
    after = snapshot(path)
    assert rows(opened) == first.rows
    assert opened.learned(GATEWAY) is None
    do(opened, "learn", GATEWAY, b"much")
    opened.close()
    assert version(path) == 2
    again = Store(path, now=clock)
    assert (rows(again), again.learned(GATEWAY)) == (first.rows, b"much")
    again.close()
    for end in range(len(parts.get("-wal", b"")), len(after["-wal"]) + 1, 2000):
        cut = Store(lay(tmp_path / "y", after | {"-wal": after["-wal"][:end]}), now=clock)
        assert (rows(cut), cut.learned(GATEWAY)) == (first.rows, None)
        cut.close()


def test_a_journal_of_the_first_version_that_is_damaged_stays_so(tmp_path, clock):
    """It is refused as it is, and not made a newer one."""
    first = First(tmp_path, clock)
    data = bytearray(first.closed[""])
    data[data.rindex(b"no voice")] ^= 1
    path = lay(tmp_path / "x", {"": bytes(data)})
    with pytest.raises(JournalError, match="1 rows of tasks are not what was written"):
        Store(path, now=clock)
    assert path.read_bytes() == data
    assert version(path) == 1


def test_a_journal_that_knows_of_no_fingerprints_keeps_everything(tmp_path, clock):
    """A file that was written before there were any: it is read, written on, and no key is made up for its intents."""
    path = lay(tmp_path / "x", {"": zlib.decompress(b64decode(OLDER))})
    clock.now += 2 * 3600
    opened = Store(path, now=clock)
    assert opened.learned(GATEWAY) == b"much"
    assert [row[1:4] for row in opened.tasks()] == [("task-1", "MUSIC", "SUCCESS"), ("task-9", "", "OPEN")]
    kept = opened.intents(GATEWAY)
    assert [(each.state.value, each.task_id, each.idempotency_key, each.fingerprint) for each in kept] == [
        ("accepted", "task-1", None, ""),
        ("unknown", None, "k", ""),
        ("intended", None, None, ""),
    ]
    assert do(opened, "intend", msgspec.structs.replace(kept[1], fingerprint="f")) == (kept[1], False)
    do(opened, "miss", GATEWAY, "task-9", "gone", lambda _text: False)
    assert [row[1:4] for row in opened.tasks()] == [("task-1", "MUSIC", "SUCCESS"), ("task-9", "", "NOT_FOUND")]
    do(opened, "conclude", msgspec.structs.replace(kept[1], state=IntentState.REJECTED))
    assert do(opened, "intend", msgspec.structs.replace(kept[1], fingerprint="f"))[0].fingerprint == "f"
    opened.close()
    assert version(path) == 2
    again = Store(path, now=clock)
    assert [each.fingerprint for each in again.intents()] == ["", "f", ""]
    again.close()


def test_a_version_that_cannot_be_made_changes_nothing(store, path):
    """It is made as a whole or not at all, and the journal goes on as it was."""
    do(store, "conclude", accepted(1))
    held = rows(store)
    store.close()
    with pytest.raises(JournalError, match="no such table: nowhere"):
        Store(path, scripts=[*SCRIPTS, NEXT, BROKEN])
    assert read(path) == held


def test_times_are_those_of_the_machine(path):
    """Without a clock of its own it asks the system's."""
    store = Store(path)
    stored, _ = do(store, "intend", intent(1))
    assert abs(stored.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    store.close()


def test_a_task_that_was_not_found_is_open_again_when_it_is_waited_for(store):
    """A gateway knows no task of another account; what has ended stays ended."""
    for name, status in (("a", "NOT_FOUND"), ("b", "SUCCESS")):
        do(store, "wait_for", GATEWAY, [name])
        do(store, "end", GATEWAY, name, status, "why")
    do(store, "wait_for", GATEWAY, ["a", "b"])
    assert [task.task_id for task in store.open_tasks()] == ["a"]
    do(store, "end", GATEWAY, "a", "SUCCESS", "")
    assert [row[3] for row in store.tasks()] == ["SUCCESS", "SUCCESS"]
    store.close()
    Store(store.path).close()


@pytest.mark.parametrize(
    ("fingerprint", "own", "days", "status"),
    [
        ("mine", True, 0, "NOT_FOUND"),
        ("mine", False, 0, "OPEN"),
        ("mine", False, 29, "OPEN"),
        ("mine", False, 31, "NOT_FOUND"),
        ("", False, 0, "NOT_FOUND"),
    ],
)
def test_what_another_key_does_not_find_is_not_gone(store, clock, fingerprint, own, days, status):
    """A gateway knows no task of another account. It is gone if its own key does not find it, or after a month."""
    do(store, "conclude", accepted(1, fingerprint=fingerprint, idempotency_key="k", created_at=moment(clock.now)))
    clock.now += days * DAY
    do(store, "miss", GATEWAY, "task-1", "no such task", lambda text: own and text == fingerprint)
    assert [row[3] for row in store.tasks()] == [status]


def test_the_gateways_of_which_something_is_open_are_told(store):
    """Each once, whether a task is open, nobody can tell what came of a submission, or a key was used."""
    assert store.gateways() == []
    do(store, "wait_for", "https://b", ["a", "b"])
    do(store, "conclude", intent(1, gateway="https://c", state=IntentState.UNKNOWN))
    do(store, "conclude", intent(2, gateway="https://a", state=IntentState.REJECTED, idempotency_key="k"))
    do(store, "conclude", intent(3, gateway="https://d", state=IntentState.REJECTED))
    do(store, "wait_for", "https://e", ["a"])
    do(store, "end", "https://e", "a", "SUCCESS", "")
    assert store.gateways() == ["https://a", "https://b", "https://c"]


def test_an_intent_is_found_by_its_name(store):
    """As it is, or None."""
    stored, _ = do(store, "intend", intent(1))
    assert store.find(stored.intent_id) == stored
    assert store.find("nobody") is None


def test_an_intent_of_another_journal_is_put_as_it_is(store):
    """Its times and its state are its own."""
    theirs = intent(7, state=IntentState.UNKNOWN, created_at=datetime(2020, 1, 1, tzinfo=UTC))
    do(store, "put", theirs)
    settled = msgspec.structs.replace(theirs, settled_at=datetime(2020, 1, 2, tzinfo=UTC))
    do(store, "put", settled)
    assert store.intents() == [settled]


def test_what_an_unknown_submission_is_judged_by_stays(path, clock):
    """What was accepted about its time is kept as long as it is unknown, however old; nothing older is."""
    opened = Store(path, now=clock)
    for number in range(3):
        do(opened, "intend", intent(number))
        accepted = intent(number, state=IntentState.ACCEPTED, task_id=f"t{number}", created_at=None)
        do(
            opened,
            "conclude",
            accepted if number != 1 else intent(1, state=IntentState.UNKNOWN, created_at=opened._moment),
        )
        clock.now += 40 * 86_400 if number == 0 else 3600
    clock.now += 90 * 86_400
    opened.close()
    opened = Store(path, now=clock)
    assert [one.state for one in opened.intents()] == [IntentState.UNKNOWN, IntentState.ACCEPTED]
    opened.close()


def test_a_journal_that_is_gone_is_said_to_begin_anew(path, caplog):
    """Its lock file remembers that there was one."""
    store = Store(path)
    do(store, "intend", intent(1))
    store.close()
    path.unlink()
    Store(path).close()
    assert "begins anew" in caplog.text
