"""The process qemu: a machine without the help of the processor, so that it runs where there is no /dev/kvm too."""

import socket
from pathlib import Path

from lab.build.vm import VmParts
from lab.errors import LabError
from lab.network import LabNetwork
from lab.places import Places
from lab.processes import Process
from lab.shapes.cluster_daemons import ClusterPlaces
from lab.shapes.cluster_processes import Daemon
from lab.shapes.vm_files import CRI_PORT
from lab.vm.client import PORT
from lab.waiting import wait_until

#: Seconds from power on until its runtime listens; it takes ten to twenty here.
_BOOT_SECONDS = 180.0
_CONNECT_SECONDS = 1.0
_MEMORY_MIB = 2560
_PROCESSORS = 2
#: Programs use what a processor offers, and wide vectors and five levels of page tables are slow to translate.
_PROCESSOR = "Nehalem,+aes,+pclmulqdq,+rdrand"
_CONSOLE_TAIL_LINES = 15

#: Cgroups of version 2 alone, AppArmor enforcing. A machine whose first program fails ends, and does not hang.
_KERNEL_COMMAND_LINE = (
    "console=ttyS0 quiet panic=-1 net.ifnames=0 cgroup_no_v1=all apparmor=1 security=apparmor mitigations=off"
)


def power_on(places: Places, parts: VmParts, archive: Path, first: Process) -> Process:
    """Start the machine beside the cluster's first node, and wait until commands and calls to its runtime arrive.

    Args:
        places: Those of the node.
        parts: Kernel and disks; nothing is written to them.
        archive: What the node is told, see `vm_files`.
        first: A process in the Linux namespaces of the cluster's first node; the wire is laid.

    Raises:
        LabError: It ended; ends with its console.
        WaitTimeoutError: Nobody listened within three minutes.
    """
    daemon = Daemon(places.name, "qemu", ClusterPlaces(places).log("qemu"))
    # What the machine writes to its first disk goes to a file in this directory that has no name any more.
    daemon.start(first, _command(places, parts, archive), {"TMPDIR": str(places.state)})
    qemu = daemon.find()
    if qemu is None:
        raise LabError(f"qemu ended at once{daemon.log_tail()}")
    address = LabNetwork(places.name).node_address
    ports = (PORT, CRI_PORT)

    def listens() -> bool:
        return all(_listens(qemu, places, address, port) for port in ports)

    wait_until(f"{places.name} to listen at ports {ports}", listens, _BOOT_SECONDS)
    return qemu


def console_tail(places: Places) -> str:
    """The last lines of the machine's console, to end an error with."""
    try:
        lines = _console(places).read_text(errors="replace").splitlines()[-_CONSOLE_TAIL_LINES:]
    except FileNotFoundError:
        return "; it has no console yet"
    return "; its console ends:\n  " + "\n  ".join(lines)


def _listens(qemu: Process, places: Places, address: str, port: int) -> bool:
    if not qemu.is_alive():
        log = Daemon(places.name, "qemu", ClusterPlaces(places).log("qemu")).log_tail()
        raise LabError(f"the virtual machine {places.name} ended{log}{console_tail(places)}")
    try:
        socket.create_connection((address, port), _CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def _console(places: Places) -> Path:
    return places.run / "console.log"


def _command(places: Places, parts: VmParts, archive: Path) -> list[str]:
    disks = (parts.programs, parts.packages, archive)
    return [
        *("qemu-system-x86_64", "-no-user-config", "-nodefaults", "-display", "none", "-no-reboot"),
        *("-accel", "tcg,thread=multi", "-cpu", _PROCESSOR),
        *("-smp", str(_PROCESSORS), "-m", str(_MEMORY_MIB)),
        *("-serial", f"file:{_console(places)}"),
        *("-kernel", str(parts.kernel), "-initrd", str(parts.initramfs), "-append", _KERNEL_COMMAND_LINE),
        *("-drive", f"file={parts.system},format=raw,if=virtio,snapshot=on,cache=unsafe"),
        *(word for disk in disks for word in ("-drive", f"file={disk},format=raw,if=virtio,readonly=on")),
        *("-netdev", f"tap,id=wire,ifname={LabNetwork(places.name).machine_interface},script=no,downscript=no"),
        # Without its boot program: the machine is not started from the network.
        *("-device", "virtio-net-pci,netdev=wire,romfile="),
    ]
