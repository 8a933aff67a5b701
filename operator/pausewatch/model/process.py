"""Processes as /proc shows them."""

from dataclasses import dataclass

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceLinks

TICKS_PER_SECOND = 100
"""USER_HZ of the kernel, the unit of times in /proc: 100 on every architecture that Kubernetes runs on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A process, proof against the reuse of its number."""

    pid: int
    """As seen in our own PID namespace."""

    start_ticks: int
    """Field 22 of ``/proc/<pid>/stat``: clock ticks (1/100 s) after boot at which the process started."""

    def age_seconds(self, uptime_seconds: float) -> float:
        """Return for how long the process has existed at that time of the boot clock."""
        return uptime_seconds - self.start_ticks / TICKS_PER_SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process at one instant, from ``/proc/<pid>/stat`` (proc_pid_stat(5))."""

    identity: Identity
    parent_pid: int
    """0 for the first processes and for one whose parent is outside our PID namespace."""

    name: str
    """The kernel's ``comm``, at most 15 bytes, escaped. The process chooses it: shown to people, never executed."""

    state: str
    """One letter; ``Z`` is a zombie or a thread-group leader that exited before its threads."""

    threads: int
    kernel_thread: bool

    @property
    def pid(self) -> int:
        """The number that people type."""
        return self.identity.pid

    @property
    def is_zombie(self) -> bool:
        """Whether it is dead and waits to be reaped.

        A leader that called pthread_exit shows ``Z`` as well while its program lives on in other threads
        (``threads`` > 1); counting it would call a healthy program dead.
        """
        return self.state == "Z" and self.threads <= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstProcess:
    """The process that the runtime started for a sandbox (its pause) or a container: read anew at each scan."""

    owner_id: str
    """The CRI id of the sandbox or container."""

    identity: Identity
    links: NamespaceLinks | Unavailable
    in_own_cgroup: bool
    """Whether its cgroup path names ``owner_id``. If not, the number was reused by another process, or the runtime
    counts processes in another PID namespace: what we read then belongs to a stranger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a zombie, or the parent of one, belongs. Neither fact changes while the process lives or waits."""

    identity: Identity
    pid_namespace: int | None
    """Inode number of ``ns/pid``, the one link (beside ``ns/user``) that a zombie keeps; None if unreadable."""

    container_id: str | None
    """The container or sandbox id in the cgroup path; None where the path names none. A zombie on cgroup v1 shows
    ``/`` there, so None does not mean that it belongs to the node."""
