"""The kernel of a node that is a virtual machine: a package of Debian, unpacked."""

import shutil
import subprocess
from pathlib import Path

from lab.build.cache import Component
from lab.build.debian import download, extract
from lab.pins import VM_KERNEL, VM_KERNEL_PACKAGE


def vm_kernel() -> Component:
    """The file vmlinuz, and modules/RELEASE."""
    return Component("vm-kernel", VM_KERNEL, _make, (Path(__file__),))


def _make(target: Path) -> None:
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
