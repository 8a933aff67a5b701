"""A container runtime in a thread: a real gRPC server on a unix socket that answers from messages."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc

from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri

SERVICE = "runtime.v1.RuntimeService"
IMAGE_SERVICE = "runtime.v1.ImageService"

SERVER_OPTIONS = [("grpc.so_reuseport", 0), ("grpc.max_send_message_length", -1)]
"""Without a limit of its own: ours is the one that counts."""


class FakeRuntime:
    """Holds what it lists and tells; a test changes that between readings.

    Attributes:
        calls: How many calls arrived, by method.
        failures: The status code to fail with, by id or method.
        hanging: Ids and methods that are not answered before the runtime is stopped.
        info: What the runtime adds to its verbose status.
        images: By name.
        raw: Bytes to answer instead, by method.
    """

    def __init__(self, path: Path) -> None:
        self.version = "2.4.2"
        self.sandboxes: dict[str, tuple[cri.PodSandbox, cri.PodSandboxStatusResponse]] = {}
        self.containers: dict[str, tuple[cri.Container, cri.ContainerStatusResponse]] = {}
        self.calls: Counter[str] = Counter()
        self.failures: dict[str, grpc.StatusCode] = {}
        self.hanging: set[str] = set()
        self.info: dict[str, str] = {}
        self.images: dict[str, cri.Image] = {}
        self.raw: dict[str, bytes] = {}
        self._path = path
        self._stopped = threading.Event()
        self._server = grpc.server(ThreadPoolExecutor(max_workers=4), options=SERVER_OPTIONS)
        methods: dict[str, tuple[type[Any], Callable[[Any], Any]]] = {
            "Version": (cri.VersionRequest, self._version),
            "Status": (cri.StatusRequest, self._status),
            "ListPodSandbox": (cri.ListPodSandboxRequest, self._list_sandboxes),
            "PodSandboxStatus": (cri.PodSandboxStatusRequest, self._sandbox_status),
            "ListContainers": (cri.ListContainersRequest, self._list_containers),
            "ContainerStatus": (cri.ContainerStatusRequest, self._container_status),
        }
        handlers = {name: self._handler(name, *method) for name, method in methods.items()}
        of_images = {"ImageStatus": self._handler("ImageStatus", cri.ImageStatusRequest, self._image_status)}
        self._server.add_generic_rpc_handlers(
            (
                grpc.method_handlers_generic_handler(SERVICE, handlers),
                grpc.method_handlers_generic_handler(IMAGE_SERVICE, of_images),
            )
        )

    def __enter__(self) -> Self:
        self._server.add_insecure_port(f"unix:{self._path}")
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._server.stop(grace=None).wait()

    def add_sandbox(self, listed: cri.PodSandbox, answer: cri.PodSandboxStatusResponse) -> None:
        """List a sandbox and tell its status."""
        self.sandboxes[listed.id] = (listed, answer)

    def add_container(self, listed: cri.Container, answer: cri.ContainerStatusResponse) -> None:
        """List a container and tell its status."""
        self.containers[listed.id] = (listed, answer)

    def _handler(
        self, name: str, request: type[Any], answer: Callable[[Any], Any]
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        def handle(message: Any, context: grpc.ServicerContext) -> Any:  # noqa: ANN401  any message
            self.calls[name] += 1
            subject = getattr(message, "pod_sandbox_id", "") or getattr(message, "container_id", "")
            if {name, subject} & self.hanging:
                self._stopped.wait()
            failure = self.failures.get(subject) or self.failures.get(name)
            if failure is not None:
                context.abort(failure, f"\x1b[31m{name} failed")
            if name in self.raw:
                return self.raw[name]
            try:
                return answer(message)
            except KeyError:
                context.abort(grpc.StatusCode.NOT_FOUND, "not found")

        return grpc.unary_unary_rpc_method_handler(
            handle,
            request_deserializer=request.FromString,
            response_serializer=lambda answered: (
                answered if isinstance(answered, bytes) else answered.SerializeToString()
            ),
        )

    def _version(self, _: cri.VersionRequest) -> cri.VersionResponse:
        return cri.VersionResponse(runtime_name="containerd", runtime_version=self.version)

    def _status(self, request: cri.StatusRequest) -> cri.StatusResponse:
        assert request.verbose
        return cri.StatusResponse(info=self.info)

    def _image_status(self, request: cri.ImageStatusRequest) -> cri.ImageStatusResponse:
        return cri.ImageStatusResponse(image=self.images.get(request.image.image))

    def _list_sandboxes(self, request: cri.ListPodSandboxRequest) -> cri.ListPodSandboxResponse:
        listed = (sandbox for sandbox, _ in self.sandboxes.values())
        if request.HasField("filter"):
            wanted = request.filter
            listed = (
                sandbox
                for sandbox in listed
                if sandbox.id.startswith(wanted.id) and sandbox.state == wanted.state.state
            )
        return cri.ListPodSandboxResponse(items=listed)

    def _sandbox_status(self, request: cri.PodSandboxStatusRequest) -> cri.PodSandboxStatusResponse:
        assert request.verbose
        return self.sandboxes[request.pod_sandbox_id][1]

    def _list_containers(self, request: cri.ListContainersRequest) -> cri.ListContainersResponse:
        listed = (container for container, _ in self.containers.values())
        if request.HasField("filter"):
            wanted = request.filter
            listed = (
                container
                for container in listed
                if container.id.startswith(wanted.id) and container.state == wanted.state.state
            )
        return cri.ListContainersResponse(containers=listed)

    def _container_status(self, request: cri.ContainerStatusRequest) -> cri.ContainerStatusResponse:
        assert request.verbose
        return self.containers[request.container_id][1]
