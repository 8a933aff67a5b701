"""A pod's own network namespace has no working loopback: its containers can not reach each other on localhost."""

import shlex

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Thresholds
from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceKind, namespace_text
from pausewatch.model.next_commands import delete_pod, only_if
from pausewatch.model.pod_address import AddressedPod, why_nothing_was_seen
from pausewatch.model.pod_commands import inspect_pod
from pausewatch.model.pod_network import PodNetwork
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.view import NodeView, subject_of_sandbox

LOOPBACK_DOWN = "LoopbackDown"


def run(node: NodeView, _: Thresholds) -> tuple[Observation, ...] | Unavailable:
    """Look for 127.0.0.1 or ::1 in the network namespace of every pod."""
    pods = node.addressed_pods
    unseen = why_nothing_was_seen(pods)
    if unseen is not None:
        return unseen
    return tuple(
        _observe(node, pod, pod.inside) for pod in pods if pod.inside is not None and not pod.inside.has_loopback
    )


def _observe(node: NodeView, pod: AddressedPod, inside: PodNetwork) -> Observation:
    itself = node.may_change_network(pod.sandbox)
    subject = subject_of_sandbox(pod.sandbox)
    return Observation(
        reason=LOOPBACK_DOWN,
        severity=Severity.INFO if itself else Severity.CRITICAL,
        subject=subject,
        message=f"{subject} has neither 127.0.0.1 nor ::1 on a loopback that is up: {_consequence(itself=itself)}",
        evidence=(
            Evidence(name="sandbox", value=pod.sandbox.id),
            Evidence(name="addressesInside", value=", ".join(inside.addresses) or "none"),
            Evidence(name="seenThrough", value=inside.seen_through),
        ),
        next_commands=_next_commands(node, pod, inside),
        rests_on=pod.rests_on,
    )


def _consequence(*, itself: bool) -> str:
    if itself:
        return "a container of the pod may administer its network, so it may have done this itself"
    return "its containers can not reach each other, or themselves, on localhost"


def _next_commands(node: NodeView, pod: AddressedPod, inside: PodNetwork) -> tuple[NextCommand, ...]:
    sandbox = pod.sandbox
    return (
        NextCommand(run_on=RunOn.NODE, command=f"nsenter {inside.nsenter_options} ip address show dev lo"),
        inspect_pod(sandbox.namespace, sandbox.name),
        NextCommand(run_on=RunOn.NODE, command=_set_up(node, inside)),
        *delete_pod(sandbox.namespace, sandbox.name, sandbox.uid),
    )


def _set_up(node: NodeView, inside: PodNetwork) -> str:
    """Return the command that mends it; a pid may be another process's by the time it is typed."""
    command = f"nsenter {inside.nsenter_options} ip link set lo up"
    links = node.links_of(inside.process_owner_id)
    if inside.process is None or links is None:
        return command
    found = shlex.quote(namespace_text(NamespaceKind.NETWORK, links.network))
    return only_if(f'test "$(readlink /proc/{inside.process.pid}/ns/net)" = {found}', command)


CHECK = Check(
    id="loopback-down",
    title="A pod has no working localhost",
    reasons=(
        Reason(
            name=LOOPBACK_DOWN,
            severities=(Severity.CRITICAL, Severity.INFO),
            meaning="the pod's network namespace has no loopback address, or its loopback link is down",
        ),
    ),
    needs=("sandboxes", "containers", "pod_networks"),
    persistence=Persistence(
        looks=3,
        why="a runtime may take the network of a sandbox down a moment before it calls the sandbox not ready",
    ),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
