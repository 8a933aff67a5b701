"""The addresses, links and loopback of every ready sandbox with a network namespace of its own.

One takes about 50 microseconds to read, most of them in the kernel. So a scan reads what is new, what looks wrong, and
some of the others, the longest unread first: on a large node a fault is noticed a few scans later, and a scan of a
healthy one costs about half a millisecond whatever its size.
"""

from collections import Counter
from collections.abc import KeysView
from dataclasses import dataclass
from functools import cached_property

from pausewatch.model.availability import Unavailable
from pausewatch.model.comparable import why_not_comparable
from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.pod_network import PodNetwork
from pausewatch.model.process import FirstProcess
from pausewatch.model.sandbox import Container, NamespaceMode, Sandbox, SandboxDetails, SandboxState
from pausewatch.model.snapshot import PinnedNamespace, Snapshot
from pausewatch.sources.place import Place
from pausewatch.sources.procfs import network, process_stat

READ_PER_SCAN = 8
"""Of the sandboxes that looked right when they were read last. At 110 pods each has its turn every fourteenth scan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entrance:
    """The process through which the network namespace of a sandbox is read."""

    sandbox: Sandbox
    told: tuple[str, ...]
    """The addresses that the runtime reports."""

    first: FirstProcess


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    entrance: _Entrance
    tables: network.NetworkTables
    network: PodNetwork
    complete: bool
    """Whether everything that the runtime reports was there."""

    extra: tuple[str, ...]
    """Addresses that the runtime does not report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """The addresses that the runtime reports of any pod, and those that it reports of several."""

    once: KeysView[str]
    twice: set[str]


class PodNetworks:
    """Reads them, again and again; what it remembers saves time and nothing else."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        """By sandbox id, the longest unread first."""

    def read(self, so_far: Snapshot, place: Place) -> tuple[PodNetwork, ...] | Unavailable:
        """Return the network of each sandbox that can be read, ordered as the sandboxes are.

        Left out are sandboxes in the node's network, those whose processes are not the pod's own (gVisor takes the
        address out of the namespace), those without a process inside, and any that changes while it is read.
        """
        entrances = self._entrances(so_far)
        if isinstance(entrances, Unavailable):
            self._known = {}
            return entrances
        self._known = {
            sandbox_id: known
            for sandbox_id, known in self._known.items()
            if sandbox_id in entrances and entrances[sandbox_id] is known.entrance
        }
        counted = Counter(address for entrance in entrances.values() for address in entrance.told)
        held = _Held(once=counted.keys(), twice={address for address, count in counted.items() if count > 1})
        denied: Unavailable | None = None
        for sandbox_id in self._due(entrances, held):
            found = _read(entrances[sandbox_id], self._known.pop(sandbox_id, None), held, place)
            if isinstance(found, Unavailable):
                denied = found
            elif found is not None:
                self._known[sandbox_id] = found
        if denied is not None and not self._known:
            return denied
        return tuple(self._known[sandbox_id].network for sandbox_id in entrances if sandbox_id in self._known)

    def _entrances(self, so_far: Snapshot) -> dict[str, _Entrance] | Unavailable:
        """Return where to read, by sandbox id; what is as it was in the last scan is the same object."""
        if isinstance(so_far.sandboxes, Unavailable):
            return so_far.sandboxes
        if isinstance(so_far.containers, Unavailable):
            return so_far.containers
        if isinstance(so_far.first_processes, Unavailable):
            return so_far.first_processes
        if isinstance(so_far.host_links, Unavailable):
            return so_far.host_links
        processes = _Processes(so_far.first_processes, so_far.containers, so_far.pinned_namespaces)
        entrances: dict[str, _Entrance] = {}
        for sandbox in so_far.sandboxes:
            known = self._known.get(sandbox.id)
            entrance = None if known is None else known.entrance
            if entrance is None or not processes.still_have(entrance, sandbox):
                details = _own_network(sandbox)
                if details is None:
                    continue
                first = processes.inside(sandbox, details)
                if first is None or _network_of(first) in (None, so_far.host_links.network):
                    continue
                entrance = _Entrance(sandbox=sandbox, told=details.addresses, first=first)
            entrances[sandbox.id] = entrance
        return entrances

    def _due(self, entrances: dict[str, _Entrance], held: _Held) -> list[str]:
        """Return which sandboxes to read now."""
        now = [sandbox_id for sandbox_id in entrances if sandbox_id not in self._known]
        usual: list[str] = []
        for sandbox_id, known in self._known.items():
            suspicious = _is_suspicious(known, held)
            (now if suspicious else usual).append(sandbox_id)
        return now + usual[:READ_PER_SCAN]


class _Processes:
    """The first processes of one scan."""

    def __init__(
        self, firsts: tuple[FirstProcess, ...], containers: tuple[Container, ...], pins: tuple[PinnedNamespace, ...]
    ) -> None:
        self._by_owner = {first.owner_id: first for first in firsts}
        self._containers = containers
        self._pins = pins

    def still_have(self, entrance: _Entrance, sandbox: Sandbox) -> bool:
        """Whether an entrance of the last scan is one still: sources keep the objects of what has not changed."""
        return entrance.sandbox is sandbox and self._by_owner.get(entrance.first.owner_id) is entrance.first

    def inside(self, sandbox: Sandbox, details: SandboxDetails) -> FirstProcess | None:
        """Return the pause or, without one, a container's process in the network namespace that the runtime pins."""
        pause = self._by_owner.get(sandbox.id)
        if pause is not None:
            return pause
        paths = {entry.path for entry in details.spec_namespaces or () if entry.kind is NamespaceKind.NETWORK}
        pinned = {pin.inode for pin in self._pins if pin.path in paths}
        found = self._of_containers.get(sandbox.id, ()) if pinned else ()
        return next((first for first in found if _network_of(first) in pinned), None)

    @cached_property
    def _of_containers(self) -> dict[str, list[FirstProcess]]:
        """By sandbox id. Needed on runtimes without a pause only."""
        grouped: dict[str, list[FirstProcess]] = {}
        for container in self._containers:
            if container.id in self._by_owner:
                grouped.setdefault(container.sandbox_id, []).append(self._by_owner[container.id])
        return grouped


def _own_network(sandbox: Sandbox) -> SandboxDetails | None:
    """Return what is known of a sandbox, if it should have a network namespace of its own that says something."""
    details = sandbox.details
    if sandbox.state is not SandboxState.READY or isinstance(details, Unavailable):
        return None
    if details.network_mode is not NamespaceMode.POD or why_not_comparable(sandbox, ()):
        return None
    return details


def _network_of(first: FirstProcess) -> int | None:
    """Return the network namespace of a process; None for a stranger or one whose links could not be read."""
    return None if isinstance(first.links, Unavailable) or not first.in_own_cgroup else first.links.network


def _read(entrance: _Entrance, before: _Known | None, held: _Held, place: Place) -> _Known | Unavailable | None:
    """Read one network; None if the process is gone or what it shows is changing.

    What looks right was read of the right process: no other namespace holds the pod's address. Anything else is read
    twice, and the process is looked at again: its number never returns to it.

    Args:
        entrance: Where to read.
        before: What was read through it earlier.
        held: The addresses of all pods.
        place: The files of the node.
    """
    identity = entrance.first.identity
    tables = network.read(place.proc, identity.pid, before.tables if before is not None else None)
    if tables is None or isinstance(tables, Unavailable):
        return tables
    found = before if before is not None and before.tables is tables else _known(entrance, tables)
    if _is_suspicious(found, held):
        process = (
            None if network.read(place.proc, identity.pid) != tables else process_stat.read(place.proc, identity.pid)
        )
        if process is None or isinstance(process, Unavailable) or process.identity != identity:
            return None
    return found


def _known(entrance: _Entrance, tables: network.NetworkTables) -> _Known:
    inside = set(tables.addresses)
    return _Known(
        entrance=entrance,
        tables=tables,
        network=PodNetwork(
            sandbox_id=entrance.sandbox.id,
            process=entrance.first.identity,
            process_owner_id=entrance.first.owner_id,
            addresses=tables.addresses,
            links_up=tables.links_up,
            has_loopback=tables.has_loopback,
        ),
        complete=inside.issuperset(entrance.told) and tables.has_loopback and tables.links_up != (),
        extra=tuple(sorted(inside.difference(entrance.told))),
    )


def _is_suspicious(known: _Known, held: _Held) -> bool:
    """Whether a check may find something: then it must not rest on an old reading."""
    if not known.complete or not held.twice.isdisjoint(known.entrance.told):
        return True
    return any(address in held.once for address in known.extra)
