"""``/proc/<pid>/root``: the files of pinned namespaces, as the runtime sees them.

CRI-O holds the namespaces of a pod by bind mounts, without a process inside::

    /var/run/netns/b214fadb-fd7a-45e6-baa7-d2e81dd7e7f1
    /var/run/utsns/b214fadb-fd7a-45e6-baa7-d2e81dd7e7f1

The mounts exist in the runtime's mount namespace, which ``/proc/<runtime pid>/root`` opens to us (proc_pid_root(5)),
and not in that of our own container. An absolute link in there (``/var/run`` -> ``/run``) would lead the kernel to
*our* root, so links are followed here, by hand, inside the runtime's.

A pin whose mount is gone leaves an empty file of an ordinary file system: its inode number names no namespace. Taken
for one, it would make every container of the pod look misplaced; only a file of the kernel's nsfs counts.
"""

import errno
import os
import stat
from collections import deque
from functools import cache
from pathlib import Path

from pausewatch.model.availability import Unavailable
from pausewatch.model.snapshot import PinnedNamespace
from pausewatch.model.text import printable
from pausewatch.sources.procfs.errors import unavailable

_MOST_LINKS = 40
"""The kernel's own bound on links in one path, MAXSYMLINKS in include/linux/namei.h."""


class TooManyLinksError(Exception):
    """The links of a path lead in a circle, or through more of them than the kernel would follow."""


def resolve_in_root(root: str, path: str) -> Path:
    """Return where an absolute ``path`` leads for a process whose root folder is ``root``; no link is left in it.

    ``..`` stops at the root, as it does for the process.

    Raises:
        OSError: a part of the path does not exist or may not be read; FileNotFoundError also for a text that is the
            path of no file at all, with a zero byte or half a surrogate pair, which JSON can hold.
        TooManyLinksError: more than 40 links.
    """
    if not _can_be_a_path(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    pending = deque(path.split("/"))
    reached: list[str] = []
    links = 0
    while pending:
        part = pending.popleft()
        if part == "..":
            del reached[-1:]
        elif part not in ("", "."):
            # A Path for each part would take longer than the kernel does, for some paths at each look.
            here = "/".join((root, *reached, part))
            if not stat.S_ISLNK(os.lstat(here).st_mode):
                reached.append(part)
                continue
            links += 1
            if links > _MOST_LINKS:
                raise TooManyLinksError(path)
            target = os.readlink(here)  # noqa: PTH115
            if target.startswith("/"):
                reached.clear()
            pending.extendleft(reversed(target.split("/")))
    return Path(root, *reached)


def _can_be_a_path(text: str) -> bool:
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


@cache
def nsfs_device(root: str) -> int:
    """Return the number of the device on which the namespaces of all kinds are: one, the same until the next boot.

    Args:
        root: Where the proc file system is mounted.

    Raises:
        OSError: It can not be told.
    """
    return Path(root, "self/ns/net").stat().st_dev


def read(root: str, runtime_pid: int, path: str) -> PinnedNamespace | Unavailable:
    """Return the namespace that ``path`` pins in the mount namespace of process ``runtime_pid``, or why none."""
    try:
        device = nsfs_device(root)
        found = resolve_in_root(f"{root}/{runtime_pid}/root", path).lstat()
    except FileNotFoundError as error:
        missing = printable(str(error.filename))
        return Unavailable(reason="PinMissing", detail=f"pinned namespace {path} does not exist ({missing})")
    except TooManyLinksError:
        return Unavailable(reason="PinMissing", detail=f"pinned namespace {path} leads through too many links")
    except OSError as error:
        return unavailable(printable(str(error.filename)), error)
    if found.st_dev != device:
        return Unavailable(
            reason="PinNotMounted",
            detail=f"{path} is an ordinary file: the namespace that was mounted there is gone",
        )
    return PinnedNamespace(path=path, inode=found.st_ino)
