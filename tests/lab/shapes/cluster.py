"""The shape "cluster": a control plane and one node with a kubelet, on the containerd of the shape "runtime".

Everything runs in that lab's namespaces and cgroup. The API server is reachable from the machine too, over the wire
of `lab.network`, so its clients are ordinary processes with a kubeconfig.
"""

import shutil
import time
from dataclasses import dataclass

from lab.build.cluster import ensure_cluster_programs
from lab.errors import LabError
from lab.inotify import allow_many_instances
from lab.network import LabNetwork
from lab.pins import CONTAINERD_2_4
from lab.places import Places
from lab.progress import say
from lab.shapes import runtime
from lab.shapes.cluster_audit import AuditRecord, read_audit
from lab.shapes.cluster_control import ClusterControl
from lab.shapes.cluster_daemons import SERVICE_RANGE, ClusterPlaces, write_cluster_files
from lab.shapes.cluster_node import NAMESPACE
from lab.shapes.cluster_processes import Daemon
from lab.waiting import wait_until

NAME = "cluster"
_POD_SECONDS = 30.0
_ACCOUNT_SECONDS = 20.0


@dataclass(frozen=True)
class Cluster(ClusterControl):
    """A running cluster: `start` makes one, `attach` finds one; leaving it as a context manager stops it.

    What it does as a `ClusterNode` is about its first node. `lab.shapes.nested_node` gives it a second one.
    """

    def audit(self) -> list[AuditRecord]:
        """What the API server was asked so far, in order."""
        return read_audit(self.places.audit_log)

    def restore(self) -> None:
        """Make the cluster as after its start: daemons that run, no pods, no faults; other objects stay.

        Raises:
            WaitTimeoutError: A pod did not go within 30 s.
        """
        shutil.rmtree(self.runtime.places.faults / "pods", ignore_errors=True)
        for manifest in self.places.static_pods.iterdir():
            manifest.unlink()
        self.restore_daemons()
        self.kubectl("delete", "pods", "--all", "--all-namespaces", "--force", "--grace-period=0")
        wait_until("all pods to be gone", self._remove_pods, _POD_SECONDS)

    def stop(self) -> None:
        """Remove the pods, all daemons, and everything else the lab left."""
        self.close()
        stop(self.name)


def start(name: str = NAME, *, owned: bool = True, waits_for_disk: bool = False) -> Cluster:
    """Start a cluster of one node, cleaning away first what a dead lab of that name left.

    Args:
        name: What it is called.
        owned: Whether it belongs to this process: then a later start may clean it away once this process is gone.
            Otherwise it runs until somebody stops it.
        waits_for_disk: Whether etcd waits for the disk, as it does in production. For measurements: it is slower.

    Raises:
        AlreadyRunningError: A lab of this name runs and is not abandoned.
        BuildError: A program could not be made.
        LabError: It did not come up; nothing is left of the attempt.
    """
    programs = ensure_cluster_programs()
    allow_many_instances()
    began = time.monotonic()
    cluster = Cluster(runtime.start(CONTAINERD_2_4, name, owned=owned), programs)
    try:
        LabNetwork(name).connect(cluster.runtime.containerd.pid, SERVICE_RANGE)
        write_cluster_files(cluster.places)
        cluster.start_daemons(waits_for_disk=waits_for_disk)
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        cluster.apply(namespace)
        cluster.await_node()
        # Without its service account no pod can be made in a namespace.
        account = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"
        wait_until("the default service account", lambda: cluster.get(account), _ACCOUNT_SECONDS)
    except BaseException:
        cluster.stop()
        raise
    say(f"{name} serves {cluster.places.certificates.server} ({time.monotonic() - began:.1f} s)")
    return cluster


def attach(name: str = NAME) -> Cluster:
    """The running cluster of this name, for another process than the one that started it.

    Raises:
        LabError: No such cluster runs.
    """
    lab = runtime.attach(name)
    if not ClusterPlaces(lab.places).certificates.kubeconfig("admin").exists():
        lab.close()
        raise LabError(f"lab {name} runs, but is no cluster")
    return Cluster(lab, ensure_cluster_programs())


def stop(name: str = NAME) -> None:
    """Stop the lab of this name, of either shape, and remove everything it left; none there is fine."""
    # First the kubelet: it would make again what is taken down.
    Daemon(name, "kubelet", ClusterPlaces(Places(name)).log("kubelet")).kill()
    runtime.stop(name)
