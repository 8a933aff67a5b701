"""Shims and conmons: for whom a runtime started each of them, and which runtime.

A shim's command line (containerd, pkg/shim)::

    containerd-shim-runc-v2 -namespace k8s.io -id 49b6b3… -address /run/containerd/containerd.sock

``start`` or ``delete`` behind it is a call that ends in moments. conmon's (CRI-O, internal/oci/runtime_oci.go)::

    conmon -b … -c 3f2a91… --exit-dir /var/run/crio/exits … --socket-dir-path /var/run/crio -u 3f2a91… -s

with ``-e`` for the session of an exec. Whoever may run a program may run one that calls itself so. A runtime's own
monitors are in the runtime's mount namespace, where no pod can be without being root on the node: only of those is the
command line believed, or read at all. A program can keep whoever reads its arguments waiting for ever: the kernel takes
the lock of its memory for that (fs/proc/base.c, proc_pid_cmdline_read), which another thread of it may hold while it
waits itself. No other file of a process that we read needs that lock: stat, schedstat, cgroup, status, mountinfo, exe
and the links below ns and net answer all the same (tests/integration/hostile_node/test_hanging_reads.py).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from pausewatch.model.availability import Unavailable
from pausewatch.model.membership import SETTLING_SECONDS, Monitor, MonitorKind
from pausewatch.model.process import Identity, Process
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.text import printable
from pausewatch.sources.place import Place

_NAMES = ("containerd-shim", "conmon")
"""How the kernel's name of a monitor begins: it keeps 15 characters, all of the first one."""

_MOST_BYTES = 4096
_SHIM_CALLS = ("start", "delete")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """What the arguments of a monitor say."""

    kind: MonitorKind
    runtime_namespace: str
    owner_id: str
    runtime_path: str
    """The runtime's socket for a shim, the directory of its sockets for a conmon."""


def parse(raw: bytes) -> CommandLine | None:
    """Return what the content of ``/proc/<pid>/cmdline`` says; None if it is no monitor's."""
    program, *arguments = (argument.decode("utf-8", "surrogateescape") for argument in raw.rstrip(b"\0").split(b"\0"))
    name = PurePosixPath(program).name
    if name.startswith("containerd-shim") and not (arguments and arguments[-1] in _SHIM_CALLS):
        owner, path = _value(arguments, "id"), _value(arguments, "address")
        namespace = _value(arguments, "namespace")
        kind = MonitorKind.SHIM
    elif name == "conmon" and "-e" not in arguments:
        owner, path, namespace = _value(arguments, "c"), _value(arguments, "socket-dir-path"), ""
        kind = MonitorKind.CONMON
    else:
        return None
    if not owner or not path:
        return None
    return CommandLine(
        kind=kind,
        runtime_namespace=printable(namespace),
        owner_id=printable(owner),
        runtime_path=path.removeprefix("unix://"),
    )


@dataclass(slots=True, kw_only=True)
class _Known:
    process: Process
    monitor: Monitor | None
    unlisted_since: float | None = None


class Monitors:
    """Finds monitors, scan after scan; what it remembers saves time, but for how long an owner has been missing."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}

    def read(self, so_far: Snapshot, place: Place) -> tuple[Monitor, ...] | Unavailable:
        """Return the monitors in the mount namespace of the runtime, by pid.

        Those that may not be looked at are left out, as if they were another runtime's.
        """
        if isinstance(so_far.processes, Unavailable):
            return so_far.processes
        listed = _listed(so_far)
        if isinstance(listed, Unavailable):
            return listed
        remembered: dict[int, _Known] = {}
        for process in so_far.processes:
            if process.name.startswith(_NAMES) and not process.is_zombie:
                pid = process.identity.pid
                known = self._known.get(pid)
                if known is None or (known.process is not process and known.process.identity != process.identity):
                    known = _look(place, process)
                if known is None:
                    continue
                if known.monitor is not None:
                    _count(known, listed, so_far.uptime_seconds)
                if known.monitor is not None or _is_old(process.identity, so_far.uptime_seconds):
                    remembered[pid] = known
        self._known = remembered
        return tuple(known.monitor for known in remembered.values() if known.monitor is not None)


def _count(known: _Known, listed: set[str], uptime_seconds: float) -> None:
    """Count for how long the runtime has not listed the owner."""
    monitor = known.monitor
    if monitor is None or (monitor.owner_id in listed and known.unlisted_since is None):
        return
    if monitor.owner_id in listed:
        known.unlisted_since, unlisted_seconds = None, 0.0
    else:
        known.unlisted_since = uptime_seconds if known.unlisted_since is None else known.unlisted_since
        unlisted_seconds = uptime_seconds - known.unlisted_since
    known.monitor = replace(monitor, unlisted_seconds=unlisted_seconds)


def _is_old(identity: Identity, uptime_seconds: float) -> bool:
    """Whether a process shows its own command line by now: a new one shows its parent's until it becomes a program."""
    return identity.age_seconds(uptime_seconds) >= SETTLING_SECONDS


def _look(place: Place, process: Process) -> _Known | None:
    """Return what is known of a process; None if it could not be read.

    It may be gone or not permitted; or the runtime is just being restarted, and has no mount namespace to compare with:
    believed for good, that would make strangers of all its monitors.
    """
    try:
        return _Known(process=process, monitor=_read(place, process.identity))
    except OSError:
        return None


def _read(place: Place, identity: Identity) -> Monitor | None:
    """Read one monitor; None if it is none, or is in another mount namespace.

    Raises:
        OSError: It, or the runtime, is gone or may not be read.
    """
    folder = f"{place.proc}/{identity.pid}"
    if Path(folder, "ns/mnt").readlink() != Path(place.proc, f"{place.listener_pid}/ns/mnt").readlink():
        return None
    descriptor = os.open(f"{folder}/cmdline", os.O_RDONLY)
    try:
        raw = os.read(descriptor, _MOST_BYTES)
    finally:
        os.close(descriptor)
    line = parse(raw)
    if line is None:
        return None
    return Monitor(
        identity=identity,
        kind=line.kind,
        runtime_namespace=line.runtime_namespace,
        owner_id=line.owner_id,
        is_ours=_is_ours(place, line),
    )


def _is_ours(place: Place, line: CommandLine) -> bool:
    """Whether the path on a command line is that of the runtime behind the CRI socket."""
    endpoint = _without_link(place.endpoint)
    wanted = endpoint if line.kind is MonitorKind.SHIM else str(PurePosixPath(endpoint).parent)
    if _without_link(line.runtime_path) == wanted:
        return True
    # We may have connected by another path to the same socket: inside a pod it is mounted wherever the pod wants it.
    same = wanted if line.kind is MonitorKind.SHIM else str(PurePosixPath(place.endpoint).parent)
    try:
        return os.path.samefile(f"{place.root}{line.runtime_path}", same)  # noqa: PTH121  takes text as it is
    except OSError:  # not there, so it is not the one that we are connected to
        return False


def _without_link(path: str) -> str:
    """Return the path of a socket without the link that /var/run is."""
    return path.removeprefix("/var") if path.startswith("/var/run/") else path


def _value(arguments: Sequence[str], flag: str) -> str:
    """Return the value of a flag as Go and GLib take it: one dash or two, the value behind ``=`` or in the next one."""
    for position, argument in enumerate(arguments):
        name, equals, value = argument.lstrip("-").partition("=")
        if name == flag and argument.startswith("-"):
            return value if equals else next(iter(arguments[position + 1 : position + 2]), "")
    return ""


def _listed(so_far: Snapshot) -> set[str] | Unavailable:
    if isinstance(so_far.sandboxes, Unavailable):
        return so_far.sandboxes
    if isinstance(so_far.containers, Unavailable):
        return so_far.containers
    return {one.id for one in so_far.sandboxes} | {one.id for one in so_far.containers}
