"""The chart's release: the agent's image on every node, what helm installs with its defaults, what the agents say."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from e2e.support.node_report import Report, polled_report
from lab.build.agent_image import AGENT_IMAGE, agent_image
from lab.build.helm import ensure_helm
from lab.errors import LabError
from lab.pods import RunningPod
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_node import ClusterNode
from lab.waiting import wait_until
from support.helm import RELEASE, Helm
from support.readme import README, commands_below

NAMESPACE = "pausewatch"
IMAGE = f"--set=image.repository={AGENT_IMAGE.rpartition(':')[0]},image.pullPolicy=Never"
READY_SECONDS = 60.0
"""What is promised: from ``helm install`` to an agent on each node that has scanned it."""

IMPORT_SECONDS = 60.0
COMMAND_SECONDS = 120.0
GONE_SECONDS = 120.0
REPORT_SECONDS = 120.0
OURS = "--selector=app.kubernetes.io/name=pausewatch"
CLUSTER_WIDE = "crd,clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings"
NAMESPACED = "daemonsets,configmaps,serviceaccounts"
RESIDENT_BUDGET_KIB = 80 * 1024
SYS_PTRACE = "0000000000080000"
"""The one capability of the agent: bit 19 alone (linux/capability.h)."""

USUAL_SOCKET = PurePosixPath("/run/containerd/containerd.sock")


@dataclass(frozen=True)
class Installation:
    """The chart as helm has installed it.

    Attributes:
        cluster: Where it is.
        nodes: Each has an agent.
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

    def process_status(self, node: ClusterNode) -> dict[str, str]:
        """The lines of /proc/<pid>/status of a node's agent."""
        lines = node.runtime.enter("cat", f"/proc/{self.pod(node).pid('agent')}/status").splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def restarts(self, node: ClusterNode) -> int:
        """How often the agent of a node was started again."""
        (container,) = self.agents()[node.node_name]["status"]["containerStatuses"]
        return int(container["restartCount"])

    def seconds_to_ready(self, node: ClusterNode) -> tuple[float, float]:
        """How long the agent of a node took to be ready: since its pod was made, and since its container runs.

        In whole seconds, by the clock of the API server and of the node's kubelet.
        """
        pod = self.agents()[node.node_name]
        (ready,) = [one["lastTransitionTime"] for one in pod["status"]["conditions"] if one["type"] == "Ready"]
        (container,) = pod["status"]["containerStatuses"]
        made, runs = pod["metadata"]["creationTimestamp"], container["state"]["running"]["startedAt"]
        began, ran, was_ready = (datetime.fromisoformat(one) for one in (made, runs, ready))
        return (was_ready - began).total_seconds(), (was_ready - ran).total_seconds()

    def await_agents(self, limit_seconds: float) -> None:
        """Wait for a ready agent of the wanted kind on each node, and none of another kind."""
        wait_until("an agent that is ready on each node", self._all_ready, limit_seconds)

    def await_ready(self, nodes: tuple[ClusterNode, ...], limit_seconds: float) -> None:
        """Wait for a ready agent on some of the nodes.

        Raises:
            LabError: There is none; ends with what the API server knows of all agents.
        """
        try:
            wait_until("an agent that is ready on each node", lambda: self._are_ready(nodes), limit_seconds)
        except LabError as error:
            seen = self.cluster.kubectl("describe", "daemonset,pods", f"--namespace={NAMESPACE}")
            raise LabError(f"{error}\n{seen}") from error

    def await_report(self, node: ClusterNode, what: str, check: str, limit_seconds: float = REPORT_SECONDS) -> Report:
        """Wait for a report of a node with a finding of a check about one of its pods."""

        def probe() -> Report | None:
            report = polled_report(node)
            found = report["status"]["findings"] if report and "status" in report else ()
            return report if any(one["check"] == check and "pod" in one for one in found) else None

        return wait_until(f"a report of {node.node_name} about {what}", probe, limit_seconds)

    def _are_ready(self, nodes: tuple[ClusterNode, ...]) -> bool:
        agents = self.agents()
        return all(node.node_name in agents and _is_ready(agents[node.node_name]) for node in nodes)

    def _all_ready(self) -> bool:
        text = self.cluster.kubectl("get", "daemonset", RELEASE, f"--namespace={NAMESPACE}", "--output=json")
        daemon_set = json.loads(text)
        status, count = daemon_set["status"], len(self.nodes)
        up_to_date = status.get("observedGeneration") == daemon_set["metadata"]["generation"]
        counts = {status.get(name) for name in ("updatedNumberScheduled", "numberReady", "desiredNumberScheduled")}
        return up_to_date and counts == {count} and len(self.agents()) == count


def provide(nodes: tuple[ClusterNode, ...]) -> None:
    """Give nodes the agent's image, one for all, and let their runtimes listen where containerd usually does."""
    archive = agent_image()
    for node in nodes:
        node.import_image(archive)
        has_image = partial(node.runtime.client.has_image, AGENT_IMAGE)
        wait_until(f"{node.node_name} to know {AGENT_IMAGE}", has_image, IMPORT_SECONDS)
        if node.runtime.endpoint != f"unix://{USUAL_SOCKET}":
            # Relative: inside the agent's pod the node's /run is somewhere else.
            target = PurePosixPath("..") / node.runtime.places.socket.relative_to("/run")
            node.runtime.enter("mkdir", "-p", str(USUAL_SOCKET.parent))
            node.runtime.enter("ln", "-sfn", str(target), str(USUAL_SOCKET))


@contextmanager
def installed(cluster: Cluster, nodes: tuple[ClusterNode, ...], home: Path, *arguments: str) -> Iterator[Installation]:
    """Type what README.md says installs the chart; in the end nothing of it is left but the Namespace.

    Args:
        cluster: Where; what is installed there already goes.
        nodes: Where an agent will be; each was provided with the image.
        home: A directory for helm.
        arguments: What helm is told beside the image's name.
    """
    helm = Helm(ensure_helm(), home, NAMESPACE, cluster.kubeconfig)
    _remove_everything(cluster)
    make_namespace, install, _ = commands_below("Install")
    for command in make_namespace.split(" && "):
        # Other tests leave the Namespace, for an API server takes long to end one.
        if not (command.startswith("kubectl create ") and _has_namespace(cluster)):
            typed(cluster, helm, command)
    try:
        notes = typed(cluster, helm, shlex.join((*shlex.split(install), IMAGE, *arguments)))
        yield Installation(cluster, nodes, helm, notes)
    finally:
        helm.run("uninstall", RELEASE, f"--namespace={NAMESPACE}")
        _remove_everything(cluster)


def typed(cluster: Cluster, helm: Helm, command: str) -> str:
    """Type a command line into the shell of a cluster's administrator, in the checkout, and return what it prints.

    Raises:
        AssertionError: It did not end with 0.
    """
    programs = f"{cluster.programs.kubectl.parent}:{helm.program.parent}:/usr/bin:/bin"
    environment = {"PATH": programs, "KUBECONFIG": str(cluster.kubeconfig), "HOME": str(helm.home)}
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=README.parent, env=environment, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def _has_namespace(cluster: Cluster) -> bool:
    return bool(cluster.kubectl("get", "namespace", NAMESPACE, "--ignore-not-found", "--output=name"))


def _is_ready(pod: dict[str, Any]) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", ()))


def _remove_everything(cluster: Cluster) -> None:
    """Remove what the manifests installed, or the chart, all reports included; the Namespace stays."""
    for kinds in (CLUSTER_WIDE, NAMESPACED):
        cluster.kubectl("delete", kinds, OURS, f"--namespace={NAMESPACE}")
    pods = ("get", "pods", OURS, f"--namespace={NAMESPACE}", "--output=name")
    wait_until("the agents to be gone", lambda: not cluster.kubectl(*pods), GONE_SECONDS)
