"""The rule file of the chart: recording rules, an alert per reason that asks for something, and those about agents.

Rendered by ``render.py`` into charts/pausewatch/files/alerts.yaml: plain rules that Prometheus loads as they are.
Conventions: kubernetes-mixin (``severity``, ``summary`` without variables, ``description``, ``runbook_url``) and
Prometheus, "Recording rules" (level:metric:operations).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from pausewatch.alerts.agent_alerts import AGENT_ALERTS, ALERT_PREFIX
from pausewatch.checks._check import Check, Reason, all_checks, thresholds_of
from pausewatch.model.report import Severity
from pausewatch.sinks.report import RUNBOOK_URL, UNFOLDED

ALERT_RUNBOOK_URL = "https://pausewatch.github.io/alerts/{alert}"
FIRST_SEEN = "pausewatch_finding_first_seen_timestamp_seconds"

DELAY_SECONDS = {Severity.CRITICAL: 120, Severity.WARNING: 900}
"""What an alert waits after the check itself is sure. Two minutes let a pod go that is being deleted because of it; a
warning that went by itself within a quarter of an hour needs nobody."""

LEAST_KEEP_FIRING_SECONDS = 300
"""An agent that is restarted has to look again, for minutes where a fault has to last, before it tells what its
predecessor told: without this, each update of the DaemonSet would resolve all alerts and send them anew. Where it has
to last for five minutes, twice that: those are over a while after the agent's start only."""

SUBJECT = (
    "{{ with $labels.pod }}{{ $labels.namespace }}/{{ . }}{{ with $labels.container }}/{{ . }}{{ end }}"
    " on node {{ $labels.node }}{{ else }}node {{ $labels.node }}{{ end }}"
)
NODE = "{{ $labels.node }}"
SINCE = "{{ $value | humanizeTimestamp }}"

RECORDED = {
    "cluster_check_reason_severity:pausewatch_findings:sum": (
        "sum by (cluster, check, reason, severity) (pausewatch_findings)"
    ),
    "cluster:pausewatch_zombie_processes:sum": "sum by (cluster) (pausewatch_zombie_processes)",
    "cluster:pausewatch_zombie_processes:max": "max by (cluster) (pausewatch_zombie_processes)",
}
"""Of 5,000 nodes a graph over a day would read 200,000 series; of these it reads about forty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One alerting rule."""

    name: str
    severity: Severity
    expression: str
    delay_seconds: int
    keep_firing_seconds: int = 0
    summary: str
    description: str
    runbook_url: str
    reason: str = ""
    """Of the finding; empty in alerts about agents."""

    page: str
    """Of the check, or of the alert: a path below the package."""


def finding_rules() -> Iterator[Rule]:
    """Yield the alerts about findings."""
    for check in all_checks():
        for reason in check.reasons:
            for severity in reason.severities:
                if severity is not Severity.INFO:
                    yield _of_reason(check, reason, severity)


def agent_rules() -> Iterator[Rule]:
    """Yield the alerts about agents."""
    for alert in AGENT_ALERTS:
        yield Rule(
            name=alert.name,
            severity=alert.severity,
            expression=alert.expression,
            delay_seconds=alert.delay_seconds,
            summary=alert.summary,
            description=alert.description.format(node=NODE),
            runbook_url=ALERT_RUNBOOK_URL.format(alert=alert.name),
            page=f"alerts/{alert.page}",
        )


def describe_finding(reason: Reason, subject: str, node: str, since: str) -> str:
    """Return what an alert says of a finding; its parts are templates in the rule, and texts where it is tested."""
    return (
        f"{subject}: {reason.meaning}, since {since}. What proves it, and what to type next: kubectl get psr {node}"
        f" --output yaml. What it means, and what to do: pausewatch explain {reason.name}"
    )


def render_rules() -> str:
    """Return the rule file."""
    groups = [
        {
            "name": "pausewatch.recorded",
            "rules": [{"record": name, "expr": expression} for name, expression in RECORDED.items()],
        },
        {"name": "pausewatch.findings", "rules": [_written(rule) for rule in finding_rules()]},
        {"name": "pausewatch.agents", "rules": [_written(rule) for rule in agent_rules()]},
    ]
    return yaml.dump({"groups": groups}, Dumper=_Dumper, sort_keys=False, width=UNFOLDED)


def lasting_seconds(check: Check) -> float:
    """Return how long by default a fault has to last, in the sight of one agent, before the check tells it."""
    return check.persistence_seconds(thresholds_of(check, {}))


def duration(seconds: int) -> str:
    """Return a time as Prometheus writes it: all of ours are whole minutes."""
    return f"{seconds // 60}m"


def _of_reason(check: Check, reason: Reason, severity: Severity) -> Rule:
    own = reason.alert_delay_seconds
    return Rule(
        name=f"{ALERT_PREFIX}{reason.name}",
        severity=severity,
        expression="min by (cluster, node, check, namespace, pod, container) (\n"
        f'  {FIRST_SEEN}{{reason="{reason.name}", severity="{severity}"}}\n)',
        delay_seconds=DELAY_SECONDS[severity] if own is None else own,
        keep_firing_seconds=max(LEAST_KEEP_FIRING_SECONDS, int(2 * lasting_seconds(check))),
        summary=f"{reason.meaning[0].upper()}{reason.meaning[1:]}.",
        description=describe_finding(reason, SUBJECT, NODE, SINCE),
        runbook_url=RUNBOOK_URL.format(check=check.id),
        reason=reason.name,
        page=f"checks/{check.page}",
    )


def _written(rule: Rule) -> dict[str, object]:
    keep = {"keep_firing_for": duration(rule.keep_firing_seconds)} if rule.keep_firing_seconds else {}
    return {
        "alert": rule.name,
        "expr": rule.expression,
        "for": duration(rule.delay_seconds),
        **keep,
        "labels": {"severity": rule.severity.lower()},
        "annotations": {
            "summary": rule.summary,
            "description": rule.description,
            "runbook_url": rule.runbook_url,
        },
    }


class _Dumper(yaml.SafeDumper):
    """Writes expressions of several lines as such, and lists indented."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Indent lists too: the signature is PyYAML's."""
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
