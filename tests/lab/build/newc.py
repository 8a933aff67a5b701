"""The archive that a kernel unpacks into its memory to start with.

Format: the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
"""

import stat
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One file or directory.

    Attributes:
        path: Without leading slash; its directory has to come before it.
        mode: Kind and permissions, as in stat(2).
        content: Of a file.
    """

    path: str
    mode: int
    content: bytes = b""

    @classmethod
    def directory(cls, path: str) -> "Entry":
        """A directory that everybody may enter."""
        return cls(path, stat.S_IFDIR | 0o755)

    @classmethod
    def program(cls, path: str, content: bytes) -> "Entry":
        """A file that everybody may read and run."""
        return cls(path, stat.S_IFREG | 0o755, content)


def newc_archive(entries: Iterable[Entry]) -> bytes:
    """The entries in the format "newc" of cpio, owned by root."""
    listed = [*entries, Entry("TRAILER!!!", 0)]
    return b"".join(_record(number, entry) for number, entry in enumerate(listed, start=1))


def _record(number: int, entry: Entry) -> bytes:
    name = entry.path.encode() + b"\0"
    links, length = 2 if stat.S_ISDIR(entry.mode) else 1, len(entry.content)
    # ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
    fields = (number, entry.mode, 0, 0, links, 0, length, 0, 0, 0, 0, len(name), 0)
    return _padded(b"070701" + b"".join(b"%08X" % field for field in fields) + name) + _padded(entry.content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
