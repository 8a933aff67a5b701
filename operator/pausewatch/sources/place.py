"""Where sources find the node's files."""

from collections.abc import Callable
from dataclasses import dataclass

DEFAULT_CNI_DIRECTORY = "/etc/cni/net.d"
"""Of containerd, CRI-O and cri-dockerd."""


def _nothing(_: int) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a source finds what it reads."""

    proc: str
    """Where the proc file system of our own PID namespace is mounted."""

    listener_pid: int
    """The process behind the CRI socket: below ``<proc>/<listener_pid>/root`` are the files as the runtime sees them.
    From inside a pod /run, /var/lib and /sys/fs/cgroup are the pod's own."""

    endpoint: str
    """Path of the CRI socket, as it was connected to: in a pod that may be another one than on the node."""

    cni_directory: str = DEFAULT_CNI_DIRECTORY
    """Where the runtime has its CNI configuration, as it sees it; the default where it does not tell."""

    stat_of: Callable[[int], bytes | None] = _nothing
    """What the sweep of this scan read in the ``stat`` file of the process with that number; None if it saw none."""

    @property
    def root(self) -> str:
        """The root directory of the runtime's mount namespace."""
        return f"{self.proc}/{self.listener_pid}/root"
