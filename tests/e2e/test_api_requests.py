"""What the agent asks of the API server and writes there: its own node's, filtered, and next to nothing."""

import json
import time
from dataclasses import replace
from datetime import datetime

import pytest

from e2e.conftest import StartAgent
from e2e.support.api_requests import PODS, REPORTS, WRITES, brief, field_selector, now, requests_since
from e2e.support.node_report import await_report, is_healthy, read_report
from e2e.support.pace import FAST
from e2e.support.workloads import delete
from lab.pods import Pod
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_manifests import pod_manifest
from lab.waiting import wait_until

PODS_PER_MINUTE = 30
CHURN_SECONDS = 45.0
LIVES = 3
"""How many of those that come and go are there at a time."""

WRITES_PER_HOUR = 12
QUIET_HEARTBEAT_SECONDS = 5.0
QUIET_SCANS = 8


def test_quiet_node_costs_heartbeats_only(cluster: Cluster, start_agent: StartAgent) -> None:
    """While nothing changes, the only requests are heartbeats; what was asked before was filtered LIST and WATCH."""
    began = now()
    cluster.run(Pod("web"))
    agent = start_agent(replace(FAST, report_heartbeat_seconds=QUIET_HEARTBEAT_SECONDS))
    await_report(cluster, agent, "that is healthy", is_healthy, 15)
    agent.await_scans(2)

    quiet = now()
    agent.await_scans(QUIET_SCANS)
    requests = brief(requests_since(cluster, quiet))

    heartbeats = QUIET_SCANS * FAST.scan_period_seconds / QUIET_HEARTBEAT_SECONDS
    assert {*requests} == {f"patch {REPORTS}/{cluster.node_name}/status 200"}
    assert heartbeats - 2 <= len(requests) <= heartbeats + 2, requests
    asks_for_its_own_only(cluster, began)
    leaves_no_traces(cluster)


@pytest.mark.timeout(180)
def test_pods_that_come_and_go_cost_no_writes(cluster: Cluster, start_agent: StartAgent) -> None:
    """30 pods a minute change counts in every scan, and are no reason to write: heartbeats take the counts along.

    An hour is reckoned from less than a minute, which errs on the high side: there are 15 times as many scans as by
    default, and no minute has to pass between two writes. Heartbeats, ten minutes apart as by default, are added.
    """
    cluster.run(Pod("stays"))
    agent = start_agent()
    await_report(cluster, agent, "that is healthy", is_healthy, 15)
    agent.await_scans(1)
    before = now()

    made = churn(cluster, CHURN_SECONDS)
    agent.await_scans(2)

    requests = requests_since(cluster, before)
    writes = [one for one in requests if one.verb in WRITES]
    most_heartbeats = 3600 / (0.9 * FAST.report_heartbeat_seconds)
    per_hour = len(writes) * 3600 / CHURN_SECONDS + most_heartbeats
    print(f"{made} pods in {CHURN_SECONDS:g} s: {len(writes)} writes, at most {per_hour:.1f} an hour")  # noqa: T201
    assert made >= 0.9 * PODS_PER_MINUTE * CHURN_SECONDS / 60
    assert per_hour <= WRITES_PER_HOUR, brief(requests)
    asks_for_its_own_only(cluster, before)
    leaves_no_traces(cluster)


def asks_for_its_own_only(cluster: Cluster, since: datetime) -> None:
    """No LIST or WATCH but of this node's pods and report; no write but of this node's report."""
    own = {PODS: f"spec.nodeName={cluster.node_name}", REPORTS: f"metadata.name={cluster.node_name}"}
    for one in requests_since(cluster, since):
        path = one.uri.partition("?")[0]
        if one.verb in ("list", "watch"):
            assert path in own, one
            assert field_selector(one) == own[path], one
        # Asking who one is, is a "create" that stores nothing.
        elif one.verb in WRITES and not path.startswith("/apis/authentication.k8s.io/"):
            assert path in (REPORTS, f"{REPORTS}/{cluster.node_name}/status"), one


def leaves_no_traces(cluster: Cluster) -> None:
    """No finalizer and no annotation on the report, and no field of any other object that the agent wrote."""
    report = read_report(cluster)
    assert report is not None
    assert not {"finalizers", "annotations"} & report["metadata"].keys()
    objects = json.loads(cluster.kubectl("get", "pods,nodes", "-A", "--output=json", "--show-managed-fields"))["items"]
    assert objects
    managers = {entry["manager"] for one in objects for entry in one["metadata"].get("managedFields", ())}
    assert managers <= {"kubelet", "kube-controller-manager", "kubectl-client-side-apply", "kube-scheduler"}
    assert not [one["metadata"]["name"] for one in objects if "finalizers" in one["metadata"]]


def churn(cluster: Cluster, seconds: float) -> int:
    """Let pods come and go at an even pace, and return how many were made."""
    began = time.monotonic()
    made = 0
    while time.monotonic() - began < seconds:
        cluster.apply(pod_manifest(Pod(f"guest-{made}")))
        made += 1
        if made > LIVES:
            delete(cluster, f"guest-{made - LIVES - 1}")
        due = began + made * 60 / PODS_PER_MINUTE
        _wait_till(due)
    return made


def _wait_till(due: float) -> None:
    wait_until("the next pod to be due", lambda: time.monotonic() >= due, max(due - time.monotonic(), 0) + 1)
