"""The agent is restarted, its report or its Node is deleted: what is stored stays right."""

import json
from pathlib import Path

import pytest

from e2e.conftest import StartAgent
from e2e.support import installation
from e2e.support.api_requests import creations, now, requests_since
from e2e.support.faulty import run_forgetful
from e2e.support.node_report import Report, await_report, findings, is_healthy, read_report
from lab.pods import Pod
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_manifests import pod_manifest
from lab.waiting import wait_until
from pausewatch.cluster.write_schedule import CREATION_SECONDS

OBSERVED_SECONDS = 20.0
"""Several times what the garbage collector needs to remove the report of a Node that is gone."""


def test_restart_keeps_ids_and_first_seen_times(cluster: Cluster, start_agent: StartAgent) -> None:
    """A new agent goes on where the old one ended: nothing is healed by a restart, nothing begins anew."""
    first = start_agent()
    forgetful = run_forgetful(cluster)
    before = await_report(cluster, first, "of zombies", is_warning, 30)
    first.stop()

    second = start_agent()
    second.await_scans(1)
    seen = [identity(read_report(cluster) or {})]
    second.wait("the zombies in the metrics", lambda: second.metrics().findings(), 30)
    second.await_scans(2)
    seen.append(identity(read_report(cluster) or {}))

    assert seen == [identity(before)] * 2
    assert identity(before)[0][1] == forgetful.uid


def test_deleted_report_comes_back(cluster: Cluster, start_agent: StartAgent) -> None:
    """As another object with the same content, owned by the Node."""
    run_forgetful(cluster)
    agent = start_agent()
    before = await_report(cluster, agent, "of zombies", is_warning, 30)
    cluster.kubectl("delete", "psr", cluster.node_name)

    after = await_report(cluster, agent, "after its deletion", findings, 10)

    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert identity(after) == identity(before)
    node = json.loads(cluster.kubectl("get", "node", cluster.node_name, "--output=json"))
    (owner,) = after["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Node", cluster.node_name, node["metadata"]["uid"])


@pytest.mark.timeout(240)
def test_report_goes_with_its_node(cluster: Cluster, start_agent: StartAgent) -> None:
    """The report of a deleted Node is collected, and the agent, while it still runs there, does not fight that.

    Observed are 20 s instead of five minutes: the back-off that the agent declares leaves room for no further
    creation within the five minutes.
    """
    agent = start_agent(kubeconfig=kubeconfig_of_a_pod(cluster))
    await_report(cluster, agent, "that is healthy", is_healthy, 20)
    began = now()
    cluster.stop_kubelet()
    cluster.kubectl("delete", "node", cluster.node_name)

    agent.wait("the report to be collected", lambda: read_report(cluster) is None or None, 60)
    wait_until("the end of the observation", lambda: (now() - began).total_seconds() > OBSERVED_SECONDS, 60)

    assert len(creations(requests_since(cluster, began))) <= 1
    assert CREATION_SECONDS[2] >= 300
    agent.wait("the report to be collected again", lambda: read_report(cluster) is None or None, 60)


def kubeconfig_of_a_pod(cluster: Cluster) -> Path:
    """A kubeconfig whose token is bound to a pod on the node, as that of a DaemonSet's pod is.

    Unlike one that is bound to the Node itself, it outlives the Node by the minute until the pod is collected.
    """
    namespace, account = installation.service_account()
    manifest = pod_manifest(Pod("agent", namespace))
    manifest["spec"] |= {"serviceAccountName": account, "automountServiceAccountToken": False}
    cluster.apply(manifest)
    cluster.wait_for_pod("agent", namespace)
    bound = ("--bound-object-kind=Pod", "--bound-object-name=agent")
    token = cluster.kubectl("create", "token", account, f"--namespace={namespace}", "--duration=1h", *bound)
    return cluster.places.certificates.write_kubeconfig("agent-pod", {"token": token.strip()})


def is_warning(report: Report) -> bool:
    """Whether zombies are told, and not only for information."""
    return [one["severity"] for one in findings(report, "zombie-buildup")] == ["Warning"]


def identity(report: Report) -> list[tuple[str, str, str]]:
    """What must not change of findings: id, pod and first-seen time."""
    return [(one["id"], one["pod"]["uid"], one["firstSeenTime"]) for one in findings(report)]
