"""A pod waits for its sandbox, and the runtime fails to make one."""

import json
import time
from collections.abc import Callable
from dataclasses import replace

from e2e.support.cluster_case import ClusterCase, commands
from e2e.support.pace import FAST, Pace
from e2e.support.workloads import run_to_completion
from integration.support.program import Program
from integration.support.runbook import diagnose
from lab import network_plugin
from lab.pods import Pod
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_manifests import pod_manifest
from lab.waiting import wait_until

CHECK = "sandbox-create-failing"
REASON = "FailedCreatePodSandBox"
PACE = replace(FAST, thresholds={**FAST.thresholds, CHECK: {"delay_seconds": 3}})


def test_network_plugin_fails(
    cluster: Cluster, program: Program, start_case: Callable[[str, Pace], ClusterCase]
) -> None:
    """Told with the plugin's own words; not told of a pod that has ended, or that waits for its volume."""
    run_to_completion(cluster, "ended")
    cluster.apply(waiting_for_a_volume())
    case = start_case(CHECK, PACE)
    with network_plugin.failing(cluster.runtime, "ADD"):
        cluster.apply(pod_manifest(Pod("blocked")))
        wait_until("the kubelet to tell", lambda: "blocked" in events(cluster), 30)
        began = time.monotonic()

        finding = case.found("SandboxCreateFailing Critical", began)

        uid = cluster.kubectl("get", "pod", "blocked", "--namespace=lab", "--output=jsonpath={.metadata.uid}")
        assert finding["pod"] == {"namespace": "lab", "name": "blocked", "uid": uid}
        assert network_plugin.COMPLAINT in finding["message"]
        assert finding["message"].endswith(
            f'for sandbox "...": plugin type="ptp" failed (add): {network_plugin.COMPLAINT}'
        )
        described, failures, sandboxes = [program.shell(command) for command in commands(finding)]
        assert REASON in described
        assert network_plugin.COMPLAINT in failures
        assert " Ready " not in sandboxes
        shown = diagnose(program, CHECK, namespace="lab", pod="blocked", uid=uid)
        assert network_plugin.COMPLAINT in shown
        assert "NetworkReady" in shown
        written = case.agent.metrics().total("pausewatch_report_writes_total")
        case.agent.await_scans(8)
        assert case.agent.metrics().total("pausewatch_report_writes_total") == written, "another attempt is no news"

    cluster.wait_for_pod("blocked")
    case.cleared()


def test_static_pod(cluster: Cluster, start_case: Callable[[str, Pace], ClusterCase]) -> None:
    """The kubelet tells of it under the uid that the static pod has on the node; its mirror has another one."""
    case = start_case(CHECK, PACE)
    with network_plugin.failing(cluster.runtime, "ADD"):
        manifest = cluster.places.static_pods / "fixed.json"
        manifest.write_text(json.dumps(pod_manifest(Pod("fixed"))))
        mirror = f"fixed-{cluster.node_name}"
        wait_until("the kubelet to tell", lambda: mirror in events(cluster), 30)
        began = time.monotonic()

        finding = case.found("SandboxCreateFailing Critical", began)

        metadata = json.loads(cluster.kubectl("get", "pod", mirror, "--namespace=lab", "--output=json"))["metadata"]
        uid = metadata["annotations"]["kubernetes.io/config.mirror"]
        assert uid != metadata["uid"]
        assert finding["pod"] == {"namespace": "lab", "name": mirror, "uid": uid}

    cluster.wait_for_pod(mirror)
    case.cleared()


def events(cluster: Cluster) -> str:
    """Return what the API server knows of pods whose sandbox could not be made."""
    return cluster.kubectl("get", "events", "--namespace=lab", f"--field-selector=reason={REASON}")


def waiting_for_a_volume() -> dict[str, object]:
    """Return a pod that waits for a ConfigMap that nobody makes."""
    manifest = pod_manifest(Pod("patient"))
    spec = manifest["spec"]
    spec["volumes"] = [*spec.get("volumes", ()), {"name": "missing", "configMap": {"name": "missing"}}]
    mounts = spec["containers"][0].setdefault("volumeMounts", [])
    mounts.append({"name": "missing", "mountPath": "/missing"})
    return manifest
