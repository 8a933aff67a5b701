"""What both dashboards are made of: how they select, kinds of panels, the numbers and findings that they share."""

from typing import Any, Protocol

from contracts.dashboard_model import (
    KEPT_IN_LINKS,
    Column,
    Kind,
    Panel,
    Query,
    runbook,
)
from pausewatch.alerts.agent_alerts import JOB

FLEET_UID = "pausewatch-fleet"
NODE_UID = "pausewatch-node"
TO_NODE = f"/d/{NODE_UID}?var-node=${{__value.text}}&{KEPT_IN_LINKS}&${{__url_time_range}}"
TO_FLEET = f"/d/{FLEET_UID}?{KEPT_IN_LINKS}"

CRITICAL, WARNING = 'severity="Critical"', 'severity="Warning"'
ASKS = 'severity=~"Critical|Warning"'
"""Findings that ask for something; others are for information."""

OF_NAMESPACE = 'namespace=~"$namespace"'
ORPHANED = 'reason="OrphanedSandbox"'
OF_AGENTS = f'job="{JOB}"'
"""For metrics that everybody has."""

RATE = "[$__rate_interval]"

NO_RECORDED = "no data: Prometheus has to load the rules of pausewatch"


class Scope(Protocol):
    """Selects a metric for a dashboard."""

    def __call__(self, metric: str, *matchers: str) -> str:
        """Return the selector: of what the dashboard is about, and of what matches besides."""


def fleet(metric: str, *matchers: str) -> str:
    """Select a metric of all nodes."""
    everything = ", ".join(('cluster=~"$cluster"', *matchers))
    return f"{metric}{{{everything}}}"


def node(metric: str, *matchers: str) -> str:
    """Select a metric of the chosen node."""
    return fleet(metric, 'node="$node"', *matchers)


def stat(title: str, description: str, *queries: Query, unit: str = "short", **look: Any) -> Panel:  # noqa: ANN401  fields
    """Return a panel with one number."""
    look = {"width": 4, "height": 4, **look}
    return Panel(title=title, description=description, kind=Kind.STAT, unit=unit, queries=queries, **look)


def graph(title: str, description: str, *queries: Query, unit: str = "short", **look: Any) -> Panel:  # noqa: ANN401  fields
    """Return a panel with lines over time."""
    look = {"width": 8, "height": 8, **look}
    return Panel(title=title, description=description, kind=Kind.TIME_SERIES, unit=unit, queries=queries, **look)


def by_reason(title: str, description: str, reasons: tuple[str, ...], checks: tuple[str, ...]) -> Panel:
    """Return a graph of the number of findings of the whole fleet, by their reason."""
    recorded = "cluster_check_reason_severity:pausewatch_findings:sum"
    selector = fleet(recorded, f'reason=~"{"|".join(reasons)}"')
    query = Query(expression=f"sum by (reason) ({selector})", legend="{{reason}}")
    return graph(title, description, query, checks=checks, when_empty=NO_RECORDED)


def counts(scope: Scope) -> tuple[Panel, ...]:
    """Return the numbers that both dashboards begin with."""
    findings = "pausewatch_findings"
    return (
        stat(
            "Critical findings",
            "Pods that are broken now, or a node that is about to be. Anything but 0 needs somebody.",
            Query(expression=f"sum({scope(findings, CRITICAL)})", legend="critical"),
            steps=((1, "red"),),
        ),
        stat(
            "Warnings",
            "What wears out a node, or breaks later.",
            Query(expression=f"sum({scope(findings, WARNING)})", legend="warning"),
            steps=((1, "orange"),),
        ),
        stat(
            "Orphaned sandboxes",
            "Sandboxes whose pods are gone from the API server: they hold addresses, and may still do their work.",
            Query(expression=f"sum({scope(findings, ORPHANED)})", legend="orphaned"),
            steps=((1, "orange"),),
            checks=("orphaned-sandbox",),
        ),
        stat(
            "Zombies",
            "Dead processes that nobody has reaped. A few for moments are ordinary; each one that stays keeps a pid.",
            Query(expression=f"sum({scope('pausewatch_zombie_processes')})", legend="zombies"),
            checks=("zombie-buildup",),
        ),
    )


def findings_table(scope: Scope, *, with_node: bool, width: int) -> Panel:
    """Return the table of findings that ask for something."""
    place = ("cluster", "node") if with_node else ()
    labels = (*place, "severity", "reason", "check", "namespace", "pod", "container")
    selector = scope("pausewatch_finding_first_seen_timestamp_seconds", OF_NAMESPACE, ASKS)
    node_column = (Column(label="node", title="Node", link=TO_NODE, link_title="Open the node"),) if with_node else ()
    return Panel(
        title="Findings, worst first",
        description="What is wrong, with whom, since when; the check leads to its runbook. At most 200 per node.",
        kind=Kind.TABLE,
        unit="none",
        width=width,
        height=10,
        queries=(Query(expression=f"min by ({', '.join(labels)}) ({selector}) * 1000", legend="since"),),
        when_empty="nothing is wrong",
        columns=(
            Column(label="severity", title="Severity", colors={"Critical": "red", "Warning": "orange"}),
            Column(label="reason", title="Reason"),
            *node_column,
            Column(label="namespace", title="Namespace"),
            Column(label="pod", title="Pod"),
            Column(label="container", title="Container"),
            Column(label="since", title="Since", unit="dateTimeFromNow"),
            Column(label="check", title="Check", link=runbook("${__value.text}"), link_title="Open the runbook"),
        ),
        sorted_by=(("Severity", False), ("Since", False)),
    )
