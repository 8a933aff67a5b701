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


def _unpack(name: str, version: str, target: Path) -> None:
    need_tools({"dpkg-deb": "dpkg"})
    what = f"{name} {version}"
    # The star stands for the Debian revision. The sandbox user of apt could not write into our directory.
    download = ["apt-get", "download", "-o", "APT::Sandbox::User=root", f"{name}={version}*"]
    try:
        run_build_step(what, download, cwd=target)
    except BuildError:
        run_build_step("package lists", ["apt-get", "update"])
        run_build_step(what, download, cwd=target)
    (package,) = target.glob("*.deb")
    run_build_step(what, ["dpkg-deb", "--extract", package, target])
    package.unlink()
