"""The runtime runs a pod's process and does not list it."""

from integration.faults.conftest import StartCase
from integration.support.by_hand import pid_by_ctr
from integration.support.fault_case import type_on_the_node
from integration.support.program import Program
from lab import faults, strays
from lab.pods import Pod
from lab.processes import find_process
from lab.shapes.runtime import RuntimeLab

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
