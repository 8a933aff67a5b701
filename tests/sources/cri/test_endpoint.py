from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.sources.cri.endpoint import (
    KNOWN_SOCKETS,
    choose_socket,
    endpoint_uri,
    existing_sockets,
    parse_endpoint,
)
from sources.cri.unprivileged import as_nobody


@pytest.mark.parametrize("text", ["unix:///run/a.sock", "unix:/run/a.sock", "/run/a.sock"])
def test_endpoint_forms(text: str) -> None:
    """A URI and a bare path name the same socket."""
    assert parse_endpoint(text) == "/run/a.sock"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("tcp://127.0.0.1:1234", "is no absolute path of a unix socket"),
        ("run/a.sock", "is no absolute path of a unix socket"),
        ("unix://run/a.sock", "is no absolute path of a unix socket"),
        ("unix://", "is no absolute path of a unix socket"),
        ("", "is no absolute path of a unix socket"),
        ("/run/a\0b", "contains a zero byte"),
        ("/" + "a" * 107, "is longer than the 107 bytes"),
    ],
)
def test_invalid_endpoint(text: str, cause: str) -> None:
    """What is no path of a unix socket is refused with the cause and the form that is accepted."""
    refused = parse_endpoint(text)

    assert isinstance(refused, Unavailable)
    assert refused.reason == "EndpointInvalid"
    assert cause in refused.detail
    assert "unix:///path" in refused.remedy


def test_endpoint_uri() -> None:
    """A path is shown as the URI that all tools of the CRI accept."""
    assert endpoint_uri("/run/a.sock") == "unix:///run/a.sock"
    assert parse_endpoint(endpoint_uri("/run/a.sock")) == "/run/a.sock"


def test_order() -> None:
    """Crictl's order comes first, so that both tools look at the same runtime."""
    assert KNOWN_SOCKETS[:3] == (
        "/run/containerd/containerd.sock",
        "/run/crio/crio.sock",
        "/run/cri-dockerd.sock",
    )
    assert choose_socket(None, KNOWN_SOCKETS) == "/run/containerd/containerd.sock"
    assert choose_socket(None, KNOWN_SOCKETS[1:]) == "/run/crio/crio.sock"
    assert choose_socket(None, {"/run/k3s/containerd/containerd.sock"}) == "/run/k3s/containerd/containerd.sock"


def test_explicit_endpoint_wins() -> None:
    """A named socket is used even where known ones exist and nothing exists at its own path."""
    assert choose_socket("unix:///opt/a.sock", KNOWN_SOCKETS) == "/opt/a.sock"


def test_nothing_found() -> None:
    """Without any socket the places that were looked at are named."""
    missing = choose_socket(None, ())

    assert isinstance(missing, Unavailable)
    assert missing.reason == "SocketMissing"
    for path in KNOWN_SOCKETS:
        assert path in missing.detail


def test_nothing_found_below_a_root() -> None:
    """In a pod one looks at what is mounted there, which may be less than the node has."""
    missing = choose_socket(None, (), "/host")

    assert isinstance(missing, Unavailable)
    assert "/host/run/containerd/containerd.sock" in missing.detail


def test_existing_sockets(tmp_path: Path) -> None:
    """What exists below the root is found under the path that it has on the node."""
    (tmp_path / "run/crio").mkdir(parents=True)
    (tmp_path / "run/crio/crio.sock").touch()

    assert existing_sockets(tmp_path) == {"/run/crio/crio.sock"}


def test_part_of_the_path_is_a_file(tmp_path: Path) -> None:
    """A file in the place of a folder is no runtime."""
    (tmp_path / "run").touch()

    assert existing_sockets(tmp_path) == frozenset()


def test_forbidden_folder_may_hold_a_socket(tmp_path: Path) -> None:
    """Whoever may not look is to be told so, and not that no runtime is there."""
    folder = tmp_path / "run/k3s"
    folder.mkdir(parents=True)
    folder.chmod(0)
    tmp_path.chmod(0o755)
    found = as_nobody(
        "from pathlib import Path; from pausewatch.sources.cri.endpoint import existing_sockets",
        "sorted(existing_sockets(Path()))",
        tmp_path,
    )

    assert found == "['/run/k3s/containerd/containerd.sock']"
