"""README.md and nothing else: from a clone, by the lines that it shows, to faults that are found, healed and cleared.

What is asserted is what a person reads on the way; the demonstration holds its own claims too, and ends when one is
false. The test asks nothing of the checkout that it stands in but a clone, so what is not committed is not walked.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from lab.naming import PREFIX_VARIABLE, WORKER_VARIABLE, lab_name
from lab.places import Places
from lab.remains import find_remains
from lab.shapes import cluster as clusters
from support.readme import commands_below

WALK_SECONDS = 500.0
"""It takes a minute and a half, of which a busy machine makes several."""

pytestmark = [pytest.mark.lab, pytest.mark.timeout(WALK_SECONDS + 100)]

REPOSITORY = Path(__file__).parents[2]

LAST = "make demo"

OF_THE_RUN = (
    WORKER_VARIABLE,
    "MAKEFLAGS",
    "MAKELEVEL",
    "MFLAGS",
    "PYTHONPATH",
    "VIRTUAL_ENV",
)
"""What the environment has of this run, and nobody's who has just cloned."""

COLUMNS = ("NAME", "HEALTHY", "REASON", "CRITICAL", "WARNING", "ORPHANS")

BROKEN = {"NamespaceNotShared": "cart", "OrphanedSandbox": "worker", "ZombieBuildup": "queue"}
NEEDS_API_SERVER = ("OrphanedSandbox",)


@pytest.fixture(scope="module")
def prefix() -> Iterator[str]:
    """What the labs of the walk are called; none is left, also when it was interrupted."""
    name = lab_name("walk")
    yield name
    clusters.stop(f"{name}-demo")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout as anybody has it."""
    folder = tmp_path_factory.mktemp("walk") / "pausewatch"
    subprocess.run(["git", "clone", "--quiet", REPOSITORY, folder], check=True)
    return folder


@pytest.fixture(scope="module")
def shown(clone: Path, prefix: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the README's lines print, typed in the clone up to the demonstration; all of it is printed as it comes."""
    lines = commands_below("See it")
    typed = [number for number, line in enumerate(lines) if line.startswith(LAST)]
    assert len(typed) == 1, lines
    scratch = tmp_path_factory.mktemp("scratch")
    environment = fresh_environment() | {PREFIX_VARIABLE: prefix, "TMPDIR": str(scratch)}
    printed = "".join(type_line(line, clone, environment) for line in lines[: typed[0] + 1])
    assert list(scratch.iterdir()) == []
    return printed


def fresh_environment() -> dict[str, str]:
    """Return the environment without what this run added: the README's commands find their own Python."""
    own = Path(sys.executable).parent
    path = os.pathsep.join(one for one in os.environ["PATH"].split(os.pathsep) if Path(one) != own)
    return {name: value for name, value in os.environ.items() if name not in OF_THE_RUN} | {"PATH": path}


def type_line(line: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Type a line into a shell, show what it prints while it does, and return that.

    Raises:
        AssertionError: It failed.
    """
    printed = []
    with subprocess.Popen(
        ["sh", "-c", line],
        cwd=folder,
        env=environment,
        text=True,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        try:
            for told in process.stdout:
                print(told, end="", flush=True)  # noqa: T201  for people: it takes minutes
                printed.append(told)
        except BaseException:
            os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C: the demonstration stops its node
            raise
    code = process.returncode
    assert code == 0, f"{line!r} ended with {code}"
    return "".join(printed)


def screens(shown: str, command: str) -> list[str]:
    """Return what each typing of a command printed, up to the next command, claim or step."""
    return re.findall(
        rf"^\$ {re.escape(command)}\n(.*?)(?=^(?:\$|===|  \[checked\]) ?)", shown, re.MULTILINE | re.DOTALL
    )


def rows(screen: str) -> list[dict[str, str]]:
    """Return the rows of a table of ``kubectl get psr`` by the names of its columns."""
    heading, *lines = screen.strip().splitlines()
    assert heading.split()[: len(COLUMNS)] == [*COLUMNS]
    return [dict(zip(COLUMNS, line.split(), strict=False)) for line in lines]


def test_node_is_healthy_broken_and_healthy_again(shown: str) -> None:
    """In the table that everybody types: before the faults, with them, with one of them left, and after all."""
    nodes = [rows(screen) for screen in screens(shown, "kubectl get psr")]
    assert [len(one) for one in nodes] == [1, 1, 1, 1]

    told = [(row["HEALTHY"], row["CRITICAL"], row["WARNING"], row["ORPHANS"]) for (row,) in nodes]
    assert told == [
        ("True", "0", "0", "0"),
        ("False", "2", "1", "1"),
        ("False", "0", "1", "0"),
        ("True", "0", "0", "0"),
    ]


def test_each_fault_is_told_of_its_pod(shown: str) -> None:
    """In the report, and in a scan on the node: the reason beside the pod that was broken so."""
    (report,) = screens(shown, "kubectl get psr lab-node --output=yaml")
    (scan,) = screens(shown, "pausewatch scan")
    findings = {one["reason"]: one for one in yaml.safe_load(report)["status"]["findings"]}

    assert {reason: one["pod"]["name"] for reason, one in findings.items()} == BROKEN
    assert all(f"lab/{pod}" in findings[reason]["message"] for reason, pod in BROKEN.items())
    seen = dict(re.findall(r"^[A-Z]+  (\w+)  lab/(\w+)/app$", scan, re.MULTILINE))
    assert seen == {reason: pod for reason, pod in BROKEN.items() if reason not in NEEDS_API_SERVER}


def test_metrics_tell_the_faults_and_that_they_are_gone(shown: str) -> None:
    """One of each reason while they are there, and none in the end."""
    values = {
        reason: re.findall(rf'^pausewatch_findings{{.*reason="{reason}",severity="(\w+)"}} (\S+)$', shown, re.MULTILINE)
        for reason in BROKEN
    }

    for found in values.values():
        first, last = found[: len(found) // 2], found[len(found) // 2 :]
        assert sorted(value for _, value in first) == sorted(["1.0", *["0.0"] * (len(first) - 1)])
        assert [(severity, "0.0") for severity, _ in first] == last


def test_nothing_is_left(shown: str, clone: Path, prefix: str) -> None:
    """No process, mount, interface, cgroup or directory of the node, and in the clone only Python's byte code."""
    assert re.search(r"^All \d+ claims were checked and are true", shown, re.MULTILINE)
    assert find_remains(Places(f"{prefix}-demo")) == []
    command = ["git", "status", "--porcelain", "--ignored"]
    told = subprocess.run(command, cwd=clone, check=True, capture_output=True, text=True).stdout.splitlines()
    assert [line for line in told if not line.endswith("/__pycache__/")] == []
    here = {str(clone), *(str(one) for one in clone.parents if one.name == "walk")}
    assert not [pid for pid, folder in working_directories() if folder in here]


def working_directories() -> Iterator[tuple[str, str]]:
    """Yield the pid of every process with where it works."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            yield process.name, str((process / "cwd").readlink())
        except OSError:  # it has ended
            continue
