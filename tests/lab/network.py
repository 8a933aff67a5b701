"""The wire between a lab's network namespace and the machine's: one veth pair, found again by the lab's name.

That of a further node of a cluster leads into the network namespace of the cluster's first node instead. Where that
node is a virtual machine, the pair is a TAP device, and the machine has a route to it by way of the first node. Only
labs that serve something over IP have one. It ends with the lab's network namespace, because the kernel removes both
ends of a pair when one of them goes; nothing else of the machine's network is touched.
"""

import hashlib
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.output import output_of

#: For measurements between networks, RFC 2544: no network that a machine belongs to uses it.
_RANGE = ipaddress.IPv4Network("198.18.0.0/15")
_PREFIX = 30
_NODE_INTERFACE = "node0"


@dataclass(frozen=True)
class LabNetwork:
    """The wire of one lab. Interface and addresses follow from its name, so that a start after a crash gets the same.

    Attributes:
        name: The lab's.
    """

    name: str

    @property
    def machine_interface(self) -> str:
        """The machine's end. At most 15 characters are allowed: the name is hashed."""
        return f"pwlab-{self._digest()[:8]}"

    @property
    def machine_address(self) -> str:
        """The machine's end."""
        return str(self._subnet()[1])

    @property
    def node_address(self) -> str:
        """The lab's end: the address of its node, reachable from the machine and from the lab's pods."""
        return str(self._subnet()[2])

    def is_there(self) -> bool:
        """Whether the machine's end exists."""
        return Path("/sys/class/net", self.machine_interface).exists()

    def connect(self, inside: int, service_range: str, outside: int | None = None) -> None:
        """Lay the wire.

        Args:
            inside: Pid of a process in the lab's network namespace.
            outside: Pid of a process in the network namespace at its other end; None is the machine's.
            service_range: Addresses of Kubernetes services. They need some route: only what is routed reaches the
                rules that translate it. There is no default route, so nothing of a lab gets beyond the machine.

        Raises:
            LabError: The addresses are taken, or a command failed.
        """
        taken = _ip(outside, "-oneline", "address", "show", "to", str(self._subnet()))
        if taken:
            raise LabError(f"{self._subnet()} is taken, choose another name for the lab: {taken.strip()}")
        peer = ("peer", "name", _NODE_INTERFACE, "netns", str(inside))
        _ip(outside, "link", "add", self.machine_interface, "type", "veth", *peer)
        _ip(outside, "address", "add", self.prefixed(self.machine_address), "dev", self.machine_interface)
        _ip(outside, "link", "set", self.machine_interface, "up")
        for command in (
            ("address", "add", self.prefixed(self.node_address), "dev", _NODE_INTERFACE),
            ("link", "set", _NODE_INTERFACE, "up"),
            ("route", "add", service_range, "dev", _NODE_INTERFACE),
        ):
            _ip(inside, *command)

    def connect_virtual_machine(self, first: "LabNetwork", outside: int) -> None:
        """Make the device that a virtual machine is wired to, and make it reachable from the machine.

        Args:
            first: The network of the cluster's first node, over which it is reached.
            outside: Pid of a process in the network namespace of that node.

        Raises:
            LabError: The addresses are taken, or a command failed.
        """
        self.disconnect_virtual_machine(outside)
        _ip(outside, "tuntap", "add", "dev", self.machine_interface, "mode", "tap")
        _ip(outside, "address", "add", self.prefixed(self.machine_address), "dev", self.machine_interface)
        _ip(outside, "link", "set", self.machine_interface, "up")
        # It goes with the wire of the first node, also after a crash.
        _ip(None, "route", "add", str(self._subnet()), "via", first.node_address)

    def disconnect_virtual_machine(self, outside: int) -> None:
        """Take away what `connect_virtual_machine` made; none there is fine."""
        if self.machine_interface in _ip(outside, "link", "show"):
            _ip(outside, "link", "delete", self.machine_interface)
        if _ip(None, "route", "show", "to", "exact", str(self._subnet())):
            _ip(None, "route", "delete", str(self._subnet()))

    def prefixed(self, address: str) -> str:
        """An address of the wire with the length of its prefix."""
        return f"{address}/{_PREFIX}"

    def remove(self) -> None:
        """Take the wire away; none there is fine. The kernel does it later by itself, but not at once."""
        if self.is_there():
            try:
                _ip(None, "link", "delete", self.machine_interface)
            except LabError:
                if self.is_there():  # else the kernel was faster
                    raise

    def _digest(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()

    def _subnet(self) -> ipaddress.IPv4Network:
        size = 2 ** (32 - _PREFIX)
        index = int(self._digest(), 16) % (_RANGE.num_addresses // size)
        return ipaddress.IPv4Network((int(_RANGE[0]) + index * size, _PREFIX))


def _ip(beside: int | None, *arguments: str) -> str:
    """Run ip in the network namespace of a process; None is the machine's."""
    entrance = () if beside is None else ("nsenter", f"--target={beside}", "--net")
    return _run(*entrance, "ip", *arguments)


def _run(*command: str) -> str:
    return output_of(command, 10)
