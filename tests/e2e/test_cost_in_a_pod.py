"""What the agent takes in its pod, within generous bounds: `python -m bench.agent` holds it to its real budgets."""

from bench.agent import agent_in_pod, measure_in_pod
from bench.budgets import agent_millicores
from lab.shapes.cluster import Cluster

PERIOD_SECONDS = 35.0
"""The default, with its jitter and a little more."""

RESIDENT_BYTES, LIMIT_BYTES = 80 << 20, 128 << 20
"""Request and limit of the manifests."""

BUSY = 3.0
"""How many times more CPU time the same work may take on a machine whose caches others use."""

MEASUREMENTS = 3
"""Whoever disturbs one makes the agent dearer, never cheaper."""

SPARE = 0.85


def test_agent_takes_little(cluster: Cluster) -> None:
    """With the probes of the kubelet and as many of our own, and one scrape."""
    with agent_in_pod(cluster) as pod:
        for _ in range(MEASUREMENTS):
            cost = measure_in_pod(cluster, pod, PERIOD_SECONDS)
            if cost.millicores <= BUSY * agent_millicores(cost.processes):
                break

    assert cost.millicores <= BUSY * agent_millicores(cost.processes), cost
    assert cost.pages.scans >= 1
    assert cost.peak_resident_bytes <= RESIDENT_BYTES, cost
    assert cost.working_set_bytes is not None
    assert cost.working_set_bytes <= SPARE * LIMIT_BYTES, cost
