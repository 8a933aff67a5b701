"""A further node of a cluster: it comes up in time, counts processes by itself, and leaves nothing, however it ends."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import AlreadyRunningError, LabError
from lab.naming import lab_name
from lab.network import LabNetwork
from lab.places import Places
from lab.pods import Container, Pod
from lab.processes import linux_namespace, status_pids
from lab.remains import find_remains
from lab.shapes import cluster as clusters
from lab.shapes import nested_node as nested_nodes
from lab.shapes.cluster import Cluster
from lab.shapes.nested_node import NestedNode
from lab.waiting import wait_until

_NODE = "node-b"
_START_SECONDS = 40.0
_TESTS = Path(__file__).parents[2]
_API_SERVICE = "10.96.0.1"


@pytest.fixture(scope="module")
def running_node(running_cluster: Cluster) -> Iterator[NestedNode]:
    """One further node for all tests here that leave it running."""
    with nested_nodes.start(running_cluster, _NODE) as started:
        yield started


@pytest.fixture
def nested_node(running_node: NestedNode) -> Iterator[NestedNode]:
    """A further node without pods."""
    yield running_node
    running_node.restore()


def test_processes_have_numbers_of_its_own(cluster: Cluster, nested_node: NestedNode) -> None:
    """Its runtime tells them; the machine knows the same processes by others, in other Linux namespaces."""
    first, second = cluster.run(Pod("first")), nested_node.run(Pod("second"))

    pid = nested_node.machine_pid(second.pause_pid())
    assert status_pids(pid)[:2] == [pid, second.pause_pid()]
    for kind in ("pid", "mnt", "net", "ipc", "uts"):
        assert linux_namespace(nested_node.runtime.containerd.pid, kind) != linux_namespace(
            cluster.runtime.containerd.pid, kind
        )
    assert nested_node.runtime.enter("readlink", f"/proc/{second.pid()}/ns/net").strip() == linux_namespace(pid, "net")
    assert first.pod.name not in {sandbox.metadata.name for sandbox in nested_node.runtime.client.sandboxes()}
    with pytest.raises(LabError, match="has no process"):
        nested_node.machine_pid(4_000_000)


def test_only_what_names_it_comes_there(cluster: Cluster, nested_node: NestedNode) -> None:
    """The scheduler puts everything else on the first node."""
    cluster.run(Pod("anywhere"))
    nested_node.run(Pod("there"))

    where = "--output=jsonpath={range .items[*]}{.metadata.name} {.spec.nodeName} {end}"
    placed = cluster.kubectl("get", "pods", "--namespace=lab", where).split()
    assert placed == ["anywhere", cluster.node_name, "there", _NODE]


def test_network_and_kubelet_work(nested_node: NestedNode) -> None:
    """A pod there reaches the API server at its service address; the API server reaches the kubelet there."""
    nested_node.run(Pod("talker", containers=(Container(command=("sh", "-c", "echo said; exec sleep 1000000")),)))

    wait_until("the log", lambda: nested_node.kubectl("logs", "--namespace=lab", "talker") == "said\n", 10)
    command = f"nc -w 5 {_API_SERVICE} 443 </dev/null && echo reached"
    assert nested_node.kubectl("exec", "--namespace=lab", "talker", "--", "sh", "-c", command) == "reached\n"


def test_what_loses_its_parent_is_reaped(nested_node: NestedNode) -> None:
    """PID 1 of the node waits for it, as a node's init does: no zombie stays."""
    nested_node.runtime.enter("sh", "-c", "(sleep 0.1 &)")

    wait_until("no zombie to be left", lambda: "Z" not in nested_node.runtime.enter("ps", "-e", "-o", "stat="), 10)


def test_second_start_is_refused(cluster: Cluster, nested_node: NestedNode) -> None:
    """And harms nothing."""
    with pytest.raises(AlreadyRunningError):
        nested_nodes.start(cluster, _NODE)
    nested_node.run(Pod("undisturbed"))


def test_start_and_stop_leave_the_cluster_as_it_was(cluster: Cluster) -> None:
    """In time; nothing is left of it, neither in the API nor on the machine nor on the first node."""
    places = Places(f"{cluster.name}/brief")
    before = cluster.runtime.enter("ip", "route")
    began = time.monotonic()
    with nested_nodes.start(cluster, "brief") as brief:
        assert time.monotonic() - began < _START_SECONDS
        brief.run(Pod("web"))
        assert find_remains(places) != []

    assert find_remains(places) == []
    assert "brief" not in cluster.kubectl("get", "nodes,pods", "--all-namespaces", "--output=name")
    wait_until("its wire to be gone", lambda: cluster.runtime.enter("ip", "route") == before, 10)
    cluster.run(Pod("works-on"))


def test_failed_start_leaves_nothing(cluster: Cluster) -> None:
    """When the wire cannot be laid, what ran already is gone again."""
    places = Places(f"{cluster.name}/unlucky")
    wire = LabNetwork(places.name)
    cluster.runtime.enter("ip", "address", "add", f"{wire.machine_address}/30", "dev", "lo")
    try:
        with pytest.raises(LabError, match="is taken, choose another name"):
            nested_nodes.start(cluster, "unlucky")
    finally:
        cluster.runtime.enter("ip", "address", "delete", f"{wire.machine_address}/30", "dev", "lo")
    assert find_remains(places) == []


@pytest.mark.lab
def test_killed_owner_leaves_remains_that_go_with_the_cluster() -> None:
    """After SIGKILL of its owner the node runs on; whoever removes the cluster removes the node."""
    name = lab_name("nested-life")
    command = [sys.executable, "-m", "lab", "start", "cluster", "--name", name, f"--nested-node={_NODE}"]
    environment = {**os.environ, "PYTHONPATH": str(_TESTS)}
    try:
        with subprocess.Popen([*command, "--foreground"], stdout=subprocess.PIPE, text=True, env=environment) as owner:
            assert owner.stdout is not None
            assert owner.stdout.readline().strip()
            owner.kill()
        assert any("kubelet" in line for line in find_remains(Places(f"{name}/{_NODE}")))
    finally:
        clusters.stop(name)
    assert find_remains(Places(name)) == []
    assert find_remains(Places(f"{name}/{_NODE}")) == []
