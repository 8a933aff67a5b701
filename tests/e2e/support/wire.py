"""A wire to the API server that can be cut: for one client alone, while everybody else works on."""

import contextlib
import json
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

CHUNK = 65_536
CONNECT_SECONDS = 5.0


class Wire:
    """Relays TCP from a port of this machine to a server. Use it as a context manager.

    TLS passes through unread: the lab's API server has a certificate for 127.0.0.1 too.
    """

    def __init__(self, server: str) -> None:
        """Lay the wire.

        Args:
            server: URL of the server, with its port.
        """
        parts = urlsplit(server)
        self._target = (parts.hostname or "", parts.port or 443)
        self._lock = threading.Lock()
        self._ends: list[socket.socket] = []
        self._listener = self._listen(0)
        self.port = self._listener.getsockname()[1]

    @property
    def server(self) -> str:
        """URL of this end."""
        return f"https://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        with self._lock:
            # A thread that is blocked in accept keeps the port until it is woken, which shutdown does.
            for one in (self._listener, *self._ends):
                with contextlib.suppress(OSError):  # not connected any more
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
            self._ends.clear()

    def mend(self) -> None:
        """Accept connections again, at the same port."""
        self._listener = self._listen(self.port)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return  # cut
            try:
                far = socket.create_connection(self._target, CONNECT_SECONDS)
            except OSError:
                near.close()  # what a client sees of a server that does not listen
                continue
            far.settimeout(None)
            with self._lock:
                self._ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def through(wire: Wire, kubeconfig: Path) -> Path:
    """Write a copy of one of the lab's kubeconfigs that leads through a wire, and return its path."""
    document = json.loads(kubeconfig.read_text(encoding="utf-8"))
    document["clusters"][0]["cluster"]["server"] = wire.server
    path = kubeconfig.with_suffix(".wire")
    path.touch(mode=0o600)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(CHUNK):
            sink.sendall(data)
    except OSError:
        pass  # cut, or the other side is gone: both ends are closed below
    finally:
        for one in (source, sink):
            with contextlib.suppress(OSError):  # closed already
                one.shutdown(socket.SHUT_RDWR)
