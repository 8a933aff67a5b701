"""The runtime runs a pod's process and does not list it, so that nobody knows of it."""

import shlex

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Threshold, Thresholds
from pausewatch.model.membership import MonitorKind
from pausewatch.model.next_commands import unless_listed
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.strays import StrayGroup, ctr, show_processes, stray_groups, told
from pausewatch.model.subject import Subject
from pausewatch.model.view import NodeView

UNLISTED_PAUSE = "UnlistedPause"


def run(node: NodeView, thresholds: Thresholds) -> tuple[Observation, ...]:
    """Find containers of the runtime's own shims, in the cgroup of a pod, that the runtime does not list."""
    return tuple(
        _observe(node, group, thresholds)
        for group in stray_groups(node)
        if group.container is None and group.is_managed_by_our_monitor
    )


def _observe(node: NodeView, group: StrayGroup, thresholds: Thresholds) -> Observation:
    short = group.container_id[:12]
    return Observation(
        reason=UNLISTED_PAUSE,
        severity=Severity.WARNING,
        subject=Subject(),
        part=short,
        message=(
            f"The runtime runs {group.count} as container {short} in the cgroup of a pod and has not listed it for"
            f" {thresholds['lasting_seconds']:g} s or more: neither the kubelet nor crictl sees it, and nothing will"
            " stop it"
        ),
        evidence=(
            Evidence(name="containerId", value=group.container_id),
            *told(group),
            Evidence(name="monitor", value=", ".join(str(one.identity.pid) for one in group.monitors)),
        ),
        next_commands=_next_commands(node, group),
        rests_on=(),
    )


def _next_commands(node: NodeView, group: StrayGroup) -> tuple[NextCommand, ...]:
    look = NextCommand(run_on=RunOn.NODE, command=show_processes(group.container_id))
    containerd = ctr(node)
    if not containerd or any(one.kind is not MonitorKind.SHIM for one in group.monitors):
        return (look,)
    identifier = shlex.quote(group.container_id)
    end = unless_listed(group.container_id, f"{containerd} tasks delete --force {identifier}")
    return (
        look,
        NextCommand(run_on=RunOn.NODE, command=f"{containerd} containers info {identifier}"),
        NextCommand(run_on=RunOn.NODE, command=end),
        NextCommand(run_on=RunOn.NODE, command=f"{containerd} containers delete {identifier}"),
    )


CHECK = Check(
    id="unlisted-pause",
    title="The runtime runs a pod's process and does not list it",
    reasons=(
        Reason(
            name=UNLISTED_PAUSE,
            severities=(Severity.WARNING,),
            meaning="a pause, or a container, of the runtime's own shim that the CRI does not list",
        ),
    ),
    needs=("sandboxes", "containers", "processes", "memberships", "monitors"),
    thresholds=(
        Threshold(
            name="lasting_seconds",
            unit="seconds",
            default=300,
            minimum=0,
            why="the runtime lists a sandbox after it has started its pause, and a restarted one loads what it knew; "
            "with slow disks and network plugins that takes a minute, not five",
        ),
    ),
    persistence=Persistence(
        looks=2,
        seconds_threshold="lasting_seconds",
        why="what is being started or ended right now is unlisted for a moment as well",
    ),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
