"""The remains of an ended sandbox stay on the node although nobody needs them."""

import shlex

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Threshold, Thresholds
from pausewatch.model.pod_commands import get_pod
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.sandbox import ContainerState, Sandbox, SandboxState
from pausewatch.model.view import NodeView, subject_of_sandbox

STALE_SANDBOX = "StaleSandbox"

FROM_THE_API = "api"
"""The only source whose pods the API server must know. The mirror pod of a static one may be missing for good."""


def run(node: NodeView, thresholds: Thresholds) -> tuple[Observation, ...]:
    """Find ended sandboxes whose pod is gone, or that were replaced and have no container left."""
    successors = _newest(node)
    ended = (sandbox for sandbox in node.sandboxes.values() if sandbox.state is SandboxState.NOTREADY)
    return tuple(
        _observe(sandbox, why, thresholds["lasting_seconds"])
        for sandbox in sorted(ended, key=lambda one: subject_of_sandbox(one).sort_key)
        if (why := _why_stale(node, sandbox, successors.get(sandbox.uid)))
    )


def _newest(node: NodeView) -> dict[str, Sandbox]:
    """Return the newest sandbox of every pod, as the kubelet orders them, by uid."""
    newest: dict[str, Sandbox] = {}
    for sandbox in node.sandboxes.values():
        known = newest.get(sandbox.uid)
        if sandbox.uid and (known is None or _order(sandbox) > _order(known)):
            newest[sandbox.uid] = sandbox
    return newest


def _order(sandbox: Sandbox) -> tuple[float, int, str]:
    return (sandbox.created_at_seconds, sandbox.attempt, sandbox.id)


def _why_stale(node: NodeView, sandbox: Sandbox, newest: Sandbox | None) -> str:
    """Return why nobody needs a sandbox that has ended, in words; empty if somebody may."""
    details = node.sandbox_details(sandbox)
    containers = node.containers_of.get(sandbox.id, ())
    if details is None or not details.pod_source or any(one.state is ContainerState.RUNNING for one in containers):
        return ""
    if details.pod_source == FROM_THE_API and node.pod_absent_for_seconds(sandbox) > 0:
        return "its pod is gone from the API server"
    if newest is not None and newest.id != sandbox.id and not containers:
        return "a newer sandbox took its place"
    return ""


def _observe(sandbox: Sandbox, why: str, lasting_seconds: float) -> Observation:
    subject = subject_of_sandbox(sandbox)
    return Observation(
        reason=STALE_SANDBOX,
        severity=Severity.INFO,
        subject=subject,
        message=(
            f"An ended sandbox of {subject} has been left on the node for more than {lasting_seconds:g} s although"
            f" {why}: it keeps its name, its directories and perhaps its address"
        ),
        evidence=(
            Evidence(name="sandbox", value=sandbox.id),
            Evidence(name="podUid", value=sandbox.uid),
            Evidence(name="attempt", value=str(sandbox.attempt)),
        ),
        next_commands=_next_commands(sandbox),
        rests_on=(),
    )


def _next_commands(sandbox: Sandbox) -> tuple[NextCommand, ...]:
    identifier = shlex.quote(sandbox.id)
    return (
        get_pod(sandbox.namespace, sandbox.name),
        NextCommand(run_on=RunOn.NODE, command=f"crictl inspectp {identifier}"),
        NextCommand(run_on=RunOn.NODE, command=f"crictl rmp {identifier}"),
    )


CHECK = Check(
    id="stale-sandbox",
    title="The remains of an ended sandbox stay on the node",
    reasons=(
        Reason(
            name=STALE_SANDBOX,
            severities=(Severity.INFO,),
            meaning="a sandbox has ended, nobody needs it, and the kubelet has not removed it",
        ),
    ),
    needs=("sandboxes", "containers"),
    thresholds=(
        Threshold(
            name="lasting_seconds",
            unit="seconds",
            default=600,
            minimum=0,
            why="the kubelet collects its garbage once a minute; ten minutes are ten failures in a row",
        ),
    ),
    persistence=Persistence(
        looks=3,
        seconds_threshold="lasting_seconds",
        why="every ended sandbox is left for a moment before it is removed",
    ),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
