"""The agent at its own limits: no process, no thread and no byte of disk more; and the memory that its pod may have."""

import os
import signal
from pathlib import Path

import pytest

from integration.hostile_node.limited_agent import (
    MEMORY_LIMIT,
    MEMORY_LIMIT_BYTES,
    START_SECONDS,
    LimitedAgent,
    running_limited_agent,
    set_limit,
    started_limited_agent,
)
from integration.support.program import installed
from lab import faults, hostile
from lab.pins import CONTAINERD_2_4
from lab.pods import Pod
from lab.shapes.runtime import RuntimeLab

LEAST_MEMORY_BYTES = 64 * 2**20
"""Enough for a node with a few pods, where 48 MiB were enough too; docs/reliability.md says so."""

TOO_LITTLE_MEMORY_BYTES = 24 * 2**20
"""Not enough to start; with 40 MiB it starts, and is killed in its first scan."""

PROCESSES = int(os.environ.get("HOSTILE_PROCESSES", "12000"))
"""More than there are files that may stay open. Everybody else waits while they come and go; at full size, 20000, for
three quarters of a minute."""

ZOMBIES = PROCESSES // 4
FEW = 16
A_SECOND = {"PAUSEWATCH_ZOMBIE_BUILDUP_SEEN_FOR_SECONDS": "1"}

pytestmark = pytest.mark.parametrize("runtime_lab", [CONTAINERD_2_4.name], indirect=True)


def test_without_a_free_pid_or_disk_faults_are_still_found(lab: RuntimeLab, tmp_path: Path) -> None:
    """As on a node whose pids are used up, which is when it is asked: no thread starts, and nothing can be written.

    A fault is found, a runtime that hangs is told and found again, and pages answer: with half of its memory too.
    """
    lab.run(Pod("web"))
    with running_limited_agent(lab, tmp_path, A_SECOND) as agent:
        agent.set_limit(LEAST_MEMORY_BYTES, *MEMORY_LIMIT)
        agent.set_limit(agent.number("pids.current"), "pids.max")
        faults.zombies(lab, FEW)

        agent.wait("the finding", lambda: "ZombieBuildup lab/zombies" in agent.metrics().findings_about_pods())
        with faults.hanging_runtime(lab):
            agent.wait("the runtime to be missed", lambda: "runtime" in agent.state()["troubles"])
        agent.wait("the runtime to answer", lambda: "runtime" not in agent.state()["troubles"])
        agent.await_scans(2)

        state = agent.state()
        assert (state["ok"], state["crashes"]) == (True, 0)
        assert agent.metrics().findings_about_pods() == ["ZombieBuildup lab/zombies"]
        agent.set_limit("max", "pids.max")
        agent.set_limit(MEMORY_LIMIT_BYTES, *MEMORY_LIMIT)


def test_with_too_little_memory_it_is_killed_and_does_not_linger(lab: RuntimeLab, tmp_path: Path) -> None:
    """The kernel ends it with SIGKILL, which the kubelet tells as OOMKilled; it does not hang, half alive.

    What the next one makes of the report: `tests/e2e/test_life_of_the_agent.py`.
    """
    cgroup = "starved"
    set_limit(lab.cgroup.create(f"{lab.cgroup.path}/{cgroup}"), TOO_LITTLE_MEMORY_BYTES, *MEMORY_LIMIT)
    with started_limited_agent(lab, tmp_path, {}, cgroup) as agent:
        assert agent.process.wait(START_SECONDS) == -signal.SIGKILL

        assert agent.killed_for_memory() == 1
        assert "Traceback" not in agent.log


def test_scan_by_hand_without_a_free_pid(lab: RuntimeLab, tmp_path: Path) -> None:
    """It says what it lacks: the library that asks the runtime would end it without a word."""
    directories = " ".join(map(str, lab.cgroup.create(f"{lab.cgroup.path}/by-hand")))
    lab.cgroup.limit_pids(f"{lab.cgroup.path}/by-hand", 1)
    program = installed(tmp_path, lab)

    script = f'for one in {directories}; do echo $$ >"$one/cgroup.procs"; done; exec pausewatch scan'
    ended = program._finish(["sh", "-c", script], 1)

    assert ended.stdout == ""
    assert ended.stderr.startswith("pausewatch: cannot scan: the runtime can not be asked without 24 threads")
    assert "out of pids" in ended.stderr


@pytest.mark.alone_on_the_node
def test_thousands_of_processes_and_of_zombies(lab: RuntimeLab, tmp_path: Path) -> None:
    """Within the memory that the chart gives it: the zombies are found, and nothing is said of the others."""
    with running_limited_agent(lab, tmp_path, A_SECOND) as agent:
        agent.set_limit(MEMORY_LIMIT_BYTES, *MEMORY_LIMIT)
        tell(agent, "idle")
        hostile.crowd(lab, PROCESSES)
        agent.await_scans(4)
        tell(agent, f"{PROCESSES} processes")
        assert agent.metrics().findings_about_pods() == []
        hostile.dead(lab, ZOMBIES)

        agent.wait("the finding", lambda: agent.metrics().findings_about_pods() == ["ZombieBuildup lab/dead"])
        agent.await_scans(4)

        tell(agent, f"{ZOMBIES} zombies more")
        metrics, state = agent.metrics(), agent.state()
        assert metrics.total("pausewatch_container_zombie_processes", pod="dead") == ZOMBIES
        assert metrics.findings_about_pods() == ["ZombieBuildup lab/dead"]
        assert (state["ok"], state["crashes"]) == (True, 0)
        assert agent.memory("VmHWM") * 2**20 < MEMORY_LIMIT_BYTES


def tell(agent: LimitedAgent, what: str) -> None:
    """Print what the agent takes now, for docs/reliability.md."""
    used = agent.number("memory.usage_in_bytes", "memory.current") / 2**20
    seconds = agent.metrics().total("pausewatch_last_scan_duration_seconds")
    own = f"{agent.memory('RssAnon'):.1f} MiB of its own, {agent.memory('VmRSS'):.1f} resident"
    print(f"{what}: {own}, {used:.1f} MiB counted against its limit; a scan took {seconds:.2f} s", flush=True)  # noqa: T201
