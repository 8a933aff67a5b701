"""The sandbox of a pod is made anew again and again."""

from collections.abc import Sequence

import pytest

from pausewatch.checks.sandbox_churn import CHECK
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History
from pausewatch.model.report import Evidence, Observation, Severity
from pausewatch.model.sandbox_births import SandboxBirth
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.view import NodeView
from support.builders import a_snapshot
from support.changes import with_sandbox
from support.observed import observed
from support.parts import TAKEN_AT, WEB_SANDBOX_ID, WEB_UID

NOW = TAKEN_AT.timestamp()


def newest(attempt: int = 4, seconds_ago: float = 0, **changes: object) -> Snapshot:
    """Return the node whose pod web-x has its newest sandbox, and no other listed any more."""
    return with_sandbox(a_snapshot(), WEB_SANDBOX_ID, attempt=attempt, created_at_seconds=NOW - seconds_ago, **changes)


def births(*told: tuple[int, float]) -> tuple[SandboxBirth, ...]:
    """Return earlier sandboxes of web-x: their attempts, and how many seconds ago they were made."""
    return tuple(
        SandboxBirth(sandbox_id=f"earlier {seconds_ago}", attempt=attempt, created_at_seconds=NOW - seconds_ago)
        for attempt, seconds_ago in told
    )


FOUR = births((0, 400), (1, 300), (2, 200), (3, 100))


def run(snapshot: Snapshot, earlier: Sequence[SandboxBirth] = FOUR) -> tuple[Observation, ...]:
    """Run the check on a node that saw these sandboxes of web-x before."""
    history = History(sandbox_births={WEB_UID: tuple(earlier)})
    return observed(CHECK, NodeView(snapshot, history))


def test_healthy_node_is_silent() -> None:
    """One sandbox for each pod, nothing remembered."""
    assert run(a_snapshot(), ()) == ()


@pytest.mark.parametrize(("earlier", "found"), [(FOUR, 1), (FOUR[1:], 0)])
def test_bound_is_five(earlier: Sequence[SandboxBirth], found: int) -> None:
    """The newest one included."""
    assert len(run(newest(), earlier)) == found


@pytest.mark.parametrize(("oldest_ago", "found"), [(600, 1), (601, 0)])
def test_window_is_ten_minutes(oldest_ago: float, found: int) -> None:
    """Five in the life of a pod are no loop."""
    assert len(run(newest(), (*births((0, oldest_ago)), *FOUR[1:]))) == found


@pytest.mark.parametrize(("seconds_ago", "found"), [(600, 1), (601, 0)])
def test_what_is_over_is_not_told_for_ever(seconds_ago: float, found: int) -> None:
    """The pod keeps its sandbox now."""
    long_ago = births(*((number, seconds_ago + 100 - number) for number in range(4)))

    assert len(run(newest(seconds_ago=seconds_ago), long_ago)) == found


def test_those_that_no_scan_met_count_by_their_numbers() -> None:
    """Attempts 1 to 3 came and went between two scans."""
    assert len(run(newest(attempt=4), births((0, 60)))) == 1
    assert run(newest(attempt=3), births((0, 60))) == ()


def test_first_sight_of_a_high_number_is_silent() -> None:
    """The agent just started: when the others were made nobody knows."""
    assert run(newest(attempt=40), ()) == ()


def test_finding_tells_everything_a_reader_needs() -> None:
    """The same text and id for each sandbox that comes: the pod is the subject."""
    (observation,) = run(newest())

    assert observation.reason == "SandboxChurn"
    assert observation.severity is Severity.WARNING
    assert observation.subject.finding_id("sandbox-churn") == f"sandbox-churn/web-x/{WEB_UID[:12]}"
    assert observation.message == (
        "5 or more sandboxes were made for team-a/web-x within 600 s, and one is usual for a pod's whole life: each one"
        " ends all of its containers and gives it another address"
    )
    assert observation.evidence == (
        Evidence(name="podUid", value=WEB_UID),
        Evidence(name="newestAttempt", value="4"),
    )
    assert [(one.run_on.value, one.command) for one in observation.next_commands] == [
        ("cluster", "kubectl --namespace team-a describe pod web-x"),
        ("node", "crictl pods --namespace team-a --name web-x"),
        ("node", "pausewatch inspect team-a/web-x"),
    ]
    assert observation.rests_on == ()


@pytest.mark.parametrize("changes", [{"pod_source": ""}, {"details": Unavailable(reason="X", detail="damaged")}])
def test_sandbox_of_no_kubelet_is_not_judged(changes: dict[str, object]) -> None:
    """Tests of a runtime make many."""
    assert run(newest(**changes)) == ()
