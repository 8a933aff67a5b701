"""What pods do in ordinary life is no fault, and no reason to write."""

import time

from e2e.conftest import StartAgent
from e2e.support.agent import Agent
from e2e.support.api_requests import (
    assert_asks_for_its_own_only,
    assert_left_no_traces,
    brief,
    now,
    requests_since,
    writes,
)
from e2e.support.node_report import await_report, is_healthy, judges_all, read_report
from e2e.support.pace import DEFAULT, FAST
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
from lab.shapes.cluster_manifests import pod_manifest
from lab.waiting import wait_until

SECONDS_PER_POD = 2.0
"""30 pods a minute."""

LIVING = 3
"""How many of those that come and go are there at a time."""

MOST_WRITES_PER_HOUR = 12


def test_busy_node(cluster: Cluster, start_agent: StartAgent) -> None:
    """Pods in every state of life, and 30 a minute that come and go: nothing is found, nothing written, no error.

    All are looked at for longer than it takes to be called an orphan at this pace.

    The writes of an hour are reckoned from that time, which errs on the high side: with 30 times as many scans as by
    default, and no minute that has to pass between two writes. Heartbeats, ten minutes apart by default, are added.
    """
    started = now()
    # The report names the image of the pauses, so the first pod of a node is worth a write.
    cluster.run(Pod("stays"))
    agent = start_agent()
    await_report(cluster, agent, "of all checks", judges_all)
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

    observed_seconds = FAST.found_within_seconds("orphaned-sandbox")
    guests = let_pods_come_and_go(cluster, agent, observed_seconds)

    residents = {"stays", mirror, "completed", "unpullable", "ending", "forced", "again-0"}
    assert residents <= sandbox_pods(cluster)
    assert api_pods(cluster) & residents == residents - {"forced"}
    requests = requests_since(cluster, began)
    assert [one for one in requests if one.code >= 400] == []
    most_heartbeats = 3600 / (0.9 * DEFAULT.report_heartbeat_seconds)
    an_hour = len(writes(requests)) * 3600 / observed_seconds + most_heartbeats
    print(f"{guests} pods came and went: {len(writes(requests))} writes, at most {an_hour:.1f} an hour")  # noqa: T201
    assert an_hour <= MOST_WRITES_PER_HOUR, brief(requests)
    assert guests >= 0.9 * observed_seconds / SECONDS_PER_POD
    assert_asks_for_its_own_only(cluster, started)
    assert_left_no_traces(cluster)
    report = read_report(cluster)
    assert report is not None
    assert is_healthy(report)


def let_pods_come_and_go(cluster: Cluster, agent: Agent, seconds: float) -> int:
    """Create pods at an even pace, each for some seconds, and return how many; there is never any finding."""
    began = time.monotonic()
    made = 0
    while time.monotonic() < began + seconds:
        cluster.apply(pod_manifest(Pod(f"guest-{made}")))
        if made >= LIVING:
            delete(cluster, f"guest-{made - LIVING}")
        made += 1
        wait_cleanly_until(agent, began + made * SECONDS_PER_POD)
    return made


def wait_cleanly_until(agent: Agent, due: float) -> None:
    """Wait for a time of the monotonic clock; until then nothing is found of any pod."""

    def is_due() -> bool:
        assert agent.metrics().findings_about_pods() == []
        return time.monotonic() >= due

    agent.wait("the next pod to be due", is_due, SECONDS_PER_POD + 5)
