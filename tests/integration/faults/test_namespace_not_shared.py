"""A container's first process is not in the Linux namespace that its pod asked for."""

from collections.abc import Callable
from typing import TypeAlias, get_args

import pytest

from integration.faults.conftest import StartCase
from integration.support.by_hand import readlink
from integration.support.fault_case import all_commands, type_on_the_node
from integration.support.program import Program
from integration.support.runbook import diagnose, is_the_mitigation
from lab import faults
from lab.faults import Kind
from lab.pods import Container, Pod, RunningPod
from lab.shapes.runtime import RuntimeLab
from pausewatch.model.report import Finding, Severity

Tear: TypeAlias = Callable[[RuntimeLab, RunningPod, Kind], RunningPod]


def own(lab: RuntimeLab, running: RunningPod, kind: Kind) -> RunningPod:
    """The runtime makes a new namespace instead of joining the sandbox's."""
    return faults.namespace_path_dropped(lab, running, "app", kind)


def of_the_node(lab: RuntimeLab, running: RunningPod, kind: Kind) -> RunningPod:
    """The runtime leaves the container in the node's."""
    return faults.namespace_of_host(lab, running, "app", kind)


def of_another_pod(lab: RuntimeLab, running: RunningPod, kind: Kind) -> RunningPod:
    """The runtime joins another pod's."""
    other = lab.run(Pod("other", namespace="team-b", share_pid=True))
    return faults.namespace_of_other_pod(lab, running, "app", kind, other)


REASONS: dict[Tear, str] = {
    own: "NamespaceNotShared",
    of_the_node: "HostNamespaceJoined",
    of_another_pod: "ForeignNamespaceJoined",
}


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("tear", REASONS, ids=lambda tear: tear.__name__)
def test_namespace_that_was_to_be_shared(
    lab: RuntimeLab, program: Program, start_case: StartCase, kind: Kind, tear: Tear
) -> None:
    """The runtime put the container somewhere else than into its sandbox's namespace."""
    case = start_case("namespace-not-shared")
    pod = Pod("torn", containers=(Container("app"), Container("side")), share_pid=True)
    torn = tear(lab, lab.run(pod), kind)
    by_hand = [readlink(torn.pid(), kind), readlink(torn.pause_pid(), kind)]
    assert by_hand[0] != by_hand[1]

    finding = case.found()

    assert (finding.reason, finding.severity) == (REASONS[tear], Severity.CRITICAL)
    assert str(finding.subject) == "lab/torn/app"
    is_the_mitigation(all_commands(finding), "namespace-not-shared", namespace="lab", pod="torn")
    shows(program, finding, by_hand)

    faults.heal_container(lab, torn, "app")
    case.cleared()


@pytest.mark.parametrize("tear", [of_the_node, of_another_pod], ids=lambda tear: tear.__name__)
def test_pid_namespace_that_was_to_be_the_container_s(
    lab: RuntimeLab, program: Program, start_case: StartCase, tear: Tear
) -> None:
    """The usual pod: no other namespace says what this one should be, and another one than anybody's is right."""
    case = start_case("namespace-not-shared")
    torn = tear(lab, lab.run(Pod("torn", containers=(Container("app"), Container("side")))), "pid")

    finding = case.found()

    assert (finding.reason, str(finding.subject)) == (REASONS[tear], "lab/torn/app")
    shows(program, finding, [readlink(torn.pid(), "pid"), readlink(torn.pause_pid(), "pid")])

    faults.heal_container(lab, torn, "app")
    case.cleared()


def test_pid_namespace_of_its_pause(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """Sharing what was not to be shared is wrong within the pod too."""
    case = start_case("namespace-not-shared")
    running = lab.run(Pod("torn", containers=(Container("app"), Container("side"))))
    torn = faults.namespace_of_other_pod(lab, running, "app", "pid", running)
    shared = readlink(torn.pause_pid(), "pid")
    assert readlink(torn.pid(), "pid") == shared

    finding = case.found()

    assert (finding.reason, str(finding.subject)) == ("NamespaceNotShared", "lab/torn/app")
    shows(program, finding, [shared, shared])

    faults.heal_container(lab, torn, "app")
    case.cleared()


def test_process_that_may_have_moved_itself(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """A privileged process that left: Info, for node shells and image builders do so every day."""
    case = start_case("namespace-not-shared")
    running = faults.network_unshared(lab)

    finding = case.found()

    assert (finding.reason, finding.severity) == ("ProcessMovedItself", Severity.INFO)
    assert str(finding.subject) == "lab/unshared/app"
    by_hand = [readlink(running.pid(), "network"), readlink(running.pause_pid(), "network")]
    shows(program, finding, by_hand)
    shown = diagnose(program, "namespace-not-shared", pid=running.pid(), pause=running.pause_pid())
    assert shown.split() == by_hand

    lab.remove(running)
    case.cleared()


def shows(program: Program, finding: Finding, by_hand: list[str]) -> None:
    """Type the commands: readlink prints both namespaces that the evidence names, inspect marks the wrong one."""
    evidence = " ".join(one.value for one in finding.evidence)
    links, tree = type_on_the_node(program, finding)
    assert links.split() == by_hand
    assert by_hand[0] in evidence
    assert any(by_hand[0] in line and "WRONG" in line for line in tree.splitlines()), tree
