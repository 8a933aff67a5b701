"""Calls to one container runtime over gRPC: a time limit on each, and every failure told as a value.

Only messages come out of here; ``translate_sandbox`` and ``translate_container`` make values of them.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from pausewatch.model.availability import Unavailable
from pausewatch.model.text import printable
from pausewatch.sources.cri._generated.runtime_v1_pb2 import (
    CONTAINER_RUNNING,
    SANDBOX_READY,
    ContainerFilter,
    ContainerStateValue,
    ContainerStatusRequest,
    ContainerStatusResponse,
    ImageSpec,
    ImageStatusRequest,
    ImageStatusResponse,
    ListContainersRequest,
    ListContainersResponse,
    ListPodSandboxRequest,
    ListPodSandboxResponse,
    PodSandboxFilter,
    PodSandboxStateValue,
    PodSandboxStatusRequest,
    PodSandboxStatusResponse,
    StatusRequest,
    StatusResponse,
    VersionRequest,
    VersionResponse,
)
from pausewatch.sources.cri.answers import AnswerError, UnreadableError, read_list, read_status
from pausewatch.sources.cri.endpoint import endpoint_uri
from pausewatch.sources.cri.peer import listener_pid

NOT_FOUND = "NotFound"
RUNTIME_HANGING = "RuntimeHanging"
CALL_FAILED = "CallFailed"
ANSWER_TOO_LARGE = "AnswerTooLarge"
ANSWER_UNREADABLE = "AnswerUnreadable"

ABOUT_ONE_CALL = frozenset({NOT_FOUND, CALL_FAILED, ANSWER_TOO_LARGE, ANSWER_UNREADABLE})
"""Reasons after which another call may well succeed; all others are about the connection or the runtime."""

LARGEST_ANSWER_BYTES = 16 * 1024 * 1024
"""What the kubelet accepts as well, and containerd sends (its defaults/defaults.go); gRPC's own limit is 4 MiB, which
the list of a large node exceeds."""

REMOVE_ENDED = "remove sandboxes and containers that ended long ago: crictl rm, crictl rmp"

LOOK_AT_SIZE = "look for the pod or container with the largest annotations and environment: crictl inspectp, inspect"

PROBE_SECONDS = 0.2
"""For finding out why a connection broke; added to the time limit of the call that broke."""

CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", LARGEST_ANSWER_BYTES),
    # A restarted runtime is seen in the next scan, not after gRPC's usual two minutes. Its min_reconnect_backoff_ms
    # is left alone: despite its name it also limits how long connecting may take, and a runtime that hangs would then
    # pass for one that speaks another protocol.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # One call of ours is one call to the runtime.
    ("grpc.enable_retries", 0),
    # Otherwise a new channel inherits the connection, and the pause between attempts, of the one it replaces.
    ("grpc.use_local_subchannel_pool", 1),
)


AnswerT = TypeVar("AnswerT")


class CriClient:
    """A connection to the runtime that listens at one path.

    No method raises for a fault of the runtime, and none takes longer than ``timeout_seconds`` (plus PROBE_SECONDS
    when the connection breaks).

    Attributes:
        calls: How many calls were made, by method; the caller's, so that it outlives a connection.
    """

    def __init__(self, path: str, timeout_seconds: float, calls: Counter[str]) -> None:
        self.calls = calls
        self._path = path
        self._timeout_seconds = timeout_seconds
        self._answered = False
        self._channel = grpc.insecure_channel(f"unix:{path}", options=CHANNEL_OPTIONS)

    def version(self) -> VersionResponse | Unavailable:
        """Ask for the runtime's name and version."""
        return self._call("Version", VersionRequest(), partial(read_status, VersionResponse))

    def list_sandboxes(self) -> ListPodSandboxResponse | Unavailable:
        """Ask for all sandboxes, in no particular order."""
        return self._call("ListPodSandbox", ListPodSandboxRequest(), partial(read_list, ListPodSandboxResponse))

    def list_containers(self) -> ListContainersResponse | Unavailable:
        """Ask for all containers, in no particular order."""
        return self._call("ListContainers", ListContainersRequest(), partial(read_list, ListContainersResponse))

    def find_running_container(self, container_id: str) -> ListContainersResponse | Unavailable:
        """Ask for the containers whose id starts with ``container_id``, if they are RUNNING."""
        running = ContainerStateValue(state=CONTAINER_RUNNING)
        request = ListContainersRequest(filter=ContainerFilter(id=container_id, state=running))
        return self._call("ListContainers", request, partial(read_list, ListContainersResponse))

    def find_ready_sandbox(self, sandbox_id: str) -> ListPodSandboxResponse | Unavailable:
        """Ask for the sandboxes whose id starts with ``sandbox_id``, if they are READY."""
        ready = PodSandboxStateValue(state=SANDBOX_READY)
        request = ListPodSandboxRequest(filter=PodSandboxFilter(id=sandbox_id, state=ready))
        return self._call("ListPodSandbox", request, partial(read_list, ListPodSandboxResponse))

    def sandbox_status(self, sandbox_id: str) -> PodSandboxStatusResponse | Unavailable:
        """Ask for everything that the runtime tells about a sandbox; ``NotFound`` if it is gone."""
        request = PodSandboxStatusRequest(pod_sandbox_id=sandbox_id, verbose=True)
        return self._call("PodSandboxStatus", request, partial(read_status, PodSandboxStatusResponse))

    def container_status(self, container_id: str) -> ContainerStatusResponse | Unavailable:
        """Ask for everything that the runtime tells about a container; ``NotFound`` if it is gone."""
        request = ContainerStatusRequest(container_id=container_id, verbose=True)
        return self._call("ContainerStatus", request, partial(read_status, ContainerStatusResponse))

    def status(self) -> StatusResponse | Unavailable:
        """Ask for what the runtime tells about itself, its configuration included."""
        return self._call("Status", StatusRequest(verbose=True), partial(read_status, StatusResponse))

    def image_status(self, name: str) -> ImageStatusResponse | Unavailable:
        """Ask for an image; an answer without one means that the runtime does not have it."""
        request = ImageStatusRequest(image=ImageSpec(image=name))
        return self._call("ImageStatus", request, partial(read_status, ImageStatusResponse), service="ImageService")

    def close(self) -> None:
        """End the connection; a call after this fails."""
        self._channel.close()

    def _call(
        self, method: str, request: Message, read: Callable[[bytes], AnswerT], service: str = "RuntimeService"
    ) -> AnswerT | Unavailable:
        self.calls[method] += 1
        call = self._channel.unary_unary(
            f"/runtime.v1.{service}/{method}",
            request_serializer=type(request).SerializeToString,
            # No message: gRPC would write the trace of a failed attempt to read one to our output.
            response_deserializer=bytes,
        )
        try:
            message = read(call(request, timeout=self._timeout_seconds))
        except grpc.RpcError as error:
            return self._why(method, error.code(), printable(error.details() or "no reason given"))
        except AnswerError as error:
            return self._why_not_taken(method, error)
        self._answered = True
        return message

    def _why_not_taken(self, method: str, error: AnswerError) -> Unavailable:
        uri = endpoint_uri(printable(self._path))
        detail = f"the runtime at {uri} gave an answer to {method} that {error}"
        if not isinstance(error, UnreadableError):
            remedy = REMOVE_ENDED if method.startswith("List") else LOOK_AT_SIZE
            return Unavailable(reason=ANSWER_TOO_LARGE, detail=detail, remedy=remedy)
        if not self._answered:
            return _not_a_cri(uri, f"its answer to {method} {error}")
        return Unavailable(
            reason=ANSWER_UNREADABLE,
            detail=detail,
            remedy="read the container runtime's log, and report it to its makers with its version",
        )

    def _why(self, method: str, code: grpc.StatusCode, said: str) -> Unavailable:
        uri = endpoint_uri(printable(self._path))
        match code:
            case grpc.StatusCode.UNAVAILABLE:
                return self._why_disconnected(method, uri, said)
            case grpc.StatusCode.UNIMPLEMENTED | grpc.StatusCode.INTERNAL if not self._answered:
                return _not_a_cri(uri, said)
            case grpc.StatusCode.DEADLINE_EXCEEDED:
                reason = RUNTIME_HANGING
                cause = f"did not answer {method} within {self._timeout_seconds:g} s"
                remedy = "read the container runtime's log, and restart it if it does not recover"
            case grpc.StatusCode.NOT_FOUND:
                reason, cause, remedy = NOT_FOUND, f"knows no such thing ({method}): {said}", ""
            case grpc.StatusCode.PERMISSION_DENIED | grpc.StatusCode.UNAUTHENTICATED:
                reason = "PermissionDenied"
                cause = f"refused {method}: {said}"
                remedy = "allow this program to call the container runtime"
            case grpc.StatusCode.RESOURCE_EXHAUSTED:
                reason = ANSWER_TOO_LARGE
                limit = f"limit {LARGEST_ANSWER_BYTES >> 20} MiB"
                cause = f"has an answer to {method} that is too large for it or for us ({limit}): {said}"
                remedy = REMOVE_ENDED
            case _:
                reason, cause, remedy = CALL_FAILED, f"failed {method}: {said}", ""
        return Unavailable(reason=reason, detail=f"the runtime at {uri} {cause}", remedy=remedy)

    def _why_disconnected(self, method: str, uri: str, said: str) -> Unavailable:
        """Tell a runtime that went away from a listener that never was one."""
        listener = listener_pid(self._path, PROBE_SECONDS)
        if isinstance(listener, Unavailable):
            return listener
        if not self._answered:
            return _not_a_cri(uri, said)
        return Unavailable(
            reason="ConnectionLost",
            detail=f"the runtime at {uri} ended the connection during {method}: {said}",
            remedy="scan again: it listens, so it was probably restarted",
        )


def _not_a_cri(uri: str, said: str) -> Unavailable:
    return Unavailable(
        reason="NotACri",
        detail=f"{uri} does not speak the CRI v1: {said}",
        remedy="enable the runtime's CRI, or name the right socket with --runtime-endpoint unix:///path",
    )
