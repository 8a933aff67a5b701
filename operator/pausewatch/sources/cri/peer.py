"""Who listens on a unix socket, and if nobody can be reached, why.

gRPC says UNAVAILABLE to all of it, some of it only after a while. One plain connect(2) tells the causes apart at once.
"""

import errno
import os
import socket
import stat
import struct
from pathlib import Path

from pausewatch.model.availability import Unavailable
from pausewatch.model.text import printable

CREDENTIALS = struct.Struct("iII")
"""``struct ucred`` of unix(7): pid, uid, gid."""

TIME_VALUE = struct.Struct("@ll")
"""``struct timeval``: seconds, microseconds."""


def listener_pid(path: str, timeout_seconds: float) -> int | Unavailable:
    """Return the pid of the process that listens at ``path``, as seen in our own PID namespace.

    SO_PEERCRED of a connected socket names the process that called listen(2) (unix(7)). 0: it lives in a PID namespace
    that ours does not contain. A socket that systemd opened for its service belongs to pid 1.

    Takes at most ``timeout_seconds``, and that long only when the queue of connections that wait for accept(2) is
    full. Reasons: SocketMissing, NotASocket, ConnectionRefused, PermissionDenied, RuntimeHanging.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        # A socket with Python's own time limit does not block, and connect(2) then fails at once on a full queue:
        # a runtime that is busy for a moment would pass for one that hangs. The kernel's time limit waits.
        # Zero would mean no limit.
        microseconds = max(1, int(timeout_seconds * 1_000_000))
        limit = TIME_VALUE.pack(*divmod(microseconds, 1_000_000))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        try:
            connection.connect(path)
        except OSError as error:
            return _why(path, error, timeout_seconds)
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    pid, _, _ = CREDENTIALS.unpack(credentials)
    return int(pid)


def _why(path: str, error: OSError, timeout_seconds: float) -> Unavailable:
    shown = printable(path)
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return Unavailable(
                reason="SocketMissing",
                detail=f"there is no socket at {shown}",
                remedy="start the container runtime, or name its socket with --runtime-endpoint unix:///path",
            )
        case errno.EACCES | errno.EPERM:
            return Unavailable(
                reason="PermissionDenied",
                detail=f"user {os.geteuid()} may not connect to {shown}",
                remedy="run as root; as root, check what AppArmor or SELinux denies",
            )
        case errno.EAGAIN:
            return Unavailable(
                reason="RuntimeHanging",
                detail=f"the process behind {shown} did not accept a connection within {timeout_seconds:g} s",
                remedy="read the container runtime's log, and restart it if it does not recover",
            )
        # connect(2) refuses a file that is no socket with the same number as a socket without a listener.
        case errno.ECONNREFUSED if _is_socket(path):
            return Unavailable(
                reason="ConnectionRefused",
                detail=f"nobody listens on {shown}",
                remedy="start the container runtime",
            )
        case errno.ECONNREFUSED | errno.EPROTOTYPE:
            return Unavailable(
                reason="NotASocket",
                detail=f"{shown} is no stream socket",
                remedy="name the runtime's socket with --runtime-endpoint unix:///path",
            )
        case _:
            return Unavailable(
                reason="ConnectionRefused",
                detail=f"connecting to {shown} failed: {error.strerror or error}",
                remedy="name the runtime's socket with --runtime-endpoint unix:///path",
            )


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(Path(path).stat().st_mode)
    except OSError:  # removed since the connect: a socket that its runtime took away
        return True
