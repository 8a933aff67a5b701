"""Two nodes on one machine, as in kind: each agent tells what is on its own node, with pids as that node counts them.

The second node has a PID namespace of its own. The first one's agent sees all its processes in /proc and in the tree of
cgroups, under other numbers; the second one's agent sees its own node alone.
"""

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from e2e.conftest import StartAgent
from e2e.support.agent import Agent
from e2e.support.api_requests import REPORTS, creations, now, requests_since, writes
from e2e.support.faulty import ZOMBIES
from e2e.support.installation import agent_kubeconfig
from e2e.support.nested_processes import (
    kill,
    link,
    made_anew,
    name_of,
    pid_of_task,
    process_in,
    restarted,
    run_forgetful,
    run_slow_to_end,
)
from e2e.support.node_report import Report, await_report, findings, is_healthy, read_report
from e2e.support.pace import FAST
from e2e.support.told import cleared_after_two_clean_scans, found_everywhere, is_about
from e2e.support.workloads import with_own_users
from integration.support.program import installed
from lab import faults, strays
from lab.errors import LabError
from lab.network_faults import leaked_address
from lab.pods import Container, Pod
from lab.processes import status_pids, zombies_of
from lab.shapes.cluster import Cluster
from lab.shapes.nested_node import NestedNode
from lab.waiting import wait_until

AT_ONCE = ("unlisted-pause", "unmanaged-process", "orphaned-shim")
"""Checks about processes that nobody seems to own, told as soon as they can be."""

PACE = replace(
    FAST,
    thresholds={
        **FAST.thresholds,
        **{check: {"lasting_seconds": 0} for check in AT_ONCE},
        "pause-gone": {"delay_seconds": 1},
    },
)
STRANGERS_SCANS = 15
"""At one a second: what seems to be owned by nobody counts after ten seconds."""

GRACE_SECONDS = 1
"""That the lab's pods ask for: a kubelet that works has so long to end what a dead pause leaves behind."""

MOST_TASKS, DEAD_TASKS = 80, 70

LINKS = {"network": "net", "ipc": "ipc"}


@dataclass(frozen=True)
class Agents:
    """One on each node, that has found it healthy."""

    first: Agent
    second: Agent


@pytest.fixture
def agents(cluster: Cluster, nested_node: NestedNode, start_agent: StartAgent) -> Agents:
    """Start both; each has a pod to look at."""
    cluster.run(Pod("on-first"))
    nested_node.run(Pod("on-second"))
    first = start_agent(PACE)
    second = start_agent(PACE, kubeconfig=agent_kubeconfig(nested_node), node=nested_node)
    await_report(cluster, first, "that is healthy", is_healthy)
    await_report(nested_node, second, "that is healthy", is_healthy)
    return Agents(first, second)


def test_each_writes_its_own_report(cluster: Cluster, nested_node: NestedNode, start_agent: StartAgent) -> None:
    """Each creates one and goes on writing that one, about the pods of its node."""
    began = now()
    cluster.run(Pod("on-first"))
    for name in ("on-second", "also-on-second"):
        nested_node.run(Pod(name))
    pace = replace(PACE, report_heartbeat_seconds=2)
    first = start_agent(pace)
    second = start_agent(pace, kubeconfig=agent_kubeconfig(nested_node), node=nested_node)
    reports = [
        await_report(cluster, first, "that is healthy", is_healthy),
        await_report(nested_node, second, "that is healthy", is_healthy),
    ]
    first.await_scans(4)
    second.await_scans(4)

    nodes = [cluster.node_name, nested_node.node_name]
    assert [report["spec"]["nodeName"] for report in reports] == nodes
    assert [report["status"]["summary"]["readySandboxes"] for report in reports] == [1, 2]
    assert [report["status"]["summary"]["pauseProcesses"] for report in reports] == [1, 2]
    requests = requests_since(cluster, began)
    assert sorted(one.node for one in creations(requests)) == sorted(nodes)
    patched = {(one.node, one.uri.partition("?")[0]) for one in writes(requests) if one.verb == "patch"}
    assert patched == {(node, f"{REPORTS}/{node}/status") for node in nodes}


def test_first_node_leaves_the_second_one_s_processes_alone(
    cluster: Cluster, nested_node: NestedNode, agents: Agents
) -> None:
    """They are in its /proc, zombies and a pod that is being deleted too, and none is a stray or its own."""
    forgetful = run_forgetful(nested_node, "forgetful")
    shared = run_forgetful(nested_node, "shared", share_pid=True)
    nested_node.run(Pod("on-the-node", host_network=True, host_pid=True, host_ipc=True))
    leaving = run_slow_to_end(nested_node, "leaving")
    nested_node.kubectl("delete", "pod", "leaving", "--namespace=lab", "--wait=false")
    theirs = [one.pause_pid() for one in (forgetful, shared, leaving)]
    assert [nested_node.machine_pid(pid) for pid in theirs] != theirs
    for one in (forgetful, shared):
        assert len(zombies_of(nested_node.machine_pid(one.pid()))) == ZOMBIES

    agents.first.await_scans(STRANGERS_SCANS)

    report = read_report(cluster)
    assert report is not None
    assert findings(report) == []
    told = [one["check"] for one in report["status"]["findings"]]
    assert not {*AT_ONCE, "orphaned-sandbox", "zombie-buildup", "leaked-network-namespace"} & {*told}
    assert report["status"]["coverage"]["skippedChecks"] == []
    assert agents.first.metrics().total("pausewatch_zombie_processes") < ZOMBIES
    own = read_report(nested_node)
    assert own is not None
    told = sorted((one["check"], one["pod"]["name"]) for one in own["status"]["findings"])
    assert told == [("zombie-buildup", "forgetful"), ("zombie-buildup", "shared")]
    assert own["status"]["summary"]["zombies"] == 2 * ZOMBIES


@pytest.mark.parametrize("kind", LINKS)
def test_wrong_namespace_on_the_second_node(
    cluster: Cluster, nested_node: NestedNode, agents: Agents, kind: str
) -> None:
    """A container that was moved out of its pod's network or IPC namespace: what is told is what the node shows."""
    nested_node.falsify("torn", "app", {"type": kind, "do": "fresh"})
    began = time.monotonic()
    torn = nested_node.run(Pod("torn", containers=(Container("app"), Container("side"))))

    finding = found_everywhere(nested_node, agents.second, "namespace-not-shared", "NamespaceNotShared Critical", began)

    is_about(finding, torn)
    assert finding["container"] == "app"
    evidence = {one["name"]: one["value"] for one in finding["evidence"]}
    assert evidence["process"].split() == [str(torn.pid("app")), name_of(nested_node, torn.pid("app"))]
    assert evidence["linuxNamespace"].startswith(link(nested_node, torn.pid("app"), LINKS[kind]))
    assert evidence["expected"].startswith(link(nested_node, torn.pause_pid(), LINKS[kind]))
    (by_hand,) = findings(agents.second.run_scan(), "namespace-not-shared")
    assert by_hand["id"] == finding["id"]
    broken_at_scan = agents.second.scans()
    says_nothing(cluster, agents.first)
    nested_node.stop_falsifying("torn", "app")
    kill(nested_node, torn.pid("app"))
    wait_until("the kubelet to restart it", lambda: restarted(nested_node, torn), 30)
    cleared_after_two_clean_scans(nested_node, agents.second, broken_at_scan)


def test_users_on_the_second_node(cluster: Cluster, nested_node: NestedNode, agents: Agents) -> None:
    """A pod with users of its own is healthy; one whose container stayed with the node's is told, until healed."""
    nested_node.apply(with_own_users(nested_node, "own-users"))
    own_users = nested_node.wait_for_pod("own-users")
    nested_node.falsify("torn", "app", {"type": "user", "do": "host"})
    began = time.monotonic()
    nested_node.apply(with_own_users(nested_node, "torn"))
    torn = nested_node.wait_for_pod("torn")

    finding = found_everywhere(
        nested_node, agents.second, "namespace-not-shared", "HostNamespaceJoined Critical", began
    )

    is_about(finding, torn)
    evidence = {one["name"]: one["value"] for one in finding["evidence"]}
    of_node = link(nested_node, 1, "user")
    assert evidence["linuxNamespace"].startswith(of_node)
    assert evidence["expected"].startswith(link(nested_node, torn.pause_pid(), "user"))
    theirs = {link(nested_node, pid, "user") for pid in (own_users.pid(), own_users.pause_pid())}
    assert len(theirs) == 1
    assert not {of_node, link(nested_node, torn.pause_pid(), "user")} & theirs
    broken_at_scan = agents.second.scans()
    says_nothing(cluster, agents.first)
    nested_node.stop_falsifying("torn", "app")
    kill(nested_node, torn.pid())
    wait_until("the kubelet to restart it", lambda: restarted(nested_node, torn), 60)
    cleared_after_two_clean_scans(nested_node, agents.second, broken_at_scan)


def test_zombies_on_the_second_node(cluster: Cluster, nested_node: NestedNode, agents: Agents) -> None:
    """The parent is named by the number that it has there."""
    began = time.monotonic()
    forgetful = run_forgetful(nested_node, "forgetful")

    finding = found_everywhere(nested_node, agents.second, "zombie-buildup", "ZombieBuildup Warning", began)

    is_about(finding, forgetful)
    pid = forgetful.pid()
    evidence = {one["name"]: one["value"] for one in finding["evidence"]}
    assert evidence["parent"].startswith(f"pid {pid} ({name_of(nested_node, pid)}), PID 1 of the container")
    assert evidence["pidNamespace"] == link(nested_node, pid, "pid")
    dead = nested_node.runtime.enter("ps", "--ppid", str(pid), "-o", "pid=,stat=,comm=").splitlines()
    assert [line.split()[1][0] for line in dead] == ["Z"] * ZOMBIES
    first_dead = dead[0].split()
    assert evidence["oldestZombies"].startswith(f"{first_dead[0]} {first_dead[2]}")
    broken_at_scan = agents.second.scans()
    says_nothing(cluster, agents.first)
    nested_node.kubectl("delete", "pod", "forgetful", "--namespace=lab")
    cleared_after_two_clean_scans(nested_node, agents.second, broken_at_scan)


def test_pid_limit_on_the_second_node(cluster: Cluster, nested_node: NestedNode, agents: Agents) -> None:
    """The limit of a pod's cgroup, as the node itself shows it; only a pod that no kubelet made has one here."""
    nested_node.stop_kubelet()
    containers = (Container(command=("misbehave", "children", str(DEAD_TASKS))),)
    began = time.monotonic()
    full = nested_node.runtime.run(Pod("full", containers=containers, pids_limit=MOST_TASKS))

    finding = found_everywhere(nested_node, agents.second, "pid-limit-near", "PidLimitNear Critical", began)

    is_about(finding, full)
    evidence = {one["name"]: one["value"] for one in finding["evidence"]}
    limit = nested_node.runtime.enter("cat", f"{evidence['cgroup']}/pids.max")
    tasks = nested_node.runtime.enter("cat", f"{evidence['cgroup']}/pids.current")
    assert (int(limit), int(tasks)) == (MOST_TASKS, DEAD_TASKS + 2), "the first process and the pause live"
    broken_at_scan = agents.second.scans()
    says_nothing(cluster, agents.first)
    nested_node.runtime.remove(full)
    cleared_after_two_clean_scans(nested_node, agents.second, broken_at_scan)


def test_killed_pause_on_the_second_node(cluster: Cluster, nested_node: NestedNode, agents: Agents) -> None:
    """While no kubelet is there to make a new sandbox; then it does."""
    web = nested_node.run(Pod("web"))
    agents.second.await_scans(2)
    nested_node.stop_kubelet()
    pause_pid, app_pid = web.pause_pid(), web.pid()
    kill(nested_node, pause_pid)
    began = time.monotonic() + GRACE_SECONDS

    finding = found_everywhere(nested_node, agents.second, "pause-gone", "PauseGone Critical", began)

    is_about(finding, web)
    evidence = {one["name"]: one["value"] for one in finding["evidence"]}
    assert evidence["sandbox"] == web.sandbox_id
    assert evidence["runningContainers"] == "app"
    assert name_of(nested_node, app_pid) == "sleep"
    with pytest.raises(LabError):
        link(nested_node, pause_pid, "net")
    broken_at_scan = agents.second.scans()
    says_nothing(cluster, agents.first)
    nested_node.start_kubelet()
    wait_until("the kubelet to make it anew", lambda: made_anew(nested_node, web), 60)
    cleared_after_two_clean_scans(nested_node, agents.second, broken_at_scan)


def test_strays_on_the_second_node(cluster: Cluster, nested_node: NestedNode, agents: Agents) -> None:
    """A pause that its runtime does not list, a shim without process, a process left in a cgroup: told there, not here.

    While no kubelet is there to remove what it does not know.
    """
    nested_node.stop_kubelet()
    unlisted = faults.unlisted_pause(nested_node.runtime)
    watched, shim = strays.shim_without_process(nested_node.runtime)
    left = strays.unlisted_container_cgroup(nested_node.runtime)
    with process_in(nested_node, left) as pid:
        told = {
            "unlisted-pause": ("processes", f"{pid_of_task(nested_node, unlisted)} pause"),
            "orphaned-shim": ("monitor", f"{status_pids(shim)[1]} containerd-shim"),
            "unmanaged-process": ("processes", f"{pid} sleep"),
        }
        await_report(nested_node, agents.second, "of all three", lambda report: strays_told(report) == told, 60)
        agents.first.await_scans(STRANGERS_SCANS)

        report = read_report(cluster)
        assert report is not None
        assert strays_told(report) == {}
        assert report["status"]["coverage"]["skippedChecks"] == []
    faults.remove_unlisted_pause(nested_node.runtime, unlisted)
    faults.remove_unlisted_pause(nested_node.runtime, watched)
    await_report(nested_node, agents.second, "of none", lambda report: strays_told(report) == {}, 20)


def test_second_node_seen_from_the_machine(nested_node: NestedNode, tmp_path: Path) -> None:
    """By the socket of its runtime, as people look into a node of kind from its host: no process there is judged.

    What needs none is: addresses that are reserved for nobody.
    """
    nested_node.run(Pod("web"))
    nested_node.stop_kubelet()
    leaked = leaked_address(nested_node.runtime, age_seconds=3600)
    try:
        report = json.loads(installed(tmp_path, nested_node.runtime).run("scan", "--output=json"))
    finally:
        leaked.unlink()

    assert [one["reason"] for one in report["status"]["findings"]] == ["LeakedPodAddress"]
    skipped = {one["check"]: one["reason"] for one in report["status"]["coverage"]["skippedChecks"]}
    of_processes = ("namespace-not-shared", "zombie-buildup", *AT_ONCE)
    assert {skipped[check] for check in of_processes} == {"RuntimeInOtherPidNamespace"}
    assert "leaked-pod-address" not in skipped


def strays_told(report: Report) -> dict[str, tuple[str, str]]:
    """Which evidence the report has of each check about processes that nobody seems to own."""
    named = {"unlisted-pause": "processes", "orphaned-shim": "monitor", "unmanaged-process": "processes"}
    return {
        one["check"]: (evidence["name"], evidence["value"])
        for one in report["status"]["findings"]
        for evidence in one["evidence"]
        if evidence["name"] == named.get(one["check"])
    }


def says_nothing(cluster: Cluster, agent: Agent) -> None:
    """Hold the first node's agent to not a word about any pod, for some scans."""
    agent.await_scans(2)
    report = read_report(cluster)
    assert report is not None
    assert findings(report) == []
    assert agent.metrics().findings_about_pods() == []
