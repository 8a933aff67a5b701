r"""``/proc/<pid>/stat``: what a process is, who its parent is, when it started.

::

    4121 (olake-server) S 4098 4121 4121 0 -1 4194560 8125 0 0 0 12 4 0 0 20 0 9 0 881234 1277…
    5013 (sh) Z 4121 5013 4121 0 -1 4228364 96 0 0 0 0 0 0 0 20 0 1 0 893310 0 0 1844674407370…

Fields are counted from 1, as proc_pid_stat(5) and the kernel's Documentation/filesystems/proc.rst (table 1-4) do:
1 pid, 2 name in parentheses, 3 state, 4 parent's pid, 9 flags (PF_* bits), 14 and 15 user and system time in clock
ticks, 20 threads, 22 start in clock ticks (1/100 s) after boot, 24 resident pages. The name is whatever the process
wrote to ``/proc/self/comm``: spaces, parentheses and newlines included. No field after it holds a parenthesis, so the
last one in the line ends the name.
"""

import os
from dataclasses import dataclass

from pausewatch.model.availability import Unavailable
from pausewatch.model.process import TICKS_PER_SECOND, Identity, Process
from pausewatch.model.text import printable
from pausewatch.sources.procfs.errors import GONE, ProcFormatError, unavailable

STAT_BYTES = 1024
"""Enough for every field up to the 22nd: 20 numbers of at most 20 digits and a name of at most 64 bytes (a kernel
worker's; a program's has 15). What may be cut off behind them is not looked at."""

_KERNEL_THREAD_FLAG = 0x0020_0000
"""PF_KTHREAD, include/linux/sched.h. An empty command line would not tell: a zombie has none either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a process uses."""

    cpu_seconds: float
    """Of user and system time, all its threads, since it started."""

    resident_pages: int
    """The kernel calls it inaccurate: each CPU keeps up to some hundred pages to itself before it adds them."""


def parse_usage(raw: bytes) -> Usage:
    """Return what one line of ``stat`` says about CPU and memory.

    Raises:
        ProcFormatError: the text is not such a line.
    """
    try:
        # Index 0 is field 3, as in ``parse``.
        fields = raw[raw.rfind(b")") + 1 :].split(None, 22)
        return Usage(cpu_seconds=(int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND, resident_pages=int(fields[21]))
    except (ValueError, IndexError) as error:
        raise ProcFormatError("stat", raw) from error


def parse(raw: bytes) -> Process:
    """Return the process that one line of ``stat`` describes.

    Raises:
        ProcFormatError: the text is not such a line.
    """
    name_start, name_end = raw.find(b"("), raw.rfind(b")")
    try:
        # Index 0 is field 3. What stands behind field 22 proves that the field was not cut off; it is not looked at.
        *fields, _ = raw[name_end + 1 :].split(None, 20)
        return Process(
            identity=Identity(pid=int(raw[:name_start]), start_ticks=int(fields[19])),
            parent_pid=int(fields[1]),
            name=printable(raw[name_start + 1 : name_end]),
            state=printable(fields[0], 1),
            threads=int(fields[17]),
            kernel_thread=bool(int(fields[6]) & _KERNEL_THREAD_FLAG),
        )
    except (ValueError, IndexError) as error:
        raise ProcFormatError("stat", raw) from error


def read(root: str, pid: int) -> Process | Unavailable | None:
    """Return the process with that number now; None if there is none."""
    path = f"{root}/{pid}/stat"
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            return parse(os.read(descriptor, STAT_BYTES))
        finally:
            os.close(descriptor)
    except GONE:
        return None
    except (OSError, ProcFormatError) as error:
        return unavailable(path, error)
