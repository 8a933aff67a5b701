"""A node that was given to a running cluster: what it does at its end and between two tests."""

import shutil
from dataclasses import dataclass

from lab.errors import AlreadyRunningError
from lab.places import Places
from lab.records import read_record
from lab.remains import find_remains, remove_remains
from lab.shapes.cluster_node import ClusterNode
from lab.waiting import wait_until

_POD_SECONDS = 30.0


@dataclass(frozen=True)
class FurtherNode(ClusterNode):
    """A node beside the cluster's first one; leaving it as a context manager stops it."""

    def restore(self) -> None:
        """Make the node as after its start: a kubelet that runs, no pods, no faults set for starts to come.

        Raises:
            WaitTimeoutError: A pod did not go in time.
        """
        self.forget_faults()
        if not self.kubelet_runs():
            self.start_kubelet()
        self.await_node()
        self._delete_pods()
        limit_seconds = _POD_SECONDS * self.slowness
        wait_until(f"all pods of {self.node_name} to be gone", self._remove_pods, limit_seconds)

    def forget_faults(self) -> None:
        """The next start of each container is made as it was asked for."""
        shutil.rmtree(self.runtime.places.faults / "pods", ignore_errors=True)

    def stop(self) -> None:
        """Remove its pods, its Node, its processes, and everything else it left.

        Raises:
            LabError: The API server did not do its part; what is on the machine is gone all the same.
        """
        try:
            self._delete_pods()
            self.stop_kubelet()
            self.kubectl("delete", "node", self.node_name, "--ignore-not-found")
        finally:
            self.runtime.stop()

    def _delete_pods(self) -> None:
        of_this_node = f"--field-selector=spec.nodeName={self.node_name}"
        self.kubectl("delete", "pods", "--all-namespaces", of_this_node, "--force", "--grace-period=0")


def clean_abandoned(places: Places) -> None:
    """Remove what a dead node of that name left; the caller holds `places.locked()`.

    Raises:
        AlreadyRunningError: It runs.
    """
    record = read_record(places)
    if record and record.containerd.is_alive():
        raise AlreadyRunningError(f"node {places.name} runs already; stop it first")
    if find_remains(places) != [f"directory {places.run}"]:
        remove_remains(places)
        places.run.mkdir(parents=True)  # it carries our lock's name; nobody else can be in here now
