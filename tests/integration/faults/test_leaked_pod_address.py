"""Addresses of pods are given away for good, and run out."""

import pytest

from integration.faults.conftest import StartCase
from integration.support.fault_case import all_commands, type_on_the_node
from integration.support.program import Program
from integration.support.runbook import diagnose, is_the_mitigation
from lab import network_faults
from lab.cri.client import CallError
from lab.pods import Pod
from lab.shapes.runtime import RuntimeLab

CHECK = "leaked-pod-address"

#: Shorter than the ten minutes only because the machine may have been up for less, and nothing counts as older.
LASTING_SECONDS = 60.0
BOUND = {CHECK: {"lasting_seconds": LASTING_SECONDS}}


def test_reservation_without_a_sandbox(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """The plugin's own file for a pod that is gone; the commands show whose it was and give the address back."""
    case = start_case(CHECK, BOUND)
    web = lab.run(Pod("web"))
    young = network_faults.leaked_address(lab, age_seconds=0)
    file = network_faults.leaked_address(lab, age_seconds=LASTING_SECONDS + 1)
    owner = file.read_text().split()[0]

    finding = case.found()

    assert (finding.reason, finding.subject.is_node) == ("LeakedPodAddress", True)
    (reservation,) = [one.value for one in finding.evidence if one.name == "reservation"]
    assert reservation.startswith(f"{file.name} for {owner} since 20")
    assert str(file) in diagnose(program.inside(lab), CHECK, id=owner, directory=file.parent)
    is_the_mitigation(all_commands(finding), CHECK, directory=file.parent, address=file.name)
    listed, files, removed = type_on_the_node(program.inside(lab), finding)
    assert owner not in listed
    assert (files.split(), removed) == ([str(file)], "")
    assert network_faults.reservation(lab, web.sandbox_id).exists()

    case.cleared()
    young.unlink()


def test_range_is_used_up(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """A network of 5 addresses: with the fifth pod it is full, and the runtime can not make a sixth."""
    case = start_case(CHECK)
    with network_faults.small_network(lab, "10.201.0.0/29"):
        pods = [lab.run(Pod(f"web-{number}")) for number in range(4)]
        assert case.observer.reported() == []
        pods.append(lab.run(Pod("web-4")))

        finding = case.found()

        assert finding.reason == "AddressPoolNearlyUsed"
        assert finding.message.startswith("All 5 addresses in 10.201.0.0/29 of the CNI network small are reserved")
        with pytest.raises(CallError, match="no IP addresses available"):
            lab.run(Pod("one-too-many"))
        files, sandboxes = type_on_the_node(program.inside(lab), finding)
        assert {f"10.201.0.{last}" for last in range(2, 7)} <= set(files.split())
        assert sandboxes.count("Ready") == 5

        lab.remove(pods.pop())
        case.cleared()
        lab.remove_all_pods()
