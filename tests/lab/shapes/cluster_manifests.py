"""The manifest of a pod, from the same description that a lab without a kubelet runs."""

from typing import Any

from lab.errors import LabError
from lab.pods import Container, Mount, Pod


def pod_manifest(pod: Pod) -> dict[str, Any]:
    """The pod as its author would send it to an API server.

    Raises:
        LabError: It asks for something that is not in a pod's manifest: a target container, a limit of processes.
            Or it is better written as one: confinement, arguments, environment.
    """
    if pod.pids_limit is not None:
        raise LabError(f"pod {pod.name}: pids_limit is a setting of the kubelet, not of a pod")
    spec: dict[str, Any] = {
        "initContainers": [_container(container) for container in pod.containers if container.init],
        "containers": [_container(container) for container in pod.containers if not container.init],
        "volumes": [
            {"name": _volume(container, index), "hostPath": {"path": mount.host_path}}
            for container in pod.containers
            for index, mount in enumerate(container.mounts)
        ],
        "hostNetwork": pod.host_network,
        "hostPID": pod.host_pid,
        "hostIPC": pod.host_ipc,
        "shareProcessNamespace": pod.share_pid,
        # The lab's programs do not end on SIGTERM: a longer grace is only a longer wait.
        "terminationGracePeriodSeconds": 1,
    }
    if pod.runtime_handler:
        spec["runtimeClassName"] = pod.runtime_handler
    metadata = {
        "name": pod.name,
        "namespace": pod.namespace,
        "annotations": dict(pod.annotations),
        "labels": dict(pod.labels),
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _container(container: Container) -> dict[str, Any]:
    if container.target:
        raise LabError(f"container {container.name}: only an ephemeral container has a target; use kubectl debug")
    if container.confinement or container.arguments or container.environment:
        raise LabError(f"container {container.name}: write a manifest; it has words of its own for these")
    return {
        "name": container.name,
        "image": container.image,
        "imagePullPolicy": "Never",  # the lab's images are in no registry
        "command": list(container.command),
        "securityContext": {
            "privileged": container.privileged,
            "capabilities": {"add": list(container.capabilities)},
        },
        "volumeMounts": [_mount(container, index, mount) for index, mount in enumerate(container.mounts)],
    }


def _mount(container: Container, index: int, mount: Mount) -> dict[str, Any]:
    return {"name": _volume(container, index), "mountPath": mount.container_path, "readOnly": mount.readonly}


def _volume(container: Container, index: int) -> str:
    return f"{container.name}-{index}"
