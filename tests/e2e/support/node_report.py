"""The stored report of a node."""

import json
from collections.abc import Callable
from typing import Any

from e2e.support.agent import START_SECONDS, Agent
from lab.shapes.cluster_node import ClusterNode
from pausewatch.cluster.reports import REPORTS_PATH

Report = dict[str, Any]


def read_report(node: ClusterNode) -> Report | None:
    """The stored report, read with kubectl as its users do; None if there is none.

    Raises:
        LabError: The API server does not answer, or serves no reports.
    """
    text = node.kubectl("get", "psr", node.node_name, "--ignore-not-found", "--output=json")
    report: Report | None = json.loads(text) if text.strip() else None
    return report


def polled_report(node: ClusterNode) -> Report | None:
    """The stored report, for whoever asks again and again; None if there is none, or no answer.

    To start a kubectl for each question takes 60 ms of a processor, which others wait for.
    """
    text = node.get(f"{REPORTS_PATH}/{node.node_name}")
    return None if text is None else json.loads(text)


def await_report(
    node: ClusterNode,
    agent: Agent,
    what: str,
    condition: Callable[[Report], object],
    limit_seconds: float = START_SECONDS,
) -> Report:
    """Wait for a stored report with a status that fulfils a condition, and return it.

    The limit is given where something was promised: what just has to come may take its time on a busy machine.

    Raises:
        WaitTimeoutError: None did within the limit.
        AssertionError: The agent has ended.
    """

    def probe() -> Report | None:
        report = polled_report(node)
        return report if report is not None and "status" in report and condition(report) else None

    return agent.wait(f"a report {what}", probe, limit_seconds)


def findings(report: Report, check: str = "") -> list[dict[str, Any]]:
    """The findings of a report that name a pod, of all checks or of one.

    What else is found is about the machine, whose PID namespace the lab's node shares.
    """
    return [one for one in report["status"]["findings"] if "pod" in one and check in ("", one["check"])]


def condition(report: Report, kind: str) -> str:
    """The status of a condition: True, False, Unknown; empty if the report has none of this type."""
    return next((str(one["status"]) for one in report["status"]["conditions"] if one["type"] == kind), "")


def is_healthy(report: Report) -> bool:
    """Whether a report says that nothing is wrong, and no pod has a finding, be it for information only."""
    return condition(report, "Healthy") == "True" and not findings(report)


def judges_all(report: Report) -> bool:
    """Whether no check was skipped; the first report of an agent may lack some, and then a second one follows soon."""
    return not report["status"]["coverage"]["skippedChecks"]
