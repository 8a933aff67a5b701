"""The container runtime of a node that is a virtual machine, and commands there."""

from dataclasses import dataclass
from functools import partial
from typing import IO, NoReturn

from lab.errors import LabError
from lab.network import LabNetwork
from lab.output import output_of
from lab.pins import BUSYBOX_IMAGE, PAUSE_IMAGE
from lab.pods import Pod
from lab.records import read_record
from lab.shapes.runtime import RuntimeLab
from lab.shapes.vm_files import PATH, PROGRAMS, SOCKET
from lab.vm.client import command_line
from lab.waiting import wait_until

_COMMAND_SECONDS = 300.0
_REMOVAL_SECONDS = 150.0
#: For an imported image to be known to the CRI.
_IMAGE_SECONDS = 60.0


@dataclass(frozen=True)
class VmRuntime(RuntimeLab):
    """A `RuntimeLab` with a kernel of its own: the process that `containerd` tells is the machine's, qemu."""

    @property
    def endpoint(self) -> str:
        """The CRI endpoint, for programs on the node."""
        return f"unix://{SOCKET}"

    @property
    def address(self) -> str:
        """The node's address, which the machine around it reaches."""
        return LabNetwork(self.name).node_address

    def run(self, pod: Pod, uid: str = "") -> NoReturn:  # noqa: ARG002  as of any runtime
        """Only a kubelet makes pods here.

        Raises:
            LabError: Always.
        """
        raise LabError(f"{self.name} is a virtual machine, where only its kubelet makes pods: no {pod.name}")

    def ctr(self, *arguments: str) -> str:
        """Run containerd's own client in the CRI's namespace k8s.io, and return what it prints."""
        return self.enter("ctr", "--namespace", "k8s.io", *arguments)

    def enter(self, *command: str) -> str:
        """Run a command as root on the node, and return what it prints.

        Raises:
            LabError: It failed, or took more than 300 s; ends with what it wrote to standard error.
        """
        return self.feed(None, *command)

    def feed(self, its_input: IO[bytes] | None, *command: str) -> str:
        """The same, for a command that reads a file of the machine around the node.

        Raises:
            LabError: It failed, or took more than 300 s; ends with what it wrote to standard error.
        """
        return output_of(
            command_line(self.address, command),
            _COMMAND_SECONDS,
            name=f"{self.name}: {' '.join(command)}",
            stdin=its_input,
            environment={"PATH": PATH, "LC_ALL": "C.UTF-8"},
        )

    def import_images(self) -> None:
        """Give the runtime the lab's images."""
        for name, archive in ((PAUSE_IMAGE, "pause.tar"), (BUSYBOX_IMAGE, "busybox.tar")):
            self.ctr("images", "import", str(PROGRAMS / "images" / archive))
            wait_until(f"the CRI to know {name}", partial(self.client.has_image, name), _IMAGE_SECONDS)

    def remove_all_pods(self) -> None:
        """Remove every sandbox the runtime knows, whoever made it."""
        for sandbox in self.client.sandboxes():
            self.client.remove_sandbox(sandbox.id, _REMOVAL_SECONDS)

    def stop(self) -> None:
        """Power it off as a power cut does, and remove everything it left."""
        super().stop()
        cluster = read_record(self.places.outermost)
        if cluster and cluster.containerd.is_alive():
            LabNetwork(self.name).disconnect_virtual_machine(cluster.containerd.pid)
