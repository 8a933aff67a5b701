"""Pods that never came up, ended, or do not get to their end."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from e2e.zoo.kinds import (
    NAMESPACE,
    Kind,
    Manifest,
    Zoo,
    await_running,
    container,
    has_phase,
    is_being_deleted,
    pod,
    runs,
    seen_in_the_api_only,
    shell,
    waits_for,
)
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until

LONG_SECONDS = 600
"""Of a grace period; the lab's programs do not hear SIGTERM."""

FINALIZER = "example.com/held"


def kinds() -> tuple[Kind, ...]:
    """Return the family."""
    return (
        Kind(
            name="crash-looping",
            manifests=(pod("crash-looping", container(command=("false",))),),
            is_odd=waits_for("crash-looping", "CrashLoopBackOff"),
            passing=True,
        ),
        Kind(
            name="restarting",
            manifests=(pod("restarting", container(command=("sleep", "2"))),),
            is_odd=lambda zoo: zoo.any_is("restarting", lambda one: _restarts(one) >= 3),
        ),
        _ended(pod("completed", container(command=("true",)), restartPolicy="Never"), "Succeeded"),
        _ended(pod("failed", container(command=("false",)), restartPolicy="Never"), "Failed"),
        Kind(
            name="half-ended",
            manifests=(pod("half-ended", container("done", ("true",)), container(), restartPolicy="Never"),),
            is_odd=lambda zoo: zoo.any_is("half-ended", _has_ended_container),
        ),
        Kind(name="evicted", manifests=(_evicted(),), is_odd=has_phase("evicted", "Failed", "Evicted")),
        Kind(
            name="unpullable",
            manifests=(pod("unpullable", container(image="localhost/nowhere:1", imagePullPolicy="IfNotPresent")),),
            is_odd=waits_for("unpullable", "ErrImagePull", "ImagePullBackOff"),
        ),
        Kind(
            name="unconfigured",
            manifests=(pod("unconfigured", container(envFrom=[{"configMapRef": {"name": "nowhere"}}])),),
            is_odd=waits_for("unconfigured", "CreateContainerConfigError"),
        ),
        Kind(
            name="uncreatable",
            manifests=(pod("uncreatable", container(command=("/no/such/program",))),),
            is_odd=waits_for("uncreatable", "RunContainerError", "CrashLoopBackOff"),
            passing=True,
        ),
        Kind(
            name="without-volume",
            manifests=(_without_volume(),),
            is_odd=lambda zoo: zoo.any_is("without-volume", _has_no_sandbox),
            is_seen=seen_in_the_api_only("without-volume"),
        ),
        Kind(
            name="never-ready",
            manifests=(pod("never-ready", container(readinessProbe={"exec": {"command": ["false"]}})),),
            is_odd=runs("never-ready"),
        ),
        Kind(
            name="hooked",
            manifests=(pod("hooked", container(lifecycle={"postStart": {"exec": {"command": ["sleep", "1000"]}}})),),
            is_odd=waits_for("hooked", "ContainerCreating"),
            passing=True,
        ),
        _deleted(_held(), 1),
        _deleted(pod("ending", terminationGracePeriodSeconds=LONG_SECONDS), LONG_SECONDS),
        _deleted(_with_long_hook(), LONG_SECONDS),
        Kind(
            name="forced",
            manifests=(pod("forced", terminationGracePeriodSeconds=LONG_SECONDS),),
            bring_about=_force,
            is_odd=lambda zoo: "forced" not in zoo.pods,
        ),
    )


def _ended(manifest: Manifest, phase: str) -> Kind:
    name = manifest["metadata"]["name"]
    return Kind(name=name, manifests=(manifest,), is_odd=has_phase(name, phase))


def _deleted(manifest: Manifest, grace_seconds: int) -> Kind:
    name = manifest["metadata"]["name"]
    delete = partial(_delete, name=name, grace_seconds=grace_seconds)
    # At full size the zoo is looked at for longer than the grace period.
    passing = grace_seconds == LONG_SECONDS
    return Kind(name=name, manifests=(manifest,), bring_about=delete, is_odd=is_being_deleted(name), passing=passing)


def _delete(cluster: Cluster, *, name: str, grace_seconds: int) -> None:
    await_running(cluster, name)
    grace = f"--grace-period={grace_seconds}"
    cluster.kubectl("delete", "pod", name, f"--namespace={NAMESPACE}", grace, "--wait=false")


def _force(cluster: Cluster) -> None:
    """Delete it while it ends: the API server forgets it at once, the kubelet waits for the whole period."""
    _delete(cluster, name="forced", grace_seconds=LONG_SECONDS)
    sandbox = cluster.find_pod("forced").sandbox_id
    cluster.kubectl("delete", "pod", "forced", f"--namespace={NAMESPACE}", "--force", "--grace-period=0")
    wait_until("the API to forget it", lambda: "forced" not in Zoo.now(cluster).pods, 10)
    assert any(one.id == sandbox for one in cluster.runtime.client.sandboxes())


def _held() -> Manifest:
    manifest = pod("held")
    manifest["metadata"]["finalizers"] = [FINALIZER]
    return manifest


def _with_long_hook() -> Manifest:
    hook = {"preStop": {"exec": {"command": ["sleep", "1000"]}}}
    return pod("hooked-at-end", container(lifecycle=hook), terminationGracePeriodSeconds=LONG_SECONDS)


def _evicted() -> Manifest:
    """Return a pod that writes more than its volume may hold; the kubelet looks at it once a minute."""
    write = shell("dd if=/dev/zero of=/data/big bs=1M count=8 && sleep 1000000")
    return pod(
        "evicted",
        container(command=write, volumeMounts=[{"name": "data", "mountPath": "/data"}]),
        volumes=[{"name": "data", "emptyDir": {"sizeLimit": "1Mi"}}],
    )


def _without_volume() -> Manifest:
    mount = {"name": "none", "mountPath": "/none"}
    volume = {"name": "none", "configMap": {"name": "nowhere"}}
    return pod("without-volume", container(volumeMounts=[mount]), volumes=[volume])


def _restarts(one: Mapping[str, Any]) -> int:
    return max((status["restartCount"] for status in one["status"].get("containerStatuses", [])), default=0)


def _has_ended_container(one: Mapping[str, Any]) -> bool:
    statuses = one["status"].get("containerStatuses", [])
    return {next(iter(status["state"])) for status in statuses} == {"running", "terminated"}


def _has_no_sandbox(one: Mapping[str, Any]) -> bool:
    conditions = one["status"].get("conditions", [])
    return any((told["type"], told["status"]) == ("PodReadyToStartContainers", "False") for told in conditions)
