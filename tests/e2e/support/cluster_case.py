"""One case of the fault matrix on a cluster: a fault appears in report and metrics, is healed, and clears."""

import time
from typing import Any

from e2e.support.agent import Agent
from e2e.support.told import cleared_after_two_clean_scans, found_everywhere
from lab.shapes.cluster import Cluster


class ClusterCase:
    """Follows one check on one cluster.

    Attributes:
        agent: The agent of the cluster's node.
        lines: What happened, for the line of the matrix.
    """

    def __init__(self, cluster: Cluster, agent: Agent, check: str) -> None:
        self.agent = agent
        self.lines: list[str] = []
        self._cluster = cluster
        self._check = check
        self._broken_at_scan = 0

    def found(self, metric: str, began: float) -> dict[str, Any]:
        """Wait until the check has told exactly one finding, and return it as the report has it.

        Args:
            metric: Reason and severity.
            began: From when on the fault was there, by the monotonic clock.
        """
        finding = found_everywhere(self._cluster, self.agent, self._check, metric, began)
        pod = finding["pod"]
        seconds = time.monotonic() - began
        self.lines.append(f"{finding['reason']} {pod['namespace']}/{pod['name']} after {seconds:.1f} s")
        self._broken_at_scan = self.agent.scans()
        return finding

    def cleared(self) -> None:
        """Wait until the finding is gone everywhere; call it when the fault is healed."""
        began = time.monotonic()
        cleared_after_two_clean_scans(self._cluster, self.agent, self._broken_at_scan)
        self.lines.append(f"clear after {time.monotonic() - began:.1f} s")

    def line(self) -> str:
        """Return what happened, and which thresholds of the check were not the default."""
        moved = self.agent.pace.thresholds.get(self._check, {})
        told = ", ".join(f"{name}={value:g}" for name, value in moved.items())
        return "; ".join((*self.lines, *([f"with {told}"] if told else [])))


def commands(finding: dict[str, Any]) -> list[str]:
    """Return what a finding tells to type, in its order, wherever it is to be typed."""
    return [one["command"] for one in finding["nextCommands"]]
