"""The journals: which files there are, and which one a process has."""

import stat
from pathlib import Path

import pytest

from suno_async import JournalError
from suno_async.extras.cli.exits import UsageError
from suno_async.extras.cli.journals import all_files, named, owner

GATEWAY = "https://gateway.example"


def names(folder):
    return sorted(path.name for path in folder.glob("*.journal"))


@pytest.mark.parametrize(
    ("facts", "who"),
    [({"in_use": True, "pid": 123}, "process 123"), ({"in_use": True}, "another process"), ({}, None)],
    ids=["known", "unknown", "free"],
)
def test_owner(facts, who):
    """A journal that is in use is told apart from one that something is wrong with."""
    assert owner(JournalError("x", **facts)) == who


def test_the_owner_of_one_that_is_in_use(held, folder, write_journal):
    """The library names the process that has it."""
    held(folder / "1.journal")
    with pytest.raises(JournalError) as caught:
        write_journal("1.journal")
    assert owner(caught.value).removeprefix("process ").isdigit()


def test_order(write_journal):
    """Those of processes come first, by number; what lies beside them is none."""
    for name in ("key-a.journal", "10.journal", "2.journal"):
        write_journal(name)
    assert [path.name for path in all_files(None)] == ["2.journal", "10.journal", "key-a.journal"]


def test_none_yet():
    """Before anything was written there is nothing, and no folder is made to look at it."""
    assert all_files(None) == []


def test_a_folder_that_cannot_be_read(monkeypatch):
    """What the disk says is a JournalError."""

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "glob", refuse)
    with pytest.raises(JournalError, match=r"the folder of journals, .* cannot be read: Permission denied"):
        all_files(None)


def test_the_one_that_was_named(write_journal):
    """A journal that is named is the only one, and is not made by being looked for."""
    path = write_journal("mine.journal")
    write_journal("1.journal")
    assert all_files(str(path)) == [path]
    with pytest.raises(UsageError, match=r"there is no journal .*gone.journal"):
        all_files("gone.journal")
    assert not Path("gone.journal").exists()


def test_what_is_looked_into(monkeypatch):
    """Where nothing is written any more, what was written before can still be seen; "none" itself holds nothing."""
    assert (named(None, None), named("mine", None)) == (None, "mine")
    monkeypatch.setenv("SUNO_JOURNAL", "none")
    assert named(None, None) is None
    with pytest.raises(UsageError, match="--journal none"):
        named("none", None)


def test_the_first_that_is_free(cli, gateway, held, folder):
    """A process has the first journal that no other one has, in a folder that nobody else may read."""
    held(folder / "1.journal")
    cli("submit", "lyrics", "a")
    assert names(folder) == ["1.journal", "2.journal"]
    assert cli("submit", "lyrics", "b").err == ""
    assert names(folder) == ["1.journal", "2.journal"]


def test_the_folder_is_private(cli, gateway, folder):
    """There are prompts in it."""
    cli("submit", "lyrics", "a")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())


def test_a_damaged_one_is_left_out(cli, gateway, folder):
    """One that is damaged is named, with the command that tells more, and the next one is taken."""
    folder.mkdir(parents=True)
    (folder / "1.journal").write_bytes(b"no database at all " * 100)
    for words in (["submit", "lyrics", "a"], ["wait", gateway.put()]):
        ended = cli(*words)
        assert (ended.code, ended.err.count("\n")) == (0, 1)
        assert f"{folder / '1.journal'} is left out" in ended.err
        assert "suno-async journal list" in ended.err
    assert names(folder) == ["1.journal", "2.journal"]


@pytest.fixture
def no_folder(tmp_path):
    """The folder cannot be made."""
    (tmp_path / "state").write_text("a file")


def test_no_folder_to_submit(cli, gateway, no_folder):
    """Where no journal can be had, nothing is sent, and it is said how to do without."""
    for more in ([], ["--idempotency-key", "k"]):
        ended = cli("submit", "lyrics", "a", *more)
        assert (ended.code, ended.out, gateway.counts["submissions"]) == (4, "", 0)
        assert "cannot be made" in ended.err
        assert "nothing was submitted" in ended.err
        assert ("--journal none" in ended.err) == (not more)
    assert cli("submit", "lyrics", "a", "--journal", "none").code == 0
    assert cli("submit", "lyrics", "a", "--journal", "mine.journal").code == 0


def test_no_folder_to_wait(cli, gateway, no_folder):
    """Who only waits goes on without a journal, and is told so."""
    for verb in ("wait", "watch"):
        ended = cli(verb, gateway.put())
        assert (ended.code, ended.err.startswith("suno-async: nothing is written down: ")) == (0, True)


def test_a_disk_that_takes_nothing(cli, gateway, monkeypatch, folder):
    """Where a new file cannot be made either, it is not the file: no other one is tried."""

    def refuse(*_):
        raise JournalError("the disk is full")

    monkeypatch.setattr("suno_async.engine.journal.journal.Store", refuse)
    ended = cli("submit", "lyrics", "a")
    assert (ended.code, ended.err.count("\n"), gateway.counts["submissions"]) == (4, 1, 0)
    assert "the disk is full; nothing was submitted" in ended.err
    assert cli("wait", gateway.put()).code == 0


@pytest.mark.parametrize("verb", ["wait", "watch"])
def test_one_that_was_named_and_cannot_be_had(cli, gateway, held, verb, tmp_path):
    """Who names a journal does not go on without it."""
    ended = cli(verb, gateway.put(), "--journal", held(tmp_path / "mine.journal"))
    assert (ended.code, ended.out, " is in use " in ended.err) == (4, "", True)


def test_a_key_that_another_process_submits(cli, gateway, held, folder):
    """While another process has the key's journal, nothing is sent with that key; other keys are free."""
    words = "submit", "lyrics", "a", "--idempotency-key"
    assert cli(*words, "k").code == 0
    (path,) = folder.glob("key-*.journal")
    held(path)
    ended = cli(*words, "k")
    assert (ended.code, ended.out, ended.err.count("\n"), gateway.counts["submissions"]) == (4, "", 1, 1)
    assert "has the journal of this idempotency key" in ended.err
    assert cli(*words, "other").code == 0


def test_a_key_whose_journal_is_damaged(cli, gateway, folder):
    """Where the key's journal cannot be read, nothing is sent."""
    words = "submit", "lyrics", "a", "--idempotency-key", "k"
    cli(*words)
    (path,) = folder.glob("key-*.journal")
    path.write_bytes(b"x" * 5000)
    ended = cli(*words)
    assert (ended.code, gateway.counts["submissions"]) == (4, 1)
    assert "nobody can tell whether this idempotency key was used" in ended.err


def test_keys_belong_to_a_gateway(cli, gateway, make_gateway, folder):
    """The same key at another gateway is another key, and the same address written otherwise is the same gateway."""
    words = "submit", "lyrics", "a", "--idempotency-key", "k"
    cli(*words)
    cli(*words, "--base-url", f"{gateway.url}/v1/")
    assert (len(names(folder)), gateway.counts["accepted"]) == (1, 1)
    cli(*words, "--base-url", gateway.url.replace("127.0.0.1", "localhost"))
    assert (len(names(folder)), gateway.counts["accepted"]) == (2, 2)


def test_a_key_without_a_journal(cli, gateway, monkeypatch):
    """Without a journal a key could promise nothing."""
    words = "submit", "lyrics", "a", "--idempotency-key", "k"
    assert cli(*words, "--journal", "none").code == 2
    monkeypatch.setenv("SUNO_JOURNAL", "none")
    ended = cli(*words)
    assert (ended.code, "needs a journal" in ended.err, gateway.counts["submissions"]) == (2, True, 0)
