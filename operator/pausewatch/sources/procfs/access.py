"""What a reading of /proc tells about our own permissions."""

from collections.abc import Iterable

from pausewatch.model.access import AccessFact
from pausewatch.model.availability import PERMISSION_DENIED, Unavailable
from pausewatch.model.process import FirstProcess, Process
from pausewatch.sources.procfs.status import Status

_LOST_WITHOUT_LINKS = "whether containers are in the Linux namespaces they should be in, and whose the zombies are"


def process_list(processes: tuple[Process, ...] | Unavailable) -> AccessFact:
    """Return whether every process of the node can be seen."""
    name = "process-list"
    if isinstance(processes, Unavailable):
        return AccessFact(
            name=name,
            granted=False,
            detail=processes.detail,
            lost="everything about processes: Linux namespaces, zombies, pauses",
            remedy=processes.remedy,
        )
    return AccessFact(name=name, granted=True, detail=f"/proc shows {len(processes)} processes")


def links(first_processes: tuple[FirstProcess, ...] | Unavailable, status: Status | Unavailable | None) -> AccessFact:
    """Return whether the namespace links of other users' processes can be read.

    What was tried counts; the capability alone is believed where there was nothing to try: a security module such as
    AppArmor denies in spite of it (ptrace rules).
    """
    name = "namespace-links"
    if isinstance(first_processes, Unavailable):
        return AccessFact(
            name=name,
            granted=False,
            detail=first_processes.detail,
            lost=_LOST_WITHOUT_LINKS,
            remedy=first_processes.remedy,
        )
    unreadable = [first.links for first in first_processes if isinstance(first.links, Unavailable)]
    denied = [link for link in unreadable if link.reason == PERMISSION_DENIED]
    if denied:
        return AccessFact(
            name=name,
            granted=False,
            detail=f"{len(denied)} of {len(first_processes)} could not be read: {denied[0].detail}",
            lost=_LOST_WITHOUT_LINKS,
            remedy=denied[0].remedy,
        )
    if first_processes:
        return AccessFact(
            name=name, granted=True, detail=f"those of {len(first_processes)} pauses and containers were read"
        )
    if isinstance(status, Status) and status.may_inspect_others:
        return AccessFact(
            name=name, granted=True, detail="CAP_SYS_PTRACE is in effect; no process was there to try it on"
        )
    return AccessFact(
        name=name,
        granted=False,
        detail="CAP_SYS_PTRACE is not in effect",
        lost=_LOST_WITHOUT_LINKS,
        remedy="run as root with CAP_SYS_PTRACE",
    )


def boot_id(boot: str | Unavailable) -> AccessFact:
    """Return whether this boot can be told from others."""
    name = "boot-id"
    if isinstance(boot, Unavailable):
        return AccessFact(
            name=name,
            granted=False,
            detail=boot.detail,
            lost="whether what was remembered belongs to this boot",
            remedy="mount /proc without subset=pid",
        )
    return AccessFact(name=name, granted=True, detail=f"boot {boot}")


def cgroups(version: str) -> AccessFact:
    """Return whether the cgroups of processes can be read, by which they are assigned to containers."""
    name = "cgroup-version"
    if not version:
        return AccessFact(
            name=name,
            granted=False,
            detail="no cgroup hierarchy was found in /proc/self/cgroup",
            lost="to which container a process belongs",
            remedy="boot the node with a kernel that has cgroups, and look at /proc/self/cgroup",
        )
    return AccessFact(name=name, granted=True, detail=version)


def pins(unread: Iterable[Unavailable]) -> tuple[AccessFact, ...]:
    """Return the pinned namespaces that could not be read, one fact for each remedy: one right hides them all."""
    found: dict[str, list[str]] = {}
    for pin in unread:
        remedy = pin.remedy or "compare the path with findmnt -t nsfs in the runtime's mount namespace"
        found.setdefault(remedy, []).append(pin.detail)
    return tuple(
        AccessFact(
            name="pinned-namespace",
            granted=False,
            detail=details[0] + (f", and {len(details) - 1:,} more like it" if details[1:] else ""),
            lost="the comparison of containers with their sandbox, where it is held by such a file",
            remedy=remedy,
        )
        for remedy, details in found.items()
    )
