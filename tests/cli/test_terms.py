"""The words that explain knows."""

import re

import pytest

from cli.running import run
from pausewatch.cli.main import COMMANDS
from pausewatch.cli.terms import terms
from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.zombies import ParentRole
from pausewatch.sinks.terminal_inspect import CELLS

JARGON = (
    "pause", "sandbox", "runtime", "shim", "conmon", "orphan", "zombie", "reap", "reaps", "cgroup", "CRI", "CNI",
    "host-local", "netns", "pin", "PID 1", "mirror pod", "static pod", "pids.max", "Linux namespace", "stale",
    "coverage", "not comparable", "subreaper",
)  # fmt: skip
"""What whoever never heard of pause containers meets in help texts, meanings of reasons, reports and screens."""


def everything_said() -> str:
    """Return all help texts, the list of explain, and what roles and screens say."""
    helps = [run(name, "--help").stdout for name in COMMANDS]
    return " ".join((*helps, run("explain").stdout, *ParentRole, *CELLS.values()))


@pytest.mark.parametrize("word", JARGON)
def test_no_jargon_is_unexplained(word: str) -> None:
    """Typed as it is read, in any case."""
    for typed in (word, word.upper(), word.replace(" ", "-")):
        told = run("explain", typed)
        assert (told.code, told.stderr) == (0, "")
        assert told.stdout.startswith("## ")


def test_jargon_is_what_is_said() -> None:
    """Most of the words above are really met; else the list would be about nothing."""
    said = everything_said().lower()

    assert len([word for word in JARGON if word.lower() in said]) > len(JARGON) * 2 / 3


def test_cells_of_inspect_and_kinds_are_explained() -> None:
    """One word for each Linux namespace of a container."""
    pages = "\n".join(term.text for term in terms())

    assert all(run("explain", cell).code == 0 for cell in CELLS.values() if cell.islower())
    assert [kind.value for kind in NamespaceKind if f"`{kind.value}`" not in pages and kind.value not in pages] == []


def test_every_word_has_a_sentence() -> None:
    """In the list it stands alone: short, and without the next one."""
    for term in terms():
        assert term.brief
        assert len(term.brief) < 140
        assert "\n" not in term.brief
        assert term.names[0].replace(" ", "-") in run("explain").stdout


def test_names_are_unique() -> None:
    """One page for one word."""
    names = [name.lower() for term in terms() for name in term.names]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[\w .-]+", name) for name in names)
