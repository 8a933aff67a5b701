"""A container that its runtime started in a wrong Linux namespace is found: that one, for the right reason.

The faults are the runtime's: runc is given another OCI configuration than containerd wrote. So the container itself
is unprivileged and could not have moved there.
"""

from typing import get_args

import pytest

from integration.support.by_hand import pid_by_ctr, readlink
from integration.support.observer import Observer
from lab import faults
from lab.faults import Kind
from lab.pods import Container, Pod, RunningPod
from lab.shapes.runtime import RuntimeLab
from pausewatch.model.report import Finding, Severity

APP_AND_SIDE = (Container("app"), Container("side"))

every_kind = pytest.mark.parametrize("kind", get_args(Kind))


@every_kind
def test_fresh_namespace(lab: RuntimeLab, kind: Kind) -> None:
    """A namespace that runc made anew instead of joining the sandbox's: NamespaceNotShared."""
    torn = faults.namespace_path_dropped(lab, sharing_pod(lab), "app", kind)
    pause = readlink(torn.pause_pid(), kind)

    finding = found_and_cleared(lab, torn, kind, "NamespaceNotShared")

    assert expected(finding) == f"{pause}, its sandbox's"
    assert f"a {kind} namespace that belongs to no known pod" in finding.message


@every_kind
def test_namespace_of_the_node(lab: RuntimeLab, kind: Kind) -> None:
    """The node's own: HostNamespaceJoined."""
    torn = faults.namespace_of_host(lab, sharing_pod(lab), "app", kind)
    pause = readlink(torn.pause_pid(), kind)
    assert readlink(torn.pid(), kind) == readlink(lab.containerd.pid, kind)

    finding = found_and_cleared(lab, torn, kind, "HostNamespaceJoined")

    assert expected(finding) == f"{pause}, its sandbox's"
    assert f"in the node's {kind} namespace" in finding.message


@every_kind
def test_namespace_of_another_pod(lab: RuntimeLab, kind: Kind) -> None:
    """Another pod's: ForeignNamespaceJoined, and the other pod is named."""
    other = lab.run(Pod("other", namespace="team-b", share_pid=True))
    torn = faults.namespace_of_other_pod(lab, sharing_pod(lab), "app", kind, other)
    pause = readlink(torn.pause_pid(), kind)
    assert readlink(torn.pid(), kind) == readlink(other.pause_pid(), kind)

    finding = found_and_cleared(lab, torn, kind, "ForeignNamespaceJoined")

    assert expected(finding) == f"{pause}, its sandbox's"
    assert f"in pod team-b/other's {kind} namespace" in finding.message


def test_pid_namespace_of_the_node_instead_of_its_own(lab: RuntimeLab) -> None:
    """A container that is to have a PID namespace of its own has no other one to be compared with."""
    torn = faults.namespace_of_host(lab, lab.run(Pod("torn", containers=APP_AND_SIDE)), "app", "pid")

    finding = found_and_cleared(lab, torn, "pid", "HostNamespaceJoined")

    assert expected(finding) == "a PID namespace of its own"


def test_pid_namespace_of_its_pause_instead_of_its_own(lab: RuntimeLab) -> None:
    """Sharing what was not to be shared is wrong within the pod too."""
    running = lab.run(Pod("torn", containers=APP_AND_SIDE))
    torn = faults.namespace_of_other_pod(lab, running, "app", "pid", running)
    assert readlink(torn.pid(), "pid") == readlink(torn.pause_pid(), "pid")

    finding = found_and_cleared(lab, torn, "pid", "NamespaceNotShared")

    assert expected(finding) == "a PID namespace of its own"


def test_hostnetwork_pod_in_a_network_of_its_own(lab: RuntimeLab) -> None:
    """A pod that asked for the node's network and got a fresh one."""
    running = lab.run(Pod("torn", host_network=True, containers=APP_AND_SIDE))
    torn = faults.namespace_path_dropped(lab, running, "app", "network")
    node = readlink(lab.containerd.pid, "network")

    finding = found_and_cleared(lab, torn, "network", "NamespaceNotShared")

    assert expected(finding) == f"{node}, the node's"


def test_two_wrong_namespaces_are_two_findings(lab: RuntimeLab) -> None:
    """Two containers of one pod, torn out of different namespaces, are told apart."""
    running = faults.namespace_path_dropped(lab, sharing_pod(lab), "app", "network")
    faults.namespace_of_host(lab, running, "side", "ipc")

    with Observer(lab) as observer:
        found = {(one.subject.container, one.reason, one.id) for one in observer.findings(looks=2)}

    sandbox = running.sandbox_id[:12]
    assert found == {
        ("app", "NamespaceNotShared", f"namespace-not-shared/torn/app/network/{sandbox}"),
        ("side", "HostNamespaceJoined", f"namespace-not-shared/torn/side/ipc/{sandbox}"),
    }


def sharing_pod(lab: RuntimeLab) -> RunningPod:
    """Make a pod of two containers that share everything."""
    return lab.run(Pod("torn", namespace="team-a", containers=APP_AND_SIDE, share_pid=True))


def found_and_cleared(lab: RuntimeLab, torn: RunningPod, kind: Kind, reason: str) -> Finding:
    """Hold a lab to one finding, about "app" of the torn pod; heal it and see the finding go.

    Returns:
        The finding, held to what readlink and ctr say about the process.
    """
    pid = pid_by_ctr(lab, torn.container_ids["app"])
    link = readlink(pid, kind)
    with Observer(lab) as observer:
        assert observer.findings() == [], "one look is not enough: a container may just be starting"
        (finding,) = observer.findings()
        faults.heal_container(lab, torn, "app")
        assert [one.id for one in observer.findings()] == [finding.id], "one clean look may have been luck"
        assert observer.findings() == []
    subject = finding.subject
    assert (finding.reason, finding.severity) == (reason, Severity.CRITICAL)
    assert finding.id == f"namespace-not-shared/{torn.pod.name}/app/{kind}/{torn.sandbox_id[:12]}"
    assert (subject.namespace, subject.uid, subject.sandbox_id) == (torn.pod.namespace, torn.uid, torn.sandbox_id)
    assert evidence(finding)["process"] == f"{pid} sleep"
    assert evidence(finding)["linuxNamespace"].startswith(f"{link}, ")
    return finding


def expected(finding: Finding) -> str:
    """What the evidence says that the namespace should be."""
    return evidence(finding)["expected"]


def evidence(finding: Finding) -> dict[str, str]:
    """The evidence by name."""
    return {one.name: one.value for one in finding.evidence}
