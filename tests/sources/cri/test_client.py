import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import grpc
import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.sources.cri._generated.runtime_v1_pb2 import (
    CONTAINER_EXITED,
    CONTAINER_RUNNING,
    Container,
    ContainerState,
    ContainerStatusResponse,
)
from pausewatch.sources.cri.client import CriClient
from sources.cri.fake_runtime import FakeRuntime

SECONDS = 5.0
SHORT_SECONDS = 0.2


@contextmanager
def client(path: Path, timeout_seconds: float = SECONDS) -> Iterator[CriClient]:
    """Connect to ``path``."""
    made = CriClient(str(path), timeout_seconds, Counter())
    try:
        yield made
    finally:
        made.close()


@contextmanager
def server(path: Path, serve: Callable[[socket.socket], None]) -> Iterator[None]:
    """Listen at ``path`` and hand every connection to ``serve``."""

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                serve(connection)

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=accept)
        thread.start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def failure(answer: object) -> Unavailable:
    """Return why a call failed."""
    assert isinstance(answer, Unavailable)
    return answer


def test_answers(tmp_path: Path) -> None:
    """Every method reaches the runtime by its path, and is counted."""
    with FakeRuntime(tmp_path / "s") as runtime, client(tmp_path / "s") as cri:
        runtime.add_container(Container(id="c1", state=CONTAINER_RUNNING), ContainerStatusResponse(info={"info": "{}"}))
        version = cri.version()
        status = cri.container_status("c1")
        cri.list_sandboxes()
        cri.list_containers()

        assert not isinstance(version, Unavailable)
        assert version.runtime_name == "containerd"
        assert not isinstance(status, Unavailable)
        assert dict(status.info) == {"info": "{}"}
        assert cri.calls == {"Version": 1, "ContainerStatus": 1, "ListPodSandbox": 1, "ListContainers": 1}
        assert cri.calls == runtime.calls


@pytest.mark.parametrize(("state", "found"), [(CONTAINER_RUNNING, ["c1"]), (CONTAINER_EXITED, [])])
def test_filter(state: ContainerState, found: list[str], tmp_path: Path) -> None:
    """The runtime looks for the container, so that the answer is small on a large node."""
    with FakeRuntime(tmp_path / "s") as runtime, client(tmp_path / "s") as cri:
        runtime.add_container(Container(id="c1", state=state), ContainerStatusResponse())
        runtime.add_container(Container(id="d1", state=CONTAINER_RUNNING), ContainerStatusResponse())
        answer = cri.find_running_container("c1")

        assert not isinstance(answer, Unavailable)
        assert [container.id for container in answer.containers] == found


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (grpc.StatusCode.NOT_FOUND, "NotFound"),
        (grpc.StatusCode.UNKNOWN, "CallFailed"),
        (grpc.StatusCode.INTERNAL, "CallFailed"),
        (grpc.StatusCode.UNIMPLEMENTED, "CallFailed"),
        (grpc.StatusCode.PERMISSION_DENIED, "PermissionDenied"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "AnswerTooLarge"),
        (grpc.StatusCode.UNAVAILABLE, "ConnectionLost"),
    ],
)
def test_failures_of_a_runtime_that_answered(code: grpc.StatusCode, reason: str, tmp_path: Path) -> None:
    """What the runtime says is passed on, escaped; that it speaks the CRI is known by then."""
    with FakeRuntime(tmp_path / "s") as runtime, client(tmp_path / "s") as cri:
        cri.version()
        runtime.failures["ListPodSandbox"] = code
        failed = failure(cri.list_sandboxes())

    assert failed.reason == reason
    assert r"\x1b[31mListPodSandbox failed" in failed.detail


def test_disabled_cri(tmp_path: Path) -> None:
    """Docker's containerd has a socket and no CRI: it says so to the first call."""
    with FakeRuntime(tmp_path / "s") as runtime, client(tmp_path / "s") as cri:
        runtime.failures["Version"] = grpc.StatusCode.UNIMPLEMENTED
        failed = failure(cri.version())

    assert failed.reason == "NotACri"
    assert f"unix://{tmp_path / 's'} does not speak the CRI v1" in failed.detail


def test_deadline(tmp_path: Path) -> None:
    """A runtime that accepts and does not answer is given the time limit, and named as hanging."""
    with FakeRuntime(tmp_path / "s") as runtime, client(tmp_path / "s", SHORT_SECONDS) as cri:
        runtime.hanging.add("ListPodSandbox")
        failed = failure(cri.list_sandboxes())

    assert failed.reason == "RuntimeHanging"
    assert failed.detail == f"the runtime at unix://{tmp_path / 's'} did not answer ListPodSandbox within 0.2 s"


def test_nobody_accepts(tmp_path: Path) -> None:
    """A process that is stopped still has a listening socket; connecting to it works, calling does not."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        with client(tmp_path / "s", SHORT_SECONDS) as cri:
            assert failure(cri.version()).reason == "RuntimeHanging"


def test_answers_something_else(tmp_path: Path) -> None:
    """A server of another protocol is no runtime."""

    def serve(connection: socket.socket) -> None:
        with suppress(BrokenPipeError):  # a caller that only looked who listens is gone already
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    with server(tmp_path / "s", serve), client(tmp_path / "s") as cri:
        assert failure(cri.version()).reason == "NotACri"


def test_closes_at_once(tmp_path: Path) -> None:
    """A server that ends every connection is no runtime either."""
    with server(tmp_path / "s", lambda _: None), client(tmp_path / "s") as cri:
        assert failure(cri.version()).reason == "NotACri"


def test_nobody_listens(tmp_path: Path) -> None:
    """A runtime that ended is told as that, and not as one that does not speak the CRI."""
    with FakeRuntime(tmp_path / "s"), client(tmp_path / "s") as cri:
        cri.version()
    with client(tmp_path / "s") as cri:
        assert failure(cri.version()).reason == "SocketMissing"


def test_large_answer(tmp_path: Path) -> None:
    """A list of more than gRPC's usual 4 MiB is read, one of more than 16 MiB is refused with its cause."""
    with FakeRuntime(tmp_path / "s") as runtime, client(tmp_path / "s") as cri:
        runtime.add_container(Container(id="a" * (5 << 20)), ContainerStatusResponse())
        read = cri.list_containers()
        runtime.add_container(Container(id="b" * (12 << 20)), ContainerStatusResponse())
        refused = cri.list_containers()

    assert not isinstance(read, Unavailable)
    assert failure(refused).reason == "AnswerTooLarge"


def test_restart(tmp_path: Path) -> None:
    """The same connection reaches a runtime that was restarted, at the first call after it is back."""
    with client(tmp_path / "s") as cri:
        with FakeRuntime(tmp_path / "s"):
            assert not isinstance(cri.version(), Unavailable)
        with FakeRuntime(tmp_path / "s"):
            assert not isinstance(cri.version(), Unavailable)


def test_answer_that_is_no_message(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """From a runtime that spoke the CRI before it is a fault; gRPC's own trace of it is kept out of our output."""
    with FakeRuntime(tmp_path / "s") as runtime, client(tmp_path / "s") as cri:
        cri.version()
        runtime.raw["ListPodSandbox"] = b"\xff\xff"
        failed = failure(cri.list_sandboxes())

    assert failed.reason == "AnswerUnreadable"
    assert "ListPodSandbox" in failed.detail
    assert capfd.readouterr() == ("", "")


def test_listener_whose_first_answer_is_no_message(tmp_path: Path) -> None:
    """It has never shown that it is a runtime."""
    with FakeRuntime(tmp_path / "s") as runtime, client(tmp_path / "s") as cri:
        runtime.raw["Version"] = b"\xff\xff"

        assert failure(cri.version()).reason == "NotACri"


@pytest.mark.parametrize(
    ("method", "size", "remedy"),
    [
        ("ListPodSandbox", 8 << 20, "crictl rm"),
        ("ListPodSandbox", 17 << 20, "crictl rm"),
        ("Version", 3 << 20, "inspect"),
    ],
)
def test_answer_that_is_too_large(method: str, size: int, remedy: str, tmp_path: Path) -> None:
    """Within what gRPC lets through as well: what an answer needs once it is read may be a hundred times as much."""
    with FakeRuntime(tmp_path / "s") as runtime, client(tmp_path / "s") as cri:
        cri.status()
        runtime.raw[method] = b"\x0a\x00" * (size // 2)
        failed = failure(cri.version() if method == "Version" else cri.list_sandboxes())

    assert failed.reason == "AnswerTooLarge"
    assert remedy in failed.remedy
