"""The product's image, built from the checkout's Dockerfile: `PYTHONPATH=tests python -m lab.build.agent_image`.

Built with buildah from two images of the lab's own and from wheels that were fetched before, so no step of the
Dockerfile needs a network. It is kept until a file changes that goes into it.
"""

import platform
import re
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lab.build.buildah import Buildah, image_id
from lab.build.cache import Component, ensure
from lab.build.image_base import BUILD_BASE, RUNTIME_BASE, image_base
from lab.build.wheels import wheels
from lab.progress import say

_REPOSITORY = Path(__file__).parents[3]
_RECIPE = _REPOSITORY / "Dockerfile"
_WHEELS_INSIDE = "/wheels"
_ARCHIVE = "image.tar"
_ID = "image-id"
#: An image follows from every file of the product, so there soon are many; older ones nobody is about to import.
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
    return ensure(_component(SHAPE, _build)) / _ARCHIVE


def id_of_another_build() -> str:
    """Return the id of the image that another build of the same files gives, made once per content as well.

    Raises:
        BuildError: A step failed.
    """
    return (ensure(_component(f"{SHAPE}-again", _build_for_its_id)) / _ID).read_text()


def parts() -> tuple[Component, ...]:
    """What the image is made from besides the checkout."""
    return (image_base(), wheels(platform.machine()))


def _component(name: str, build: Callable[[tuple[Path, ...], Path], None]) -> Component:
    files = _context()
    return Component(name, VERSION, partial(build, files), (Path(__file__), _RECIPE, *files), parts())


def _build_for_its_id(files: tuple[Path, ...], target: Path) -> None:
    _build(files, target)
    (target / _ID).write_text(image_id(target / _ARCHIVE))
    (target / _ARCHIVE).unlink()


def _context() -> tuple[Path, ...]:
    """The files that .dockerignore lets through."""
    lines = (_REPOSITORY / ".dockerignore").read_text().splitlines()
    allowed = [_REPOSITORY / line.removeprefix("!") for line in lines if line.startswith("!")]
    files = (file for path in allowed for file in ([path] if path.is_file() else sorted(path.rglob("*"))))
    return tuple(file for file in files if file.is_file() and "__pycache__" not in file.parts)


def _build(files: tuple[Path, ...], target: Path) -> None:
    # A copy: the checkout may be edited while this runs, and the key says which files it was made from.
    context = target / "context"
    for file in files:
        place = context / file.relative_to(_REPOSITORY)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
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
        buildah.build(context, _RECIPE, AGENT_IMAGE, arguments, {packages: _WHEELS_INSIDE})
        buildah.save(AGENT_IMAGE, target / _ARCHIVE)
    shutil.rmtree(context)
    _remove_older(target.parent)


def _remove_older(cache: Path) -> None:
    for directory in cache.glob(f"{SHAPE}-*"):
        if time.time() - directory.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(directory)


if __name__ == "__main__":
    sys.stdout.write(f"{agent_image()}\n")
