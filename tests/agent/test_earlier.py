from datetime import timedelta

import pytest

from pausewatch.agent.earlier import Object, first_seen, with_transition_times
from pausewatch.sinks.report import render
from support.builders import TAKEN_AT
from support.reports import a_finding, a_report

LATER = TAKEN_AT + timedelta(hours=1)


def transitions(status: Object) -> dict[str, str]:
    """Return since when each condition is as it is."""
    return {one["type"]: one["lastTransitionTime"] for one in status["conditions"]}


def test_first_seen_times_survive() -> None:
    """By the id of the finding."""
    finding = a_finding()

    assert first_seen(render(a_report(findings=(finding,)))) == {finding.id: finding.first_seen_at}


@pytest.mark.parametrize(
    "report",
    [
        None,
        {},
        {"status": None},
        {"status": {"findings": None}},
        {"status": {"findings": [None, {}, {"id": "a"}, {"id": "a", "firstSeenTime": "yesterday"}]}},
    ],
)
def test_what_can_not_be_read_is_left_out(report: Object | None) -> None:
    """Whoever wrote it, it does not end the agent."""
    assert first_seen(report) == {}


def test_condition_that_did_not_change_keeps_its_time() -> None:
    """Others got theirs from this scan."""
    before = render(a_report())["status"]
    after = render(a_report(taken_at=LATER, findings=(a_finding(),)))["status"]

    kept = transitions(with_transition_times(after, before))

    assert kept == transitions(before) | {"Healthy": transitions(after)["Healthy"]}
    assert transitions(after)["Healthy"] != transitions(before)["Healthy"]


def test_first_report_keeps_nothing() -> None:
    """There is none before it."""
    status = render(a_report())["status"]

    assert with_transition_times(status, {}) == status
