"""buildah with a store of its own: nothing of the machine's images is read or changed, and nothing is pulled."""

import json
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from lab.build.tools import need_tools, run_build_step

#: Content and times of every file in a layer follow from the build alone: seconds since 1970.
_TIMESTAMP = "--timestamp=0"


@dataclass(frozen=True)
class Buildah:
    """Use `in_directory` as a context manager: the store is removed when it ends.

    Attributes:
        store: Where images and containers are while they are built.
    """

    store: Path

    @classmethod
    def in_directory(cls, store: Path) -> "Buildah":
        """A store in a directory that does not exist yet.

        Raises:
            BuildError: buildah is not installed and could not be.
        """
        need_tools({"buildah": "buildah"})
        return cls(store)

    def __enter__(self) -> Self:
        self.store.mkdir()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self.store)

    def image_of_tree(self, tree: Path, name: str, archive: Path) -> None:
        """Make an image whose one layer is a directory's content, and save it as a docker-archive.

        Raises:
            BuildError: It could not be made.
        """
        recipe = self.store / "Dockerfile"
        recipe.write_text("FROM scratch\nCOPY . /\n")
        self.build(tree, recipe, name, {})
        self.save(name, archive)

    def load(self, archive: Path, name: str) -> None:
        """Take an image from a docker-archive.

        Raises:
            BuildError: It could not be read.
        """
        self._run(f"loading {name}", "pull", "--quiet", f"docker-archive:{archive}")

    def build(
        self,
        context: Path,
        recipe: Path,
        name: str,
        arguments: Mapping[str, str],
        volumes: Mapping[Path, str] | None = None,
    ) -> None:
        """Build an image from a Dockerfile, in the store.

        Args:
            context: What COPY copies from.
            recipe: The Dockerfile.
            name: What the image is called.
            arguments: Values of its ARGs.
            volumes: Directories that RUN sees, read-only, by where it sees them.

        Raises:
            BuildError: A step failed.
        """
        self._run(
            name,
            *("build", "--isolation=chroot", "--pull-never", "--layers=false", _TIMESTAMP, f"--file={recipe}"),
            *(f"--build-arg={key}={value}" for key, value in arguments.items()),
            *(f"--volume={place}:{seen}:ro" for place, seen in (volumes or {}).items()),
            f"--tag={name}",
            str(context),
        )

    def save(self, name: str, archive: Path) -> None:
        """Write an image into a docker-archive, under its name.

        Raises:
            BuildError: There is no such image, or no space.
        """
        self._run(f"saving {name}", "push", "--quiet", name, f"docker-archive:{archive}:{name}")

    def _run(self, what: str, command: str, *arguments: str) -> None:
        # vfs copies where overlay would mount, which not every machine allows inside a container.
        places = (f"--root={self.store / 'root'}", f"--runroot={self.store / 'run'}", "--storage-driver=vfs")
        run_build_step(what, ["buildah", *places, command, *arguments])


def image_id(archive: Path) -> str:
    """The id of a docker-archive's one image: the sha256 of its configuration, which names each layer by its sha256."""
    with tarfile.open(archive) as tar:
        content = tar.extractfile("manifest.json")
        assert content is not None, f"{archive} has no manifest"
        (image,) = json.load(content)
    return str(image["Config"]).removesuffix(".json")
