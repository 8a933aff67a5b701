"""Network namespaces that a file keeps alive."""

import re
from dataclasses import dataclass

from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.process import Identity
from pausewatch.model.sandbox import SandboxDetails

CRI_O = "cri-o"
"""What CRI-O calls itself in its Version."""

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_CONTAINERD_NAME = re.compile(rf"cni-{_UUID}")
_CRI_O_NAME = re.compile(_UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPin:
    """A pinned network namespace with a name of the runtime's own pattern that no listed sandbox owns."""

    path: str
    """As the runtime's mount namespace shows it, symbolic links resolved: ``/run/netns/cni-...``."""

    inode: int
    made_at_seconds: float
    """Unix time at which the file got its namespace."""

    processes_inside: int | None
    """None where it was not counted: the pin is too young, or a process could not be looked at."""

    holders: tuple[Identity, ...] = ()
    """Processes in other mount namespaces, one for each, whose mounts hold the namespace as well; of those pins that
    no process is inside."""

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.path.rpartition("/")[2]


def is_pin_name(name: str, runtime_name: str) -> bool:
    """Whether a runtime gives such names to the network namespaces that it pins.

    containerd: ``cni-`` and five groups of random digits (pkg/netns/netns_linux.go); CRI-O: a UUID
    (internal/config/nsmgr/nsmgr_linux.go). Docker's are left out: cri-dockerd lets Docker make them, and Docker knows
    them. The directory is shared: ``ip netns add``, Cilium, Podman (``netns-...``) and others choose other names.

    >>> is_pin_name("cni-0f8fad5b-d9cb-469f-a165-70867728950e", "containerd"), is_pin_name("blue", "containerd")
    (True, False)
    """
    if runtime_name == CRI_O:
        return _CRI_O_NAME.fullmatch(name) is not None
    return _CONTAINERD_NAME.fullmatch(name) is not None


def pin_paths(details: SandboxDetails) -> tuple[str, ...] | None:
    """Return the files that hold the network namespace of a sandbox; None if the runtime does not tell."""
    if details.spec_namespaces is None:
        return None
    return tuple(one.path for one in details.spec_namespaces if one.kind is NamespaceKind.NETWORK and one.path)
