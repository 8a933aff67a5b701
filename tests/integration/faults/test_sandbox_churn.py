"""The sandbox of a pod is made anew again and again."""

from functools import partial

from integration.faults.conftest import StartCase
from integration.support.fault_case import type_on_the_node
from integration.support.observer import Observer
from integration.support.program import Program
from integration.support.runbook import diagnose
from lab import faults
from lab.pods import Pod, RunningPod
from lab.shapes.cluster import Cluster
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until
from pausewatch.model.report import Finding, Severity

CHECK = "sandbox-churn"

OF_THIS_MATTER = ("container-process-gone", "duplicate-sandbox", "pause-gone", CHECK, "stale-sandbox")


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
    assert running.sandbox_id[:12] in diagnose(program, CHECK, namespace="lab", pod="restless")

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


def test_kubelet_whose_pauses_die_again_and_again(cluster: Cluster) -> None:
    """It makes a new sandbox each time, and that is churn; the lost pause was never more than a note.

    The attempts are the kubelet's own, and what it collects meanwhile is gone from the list.
    """
    running = cluster.run(Pod("restless"))
    told: list[Finding] = []
    with Observer(cluster.runtime) as observer:

        def replaced(old: RunningPod) -> RunningPod | None:
            told.extend(one for one in observer.findings() if one.check in OF_THIS_MATTER)
            ready = [
                one for one in cluster.runtime.client.sandboxes() if one.metadata.name == "restless" and not one.state
            ]
            return cluster.find_pod("restless") if ready and ready[0].id != old.sandbox_id else None

        for _ in range(4):
            faults.kill_pause(running)
            running = wait_until("the kubelet to replace the sandbox", partial(replaced, running), 40)
        found = [one for one in observer.findings() if one.check in OF_THIS_MATTER]

    assert {one.reason for one in told if one.severity is not Severity.INFO} <= {"SandboxChurn"}
    (churn,) = [one for one in found if one.severity is not Severity.INFO]
    assert (churn.reason, str(churn.subject)) == ("SandboxChurn", "lab/restless")
    assert {one.name: one.value for one in churn.evidence}["newestAttempt"] == "4"


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
