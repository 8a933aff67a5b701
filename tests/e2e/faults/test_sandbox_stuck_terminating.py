"""A pod should have ended, and the runtime still has its sandbox up."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from e2e.support.cluster_case import ClusterCase, commands
from e2e.support.pace import FAST, Pace
from e2e.support.told import is_about
from e2e.support.workloads import api_pods
from integration.support.program import Program
from integration.support.runbook import diagnose, mitigation
from lab import network_plugin
from lab.pods import Container, Pod
from lab.processes import find_process, process_state
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until

CHECK = "sandbox-stuck-terminating"
PACE = replace(FAST, thresholds={**FAST.thresholds, CHECK: {"delay_seconds": 3}})
GRACE_SECONDS = 1


def test_network_is_not_taken_down(
    cluster: Cluster, program: Program, start_case: Callable[[str, Pace], ClusterCase]
) -> None:
    """The sandbox is stopped, and its network namespace stays for as long as the plugin fails."""
    stuck = cluster.run(Pod("stuck"))
    with kept_in_the_api(cluster, "kept"), network_plugin.failing(cluster.runtime, "DEL"):
        case = start_case(CHECK, PACE)
        began = delete(cluster, "stuck")

        finding = case.found("SandboxStuckTerminating Warning", began)

        is_about(finding, stuck)
        evidence = {one["name"]: one["value"] for one in finding["evidence"]}
        pins = cluster.runtime.enter("ip", "netns", "list").split()
        assert evidence["networkNamespace"].rpartition("/")[2] in pins
        described, tree = [program.shell(command) for command in commands(finding)[:2]]
        assert network_plugin.COMPLAINT in described
        assert stuck.sandbox_id[:12] in tree
        shown = diagnose(program, CHECK, namespace="lab", pod="stuck", sandbox=stuck.sandbox_id)
        assert shown.count(network_plugin.COMPLAINT) > described.count(network_plugin.COMPLAINT)

    (stop,) = mitigation(CHECK, sandbox=stuck.sandbox_id)
    assert commands(finding)[2] == stop
    program.shell(stop)
    assert evidence["networkNamespace"].rpartition("/")[2] not in cluster.runtime.enter("ip", "netns", "list").split()
    case.cleared()


def test_container_can_not_be_ended(
    cluster: Cluster, program: Program, start_case: Callable[[str, Pace], ClusterCase]
) -> None:
    """Its first thread is dead, so runc takes it for stopped and waits for ever; ended by its pid, all else follows."""
    undead = cluster.run(Pod("undead", containers=(Container(command=("misbehave", "dead-leader")),)))
    process = find_process(undead.pid())
    assert process is not None
    wait_until("its first thread to exit", lambda: process_state(process.pid) == "Z", 10)
    case = start_case(CHECK, PACE)
    began = delete(cluster, "undead")

    finding = case.found("SandboxStuckTerminating Warning", began)

    is_about(finding, undead)
    assert "its containers app still run" in finding["message"]
    described, tree = [program.shell(command) for command in commands(finding)[:2]]
    assert "Terminating" in described
    assert undead.sandbox_id[:12] in tree
    process.send(signal.SIGKILL)
    wait_until("the kubelet to end the pod", lambda: "undead" not in api_pods(cluster), 30)
    case.cleared()


def delete(cluster: Cluster, pod: str) -> float:
    """Delete a pod, and return when it will have had its time twice, by the monotonic clock."""
    how = f"--grace-period={GRACE_SECONDS}"
    cluster.kubectl("delete", "pod", pod, "--namespace=lab", "--wait=false", how)
    return time.monotonic() + 2 * GRACE_SECONDS


def pinned(cluster: Cluster) -> set[str]:
    """Return the names of the network namespaces that the runtime keeps."""
    return set(cluster.runtime.enter("ip", "netns", "list").split())


@contextmanager
def kept_in_the_api(cluster: Cluster, name: str) -> Iterator[None]:
    """Within this context a finalizer keeps a pod in the API of which nothing runs on the node: that is no fault."""
    before = pinned(cluster)
    cluster.run(Pod(name))
    its_pins = pinned(cluster) - before
    finalizers = '{"metadata": {"finalizers": %s}}'
    patch = ("patch", "pod", name, "--namespace=lab", "--patch")
    cluster.kubectl(*patch, finalizers % '["lab/keeps"]')
    delete(cluster, name)
    sandboxes = cluster.runtime.client.sandboxes
    try:
        # 0 is SANDBOX_READY.
        what = f"the node to be rid of {name}"
        wait_until(what, lambda: all(one.metadata.name != name or one.state for one in sandboxes()), 60)
        # The runtime calls a sandbox stopped before it takes its network down.
        wait_until(f"the network of {name} to be taken down", lambda: not its_pins & pinned(cluster), 60)
        yield
        assert name in cluster.kubectl("get", "pods", "--namespace=lab")
    finally:
        cluster.kubectl(*patch, finalizers % "null")
