"""/proc is mounted with hidepid, and the agent may not look past it: it says so, and accuses nobody."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from integration.support.program import Program, installed
from lab import faults
from lab.pins import CONTAINERD_2_4
from lab.pods import Pod
from lab.shapes.runtime import RuntimeLab

#: What each form is mounted with. By default the first two hide nothing from the group root, which an agent is in.
FORMS = {
    "usual": "hidepid=invisible",
    "noaccess": "hidepid=noaccess,gid=65534",
    "invisible": "hidepid=invisible,gid=65534",
    "ptraceable": "hidepid=ptraceable",
}

#: Root with every capability but the one that looks past it.
WITHOUT_PTRACE = "setpriv --bounding-set=-sys_ptrace --inh-caps=-all --ambient-caps=-all"

pytestmark = pytest.mark.parametrize("runtime_lab", [CONTAINERD_2_4.name], indirect=True)


@pytest.fixture
def program(lab: RuntimeLab, tmp_path: Path) -> Program:
    """A shell on the lab's node, with ``pausewatch`` on PATH."""
    return installed(tmp_path, lab)


@pytest.mark.parametrize("hidepid", [*FORMS][1:])
def test_hidden_processes_are_told_and_nobody_is_accused(lab: RuntimeLab, program: Program, hidepid: str) -> None:
    """In every form that the kernel has, though there are zombies to be found."""
    faults.zombies(lab, 16)

    status = scan(lab, program, hidepid, WITHOUT_PTRACE)

    assert status["findings"] == []
    conditions = {one["type"]: one for one in status["conditions"]}
    assert (conditions["ScanComplete"]["status"], conditions["Healthy"]["status"]) == ("False", "Unknown")
    assert conditions["RuntimeReachable"]["status"] == "True"
    assert "hidepid" in conditions["ScanComplete"]["message"]
    skipped = {one["check"] for one in status["coverage"]["skippedChecks"]}
    assert {"zombie-buildup", "namespace-not-shared", "container-process-gone"} <= skipped


def test_what_the_chart_grants_looks_past_it(lab: RuntimeLab, program: Program) -> None:
    """As root of the group root all is seen. Where it is not, doctor says what is lost and how to get it."""
    lab.run(Pod("web"))
    faults.zombies(lab, 16)

    status = scan(lab, program, "usual", "")

    assert {one["type"]: one["status"] for one in status["conditions"]}["ScanComplete"] == "True"
    assert "zombies" in [one["pod"]["name"] for one in status["findings"] if "pod" in one]
    told = on_hidden_proc(lab, program, "ptraceable", f"{WITHOUT_PTRACE} pausewatch doctor")
    assert "hidepid" in told
    assert "CAP_SYS_PTRACE" in told


def scan(lab: RuntimeLab, program: Program, hidepid: str, wrapper: str) -> dict[str, Any]:
    """Scan the node by a /proc that hides processes, and return the status of the report."""
    status: dict[str, Any] = json.loads(
        on_hidden_proc(lab, program, hidepid, f"{wrapper} pausewatch scan --output=json")
    )["status"]
    return status


def on_hidden_proc(lab: RuntimeLab, program: Program, hidepid: str, command: str) -> str:
    """Run a command on the lab's node with another /proc, and return what it prints."""
    inside = f"mount -t proc -o {FORMS[hidepid]} proc /proc && exec {command}"
    enter = f"nsenter --target={lab.containerd.pid} --mount --net unshare --mount --propagation private"
    return program.shell(f"{enter} sh -c {shlex.quote(inside)}")
