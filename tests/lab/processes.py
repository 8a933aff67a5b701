"""Processes, told apart by pid and start time: a pid alone may belong to somebody else a moment later."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """One process.

    Attributes:
        pid: Its number in the PID namespace of the lab's owner.
        start_time: Clock ticks after boot at which it started, field 22 of /proc/<pid>/stat.
    """

    pid: int
    start_time: int

    def is_alive(self) -> bool:
        """Whether it is still this process, and not a zombie."""
        return find_process(self.pid) == self and process_state(self.pid) != "Z"

    def send(self, number: signal.Signals) -> None:
        """Send a signal to this process and to no other that may have got its pid; gone is fine."""
        try:
            handle = os.pidfd_open(self.pid)
        except (ProcessLookupError, FileNotFoundError):
            # ENOENT: it is being reaped at this moment, or a thread has the number by now (Linux 6.18).
            return
        try:
            # The handle is bound to whoever has the pid now: compare after opening it, then nobody can slip in.
            if find_process(self.pid) == self:
                signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return
        finally:
            os.close(handle)


def find_process(pid: int) -> Process | None:
    """The process that has this pid now, a zombie included; None when nobody has."""
    fields = _stat_fields(pid)
    return Process(pid, int(fields[19])) if fields else None


def process_state(pid: int) -> str:
    """The kernel's letter (R, S, D, T, Z, ...), or an empty string when there is no such process."""
    fields = _stat_fields(pid)
    return fields[0] if fields else ""


def parent_pid(pid: int) -> int:
    """The parent's pid, 0 when there is no such process."""
    fields = _stat_fields(pid)
    return int(fields[1]) if fields else 0


def children(pid: int) -> list[int]:
    """Pids of the processes whose parent this is, zombies included."""
    return [child for child in all_pids() if parent_pid(child) == pid]


def zombies_of(pid: int) -> list[int]:
    """Pids of the dead children that this process has not waited for; a dead leader with live threads is none."""
    return [child for child in children(pid) if process_state(child) == "Z" and thread_count(child) == 1]


def thread_count(pid: int) -> int:
    """Number of threads, the dead leader included; 0 when there is no such process."""
    fields = _stat_fields(pid)
    return int(fields[17]) if fields else 0


def status_pids(pid: int) -> list[int]:
    """The numbers of a process in its PID namespace and in those around it, the machine's first; empty when it is gone.

    Rule: the line NSpid of /proc/<pid>/status, proc_pid_status(5).
    """
    try:
        lines = (_PROC / str(pid) / "status").read_text(errors="replace").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(number) for line in lines if line.startswith("NSpid:") for number in line.split()[1:]]


def linux_namespace(pid: int, kind: str) -> str:
    """What the link /proc/<pid>/ns/<kind> says, "net:[4026531840]".

    Args:
        pid: A live process; a zombie has only the links pid and user.
        kind: The kernel's name: net, ipc, uts, pid, mnt, user, cgroup.

    Raises:
        FileNotFoundError: No such process, or a zombie.
    """
    return str((_PROC / str(pid) / "ns" / kind).readlink())


def all_pids() -> list[int]:
    """Pids of all processes there are."""
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def cgroup_paths(pid: int) -> set[str]:
    """The cgroups of all threads of a process, in every hierarchy; empty when it is gone.

    A zombie keeps only the one of version 2. So does a dead leader, hence the threads: the living ones tell.
    """
    paths = set()
    try:
        for thread in (_PROC / str(pid) / "task").iterdir():
            lines = (thread / "cgroup").read_text().splitlines()
            paths |= {line.split(":", 2)[2].removesuffix(" (deleted)") for line in lines}
    except (FileNotFoundError, ProcessLookupError):
        return paths  # it, or the thread just looked at, ended meanwhile
    return paths


def _stat_fields(pid: int) -> list[str]:
    """/proc/<pid>/stat from the state on: index 0 is field 3 of proc(5)."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    # A process may be called anything, parentheses included: the last one ends the name.
    return text.rpartition(")")[2].split()
