"""An image registry for a lab: the archive of one image, served to the lab's own network namespace over plain HTTP.

A runtime takes "localhost/pause:1" for the image "pause" of the registry at localhost, and asks there on port 80. The
lab's network namespace has a loopback interface of its own: nobody else sees this registry, and labs do not disturb
each other.

The protocol is the part of the OCI distribution specification that a pull needs: manifests and blobs, by GET and HEAD.
"""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.shapes.runtime import RuntimeLab

_PORT = 80
_READY = "ready"
_END_SECONDS = 10.0
#: Moves into the cgroup of the lab's daemons, where the lab finds what it has to stop, and becomes the command.
_INTO_CGROUPS = 'for one in $LAB_CGROUPS; do echo $$ >"$one/cgroup.procs"; done; exec "$@"'


@contextmanager
def serving(lab: RuntimeLab, archive: str) -> Iterator[None]:
    """Within this context the lab's runtime can pull the image of an archive, "pause.tar".

    Raises:
        LabError: The registry did not start; its reason went to standard error.
    """
    command = [sys.executable, "-m", "lab.registry", str(lab.programs.images / archive)]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "LAB_CGROUPS": " ".join(map(str, lab.cgroup.create(lab.cgroup.daemons))),
    }
    inside = ["nsenter", f"--target={lab.containerd.pid}", "--net"]
    with subprocess.Popen(
        ["sh", "-c", _INTO_CGROUPS, "sh", *inside, *command], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            if process.stdout.readline().strip() != _READY:
                raise LabError(f"the registry of {lab.name} did not start")
            yield
        finally:
            process.kill()
            process.wait(_END_SECONDS)


@dataclass(frozen=True)
class _Archive:
    manifest: Mapping[str, Any]  # the entry of index.json: media type, digest, size
    blobs: Mapping[str, bytes]  # by digest, the manifest's own among them

    @classmethod
    def read(cls, path: Path) -> "_Archive":
        """Read an OCI archive of one image."""
        blobs: dict[str, bytes] = {}
        index: Mapping[str, Any] = {}
        with tarfile.open(path) as tar:
            for entry in tar:
                file = tar.extractfile(entry)
                content = file.read() if file is not None else b""
                if entry.name == "index.json":
                    index = json.loads(content)
                elif entry.name.startswith("blobs/"):
                    blobs[entry.name.removeprefix("blobs/").replace("/", ":")] = content
        return cls(index["manifests"][0], blobs)


def _handler(archive: _Archive) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer with what the path names: /v2/, /v2/NAME/manifests/REFERENCE, /v2/NAME/blobs/DIGEST."""
            _, kind, reference = self.path.rsplit("/", 2) if self.path.count("/") > 2 else ("", "", "")
            if self.path == "/v2/":
                self._answer(b"{}", "application/json")
            elif kind == "manifests":
                digest = self.archive.manifest["digest"]
                self._answer(self.archive.blobs[digest], self.archive.manifest["mediaType"], digest)
            elif kind == "blobs" and reference in self.archive.blobs:
                self._answer(self.archive.blobs[reference], "application/octet-stream", reference)
            else:
                self.send_error(404)

        do_HEAD = do_GET  # noqa: N815  the name that the server looks for

        archive: _Archive

        def _answer(self, content: bytes, media_type: str, digest: str = "") -> None:
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(content)))
            if digest:
                self.send_header("Docker-Content-Digest", digest)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing: a failed pull is told by the runtime."""

    Handler.archive = archive
    return Handler


def main(path: Path) -> None:
    """Serve one archive until killed."""
    server = ThreadingHTTPServer(("127.0.0.1", _PORT), _handler(_Archive.read(path)))
    sys.stdout.write(f"{_READY}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
