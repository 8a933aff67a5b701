"""Findings are told by Events: to whoever describes the pod, once when they appear and once when they are over."""

import asyncio
import json
import re
import signal
import time
from datetime import datetime
from typing import Any

from e2e.conftest import StartAgent
from e2e.support.agent import Agent
from e2e.support.api_requests import now, requests_since
from e2e.support.installation import agent_kubeconfig
from e2e.support.node_report import await_report, findings, is_healthy
from e2e.support.workloads import run_static_pod
from lab.pods import Container, Pod, RunningPod
from lab.processes import find_process
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until
from pausewatch.cluster.client import ApiClient
from pausewatch.cluster.connection import ConnectionPlace
from pausewatch.cluster.event_poster import Drop, EventPoster
from pausewatch.sinks.events import Change, News, Regarding

Event = dict[str, Any]

REASON = "NamespaceNotShared"
TOLD_SECONDS = 20.0
"""From a fault, or its end, to its Event: a few scans, and the kubelet's time to start a container."""


def test_fault_is_told_on_its_pod_and_so_is_its_end(cluster: Cluster, start_agent: StartAgent) -> None:
    """One Event each, which ``kubectl describe pod`` prints; when it comes back, it is counted on the first."""
    agent = start_agent()
    await_report(cluster, agent, "of the start", is_healthy)
    torn = run_torn(cluster)

    (found,) = await_told(cluster, agent, torn.uid, "Warning")
    agent.await_scans(3)

    assert told_about(cluster, torn.uid) == [found]
    assert (found["reason"], found["action"]) == (REASON, "Find")
    assert found["regarding"] == {
        "apiVersion": "v1",
        "kind": "Pod",
        "namespace": "lab",
        "name": "torn",
        "uid": torn.uid,
    }
    assert (found["reportingController"], found["reportingInstance"]) == ("pausewatch", cluster.node_name)
    (finding,) = findings(await_report(cluster, agent, "with the finding", findings, 5), "namespace-not-shared")
    assert found["note"].startswith(finding["message"])
    assert finding["nextCommands"][0]["command"] in found["note"]
    described = cluster.kubectl("describe", "pod", "torn", "--namespace=lab")
    assert re.search(rf"Warning +{REASON} +\S+ +pausewatch.* {re.escape(finding['message'])}", described), described

    heal(cluster, torn)
    await_told(cluster, agent, torn.uid, "Normal")
    agent.await_scans(3)

    over = told_about(cluster, torn.uid)[-1]
    assert (over["type"], over["reason"], over["action"]) == ("Normal", REASON, "Clear")
    described = cluster.kubectl("describe", "pod", "torn", "--namespace=lab")
    assert re.search(rf"Normal +{REASON} +\S+ +pausewatch.* {REASON} of lab/torn/app is over", described), described

    tear(cluster, cluster.find_pod("torn"))
    agent.wait("a series", lambda: any("series" in one for one in told_about(cluster, torn.uid)), TOLD_SECONDS)

    again, over = told_about(cluster, torn.uid)
    assert again["metadata"]["name"] == found["metadata"]["name"]
    assert again["series"]["count"] == 2
    assert "series" not in over
    assert agent.metrics().total("pausewatch_events_posted_total") == 3
    assert agent.metrics().total("pausewatch_events_dropped_total") == 0


def test_restarted_agent_repeats_nothing(cluster: Cluster, start_agent: StartAgent) -> None:
    """What the stored report has was told; its end is told by the agent that sees it."""
    first = start_agent()
    torn = run_torn(cluster)
    before = await_told(cluster, first, torn.uid, "Warning")
    await_report(cluster, first, "with the finding", findings, 5)
    first.stop()

    second = start_agent()
    second.wait("the finding in the metrics", lambda: second.metrics().findings_about_pods(), TOLD_SECONDS)
    second.await_scans(3)
    assert told_about(cluster, torn.uid) == before

    heal(cluster, torn)
    await_told(cluster, second, torn.uid, "Normal")
    assert len(told_about(cluster, torn.uid)) == 2


def test_orphan_is_told_on_the_node(cluster: Cluster, start_agent: StartAgent) -> None:
    """Its pod is not there any more; ``kubectl describe node`` prints it.

    The Node keeps what other tests had told about it, so no other pod has this one's name.
    """
    agent = start_agent()
    cluster.run(Pod("stays"))
    orphan = cluster.run(Pod("orphan-told"))
    await_report(cluster, agent, "of the start", is_healthy)
    cluster.stop_kubelet()
    began = time.monotonic()
    cluster.kubectl("delete", "pod", "orphan-told", "--namespace=lab", "--force", "--grace-period=0")

    def told() -> list[Event]:
        return [one for one in told_about(cluster, cluster.node_name) if "lab/orphan-told" in one["note"]]

    limit_seconds = agent.pace.found_within_seconds("orphaned-sandbox") + (time.monotonic() - began)
    (found,) = agent.wait("an Event of the orphan", told, limit_seconds)

    assert (found["type"], found["reason"], found["metadata"]["namespace"]) == ("Warning", "OrphanedSandbox", "default")
    described = cluster.kubectl("describe", "node", cluster.node_name)
    assert re.search(
        r"Warning +OrphanedSandbox +\S+ +pausewatch.* The sandbox of lab/orphan-told still runs", described
    )

    cluster.start_kubelet()
    client = cluster.runtime.client
    wait_until("the kubelet to end the orphan", lambda: client.sandbox_status(orphan.sandbox_id).state, 30)
    agent.wait("the end of the orphan", lambda: [one for one in told() if one["type"] == "Normal"], TOLD_SECONDS)
    assert told_about(cluster, orphan.uid) == []


def test_fault_of_a_static_pod_is_told_on_its_mirror_pod(cluster: Cluster, start_agent: StartAgent) -> None:
    """The mirror pod has another uid; ``kubectl describe pod`` looks for the one that sandboxes carry."""
    cluster.falsify(f"static-{cluster.node_name}", "app", {"type": "network", "do": "fresh"})
    mirror = run_static_pod(cluster, "static")
    agent = start_agent()

    await_told(cluster, agent, cluster.find_pod(mirror).uid, "Warning")

    described = cluster.kubectl("describe", "pod", mirror, "--namespace=lab")
    assert re.search(rf"Warning +{REASON} +\S+ +pausewatch", described), described


def test_events_that_are_switched_off(cluster: Cluster, start_agent: StartAgent) -> None:
    """The finding is in the report, and the API server was never asked to take an Event."""
    began = now()
    agent = start_agent(variables={"PAUSEWATCH_EVENTS": "false"})
    torn = run_torn(cluster)

    await_report(cluster, agent, "with the finding", findings, TOLD_SECONDS)
    agent.await_scans(3)

    assert told_about(cluster, torn.uid) == []
    assert not [one for one in requests_since(cluster, began) if "/events" in one.uri]


def test_namespace_that_is_being_deleted_is_no_trouble(cluster: Cluster) -> None:
    """Nothing can be made in it any more; what the API server answers then is known as that."""
    cluster.kubectl("create", "namespace", "ending")
    metadata = {"name": "held", "namespace": "ending", "finalizers": ["lab.example/held"]}
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    try:
        cluster.kubectl("delete", "namespace", "ending", "--wait=false")
        drops, troubles = asyncio.run(post_in_namespaces(cluster, "ending", "never-there"))
    finally:
        cluster.kubectl(
            "patch", "configmap", "held", "--namespace=ending", "--patch", '{"metadata":{"finalizers":null}}'
        )
        cluster.kubectl("wait", "--for=delete", "namespace/ending", "--timeout=30s")

    assert drops == {Drop.NAMESPACE_GONE: 2}
    assert troubles == []


async def post_in_namespaces(cluster: Cluster, *namespaces: str) -> tuple[dict[str, int], list[object]]:
    """Post an Event in each of them with the agent's account; return what was dropped, and the troubles."""
    api = ApiClient(ConnectionPlace(kubeconfig=agent_kubeconfig(cluster)))
    troubles: list[object] = []
    poster = EventPoster(api, cluster.node_name, troubles.append)
    for namespace in namespaces:
        regarding = Regarding(kind="Pod", namespace=namespace, name="web", uid=namespace)
        poster.offer(
            [News(finding_id="a", change=Change.FOUND, reason=REASON, note="a", regarding=regarding, at=now())]
        )
        await poster.step()
    await api.close()
    return {reason: count for reason, count in poster.dropped.items() if count}, troubles


def run_torn(cluster: Cluster) -> RunningPod:
    """Run a pod whose container "app" gets a network of its own, not its sandbox's."""
    cluster.falsify("torn", "app", {"type": "network", "do": "fresh"})
    return cluster.run(Pod("torn", containers=(Container("app"), Container("side"))))


def heal(cluster: Cluster, torn: RunningPod) -> None:
    """Let the kubelet restart the container as it was asked for; the pod stays."""
    cluster.stop_falsifying("torn", "app")
    kill(torn)


def tear(cluster: Cluster, healed: RunningPod) -> None:
    """Let the kubelet restart the container with a network of its own once more."""
    cluster.falsify("torn", "app", {"type": "network", "do": "fresh"})
    kill(healed)


def kill(running: RunningPod) -> None:
    """Kill the first process of the container "app": the kubelet restarts it."""
    process = find_process(running.pid("app"))
    assert process is not None
    process.send(signal.SIGKILL)


def told_about(cluster: Cluster, uid: str) -> list[Event]:
    """The Events of pausewatch about an object, oldest first."""
    document = json.loads(cluster.kubectl("get", "events.events.k8s.io", "--all-namespaces", "--output=json"))
    told = [
        one
        for one in document["items"]
        if one.get("reportingController") == "pausewatch" and one["regarding"]["uid"] == uid
    ]
    return sorted(told, key=lambda one: datetime.fromisoformat(one["eventTime"]))


def await_told(cluster: Cluster, agent: Agent, uid: str, kind: str) -> list[Event]:
    """Wait for an Event of this type about an object, and return all of them."""

    def probe() -> list[Event]:
        told = told_about(cluster, uid)
        return told if kind in [one["type"] for one in told] else []

    return agent.wait(f"an Event of type {kind}", probe, TOLD_SECONDS)
