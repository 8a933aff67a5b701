"""What a node that is a virtual machine consists of: qemu's programs, a kernel, and three disks.

A disk is a file system made of a directory, without mounting anything. The machine never writes to these files.
"""

import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lab.build import golang
from lab.build.cache import Component, ensure
from lab.build.debian import debian_package, download, extract
from lab.build.images import images
from lab.build.newc import Entry, newc_archive
from lab.build.tools import need_tools, run_build_step
from lab.errors import BuildError
from lab.pins import VM_KERNEL, VM_KERNEL_PACKAGE, VM_SYSTEM

_LAB = Path(__file__).parents[1]
_INITRAMFS = _LAB / "vm" / "initramfs.sh"
_LOCK = _LAB.parents[1] / "requirements.lock"
_BUSYBOX = debian_package("busybox-static")
_CNI = debian_package("containernetworking-plugins")

#: As they need each other.
_DISK_DRIVERS = (
    *("drivers/virtio/virtio", "drivers/virtio/virtio_ring"),
    *("drivers/virtio/virtio_pci_modern_dev", "drivers/virtio/virtio_pci_legacy_dev", "drivers/virtio/virtio_pci"),
    "drivers/block/virtio_blk",
)
#: Beyond what any Debian has: what a node of Kubernetes needs, with AppArmor as distributions set it up.
_PACKAGES = ("apparmor", "iproute2", "kmod", "nftables", "procps", "python3")
_PROGRAMS_OF_QEMU = {
    "qemu-system-x86_64": "qemu-system-x86",
    "debootstrap": "debootstrap",
    "mke2fs": "e2fsprogs",
    "ip": "iproute2",
}
#: Room for content and snapshots of containers, in bytes; the file is sparse.
_ROOM = 6 * 2**30


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
    """Everything that has to be there before a virtual machine starts."""
    return (_kernel(), _system(), _programs(), _packages())


def ensure_vm_parts() -> VmParts:
    """Make what is missing and say where everything is; about three minutes when nothing but the cluster is there.

    Raises:
        BuildError: A part could not be made, or this machine is not of the kind that the kernel is for.
    """
    if platform.machine() != "x86_64":
        raise BuildError(f"a node with its own kernel is made for x86_64 only, this machine is {platform.machine()}")
    need_tools(_PROGRAMS_OF_QEMU)
    kernel, system, programs, packages = (ensure(component) for component in components())
    return VmParts(
        kernel=kernel / "vmlinuz",
        initramfs=kernel / "initramfs",
        system=system / "disk",
        programs=programs / "disk",
        packages=packages / "disk",
    )


def _kernel() -> Component:
    """vmlinuz, modules/ and initramfs."""
    sources = (Path(__file__), Path(__file__).with_name("newc.py"), _INITRAMFS)
    return Component("vm-kernel", VM_KERNEL, _make_kernel, sources, needs=(_BUSYBOX,))


def _system() -> Component:
    return Component("vm-system", VM_SYSTEM, _make_system, (Path(__file__),), needs=(_kernel(),))


def _programs() -> Component:
    return Component("vm-programs", "1", _make_programs, (Path(__file__),), needs=_program_components())


def _packages() -> Component:
    return Component("vm-packages", "1", _make_packages, (Path(__file__), _LOCK))


def _program_components() -> tuple[Component, ...]:
    kubernetes = (golang.kubernetes("kubelet"), golang.kubernetes("kube-proxy"))
    return (golang.containerd(), golang.runc(), *kubernetes, _CNI, images())


def _make_kernel(target: Path) -> None:
    files = target / "files"
    files.mkdir()
    newest = download(VM_KERNEL_PACKAGE, f"{VM_KERNEL}*", target)
    field = ["dpkg-deb", "--field", str(newest), "Depends"]
    # It names the one with the files, and its version in parentheses: "linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)".
    depends = subprocess.run(field, check=True, capture_output=True, text=True).stdout
    name, _, version = depends.replace("(=", "").replace(")", "").strip().partition(" ")
    newest.unlink()
    extract(download(name, version.strip(), target), files)
    (kernel,) = (files / "boot").glob("vmlinuz-*")
    kernel.rename(target / "vmlinuz")
    (files / "lib" / "modules").rename(target / "modules")
    shutil.rmtree(files)
    (release,) = (target / "modules").iterdir()
    drivers = [release / "kernel" / f"{driver}.ko" for driver in _DISK_DRIVERS]
    entries = [
        *(Entry.directory(name) for name in ("bin", "dev", "disk", "modules")),
        Entry.program("bin/busybox", (_BUSYBOX.directory / "bin" / "busybox").read_bytes()),
        Entry.program("init", _INITRAMFS.read_bytes()),
        *(Entry.program(f"modules/{driver.name}", driver.read_bytes()) for driver in drivers),
    ]
    (target / "initramfs").write_bytes(newc_archive(entries))


def _make_system(target: Path) -> None:
    tree = target / "tree"
    include = f"--include={','.join(_PACKAGES)}"
    what = f"a Debian {VM_SYSTEM} for the virtual machine"
    run_build_step(what, ["debootstrap", "--variant=minbase", include, VM_SYSTEM, tree, _mirror()])
    for cache in ("var/cache/apt/archives", "var/lib/apt/lists"):
        shutil.rmtree(tree / cache)
    shutil.copytree(_kernel().directory / "modules", tree / "usr" / "lib" / "modules", dirs_exist_ok=True)
    (release,) = (tree / "usr" / "lib" / "modules").iterdir()
    run_build_step(what, ["chroot", tree, "depmod", release.name])
    for mount_point in ("programs", "packages"):
        (tree / "lab" / mount_point).mkdir(parents=True)
    _make_disk(tree, target / "disk", _ROOM)


def _mirror() -> str:
    """The mirror that apt uses for this release: whatever this machine is allowed to reach."""
    command = ["apt-get", "indextargets", "--format", "$(CODENAME) $(SITE)", "Created-By: Packages"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    sites = [
        site for codename, _, site in (line.partition(" ") for line in listed.splitlines()) if codename == VM_SYSTEM
    ]
    if not sites:
        raise BuildError(f"apt knows no mirror of Debian {VM_SYSTEM}; add one to its sources and run apt-get update")
    return sites[0]


def _make_programs(target: Path) -> None:
    tree = target / "tree"
    (tree / "bin").mkdir(parents=True)
    for component in _program_components():
        for program in (component.directory / "bin").glob("*"):
            shutil.copy(program, tree / "bin")
    shutil.copytree(_CNI.directory / "usr" / "lib" / "cni", tree / "cni")
    shutil.copytree(images().directory, tree / "images")
    _make_disk(tree, target / "disk", 0)


def _make_packages(target: Path) -> None:
    tree = target / "tree"
    # For the interpreter of the machine's Debian, whatever runs here; compiled here, where that is quick.
    run_build_step(
        "the Python packages for the virtual machine",
        [
            *(
                sys.executable,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-input",
                "--no-deps",
            ),
            *("--target", tree, "--require-hashes", "--requirement", _LOCK),
            *("--only-binary=:all:", "--python-version=3.11", "--implementation=cp"),
        ],
    )
    _make_disk(tree, target / "disk", 0)


def _make_disk(tree: Path, disk: Path, room: int) -> None:
    """Make an ext4 file system of a directory, with so many bytes free, and remove the directory."""
    used = sum(file.lstat().st_size + 4096 for file in tree.rglob("*"))
    with disk.open("wb") as file:
        file.truncate(used * 5 // 4 + 2**26 + room)
    run_build_step(f"the disk {disk.parent.name}", ["mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, disk])
    shutil.rmtree(tree)
