"""Every process of the node, once per scan, for less than opening their files would cost.

Most processes sleep, and opening and closing a file below /proc costs about as much as reading it. So the ``stat``
file of each process stays open between scans: one pread gives its present text, and text that is the same byte for
byte needs no parsing. An open ``stat`` belongs to one process for ever: once that is reaped, reading fails with ESRCH,
also when the number has been given to another. The descriptor is therefore proof of identity.

Of a process that sleeps for long only ``schedstat`` stays open, which tells for a quarter of the cost, or a tenth where
there are many threads, that its first thread did not run. It can then neither have died nor have become another
program; somebody else can only have taken its parent away. So it is read again when that thread ran, or when its parent
died. What other threads may do meanwhile, such as to become more, nobody asks for.
"""

import errno
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pausewatch.model.availability import Unavailable
from pausewatch.model.process import Process
from pausewatch.sources.procfs import process_stat
from pausewatch.sources.procfs.descriptors import affordable_descriptors
from pausewatch.sources.procfs.errors import GONE, ProcFormatError, unavailable
from pausewatch.sources.procfs.pids import listed_pids
from pausewatch.sources.procfs.schedstat import RunWatch

MOST_PROCESSES = 30_000
"""Each takes 1.4 kB of our memory, in the sweep and in what builds on it. With more, and with what else an agent holds,
a container with a limit of 128Mi would be killed, again and again, on a node that has to be looked at."""

CROWD = 10_000
"""On a node with more processes than this, no file stays open: their kernel memory is needed for what is known of the
processes, and most would have to be opened anyway."""

_NO_DESCRIPTOR = -1

_MOST_PATIENCE = 64
"""Scans. Who wakes up now and then is watched and read in turns, and each turn costs some opening and closing."""

_LONGEST_SLEEP = 64
"""Scans after which a process with several threads is read in any case: what the others used is counted then."""

_FOREVER = sys.maxsize

_NEVER_ASLEEP = ("R", "Z", "X")
"""States: who runs at the moment, and who is dead. A dead leader tells nothing of threads that live on."""

_T = TypeVar("_T")


@dataclass(slots=True)
class _Known:
    """A process as it was read last."""

    descriptor: int
    raw: bytes
    process: Process

    watch: RunWatch | None = None
    """Open instead of the descriptor, while it sleeps."""

    slept: bool = False
    """Whether it is certain that it did not run between the last two scans."""

    unchanged: int = 0
    """Scans in a row."""

    patience: int = 1
    """So many of them until it is taken for one that sleeps; doubled by each awakening."""

    asleep_until: int = _FOREVER
    """The scan, counted from the first one, in which it is read although it sleeps."""


class Sweep:
    """Reads all processes, again and again. What it remembers saves time and nothing else; not for several threads."""

    def __init__(
        self,
        root: str = "/proc",
        *,
        most_descriptors: int | None = None,
        most_processes: int = MOST_PROCESSES,
        crowd: int = CROWD,
    ) -> None:
        """Prepare for the processes below ``root``.

        Args:
            root: where the proc file system is mounted.
            most_descriptors: how many files may stay open; by default what the limit of open files affords.
            most_processes: of a node with more, none is read.
            crowd: on a node with more processes, no file stays open.
        """
        self._root = root
        self._crowd = crowd
        self._is_crowded = False
        self._most_processes = most_processes
        self._most_descriptors = affordable_descriptors() if most_descriptors is None else most_descriptors
        self._descriptors = 0
        self._scans = 0
        self._known: dict[int, _Known] = {}
        self._died: set[int] = set()
        """Since the last scan: processes whose children have another parent now."""

    @property
    def descriptors(self) -> int:
        """How many files are open now."""
        return self._descriptors

    def read(self) -> tuple[Process, ...] | Unavailable:
        """Return every process, ordered by pid; a process that did not change is the same object as in the last scan.

        All or nothing: a list that lacks the processes of other users would make running containers look dead.
        """
        try:
            pids = self._with_descriptor(lambda: listed_pids(self._root))
            if isinstance(pids, Unavailable):
                return pids
            too_many = self._too_many(pids)
            self._is_crowded = len(pids) > self._crowd
            if self._is_crowded:
                self._give_up_descriptors(0)
            return too_many or self._read_listed(pids)
        except (OSError, ProcFormatError) as error:
            filename = error.filename if isinstance(error, OSError) else None
            return unavailable(filename or self._root, error)

    def latest(self, pid: int) -> Process | None:
        """Return the process with that number as the last scan saw it; None if it saw none."""
        known = self._known.get(pid)
        return known.process if known else None

    def raw(self, pid: int) -> bytes | None:
        """Return the text that ``latest`` was parsed from; the same object for as long as it does not change."""
        known = self._known.get(pid)
        return known.raw if known else None

    def slept(self, pid: int) -> bool:
        """Whether it is certain that a process did not run between the last two scans: its links are as they were."""
        known = self._known.get(pid)
        return known is not None and known.slept

    def close(self) -> None:
        """Close all files and forget everything."""
        for pid in tuple(self._known):
            self._forget(pid)

    def _too_many(self, pids: list[int]) -> Unavailable | None:
        if len(pids) <= self._most_processes:
            return None
        self.close()
        return Unavailable(
            reason="TooManyProcesses",
            # No number that would be another one in the next scan.
            detail=f"{self._root} lists more than {self._most_processes} processes, for which our memory is too small",
            remedy="look for who starts them: ps -eo ppid= | sort | uniq -c | sort -n | tail",
        )

    def _read_listed(self, pids: list[int]) -> tuple[Process, ...]:
        known_by_pid = self._known
        self._scans += 1
        self._died = set()
        found = []
        for pid in pids:
            known = known_by_pid.get(pid)
            if known is None:
                known = self._open(pid)
            elif known.watch is not None:
                known.slept = not known.watch.may_have_run() and self._scans < known.asleep_until
                known = known if known.slept else self._wake(pid, known)
            else:
                known = self._read_again(pid, known)
            if known is not None:
                found.append(known)
        if len(known_by_pid) > len(found):
            for pid in known_by_pid.keys() - set(pids):
                self._forget(pid)
        if self._died:
            self._wake_orphans(found)
        return tuple([known.process for known in found])

    def _read_again(self, pid: int, known: _Known) -> _Known | None:
        """Read a process that is awake, as far as we know; None if it is gone."""
        if known.descriptor == _NO_DESCRIPTOR:
            return self._open(pid)
        try:
            raw = os.pread(known.descriptor, process_stat.STAT_BYTES, 0)
        except ProcessLookupError:
            self._forget(pid)
            return self._open(pid)  # the number is still listed: it may have a new owner
        if raw != known.raw:
            self._update(known, raw)
        else:
            known.unchanged += 1
            if known.unchanged > known.patience:
                self._let_sleep(known)
        return known

    def _let_sleep(self, known: _Known) -> None:
        """Watch a process instead of reading it, if nothing that it or another thread may do would be missed."""
        process = known.process
        if process.state in _NEVER_ASLEEP:
            return
        known.unchanged = 0
        watch = RunWatch.open(self._root, process.pid)
        if watch is None:
            known.patience = _MOST_PATIENCE
            return
        if self._is_asleep(known, watch):
            os.close(known.descriptor)
            known.descriptor, known.watch = _NO_DESCRIPTOR, watch
            known.asleep_until = _FOREVER if process.threads == 1 else self._scans + _LONGEST_SLEEP
        else:
            watch.close()

    def _is_asleep(self, known: _Known, watch: RunWatch) -> bool:
        """Whether a process did not run while it was read: between the first and the second answer of its watch.

        That the file which was open before can still be read proves that the watch is of the same process.
        """
        watch.may_have_run()
        try:
            raw = os.pread(known.descriptor, process_stat.STAT_BYTES, 0)
        except ProcessLookupError:
            return False
        return raw == known.raw and not watch.may_have_run()

    def _wake(self, pid: int, known: _Known) -> _Known | None:
        """Read a process that was watched; None if it is gone."""
        if self._scans < known.asleep_until:
            known.patience = min(2 * known.patience, _MOST_PATIENCE)
        self._release(known)
        return self._open(pid)

    def _wake_orphans(self, found: list[_Known]) -> None:
        for known in found:
            if known.watch is not None and known.process.parent_pid in self._died:
                self._wake(known.process.pid, known)

    def _open(self, pid: int) -> _Known | None:
        """Read a process by its path, and keep the file open if there is room; None if the process is gone."""
        path = f"{self._root}/{pid}/stat"
        try:
            descriptor = self._with_descriptor(lambda: os.open(path, os.O_RDONLY))
        except GONE:
            self._forget(pid)
            return None
        kept = False
        try:
            raw = os.pread(descriptor, process_stat.STAT_BYTES, 0)
            known = self._known.get(pid)
            if known is None:
                known = self._known[pid] = _Known(_NO_DESCRIPTOR, raw, process_stat.parse(raw))
            elif raw != known.raw:
                self._update(known, raw)
            if self._descriptors < self._most_descriptors and not self._is_crowded:
                known.descriptor = descriptor
                self._descriptors += 1
                kept = True
        except GONE:
            self._forget(pid)
            return None
        finally:
            if not kept:
                os.close(descriptor)
        return known

    def _update(self, known: _Known, raw: bytes) -> None:
        """Take over new text; if only counters changed that nobody asks for, the process stays the same object."""
        before, process = known.process, process_stat.parse(raw)
        known.raw = raw
        known.unchanged = 0
        if process != before:
            known.process = process
            if process.is_zombie or process.identity != before.identity:
                self._died.add(process.pid)

    def _forget(self, pid: int) -> None:
        known = self._known.pop(pid, None)
        if known is not None:
            self._died.add(pid)
            self._release(known)

    def _release(self, known: _Known) -> None:
        # Nobody watches it from now on: left as it was, it would be taken for asleep for ever, wherever it moves.
        known.slept = False
        if known.watch is not None:
            known.watch.close()
            known.watch = None
            self._descriptors -= 1
        elif known.descriptor != _NO_DESCRIPTOR:
            os.close(known.descriptor)
            known.descriptor = _NO_DESCRIPTOR
            self._descriptors -= 1

    def _with_descriptor(self, call: Callable[[], _T]) -> _T:
        """Return what ``call`` returns; if no descriptor is free for it, give up half of ours first.

        The rest of the program needs more than the spare ones then, so the number stays at that half for good.
        """
        try:
            return call()
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE) or self._descriptors == 0:
                raise
        self._most_descriptors = self._descriptors // 2
        self._give_up_descriptors(self._most_descriptors)
        return call()

    def _give_up_descriptors(self, left: int) -> None:
        for known in self._known.values():
            if self._descriptors <= left:
                break
            self._release(known)
