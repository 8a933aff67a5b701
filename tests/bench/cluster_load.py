"""Many pods that the API server knows and the runtime runs, without a kubelet.

A kubelet would need minutes to make so many on two cores, and CPU time to keep them, which disturbs what is measured.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.load import PODS_PER_LINE, load_pod
from bench.progress import say
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_manifests import pod_manifest

AT_A_TIME = 4
"""Pods that are made or removed: most of that is waiting for one another's mounts and processes."""

PODS_PATH = "/api/v1/namespaces/lab/pods"


def run_known_pods(cluster: Cluster, count: int, there: int = 0) -> None:
    """Make pods of two containers, ``count`` with those that are there; ends the kubelet, which would make them too.

    Raises:
        LabError: API server or runtime refused one.
    """
    cluster.stop_kubelet()
    pods = [load_pod(number) for number in range(there, count)]
    manifests = (_bound(pod_manifest(pod), cluster.node_name) for pod in pods)
    cluster.kubectl("apply", "--server-side", "--filename=-", stdin="\n---\n".join(map(json.dumps, manifests)))
    listed = json.loads(cluster.kubectl("get", f"--raw={PODS_PATH}"))["items"]
    uids = {one["metadata"]["name"]: one["metadata"]["uid"] for one in listed}
    say(f"{there} of {count} pods made")
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        made = pool.map(lambda pod: cluster.runtime.run(pod, uids[pod.name]), pods)
        for number, _ in enumerate(made, there + 1):
            if number % PODS_PER_LINE == 0:
                say(f"{number} of {count} pods made")


def remove_known_pods(cluster: Cluster) -> None:
    """Remove all pods of the lab's Kubernetes namespace, and every sandbox; the kubelet is still away afterwards."""
    cluster.kubectl("delete", f"--raw={PODS_PATH}?gracePeriodSeconds=0")
    client = cluster.runtime.client
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(client.remove_sandbox, [sandbox.id for sandbox in client.sandboxes()]))


def _bound(manifest: dict[str, Any], node_name: str) -> dict[str, Any]:
    """Return the manifest of a pod that stays on a node whatever the control plane thinks of it."""
    manifest["spec"] |= {"nodeName": node_name, "tolerations": [{"operator": "Exists"}]}
    return manifest
