# ruff: noqa: ANN401  builders pass any field of a value on to its constructor

from datetime import timedelta
from typing import Any

import pytest

from pausewatch.cluster.report_content import content_hash
from pausewatch.sinks.report import render
from support.parts import TAKEN_AT
from support.reports import a_coverage, a_finding, a_report


def hash_of(**changes: Any) -> str:
    """Return the hash of a healthy report, changed where said."""
    return content_hash(render(a_report(**changes))["status"])


@pytest.mark.parametrize(
    "changes",
    [
        {"taken_at": a_report().taken_at.replace(hour=23)},
        {"coverage": a_coverage()},
        {"zombie_holders": ()},
    ],
)
def test_time_and_counts_are_not_worth_a_write(changes: dict[str, Any]) -> None:
    """They ride along with the next change or heartbeat."""
    assert hash_of(**changes) == hash_of()


def test_summary_is_not_worth_a_write() -> None:
    """Thirty pods a minute that come and go write nothing."""
    status = render(a_report())["status"]
    other = status | {"summary": dict.fromkeys(status["summary"], 99)}

    assert content_hash(other) == content_hash(status)


def test_other_counts_matter_when_they_leave_zero() -> None:
    """Two or three sandboxes that can not be compared are one story; none is another."""
    assert hash_of(coverage=a_coverage(not_comparable_sandboxes=2)) == hash_of(
        coverage=a_coverage(not_comparable_sandboxes=3)
    )
    assert hash_of(coverage=a_coverage(not_comparable_sandboxes=2)) != hash_of()


def test_findings_and_verdicts_are_worth_a_write() -> None:
    """What an alert or a person acts on is told within the minute."""
    one = hash_of(findings=(a_finding(),))

    assert one != hash_of()
    assert one != hash_of(findings=(a_finding(message="another text"),))


def test_text_of_a_condition_is_not_worth_a_write() -> None:
    """It holds counts; its status and reason are what matters."""
    status = render(a_report())["status"]
    told = [condition | {"message": "other"} for condition in status["conditions"]]
    failed = [condition | {"status": "False"} for condition in status["conditions"]]

    assert content_hash(status | {"conditions": told}) == content_hash(status)
    assert content_hash(status | {"conditions": failed}) != content_hash(status)


def test_when_something_was_first_seen_is_no_news() -> None:
    """Two agents on one node see it a scan apart."""
    seen, later = (a_finding(first_seen_at=TAKEN_AT + timedelta(seconds=add)) for add in (0, 30))

    assert seen != later
    assert hash_of(findings=(seen,)) == hash_of(findings=(later,))


@pytest.mark.parametrize("status", [{"findings": "none"}, {"conditions": ["x"]}, {"coverage": 7}, {"findings": None}])
def test_status_of_another_definition_has_a_hash_too(status: dict[str, Any]) -> None:
    """An error would end the reports of the node, because what is stored is read first."""
    assert content_hash(status) != hash_of()
