"""Without the API server, its definitions or rights, the agent keeps what it can, says the rest, and recovers."""

import os
import time
from pathlib import Path

import pytest

from e2e.conftest import StartAgent
from e2e.support import installation
from e2e.support.agent import Agent
from e2e.support.node_report import Report, await_report, findings, is_healthy, read_report
from e2e.support.pace import FAST
from e2e.support.wire import Wire, through
from e2e.support.workloads import delete
from lab.pods import Pod
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until

FULL_OUTAGE = "E2E_FULL_OUTAGE"
"""Set in the environment to let the API server be away for 95 s, longer than kopf's own patience, instead of 10 s."""

OUTAGE_SECONDS = 95.0 if os.environ.get(FULL_OUTAGE) else 10.0


@pytest.mark.parametrize("outage_seconds", [OUTAGE_SECONDS], ids="{:g} s".format)
def test_outage_of_the_api_server(
    cluster: Cluster, start_agent: StartAgent, kubeconfig: Path, outage_seconds: float
) -> None:
    """The API server is down, and back before the agent may reach it; pods are deleted meanwhile.

    The scan goes on all the time. Afterwards the one true orphan is told, and nobody else is called one.
    """
    for name in ("stays", "deleted", "orphan"):
        cluster.run(Pod(name))
    with Wire(cluster.places.certificates.server) as wire:
        agent = start_agent(kubeconfig=through(wire, kubeconfig))
        before = await_report(cluster, agent, "that is healthy", is_healthy)
        wire.cut()
        cluster.stop_api_server()

        ends = time.monotonic() + outage_seconds
        scans = agent.scans()
        agent.wait("the end of the outage", lambda: no_finding(agent) and time.monotonic() > ends, outage_seconds + 5)
        assert agent.scans() - scans >= outage_seconds / FAST.scan_period_seconds / 2
        assert agent.page("/healthz").status == 200
        assert agent.troubles().keys() & {"pods", "report"}

        cluster.start_api_server()
        cluster.restart_clients()
        delete(cluster, "deleted", force=True)
        wait_until("the kubelet to end what was deleted", lambda: not is_ready(cluster, "deleted"), 30)
        cluster.stop_kubelet()
        delete(cluster, "orphan", force=True)
        wire.mend()

        recovery_seconds = outage_seconds + 10
        limit_seconds = recovery_seconds + FAST.found_within_seconds("orphaned-sandbox")
        after = await_report(cluster, agent, "of an orphan", orphans, limit_seconds)
        agent.await_scans(3)

    assert orphans(after) == ["orphan"]
    assert agent.metrics().findings_about_pods() == ["OrphanedSandbox lab/orphan"]
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert agent.troubles() == {}


def test_api_server_that_hangs(cluster: Cluster, start_agent: StartAgent) -> None:
    """A server that accepts connections and answers nothing holds up neither the scan nor the end of the agent."""
    cluster.run(Pod("stays"))
    agent = start_agent()
    await_report(cluster, agent, "that is healthy", is_healthy)
    cluster.pause_api_server()
    agent.await_scans(4)

    assert no_finding(agent)
    assert agent.page("/healthz").status == 200
    agent.stop()


def test_definition_is_installed_after_the_agent(cluster: Cluster, start_agent: StartAgent) -> None:
    """Without the definition of reports, findings are in the metrics; once it is there, so is the report."""
    installation.remove_crd(cluster)
    cluster.run(Pod("stays"))
    agent = start_agent()

    line = agent.log_line("the report is not written", "CustomResourceDefinition")
    assert "install the CustomResourceDefinition of PodSandboxReport: kubectl apply -f manifests/crd.yaml" in line
    agent.await_scans(2)
    assert agent.page("/readyz").status == 200
    assert agent.troubles()["report"] == "ResourceUnknown"
    assert agent.metrics().samples("pausewatch_findings")

    installation.install_crd(cluster)
    report = await_report(cluster, agent, "once it is possible", is_healthy)
    agent.log_line("the report can be written again")
    # The watch is complete too: a deleted report comes back at once.
    wait_until_without_trouble(agent)
    cluster.kubectl("delete", "psr", cluster.node_name)
    again = await_report(cluster, agent, "after its deletion", is_healthy, 10)
    assert again["metadata"]["uid"] != report["metadata"]["uid"]


def test_definition_is_deleted_and_made_again(cluster: Cluster, start_agent: StartAgent) -> None:
    """Every report goes with it; once it is back, so is the report, and the watch of it: no restart, no orphan."""
    cluster.run(Pod("stays"))
    agent = start_agent()
    before = await_report(cluster, agent, "that is healthy", is_healthy)
    installation.remove_crd(cluster)
    agent.log_line("the report is not written", "kubectl apply -f manifests/crd.yaml", limit_seconds=30)
    agent.await_scans(3)
    assert no_finding(agent)
    assert agent.page("/healthz").status == 200

    installation.install_crd(cluster)
    after = await_report(cluster, agent, "of the new definition", is_healthy)
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    wait_until_without_trouble(agent)
    agent.await_scans(3)
    # Only a watch of the new definition tells of this before the next heartbeat, ten minutes later.
    edit = '{"status": {"truncatedFindings": 7}}'
    cluster.kubectl("patch", "psr", cluster.node_name, "--subresource=status", "--type=merge", f"--patch={edit}")
    await_report(cluster, agent, "that is ours again", lambda one: not one["status"].get("truncatedFindings"), 15)


def test_rights_are_granted_after_the_start(cluster: Cluster, start_agent: StartAgent) -> None:
    """Without rights the agent says which, skips what needs the API, and invents no orphan; granted, it recovers."""
    installation.revoke(cluster)
    cluster.run(Pod("stays"))
    agent = start_agent()

    line = agent.log_line("the report is not written", "Forbidden")
    assert "grant the agent what its ClusterRole in the manifests lists: kubectl apply -f manifests/rbac.yaml" in line
    agent.await_scans(3)
    assert no_finding(agent)
    assert agent.page("/readyz").status == 200
    assert agent.troubles()["report"] == "Forbidden"
    assert "pods" in agent.troubles()
    assert read_report(cluster) is None

    installation.install_rbac(cluster)
    report = await_report(cluster, agent, "once it is allowed", lambda _: True)
    assert findings(report) == []
    wait_until_without_trouble(agent)
    await_report(cluster, agent, "with all checks", lambda one: not one["status"]["coverage"]["skippedChecks"], 10)


def test_kubeconfig_is_mended_after_the_start(
    cluster: Cluster, start_agent: StartAgent, kubeconfig: Path, tmp_path: Path
) -> None:
    """A kubeconfig that can not be used is named in the log; replaced by a right one, no restart is needed."""
    cluster.run(Pod("stays"))
    mine = tmp_path / "kubeconfig"
    mine.write_text("clusters: none of your business\n")
    agent = start_agent(kubeconfig=mine)

    line = agent.log_line("the report is not written", "NoConnection")
    assert str(mine) in line
    agent.await_scans(2)
    assert no_finding(agent)
    assert agent.page("/readyz").status == 200
    assert agent.troubles()["report"] == "NoConnection"

    mine.write_text(kubeconfig.read_text())
    await_report(cluster, agent, "once it is possible", is_healthy)
    wait_until_without_trouble(agent)


def orphans(report: Report) -> list[object]:
    """The orphans in a report."""
    return [one["pod"]["name"] for one in findings(report, "orphaned-sandbox")]


def no_finding(agent: Agent) -> bool:
    """Nothing is told of any pod."""
    assert agent.metrics().findings_about_pods() == []
    return True


def is_ready(cluster: Cluster, name: str) -> bool:
    """Whether a pod of this name has a ready sandbox."""
    ready = 0  # SANDBOX_READY of the CRI
    return any(one.metadata.name == name and one.state == ready for one in cluster.runtime.client.sandboxes())


def wait_until_without_trouble(agent: Agent) -> None:
    """The agent has all it needs."""
    agent.wait("the agent to have all it needs", lambda: agent.troubles() == {}, 30)
