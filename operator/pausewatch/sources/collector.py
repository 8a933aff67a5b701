"""All sources, read in order into one Snapshot: CRI first, then /proc, then the pods of the API.

The order matters: a process that the CRI listed and that is gone afterwards has ended, while one that started in
between is not judged yet; and a pod is in the API before it has a sandbox. The other way round, every new container
and every new sandbox would look unknown for a moment.
"""

import socket
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

from pausewatch.model.access import AccessFact
from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceLinks
from pausewatch.model.pod import Pod
from pausewatch.model.sandbox import NamespaceMode, Sandbox, SandboxState
from pausewatch.model.settings import Settings
from pausewatch.model.snapshot import NOT_READ, ChangedOwner, PinnedNamespace, Snapshot
from pausewatch.model.text import printable
from pausewatch.sources.cri.sandbox_image import PERIOD_SECONDS
from pausewatch.sources.cri.source import CriReading, CriSource
from pausewatch.sources.details import FROM_OUTSIDE, HANGS, PATIENCE_SECONDS, detail_sources
from pausewatch.sources.doubts import doubtful
from pausewatch.sources.network.deep_probe import DeepProbe
from pausewatch.sources.patience import Patience
from pausewatch.sources.place import DEFAULT_CNI_DIRECTORY, Place
from pausewatch.sources.pods import PodsSource
from pausewatch.sources.procfs.source import ProcReading, ProcSource
from pausewatch.sources.wall_clock import WallClock

OTHER_PID_NAMESPACE = "RuntimeInOtherPidNamespace"

T = TypeVar("T")


class Collector:
    """Reads one node again and again.

    It is one of two memories of the program (the other is ``History``): statuses by immutable id and open
    descriptors. Losing it costs only time.
    """

    def __init__(
        self,
        settings: Settings,
        pods: PodsSource | None = None,
        *,
        image_period_seconds: float = PERIOD_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Prepare to read this node.

        Args:
            settings: What people set.
            pods: Where to learn of pods; without it no API server is asked.
            image_period_seconds: Between two times that the runtime is asked for the sandbox image.
            patience_seconds: How long the source of one detail may take.
        """
        self._node_name = printable(settings.node_name or socket.gethostname())
        self._socket_root = settings.runtime_socket_root
        self._cri = CriSource(
            settings.runtime_endpoint or None,
            settings.runtime_timeout_seconds,
            image_period_seconds,
            self._socket_root,
        )
        self._proc = ProcSource()
        self._clock = WallClock()
        self._details = detail_sources()
        self._patience = Patience(patience_seconds)
        self._deep_probe = DeepProbe() if settings.deep_probe else None
        self._pods = pods
        self._unconfirmed: frozenset[str] = frozenset()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def runtime_calls(self) -> Mapping[str, int]:
        """How many calls the runtime was asked since this collector was made, by method of the CRI."""
        return self._cri.calls

    def close(self) -> None:
        """Give back the connection, all descriptors and the thread."""
        self._patience.close()
        self._cri.close()
        self._proc.close()

    def collect(self) -> Snapshot:
        """Read the node now. What can not be read is Unavailable in the Snapshot; nothing is raised."""
        cri = self._cri.read()
        foreign = self._why_processes_are_foreign(cri)
        proc = self._proc.read([] if foreign else list(_wanted(cri)))
        now = self._clock.read()
        snapshot = Snapshot(
            node_name=self._node_name,
            taken_at=now.wall,
            uptime_seconds=now.uptime_seconds,
            boot_id=self._proc.boot_id,
            cgroup_version=self._proc.cgroup_version,
            runtime=cri.runtime,
            sandboxes=cri.sandboxes,
            containers=cri.containers,
            host_links=foreign or self._host_links(cri),
            first_processes=foreign or proc.first_processes,
            pinned_namespaces=() if foreign else self._pins(cri, proc),
            processes=proc.processes,
            placements=proc.placements,
            access=(*_runtime_access(cri), *_pid_namespace_access(foreign), *self._proc.access()),
            clock_steps=now.steps,
        )
        self._cri.doubt(doubtful(snapshot))
        snapshot = replace(snapshot, sandbox_image=self._cri.sandbox_image(snapshot))
        return self._with_pods(self._with_details(snapshot, cri, foreign))

    def confirm(self, snapshot: Snapshot, owner_ids: Collection[str]) -> Snapshot:
        """Read once more what suspicions rest on, and name in the Snapshot what is not known to be the same.

        /proc first and the CRI after it: a container that the runtime still calls RUNNING after its process was seen
        unchanged was running all the while. The API server is asked last.
        """
        # First those of which nobody could tell the last time: with a slow runtime the last of many would never count.
        ordered = sorted(owner_ids, key=lambda owner_id: (owner_id not in self._unconfirmed, owner_id))
        changes = ((owner_id, self._what_changed(snapshot, owner_id)) for owner_id in ordered)
        changed = tuple(_changed(*change) for change in changes if change[1])
        self._unconfirmed = frozenset(one.owner_id for one in changed if not one.is_known)
        return replace(snapshot, changed_owners=changed)

    def _with_details(self, snapshot: Snapshot, cri: CriReading, foreign: Unavailable | None) -> Snapshot:
        if isinstance(cri.listener_pid, Unavailable) or isinstance(cri.runtime, Unavailable):
            unread: dict[str, Any] = dict.fromkeys(self._details, foreign or NOT_READ)
            return replace(snapshot, **unread)
        socket_path = cri.runtime.endpoint.removeprefix("unix://")
        place = Place(
            proc=self._proc.root,
            listener_pid=cri.listener_pid,
            endpoint=f"{self._socket_root}{socket_path}",
            cni_directory=self._cri.cni_directory or DEFAULT_CNI_DIRECTORY,
            stat_of=self._proc.stat_of,
        )
        unreadable: dict[str, Any] = {
            name: foreign for name in self._details if foreign is not None and not _from_outside(name, foreign)
        }
        so_far = replace(snapshot, **unreadable)
        names = [name for name in self._details if name not in unreadable]
        found = self._patience.read_all(
            names, lambda name, found: self._details[name].read(replace(so_far, **found), place)
        )
        sections: dict[str, Any] = {name: found.get(name, HANGS) for name in names}
        snapshot = replace(so_far, **sections)
        return snapshot if self._deep_probe is None or foreign else self._deep_probe.complete(snapshot, place)

    def _with_pods(self, snapshot: Snapshot) -> Snapshot:
        if self._pods is None:
            return snapshot
        pods = self._pods.read()
        unknown = next((one for one in (pods, snapshot.sandboxes) if isinstance(one, Unavailable)), None)
        waiting = unknown or self._pods.waiting(_without_ready_sandbox(snapshot, _present(pods)))
        return replace(snapshot, pods=pods, waiting_pods=waiting)

    def _what_changed(self, snapshot: Snapshot, owner_id: str) -> str | Unavailable:
        """Return what changed, in words; empty if nothing did, Unavailable if nobody could tell."""
        first = next((one for one in _present(snapshot.first_processes) if one.owner_id == owner_id), None)
        changed = self._proc.what_changed(first) if first is not None else None
        if changed:
            return changed
        if any(one.id == owner_id for one in _present(snapshot.containers)):
            return _unless(self._cri.still_running(owner_id), "is no longer running")
        sandbox = next((one for one in _present(snapshot.sandboxes) if one.id == owner_id), None)
        if sandbox is None:
            return "is no longer listed"
        if sandbox.state is SandboxState.READY and (gone := _unless(self._cri.still_ready(owner_id), "is not ready")):
            return gone
        return self._pod_is_back(snapshot, sandbox)

    def _pod_is_back(self, snapshot: Snapshot, sandbox: Sandbox) -> str | Unavailable:
        """Ask the API server itself about a pod that our copy of its list lacks.

        Without a copy nobody suspects a pod to be gone, and what else is wrong with its sandbox needs no API server.
        """
        if self._pods is None or isinstance(snapshot.pods, Unavailable):
            return ""
        if any(pod.uid == sandbox.uid for pod in snapshot.pods):
            return ""
        wanted = Pod(namespace=sandbox.namespace, name=sandbox.name, uid=sandbox.uid, deletion_grace_seconds=None)
        return _unless(self._pods.is_gone(wanted), "its pod is in the API")

    def _why_processes_are_foreign(self, cri: CriReading) -> Unavailable | None:
        """Return why pids from this runtime can not be looked up in our /proc; None if they can."""
        if isinstance(cri.sandboxes, Unavailable):
            return cri.sandboxes
        if isinstance(cri.containers, Unavailable):
            return cri.containers
        if isinstance(cri.listener_pid, Unavailable):
            return cri.listener_pid
        shared = self._proc.same_pid_namespace(cri.listener_pid)
        if isinstance(shared, Unavailable):
            return shared
        if shared:
            return None
        return Unavailable(
            reason=OTHER_PID_NAMESPACE,
            detail="the container runtime counts processes in another PID namespace than ours",
            remedy="run pausewatch in the runtime's PID namespace (in a pod: hostPID: true)",
        )

    def _host_links(self, cri: CriReading) -> NamespaceLinks | Unavailable:
        if isinstance(cri.listener_pid, Unavailable):
            return cri.listener_pid
        return self._proc.links_of(cri.listener_pid)

    def _pins(self, cri: CriReading, proc: ProcReading) -> tuple[PinnedNamespace, ...]:
        if isinstance(cri.listener_pid, Unavailable):
            return ()
        paths = tuple(dict.fromkeys(_pin_paths(cri, proc)))
        return self._proc.pinned(cri.listener_pid, paths) if paths else ()


def _from_outside(section: str, foreign: Unavailable) -> bool:
    return foreign.reason == OTHER_PID_NAMESPACE and section in FROM_OUTSIDE


def _wanted(cri: CriReading) -> Iterator[tuple[str, int]]:
    """Yield the id and pid of every pause and of every running container's first process."""
    for sandbox in _present(cri.sandboxes):
        if not isinstance(sandbox.details, Unavailable) and sandbox.details.pause_pid:
            yield sandbox.id, sandbox.details.pause_pid
    for container in _present(cri.containers):
        if not isinstance(container.details, Unavailable) and container.details.pid:
            yield container.id, container.details.pid


def _pin_paths(cri: CriReading, proc: ProcReading) -> Iterator[str]:
    """Yield the namespace files that stand in for a pause: of sandboxes without a readable one, and of targets."""
    readable = {one.owner_id for one in _present(proc.first_processes) if not isinstance(one.links, Unavailable)}
    for sandbox in _present(cri.sandboxes):
        if sandbox.id not in readable and not isinstance(sandbox.details, Unavailable):
            yield from (entry.path for entry in sandbox.details.spec_namespaces or () if entry.path)
    for container in _present(cri.containers):
        details = container.details
        if not isinstance(details, Unavailable) and details.pid_mode is NamespaceMode.TARGET and not details.target_id:
            yield from (entry.path for entry in details.spec_namespaces or () if entry.path)


def _without_ready_sandbox(snapshot: Snapshot, pods: tuple[Pod, ...]) -> tuple[Pod, ...]:
    """Return pods that somebody may wait for, those without a container first: none of theirs has ever ended."""
    ready = {one.uid for one in _present(snapshot.sandboxes) if one.state is SandboxState.READY}
    missing = [pod for pod in pods if pod.uid not in ready and pod.deletion_grace_seconds is None]
    if not missing:
        return ()
    pod_of = {sandbox.id: sandbox.uid for sandbox in _present(snapshot.sandboxes)}
    lived = {pod_of.get(container.sandbox_id) for container in _present(snapshot.containers)}
    return tuple(sorted(missing, key=lambda pod: pod.uid in lived))


def _runtime_access(cri: CriReading) -> tuple[AccessFact, ...]:
    """Return whether the runtime answers, and which it is."""
    if isinstance(cri.sandboxes, Unavailable):
        silent = AccessFact(
            name="runtime-socket",
            granted=False,
            detail=cri.sandboxes.detail,
            lost="everything: without the runtime there are no sandboxes to judge",
            remedy=cri.sandboxes.remedy,
        )
        return (silent,)
    if isinstance(cri.runtime, Unavailable):
        return (AccessFact(name="runtime-socket", granted=True, detail="the CRI socket answers"),)
    return (
        AccessFact(name="runtime-socket", granted=True, detail=f"{cri.runtime.endpoint} answers"),
        AccessFact(name="runtime-version", granted=True, detail=f"{cri.runtime.name} {cri.runtime.version}"),
    )


def _pid_namespace_access(foreign: Unavailable | None) -> tuple[AccessFact, ...]:
    """Return nothing where the runtime was not reached: that is said once, about its socket."""
    name = "runtime-pid-namespace"
    if foreign is None:
        return (AccessFact(name=name, granted=True, detail="the runtime's pids are found in our /proc"),)
    if foreign.reason != OTHER_PID_NAMESPACE:
        return ()
    lost = "everything about processes: Linux namespaces, zombies, pauses"
    return (AccessFact(name=name, granted=False, detail=foreign.detail, lost=lost, remedy=foreign.remedy),)


def _unless(confirmed: bool | Unavailable, change: str) -> str | Unavailable:  # noqa: FBT001  the answer of a source
    return confirmed if isinstance(confirmed, Unavailable) else "" if confirmed else change


def _changed(owner_id: str, change: str | Unavailable) -> ChangedOwner:
    if isinstance(change, Unavailable):
        return ChangedOwner(owner_id=owner_id, reason=f"could not be confirmed: {change.detail}", is_known=False)
    return ChangedOwner(owner_id=owner_id, reason=change)


def _present(section: tuple[T, ...] | Unavailable) -> tuple[T, ...]:
    return () if isinstance(section, Unavailable) else section
