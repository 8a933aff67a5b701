"""Two pods of the node have one address."""

from integration.faults.conftest import StartCase
from integration.support.by_hand import pid_by_ctr
from integration.support.fault_case import all_commands, type_on_the_node
from integration.support.program import Program
from integration.support.runbook import diagnose, is_the_mitigation
from lab import pod_network_faults as faults
from lab.pods import Container, Pod
from lab.shapes.runtime import RuntimeLab
from pausewatch.model.report import Evidence


def test_given_twice(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """The reservation of a living pod was deleted, so the next pod gets its address."""
    case = start_case("duplicate-pod-ip")
    first = lab.run(Pod("first"))
    second = faults.give_address_twice(lab, first, Pod("second"))
    address = first.address()
    assert second.address() == address

    finding = case.found()

    assert (finding.reason, finding.severity, str(finding.subject)) == ("DuplicatePodIP", "Critical", "lab/second")
    assert f"the address {address} of lab/first" in finding.message
    holders = [one.value for one in finding.evidence if one.name == "holder"]
    for holder, running in zip(holders, (first, second), strict=True):
        assert running.sandbox_id[:12] in holder
        assert holder.endswith(f"pid {pid_by_ctr(lab, running.sandbox_id)}")
    *inside, first_told, second_told = type_on_the_node(program, finding)
    assert all(f" {address}/16" in shown for shown in inside)
    assert f'"{address}"' in first_told
    assert f'"{address}"' in second_told
    process = pid_by_ctr(lab, second.sandbox_id)
    shown = diagnose(program, "duplicate-pod-ip", process=process, sandbox=second.sandbox_id)
    assert f" {address}/16" in shown
    assert f'"id": "{second.sandbox_id}"' in shown
    is_the_mitigation(all_commands(finding), "duplicate-pod-ip", namespace="lab", pod="second")

    lab.remove(second)
    case.cleared()


def test_taken_from_another_pod(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """The runtime knows of one of the two only."""
    case = start_case("duplicate-pod-ip")
    intruder, rightful = lab.run(Pod("intruder")), lab.run(Pod("rightful"))
    address = rightful.address()
    faults.give_address(lab, intruder, address)

    finding = case.found()

    assert (finding.severity, str(finding.subject)) == ("Critical", "lab/intruder")
    assert Evidence(name="address", value=address) in finding.evidence
    *inside, _, told = type_on_the_node(program, finding)
    assert all(f" {address}/16" in shown for shown in inside)
    assert f'"{address}"' not in told

    faults.take_address(lab, intruder, address)
    case.cleared()


def test_pod_that_may_take_it_itself(lab: RuntimeLab, start_case: StartCase) -> None:
    """A pod with CAP_NET_ADMIN is told as Info."""
    case = start_case("duplicate-pod-ip")
    rightful = lab.run(Pod("rightful"))
    intruder = lab.run(Pod("intruder", containers=(Container("app", capabilities=("NET_ADMIN",)),)))
    faults.give_address(lab, intruder, rightful.address())

    finding = case.found()

    assert (finding.severity, str(finding.subject)) == ("Info", "lab/intruder")
    assert case.observer.reported() == []

    lab.remove(intruder)
    case.cleared()
