"""A stored PodSandboxReport as values: whoever may write reports may have left anything there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pausewatch.model.report import Evidence, Finding, NextCommand, RunOn, Severity
from pausewatch.model.subject import Subject
from pausewatch.model.text import printable
from pausewatch.sinks import bounds

Object = Mapping[str, Any]

EPOCH = datetime.fromtimestamp(0, UTC)
"""First seen of a finding that does not tell it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCondition:
    """One condition of a report."""

    type: str
    status: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReport:
    """What one report says."""

    node: str
    written_at: datetime | None
    """``status.reportTime``; None before the first write."""

    stale_after: datetime | None
    runtime: str
    """Name and version."""

    counts: Mapping[Severity, int]
    """Findings of each severity, stored or not."""

    summary: Mapping[str, int]
    """``status.summary``: sandboxes, zombies, orphans and more."""

    conditions: tuple[StoredCondition, ...]
    findings: tuple[Finding, ...]
    """Worst first."""

    truncated: int
    """Findings that are not stored."""

    coverage: Mapping[str, int]
    skipped_checks: tuple[tuple[str, str], ...]
    """Check and reason."""

    def is_stale(self, now: datetime) -> bool:
        """Whether its agent should have written it again by now, and has not."""
        return self.stale_after is None or self.stale_after < now

    def condition(self, kind: str) -> StoredCondition | None:
        """Return a condition by its type."""
        return next((one for one in self.conditions if one.type == kind), None)


def parse(report: Object) -> StoredReport:
    """Return what a report says; what can not be read of it is left out."""
    status = _object(report.get("status"))
    runtime = _object(status.get("runtime"))
    summary = {key: _count(value) for key, value in _object(status.get("summary")).items()}
    coverage = _object(status.get("coverage"))
    found = (_finding(one) for one in _listed(status, "findings"))
    return StoredReport(
        node=clean(_object(report.get("metadata")).get("name")),
        written_at=moment(status.get("reportTime")),
        stale_after=moment(status.get("staleAfterTime")),
        runtime=" ".join(filter(None, (clean(runtime.get("name")), clean(runtime.get("version"))))),
        counts={severity: summary.get(severity.value.lower(), 0) for severity in Severity},
        summary=summary,
        conditions=tuple(
            StoredCondition(**{name: clean(one.get(name)) for name in ("type", "status", "reason", "message")})
            for one in _listed(status, "conditions")
        ),
        findings=tuple(one for one in found if one is not None),
        truncated=_count(status.get("truncatedFindings")),
        coverage={key: _count(value) for key, value in coverage.items() if isinstance(value, int)},
        skipped_checks=tuple(
            (clean(one.get("check")), clean(one.get("reason"))) for one in _listed(coverage, "skippedChecks")
        ),
    )


def clean(text: object, longest: int = bounds.MESSAGE) -> str:
    """Return text of an object, safe for a terminal; what the agent escaped already stays as it is."""
    return "\\".join(printable(piece, longest) for piece in text.split("\\")) if isinstance(text, str) else ""


def moment(text: object) -> datetime | None:
    """Return a time of an object in UTC; None for anything else, or without its zone."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
        return None if found is None or found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _finding(one: Object) -> Finding | None:
    try:
        severity = Severity(str(one.get("severity")))
    except ValueError:
        return None
    pod = _object(one.get("pod"))
    return Finding(
        id=clean(one.get("id")),
        check=clean(one.get("check")),
        reason=clean(one.get("reason")),
        severity=severity,
        subject=Subject(
            namespace=clean(pod.get("namespace")),
            pod=clean(pod.get("name")),
            uid=clean(pod.get("uid")),
            sandbox_id=clean(one.get("sandboxID")),
            container=clean(one.get("container")),
        ),
        message=clean(one.get("message")),
        evidence=tuple(
            Evidence(name=clean(fact.get("name")), value=clean(fact.get("value"))) for fact in _listed(one, "evidence")
        ),
        next_commands=tuple(
            NextCommand(
                run_on=RunOn.CLUSTER if command.get("runOn") == RunOn.CLUSTER else RunOn.NODE,
                command=clean(command.get("command")),
            )
            for command in _listed(one, "nextCommands")
        ),
        first_seen_at=moment(one.get("firstSeenTime")) or EPOCH,
    )


def _object(value: object) -> Object:
    return value if isinstance(value, dict) else {}


def _listed(value: Object, name: str) -> Iterator[Object]:
    found = value.get(name)
    yield from (one for one in (found if isinstance(found, list) else ()) if isinstance(one, dict))


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
