"""An API server that answers, and refuses: overloaded, broken, or with watches that it has forgotten."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.conftest import StartAgent
from e2e.support.agent import Agent
from e2e.support.node_report import Report, await_report, is_healthy
from e2e.support.refusing import RefusingProxy
from e2e.support.workloads import delete
from lab.pods import Pod
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until

FAULT_SECONDS = 15.0
RECOVERY_SECONDS = 60.0
"""The waits between two attempts have grown by then, to 16 s and more."""

MOST_REQUESTS = 60
"""In 15 s of refusals, of three parts that ask: each attempt waits longer than the one before."""


@pytest.mark.parametrize("status", [500, 429])
def test_api_server_that_refuses_everything(
    cluster: Cluster, start_agent: StartAgent, kubeconfig: Path, status: int
) -> None:
    """The agent scans on, asks less and less, calls nothing orphaned, and afterwards the report is right again."""
    for name in ("stays", "deleted"):
        cluster.run(Pod(name))
    with RefusingProxy(kubeconfig) as proxy:
        agent = start_agent(kubeconfig=proxy.kubeconfig())
        before = await_report(cluster, agent, "of both pods", has_sandboxes(2))
        proxy.refuse(status)
        delete(cluster, "deleted", force=True)
        wait_until("the kubelet to end what was deleted", lambda: sandboxes(cluster) == 1, 60)

        ends = time.monotonic() + FAULT_SECONDS
        scans = agent.scans()
        agent.wait("the end of the fault", lambda: lives(agent) and time.monotonic() > ends, FAULT_SECONDS + 10)
        assert agent.scans() > scans
        assert 0 < proxy.refused < MOST_REQUESTS
        assert agent.troubles().keys() & {"pods", "report"}

        proxy.relay()
        agent.wait("the pods to be known", lambda: lives(agent) and "pods" not in agent.troubles(), RECOVERY_SECONDS)
        # What is counted rides along with what is worth a write: this is.
        cluster.kubectl("delete", "psr", cluster.node_name)
        after = await_report(cluster, agent, "of the pod that is left", has_sandboxes(1), RECOVERY_SECONDS)
        agent.wait("the agent to have all it needs", lambda: not agent.troubles(), RECOVERY_SECONDS)

    assert is_healthy(after)
    assert after["status"]["summary"]["orphans"] == before["status"]["summary"]["orphans"] == 0


def test_watches_that_the_server_has_forgotten(cluster: Cluster, start_agent: StartAgent, kubeconfig: Path) -> None:
    """As after a restart with compaction: all is listed again, and what was deleted meanwhile is no orphan."""
    for name in ("stays", "deleted"):
        cluster.run(Pod(name))
    with RefusingProxy(kubeconfig) as proxy:
        agent = start_agent(kubeconfig=proxy.kubeconfig())
        await_report(cluster, agent, "of both pods", has_sandboxes(2))
        proxy.expire_watches()
        delete(cluster, "deleted", force=True)
        wait_until("the kubelet to end what was deleted", lambda: sandboxes(cluster) == 1, 60)
        ends = time.monotonic() + FAULT_SECONDS
        agent.wait("the end of the fault", lambda: lives(agent) and time.monotonic() > ends, FAULT_SECONDS + 10)
        assert 0 < proxy.refused < MOST_REQUESTS

        proxy.relay()
        agent.wait("the agent to have all it needs", lambda: lives(agent) and not agent.troubles(), RECOVERY_SECONDS)
        agent.await_scans(3)
        assert lives(agent)
        report = await_report(cluster, agent, "that is healthy", is_healthy, RECOVERY_SECONDS)

    assert report["status"]["coverage"]["skippedChecks"] == []


def lives(agent: Agent) -> bool:
    """Whether its pages answer that it lives; nothing is told of any pod."""
    assert agent.metrics().findings_about_pods() == []
    return agent.page("/healthz").status == 200


def has_sandboxes(count: int) -> Callable[[Report], bool]:
    """Return whether a report counts so many sandboxes."""
    return lambda report: report["status"]["summary"]["readySandboxes"] == count


def sandboxes(cluster: Cluster) -> int:
    """How many ready ones the runtime lists."""
    ready = 0  # SANDBOX_READY of the CRI
    return sum(one.state == ready for one in cluster.runtime.client.sandboxes())
