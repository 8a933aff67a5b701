"""The bounds that zombies run into: pids.max of the cgroups above their containers, and the machine's own.

Read through the root of the runtime's process, because below /sys/fs/cgroup a pod sees itself only. Nothing is read
while a node has fewer zombies than can be a threat, so it costs a healthy node nothing.
"""

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History
from pausewatch.model.pid_limit import PidLimit
from pausewatch.model.process import FirstProcess, Identity
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.text import printable
from pausewatch.model.view import NodeView
from pausewatch.model.zombies import zombie_groups
from pausewatch.sources.place import Place
from pausewatch.sources.procfs import cgroup
from pausewatch.sources.procfs.errors import ProcFormatError, unavailable
from pausewatch.sources.procfs.pids_hierarchy import PidsHierarchy, directory_of, own_ancestors, parse

LEAST_ZOMBIES = 10
"""Of one container, for its bounds to be read. A runtime needs about ten tasks to start a container, so that a bound
below 40 is no use, and fewer zombies are no considerable part of any other."""

_NUMBER_BYTES = 32
_LONGEST_PATH = 1024
"""Characters. With systemd's names a container's directory has about 300."""

_REMOVED = (errno.ENOENT, errno.ENODEV)
"""Of a cgroup that is gone: before its file was opened, or after (kernfs)."""

_UNBOUNDED = "max"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mounted:
    """The hierarchy as one process behind the CRI socket has it."""

    place: Place
    hierarchy: PidsHierarchy
    own_ancestors: tuple[str, ...]


class PidLimits:
    """Reads the bounds, again and again; what it remembers saves time and nothing else."""

    def __init__(self) -> None:
        self._mounted: _Mounted | None = None
        self._directories: dict[Identity, str | None] = {}
        """Of containers' first processes, below the mount point: who starts a container never moves it. None where it
        could not be read in this scan."""

    def read(self, so_far: Snapshot, place: Place) -> tuple[PidLimit, ...] | Unavailable:
        """Return the bounds above every container with many zombies, nearest first, and then the machine's own.

        Nothing at all where there are few zombies.
        """
        if isinstance(so_far.processes, Unavailable):
            return so_far.processes
        node = NodeView(so_far, History())
        if len(node.zombies) < LEAST_ZOMBIES:
            self._directories = {}
            return ()
        owners = _owners_with_zombies(node)
        try:
            limits = self._of_cgroups(owners, place) if owners else {}
            machine = PidLimit(
                directory="",
                owner_ids=(),
                tasks=_tasks(place),
                most_tasks=min(_kernel_number(place, "pid_max"), _kernel_number(place, "threads-max")),
            )
        except (OSError, ProcFormatError) as error:
            return unavailable(_path_of(error, place), error)
        return limits if isinstance(limits, Unavailable) else (*limits.values(), machine)

    def _of_cgroups(self, owners: Mapping[str, FirstProcess], place: Place) -> Mapping[str, PidLimit] | Unavailable:
        mounted = self._mount(place)
        if isinstance(mounted, Unavailable):
            return mounted
        known = self._directories
        self._directories = {
            first.identity: known.get(first.identity) or _directory(first, mounted) for first in owners.values()
        }
        below: dict[str, list[str]] = {}
        for owner_id, first in owners.items():
            for directory in _with_ancestors(self._directories[first.identity] or "/"):
                below.setdefault(directory, []).append(owner_id)
        limits = {directory: _limit(mounted, directory, tuple(inside)) for directory, inside in below.items()}
        return {directory: limit for directory, limit in limits.items() if limit is not None}

    def _mount(self, place: Place) -> _Mounted | Unavailable:
        if self._mounted is None or self._mounted.place != place:
            found = _find_mount(place)
            if isinstance(found, Unavailable):
                return found
            self._mounted = found
        return self._mounted


def _owners_with_zombies(node: NodeView) -> Mapping[str, FirstProcess]:
    """Return the first process of each container, or sandbox itself, that holds many zombies."""
    owners = (
        (group.owner_id, node.first_processes.get(group.owner_id))
        for group in zombie_groups(node, node.zombies)
        if len(group.zombies) >= LEAST_ZOMBIES
    )
    return {owner_id: first for owner_id, first in owners if first is not None}


def _find_mount(place: Place) -> _Mounted | Unavailable:
    hierarchy = parse(_text(f"{place.proc}/{place.listener_pid}/mountinfo"))
    if hierarchy is None:
        return Unavailable(
            reason="NoPidsController", detail="the runtime sees no cgroup hierarchy, so no bound on processes"
        )
    mounted_at = f"{place.root}{hierarchy.mount_point}"
    ours = parse(_text(f"{place.proc}/self/mountinfo"))
    # Where the whole of the hierarchy is mounted for us, our own place in it does not matter.
    own: tuple[str, ...] | None = () if hierarchy.root == "/" else None
    if own is None and ours is not None and (ours.root, ours.controller) == ("/", hierarchy.controller):
        inode = Path(f"{place.proc}/self/root{ours.mount_point}").stat().st_ino
        own = own_ancestors(hierarchy, mounted_at, inode)
    if own is None:
        return Unavailable(
            reason="OwnCgroupUnknown",
            detail="paths of cgroups are told relative to our own cgroup, which was not found below the runtime's",
            remedy="mount the cgroup file system at /sys/fs/cgroup in pausewatch's container",
        )
    return _Mounted(place=place, hierarchy=hierarchy, own_ancestors=own)


def _directory(first: FirstProcess, mounted: _Mounted) -> str | None:
    """Return the cgroup that the runtime made for a container, not one that the container made below it."""
    text = cgroup.read(mounted.place.proc, first.identity.pid)
    path = directory_of(mounted.hierarchy, text, mounted.own_ancestors) if isinstance(text, str) else None
    parts = (path or "").split("/")
    named = next((number for number, part in enumerate(parts) if first.owner_id in part), None)
    return None if named is None else "/".join(parts[: named + 1])


def _with_ancestors(directory: str) -> tuple[str, ...]:
    """Return a directory and those above it, without the root, which has no bound: nearest first."""
    parts = directory.strip("/").split("/")
    return tuple("/" + "/".join(parts[:depth]) for depth in range(len(parts), 0, -1) if parts[0])


def _limit(mounted: _Mounted, directory: str, owner_ids: tuple[str, ...]) -> PidLimit | None:
    """Read one cgroup; None without a bound."""
    shown = f"{mounted.hierarchy.mount_point}{directory}"
    path = f"{mounted.place.root}{shown}"
    try:
        bound = _text(f"{path}/pids.max", _NUMBER_BYTES).strip()
        if bound == _UNBOUNDED:
            return None
        tasks = _number(f"{path}/pids.current")
    except OSError as error:
        if error.errno in _REMOVED:
            return None  # the container ended, or version 2 has the controller switched off here
        raise
    return PidLimit(
        directory=printable(shown, _LONGEST_PATH),
        owner_ids=owner_ids,
        tasks=tasks,
        most_tasks=_parsed(f"{path}/pids.max", bound),
    )


def _tasks(place: Place) -> int:
    """Return how many tasks the machine has: threads, and zombies too (proc_loadavg(5): behind the slash)."""
    path = f"{place.proc}/loadavg"
    text = _text(path)
    return _parsed(path, text.partition("/")[2].partition(" ")[0])


def _kernel_number(place: Place, name: str) -> int:
    return _number(f"{place.proc}/sys/kernel/{name}")


def _number(path: str) -> int:
    return _parsed(path, _text(path, _NUMBER_BYTES).strip())


def _parsed(path: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ProcFormatError(path, text)
    return int(text)


def _text(path: str, most_bytes: int = -1) -> str:
    with open(path, "rb") as file:  # noqa: PTH123  a bounded read
        return file.read(most_bytes).decode("utf-8", "surrogateescape")


def _path_of(error: OSError | ProcFormatError, place: Place) -> str:
    return error.file if isinstance(error, ProcFormatError) else printable(str(error.filename or place.proc))
