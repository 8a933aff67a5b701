"""The words that explain knows."""

import re
from pathlib import Path

import pytest

import pausewatch
from cli.running import run
from pausewatch.checks._check import all_checks
from pausewatch.cli.main import COMMANDS
from pausewatch.cli.terms import terms
from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.zombies import ParentRole
from pausewatch.sinks.terminal_inspect import CELLS

JARGON = (
    "pause", "sandbox", "runtime", "shim", "conmon", "orphan", "zombie", "reap", "reaps", "cgroup", "CRI", "CNI",
    "host-local", "netns", "pin", "PID 1", "mirror pod", "static pod", "pids.max", "Linux namespace", "stale",
    "coverage", "not comparable", "subreaper", "uts", "ipc", "WRONG", "READY", "kubelet", "uid", "evidence", "bound",
    "first seen", "Critical", "Info", "Healthy", "ScanComplete", "heartbeat", "NO REPORT", "SYS_PTRACE", "hidepid",
    "AppArmor", "gVisor", "hostNetwork", "hostPID", "lease", "grace period", "agent", "Event", "pinned image",
    "ignore", "CAP_NET_ADMIN",
)  # fmt: skip
"""What whoever never heard of pause containers meets in help texts, meanings of reasons, reports and screens."""


PACKAGE = Path(pausewatch.__file__).parent
UNAVAILABLE = re.compile(r'Unavailable\(\s*reason="(\w+)"|^[A-Z_]+ = "((?:[A-Z][a-z]+){2,})"$', re.MULTILINE)
"""Why something was not read, where it is written: as a literal, or as a constant beside others."""

NEVER_IN_A_REPORT = {"FailedCreatePodSandBox"}
"""A reason of the kubelet's, not of ours."""


def everything_said() -> str:
    """Return all help texts, the list of explain, what roles and screens say, and what fields of a report mean."""
    helps = [run(name, "--help").stdout for name in COMMANDS]
    return " ".join((*helps, run("explain").stdout, *ParentRole, *CELLS.values(), (PACKAGE / "crd.yaml").read_text()))


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


def reasons_of_gaps() -> set[str]:
    """Return every reason with which something of a report may be skipped or unknown."""
    folders = ("sources", "model", "agent")
    modules = [one for folder in folders for one in (PACKAGE / folder).rglob("*.py")]
    modules += [*(PACKAGE / "checks").glob("*.py"), PACKAGE / "cluster" / "connection.py"]
    found = [one for module in modules for one in UNAVAILABLE.findall(module.read_text())]
    return (
        {"".join(one) for one in found}
        - NEVER_IN_A_REPORT
        - {one.name for each in all_checks() for one in each.reasons}
    )


def test_every_reason_of_a_gap_is_explained() -> None:
    """A report gives a skipped check one word, and a person has nothing else to go by."""
    reasons = reasons_of_gaps()

    assert {"NoApiServer", "ReadHangs", "OutOfPids", "PinsNotTold"} <= reasons
    assert [one for one in sorted(reasons) if run("explain", one).code != 0] == []


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
