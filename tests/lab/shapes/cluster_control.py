"""The daemons of a running cluster: starting, killing, pausing them, and knowing when they are ready."""

import json
import os
import signal
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPException, HTTPSConnection
from types import MappingProxyType
from typing import Any

from lab.build.cluster import ClusterPrograms
from lab.errors import LabError
from lab.network import LabNetwork
from lab.processes import Process
from lab.shapes import cluster_daemons as commands
from lab.shapes.cluster_daemons import API_PORT, NODE_NAME, ClusterPlaces
from lab.shapes.cluster_processes import Daemon
from lab.shapes.runtime import RuntimeLab

#: Seconds for the API server to be ready; it takes five here.
_API_SECONDS = 40.0
#: Seconds for the node to be ready after that.
_NODE_SECONDS = 40.0
_REQUEST_SECONDS = 5.0
_OK = 200
_NOT_FOUND = 404
_NO_MORE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class ClusterControl:
    """What can be done to the daemons of a cluster.

    Attributes:
        runtime: The lab they run in.
        programs: Where etcd's and Kubernetes' programs are.
    """

    runtime: RuntimeLab
    programs: ClusterPrograms

    @property
    def name(self) -> str:
        """What the lab is called."""
        return self.runtime.name

    @property
    def node_name(self) -> str:
        """The name of its one node."""
        return NODE_NAME

    @property
    def places(self) -> ClusterPlaces:
        """Where logs, kubeconfigs and static pods lie."""
        return ClusterPlaces(self.runtime.places)

    def start_daemons(self) -> None:
        """Start all of them, and wait for the API server; the node may not be ready yet, see `await_node`."""
        self._start("etcd", commands.etcd(self.programs, self.places))
        self.start_api_server()
        self.start_kubelet()
        self._start_controllers()
        self._start("kube-proxy", commands.kube_proxy(self.programs, self.places))

    def start_kubelet(self) -> None:
        """Start the kubelet; the node may take seconds to be ready, see `await_node`."""
        tunables = {"LAB_TUNABLES": str(self.places.configuration / "tunables")}
        self._start("kubelet", commands.kubelet(self.programs, self.places), tunables)

    def stop_kubelet(self) -> None:
        """Kill the kubelet; pods run on, and what becomes of them in the API is no longer done here."""
        self._daemon("kubelet").kill()

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
        for name in ("kubelet", "kube-controller-manager", "kube-scheduler"):
            self._daemon(name).kill()
        self.start_kubelet()
        self._start_controllers()

    def pause_api_server(self) -> None:
        """Stop the API server with SIGSTOP: connections are accepted, and no request is answered."""
        self._daemon("kube-apiserver").send(signal.SIGSTOP)

    def resume_api_server(self) -> None:
        """Let a paused API server go on."""
        self._daemon("kube-apiserver").send(signal.SIGCONT)

    def await_node(self) -> None:
        """Wait until the node is ready, and the kubelet that runs now has said so.

        Raises:
            WaitTimeoutError: It was not within 40 s.
            LabError: The kubelet ended; ends with its log.
        """
        what = f"node {NODE_NAME} to be ready"
        self._daemon("kubelet").await_ready(what, self._node_is_ready, _NODE_SECONDS)

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

    def get(self, path: str) -> str | None:
        """Ask the API server as administrator, in this process: for what is asked again and again.

        Args:
            path: Of the URL, "/api/v1/nodes/lab-node".

        Returns:
            The text of the answer; None while there is no answer, or no such object.

        Raises:
            LabError: The answer is neither OK, NOT FOUND nor a failure of the server.
        """
        certificates = self.places.certificates
        context = ssl.create_default_context(cafile=str(certificates.certificate("ca")))
        context.load_cert_chain(certificates.certificate("admin"), certificates.key("admin"))
        connection = HTTPSConnection(
            LabNetwork(self.name).node_address, API_PORT, context=context, timeout=_REQUEST_SECONDS
        )
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, HTTPException):
            return None  # not listening yet, or stopped on purpose: whoever waits has a limit and the daemon's log
        finally:
            connection.close()
        if answer.status == _OK:
            return text
        if answer.status == _NOT_FOUND or answer.status >= 500 or path == "/readyz":
            return None
        raise LabError(f"GET {path}: {answer.status}: {text.strip()}")

    def _node_is_ready(self) -> bool:
        kubelet = self._daemon("kubelet").find()
        node = self._object(f"/api/v1/nodes/{NODE_NAME}")
        conditions = node.get("status", {}).get("conditions", [])
        ready = [one for one in conditions if one["type"] == "Ready" and one["status"] == "True"]
        if kubelet is None or not ready:
            return False
        # A node stays Ready for 40 s after its kubelet has died: what counts is a sign of life of this one. That is its
        # report, told in whole seconds, or its lease, which the first kubelet of a cluster may get only 10 s later.
        started = _started(kubelet)
        lease = self._object(f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{NODE_NAME}")
        reported = datetime.fromisoformat(ready[0]["lastHeartbeatTime"]) >= started.replace(microsecond=0)
        return reported or (bool(lease) and datetime.fromisoformat(lease["spec"]["renewTime"]) > started)

    def _object(self, path: str) -> dict[str, Any]:
        text = self.get(path)
        document: dict[str, Any] = json.loads(text) if text else {}
        return document

    def _start_controllers(self) -> None:
        self._start("kube-controller-manager", commands.kube_controller_manager(self.programs, self.places))
        self._start("kube-scheduler", commands.kube_scheduler(self.programs, self.places))

    def _start(self, name: str, command: Sequence[str], environment: Mapping[str, str] = _NO_MORE) -> None:
        self._daemon(name).start(self.runtime.containerd, command, environment)

    def _daemon(self, name: str) -> Daemon:
        return Daemon(self.name, name, self.places.log(name))


def _started(process: Process) -> datetime:
    """When a process started, by the clock of today; a step of the clock since then is not seen."""
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - process.start_time / os.sysconf("SC_CLK_TCK")
    return datetime.now(UTC) - timedelta(seconds=age)
