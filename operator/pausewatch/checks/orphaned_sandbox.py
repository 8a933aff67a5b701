"""A sandbox goes on although its pod is gone from the API server."""

import shlex

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Threshold, Thresholds
from pausewatch.model.pod_commands import get_pod, inspect_pod
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.sandbox import Container, ContainerState, Sandbox, SandboxState
from pausewatch.model.view import NodeView, subject_of_sandbox

ORPHANED_SANDBOX = "OrphanedSandbox"

FROM_THE_API = "api"
"""The only source whose pods the API server must know. The mirror pod of a static one may be missing for good."""

LEAST_GRACE_SECONDS = 30
"""The default of ``terminationGracePeriodSeconds``, for sandboxes that tell none."""


def run(node: NodeView, thresholds: Thresholds) -> tuple[Observation, ...]:
    """Find ready sandboxes whose pod has been missing for longer than the kubelet may need."""
    return tuple(
        _observe(node, sandbox, _bound_seconds(node, sandbox, thresholds))
        for sandbox in node.sandboxes.values()
        if _must_have_a_pod(node, sandbox)
        and node.pod_absent_for_seconds(sandbox) > _bound_seconds(node, sandbox, thresholds)
    )


def _must_have_a_pod(node: NodeView, sandbox: Sandbox) -> bool:
    details = node.sandbox_details(sandbox)
    return (
        sandbox.state is SandboxState.READY
        and sandbox.uid not in node.pods
        and details is not None
        and details.pod_source == FROM_THE_API
    )


def _bound_seconds(node: NodeView, sandbox: Sandbox, thresholds: Thresholds) -> float:
    return max(node.grace_seconds(sandbox), LEAST_GRACE_SECONDS) + thresholds["delay_seconds"]


def _observe(node: NodeView, sandbox: Sandbox, bound_seconds: float) -> Observation:
    subject = subject_of_sandbox(sandbox)
    running = [
        container for container in node.containers_of.get(sandbox.id, ()) if container.state is ContainerState.RUNNING
    ]
    return Observation(
        reason=ORPHANED_SANDBOX,
        severity=Severity.CRITICAL if running else Severity.WARNING,
        subject=subject,
        message=(
            f"The sandbox of {subject} still runs more than {bound_seconds:g} s after its pod was gone from the API"
            f" server: {_consequence(running)}"
        ),
        evidence=(
            Evidence(name="sandbox", value=sandbox.id),
            Evidence(name="podUid", value=sandbox.uid),
            Evidence(name="runningContainers", value=", ".join(container.name for container in running) or "none"),
            *_pause(node, sandbox),
        ),
        next_commands=_next_commands(sandbox),
        rests_on=(sandbox.id,),
    )


def _consequence(running: list[Container]) -> str:
    if not running:
        return "it holds its address and its pause process, and nothing will remove it"
    return "its containers go on unseen, may hold leases and write data, and nothing will stop them"


def _pause(node: NodeView, sandbox: Sandbox) -> tuple[Evidence, ...]:
    first = node.first_processes.get(sandbox.id)
    return () if first is None else (Evidence(name="pause", value=str(first.identity.pid)),)


def _next_commands(sandbox: Sandbox) -> tuple[NextCommand, ...]:
    identifier = shlex.quote(sandbox.id)
    return (
        get_pod(sandbox.namespace, sandbox.name),
        inspect_pod(sandbox.namespace, sandbox.name),
        NextCommand(run_on=RunOn.NODE, command=f"crictl stopp {identifier}"),
        NextCommand(run_on=RunOn.NODE, command=f"crictl rmp {identifier}"),
    )


CHECK = Check(
    id="orphaned-sandbox",
    title="A sandbox goes on although its pod is gone",
    reasons=(
        Reason(
            name=ORPHANED_SANDBOX,
            severities=(Severity.CRITICAL, Severity.WARNING),
            meaning="the API server no longer knows the pod, and its sandbox still runs on the node",
        ),
    ),
    needs=("sandboxes", "containers", "pods"),
    thresholds=(
        Threshold(
            name="delay_seconds",
            unit="seconds",
            default=120,
            minimum=0,
            why="a working kubelet removes what it no longer knows within seconds of the grace period; two minutes "
            "leave room for slow network plugins and a kubelet that restarts",
        ),
    ),
    persistence=Persistence(
        looks=3, why="each of them asks the API server itself, so a watch that fell behind invents nothing"
    ),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
