"""Reads that may never end, made in a thread that is left behind then.

A read of a file can hang in the kernel for ever, and nobody can interrupt it: the arguments of a process whose memory
is locked or lies on a file system that does not answer, a directory on a dead disk. A scan that waited for it would be
the last one. A process with such a thread ends all the same (most of these waits can be killed), and the memory of one
thread is all that it costs.
"""

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Read = Callable[[str, Mapping[str, Any]], Any]
"""Reads what has that name; what was read before it in the same turn is passed on."""


class Patience:
    """Waits for each read for a while, and then goes on without it. Not for several threads.

    A read that hangs is not made again before it has ended: nothing that it uses is used by two threads, and no more
    threads hang than there are names.
    """

    def __init__(self, limit_seconds: float) -> None:
        """Prepare to wait so long for each read."""
        self._limit_seconds = limit_seconds
        self._hanging: dict[str, _Turn] = {}
        self._worker: _Worker | None = None

    def read_all(self, names: Sequence[str], read: Read) -> Mapping[str, Any]:
        """Return what was read, by name and in their order; without those that hang.

        Raises:
            Exception: What a read raised; those after it were not made.
        """
        self._hanging = {name: turn for name, turn in self._hanging.items() if not turn.ended.is_set()}
        found: dict[str, Any] = {}
        remaining = [name for name in names if name not in self._hanging]
        while remaining:
            turn = _Turn(remaining, read, found)
            self._begin(turn)
            hanging = turn.wait(self._limit_seconds)
            found = turn.found
            if turn.error is not None:
                raise turn.error
            if hanging is None:
                break
            self._hanging[hanging] = turn
            self._worker = None  # it ends by itself, should that read ever end
            remaining = remaining[remaining.index(hanging) + 1 :]
        return found

    def close(self) -> None:
        """End the thread, unless a read hangs in it."""
        if self._worker is not None:
            self._worker.end()
            self._worker = None

    def _begin(self, turn: "_Turn") -> None:
        """Begin a turn in the other thread or, where no thread can be started, make it here.

        The second happens on a node that is out of pids. A read that hangs as well would be noticed by the probe of
        the agent alone; not to read at all would blind it when it is needed most.
        """
        try:
            self._worker = self._worker or _Worker()
        except RuntimeError:
            turn.run()
        else:
            self._worker.begin(turn)


class _Turn:
    """One read after the other; whoever waits may leave it behind."""

    def __init__(self, names: Sequence[str], read: Read, found: Mapping[str, Any]) -> None:
        self._names = names
        self._read = read
        self._lock = threading.Lock()
        self._current = ""
        self._began_at = time.monotonic()
        self.found = dict(found)
        self.error: BaseException | None = None
        self.left = False
        self.ended = threading.Event()

    def run(self) -> None:
        """Read, until all is read or nobody waits any more."""
        try:
            for name in self._names:
                with self._lock:
                    if self.left:
                        return
                    self._current, self._began_at = name, time.monotonic()
                value = self._read(name, self.found)
                with self._lock:
                    if self.left:
                        return  # what was found so far is used by another thread now
                    self.found[name] = value
        except BaseException as error:  # noqa: BLE001  whoever waits raises it
            self.error = error
        finally:
            self.ended.set()

    def wait(self, limit_seconds: float) -> str | None:
        """Return the name of a read that takes too long, and leave the turn behind; None when all have ended."""
        while True:
            if self.ended.wait(max(0, self._began_at + limit_seconds - time.monotonic())):
                return None
            with self._lock:
                if time.monotonic() - self._began_at >= limit_seconds and not self.ended.is_set():
                    self.left = True
                    return self._current


class _Worker:
    """A thread that does one turn after the other: on a node without free pids no other thread could be started."""

    def __init__(self) -> None:
        """Start the thread.

        Raises:
            RuntimeError: None can be started.
        """
        self._turns: queue.SimpleQueue[_Turn | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="reads", daemon=True).start()

    def begin(self, turn: _Turn) -> None:
        """Do a turn, once those before it are done."""
        self._turns.put(turn)

    def end(self) -> None:
        """End the thread after the turns that were begun."""
        self._turns.put(None)

    def _run(self) -> None:
        while (turn := self._turns.get()) is not None:
            turn.run()
            if turn.left:
                return
