"""A Report as the PodSandboxReport object: what ``kubectl get`` and ``pausewatch scan -o json`` both show."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from pausewatch.model.availability import Unavailable
from pausewatch.model.report import Finding, Outcome, Report, Severity
from pausewatch.sinks import bounds
from pausewatch.sinks.bounds import cut
from pausewatch.sinks.conditions import Condition, conditions

API_VERSION = "pausewatch.github.io/v1alpha1"
KIND = "PodSandboxReport"
RUNBOOK_URL = "https://pausewatch.github.io/checks/{check}"

ORPHANS_ARE_FOUND_BY = "orphaned-sandbox"
"""The check whose findings the column ORPHANS counts."""

HEARTBEAT_SECONDS = 600.0
"""An unchanged report is written again this often. Rarer writes cost the API server less, but delay the news that an
agent is gone; 10 minutes on 5,000 nodes are 8 writes a second."""

STALE_AFTER_HEARTBEATS = 2.5
"""One lost write and the jitter of the next are ordinary; two in a row mean that nobody writes any more."""

UNFOLDED = 1 << 20
"""Line width for YAML: a message stays on one line, so that it can be searched for."""

Object = dict[str, Any]
"""Plain values that JSON and YAML know."""


def render(report: Report, *, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> Object:
    """Return the PodSandboxReport of a node.

    What is unknown is left out; counts and findings are always there, be they 0 or none. Every condition's
    ``lastTransitionTime`` is the time of this report: whoever updates a stored object keeps the older time where the
    status is still the same.

    Args:
        report: One scan, judged.
        heartbeat_seconds: How often an unchanged report is written again; decides when it is stale.
    """
    node_name = cut(report.node_name, bounds.NAME)
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": node_name},
        "spec": {"nodeName": node_name},
        "status": _status(report, timedelta(seconds=STALE_AFTER_HEARTBEATS * heartbeat_seconds)),
    }


def to_json(value: Object) -> str:
    """Return an object as indented JSON, in ASCII: it survives every locale on its way to the next program."""
    return json.dumps(value, indent=2) + "\n"


def to_yaml(value: Object) -> str:
    """Return an object as YAML in block style, keys in their own order, times as strings."""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=False, width=UNFOLDED)


def time_text(moment: datetime) -> str:
    """Return a time as Kubernetes stores it: RFC 3339, UTC, whole seconds (metav1.Time)."""
    # Not strftime: it writes the year 1, a zero time of Go programs, without its zeros.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def known(pairs: Mapping[str, Any]) -> Object:
    """Return the pairs that hold something: an empty text, list or object means that it is not known."""
    return {key: value for key, value in pairs.items() if value not in ("", None, [], {})}


def _status(report: Report, stale_after: timedelta) -> Object:
    findings, truncated = _findings(report)
    runtime = _runtime(report)
    return {
        "reportTime": time_text(report.taken_at),
        "staleAfterTime": time_text(report.taken_at.replace(microsecond=0) + stale_after),
        **({"runtime": runtime} if runtime else {}),
        "summary": _summary(report),
        "coverage": _coverage(report),
        "conditions": [_condition(one, report.taken_at) for one in conditions(report)],
        "findings": findings,
        "truncatedFindings": truncated,
    }


def _runtime(report: Report) -> Object:
    runtime = report.runtime
    return known(
        {
            "name": "" if isinstance(runtime, Unavailable) else cut(runtime.name, bounds.SHORT_TEXT),
            "version": "" if isinstance(runtime, Unavailable) else cut(runtime.version, bounds.SHORT_TEXT),
            "sandboxImage": cut(_sandbox_image(report), bounds.SHORT_TEXT),
            "cgroupVersion": report.cgroup_version,
        }
    )


def _sandbox_image(report: Report) -> str:
    """Return the configured image; where that is not known, the one in use, unless there are several."""
    if not isinstance(report.sandbox_image, Unavailable):
        return report.sandbox_image.image
    return report.sandbox_images[0] if len(report.sandbox_images) == 1 else ""


def _summary(report: Report) -> Object:
    summary = report.summary
    return {
        "sandboxes": summary.sandboxes,
        "readySandboxes": summary.ready_sandboxes,
        "containers": summary.containers,
        "pauseProcesses": summary.pause_processes,
        "pidNamespaces": summary.pid_namespaces,
        "zombies": summary.zombies,
        "orphans": sum(finding.check == ORPHANS_ARE_FOUND_BY for finding in report.findings),
        "critical": report.count(Severity.CRITICAL),
        "warning": report.count(Severity.WARNING),
        "info": report.count(Severity.INFO),
    }


def _coverage(report: Report) -> Object:
    coverage = report.coverage
    skipped = [result for result in report.results if result.outcome in (Outcome.SKIP, Outcome.ERROR)]
    return {
        "notComparableSandboxes": coverage.not_comparable_sandboxes,
        "unreadableProcesses": coverage.unreadable_processes,
        "ignoredFindings": coverage.ignored_findings,
        "skippedChecks": [
            {"check": result.check, "reason": cut(result.reason, bounds.REASON)}
            for result in skipped[: bounds.SKIPPED_CHECKS]
        ],
    }


def _condition(condition: Condition, moment: datetime) -> Object:
    return {
        "type": condition.type,
        "status": condition.status.value,
        "reason": cut(condition.reason, bounds.REASON),
        "message": cut(condition.message, bounds.MESSAGE),
        "lastTransitionTime": time_text(moment),
    }


def _findings(report: Report) -> tuple[list[Object], int]:
    """Return the worst findings, and how many were left out."""
    # Rendered before they are counted: only the text tells how many fit.
    rendered = [_finding(finding) for finding in report.findings[: bounds.FINDINGS]]
    sizes = (len(json.dumps(one, ensure_ascii=False).encode()) + bounds.noted_bytes(one["id"]) for one in rendered)
    kept = rendered[: bounds.fitting(sizes)]
    return kept, len(report.findings) - len(kept)


def _finding(finding: Finding) -> Object:
    subject = finding.subject
    pod = {
        "namespace": cut(subject.namespace, bounds.NAMESPACE),
        "name": cut(subject.pod, bounds.NAME),
        "uid": cut(subject.uid, bounds.IDENTIFIER),
    }
    return known(
        {
            "id": bounds.cut_id(finding.id),
            "check": finding.check,
            "reason": finding.reason,
            "severity": finding.severity.value,
            "pod": known(pod),
            "sandboxID": cut(subject.sandbox_id, bounds.IDENTIFIER),
            "container": cut(subject.container, bounds.CONTAINER),
            "message": cut(finding.message, bounds.MESSAGE),
            "evidence": [
                {"name": cut(one.name, bounds.EVIDENCE_NAME), "value": cut(one.value, bounds.EVIDENCE_VALUE)}
                for one in finding.evidence[: bounds.EVIDENCE]
            ],
            "firstSeenTime": time_text(finding.first_seen_at),
            "nextCommands": [
                {"runOn": one.run_on.value, "command": one.command}
                for one in finding.next_commands
                if len(one.command.encode()) <= bounds.COMMAND
            ][: bounds.NEXT_COMMANDS],
            "runbookURL": RUNBOOK_URL.format(check=finding.check),
        }
    )
