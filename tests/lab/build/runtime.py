"""What one runtime lab runs: where each program is, built or unpacked on first use."""

from dataclasses import dataclass
from pathlib import Path

from lab.build import golang
from lab.build.cache import Component, ensure
from lab.build.debian import debian_package
from lab.build.images import images
from lab.pins import RuntimeVersion

_CNI = debian_package("containernetworking-plugins")


@dataclass(frozen=True)
class RuntimePrograms:
    """Absolute paths of what a lab of the shape "runtime" needs.

    Attributes:
        bin: Holds containerd, ctr and containerd-shim-runc-v2; goes on the PATH of containerd.
        runc: The real runc.
        cni: Holds the CNI plugins.
        images: Holds pause.tar and busybox.tar.
    """

    bin: Path
    runc: Path
    cni: Path
    images: Path


def components(version: RuntimeVersion) -> tuple[Component, ...]:
    """Everything that has to be there before a lab of this version starts."""
    if version.from_debian:
        return (debian_package("containerd"), debian_package("runc"), _CNI, images())
    return (golang.runc(), golang.containerd(), _CNI, images())


def ensure_programs(version: RuntimeVersion) -> RuntimePrograms:
    """Make what is missing and say where everything is; a fraction of a second when nothing is.

    Raises:
        BuildError: A component could not be made.
    """
    for component in components(version):
        ensure(component)
    if version.from_debian:
        programs, runc = debian_package("containerd").directory / "usr/bin", debian_package("runc").directory
        runc = runc / "usr/sbin/runc"
    else:
        programs, runc = golang.containerd().directory / "bin", golang.runc().directory / "bin/runc"
    return RuntimePrograms(programs, runc, _CNI.directory / "usr/lib/cni", images().directory)
