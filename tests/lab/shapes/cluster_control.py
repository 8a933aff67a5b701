"""The control plane of a running cluster: starting, killing, pausing its daemons, and knowing when they are ready."""

import signal
from dataclasses import dataclass

from lab.shapes import cluster_daemons as commands
from lab.shapes.cluster_node import ClusterNode

#: Seconds for the API server to be ready; it takes five here.
_API_SECONDS = 40.0


@dataclass(frozen=True)
class ClusterControl(ClusterNode):
    """What can be done to the daemons of a cluster, which run beside those of its first node."""

    def start_daemons(self, *, waits_for_disk: bool = False) -> None:
        """Start all of them, and wait for the API server; the node may not be ready yet, see `await_node`.

        Args:
            waits_for_disk: Whether etcd tells that something is stored only once it is on the disk.
        """
        self._start("etcd", commands.etcd(self.programs, self.places, waits_for_disk=waits_for_disk))
        self.start_api_server()
        self.start_kubelet()
        self._start_controllers()
        self.start_kube_proxy()

    def start_api_server(self) -> None:
        """Start the API server and wait until it is ready.

        Raises:
            WaitTimeoutError: It was not within 40 s.
            LabError: It ended; ends with its log.
        """
        self._start("kube-apiserver", commands.kube_apiserver(self.programs, self.places))
        what = "the API server to be ready"
        self._daemon("kube-apiserver").await_ready(what, lambda: self.get("/readyz") is not None, _API_SECONDS)

    def stop_api_server(self) -> None:
        """Kill the API server: connections end, new ones are refused."""
        self._daemon("kube-apiserver").kill()

    def restart_clients(self) -> None:
        """Restart the kubelet, the controllers and the scheduler, for use after the API server was away for long.

        Each of them would look for it again by itself, but up to a minute later: their attempts grow rare meanwhile.
        """
        self.stop_clients()
        self.start_kubelet()
        self._start_controllers()

    def stop_clients(self) -> None:
        """Kill kubelet, controllers and scheduler, so that nobody else asks; `restart_clients` brings them back."""
        for name in ("kubelet", "kube-controller-manager", "kube-scheduler"):
            self._daemon(name).kill()

    def pause_api_server(self) -> None:
        """Stop the API server with SIGSTOP: connections are accepted, and no request is answered."""
        self._daemon("kube-apiserver").send(signal.SIGSTOP)

    def resume_api_server(self) -> None:
        """Let a paused API server go on."""
        self._daemon("kube-apiserver").send(signal.SIGCONT)

    def restore_daemons(self) -> None:
        """Undo what was done to the API server and the kubelet, as far as anything was."""
        if self._daemon("kube-apiserver").find():
            self.resume_api_server()
        else:
            self.start_api_server()
            self.restart_clients()
        if not self._daemon("kubelet").find():
            self.start_kubelet()
        self.await_node()

    def _start_controllers(self) -> None:
        self._start("kube-controller-manager", commands.kube_controller_manager(self.programs, self.places))
        self._start("kube-scheduler", commands.kube_scheduler(self.programs, self.places))
