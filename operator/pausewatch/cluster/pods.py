"""Pods of the API as the model knows them, and the two questions about them that we ask ourselves."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pausewatch.cluster.client import ApiClient
from pausewatch.cluster.errors import NOT_FOUND, ApiError
from pausewatch.model.pod import Pod
from pausewatch.model.text import printable

PODS_PATH = "/api/v1/pods"

MIRROR = "kubernetes.io/config.mirror"
"""Annotation of the mirror pod of a static one: the hash that is the static pod's uid for the kubelet and therefore in
the sandbox (kubelet: pkg/kubelet/types/pod_update.go, ConfigMirrorAnnotationKey)."""


def translate(pod: Mapping[str, Any]) -> Pod:
    """Return a pod, or the metadata of one, as the model knows it."""
    metadata = pod.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    grace = metadata.get("deletionGracePeriodSeconds")
    return Pod(
        namespace=printable(str(metadata.get("namespace", ""))),
        name=printable(str(metadata.get("name", ""))),
        uid=printable(str(annotations.get(MIRROR) or metadata.get("uid", ""))),
        # Kubernetes sets the period together with the timestamp; on its own it would mean nothing.
        deletion_grace_seconds=float(grace or 0) if metadata.get("deletionTimestamp") else None,
        deletion_due_at=moment(metadata.get("deletionTimestamp")),
    )


def moment(text: object) -> datetime | None:
    """Return a time of the API (RFC 3339); None for anything else, such as a time without its zone."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


async def list_pods(api: ApiClient, node_name: str) -> tuple[Pod, ...]:
    """Return the pods bound to a node now: without ``resourceVersion`` a LIST is consistent.

    Raises:
        ApiError: The API server did not answer.
    """
    answer = await api.request(
        "GET",
        PODS_PATH,
        query={"fieldSelector": f"spec.nodeName={node_name}"},
    )
    return tuple(translate(one) for one in answer.get("items") or ())


async def get_pod(api: ApiClient, namespace: str, name: str) -> Pod | None:
    """Return the pod that has this name now, whatever its uid; None if there is none.

    Raises:
        ApiError: The API server did not answer.
    """
    answer = await get_whole_pod(api, namespace, name)
    return None if answer is None else translate(answer)


async def get_whole_pod(api: ApiClient, namespace: str, name: str) -> Mapping[str, Any] | None:
    """Return the object of the pod that has this name now; None if there is none.

    Raises:
        ApiError: The API server did not answer.
    """
    try:
        return await api.request(
            "GET",
            f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(name, safe='')}",
        )
    except ApiError as error:
        # Only a Status with the pod's name in it says that there is no such pod; a proxy's 404 says nothing.
        if error.status == NOT_FOUND and not error.resource_unknown:
            return None
        raise
