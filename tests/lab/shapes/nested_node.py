"""The shape "nested node": a further node of a cluster on the same machine, as kind, k3d and minikube make theirs.

It has Linux namespaces of its own, the PID namespace among them: what its runtime and its kubelet call pid 42 has
another number for the cluster's first node, whose /proc shows it all the same. Its kernel is the machine's.

Only what names it as its node comes here, see `ClusterNode.manifest`. Everything of it lies inside the cluster's
directories and cgroup, so that it goes with the cluster, also after a crash.
"""

import os
import subprocess
import threading
import time
from dataclasses import dataclass, fields
from pathlib import Path

from lab.cgroups import LabCgroup
from lab.cri.client import CriClient
from lab.errors import LabError
from lab.network import LabNetwork
from lab.places import Places
from lab.pods import RunningPod
from lab.processes import Process, children, find_process, status_pids
from lab.progress import say
from lab.records import Record, read_record, write_record
from lab.remains import remove_remains
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_daemons import SERVICE_RANGE, ClusterPlaces, write_node_files
from lab.shapes.cluster_processes import Daemon
from lab.shapes.containerd import pod_range, write_files
from lab.shapes.daemon import await_ready
from lab.shapes.further_node import FurtherNode, clean_abandoned
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until

_ENTER = Path(__file__).with_name("enter.sh")
_INIT = Path(__file__).with_name("init.sh")
_UNSHARE = "--ipc --uts --pid --fork --kill-child"
_INIT_SECONDS = 10.0
_WIRE_SECONDS = 10.0


@dataclass(frozen=True)
class NestedNode(FurtherNode):
    """A running further node: `start` makes one; leaving it as a context manager stops it."""

    def machine_pid(self, pid: int) -> int:
        """The number by which the machine, and so the cluster's first node, knows a process of this node.

        Args:
            pid: As this node counts: what its runtime tells, what its agent says.

        Raises:
            LabError: No process of this node has that number.
        """
        depth = len(status_pids(self.runtime.containerd.pid)) - 1
        for process in self.runtime.cgroup.members():
            numbers = status_pids(process.pid)
            if len(numbers) > depth and numbers[depth] == pid:
                return process.pid
        raise LabError(f"{self.node_name} has no process {pid}, as it counts them")

    def seen_from_machine(self, running: RunningPod) -> RunningPod:
        """Return a pod of this node whose pids are the machine's, for the verbs of `faults` that signal them."""
        values = {field.name: getattr(running, field.name) for field in fields(RunningPod)}
        return _SeenFromMachine(**values, node=self)


@dataclass(frozen=True, kw_only=True)
class _SeenFromMachine(RunningPod):
    """A pod of a nested node, with pids as the machine counts them."""

    node: NestedNode

    def pid(self, container: str = "app") -> int:
        return self.node.machine_pid(super().pid(container))

    def pause_pid(self) -> int:
        return self.node.machine_pid(super().pause_pid())


def start(cluster: Cluster, node_name: str) -> NestedNode:
    """Give a running cluster a further node. It ends with the cluster, or before it.

    Args:
        cluster: The cluster.
        node_name: What the node is called in the API; its lab is called CLUSTER/NODE.

    Raises:
        AlreadyRunningError: The cluster has a node of this name.
        LabError: It did not come up; nothing is left of the attempt.
    """
    places = Places(f"{cluster.name}/{node_name}")
    began = time.monotonic()
    with places.locked():
        clean_abandoned(places)
        try:
            node = NestedNode(_start_runtime(cluster.runtime, places), cluster.programs)
        except BaseException:
            remove_remains(places)
            raise
    try:
        write_node_files(node.places)
        node.start_kubelet()
        node.start_kube_proxy()
        node.await_node()
    except BaseException:
        node.stop()
        raise
    say(f"{node.name} is ready ({time.monotonic() - began:.1f} s)")
    return node


def _start_runtime(first: RuntimeLab, places: Places) -> RuntimeLab:
    """Start containerd on the node, with a wire to the first one; it knows the lab's images when this returns."""
    write_files(places, first.version, first.programs)
    init = _start_init(places)
    _connect(first, places, init)
    daemon = Daemon(places.name, "containerd", ClusterPlaces(places).log("containerd"))
    command = [str(first.programs.bin / "containerd"), "--config", str(places.run / "config.toml")]
    daemon.start(init, command, {"PATH": f"{first.programs.bin}:/usr/sbin:/usr/bin:/sbin:/bin"})
    containerd = daemon.find()
    if containerd is None:
        raise LabError(f"containerd ended at once{daemon.log_tail()}")
    record = read_record(first.places)
    write_record(places, Record("nested-node", first.version.name, containerd, record.owner if record else None))
    lab = RuntimeLab(places, first.version, first.programs, CriClient.connect(places.socket))
    try:
        await_ready(lab.client, containerd, places)
        lab.import_images()
    except BaseException:
        lab.close()
        raise
    return lab


def _start_init(places: Places) -> Process:
    """Start PID 1 of the node, which makes its Linux namespaces; everything else enters them."""
    cgroup = LabCgroup(places.name)
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LAB_CGROUPS": " ".join(map(str, cgroup.create(f"{cgroup.path}/init"))),
        # All of the cluster's: certificates are there.
        "LAB_RUN": str(places.outermost.run),
        "LAB_STATE": str(places.outermost.state),
        "LAB_UNSHARE": _UNSHARE,
    }
    log = ClusterPlaces(places).log("init")
    with log.open("w") as output:
        parent = subprocess.Popen(
            ["sh", str(_ENTER), "outside", "sh", str(_INIT)],
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C in the terminal is for us
        )
    what = f"PID 1 of {places.name} to run"
    wait_until(what, lambda: _init_below(parent.pid) or parent.poll() is not None, _INIT_SECONDS)
    init = _init_below(parent.pid)
    if init is None:
        raise LabError(f"PID 1 of {places.name} ended at once; its log: {log.read_text().strip()}")
    # Waited for in the background: whoever kills our child, it must not stay a zombie while we live.
    threading.Thread(target=parent.wait, name="lab-init", daemon=True).start()
    return init


def _init_below(pid: int) -> Process | None:
    """The process below unshare(1), once it has mounted everything and is the script that it becomes."""
    for child in children(pid):
        try:
            arguments = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        except FileNotFoundError:
            continue  # ended meanwhile
        if os.fsencode(_INIT) in arguments[:2]:
            return find_process(child)
    return None


def _connect(first: RuntimeLab, places: Places, init: Process) -> None:
    """Lay the wire to the first node, and tell each where the other one's pods are; the API server is over there."""
    wire, first_address = LabNetwork(places.name), LabNetwork(first.name).node_address
    # The kernel takes away the wire of an earlier node of this name by itself, but not at once.
    what = f"the last wire of {places.name} to be gone"
    wait_until(what, lambda: wire.machine_interface not in first.enter("ip", "link", "show"), _WIRE_SECONDS)
    wire.connect(init.pid, SERVICE_RANGE, outside=first.containerd.pid)
    first.enter("ip", "route", "add", pod_range(places), "via", wire.node_address)
    for target in (f"{first_address}/32", pod_range(first.places)):
        command = ("ip", "route", "add", target, "via", wire.machine_address)
        subprocess.run(["nsenter", f"--target={init.pid}", "--net", *command], check=True, timeout=10)
