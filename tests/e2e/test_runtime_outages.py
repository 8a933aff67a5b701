"""A runtime that hangs, is restarted, or whose socket is another one: told in time, and nothing is called a fault.

What the agent serves over HTTP is asked for all the while: a page never waits for the runtime.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pytest

from e2e.conftest import StartAgent
from e2e.support.agent import Agent
from e2e.support.api_requests import now
from e2e.support.node_report import Report, await_report, condition, is_healthy
from e2e.support.pace import DEFAULT, FAST, Pace
from e2e.support.polled_pages import PolledPages
from e2e.support.workloads import delete
from integration.support.restart import kill_runtime, shim_of, start_runtime_again, stop_runtime
from lab import faults
from lab.pods import Container, Pod
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until

FULL_OUTAGE = "E2E_FULL_OUTAGE"
"""Set in the environment to let the runtime hang for five minutes, with all settings at their defaults."""

PAGE_SECONDS = 1.0
"""A kubelet's probe waits no longer by default (Kubernetes: Probe, timeoutSeconds)."""

CALL_SECONDS = 1.5
"""Limit of a call to the runtime, in the accelerated case: a page that waited for one would be too late."""

KUBECTL_SECONDS = 5.0
"""For the test itself to see what is stored, on a busy machine."""


@dataclass(frozen=True, kw_only=True)
class Hang:
    """How long the runtime hangs, and how fast the agent works meanwhile."""

    name: str
    seconds: float
    pace: Pace
    call_seconds: float

    @property
    def told_within_seconds(self) -> float:
        """How soon the stored report has to say so: two scans and a call, and the time between two writes."""
        return 2 * self.pace.scan_period_seconds + self.call_seconds + self.pace.report_interval_seconds


FIVE_MINUTES = Hang(name="5 minutes", seconds=300, pace=DEFAULT, call_seconds=2)
TEN_SCANS = Hang(name="10 scans", seconds=15, pace=FAST, call_seconds=CALL_SECONDS)
"""As many scans as there are in five minutes by default, one right after the other."""

HANG = FIVE_MINUTES if os.environ.get(FULL_OUTAGE) else TEN_SCANS


@pytest.mark.timeout(900)
@pytest.mark.parametrize("hang", [HANG], ids=lambda one: one.name)
def test_runtime_that_hangs(cluster: Cluster, start_agent: StartAgent, hang: Hang) -> None:
    """The conditions say so, scans go on and find nothing, pages answer; a pod that goes meanwhile is no orphan."""
    for name in ("stays", "deleted"):
        cluster.run(Pod(name, containers=(Container("app"), Container("side"))))
    agent = start_agent(hang.pace, variables={"PAUSEWATCH_RUNTIME_TIMEOUT_SECONDS": f"{hang.call_seconds:g}"})
    await_report(cluster, agent, "that is healthy", is_healthy, 120)
    with PolledPages(agent) as pages:
        with faults.hanging_runtime(cluster.runtime):
            began, scans = time.monotonic(), agent.scans()
            hanging = told(cluster, agent, "RuntimeHanging", hang.told_within_seconds)
            assert condition(hanging, "Healthy") == "Unknown"
            delete(cluster, "deleted", force=True)
            agent.wait("the end of the hang", lambda: time.monotonic() - began > hang.seconds, hang.seconds + 5)
            least = hang.seconds / (hang.pace.scan_period_seconds + hang.call_seconds)
            assert agent.scans() - scans >= least / 2
            resumed = now()
        back = recovered(cluster, agent, resumed)
        wait_until("the kubelet to end what was deleted", lambda: sandboxes(cluster) == {"stays"}, 60)
        agent.await_scans(3)

    assert is_healthy(back)
    assert_well(pages)


def test_runtime_that_is_restarted(cluster: Cluster, start_agent: StartAgent) -> None:
    """Stopped in good order, its socket removed and made anew; killed, its socket left behind; pods run on."""
    stays = cluster.run(Pod("stays", containers=(Container("app"), Container("side"))))
    shim = shim_of(stays)
    socket = cluster.runtime.places.socket
    agent = start_agent()
    await_report(cluster, agent, "that is healthy", is_healthy)
    with PolledPages(agent) as pages:
        before = socket.stat().st_ino
        stop_runtime(cluster.runtime)
        socket.unlink(missing_ok=True)
        told(cluster, agent, "SocketMissing", FAST.scan_period_seconds * 2 + FAST.report_interval_seconds)
        back_at = now()
        start_runtime_again(cluster.runtime, shim)
        assert socket.stat().st_ino != before
        recovered(cluster, agent, back_at)

        kill_runtime(cluster.runtime)
        told(cluster, agent, "ConnectionRefused", FAST.scan_period_seconds * 2 + FAST.report_interval_seconds)
        back_at = now()
        start_runtime_again(cluster.runtime, shim)
        back = recovered(cluster, agent, back_at)
        agent.await_scans(3)

    assert is_healthy(back)
    assert_well(pages)
    assert cluster.find_pod("stays").sandbox_id == stays.sandbox_id


def test_socket_that_is_taken_away(cluster: Cluster, start_agent: StartAgent) -> None:
    """As by somebody who cleans up /run: the runtime lives, nobody new reaches it; put back, the scans go on."""
    cluster.run(Pod("stays"))
    socket = cluster.runtime.places.socket
    agent = start_agent()
    await_report(cluster, agent, "that is healthy", is_healthy)
    elsewhere = socket.with_suffix(".gone")
    with PolledPages(agent) as pages:
        socket.rename(elsewhere)
        try:
            told(cluster, agent, "SocketMissing", FAST.scan_period_seconds * 2 + FAST.report_interval_seconds)
        finally:
            put_back = now()
            elsewhere.rename(socket)
        back = recovered(cluster, agent, put_back)

    assert is_healthy(back)
    assert_well(pages)


def told(cluster: Cluster, agent: Agent, reason: str, limit_seconds: float) -> Report:
    """Wait until the stored report says in both of its conditions why the runtime can not be asked."""

    def says(report: Report) -> bool:
        found = {one["type"]: (one["status"], one["reason"]) for one in report["status"]["conditions"]}
        return found["RuntimeReachable"] == found["ScanComplete"] == ("False", reason)

    return await_report(cluster, agent, f"of {reason}", says, limit_seconds + KUBECTL_SECONDS)


def recovered(cluster: Cluster, agent: Agent, since: datetime) -> Report:
    """Wait until the stored report is of a complete scan, two periods and the time between two writes at most.

    It may be that before the runtime is known to be back here: ``since`` is a moment before it came back.
    """
    limit_seconds = 2 * agent.pace.scan_period_seconds + agent.pace.report_interval_seconds + KUBECTL_SECONDS
    return await_report(cluster, agent, "of a complete scan", is_complete_since(since), limit_seconds)


def is_complete_since(moment: datetime) -> Callable[[Report], bool]:
    """Return whether a report was written after a moment, and lacks nothing."""

    def is_complete(report: Report) -> bool:
        written = datetime.fromisoformat(report["status"]["reportTime"])
        kinds = ("RuntimeReachable", "ScanComplete")
        return written >= moment.replace(microsecond=0) and all(condition(report, one) == "True" for one in kinds)

    return is_complete


def assert_well(pages: PolledPages) -> None:
    """Hold the pages to what is promised: in time, alive, ready, and silent about pods."""
    assert pages.findings == set()
    assert pages.statuses == {path: {200} for path in pages.statuses}
    assert max(pages.slowest_seconds.values()) < PAGE_SECONDS, pages.slowest_seconds


def sandboxes(cluster: Cluster) -> set[str]:
    """The names of the pods that have a ready sandbox."""
    ready = 0  # SANDBOX_READY of the CRI
    return {one.metadata.name for one in cluster.runtime.client.sandboxes() if one.state == ready}
