"""Tokens as agents on several nodes have them: of one account, each bound to a pod on its node.

Neither node nor pod need be more than an object: the API server writes the node of a pod into the token, whether or
not a kubelet is there to run it (Kubernetes: TokenRequest, spec.boundObjectRef).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from e2e.support.installation import service_account
from lab.pods import Pod
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_manifests import pod_manifest


@contextmanager
def more_nodes(cluster: Cluster, *names: str) -> Iterator[None]:
    """Have more Node objects in the cluster; no pod is put there by itself."""
    for name in names:
        cluster.apply(node_manifest(name))
    try:
        yield
    finally:
        cluster.kubectl("delete", "node", *names, "--ignore-not-found")


def node_manifest(name: str) -> dict[str, Any]:
    """A Node on which the scheduler puts nothing."""
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {"unschedulable": True}}


def bind_agent_pod(cluster: Cluster, node_name: str) -> str:
    """Create a pod of the agent's account that is bound to a node, and return its name."""
    manifest = agent_pod_manifest(node_name)
    cluster.apply(manifest)
    return str(manifest["metadata"]["name"])


def agent_pod_manifest(node_name: str) -> dict[str, Any]:
    """A pod of the agent's account that is bound to a node."""
    namespace, account = service_account()
    manifest = pod_manifest(Pod(f"agent-of-{node_name}", namespace))
    manifest["spec"] |= {"nodeName": node_name, "serviceAccountName": account, "automountServiceAccountToken": False}
    # Otherwise a Node without a kubelet loses its pods a few minutes after it was made.
    manifest["spec"]["tolerations"] = [{"operator": "Exists"}]
    return manifest


def pod_token_kubeconfig(cluster: Cluster, pod: str, name: str = "agent-pod") -> Path:
    """Write a kubeconfig with a new token that is bound to a pod of the agent's account, and return its path.

    Args:
        cluster: Where the pod is.
        pod: From ``bind_agent_pod``.
        name: Of the kubeconfig; the same name replaces an older one, as the kubelet replaces a token.
    """
    namespace, account = service_account()
    bound = ("--bound-object-kind=Pod", f"--bound-object-name={pod}")
    token = cluster.kubectl("create", "token", account, f"--namespace={namespace}", "--duration=1h", *bound)
    return cluster.places.certificates.write_kubeconfig(name, {"token": token.strip()})


def unbound_token_kubeconfig(cluster: Cluster) -> Path:
    """Write a kubeconfig with a token of the agent's account that is bound to nothing, and return its path."""
    namespace, account = service_account()
    return cluster.service_account_kubeconfig(account, namespace)
