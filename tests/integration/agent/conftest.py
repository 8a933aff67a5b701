"""A cluster with everything installed that the agent needs."""

from pathlib import Path

import pytest

from lab.shapes.cluster import Cluster

MANIFESTS = Path(__file__).parents[3] / "manifests"


@pytest.fixture
def agent_kubeconfig(cluster: Cluster) -> Path:
    """Return the kubeconfig of the agent's service account, with the rights of its manifests and no others."""
    for name in ("crd.yaml", "rbac.yaml"):
        cluster.apply((MANIFESTS / name).read_text())
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=20s")
    return cluster.service_account_kubeconfig("pausewatch", "pausewatch", bound_to_node=True)
