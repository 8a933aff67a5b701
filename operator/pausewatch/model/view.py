"""The Snapshot joined once: what a check asks, by the names of the domain.

Sections that a check did not declare as needed may be Unavailable; this view then shows them as empty.
"""

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import TypeVar

from pausewatch.model.availability import Unavailable
from pausewatch.model.comparable import why_not_comparable
from pausewatch.model.history import History
from pausewatch.model.linux_namespace import NamespaceLinks
from pausewatch.model.pid_limit import PidLimit
from pausewatch.model.pod import Pod, WaitingPod
from pausewatch.model.pod_address import AddressedPod, addressed_pods, may_change_network
from pausewatch.model.process import FirstProcess, Identity, Placement, Process
from pausewatch.model.sandbox import Container, ContainerDetails, ContainerState, Sandbox, SandboxDetails, SandboxState
from pausewatch.model.sandbox_births import Births, births_with
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.subject import Subject
from pausewatch.model.zombie_growth import steady_growth_per_hour

T = TypeVar("T")

JUST_ENDED_SECONDS = 1.0
"""A runtime under load tells that a process has ended up to so long after /proc does: less says nothing about a fault.
Two looks of a scan by hand are at least as far apart."""


class NodeView:
    """One node at one instant. Properties are computed when first asked for and then kept."""

    def __init__(self, snapshot: Snapshot, history: History) -> None:
        self.snapshot = snapshot
        self._history = history

    @cached_property
    def sandboxes(self) -> Mapping[str, Sandbox]:
        """By id; one without an id is none: nothing could be said of it, and "" stands for nobody elsewhere."""
        return {sandbox.id: sandbox for sandbox in _present(self.snapshot.sandboxes) if sandbox.id}

    @cached_property
    def containers(self) -> Mapping[str, Container]:
        """By id, in every state; one without an id is none."""
        return {container.id: container for container in _present(self.snapshot.containers) if container.id}

    @cached_property
    def containers_of(self) -> Mapping[str, tuple[Container, ...]]:
        """By sandbox id; oldest attempt first."""
        grouped: dict[str, list[Container]] = {}
        for container in self.containers.values():
            grouped.setdefault(container.sandbox_id, []).append(container)
        return {
            sandbox_id: tuple(sorted(members, key=lambda one: (one.name, one.attempt, one.id)))
            for sandbox_id, members in grouped.items()
        }

    @cached_property
    def processes(self) -> Mapping[int, Process]:
        """By pid."""
        return {process.pid: process for process in _present(self.snapshot.processes)}

    @cached_property
    def first_processes(self) -> Mapping[str, FirstProcess]:
        """By the id of their sandbox or container, without those whose cgroup shows that they are strangers."""
        return {first.owner_id: first for first in _present(self.snapshot.first_processes) if first.in_own_cgroup}

    @cached_property
    def _links(self) -> Mapping[str, NamespaceLinks]:
        return {
            owner_id: first.links
            for owner_id, first in self.first_processes.items()
            if not isinstance(first.links, Unavailable)
        }

    @cached_property
    def first_process_owners(self) -> Mapping[Identity, str]:
        """The sandbox or container that a process is the first of."""
        return {first.identity: first.owner_id for first in self.first_processes.values()}

    @cached_property
    def pid_ones(self) -> frozenset[Identity]:
        """The first processes that are PID 1 of a PID namespace: the earliest in each, but for the node's own.

        Who makes a PID namespace starts in it as PID 1, and it ends with PID 1 (pid_namespaces(7)): so nobody who
        joined is earlier.
        """
        host = self.host_links
        earliest: dict[int, Identity] = {}
        for first in self.first_processes.values():
            links = self.links_of(first.owner_id)
            if host is None or links is None or links.pid == host.pid:
                continue
            known = earliest.setdefault(links.pid, first.identity)
            if _started(first.identity) < _started(known):
                earliest[links.pid] = first.identity
        return frozenset(earliest.values())

    @cached_property
    def placements(self) -> Mapping[Identity, Placement]:
        """Of zombies and their parents."""
        return {placement.identity: placement for placement in self.snapshot.placements}

    @cached_property
    def pins(self) -> Mapping[str, int]:
        """Inode numbers of pinned namespaces, by the path that the runtime uses."""
        return {pin.path: pin.inode for pin in self.snapshot.pinned_namespaces}

    @property
    def host_links(self) -> NamespaceLinks | None:
        """The node's own namespaces."""
        links = self.snapshot.host_links
        return None if isinstance(links, Unavailable) else links

    @cached_property
    def not_comparable(self) -> Mapping[str, str]:
        """Why the processes of a sandbox say nothing about its pod, by sandbox id; comparable ones are left out."""
        reasons = {
            sandbox.id: why_not_comparable(sandbox, self.containers_of.get(sandbox.id, ()))
            for sandbox in self.sandboxes.values()
        }
        return {sandbox_id: reason for sandbox_id, reason in reasons.items() if reason}

    @cached_property
    def addressed_pods(self) -> tuple[AddressedPod, ...]:
        """The ready pods with a network of their own, without those that are being deleted; by sandbox id."""
        networks = _present(self.snapshot.pod_networks)
        return addressed_pods(self.sandboxes.values(), networks, self.pods, self.not_comparable)

    def may_change_network(self, sandbox: Sandbox) -> bool:
        """Whether a container of a sandbox may have changed its addresses and links itself."""
        return may_change_network(self.containers_of.get(sandbox.id, ()))

    @cached_property
    def running_containers(self) -> tuple[Container, ...]:
        """RUNNING containers of listed sandboxes, in a stable order."""
        ordered = sorted(self.sandboxes.values(), key=lambda one: (one.namespace, one.name, one.id))
        return tuple(
            container
            for sandbox in ordered
            for container in self.containers_of.get(sandbox.id, ())
            if container.state is ContainerState.RUNNING
        )

    @cached_property
    def zombies(self) -> tuple[Process, ...]:
        """Dead processes that nobody has reaped, by pid."""
        return tuple(process for process in _present(self.snapshot.processes) if process.is_zombie)

    def zombie_seen_for_seconds(self, zombie: Process) -> float:
        """Return how long this very process has been seen dead; 0 when it is seen for the first time."""
        since = self._history.zombies_seen_since.get(zombie.identity, self.snapshot.uptime_seconds)
        return self.snapshot.uptime_seconds - since

    def zombie_growth_per_hour(self, owner_id: str) -> float | None:
        """Return how fast the zombies of a container or sandbox (empty: of the node itself) grow in number, if steady.

        None where that can not be told, such as in the first minutes.
        """
        return steady_growth_per_hour(self._history.zombie_counts.get(owner_id, ()))

    @property
    def pid_limits(self) -> tuple[PidLimit, ...]:
        """The bounds above containers with many zombies, and the machine's; nothing where there are few."""
        return _present(self.snapshot.pid_limits)

    @cached_property
    def pods(self) -> Mapping[str, Pod]:
        """In the API, by the uid that their sandboxes carry."""
        return {pod.uid: pod for pod in _present(self.snapshot.pods)}

    @cached_property
    def waiting_pods(self) -> tuple[tuple[Pod, WaitingPod], ...]:
        """Pods without ready sandbox that are not at their end, with why, in a stable order."""
        by_uid = {waiting.uid: waiting for waiting in _present(self.snapshot.waiting_pods)}
        pairs = [(pod, by_uid[pod.uid]) for pod in self.pods.values() if pod.uid in by_uid]
        return tuple(sorted(pairs, key=lambda pair: (pair[0].namespace, pair[0].name, pair[0].uid)))

    def pod_waiting_for_seconds(self, pod: Pod) -> float:
        """Return for how long a pod has been known to wait for a sandbox; 0 when it is seen so for the first time."""
        return self.snapshot.uptime_seconds - self._history.waiting_since.get(pod.uid, self.snapshot.uptime_seconds)

    def pod_deleted_for_seconds(self, sandbox: Sandbox) -> float:
        """Return how long ago the deletion of a sandbox's pod was first seen; 0 when it is seen for the first time.

        By the boot clock: that of the API server, or a step of our own, may make any deadline seem long past.
        """
        memory = self._history.pods.get(sandbox.id)
        if memory is None or memory.deleting_since is None:
            return 0
        return self.snapshot.uptime_seconds - memory.deleting_since

    def pod_absent_for_seconds(self, sandbox: Sandbox) -> float:
        """Return for how long the pod of a sandbox has been missing in the API; 0 if it is there or just vanished."""
        memory = self._history.pods.get(sandbox.id)
        if sandbox.uid in self.pods or memory is None or memory.absent_since is None:
            return 0
        return self.snapshot.uptime_seconds - memory.absent_since

    @cached_property
    def containers_without_process(self) -> tuple[Container, ...]:
        """Those that the runtime calls RUNNING although their first process is dead, as far as that can be told.

        A number that belongs to another process by now tells nothing, and neither does one of a runtime whose
        processes on the node are not the pod's own.
        """
        if isinstance(self.snapshot.processes, Unavailable) or isinstance(self.snapshot.first_processes, Unavailable):
            return ()
        dead = (container for container in self.running_containers if self._has_dead_process(container))
        return tuple(container for container in dead if self._tells_of_processes(self.sandboxes[container.sandbox_id]))

    @cached_property
    def sandboxes_without_pause(self) -> tuple[Sandbox, ...]:
        """Those that lost their pause, or whatever keeps them READY, while a container in them runs.

        Who stops a sandbox ends its containers first (StopPodSandbox of containerd and CRI-O), so this is never a
        step on the way.
        """
        lost = {container.id for container in self.containers_without_process}
        held = {container.sandbox_id for container in self.running_containers if container.id not in lost}
        ordered = (self.sandboxes[sandbox_id] for sandbox_id in sorted(held))
        return tuple(one for one in ordered if self._has_lost_pause(one) and self._tells_of_processes(one))

    def lost_for_seconds(self, owner_id: str) -> float:
        """Return for how long one of the two above has been seen so; 0 at the first sight."""
        return self.snapshot.uptime_seconds - self._history.lost_since.get(owner_id, self.snapshot.uptime_seconds)

    def is_lost(self, owner_id: str) -> bool:
        """Whether one of the two above was so in an earlier scan as well, and did not just end."""
        return self.lost_for_seconds(owner_id) >= JUST_ENDED_SECONDS

    @cached_property
    def sandbox_births(self) -> Births:
        """When the sandboxes of each listed pod were made, as far as it was seen."""
        return births_with(self._history.sandbox_births, self.sandboxes.values())

    def grace_seconds(self, sandbox: Sandbox) -> float:
        """Return how long the kubelet may take to end a sandbox once its pod is deleted.

        The longest of what the pod was deleted with, as far as it was seen, and what its containers were started with:
        a forced deletion takes the pod out of the API at once while the kubelet still waits for the whole period.
        """
        memory = self._history.pods.get(sandbox.id)
        pod = self.pods.get(sandbox.uid)
        details = (self.container_details(container) for container in self.containers_of.get(sandbox.id, ()))
        return max(
            memory.grace_seconds if memory is not None else 0,
            pod.deletion_grace_seconds or 0 if pod is not None else 0,
            *(one.grace_seconds for one in details if one is not None),
            0,
        )

    def sandbox_details(self, sandbox: Sandbox) -> SandboxDetails | None:
        """Return what the status of a sandbox told, if it could be asked."""
        return None if isinstance(sandbox.details, Unavailable) else sandbox.details

    def is_of_a_kubelet(self, sandbox: Sandbox) -> bool:
        """Whether a kubelet made a sandbox, as far as it tells: nobody manages one of ``crictl runp``."""
        details = self.sandbox_details(sandbox)
        return details is not None and details.pod_source != ""

    def container_details(self, container: Container) -> ContainerDetails | None:
        """Return what the status of a container told, if it could be asked."""
        return None if isinstance(container.details, Unavailable) else container.details

    def links_of(self, owner_id: str) -> NamespaceLinks | None:
        """Return the namespaces of the first process of a sandbox or container, if they could be read."""
        return self._links.get(owner_id)

    def subject_of(self, container: Container) -> Subject:
        """Return a container as the subject of a finding."""
        sandbox = self.sandboxes[container.sandbox_id]
        twins = self._running_names[container.sandbox_id, container.name]
        name = f"{container.name}#{container.attempt}" if twins > 1 else container.name
        return Subject(
            namespace=sandbox.namespace,
            pod=sandbox.name,
            uid=sandbox.uid,
            sandbox_id=sandbox.id,
            container=name,
        )

    def _has_dead_process(self, container: Container) -> bool:
        details = self.container_details(container)
        return details is not None and self._is_dead(details.pid)

    def _has_lost_pause(self, sandbox: Sandbox) -> bool:
        details = self.sandbox_details(sandbox)
        if sandbox.state is SandboxState.NOTREADY or details is None:
            return sandbox.state is SandboxState.NOTREADY
        if isinstance(self.snapshot.processes, Unavailable) or isinstance(self.snapshot.first_processes, Unavailable):
            return sandbox.id in self._history.lost_since  # what is dead stays dead, whoever sees it
        return self._is_dead(details.pause_pid)

    def _is_dead(self, pid: int) -> bool:
        """Whether a process that the runtime names has ended; of 0, which stands for no process, it is not known."""
        process = self.processes.get(pid)
        return pid > 0 and (process is None or process.is_zombie)

    def _tells_of_processes(self, sandbox: Sandbox) -> bool:
        return self.sandbox_details(sandbox) is not None and sandbox.id not in self.not_comparable

    @cached_property
    def _running_names(self) -> Counter[tuple[str, str]]:
        return Counter(
            (container.sandbox_id, container.name)
            for container in self.containers.values()
            if container.state is ContainerState.RUNNING
        )


def subject_of_sandbox(sandbox: Sandbox) -> Subject:
    """Return a sandbox as the subject of a finding."""
    return Subject(namespace=sandbox.namespace, pod=sandbox.name, uid=sandbox.uid, sandbox_id=sandbox.id)


def _started(identity: Identity) -> tuple[int, int]:
    """Order processes by when they started; within one tick of the clock by number, which usually grows."""
    return (identity.start_ticks, identity.pid)


def _present(section: tuple[T, ...] | Unavailable) -> tuple[T, ...]:
    return () if isinstance(section, Unavailable) else section
