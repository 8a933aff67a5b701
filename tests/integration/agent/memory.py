"""How much memory an agent takes with the pods of a full node in its index, with and without an official client.

As a program it prints the table of docs/decisions/0001-which-client-writes.md::

    PYTHONPATH=operator:tests python tests/integration/agent/memory.py
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pausewatch
from lab.shapes import cluster as clusters
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_daemons import NODE_NAME
from lab.waiting import wait_until

PODS = 250
"""More than twice what a kubelet allows by default."""

MANIFESTS = Path(__file__).parents[3] / "manifests"
MIB = 1024
SETTLING_SCANS = 8
START_SECONDS = 60.0
INSTALL = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target")


@dataclass(frozen=True)
class Memory:
    """Of one process, in MiB.

    Attributes:
        resident: Now (VmRSS).
        peak: The most there ever was (VmHWM).
    """

    resident: float
    peak: float


def pod_manifest(number: int) -> dict[str, object]:
    """A pod of an ordinary size, about 12 kB as the API server stores it, that no kubelet has to run."""
    variables = [{"name": f"VARIABLE_{index}", "value": "x" * 60} for index in range(20)]
    mounts = [{"name": f"volume-{index}", "mountPath": f"/mnt/{index}"} for index in range(4)]
    container = {"image": "localhost/none", "imagePullPolicy": "Never", "env": variables, "volumeMounts": mounts}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"load-{number:03}", "namespace": "lab", "annotations": {"note": "y" * 500}},
        "spec": {
            "nodeName": NODE_NAME,
            "automountServiceAccountToken": False,
            "containers": [container | {"name": name} for name in ("app", "side")],
            "volumes": [{"name": mount["name"], "emptyDir": {}} for mount in mounts],
        },
    }


def load(cluster: Cluster) -> None:
    """Bind pods to the node in the API; the kubelet is away, so nothing has to run them."""
    cluster.stop_kubelet()
    manifests = "\n---\n".join(json.dumps(pod_manifest(number)) for number in range(PODS))
    cluster.kubectl("apply", "--server-side", "--filename=-", stdin=manifests)


def unload(cluster: Cluster) -> None:
    """Remove them in one request: one by one takes a minute, and a kubelet that is back would begin to run them."""
    cluster.kubectl("delete", "--raw=/api/v1/namespaces/lab/pods?gracePeriodSeconds=0")


@contextmanager
def running(cluster: Cluster, kubeconfig: Path, packages: Path | None = None) -> Iterator[tuple[int, str]]:
    """Run an agent; yields its pid and the address of its pages.

    Args:
        cluster: Whose node.
        kubeconfig: Of the agent.
        packages: A folder with packages that it can import besides its own.
    """
    paths = [str(Path(pausewatch.__file__).parents[1]), *([str(packages)] if packages else [])]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(paths),
        "KUBECONFIG": str(kubeconfig),
        "PAUSEWATCH_NODE_NAME": cluster.node_name,
        "PAUSEWATCH_RUNTIME_ENDPOINT": cluster.runtime.endpoint,
        "PAUSEWATCH_LISTEN_ADDRESS": "127.0.0.1:0",
        "PAUSEWATCH_SCAN_PERIOD_SECONDS": "1",
    }
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen([sys.executable, "-m", "pausewatch", "agent"], stderr=output, env=environment)
        try:
            wait_until("the address of the pages", lambda: " http://" in log.read_text(), START_SECONDS)
            yield process.pid, log.read_text().split(" http://")[1].split("/")[0]
        finally:
            process.terminate()
            process.wait(10)


def measure(cluster: Cluster, kubeconfig: Path, packages: Path | None = None) -> Memory:
    """Run an agent until it has scanned often with all pods known, and return what it takes."""
    with running(cluster, kubeconfig, packages) as (pid, address):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def settled() -> bool:
            with opener.open(f"http://{address}/healthz", timeout=5) as answer:
                state = json.load(answer)
            return state["scans"] >= SETTLING_SCANS and not state["troubles"]

        wait_until("the agent to know all pods", settled, START_SECONDS)
        lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return Memory(*(int(lines[name].split()[0]) / MIB for name in ("VmRSS", "VmHWM")))


def install(folder: Path, *packages: str) -> Path:
    """Install packages into a folder of their own, without what the agent has already."""
    subprocess.run([*INSTALL, str(folder), *packages], check=True)
    return folder


def main() -> None:
    """Print the table."""
    with clusters.start("agent-memory") as cluster, tempfile.TemporaryDirectory() as folder:
        for name in ("crd.yaml", "rbac.yaml"):
            cluster.apply((MANIFESTS / name).read_text())
        rows = {
            "no official client": None,
            "kubernetes": install(Path(folder) / "one", "kubernetes"),
            "kubernetes_asyncio": install(Path(folder) / "two", "kubernetes_asyncio"),
        }
        kubeconfig = cluster.service_account_kubeconfig("pausewatch", "pausewatch", bound_to_node=True)
        for pods in (0, PODS):
            if pods:
                load(cluster)
            for name, packages in rows.items():
                memory = measure(cluster, kubeconfig, packages)
                sys.stdout.write(f"{name:<20} {pods:>4} pods {memory.resident:6.1f} MiB, peak {memory.peak:6.1f} MiB\n")


if __name__ == "__main__":
    main()
