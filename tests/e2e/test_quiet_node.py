"""A node where nothing changes costs the API server next to nothing."""

from dataclasses import replace

from e2e.conftest import StartAgent
from e2e.support.api_requests import (
    REPORTS,
    assert_asks_for_its_own_only,
    assert_left_no_traces,
    brief,
    now,
    requests_since,
)
from e2e.support.node_report import await_report, judges_all
from e2e.support.pace import FAST
from lab.pods import Pod
from lab.shapes.cluster import Cluster

HEARTBEAT_SECONDS = 3.0
QUIET_SCANS = 12


def test_quiet_node_costs_heartbeats_only(cluster: Cluster, start_agent: StartAgent) -> None:
    """While nothing changes, the only requests are heartbeats; what was asked before was filtered LIST and WATCH."""
    began = now()
    cluster.run(Pod("web"))
    agent = start_agent(replace(FAST, report_heartbeat_seconds=HEARTBEAT_SECONDS))
    await_report(cluster, agent, "of all checks", judges_all)
    agent.await_scans(2)

    quiet = now()
    agent.await_scans(QUIET_SCANS)
    seconds = (now() - quiet).total_seconds()
    requests = brief(requests_since(cluster, quiet))

    assert {*requests} == {f"patch {REPORTS}/{cluster.node_name}/status 200"}
    assert abs(len(requests) - seconds / HEARTBEAT_SECONDS) <= 2, requests
    assert_asks_for_its_own_only(cluster, began)
    assert_left_no_traces(cluster)
