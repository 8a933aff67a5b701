"""What pods do in ordinary life is no fault."""

import time

import pytest

from e2e.conftest import StartAgent
from e2e.support.agent import Agent
from e2e.support.api_requests import now, requests_since
from e2e.support.node_report import await_report, is_healthy, read_report
from e2e.support.pace import FAST
from e2e.support.workloads import (
    api_pods,
    delete,
    run_slow_to_end,
    run_stateful_set,
    run_static_pod,
    run_to_completion,
    run_unpullable,
    sandbox_pods,
)
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until


@pytest.mark.timeout(240)
def test_states_of_life_are_no_fault(cluster: Cluster, start_agent: StartAgent) -> None:
    """Static, completed, unable to pull, ending slowly, force-deleted while ending, made anew: nothing to report.

    All are looked at for longer than it takes to be called an orphan at this pace. No report is refused.
    """
    agent = start_agent()
    await_report(cluster, agent, "of the start", is_healthy, 15)
    began = now()
    mirror = run_static_pod(cluster, "static")
    run_to_completion(cluster, "completed")
    run_unpullable(cluster, "unpullable")
    run_slow_to_end(cluster, "ending")
    run_slow_to_end(cluster, "forced")
    first = run_stateful_set(cluster, "again")
    delete(cluster, "ending", "forced")
    agent.await_scans(1)
    delete(cluster, "forced", "again-0", force=True)
    wait_until("another again-0", lambda: cluster.find_pod("again-0").uid != first.uid, 30)

    stays_without_finding(agent, FAST.found_within_seconds("orphaned-sandbox"))

    assert sandbox_pods(cluster) == {mirror, "completed", "unpullable", "ending", "forced", "again-0"}
    assert api_pods(cluster) == {mirror, "completed", "unpullable", "ending", "again-0"}
    report = read_report(cluster)
    assert report is not None
    assert is_healthy(report)
    assert [one for one in requests_since(cluster, began) if one.code >= 400] == []


def stays_without_finding(agent: Agent, seconds: float) -> None:
    """Look at the agent's metrics again and again for so long: there is never a finding of any severity."""
    deadline = time.monotonic() + seconds

    def over() -> bool:
        assert agent.metrics().findings() == {}
        return time.monotonic() > deadline

    agent.wait("the end of the observation", over, seconds + 5)
