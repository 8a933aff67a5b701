"""One pod has more than one sandbox that works."""

import shlex
from collections.abc import Iterator

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Threshold, Thresholds
from pausewatch.model.pod_commands import get_pod, inspect_pod
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.sandbox import ContainerState, Sandbox, SandboxState
from pausewatch.model.view import NodeView, subject_of_sandbox

DUPLICATE_SANDBOX = "DuplicateSandbox"
SANDBOXES_SHOWN = 4


def run(node: NodeView, thresholds: Thresholds) -> tuple[Observation, ...]:
    """Find pods with several ready sandboxes."""
    return tuple(_observe(node, sandboxes, thresholds["lasting_seconds"]) for sandboxes in _ready_twice(node))


def _ready_twice(node: NodeView) -> Iterator[list[Sandbox]]:
    """Yield the ready sandboxes of every pod of a kubelet that has several, newest first."""
    ready: dict[str, list[Sandbox]] = {}
    for sandbox in node.sandboxes.values():
        if sandbox.uid and sandbox.state is SandboxState.READY:
            ready.setdefault(sandbox.uid, []).append(sandbox)
    for several in ready.values():
        members = [one for one in several if len(several) > 1 and node.is_of_a_kubelet(one)]
        if len(members) > 1:
            yield sorted(members, key=lambda one: (one.created_at_seconds, one.attempt, one.id), reverse=True)


def _observe(node: NodeView, sandboxes: list[Sandbox], lasting_seconds: float) -> Observation:
    newest, *older = sandboxes
    subject = subject_of_sandbox(newest)
    return Observation(
        reason=DUPLICATE_SANDBOX,
        severity=Severity.WARNING,
        subject=subject,
        message=(
            f"{len(sandboxes)} sandboxes of {subject} have been ready at once (bound 1) for more than"
            f" {lasting_seconds:g} s: the kubelet looks after one of them, and what runs in the others goes on unseen,"
            " with an address of its own"
        ),
        evidence=(
            Evidence(name="podUid", value=newest.uid),
            *(Evidence(name="sandbox", value=_told(node, one)) for one in sandboxes[:SANDBOXES_SHOWN]),
        ),
        next_commands=_next_commands(newest, older[: SANDBOXES_SHOWN - 1]),
        rests_on=tuple(sandbox.id for sandbox in sandboxes),
    )


def _told(node: NodeView, sandbox: Sandbox) -> str:
    containers = node.containers_of.get(sandbox.id, ())
    running = [container.name for container in containers if container.state is ContainerState.RUNNING]
    return f"{sandbox.id}, attempt {sandbox.attempt}, running: {', '.join(running) or 'none'}"


def _next_commands(newest: Sandbox, older: list[Sandbox]) -> tuple[NextCommand, ...]:
    identifiers = " ".join(shlex.quote(one.id) for one in older)
    return (
        get_pod(newest.namespace, newest.name),
        inspect_pod(newest.namespace, newest.name),
        NextCommand(run_on=RunOn.NODE, command=f"crictl inspectp {identifiers}"),
        NextCommand(run_on=RunOn.NODE, command=f"crictl stopp {identifiers}"),
    )


CHECK = Check(
    id="duplicate-sandbox",
    title="One pod has more than one ready sandbox",
    reasons=(
        Reason(
            name=DUPLICATE_SANDBOX,
            severities=(Severity.WARNING,),
            meaning="a pod runs in two sandboxes at once, and the kubelet looks after one of them",
        ),
    ),
    needs=("sandboxes", "containers"),
    thresholds=(
        Threshold(
            name="lasting_seconds",
            unit="seconds",
            default=120,
            minimum=0,
            why="a kubelet stops the old sandbox before it makes a new one, and ends all of a pod that has two; a "
            "grace period and a slow network plugin fit into two minutes",
        ),
    ),
    persistence=Persistence(
        looks=3,
        seconds_threshold="lasting_seconds",
        why="each of them asks the runtime again whether all of the sandboxes are ready",
    ),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
