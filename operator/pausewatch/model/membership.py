"""In which cgroup processes are, and who watches over containers."""

from dataclasses import dataclass
from enum import StrEnum

from pausewatch.model.process import Identity

SETTLING_SECONDS = 10
"""For how long a scan may rightly see a process or a monitor without its owner, and a pause that is none yet.

The runtime is asked before /proc is read, and it lists a sandbox a moment after it started its pause; it calls a
container EXITED while the last processes of its cgroup are being killed. All of that takes milliseconds on an idle
node and seconds on a busy one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """In which cgroup a living process of user space is."""

    identity: Identity
    cgroup_path: str
    """As /proc shows it, escaped: of the hierarchy that names a container; empty where none does."""

    container_id: str | None
    """The container or sandbox id in the path; None where the path names none."""

    pods_root: str | None = None
    """What stands in the path in front of the kubelet's part, escaped: two kubelets of one machine, as with a node of
    kind, have their pods in different places. None where the path is not that of a pod."""

    stray_seconds: float = 0
    """For how long it has been seen, scan after scan, in the cgroup of a container that the runtime lists as EXITED or
    not at all, among the pods' cgroups of the kubelet whose pods it lists; 0 when that is seen for the first time, and
    for all others."""


class MonitorKind(StrEnum):
    """Which program watches over containers."""

    SHIM = "containerd-shim"
    CONMON = "conmon"


NAMESPACE_OF_THE_CRI = "k8s.io"
"""containerd's own namespace for what was made through the CRI (its constant K8sContainerdNamespace)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """A process that a runtime started to watch over a sandbox or a container, from its command line."""

    identity: Identity
    kind: MonitorKind
    runtime_namespace: str
    """containerd's: ``k8s.io`` for what the CRI made, ``moby`` for Docker; empty on other runtimes."""

    owner_id: str
    """The id of the sandbox or container that it was started for, escaped."""

    is_ours: bool
    """Whether it belongs to the runtime behind the CRI socket, and not to another one on the machine."""

    unlisted_seconds: float = 0
    """For how long the runtime, scan after scan, has not listed its owner; 0 when that is seen for the first time."""

    @property
    def serves_the_cri(self) -> bool:
        """Whether what it watches over must be listed by the CRI."""
        return self.is_ours and (self.kind is not MonitorKind.SHIM or self.runtime_namespace == NAMESPACE_OF_THE_CRI)
