"""The runtime runs a pod's process and does not list it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from integration.faults.conftest import StartCase
from integration.support.by_hand import pid_by_ctr
from integration.support.fault_case import FaultCase, all_commands, type_on_the_node
from integration.support.program import Program, installed
from integration.support.restart import kill_runtime, shim_of, start_runtime_again
from integration.support.runbook import diagnose, is_the_mitigation
from lab import faults, strays
from lab.naming import lab_name
from lab.pins import CONTAINERD_1_6
from lab.pods import Pod
from lab.processes import find_process
from lab.shapes import runtime
from lab.shapes.runtime import RuntimeLab
from support.fault_matrix import MATRIX

CHECK = "unlisted-pause"

#: The default is 300 s.
SOON = {CHECK: {"lasting_seconds": 5}}


def test_pause_beside_the_cri(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """containerd runs a pause in a pod's cgroup, and the CRI knows nothing of it."""
    lab.run(Pod("bystander"))
    case = start_case(CHECK, SOON)
    identifier = faults.unlisted_pause(lab)
    pause, shim = pid_by_ctr(lab, identifier), strays.shim_of(identifier)

    finding = case.found()

    assert (finding.reason, str(finding.subject)) == ("UnlistedPause", "the node")
    assert finding.id == f"unlisted-pause/node/{identifier[:12]}"
    assert identifier[:12] in finding.message
    evidence = {one.name: one.value for one in finding.evidence}
    assert evidence["containerId"] == identifier
    assert evidence["processes"] == f"{pause} pause"
    assert evidence["monitor"] == str(shim)
    assert evidence["cgroup"].endswith(f"/{identifier}")
    socket = lab.places.socket
    shown = diagnose(program, CHECK, id=identifier, socket=socket)
    assert [line.split()[0] for line in shown.splitlines()[:2]] == ["PID", str(pause)]
    assert f'"ID": "{identifier}"' in shown
    is_the_mitigation(all_commands(finding), CHECK, id=identifier, socket=socket)
    processes, record, killed, removed = type_on_the_node(program, finding)
    header, line = processes.splitlines()
    assert header.split()[:2] == ["PID", "PPID"]
    assert line.split()[:2] == [str(pause), str(shim)]
    assert f'"ID": "{identifier}"' in record
    assert identifier in killed or not killed
    assert not removed.strip()

    case.cleared()
    assert find_process(pause) is None
    assert identifier not in lab.ctr("containers", "ls")


@pytest.mark.lab
def test_sandbox_that_a_restart_forgot(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """containerd finds its sandboxes by a label of their records; one without it lives on, and is not loaded.

    containerd 2 keeps sandboxes in a store of its own and does not forget this one.
    """
    with runtime.start(CONTAINERD_1_6, lab_name("forgetful")) as lab:
        bystander, forgotten = lab.run(Pod("bystander")), lab.run(Pod("forgotten", containers=()))
        identifier, pause, shim = forgotten.sandbox_id, forgotten.pause_pid(), shim_of(bystander)
        with FaultCase(lab, CHECK, SOON) as case:
            lab.ctr("containers", "label", identifier, "io.cri-containerd.kind=")
            kill_runtime(lab)
            start_runtime_again(lab, shim)
            assert identifier not in [one.id for one in lab.client.sandboxes()]

            finding = case.found()

            evidence = {one.name: one.value for one in finding.evidence}
            assert (evidence["containerId"], evidence["processes"]) == (identifier, f"{pause} pause")
            _, record, _, _ = type_on_the_node(installed(tmp_path, lab), finding)
            assert '"io.kubernetes.pod.name": "forgotten"' in record
            case.cleared()
            assert find_process(pause) is None
            record_property(MATRIX, case.line())
