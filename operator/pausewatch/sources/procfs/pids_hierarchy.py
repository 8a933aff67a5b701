"""``/proc/<pid>/mountinfo``: where the cgroup hierarchy that counts processes is mounted, and where a process is in it.

The pids controller is in a hierarchy of version 1 of its own, or in that of version 2 (cgroups(7))::

    39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
    41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw

Paths in here and in ``/proc/<pid>/cgroup`` are relative to the cgroup namespace of whoever reads
(cgroup_namespaces(7)). A container on version 2 has one of its own, in which it is at ``/``, the pod beside it at
``/../../pod…/…``, and the root of the node's mount at ``/../../../..``. The names of its own ancestors are told nowhere
then. They are found by the inode number of our cgroup: its directory has the same one in our mount and in the node's.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pausewatch.sources.procfs import cgroup

_MOST_DIRECTORIES = 20_000
"""Looked at in search of our own cgroup. A node with 250 pods has about 2,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PidsHierarchy:
    """The mount of the hierarchy that has the pids controller."""

    mount_point: str
    root: str
    """The cgroup that is mounted there, as the reader's cgroup namespace names it: ``/`` or ``/../../..``."""

    controller: str
    """What names it in ``/proc/<pid>/cgroup``: ``pids``, or nothing for version 2."""


def parse(mountinfo: str) -> PidsHierarchy | None:
    """Return the hierarchy, that of version 1 where there are both; None where no pids controller is mounted."""
    mounted = tuple(_hierarchies(mountinfo))
    return next((one for one in mounted if one.controller), mounted[0] if mounted else None)


def directory_of(hierarchy: PidsHierarchy, cgroup_text: str, own_ancestors: Iterable[str]) -> str | None:
    """Return the directory of a process below the mount point, ``/kubepods/pod…/…``, from its cgroup file.

    Args:
        hierarchy: As mounted for the process through whose root the directory will be read.
        cgroup_text: The content of ``/proc/<pid>/cgroup``.
        own_ancestors: The names from the mounted root down to the root of our cgroup namespace; see ``own_ancestors``.

    Returns:
        None if the process is outside of what is mounted.
    """
    path = cgroup.path_in(cgroup_text, hierarchy.controller)
    if path is None:
        return None
    root_ups, root_names = _split(hierarchy.root)
    ups, names = _split(path)
    if root_names:
        inside = ups == root_ups and names[: len(root_names)] == root_names
        return "/" + "/".join(names[len(root_names) :]) if inside else None
    known = tuple(own_ancestors)[: root_ups - ups]
    return "/" + "/".join((*known, *names)) if len(known) == root_ups - ups else None


def own_ancestors(hierarchy: PidsHierarchy, mounted_at: str, own_inode: int) -> tuple[str, ...] | None:
    """Return the names from the mounted root down to the root of our own cgroup namespace.

    Args:
        hierarchy: Whose root tells how deep below it we are.
        mounted_at: Its mount point, as we reach it.
        own_inode: The inode number of the root of our cgroup namespace.

    Returns:
        Nothing where we have no cgroup namespace of our own; None if it was not found.
    """
    depth, _ = _split(hierarchy.root)
    if depth == 0:
        return ()
    for number, (names, inode) in enumerate(_below(mounted_at, (), depth)):
        if inode == own_inode:
            return names
        if number == _MOST_DIRECTORIES:
            break
    return None


def _hierarchies(mountinfo: str) -> Iterator[PidsHierarchy]:
    # The kernel escapes space, tab, newline and backslash in paths and nothing else (fs/proc_namespace.c, mangle), so
    # anything else that Python takes for white space or for the end of a line is part of a name.
    for line in mountinfo.split("\n"):
        before, _, after = line.partition(" - ")
        match before.split(" "), after.split(" "):
            case [_, _, _, root, mount_point, *_], ["cgroup2", *_]:
                yield PidsHierarchy(mount_point=mount_point, root=root, controller="")
            case [_, _, _, root, mount_point, *_], ["cgroup", *_, options] if "pids" in options.split(","):
                yield PidsHierarchy(mount_point=mount_point, root=root, controller="pids")


def _split(path: str) -> tuple[int, tuple[str, ...]]:
    """Return how many levels a path goes up, and the names by which it comes down."""
    parts = tuple(part for part in path.split("/") if part)
    ups = next((number for number, part in enumerate(parts) if part != ".."), len(parts))
    return ups, parts[ups:]


def _below(folder: str, names: tuple[str, ...], depth: int) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield names and inode numbers of the directories at a depth; the walk costs one listing per directory above."""
    try:
        with os.scandir("/".join((folder, *names))) as entries:
            found = [(entry.name, entry.inode()) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return  # the cgroup was removed meanwhile, with all that was below it
    for name, inode in found:
        if len(names) + 1 == depth:
            yield (*names, name), inode
        else:
            yield from _below(folder, (*names, name), depth)
