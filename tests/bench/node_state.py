"""The nodes that are measured, and what was measured on each."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.costs import Costs


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    """What is started for a measurement; whatever else the machine runs comes on top, and every program reads it."""

    pods: int
    """Each with two containers."""

    processes: int
    """In all: pauses, containers, shims, the runtime, and sleepers in no pod."""

    zombies: int = 0
    """Of them, children of one process that does not wait."""

    def __str__(self) -> str:
        dead = f", {self.zombies} zombies" if self.zombies else ""
        return f"{self.pods} pods, {self.processes:,} processes{dead}"


ORDINARY = NodeState(pods=110, processes=500)
"""The kubelet's default limit of pods; what the budgets are about."""

LARGE = NodeState(pods=250, processes=2000)
CROWDED = NodeState(pods=110, processes=2500, zombies=300)

ZOMBIE_COUNT, NODE_EXPORTER = "ps and awk", "node_exporter, one scrape"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All about one state."""

    state: NodeState
    costs: Costs
    typed_loop: float
    """CPU milliseconds of asking the runtime for each pid and reading its links, as people type it."""

    look_calls: Mapping[str, float]
    """System calls of a warm look, by name."""

    lsns_calls: int
    """System calls of lsns."""
