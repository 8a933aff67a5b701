"""The product's image, built from the checkout's Dockerfile: `PYTHONPATH=tests python -m lab.build.agent_image`.

Built with buildah from two images of the lab's own and from wheels that were fetched before, so no step of the
Dockerfile needs a network. It is kept until a file changes that goes into it.
"""

import os
import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from lab.build.buildah import Buildah, image_id
from lab.build.cache import Component, ensure
from lab.build.image_base import BUILD_BASE, RUNTIME_BASE, image_base
from lab.build.wheels import wheels
from lab.progress import say

_REPOSITORY = Path(__file__).parents[3]
_RECIPE = "Dockerfile"
_WHEELS_INSIDE = "/wheels"
_ARCHIVE = "image.tar"
_CONTEXT = "context"
_ID = "image-id"
#: Seconds since its last use. An image follows from every file of the product, so there would soon be many.
_KEPT_SECONDS = 3600.0


def _declared(pattern: str, file: str) -> str:
    (found,) = re.findall(pattern, (_REPOSITORY / file).read_text(), re.MULTILINE)
    return str(found)


#: What `python -m lab build` calls it.
SHAPE = "agent-image"
VERSION = _declared(r'^version = "(.+)"$', "pyproject.toml")
AGENT_IMAGE = f"localhost/pausewatch:{VERSION}"
"""What the archive calls the image; a pod of the lab asks for it by this name, with imagePullPolicy Never."""


def agent_image() -> Path:
    """Return a docker-archive of the image, which is built unless nothing has changed since.

    `ctr --namespace=k8s.io images import` takes it. A build costs 20 s of CPU; the first one of all takes two minutes.

    Raises:
        BuildError: A step failed; ends with what it printed.
    """
    with tempfile.TemporaryDirectory() as copy:
        # The checkout may be edited meanwhile: what is built is what the key was made of.
        _copy(_in_checkout(), Path(copy))
        directory = ensure(_component(SHAPE, _build, Path(copy)))
    os.utime(directory)  # when it was used last, for `_remove_older`
    return directory / _ARCHIVE


def id_of_another_build(archive: Path) -> str:
    """Build once more from the files that an archive was built from, and return the image's id; kept as the image is.

    Raises:
        BuildError: A step failed.
    """
    again = _component(f"{SHAPE}-again", _build_for_its_id, archive.with_name(_CONTEXT))
    return (ensure(again) / _ID).read_text()


def parts() -> tuple[Component, ...]:
    """What the image is made from besides the checkout."""
    return (image_base(), wheels(platform.machine()))


def _component(name: str, build: Callable[[Path, Path], None], context: Path) -> Component:
    files = tuple(sorted(file for file in context.rglob("*") if file.is_file()))
    return Component(name, VERSION, partial(build, context), (Path(__file__), *files), parts())


def _in_checkout() -> Iterator[Path]:
    """The Dockerfile, and the files that .dockerignore lets through."""
    yield _REPOSITORY / _RECIPE
    for line in (_REPOSITORY / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            allowed = _REPOSITORY / line.removeprefix("!")
            files = [allowed] if allowed.is_file() else allowed.rglob("*")
            yield from (file for file in files if file.is_file() and "__pycache__" not in file.parts)


def _copy(files: Iterable[Path], context: Path) -> None:
    for file in files:
        place = context / file.relative_to(_REPOSITORY)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)


def _build_for_its_id(context: Path, target: Path) -> None:
    _build(context, target)
    (target / _ID).write_text(image_id(target / _ARCHIVE))
    (target / _ARCHIVE).unlink()
    shutil.rmtree(target / _CONTEXT)


def _build(context: Path, target: Path) -> None:
    shutil.copytree(context, target / _CONTEXT)  # kept, to tell what the image was made from
    bases, packages = ensure(image_base()), ensure(wheels(platform.machine()))
    arguments = {
        "BUILD_IMAGE": BUILD_BASE,
        "BASE_IMAGE": RUNTIME_BASE,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": _WHEELS_INSIDE,
        "VERSION": VERSION,
    }
    with Buildah.in_directory(target / "store") as buildah:
        buildah.load(bases / "build.tar", BUILD_BASE)
        buildah.load(bases / "runtime.tar", RUNTIME_BASE)
        say(f"building {AGENT_IMAGE}")
        buildah.build(context, context / _RECIPE, AGENT_IMAGE, arguments, {packages: _WHEELS_INSIDE})
        buildah.save(AGENT_IMAGE, target / _ARCHIVE)
    _remove_older(target.parent)


def _remove_older(cache: Path) -> None:
    for directory in cache.glob(f"{SHAPE}-[0-9]*"):
        with suppress(FileNotFoundError):  # another process was quicker
            if time.time() - directory.stat().st_mtime > _KEPT_SECONDS:
                shutil.rmtree(directory)


if __name__ == "__main__":
    sys.stdout.write(f"{agent_image()}\n")
