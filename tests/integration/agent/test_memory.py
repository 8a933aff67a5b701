"""The agent's budget of memory, on a node with more pods than a kubelet allows by default."""

from pathlib import Path

from integration.agent.memory import load, measure, unload
from lab.shapes.cluster import Cluster

BUDGET_MIB = 80


def test_agent_of_a_full_node_stays_within_its_budget(cluster: Cluster, agent_kubeconfig: Path) -> None:
    """Its peak too: a limit of memory does not forgive one."""
    load(cluster)
    try:
        memory = measure(cluster, agent_kubeconfig)
    finally:
        unload(cluster)

    assert memory.peak <= BUDGET_MIB, memory
