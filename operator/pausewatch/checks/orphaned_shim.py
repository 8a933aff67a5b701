"""A shim goes on although there is nothing left to watch over."""

import re
import shlex

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Threshold, Thresholds
from pausewatch.model.membership import SETTLING_SECONDS, Monitor, MonitorKind
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.strays import ctr, living_children
from pausewatch.model.subject import Subject
from pausewatch.model.view import NodeView

ORPHANED_SHIM = "OrphanedShim"

ID_OF_THE_CRI = re.compile(r"[0-9a-f]{64}")
"""How the CRI's ids look. Tools that share its namespace (BuildKit, ``ctr run`` by hand) mostly name theirs otherwise.
"""


def run(node: NodeView, thresholds: Thresholds) -> tuple[Observation, ...]:
    """Find the runtime's own monitors whose sandbox or container it does not list, and that have no process left."""
    monitors = () if not isinstance(node.snapshot.monitors, tuple) else node.snapshot.monitors
    return tuple(
        _observe(node, monitor, thresholds)
        for monitor in monitors
        if monitor.serves_the_cri
        and monitor.unlisted_seconds >= SETTLING_SECONDS
        and ID_OF_THE_CRI.fullmatch(monitor.owner_id)
        and not living_children(node, monitor)
    )


def _observe(node: NodeView, monitor: Monitor, thresholds: Thresholds) -> Observation:
    short = monitor.owner_id[:12]
    pid = monitor.identity.pid
    return Observation(
        reason=ORPHANED_SHIM,
        severity=Severity.WARNING,
        subject=Subject(),
        part=f"{short}-{pid}",
        message=(
            f"The {monitor.kind} with pid {pid} has watched over nothing for {thresholds['lasting_seconds']:g} s or"
            f" more: the runtime lists neither a sandbox nor a container {short}, and no process of it is left; it"
            " keeps its memory, and nothing will end it"
        ),
        evidence=(
            Evidence(name="monitor", value=f"{pid} {monitor.kind}"),
            Evidence(name="ownerId", value=monitor.owner_id),
            Evidence(name="runtimeNamespace", value=monitor.runtime_namespace or "none"),
        ),
        next_commands=_next_commands(node, monitor),
        rests_on=(),
    )


def _next_commands(node: NodeView, monitor: Monitor) -> tuple[NextCommand, ...]:
    look = NextCommand(run_on=RunOn.NODE, command=f"ps -ww -p {monitor.identity.pid} -o pid,ppid,lstart,args")
    containerd = ctr(node)
    if not containerd or monitor.kind is not MonitorKind.SHIM:
        return (look,)
    identifier = shlex.quote(monitor.owner_id)
    return (
        look,
        NextCommand(run_on=RunOn.NODE, command=f"{containerd} tasks ls"),
        NextCommand(run_on=RunOn.NODE, command=f"{containerd} tasks delete {identifier}"),
    )


CHECK = Check(
    id="orphaned-shim",
    title="A shim goes on although there is nothing left to watch over",
    reasons=(
        Reason(
            name=ORPHANED_SHIM,
            severities=(Severity.WARNING,),
            meaning="a shim (CRI-O: conmon) without a process, whose sandbox or container is not listed",
        ),
    ),
    needs=("sandboxes", "containers", "processes", "monitors"),
    thresholds=(
        Threshold(
            name="lasting_seconds",
            unit="seconds",
            default=300,
            minimum=0,
            why="a shim starts before its sandbox is listed and ends after it is gone; with virtual machines and slow "
            "network plugins that takes a minute, not five",
        ),
    ),
    persistence=Persistence(
        looks=2,
        seconds_threshold="lasting_seconds",
        why="between the start of a shim and of its first process it looks the same",
    ),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
