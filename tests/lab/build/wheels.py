"""The wheels of both lock files, for one architecture: what an image is built from without network.

Only wheels are taken, and each has to have a hash that stands in its lock file. A package that has none for an
architecture makes this fail, and so the image could not be built for it.
"""

import sys
from functools import partial
from pathlib import Path

from lab.build.cache import Component
from lab.build.tools import run_build_step

#: What `uname -m` says on the two architectures an image is published for.
ARCHITECTURES = ("x86_64", "aarch64")

_REPOSITORY = Path(__file__).parents[3]
LOCKS = (_REPOSITORY / "requirements.lock", _REPOSITORY / "requirements-build.lock")

#: Debian 12, which the image's base is made of, has glibc 2.36; a wheel says the oldest one it runs with (PEP 600).
_GLIBC_MINORS = range(36, 16, -1)


def wheels(architecture: str) -> Component:
    """All wheels for CPython 3.11 on one architecture."""
    return Component(f"wheels-{architecture}", "3.11", partial(_download, architecture), (Path(__file__), *LOCKS))


def _download(architecture: str, target: Path) -> None:
    platforms = (*(f"manylinux_2_{minor}_{architecture}" for minor in _GLIBC_MINORS), f"manylinux2014_{architecture}")
    for lock in LOCKS:
        run_build_step(
            f"wheels of {lock.name} for {architecture}",
            [
                *(sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input"),
                *("--require-hashes", "--no-deps", "--only-binary=:all:", "--python-version=3.11"),
                *("--implementation=cp", "--abi=cp311", *(f"--platform={platform}" for platform in platforms)),
                *("--dest", target, "--requirement", lock),
            ],
        )
