"""The catalogue of everything that goes wrong: each row is there once, and the tests that it names exist."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TEXT = (TESTS / "FAULTS.md").read_text()
NOT_BUILT = {32, *range(116, 132)}
"""Downloads and hooks."""
ROWS = {
    int(line.split("|")[1]): [cell.strip() for cell in line.split("|")[2:5]]
    for line in TEXT.splitlines()
    if re.match(r"\| *\d", line)
}
TABLES = {"broken": "FAULTS", "slow": "SLOW", "http": "FAULTS", "json": "FAULTS"}
"""The words that stand for several tests, and what the tables of cases are called that these go through."""
_LINK = re.compile(r"\[(\w+)\]\(([\w/]+\.py)\)")


@cache
def tree(path: str) -> ast.Module:
    """A file of tests, read."""
    return ast.parse((TESTS / path).read_text())


def functions(path: str) -> set[str]:
    """The tests in a file."""
    return {each.name for each in tree(path).body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}


def meant(word: str) -> list[tuple[str, str]]:
    """The tests that a word stands for, each with its file."""
    found = re.search(rf"^\* \*\*{word}\*\*: (.*?)(?=^\S|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None, word
    return _LINK.findall(found[1])


def cases(path: str, table: str) -> set[int]:
    """The numbers at the beginning of the cases' names in a table."""
    for each in tree(path).body:
        if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name) and each.targets[0].id == table:
            texts = [part.value for part in ast.walk(each) if isinstance(part, ast.Constant)]
            names = [re.match(r"(\d+) ", text) for text in texts if isinstance(text, str)]
            return {int(name[1]) for name in names if name}
    return set()


def named(cell: str) -> tuple[list[tuple[str, str]], list[str]]:
    """The tests and the words that a row names; it names nothing else."""
    parts = cell.split(", ")
    links = [match.groups() for part in parts if (match := _LINK.fullmatch(part))]
    words = [part for part in parts if part in TABLES]
    assert len(links) + len(words) == len(parts), cell
    return links, words


def test_every_fault_has_one_row():
    """1 to 141, each once, each with four cells that are not empty."""
    lines = [line for line in TEXT.splitlines() if re.match(r"\| *\d", line)]
    assert Counter(int(line.split("|")[1]) for line in lines) == Counter(range(1, 142))
    assert {line.count("|") for line in lines} == {5}
    assert all(all(cells) for cells in ROWS.values())


def test_what_is_not_built_says_so():
    """In so many words and without a test; everything else has one."""
    assert {number for number, cells in ROWS.items() if cells[1] == "not built yet"} == NOT_BUILT
    assert {number for number, cells in ROWS.items() if cells[2] == "-"} == NOT_BUILT


@pytest.mark.parametrize("number", sorted(set(ROWS) - NOT_BUILT))
def test_every_test_that_a_row_names_exists(number):
    """By that name, in that file; and where a table of cases is named, it has a case of that number."""
    links, words = named(ROWS[number][2])
    for name, path in links + [test for word in words for test in meant(word)]:
        assert name.startswith("test_")
        assert name in functions(path)
    for word in words:
        assert number in set().union(*(cases(path, TABLES[word]) for _, path in meant(word)))


def test_every_case_of_a_table_has_its_row():
    """What is tried under a number is told under that number."""
    for word, table in TABLES.items():
        for number in cases(meant(word)[0][1], table):
            assert word in named(ROWS[number][2])[1], (number, word)


def test_every_link_of_the_page_leads_somewhere():
    """Also those outside the tables."""
    for path in set(re.findall(r"\]\(([^)]+)\)", TEXT)):
        assert (TESTS / path).is_file()
