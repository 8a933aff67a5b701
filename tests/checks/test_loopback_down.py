"""A pod's own network namespace has no working loopback."""

from dataclasses import replace

import pytest

from pausewatch.checks.loopback_down import CHECK
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import Evidence, Observation, Severity
from pausewatch.model.sandbox import NamespaceMode, SandboxState
from pausewatch.model.snapshot import Snapshot
from support.builders import a_node, a_snapshot
from support.changes import with_container, with_network, with_sandbox
from support.commands import DELETE_WEB
from support.observed import observed
from support.parts import SHARED_UID, WEB_APP_ID, WEB_PAUSE_PID, WEB_SANDBOX_ID, a_pod

DOWN = with_network(a_snapshot(), WEB_SANDBOX_ID, has_loopback=False)


def run(snapshot: Snapshot) -> tuple[Observation, ...]:
    """Run the check on a node where something could be judged."""
    return observed(CHECK, a_node(snapshot))


def test_healthy_node_is_silent() -> None:
    """Every pod has its localhost."""
    assert run(a_snapshot()) == ()


def test_finding_tells_everything_a_reader_needs() -> None:
    """What is missing, what that means, and the command that mends it without deleting the pod."""
    (observation,) = run(DOWN)

    assert (observation.reason, observation.severity) == ("LoopbackDown", Severity.CRITICAL)
    assert str(observation.subject) == "team-a/web-x"
    assert observation.message == (
        "team-a/web-x has neither 127.0.0.1 nor ::1 on a loopback that is up: its containers can not reach each other,"
        " or themselves, on localhost"
    )
    assert observation.evidence == (
        Evidence(name="sandbox", value=WEB_SANDBOX_ID),
        Evidence(name="addressesInside", value="10.200.0.3"),
        Evidence(name="seenThrough", value=f"pid {WEB_PAUSE_PID}"),
    )
    still_it = f"test \"$(readlink /proc/{WEB_PAUSE_PID}/ns/net)\" = 'net:[4026532301]'"
    assert [(one.run_on.value, one.command) for one in observation.next_commands] == [
        ("node", f"nsenter --target {WEB_PAUSE_PID} --net ip address show dev lo"),
        ("node", "pausewatch inspect team-a/web-x"),
        (
            "node",
            f"{still_it} && nsenter --target {WEB_PAUSE_PID} --net ip link set lo up",
        ),
        ("cluster", DELETE_WEB),
    ]
    assert observation.rests_on == (WEB_SANDBOX_ID,)


@pytest.mark.parametrize(
    ("may_change_network", "severity"), [(True, Severity.INFO), (None, Severity.INFO), (False, Severity.CRITICAL)]
)
def test_pod_that_may_have_done_it_itself(*, may_change_network: bool | None, severity: Severity) -> None:
    """CAP_NET_ADMIN may take loopback down; it asks for nothing."""
    (observation,) = run(with_container(DOWN, WEB_APP_ID, may_change_network=may_change_network))

    assert observation.severity is severity


def test_what_is_not_judged() -> None:
    """A legal state of the pod, or one of which nothing is known."""
    deleted = a_pod(deletion_grace_seconds=30)
    other = a_pod(namespace="team-b", name="shared-y", uid=SHARED_UID)

    assert run(with_sandbox(DOWN, WEB_SANDBOX_ID, state=SandboxState.NOTREADY)) == ()
    assert run(with_sandbox(DOWN, WEB_SANDBOX_ID, network_mode=NamespaceMode.NODE)) == ()
    assert run(with_sandbox(DOWN, WEB_SANDBOX_ID, runtime_handler="gvisor")) == ()
    assert run(with_sandbox(DOWN, WEB_SANDBOX_ID, details=Unavailable(reason="StatusUnreadable", detail=""))) == ()
    assert run(replace(DOWN, pods=(deleted, other))) == ()


def test_pod_without_a_reported_address_is_judged() -> None:
    """Its containers talk on localhost all the same."""
    assert len(run(with_sandbox(DOWN, WEB_SANDBOX_ID, addresses=()))) == 1


def test_nothing_could_be_looked_into() -> None:
    """Unknown is not well either."""
    outcome = CHECK.run(a_node(a_snapshot(pod_networks=())), {})

    assert isinstance(outcome, Unavailable)
    assert outcome.reason == "NetworksUnreadable"
