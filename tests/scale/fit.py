"""From two sizes of a fleet to 5,000 nodes.

What grows with the number of nodes is a straight line through what was measured. What grows with the number of writes
in a second needs none: each fleet writes as often as 5,000 nodes do.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scale.plan import CLUSTER_NODES
from scale.simulation import Measured
from scale.stage import Stage

Value = Callable[[Measured], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A straight line through measured points, by least squares."""

    constant: float
    per_node: float

    def at(self, nodes: float) -> float:
        """Return its value for a number of nodes."""
        return self.constant + self.per_node * nodes


def line(points: Sequence[tuple[float, float]]) -> Line:
    """Return the line through points (nodes, value); one point alone is taken for a constant."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
    return Line(constant=mean_y - slope * mean_x, per_node=slope)


def grown(runs: Sequence[Measured], stage: str, value: Callable[[Stage], float]) -> Line:
    """Return how much more a stage has of something than the idle servers of the same run, by nodes."""
    points = [(0.0, 0.0), *((run.plan.nodes, value(run.stages[stage]) - value(run.stages["idle"])) for run in runs)]
    return line([(float(x), y) for x, y in points])


def at_5000(runs: Sequence[Measured], stage: str, value: Callable[[Stage], float]) -> float:
    """Return what 5,000 nodes add to the idle servers in a stage that costs by nodes."""
    return grown(runs, stage, value).at(CLUSTER_NODES)
