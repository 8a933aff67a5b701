"""The product's image, built from the checkout's Dockerfile: `PYTHONPATH=tests python -m lab.build.agent_image`.

Built with buildah from two images of the lab's own and from wheels that were fetched before, so no step of the
Dockerfile needs a network. It is kept until a file changes that goes into it.
"""

import platform
import re
import shutil
import sys
from functools import partial
from pathlib import Path

from lab.build.buildah import Buildah
from lab.build.cache import Component, ensure
from lab.build.image_base import BUILD_BASE, RUNTIME_BASE, image_base
from lab.build.wheels import wheels
from lab.progress import say

_REPOSITORY = Path(__file__).parents[3]
_RECIPE = _REPOSITORY / "Dockerfile"
_WHEELS_INSIDE = "/wheels"


def _declared(pattern: str, file: str) -> str:
    (found,) = re.findall(pattern, (_REPOSITORY / file).read_text(), re.MULTILINE)
    return str(found)


VERSION = _declared(r'^version = "(.+)"$', "pyproject.toml")
AGENT_IMAGE = f"localhost/pausewatch:{VERSION}"
"""What the archive calls the image; a pod of the lab asks for it by this name, with imagePullPolicy Never."""


def agent_image() -> Path:
    """Return a docker-archive of the image, which is built unless nothing has changed since.

    `ctr --namespace=k8s.io images import` takes it. A build costs 25 s of CPU; the first one of all takes two minutes.

    Raises:
        BuildError: A step failed; ends with what it printed.
    """
    return ensure(_component("agent-image")) / "image.tar"


def agent_image_built_again() -> Path:
    """Return an archive of the same image from another build of the same files, to be compared with the first.

    Raises:
        BuildError: A step failed.
    """
    return ensure(_component("agent-image-again")) / "image.tar"


def _component(name: str) -> Component:
    files = _context()
    needs = (image_base(), wheels(platform.machine()))
    return Component(name, VERSION, partial(_build, files), (Path(__file__), _RECIPE, *files), needs)


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
        buildah.save(AGENT_IMAGE, target / "image.tar")
    shutil.rmtree(context)


if __name__ == "__main__":
    sys.stdout.write(f"{agent_image()}\n")
