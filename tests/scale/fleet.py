"""Nodes that are objects only, each with a pod of the agent's account and a token that is bound to it."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from e2e.support.installation import service_account
from e2e.support.node_tokens import agent_pod_manifest, node_manifest
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_daemons import API_PORT
from pausewatch.cluster.client import ApiClient
from pausewatch.cluster.connection import ConnectionPlace
from pausewatch.cluster.reports import GROUP_PATH, PLURAL
from pausewatch.sinks.events import API_VERSION as EVENTS_VERSION
from scale.progress import say
from scale.reports import NAMESPACE

TOKEN_SECONDS = 3600
"""The simulation is over long before."""

AT_ONCE = 4
"""Nodes that are made at the same time."""

NODES_PER_LINE = 100

VIRTUAL = "virtual"
"""Label of nodes and pods that are objects only."""


def names(count: int) -> list[str]:
    """Return the names of virtual nodes."""
    return [f"virtual-{number:04}" for number in range(count)]


@contextmanager
def folder_of_tokens() -> Iterator[Path]:
    """Have a directory that only we may read, and that is gone in the end."""
    with TemporaryDirectory(prefix="pausewatch-scale-") as folder:
        yield Path(folder)


async def make(cluster: Cluster, node_names: Sequence[str], folder: Path) -> list[ConnectionPlace]:
    """Make the objects and the files that a kubelet would mount, and return where each agent's are, in order.

    Raises:
        ApiError: The API server refused one.
    """
    say(f"making {len(node_names)} nodes, each with the pod of an agent and its token")
    admin = ApiClient(ConnectionPlace(kubeconfig=cluster.kubeconfig))
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, node_name: str) -> ConnectionPlace:
        async with turns:
            if number and number % NODES_PER_LINE == 0:
                say(f"{number} of {len(node_names)} nodes made")
            return await _make(cluster, admin, node_name, folder / node_name)

    try:
        return await asyncio.gather(*(one(number, name) for number, name in enumerate(node_names)))
    finally:
        await admin.close()


async def remove(cluster: Cluster) -> None:
    """Remove all virtual nodes, their pods and reports, and the Events about them.

    Raises:
        ApiError: The API server did not do it.
    """
    namespace, _ = service_account()
    admin = ApiClient(ConnectionPlace(kubeconfig=cluster.kubeconfig))
    try:
        await admin.request("DELETE", "/api/v1/nodes", query={"labelSelector": VIRTUAL})
        at_once = {"labelSelector": VIRTUAL, "gracePeriodSeconds": "0"}
        await admin.request("DELETE", f"/api/v1/namespaces/{namespace}/pods", query=at_once)
        await admin.request("DELETE", f"{GROUP_PATH}/{PLURAL}")
        await admin.request("DELETE", f"/apis/{EVENTS_VERSION}/namespaces/{NAMESPACE}/events")
    finally:
        await admin.close()


async def _make(cluster: Cluster, admin: ApiClient, node_name: str, files: Path) -> ConnectionPlace:
    namespace, account = service_account()
    await admin.request("POST", "/api/v1/nodes", body=_labelled(node_manifest(node_name)))
    manifest = _labelled(agent_pod_manifest(node_name))
    pod = await admin.request("POST", f"/api/v1/namespaces/{namespace}/pods", body=manifest)
    bound = {"apiVersion": "v1", "kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
    asked = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": [], "expirationSeconds": TOKEN_SECONDS, "boundObjectRef": bound},
    }
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    answer = await admin.request("POST", path, body=asked)
    _write_token(files, answer["status"]["token"], cluster)
    return ConnectionPlace(kubeconfig=None, service_account=files, host=cluster.places.api_address, port=str(API_PORT))


def _write_token(files: Path, token: str, cluster: Cluster) -> None:
    files.mkdir()
    (files / "token").write_text(token, encoding="ascii")
    (files / "ca.crt").write_text(cluster.places.certificates.certificate("ca").read_text(), encoding="ascii")


def _labelled(manifest: dict[str, Any]) -> dict[str, Any]:
    return manifest | {"metadata": manifest["metadata"] | {"labels": {VIRTUAL: "yes"}}}
