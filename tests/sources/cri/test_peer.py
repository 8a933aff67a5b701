import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.sources.cri.peer import listener_pid
from sources.cri.unprivileged import as_nobody

SECONDS = 5.0


@contextmanager
def listening(path: Path, backlog: int = 8) -> Iterator[socket.socket]:
    """Listen at ``path`` and never accept."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(backlog)
        yield listener


def reason(answer: int | Unavailable) -> str:
    """Return why there is no listener."""
    assert isinstance(answer, Unavailable)
    return answer.reason


def test_listener(tmp_path: Path) -> None:
    """The process that listens is named; that it does not accept yet does not matter."""
    with listening(tmp_path / "s"):
        assert listener_pid(str(tmp_path / "s"), SECONDS) == os.getpid()


def test_missing(tmp_path: Path) -> None:
    """Nothing at the path, or no such folder, is a missing socket."""
    (tmp_path / "file").touch()

    assert reason(listener_pid(str(tmp_path / "s"), SECONDS)) == "SocketMissing"
    assert reason(listener_pid(str(tmp_path / "none/s"), SECONDS)) == "SocketMissing"
    assert reason(listener_pid(str(tmp_path / "file/s"), SECONDS)) == "SocketMissing"


def test_nobody_listens(tmp_path: Path) -> None:
    """The file of a runtime that died is still there and refuses."""
    with listening(tmp_path / "s"):
        pass
    refused = listener_pid(str(tmp_path / "s"), SECONDS)

    assert refused == Unavailable(
        reason="ConnectionRefused",
        detail=f"nobody listens on {tmp_path / 's'}",
        remedy="start the container runtime",
    )


@pytest.mark.parametrize("kind", ["file", "folder", "datagram"])
def test_not_a_stream_socket(kind: str, tmp_path: Path) -> None:
    """A file, a folder and a datagram socket are told as what they are."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagram:
        match kind:
            case "file":
                path.touch()
            case "folder":
                path.mkdir()
            case _:
                datagram.bind(str(path))

        assert reason(listener_pid(str(path), SECONDS)) == "NotASocket"


def test_forbidden(tmp_path: Path) -> None:
    """A socket that belongs to root refuses everybody else, and says what to do."""
    path = tmp_path / "s"
    with listening(path):
        path.chmod(0)
        told = as_nobody(
            "from pausewatch.sources.cri.peer import listener_pid", f"listener_pid({str(path)!r}, {SECONDS})", tmp_path
        )

    assert f"may not connect to {path}; run as root" in told


def test_full_queue(tmp_path: Path) -> None:
    """A runtime that no longer accepts is waited for as long as we were told to, and no longer."""
    path = tmp_path / "s"
    with listening(path, backlog=0), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as first:
        first.connect(str(path))
        hanging = listener_pid(str(path), 0.05)

    assert isinstance(hanging, Unavailable)
    assert (hanging.reason, hanging.detail) == (
        "RuntimeHanging",
        f"the process behind {path} did not accept a connection within 0.05 s",
    )


def test_other_failure(tmp_path: Path) -> None:
    """A failure that has no case of its own is told in the kernel's words."""
    path = tmp_path / "s"
    path.symlink_to(path)
    refused = listener_pid(str(path), SECONDS)

    assert isinstance(refused, Unavailable)
    assert "Too many levels of symbolic links" in refused.detail
