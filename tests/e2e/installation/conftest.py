"""The agent's image on every node, and its chart in the cluster, installed once for all tests."""

from collections.abc import Iterator

import pytest

from e2e.support.release import READY_SECONDS, Installation, installed, provide
from lab.pods import Pod
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_node import ClusterNode
from lab.shapes.nested_node import NestedNode


@pytest.fixture(scope="module")
def nodes(running_cluster: Cluster, running_nested_node: NestedNode) -> tuple[ClusterNode, ...]:
    """All nodes, with the agent's image and a runtime that listens where containerd usually does."""
    found = (running_cluster, running_nested_node)
    provide(found)
    return found


@pytest.fixture(scope="module")
def torn(nodes: tuple[ClusterNode, ...]) -> Iterator[tuple[str, ...]]:
    """A pod on each node whose only container has lost the pod's network; their names."""
    names = tuple(f"torn-{number}" for number in range(len(nodes)))
    for node, name in zip(nodes, names, strict=True):
        node.falsify(name, "app", {"type": "network", "do": "fresh"})
        node.run(Pod(name))
    yield names
    for node, name in zip(nodes, names, strict=True):
        node.stop_falsifying(name, "app")
        node.kubectl("delete", "pod", name, "--namespace=lab", "--force", "--grace-period=0")


@pytest.fixture(scope="module")
def installation(
    running_cluster: Cluster,
    nodes: tuple[ClusterNode, ...],
    torn: tuple[str, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """Install the chart; there is a fault on each node already."""
    assert len(torn) == len(nodes)
    with installed(running_cluster, nodes, tmp_path_factory.mktemp("helm")) as installation:
        installation.await_ready(nodes, READY_SECONDS)
        yield installation
