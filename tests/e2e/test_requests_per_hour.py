"""What the API server has to bear of each node in an hour: a quiet one, and one in which pods come and go.

The witness is the API server's own audit log. The end of the run prints both tables; docs/scale.md has them.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from e2e.conftest import StartAgent
from e2e.support.agent import Agent
from e2e.support.api_requests import (
    REPORTS,
    assert_asks_for_its_own_only,
    assert_left_no_traces,
    brief,
    now,
    of_node,
    requests_since,
    writes,
)
from e2e.support.installation import agent_kubeconfig
from e2e.support.node_report import await_report, is_healthy, judges_all, read_report
from e2e.support.pace import DEFAULT, FAST, Pace
from e2e.support.request_table import HOUR_SECONDS, TABLE, Row, rendered, renewals_of, rows_of
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
from lab.pods import Pod
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_audit import AuditRecord
from lab.shapes.cluster_node import ClusterNode
from lab.shapes.nested_node import NestedNode
from lab.waiting import wait_until

MOST_WRITES_PER_HOUR = 12

ACCELERATION = 100
"""Of the quiet hour: heartbeats come so many times as often. A scan each second is the most that the settings allow,
thirty times the default."""

QUIET_SECONDS = HOUR_SECONDS / ACCELERATION
QUIET = replace(FAST, report_heartbeat_seconds=DEFAULT.report_heartbeat_seconds / ACCELERATION)

SECONDS_PER_POD = 2.0
"""30 pods a minute, on each node."""

LIVING = 3
"""How many of those that come and go are on a node at a time."""

START_SECONDS = 60.0
"""For an agent to have judged everything; it takes two."""

Nodes = Sequence[ClusterNode]
RecordProperty = Callable[[str, object], None]


@pytest.fixture
def nodes(cluster: Cluster, nested_node: NestedNode) -> Nodes:
    """One node of each kind that the lab has."""
    return (cluster, nested_node)


def test_quiet_hour(cluster: Cluster, nodes: Nodes, start_agent: StartAgent, record_property: RecordProperty) -> None:
    """While nothing changes, the only requests are heartbeats; what was asked before was filtered LIST and WATCH."""
    began = now()
    agents = start_agents(nodes, start_agent, QUIET)
    for agent in agents:
        agent.await_scans(2)

    quiet = now()
    ends = quiet + timedelta(seconds=QUIET_SECONDS)
    agents[0].wait("an hour to pass", lambda: now() >= ends, QUIET_SECONDS + 10)

    before = requests_since(cluster, began)
    requests = [one for one in before if quiet <= one.time < ends]
    table: list[Row] = []
    for node in nodes:
        own = of_node(requests, node.node_name)
        assert {*brief(own)} == {f"patch {REPORTS}/{node.node_name}/status 200"}
        # Six, each up to a tenth earlier or later; on a busy machine one may be late, and none is made up for.
        assert 4 <= len(own) <= 7, own
        watches = [one for one in of_node(before, node.node_name) if one.verb == "watch"]
        renewals = renewals_of(node.node_name, watches)
        assert sorted(one.resource for one in renewals) == ["pods", "podsandboxreports"]
        assert sum(one.per_hour for one in renewals) <= MOST_WRITES_PER_HOUR
        table += [*rows_of(node.node_name, own, hours=1), *renewals]
    record_property(TABLE, rendered(f"quiet, an hour of {QUIET_SECONDS:g} s:", table))
    assert_asks_for_their_own_only(cluster, nodes, before)


def test_busy_hour(cluster: Cluster, nodes: Nodes, start_agent: StartAgent, record_property: RecordProperty) -> None:
    """Pods in every state of life, and 30 a minute that come and go: nothing is found, nothing written, no error.

    All are looked at for longer than it takes to be called an orphan at this pace.

    The requests of an hour are reckoned from that time, which errs on the high side: with 30 times as many scans as by
    default, and no minute that has to pass between two writes. Heartbeats, ten minutes apart by default, are added.
    """
    started = now()
    agents = start_agents(nodes, start_agent, FAST)
    began = now()
    mirror = run_static_pod(cluster, "static")
    run_to_completion(cluster, "completed")
    run_unpullable(cluster, "unpullable")
    run_slow_to_end(cluster, "ending")
    run_slow_to_end(cluster, "forced")
    first = run_stateful_set(cluster, "again")
    delete(cluster, "ending", "forced")
    agents[0].await_scans(1)
    delete(cluster, "forced", "again-0", force=True)
    wait_until("another again-0", lambda: cluster.find_pod("again-0").uid != first.uid, 60)

    observed_seconds = FAST.found_within_seconds("orphaned-sandbox")
    guests = let_pods_come_and_go(nodes, agents, observed_seconds)

    residents = {"on-lab-node", mirror, "completed", "unpullable", "ending", "forced", "again-0"}
    assert residents <= sandbox_pods(cluster)
    assert api_pods(cluster) & residents == residents - {"forced"}
    requests = requests_since(cluster, began)
    assert [one for one in requests if one.code >= 400] == []
    assert guests >= 0.9 * observed_seconds / SECONDS_PER_POD
    table: list[Row] = []
    heartbeats = HOUR_SECONDS / DEFAULT.report_heartbeat_seconds
    hours = observed_seconds / HOUR_SECONDS
    for node in nodes:
        own = of_node(requests, node.node_name)
        an_hour = len(writes(own)) / hours + heartbeats / 0.9
        assert an_hour <= MOST_WRITES_PER_HOUR, brief(own)
        beat = Row(
            node=node.node_name,
            verb="patch",
            resource="podsandboxreports/status",
            per_hour=heartbeats,
            note="heartbeats, by the setting",
        )
        table += [*rows_of(node.node_name, own, hours), beat]
    title = f"busy, {guests} pods per node in {observed_seconds:.0f} s, scanned 30 times as often as by default:"
    record_property(TABLE, rendered(title, table))
    assert_asks_for_their_own_only(cluster, nodes, requests_since(cluster, started))
    for node in nodes:
        report = read_report(node)
        assert report is not None
        assert is_healthy(report)


def start_agents(nodes: Nodes, start_agent: StartAgent, pace: Pace) -> list[Agent]:
    """Run a pod and an agent on each node, and wait until all is judged.

    The report names the image of the pauses, so the first pod of a node is worth a write.
    """
    for node in nodes:
        node.run(Pod(f"on-{node.node_name}"))
    agents = [start_agent(pace, kubeconfig=agent_kubeconfig(node), node=node) for node in nodes]
    for node, agent in zip(nodes, agents, strict=True):
        await_report(node, agent, "of all checks", judges_all, START_SECONDS)
    return agents


def let_pods_come_and_go(nodes: Nodes, agents: Sequence[Agent], seconds: float) -> int:
    """Create pods at an even pace, each for some seconds, and return how many per node; there is never any finding."""
    began = time.monotonic()
    made = 0
    while time.monotonic() < began + seconds:
        nodes[0].apply(*(node.manifest(Pod(f"guest-{made}-{node.node_name}")) for node in nodes))
        if made >= LIVING:
            delete(nodes[0], *(f"guest-{made - LIVING}-{node.node_name}" for node in nodes))
        made += 1
        wait_cleanly_until(agents, began + made * SECONDS_PER_POD)
    return made


def wait_cleanly_until(agents: Sequence[Agent], due: float) -> None:
    """Wait for a time of the monotonic clock; until then nothing is found of any pod."""

    def is_due() -> bool:
        assert [agent.metrics().findings_about_pods() for agent in agents] == [[] for _ in agents]
        return time.monotonic() >= due

    agents[0].wait("the next pod to be due", is_due, SECONDS_PER_POD + 5)


def assert_asks_for_their_own_only(cluster: Cluster, nodes: Nodes, requests: Sequence[AuditRecord]) -> None:
    """Hold the agent of each node to that node, and all of them to leaving no traces."""
    for node in nodes:
        assert_asks_for_its_own_only(of_node(requests, node.node_name), node.node_name)
    assert {one.node for one in requests} == {node.node_name for node in nodes}
    assert_left_no_traces(cluster, nodes)
