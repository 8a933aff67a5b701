"""Pod sandboxes and containers as the CRI tells them (k8s.io/cri-api, runtime/v1/api.proto)."""

from dataclasses import dataclass
from enum import StrEnum

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceKind


class SandboxState(StrEnum):
    """``PodSandboxState``; READY means the runtime believes that the sandbox works."""

    READY = "READY"
    NOTREADY = "NOTREADY"


class ContainerState(StrEnum):
    """``ContainerState``."""

    CREATED = "CREATED"
    RUNNING = "RUNNING"
    EXITED = "EXITED"
    UNKNOWN = "UNKNOWN"


class NamespaceMode(StrEnum):
    """``NamespaceMode``: with whom a Linux namespace is to be shared."""

    POD = "POD"
    CONTAINER = "CONTAINER"
    NODE = "NODE"
    TARGET = "TARGET"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecNamespace:
    """One entry of ``linux.namespaces`` in the OCI runtime specification of a sandbox or container."""

    kind: NamespaceKind
    path: str
    """The file of the namespace to join; empty: the runtime makes a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxDetails:
    """What only the status of a sandbox tells. Remembered per (id, state): the runtime does not change it."""

    pause_pid: int
    """0 where there is no pause process: the usual case on CRI-O, or a dead one."""

    image: str
    """The image that the pause was started from; empty if the runtime does not say."""

    runtime_type: str
    """containerd's name of the shim, ``io.containerd.runc.v2``; empty on other runtimes."""

    runtime_handler: str
    """The handler of the pod's RuntimeClass; empty for the default."""

    network_mode: NamespaceMode | None
    ipc_mode: NamespaceMode | None
    pid_mode: NamespaceMode | None
    """None where the runtime gave no namespace options at all: nothing is expected then."""

    user_mode: NamespaceMode | None
    """None where the runtime tells of no user namespace: the same as NODE."""

    spec_namespaces: tuple[SpecNamespace, ...] | None
    """None without a runtime specification."""

    addresses: tuple[str, ...]
    """The pod's IP addresses that the runtime reports, in canonical form (RFC 5952)."""

    pod_source: str
    """Where the kubelet has the pod from: ``api``, ``file`` or ``http`` (a static pod); empty for a sandbox that no
    kubelet made."""

    @property
    def uts_mode(self) -> NamespaceMode | None:
        """With whom the sandbox shares its UTS namespace; None without a runtime specification.

        The CRI has no option for it, the specification tells: containerd leaves the entry out with hostNetwork, CRI-O
        never does.
        """
        if self.spec_namespaces is None:
            return None
        for entry in self.spec_namespaces:
            if entry.kind is NamespaceKind.UTS:
                return NamespaceMode.POD
        return NamespaceMode.NODE


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """A ``PodSandbox``."""

    id: str
    name: str
    """The pod's name."""

    namespace: str
    """The pod's (Kubernetes) namespace."""

    uid: str
    """The pod's uid as the kubelet knows it: for a static pod the hash of its manifest, not the mirror pod's uid."""

    attempt: int
    state: SandboxState
    created_at_seconds: float
    """Unix time."""

    details: SandboxDetails | Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerDetails:
    """What only the status of a container tells. Remembered per (id, state)."""

    pid: int
    """0 unless RUNNING. Runtimes differ in what they report for a dead one, so theirs is not kept."""

    pid_mode: NamespaceMode | None
    """None where the runtime does not tell: the PID namespace is not judged then."""

    target_id: str
    """The container whose PID namespace a TARGET container joins; empty if the runtime does not name it."""

    spec_namespaces: tuple[SpecNamespace, ...] | None

    grace_seconds: float
    """The longest time that the kubelet may take to end it once its pod is deleted; 0 if it was not told."""

    may_administer: bool | None
    """Whether CAP_SYS_ADMIN is in the bounding set it was started with, so that its processes may move between
    namespaces of their own accord; None without a runtime specification."""

    may_change_network: bool | None
    """The same of CAP_NET_ADMIN: whether its processes may change the addresses and links of their pod."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A ``Container``."""

    id: str
    sandbox_id: str
    name: str
    attempt: int
    state: ContainerState
    image: str
    details: ContainerDetails | Unavailable
