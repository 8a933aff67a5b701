"""A node with a kernel of its own, as in production: cgroups of version 2 alone, AppArmor enforcing, user namespaces.

It is a virtual machine that runs without the help of the processor: everything there takes several times longer, and
so no time is asserted. The agent runs there as in its pod: as root, with the node's processes and network.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import StartAgent
from e2e.support.api_requests import REPORTS, creations, now, requests_since, writes
from e2e.support.installation import agent_kubeconfig
from e2e.support.node_report import Report, await_report, condition, findings, is_healthy, judges_all, polled_report
from e2e.support.pace import FAST
from e2e.support.release import READY_SECONDS, RESIDENT_BUDGET_KIB, SYS_PTRACE, installed, provide
from e2e.support.vm_hardships import clock_of, few_pids, forks, reserved_for_nobody, step_clock, uptime_seconds
from e2e.support.workloads import with_own_users
from lab.pins import OTHER_PAUSE_IMAGE
from lab.pods import Container, Pod
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_node import ClusterNode
from lab.shapes.nested_node import NestedNode
from lab.shapes.vm_node import VmNode
from lab.waiting import wait_until

PACE = replace(FAST, scan_period_seconds=2, thresholds={"zombie-buildup": {"seen_for_seconds": 3}})
MOST_TASKS, DEAD_TASKS = 80, 70

PATIENT = {"PAUSEWATCH_RUNTIME_TIMEOUT_SECONDS": "30"}
"""A call to a runtime that has to share two processors with everything else may take longer than the default."""

POD_SECONDS = 240.0
"""For an agent's pod to report what it sees; with all defaults that takes a minute and a half."""

PAUSES = 4
"""Of three pods and the agent's own."""

CONFINED = (
    "--set=appArmorProfile.type=RuntimeDefault,nodeSelector.kubernetes\\.io/hostname=node-c",
    "--set=settings.scanPeriodSeconds=4,settings.reportIntervalSeconds=1,settings.runtimeTimeoutSeconds=30",
)
"""On this node alone: a kubelet without AppArmor refuses such a pod."""

LEAKED_SECONDS = 150.0
"""Longer than the scans after one step of the clock take. Nothing is taken for older than the machine, so that one has
to run for longer."""

CLOCK_PACE = replace(PACE, thresholds={**PACE.thresholds, "leaked-pod-address": {"lasting_seconds": LEAKED_SECONDS}})
CLOCK_STEPS = (5, -10)
"""Hours, one after the other. After the second one it is earlier there than the API server's certificate says."""

SCANS_OF_HARDSHIP = 4
OUTSIDE_OF_PODS = "198.51.100.7"
"""An address of RFC 5737, for documentation."""

FORGETFUL_SECONDS = 120.0
"""To start the pod, and for an agent that was refused to try again, which it does half a minute later."""

LIMIT_BYTES = 128 * 2**20
TORN = {"namespace-not-shared NamespaceNotShared Critical"}

OF_CONTAINERS = "cri-containerd.apparmor.d"
"""The AppArmor profile that containerd loads for containers whose pod names no other."""

TOLD = {
    "forgetful": {"zombie-buildup ZombieBuildup Warning", "pid-limit-near PidLimitNear Critical"},
    "torn": TORN,
    "own-users": {"namespace-not-shared HostNamespaceJoined Critical"},
}

pytestmark = pytest.mark.timeout(600)


def test_three_nodes_of_three_kinds(
    cluster: Cluster, nested_node: NestedNode, vm_node: VmNode, start_agent: StartAgent
) -> None:
    """One on the machine's kernel, one inside of it as in kind, one with its own: each writes its own report only.

    All are healthy, the third with a pod that has a user namespace of its own; and nothing was left unjudged.
    """
    began = now()
    nodes = (cluster, nested_node, vm_node)
    for node in nodes:
        node.apply(node.manifest(Pod(f"on-{node.node_name}")))
    vm_node.apply(with_own_users(vm_node, "own-users"))
    for node in nodes:
        node.wait_for_pod(f"on-{node.node_name}", limit_seconds=120)
    own_users = vm_node.wait_for_pod("own-users", limit_seconds=120)
    agents = [start_agent(PACE, agent_kubeconfig(node), PATIENT, node) for node in nodes]

    reports = [
        await_report(node, agent, "that is healthy", lambda report: is_healthy(report) and judges_all(report))
        for node, agent in zip(nodes, agents, strict=True)
    ]

    names = [node.node_name for node in nodes]
    assert [report["spec"]["nodeName"] for report in reports] == names
    assert [report["status"]["summary"]["readySandboxes"] for report in reports] == [1, 1, 2]
    requests = requests_since(cluster, began)
    assert sorted((one.node, one.code) for one in creations(requests)) == sorted((name, 201) for name in names)
    patched = {(one.node, one.uri.partition("?")[0]) for one in writes(requests) if one.verb == "patch"}
    assert patched == {(name, f"{REPORTS}/{name}/status") for name in names}
    on_vm = reports[-1]["status"]
    assert on_vm["findings"] == []
    assert on_vm["runtime"]["cgroupVersion"] == "v2"
    assert on_vm["coverage"] | {"skippedChecks": []} == {
        "notComparableSandboxes": 0,
        "unreadableProcesses": 0,
        "ignoredFindings": 0,
        "skippedChecks": [],
    }
    user = link(vm_node, own_users.pid(), "user")
    assert user == link(vm_node, own_users.pause_pid(), "user")
    assert user != link(vm_node, 1, "user")


def test_faults_on_its_own_kernel(vm_node: VmNode, start_agent: StartAgent) -> None:
    """Zombies that fill a limit, a container outside of its pod's network, one outside of its pod's users; then not.

    What is told is what the node shows.
    """
    vm_node.falsify("torn", "app", {"type": "network", "do": "fresh"})
    vm_node.falsify("own-users", "app", {"type": "user", "do": "host"})
    command = ("misbehave", "children", str(DEAD_TASKS))
    vm_node.apply(vm_node.manifest(Pod("forgetful", containers=(Container(command=command),))))
    vm_node.apply(vm_node.manifest(Pod("torn", containers=(Container("app"), Container("side")))))
    vm_node.apply(with_own_users(vm_node, "own-users"))
    agent = start_agent(PACE, agent_kubeconfig(vm_node), PATIENT, vm_node)
    forgetful, torn, own_users = (
        vm_node.wait_for_pod(name, limit_seconds=120) for name in ("forgetful", "torn", "own-users")
    )
    pod_cgroup = f"/sys/fs/cgroup/kubepods/besteffort/pod{forgetful.uid}"
    vm_node.runtime.enter("sh", "-c", f"echo {MOST_TASKS} >{pod_cgroup}/pids.max")

    report = await_report(vm_node, agent, "of all faults", lambda report: told(report) == TOLD)

    assert condition(report, "ScanComplete") == "True"
    zombies, limit = (evidence(report, "forgetful", check) for check in ("zombie-buildup", "pid-limit-near"))
    assert {one["container"] for one in findings(report)} == {"app"}
    pid = forgetful.pid()
    assert zombies["parent"].startswith(f"pid {pid} (misbehave), PID 1 of the container")
    assert zombies["pidNamespace"] == link(vm_node, pid, "pid")
    assert limit["cgroup"] == pod_cgroup
    tasks = vm_node.runtime.enter("cat", f"{pod_cgroup}/pids.current")
    assert int(tasks) == DEAD_TASKS + 2, "the first process and the pause live"
    network = evidence(report, "torn", "namespace-not-shared")
    assert network["linuxNamespace"].startswith(link(vm_node, torn.pid("app"), "net"))
    assert network["expected"].startswith(link(vm_node, torn.pause_pid(), "net"))
    users = evidence(report, "own-users", "namespace-not-shared")
    assert users["linuxNamespace"].startswith(link(vm_node, 1, "user"))
    assert users["expected"].startswith(link(vm_node, own_users.pause_pid(), "user"))

    vm_node.forget_faults()
    vm_node.kubectl("delete", "pods", "--namespace=lab", "--all", "--wait=false")
    await_report(vm_node, agent, "that is healthy again", is_healthy)


@pytest.mark.timeout(1200)
def test_chart_on_three_nodes_of_three_kinds(
    cluster: Cluster, nested_node: NestedNode, vm_node: VmNode, tmp_path: Path
) -> None:
    """As helm installs it with its defaults, each agent sees all of its node and finds what is wrong, in its limits.

    Under the AppArmor profile of containers instead of none it sees apps and no pause: says so, and why, and finds
    nothing.
    """
    nodes = (cluster, nested_node, vm_node)
    provide(nodes)
    for node in nodes:
        node.falsify(torn(node), "app", {"type": "network", "do": "fresh"})
        node.apply(node.manifest(Pod(torn(node))))
    vm_node.apply(vm_node.manifest(Pod("shared", share_pid=True)), with_own_users(vm_node, "own-users"))
    for node, name in (*((node, torn(node)) for node in nodes), (vm_node, "shared"), (vm_node, "own-users")):
        node.wait_for_pod(name, limit_seconds=120)

    with installed(cluster, nodes, tmp_path) as installation:
        installation.await_ready(nodes[:-1], READY_SECONDS)
        installation.await_ready(nodes, READY_SECONDS * vm_node.slowness)
        for node in nodes:
            since_made, since_it_runs = installation.seconds_to_ready(node)
            print(f"agent on {node.node_name}: ready after {since_made:g} s, {since_it_runs:g} s of them running")  # noqa: T201
            expected = {torn(node): TORN}
            await_status(node, lambda report, expected=expected: sees_all(report) and told(report) == expected)
            assert json.loads(installation.page(node, "/readyz"))["troubles"] == {}
            process = installation.process_status(node)
            assert process["CapEff"] == SYS_PTRACE
            assert int(process["VmRSS"].split()[0]) <= RESIDENT_BUDGET_KIB
            assert installation.restarts(node) == 0
        agent = installation.pod(vm_node).pid("agent")
        assert vm_node.runtime.enter("cat", f"/proc/{agent}/attr/current").strip() == "unconfined"
        assert memory_limit(vm_node, agent) == LIMIT_BYTES
    with installed(cluster, (vm_node,), tmp_path, *CONFINED) as installation:
        confined = await_status(vm_node, lambda report: unreadable(report) == PAUSES)
        assert installation.restarts(vm_node) == 0

    assert confined["findings"] == []
    conditions = {one["type"]: one for one in confined["conditions"]}
    assert (conditions["Healthy"]["status"], conditions["ScanComplete"]["status"]) == ("Unknown", "False")
    assert conditions["ScanComplete"]["reason"] == "PermissionDenied"
    assert f"{OF_CONTAINERS} (enforce)" in conditions["ScanComplete"]["message"]
    assert "appArmorProfile: {type: Unconfined}" in conditions["ScanComplete"]["message"]
    skipped = {one["check"]: one["reason"] for one in confined["coverage"]["skippedChecks"]}
    assert skipped["namespace-not-shared"] == "PermissionDenied"


def test_numbers_of_processes_that_return_and_clocks_that_jump(vm_node: VmNode, start_agent: StartAgent) -> None:
    """No number of a process stands for the one that had it before, and no hour that was set counts as one that passed.

    Nothing is found while numbers are given away again and again and while the clock is set by hours, though an address
    was reserved for nobody a moment before; what is wrong then is found in its time.
    """
    endless = Container("endless", command=("sh", "-c", "while :; do (:); done"))
    vm_node.apply(vm_node.manifest(Pod("busy", containers=(endless, Container("app")))))
    vm_node.wait_for_pod("busy", limit_seconds=120)
    agent = start_agent(CLOCK_PACE, agent_kubeconfig(vm_node), PATIENT, vm_node)
    await_report(vm_node, agent, "that is healthy", lambda report: is_healthy(report) and judges_all(report))
    with few_pids(vm_node) as most:
        before = forks(vm_node)
        agent.await_scans(SCANS_OF_HARDSHIP)
        assert forks(vm_node) - before > most, "not each number was given away again"
        assert agent.metrics().findings() == {}

    agent.wait("the machine to run for long enough", lambda: uptime_seconds(vm_node) > LEAKED_SECONDS, LEAKED_SECONDS)
    with clock_of(vm_node):
        for hours in CLOCK_STEPS:
            with reserved_for_nobody(vm_node, OUTSIDE_OF_PODS):
                step_clock(vm_node, hours)
                agent.await_scans(SCANS_OF_HARDSHIP)
                assert agent.metrics().findings() == {}, f"after a step of {hours} hours"
        assert (agent.readiness()["ok"], agent.readiness()["crashes"]) == (True, 0)
    command = ("misbehave", "children", str(DEAD_TASKS))
    vm_node.apply(vm_node.manifest(Pod("forgetful", containers=(Container(command=command),))))
    await_report(vm_node, agent, "of zombies", lambda report: "forgetful" in told(report), FORGETFUL_SECONDS)
    vm_node.kubectl("delete", "pods", "--namespace=lab", "--all", "--wait=false")


def test_node_is_one_of_the_lab(vm_node: VmNode) -> None:
    """Its kubelet ends and comes back, its runtime takes images from this machine, and it is what it is made for."""
    vm_node.stop_kubelet()
    assert not vm_node.kubelet_runs()
    vm_node.import_image(vm_node.runtime.programs.images / "other-pause.tar")
    vm_node.start_kubelet()
    vm_node.await_node()

    assert vm_node.kubelet_runs()
    assert OTHER_PAUSE_IMAGE in vm_node.runtime.ctr("images", "ls", "--quiet").split()
    enforced = vm_node.runtime.enter(
        "cat", "/sys/module/apparmor/parameters/enabled", "/sys/fs/cgroup/cgroup.controllers"
    )
    assert enforced.split()[0] == "Y"
    assert {"cpu", "memory", "pids"} <= {*enforced.split()}


def torn(node: ClusterNode) -> str:
    """The name of the pod on a node whose only container has lost the pod's network."""
    return f"torn-{node.node_name}"


def await_status(node: ClusterNode, expected: Callable[[Report], bool]) -> dict[str, Any]:
    """Wait for a report of a node that is as expected, and return its status."""

    def probe() -> dict[str, Any] | None:
        report = polled_report(node)
        return report["status"] if report is not None and "status" in report and expected(report) else None

    return wait_until("the report of the agent in its pod", probe, POD_SECONDS)


def sees_all(report: Report) -> bool:
    """Whether no check was skipped, and every process could be looked into."""
    return condition(report, "ScanComplete") == "True" and judges_all(report) and not unreadable(report)


def unreadable(report: Report) -> int:
    """How many pauses and containers the agent could not look into."""
    return int(report["status"]["coverage"]["unreadableProcesses"])


def told(report: Report) -> dict[str, set[str]]:
    """What is found about each pod: check, reason and severity."""
    found: dict[str, set[str]] = {}
    for one in findings(report):
        found.setdefault(one["pod"]["name"], set()).add(f"{one['check']} {one['reason']} {one['severity']}")
    return found


def evidence(report: Report, pod: str, check: str) -> dict[str, str]:
    """The evidence of the one finding of a check about a pod, by name."""
    (one,) = [one for one in findings(report, check) if one["pod"]["name"] == pod]
    return {entry["name"]: entry["value"] for entry in one["evidence"]}


def memory_limit(node: VmNode, pid: int) -> int:
    """Bytes that the cgroup of a process may hold."""
    cgroup = node.runtime.enter("cat", f"/proc/{pid}/cgroup").strip().removeprefix("0::")
    return int(node.runtime.enter("cat", f"/sys/fs/cgroup{cgroup}/memory.max"))


def link(node: VmNode, pid: int, kind: str) -> str:
    """A Linux namespace of a process as the node itself shows it, "net:[4026531840]"."""
    return node.runtime.enter("readlink", f"/proc/{pid}/ns/{kind}").strip()
