"""A sandbox goes on although its pod is gone from the API server."""

import pytest

from pausewatch.checks._check import thresholds_of
from pausewatch.checks.orphaned_sandbox import CHECK
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import PodMemory
from pausewatch.model.report import Evidence, Observation, Severity
from pausewatch.model.sandbox import ContainerState, SandboxState
from pausewatch.model.snapshot import Snapshot
from support.builders import a_node, a_snapshot
from support.changes import with_container, with_sandbox, without_process
from support.observed import observed
from support.parts import (
    SHARED_UID,
    UPTIME_SECONDS,
    WEB_APP_ID,
    WEB_PAUSE_PID,
    WEB_SANDBOX_ID,
    WEB_SIDE_ID,
    WEB_UID,
    a_pod,
)

OTHER_POD = a_pod(namespace="team-b", name="shared-y", uid=SHARED_UID)
WITHOUT_WEB = a_snapshot(pods=(OTHER_POD,))


def run(snapshot: Snapshot, absent_seconds: float = 151, grace_seconds: float = 30) -> tuple[Observation, ...]:
    """Run the check on a node that has missed the pod of web-x for so long."""
    memory = PodMemory(grace_seconds=grace_seconds, absent_since=UPTIME_SECONDS - absent_seconds)
    return observed(CHECK, a_node(snapshot, pods={WEB_SANDBOX_ID: memory}))


def test_healthy_node_is_silent() -> None:
    """Every sandbox has its pod, whatever was remembered of it."""
    assert run(a_snapshot()) == ()


@pytest.mark.parametrize(
    ("absent_seconds", "grace_seconds", "found"),
    [(150, 30, 0), (151, 30, 1), (150, 0, 0), (151, 0, 1), (720, 600, 0), (721, 600, 1)],
)
def test_bound_is_the_grace_period_and_two_minutes(absent_seconds: float, grace_seconds: float, found: int) -> None:
    """At least 30 seconds of grace, which the containers' annotations tell as well."""
    assert len(run(WITHOUT_WEB, absent_seconds, grace_seconds)) == found


def test_grace_period_of_its_containers_counts() -> None:
    """A forced deletion leaves the kubelet waiting for all of it, and nobody ever saw the pod's deletion."""
    patient = with_container(WITHOUT_WEB, WEB_APP_ID, grace_seconds=600)

    assert run(patient, absent_seconds=720) == ()
    assert len(run(patient, absent_seconds=721)) == 1


def test_finding_tells_everything_a_reader_needs() -> None:
    """What still runs, what that means, how to make sure and how to end it."""
    (observation,) = run(WITHOUT_WEB)

    assert observation.reason == "OrphanedSandbox"
    assert observation.severity is Severity.CRITICAL
    assert observation.message == (
        "The sandbox of team-a/web-x still runs more than 150 s after its pod was gone from the API server: its"
        " containers go on unseen, may hold leases and write data, and nothing will stop them"
    )
    assert observation.evidence == (
        Evidence(name="sandbox", value=WEB_SANDBOX_ID),
        Evidence(name="podUid", value=WEB_UID),
        Evidence(name="runningContainers", value="app, side"),
        Evidence(name="pause", value=str(WEB_PAUSE_PID)),
    )
    assert [(one.run_on.value, one.command) for one in observation.next_commands] == [
        ("cluster", "kubectl --namespace team-a get pod web-x -o wide"),
        ("node", "pausewatch inspect team-a/web-x"),
        ("node", f"crictl stopp {WEB_SANDBOX_ID}"),
        ("node", f"crictl rmp {WEB_SANDBOX_ID}"),
    ]
    assert observation.rests_on == (WEB_SANDBOX_ID,)


def test_sandbox_without_running_containers_is_a_warning() -> None:
    """It holds an address and a process, and does nothing."""
    ended = with_container(WITHOUT_WEB, WEB_APP_ID, state=ContainerState.EXITED)
    ended = without_process(with_container(ended, WEB_SIDE_ID, state=ContainerState.EXITED), WEB_PAUSE_PID)

    (observation,) = run(ended)

    assert observation.severity is Severity.WARNING
    assert Evidence(name="runningContainers", value="none") in observation.evidence
    assert "it holds its address" in observation.message


@pytest.mark.parametrize("source", ["file", "http", ""])
def test_only_pods_of_the_api_must_be_there(source: str) -> None:
    """Static pods may have no mirror pod; sandboxes that no kubelet made have none at all."""
    assert run(with_sandbox(WITHOUT_WEB, WEB_SANDBOX_ID, pod_source=source)) == ()


def test_sandbox_that_is_not_ready_is_another_matter() -> None:
    """The kubelet removes it with its next garbage collection."""
    assert run(with_sandbox(WITHOUT_WEB, WEB_SANDBOX_ID, state=SandboxState.NOTREADY)) == ()


def test_pod_of_the_same_name_with_another_uid_is_another_pod() -> None:
    """A StatefulSet's pod is made anew under its name; the old sandbox is an orphan all the same."""
    replaced = a_snapshot(pods=(OTHER_POD, a_pod(uid="another")))

    assert len(run(replaced)) == 1


def test_sandbox_without_status_is_not_judged() -> None:
    """Whose it is can not be told."""
    unknown = with_sandbox(
        WITHOUT_WEB, WEB_SANDBOX_ID, details=Unavailable(reason="StatusUnreadable", detail="damaged")
    )

    assert run(unknown) == ()


def test_absence_that_just_began_is_silent() -> None:
    """Nothing is remembered yet."""
    outcome = CHECK.run(a_node(WITHOUT_WEB), thresholds_of(CHECK, {}))

    assert outcome == ()
