"""Debian packages, unpacked and never installed: no service of the machine is started or changed."""

from functools import partial
from pathlib import Path

from lab.build.cache import Component
from lab.build.tools import need_tools, run_build_step
from lab.errors import BuildError
from lab.pins import DEBIAN_PACKAGES


def debian_package(name: str) -> Component:
    """The files of one pinned package, as they lie below / on a machine that has it installed."""
    version = DEBIAN_PACKAGES[name]
    return Component(name, version, partial(_unpack, name, version), sources=(Path(__file__),))


def download(name: str, version: str, target: Path) -> Path:
    """Fetch one package into a directory and return its file; `version` may end in a star.

    Raises:
        BuildError: There is none, also after the package lists were renewed.
    """
    need_tools({"dpkg-deb": "dpkg"})
    what = f"{name} {version}"
    # The sandbox user of apt could not write into our directory.
    command = ["apt-get", "download", "-o", "APT::Sandbox::User=root", f"{name}={version}"]
    try:
        run_build_step(what, command, cwd=target)
    except BuildError:
        run_build_step("package lists", ["apt-get", "update"])
        run_build_step(what, command, cwd=target)
    (package,) = target.glob(f"{name}_*.deb")
    return package


def extract(package: Path, target: Path) -> None:
    """Unpack the files of a package below a directory, and remove the package.

    Raises:
        BuildError: It is damaged.
    """
    run_build_step(package.name, ["dpkg-deb", "--extract", package, target])
    package.unlink()


def _unpack(name: str, version: str, target: Path) -> None:
    # The star stands for the Debian revision.
    extract(download(name, f"{version}*", target), target)
