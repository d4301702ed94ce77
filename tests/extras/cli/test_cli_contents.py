"""The contents: what all journals hold together, and how what is found out gets back into them."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from suno_async import Intent, IntentState
from suno_async.engine.journal import Store
from suno_async.extras.cli.contents import read_all, tell_nothing, together

GATEWAY = "https://gateway.example"
THEN = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def intent(name, state=IntentState.INTENDED, **more):
    fields = {"body": b"{}", "sent": True, "gateway": GATEWAY, "created_at": THEN, **more}
    return Intent(action="music", intent_id=name, state=state, **fields)


def intended(name, **more):
    return lambda store: store.intend(intent(name, **more))


def concluded(name, state, **more):
    return lambda store: store.conclude(intent(name, state, **more))


def waited(*ids):
    return lambda store: store.wait_for(GATEWAY, ids)


def ended(task_id, status="SUCCESS", reason=""):
    return lambda store: store.end(GATEWAY, task_id, status, reason)


def statuses(path):
    store = Store(path)
    try:
        return {row[1]: row[3] for row in store.tasks()}
    finally:
        store.close()


def states(path):
    store = Store(path)
    try:
        return {one.intent_id: (one.state.value, one.task_id, one.idempotency_key) for one in store.intents()}
    finally:
        store.close()


def test_where_nothing_was_found(write_journal, held, spoil, folder, capsys):
    """Which journals were looked into is told; one that could not be read has had its line, and may hold something."""

    def said(setting=None):
        kept = read_all(setting)
        before = capsys.readouterr().err
        tell_nothing(kept, setting)
        return before, capsys.readouterr().err

    elsewhere = "one that lies elsewhere, as a program's own, is named with --journal PATH"
    assert said() == ("", f"suno-async: no journals in {folder}; {elsewhere}\n")
    first = write_journal("1.journal")
    assert said() == ("", f"suno-async: nothing of that in 1 journal in {folder}; {elsewhere}\n")
    write_journal("2.journal")
    assert said() == ("", f"suno-async: nothing of that in 2 journals in {folder}; {elsewhere}\n")
    assert said(str(first)) == ("", f"suno-async: nothing of that in {first}\n")
    (folder / "2.journal").unlink()
    spoil(write_journal("1.journal", waited("spoilt")))
    assert [bool(text) for text in said()] == [True, False]
    first.unlink()
    held(first)
    assert [bool(text) for text in said()] == [bool(text) for text in said(str(first))] == [True, False]


def test_everything(write_journal):
    """All journals are read, and the oldest submissions come first, whichever journal they are in."""
    first = write_journal("1.journal", intended("02"), waited("a"))
    second = write_journal("2.journal", intended("01"), intended("03"), waited("b"))
    kept = read_all(None)
    assert [(one.intent_id, path) for one, path in kept.intents()] == [("01", second), ("02", first), ("03", second)]
    assert (sorted(name for _, name in kept.tasks()), kept.code, kept.in_use) == (["a", "b"], 0, False)
    assert [file.path for file in read_all(str(second)).files] == [second]


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [("OPEN", "SUCCESS", "SUCCESS"), ("OPEN", "NOT_FOUND", "OPEN"), ("NOT_FOUND", "FAILURE", "FAILURE")],
)
def test_a_task_in_two(write_journal, one, other, told):
    """A task that has ended somewhere has ended; that it was not found may have been said with another key."""
    for name, status in (("1.journal", one), ("2.journal", other)):
        write_journal(name, waited("a"), *([] if status == "OPEN" else [ended("a", status)]))
    assert [task.status for task in read_all(None).tasks().values()] == [told]


def test_one_in_use(write_journal, held, folder, capsys):
    """One that a process has is named, with its process; that is no failure, unless it is the only one asked for."""
    write_journal("1.journal", waited("a"))
    path = held(folder / "2.journal")
    kept = read_all(None)
    assert (len(kept.files), kept.code, kept.in_use) == (1, 0, True)
    assert f"{path} is in use by process" in capsys.readouterr().err
    assert read_all(str(path)).code == 4


def test_one_that_is_damaged(write_journal, spoil, capsys):
    """One that is damaged is a failure; the ids that can be read in it are in a command that goes on with them."""
    write_journal("1.journal", waited("a"))
    spoil(write_journal("2.journal", waited("spoilt", "b", "c")))
    kept = read_all(None)
    told = capsys.readouterr().err.splitlines()
    assert (len(kept.files), kept.code, kept.in_use) == (1, 4, False)
    assert "2.journal is damaged" in told[0]
    assert told[1:] == [
        "suno-async: read from 2.journal: 2 tasks are still open and will run on; go on with",
        "  suno-async wait b c",
    ]


def test_together(write_journal):
    """One journal holds what all hold: submissions as they were written, tasks with their age and their end."""
    write_journal(
        "1.journal",
        intended("01", idempotency_key="k"),
        concluded("02", IntentState.ACCEPTED, task_id="a"),
        concluded("03", IntentState.UNKNOWN, status=504),
        concluded("05", IntentState.REJECTED),
        waited("b", "c"),
        ended("c", "FAILURE", "no"),
    )
    write_journal("2.journal", intended("04", idempotency_key="k"), waited("b"), ended("b"))
    kept = read_all(None)
    with together(kept.files) as path:
        store = Store(path)
        copies, tasks, (task,) = store.intents(), sorted(store.tasks()), store.open_tasks()
        store.close()
    assert [task[1:] for task in tasks] == [
        ("a", "MUSIC", "OPEN", ""),
        ("b", "", "SUCCESS", ""),
        ("c", "", "FAILURE", "no"),
    ]
    assert (task.task_id, task.submitted) == ("a", True)
    assert task.age == pytest.approx((datetime.now(UTC) - THEN).total_seconds(), abs=60)
    originals = [one for one, _ in kept.intents() if one.state is not IntentState.REJECTED]
    assert copies == [msgspec.structs.replace(one, idempotency_key=None) for one in originals]
    assert not path.exists()


def test_together_in_a_hurry(write_journal):
    """Where nothing is made of the times at which submissions were settled, they are not kept apart."""
    write_journal("1.journal", concluded("01", IntentState.ACCEPTED, task_id="a"))
    with together(read_all(None).files) as path:
        store = Store(path)
        (copy,), (task,) = store.intents(), store.open_tasks()
        store.close()
    assert (copy.intent_id, copy.created_at, task.task_id, task.submitted) == ("01", THEN, "a", True)


def test_the_age_of_what_was_waited_for(write_journal):
    """A task that was only waited for is as old as it was."""
    path = write_journal("1.journal", waited("a"))
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).timestamp()
    store = Store(path, now=lambda: an_hour_ago)
    store.commit([lambda store: store.wait_for(GATEWAY, ("b",))])
    store.close()
    with together(read_all(None).files) as both:
        store = Store(both)
        ages = {task.task_id: task.age for task in store.open_tasks()}
        store.close()
    assert ages["a"] < 600
    assert 3500 < ages["b"] < 4200


def test_what_was_forgotten_stays_so(write_journal):
    """A task that was taken out does not come back with the submission that became it."""
    forget = lambda store: store.forget("a")  # noqa: E731 - an operation
    path = write_journal("1.journal", concluded("01", IntentState.ACCEPTED, task_id="a"), forget)
    with together(read_all(None).files):
        pass
    assert (statuses(path), states(path)) == ({}, {"01": ("accepted", "a", None)})


def test_ends_get_back(write_journal):
    """A task that has ended has ended in each journal; what is still open stays open, also where something broke."""
    first = write_journal("1.journal", waited("a", "b"))
    second = write_journal("2.journal", waited("a"))
    third = write_journal("3.journal", waited("c"))
    with suppress(KeyboardInterrupt), together(read_all(None).files) as path:
        store = Store(path)
        store.commit([ended("a", "NOT_FOUND")])
        store.close()
        raise KeyboardInterrupt
    assert [statuses(path) for path in (first, second, third)] == [
        {"a": "NOT_FOUND", "b": "OPEN"},
        {"a": "NOT_FOUND"},
        {"c": "OPEN"},
    ]


def test_decisions_get_back(write_journal):
    """What was decided of a submission is written down where it lies, its key with it; nobody's decision is undone."""
    path = write_journal("1.journal", intended("01", idempotency_key="k"), intended("02"), intended("03"))
    with together(read_all(None).files) as both:
        store = Store(both)
        store.commit([concluded("01", IntentState.ACCEPTED, task_id="a"), concluded("02", IntentState.REJECTED)])
        store.close()
        write_journal("1.journal", concluded("02", IntentState.ACCEPTED, task_id="b"))
    assert states(path) == {
        "01": ("accepted", "a", "k"),
        "02": ("accepted", "b", None),
        "03": ("intended", None, None),
    }
    assert statuses(path) == {"a": "OPEN", "b": "OPEN"}


def test_where_nothing_can_be_written_any_more(write_journal, held, capsys):
    """A journal that another process has by now is named, and loses nothing: it will be asked for again."""
    path = write_journal("1.journal", waited("a"))
    with together(read_all(None).files) as both:
        store = Store(both)
        store.commit([ended("a")])
        store.close()
        held(path)
    assert f"what was found out is not written to {path}" in capsys.readouterr().err


def test_a_second_interruption(write_journal, held, capsys):
    """Where the one journal was not closed in time, that is said, and what broke it comes out."""
    path = write_journal("1.journal", waited("a"))
    with pytest.raises(KeyboardInterrupt), together(read_all(None).files) as both:
        raise held(both) and KeyboardInterrupt
    assert "will be asked for again" in capsys.readouterr().err
    assert statuses(path) == {"a": "OPEN"}


def test_what_was_found_out_about_an_earlier_attempt_does_not_settle_a_newer_one(write_journal):
    """Settled by somebody else meanwhile and submitted again under its key: it keeps its name, and stays unknown."""
    path = write_journal("1.journal", concluded("01", IntentState.UNKNOWN, idempotency_key="k", reason="first"))

    def change(where, **facts):
        store = Store(where)
        (read,) = store.intents()
        store.commit([lambda opened: opened.put(msgspec.structs.replace(read, **facts))])
        store.close()

    with together(read_all(None).files) as copy:
        change(copy, state=IntentState.REJECTED)
        change(path, reason="second")
    (kept,) = [intent for intent, _ in read_all(None).intents()]
    assert (kept.state, kept.reason) == (IntentState.UNKNOWN, "second")
