"""The sections of a Snapshot that only some checks need, each read by a source of its own.

To add one: a source with ``read``, and a line in ``detail_sources``. A source may use the sections above its own.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from pausewatch.model.availability import READ_HANGS, Unavailable
from pausewatch.model.snapshot import Snapshot
from pausewatch.sources.memberships import Memberships
from pausewatch.sources.monitors import Monitors
from pausewatch.sources.network.address_pools import AddressPools
from pausewatch.sources.network.network_pins import NetworkPins
from pausewatch.sources.network.pod_networks import PodNetworks
from pausewatch.sources.pause_usages import PauseUsages
from pausewatch.sources.pid_limits import PidLimits
from pausewatch.sources.place import Place

PATIENCE_SECONDS = 20.0
"""How long a source may take. On a node with 20,000 processes and no free processor they take a few seconds; all at
this limit, which happens once, stay below the time after which the agent is taken for dead."""

HANGS = Unavailable(
    reason=READ_HANGS,
    detail=f"a file of the node does not answer: reading it has not ended after {PATIENCE_SECONDS:g} s, and it is read"
    " again only when that has ended",
    remedy="look for processes in state D, and for disks and network file systems that do not answer:"
    " ps -eLo pid,lwp,stat,wchan:32,comm",
)
"""Stands for a section whose source hangs."""


class DetailSource(Protocol):
    """Reads one section, again and again; what it remembers saves time and nothing else."""

    def read(self, so_far: Snapshot, place: Place) -> Any:  # noqa: ANN401  the type of its section
        """Return the section's value, or Unavailable with the reason; nothing is raised.

        Args:
            so_far: The Snapshot with everything that was read before.
            place: Where to read.
        """


FROM_OUTSIDE = frozenset({"memberships", "address_pools"})
"""Sections that look up no pid that the runtime tells. They are read too where it counts processes in another PID
namespace, inside of ours: a node of kind, seen from its host."""


def detail_sources() -> Mapping[str, DetailSource]:
    """Return a new source for each section, by its name in the Snapshot, in the order in which they are read."""
    return {
        "memberships": Memberships(),
        "monitors": Monitors(),
        "pause_usages": PauseUsages(),
        "pid_limits": PidLimits(),
        "pod_networks": PodNetworks(),
        "network_pins": NetworkPins(),
        "address_pools": AddressPools(),
    }
