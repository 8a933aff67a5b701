"""Who shares Linux namespaces with whom: every way that a pod may ask for."""

from collections.abc import Mapping
from typing import Any

from e2e.zoo.kinds import NAMESPACE, Kind, Manifest, Zoo, await_running, container, is_running, pod, runs
from lab.pins import BUSYBOX_IMAGE
from lab.shapes.cluster import Cluster

RUNC = "runc"
"""The handler that the lab's containerd has by itself."""


def kinds() -> tuple[Kind, ...]:
    """Return the family."""
    return (
        _running(pod("host-network", hostNetwork=True)),
        _running(pod("host-pid", hostPID=True)),
        _running(pod("host-ipc", hostIPC=True)),
        _running(pod("host-all", hostNetwork=True, hostPID=True, hostIPC=True)),
        _running(pod("shared-pid", container("one"), container("two"), shareProcessNamespace=True)),
        _running(pod("many", *(container(f"c{number}") for number in range(6)))),
        _running(pod("initialized", initContainers=[container("before", ("true",))])),
        _running(pod("sidecar", initContainers=[container("beside", restartPolicy="Always")])),
        Kind(
            name="never-initialized",
            manifests=(pod("never-initialized", initContainers=[container("before")]),),
            is_odd=lambda zoo: zoo.any_is("never-initialized", lambda one: _states(one, "initContainerStatuses")),
        ),
        _running(pod("by-class", runtimeClassName="ordinary"), _runtime_class("ordinary", RUNC)),
        Kind(
            name="debugged",
            manifests=(pod("debugged"),),
            bring_about=lambda cluster: _debug(cluster, "debugged"),
            is_odd=lambda zoo: _is_debugged(zoo, "debugged"),
        ),
        Kind(
            name="debugged-inside",
            manifests=(pod("debugged-inside"),),
            bring_about=lambda cluster: _debug(cluster, "debugged-inside", "--target=app"),
            is_odd=lambda zoo: _is_debugged(zoo, "debugged-inside"),
        ),
        Kind(
            name="debugged-shared",
            manifests=(pod("debugged-shared", shareProcessNamespace=True),),
            bring_about=lambda cluster: _debug(cluster, "debugged-shared"),
            is_odd=lambda zoo: _is_debugged(zoo, "debugged-shared"),
        ),
    )


def _running(manifest: Manifest, *others: Manifest) -> Kind:
    name = manifest["metadata"]["name"]
    return Kind(name=name, manifests=(*others, manifest), is_odd=runs(name))


def _runtime_class(name: str, handler: str) -> Manifest:
    return {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, "handler": handler}


def _debug(cluster: Cluster, name: str, *how: str) -> None:
    await_running(cluster, name)
    image = (f"--image={BUSYBOX_IMAGE}", "--image-pull-policy=Never", "--profile=general")
    cluster.kubectl(
        *("debug", f"pod/{name}", f"--namespace={NAMESPACE}", *image, "--container=debugger", *how),
        *("--", "sleep", "1000000"),
    )


def _is_debugged(zoo: Zoo, name: str) -> bool:
    return zoo.any_is(name, lambda one: is_running(one) and _states(one, "ephemeralContainerStatuses"))


def _states(one: Mapping[str, Any], which: str) -> bool:
    """Whether the containers of one kind run."""
    statuses = one["status"].get(which, [])
    return bool(statuses) and all("running" in status["state"] for status in statuses)
