"""Starting processes in the PID namespace of another process, as children of this one and without a helper between.

`nsenter --pid` has to fork, and stays: whoever signals or waits for it does not reach the program behind it.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

from lab.errors import LabError

_CLONE_NEWPID = 0x20000000


@contextmanager
def pid_namespace_of(pid: int) -> Iterator[None]:
    """Within this context every process that this thread starts is in that PID namespace; the thread itself stays.

    It is a child like any other: its pid is told as this process counts. Its /proc is still the one of its mount
    namespace, so enter that of a process in there as well. Starting a thread from this one fails meanwhile.
    Rule: setns(2), CLONE_NEWPID.

    Args:
        pid: A living process; that its PID namespace is this process's own is fine.

    Raises:
        LabError: There is no such process, or its PID namespace has ended.
    """
    _set_for_children(pid)
    try:
        yield
    finally:
        _set_for_children(os.getpid())


def _set_for_children(pid: int) -> None:
    try:
        handle = os.open(f"/proc/{pid}/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise LabError(f"process {pid} is gone, and its PID namespace cannot be entered") from None
    try:
        if ctypes.CDLL(None, use_errno=True).setns(handle, _CLONE_NEWPID):
            reason = os.strerror(ctypes.get_errno())
            raise LabError(f"the PID namespace of process {pid} cannot be entered: {reason}")
    finally:
        os.close(handle)
