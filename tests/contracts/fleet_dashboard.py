"""The dashboard of all nodes: what is broken anywhere, and whether the agents that look for it are well."""

from contracts.dashboard_model import KEPT_IN_LINKS, Column, Dashboard, Kind, Panel, Query, Row, Variable
from contracts.dashboard_parts import (
    ASKS,
    CRITICAL,
    FLEET_UID,
    NO_RECORDED,
    NODE_UID,
    OF_AGENTS,
    RATE,
    TO_NODE,
    WARNING,
    by_reason,
    counts,
    findings_table,
    fleet,
    graph,
    stat,
)
from pausewatch.checks._check import all_checks

LOST = (
    "NamespaceNotShared",
    "HostNamespaceJoined",
    "ForeignNamespaceJoined",
    "ProcessMovedItself",
    "PauseGone",
    "ContainerProcessGone",
    "PodIPMissing",
    "LoopbackDown",
    "DuplicatePodIP",
)
OUTLIVED = (
    "OrphanedSandbox",
    "SandboxStuckTerminating",
    "UnlistedPause",
    "UnmanagedProcess",
    "OrphanedShim",
    "StaleSandbox",
    "LeakedNetworkNamespace",
    "LeakedPodAddress",
)
ZOMBIES = ("ZombieBuildup", "PidLimitNear")
IMAGES = ("SandboxImageMissing", "SandboxImageUnpinned", "SandboxImageDrift")
"""Reasons that belong together, a graph each; the others, and those of checks to come, share one."""

NOT_JUDGED = 'outcome=~"SKIP|ERROR"'


def _number_of_nodes(title: str, description: str, of_nodes: str, which: str) -> Panel:
    """Return the number of nodes for which something holds: 0 if for none, no number if there is no agent at all."""
    query = Query(expression=f"count({of_nodes} {which}) or 0 * count({of_nodes})", legend="nodes")
    return stat(title, description, query, steps=((1, "red"),), when_empty="no agent is scraped")


def _nodes_table() -> Panel:
    asking = f"sum by (cluster, node) ({fleet('pausewatch_findings', ASKS)}) > 0"

    def of_asking(selector: str) -> str:
        return f"sum by (cluster, node) ({selector}) and on (cluster, node) ({asking})"

    return Panel(
        title="Nodes, worst first",
        description="Nodes with a finding that asks for something; the name leads to the node.",
        kind=Kind.TABLE,
        unit="short",
        width=9,
        height=10,
        queries=(
            Query(expression=of_asking(fleet("pausewatch_findings", CRITICAL)), legend="critical"),
            Query(expression=of_asking(fleet("pausewatch_findings", WARNING)), legend="warning"),
            Query(expression=of_asking(fleet("pausewatch_zombie_processes")), legend="zombies"),
        ),
        when_empty="no node has a finding",
        columns=(
            Column(label="node", title="Node", link=TO_NODE, link_title="Open the node"),
            Column(label="critical", title="Critical"),
            Column(label="warning", title="Warning"),
            Column(label="zombies", title="Zombies"),
        ),
        sorted_by=(("Critical", True), ("Warning", True)),
    )


def _fleet_over_time() -> tuple[Panel, ...]:
    return (
        by_reason(
            "Pods that lost what their sandbox holds",
            "Namespaces, addresses and pauses that are not as the pod asked for; Kubernetes calls such pods Running.",
            LOST,
            ("namespace-not-shared", "pause-gone", "pod-ip-missing"),
        ),
        by_reason(
            "What outlived its pod",
            "Sandboxes, processes, network namespaces and addresses of pods that are gone. A line that only rises is a"
            " leak.",
            OUTLIVED,
            ("orphaned-sandbox", "unlisted-pause", "leaked-network-namespace"),
        ),
        by_reason(
            "Containers that do not reap",
            "Containers and nodes that keep their dead, and those whose pid limit is nearly used up by them.",
            ZOMBIES,
            ("zombie-buildup", "pid-limit-near"),
        ),
        graph(
            "Zombies over time",
            "Dead processes that nobody has reaped, all together and on the node with most of them.",
            Query(expression=f"sum({fleet('cluster:pausewatch_zombie_processes:sum')})", legend="all nodes"),
            Query(expression=f"max({fleet('cluster:pausewatch_zombie_processes:max')})", legend="worst node"),
            checks=("zombie-buildup",),
            when_empty=NO_RECORDED,
        ),
        by_reason(
            "Nodes whose sandbox image drifts",
            "Missing: the next pod depends on a pull. Unpinned: garbage collection may remove it. Drift: sandboxes run"
            " another image than the configured one, as after an upgrade.",
            IMAGES,
            ("sandbox-image-missing", "sandbox-image-unpinned", "sandbox-image-drift"),
        ),
        by_reason(
            "Pods that can not start, and all other findings",
            "Sandboxes that are not made, made twice or made anew all the time, and whatever the other graphs lack.",
            tuple(
                reason.name
                for check in all_checks()
                for reason in check.reasons
                if reason.name not in {*LOST, *OUTLIVED, *ZOMBIES, *IMAGES}
            ),
            ("sandbox-create-failing", "sandbox-churn"),
        ),
    )


def _fleet_agents() -> tuple[Panel, ...]:
    errors = fleet("pausewatch_source_errors_total")
    return (
        graph(
            "Agents by version",
            "Two versions for longer than an update takes are an update that is stuck.",
            Query(expression=f"count by (version) ({fleet('pausewatch_build_info')})", legend="{{version}}"),
        ),
        graph(
            "Age of the oldest last scan",
            "How long ago the agent that is furthest behind looked. Far above the scan period, nobody watches there.",
            Query(
                expression=f"max(time() - {fleet('pausewatch_last_scan_success_timestamp_seconds')})",
                legend="last scan",
            ),
            Query(expression=f"max({fleet('pausewatch_scan_period_seconds')})", legend="scan period"),
            unit="s",
        ),
        graph(
            "Checks that could not be judged",
            "SKIP: an input is missing, such as a runtime that does not answer. ERROR: a bug in pausewatch.",
            Query(
                expression=f"sum by (outcome) ({fleet('pausewatch_checks', NOT_JUDGED)})",
                legend="{{outcome}}",
            ),
        ),
        graph(
            "What agents could not read, and scans that broke",
            "Failed readings per second, by source; a scan that breaks is a bug in pausewatch.",
            Query(expression=f"sum by (source) (rate({errors}{RATE}))", legend="{{source}}"),
            Query(expression=f"sum(rate({fleet('pausewatch_scan_crashes_total')}{RATE}))", legend="scans that broke"),
            unit="ops",
        ),
        graph(
            "Writes to the API server",
            "Of all agents together. Failed writes beside none that succeed mean that kubectl shows the past.",
            Query(expression=f"sum(rate({fleet('pausewatch_report_writes_total')}{RATE}))", legend="reports"),
            Query(
                expression=f"sum(rate({fleet('pausewatch_report_write_errors_total')}{RATE}))", legend="reports, failed"
            ),
            Query(expression=f"sum(rate({fleet('pausewatch_events_posted_total')}{RATE}))", legend="Events"),
            Query(expression=f"sum(rate({fleet('pausewatch_events_dropped_total')}{RATE}))", legend="Events, dropped"),
            unit="reqps",
        ),
        graph(
            "Memory of the agents",
            "Resident memory of the largest agent, and on average. The memory limit of the chart is 128 MiB.",
            Query(expression=f"max({fleet('process_resident_memory_bytes', OF_AGENTS)})", legend="largest"),
            Query(expression=f"avg({fleet('process_resident_memory_bytes', OF_AGENTS)})", legend="on average"),
            unit="bytes",
        ),
    )


FLEET = Dashboard(
    uid=FLEET_UID,
    title="Pod sandboxes: fleet",
    description="Is anything broken, where, and since when; and whether the agents that look for it are well.",
    variables=(
        Variable(
            name="cluster", label="Cluster", values="label_values(pausewatch_build_info, cluster)", can_be_all=True
        ),
        Variable(
            name="namespace",
            label="Namespace",
            values='label_values(pausewatch_finding_first_seen_timestamp_seconds{cluster=~"$cluster"}, namespace)',
            can_be_all=True,
        ),
    ),
    rows=(
        Row(
            title="Is anything broken?",
            panels=(
                *counts(fleet),
                _number_of_nodes(
                    "Nodes with a finding",
                    "Nodes on which something asks for somebody.",
                    f"sum by (cluster, node) ({fleet('pausewatch_findings', ASKS)})",
                    "> 0",
                ),
                _number_of_nodes(
                    "Agents that do not answer",
                    "Nodes that nobody watches now: whatever is broken there is not in this dashboard.",
                    f"max by (cluster, node) ({fleet('up', OF_AGENTS)})",
                    "== 0",
                ),
                _nodes_table(),
                findings_table(fleet, with_node=True, width=15),
            ),
        ),
        Row(title="Findings over time", panels=_fleet_over_time()),
        Row(title="The agents", panels=_fleet_agents()),
    ),
    links=(("One node", f"/d/{NODE_UID}?{KEPT_IN_LINKS}"),),
)
