"""A pod should have ended, and the runtime still has its sandbox up."""

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Threshold, Thresholds
from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.pod_commands import describe_pod, inspect_pod
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.sandbox import Container, ContainerState, Sandbox, SandboxState
from pausewatch.model.view import NodeView, subject_of_sandbox

SANDBOX_STUCK_TERMINATING = "SandboxStuckTerminating"

FROM_THE_API = "api"
"""The only source whose pods end when the API server says so. A static one ends with its manifest, whatever becomes of
its mirror pod (kubelet: pkg/kubelet/pod/mirror_client.go)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Left:
    """What is left of a sandbox whose pod is deleted."""

    sandbox: Sandbox
    due_at_seconds: float
    """Unix time by which it should have ended."""

    running: tuple[Container, ...]
    pin: str
    """Path of its network namespace; empty unless a file still holds it."""

    @property
    def sentence(self) -> str:
        """What it still does, as the part of a sentence."""
        if self.running:
            return f"its containers {', '.join(one.name for one in self.running)} still run"
        if self.sandbox.state is SandboxState.READY:
            return "no container runs in it, and the runtime has not stopped it"
        return "it is stopped, and the runtime has not taken its network down"


def run(node: NodeView, thresholds: Thresholds) -> tuple[Observation, ...]:
    """Find sandboxes that are still up although the time of their pod has passed for long.

    Two clocks must say so: the deadline is the API server's, and a step of either wall clock would move it.
    """
    delay_seconds = thresholds["delay_seconds"]
    return tuple(
        _observe(node, left, delay_seconds)
        for sandbox in node.sandboxes.values()
        if node.pod_deleted_for_seconds(sandbox) > delay_seconds
        and (left := _left(node, sandbox)) is not None
        and node.snapshot.taken_at.timestamp() > left.due_at_seconds + delay_seconds
    )


def _left(node: NodeView, sandbox: Sandbox) -> _Left | None:
    """Return what is left of a sandbox whose pod is deleted; None where nothing is left on the node."""
    pod = node.pods.get(sandbox.uid)
    details = node.sandbox_details(sandbox)
    if pod is None or pod.deletion_due_at is None or details is None or details.pod_source != FROM_THE_API:
        return None
    running = tuple(
        container for container in node.containers_of.get(sandbox.id, ()) if container.state is ContainerState.RUNNING
    )
    pin = next(
        (
            entry.path
            for entry in details.spec_namespaces or ()
            if entry.kind is NamespaceKind.NETWORK and entry.path in node.pins
        ),
        "",
    )
    if not (running or pin or sandbox.state is SandboxState.READY):
        return None
    # A kubelet that was restarted does not remember when it began to end a pod, and gives running containers all their
    # time again (kubelet: SyncTerminatingPod in pkg/kubelet/kubelet.go passes the whole period on).
    again_seconds = (pod.deletion_grace_seconds or 0) if running else 0
    due_at_seconds = pod.deletion_due_at.timestamp() + again_seconds
    return _Left(sandbox=sandbox, due_at_seconds=due_at_seconds, running=running, pin=pin)


def _observe(node: NodeView, left: _Left, delay_seconds: float) -> Observation:
    sandbox = left.sandbox
    subject = subject_of_sandbox(sandbox)
    due = f"{datetime.fromtimestamp(left.due_at_seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return Observation(
        reason=SANDBOX_STUCK_TERMINATING,
        severity=Severity.WARNING,
        subject=subject,
        message=(
            f"The sandbox of {subject} should have ended by {due} and is still there more than {delay_seconds:g} s"
            f" later: {left.sentence}, so the pod stays Terminating and its name, volumes and address stay taken"
        ),
        evidence=(
            Evidence(name="sandbox", value=f"{sandbox.id} ({sandbox.state})"),
            Evidence(name="podUid", value=sandbox.uid),
            Evidence(name="shouldHaveEndedBy", value=due),
            Evidence(name="runningContainers", value=", ".join(one.name for one in left.running) or "none"),
            *((Evidence(name="networkNamespace", value=left.pin),) if left.pin else ()),
            *_pause(node, sandbox),
        ),
        next_commands=_next_commands(sandbox),
        rests_on=(sandbox.id,),
    )


def _pause(node: NodeView, sandbox: Sandbox) -> tuple[Evidence, ...]:
    first = node.first_processes.get(sandbox.id)
    return () if first is None else (Evidence(name="pause", value=str(first.identity.pid)),)


def _next_commands(sandbox: Sandbox) -> tuple[NextCommand, ...]:
    identifier = shlex.quote(sandbox.id)
    return (
        describe_pod(sandbox.namespace, sandbox.name),
        inspect_pod(sandbox.namespace, sandbox.name),
        NextCommand(run_on=RunOn.NODE, command=f"crictl stopp {identifier}"),
    )


CHECK = Check(
    id="sandbox-stuck-terminating",
    title="A pod should have ended, and the runtime still has its sandbox up",
    reasons=(
        Reason(
            name=SANDBOX_STUCK_TERMINATING,
            severities=(Severity.WARNING,),
            meaning="a deleted pod's sandbox, containers or network are still there after its grace period",
        ),
    ),
    needs=("sandboxes", "containers", "pods"),
    thresholds=(
        Threshold(
            name="delay_seconds",
            unit="seconds",
            default=120,
            minimum=0,
            why="a working kubelet has ended a pod seconds after its grace period; two minutes leave room for slow"
            " network plugins, and for a kubelet that is restarted",
        ),
    ),
    persistence=Persistence(looks=2, why="it may have ended just after the runtime was asked for its list"),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
