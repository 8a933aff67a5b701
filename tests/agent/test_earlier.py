from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pausewatch.agent.earlier import Object, first_seen, told, with_transition_times
from pausewatch.model.report import Severity
from pausewatch.model.subject import Subject
from pausewatch.sinks.events import Told
from pausewatch.sinks.report import render
from support.parts import TAKEN_AT
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
        {"status": "healthy"},
        {"status": {"findings": None}},
        {"status": {"findings": 7}},
        {"status": {"findings": {"id": "a"}}},
        {"status": {"findings": [None, {}, {"id": "a"}, {"id": "a", "firstSeenTime": "yesterday"}]}},
        {"status": {"findings": [{"id": ["a"], "firstSeenTime": "2026-11-21T06:14:03Z"}]}},
        {"status": {"findings": [{"id": "a", "firstSeenTime": "2026-11-21T06:14:03"}]}},
        {"status": {"findings": [{"id": "a", "firstSeenTime": "0001-01-01T00:00:00+23:00"}]}},
    ],
)
def test_what_can_not_be_read_is_left_out(report: Object | None) -> None:
    """Whoever wrote it, it does not end the agent."""
    assert first_seen(report) == {}
    assert told(report) == {}


def test_findings_that_people_know_of() -> None:
    """Those that an Event tells, with all that its end needs; nobody knows where it was told."""
    finding, quiet = a_finding(), a_finding(part="quiet", severity=Severity.INFO)
    of_node = a_finding(subject=Subject())

    known = told(render(a_report(findings=(finding, quiet, of_node))))

    subject = replace(finding.subject, sandbox_id="")
    assert known == {
        (finding.id, "ZombieBuildup"): Told(subject=subject, first_seen_at=finding.first_seen_at, regarding=None),
        (of_node.id, "ZombieBuildup"): Told(subject=Subject(), first_seen_at=finding.first_seen_at, regarding=None),
    }


def test_stored_names_are_escaped() -> None:
    """Whoever may write reports must not write into a terminal."""
    stored = {"id": "a", "reason": "B", "pod": {"name": "x\x1b[31m", "uid": 7}, "container": ["app"]}

    (one,) = told({"status": {"findings": [stored]}}).values()

    assert one.subject == Subject(pod="x\\x1b[31m")


def test_time_of_another_zone_is_the_same_moment() -> None:
    """Somebody may have edited the report by hand."""
    stored = {"status": {"findings": [{"id": "a", "firstSeenTime": "2026-11-21T11:14:03+05:00"}]}}

    assert first_seen(stored) == {"a": datetime(2026, 11, 21, 6, 14, 3, tzinfo=UTC)}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("2026-11-21T06:14:03Z"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "status",
                    "findings",
                    "id",
                    "firstSeenTime",
                    "conditions",
                    "type",
                    "lastTransitionTime",
                    "reason",
                    "pod",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(ANYTHING)
def test_whatever_is_stored_ends_nothing(stored: Any) -> None:  # noqa: ANN401  any JSON
    """What is written next is whole, with times that are times."""
    status = render(a_report())["status"]

    found = first_seen({"status": stored})
    told({"status": stored})
    written = with_transition_times(status, stored)

    assert all(moment.tzinfo is UTC for moment in found.values())
    assert all(datetime.fromisoformat(moment).tzinfo for moment in transitions(written).values())
    assert [one["type"] for one in written["conditions"]] == [one["type"] for one in status["conditions"]]


def test_condition_that_did_not_change_keeps_its_time() -> None:
    """Others got theirs from this scan."""
    before = render(a_report())["status"]
    after = render(a_report(taken_at=LATER, findings=(a_finding(),)))["status"]

    kept = transitions(with_transition_times(after, before))

    assert kept == transitions(before) | {"Healthy": transitions(after)["Healthy"]}
    assert transitions(after)["Healthy"] != transitions(before)["Healthy"]


@pytest.mark.parametrize(
    "damage", [{"lastTransitionTime": "then"}, {"lastTransitionTime": None}, {"type": ["Healthy"]}, {"status": {}}]
)
def test_condition_that_can_not_be_read_hands_on_nothing(damage: Object) -> None:
    """Of the others the times are kept."""
    before = render(a_report())["status"]
    after = render(a_report(taken_at=LATER))["status"]
    damaged = before | {"conditions": [before["conditions"][0] | damage, *before["conditions"][1:]]}

    kept = transitions(with_transition_times(after, damaged))

    assert kept == transitions(before) | {"Healthy": transitions(after)["Healthy"]}


def test_first_report_keeps_nothing() -> None:
    """There is none before it."""
    status = render(a_report())["status"]

    assert with_transition_times(status, {}) == status
