"""How many processes may be, and how many are."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PidLimit:
    """One bound on the number of tasks. Zombies count (kernel documentation, cgroup-v2, PID controller)."""

    cgroup_path: str
    """Of a cgroup with a bound in ``pids.max``; empty for the machine's own (``kernel.pid_max``)."""

    container_ids: tuple[str, ...]
    """The containers below it that hold zombies; empty for the machine's own."""

    tasks: int
    """``pids.current``; for the machine all tasks."""

    most_tasks: int
