"""A sandbox lost its pause, and its containers run on without it."""

from dataclasses import replace

import pytest

from pausewatch.checks.pause_gone import CHECK
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History
from pausewatch.model.report import Evidence, Observation, Severity
from pausewatch.model.sandbox import ContainerState, SandboxState
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.view import NodeView
from support.builders import a_snapshot
from support.changes import with_container, with_sandbox, without_process
from support.commands import DELETE_WEB
from support.observed import observed
from support.parts import (
    UPTIME_SECONDS,
    WEB_APP_ID,
    WEB_APP_PID,
    WEB_PAUSE_PID,
    WEB_SANDBOX_ID,
    WEB_SIDE_ID,
    WEB_SIDE_PID,
)

MISSING = Unavailable(reason="Missing", detail="it was taken away by a test")
BEHIND_ITS_BACK = without_process(a_snapshot(), WEB_PAUSE_PID)
HEADLESS = with_sandbox(BEHIND_ITS_BACK, WEB_SANDBOX_ID, state=SandboxState.NOTREADY, pause_pid=0)


def run(snapshot: Snapshot, lost_for_seconds: float = 91) -> tuple[Observation, ...]:
    """Run the check on a node whose sandbox of web-x has been without pause for so long."""
    history = History(lost_since={WEB_SANDBOX_ID: UPTIME_SECONDS - lost_for_seconds})
    return observed(CHECK, NodeView(snapshot, history))


def test_healthy_node_is_silent() -> None:
    """Every sandbox has its pause, whatever was remembered."""
    assert run(a_snapshot()) == ()


@pytest.mark.parametrize("snapshot", [HEADLESS, BEHIND_ITS_BACK], ids=["runtime knows", "runtime does not"])
@pytest.mark.parametrize(
    ("lost_for_seconds", "severities"),
    [(0, []), (1, [Severity.INFO]), (90, [Severity.INFO]), (91, [Severity.CRITICAL])],
)
def test_bound_is_the_grace_period_and_a_minute(
    snapshot: Snapshot, lost_for_seconds: float, severities: list[Severity]
) -> None:
    """So long may a kubelet that works take to end the containers; one look says nothing."""
    assert [one.severity for one in run(snapshot, lost_for_seconds)] == severities


def test_grace_period_of_its_containers_counts() -> None:
    """A database may take ten minutes to end; without any told it is what Kubernetes takes by default."""
    patient = with_container(HEADLESS, WEB_APP_ID, grace_seconds=600)
    untold = with_container(with_container(HEADLESS, WEB_APP_ID, grace_seconds=0), WEB_SIDE_ID, grace_seconds=0)

    assert [one.severity for one in run(patient, 660)] == [Severity.INFO]
    assert [one.severity for one in run(patient, 661)] == [Severity.CRITICAL]
    assert [one.severity for one in run(untold, 90)] == [Severity.INFO]


def test_finding_tells_everything_a_reader_needs() -> None:
    """What still runs, what that means, how to make sure and how to end it."""
    (observation,) = run(HEADLESS)

    assert observation.reason == "PauseGone"
    assert observation.message == (
        "The sandbox of team-a/web-x has been without its pause for more than 90 s while containers run on in it: none"
        " can start in it again, and the kubelet has not replaced it"
    )
    assert observation.evidence == (
        Evidence(name="sandbox", value=WEB_SANDBOX_ID),
        Evidence(name="sandboxState", value="NOTREADY"),
        Evidence(name="pause", value="none any more, says the runtime"),
        Evidence(name="runningContainers", value="app, side"),
    )
    assert [(one.run_on.value, one.command) for one in observation.next_commands] == [
        ("cluster", "kubectl --namespace team-a get pod web-x -o wide"),
        ("node", "pausewatch inspect team-a/web-x"),
        ("node", f"crictl pods --id {WEB_SANDBOX_ID}"),
        ("cluster", DELETE_WEB),
        ("node", f"crictl stopp {WEB_SANDBOX_ID}"),
    ]
    assert observation.rests_on == (WEB_SANDBOX_ID, WEB_APP_ID, WEB_SIDE_ID)


def test_pause_that_died_unseen_by_the_runtime_is_named() -> None:
    """The sandbox is READY by what the runtime says."""
    (observation,) = run(BEHIND_ITS_BACK)

    assert Evidence(name="pause", value="2301, dead; the runtime does not know") in observation.evidence


def test_containers_that_ended_are_no_fault() -> None:
    """A pod that completed, that is ending, or that shared the PID namespace of its pause."""
    ended = with_container(HEADLESS, WEB_APP_ID, state=ContainerState.EXITED)
    ended = with_container(ended, WEB_SIDE_ID, state=ContainerState.EXITED)

    assert run(ended) == ()


def test_containers_that_only_seem_to_run_are_another_matter() -> None:
    """Their processes are dead too: container-process-gone tells of them."""
    assert run(without_process(without_process(HEADLESS, WEB_APP_PID), WEB_SIDE_PID)) == ()


def test_ready_sandbox_without_pause_pid_is_usual_on_cri_o() -> None:
    """It never had a pause."""
    assert run(with_sandbox(a_snapshot(), WEB_SANDBOX_ID, pause_pid=0)) == ()


@pytest.mark.parametrize("section", ["processes", "first_processes"])
def test_without_processes_the_runtime_and_earlier_looks_are_believed(section: str) -> None:
    """There are too many of them, say: a pause that was seen dead before is as dead as it was."""
    blind = replace(BEHIND_ITS_BACK, **{section: MISSING})  # type: ignore[arg-type]

    assert len(run(replace(HEADLESS, **{section: MISSING}))) == 1  # type: ignore[arg-type]
    assert len(run(blind)) == 1
    assert observed(CHECK, NodeView(blind, History())) == ()


@pytest.mark.parametrize(
    "changes", [{"runtime_type": "io.containerd.kata.v2"}, {"details": MISSING}, {"pod_source": ""}]
)
def test_what_can_not_be_told_is_not_judged(changes: dict[str, object]) -> None:
    """A virtual machine, a sandbox without status, and one that no kubelet looks after."""
    assert run(with_sandbox(HEADLESS, WEB_SANDBOX_ID, **changes)) == ()
