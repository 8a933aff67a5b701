"""The agent with hardly any CPU time, and what little its scans leave to its event loop.

The pods are known to API server and runtime; the kubelet is away, and its probes are ours. `python -m bench.agent` does
the same with 250 pods, in a pod.
"""

import asyncio
import gc
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bench.cluster_load import remove_known_pods, run_known_pods
from e2e.support.agent import Agent, running_agent
from e2e.support.installation import agent_kubeconfig, install
from e2e.support.pace import DEFAULT
from lab.cgroups import hierarchies
from lab.shapes.cluster import Cluster
from pausewatch.agent.run import Agent as AgentHere
from pausewatch.cluster.connection import ConnectionPlace
from pausewatch.model.sandbox import SandboxState
from pausewatch.model.settings import Settings

pytestmark = [
    pytest.mark.timeout(900),
    # What kopf leaves to the garbage collector when it ends: see tests/integration/agent/test_pod_watch.py.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PODS = 50
"""Each takes a second or two to make and to remove where others are busy."""

TENTH_OF_A_CPU = 0.1
PROBE_SECONDS = 5.0
"""The shortest timeoutSeconds of the chart's probes."""

PACE = replace(DEFAULT, scan_period_seconds=5.0)
SCANS = 4
START_SECONDS = 120.0
"""Less than the chart's startup probe allows, which is meant for a tenth of this."""

LONGEST_WAIT_SECONDS = 0.020
TICK_SECONDS = 0.005


@pytest.fixture(scope="module")
def node_with_pods(running_cluster: Cluster) -> Iterator[Cluster]:
    """A node with pods of two containers."""
    install(running_cluster)
    running_cluster.kubectl("delete", "psr", "--all")
    try:
        run_known_pods(running_cluster, PODS)
        yield running_cluster
    finally:
        remove_known_pods(running_cluster)
        running_cluster.restore_daemons()
        running_cluster.restore()


def test_tenth_of_a_cpu_is_enough(node_with_pods: Cluster, tmp_path: Path) -> None:
    """From its start on: each scan ends within its period, and pages answer within the limit of a probe."""
    with running_agent(node_with_pods, agent_kubeconfig(node_with_pods), tmp_path / "log", PACE, {}) as agent:
        throttle(node_with_pods, agent)
        agent.wait("the first scan", lambda: agent.page("/readyz").status == 200, START_SECONDS)
        before = agent.scans()
        began = time.monotonic()
        answers: list[tuple[int, float]] = []
        durations = []
        while agent.scans() < before + SCANS:
            assert time.monotonic() - began < 2 * (SCANS + 2) * PACE.scan_period_seconds, "scans are late"
            for path in ("/healthz", "/metrics"):
                answer = agent.page(path)
                answers.append((answer.status, answer.seconds))
            durations.append(agent.metrics().total("pausewatch_last_scan_duration_seconds"))
            time.sleep(1)
        ready = agent.metrics().total("pausewatch_sandboxes", state=SandboxState.READY.value)

        assert periods_throttled(node_with_pods) > 0, "the bound was never reached, so this shows nothing"
        assert max(durations) < PACE.scan_period_seconds
        assert [(status, seconds) for status, seconds in answers if status != 200 or seconds > PROBE_SECONDS] == []
        assert ready == PODS
        assert agent.troubles() == {}


def test_no_scan_keeps_the_event_loop_waiting(node_with_pods: Cluster) -> None:
    """The whole agent, kopf and writes included: probes, scrapes and watches wait for less than 20 ms."""
    settings = Settings(
        runtime_endpoint=node_with_pods.runtime.endpoint,
        node_name=node_with_pods.node_name,
        listen_address="127.0.0.1:0",
        scan_period_seconds=1,
    )
    agent = AgentHere(settings, ConnectionPlace(kubeconfig=agent_kubeconfig(node_with_pods)))

    waits = asyncio.run(longest_waits(agent, scans=8))
    gc.collect()  # now, where a complaint about open connections is expected, and not in whatever test comes later

    # What all scans have in common is ours.
    assert min(waits) < LONGEST_WAIT_SECONDS, waits


def throttle(cluster: Cluster, agent: Agent) -> None:
    """Move an agent to a cgroup with a tenth of a CPU, as ``limits.cpu: 100m`` does."""
    cgroup = cluster.runtime.cgroup
    directories = cgroup.create(throttled_path(cluster))
    cgroup.limit_cpu(throttled_path(cluster), TENTH_OF_A_CPU)
    for directory in directories:
        (directory / "cgroup.procs").write_text(str(agent.process.pid))


def throttled_path(cluster: Cluster) -> str:
    """The cgroup of the agent that gets little; it goes with the lab."""
    return f"{cluster.runtime.cgroup.path}/throttled"


def periods_throttled(cluster: Cluster) -> int:
    """In how many tenths of a second the agent wanted more than it got (cpu.stat of both versions of cgroups)."""
    directories = [hierarchy.directory(throttled_path(cluster)) for hierarchy in hierarchies()]
    texts = [(one / "cpu.stat").read_text() for one in directories if (one / "cpu.stat").exists()]
    return sum(int(line.split()[1]) for text in texts for line in text.splitlines() if line.startswith("nr_throttled"))


async def longest_waits(agent: AgentHere, scans: int) -> list[float]:
    """Run an agent in this process, and return by how much its event loop was late at worst, from scan to scan."""
    running = asyncio.create_task(agent.run())
    waits: list[float] = []
    try:
        async with asyncio.timeout(START_SECONDS):
            await scans_more_than(agent, 2)
            while len(waits) < scans:
                waits.append(await scans_more_than(agent, agent._scans.iterations.looks))
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        await running
    return waits


async def scans_more_than(agent: AgentHere, scans: int) -> float:
    """Wait for another scan; returns the most that a short sleep took too long meanwhile, in seconds.

    Without what any thread of this process waited for a processor that others had.
    """
    worst = 0.0
    while agent._scans.iterations.looks <= scans:
        before = run_delays()
        began = time.perf_counter()
        await asyncio.sleep(TICK_SECONDS)
        late = time.perf_counter() - began - TICK_SECONDS
        if late > worst:
            starved = sum(delay - before.get(thread, 0) for thread, delay in run_delays().items())
            worst = max(worst, late - starved)
    return worst


def run_delays() -> dict[str, float]:
    """How long each thread of this process was ever ready to run and did not, in seconds.

    The second number of /proc/PID/task/TID/schedstat (Linux: Documentation/scheduler/sched-stats.rst). A thread that
    waits for Python's lock is not ready to run.
    """
    found = {}
    for thread in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # that of a scan, which has just ended
            found[thread.name] = int((thread / "schedstat").read_text().split()[1]) / 1e9
    return found
