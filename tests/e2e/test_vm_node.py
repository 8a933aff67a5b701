"""A node with a kernel of its own, as in production: cgroups of version 2 alone, AppArmor enforcing, user namespaces.

It is a virtual machine that runs without the help of the processor: everything there takes several times longer, and
so no time is asserted. The agent runs there as in its pod: as root, with the node's processes and network.
"""

from dataclasses import replace

import pytest

from e2e.conftest import StartAgent
from e2e.support.api_requests import REPORTS, creations, now, requests_since, writes
from e2e.support.installation import agent_kubeconfig
from e2e.support.node_report import Report, await_report, condition, findings, is_healthy, judges_all, read_report
from e2e.support.pace import FAST
from lab.pins import OTHER_PAUSE_IMAGE
from lab.pods import Container, Pod
from lab.shapes.cluster import Cluster
from lab.shapes.nested_node import NestedNode
from lab.shapes.vm_node import VmNode

PACE = replace(FAST, scan_period_seconds=2, thresholds={"zombie-buildup": {"seen_for_seconds": 3}})
MOST_TASKS, DEAD_TASKS = 80, 70

PATIENT = {"PAUSEWATCH_RUNTIME_TIMEOUT_SECONDS": "30"}
"""A call to a runtime that has to share two processors with everything else may take longer than the default."""

OF_CONTAINERS = "cri-containerd.apparmor.d"
"""The AppArmor profile that containerd loads for containers whose pod names no other."""

TOLD = {
    "forgetful": {"zombie-buildup ZombieBuildup Warning", "pid-limit-near PidLimitNear Critical"},
    "torn": {"namespace-not-shared NamespaceNotShared Critical"},
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


def test_agent_that_apparmor_confines(vm_node: VmNode, start_agent: StartAgent) -> None:
    """Under the profile of containers it sees apps and no pause. It says so, and why, and finds nothing.

    The profile is the one that containerd has loaded; the program under it is in no container, see `confined_by`.
    """
    pods = [vm_node.manifest(Pod("web")), vm_node.manifest(Pod("shared", share_pid=True))]
    vm_node.apply(*pods, with_own_users(vm_node, "own-users"))
    for name in ("web", "shared", "own-users"):
        vm_node.wait_for_pod(name, limit_seconds=120)
    confined = vm_node.confined_by(OF_CONTAINERS)
    agent = start_agent(PACE, agent_kubeconfig(vm_node), PATIENT, confined)

    await_report(vm_node, agent, "of three pods", lambda one: one["status"]["summary"]["sandboxes"] == 3)
    agent.await_scans(3)

    report = read_report(vm_node)
    assert report is not None
    status = report["status"]
    assert status["findings"] == []
    assert (status["summary"]["containers"], status["coverage"]["unreadableProcesses"]) == (3, 3)
    assert (condition(report, "Healthy"), condition(report, "ScanComplete")) == ("Unknown", "False")
    (complete,) = [one for one in status["conditions"] if one["type"] == "ScanComplete"]
    assert complete["reason"] == "PermissionDenied"
    assert f"{OF_CONTAINERS} (enforce)" in complete["message"]
    assert "appArmorProfile: {type: Unconfined}" in complete["message"]
    skipped = {one["check"]: one["reason"] for one in status["coverage"]["skippedChecks"]}
    assert skipped["namespace-not-shared"] == "PermissionDenied"
    assert agent.metrics().findings_about_pods() == []


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


def with_own_users(node: VmNode, name: str) -> dict[str, object]:
    """The manifest of a pod that has a user namespace of its own."""
    manifest = node.manifest(Pod(name))
    # Its token would lie on a tmpfs, which can be given to other users since Linux 6.3 only.
    manifest["spec"] |= {"hostUsers": False, "automountServiceAccountToken": False}
    return manifest


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


def link(node: VmNode, pid: int, kind: str) -> str:
    """A Linux namespace of a process as the node itself shows it, "net:[4026531840]"."""
    return node.runtime.enter("readlink", f"/proc/{pid}/ns/{kind}").strip()
