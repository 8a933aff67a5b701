r"""Who uses a pinned network namespace: processes inside, and mounts of it in other mount namespaces.

``/proc/<pid>/mountinfo`` (proc_pid_mountinfo(5)) has a line for each mounted namespace, whose fourth field names it::

    122 121 0:4 net:[4026532251] /run/netns/cni-11111111-2222-... rw shared:26 - nsfs nsfs rw

A mount of the host's /run that was copied into another mount namespace (a container with a hostPath volume, without
mount propagation) holds the namespace after the runtime has removed its file.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pausewatch.model.linux_namespace import NamespaceKind, namespace_text
from pausewatch.model.process import Identity, Process
from pausewatch.sources.procfs.errors import GONE

MOST_HOLDERS = 5
"""Told of one pin: mending starts with the first of them."""

FIRST_PROCESS = 1
"""The init of the node (or of the machine's container): in no pod's network, and its links may be kept from everybody
(a protected init answers EACCES even to CAP_SYS_PTRACE)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinUsers:
    """Of one network namespace."""

    processes_inside: int | None
    """None if some process could not be looked at: it may be inside."""

    holders: tuple[Identity, ...]


def read_pin_users(
    proc: str, runtime_pid: int, processes: Iterable[Process], inodes: Collection[int]
) -> Mapping[int, PinUsers]:
    """Return the users of some network namespaces, by inode number.

    Args:
        proc: Where /proc is mounted.
        runtime_pid: Its mount namespace holds the pins themselves.
        processes: Of the node; neither zombies nor kernel threads, which are in none but the node's.
        inodes: The network namespaces.
    """
    inside = dict.fromkeys(inodes, 0)
    all_seen = True
    representatives: dict[str, Identity] = {}
    for process in processes:
        link = _link(proc, process.pid, "net")
        if link is None and process.pid != FIRST_PROCESS:
            all_seen = False
        for inode in inodes:
            inside[inode] += link == namespace_text(NamespaceKind.NETWORK, inode)
        mounts = _link(proc, process.pid, "mnt")
        if mounts:
            representatives.setdefault(mounts, process.identity)
    representatives.pop(_link(proc, runtime_pid, "mnt") or "", None)
    holders = _holders(proc, representatives.values(), inodes)
    return {
        inode: PinUsers(processes_inside=inside[inode] if all_seen or inside[inode] else None, holders=holders[inode])
        for inode in inodes
    }


def _holders(
    proc: str, representatives: Iterable[Identity], inodes: Collection[int]
) -> Mapping[int, tuple[Identity, ...]]:
    """Return who else has mounted the namespaces; one process stands for all that share its mounts."""
    found: dict[int, list[Identity]] = {inode: [] for inode in inodes}
    for identity in representatives:
        try:
            mounts = Path(proc, str(identity.pid), "mountinfo").read_bytes()
        except OSError:
            continue  # it has ended, or may not be looked at: who holds a pin is told as far as it is known
        for inode in inodes:
            if (
                len(found[inode]) < MOST_HOLDERS
                and f" {namespace_text(NamespaceKind.NETWORK, inode)} ".encode() in mounts
            ):
                found[inode].append(identity)
    return {inode: tuple(identities) for inode, identities in found.items()}


def _link(proc: str, pid: int, kind: str) -> str | None:
    """Return the text of a namespace link, empty if the process is gone; None if it may not be read."""
    path = Path(proc, str(pid), "ns", kind)
    try:
        return str(path.readlink())
    except GONE:
        return ""
    except OSError:
        # A process that is just being reaped answers EACCES as well (proc_ns_readlink): its directory is gone then.
        return None if Path(proc, str(pid), "ns").exists() else ""
