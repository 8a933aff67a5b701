"""What a docker-archive holds, read without any program that runs containers."""

import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any


@dataclass(frozen=True)
class Archive:
    """One image.

    Attributes:
        path: The docker-archive.
        config: The image's configuration (OCI image specification, config.md).
        layers: Names of its layers' members in the archive, the lowest first.
    """

    path: Path
    config: Mapping[str, Any]
    layers: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> "Archive":
        """Read what an archive says of its one image."""
        with tarfile.open(path) as tar:
            (image,) = json.load(_member(tar, "manifest.json"))
            return cls(path, json.load(_member(tar, image["Config"])), tuple(image["Layers"]))

    @property
    def settings(self) -> Mapping[str, Any]:
        """How containers of it start: User, Entrypoint, Env, Labels."""
        settings: Mapping[str, Any] = self.config["config"]
        return settings

    def layer(self, name: str) -> bytes:
        """One layer, uncompressed."""
        with tarfile.open(self.path) as tar:
            return _member(tar, name).read()

    def entries(self, layers: tuple[str, ...]) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
        """Everything in layers, with the content of ordinary files; names have no leading slash."""
        with tarfile.open(self.path) as tar:
            for name in layers:
                with tarfile.open(fileobj=_member(tar, name)) as layer:
                    for entry in layer:
                        file = layer.extractfile(entry) if entry.isreg() else None
                        yield entry, file.read() if file else b""


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    found = tar.extractfile(name)
    assert found is not None, f"{name} is no file"
    return found
