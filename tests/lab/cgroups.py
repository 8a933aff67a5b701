"""The lab's cgroup: everything a lab ever started is in it, so that everything is found again."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.processes import Process, all_pids, cgroup_paths, find_process, process_state, thread_count
from lab.waiting import wait_until

_ROOT = "/pausewatch-lab"
_REMOVAL_SECONDS = 10.0
#: The kernel's own default, and the kubelet's (pkg/kubelet/cm/helpers_linux.go: QuotaPeriod).
_CPU_PERIOD_MICROSECONDS = 100_000


@dataclass(frozen=True)
class Hierarchy:
    """One mounted cgroup tree.

    Attributes:
        mount_point: Where it is mounted.
        unified: Whether it is version 2.
    """

    mount_point: Path
    unified: bool

    def directory(self, path: str) -> Path:
        """The directory of the cgroup that /proc/<pid>/cgroup calls `path`."""
        return self.mount_point / path.lstrip("/")


@dataclass(frozen=True)
class LabCgroup:
    """The cgroup of one lab in every hierarchy: containerd/ for daemons and shims, kubepods/ for pods."""

    name: str

    @property
    def path(self) -> str:
        """As /proc/<pid>/cgroup tells it."""
        return f"{_ROOT}/{self.name}"

    @property
    def daemons(self) -> str:
        """The cgroup of containerd and its shims."""
        return f"{self.path}/containerd"

    def pod(self, uid: str) -> str:
        """The cgroup of a pod as a kubelet (driver cgroupfs, class BestEffort) would name it below its root."""
        return f"{self.path}/kubepods/besteffort/pod{uid}"

    def create(self, path: str) -> list[Path]:
        """Make a cgroup at or below the lab's in every hierarchy, and return its directories.

        Raises:
            LabError: No cgroup hierarchy is mounted, or a directory cannot be made.
        """
        made = [_create(hierarchy, path) for hierarchy in hierarchies()]
        if not made:
            raise LabError("no cgroup hierarchy is mounted: the lab could not find its processes again")
        return made

    def limit_pids(self, path: str, limit: int) -> None:
        """Set pids.max of a cgroup that exists.

        Raises:
            LabError: No hierarchy has the pids controller there.
        """
        files = [hierarchy.directory(path) / "pids.max" for hierarchy in hierarchies()]
        present = [file for file in files if file.exists()]
        if not present:
            raise LabError(f"{path}: the pids controller is not available")
        for file in present:
            file.write_text(str(limit))

    def limit_cpu(self, path: str, share: float) -> None:
        """Give all of a cgroup that exists no more than a share of one CPU, as a kubelet does for limits.cpu.

        Rule: the kernel's Documentation/scheduler/sched-bwc.rst; cpu.max of Documentation/admin-guide/cgroup-v2.rst.

        Raises:
            LabError: No hierarchy has the cpu controller there.
        """
        quota = round(share * _CPU_PERIOD_MICROSECONDS)
        texts = {"cpu.cfs_quota_us": f"{quota}", "cpu.max": f"{quota} {_CPU_PERIOD_MICROSECONDS}"}
        files = [hierarchy.directory(path) / name for hierarchy in hierarchies() for name in texts]
        present = [file for file in files if file.exists()]
        if not present:
            raise LabError(f"{path}: the cpu controller is not available")
        for file in present:
            file.write_text(texts[file.name])

    def members(self) -> list[Process]:
        """Every process in the lab's cgroup or below, zombies included where version 2 is mounted."""
        return [
            process
            for pid in all_pids()
            if self._holds(pid) and (process := find_process(pid)) is not None and self._holds(pid)
        ]

    def kill_dead_leaders(self) -> None:
        """Kill processes whose first thread is dead while others live.

        runc takes such a container for stopped and sends it nothing, so the runtime would wait for its end until the
        call's deadline, and never remove the pod.
        """
        for process in self.members():
            if process_state(process.pid) == "Z" and thread_count(process.pid) > 1:
                process.send(signal.SIGKILL)

    def _holds(self, pid: int) -> bool:
        return any(path == self.path or path.startswith(f"{self.path}/") for path in cgroup_paths(pid))

    def roots(self) -> list[Path]:
        """The directories of the lab's cgroup, one per hierarchy, as far as they exist."""
        places = [hierarchy.directory(self.path) for hierarchy in hierarchies()]
        return [place for place in places if place.exists()]

    def remove(self) -> None:
        """Remove the cgroup everywhere, and the one above it when this was the last lab.

        Raises:
            WaitTimeoutError: A process is still in it.
        """
        wait_until(f"cgroup {self.path} to be removable", self._try_remove, _REMOVAL_SECONDS)
        for hierarchy in hierarchies():
            _try_rmdir(hierarchy.directory(_ROOT))

    def _try_remove(self) -> bool:
        # The kernel answers EBUSY for a moment after the last process has left.
        found = [Path(place) for root in self.roots() for place, _, _ in os.walk(root, topdown=False)]
        busy = [directory for directory in found if not _try_rmdir(directory)]
        return not busy


def hierarchies() -> list[Hierarchy]:
    """Every cgroup hierarchy mounted here, of version 1 and 2."""
    return list(_parse_hierarchies(Path("/proc/self/mountinfo").read_text()))


def _parse_hierarchies(mountinfo: str) -> Iterator[Hierarchy]:
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        kind = after.split()[0]
        if kind in {"cgroup", "cgroup2"}:
            yield Hierarchy(Path(before.split()[4]), unified=kind == "cgroup2")


def _create(hierarchy: Hierarchy, path: str) -> Path:
    parent = hierarchy.mount_point
    for part in path.strip("/").split("/"):
        directory = parent / part
        directory.mkdir(exist_ok=True)
        if hierarchy.unified:
            _delegate_controllers(parent)
        else:
            _inherit_cpuset(directory, parent)
        parent = directory
    return parent


def _delegate_controllers(parent: Path) -> None:
    """Version 2: children have only the controllers that their parent hands down."""
    wanted = set((parent / "cgroup.controllers").read_text().split())
    control = parent / "cgroup.subtree_control"
    missing = wanted - set(control.read_text().split())
    if missing:
        control.write_text(" ".join(f"+{controller}" for controller in sorted(missing)))


def _inherit_cpuset(directory: Path, parent: Path) -> None:
    """Version 1: a new cpuset is empty, and takes no process until it has processors and memory nodes."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        file = directory / name
        if file.exists() and not file.read_text().strip():
            file.write_text((parent / name).read_text())


def _try_rmdir(directory: Path) -> bool:
    try:
        directory.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
