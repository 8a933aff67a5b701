"""Processes of a container live on after the runtime has given it up."""

from integration.faults.conftest import StartCase
from integration.support.fault_case import all_commands, type_on_the_node
from integration.support.program import Program
from integration.support.runbook import diagnose, is_the_mitigation
from lab import strays
from lab.pods import Container, Pod
from lab.processes import process_state
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until

CHECK = "unmanaged-process"

#: The default is 300 s.
SOON = {CHECK: {"lasting_seconds": 5}}


def test_process_of_an_exited_container(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """The runtime has called the container exited, and something is alive in its cgroup."""
    case = start_case(CHECK, SOON)
    running = lab.run(Pod("ended", containers=(Container("app"), Container("side"))))
    identifier = running.container_ids["app"]
    with strays.process_left_in(lab, running) as left:
        finding = case.found()

        assert (finding.reason, str(finding.subject)) == ("UnmanagedProcess", "lab/ended/app")
        assert f"Container {identifier[:12]} of lab/ended/app has exited, and 1 process" in finding.message
        evidence = {one.name: one.value for one in finding.evidence}
        assert evidence == {
            "containerId": identifier,
            "cgroup": f"{lab.cgroup.pod(running.uid)}/{identifier}",
            "processes": f"{left} sleep",
        }
        diagnosis = diagnose(program, CHECK, id=identifier)
        is_the_mitigation(all_commands(finding), CHECK, id=identifier)
        shown, _ = type_on_the_node(program, finding)
        assert diagnosis == shown
        assert [line.split()[0] for line in shown.splitlines()] == ["PID", str(left)]
        wait_until("the process to end", lambda: process_state(left) in ("Z", ""), 30)

        case.cleared()


def test_process_of_an_unlisted_container(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """No runtime knows the container, and no shim watches over it, but its cgroup is one of the kubelet's."""
    lab.run(Pod("bystander"))
    case = start_case(CHECK, SOON)
    cgroup = strays.unlisted_container_cgroup(lab)
    with strays.process_in(lab, cgroup) as left:
        finding = case.found()

        assert (finding.reason, str(finding.subject)) == ("UnmanagedProcess", "the node")
        assert "is not listed by the runtime, and 1 process" in finding.message
        evidence = {one.name: one.value for one in finding.evidence}
        assert (evidence["cgroup"], evidence["processes"]) == (cgroup, f"{left} sleep")
        shown, _ = type_on_the_node(program, finding)
        assert str(left) in shown

        case.cleared()
