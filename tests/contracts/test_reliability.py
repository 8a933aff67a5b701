"""Every row of docs/reliability.md that tells of a fault names the tests that repeat it, and they are there."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "reliability.md").read_text(encoding="utf-8")

BY_NAME, BY_WORD = "shown by", "`-k`"
"""What the last column of a table is called: names of tests, or words that select some of those above the table."""

ABOUT_FAULTS = {
    "What the agent does when something else does not work": BY_NAME,
    "Hostile node": BY_WORD,
    "Hostile cluster": BY_WORD,
    "Hostile names": BY_NAME,
    "Hostile runtime": BY_WORD,
}
"""The sections whose table is about faults, with its last column."""

NAME = re.compile(r"`([\w/]+\.py::test_\w+)`")
COMMAND = re.compile(r"-m pytest ((?:tests/\S+ ?)+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of faults: its rows, by their first column, with their last one."""

    section: str
    last_column: str
    paths: tuple[str, ...]
    """What the command above it runs, below the repository."""

    rows: tuple[tuple[str, str], ...]


def tables() -> Iterator[Table]:
    """Yield each table whose last column names tests."""
    for text in re.split(r"^##? ", PAGE, flags=re.MULTILINE)[1:]:
        lines = [[cell.strip() for cell in line.split(" | ")] for line in text.splitlines() if line.startswith("| ")]
        if not lines or (last := lines[0][-1].removesuffix(" |")) not in (BY_NAME, BY_WORD):
            continue
        yield Table(
            section=text.splitlines()[0],
            last_column=last,
            paths=tuple(" ".join(COMMAND.findall(text)).split()),
            rows=tuple((cells[0].removeprefix("| "), cells[-1].removesuffix(" |")) for cells in lines[1:]),
        )


@cache
def collected() -> tuple[str, ...]:
    """Return what pytest finds in all files that the page names, each as ``path::test[parameters]``."""
    named = {f"tests/{one.partition('::')[0]}" for one in NAME.findall(PAGE)}
    paths = sorted(named.union(*(table.paths for table in tables() if table.last_column == BY_WORD)))
    command = [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "-p", "no:cacheprovider", *paths]
    # How the run that this is part of was started is its own affair.
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return tuple(line for line in done.stdout.splitlines() if "::" in line)


def selected(table: Table, words: str) -> list[str]:
    """Return the tests that ``-k`` selects of those above a table: a word of several, in a name, in either case."""
    those = [one for one in collected() if one.startswith(table.paths)]
    return [one for one in those if any(word.lower() in one.partition("::")[2].lower() for word in words.split(" or "))]


def test_tables_of_faults_are_there() -> None:
    """With a column that names tests."""
    assert {table.section: table.last_column for table in tables()} == ABOUT_FAULTS


def test_names_of_tests_exist() -> None:
    """Wherever they stand on the page; every row of a table of names has one."""
    there = {one.partition("[")[0] for one in collected()}

    assert [one for one in NAME.findall(PAGE) if f"tests/{one}" not in there] == []
    named = [row for table in tables() if table.last_column == BY_NAME for row in table.rows]
    assert [fault for fault, tests in named if not NAME.search(tests)] == []


def test_words_select_tests() -> None:
    """Of each row at least one of those that the command above it runs, unless it names another one."""
    worded = [(table, fault, told) for table in tables() if table.last_column == BY_WORD for fault, told in table.rows]

    words = [(table, fault, NAME.sub("", told).strip(" ,"), NAME.search(told)) for table, fault, told in worded]
    assert [fault for _, fault, told, named in words if not told and not named] == []
    assert [fault for table, fault, told, _ in words if told and not selected(table, told)] == []


def test_every_lie_of_a_runtime_is_told_of() -> None:
    """By a row of its table."""
    (table,) = [one for one in tables() if one.section == "Hostile runtime"]
    told_of = {one for _, words in table.rows for one in selected(table, words)}

    assert [one for one in collected() if "::test_lie[" in one and one not in told_of] == []
