r"""The reservations of the CNI plugin host-local: one file per address, named after it.

::

    /var/lib/cni/networks/cbr0/10.1.0.7           49b6b3...\r\neth0
    /var/lib/cni/networks/cbr0/last_reserved_ip.0 10.1.0.7
    /var/lib/cni/networks/cbr0/lock

The plugin makes a file for each address with O_EXCL, writes the id that it got from the runtime and the name of the
interface, and removes it again (containernetworking/plugins, plugins/ipam/host-local/backend/disk/backend.go); versions
before 0.7.5 wrote the id alone. It writes a file once, so its time is when the address was given away.

A file is read once. What is remembered of it stands as long as its inode number does, which a file system may give to
the next file at once: so what looks wrong is read again before it is told.
"""

import os
import stat
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from pausewatch.model.address_pool import ReservedAddress
from pausewatch.model.text import printable
from pausewatch.sources.network.cni_configuration import Address
from pausewatch.sources.procfs.errors import GONE

MOST_READ = 2000
"""Files read in one scan: a large directory that is new to us is learned over several, and each stays short."""

MOST_TOLD = 1000
"""Reservations without owner that are told of one network."""

_LONGEST_BYTES = 256
"""An id of 64 digits and the name of an interface."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """One file, as far as it was read."""

    inode: int
    address: Address
    owner: ReservedAddress | None
    """None while it was not read, or was not written yet."""


class Reservations:
    """The reservations in one directory, followed from scan to scan."""

    def __init__(self) -> None:
        self._known: dict[str, Reservation] = {}
        self._listed: list[tuple[str, int]] = []
        self._complete = False

    @property
    def all(self) -> Collection[Reservation]:
        """What the last ``read`` found."""
        return self._known.values()

    def read(self, directory: Path) -> bool:
        """Learn what is there now, nothing where the directory does not exist; return whether that has changed.

        Raises:
            OSError: it may not be read.
        """
        found: dict[str, Reservation] = {}
        reads = 0
        try:
            with os.scandir(directory) as entries:
                listed = [(entry.name, entry.inode()) for entry in entries]
        except GONE:
            listed = []
        if listed == self._listed and self._complete:
            return False
        for name, inode in listed:
            known = self._known.get(name)
            if known is None or known.inode != inode:
                address = _address(name)
                if address is None:
                    continue  # the plugin's lock, or the address that it gave away last
                known = Reservation(inode=inode, address=address, owner=None)
            if known.owner is None and reads < MOST_READ:
                reads += 1
                known = Reservation(inode=inode, address=known.address, owner=_read(directory / name))
            found[name] = known
        self._known = found
        self._listed = listed
        self._complete = all(one.owner is not None for one in found.values())
        return True

    def unlisted(self, directory: Path, listed_ids: Collection[str]) -> tuple[ReservedAddress, ...]:
        """Return reservations of the last ``read`` whose owner is not listed, read once more, oldest first."""
        suspects = [
            (name, known)
            for name, known in self._known.items()
            if known.owner is not None and known.owner.owner_id not in listed_ids
        ]
        confirmed = []
        for name, known in suspects[:MOST_TOLD]:
            now = _read(directory / name)
            self._known[name] = Reservation(inode=known.inode, address=known.address, owner=now)
            self._complete &= now is not None
            if now is not None and now.owner_id not in listed_ids:
                confirmed.append(now)
        return tuple(sorted(confirmed, key=lambda one: (one.reserved_at_seconds, one.address)))


def parse(name: str, raw: bytes, modified_at_seconds: float) -> ReservedAddress | None:
    """Return what a file says; None if it is no reservation or was not written yet."""
    address = _address(name)
    owner, _, interface = raw.partition(b"\r\n")
    if address is None or not owner.strip():
        return None
    return ReservedAddress(
        address=str(address),
        owner_id=printable(owner.strip()),
        interface=printable(interface.strip()),
        reserved_at_seconds=modified_at_seconds,
    )


def _address(name: str) -> Address | None:
    if "%" in name:
        return None  # an IPv6 address with a zone, which may be any text: the plugin gives away none
    try:
        return ip_address(name)
    except ValueError:
        return None


def _read(file: Path) -> ReservedAddress | None:
    """Read one file; None if it is gone or is not what the plugin makes: never a link or a pipe."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None  # gone, or a link; its owner stays unknown, and what is unknown is not judged
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        return parse(file.name, os.read(descriptor, _LONGEST_BYTES), status.st_mtime)
    finally:
        os.close(descriptor)
