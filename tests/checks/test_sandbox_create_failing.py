"""A pod waits for its sandbox, and the runtime fails to make one."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pausewatch.checks._check import thresholds_of
from pausewatch.checks.sandbox_create_failing import CHECK
from pausewatch.evaluate import evaluate
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History
from pausewatch.model.pod import WaitingPod
from pausewatch.model.report import Evidence, Observation, Outcome, Severity
from pausewatch.model.settings import Settings
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.view import NodeView
from support.builders import a_node, a_snapshot, adding
from support.observed import observed
from support.parts import TAKEN_AT, UPTIME_SECONDS, a_pod

NEW_UID = "16fd2706-8baf-433b-82eb-8c7fada847da"
NEW = a_pod(name="new-z", uid=NEW_UID)
ERROR = 'failed to setup network for sandbox "...": plugin type="bridge" failed (add): no room'


def waiting(error: str = ERROR, last_failed_at: datetime | None = TAKEN_AT - timedelta(minutes=1)) -> Snapshot:
    """Return the healthy node with one pod more, which waits for its sandbox."""
    pod = WaitingPod(uid=NEW_UID, error=error, last_failed_at=last_failed_at)
    return adding(a_snapshot(), pods=(NEW,), waiting_pods=(pod,))


def run(snapshot: Snapshot, waited_seconds: float = 121) -> tuple[Observation, ...]:
    """Run the check on a node where new-z has waited for so long."""
    history = History(waiting_since={NEW_UID: UPTIME_SECONDS - waited_seconds})
    return observed(CHECK, NodeView(snapshot, history))


def test_healthy_node_is_silent() -> None:
    """Every pod has its sandbox."""
    assert run(a_snapshot()) == ()


def test_finding_tells_everything_a_reader_needs() -> None:
    """What the runtime says, and where to read more."""
    (observation,) = run(waiting())

    assert observation.reason == "SandboxCreateFailing"
    assert observation.severity is Severity.CRITICAL
    assert str(observation.subject) == "team-a/new-z"
    assert observation.message == (
        "team-a/new-z has had no sandbox for more than 120 s, so none of its containers can run: the container runtime"
        f" fails to make one: {ERROR}"
    )
    assert observation.evidence == (
        Evidence(name="podUid", value=NEW_UID),
        Evidence(name="event", value="FailedCreatePodSandBox"),
        Evidence(name="error", value=ERROR),
    )
    selector = f"involvedObject.uid={NEW_UID},reason=FailedCreatePodSandBox"
    assert [(one.run_on.value, one.command) for one in observation.next_commands] == [
        ("cluster", "kubectl --namespace team-a describe pod new-z"),
        ("cluster", f"kubectl --namespace team-a get events --field-selector {selector}"),
        ("node", "crictl pods --namespace team-a --name new-z"),
    ]


def test_pod_that_waits_without_a_failure_is_silent() -> None:
    """For a volume, a ConfigMap, or the first attempt, which may take minutes."""
    assert run(waiting(error="", last_failed_at=None)) == ()


@pytest.mark.parametrize(("minutes", "found"), [(15, 1), (15.1, 0)])
def test_failure_of_long_ago_is_over(minutes: float, found: int) -> None:
    """A kubelet that still fails tells of it again within minutes; this pod waits for something else."""
    assert len(run(waiting(last_failed_at=TAKEN_AT - timedelta(minutes=minutes)))) == found


def test_failure_before_the_node_started_is_over() -> None:
    """All sandboxes are gone after a reboot, until the kubelet has made them anew."""
    booted = replace(waiting(last_failed_at=TAKEN_AT - timedelta(seconds=190)), uptime_seconds=180.0)

    assert CHECK.run(NodeView(booted, History(waiting_since={NEW_UID: 20.0})), thresholds_of(CHECK, {})) == ()


def test_pod_that_the_api_has_lost_meanwhile_is_silent() -> None:
    """It is deleted, and nobody waits any more."""
    assert run(replace(waiting(), pods=a_snapshot().pods)) == ()


def test_pods_of_one_name_are_two_findings() -> None:
    """In two Kubernetes namespaces; without a sandbox the uid tells them apart."""
    twin = a_pod(namespace="team-b", name="new-z", uid="6fa459ea-ee8a-3ca4-894e-db77e160355e")
    pod = WaitingPod(uid=twin.uid, error=ERROR, last_failed_at=TAKEN_AT)
    both = adding(waiting(), pods=(twin,), waiting_pods=(pod,))

    _, history = evaluate(both, History(), Settings(), (CHECK,))
    later = replace(both, uptime_seconds=UPTIME_SECONDS + 121)
    report, following = evaluate(later, history, Settings(), (CHECK,))

    assert [result.outcome for result in report.results] == [Outcome.PASS]
    assert sorted(following.streaks) == [
        "sandbox-create-failing/new-z/16fd2706-8ba",
        "sandbox-create-failing/new-z/6fa459ea-ee8",
    ]


@pytest.mark.parametrize(("waited_seconds", "found"), [(120, 0), (121, 1)])
def test_is_found_after_two_minutes(waited_seconds: float, found: int) -> None:
    """Several attempts have failed by then."""
    assert len(run(waiting(), waited_seconds)) == found


def test_pod_that_is_seen_to_wait_for_the_first_time_is_silent() -> None:
    """The runtime may just have been restarted, and the next attempt succeeds."""
    assert CHECK.run(a_node(waiting()), thresholds_of(CHECK, {})) == ()


def test_is_skipped_without_the_right_to_list_events() -> None:
    """Unknown is not broken."""
    denied = Unavailable(reason="Forbidden", detail="events is forbidden")

    report, _ = evaluate(a_snapshot(waiting_pods=denied), History(), Settings(), (CHECK,))

    assert [(one.outcome, one.reason) for one in report.results] == [(Outcome.SKIP, "Forbidden")]
