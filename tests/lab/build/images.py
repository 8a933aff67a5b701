"""The images the lab's pods run, built without any image tool: an OCI archive is a tar of JSON and one layer.

`ctr images import` takes the name from the annotation io.containerd.image.name in index.json.
"""

import gzip
import hashlib
import io
import json
import platform
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.build.cache import Component
from lab.build.debian import debian_package
from lab.build.tools import need_tools, run_build_step
from lab.pins import BUSYBOX_IMAGE, OTHER_PAUSE_IMAGE, PAUSE_IMAGE

_SOURCES = Path(__file__).parents[1] / "images"
_BUSYBOX = debian_package("busybox-static")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class _Image:
    name: str
    files: Mapping[str, bytes]  # path without leading slash to an executable's content
    links: Mapping[str, str]  # path to what the symbolic link says
    config: Mapping[str, Any]  # the OCI image configuration's "config"


def images() -> Component:
    """pause.tar, other-pause.tar and busybox.tar, ready for `ctr images import`."""
    sources = (Path(__file__), _SOURCES / "pause.c", _SOURCES / "misbehave.c")
    return Component("images", "1", _make, sources, needs=(_BUSYBOX,))


def _make(target: Path) -> None:
    need_tools({"gcc": "gcc"})
    pause, misbehave = (_compile(name, target) for name in ("pause", "misbehave"))
    busybox = _BUSYBOX.directory / "bin" / "busybox"
    applets = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
    # The user of the pause that Kubernetes publishes: its links are not readable for root without SYS_PTRACE.
    runs_pause = {"Entrypoint": ["/pause"], "User": "65535:65535"}
    _write(target / "pause.tar", _Image(PAUSE_IMAGE, {"pause": pause}, {}, runs_pause))
    _write(
        target / "other-pause.tar",
        _Image(OTHER_PAUSE_IMAGE, {"pause": pause}, {}, {**runs_pause, "Labels": {"other": "yes"}}),
    )
    _write(
        target / "busybox.tar",
        _Image(
            BUSYBOX_IMAGE,
            {"bin/busybox": busybox.read_bytes(), "bin/misbehave": misbehave},
            {f"bin/{applet}": "busybox" for applet in applets if applet != "busybox"},
            {"Cmd": ["/bin/sh"]},
        ),
    )


def _compile(name: str, target: Path) -> bytes:
    program = target / name
    flags = ["-static", "-O2", "-pthread", "-Wall", "-Wextra", "-Werror"]
    run_build_step(name, ["gcc", *flags, "-o", program, _SOURCES / f"{name}.c"])
    content = program.read_bytes()
    program.unlink()
    return content


def _write(archive: Path, image: _Image) -> None:
    layer = _layer(image)
    config = {
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Env": ["PATH=/bin"], **image.config},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
    }
    oci = "application/vnd.oci.image"
    blobs: dict[str, bytes] = {}

    def blob(kind: str, content: bytes) -> dict[str, Any]:
        blobs[_digest(content)] = content
        return {"mediaType": f"{oci}.{kind}", "digest": _digest(content), "size": len(content)}

    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{oci}.manifest.v1+json",
        "config": blob("config.v1+json", _json(config)),
        "layers": [blob("layer.v1.tar+gzip", gzip.compress(layer, mtime=0))],
    }
    entry = blob("manifest.v1+json", _json(manifest))
    names = {"io.containerd.image.name": image.name, "org.opencontainers.image.ref.name": image.name}
    index = {"schemaVersion": 2, "manifests": [entry | {"annotations": names}]}
    with tarfile.open(archive, "w") as tar:
        _add(tar, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}), 0o644)
        _add(tar, "index.json", _json(index), 0o644)
        for digest, content in blobs.items():
            _add(tar, f"blobs/{digest.replace(':', '/')}", content, 0o644)


def _layer(image: _Image) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for directory, mode in (("bin", 0o755), ("tmp", 0o1777), ("etc", 0o755)):
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        for path, program in image.files.items():
            _add(tar, path, program, 0o755)
        for path, to in image.links.items():
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = tarfile.SYMTYPE, to
            tar.addfile(entry)
    return content.getvalue()


def _add(tar: tarfile.TarFile, path: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True).encode()
