"""The agent's pod as the manifests make it, on one node only."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import yaml

from e2e.support.installation import MANIFESTS
from lab.build.agent_image import AGENT_IMAGE
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_node import ClusterNode
from lab.waiting import wait_until

WORKLOAD = MANIFESTS / "workload.yaml"
GONE_SECONDS = 120.0

Apply = Callable[[str], None]
"""Has the pod run under an AppArmor profile of this type: Unconfined, RuntimeDefault."""


@contextmanager
def daemon_set_on(cluster: Cluster, node: ClusterNode, settings: Mapping[str, object]) -> Iterator[Apply]:
    """Give a function that installs the DaemonSet for a node that has the image; in the end it is gone.

    Args:
        cluster: Where the account and its rights are.
        node: Where the agent is to run.
        settings: As in the agent's settings file.
    """

    def apply(app_armor: str) -> None:
        config_map, daemon_set = yaml.safe_load_all(WORKLOAD.read_text(encoding="utf-8"))
        config_map["data"] = {"settings.yaml": json.dumps(settings)}
        _place(daemon_set["spec"]["template"]["spec"], node, app_armor)
        cluster.apply(config_map, daemon_set)

    try:
        yield apply
    finally:
        cluster.kubectl("delete", f"--filename={WORKLOAD}", "--ignore-not-found", "--wait=false")
        wait_until("the agent's pod to be gone", lambda: not agent_pods(cluster), GONE_SECONDS)


def agent_pods(cluster: Cluster) -> list[dict[str, Any]]:
    """The agents' pods as the API server has them."""
    listed = json.loads(cluster.kubectl("get", "pods", "--namespace=pausewatch", "--output=json"))
    pods: list[dict[str, Any]] = listed["items"]
    return pods


def _place(pod: dict[str, Any], node: ClusterNode, app_armor: str) -> None:
    pod["nodeSelector"] |= {"kubernetes.io/hostname": node.node_name}
    (container,) = pod["containers"]
    container |= {"image": AGENT_IMAGE, "imagePullPolicy": "Never"}
    container["securityContext"]["appArmorProfile"] = {"type": app_armor}
