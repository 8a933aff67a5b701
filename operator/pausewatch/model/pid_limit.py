"""How many tasks may be, and how many are."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PidLimit:
    """One bound on the number of tasks (processes and threads).

    A zombie counts until it is reaped (kernel, pids_release in release_task; Documentation, cgroup-v2, PID).
    """

    directory: str
    """Of a cgroup with a bound in its file ``pids.max``, as the runtime's mount namespace shows it, escaped:
    ``/sys/fs/cgroup/kubepods/...``; empty for the machine's own bound."""

    owner_ids: tuple[str, ...]
    """The containers, and the sandboxes themselves, below it that hold zombies; empty for the machine's own."""

    tasks: int
    """``pids.current``; for the machine the tasks of all processes that we see."""

    most_tasks: int
    """``pids.max``; for the machine the smaller one of ``kernel.pid_max`` and ``kernel.threads-max``."""

    @property
    def is_of_the_machine(self) -> bool:
        """Whether it bounds everything on the node."""
        return not self.directory
