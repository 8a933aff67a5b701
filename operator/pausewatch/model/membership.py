"""In which cgroup processes are, and who watches over containers."""

from dataclasses import dataclass
from enum import StrEnum

from pausewatch.model.process import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """In which cgroup a living process of user space is."""

    identity: Identity
    cgroup_path: str
    """As /proc shows it, escaped: of the hierarchy that names a container, if one does."""

    container_id: str | None
    """The container or sandbox id in the path; None where the path names none."""


class MonitorKind(StrEnum):
    """Which program watches over containers."""

    SHIM = "containerd-shim"
    CONMON = "conmon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """A process that a runtime started to watch over a sandbox or a container, from its command line."""

    identity: Identity
    kind: MonitorKind
    runtime_namespace: str
    """containerd's: ``k8s.io`` for what the CRI made, ``moby`` for Docker; empty on other runtimes."""

    owner_id: str
    """The id of the sandbox or container that it was started for."""

    is_ours: bool
    """Whether it belongs to the runtime behind the CRI socket, and not to another one on the machine."""
