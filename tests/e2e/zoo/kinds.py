"""What a kind of animal in the zoo is, and how its state is told."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from lab.pins import BUSYBOX_IMAGE
from lab.pods import SLEEP
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until
from pausewatch.model.availability import Unavailable
from pausewatch.model.snapshot import Snapshot

NAMESPACE = "lab"

Manifest: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Zoo:
    """What can be asked of the cluster at one moment."""

    cluster: Cluster
    pods: Mapping[str, Mapping[str, Any]]
    """As the API server tells them, by name."""

    @classmethod
    def now(cls, cluster: Cluster) -> "Zoo":
        """Ask for the pods now."""
        listed = json.loads(cluster.kubectl("get", "pods", f"--namespace={NAMESPACE}", "--output=json"))["items"]
        return cls(cluster=cluster, pods={pod["metadata"]["name"]: pod for pod in listed})

    def named(self, start: str) -> list[Mapping[str, Any]]:
        """Return the pods whose name is this, or begins with it and a hyphen."""
        return [pod for name, pod in self.pods.items() if name == start or name.startswith(f"{start}-")]

    def any_is(self, start: str, condition: Callable[[Mapping[str, Any]], bool]) -> bool:
        """Whether a pod of this name fulfils a condition."""
        return any(condition(pod) for pod in self.named(start))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of thing that looks odd and is legal."""

    name: str
    """Its pods have this name, or it and more after a hyphen."""

    is_odd: Callable[[Zoo], bool]
    """Whether it is in the state that is odd."""

    manifests: Sequence[Manifest] = ()
    bring_about: Callable[[Cluster], None] | None = None
    """What is done once the manifests were applied."""

    is_seen: Callable[[Snapshot, Zoo], bool] | None = None
    """Whether a Snapshot shows it; None: a sandbox of that name does."""

    passing: bool = False
    """Whether its odd state may be over before the end."""


def seen(kind: Kind, snapshot: Snapshot, zoo: Zoo) -> bool:
    """Whether a Snapshot shows a kind."""
    if kind.is_seen is not None:
        return kind.is_seen(snapshot, zoo)
    names = () if isinstance(snapshot.sandboxes, Unavailable) else (one.name for one in snapshot.sandboxes)
    return any(name == kind.name or name.startswith(f"{kind.name}-") for name in names)


def seen_in_the_api_only(name: str) -> Callable[[Snapshot, Zoo], bool]:
    """Return whether a Snapshot shows a pod that has no sandbox."""

    def is_seen(snapshot: Snapshot, _: Zoo) -> bool:
        pods = () if isinstance(snapshot.pods, Unavailable) else snapshot.pods
        return any(pod.name == name for pod in pods)

    return is_seen


def has_process(snapshot: Snapshot, pid: int) -> bool:
    """Whether a Snapshot shows a living process."""
    return not isinstance(snapshot.processes, Unavailable) and any(one.pid == pid for one in snapshot.processes)


def container(name: str = "app", command: Sequence[str] = SLEEP, **more: Any) -> Manifest:  # noqa: ANN401  any field
    """Return a container of a pod's manifest."""
    image = {"image": BUSYBOX_IMAGE, "imagePullPolicy": "Never"}
    return {"name": name, "command": list(command), **image, **more}


def pod(name: str, *containers: Manifest, **spec: Any) -> Manifest:  # noqa: ANN401  any field
    """Return a pod's manifest; without containers, of one that sleeps."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": pod_spec(*containers, **spec),
    }


def pod_spec(*containers: Manifest, **spec: Any) -> Manifest:  # noqa: ANN401  any field
    """Return the specification of a pod."""
    # The lab's programs do not end on SIGTERM: a longer grace is only a longer wait.
    ordinary = {"terminationGracePeriodSeconds": 1, "automountServiceAccountToken": False, "enableServiceLinks": False}
    return {**ordinary, "containers": list(containers or (container(),)), **spec}


def shell(script: str) -> tuple[str, ...]:
    """Return the command of a container that runs a script."""
    return ("sh", "-c", script)


def is_running(one: Mapping[str, Any]) -> bool:
    """Whether all containers of a pod run."""
    statuses = one["status"].get("containerStatuses", [])
    return bool(statuses) and all("running" in status["state"] for status in statuses)


def runs(name: str) -> Callable[[Zoo], bool]:
    """Return whether a pod of this name runs."""
    return lambda zoo: zoo.any_is(name, is_running)


def has_phase(name: str, phase: str, reason: str = "") -> Callable[[Zoo], bool]:
    """Return whether a pod of this name has a phase, and a reason for it if one is given."""
    return lambda zoo: zoo.any_is(
        name, lambda one: one["status"].get("phase") == phase and reason in one["status"].get("reason", "")
    )


def waits_for(name: str, *reasons: str) -> Callable[[Zoo], bool]:
    """Return whether a container of a pod of this name waits for one of these reasons."""

    def waits(one: Mapping[str, Any]) -> bool:
        statuses = one["status"].get("containerStatuses", [])
        return any(status["state"].get("waiting", {}).get("reason") in reasons for status in statuses)

    return lambda zoo: zoo.any_is(name, waits)


def is_being_deleted(name: str) -> Callable[[Zoo], bool]:
    """Return whether a pod of this name was asked to end."""
    return lambda zoo: zoo.any_is(name, lambda one: "deletionTimestamp" in one["metadata"])


def await_running(cluster: Cluster, *names: str) -> None:
    """Wait until the containers of these pods run.

    Raises:
        WaitTimeoutError: They did not within 60 s.
    """

    def all_run() -> bool:
        zoo = Zoo.now(cluster)
        return all(zoo.any_is(name, is_running) for name in names)

    wait_until(f"{', '.join(names)} to run", all_run, 60)
