"""Where sources find the node's files."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a source finds what it reads."""

    proc: str
    """Where the proc file system of our own PID namespace is mounted."""

    listener_pid: int
    """The process behind the CRI socket: below ``<proc>/<listener_pid>/root`` are the files as the runtime sees them.
    From inside a pod /run, /var/lib and /sys/fs/cgroup are the pod's own."""

    endpoint: str
    """Path of the CRI socket, as it was connected to."""

    @property
    def root(self) -> str:
        """The root directory of the runtime's mount namespace."""
        return f"{self.proc}/{self.listener_pid}/root"
