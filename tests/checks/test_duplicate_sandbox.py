"""One pod has more than one sandbox that works."""

from typing import Any

import pytest

from pausewatch.checks._check import thresholds_of
from pausewatch.checks.duplicate_sandbox import CHECK
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import Evidence, Observation, Severity
from pausewatch.model.sandbox import SandboxState
from pausewatch.model.snapshot import Snapshot
from support.builders import a_node, a_snapshot, adding
from support.changes import with_sandbox
from support.observed import observed
from support.parts import TAKEN_AT, WEB_SANDBOX_ID, WEB_UID, a_sandbox, hex_id

SECOND_ID = hex_id("the second")
TWICE = adding(
    a_snapshot(),
    sandboxes=(a_sandbox(id=SECOND_ID, attempt=1, created_at_seconds=TAKEN_AT.timestamp() - 300),),
)


def run(snapshot: Snapshot) -> tuple[Observation, ...]:
    """Run the check."""
    return observed(CHECK, a_node(snapshot))


def test_healthy_node_is_silent() -> None:
    """One sandbox for each pod."""
    assert run(a_snapshot()) == ()


def test_bound_is_two_minutes() -> None:
    """Held by what evaluate remembers of an observation."""
    assert thresholds_of(CHECK, {}) == {"lasting_seconds": 120}
    assert CHECK.persistence.seconds_threshold == "lasting_seconds"
    assert CHECK.persistence.looks == 3


def test_finding_tells_everything_a_reader_needs() -> None:
    """Which sandboxes, what runs in them, and which ones to end."""
    (observation,) = run(TWICE)

    assert observation.reason == "DuplicateSandbox"
    assert observation.severity is Severity.WARNING
    assert observation.subject.sandbox_id == SECOND_ID
    assert observation.message == (
        "2 sandboxes of team-a/web-x have been ready at once (bound 1) for more than 120 s: the kubelet looks after one"
        " of them, and what runs in the others goes on unseen, with an address of its own"
    )
    assert observation.evidence == (
        Evidence(name="podUid", value=WEB_UID),
        Evidence(name="sandbox", value=f"{SECOND_ID}, attempt 1, running: none"),
        Evidence(name="sandbox", value=f"{WEB_SANDBOX_ID}, attempt 0, running: app, side"),
    )
    assert [(one.run_on.value, one.command) for one in observation.next_commands] == [
        ("cluster", "kubectl --namespace team-a get pod web-x -o wide"),
        ("node", "pausewatch inspect team-a/web-x"),
        ("node", f"crictl inspectp {WEB_SANDBOX_ID}"),
        ("node", f"crictl stopp {WEB_SANDBOX_ID}"),
    ]
    assert observation.rests_on == (SECOND_ID, WEB_SANDBOX_ID)


def test_many_are_one_finding_of_bounded_length() -> None:
    """A report has room for some of them; the number tells of all."""
    more = [a_sandbox(id=hex_id(f"{number}"), created_at_seconds=float(number)) for number in range(1, 9)]

    (observation,) = run(adding(TWICE, sandboxes=more))

    assert observation.message.startswith("10 sandboxes of team-a/web-x")
    assert len(observation.evidence) == 5
    assert max(len(one.command) for one in observation.next_commands) < 512


@pytest.mark.parametrize(
    "changes",
    [
        {"state": SandboxState.NOTREADY},
        {"uid": "another"},
        {"pod_source": ""},
        {"details": Unavailable(reason="X", detail="damaged")},
    ],
    ids=["ended", "pod made anew under its name", "made by hand", "unknown"],
)
def test_only_ready_sandboxes_of_one_pod_count(changes: dict[str, Any]) -> None:
    """Replaced ones are there for a minute, pods of a StatefulSet come again under another uid."""
    assert run(with_sandbox(TWICE, SECOND_ID, **changes)) == ()


def test_sandboxes_of_no_told_pod_are_not_of_one_pod() -> None:
    """An empty uid is no uid."""
    nameless = with_sandbox(with_sandbox(TWICE, SECOND_ID, uid=""), WEB_SANDBOX_ID, uid="")

    assert run(nameless) == ()
