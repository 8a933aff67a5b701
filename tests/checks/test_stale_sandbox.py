"""The remains of an ended sandbox stay on the node although nobody needs them."""

from typing import Any

import pytest

from pausewatch.checks._check import thresholds_of
from pausewatch.checks.stale_sandbox import CHECK
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import PodMemory
from pausewatch.model.report import Evidence, Observation, Severity
from pausewatch.model.sandbox import ContainerState, SandboxState
from pausewatch.model.snapshot import Snapshot
from support.builders import a_node, a_snapshot, adding
from support.changes import with_sandbox
from support.observed import observed
from support.parts import SHARED_UID, UPTIME_SECONDS, WEB_SANDBOX_ID, WEB_UID, a_container, a_pod, a_sandbox, hex_id

OLD_ID = hex_id("the sandbox before")
OLD = a_sandbox(id=OLD_ID, state=SandboxState.NOTREADY, created_at_seconds=1000.0)
REPLACED = adding(a_snapshot(), sandboxes=(OLD,))
COMPLETED = with_sandbox(a_snapshot(containers=()), WEB_SANDBOX_ID, state=SandboxState.NOTREADY)
WITHOUT_WEB = (a_pod(namespace="team-b", name="shared-y", uid=SHARED_UID),)


def run(snapshot: Snapshot, absent_seconds: float | None = None) -> tuple[Observation, ...]:
    """Run the check on a node that has missed the pod of web-x for so long; None: it never did."""
    absent_since = None if absent_seconds is None else UPTIME_SECONDS - absent_seconds
    memory = PodMemory(grace_seconds=30, absent_since=absent_since)
    node = a_node(snapshot, pods={WEB_SANDBOX_ID: memory, OLD_ID: memory})
    return observed(CHECK, node)


def pods(snapshot: Snapshot, known: Any) -> Snapshot:  # noqa: ANN401  a section of a Snapshot
    """Return the node with other pods in the API."""
    return adding(a_snapshot(pods=known, sandboxes=snapshot.sandboxes, containers=snapshot.containers))


def test_healthy_node_is_silent() -> None:
    """All its sandboxes are ready."""
    assert run(a_snapshot()) == ()


def test_bound_is_ten_minutes() -> None:
    """Held by what evaluate remembers of an observation."""
    assert thresholds_of(CHECK, {}) == {"lasting_seconds": 600}
    assert CHECK.persistence.seconds_threshold == "lasting_seconds"
    assert CHECK.persistence.looks == 3


def test_finding_tells_everything_a_reader_needs() -> None:
    """Which one, why nobody needs it, how to make sure and how to remove it."""
    (observation,) = run(REPLACED)

    assert observation.reason == "StaleSandbox"
    assert observation.severity is Severity.INFO
    assert observation.subject.sandbox_id == OLD_ID
    assert observation.message == (
        "An ended sandbox of team-a/web-x has been left on the node for more than 600 s although a newer sandbox took"
        " its place: it keeps its name, its directories and perhaps its address"
    )
    assert observation.evidence == (
        Evidence(name="sandbox", value=OLD_ID),
        Evidence(name="podUid", value=WEB_UID),
        Evidence(name="attempt", value="0"),
    )
    assert [(one.run_on.value, one.command) for one in observation.next_commands] == [
        ("cluster", "kubectl --namespace team-a get pod web-x -o wide"),
        ("node", f"crictl inspectp {OLD_ID}"),
        ("node", f"crictl rmp {OLD_ID}"),
    ]
    assert observation.rests_on == ()


def test_pod_that_is_gone_leaves_its_newest_sandbox_stale() -> None:
    """Also while the API server can not be asked for once, and with dead containers in it."""
    dead = adding(COMPLETED, containers=(a_container(state=ContainerState.EXITED),))

    for known in (WITHOUT_WEB, Unavailable(reason="Down", detail="no answer")):
        (observation,) = run(pods(dead, known), absent_seconds=10)
        assert "although its pod is gone from the API server" in observation.message


def test_pod_that_just_vanished_or_was_never_asked_for_is_silent() -> None:
    """The kubelet needs a moment; and without API server nothing is known of pods."""
    assert run(pods(COMPLETED, WITHOUT_WEB), absent_seconds=0) == ()
    assert run(pods(COMPLETED, Unavailable(reason="NoApiServer", detail="not asked"))) == ()


def test_newest_sandbox_of_a_completed_pod_is_kept_on_purpose() -> None:
    """For as long as the pod is there."""
    assert run(COMPLETED) == ()


def test_container_that_is_left_keeps_its_sandbox() -> None:
    """The kubelet keeps the last dead container of each name for its logs."""
    dead = a_container(sandbox_id=OLD_ID, state=ContainerState.EXITED)

    assert run(adding(REPLACED, containers=(dead,))) == ()


def test_container_that_runs_is_another_matter() -> None:
    """pause-gone tells of it."""
    running = a_container(sandbox_id=WEB_SANDBOX_ID, state=ContainerState.RUNNING)

    assert run(pods(adding(COMPLETED, containers=(running,)), WITHOUT_WEB), absent_seconds=10) == ()


def test_ready_sandbox_is_not_stale() -> None:
    """An orphan, or one of two: other checks tell."""
    assert run(with_sandbox(REPLACED, OLD_ID, state=SandboxState.READY)) == ()
    assert run(a_snapshot(pods=WITHOUT_WEB), absent_seconds=10) == ()


@pytest.mark.parametrize("source", ["file", "http"])
def test_static_pod_may_be_missing_in_the_api(source: str) -> None:
    """Its mirror may never have been made; a replaced sandbox of it is stale all the same."""
    static = with_sandbox(pods(COMPLETED, WITHOUT_WEB), WEB_SANDBOX_ID, pod_source=source)

    assert run(static, absent_seconds=10) == ()
    assert len(run(with_sandbox(REPLACED, OLD_ID, pod_source=source))) == 1


@pytest.mark.parametrize("changes", [{"pod_source": ""}, {"details": Unavailable(reason="X", detail="damaged")}])
def test_sandbox_of_nobody_known_is_not_judged(changes: dict[str, object]) -> None:
    """Who made it by hand removes it by hand."""
    assert run(with_sandbox(REPLACED, OLD_ID, **changes)) == ()


def test_attempt_decides_between_sandboxes_of_one_moment() -> None:
    """Some runtimes tell the creation time in seconds."""
    twin = a_sandbox(id=OLD_ID, state=SandboxState.NOTREADY, attempt=1)
    node = with_sandbox(
        adding(a_snapshot(containers=()), sandboxes=(twin,)), WEB_SANDBOX_ID, state=SandboxState.NOTREADY
    )

    assert [one.subject.sandbox_id for one in run(node)] == [WEB_SANDBOX_ID]
