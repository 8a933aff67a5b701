"""Linux namespaces as the kernel names them: a kind and an inode number.

All namespaces of all kinds are files of the one ``nsfs`` file system, so within one boot the inode number alone
identifies a living namespace (namespaces(7)). The kernel gives a dead one's number to the next at once: a number is
valid inside one Snapshot only and is never compared across scans.
"""

from dataclasses import dataclass
from enum import StrEnum


class NamespaceKind(StrEnum):
    """The kinds that a pod sandbox can share with its containers; the value is what people call them."""

    NETWORK = "network"
    IPC = "ipc"
    UTS = "uts"
    PID = "pid"
    USER = "user"

    @property
    def link(self) -> str:
        """The name of the link below ``/proc/<pid>/ns``."""
        return "net" if self is NamespaceKind.NETWORK else self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceLinks:
    """The namespaces of one process, from the links below ``/proc/<pid>/ns``: inode numbers.

    All five of a live process are readable or none is: the kernel asks the same permission for each.
    """

    network: int
    ipc: int
    uts: int
    pid: int
    user: int

    def of(self, kind: NamespaceKind) -> int:
        """Return the inode number of one kind."""
        inode: int = getattr(self, kind)  # each is called as its kind is
        return inode


def namespace_text(kind: NamespaceKind, inode: int) -> str:
    """Return a namespace the way ``readlink`` prints it, so that people can compare: ``net:[4026531840]``."""
    return f"{kind.link}:[{inode}]"
