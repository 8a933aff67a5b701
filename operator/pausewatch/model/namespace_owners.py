"""Whose a Linux namespace is: the node's, a sandbox's, a container's, or nobody's that is known."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from pausewatch.model.linux_namespace import NamespaceKind, NamespaceLinks
from pausewatch.model.sandbox import Container, NamespaceMode, Sandbox
from pausewatch.model.view import NodeView


class OwnerKind(StrEnum):
    """Whose a Linux namespace is."""

    HOST = "host"
    OWN_SANDBOX = "own sandbox"
    OWN_CONTAINER = "own container"
    SIBLING = "sibling container"
    OTHER_POD = "other pod"
    NOBODY = "nobody known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose a Linux namespace is, seen from one container."""

    kind: OwnerKind
    sandbox: Sandbox | None = None
    """Of another pod, or of the sibling."""

    container: Container | None = None
    """The container, where a single one owns it."""


class NamespaceOwners:
    """The owners of the Linux namespaces of one node."""

    def __init__(self, node: NodeView) -> None:
        self._node = node
        self._host = node.host_links
        self._holders: dict[NamespaceKind, Mapping[int, Sandbox]] = {}

    @cached_property
    def of_pid_namespaces(self) -> Mapping[int, Container]:
        """The container that a PID namespace was made for: of those in it, the one that started first.

        A namespace exists before anybody joins it, so the earliest first process made it. A container that targets
        another one never owns one, and nobody owns the node's or what a sandbox holds.
        """
        owners: dict[int, Container] = {}
        held = self._holders_of(NamespaceKind.PID)
        for container, links in self._with_own_pid_namespace():
            if links.pid in held or (self._host is not None and links.pid == self._host.pid):
                continue
            known = owners.get(links.pid)
            if known is None or self._started(container) < self._started(known):
                owners[links.pid] = container
        return owners

    def reference(self, sandbox: Sandbox, kind: NamespaceKind) -> int | None:
        """Return the namespace that a sandbox holds: that of its pause or, without one, of its pinned file."""
        links = self._node.links_of(sandbox.id)
        if links is not None:
            return links.of(kind)
        details = self._node.sandbox_details(sandbox)
        entries = details.spec_namespaces if details is not None else None
        return next((self._node.pins.get(entry.path) for entry in entries or () if entry.kind is kind), None)

    def of(self, container: Container, kind: NamespaceKind, inode: int) -> Owner:
        """Return whose a namespace is that the first process of ``container`` is in."""
        if self._host is not None and self._host.of(kind) == inode:
            return Owner(kind=OwnerKind.HOST)
        sandbox = self._node.sandboxes[container.sandbox_id]
        if self.reference(sandbox, kind) == inode:
            return Owner(kind=OwnerKind.OWN_SANDBOX, sandbox=sandbox)
        other = self._holders_of(kind).get(inode)
        if other is not None:
            return Owner(kind=OwnerKind.OTHER_POD, sandbox=other)
        maker = self.of_pid_namespaces.get(inode) if kind is NamespaceKind.PID else None
        if maker is not None:
            return self._owner_among_containers(container, maker)
        return Owner(kind=OwnerKind.NOBODY)

    def _owner_among_containers(self, container: Container, owner: Container) -> Owner:
        sandbox = self._node.sandboxes[owner.sandbox_id]
        if owner.id == container.id:
            kind = OwnerKind.OWN_CONTAINER
        elif owner.sandbox_id == container.sandbox_id:
            kind = OwnerKind.SIBLING
        else:
            kind = OwnerKind.OTHER_POD
        return Owner(kind=kind, sandbox=sandbox, container=owner)

    def _holders_of(self, kind: NamespaceKind) -> Mapping[int, Sandbox]:
        """Return the sandbox that holds each namespace of a kind."""
        if kind not in self._holders:
            found: dict[int, Sandbox] = {}
            for sandbox in self._node.sandboxes.values():
                inode = self.reference(sandbox, kind)
                if inode is not None:
                    found.setdefault(inode, sandbox)
            self._holders[kind] = found
        return self._holders[kind]

    def _with_own_pid_namespace(self) -> Iterator[tuple[Container, NamespaceLinks]]:
        for container in self._node.running_containers:
            details = self._node.container_details(container)
            links = self._node.links_of(container.id)
            if details is not None and links is not None and details.pid_mode is NamespaceMode.CONTAINER:
                yield container, links

    def _started(self, container: Container) -> tuple[int, int]:
        identity = self._node.first_processes[container.id].identity
        return (identity.start_ticks, identity.pid)
