"""``/proc/<pid>/ns/*``: in which Linux namespaces a process is.

Each entry is a link whose text names the kind and the inode number (namespaces(7))::

    net -> net:[4026531840]
    pid -> pid:[4026532301]

Reading one needs the permission PTRACE_MODE_READ_FSCREDS over the process (fs/proc/namespaces.c). The link text is
read and never the file opened: an open namespace file keeps a namespace alive that everybody else has left.

A zombie keeps ``pid`` and ``user`` and has lost the others (ENOENT). A link that is being read while its process is
reaped gives EACCES, not ENOENT (proc_ns_readlink), so EACCES alone does not prove a want of permission.
"""

import os
from dataclasses import replace
from pathlib import Path

from pausewatch.model.availability import PERMISSION_DENIED, Unavailable
from pausewatch.model.linux_namespace import NamespaceKind, NamespaceLinks, namespace_text
from pausewatch.model.process import Identity
from pausewatch.sources.procfs import confinement, process_stat
from pausewatch.sources.procfs.errors import GONE, ProcFormatError, unavailable

PROCESS_EXITED = "ProcessExited"
"""Why a zombie has no namespaces to show."""

_KINDS = (NamespaceKind.NETWORK, NamespaceKind.IPC, NamespaceKind.UTS, NamespaceKind.PID, NamespaceKind.USER)


_MOST_DIGITS = 20
"""Of an inode number, 64 bits; Python refuses to read some thousand digits, with another error."""


def parse_one(kind: NamespaceKind, target: str) -> int:
    """Return the inode number in the text of one link.

    >>> parse_one(NamespaceKind.NETWORK, "net:[4026531840]")
    4026531840

    Raises:
        ProcFormatError: it is not the text of a link of that kind.
    """
    prefix = f"{kind.link}:["
    number = target.removeprefix(prefix).removesuffix("]")
    is_number = number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS
    if len(number) != len(target) - len(prefix) - 1 or not is_number:
        raise ProcFormatError(f"ns/{kind.link}", target)
    return int(number)


def parse(targets: tuple[str, ...]) -> NamespaceLinks:
    """Return the namespaces that five link texts name, in the order of ``paths``.

    Raises:
        ProcFormatError: one of them is not the text of such a link.
    """
    network, ipc, uts, pid, user = map(parse_one, _KINDS, targets)
    return NamespaceLinks(network=network, ipc=ipc, uts=uts, pid=pid, user=user)


def targets_of(links: NamespaceLinks) -> tuple[str, ...]:
    """Return the five link texts that ``parse`` takes for these namespaces: the way back."""
    return tuple(namespace_text(kind, links.of(kind)) for kind in _KINDS)


def paths(root: str, pid: int) -> tuple[str, ...]:
    """Return the paths of the five links: net, ipc, uts, pid, user."""
    return tuple(f"{root}/{pid}/ns/{kind.link}" for kind in _KINDS)


def read_targets(link_paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return the texts of the links.

    Raises:
        OSError: as readlink(2) gives it; ``read`` tells what it means.
    """
    return tuple(map(os.readlink, link_paths))


def read(root: str, identity: Identity) -> NamespaceLinks | Unavailable | None:
    """Return the namespaces of exactly that process; None if it is gone or its number has a new owner."""
    try:
        links = parse(read_targets(paths(root, identity.pid)))
    except (OSError, ProcFormatError) as error:
        return _why_unreadable(root, identity, error)
    # Read after the links: a number never returns to an earlier process, so what was read before belongs to this one.
    now = process_stat.read(root, identity.pid)
    if isinstance(now, Unavailable):
        return now
    return links if now is not None and now.identity == identity else None


def _why_unreadable(root: str, identity: Identity, error: OSError | ProcFormatError) -> Unavailable | None:
    """Return what a failed read of links means, after a second look at the process; None if it is gone.

    Reported wrongly as a want of permission, an ordinary exit would send people to change security settings.
    """
    pid = identity.pid
    now = process_stat.read(root, pid)
    if now is None or isinstance(now, Unavailable):
        return now
    if now.identity != identity:
        return None
    if now.is_zombie:
        return Unavailable(reason=PROCESS_EXITED, detail=f"process {pid} has exited and waits to be reaped")
    if now.state == "Z":
        return Unavailable(
            reason="LeaderExited",
            detail=f"the first thread of process {pid} has exited while {now.threads - 1} other threads live;"
            " the kernel shows no namespaces for it",
        )
    if isinstance(error, GONE):
        return Unavailable(
            reason="NamespaceLinkMissing",
            detail=f"process {pid} lives but has no link {error.filename}: it is about to exit,"
            " or the kernel was built without that kind of namespace",
        )
    failed = unavailable(f"{root}/{pid}/ns", error)
    return replace(failed, remedy=confinement.remedy(root)) if failed.reason == PERMISSION_DENIED else failed


def read_pid_namespace(root: str, pid: int) -> int | Unavailable | None:
    """Return the inode number of the PID namespace, which a zombie keeps as well; None if the process is gone."""
    path = f"{root}/{pid}/ns/{NamespaceKind.PID.link}"
    try:
        return parse_one(NamespaceKind.PID, str(Path(path).readlink()))
    except GONE:
        return None
    except (OSError, ProcFormatError) as error:
        return unavailable(path, error)
