"""A pod should have ended, and the runtime still has its sandbox up."""
# ruff: noqa: ANN401  builders pass any field of a value on to its constructor

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from pausewatch.checks._check import thresholds_of
from pausewatch.checks.sandbox_stuck_terminating import CHECK
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import PodMemory
from pausewatch.model.report import Evidence, Observation, Severity
from pausewatch.model.sandbox import ContainerState, SandboxState
from pausewatch.model.snapshot import PinnedNamespace, Snapshot
from support.builders import a_node, a_snapshot
from support.changes import with_container, with_sandbox, without_process
from support.observed import observed
from support.parts import (
    TAKEN_AT,
    UPTIME_SECONDS,
    WEB_APP_ID,
    WEB_PAUSE_PID,
    WEB_SANDBOX_ID,
    WEB_SIDE_ID,
    WEB_UID,
    a_pod,
)

GRACE_SECONDS = 30.0
PIN = PinnedNamespace(path="/var/run/netns/cni-web-x", inode=4_026_532_301)


def overdue(seconds: float, **changes: Any) -> Snapshot:
    """Return the healthy node on which web-x should have ended so many seconds ago."""
    due_at = TAKEN_AT - timedelta(seconds=seconds)
    pod = a_pod(deletion_grace_seconds=GRACE_SECONDS, deletion_due_at=due_at)
    return a_snapshot(**{"pods": (pod, *a_snapshot().pods[1:])} | changes)  # type: ignore[index]


def ended(snapshot: Snapshot) -> Snapshot:
    """Return the node after the containers of web-x have ended."""
    for container_id in (WEB_APP_ID, WEB_SIDE_ID):
        snapshot = with_container(snapshot, container_id, state=ContainerState.EXITED)
    return snapshot


def stopped(snapshot: Snapshot) -> Snapshot:
    """Return the node after the sandbox of web-x has been stopped as well."""
    bare = with_sandbox(ended(snapshot), WEB_SANDBOX_ID, state=SandboxState.NOTREADY)
    return without_process(bare, WEB_PAUSE_PID)


def run(snapshot: Snapshot, deleted_for_seconds: float = 600) -> tuple[Observation, ...]:
    """Run the check on a node that has seen the deletion of web-x for so long."""
    memory = PodMemory(
        grace_seconds=GRACE_SECONDS, absent_since=None, deleting_since=UPTIME_SECONDS - deleted_for_seconds
    )
    return observed(CHECK, a_node(snapshot, pods={WEB_SANDBOX_ID: memory}))


def evidence(observation: Observation) -> dict[str, str]:
    """Return the evidence by name."""
    return {one.name: one.value for one in observation.evidence}


def test_healthy_node_is_silent() -> None:
    """Nobody asked for the end of any pod."""
    assert run(a_snapshot()) == ()


@pytest.mark.parametrize(("seconds", "found"), [(120 + GRACE_SECONDS, 0), (121 + GRACE_SECONDS, 1)])
def test_running_containers_have_their_time_twice(seconds: float, found: int) -> None:
    """A kubelet that was restarted begins the grace period anew."""
    assert len(run(overdue(seconds))) == found


@pytest.mark.parametrize(("seconds", "found"), [(120, 0), (121, 1)])
def test_sandbox_without_running_containers_has_no_reason_to_stay(seconds: float, found: int) -> None:
    """Whoever ended the containers ends the sandbox next."""
    assert len(run(ended(overdue(seconds)))) == found


def test_finding_tells_everything_a_reader_needs() -> None:
    """What still runs since when, what that means, how to look and how to try again."""
    (observation,) = run(overdue(180))

    assert observation.reason == "SandboxStuckTerminating"
    assert observation.severity is Severity.WARNING
    assert str(observation.subject) == "team-a/web-x"
    assert observation.message == (
        "The sandbox of team-a/web-x should have ended by 2026-11-21T09:11:33Z and is still there more than 120 s"
        " later: its containers app, side still run, so the pod stays Terminating and its name, volumes and address"
        " stay taken"
    )
    assert observation.evidence == (
        Evidence(name="sandbox", value=f"{WEB_SANDBOX_ID} (READY)"),
        Evidence(name="podUid", value=WEB_UID),
        Evidence(name="shouldHaveEndedBy", value="2026-11-21T09:11:33Z"),
        Evidence(name="runningContainers", value="app, side"),
        Evidence(name="pause", value=str(WEB_PAUSE_PID)),
    )
    assert [(one.run_on.value, one.command) for one in observation.next_commands] == [
        ("cluster", "kubectl --namespace team-a describe pod web-x"),
        ("node", "pausewatch inspect team-a/web-x"),
        ("node", f"crictl stopp {WEB_SANDBOX_ID}"),
    ]
    assert observation.rests_on == (WEB_SANDBOX_ID,)


def test_time_is_told_in_utc() -> None:
    """Whatever zone the API server writes."""
    (observation,) = run(
        overdue(
            0,
            pods=(
                a_pod(deletion_grace_seconds=0, deletion_due_at=datetime.fromisoformat("2026-11-21T10:00:00+01:00")),
            ),
        )
    )

    assert evidence(observation)["shouldHaveEndedBy"] == "2026-11-21T09:00:00Z"


def test_sandbox_that_nobody_stopped() -> None:
    """Its containers have ended."""
    (observation,) = run(ended(overdue(121)))

    assert "no container runs in it, and the runtime has not stopped it" in observation.message
    assert evidence(observation)["runningContainers"] == "none"


def test_network_that_was_not_taken_down() -> None:
    """containerd stops the sandbox first, and keeps its network namespace until the plugin has let go of it."""
    (observation,) = run(replace(stopped(overdue(121)), pinned_namespaces=(PIN,)))

    assert "it is stopped, and the runtime has not taken its network down" in observation.message
    assert evidence(observation)["networkNamespace"] == PIN.path
    assert "(NOTREADY)" in evidence(observation)["sandbox"]


def test_containers_that_outlive_their_sandbox() -> None:
    """Its pause is dead, and the runtime can not end the rest."""
    (observation,) = run(with_sandbox(overdue(180), WEB_SANDBOX_ID, state=SandboxState.NOTREADY))

    assert "its containers app, side still run" in observation.message


class TestLegalDelays:
    """What may look like it and is not."""

    def test_finalizer_keeps_the_api_object_only(self) -> None:
        """Everything is gone on the node but the record of a stopped sandbox, whose pin is gone or another's."""
        assert run(stopped(overdue(86_400))) == ()
        other = PinnedNamespace(path="/var/run/netns/cni-other", inode=4_026_532_302)
        assert run(replace(stopped(overdue(86_400)), pinned_namespaces=(other,))) == ()

    def test_pod_takes_its_time(self) -> None:
        """Ten minutes of grace are ten minutes."""
        assert run(overdue(-600)) == ()

    @pytest.mark.parametrize("source", ["file", "http", ""])
    def test_mirror_of_a_static_pod_is_deleted(self, source: str) -> None:
        """The pod goes on, and the kubelet makes another mirror."""
        assert run(with_sandbox(overdue(86_400), WEB_SANDBOX_ID, pod_source=source)) == ()

    def test_pod_is_gone_from_the_api_before_its_sandbox(self) -> None:
        """Deleted by force: another check's matter."""
        assert run(overdue(86_400, pods=())) == ()

    def test_pod_of_that_name_was_made_anew(self) -> None:
        """The sandbox is that of the old one, and the deletion that of the new one, or the other way round."""
        anew = a_pod(uid="another", deletion_grace_seconds=0, deletion_due_at=TAKEN_AT - timedelta(hours=1))

        assert run(a_snapshot(pods=(anew,))) == ()

    def test_sandbox_without_status_is_not_judged(self) -> None:
        """Whose it is can not be told."""
        unknown = Unavailable(reason="StatusUnreadable", detail="damaged")

        assert run(with_sandbox(overdue(86_400), WEB_SANDBOX_ID, details=unknown)) == ()

    def test_evicted_pod_that_nobody_deleted(self) -> None:
        """Its containers have ended, its sandbox is stopped, and the object stays to be read."""
        assert run(stopped(a_snapshot())) == ()


@pytest.mark.parametrize(("seconds", "found"), [(120, 0), (121, 1)])
def test_deletion_must_have_been_seen_for_two_minutes(seconds: float, found: int) -> None:
    """By the clock since boot: a wall clock that steps makes no finding."""
    assert len(run(overdue(86_400), deleted_for_seconds=seconds)) == found


def test_deletion_that_is_seen_for_the_first_time_is_silent() -> None:
    """The agent has just been started; nothing is remembered yet."""
    assert CHECK.run(a_node(overdue(86_400)), thresholds_of(CHECK, {})) == ()


def test_grace_period_without_end() -> None:
    """Kubernetes takes any number of seconds."""
    due_at = TAKEN_AT - timedelta(hours=1)
    endless = overdue(0, pods=(a_pod(deletion_grace_seconds=float(2**63), deletion_due_at=due_at),))

    assert run(endless) == ()
    assert len(run(ended(endless))) == 1
