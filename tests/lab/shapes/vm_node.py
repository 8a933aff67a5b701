"""The shape "vm node": a further node of a cluster with a kernel of its own, as nodes in production have.

Cgroups of version 2 alone, AppArmor enforcing, user namespaces, all capabilities, and every directory where a kubelet
and a containerd have it by default. It is a virtual machine without the help of the processor (KVM): everything in it
takes several times longer. Nothing it writes outlives it.

Only what names it as its node comes here, see `ClusterNode.manifest`. The process of the machine is in the cluster's
cgroup and all files in its directories, so that it goes with the cluster, also after a crash.
"""

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.build.cluster import ensure_cluster_programs
from lab.build.runtime import ensure_programs
from lab.build.vm import ensure_vm_parts
from lab.cri.client import CallError, CriClient
from lab.errors import LabError, WaitTimeoutError
from lab.network import LabNetwork
from lab.pins import CONTAINERD_2_4
from lab.places import Places
from lab.progress import say
from lab.records import Record, read_record, write_record
from lab.remains import remove_remains
from lab.shapes import vm_files
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_daemons import ClusterPlaces
from lab.shapes.cluster_node import NAMESPACE
from lab.shapes.containerd import pod_range
from lab.shapes.further_node import FurtherNode, clean_abandoned
from lab.shapes.vm_machine import console_tail, power_on
from lab.shapes.vm_runtime import VmRuntime
from lab.vm.client import command_line
from lab.waiting import wait_until

SHAPE = "vm-node"
_READY_SECONDS = 180.0
_ENDING = """\
cd "/sys/fs/cgroup/system.slice/$1.service" 2>/dev/null || exit 0
echo 1 >cgroup.kill
while grep -q 'populated 1' cgroup.events; do sleep 0.1; done
"""


@dataclass(frozen=True)
class VmNode(FurtherNode):
    """A running virtual machine: `start` makes one, `attach` finds one; as a context manager it is stopped."""

    runtime: VmRuntime

    @property
    def slowness(self) -> float:
        """How many times longer than on the machine around it something may take, while that is busy too."""
        return 6.0

    @property
    def python(self) -> str:
        """The interpreter of its Debian, which finds the packages of requirements.lock."""
        return vm_files.PYTHON

    @property
    def address(self) -> str:
        """That of the node itself."""
        return self.runtime.address

    def bring(self, path: Path) -> Path:
        """Copy a file or directory of the machine around it to the same path on the node.

        Raises:
            LabError: It could not be written there.
        """
        archive = ["tar", "--create", "--directory=/", str(path).lstrip("/")]
        with subprocess.Popen(archive, stdout=subprocess.PIPE) as packed:
            assert packed.stdout
            self.runtime.feed(packed.stdout, "tar", "--extract", "--directory=/")
        if packed.returncode:
            raise LabError(f"{path} could not be read: tar ended with {packed.returncode}")
        return path

    def import_image(self, archive: Path) -> None:
        """Give the runtime the image of an archive of the kind docker-archive or OCI.

        Raises:
            LabError: It was refused.
        """
        with archive.open("rb") as content:
            self.runtime.feed(content, "ctr", "--namespace", "k8s.io", "images", "import", "-")

    def popen(self, command: Sequence[str], **options: Any) -> "subprocess.Popen[bytes]":  # noqa: ANN401  Popen's own
        """Start a program as root on the node: as in a pod with hostPID and hostNetwork.

        What is returned is a process of the machine around it that stands for the program: environment, output, exit
        code and signals are passed on, and when it is killed, the program is. Its input is empty unless one is given.
        """
        remote = command_line(self.runtime.address, command)
        return subprocess.Popen(remote, **{"stdin": subprocess.DEVNULL, **options})

    def falsify(self, pod: str, container: str, fault: Mapping[str, str], namespace: str = NAMESPACE) -> None:
        """As on other nodes; a path in the fault is one of this node."""
        script = 'mkdir -p "$(dirname "$1")" && printf %s "$2" >"$1"'
        self.runtime.enter("sh", "-c", script, "sh", _fault(pod, container, namespace), json.dumps(fault))

    def stop_falsifying(self, pod: str, container: str, namespace: str = NAMESPACE) -> None:
        """The container's next start is made as it was asked for."""
        self.runtime.enter("rm", "-f", _fault(pod, container, namespace))

    def forget_faults(self) -> None:
        """The next start of each container is made as it was asked for."""
        self.runtime.enter("rm", "-rf", str(vm_files.FAULTS / "pods"))

    def start_kubelet(self) -> None:
        """Start the kubelet; the node may take a minute to be ready, see `await_node`."""
        self.runtime.enter(*vm_files.DAEMON, "kubelet", *vm_files.kubelet(self.places))

    def stop_kubelet(self) -> None:
        """Kill the kubelet; pods run on."""
        self.runtime.enter("sh", "-c", _ENDING, "sh", "kubelet")

    def kubelet_runs(self) -> bool:
        """Whether there is a kubelet, be it ready or not."""
        events = "/sys/fs/cgroup/system.slice/kubelet.service/cgroup.events"
        return bool(self.runtime.enter("sh", "-c", f"grep -s 'populated 1' {events} || :"))

    def start_kube_proxy(self) -> None:
        """Start kube-proxy, through which pods of the node reach the API server at its service address."""
        self.runtime.enter(*vm_files.DAEMON, "kube-proxy", *vm_files.kube_proxy(self.places))

    def await_node(self) -> None:
        """Wait until the node is ready, and the kubelet that runs now has said so.

        Raises:
            WaitTimeoutError: It was not within three minutes; ends with the kubelet's log.
        """
        # By the node's own clock, which the kubelet tells its signs of life by.
        seconds = self.runtime.enter("stat", "--format=%.6Y", "/run/kubelet.started")
        started = datetime.fromtimestamp(float(seconds), UTC)
        try:
            wait_until(f"{self.node_name} to be ready", lambda: self._is_ready_since(started), _READY_SECONDS)
        except WaitTimeoutError as error:
            log = self.runtime.enter("tail", "-n", "15", "/var/log/kubelet.log")
            raise WaitTimeoutError(f"{error}; the kubelet's log ends:\n{log}{console_tail(self.places.lab)}") from error


def start(cluster: Cluster, node_name: str) -> VmNode:
    """Give a running cluster a further node. It ends with the cluster, or before it.

    Args:
        cluster: The cluster.
        node_name: What the node is called in the API; its lab is called CLUSTER/NODE.

    Raises:
        AlreadyRunningError: The cluster has a node of this name.
        BuildError: A part could not be made.
        LabError: It did not come up; nothing is left of the attempt.
    """
    parts = ensure_vm_parts()
    places = Places(f"{cluster.name}/{node_name}")
    began = time.monotonic()
    archive = places.state / "told.tar"
    wire, first = LabNetwork(places.name), cluster.runtime
    with places.locked():
        clean_abandoned(places)
        places.state.mkdir(parents=True)
        try:
            vm_files.write_vm_files(ClusterPlaces(places), archive)
            wire.connect_virtual_machine(LabNetwork(cluster.name), first.containerd.pid)
            first.enter("ip", "route", "replace", pod_range(places), "via", wire.node_address)
            qemu = power_on(places, parts, archive, first.containerd)
            owner = read_record(first.places)
            write_record(places, Record(SHAPE, first.version.name, qemu, owner.owner if owner else None))
        except BaseException:
            wire.disconnect_virtual_machine(first.containerd.pid)
            remove_remains(places)
            raise
    node = VmNode(_runtime(places), cluster.programs)
    say(f"{node.name} has started ({time.monotonic() - began:.1f} s)")
    try:
        _await_runtime(node.runtime)
        node.start_kubelet()
        node.start_kube_proxy()
        node.runtime.import_images()
        node.await_node()
    except BaseException:
        node.stop()
        raise
    say(f"{node.name} is ready ({time.monotonic() - began:.1f} s)")
    return node


def attach(name: str) -> VmNode:
    """The running virtual machine of this name, CLUSTER/NODE, for another process than the one that started it.

    Raises:
        LabError: No such one runs.
    """
    places = Places(name)
    record = read_record(places)
    if record is None or record.shape != SHAPE or not record.containerd.is_alive():
        raise LabError(f"no virtual machine {name} runs")
    return VmNode(_runtime(places), ensure_cluster_programs())


def _runtime(places: Places) -> VmRuntime:
    client = CriClient.reach(f"{LabNetwork(places.name).node_address}:{vm_files.CRI_PORT}")
    return VmRuntime(places, CONTAINERD_2_4, ensure_programs(CONTAINERD_2_4), client)


def _await_runtime(runtime: VmRuntime) -> None:
    def is_ready() -> bool:
        try:
            return not runtime.client.unready_conditions()
        except CallError:
            # It listens before it can answer; what is wrong when it never does, is in its log.
            return False

    try:
        wait_until(f"the runtime of {runtime.name} to be ready", is_ready, _READY_SECONDS)
    except WaitTimeoutError as error:
        log = runtime.enter("tail", "-n", "15", "/var/log/containerd.log")
        raise WaitTimeoutError(f"{error}; its log ends:\n{log}{console_tail(runtime.places)}") from error


def _fault(pod: str, container: str, namespace: str) -> str:
    return str(vm_files.FAULTS / "pods" / namespace / pod / container)
