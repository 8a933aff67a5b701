"""Two pods of the node have one address."""

from dataclasses import replace

import pytest

from pausewatch.checks.duplicate_pod_ip import CHECK
from pausewatch.model.report import Evidence, Observation, Severity
from pausewatch.model.sandbox import NamespaceMode, SandboxState
from pausewatch.model.snapshot import Snapshot
from support.builders import a_node, a_snapshot, adding
from support.changes import with_container, with_network, with_sandbox
from support.commands import DELETE_SHARED
from support.observed import observed
from support.parts import (
    SHARED_PAUSE_PID,
    SHARED_SANDBOX_ID,
    SHARED_UID,
    SHARED_WORKER_ID,
    WEB_PAUSE_PID,
    WEB_SANDBOX_ID,
    a_pod,
    a_pod_network,
    a_sandbox,
    hex_id,
    sandbox_details,
)

ADDRESS = "10.200.0.3"
"""Of web-x."""

REPORTED_TWICE = with_network(
    with_sandbox(a_snapshot(), SHARED_SANDBOX_ID, addresses=(ADDRESS,)), SHARED_SANDBOX_ID, addresses=(ADDRESS,)
)
TAKEN = with_network(a_snapshot(), SHARED_SANDBOX_ID, addresses=(ADDRESS, "10.200.0.4"))


def run(snapshot: Snapshot) -> tuple[Observation, ...]:
    """Run the check."""
    return observed(CHECK, a_node(snapshot))


def test_healthy_node_is_silent() -> None:
    """Each pod has its own."""
    assert run(a_snapshot()) == ()


def test_finding_tells_everything_a_reader_needs() -> None:
    """Both pods, how each is known to have the address, and how to look."""
    (observation,) = run(REPORTED_TWICE)

    assert (observation.reason, observation.severity) == ("DuplicatePodIP", Severity.CRITICAL)
    assert (str(observation.subject), observation.part) == ("team-b/shared-y", ADDRESS)
    assert observation.message == (
        "team-b/shared-y has the address 10.200.0.3 of team-a/web-x as well: traffic for one of the two reaches the"
        " other, or neither"
    )
    assert observation.evidence == (
        Evidence(name="address", value=ADDRESS),
        Evidence(
            name="holder",
            value=f"team-a/web-x, sandbox {WEB_SANDBOX_ID[:12]}: reported by the runtime, seen inside through pid"
            f" {WEB_PAUSE_PID}",
        ),
        Evidence(
            name="holder",
            value=f"team-b/shared-y, sandbox {SHARED_SANDBOX_ID[:12]}: reported by the runtime, seen inside through pid"
            f" {SHARED_PAUSE_PID}",
        ),
        Evidence(name="holders", value="2"),
    )
    assert [(one.run_on.value, one.command) for one in observation.next_commands] == [
        ("node", f"nsenter --target {WEB_PAUSE_PID} --net ip -brief address"),
        ("node", f"nsenter --target {SHARED_PAUSE_PID} --net ip -brief address"),
        ("node", f"crictl inspectp {WEB_SANDBOX_ID}"),
        ("node", f"crictl inspectp {SHARED_SANDBOX_ID}"),
        ("cluster", DELETE_SHARED),
    ]
    assert observation.rests_on == (WEB_SANDBOX_ID, SHARED_SANDBOX_ID)


def test_the_younger_pod_is_the_subject() -> None:
    """The older one had the address first, whatever the pods are called."""
    older = with_sandbox(REPORTED_TWICE, SHARED_SANDBOX_ID, created_at_seconds=1.0)

    (observation,) = run(older)

    assert str(observation.subject) == "team-a/web-x"


def test_third_pod_does_not_make_another_finding() -> None:
    """The id of a finding must not change while its cause goes on."""
    third = hex_id("third")
    details = sandbox_details(addresses=(ADDRESS,), pause_pid=0)
    sandbox = a_sandbox(id=third, name="third", uid="u3", created_at_seconds=4e9, details=details)
    snapshot = adding(
        REPORTED_TWICE, sandboxes=(sandbox,), pod_networks=(a_pod_network(sandbox_id=third, process_owner_id=third),)
    )

    (observation,) = run(snapshot)

    assert str(observation.subject) == "team-b/shared-y"
    assert Evidence(name="holders", value="3") in observation.evidence
    assert third in observation.rests_on


@pytest.mark.parametrize(
    ("may_change_network", "severity"), [(True, Severity.INFO), (None, Severity.INFO), (False, Severity.CRITICAL)]
)
def test_address_of_another_pod_inside(*, may_change_network: bool | None, severity: Severity) -> None:
    """The runtime does not know of it; a pod with CAP_NET_ADMIN may have taken it itself."""
    (observation,) = run(with_container(TAKEN, SHARED_WORKER_ID, may_change_network=may_change_network))

    assert (str(observation.subject), observation.severity) == ("team-b/shared-y", severity)
    assert "not reported by the runtime, seen inside" in observation.evidence[2].value
    assert ("may have taken the address itself" in observation.message) == (severity is Severity.INFO)


def test_capability_is_no_excuse_for_what_the_runtime_gave() -> None:
    """Nobody in the pod has a say in what the runtime reports."""
    (observation,) = run(with_container(REPORTED_TWICE, SHARED_WORKER_ID, may_change_network=True))

    assert observation.severity is Severity.CRITICAL


def test_intruder_is_the_subject_whatever_its_age() -> None:
    """The pod of which the address is reported is the rightful one."""
    (observation,) = run(with_sandbox(TAKEN, SHARED_SANDBOX_ID, created_at_seconds=1.0))

    assert str(observation.subject) == "team-b/shared-y"


def test_pod_whose_network_is_down_already_holds_nothing() -> None:
    """A runtime may call a sandbox ready while its address is given to the next pod."""
    assert run(with_network(REPORTED_TWICE, WEB_SANDBOX_ID, addresses=())) == ()


def test_runtime_is_believed_where_nobody_looked() -> None:
    """The address of a virtual machine is not in the node's view of its namespace."""
    virtual = with_sandbox(REPORTED_TWICE, SHARED_SANDBOX_ID, runtime_type="io.containerd.kata.v2")
    unread = replace(REPORTED_TWICE, pod_networks=())

    (observation,) = run(virtual)

    assert "reported by the runtime, not looked for inside" in observation.evidence[2].value
    assert observation.next_commands[0].command.startswith("nsenter")
    assert len(run(unread)) == 1


@pytest.mark.parametrize("snapshot", [REPORTED_TWICE, TAKEN])
def test_what_is_not_judged(snapshot: Snapshot) -> None:
    """A pod that is stopping, or that has no network of its own."""
    deleted = a_pod(namespace="team-b", name="shared-y", uid=SHARED_UID, deletion_grace_seconds=30)

    assert run(with_sandbox(snapshot, SHARED_SANDBOX_ID, state=SandboxState.NOTREADY)) == ()
    assert run(with_sandbox(snapshot, SHARED_SANDBOX_ID, network_mode=NamespaceMode.NODE)) == ()
    assert run(replace(snapshot, pods=(a_pod(), deleted))) == ()


def test_addresses_that_nobody_reports_may_be_common() -> None:
    """Virtual addresses of a load balancer, the bridge of a Docker inside of each pod."""
    bridged = with_network(a_snapshot(), WEB_SANDBOX_ID, addresses=(ADDRESS, "172.17.0.1"))

    assert run(with_network(bridged, SHARED_SANDBOX_ID, addresses=("10.200.0.4", "172.17.0.1"))) == ()


def test_link_local_addresses_may_be_common() -> None:
    """They mean something on one link only."""
    both = ("169.254.172.2",)
    snapshot = with_sandbox(a_snapshot(), WEB_SANDBOX_ID, addresses=both)
    snapshot = with_sandbox(snapshot, SHARED_SANDBOX_ID, addresses=both)

    assert run(replace(snapshot, pod_networks=())) == ()
