"""The dashboard of one node; see ``dashboard_parts`` for what it shares with that of the fleet."""

from contracts.dashboard_model import Dashboard, Panel, Query, Row, Variable
from contracts.dashboard_parts import (
    NODE_UID,
    OF_AGENTS,
    OF_NAMESPACE,
    RATE,
    TO_FLEET,
    counts,
    findings_table,
    graph,
    node,
    stat,
)

RUNTIME = 'source="runtime"'
YES_OR_NO = {0: ("no", "red"), 1: ("yes", "green")}
FIRST_SEEN = "pausewatch_finding_first_seen_timestamp_seconds"


def _now() -> tuple[Panel, ...]:
    return (
        *counts(node),
        stat(
            "Runtime answers",
            "Whether the agent could ask the container runtime in the last scan. If not, almost no check is judged.",
            Query(expression=f"min({node('pausewatch_source_up', RUNTIME)})", legend="answers"),
            unit="none",
            value_texts=YES_OR_NO,
        ),
        stat(
            "Sandbox image present",
            "Whether the node has the image that every sandbox is made from; without it the next pod needs a pull.",
            Query(expression=f"min({node('pausewatch_sandbox_image_present')})", legend="present"),
            unit="none",
            value_texts=YES_OR_NO,
            when_empty="not known",
            checks=("sandbox-image-missing",),
        ),
        findings_table(node, with_node=False, width=24),
    )


def _workloads() -> tuple[Panel, ...]:
    zombies = node("pausewatch_container_zombie_processes", OF_NAMESPACE)
    return (
        graph(
            "Findings by reason",
            "All findings, those for information included.",
            Query(expression=f"sum by (reason) ({node('pausewatch_findings')}) > 0", legend="{{reason}}"),
            when_empty="nothing was found",
        ),
        graph(
            "Zombies by container",
            "Dead processes that nobody has reaped; without a container it is a sandbox. At most 200 are told.",
            Query(
                expression=f"sum by (namespace, pod, container) ({zombies})",
                legend="{{namespace}}/{{pod}}/{{container}}",
            ),
            Query(expression=f"max({node('pausewatch_zombie_processes')})", legend="the whole node"),
            checks=("zombie-buildup", "pid-limit-near"),
        ),
        graph(
            "Sandboxes",
            "What the container runtime lists. NOTREADY ones wait for the kubelet to remove them.",
            Query(expression=f"sum by (state) ({node('pausewatch_sandboxes')})", legend="{{state}}"),
            checks=("stale-sandbox",),
        ),
        graph(
            "Containers",
            "What the container runtime lists, by state.",
            Query(expression=f"sum by (state) ({node('pausewatch_containers')})", legend="{{state}}"),
        ),
        graph(
            "Pauses and PID namespaces",
            "Fewer pauses than ready sandboxes are pauses that died; CRI-O and gVisor need fewer.",
            Query(expression=f"max({node('pausewatch_pause_processes')})", legend="pauses"),
            Query(expression=f"max({node('pausewatch_pid_namespaces')})", legend="PID namespaces"),
            checks=("pause-gone",),
        ),
        graph(
            "Memory of the pauses",
            "Resident memory of all pauses together, where shared pages count for each. A pause needs less than 1 MiB.",
            Query(expression=f"max({node('pausewatch_pause_memory_bytes')})", legend="pauses"),
            unit="bytes",
            checks=("abnormal-pause",),
        ),
    )


def _agent() -> tuple[Panel, ...]:
    return (
        graph(
            "Age of the last scan",
            "How long ago the agent looked. Far above the scan period, nobody watches the node.",
            Query(
                expression=f"max(time() - {node('pausewatch_last_scan_success_timestamp_seconds')})", legend="last scan"
            ),
            Query(expression=f"max({node('pausewatch_scan_period_seconds')})", legend="scan period"),
            unit="s",
        ),
        graph(
            "Duration of a scan",
            "Of the last scan, by phase. Mostly what the container runtime and the kernel take to answer.",
            Query(expression=f"sum by (phase) ({node('pausewatch_last_scan_duration_seconds')})", legend="{{phase}}"),
            unit="s",
        ),
        graph(
            "Checks by outcome",
            "SKIP: an input is missing; the report tells which. ERROR: a bug in pausewatch.",
            Query(expression=f"sum by (outcome) ({node('pausewatch_checks')})", legend="{{outcome}}"),
        ),
        graph(
            "Scans per minute",
            "Scans that gave a report, and those that broke: a bug in pausewatch.",
            Query(expression=f"60 * sum(rate({node('pausewatch_scans_total')}{RATE}))", legend="scans"),
            Query(expression=f"60 * sum(rate({node('pausewatch_scan_crashes_total')}{RATE}))", legend="broke"),
        ),
        graph(
            "Failed readings per minute",
            "How often a source did not give what it was asked for.",
            Query(
                expression=f"60 * sum by (source) (rate({node('pausewatch_source_errors_total')}{RATE}))",
                legend="{{source}}",
            ),
        ),
        graph(
            "Writes to the API server per hour",
            "A quiet node writes its report six times an hour. Events are dropped where the API server takes none.",
            Query(expression=f"3600 * sum(rate({node('pausewatch_report_writes_total')}{RATE}))", legend="reports"),
            Query(
                expression=f"3600 * sum(rate({node('pausewatch_report_write_errors_total')}{RATE}))",
                legend="reports, failed",
            ),
            Query(expression=f"3600 * sum(rate({node('pausewatch_events_posted_total')}{RATE}))", legend="Events"),
            Query(
                expression=f"3600 * sum by (reason) (rate({node('pausewatch_events_dropped_total')}{RATE}))",
                legend="Events, dropped: {{reason}}",
            ),
        ),
        graph(
            "Memory of the agent",
            "Resident memory. The memory limit of the chart is 128 MiB.",
            Query(expression=f"max({node('process_resident_memory_bytes', OF_AGENTS)})", legend="resident"),
            unit="bytes",
        ),
        graph(
            "CPU of the agent",
            "Share of one CPU.",
            Query(expression=f"sum(rate({node('process_cpu_seconds_total', OF_AGENTS)}{RATE}))", legend="used"),
            unit="percentunit",
        ),
        graph(
            "Series left out",
            "Series that name pods and are missing in this dashboard: a node with more than 200 of one metric.",
            Query(expression=f"max({node('pausewatch_series_dropped')})", legend="left out"),
        ),
    )


NODE = Dashboard(
    uid=NODE_UID,
    title="Pod sandboxes: node",
    description="What is wrong on one node, with which pod, and how its agent does.",
    variables=(
        Variable(
            name="cluster", label="Cluster", values="label_values(pausewatch_build_info, cluster)", can_be_all=True
        ),
        Variable(
            name="node",
            label="Node",
            values='label_values(pausewatch_build_info{cluster=~"$cluster"}, node)',
            can_be_all=False,
        ),
        Variable(
            name="namespace",
            label="Namespace",
            values=f'label_values({FIRST_SEEN}{{cluster=~"$cluster", node="$node"}}, namespace)',
            can_be_all=True,
        ),
    ),
    rows=(
        Row(title="Now", panels=_now()),
        Row(title="Pods and sandboxes", panels=_workloads()),
        Row(title="The agent", panels=_agent()),
    ),
    links=(("All nodes", TO_FLEET),),
)
