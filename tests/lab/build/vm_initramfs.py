"""What the kernel of a virtual machine starts with: the drivers of its disks, and a shell that loads them."""

from pathlib import Path

from lab.build.cache import Component
from lab.build.debian import debian_package
from lab.build.newc import Entry, newc_archive
from lab.build.vm_kernel import vm_kernel
from lab.pins import VM_KERNEL

_SCRIPT = Path(__file__).parents[1] / "vm" / "initramfs.sh"
_BUSYBOX = debian_package("busybox-static")
_DRIVERS = (
    *("drivers/virtio/virtio", "drivers/virtio/virtio_ring"),
    *("drivers/virtio/virtio_pci_modern_dev", "drivers/virtio/virtio_pci_legacy_dev", "drivers/virtio/virtio_pci"),
    "drivers/block/virtio_blk",
)


def vm_initramfs() -> Component:
    """The file initramfs."""
    sources = (Path(__file__), Path(__file__).with_name("newc.py"), _SCRIPT)
    return Component("vm-initramfs", VM_KERNEL, _make, sources, needs=(_BUSYBOX, vm_kernel()))


def _make(target: Path) -> None:
    (release,) = (vm_kernel().directory / "modules").iterdir()
    drivers = [release / "kernel" / f"{driver}.ko" for driver in _DRIVERS]
    entries = [
        *(Entry.directory(name) for name in ("bin", "dev", "disk", "modules")),
        Entry.program("bin/busybox", (_BUSYBOX.directory / "bin" / "busybox").read_bytes()),
        Entry.program("init", _SCRIPT.read_bytes()),
        *(Entry.program(f"modules/{driver.name}", driver.read_bytes()) for driver in drivers),
    ]
    (target / "initramfs").write_bytes(newc_archive(entries))
