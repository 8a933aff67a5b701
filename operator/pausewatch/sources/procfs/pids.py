"""The numbers of all processes of the node, or why a list of them is not the node's."""

import os

from pausewatch.model.availability import Unavailable


def listed_pids(root: str) -> list[int] | Unavailable:
    """Return the number of every process below ``root``, where a proc file system is mounted, in order.

    Raises:
        OSError: It can not be listed.
    """
    names = os.listdir(root)  # noqa: PTH208  a Path for each costs time
    pids = sorted(int(name) for name in names if name.isdecimal())
    # Every PID namespace has a process 1, so a list without it was filtered.
    if 1 not in pids:
        return Unavailable(
            reason="ProcessesHidden",
            detail=f"{root} lists no process 1: it hides other users' processes (hidepid) or is no /proc",
            remedy="mount /proc without hidepid, or run as root with CAP_SYS_PTRACE",
        )
    if pids == [os.getpid()]:
        return Unavailable(
            reason="ProcessesHidden",
            detail=f"{root} lists no process but this one: it runs in a PID namespace of its own",
            remedy="run in the node's PID namespace (hostPID: true)",
        )
    return pids
