"""TCP connections as the kernel tells of them: whether a server has read what a client sent."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lab.processes import Process


@dataclass(frozen=True)
class Connection:
    """One line of /proc/PID/net/tcp or tcp6 (Linux: Documentation/networking/proc_net_tcp.rst).

    Attributes:
        local_port: Of this end.
        remote_port: Of the other one.
        unread_bytes: Received, and not read by the process that it belongs to.
        inode: Of the socket; 0 as long as nobody has accepted it.
    """

    local_port: int
    remote_port: int
    unread_bytes: int
    inode: int


def unread_connections(server: Process, port: int, client_pid: int) -> int:
    """How many connections of a client hold something that the server has not read.

    Args:
        server: Who listens, maybe in another network namespace.
        port: Where.
        client_pid: Who connects; others that talk to the same server do not count.
    """
    sockets = _sockets(client_pid)
    ours = {one.local_port for one in _connections(client_pid) if one.inode in sockets and one.remote_port == port}
    return sum(
        one.unread_bytes > 0 and one.local_port == port and one.remote_port in ours for one in _connections(server.pid)
    )


def _connections(pid: int) -> Iterator[Connection]:
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            local, remote = (int(address.rpartition(":")[2], 16) for address in fields[1:3])
            yield Connection(local, remote, int(fields[4].rpartition(":")[2], 16), int(fields[9]))


def _sockets(pid: int) -> set[int]:
    """The inodes of a process' sockets."""
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            target = str(descriptor.readlink())
            if target.startswith("socket:["):
                found.add(int(target[8:-1]))
    return found
