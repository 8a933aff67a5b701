"""The addresses of the CNI network that pods are put into: how many are given away, and for whom nobody is there."""

import os
import re
import stat
from collections.abc import Collection
from pathlib import Path

from pausewatch.model.address_pool import AddressPool, AddressRange
from pausewatch.model.availability import Unavailable
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.text import printable
from pausewatch.sources.network import cni_configuration
from pausewatch.sources.network.cni_configuration import CniConfigurationError, HostLocalNetwork, Span
from pausewatch.sources.network.host_local import Reservation, Reservations
from pausewatch.sources.place import Place
from pausewatch.sources.procfs.errors import unavailable
from pausewatch.sources.procfs.pinned import TooManyLinksError, resolve_in_root

CONFIGURATION_SUFFIXES = (".conf", ".conflist", ".json")
"""What both runtimes take for CNI configuration (containernetworking/cni, libcni, ConfFiles)."""

_LARGEST_BYTES = 1024 * 1024
_SANDBOX_ID = re.compile(r"[0-9a-f]{64}")
"""As containerd, CRI-O and Docker make them. Other users of the plugin (nerdctl: ``default-<id>``, cnitool) choose
other forms, and are none of ours."""


class AddressPools:
    """Reads the network's configuration when it changes, and each reservation once."""

    def __init__(self) -> None:
        self._configured: tuple[object, HostLocalNetwork | None] = (None, None)
        self._counted: tuple[HostLocalNetwork | None, tuple[AddressRange, ...]] = (None, ())
        self._reservations = Reservations()

    def read(self, so_far: Snapshot, place: Place) -> tuple[AddressPool, ...] | Unavailable:
        """Return the pool of the runtime's network; none where that does not use host-local."""
        if isinstance(so_far.sandboxes, Unavailable):
            return so_far.sandboxes
        try:
            network = self._network(place)
            if network is None:
                return ()
            listed = {sandbox.id for sandbox in so_far.sandboxes}
            return (self._pool(network, place, listed),)
        except CniConfigurationError as error:
            return Unavailable(
                reason="CniConfigurationUnreadable",
                detail=str(error),
                remedy="look at the container runtime's CNI configuration (crictl info)",
            )
        except (OSError, TooManyLinksError) as error:
            filename = printable(str(error.filename if isinstance(error, OSError) else error))
            return unavailable(filename, error if isinstance(error, OSError) else OSError("too many links"))

    def _network(self, place: Place) -> HostLocalNetwork | None:
        """Return the network of the first configuration file; parsed anew when a file of the directory changed."""
        shown = printable(place.cni_directory)
        try:
            directory = resolve_in_root(place.root, place.cni_directory)
        except FileNotFoundError as error:
            raise CniConfigurationError(f"there is no CNI configuration at {shown}") from error
        names = sorted(name for name in os.listdir(directory) if name.endswith(CONFIGURATION_SUFFIXES))  # noqa: PTH208
        if not names:
            raise CniConfigurationError(f"there is no CNI configuration in {shown}")
        file = resolve_in_root(place.root, f"{place.cni_directory}/{names[0]}")
        status = file.stat()
        state = (str(file), status.st_ino, status.st_mtime_ns, status.st_size)
        if state != self._configured[0]:
            try:
                text = _text(file)
                network = cni_configuration.parse(text, lambda path: _text_in(place.root, path))
            except CniConfigurationError as error:
                raise CniConfigurationError(f"{shown}/{printable(names[0])} {error}") from error
            # Without ranges it may lack flannel's file, which flannel's daemon writes later.
            self._configured = (state if network is None or network.ranges else None, network)
        return self._configured[1]

    def _pool(self, network: HostLocalNetwork, place: Place, listed: Collection[str]) -> AddressPool:
        if network != self._counted[0]:
            self._counted, self._reservations = (network, ()), Reservations()
        try:
            directory = resolve_in_root(place.root, network.directory)
            if self._reservations.read(directory):
                ranges = tuple(_count(spans, self._reservations.all) for spans in network.ranges)
                self._counted = (network, ranges)
            unlisted = self._reservations.unlisted(directory, listed)
        except FileNotFoundError:
            # The plugin makes it with its first reservation.
            self._reservations, unlisted = Reservations(), ()
            self._counted = (network, tuple(_count(spans, ()) for spans in network.ranges))
        return AddressPool(
            network=network.name,
            directory=printable(network.directory),
            ranges=self._counted[1],
            unlisted=tuple(one for one in unlisted if _SANDBOX_ID.fullmatch(one.owner_id)),
        )


def _count(spans: tuple[Span, ...], reserved: Collection[Reservation]) -> AddressRange:
    return AddressRange(
        subnets=tuple(span.subnet for span in spans),
        addresses=sum(span.addresses for span in spans),
        reserved=sum(any(span.holds(one.address) for span in spans) for one in reserved),
    )


def _text_in(root: str, path: str) -> str:
    """Return the text of a file as the runtime sees it; empty if there is none."""
    try:
        return _text(resolve_in_root(root, path))
    except FileNotFoundError:
        return ""


def _text(file: Path) -> str:
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise CniConfigurationError("is no ordinary file")
        return opened.read(_LARGEST_BYTES).decode("utf-8", "replace")
