r"""Who uses a pinned network namespace: processes inside, and mounts of it in other mount namespaces.

``/proc/<pid>/mountinfo`` (proc_pid_mountinfo(5)) has a line for each mounted namespace, whose fourth field names it::

    122 121 0:4 net:[4026532251] /run/netns/cni-11111111-2222-... rw shared:26 - nsfs nsfs rw

A mount of the host's /run that was copied into another mount namespace (a container with a hostPath volume, without
mount propagation) holds the namespace after the runtime has removed its file.
"""

import os
from collections import Counter
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

_NETWORK_NAMESPACE = b"net:["


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
    inside: Counter[str] = Counter()
    all_seen = True
    representatives: dict[str, Identity] = {}
    for process in processes:
        link = _link(proc, process.pid, "net")
        if link is None:
            all_seen &= process.pid == FIRST_PROCESS
        else:
            inside[link] += 1
        mounts = _link(proc, process.pid, "mnt")
        if mounts:
            representatives.setdefault(mounts, process.identity)
    representatives.pop(_link(proc, runtime_pid, "mnt") or "", None)
    counts = {inode: inside[namespace_text(NamespaceKind.NETWORK, inode)] for inode in inodes}
    empty = [inode for inode, count in counts.items() if count == 0]
    holders = _holders(proc, representatives.values(), empty) if empty else {}
    return {
        inode: PinUsers(processes_inside=count if all_seen or count else None, holders=holders.get(inode, ()))
        for inode, count in counts.items()
    }


def _holders(
    proc: str, representatives: Iterable[Identity], inodes: Collection[int]
) -> Mapping[int, tuple[Identity, ...]]:
    """Return who else has mounted the namespaces; one process stands for all that share its mounts."""
    found: dict[int, list[Identity]] = {inode: [] for inode in inodes}
    by_text = {namespace_text(NamespaceKind.NETWORK, inode).encode(): inode for inode in inodes}
    for identity in representatives:
        try:
            mounted = _mounted_roots(f"{proc}/{identity.pid}/mountinfo")
        except OSError:
            continue  # it has ended, or may not be looked at: who holds a pin is told as far as it is known
        for text in by_text.keys() & mounted:
            holders = found[by_text[text]]
            if len(holders) < MOST_HOLDERS:
                holders.append(identity)
    return {inode: tuple(identities) for inode, identities in found.items()}


def _mounted_roots(path: str) -> set[bytes]:
    """Return what is mounted, as the fourth field tells it: of namespaces only, they alone begin so.

    Line by line and once for all pins: whoever may mount can make a hundred thousand mounts with names of 4 kB
    (fs.mount-max), and a node may have lost a thousand namespaces.
    """
    with open(path, "rb") as file:  # noqa: PTH123  read as it comes
        roots = (line.split(b" ", 4)[3:4] for line in file)
        return {root for found in roots for root in found if root.startswith(_NETWORK_NAMESPACE)}


def _link(proc: str, pid: int, kind: str) -> str | None:
    """Return the text of a namespace link, empty if the process is gone; None if it may not be read."""
    try:
        return os.readlink(f"{proc}/{pid}/ns/{kind}")  # noqa: PTH115  a Path for each costs more than the read
    except GONE:
        return ""
    except OSError:
        # A process that is just being reaped answers EACCES as well (proc_ns_readlink): its directory is gone then.
        return None if Path(proc, str(pid), "ns").exists() else ""
