"""A sandbox lost its pause, and its containers run on without it."""

import shlex

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Threshold, Thresholds
from pausewatch.model.next_commands import delete_pod
from pausewatch.model.pod_commands import get_pod, inspect_pod
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.sandbox import ContainerState, Sandbox, SandboxState
from pausewatch.model.view import NodeView, subject_of_sandbox

PAUSE_GONE = "PauseGone"

DEFAULT_GRACE_SECONDS = 30
"""Of ``terminationGracePeriodSeconds``, for sandboxes whose containers tell none."""


def run(node: NodeView, thresholds: Thresholds) -> tuple[Observation, ...]:
    """Find sandboxes without pause whose containers ran on in an earlier scan already."""
    return tuple(
        _observe(node, sandbox, _bound_seconds(node, sandbox, thresholds))
        for sandbox in node.sandboxes_without_pause
        if node.is_of_a_kubelet(sandbox) and node.is_lost(sandbox.id)
    )


def _bound_seconds(node: NodeView, sandbox: Sandbox, thresholds: Thresholds) -> float:
    return (node.grace_seconds(sandbox) or DEFAULT_GRACE_SECONDS) + thresholds["delay_seconds"]


def _observe(node: NodeView, sandbox: Sandbox, bound_seconds: float) -> Observation:
    subject = subject_of_sandbox(sandbox)
    lasting = node.lost_for_seconds(sandbox.id) > bound_seconds
    running = [one for one in node.containers_of.get(sandbox.id, ()) if one.state is ContainerState.RUNNING]
    return Observation(
        reason=PAUSE_GONE,
        severity=Severity.CRITICAL if lasting else Severity.INFO,
        subject=subject,
        message=(
            f"The sandbox of {subject} has been without its pause for {'more' if lasting else 'less'} than"
            f" {bound_seconds:g} s while containers run on in it: none can start in it again, and"
            f" {'the kubelet has not replaced it' if lasting else 'a kubelet that works is about to replace it'}"
        ),
        evidence=(
            Evidence(name="sandbox", value=sandbox.id),
            Evidence(name="sandboxState", value=sandbox.state.value),
            Evidence(name="pause", value=_pause(node, sandbox)),
            Evidence(name="runningContainers", value=", ".join(container.name for container in running)),
        ),
        next_commands=_next_commands(sandbox),
        rests_on=(sandbox.id, *(container.id for container in running)),
    )


def _pause(node: NodeView, sandbox: Sandbox) -> str:
    details = node.sandbox_details(sandbox)
    if sandbox.state is SandboxState.NOTREADY or details is None:
        return "none any more, says the runtime"
    return f"{details.pause_pid}, dead; the runtime does not know"


def _next_commands(sandbox: Sandbox) -> tuple[NextCommand, ...]:
    identifier = shlex.quote(sandbox.id)
    return (
        get_pod(sandbox.namespace, sandbox.name),
        inspect_pod(sandbox.namespace, sandbox.name),
        NextCommand(run_on=RunOn.NODE, command=f"crictl pods --id {identifier}"),
        *delete_pod(sandbox.namespace, sandbox.name, sandbox.uid),
        NextCommand(run_on=RunOn.NODE, command=f"crictl stopp {identifier}"),
    )


CHECK = Check(
    id="pause-gone",
    title="A sandbox lost its pause, and its containers run on",
    reasons=(
        Reason(
            name=PAUSE_GONE,
            severities=(Severity.CRITICAL, Severity.INFO),
            meaning="the process that held a sandbox has ended, and containers still run in it",
        ),
    ),
    needs=("sandboxes", "containers"),
    thresholds=(
        Threshold(
            name="delay_seconds",
            unit="seconds",
            default=60,
            minimum=0,
            why="beyond the containers' grace period, which a working kubelet grants them before it makes a new "
            "sandbox: room for its next look at the pod and for a slow runtime. Until then the finding is Info",
        ),
    ),
    persistence=Persistence(
        looks=1,
        why="a sandbox counts only from the second scan on that finds it so, and only while the runtime, asked again "
        "afterwards, still calls the containers running",
    ),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
