"""Network namespaces that the runtime has pinned and no sandbox owns.

The runtime mounts the namespace of each sandbox on a file of its own, such as ``/run/netns/cni-<random>``, before it
lists the sandbox (containerd, RunPodSandbox), and removes it when the sandbox is stopped. The names are random, so
the name alone tells whose file it is; directories differ in spelling (/var/run is a link to /run).

Only names are read as long as each of them belongs to a sandbox. The others are looked at with lstat, which opens
nothing: an open namespace file would keep alive what is to go. The kernel sets the file's times when the namespace gets
its file (fs/nsfs.c), which is when it was pinned.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from pausewatch.model.availability import Unavailable
from pausewatch.model.network_pin import NetworkPin, is_pin_name, pin_paths
from pausewatch.model.sandbox import NamespaceMode, Sandbox, SandboxDetails
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.text import printable
from pausewatch.sources.network.pin_users import PinUsers, read_pin_users
from pausewatch.sources.place import Place
from pausewatch.sources.procfs.errors import GONE, unavailable
from pausewatch.sources.procfs.pinned import TooManyLinksError, nsfs_device, resolve_in_root

USUAL_DIRECTORY = "/run/netns"
"""Where ``ip netns`` has its files, and both runtimes by default."""

SETTLED_SECONDS = 10.0
"""Users are counted of pins that have been there for longer: those of pods that start and stop come and go within
seconds, and reading the links of every process for each of them is for nothing."""

MOST_PINS = 1000
"""Without an owner, told of in one scan: the first ones by name, so the same in each. The kernel allows 100,000 mounts
(fs.mount-max); so many of them take 38 MB of our memory, and mending starts with the first."""

USERS_VALID_SECONDS = 120.0
"""How long a count of users stands: a leaked namespace stays for weeks, and nobody enters it by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    uptime_seconds: float
    users: Mapping[str, PinUsers]
    """By the path of the pin: the kernel gives an inode number to the next namespace at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owned:
    names: frozenset[str] = frozenset()
    """Of the files that belong to a sandbox."""

    directories: frozenset[str] = frozenset({USUAL_DIRECTORY})
    """Where it has them, as the runtime spells it."""


class NetworkPins:
    """Finds pins without a sandbox. What is remembered saves time, and tells whose a pin was; nothing else."""

    def __init__(self) -> None:
        self._known: dict[str, _Owned] = {}
        self._all = _Owned()
        self._count = _Count(uptime_seconds=0, users={})

    def read(self, so_far: Snapshot, place: Place) -> tuple[NetworkPin, ...] | Unavailable:
        """Return the pins that no sandbox owns, by path; none where the runtime pins nothing."""
        if isinstance(so_far.sandboxes, Unavailable):
            return so_far.sandboxes
        if isinstance(so_far.host_links, Unavailable):
            return so_far.host_links
        runtime_name = "" if isinstance(so_far.runtime, Unavailable) else so_far.runtime.name
        unknown = self._learn_owners(so_far.sandboxes, runtime_name)
        host_network = so_far.host_links.network
        try:
            unowned = self._unowned(runtime_name, place)
        except OSError as error:
            return unavailable(printable(str(error.filename)), error)
        pins = [pin for pin in unowned if pin.inode != host_network]
        settled = [pin for pin in pins if so_far.age_seconds(pin.made_at_seconds) >= SETTLED_SECONDS]
        if settled and unknown:
            return _owner_unknown(settled[0], unknown)
        users = self._users(settled, so_far, place)
        return tuple(_with_users(pin, users.get(pin.path)) for pin in pins)

    def _learn_owners(self, sandboxes: Iterable[Sandbox], runtime_name: str) -> list[Sandbox]:
        """Remember the pins of listed sandboxes, and return those whose pins nobody ever told."""
        known: dict[str, _Owned] = {}
        unknown = []
        for sandbox in sandboxes:
            owned = self._known.get(sandbox.id)
            if owned is None and not isinstance(sandbox.details, Unavailable):
                owned = _owned(sandbox.details, runtime_name)
            if owned is None:
                unknown.append(sandbox)
            else:
                known[sandbox.id] = owned
        if known != self._known:
            self._known = known
            self._all = _Owned(
                names=frozenset[str]().union(*(one.names for one in known.values())),
                directories=frozenset({USUAL_DIRECTORY}).union(*(one.directories for one in known.values())),
            )
        return unknown

    def _unowned(self, runtime_name: str, place: Place) -> list[NetworkPin]:
        device = nsfs_device(place.proc)
        looked_at = (
            _look(directory / name, place.root, device)
            for directory in _resolved(self._all.directories, place.root)
            for name in sorted(set(os.listdir(directory)) - self._all.names)  # noqa: PTH208  only names are wanted
            if is_pin_name(name, runtime_name)
        )
        return list(islice((pin for pin in looked_at if pin is not None), MOST_PINS))

    def _users(self, settled: list[NetworkPin], so_far: Snapshot, place: Place) -> Mapping[str, PinUsers]:
        """Return who uses each of the pins, by path; counted anew when a pin is new or the count is old."""
        if not settled or isinstance(so_far.processes, Unavailable):
            return {}
        counted = self._count
        outdated = so_far.uptime_seconds - counted.uptime_seconds > USERS_VALID_SECONDS
        if outdated or any(pin.path not in counted.users for pin in settled):
            living = [one for one in so_far.processes if not (one.is_zombie or one.kernel_thread)]
            found = read_pin_users(place.proc, place.listener_pid, living, {pin.inode for pin in settled})
            known = {pin.path: found[pin.inode] for pin in settled if found[pin.inode].processes_inside is not None}
            self._count = _Count(uptime_seconds=so_far.uptime_seconds, users=known)
        return self._count.users


def _owned(details: SandboxDetails, runtime_name: str) -> _Owned | None:
    """Return what belongs to a sandbox; None if the runtime does not tell."""
    paths = pin_paths(details)
    if paths is None:
        # One in the node's network has no pin to tell of.
        return _Owned() if details.network_mode is NamespaceMode.NODE else None
    parts = [path.rpartition("/") for path in paths]
    return _Owned(
        names=frozenset(name for _, _, name in parts),
        directories=frozenset(directory for directory, _, name in parts if is_pin_name(name, runtime_name)),
    )


def _owner_unknown(pin: NetworkPin, sandboxes: list[Sandbox]) -> Unavailable:
    first = sandboxes[0]
    return Unavailable(
        reason="SandboxesUnreadable",
        detail=f"whose {pin.path} is can not be told: the runtime does not tell the network namespace of"
        f" {len(sandboxes)} of its sandboxes, among them {first.namespace}/{first.name}",
        remedy=f"look for what is wrong with it: crictl inspectp {first.id}",
    )


def _resolved(directories: Iterable[str], root: str) -> list[Path]:
    """Return where directories are in the runtime's root, without links and each once."""
    found: set[Path] = set()
    for directory in directories:
        try:
            found.add(resolve_in_root(root, directory))
        except (FileNotFoundError, TooManyLinksError):
            continue  # nothing was ever pinned there
    return sorted(found)


def _look(file: Path, root: str, device: int) -> NetworkPin | None:
    """Return what a file pins; None if nothing: it is gone, or only the empty file remains, which holds nothing."""
    try:
        status = file.lstat()
    except GONE:
        return None
    if status.st_dev != device:
        return None
    return NetworkPin(
        path=printable(str(file).removeprefix(root)),
        inode=status.st_ino,
        made_at_seconds=status.st_mtime,
        processes_inside=None,
    )


def _with_users(pin: NetworkPin, users: PinUsers | None) -> NetworkPin:
    if users is None:
        return pin
    return replace(pin, processes_inside=users.processes_inside, holders=users.holders)
