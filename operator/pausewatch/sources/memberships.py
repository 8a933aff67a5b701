"""In which cgroup every living process is: read once per process, and again for those that may be in a wrong one."""

from dataclasses import dataclass, replace

from pausewatch.model.availability import Unavailable
from pausewatch.model.membership import SETTLING_SECONDS, Membership
from pausewatch.model.process import Process
from pausewatch.model.sandbox import ContainerState
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.text import printable
from pausewatch.sources.place import Place
from pausewatch.sources.procfs import cgroup

_LONGEST_PATH = 1024
"""Characters. With systemd's names a container's cgroup has about 300."""

_MOST_PLACES = 4096
"""Remembered within a scan. A node with 250 pods has about 1,000 cgroups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Where:
    """What the text of a cgroup file says: understood once for all processes there.

    They share its texts: twenty thousand processes of one container would have as many copies of each.
    """

    path: str
    container_id: str | None
    pods_root: str | None


@dataclass(slots=True, kw_only=True)
class _Known:
    process: Process
    """As the sweep saw it last; the sweep gives the same object while nothing changed."""

    membership: Membership | None
    """None for kernel threads, for zombies and for what could not be read."""

    settled: bool
    """Whether it could be read, and was old enough then: runc moves a process shortly after it made it, and only then
    lets it become the container's program."""

    stray_since: float | None = None


class Memberships:
    """Reads cgroups, scan after scan; what it remembers saves time, but for how long a process has been astray.

    A process that is moved into a wrong cgroup long after it started is not noticed: its cgroup is remembered.
    """

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}
        self._places: dict[str, _Where] = {}
        """Of one scan, by the text of the cgroup file, of up to two kilobytes: kept for longer, those of pods that are
        gone would add up to megabytes."""

        self._roots: set[str | None] = set()
        """Where the pods that the runtime listed at the last scan are. Another kubelet on the machine (a node of kind)
        has its pods elsewhere, as have those who start containers beside the kubelet (nerdctl, Docker)."""

    def read(self, so_far: Snapshot, place: Place) -> tuple[Membership, ...] | Unavailable:
        """Return the membership of every process but kernel threads and zombies, by pid.

        Those whose file could not be read are left out: the process is gone, or belongs to another user.
        """
        kept, processes = _ids_with_processes(so_far), so_far.processes
        if isinstance(kept, Unavailable):
            return kept
        if isinstance(processes, Unavailable):
            return processes
        memory, roots = self._known, set()
        self._places = {}
        found = []
        # For thousands of processes at each scan, so what happens to almost all of them is spelled out here.
        for process in processes:
            pid = process.identity.pid
            known = memory.get(pid)
            if known is None or not known.settled or not (known.process is process or _goes_on(known, process)):
                known = memory[pid] = self._read(place, process, known, so_far.uptime_seconds)
            membership = known.membership
            if membership is None:
                continue
            if membership.container_id in kept:
                roots.add(membership.pods_root)
                if known.stray_since is not None:
                    membership = _back(known, membership)
            elif membership.pods_root in self._roots:
                membership = self._again(known, place, kept, so_far.uptime_seconds)
            if membership is not None:
                found.append(membership)
        self._roots = roots - {None}
        self._forget_all_but(processes)
        return tuple(found)

    def _again(self, known: _Known, place: Place, kept: set[str | None], uptime_seconds: float) -> Membership | None:
        """Read a process anew that seems to be where none should be, and count for how long it has been there."""
        before = known.membership
        membership = self._membership(place, known.process)
        if membership is None or membership.container_id is None or membership.container_id in kept:
            known.stray_since = None
        elif known.stray_since is None or before is None or before.container_id != membership.container_id:
            known.stray_since = uptime_seconds
        else:
            membership = replace(membership, stray_seconds=uptime_seconds - known.stray_since)
        known.membership = membership
        return membership

    def _read(self, place: Place, process: Process, known: _Known | None, uptime_seconds: float) -> _Known:
        if process.kernel_thread or process.is_zombie:
            return _Known(process=process, membership=None, settled=True)
        membership = self._membership(place, process)
        same = known is not None and known.process.identity == process.identity
        return _Known(
            process=process,
            membership=membership,
            settled=membership is not None and process.identity.age_seconds(uptime_seconds) >= SETTLING_SECONDS,
            stray_since=known.stray_since if known is not None and same else None,
        )

    def _membership(self, place: Place, process: Process) -> Membership | None:
        """Read the cgroup of a process; None if it is gone.

        Whether the number still belongs to it is not asked again. Should it have a new owner since the sweep, what is
        returned is wrong until the next scan, which knows the new owner; nothing is found in so short a time.
        """
        text = cgroup.read(place.proc, process.identity.pid)
        if not isinstance(text, str):
            return None
        where = self._places.get(text)
        if where is None:
            if len(self._places) >= _MOST_PLACES:
                self._places = {}
            where = self._places[text] = _understood(text)
        return Membership(
            identity=process.identity,
            cgroup_path=where.path,
            container_id=where.container_id,
            pods_root=where.pods_root,
        )

    def _forget_all_but(self, processes: tuple[Process, ...]) -> None:
        if len(self._known) > len(processes):
            listed = {process.identity.pid for process in processes}
            self._known = {pid: known for pid, known in self._known.items() if pid in listed}


def _goes_on(known: _Known, process: Process) -> bool:
    """Take over the new state of a process that is the same one; False if it has to be read."""
    if process.is_zombie or known.process.identity != process.identity:
        return False
    known.process = process
    return True


def _back(known: _Known, membership: Membership) -> Membership:
    """Forget that a process was astray: its container is listed by now."""
    known.stray_since = None
    known.membership = replace(membership, stray_seconds=0)
    return known.membership


def _understood(text: str) -> _Where:
    named = cgroup.container(text)
    if named is None:
        return _Where(path="", container_id=None, pods_root=None)
    path, container_id = named
    root = cgroup.pods_root(path)
    return _Where(
        path=printable(path, _LONGEST_PATH),
        container_id=container_id,
        pods_root=None if root is None else printable(root, _LONGEST_PATH),
    )


def _ids_with_processes(so_far: Snapshot) -> set[str | None] | Unavailable:
    """Return the ids in whose cgroups processes may be."""
    if isinstance(so_far.sandboxes, Unavailable):
        return so_far.sandboxes
    if isinstance(so_far.containers, Unavailable):
        return so_far.containers
    ids: set[str | None] = {sandbox.id for sandbox in so_far.sandboxes}
    ids.update(one.id for one in so_far.containers if one.state is not ContainerState.EXITED)
    return ids
