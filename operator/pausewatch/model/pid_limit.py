"""How many tasks may be, and how many are."""

from dataclasses import dataclass
from datetime import datetime, timedelta

SECONDS_OF_A_DAY = 86_400

ROUNDED_TO_SECONDS = ((1_800, 300), (10_800, 1_800), (SECONDS_OF_A_DAY, 10_800))
"""The nearer a moment, the finer it is told: up to so many seconds ahead, to so many seconds. Farther ones are not told
at all: nobody keeps a pace for a day."""


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

    @property
    def free_tasks(self) -> int:
        """How many more may be; 0 when every fork fails."""
        return max(self.most_tasks - self.tasks, 0)

    @property
    def used_share(self) -> float:
        """0 to 1, or more where the bound was lowered below what there is."""
        return self.tasks / self.most_tasks if self.most_tasks else 1.0

    @property
    def used_tens_of_percent(self) -> int:
        """0, 10, 20, ...: at least so many percent are used. Coarse, so that text which tells it rarely changes."""
        return self.tasks * 10 // self.most_tasks * 10 if self.most_tasks else 100

    @property
    def name(self) -> str:
        """What the kernel calls it."""
        return "min(kernel.pid_max, kernel.threads-max)" if self.is_of_the_machine else "pids.max"

    def __str__(self) -> str:
        """Return its name and value: ``pids.max 1,000``."""
        return f"{self.name} {self.most_tasks:,}"


def reached_about(limit: PidLimit, growth_per_hour: float, now: datetime) -> str:
    """Return when a bound is reached if the growth goes on: ``11:05Z``, with the date if that is another day.

    Rounded, so that text which is stored rarely changes. Empty if it is reached already, not within a day, or never.

    Args:
        limit: As read at ``now``.
        growth_per_hour: Of its tasks.
        now: UTC.
    """
    if growth_per_hour <= 0 or not limit.free_tasks:
        return ""
    seconds = limit.free_tasks / growth_per_hour * 3600
    step = next((step for farthest, step in ROUNDED_TO_SECONDS if seconds <= farthest), None)
    if step is None:
        return ""
    earliest = now.timestamp()
    rounded = round((earliest + seconds) / step) * step
    moment = now + timedelta(seconds=(rounded if rounded > earliest else rounded + step) - earliest)
    return f"{moment:%H:%MZ}" if moment.date() == now.date() else f"{moment:%Y-%m-%d %H:%MZ}"
