"""What virtual nodes have to tell: nothing, one ordinary finding, or all that a report holds."""

from datetime import UTC, datetime

from pausewatch.model.pod import Pod
from pausewatch.model.report import Evidence, Finding, Report
from pausewatch.sinks import bounds
from support.parts import a_subject
from support.reports import a_finding, a_report

NAMESPACE = "lab"
"""Where the Events go. The pods that they name are not there: an API server does not look."""

CAP_EVIDENCE_BYTES = 60
"""Of each of three: with the longest message, twenty findings then fill what a report may hold."""


def finding(node_name: str, number: int, *, is_longest: bool) -> Finding:
    """Return a finding about a pod of its own, as ordinary ones are or as long as it may be with twenty in a report."""
    subject = a_subject(
        namespace=NAMESPACE, pod=f"web-7d4b9c6f5-{number:05}", uid=f"{number:08}-0000-4000-8000-{node_name[-12:]:0>12}"
    )
    if not is_longest:
        return a_finding(subject=subject)
    ordinary = a_finding(subject=subject)
    filler = tuple(Evidence(name=f"fact-{part}", value="x" * CAP_EVIDENCE_BYTES) for part in range(3))
    message = f"{ordinary.message}, ".ljust(bounds.MESSAGE, "x")
    return a_finding(subject=subject, message=message, evidence=(*ordinary.evidence, *filler))


def report(node_name: str, findings: tuple[Finding, ...]) -> Report:
    """Return what a scan that ends now says."""
    return a_report(node_name=node_name, taken_at=datetime.now(UTC), findings=findings)


def pods_of(findings: tuple[Finding, ...]) -> tuple[Pod, ...]:
    """Return the pods that findings are about, as the API server would have them."""
    return tuple(
        Pod(
            namespace=one.subject.namespace,
            name=one.subject.pod,
            uid=one.subject.uid,
            deletion_grace_seconds=None,
        )
        for one in findings
    )
