"""Processes of a container live on after the runtime has given it up."""

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Threshold, Thresholds
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.sandbox import Container
from pausewatch.model.strays import StrayGroup, kill_processes, show_processes, stray_groups, told
from pausewatch.model.subject import Subject
from pausewatch.model.view import NodeView

UNMANAGED_PROCESS = "UnmanagedProcess"


def run(node: NodeView, thresholds: Thresholds) -> tuple[Observation, ...]:
    """Find living processes in the cgroups of exited containers, and of unlisted ones that no monitor watches over."""
    return tuple(
        _observe(node, group, thresholds) for group in stray_groups(node) if _is_left(node, group) and group.processes
    )


def _is_left(node: NodeView, group: StrayGroup) -> bool:
    if group.container is not None:
        return group.container.sandbox_id not in node.not_comparable and not _is_untold(node, group.container)
    # With a monitor of ours it is an unlisted-pause; with another runtime's it is that one's container.
    return not group.monitors


def _is_untold(node: NodeView, container: Container) -> bool:
    """Whether the runtime could not tell about the sandbox, which may then be a virtual machine."""
    sandbox = node.sandboxes.get(container.sandbox_id)
    return sandbox is not None and node.sandbox_details(sandbox) is None


def _observe(node: NodeView, group: StrayGroup, thresholds: Thresholds) -> Observation:
    short = group.container_id[:12]
    subject = _subject(node, group)
    lasting = f"{thresholds['lasting_seconds']:g} s or more"
    state = "has exited" if group.container is not None else "is not listed by the runtime"
    whose = f"of {subject}" if not subject.is_node else "in the cgroup of a pod"
    return Observation(
        reason=UNMANAGED_PROCESS,
        severity=Severity.WARNING,
        subject=subject,
        part=short,
        message=(
            f"Container {short} {whose} {state}, and {group.count} of it lived on for {lasting}: nobody will stop what"
            " is left, and it may write beside the container that replaced this one"
        ),
        evidence=(Evidence(name="containerId", value=group.container_id), *told(group)),
        next_commands=(
            NextCommand(run_on=RunOn.NODE, command=show_processes(group.container_id)),
            NextCommand(run_on=RunOn.NODE, command=kill_processes(group.container_id)),
        ),
        rests_on=(),
    )


def _subject(node: NodeView, group: StrayGroup) -> Subject:
    container = group.container
    if container is None or container.sandbox_id not in node.sandboxes:
        return Subject()
    return node.subject_of(container)


CHECK = Check(
    id="unmanaged-process",
    title="Processes of a container live on after the runtime has given it up",
    reasons=(
        Reason(
            name=UNMANAGED_PROCESS,
            severities=(Severity.WARNING,),
            meaning="living processes in the cgroup of a container that has exited or is not listed",
        ),
    ),
    needs=("sandboxes", "containers", "processes", "memberships", "monitors"),
    thresholds=(
        Threshold(
            name="lasting_seconds",
            unit="seconds",
            default=300,
            minimum=0,
            why="the runtime kills what a container leaves behind; a process that waits for a disk or a file server "
            "dies when the wait ends, mostly within minutes",
        ),
    ),
    persistence=Persistence(
        looks=2,
        seconds_threshold="lasting_seconds",
        why="while a container ends, its state and its processes do not change in the same instant",
    ),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
