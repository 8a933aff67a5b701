"""Faults inside a pod's network namespace, one verb per fault; see `faults` for the rules.

They are made from the node, as a network plugin's agent could: no container of the pod needs a capability.
"""

from lab.network_faults import reservation
from lab.pods import Pod, RunningPod
from lab.shapes.runtime import RuntimeLab

_INTERFACE = "eth0"


def lose_address(lab: RuntimeLab, running: RunningPod) -> None:
    """Delete the pod's address from its interface. Healed by `give_address` with that address."""
    in_network(lab, running, "ip", "address", "delete", f"{running.address()}/16", "dev", _INTERFACE)


def give_address(lab: RuntimeLab, running: RunningPod, address: str) -> None:
    """Add an address, such as another pod's, to the pod's interface. Healed by `take_address`."""
    in_network(lab, running, "ip", "address", "add", f"{address}/16", "dev", _INTERFACE)


def take_address(lab: RuntimeLab, running: RunningPod, address: str) -> None:
    """Delete from the pod's interface what `give_address` added."""
    in_network(lab, running, "ip", "address", "delete", f"{address}/16", "dev", _INTERFACE)


def set_link(lab: RuntimeLab, running: RunningPod, state: str, link: str = _INTERFACE) -> None:
    """Take a link of the pod "down", or bring it "up"; its routes do not come back with it."""
    in_network(lab, running, "ip", "link", "set", link, state)


def delete_link(lab: RuntimeLab, running: RunningPod) -> None:
    """Delete the pod's interface, and so its other end on the node. Healed by removing the pod."""
    in_network(lab, running, "ip", "link", "delete", _INTERFACE)


def give_address_twice(lab: RuntimeLab, running: RunningPod, pod: Pod) -> RunningPod:
    """Make a second pod with the address of the first, which the network plugin takes for free.

    The file that reserves the address is deleted, which people do against "no IP addresses available"; the last one
    that was given away is set so that this one is next; and the node's route to the first pod goes, as it does with a
    restart of the node's network. Healed by removing the second pod.
    """
    address = running.address()
    file = reservation(lab, running.sandbox_id)
    file.unlink()
    *network, last = address.split(".")
    (file.parent / "last_reserved_ip.0").write_text(".".join((*network, str(int(last) - 1))))
    lab.enter("ip", "route", "delete", address)
    return lab.run(pod)


def in_network(lab: RuntimeLab, running: RunningPod, *command: str) -> str:
    """Run a command in the network namespace of a pod, and return what it prints."""
    return lab.enter("nsenter", f"--target={running.pause_pid()}", "--net", *command)
