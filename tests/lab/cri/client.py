"""Calls to a container runtime, as a kubelet makes them: each with a deadline, each error naming its call."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from lab.cri import lab_cri_pb2 as pb
from lab.errors import LabError

_Answer = TypeVar("_Answer", bound=Message)

#: Seconds one call may take. Making a sandbox runs CNI plugins and two runc commands: about 0.3 s here.
_CALL_SECONDS = 30.0
#: Seconds between SIGTERM and SIGKILL when a container is stopped: nothing in the lab needs to say goodbye.
_STOP_GRACE_SECONDS = 0
_RETRY_SECONDS = 0.2
#: What a runtime says that did not get done: on a busy machine it runs into deadlines of its own towards a shim.
_TRY_AGAIN = {grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED}


class CallError(LabError):
    """The runtime refused a call, or did not answer in time.

    Attributes:
        code: The gRPC status, for callers that treat NOT_FOUND as done.
    """

    def __init__(self, method: str, code: grpc.StatusCode, details: str) -> None:
        super().__init__(f"{method}: {code.name}: {details}")
        self.code = code


@dataclass(frozen=True)
class CriClient:
    """The part of the CRI that makes and removes pods. Use `connect`; close it when done."""

    channel: grpc.Channel

    @classmethod
    def connect(cls, socket: Path) -> "CriClient":
        """A client of the runtime behind this unix socket; nothing is sent yet."""
        return cls.reach(f"unix://{socket}")

    @classmethod
    def reach(cls, endpoint: str) -> "CriClient":
        """A client of the runtime at an endpoint, "unix:///path" or "address:port"; nothing is sent yet."""
        return cls(grpc.insecure_channel(endpoint, options=[("grpc.enable_http_proxy", 0)]))

    def close(self) -> None:
        """Close the connection."""
        self.channel.close()

    def call(
        self, method: str, request: Message, answer: type[_Answer], limit_seconds: float = _CALL_SECONDS
    ) -> _Answer:
        """Send one call; `method` is "RuntimeService/Version".

        Raises:
            CallError: Any status but OK, a passed deadline included.
        """
        send = self.channel.unary_unary(
            f"/runtime.v1.{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        try:
            reply: _Answer = send(request, timeout=limit_seconds)
        except grpc.RpcError as error:
            raise CallError(method, error.code(), error.details() or "") from error
        return reply

    def version(self, limit_seconds: float = _CALL_SECONDS) -> pb.VersionResponse:
        """Name and version of the runtime."""
        return self.call("RuntimeService/Version", pb.VersionRequest(), pb.VersionResponse, limit_seconds)

    def unready_conditions(self) -> list[str]:
        """What keeps the runtime from running pods, as "NetworkReady: reason: message"; empty when it is ready."""
        answer = self.call("RuntimeService/Status", pb.StatusRequest(), pb.StatusResponse, 5)
        return [
            f"{condition.type}: {condition.reason}: {condition.message}"
            for condition in answer.status.conditions
            if condition.type in {"RuntimeReady", "NetworkReady"} and not condition.status
        ]

    def run_sandbox(self, config: pb.PodSandboxConfig, runtime_handler: str) -> str:
        """Make a sandbox and return its id."""
        request = pb.RunPodSandboxRequest(config=config, runtime_handler=runtime_handler)
        return self.call("RuntimeService/RunPodSandbox", request, pb.RunPodSandboxResponse).pod_sandbox_id

    def stop_sandbox(self, sandbox_id: str, limit_seconds: float = _CALL_SECONDS) -> None:
        """Stop the sandbox and everything in it; its network namespace goes, its record stays."""
        request = pb.StopPodSandboxRequest(pod_sandbox_id=sandbox_id)
        self.call("RuntimeService/StopPodSandbox", request, pb.StopPodSandboxResponse, limit_seconds)

    def remove_sandbox(self, sandbox_id: str, limit_seconds: float = _CALL_SECONDS) -> None:
        """Stop and remove the sandbox with its containers; one that is not there is fine.

        Tried again, as a kubelet does: a runtime that has lost a shim takes a few seconds to notice, and refuses
        until then ("container is still running").

        Raises:
            CallError: It was still refused when the limit was reached.
        """
        request = pb.RemovePodSandboxRequest(pod_sandbox_id=sandbox_id)
        deadline = time.monotonic() + limit_seconds
        while True:
            left = max(0.1, deadline - time.monotonic())
            try:
                self.stop_sandbox(sandbox_id, left)
                self.call("RuntimeService/RemovePodSandbox", request, pb.RemovePodSandboxResponse, left)
            except CallError as error:
                if error.code is grpc.StatusCode.NOT_FOUND:
                    return
                if error.code not in _TRY_AGAIN or time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY_SECONDS)
            else:
                return

    def sandboxes(self) -> list[pb.PodSandbox]:
        """Every sandbox the runtime knows, whatever its state."""
        answer = self.call("RuntimeService/ListPodSandbox", pb.ListPodSandboxRequest(), pb.ListPodSandboxResponse)
        return list(answer.items)

    def sandbox_status(self, sandbox_id: str) -> pb.PodSandboxStatus:
        """State and addresses of one sandbox."""
        return self._sandbox(sandbox_id).status

    def sandbox_info(self, sandbox_id: str) -> Mapping[str, Any]:
        """What containerd tells of a sandbox beyond the CRI: pid, runtimeSpec, image, ..."""
        return _info(self._sandbox(sandbox_id).info)

    def create_container(self, sandbox_id: str, config: pb.ContainerConfig, sandbox: pb.PodSandboxConfig) -> str:
        """Make a container that is not started yet, and return its id."""
        request = pb.CreateContainerRequest(pod_sandbox_id=sandbox_id, config=config, sandbox_config=sandbox)
        return self.call("RuntimeService/CreateContainer", request, pb.CreateContainerResponse).container_id

    def start_container(self, container_id: str) -> None:
        """Start a container that was made."""
        request = pb.StartContainerRequest(container_id=container_id)
        self.call("RuntimeService/StartContainer", request, pb.StartContainerResponse)

    def remove_container(self, container_id: str) -> None:
        """Kill and remove one container; its sandbox stays."""
        stop = pb.StopContainerRequest(container_id=container_id, timeout=_STOP_GRACE_SECONDS)
        self.call("RuntimeService/StopContainer", stop, pb.StopContainerResponse)
        request = pb.RemoveContainerRequest(container_id=container_id)
        self.call("RuntimeService/RemoveContainer", request, pb.RemoveContainerResponse)

    def containers(self, sandbox_id: str = "") -> list[pb.Container]:
        """The containers of one sandbox, or of all."""
        request = pb.ListContainersRequest(filter=pb.ContainerFilter(pod_sandbox_id=sandbox_id))
        return list(self.call("RuntimeService/ListContainers", request, pb.ListContainersResponse).containers)

    def container_status(self, container_id: str) -> pb.ContainerStatus:
        """State and exit code of one container."""
        return self._container(container_id).status

    def container_info(self, container_id: str) -> Mapping[str, Any]:
        """What containerd tells of a container beyond the CRI: pid, runtimeSpec, config, ..."""
        return _info(self._container(container_id).info)

    def has_image(self, name: str) -> bool:
        """Whether the CRI knows this image; an unknown one is an answer without image, not an error."""
        request = pb.ImageStatusRequest(image=pb.ImageSpec(image=name))
        return self.call("ImageService/ImageStatus", request, pb.ImageStatusResponse).HasField("image")

    def images(self) -> list[pb.Image]:
        """Every image the CRI knows."""
        return list(self.call("ImageService/ListImages", pb.ListImagesRequest(), pb.ListImagesResponse).images)

    def remove_image(self, name: str) -> None:
        """Remove an image, as image garbage collection does."""
        request = pb.RemoveImageRequest(image=pb.ImageSpec(image=name))
        self.call("ImageService/RemoveImage", request, pb.RemoveImageResponse)

    def _sandbox(self, sandbox_id: str) -> pb.PodSandboxStatusResponse:
        request = pb.PodSandboxStatusRequest(pod_sandbox_id=sandbox_id, verbose=True)
        return self.call("RuntimeService/PodSandboxStatus", request, pb.PodSandboxStatusResponse)

    def _container(self, container_id: str) -> pb.ContainerStatusResponse:
        request = pb.ContainerStatusRequest(container_id=container_id, verbose=True)
        return self.call("RuntimeService/ContainerStatus", request, pb.ContainerStatusResponse)


def _info(entries: Mapping[str, str]) -> Mapping[str, Any]:
    document: Mapping[str, Any] = json.loads(entries["info"])
    return document
