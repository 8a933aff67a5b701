"""A pause does more than hold namespaces."""

from pathlib import Path

import pytest

from integration.faults.conftest import StartCase
from integration.support.fault_case import all_commands, type_on_the_node
from integration.support.program import Program
from integration.support.runbook import diagnose, is_the_mitigation
from lab import strays
from lab.pods import Pod
from lab.processes import zombies_of
from lab.shapes.runtime import RuntimeLab
from pausewatch.model.report import Finding

CHECK = "abnormal-pause"

#: The default is 60 s.
SOON = {CHECK: {"lasting_seconds": 3}}

BUSY = "while :; do :; done"
GREEDY = "filled=x; while [ ${#filled} -lt 16000000 ]; do filled=$filled$filled; done; /bin/busybox sleep 1000000; :"
CARELESS = "/bin/busybox true & /bin/busybox true & exec /bin/busybox sleep 1000000"
QUIET = "exec /bin/busybox sleep 1000000"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (BUSY, "% of a CPU (bound 10 %)"),
        (GREEDY, "MiB of memory (bound 10 MiB)"),
        (CARELESS, "does not reap its dead children (2 zombies)"),
    ],
    ids=["busy", "greedy", "careless"],
)
def test_pause_that_is_none(lab: RuntimeLab, program: Program, start_case: StartCase, script: str, told: str) -> None:
    """The sandbox runs another program than a pause."""
    case = start_case(CHECK, SOON)
    running = strays.run_with_pause(lab, Pod("odd"), script)
    pause = running.pause_pid()

    finding = case.found()

    assert told in finding.message
    check_finding(finding, pause)
    process, second, tree = type_on_the_node(program, finding)
    assert process.splitlines()[1].split()[0] == str(pause)
    zombies = zombies_of(pause)
    assert all(str(zombie) in second for zombie in zombies)
    assert zombies or f'"id": "{running.sandbox_id}"' in second
    assert "lab/odd" in tree or "odd" in tree

    lab.remove(running)
    case.cleared()


def test_pause_of_another_program(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """It sleeps as a pause does, but is not what the pauses beside it are."""
    for number in range(3):
        lab.run(Pod(f"usual-{number}", containers=()))
    case = start_case(CHECK, SOON)
    running = strays.run_with_pause(lab, Pod("odd", containers=()), QUIET)
    pause = running.pause_pid()

    finding = case.found()

    assert "runs the program busybox where all others of its image run pause" in finding.message
    check_finding(finding, pause)
    type_on_the_node(program, finding)
    shown = diagnose(program, CHECK, pid=pause, sandbox=running.sandbox_id)
    assert f'"id": "{running.sandbox_id}"' in shown
    assert f"/proc/{pause}/exe -> /bin/busybox" in shown
    is_the_mitigation(all_commands(finding), CHECK, namespace="lab", pod="odd")

    lab.remove(running)
    case.cleared()


def check_finding(finding: Finding, pause: int) -> None:
    """Compare with what /proc says."""
    assert (finding.reason, str(finding.subject)) == ("AbnormalPause", "lab/odd")
    evidence = {one.name: one.value for one in finding.evidence}
    assert evidence["pause"] == str(pause)
    assert evidence["program"] == Path(f"/proc/{pause}/exe").readlink().name
    assert evidence["image"].startswith("localhost/pause")
