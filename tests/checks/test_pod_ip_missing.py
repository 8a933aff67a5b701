"""A pod's network namespace lacks the address under which Kubernetes knows the pod, or its link is down."""

from dataclasses import replace

import pytest

from pausewatch.checks.pod_ip_missing import CHECK
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import Evidence, Observation, Severity
from pausewatch.model.sandbox import ContainerState, NamespaceMode, SandboxState
from pausewatch.model.snapshot import Snapshot
from support.builders import a_node, a_snapshot
from support.changes import with_container, with_network, with_sandbox
from support.commands import DELETE_WEB
from support.observed import observed
from support.parts import SHARED_UID, WEB_APP_ID, WEB_PAUSE_PID, WEB_SANDBOX_ID, a_pod

MISSING = with_network(a_snapshot(), WEB_SANDBOX_ID, addresses=())
LINK_DOWN = with_network(a_snapshot(), WEB_SANDBOX_ID, links_up=())


def run(snapshot: Snapshot) -> tuple[Observation, ...]:
    """Run the check on a node where something could be judged."""
    return observed(CHECK, a_node(snapshot))


def test_healthy_node_is_silent() -> None:
    """Every address is where the runtime says."""
    assert run(a_snapshot()) == ()


def test_finding_tells_everything_a_reader_needs() -> None:
    """What is reported, what is there, what that means and what to do."""
    (observation,) = run(with_network(a_snapshot(), WEB_SANDBOX_ID, addresses=("10.99.0.1",)))

    assert (observation.reason, observation.severity) == ("PodIPMissing", Severity.CRITICAL)
    assert str(observation.subject) == "team-a/web-x"
    assert observation.message == (
        "No interface of team-a/web-x has the address 10.200.0.3 that the runtime reports: traffic to the pod is lost"
        " while Kubernetes goes on sending it there"
    )
    assert observation.evidence == (
        Evidence(name="reportedAddresses", value="10.200.0.3"),
        Evidence(name="addressesInside", value="10.99.0.1"),
        Evidence(name="interfacesUp", value="eth0"),
        Evidence(name="seenThrough", value=f"pid {WEB_PAUSE_PID}"),
    )
    assert [(one.run_on.value, one.command) for one in observation.next_commands] == [
        ("node", f"nsenter --target {WEB_PAUSE_PID} --net ip address"),
        ("node", "pausewatch inspect team-a/web-x"),
        ("cluster", DELETE_WEB),
    ]
    assert observation.rests_on == (WEB_SANDBOX_ID,)


def test_link_that_is_down() -> None:
    """The kernel keeps the address, but nothing arrives."""
    (observation,) = run(LINK_DOWN)

    assert observation.severity is Severity.CRITICAL
    assert observation.message.startswith(
        "No interface of team-a/web-x but loopback is up, so its address 10.200.0.3 reaches nothing: "
    )
    assert Evidence(name="interfacesUp", value="none") in observation.evidence


def test_one_of_two_addresses() -> None:
    """The message names the one that is missing."""
    dual = with_sandbox(a_snapshot(), WEB_SANDBOX_ID, addresses=("10.200.0.3", "2001:db8::3"))

    (observation,) = run(dual)

    assert "has the address 2001:db8::3 that" in observation.message
    assert run(with_network(dual, WEB_SANDBOX_ID, addresses=("10.200.0.3", "2001:db8::3"))) == ()


@pytest.mark.parametrize("snapshot", [MISSING, LINK_DOWN])
@pytest.mark.parametrize(
    ("state", "may_change_network", "severity"),
    [
        (ContainerState.RUNNING, True, Severity.INFO),
        (ContainerState.RUNNING, False, Severity.CRITICAL),
        (ContainerState.RUNNING, None, Severity.INFO),
        (ContainerState.EXITED, True, Severity.INFO),
        (ContainerState.EXITED, None, Severity.CRITICAL),
    ],
)
def test_pod_that_may_have_done_it_itself(
    snapshot: Snapshot, state: ContainerState, severity: Severity, *, may_change_network: bool | None
) -> None:
    """CAP_NET_ADMIN takes addresses and links down as it pleases; it asks for nothing."""
    able = with_container(snapshot, WEB_APP_ID, state=state, may_change_network=may_change_network)

    (observation,) = run(able)

    assert observation.severity is severity
    assert ("may have done this itself" in observation.message) == (severity is Severity.INFO)


@pytest.mark.parametrize("snapshot", [MISSING, LINK_DOWN])
def test_what_is_not_judged(snapshot: Snapshot) -> None:
    """A legal state of the pod, or one of which nothing is known."""
    deleted = a_pod(deletion_grace_seconds=30)
    other = a_pod(namespace="team-b", name="shared-y", uid=SHARED_UID)

    assert run(with_sandbox(snapshot, WEB_SANDBOX_ID, state=SandboxState.NOTREADY)) == ()
    assert run(with_sandbox(snapshot, WEB_SANDBOX_ID, network_mode=NamespaceMode.NODE)) == ()
    assert run(with_sandbox(snapshot, WEB_SANDBOX_ID, network_mode=None)) == ()
    assert run(with_sandbox(snapshot, WEB_SANDBOX_ID, addresses=())) == ()
    assert run(with_sandbox(snapshot, WEB_SANDBOX_ID, addresses=("169.254.7.7", "fe80::1"))) == ()
    assert run(with_sandbox(snapshot, WEB_SANDBOX_ID, runtime_type="io.containerd.runsc.v1")) == ()
    assert run(with_sandbox(snapshot, WEB_SANDBOX_ID, details=Unavailable(reason="StatusUnreadable", detail=""))) == ()
    assert run(replace(snapshot, pods=(deleted, other))) == ()


def test_kernel_that_does_not_tell_links() -> None:
    """Without IPv4 multicast nobody knows whether a link is up."""
    assert run(with_network(a_snapshot(), WEB_SANDBOX_ID, links_up=None)) == ()


def test_further_addresses_and_links_are_legal() -> None:
    """Second networks, nested bridges, virtual addresses."""
    more = with_network(
        a_snapshot(), WEB_SANDBOX_ID, addresses=("10.200.0.3", "172.17.0.1"), links_up=("docker0", "eth0", "net1")
    )

    assert run(more) == ()


def test_nothing_could_be_looked_into() -> None:
    """Unknown is not well either."""
    unread = CHECK.run(a_node(a_snapshot(pod_networks=())), {})
    virtual = a_snapshot(
        sandboxes=tuple(
            replace(one, details=replace(one.details, runtime_type="io.containerd.kata.v2"))  # type: ignore[type-var]
            for one in a_node().sandboxes.values()
        )
    )

    assert isinstance(unread, Unavailable)
    assert unread.reason == "NetworksUnreadable"
    not_comparable = CHECK.run(a_node(virtual), {})
    assert isinstance(not_comparable, Unavailable)
    assert not_comparable.reason == "NotComparable"


def test_node_without_pods_is_well() -> None:
    """There is nothing to look into, and nothing wrong."""
    assert run(a_snapshot(sandboxes=(), containers=(), first_processes=(), pod_networks=())) == ()
