"""The schema: every journal has the same tables, whichever version it began with."""

import sqlite3
import stat

import pytest

from suno_async.engine.journal.damage import connect
from suno_async.engine.journal.schema import SCRIPTS, create, migrate


def tables(path):
    """The version of a file, and what it is made of."""
    connection = sqlite3.connect(path)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    made = set(connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))
    connection.close()
    return version, made


@pytest.mark.parametrize("begun", range(1, len(SCRIPTS) + 1))
def test_each_version_becomes_the_newest(tmp_path, begun):
    """Through the scripts that it lacks, and once; what was in it stays."""
    create(tmp_path / "new", SCRIPTS)
    create(tmp_path / "old", SCRIPTS[:begun])
    assert tables(tmp_path / "old")[0] == begun
    connection = connect(tmp_path / "old")
    connection.execute("UPDATE commits SET number = 7")
    for _ in range(2):
        migrate(connection, SCRIPTS)
        assert connection.execute("SELECT number FROM commits").fetchall() == [(7,)]
    connection.close()
    assert tables(tmp_path / "old") == tables(tmp_path / "new")
    assert tables(tmp_path / "new")[0] == len(SCRIPTS)


def test_a_version_is_made_as_a_whole_or_not_at_all(tmp_path):
    """A script that breaks off leaves the tables of before."""
    create(tmp_path / "j", SCRIPTS)
    before = tables(tmp_path / "j")
    connection = connect(tmp_path / "j")
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(connection, [*SCRIPTS, "DROP TABLE tasks; INSERT INTO nowhere VALUES (1);"])
    connection.close()
    assert tables(tmp_path / "j") == before


def test_a_file_is_whole_as_soon_as_it_has_its_name(tmp_path):
    """What a crash left of an earlier one in the making is taken away; nobody else may read it."""
    for end in ("", "-wal", "-journal"):
        (tmp_path / f"j.new{end}").write_bytes(b"half of it")
    create(tmp_path / "j", SCRIPTS)
    assert [file.name for file in tmp_path.iterdir()] == ["j"]
    assert stat.S_IMODE((tmp_path / "j").stat().st_mode) == 0o600
