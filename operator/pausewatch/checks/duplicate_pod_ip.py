"""Two pods of the node have one address."""

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Thresholds
from pausewatch.model.next_commands import delete_pod
from pausewatch.model.pod_address import AddressedPod
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.view import NodeView, subject_of_sandbox

DUPLICATE_POD_IP = "DuplicatePodIP"
HOLDERS_SHOWN = 3


def run(node: NodeView, _: Thresholds) -> tuple[Observation, ...]:
    """Look for addresses that the runtime reports of one pod and that another one has as well."""
    return tuple(_observe(node, address, holders) for address, holders in _held_twice(node.addressed_pods))


def _held_twice(pods: Sequence[AddressedPod]) -> Iterator[tuple[str, list[AddressedPod]]]:
    """Yield each address that two pods have and that the runtime reports of one of them, with these pods.

    Those come first of which it is reported, the oldest first: so the second one, which the finding is about, stays the
    same when a third one comes.
    """
    counted = Counter(address for pod in pods for address in {*pod.held})
    twice = sorted(address for address, count in counted.items() if count > 1)
    for address in twice:
        holders = [pod for pod in pods if address in pod.held]
        holders.sort(key=lambda one: (address not in one.told, one.sandbox.created_at_seconds, one.sandbox.id))
        if address in holders[0].told:
            yield address, holders


def _observe(node: NodeView, address: str, holders: list[AddressedPod]) -> Observation:
    first, second = holders[:2]
    # Who has it without the runtime's knowledge, and may take any address, is no fault of the node.
    given = [pod for pod in holders if address in pod.told or not node.may_change_network(pod.sandbox)]
    subject = subject_of_sandbox(second.sandbox)
    has = f"{subject} has the address {address} of {subject_of_sandbox(first.sandbox)} as well"
    return Observation(
        reason=DUPLICATE_POD_IP,
        severity=Severity.CRITICAL if len(given) > 1 else Severity.INFO,
        subject=subject,
        part=address,
        message=f"{has}: {_consequence(given)}",
        evidence=(
            Evidence(name="address", value=address),
            *(Evidence(name="holder", value=_holder(pod, address)) for pod in holders[:HOLDERS_SHOWN]),
            Evidence(name="holders", value=str(len(holders))),
        ),
        next_commands=tuple(_next_commands(holders[:2])),
        rests_on=tuple(dict.fromkeys(owner for pod in holders for owner in pod.rests_on)),
    )


def _consequence(given: list[AddressedPod]) -> str:
    if len(given) > 1:
        return "traffic for one of the two reaches the other, or neither"
    return "a container of it may administer its network, so it may have taken the address itself"


def _holder(pod: AddressedPod, address: str) -> str:
    known = "reported by the runtime" if address in pod.told else "not reported by the runtime"
    seen = "not looked for inside" if pod.inside is None else f"seen inside through {pod.inside.seen_through}"
    return f"{subject_of_sandbox(pod.sandbox)}, sandbox {pod.sandbox.id[:12]}: {known}, {seen}"


def _next_commands(holders: list[AddressedPod]) -> Iterator[NextCommand]:
    for pod in holders:
        if pod.inside is not None:
            command = f"nsenter {pod.inside.nsenter_options} ip -brief address"
            yield NextCommand(run_on=RunOn.NODE, command=command)
    for pod in holders:
        yield NextCommand(run_on=RunOn.NODE, command=f"crictl inspectp {shlex.quote(pod.sandbox.id)}")
    sandbox = holders[-1].sandbox
    yield from delete_pod(sandbox.namespace, sandbox.name, sandbox.uid)


CHECK = Check(
    id="duplicate-pod-ip",
    title="Two pods of the node have one address",
    reasons=(
        Reason(
            name=DUPLICATE_POD_IP,
            severities=(Severity.CRITICAL, Severity.INFO),
            meaning="an address that the runtime reports of one pod is another pod's as well",
        ),
    ),
    needs=("sandboxes", "containers", "pod_networks"),
    persistence=Persistence(
        looks=3,
        why="the address of a pod that is just being stopped may already belong to the next one",
    ),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
