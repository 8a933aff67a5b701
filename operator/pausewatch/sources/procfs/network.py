r"""``/proc/<pid>/net/{fib_trie,igmp,if_inet6}``: the network namespace of a process, seen from outside.

No capability is needed, and nothing is entered (fs/proc/proc_net.c). A descriptor that is kept would keep the network
namespace alive behind its pod, so each file is closed at once.

``fib_trie`` (net/ipv4/fib_trie.c) lists the routes. Each IPv4 address of the namespace is a leaf with a line of type
LOCAL; other lines of that type are ranges (``/8``, ``/0`` for transparent proxies) and no addresses::

           |-- 10.200.0.3
              /32 host LOCAL

The line stays when the link goes down. ``igmp`` (net/ipv4/igmp.c) tells which links are up: the kernel joins the group
224.0.0.1 on a link that is brought up, loopback included, and leaves it when the link goes down. The group is printed
as a number in the byte order of the machine; other groups, which programs join, stay::

    3	eth0      :     1      V3
                                010000E0     1 0:00000000		0

``if_inet6`` (Documentation of the fields: net/ipv6/addrconf.c, if6_seq_show) has a line per IPv6 address: address,
number of the interface, prefix length, scope, flags, name, all hexadecimal. They go when the link goes down::

    fe8000000000000034836cfffebd0931 03 40 20 c0     eth0

A kernel booted without IPv6 has no ``if_inet6``, one built without IPv4 multicast no ``igmp``.
"""

import os
from dataclasses import dataclass, field
from ipaddress import IPv6Address

from pausewatch.model.availability import Unavailable
from pausewatch.model.text import printable
from pausewatch.sources.procfs.errors import GONE, ProcFormatError, unavailable

MOST_BYTES = 65_536
"""Of one file. A pod's takes about 2 kB; whoever may change routes could make it endless."""

_READ_BYTES = 16_384
_LOOPBACK = "lo"
_ALL_HOSTS = (b"010000E0", b"E0000001")
"""224.0.0.1 on machines of either byte order."""

_LINK_SCOPE = 0x20
"""IPV6_ADDR_LINKLOCAL, include/net/ipv6.h."""

_LEAF = b"|-- "
_ADDRESS_TYPE = b"/32 host LOCAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkTables:
    """What the three files say of one network namespace."""

    addresses: tuple[str, ...]
    """Without loopback and link-local ones; sorted, in canonical form. IPv4 ones of links that are down too."""

    has_loopback: bool
    """Whether 127.0.0.1 or ::1 is there and the loopback link is up."""

    links_up: tuple[str, ...] | None
    """Names of the links that are up, without loopback; None where the kernel does not tell."""

    texts: tuple[bytes | None, ...] = field(default=(), repr=False, compare=False)
    """The contents of the files: what did not change need not be parsed again."""


def parse(fib_trie: bytes, igmp: bytes | None, if_inet6: bytes | None) -> NetworkTables:
    """Return what the contents of the files say, None for one that the kernel does not have.

    Raises:
        ProcFormatError: one of them does not look as it should.
    """
    addresses_4 = parse_fib_trie(fib_trie)
    addresses_6 = () if if_inet6 is None else parse_if_inet6(if_inet6)
    up = None if igmp is None else parse_igmp(igmp)
    every = {*addresses_4, *addresses_6}
    return NetworkTables(
        addresses=tuple(sorted(one for one in every if not one.startswith(("127.", "169.254.")) and one != "::1")),
        has_loopback=(up is None or _LOOPBACK in up) and not every.isdisjoint(("127.0.0.1", "::1")),
        links_up=None if up is None else tuple(name for name in up if name != _LOOPBACK),
        texts=(fib_trie, igmp, if_inet6),
    )


def parse_fib_trie(text: bytes) -> tuple[str, ...]:
    """Return the IPv4 addresses, in the order of the file, those twice that stand in two tables.

    Raises:
        ProcFormatError: the text holds something, and no leaf.
    """
    leaves = text.split(_LEAF)[1:]
    if text and not leaves:
        raise ProcFormatError("net/fib_trie", text)
    return tuple(printable(leaf.partition(b"\n")[0]) for leaf in leaves if _ADDRESS_TYPE in leaf)


def parse_igmp(text: bytes) -> tuple[str, ...]:
    """Return the names of the links that are up, as the file orders them.

    Raises:
        ProcFormatError: a line is of neither form.
    """
    names = []
    name = ""
    for line in text.splitlines()[1:]:
        fields = line.split()
        if line[:1].isdigit() and len(fields) > 1:
            name = printable(fields[1].removesuffix(b":"))
        elif fields and line[:1].isspace():
            if fields[0] in _ALL_HOSTS:
                names.append(name)
        else:
            raise ProcFormatError("net/igmp", line)
    return tuple(names)


def parse_if_inet6(text: bytes) -> tuple[str, ...]:
    """Return the IPv6 addresses but link-local ones, in canonical form.

    Raises:
        ProcFormatError: a line is not of the form above.
    """
    try:
        lines = (line.split() for line in text.splitlines())
        return tuple(str(IPv6Address(int(line[0], 16))) for line in lines if int(line[3], 16) != _LINK_SCOPE)
    except (ValueError, IndexError) as error:
        raise ProcFormatError("net/if_inet6", text) from error


def read(root: str, pid: int, before: NetworkTables | None = None) -> NetworkTables | Unavailable | None:
    """Return what the namespace of a process looks like now; None if the process is gone.

    Args:
        root: Where the proc file system is mounted.
        pid: The process.
        before: What was read earlier; returned if it still is so.
    """
    folder = f"{root}/{pid}/net"
    path = f"{folder}/fib_trie"
    try:
        fib_trie = _content(path)
        if fib_trie is None:
            return None
        igmp = _content(path := f"{folder}/igmp")
        if_inet6 = _content(path := f"{folder}/if_inet6")
        if before is not None and before.texts == (fib_trie, igmp, if_inet6):
            return before
        return parse(fib_trie, igmp, if_inet6)
    except (OSError, ProcFormatError) as error:
        return unavailable(path, error)


def _content(path: str) -> bytes | None:
    """Return the whole file; None if it is not there.

    Raises:
        OSError: It can not be read.
        ProcFormatError: It is larger than ``MOST_BYTES``.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            content = piece = os.read(descriptor, _READ_BYTES)
            # The kernel gives about one page per read.
            while piece and len(content) <= MOST_BYTES:
                piece = os.read(descriptor, _READ_BYTES)
                content += piece
        finally:
            os.close(descriptor)
    except GONE:
        return None
    if len(content) > MOST_BYTES:
        raise ProcFormatError(f"a network table of at most {MOST_BYTES} bytes", content)
    return content
