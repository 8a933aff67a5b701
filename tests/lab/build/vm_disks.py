"""The disks of a node that is a virtual machine: each a file called disk, made of a directory and never mounted."""

import shutil
import subprocess
import sys
from pathlib import Path

from lab.build import golang
from lab.build.cache import Component
from lab.build.debian import debian_package
from lab.build.images import images
from lab.build.tools import need_tools, run_build_step
from lab.build.vm_kernel import vm_kernel
from lab.errors import BuildError
from lab.pins import VM_SYSTEM

_LOCK = Path(__file__).parents[3] / "requirements.lock"
_CNI = debian_package("containernetworking-plugins")

#: Beyond what any Debian has: what a node of Kubernetes needs, with AppArmor as distributions set it up.
_PACKAGES = ("apparmor", "iproute2", "kmod", "nftables", "procps", "python3")
#: Room for content and snapshots of containers, in bytes; the file is sparse.
_ROOM = 6 * 2**30
_MIB = 2**20


def vm_system() -> Component:
    """A Debian with the kernel's modules, and room for containers."""
    return Component("vm-system", VM_SYSTEM, _make_system, (Path(__file__),), needs=(vm_kernel(),))


def vm_programs() -> Component:
    """Below bin/ the runtime, kubelet and kube-proxy, below cni/ the network's plugins, below images/ the lab's."""
    return Component("vm-programs", "1", _make_programs, (Path(__file__),), needs=_program_components())


def vm_packages() -> Component:
    """The Python packages of requirements.lock, for the interpreter of that Debian."""
    return Component("vm-packages", "1", _make_packages, (Path(__file__), _LOCK))


def _program_components() -> tuple[Component, ...]:
    kubernetes = (golang.kubernetes("kubelet"), golang.kubernetes("kube-proxy"))
    return (golang.containerd(), golang.runc(), *kubernetes, _CNI, images())


def _make_system(target: Path) -> None:
    need_tools({"debootstrap": "debootstrap"})
    tree = target / "tree"
    include = f"--include={','.join(_PACKAGES)}"
    what = f"a Debian {VM_SYSTEM} for the virtual machine"
    # In a mount namespace of its own: should this be killed, no file system stays mounted in what is then removed.
    debootstrap = ["debootstrap", "--variant=minbase", include, VM_SYSTEM, str(tree), _mirror()]
    run_build_step(what, ["unshare", "--mount", "--propagation=private", *debootstrap])
    for cache in ("var/cache/apt/archives", "var/lib/apt/lists"):
        shutil.rmtree(tree / cache)
    shutil.copytree(vm_kernel().directory / "modules", tree / "usr" / "lib" / "modules", dirs_exist_ok=True)
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
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"),
            *("--target", tree, "--no-deps", "--require-hashes", "--requirement", _LOCK),
            *("--only-binary=:all:", "--python-version=3.11", "--implementation=cp"),
        ],
    )
    _make_disk(tree, target / "disk", 0)


def _make_disk(tree: Path, disk: Path, room: int) -> None:
    """Make an ext4 file system of a directory, with so many bytes free, and remove the directory."""
    need_tools({"mke2fs": "e2fsprogs"})
    used = sum(file.lstat().st_size + 4096 for file in tree.rglob("*"))
    with disk.open("wb") as file:
        file.truncate((used * 5 // 4 + room) // _MIB * _MIB + 64 * _MIB)
    run_build_step(f"the disk {disk.parent.name}", ["mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, disk])
    shutil.rmtree(tree)
