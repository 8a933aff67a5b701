"""A pod's own network namespace has no working loopback."""

from integration.faults.conftest import StartCase
from integration.support.by_hand import pid_by_ctr
from integration.support.fault_case import all_commands, type_on_the_node
from integration.support.program import Program
from integration.support.runbook import diagnose, is_the_mitigation
from lab import pod_network_faults as faults
from lab.pods import Container, Pod
from lab.shapes.runtime import RuntimeLab
from pausewatch.model.report import Evidence


def test_taken_down(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """The last command for the node heals it."""
    case = start_case("loopback-down")
    web = lab.run(Pod("web", containers=(Container("app"), Container("side"))))
    faults.set_link(lab, web, "down", "lo")

    finding = case.found()

    assert (finding.reason, finding.severity, str(finding.subject)) == ("LoopbackDown", "Critical", "lab/web")
    process = pid_by_ctr(lab, web.sandbox_id)
    assert Evidence(name="seenThrough", value=f"pid {process}") in finding.evidence
    assert "state DOWN" in diagnose(program, "loopback-down", process=process)
    is_the_mitigation(all_commands(finding), "loopback-down", process=process, namespace="lab", pod="web")
    shown, tree, _ = type_on_the_node(program, finding)
    assert "state DOWN" in shown
    assert "127.0.0.1" in shown, "the kernel keeps the address of a link that is down"
    assert "no loopback" in tree
    assert "state DOWN" not in faults.in_network(lab, web, "ip", "address", "show", "dev", "lo")
    case.cleared()


def test_without_address(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """Loopback is up, and has no address; the cure is the one of the page."""
    case = start_case("loopback-down")
    web = lab.run(Pod("web"))
    faults.in_network(lab, web, "ip", "address", "flush", "dev", "lo")

    finding = case.found()

    assert (finding.severity, str(finding.subject)) == ("Critical", "lab/web")
    (shown,) = type_on_the_node(program, finding, count=1)
    assert "inet" not in shown

    faults.set_link(lab, web, "down", "lo")
    faults.set_link(lab, web, "up", "lo")
    case.cleared()


def test_pod_that_may_do_it_itself(lab: RuntimeLab, start_case: StartCase) -> None:
    """A pod with CAP_NET_ADMIN is told as Info."""
    case = start_case("loopback-down")
    web = lab.run(Pod("web", containers=(Container("app", capabilities=("NET_ADMIN",)),)))
    faults.set_link(lab, web, "down", "lo")

    finding = case.found()

    assert (finding.severity, str(finding.subject)) == ("Info", "lab/web")
    assert case.observer.reported() == []

    lab.remove(web)
    case.cleared()
