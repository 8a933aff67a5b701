"""How a simulation goes: how many nodes, how fast, for how long."""

from dataclasses import dataclass, replace

from pausewatch.model.settings import Settings

CLUSTER_NODES = 5000
"""What the numbers are for."""

USUAL = Settings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One simulation."""

    nodes: int
    tempo: float
    """How many times faster than by default each scans and writes its report."""

    idle_seconds: float = 15.0
    """Of the servers alone."""

    watching_seconds: float = 60.0
    """With all watches open and nothing else; bookmarks come once a minute."""

    quiet_seconds: float = 45.0
    """Of each of the two stages in which only heartbeats are written."""

    limit_seconds: float = 180.0
    """Of each stage that ends when something has been done; who has not done it by then is counted."""

    @property
    def scan_period_seconds(self) -> float:
        """Of each node: within it everybody learns of a fault that strikes all at once."""
        return USUAL.scan_period_seconds / self.tempo

    @property
    def quiet_writes_per_second(self) -> float:
        """Heartbeats of all nodes."""
        return self.nodes * self.tempo / USUAL.report_heartbeat_seconds


def as_large_cluster(nodes: int) -> Plan:
    """Return the plan by which so many nodes write as often in a second as 5,000 do by default."""
    return Plan(nodes=nodes, tempo=CLUSTER_NODES / nodes)


def quickly(plan: Plan) -> Plan:
    """Return a plan with stages of a few seconds, to see that all works: too short for the numbers to mean anything."""
    return replace(plan, idle_seconds=1.0, watching_seconds=2.0, quiet_seconds=8.0, limit_seconds=90.0)
