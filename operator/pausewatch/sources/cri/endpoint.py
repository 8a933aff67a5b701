"""Where the container runtime's socket is."""

import os
from collections.abc import Collection
from pathlib import Path

from pausewatch.model.availability import Unavailable
from pausewatch.model.text import printable

KNOWN_SOCKETS = (
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/cri-dockerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/var/snap/microk8s/common/run/containerd.sock",
    "/run/k0s/containerd.sock",
)
"""Tried in this order: that of crictl (containerd, CRI-O, cri-dockerd), then the distributions that bring a containerd
of their own (k3s and rke2, microk8s, k0s). A node with several runtimes is told which one by an explicit endpoint."""

LONGEST_PATH_BYTES = 107
"""``sun_path`` holds 108 bytes, the last of them 0 (unix(7))."""

SCHEME = "unix:"


def endpoint_uri(path: str) -> str:
    """Return a socket's path the way people and the kubelet write it: ``unix:///run/containerd/containerd.sock``."""
    return f"unix://{path}"


def parse_endpoint(text: str) -> str | Unavailable:
    """Return the socket's path from ``unix:///path`` or a bare ``/path``.

    Everything else is ``Unavailable(reason="EndpointInvalid")``: the CRI has no authentication, so a runtime that
    listens on TCP is nothing to connect to as root.
    """
    path = text.removeprefix(SCHEME)
    if path.startswith("//"):
        path = path.removeprefix("//")
    if not path.startswith("/"):
        cause = "is no absolute path of a unix socket"
    elif "\0" in path:
        cause = "contains a zero byte"
    elif len(os.fsencode(path)) > LONGEST_PATH_BYTES:
        cause = f"is longer than the {LONGEST_PATH_BYTES} bytes that a unix socket's path may have"
    else:
        return path
    return Unavailable(
        reason="EndpointInvalid",
        detail=f"the runtime endpoint {printable(text)!r} {cause}",
        remedy="name the socket with --runtime-endpoint unix:///path",
    )


def choose_socket(endpoint: str | None, existing: Collection[str], root: str = "") -> str | Unavailable:
    """Return the path of the socket to use: the one of ``endpoint``, else the first known one of ``existing``.

    An explicit endpoint wins even where nothing exists at its path: connecting says why. ``root`` is told to people:
    where the node's directories are mounted, empty on the node itself.
    """
    if endpoint is not None:
        return parse_endpoint(endpoint)
    for path in KNOWN_SOCKETS:
        if path in existing:
            return path
    return Unavailable(
        reason="SocketMissing",
        detail=f"no container runtime socket found (looked at {', '.join(f'{root}{path}' for path in KNOWN_SOCKETS)})",
        remedy="start the container runtime, or name its socket with --runtime-endpoint unix:///path",
    )


def existing_sockets(root: Path = Path("/")) -> frozenset[str]:
    """Return those of the known paths at which something exists below ``root``.

    A folder that we may not enter counts as holding its socket: connecting then tells that the permission is missing,
    which is the truth, and not that the runtime is.
    """
    return frozenset(path for path in KNOWN_SOCKETS if _exists(root / path.lstrip("/")))


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except PermissionError:
        return True
    except OSError:  # every other error is about a part of the path that is not there or is no folder
        return False
    return True
