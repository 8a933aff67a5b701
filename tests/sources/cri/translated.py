"""Answers of the CRI, recorded or made up, as values of the model."""

import json
from typing import Any

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.sandbox import ContainerDetails, SandboxDetails, SpecNamespace
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.translate_container import translate_container
from pausewatch.sources.cri.translate_sandbox import translate_sandbox
from sources.cri.recorded import recorded_container, recorded_sandbox

NETWORK, IPC, UTS, PID = NamespaceKind.NETWORK, NamespaceKind.IPC, NamespaceKind.UTS, NamespaceKind.PID


def entry(kind: NamespaceKind, path: str = "") -> SpecNamespace:
    """Return one entry of a specification."""
    return SpecNamespace(kind=kind, path=path)


def sandbox_details(name: str) -> SandboxDetails:
    """Return the details of a recorded sandbox."""
    details = translate_sandbox(*recorded_sandbox(name)).details
    assert isinstance(details, SandboxDetails)
    return details


def container_details(name: str) -> ContainerDetails:
    """Return the details of the recorded container of a pod."""
    details = translate_container(*recorded_container(name)).details
    assert isinstance(details, ContainerDetails)
    return details


def running(info: Any, state: int = cri.CONTAINER_RUNNING) -> ContainerDetails | Unavailable:  # noqa: ANN401
    """Return the details of a container with this JSON."""
    answer = cri.ContainerStatusResponse(
        status=cri.ContainerStatus(state=cri.ContainerState.Name(state)), info={"info": json.dumps(info)}
    )
    return translate_container(cri.Container(id="c1", pod_sandbox_id="s1"), answer).details


def ready(answer: cri.PodSandboxStatusResponse) -> SandboxDetails | Unavailable:
    """Return the details of a sandbox with this status."""
    metadata = cri.PodSandboxMetadata(name="web", namespace="default", uid="u1")
    return translate_sandbox(cri.PodSandbox(id="s1", metadata=metadata), answer).details
