"""One node of a cluster: its kubelet, its pods, and kubectl."""

import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lab.build.cluster import ClusterPrograms
from lab.errors import LabError, WaitTimeoutError
from lab.output import output_of
from lab.pid_namespaces import pid_namespace_of
from lab.pods import Pod, RunningPod
from lab.processes import Process
from lab.shapes import cluster_daemons as commands
from lab.shapes.cluster_daemons import API_PORT, ClusterPlaces
from lab.shapes.cluster_manifests import pod_manifest
from lab.shapes.cluster_pods import find_pod
from lab.shapes.cluster_processes import Daemon
from lab.shapes.runtime import RuntimeLab
from lab.shapes.started import Started

#: The Kubernetes namespace of the lab's pods, as `lab.pods.Pod` has it.
NAMESPACE = "lab"
#: Seconds for the node to be ready after its kubelet was started.
_NODE_SECONDS = 40.0
_POD_SECONDS = 30.0
_KUBECTL_SECONDS = 60.0
_REQUEST_SECONDS = 5.0
_OK = 200
_NOT_FOUND = 404
_NO_MORE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class ClusterNode(Started):
    """What can be done on one node of a cluster, and through the API server.

    Attributes:
        runtime: The lab whose containerd the kubelet uses: pids, `ctr`, faults by CRI id.
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
        """What the node is called in the API."""
        return self.places.node_name

    @property
    def places(self) -> ClusterPlaces:
        """Where logs, kubeconfigs and static pods lie."""
        return ClusterPlaces(self.runtime.places)

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of an administrator, for clients on the machine."""
        return self.places.certificates.kubeconfig("admin")

    @property
    def slowness(self) -> float:
        """How many times longer than on the machine itself something may take."""
        return 1.0

    @property
    def python(self) -> str:
        """The interpreter on the node that runs programs of the checkout."""
        return sys.executable

    @property
    def address(self) -> str:
        """Where this process reaches what a program listens at that `popen` has started on the node."""
        return "127.0.0.1"

    def bring(self, path: Path) -> Path:
        """Have a file or directory of the machine on the node, under the same path, and return that.

        What has changed since has to be brought again.
        """
        return path

    def import_image(self, archive: Path) -> None:
        """Give the runtime the image of an archive of the kind docker-archive or OCI.

        Raises:
            LabError: It was refused.
        """
        self.runtime.ctr("images", "import", str(archive))

    def kubectl(self, *arguments: str, stdin: str | None = None, limit_seconds: float = _KUBECTL_SECONDS) -> str:
        """Run kubectl as administrator and return what it prints.

        Raises:
            LabError: It failed, or took longer than the limit; ends with what it wrote to standard error.
        """
        command = [str(self.programs.kubectl), f"--kubeconfig={self.kubeconfig}"]
        command += [f"--cache-dir={self.runtime.places.run / 'kubectl'}", *arguments]
        # Nothing of the caller's environment: a proxy for web pages is none for this API server.
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        name = f"kubectl {' '.join(arguments)}"
        return output_of(command, limit_seconds, name=name, stdin=stdin, environment=environment)

    def close(self) -> None:
        """Let go of a node that runs on, and with the first one of its cluster."""
        self.runtime.close()

    def apply(self, *manifests: Mapping[str, Any] | str) -> None:
        """Create or change objects, given as YAML or JSON text or as documents."""
        texts = [manifest if isinstance(manifest, str) else json.dumps(manifest) for manifest in manifests]
        self.kubectl("apply", "--filename=-", stdin="\n---\n".join(texts))

    def run(self, pod: Pod) -> RunningPod:
        """Create a pod through the API server and wait until it is ready.

        Raises:
            LabError: The manifest was refused.
            WaitTimeoutError: It was not ready within 30 s.
        """
        self.apply(self.manifest(pod))
        return self.wait_for_pod(pod.name, pod.namespace, limit_seconds=_POD_SECONDS * self.slowness)

    def manifest(self, pod: Pod) -> dict[str, Any]:
        """The manifest of a pod that comes to this node."""
        manifest = pod_manifest(pod)
        if self.places.lab.nested_node:
            manifest["spec"]["nodeName"] = self.node_name  # the scheduler puts nothing there
        return manifest

    def wait_for_pod(
        self, name: str, namespace: str = NAMESPACE, condition: str = "Ready", limit_seconds: float = _POD_SECONDS
    ) -> RunningPod:
        """Wait for a condition of a pod that exists, and return what the runtime knows of it.

        Raises:
            WaitTimeoutError: The limit was reached; ends with the pod's state.
            LabError: There is no such pod.
        """
        wait = f"--timeout={limit_seconds:g}s"
        try:
            asked = ("wait", f"--for=condition={condition}", f"pod/{name}", f"--namespace={namespace}", wait)
            self.kubectl(*asked, limit_seconds=limit_seconds + _KUBECTL_SECONDS)
        except LabError as error:
            if "timed out" not in str(error):
                raise
            seen = self.kubectl("describe", "pod", name, f"--namespace={namespace}")
            raise WaitTimeoutError(
                f"waited {limit_seconds:g} s for {namespace}/{name} to be {condition}:\n{seen}"
            ) from error
        return self.find_pod(name, namespace)

    def find_pod(self, name: str, namespace: str = NAMESPACE) -> RunningPod:
        """What the runtime knows of a pod, also of one that the API server has forgotten.

        Raises:
            LabError: The runtime has no sandbox of it.
        """
        return find_pod(self.runtime, name, namespace)

    def token(self, account: str, namespace: str = NAMESPACE, *, bound_to_node: bool = False) -> str:
        """A token of a service account that exists, good for a day: nobody renews it as the kubelet does a pod's.

        Args:
            account: The service account's name.
            namespace: Its namespace.
            bound_to_node: Whether the token names the node, as tokens of pods do, and ends with it.
        """
        node = ("--bound-object-kind=Node", f"--bound-object-name={self.node_name}") if bound_to_node else ()
        return self.kubectl("create", "token", account, f"--namespace={namespace}", "--duration=24h", *node).strip()

    def service_account_kubeconfig(
        self, account: str, namespace: str = NAMESPACE, *, bound_to_node: bool = False
    ) -> Path:
        """Write a kubeconfig with a new `token`, and return its path."""
        token = self.token(account, namespace, bound_to_node=bound_to_node)
        name = f"{namespace}.{account}.{self.node_name}" if bound_to_node else f"{namespace}.{account}"
        return self.places.certificates.write_kubeconfig(name, {"token": token})

    def falsify(self, pod: str, container: str, fault: Mapping[str, str], namespace: str = NAMESPACE) -> None:
        """From now on, each start of this container on this node is made with a falsified OCI configuration.

        Args:
            pod: The pod's name; it need not exist yet.
            container: The container's name.
            fault: How it is falsified, see oci/edit_bundle.py.
            namespace: The pod's namespace.
        """
        file = self._fault(pod, container, namespace)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(fault))

    def stop_falsifying(self, pod: str, container: str, namespace: str = NAMESPACE) -> None:
        """The container's next start is made as it was asked for."""
        self._fault(pod, container, namespace).unlink(missing_ok=True)

    def popen(self, command: Sequence[str], **options: Any) -> "subprocess.Popen[bytes]":  # noqa: ANN401  Popen's own
        """Start a program that counts processes as the node's runtime does: as in a pod with hostPID.

        On a further node it is in that node's mount namespace too, which has the right /proc; its network namespace is
        the machine's everywhere, so that its pages are reached from there. It is a child like any other.
        """
        inside = self.runtime.containerd.pid
        entrance = ("nsenter", f"--target={inside}", "--mount") if self.places.lab.nested_node else ()
        with pid_namespace_of(inside):
            return subprocess.Popen([*entrance, *command], **options)

    def start_kubelet(self) -> None:
        """Start the kubelet; the node may take seconds to be ready, see `await_node`."""
        tunables = {"LAB_TUNABLES": str(self.places.configuration / "tunables")}
        self._start("kubelet", commands.kubelet(self.programs, self.places), tunables)

    def stop_kubelet(self) -> None:
        """Kill the kubelet; pods run on, and what becomes of them in the API is no longer done here."""
        self._daemon("kubelet").kill()

    def start_kube_proxy(self) -> None:
        """Start kube-proxy, through which pods of the node reach the API server at its service address."""
        self._start("kube-proxy", commands.kube_proxy(self.programs, self.places))

    def kubelet_runs(self) -> bool:
        """Whether there is a kubelet, be it ready or not."""
        return self._daemon("kubelet").find() is not None

    def await_node(self) -> None:
        """Wait until the node is ready, and the kubelet that runs now has said so.

        Raises:
            WaitTimeoutError: It was not within 40 s.
            LabError: The kubelet ended; ends with its log.
        """
        what = f"node {self.node_name} to be ready"
        self._daemon("kubelet").await_ready(what, self._node_is_ready, _NODE_SECONDS)

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
        connection = HTTPSConnection(self.places.api_address, API_PORT, context=context, timeout=_REQUEST_SECONDS)
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
        return kubelet is not None and self._is_ready_since(_started(kubelet))

    def _is_ready_since(self, started: datetime) -> bool:
        """Whether the node is ready, and a kubelet that was started then has said so.

        A node stays Ready for 40 s after its kubelet has died: what counts is a sign of life of this one. That is its
        report, told in whole seconds, or its lease, which the first kubelet of a cluster may get only 10 s later.
        """
        node = self._object(f"/api/v1/nodes/{self.node_name}")
        conditions = node.get("status", {}).get("conditions", [])
        ready = [one for one in conditions if one["type"] == "Ready" and one["status"] == "True"]
        if not ready:
            return False
        lease = self._object(f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{self.node_name}")
        reported = datetime.fromisoformat(ready[0]["lastHeartbeatTime"]) >= started.replace(microsecond=0)
        return reported or (bool(lease) and datetime.fromisoformat(lease["spec"]["renewTime"]) > started)

    def _remove_pods(self) -> bool:
        # The kubelet stops them, but removes a stopped sandbox only a minute later.
        self.runtime.remove_all_pods()
        return not self.runtime.client.sandboxes()

    def _object(self, path: str) -> dict[str, Any]:
        text = self.get(path)
        document: dict[str, Any] = json.loads(text) if text else {}
        return document

    def _fault(self, pod: str, container: str, namespace: str) -> Path:
        return self.runtime.places.faults / "pods" / namespace / pod / container

    def _start(self, name: str, command: Sequence[str], environment: Mapping[str, str] = _NO_MORE) -> None:
        self._daemon(name).start(self.runtime.containerd, command, environment)

    def _daemon(self, name: str) -> Daemon:
        return Daemon(self.name, name, self.places.log(name))


def _started(process: Process) -> datetime:
    """When a process started, by the clock of today; a step of the clock since then is not seen."""
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - process.start_time / os.sysconf("SC_CLK_TCK")
    return datetime.now(UTC) - timedelta(seconds=age)
