"""What qemu is given for a node that is a virtual machine: a kernel and three disks. It writes to none of them."""

import platform
from dataclasses import dataclass
from pathlib import Path

from lab.build.cache import Component, ensure
from lab.build.tools import need_tools
from lab.build.vm_disks import vm_packages, vm_programs, vm_system
from lab.build.vm_initramfs import vm_initramfs
from lab.build.vm_kernel import vm_kernel
from lab.errors import BuildError


@dataclass(frozen=True)
class VmParts:
    """Absolute paths of what qemu is given.

    Attributes:
        kernel: The kernel.
        initramfs: What the kernel starts with.
        system: The disk with Debian and the kernel's modules.
        programs: The disk with container runtime, kubelet, kube-proxy, CNI plugins and the lab's images.
        packages: The disk with the Python packages of requirements.lock.
    """

    kernel: Path
    initramfs: Path
    system: Path
    programs: Path
    packages: Path


def components() -> tuple[Component, ...]:
    """Everything that has to be there before a virtual machine starts, but for qemu itself."""
    return (vm_kernel(), vm_initramfs(), vm_system(), vm_programs(), vm_packages())


def ensure_vm_parts() -> VmParts:
    """Make what is missing and say where everything is; about two minutes when nothing but the cluster is there.

    Raises:
        BuildError: A part could not be made, or this machine is not of the kind that the kernel is for.
    """
    if platform.machine() != "x86_64":
        raise BuildError(f"a node with its own kernel is made for x86_64 only, this machine is {platform.machine()}")
    need_tools({"qemu-system-x86_64": "qemu-system-x86", "ip": "iproute2"})
    return VmParts(
        kernel=ensure(vm_kernel()) / "vmlinuz",
        initramfs=ensure(vm_initramfs()) / "initramfs",
        system=ensure(vm_system()) / "disk",
        programs=ensure(vm_programs()) / "disk",
        packages=ensure(vm_packages()) / "disk",
    )
