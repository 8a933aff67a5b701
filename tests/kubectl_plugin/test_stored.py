from datetime import timedelta

import pytest

from kubectl_plugin.answers import CRITICAL, NOW, read, stored
from pausewatch.kubectl_plugin.stored import EPOCH, clean, moment, parse
from pausewatch.model.report import CheckResult, Outcome, Severity
from support.parts import TAKEN_AT
from support.reports import a_coverage, a_finding

SKIPPED = CheckResult(check="orphaned-sandbox", outcome=Outcome.SKIP, reason="NoApiServer")


def test_what_is_rendered_is_read_again() -> None:
    """Both ways: findings are the same values, the rest says the same."""
    findings = (CRITICAL, a_finding())
    report = read(findings=findings, coverage=a_coverage(ignored_findings=2), results=(SKIPPED,))

    assert report.findings == findings
    assert report.counts == {Severity.CRITICAL: 1, Severity.WARNING: 1, Severity.INFO: 0}
    assert (report.node, report.written_at, report.runtime) == ("node-7", TAKEN_AT, "containerd 2.4.2")
    assert report.summary["readySandboxes"] == 2
    assert report.coverage["ignoredFindings"] == 2
    assert report.skipped_checks == (("orphaned-sandbox", "NoApiServer"),)
    healthy = report.condition("Healthy")
    assert healthy is not None
    assert (healthy.status, healthy.reason) == ("False", "NamespaceNotShared")


def test_report_is_stale_after_its_own_time() -> None:
    """And one that was never filled is."""
    report = read()
    assert report.stale_after is not None

    assert not report.is_stale(NOW)
    assert report.is_stale(report.stale_after + timedelta(seconds=1))
    assert parse({"metadata": {"name": "node-1"}}).is_stale(NOW)


@pytest.mark.parametrize(
    "status",
    [None, [], {"findings": {}}, {"findings": [7, {"severity": "Grave"}]}, {"summary": {"zombies": "many"}}],
    ids=str,
)
def test_anything_may_stand_there(status: object) -> None:
    """What can not be read is left out."""
    report = parse({"metadata": [], "status": status})

    assert (report.findings, report.summary.get("zombies", 0)) == ((), 0)


def test_finding_without_details_is_told_all_the_same() -> None:
    """Of another version than ours, say."""
    (finding,) = parse({"status": {"findings": [{"severity": "Critical", "pod": None}]}}).findings

    assert (finding.severity, finding.first_seen_at, finding.subject.is_node) == (Severity.CRITICAL, EPOCH, True)


def test_text_is_safe_and_not_escaped_twice() -> None:
    """The agent escaped what it wrote; others may not have."""
    assert clean("sh\\x1b[31m\x1b[0m\nnext") == "sh\\x1b[31m\\x1b[0m\\nnext"
    assert clean(7) == ""
    assert parse(stored(name="node-7")).node == "node-7"


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-21T05:03:29", 7, "0001-01-01T00:00:00+23:59"])
def test_what_is_no_time_is_none(text: object) -> None:
    """Without a zone nobody knows when it was."""
    assert moment(text) is None
