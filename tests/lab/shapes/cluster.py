"""The shape "cluster": a control plane and one node with a kubelet, on the containerd of the shape "runtime".

Everything runs in that lab's namespaces and cgroup. The API server is reachable from the machine too, over the wire
of `lab.network`, so its clients are ordinary processes with a kubeconfig.
"""

import json
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lab.build.cluster import ensure_cluster_programs
from lab.errors import LabError, WaitTimeoutError
from lab.network import LabNetwork
from lab.pins import CONTAINERD_2_4
from lab.places import Places
from lab.pods import Pod, RunningPod
from lab.progress import say
from lab.shapes import runtime
from lab.shapes.cluster_audit import AuditRecord, read_audit
from lab.shapes.cluster_control import ClusterControl
from lab.shapes.cluster_daemons import NODE_NAME, SERVICE_RANGE, ClusterPlaces, write_cluster_files
from lab.shapes.cluster_manifests import pod_manifest
from lab.shapes.cluster_pods import find_pod
from lab.shapes.cluster_processes import Daemon
from lab.waiting import wait_until

NAME = "cluster"
#: The Kubernetes namespace of the lab's pods, as `lab.pods.Pod` has it.
_NAMESPACE = "lab"
_POD_SECONDS = 30.0
_KUBECTL_SECONDS = 60.0
_ACCOUNT_SECONDS = 20.0


@dataclass(frozen=True)
class Cluster(ClusterControl):
    """A running cluster: `start` makes one, `attach` finds one; leaving it as a context manager stops it.

    `runtime` is the lab whose containerd the kubelet uses: pids, `ctr`, faults by CRI id.
    """

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of an administrator, for clients on the machine."""
        return self.places.certificates.kubeconfig("admin")

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl as administrator and return what it prints.

        Raises:
            LabError: It failed, or took more than 60 s; ends with what it wrote to standard error.
        """
        command = [str(self.programs.kubectl), f"--kubeconfig={self.kubeconfig}"]
        command += [f"--cache-dir={self.runtime.places.run / 'kubectl'}", *arguments]
        # Nothing of the caller's environment: a proxy for web pages is none for this API server.
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        what = f"kubectl {' '.join(arguments)}"
        try:
            done = subprocess.run(
                command,
                input=stdin,
                env=environment,
                capture_output=True,
                text=True,
                timeout=_KUBECTL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise LabError(f"{what}: not done after {_KUBECTL_SECONDS:g} s") from None
        if done.returncode:
            raise LabError(f"{what} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

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
        self.apply(pod_manifest(pod))
        return self.wait_for_pod(pod.name, pod.namespace)

    def wait_for_pod(
        self, name: str, namespace: str = _NAMESPACE, condition: str = "Ready", limit_seconds: float = _POD_SECONDS
    ) -> RunningPod:
        """Wait for a condition of a pod that exists, and return what the runtime knows of it.

        Raises:
            WaitTimeoutError: The limit was reached; ends with the pod's state.
            LabError: There is no such pod.
        """
        wait = f"--timeout={limit_seconds:g}s"
        try:
            self.kubectl("wait", f"--for=condition={condition}", f"pod/{name}", f"--namespace={namespace}", wait)
        except LabError as error:
            if "timed out" not in str(error):
                raise
            seen = self.kubectl("describe", "pod", name, f"--namespace={namespace}")
            raise WaitTimeoutError(
                f"waited {limit_seconds:g} s for {namespace}/{name} to be {condition}:\n{seen}"
            ) from error
        return self.find_pod(name, namespace)

    def find_pod(self, name: str, namespace: str = _NAMESPACE) -> RunningPod:
        """What the runtime knows of a pod, also of one that the API server has forgotten.

        Raises:
            LabError: The runtime has no sandbox of it.
        """
        return find_pod(self.runtime, name, namespace)

    def token(self, account: str, namespace: str = _NAMESPACE, *, bound_to_node: bool = False) -> str:
        """A token of a service account that exists, good for an hour, as the kubelet gives one to a pod.

        Args:
            account: The service account's name.
            namespace: Its namespace.
            bound_to_node: Whether the token names the node, as tokens of pods do, and ends with it.
        """
        node = ("--bound-object-kind=Node", f"--bound-object-name={NODE_NAME}") if bound_to_node else ()
        return self.kubectl("create", "token", account, f"--namespace={namespace}", "--duration=1h", *node).strip()

    def service_account_kubeconfig(
        self, account: str, namespace: str = _NAMESPACE, *, bound_to_node: bool = False
    ) -> Path:
        """Write a kubeconfig with a new `token`, and return its path."""
        token = self.token(account, namespace, bound_to_node=bound_to_node)
        return self.places.certificates.write_kubeconfig(f"{namespace}.{account}", {"token": token})

    def audit(self) -> list[AuditRecord]:
        """What the API server was asked so far, in order."""
        return read_audit(self.places.audit_log)

    def falsify(self, pod: str, container: str, fault: Mapping[str, str], namespace: str = _NAMESPACE) -> None:
        """From now on, each start of this container is made with a falsified OCI configuration.

        Args:
            pod: The pod's name; it need not exist yet.
            container: The container's name.
            fault: How it is falsified, see oci/edit_bundle.py.
            namespace: The pod's namespace.
        """
        file = self._fault(pod, container, namespace)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(fault))

    def stop_falsifying(self, pod: str, container: str, namespace: str = _NAMESPACE) -> None:
        """The container's next start is made as it was asked for."""
        self._fault(pod, container, namespace).unlink(missing_ok=True)

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

    def close(self) -> None:
        """Let go of a cluster that runs on."""
        self.runtime.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _remove_pods(self) -> bool:
        # The kubelet stops them, but removes a stopped sandbox only a minute later.
        self.runtime.remove_all_pods()
        return not self.runtime.client.sandboxes()

    def _fault(self, pod: str, container: str, namespace: str) -> Path:
        return self.runtime.places.faults / "pods" / namespace / pod / container


def start(name: str = NAME, *, owned: bool = True) -> Cluster:
    """Start a cluster of one node, cleaning away first what a dead lab of that name left.

    Args:
        name: What it is called.
        owned: Whether it belongs to this process: then a later start may clean it away once this process is gone.
            Otherwise it runs until somebody stops it.

    Raises:
        AlreadyRunningError: A lab of this name runs and is not abandoned.
        BuildError: A program could not be made.
        LabError: It did not come up; nothing is left of the attempt.
    """
    programs = ensure_cluster_programs()
    began = time.monotonic()
    cluster = Cluster(runtime.start(CONTAINERD_2_4, name, owned=owned), programs)
    try:
        LabNetwork(name).connect(cluster.runtime.containerd.pid, SERVICE_RANGE)
        write_cluster_files(cluster.places)
        cluster.start_daemons()
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}}
        cluster.apply(namespace)
        cluster.await_node()
        # Without its service account no pod can be made in a namespace.
        account = f"/api/v1/namespaces/{_NAMESPACE}/serviceaccounts/default"
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
