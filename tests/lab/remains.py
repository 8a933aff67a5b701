"""Finding and removing everything a lab left, however it ended.

Processes are found by the lab's cgroup, never by name. Mounts, network namespaces and interfaces of a lab
live in its own mount and network namespaces, which end with their last process; of a lab that serves the machine over
IP there is one interface outside, see `lab.network`.
"""

import shutil
import signal
import subprocess
from pathlib import Path

from lab.cgroups import LabCgroup
from lab.network import LabNetwork
from lab.places import Places, remove_empty_roots
from lab.waiting import wait_until

#: Seconds for all processes of a lab to be gone after SIGKILL. Tearing down a container's mounts takes a while.
_KILL_SECONDS = 20.0


def find_remains(places: Places) -> list[str]:
    """What is there of this lab, running or not, one line each: processes, cgroups, mounts, directories, ..."""
    cgroup = LabCgroup(places.name)
    network = LabNetwork(places.name)
    return [
        *(f"process {process.pid} ({_command(process.pid)})" for process in cgroup.members()),
        *(f"cgroup {directory}" for directory in cgroup.roots()),
        *(f"mount {mount_point}" for mount_point in _mounts(places)),
        *([f"interface {network.machine_interface}"] if network.is_there() else []),
        *(f"directory {directory}" for directory in places.directories if directory.exists()),
    ]


def remove_remains(places: Places) -> None:
    """Kill and remove everything of this lab. The caller holds `places.locked()`.

    Raises:
        WaitTimeoutError: A process survived SIGKILL for 20 s, or a cgroup stayed busy.
    """
    cgroup = LabCgroup(places.name)
    wait_until(f"the processes of lab {places.name} to die", lambda: _kill(cgroup), _KILL_SECONDS)
    cgroup.remove()
    LabNetwork(places.name).remove()
    for mount_point in reversed(_mounts(places)):
        # There are none unless somebody mounted here by hand; removing through a mount would be far worse.
        subprocess.run(["umount", "--lazy", mount_point], check=True)
    for directory in reversed(places.directories):  # `run` last: it carries the lock
        if directory.exists():
            shutil.rmtree(directory)
    remove_empty_roots()


def _kill(cgroup: LabCgroup) -> bool:
    """Kill what is there; true when nothing was. Repeated, because a shim may fork while we look."""
    members = cgroup.members()
    for process in members:
        process.send(signal.SIGKILL)
    return not members


def _mounts(places: Places) -> list[Path]:
    """Mount points at or below the lab's directories, as this process sees them."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    found = [Path(line.split()[4]) for line in lines]
    return [point for point in found if any(point.is_relative_to(place) for place in places.directories)]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "gone"
