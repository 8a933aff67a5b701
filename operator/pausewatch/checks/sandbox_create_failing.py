"""A pod waits for its sandbox, and the runtime fails to make one."""

import shlex
from datetime import timedelta

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Threshold, Thresholds
from pausewatch.model.pod import Pod, WaitingPod
from pausewatch.model.pod_commands import describe_pod
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.subject import Subject
from pausewatch.model.view import NodeView

SANDBOX_CREATE_FAILING = "SandboxCreateFailing"

EVENT_REASON = "FailedCreatePodSandBox"
"""Spelled as the kubelet does (pkg/kubelet/events/event.go)."""

LATEST_FAILURE_WITHIN = timedelta(minutes=15)
"""A kubelet that still tries tells of it at least every five minutes, however often it fails (client-go:
EventSourceObjectSpamFilter, 25 Events at once and then one in 300 s), and one attempt may take four (kubelet: twice
``runtimeRequestTimeout``). An older Event tells of a trouble that is over: the pod may wait for something else now."""


def run(node: NodeView, thresholds: Thresholds) -> tuple[Observation, ...]:
    """Find pods that have waited for long, and for which the kubelet has told of a failure of late."""
    delay_seconds = thresholds["delay_seconds"]
    return tuple(
        _observe(pod, waiting, delay_seconds)
        for pod, waiting in node.waiting_pods
        if _fails(node, waiting) and node.pod_waiting_for_seconds(pod) > delay_seconds
    )


def _fails(node: NodeView, waiting: WaitingPod) -> bool:
    """Whether it is the runtime that the pod waits for. The kubelet's clock, which times the Event, is ours."""
    if not waiting.error or waiting.last_failed_at is None:
        return False
    ago = node.snapshot.taken_at - waiting.last_failed_at
    # What failed before the node was started again says nothing about the runtime that runs now.
    return ago <= min(LATEST_FAILURE_WITHIN, timedelta(seconds=node.snapshot.uptime_seconds))


def _observe(pod: Pod, waiting: WaitingPod, delay_seconds: float) -> Observation:
    subject = Subject(namespace=pod.namespace, pod=pod.name, uid=pod.uid)
    return Observation(
        reason=SANDBOX_CREATE_FAILING,
        severity=Severity.CRITICAL,
        subject=subject,
        message=(
            f"{subject} has had no sandbox for more than {delay_seconds:g} s, so none of its containers can run: the"
            f" container runtime fails to make one: {waiting.error}"
        ),
        evidence=(
            Evidence(name="podUid", value=pod.uid),
            Evidence(name="event", value=EVENT_REASON),
            Evidence(name="error", value=waiting.error),
        ),
        next_commands=_next_commands(pod),
        rests_on=(),
    )


def _next_commands(pod: Pod) -> tuple[NextCommand, ...]:
    namespace, name = shlex.quote(pod.namespace), shlex.quote(pod.name)
    selector = shlex.quote(f"involvedObject.uid={pod.uid},reason={EVENT_REASON}")
    return (
        describe_pod(pod.namespace, pod.name),
        NextCommand(
            run_on=RunOn.CLUSTER, command=f"kubectl --namespace {namespace} get events --field-selector {selector}"
        ),
        NextCommand(run_on=RunOn.NODE, command=f"crictl pods --namespace {namespace} --name {name}"),
    )


CHECK = Check(
    id="sandbox-create-failing",
    title="A pod waits for its sandbox, and the runtime fails to make one",
    reasons=(
        Reason(
            name=SANDBOX_CREATE_FAILING,
            severities=(Severity.CRITICAL,),
            meaning="a pod of this node has no ready sandbox, and the kubelet reports that making one fails",
            # On a node that has just booted all pods wait for the network plugin's own, whose image is still pulled.
            alert_delay_seconds=600,
        ),
    ),
    needs=("sandboxes", "pods", "waiting_pods"),
    thresholds=(
        Threshold(
            name="delay_seconds",
            unit="seconds",
            default=120,
            minimum=0,
            why="a network plugin that has just been started, or a registry that is slow, fails once or twice and then"
            " works; the kubelet tries again every ten to fifteen seconds, so two minutes are several attempts",
        ),
    ),
    persistence=Persistence(
        looks=2, why="the sandbox may have been made just after the runtime was asked for its list"
    ),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
