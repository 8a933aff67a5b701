"""All sources, read in order into one Snapshot: CRI first, /proc after it.

The order matters: a process that the CRI listed and that is gone afterwards has ended, while one that started in
between is not judged yet. The other way round, every new container would look unlisted for a moment.
"""

import socket
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from pausewatch.model.access import AccessFact
from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceLinks
from pausewatch.model.process import FirstProcess
from pausewatch.model.sandbox import Container, NamespaceMode, Sandbox
from pausewatch.model.settings import Settings
from pausewatch.model.snapshot import ChangedOwner, PinnedNamespace, Snapshot
from pausewatch.model.text import printable
from pausewatch.sources.cri.source import CriReading, CriSource
from pausewatch.sources.procfs.boot import uptime_seconds
from pausewatch.sources.procfs.source import ProcReading, ProcSource


class Collector:
    """Reads one node again and again.

    It is one of two memories of the program (the other is ``History``): statuses by immutable id and open
    descriptors. Losing it costs only time.
    """

    def __init__(self, settings: Settings) -> None:
        self._node_name = printable(settings.node_name or socket.gethostname())
        self._cri = CriSource(settings.runtime_endpoint or None, settings.runtime_timeout_seconds)
        self._proc = ProcSource()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connection and all descriptors."""
        self._cri.close()
        self._proc.close()

    def collect(self) -> Snapshot:
        """Read the node now. What can not be read is Unavailable in the Snapshot; nothing is raised."""
        cri = self._cri.read()
        foreign = self._why_processes_are_foreign(cri)
        proc = self._proc.read([] if foreign else list(_wanted(cri)))
        return Snapshot(
            node_name=self._node_name,
            taken_at=datetime.now(UTC),
            uptime_seconds=uptime_seconds(),
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
            access=(_socket_access(cri), *self._proc.access(), _pid_namespace_access(foreign)),
        )

    def confirm(self, snapshot: Snapshot, owner_ids: Collection[str]) -> Snapshot:
        """Read once more what suspicions rest on, and name in the Snapshot what is no longer the same.

        /proc first and the CRI last: a container that the runtime still calls RUNNING after its process was seen
        unchanged was running all the while.
        """
        changes = ((owner_id, self._what_changed(snapshot, owner_id)) for owner_id in sorted(owner_ids))
        changed = tuple(ChangedOwner(owner_id=owner_id, reason=reason) for owner_id, reason in changes if reason)
        return replace(snapshot, changed_owners=changed)

    def _what_changed(self, snapshot: Snapshot, owner_id: str) -> str:
        first = next((one for one in _first_processes(snapshot) if one.owner_id == owner_id), None)
        changed = self._proc.what_changed(first) if first is not None else None
        if changed:
            return changed
        if isinstance(snapshot.containers, Unavailable) or all(one.id != owner_id for one in snapshot.containers):
            return ""
        running = self._cri.still_running(owner_id)
        if isinstance(running, Unavailable):
            return f"could not be confirmed: {running.detail}"
        return "" if running else "is no longer running"

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
            reason="RuntimeInOtherPidNamespace",
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


def _wanted(cri: CriReading) -> Iterator[tuple[str, int]]:
    """Yield the id and pid of every pause and of every running container's first process."""
    for sandbox in _sandboxes(cri):
        if not isinstance(sandbox.details, Unavailable) and sandbox.details.pause_pid:
            yield sandbox.id, sandbox.details.pause_pid
    for container in _containers(cri):
        if not isinstance(container.details, Unavailable) and container.details.pid:
            yield container.id, container.details.pid


def _pin_paths(cri: CriReading, proc: ProcReading) -> Iterator[str]:
    """Yield the namespace files that stand in for a pause: of sandboxes without a readable one, and of targets."""
    first = () if isinstance(proc.first_processes, Unavailable) else proc.first_processes
    readable = {one.owner_id for one in first if not isinstance(one.links, Unavailable)}
    for sandbox in _sandboxes(cri):
        if sandbox.id not in readable and not isinstance(sandbox.details, Unavailable):
            yield from (entry.path for entry in sandbox.details.spec_namespaces or () if entry.path)
    for container in _containers(cri):
        details = container.details
        if not isinstance(details, Unavailable) and details.pid_mode is NamespaceMode.TARGET and not details.target_id:
            yield from (entry.path for entry in details.spec_namespaces or () if entry.path)


def _socket_access(cri: CriReading) -> AccessFact:
    if isinstance(cri.sandboxes, Unavailable):
        return AccessFact(
            name="runtime-socket",
            granted=False,
            detail=cri.sandboxes.detail,
            lost="everything: without the runtime there are no sandboxes to judge",
            remedy=cri.sandboxes.remedy,
        )
    endpoint = "the CRI socket" if isinstance(cri.runtime, Unavailable) else cri.runtime.endpoint
    return AccessFact(name="runtime-socket", granted=True, detail=f"{endpoint} answers")


def _pid_namespace_access(foreign: Unavailable | None) -> AccessFact:
    if foreign is None:
        return AccessFact(
            name="runtime-pid-namespace", granted=True, detail="the runtime's pids are found in our /proc"
        )
    return AccessFact(
        name="runtime-pid-namespace",
        granted=False,
        detail=foreign.detail,
        lost="everything about processes: Linux namespaces, zombies, pauses",
        remedy=foreign.remedy,
    )


def _sandboxes(cri: CriReading) -> tuple[Sandbox, ...]:
    return () if isinstance(cri.sandboxes, Unavailable) else cri.sandboxes


def _containers(cri: CriReading) -> tuple[Container, ...]:
    return () if isinstance(cri.containers, Unavailable) else cri.containers


def _first_processes(snapshot: Snapshot) -> tuple[FirstProcess, ...]:
    return () if isinstance(snapshot.first_processes, Unavailable) else snapshot.first_processes
