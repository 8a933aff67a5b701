"""The runtime calls a container RUNNING, and its first process is dead."""

import shlex

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Threshold, Thresholds
from pausewatch.model.next_commands import delete_pod
from pausewatch.model.pod_commands import inspect_pod
from pausewatch.model.process import Process
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.sandbox import Container
from pausewatch.model.view import NodeView

CONTAINER_PROCESS_GONE = "ContainerProcessGone"

STOPPED = frozenset("Tt")
"""States of a process that somebody stopped: it hears of nothing until it is continued (proc_pid_stat(5))."""


def run(node: NodeView, thresholds: Thresholds) -> tuple[Observation, ...]:
    """Find running containers whose process was missing in an earlier scan already."""
    return tuple(
        _observe(node, container, thresholds["seen_for_seconds"])
        for container in node.containers_without_process
        if node.is_lost(container.id)
    )


def _observe(node: NodeView, container: Container, bound_seconds: float) -> Observation:
    subject = node.subject_of(container)
    lasting = node.lost_for_seconds(container.id) >= bound_seconds
    details = node.container_details(container)
    pid = details.pid if details is not None else 0
    shim = _shim(node, container, pid)
    return Observation(
        reason=CONTAINER_PROCESS_GONE,
        severity=Severity.CRITICAL if lasting else Severity.INFO,
        subject=subject,
        message=(
            f"The runtime calls {subject} running, but its first process, pid {pid}, has been dead for"
            f" {'at least' if lasting else 'less than'} {bound_seconds:g} s: the container does nothing, and Kubernetes"
            " does not restart what it takes for running"
        ),
        evidence=(
            Evidence(name="containerId", value=container.id),
            Evidence(name="process", value=f"{pid}, {_remains(node, pid)}"),
            *((Evidence(name="shim", value=f"{shim.pid} ({shim.name}), {_liveliness(shim)}"),) if shim else ()),
        ),
        next_commands=_next_commands(node, container, shim),
        rests_on=(container.id,),
    )


def _remains(node: NodeView, pid: int) -> str:
    return "a zombie that its parent has not reaped" if pid in node.processes else "not in /proc"


def _shim(node: NodeView, container: Container, pid: int) -> Process | None:
    """Return the process that should have told the runtime: the parent of the zombie, else that of the pause."""
    pause = node.first_processes.get(container.sandbox_id)
    child = node.processes.get(pid) or (node.processes.get(pause.identity.pid) if pause is not None else None)
    return node.processes.get(child.parent_pid) if child is not None else None


def _liveliness(shim: Process) -> str:
    if shim.is_zombie:
        return "dead"
    return "stopped by a signal or a debugger" if shim.state in STOPPED else "alive"


def _next_commands(node: NodeView, container: Container, shim: Process | None) -> tuple[NextCommand, ...]:
    sandbox = node.sandboxes[container.sandbox_id]
    shim_state = f"ps -p {shim.pid} -o pid,stat,lstart,comm" if shim is not None else ""
    return (
        inspect_pod(sandbox.namespace, sandbox.name),
        NextCommand(run_on=RunOn.NODE, command=f"crictl inspect {shlex.quote(container.id)}"),
        *((NextCommand(run_on=RunOn.NODE, command=shim_state),) if shim_state else ()),
        *delete_pod(sandbox.namespace, sandbox.name, sandbox.uid),
    )


CHECK = Check(
    id="container-process-gone",
    title="A container is called running, and its process is dead",
    reasons=(
        Reason(
            name=CONTAINER_PROCESS_GONE,
            severities=(Severity.CRITICAL, Severity.INFO),
            meaning="the runtime lists a container as running whose first process has ended",
        ),
    ),
    needs=("sandboxes", "containers", "first_processes", "processes"),
    thresholds=(
        Threshold(
            name="seen_for_seconds",
            unit="seconds",
            default=30,
            minimum=0,
            why="a runtime hears of an exit within milliseconds; one whose disk is overloaded may take seconds to "
            "clean up behind it first. Until then the finding is Info",
        ),
    ),
    persistence=Persistence(
        looks=1,
        why="a process counts only from the second scan on that misses it, and only while the runtime, asked again "
        "afterwards, still calls its container running",
    ),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
