"""Which addresses a pod has, by the runtime and by its own network namespace, and whether it may have changed them.

What one of its containers may do itself (CAP_NET_ADMIN) is never called a fault of the node: VPN clients, routers and
tests of networks do it on purpose.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pausewatch.model.availability import Unavailable
from pausewatch.model.pod import Pod
from pausewatch.model.pod_network import PodNetwork
from pausewatch.model.sandbox import Container, ContainerState, NamespaceMode, Sandbox, SandboxState

LINK_LOCAL = ("169.254.", "fe80:")
"""Beginnings of addresses that mean something on one link only: every pod may have the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressedPod:
    """A ready sandbox with a network namespace of its own."""

    sandbox: Sandbox
    told: tuple[str, ...]
    """Its addresses, as the runtime reports them; empty if it reports none."""

    inside: PodNetwork | None
    """Its network namespace; None where it was not read or says nothing about the pod (gVisor, Kata)."""

    not_comparable: str
    """Why its network namespace says nothing about the pod; empty if it does."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the addresses that are not where they should be; none where nobody looked."""
        inside = self.inside
        return () if inside is None else tuple(address for address in self.told if address not in inside.addresses)

    @property
    def is_cut_off(self) -> bool:
        """Whether no interface but loopback is up, so that its addresses reach nothing."""
        return self.inside is not None and self.inside.links_up == ()

    @property
    def held(self) -> tuple[str, ...]:
        """Return the addresses that it has: those inside and, where nobody looked, those that the runtime reports."""
        return self.told if self.inside is None else self.inside.addresses

    @property
    def rests_on(self) -> tuple[str, ...]:
        """Return the CRI ids that a suspicion against it rests on."""
        owner = self.sandbox.id if self.inside is None else self.inside.process_owner_id
        return tuple(dict.fromkeys((self.sandbox.id, owner)))


def addressed_pods(
    sandboxes: Iterable[Sandbox],
    networks: Iterable[PodNetwork],
    pods: Mapping[str, Pod],
    not_comparable: Mapping[str, str],
) -> tuple[AddressedPod, ...]:
    """Return the pods whose addresses can be judged, in the order of the sandboxes.

    Without those whose deletion was asked for: CRI-O takes the network down while it still calls the sandbox ready, and
    tries again and again where the network plugin fails (its server/sandbox_stop_linux.go).
    """
    by_sandbox = {network.sandbox_id: network for network in networks}
    found = []
    for sandbox in sandboxes:
        details = sandbox.details
        if sandbox.state is not SandboxState.READY or isinstance(details, Unavailable):
            continue
        pod = pods.get(sandbox.uid)
        ending = pod is not None and pod.deletion_grace_seconds is not None
        if details.network_mode is not NamespaceMode.POD or ending:
            continue
        why = not_comparable.get(sandbox.id, "")
        found.append(
            AddressedPod(
                sandbox=sandbox,
                told=tuple(address for address in details.addresses if not address.startswith(LINK_LOCAL)),
                inside=None if why else by_sandbox.get(sandbox.id),
                not_comparable=why,
            )
        )
    return tuple(found)


def why_nothing_was_seen(pods: Iterable[AddressedPod]) -> Unavailable | None:
    """Return why none of the pods could be looked into; None if one could, or if there are none."""
    every = tuple(pods)
    if not every or any(pod.inside is not None for pod in every):
        return None
    if all(pod.not_comparable for pod in every):
        return Unavailable(
            reason="NotComparable",
            detail=f"all {len(every)} pods with a network of their own run in a virtual machine or a user-space kernel",
        )
    return Unavailable(
        reason="NetworksUnreadable",
        detail="no process was found through which the network of a pod could be read",
        remedy="see `pausewatch doctor`",
    )


def may_change_network(containers: Iterable[Container]) -> bool:
    """Whether one of a pod's containers may have changed its addresses and links.

    So may one that runs without a specification, for all that is known, and one that was started after the containers
    were listed: a pod without any may have had one when its network was read. One that has exited counts only if it was
    seen with the capability: every pod of a service mesh has an init container of which nothing more is known.
    """
    listed = tuple(containers)
    if not listed:
        return True
    for container in listed:
        details = container.details
        able = None if isinstance(details, Unavailable) else details.may_change_network
        if able or (able is None and container.state is not ContainerState.EXITED):
            return True
    return False
