"""Pods that the kubelet or a controller makes, and makes again."""

import json

from e2e.zoo.kinds import NAMESPACE, Kind, Manifest, Zoo, container, pod, pod_spec, runs
from lab.shapes.cluster import Cluster

QUICK_PODS = 20
QUICK_KEPT_SECONDS = 180
"""A busy machine takes minutes to bring about the other kinds; they are all looked for only then."""


def kinds() -> tuple[Kind, ...]:
    """Return the family."""
    return (
        Kind(name="static", bring_about=_write_static_pod, is_odd=runs("static")),
        Kind(name="daemon", manifests=(_set("DaemonSet", "daemon"),), is_odd=runs("daemon")),
        Kind(name="deployed", manifests=(_set("Deployment", "deployed", replicas=2),), is_odd=runs("deployed")),
        Kind(
            name="stateful",
            manifests=(_set("StatefulSet", "stateful", serviceName="stateful"),),
            bring_about=_delete_until_made_again,
            is_odd=runs("stateful"),
            passing=True,
        ),
        Kind(
            name="quick",
            manifests=(quick_job("quick", kept_seconds=QUICK_KEPT_SECONDS),),
            is_odd=lambda zoo: bool(zoo.named("quick")),
            passing=True,
        ),
        Kind(
            name="each-minute",
            manifests=(_cron_job(),),
            is_odd=lambda zoo: bool(zoo.named("each-minute")),
            passing=True,
        ),
    )


def quick_job(name: str, *, kept_seconds: int = 0) -> Manifest:
    """Return a Job of many pods that end at once, and are removed with it, by default as soon as all have ended."""
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": _job_spec(kept_seconds)}


def _job_spec(kept_seconds: int = 0) -> Manifest:
    template = {"spec": pod_spec(container(command=("true",)), restartPolicy="Never")}
    return {"completions": QUICK_PODS, "parallelism": 10, "ttlSecondsAfterFinished": kept_seconds, "template": template}


def _cron_job() -> Manifest:
    """Return one for each minute, the shortest that there is."""
    spec = {"schedule": "* * * * *", "jobTemplate": {"spec": {**_job_spec(), "completions": 1}}}
    metadata = {"name": "each-minute", "namespace": NAMESPACE}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": spec}


def _set(kind: str, name: str, **spec: object) -> Manifest:
    labels = {"set": name}
    template = {"metadata": {"labels": labels}, "spec": pod_spec()}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


def _write_static_pod(cluster: Cluster) -> None:
    (cluster.places.static_pods / "static.json").write_text(json.dumps(pod("static")))


def _delete_until_made_again(cluster: Cluster) -> None:
    """Delete the pod of the StatefulSet; it comes back under the same name, with another uid."""
    before = Zoo.now(cluster).named("stateful")
    names = [one["metadata"]["name"] for one in before]
    if names:
        cluster.kubectl("delete", "pod", *names, f"--namespace={NAMESPACE}", "--force", "--grace-period=0")
