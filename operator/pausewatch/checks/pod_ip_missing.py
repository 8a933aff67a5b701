"""A pod's network namespace lacks the address under which Kubernetes knows the pod, or its link is down."""

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Thresholds
from pausewatch.model.availability import Unavailable
from pausewatch.model.next_commands import delete_pod
from pausewatch.model.pod_address import AddressedPod, why_nothing_was_seen
from pausewatch.model.pod_commands import inspect_pod
from pausewatch.model.pod_network import PodNetwork
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.view import NodeView, subject_of_sandbox

POD_IP_MISSING = "PodIPMissing"


def run(node: NodeView, _: Thresholds) -> tuple[Observation, ...] | Unavailable:
    """Look for the runtime's addresses of every pod inside its network namespace."""
    pods = [pod for pod in node.addressed_pods if pod.told]
    unseen = why_nothing_was_seen(pods)
    if unseen is not None:
        return unseen
    return tuple(
        _observe(node, pod, pod.inside) for pod in pods if pod.inside is not None and (pod.missing or pod.is_cut_off)
    )


def _observe(node: NodeView, pod: AddressedPod, inside: PodNetwork) -> Observation:
    itself = node.may_change_network(pod.sandbox)
    subject = subject_of_sandbox(pod.sandbox)
    links = "not known" if inside.links_up is None else ", ".join(inside.links_up) or "none"
    return Observation(
        reason=POD_IP_MISSING,
        severity=Severity.INFO if itself else Severity.CRITICAL,
        subject=subject,
        message=f"{_fault(str(subject), pod)}: {_consequence(itself=itself)}",
        evidence=(
            Evidence(name="reportedAddresses", value=", ".join(pod.told)),
            Evidence(name="addressesInside", value=", ".join(inside.addresses) or "none"),
            Evidence(name="interfacesUp", value=links),
            Evidence(name="seenThrough", value=inside.seen_through),
        ),
        next_commands=_next_commands(pod, inside),
        rests_on=pod.rests_on,
    )


def _fault(subject: str, pod: AddressedPod) -> str:
    if pod.is_cut_off:
        return f"No interface of {subject} but loopback is up, so its address {', '.join(pod.told)} reaches nothing"
    return f"No interface of {subject} has the address {', '.join(pod.missing)} that the runtime reports"


def _consequence(*, itself: bool) -> str:
    if itself:
        return "a container of the pod may administer its network, so it may have done this itself"
    return "traffic to the pod is lost while Kubernetes goes on sending it there"


def _next_commands(pod: AddressedPod, inside: PodNetwork) -> tuple[NextCommand, ...]:
    sandbox = pod.sandbox
    return (
        NextCommand(run_on=RunOn.NODE, command=f"nsenter {inside.nsenter_options} ip address"),
        inspect_pod(sandbox.namespace, sandbox.name),
        *delete_pod(sandbox.namespace, sandbox.name, sandbox.uid),
    )


CHECK = Check(
    id="pod-ip-missing",
    title="A pod has lost the address under which Kubernetes knows it",
    reasons=(
        Reason(
            name=POD_IP_MISSING,
            severities=(Severity.CRITICAL, Severity.INFO),
            meaning="the address that the runtime reports is not in the pod's network namespace, or its link is down",
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
