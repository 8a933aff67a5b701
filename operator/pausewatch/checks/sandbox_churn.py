"""The sandbox of a pod is made anew again and again."""

import shlex
from dataclasses import replace

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Threshold, Thresholds
from pausewatch.model.pod_commands import describe_pod, inspect_pod
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.sandbox import Sandbox
from pausewatch.model.sandbox_births import made_within
from pausewatch.model.text import at_least
from pausewatch.model.view import NodeView, subject_of_sandbox

SANDBOX_CHURN = "SandboxChurn"


def run(node: NodeView, thresholds: Thresholds) -> tuple[Observation, ...]:
    """Find pods that went through many sandboxes, the last of them not long ago."""
    now = node.snapshot.taken_at.timestamp()
    window_seconds = thresholds["window_seconds"]
    churning = (
        node.sandboxes[births[-1].sandbox_id]
        for births in node.sandbox_births.values()
        if len(births) > 1
        and now - births[-1].created_at_seconds <= window_seconds
        and made_within(births, window_seconds) >= thresholds["sandboxes"]
        and births[-1].sandbox_id in node.sandboxes
    )
    return tuple(
        _observe(sandbox, thresholds)
        for sandbox in sorted(churning, key=lambda one: subject_of_sandbox(one).sort_key)
        if node.is_of_a_kubelet(sandbox)
    )


def _observe(newest: Sandbox, thresholds: Thresholds) -> Observation:
    # The pod is the subject, not its newest sandbox: each of them would be a new finding.
    subject = replace(subject_of_sandbox(newest), sandbox_id="")
    return Observation(
        reason=SANDBOX_CHURN,
        severity=Severity.WARNING,
        subject=subject,
        message=(
            f"{thresholds['sandboxes']:g} or more sandboxes were made for {subject} within"
            f" {thresholds['window_seconds']:g} s, and one is usual for a pod's whole life: each one ends all of its"
            " containers and gives it another address"
        ),
        evidence=(
            Evidence(name="podUid", value=newest.uid),
            Evidence(name="newestAttempt", value=at_least(newest.attempt)),
        ),
        next_commands=_next_commands(newest),
        rests_on=(),
    )


def _next_commands(sandbox: Sandbox) -> tuple[NextCommand, ...]:
    namespace, name = shlex.quote(sandbox.namespace), shlex.quote(sandbox.name)
    return (
        describe_pod(sandbox.namespace, sandbox.name),
        NextCommand(run_on=RunOn.NODE, command=f"crictl pods --namespace {namespace} --name {name}"),
        inspect_pod(sandbox.namespace, sandbox.name),
    )


CHECK = Check(
    id="sandbox-churn",
    title="The sandbox of a pod is made anew again and again",
    reasons=(
        Reason(
            name=SANDBOX_CHURN,
            severities=(Severity.WARNING,),
            meaning="a pod goes through one sandbox after another",
        ),
    ),
    needs=("sandboxes", "containers"),
    thresholds=(
        Threshold(
            name="sandboxes",
            unit="sandboxes",
            default=5,
            minimum=2,
            why="a reboot or a killed pause makes one more; five within the window below are no accident that is over",
        ),
        Threshold(
            name="window_seconds",
            unit="seconds",
            default=600,
            minimum=1,
            why="a sandbox and its containers take seconds to start, so a loop goes round many times in ten minutes; "
            "the finding stays for as long after the last one. More than 3600 has no effect: older ones are forgotten",
        ),
    ),
    persistence=Persistence(looks=1, why="that a sandbox was made does not change any more"),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
