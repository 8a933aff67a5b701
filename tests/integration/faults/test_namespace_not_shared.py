"""A container's first process is not in the Linux namespace that its pod asked for."""

import pytest

from integration.faults.conftest import StartCase
from integration.support.by_hand import readlink
from integration.support.fault_case import type_on_the_node
from integration.support.program import Program
from lab import faults
from lab.faults import Kind
from lab.pods import Container, Pod
from lab.shapes.runtime import RuntimeLab


@pytest.mark.parametrize("kind", ["network", "ipc", "uts"])
def test_namespace_of_its_own(lab: RuntimeLab, program: Program, start_case: StartCase, kind: Kind) -> None:
    """The runtime gave the container a new namespace instead of the sandbox's."""
    case = start_case("namespace-not-shared")
    running = lab.run(Pod("torn", containers=(Container("app"), Container("side"))))
    torn = faults.namespace_path_dropped(lab, running, "app", kind)
    by_hand = [readlink(torn.pid(), kind), readlink(torn.pause_pid(), kind)]

    finding = case.found()

    assert (finding.reason, str(finding.subject)) == ("NamespaceNotShared", "lab/torn/app")
    evidence = " ".join(one.value for one in finding.evidence)
    assert all(link in evidence for link in by_hand)
    links, tree = type_on_the_node(program, finding)
    assert links.split() == by_hand
    assert "WRONG" in tree

    faults.heal_container(lab, torn, "app")
    case.cleared()
