"""The table of tasks."""

from suno_async.testing.gateway.rows import Row, Table
from suno_async.testing.gateway.songs import Order


def some_rows(table, count):
    rows = []
    for _ in range(count):
        number = table.number()
        rows.append(Row(number, f"t{number}", Order(), 0.0, 1.0, 2.0, "", "NOT_START", 0))
    return rows


def test_the_oldest_unfinished_rows_come_first():
    """A limit takes the oldest; finished and replaced rows make room for younger ones."""
    table = Table()
    rows = some_rows(table, 6)
    table.add(rows)
    assert table.oldest(3) == rows[:3]
    rows[0].status = "SUCCESS"
    rows[3].status = "FAILURE"
    table.plant(some_rows(Table(), 2)[1])  # another t2
    assert table.oldest(3) == [rows[2], rows[4], rows[5]]
    assert table.oldest(9) == [rows[2], rows[4], rows[5]]
    assert len(table) == 6


def test_rows_are_walked_from_any_place():
    """In order of insertion, however they came in; a row that replaces another has its place."""
    table = Table()
    rows = some_rows(table, 4)
    table.add(rows[:2])
    table.plant(rows[2])
    table.add(rows[3:])
    assert list(table.since(0)) == rows
    table.plant(other := some_rows(Table(), 2)[1])  # another t2
    assert list(table.since(1)) == [other, *rows[2:]]
    assert list(table.since(4)) == []


def test_a_row_is_found_by_its_account_only():
    """Another account, an unknown id and what is no id find nothing."""
    table = Table()
    table.add(some_rows(table, 1))
    assert table.find("t1", 1, 0.0) is table.get("t1")
    assert [table.find(task_id, account, 0.0) for task_id, account in (("t1", 2), ("x", 1), (None, 1))] == [None] * 3


def test_a_hidden_row_appears_in_its_time():
    """A row that is hidden until 10 is found from 10 on; others are not touched."""
    table = Table()
    table.add(some_rows(table, 2))
    table.hide("t1", 10.0)
    assert table.find("t1", 1, 9.9) is None
    assert table.find("t1", 1, 10.0) is not None
    assert table.find("t2", 1, 0.0) is not None


def test_an_account_sees_its_rows_newest_first():
    """Planted rows too, hidden ones in their time only."""
    table = Table()
    rows = some_rows(table, 4)
    table.add(rows[:3])
    table.plant(rows[3])
    table.hide("t2", 10.0)
    assert table.of(1, 9.9) == [rows[3], rows[2], rows[0]]
    assert table.of(1, 10.0) == rows[::-1]
    assert table.of(2, 10.0) == []
