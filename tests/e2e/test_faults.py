"""Each fault is told in the stored report, in the metrics and by ``pausewatch scan``, in time, and goes when healed."""

import signal
import time

from e2e.conftest import StartAgent
from e2e.support.faulty import ZOMBIES, run_forgetful
from e2e.support.node_report import await_report, findings, is_healthy
from e2e.support.pace import DEFAULT
from e2e.support.told import cleared_after_two_clean_scans, found_everywhere, is_about
from lab.errors import LabError
from lab.pods import Container, Pod, RunningPod
from lab.processes import find_process
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until
from pausewatch.checks._check import all_checks

NEED_THE_API_SERVER = {check.id for check in all_checks() if {"pods", "waiting_pods"} & {*check.needs}}


def test_healthy_cluster(cluster: Cluster, start_agent: StartAgent) -> None:
    """Pods of all common shapes give no finding: Healthy is True, every scan complete, all metrics of findings 0."""
    pods = (
        Pod("plain", containers=(Container("setup", ("true",), init=True), Container("app"), Container("side"))),
        Pod("shared", share_pid=True),
        Pod("on-the-node", host_network=True, host_pid=True, host_ipc=True),
    )
    for pod in pods:
        cluster.run(pod)
    agent = start_agent()

    report = await_report(cluster, agent, "that is healthy", is_healthy)
    agent.await_scans(3)

    status = report["status"]
    states = {one["type"]: one["status"] for one in status["conditions"]}
    assert states == {"Healthy": "True", "RuntimeReachable": "True", "ScanComplete": "True"}
    assert status["coverage"] == {
        "notComparableSandboxes": 0,
        "unreadableProcesses": 0,
        "ignoredFindings": 0,
        "skippedChecks": [],
    }
    assert (status["summary"]["readySandboxes"], status["summary"]["pauseProcesses"]) == (len(pods), len(pods))
    assert status["runtime"]["name"] == "containerd"
    assert agent.metrics().samples("pausewatch_findings")
    assert agent.metrics().findings_about_pods() == []
    assert findings(agent.run_scan()) == []


def test_zombies(cluster: Cluster, start_agent: StartAgent) -> None:
    """A container whose PID 1 does not wait for its children is told with its parent, until it is deleted.

    ``kubectl wait --for=condition=Healthy`` notices both ways.
    """
    agent = start_agent()
    await_report(cluster, agent, "of the start", lambda _: True)
    kubectl_waits_for(cluster, "condition=Healthy")
    began = time.monotonic()
    forgetful = run_forgetful(cluster)

    kubectl_waits_for(cluster, "condition=Healthy=False")
    finding = found_everywhere(cluster, agent, "zombie-buildup", "ZombieBuildup Warning", began)

    is_about(finding, forgetful)
    evidence = {one["name"]: one["value"] for one in finding["evidence"]}
    assert evidence["parent"].startswith(f"pid {forgetful.pid()} (misbehave), PID 1 of the container")
    (by_hand,) = findings(agent.run_scan(), "zombie-buildup")
    assert by_hand["id"] == finding["id"]
    assert agent.metrics().total("pausewatch_zombie_processes") >= ZOMBIES
    assert agent.metrics().total("pausewatch_container_zombie_processes", pod="forgetful") == ZOMBIES
    broken_at_scan = agent.scans()
    cluster.kubectl("delete", "pod", "forgetful", "--namespace=lab")
    cleared_after_two_clean_scans(cluster, agent, broken_at_scan)
    assert agent.metrics().samples("pausewatch_container_zombie_processes") == []


def test_wrong_network_namespace(cluster: Cluster, start_agent: StartAgent) -> None:
    """A container that the runtime gave a network of its own is told; restarted as it was asked for, no more."""
    agent = start_agent()
    await_report(cluster, agent, "of the start", is_healthy)
    cluster.falsify("torn", "app", {"type": "network", "do": "fresh"})
    began = time.monotonic()
    torn = cluster.run(Pod("torn", containers=(Container("app"), Container("side"))))

    finding = found_everywhere(cluster, agent, "namespace-not-shared", "NamespaceNotShared Critical", began)

    is_about(finding, torn)
    (by_hand,) = findings(agent.run_scan(), "namespace-not-shared")
    assert by_hand["id"] == finding["id"]
    broken_at_scan = agent.scans()
    cluster.stop_falsifying("torn", "app")
    kill(torn, "app")
    wait_until("the kubelet to restart it", lambda: restarted(cluster, torn, "app"), 30)
    cleared_after_two_clean_scans(cluster, agent, broken_at_scan)


def test_orphan(cluster: Cluster, start_agent: StartAgent) -> None:
    """A sandbox that outlives its pod is told by the agent, until a kubelet is back that ends it.

    A scan by hand knows no API server, and says that it can not judge.
    """
    agent = start_agent()
    cluster.run(Pod("stays"))
    orphan = cluster.run(Pod("orphan"))
    await_report(cluster, agent, "of the start", is_healthy)
    cluster.stop_kubelet()
    began = time.monotonic()
    cluster.kubectl("delete", "pod", "orphan", "--namespace=lab", "--force", "--grace-period=0")

    finding = found_everywhere(cluster, agent, "orphaned-sandbox", "OrphanedSandbox Critical", began)

    is_about(finding, orphan)
    by_hand = agent.run_scan()
    skipped = {one["check"]: one["reason"] for one in by_hand["status"]["coverage"]["skippedChecks"]}
    assert skipped == dict.fromkeys(NEED_THE_API_SERVER, "NoApiServer")
    assert findings(by_hand) == []
    broken_at_scan = agent.scans()
    cluster.start_kubelet()
    client = cluster.runtime.client
    wait_until("the kubelet to end the orphan", lambda: client.sandbox_status(orphan.sandbox_id).state, 30)
    cleared_after_two_clean_scans(cluster, agent, broken_at_scan)


def test_with_all_defaults(cluster: Cluster, start_agent: StartAgent) -> None:
    """As installed, a healthy node is told within a minute, and a fault within what its check declares."""
    agent = start_agent(DEFAULT)
    await_report(cluster, agent, "that is healthy", is_healthy)
    cluster.falsify("torn", "app", {"type": "network", "do": "fresh"})
    began = time.monotonic()
    torn = cluster.run(Pod("torn"))

    finding = found_everywhere(cluster, agent, "namespace-not-shared", "NamespaceNotShared Critical", began)

    is_about(finding, torn)


def kubectl_waits_for(cluster: Cluster, condition: str) -> None:
    """Let kubectl wait for a condition of the report."""
    assert "condition met" in cluster.kubectl("wait", f"--for={condition}", f"psr/{cluster.node_name}", "--timeout=20s")


def kill(running: RunningPod, container: str) -> None:
    """Kill the first process of a container: the kubelet restarts it."""
    process = find_process(running.pid(container))
    assert process is not None
    process.send(signal.SIGKILL)


def restarted(cluster: Cluster, before: RunningPod, container: str) -> bool:
    """Whether the container runs again, as another one than before."""
    after = cluster.find_pod(before.pod.name)
    if after.container_ids[container] == before.container_ids[container]:
        return False
    try:
        return after.pid(container) > 0
    except LabError:
        return False  # created, and not started yet
