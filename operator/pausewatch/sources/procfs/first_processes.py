"""The first process of every sandbox and container: where it is at each scan, its cgroup until that is its owner's.

A process can move to other namespaces (setns(2), unshare(2)), and nobody else can move it: it has to run for that.
Most first processes sleep, a pause always, and asking the kernel whether one has run costs a sixteenth of reading its
five links. So the links are read of those that may have run since they were read last. Of many the sweep knows that;
the others are watched here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pausewatch.model.availability import PERMISSION_DENIED, Unavailable
from pausewatch.model.linux_namespace import NamespaceKind, NamespaceLinks
from pausewatch.model.process import FirstProcess, Identity, Process
from pausewatch.sources.procfs import cgroup, namespace_links, process_stat
from pausewatch.sources.procfs.schedstat import RunWatch

_RUNNING = "R"


@dataclass(slots=True, kw_only=True)
class _Remembered:
    link_paths: tuple[str, ...]
    targets: tuple[str, ...]
    """The texts of the links; empty if they could not be read."""

    first: FirstProcess
    watch: RunWatch | None
    """Asked before the links are read, never after: they must not be older than its answer."""


class Swept(Protocol):
    """The sweep over all processes of this scan."""

    def latest(self, pid: int) -> Process | None:
        """Return the process that it found under a number."""

    def slept(self, pid: int) -> bool:
        """Whether it is certain that the process did not run since the scan before."""


class FirstProcesses:
    """Finds the namespaces of the wanted processes at each scan.

    A process in the same place as before is the same object as in the last scan. What is remembered saves time and
    nothing else; not for several threads.
    """

    def __init__(self, root: str, *, most_descriptors: int = 0) -> None:
        """Prepare for the processes below ``root``.

        Args:
            root: where the proc file system is mounted.
            most_descriptors: how many files may stay open. The links of processes beyond are read at each scan.
        """
        self._root = root
        self._most_descriptors = most_descriptors
        self._descriptors = 0
        self._remembered: dict[str, _Remembered] = {}

    @property
    def descriptors(self) -> int:
        """How many files are open now."""
        return self._descriptors

    def read(self, wanted: Sequence[tuple[str, int]], swept: Swept) -> tuple[FirstProcess, ...] | Unavailable:
        """Return the first process of each owner whose process exists.

        Args:
            wanted: pairs of owner id and pid.
            swept: what was found before in this scan.
        """
        remembered: dict[str, _Remembered] = {}
        for owner_id, pid in wanted:
            process = swept.latest(pid)
            if process is None:
                continue
            known = self._remembered.get(owner_id)
            now = self._again(known, process, slept=swept.slept(pid)) or self._anew(owner_id, process.identity)
            if now is not None:
                remembered[owner_id] = now
        self._remember(remembered)
        firsts = tuple(entry.first for entry in remembered.values())
        return _all_denied(firsts) or firsts

    def what_changed(self, first: FirstProcess) -> str | None:
        """Return in words how the process differs NOW from what ``first`` says; None if it does not.

        One that was dead already when it was read, and still waits to be reaped, has not changed.

        The number and start time are read last: a number never returns to an earlier process, so what was read before
        them belongs to the process that they show.
        """
        pid = first.identity.pid
        links = namespace_links.read(self._root, first.identity)
        in_own_cgroup = self._in_own_cgroup(first.owner_id, pid)
        now = process_stat.read(self._root, pid)
        if isinstance(now, Unavailable):
            return "can no longer be read"
        if now is not None and now.is_zombie and now.identity == first.identity and _was_dead(first):
            return None
        if now is None or now.is_zombie:
            return "has exited"
        if now.identity != first.identity:
            return "its first process is another one"
        if first.in_own_cgroup != in_own_cgroup:
            return "moved to another cgroup"
        return _links_changed(first.links, links)

    def close(self) -> None:
        """Close all files and forget everything."""
        self._remember({})

    def _remember(self, now: dict[str, _Remembered]) -> None:
        for owner_id, entry in self._remembered.items():
            following = now.get(owner_id)
            if following is not entry and (following is None or following.watch is not entry.watch):
                self._end_watch(entry)
        self._remembered = now

    def _end_watch(self, remembered: _Remembered) -> None:
        if remembered.watch is not None:
            remembered.watch.close()
            remembered.watch = None
            self._descriptors -= 1

    def _again(self, remembered: _Remembered | None, process: Process, *, slept: bool) -> _Remembered | None:
        """Return what is remembered if it still holds; None if everything is to be read anew.

        The identity is not read again behind the links. Should the process have ended since the sweep and its number
        belong to another by now, then that one sits in the same five namespaces, and what is returned was true at the
        sweep, a moment ago.
        """
        if remembered is None or not remembered.targets or remembered.first.identity != process.identity:
            return None
        if not remembered.first.in_own_cgroup:
            # Its file may not have been readable for a moment, such as on a node without a free file: believed for
            # good, that would leave its owner unjudged until it ends.
            return None
        if slept:
            self._end_watch(remembered)
            return remembered
        if remembered.watch is None:
            remembered.watch = self._watch(process.pid)
        may_have_run = remembered.watch is None or remembered.watch.may_have_run()
        if not may_have_run and process.state != _RUNNING:
            return remembered
        try:
            targets = namespace_links.read_targets(remembered.link_paths)
        except OSError:
            return None  # the full reading that follows tells what this error means
        return remembered if targets == remembered.targets else None

    def _anew(self, owner_id: str, identity: Identity) -> _Remembered | None:
        """Read cgroup and links; None if the process is gone by now."""
        known = self._remembered.get(owner_id)
        if known is not None and known.first.identity != identity:
            known = None
        in_own_cgroup = (known is not None and known.first.in_own_cgroup) or self._in_own_cgroup(owner_id, identity.pid)
        links = namespace_links.read(self._root, identity)
        if links is None:
            return None
        first = FirstProcess(owner_id=owner_id, identity=identity, links=links, in_own_cgroup=in_own_cgroup)
        if known and known.first == first:
            return known
        return _Remembered(
            link_paths=namespace_links.paths(self._root, identity.pid),
            targets=() if isinstance(links, Unavailable) else namespace_links.targets_of(links),
            first=first,
            watch=known.watch if known else None,
        )

    def _watch(self, pid: int) -> RunWatch | None:
        """Begin to watch a process, if there is room; from the next scan on it spares reading links."""
        watch = RunWatch.open(self._root, pid) if self._descriptors < self._most_descriptors else None
        if watch is not None:
            self._descriptors += 1
        return watch

    def _in_own_cgroup(self, owner_id: str, pid: int) -> bool:
        text = cgroup.read(self._root, pid)
        if not isinstance(text, str):
            return False
        named = cgroup.container_id(text)
        if named is not None:
            return named == owner_id
        of_pid_1 = cgroup.read(self._root, 1)
        return isinstance(of_pid_1, str) and cgroup.is_of_our_container(text, of_pid_1)


def _all_denied(firsts: tuple[FirstProcess, ...]) -> Unavailable | None:
    """Return why nothing can be said about any of them, if want of permission is why.

    What the runtime names and is somebody else's proves no such want: the kernel shows some processes to nobody.
    """
    own = [first.links for first in firsts if first.in_own_cgroup]
    denied = [links for links in own if isinstance(links, Unavailable) and links.reason == PERMISSION_DENIED]
    if not denied or len(denied) < len(own):
        return None
    return Unavailable(
        reason=PERMISSION_DENIED,
        detail=f"the Linux namespaces of none of {len(own)} pauses and containers may be read ({denied[0].detail})",
        remedy=denied[0].remedy,
    )


def _was_dead(first: FirstProcess) -> bool:
    return isinstance(first.links, Unavailable) and first.links.reason == namespace_links.PROCESS_EXITED


def _links_changed(before: NamespaceLinks | Unavailable, now: NamespaceLinks | Unavailable | None) -> str | None:
    if isinstance(before, Unavailable):
        return None  # nothing rests on it
    if now is None or isinstance(now, Unavailable):
        return "its Linux namespaces can no longer be read"
    moved = next((kind for kind in NamespaceKind if now.of(kind) != before.of(kind)), None)
    return f"moved to another {moved.value} namespace" if moved else None
