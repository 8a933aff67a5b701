"""What the person on call reads of what could not be seen or judged: silence must not be mistaken for health."""

from pausewatch.model.availability import Unavailable
from pausewatch.model.report import CheckResult, Outcome
from pausewatch.sinks.terminal import access, cannot_look, results_text, scan
from support.printed import printed
from support.reports import FACTS, a_coverage, a_report

SILENT = Unavailable(
    reason="DeadlineExceeded",
    detail="the runtime at unix:///run/containerd/containerd.sock did not answer within 2 s",
    remedy="see `journalctl -u containerd`",
)


def test_a_silent_runtime() -> None:
    """Unknown is neither healthy nor broken; the cause stands once, with its remedy."""
    report = a_report(
        runtime=SILENT,
        unavailable=(("sandboxes", SILENT), ("containers", SILENT)),
        results=tuple(
            CheckResult(check=check, outcome=Outcome.SKIP, reason=SILENT.reason, detail="no answer")
            for check in ("namespace-not-shared", "zombie-buildup")
        ),
    )

    assert printed(scan(report), width=80, terminal=True) == (
        """\
node-7: UNKNOWN, the scan is incomplete.

could not be read:
  runtime, sandboxes, containers: the runtime at
  unix:///run/containerd/containerd.sock did not answer within 2 s; see
  `journalctl -u containerd`

2 checks: 0 passed, 0 failed, 2 skipped (namespace-not-shared, zombie-buildup:
no answer)
"""
    )


def test_what_was_not_judged_is_told() -> None:
    """Silence about a sandbox must not be mistaken for its health."""
    coverage = a_coverage(not_comparable_sandboxes=2, ignored_findings=3)

    assert printed(scan(a_report(coverage=coverage))) == (
        """\
node-7: healthy. containerd 2.4.2, 2 sandboxes, 3 containers, 0 zombies
not judged: 2 sandboxes in a virtual machine or a user-space kernel
ignored, as the settings say: 3 findings
2 checks: 2 passed, 0 failed, 0 skipped
"""
    )


def test_unreadable_processes_are_told_with_the_remedy() -> None:
    """They make the verdict unknown."""
    coverage = a_coverage(unreadable_processes=1, unreadable_remedy="run as root")
    text = printed(scan(a_report(coverage=coverage)))

    assert text.startswith("node-7: UNKNOWN, the scan is incomplete. containerd 2.4.2, 2 sandboxes")
    assert "\n  Linux namespaces: the Linux namespaces of 1 first process could not be read; run as root" in text


def test_checks_that_could_not_judge_are_named_with_their_cause() -> None:
    """One missing input can silence many: it is told once. Our own bugs are told apart."""
    results = (
        CheckResult(check="a", outcome=Outcome.SKIP, reason="PodsUnavailable", detail="no API server"),
        CheckResult(check="b", outcome=Outcome.SKIP, reason="PodsUnavailable", detail="no API server"),
        CheckResult(check="c", outcome=Outcome.SKIP, reason="NotComparable"),
        CheckResult(check="d", outcome=Outcome.ERROR, reason="CheckFailed", detail="KeyError:\n 5"),
        CheckResult(check="e", outcome=Outcome.PASS),
        CheckResult(check="f", outcome=Outcome.FAIL),
    )

    assert results_text(results) == (
        "6 checks: 1 passed, 1 failed, 3 skipped (a, b: no API server; c: NotComparable), 1 broke (d: KeyError: 5)"
    )


def test_access_tells_what_is_missing_and_how_to_get_it() -> None:
    """What ``doctor`` prints."""
    assert printed(access(FACTS), width=80, terminal=True) == (
        """\
ok       runtime-socket: containerd 2.4.2 answered
MISSING  namespace-links: 2 of 5 could not be read
    not found  whether containers are in the Linux namespaces they should be in
    to get it  run as root with CAP_SYS_PTRACE

2 preconditions: 1 met, 1 missing
"""
    )


def test_what_can_not_be_seen_is_told() -> None:
    """In the place of the page."""
    assert printed(cannot_look("no socket; start the runtime")) == "cannot look  no socket; start the runtime\n"
