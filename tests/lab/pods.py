"""What a pod is asked to be, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.cri import lab_cri_pb2 as pb
from lab.cri.client import CriClient
from lab.errors import LabError
from lab.pins import BUSYBOX_IMAGE

#: Lives until it is killed, and does nothing. As PID 1 it neither waits for children nor dies of SIGTERM.
SLEEP = ("sleep", "1000000")


@dataclass(frozen=True)
class Mount:
    """A path of the node, seen in a container."""

    host_path: str
    container_path: str
    readonly: bool = True


@dataclass(frozen=True)
class Confinement:
    """What a careful author's securityContext and limits say; the default is a container that may do anything as root.

    Every capability but the container's own `capabilities` is dropped, the root file system is read-only, no privileges
    can be gained, and the runtime's default seccomp profile holds.

    Attributes:
        user: Its uid.
        memory_limit_bytes: Of its cgroup; 0 is no limit.
    """

    user: int = 65532
    memory_limit_bytes: int = 0


@dataclass(frozen=True)
class Container:
    """One container of a pod.

    Attributes:
        name: Unique in its pod.
        command: What it runs instead of the image's entry point; empty: that one.
        arguments: Of the command, or of the image's entry point.
        environment: Variables beyond the image's.
        image: A name the runtime knows.
        privileged: All capabilities and devices.
        capabilities: Added to the default set, without CAP_: "SYS_ADMIN".
        target: Another container of the pod whose PID namespace it enters, as `kubectl debug --target` asks;
            it has to come later in the pod than its target.
        mounts: Paths of the node.
        init: Runs to its end, with exit code 0, before the containers after it start.
        confinement: What it may not do; None: nothing is kept from it.
    """

    name: str = "app"
    command: tuple[str, ...] = SLEEP
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    image: str = BUSYBOX_IMAGE
    privileged: bool = False
    capabilities: tuple[str, ...] = ()
    target: str = ""
    mounts: tuple[Mount, ...] = ()
    init: bool = False
    confinement: Confinement | None = None


@dataclass(frozen=True)
class Pod:
    """A pod as its author would write it.

    Attributes:
        name: Unique among the pods that run with this namespace.
        namespace: The Kubernetes namespace.
        containers: In the order in which they start.
        host_network: Shares the node's network (and so UTS) namespace; the node is the lab, not the machine.
        host_pid: Shares the node's PID namespace, which is the machine's.
        host_ipc: Shares the node's IPC namespace, which is the machine's.
        share_pid: shareProcessNamespace: one PID namespace, pause is its PID 1.
        annotations: The author's own.
        labels: The author's own.
        runtime_handler: Which runtime; empty is the default one.
        pids_limit: pids.max of the pod's cgroup, as a kubelet sets it for podPidsLimit; None is no limit.
            Starting a container takes about ten itself: below 40 it may fail.
    """

    name: str
    namespace: str = "lab"
    containers: tuple[Container, ...] = (Container(),)
    host_network: bool = False
    host_pid: bool = False
    host_ipc: bool = False
    share_pid: bool = False
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    runtime_handler: str = ""
    pids_limit: int | None = None

    def container(self, name: str) -> Container:
        """The container of this name.

        Raises:
            LabError: There is none.
        """
        for container in self.containers:
            if container.name == name:
                return container
        raise LabError(f"pod {self.name} has no container {name!r}")


@dataclass(frozen=True)
class RunningPod:
    """A pod that was made. Pids are asked of the runtime anew each time: containers come and go.

    Attributes:
        pod: What was asked for.
        uid: The pod's UID.
        sandbox_id: The runtime's id of the sandbox.
        container_ids: Container name to the runtime's id.
        sandbox_config: What was sent to the runtime, needed again for each container.
        client: The runtime it runs in.
    """

    pod: Pod
    uid: str
    sandbox_id: str
    container_ids: Mapping[str, str]
    sandbox_config: pb.PodSandboxConfig = field(repr=False)
    client: CriClient = field(repr=False)

    def pid(self, container: str = "app") -> int:
        """Pid of the container's first process, as the runtime tells it.

        Raises:
            LabError: It does not run.
        """
        return _pid(self.client.container_info(self.container_ids[container]), f"{self.pod.name}/{container}")

    def pause_pid(self) -> int:
        """Pid of the sandbox's pause.

        Raises:
            LabError: It does not run.
        """
        return _pid(self.client.sandbox_info(self.sandbox_id), f"the sandbox of {self.pod.name}")

    def log(self, container: str = "app") -> str:
        """What all attempts of the container have printed, each line after the CRI's time and stream."""
        directory = Path(self.sandbox_config.log_directory) / container
        return "".join(file.read_text() for file in sorted(directory.glob("*.log")))

    def address(self) -> str:
        """The pod's IP address; empty with host_network."""
        return self.client.sandbox_status(self.sandbox_id).network.ip


def _pid(info: Mapping[str, Any], whose: str) -> int:
    pid = int(info.get("pid") or 0)
    if not pid:
        raise LabError(f"{whose} does not run")
    return pid
