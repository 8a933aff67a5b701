"""What a fault and its healing look like to users: in the stored report, in the metrics, in time."""

import time
from typing import Any

from e2e.support.agent import Agent
from e2e.support.node_report import await_report, condition, findings, is_healthy
from lab.pods import RunningPod
from lab.shapes.cluster_node import ClusterNode

TOLD_TWICE_SECONDS = 10.0
"""Between the stored report and the metrics: both come from one scan, and this is the time of a kubectl or two."""

BUSY = 6
"""How many times longer than promised a test waits, for it may share the machine with others."""


def found_everywhere(node: ClusterNode, agent: Agent, check: str, metric: str, began: float) -> dict[str, Any]:
    """Wait until a fault is in the stored report and in the metrics, and return the one finding of its check.

    That it is told in time is counted in scans: where a busy machine holds them up, each takes longer than its period,
    and on an idle one they are the same.

    Args:
        node: Which one.
        agent: The agent.
        check: Its id.
        metric: Reason and severity.
        began: Before the fault was made, by the monotonic clock.
    """
    limit_seconds = agent.pace.found_within_seconds(check) + agent.pace.report_interval_seconds
    scans = agent.scans()

    def in_report(report: dict[str, Any]) -> bool:
        reason, severity = metric.split()
        return [(one["reason"], one["severity"]) for one in findings(report, check)] == [(reason, severity)]

    report = await_report(node, agent, f"with {metric}", in_report, BUSY * limit_seconds)
    took = agent.scans() - scans
    print(f"{metric}: in the report after {time.monotonic() - began:.1f} s of {limit_seconds:g} s")  # noqa: T201
    # One more scan may have ended before it was counted.
    assert took <= limit_seconds / agent.pace.scan_period_seconds + 1, f"{metric} was told after {took} scans"
    (finding,) = findings(report, check)
    named = f"{finding['reason']} {finding['pod']['namespace']}/{finding['pod']['name']}"
    agent.wait(f"{named} in the metrics", lambda: agent.metrics().findings_about_pods() == [named], TOLD_TWICE_SECONDS)
    assert agent.metrics().findings()[metric] >= 1
    assert condition(report, "Healthy") == "False"
    return finding


def cleared_after_two_clean_scans(node: ClusterNode, agent: Agent, broken_at_scan: int) -> None:
    """The fault is healed: its finding goes with the second scan that does not see it, and the node is healthy.

    Args:
        node: Which one.
        agent: The agent.
        broken_at_scan: The number of scans when the fault was last known to be there.
    """
    healed_at_scan = agent.scans()
    limit_seconds = 6 * agent.pace.scan_period_seconds
    agent.wait("metrics without finding", lambda: not agent.metrics().findings_about_pods(), BUSY * limit_seconds)
    cleared_at_scan = int(agent.metrics().total("pausewatch_scans_total"))
    assert cleared_at_scan >= broken_at_scan + 2
    # The next scan may have begun before the fault was healed; and one more may have ended since the answer.
    assert cleared_at_scan <= healed_at_scan + 4
    await_report(node, agent, "that is healthy again", is_healthy)


def is_about(finding: dict[str, Any], running: RunningPod) -> None:
    """Hold a finding to the pod it is about, and to what every finding has."""
    assert finding["pod"] == {"namespace": "lab", "name": running.pod.name, "uid": running.uid}
    assert finding["sandboxID"] == running.sandbox_id
    assert finding["evidence"]
    assert finding["nextCommands"]
    assert finding["runbookURL"].endswith(f"/{finding['check']}")
