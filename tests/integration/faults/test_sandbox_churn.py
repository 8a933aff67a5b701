"""The sandbox of a pod is made anew again and again."""

from integration.faults.conftest import StartCase
from integration.support.fault_case import type_on_the_node
from integration.support.program import Program
from lab import faults
from lab.pods import Pod, RunningPod
from lab.shapes.runtime import RuntimeLab

CHECK = "sandbox-churn"


def again(lab: RuntimeLab, running: RunningPod) -> RunningPod:
    """Replace the sandbox of a pod, as a kubelet does; its garbage collection removes the old one soon."""
    lab.client.stop_sandbox(running.sandbox_id)
    newer = faults.sandbox_once_more(lab, running)
    lab.client.remove_sandbox(running.sandbox_id)
    return newer


def test_sandbox_that_is_replaced_again_and_again(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """Four in a row say nothing yet; the fifth does, although the runtime lists one."""
    case = start_case(CHECK)
    running = lab.run(Pod("restless", containers=()))
    for _ in range(3):
        assert case.observer.findings() == []
        running = again(lab, running)
    assert case.observer.findings() == []
    running = again(lab, running)

    finding = case.found()

    assert (finding.reason, str(finding.subject)) == ("SandboxChurn", "lab/restless")
    assert [one.value for one in finding.evidence] == [running.uid, "4"]
    listed, tree = type_on_the_node(program, finding)
    (row,) = listed.splitlines()[1:]
    assert row.split()[3:6] == ["restless", "lab", "4"]
    assert "restless" in tree

    running = again(lab, running)
    assert case.found().id == finding.id, "each sandbox is another finding"
    lab.remove(running)
    case.cleared()


def test_loop_that_nobody_watched(lab: RuntimeLab, start_case: StartCase) -> None:
    """Five sandboxes between two looks: the numbers tell."""
    case = start_case(CHECK, {CHECK: {"window_seconds": 10}})
    running = lab.run(Pod("restless", containers=()))
    assert case.observer.findings() == []
    for _ in range(4):
        running = again(lab, running)

    assert case.found().reason == "SandboxChurn"

    case.cleared()


def test_container_that_restarts_again_and_again_keeps_its_sandbox(lab: RuntimeLab, start_case: StartCase) -> None:
    """As in CrashLoopBackOff; the churn of one pod beside it is found, so the check does look."""
    case = start_case(CHECK)
    crashing, restless = lab.run(Pod("crashing")), lab.run(Pod("restless", containers=()))
    for _ in range(4):
        case.observer.look()
        crashing = lab.restart(crashing, "app")
        restless = again(lab, restless)

    assert str(case.found().subject) == "lab/restless"

    lab.remove(restless)
    case.cleared()
