"""The sections of a Snapshot that only some checks need, each read by a source of its own.

To add one: a source with ``read``, and a line in ``detail_sources``. A source may use the sections above its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pausewatch.model.snapshot import Snapshot


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


class DetailSource(Protocol):
    """Reads one section, again and again; what it remembers saves time and nothing else."""

    def read(self, so_far: Snapshot, place: Place) -> Any:  # noqa: ANN401  the type of its section
        """Return the section's value, or Unavailable with the reason; nothing is raised.

        Args:
            so_far: The Snapshot with everything that was read before.
            place: Where to read.
        """


def detail_sources() -> Mapping[str, DetailSource]:
    """Return a new source for each section, by its name in the Snapshot, in the order in which they are read."""
    return {}
