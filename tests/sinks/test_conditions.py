"""The verdict on a node."""

from dataclasses import fields

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.report import CheckResult, Finding, Outcome, Severity
from pausewatch.model.snapshot import Snapshot
from pausewatch.sinks.conditions import (
    SECTIONS,
    Status,
    conditions,
    gaps,
    healthy,
    runtime_reachable,
    scan_complete,
    unread,
)
from support.parts import a_subject
from support.reports import a_coverage, a_finding, a_report

SILENT = Unavailable(reason="DeadlineExceeded", detail="the runtime did not answer within 2 s", remedy="see its log")
DENIED = Unavailable(reason="PermissionDenied", detail="/proc/1 may not be read")

CRITICAL = a_finding(
    severity=Severity.CRITICAL, check="namespace-not-shared", reason="HostNamespaceJoined", message="!"
)
WARNING = a_finding(message="zombies")
INFO = a_finding(severity=Severity.INFO, reason="ProcessMovedItself", message="moved")


def test_all_conditions_are_always_there() -> None:
    """In one order, so that the stored object does not change by itself."""
    assert [one.type for one in conditions(a_report())] == ["Healthy", "RuntimeReachable", "ScanComplete"]


def test_a_healthy_node() -> None:
    """Everything was read and nothing was found."""
    assert [(one.status, one.reason, one.message) for one in conditions(a_report())] == [
        (Status.TRUE, "NoFindings", "2 of 2 checks ran and found nothing"),
        (
            Status.TRUE,
            "RuntimeAnswered",
            "containerd 2.4.2 answered at unix:///run/containerd/containerd.sock",
        ),
        (Status.TRUE, "EverythingRead", "every section of the node was read"),
    ]


@pytest.mark.parametrize(
    ("findings", "reason"),
    [((WARNING,), "ZombieBuildup"), ((WARNING, CRITICAL), "HostNamespaceJoined")],
)
def test_the_worst_finding_is_the_reason(findings: tuple[Finding, ...], reason: str) -> None:
    """Critical and Warning both ask for action."""
    condition = healthy(a_report(findings=findings))

    assert (condition.status, condition.reason) == (Status.FALSE, reason)


def test_info_findings_leave_a_node_healthy() -> None:
    """They are worth knowing and ask for nothing."""
    condition = healthy(a_report(findings=(INFO,)))

    assert (condition.status, condition.reason) == (Status.TRUE, "OnlyInfoFindings")


def test_an_incomplete_scan_without_findings_proves_nothing() -> None:
    """Unknown is not broken, and not healthy either."""
    condition = healthy(a_report(unavailable=(("processes", DENIED),)))

    assert (condition.status, condition.reason) == (Status.UNKNOWN, "ScanIncomplete")
    assert condition.message == "not everything could be read: processes: /proc/1 may not be read"


def test_a_finding_counts_in_an_incomplete_scan() -> None:
    """It rests on what was read."""
    report = a_report(findings=(WARNING,), unavailable=(("processes", DENIED),))

    assert healthy(report).status is Status.FALSE


def test_skipped_checks_do_not_count() -> None:
    """What they need may be missing for good; coverage names them."""
    results = (
        CheckResult(check="namespace-not-shared", outcome=Outcome.SKIP, reason="NotComparable"),
        CheckResult(check="zombie-buildup", outcome=Outcome.PASS),
    )
    condition = healthy(a_report(results=results))

    assert (condition.status, condition.message) == (Status.TRUE, "1 of 2 checks ran and found nothing")


def test_a_silent_runtime_is_unreachable() -> None:
    """With its own reason, and what to do."""
    condition = runtime_reachable(a_report(runtime=SILENT))

    assert (condition.status, condition.reason) == (Status.FALSE, "DeadlineExceeded")
    assert condition.message == "the runtime did not answer within 2 s; see its log"


def test_unreadable_processes_make_a_scan_incomplete() -> None:
    """With the remedy: it is for want of permission."""
    coverage = a_coverage(unreadable_processes=3, unreadable_remedy="run as root with CAP_SYS_PTRACE")
    condition = scan_complete(a_report(coverage=coverage))

    assert (condition.status, condition.reason) == (Status.FALSE, "PermissionDenied")
    assert "3 first processes" in condition.message
    assert "CAP_SYS_PTRACE" in condition.message


def test_every_section_has_a_name_that_people_know() -> None:
    """One of the code, such as host_links, says nothing to whoever is on call."""
    sections = {field.name for field in fields(Snapshot) if "Unavailable" in str(field.type)}

    assert "host_links" in sections
    assert [name for name in sorted(sections) if "_" in name and name not in SECTIONS] == []
    assert not [told for told in SECTIONS.values() if "_" in told]


def test_one_cause_is_told_once() -> None:
    """A runtime that is down takes several sections with it."""
    report = a_report(
        runtime=SILENT, unavailable=(("sandboxes", SILENT), ("host_links", SILENT), ("processes", DENIED))
    )

    assert [gap.names for gap in gaps(report)] == [("sandboxes", "the node's own Linux namespaces"), ("processes",)]
    assert [str(gap) for gap in unread(report)] == [
        "runtime, sandboxes, the node's own Linux namespaces: the runtime did not answer within 2 s; see its log",
        "processes: /proc/1 may not be read",
    ]


def test_findings_are_ordered_worst_first_whatever_their_subject() -> None:
    """The verdict takes the first one."""
    other = a_finding(severity=Severity.CRITICAL, subject=a_subject(namespace="z"), reason="PauseGone")

    assert healthy(a_report(findings=(WARNING, other))).reason == "PauseGone"


def test_check_that_broke_leaves_the_node_unknown() -> None:
    """Our own bug must neither look like the node's fault nor like its health."""
    broken = CheckResult(check="zombie-buildup", outcome=Outcome.ERROR, reason="CheckFailed", detail="KeyError: 'x'")
    report = a_report(results=(broken,))

    assert healthy(report).status is Status.UNKNOWN
    complete = scan_complete(report)
    assert (complete.status, complete.reason) == (Status.FALSE, "CheckFailed")
    assert complete.message.startswith("zombie-buildup: KeyError: 'x'; record the node with")
