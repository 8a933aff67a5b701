"""The agent's image on every node, and its chart in the cluster, installed once for all tests."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import pytest

from e2e.support.node_report import Report, read_report
from lab.build.agent_image import AGENT_IMAGE, agent_image
from lab.build.helm import ensure_helm
from lab.errors import LabError
from lab.pods import Pod, RunningPod
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_node import ClusterNode
from lab.shapes.nested_node import NestedNode
from lab.waiting import wait_until
from support.helm import RELEASE, Helm

NAMESPACE = "pausewatch"
IMAGE = f"--set=image.repository={AGENT_IMAGE.rpartition(':')[0]},image.pullPolicy=Never"
READY_SECONDS = 60.0
"""What is promised: from ``helm install`` to an agent on each node that has scanned it."""

IMPORT_SECONDS = 60.0
GONE_SECONDS = 120.0
REPORT_SECONDS = 120.0
OURS = "--selector=app.kubernetes.io/name=pausewatch"
CLUSTER_WIDE = "crd,clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings"
NAMESPACED = "daemonsets,configmaps,serviceaccounts"
USUAL_SOCKET = PurePosixPath("/run/containerd/containerd.sock")


@dataclass(frozen=True)
class Installation:
    """The chart, installed with its defaults but for the image's name.

    Attributes:
        cluster: Where it is.
        nodes: All nodes; each has an agent.
        helm: What installed it.
        notes: What helm printed.
    """

    cluster: Cluster
    nodes: tuple[ClusterNode, ...]
    helm: Helm
    notes: str

    def agents(self) -> dict[str, dict[str, Any]]:
        """The pods of the agents, by node; those that are ending do not count."""
        items = json.loads(self.cluster.kubectl("get", "pods", f"--namespace={NAMESPACE}", "--output=json"))["items"]
        living = [one for one in items if "deletionTimestamp" not in one["metadata"]]
        return {one["spec"]["nodeName"]: one for one in living if "nodeName" in one["spec"]}

    def pod(self, node: ClusterNode) -> RunningPod:
        """The agent of a node as its runtime knows it."""
        return node.find_pod(self.agents()[node.node_name]["metadata"]["name"], NAMESPACE)

    def page(self, node: ClusterNode, path: str) -> str:
        """A page of the agent of a node, through the API server."""
        name = self.agents()[node.node_name]["metadata"]["name"]
        return self.cluster.kubectl("get", f"--raw=/api/v1/namespaces/{NAMESPACE}/pods/{name}:7287/proxy{path}")

    def await_agents(self, limit_seconds: float) -> None:
        """Wait for a ready agent of the wanted kind on each node, and none of another kind."""
        wait_until("an agent that is ready on each node", self._all_ready, limit_seconds)

    def await_report(self, node: ClusterNode, what: str, check: str) -> Report:
        """Wait for a report of a node with a finding of a check about one of its pods."""

        def probe() -> Report | None:
            report = read_report(node)
            found = report["status"]["findings"] if report and "status" in report else ()
            return report if any(one["check"] == check and "pod" in one for one in found) else None

        return wait_until(f"a report of {node.node_name} about {what}", probe, REPORT_SECONDS)

    def _all_ready(self) -> bool:
        text = self.cluster.kubectl("get", "daemonset", RELEASE, f"--namespace={NAMESPACE}", "--output=json")
        daemon_set = json.loads(text)
        status, count = daemon_set["status"], len(self.nodes)
        up_to_date = status.get("observedGeneration") == daemon_set["metadata"]["generation"]
        counts = {status.get(name) for name in ("updatedNumberScheduled", "numberReady", "desiredNumberScheduled")}
        return up_to_date and counts == {count} and len(self.agents()) == count


@pytest.fixture(scope="module")
def nodes(running_cluster: Cluster, running_nested_node: NestedNode) -> tuple[ClusterNode, ...]:
    """All nodes, with the agent's image and a runtime that listens where containerd usually does."""
    archive = agent_image()
    found = (running_cluster, running_nested_node)
    for node in found:
        node.runtime.ctr("images", "import", str(archive))
        has_image = partial(node.runtime.client.has_image, AGENT_IMAGE)
        wait_until(f"{node.node_name} to know {AGENT_IMAGE}", has_image, IMPORT_SECONDS)
        # Relative: inside the agent's pod the node's /run is somewhere else.
        target = PurePosixPath("..") / node.runtime.places.socket.relative_to("/run")
        node.runtime.enter("mkdir", "-p", str(USUAL_SOCKET.parent))
        node.runtime.enter("ln", "-sfn", str(target), str(USUAL_SOCKET))
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
    nodes: tuple[ClusterNode, ...], torn: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Install the chart as docs/install.md says; there is a fault on each node already."""
    assert len(torn) == len(nodes)
    cluster = nodes[0]
    assert isinstance(cluster, Cluster)
    helm = Helm(ensure_helm(), tmp_path_factory.mktemp("helm"), NAMESPACE, cluster.kubeconfig)
    remove_everything(cluster)
    labels = {"pod-security.kubernetes.io/enforce": "privileged"}
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})
    try:
        installed = Installation(cluster, nodes, helm, helm.release("install", IMAGE))
        try:
            installed.await_agents(READY_SECONDS)
        except LabError as error:
            seen = cluster.kubectl("describe", "daemonset,pods", f"--namespace={NAMESPACE}")
            raise LabError(f"{error}\n{seen}") from error
        yield installed
    finally:
        helm.run("uninstall", RELEASE, f"--namespace={NAMESPACE}")
        remove_everything(cluster)


def remove_everything(cluster: Cluster) -> None:
    """Remove what the manifests installed, or the chart, all reports included; the Namespace stays."""
    for kinds in (CLUSTER_WIDE, NAMESPACED):
        cluster.kubectl("delete", kinds, OURS, f"--namespace={NAMESPACE}")
    pods = ("get", "pods", OURS, f"--namespace={NAMESPACE}", "--output=name")
    wait_until("the agents to be gone", lambda: not cluster.kubectl(*pods), GONE_SECONDS)
