"""/proc, read for one Snapshot after another: what the Collector calls."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pausewatch.model.access import AccessFact
from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceLinks
from pausewatch.model.process import FirstProcess, Placement, Process
from pausewatch.model.snapshot import PinnedNamespace
from pausewatch.sources.procfs import access, boot, cgroup, namespace_links, own_process, pinned, process_stat, status
from pausewatch.sources.procfs.descriptors import affordable_descriptors
from pausewatch.sources.procfs.first_processes import FirstProcesses
from pausewatch.sources.procfs.placements import Placements
from pausewatch.sources.procfs.sweep import Sweep

FIRST_PROCESSES_SHARE = 0.25
"""Of the descriptors that may stay open; the sweep over all processes has the others. A pod has about three first
processes, and a node with so many pods has four times as many processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcReading:
    """The processes of the node at one instant."""

    processes: tuple[Process, ...] | Unavailable
    """Every process, ordered by pid."""

    first_processes: tuple[FirstProcess, ...] | Unavailable
    """Of the wanted owners, in their order; those whose process is gone are left out."""

    placements: tuple[Placement, ...]
    """Of the zombies and their parents, ordered by pid."""


class ProcSource:
    """Reads processes again and again. What it remembers saves time and nothing else; not for several threads."""

    def __init__(self, root: str = "/proc") -> None:
        """Prepare to read the proc file system mounted at ``root``, that of our own PID namespace."""
        self._root = root
        descriptors = affordable_descriptors()
        for_first_processes = int(descriptors * FIRST_PROCESSES_SHARE)
        self._sweep = Sweep(root, most_descriptors=descriptors - for_first_processes)
        self._first_processes = FirstProcesses(root, most_descriptors=for_first_processes)
        self._placements = Placements(root)
        self._boot_id = boot.read_boot_id(root)
        own_cgroup = cgroup.read(root)
        self._own = own_process.read(root, os.geteuid())
        self._cgroup_version = cgroup.version(own_cgroup) if isinstance(own_cgroup, str) else ""
        self._last: ProcReading | None = None
        self._unread_pins: tuple[Unavailable, ...] = ()

    @property
    def root(self) -> str:
        """Where the proc file system is mounted."""
        return self._root

    @property
    def boot_id(self) -> str:
        """The running boot; empty if the kernel does not tell, which ``access`` explains."""
        return "" if isinstance(self._boot_id, Unavailable) else self._boot_id

    @property
    def cgroup_version(self) -> str:
        """``v1``, ``v2`` or ``hybrid``; empty if it could not be told."""
        return self._cgroup_version

    def read(self, wanted: Sequence[tuple[str, int]]) -> ProcReading:
        """Read all processes now.

        Args:
            wanted: the CRI id and the pid of every pause and of every RUNNING container's first process.
        """
        processes = self._sweep.read()
        if isinstance(processes, Unavailable):
            # What the sweep noticed before it failed, it will not tell again: the next scan has to read every link.
            self._first_processes.close()
            reading = ProcReading(processes=processes, first_processes=processes, placements=())
        else:
            reading = ProcReading(
                processes=processes,
                first_processes=self._first_processes.read(wanted, self._sweep),
                placements=self._placements.read(processes, self._sweep.latest),
            )
        self._last = reading
        return reading

    def stat_of(self, pid: int) -> bytes | None:
        """Return what the last scan read in the ``stat`` file of that process; None if it saw none."""
        return self._sweep.raw(pid)

    def links_of(self, pid: int) -> NamespaceLinks | Unavailable:
        """Return the Linux namespaces of one process, such as the one behind the CRI socket."""
        process = process_stat.read(self._root, pid)
        if isinstance(process, Unavailable):
            return process
        links = None if process is None else namespace_links.read(self._root, process.identity)
        return _gone(pid) if links is None else links

    def same_pid_namespace(self, pid: int) -> bool | Unavailable:
        """Return whether a process is in the PID namespace that /proc shows, so that pids it tells are found there."""
        found = status.read(self._root, pid)
        if found is None:
            return _gone(pid)
        return found if isinstance(found, Unavailable) else len(found.pids) == 1

    def what_changed(self, first: FirstProcess) -> str | None:
        """Return in words how a first process differs NOW from what was read of it; None if it does not."""
        return self._first_processes.what_changed(first)

    def pinned(self, listener_pid: int, paths: Iterable[str]) -> tuple[PinnedNamespace, ...]:
        """Return the namespaces that files pin in the mount namespace of the runtime.

        A file that pins none, or could not be read, is left out; ``access`` says why.
        """
        found = [pinned.read(self._root, listener_pid, path) for path in paths]
        self._unread_pins = tuple(pin for pin in found if isinstance(pin, Unavailable))
        return tuple(pin for pin in found if isinstance(pin, PinnedNamespace))

    def access(self) -> tuple[AccessFact, ...]:
        """Return what the last reading, or one made for the purpose, could and could not see."""
        last = self._last or self.read(())
        links = access.links(last.first_processes, None if last.first_processes else status.read(self._root))
        return (
            *own_process.facts(self._own, suffices=links.granted),
            access.process_list(last.processes),
            links,
            access.cgroups(self._cgroup_version),
            access.boot_id(self._boot_id),
            *access.pins(self._unread_pins),
        )

    def close(self) -> None:
        """Close all files."""
        self._first_processes.close()
        self._sweep.close()


def _gone(pid: int) -> Unavailable:
    return Unavailable(
        reason="ProcessGone",
        detail=f"there is no process {pid} in /proc: it has exited, is hidden (hidepid), or counts in another PID"
        " namespace",
    )
