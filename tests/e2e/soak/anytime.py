"""Faults of a node's network: neither kubelet nor runtime look, so that they stay as they are."""

from collections.abc import Iterator
from contextlib import contextmanager

from e2e.soak.kind import Kind, When
from e2e.soak.scene import Scene
from lab import faults
from lab import pod_network_faults as network


def kinds() -> tuple[Kind, ...]:
    """Return them."""
    return (
        Kind(
            name="loopback",
            check="loopback-down",
            reason="LoopbackDown",
            severity="Critical",
            make=_loopback_down,
            when=When.ANY_TIME,
            pods=1,
        ),
        Kind(
            name="address-lost",
            check="pod-ip-missing",
            reason="PodIPMissing",
            severity="Critical",
            make=_address_lost,
            when=When.ANY_TIME,
            pods=1,
        ),
        Kind(
            name="link-down",
            check="pod-ip-missing",
            reason="PodIPMissing",
            severity="Critical",
            make=_link_down,
            when=When.ANY_TIME,
            pods=1,
        ),
        Kind(
            name="address-twice",
            check="duplicate-pod-ip",
            reason="DuplicatePodIP",
            severity="Critical",
            make=_address_twice,
            when=When.ANY_TIME,
            pods=2,
        ),
        Kind(
            name="leaked-network",
            check="leaked-network-namespace",
            reason="LeakedNetworkNamespace",
            severity="Warning",
            make=_leaked_network,
            when=When.ANY_TIME,
            about_node=True,
        ),
    )


@contextmanager
def _loopback_down(scene: Scene) -> Iterator[None]:
    """The pod's loopback was taken down."""
    (running,) = scene.pods
    network.set_link(scene.node.runtime, running, "down", "lo")
    try:
        yield
    finally:
        network.set_link(scene.node.runtime, running, "up", "lo")


@contextmanager
def _address_lost(scene: Scene) -> Iterator[None]:
    """The pod's address was deleted from its interface."""
    (running,) = scene.pods
    address = running.address()
    network.lose_address(scene.node.runtime, running)
    try:
        yield
    finally:
        network.give_address(scene.node.runtime, running, address)


@contextmanager
def _link_down(scene: Scene) -> Iterator[None]:
    """The pod's interface was taken down."""
    (running,) = scene.pods
    network.set_link(scene.node.runtime, running, "down")
    try:
        yield
    finally:
        network.set_link(scene.node.runtime, running, "up")


@contextmanager
def _address_twice(scene: Scene) -> Iterator[None]:
    """The pod has another one's address beside its own."""
    intruder, rightful = scene.pods
    address = rightful.address()
    network.give_address(scene.node.runtime, intruder, address)
    try:
        yield
    finally:
        network.take_address(scene.node.runtime, intruder, address)


@contextmanager
def _leaked_network(scene: Scene) -> Iterator[None]:
    """A network namespace of the runtime's naming is pinned, and nobody's."""
    name = faults.leaked_network_namespace(scene.node.runtime)
    try:
        yield
    finally:
        faults.remove_network_namespace(scene.node.runtime, name)
