"""The runtime left the network namespace of a sandbox behind."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from integration.faults.conftest import StartCase
from integration.support.fault_case import all_commands, type_on_the_node
from integration.support.program import Program
from integration.support.runbook import diagnose, is_the_mitigation
from lab import faults
from lab.pods import Pod
from lab.processes import linux_namespace
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until

CHECK = "leaked-network-namespace"

#: Ten minutes are too long for a test; that long they are shown by the unit test.
SOON = {CHECK: {"lasting_seconds": 5.0}}

HERE = linux_namespace(os.getpid(), "mnt")


@contextmanager
def process(*command: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program until the context is left."""
    started = subprocess.Popen(command)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def on_the_node(lab: RuntimeLab) -> list[str]:
    """Begin a command that runs in the mount namespace of the lab's node."""
    return ["nsenter", f"--target={lab.containerd.pid}", "--mount"]


def test_pin_without_a_sandbox(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """It is told with its inode number, and the commands show that it is empty and remove it."""
    case = start_case(CHECK, SOON)
    lab.run(Pod("web"))
    lab.run(Pod("on-the-node", host_network=True))
    lab.enter("ip", "netns", "add", "of-an-administrator")
    name = faults.leaked_network_namespace(lab)
    inode = lab.enter("stat", "--format=%i", f"/run/netns/{name}").strip()

    finding = case.found()

    assert (finding.reason, finding.subject.is_node) == ("LeakedNetworkNamespace", True)
    (pin,) = [one.value for one in finding.evidence if one.name == "pin"]
    assert pin.startswith(f"/run/netns/{name}, net:[{inode}], made at 20")
    assert "LOOPBACK" in diagnose(program.inside(lab), CHECK, name=name)
    is_the_mitigation(all_commands(finding), CHECK, name=name)
    inside, removed = type_on_the_node(program.inside(lab), finding)
    assert (inside, removed) == ("", "")
    assert name not in lab.enter("ip", "netns", "list")

    case.cleared()
    lab.enter("ip", "netns", "delete", "of-an-administrator")


def test_pin_with_a_process_inside_is_used(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """Somebody uses it, whoever that is; what is left behind beside it is found, without it."""
    case = start_case(CHECK, SOON)
    used, left = faults.leaked_network_namespace(lab), faults.leaked_network_namespace(lab)
    inode = lab.enter("stat", "--format=%i", f"/run/netns/{used}").strip()
    with process(*on_the_node(lab), "nsenter", f"--net=/run/netns/{used}", "sleep", "1000") as user:
        wait_until("the process to be inside", lambda: linux_namespace(user.pid, "net") == f"net:[{inode}]", 5)

        finding = case.found()

        (pin,) = [one.value for one in finding.evidence if one.name == "pin"]
        assert left in pin
        assert program.inside(lab).shell(f"ip netns pids {used}").split() == [str(user.pid)]
        type_on_the_node(program.inside(lab), finding)
        case.cleared()
        faults.remove_network_namespace(lab, used)


def test_holder_of_the_mount_is_named(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """A program with a copy of the node's mounts, as a container with a hostPath volume of /run has it."""
    case = start_case(CHECK, SOON)
    faults.leaked_network_namespace(lab)
    node = linux_namespace(lab.containerd.pid, "mnt")
    with process(*on_the_node(lab), "unshare", "--mount", "--propagation", "private", "sleep", "1000") as holder:
        wait_until("the copy of the mounts", lambda: linux_namespace(holder.pid, "mnt") not in (node, HERE), 5)

        finding = case.found()

        held = [one.value for one in finding.evidence if one.name == "alsoHeldBy"]
        assert held == [f"the mounts of pid {holder.pid} (sleep)"]
        # The kernel takes the file's mount out of the copies as well.
        type_on_the_node(program.inside(lab), finding)
        case.cleared()
