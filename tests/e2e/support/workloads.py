"""Pods in the states of life that a diagnosis could take for faults, and what the node and the API have of them."""

import json
from typing import Any

from lab.pods import Container, Pod, RunningPod
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_manifests import pod_manifest
from lab.shapes.cluster_node import ClusterNode
from lab.waiting import wait_until

LONG_GRACE_SECONDS = 600
"""Of a pod that takes its time to end; the lab's programs do not end on SIGTERM."""

PULL_FAILED = ("ErrImagePull", "ImagePullBackOff")

START_SECONDS = 30.0


def run_static_pod(cluster: Cluster, name: str) -> str:
    """Run a pod from a manifest on the node's disk, and return what the API server calls its mirror pod."""
    (cluster.places.static_pods / f"{name}.json").write_text(json.dumps(pod_manifest(Pod(name))))
    mirror = f"{name}-{cluster.node_name}"
    wait_until(f"the mirror pod of {name}", lambda: mirror in api_pods(cluster), START_SECONDS)
    cluster.wait_for_pod(mirror)
    return mirror


def run_to_completion(cluster: Cluster, name: str) -> None:
    """Run a pod to its end; the pod stays, and so does its sandbox, which is not ready any more."""
    manifest = pod_manifest(Pod(name, containers=(Container(command=("true",)),)))
    manifest["spec"]["restartPolicy"] = "Never"
    cluster.apply(manifest)
    jsonpath = "--for=jsonpath={.status.phase}=Succeeded"
    cluster.kubectl("wait", jsonpath, f"pod/{name}", "--namespace=lab", f"--timeout={START_SECONDS:g}s")


def run_unpullable(cluster: Cluster, name: str) -> None:
    """Create a pod whose image is nowhere: its sandbox is made, its container never."""
    manifest = pod_manifest(Pod(name, containers=(Container(image="localhost/nowhere:1"),)))
    manifest["spec"]["containers"][0]["imagePullPolicy"] = "IfNotPresent"
    cluster.apply(manifest)
    what = f"the pull for {name} to fail"
    wait_until(what, lambda: _waiting_reason(cluster, name) in PULL_FAILED, START_SECONDS)


def run_slow_to_end(cluster: Cluster, name: str) -> RunningPod:
    """Run a pod that takes ten minutes to end."""
    manifest = pod_manifest(Pod(name))
    manifest["spec"]["terminationGracePeriodSeconds"] = LONG_GRACE_SECONDS
    cluster.apply(manifest)
    return cluster.wait_for_pod(name)


def with_own_users(node: ClusterNode, name: str) -> dict[str, Any]:
    """The manifest of a pod of a node that has a user namespace of its own."""
    manifest = node.manifest(Pod(name))
    # Its token would lie on a tmpfs, which can be given to other users since Linux 6.3 only.
    manifest["spec"] |= {"hostUsers": False, "automountServiceAccountToken": False}
    return manifest


def run_stateful_set(cluster: Cluster, name: str) -> RunningPod:
    """Run a StatefulSet of one pod, which is called NAME-0, and return that."""
    labels = {"set": name}
    template = pod_manifest(Pod(name, labels=labels))
    cluster.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": name, "namespace": "lab"},
            "spec": {
                "serviceName": name,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": template["spec"]},
            },
        }
    )
    pod = f"{name}-0"
    wait_until(f"the pod {pod}", lambda: pod in api_pods(cluster), START_SECONDS)
    return cluster.wait_for_pod(pod)


def remove_what_makes_pods(cluster: Cluster) -> None:
    """Remove all stateful sets and static pods, so that nobody makes a pod again that is removed after this."""
    cluster.kubectl("delete", "statefulsets", "--all", "--namespace=lab")
    for manifest in cluster.places.static_pods.iterdir():
        manifest.unlink()
        _await_mirror_gone(cluster, manifest.stem)


def delete(cluster: Cluster, *pods: str, force: bool = False) -> None:
    """Delete pods of the lab's Kubernetes namespace, and wait for nothing."""
    how = ("--force", "--grace-period=0") if force else ()
    cluster.kubectl("delete", "pod", *pods, "--namespace=lab", "--wait=false", *how)


def api_pods(cluster: Cluster) -> set[str]:
    """The names of the pods in the API, in the lab's Kubernetes namespace."""
    return {name.removeprefix("pod/") for name in cluster.kubectl("get", "pods", "-nlab", "--output=name").split()}


def sandbox_pods(cluster: Cluster) -> set[str]:
    """The names of the pods that have a sandbox on the node, ready or not."""
    return {sandbox.metadata.name for sandbox in cluster.runtime.client.sandboxes()}


def _await_mirror_gone(cluster: Cluster, name: str) -> None:
    mirror = f"{name}-{cluster.node_name}"
    wait_until(f"the kubelet to let go of {mirror}", lambda: mirror not in api_pods(cluster), START_SECONDS)


def _waiting_reason(cluster: Cluster, name: str) -> str:
    jsonpath = "--output=jsonpath={.status.containerStatuses[0].state.waiting.reason}"
    return cluster.kubectl("get", "pod", name, "--namespace=lab", jsonpath)
