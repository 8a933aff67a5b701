from collections.abc import Callable
from pathlib import Path

import pytest

from pausewatch.model.availability import PERMISSION_DENIED, Unavailable
from pausewatch.sources.procfs.errors import ProcFormatError
from pausewatch.sources.procfs.network import (
    MOST_BYTES,
    NetworkTables,
    parse,
    parse_fib_trie,
    parse_if_inet6,
    parse_igmp,
    read,
)

UP_FIB_TRIE = b"""\
Main:
  +-- 0.0.0.0/1 2 0 2
     +-- 0.0.0.0/4 2 0 2
        |-- 0.0.0.0
           /0 universe UNICAST
        +-- 10.200.0.0/16 2 0 2
           +-- 10.200.0.0/30 2 0 1
              |-- 10.200.0.0
                 /16 universe UNICAST
              |-- 10.200.0.1
                 /32 link UNICAST
              |-- 10.200.0.2
                 /32 host LOCAL
           |-- 10.200.255.255
              /32 link BROADCAST
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
"""
"""A pod of the lab (Linux 6.18). The kernel prints the table "Local" after it, here the same once more."""

UP_FIB_TRIE += UP_FIB_TRIE.replace(b"Main", b"Local")

DOWN_FIB_TRIE = b"""\
Main:
  +-- 0.0.0.0/1 2 0 2
     |-- 10.200.0.2
        /32 host LOCAL
     +-- 127.0.0.0/31 1 0 0
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 127.0.0.1
           /32 host LOCAL
"""
"""The same after ``ip link set eth0 down`` and ``ip link set lo down``: the addresses stay."""

UP_IGMP = b"""\
Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter
1\tlo        :     1      V3
\t\t\t\t010000E0     1 0:00000000\t\t0
2\teth0      :     1      V3
\t\t\t\tFB0000E0     1 0:00000000\t\t0
\t\t\t\t010000E0     1 0:00000000\t\t0
"""

NOTHING_UP_IGMP = b"Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"

UP_IF_INET6 = b"""\
00000000000000000000000000000001 01 80 10 80       lo
fe800000000000007817f8fffefc309f 02 40 20 80     eth0
20010db8000000000000000000000003 02 40 00 82     eth0
"""


def test_pod_that_is_well() -> None:
    """Loopback and link-local addresses are left out; ranges, broadcasts and routes are no addresses."""
    assert parse(UP_FIB_TRIE, UP_IGMP, UP_IF_INET6) == NetworkTables(
        addresses=("10.200.0.2", "2001:db8::3"), has_loopback=True, links_up=("eth0",)
    )


def test_links_that_are_down() -> None:
    """The IPv4 addresses are still in the table; only the multicast groups tell."""
    assert parse(DOWN_FIB_TRIE, NOTHING_UP_IGMP, b"") == NetworkTables(
        addresses=("10.200.0.2",), has_loopback=False, links_up=()
    )


def test_namespace_that_was_never_set_up() -> None:
    """The kernel has no table at all then."""
    assert parse(b"", NOTHING_UP_IGMP, b"") == NetworkTables(addresses=(), has_loopback=False, links_up=())


def test_loopback_without_address() -> None:
    """It is up, and nothing can be reached on it."""
    tables = parse(b"Main:\n  |-- 10.200.0.2\n     /32 host LOCAL\n", UP_IGMP, b"")

    assert not tables.has_loopback


def test_loopback_of_ipv6_alone() -> None:
    """It is enough."""
    assert parse(b"", UP_IGMP, UP_IF_INET6).has_loopback


def test_kernel_without_ipv6_or_multicast() -> None:
    """What is not known is not broken."""
    tables = parse(UP_FIB_TRIE, None, None)

    assert tables == NetworkTables(addresses=("10.200.0.2",), has_loopback=True, links_up=None)


def test_group_that_a_program_joined_does_not_mean_up() -> None:
    """It stays in the list of a link that is down."""
    text = NOTHING_UP_IGMP + b"2\teth0      :     1      V3\n\t\t\t\tFB0000E0     1 0:00000000\t\t0\n"

    assert parse_igmp(text) == ()


def test_big_endian_machine() -> None:
    """The kernel prints the group as a number."""
    text = NOTHING_UP_IGMP + b"2\teth0      :     1      V3\n\t\t\t\tE0000001     1 0:00000000\t\t0\n"

    assert parse_igmp(text) == ("eth0",)


def test_long_name_of_a_link() -> None:
    """Fifteen characters leave no space before the colon; control characters are escaped."""
    text = NOTHING_UP_IGMP + b"2\tabcdefghijklmn\x1b:     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n"

    assert parse_igmp(text) == ("abcdefghijklmn\\x1b",)


def test_range_of_a_transparent_proxy() -> None:
    """All addresses being local in a table of its own makes none of them the pod's."""
    text = b"Id 133:\n  |-- 0.0.0.0\n     /0 host LOCAL\n" + UP_FIB_TRIE

    assert set(parse_fib_trie(text)) == {"10.200.0.2", "127.0.0.1"}


@pytest.mark.parametrize(
    ("parser", "text"),
    [
        (parse_fib_trie, b"Main:\n"),
        (parse_fib_trie, b"something else"),
        (parse_igmp, b"Idx\nsomething else\n"),
        (parse_if_inet6, b"something else\n"),
        (parse_if_inet6, b"fe80 02\n"),
        (parse_if_inet6, b"100000000000000000000000000000000 02 40 00 82 eth0\n"),
    ],
)
def test_unknown_format(parser: Callable[[bytes], object], text: bytes) -> None:
    """A text that is not understood must not read as a network without addresses."""
    with pytest.raises(ProcFormatError):
        parser(text)


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """Give the folder of process 7 with the files of a pod that is well."""
    folder = tmp_path / "7" / "net"
    folder.mkdir(parents=True)
    (folder / "fib_trie").write_bytes(UP_FIB_TRIE)
    (folder / "igmp").write_bytes(UP_IGMP)
    (folder / "if_inet6").write_bytes(UP_IF_INET6)
    return folder


def test_read(net: Path, tmp_path: Path) -> None:
    """All three files are read."""
    assert read(str(tmp_path), 7) == parse(UP_FIB_TRIE, UP_IGMP, UP_IF_INET6)
    (net / "igmp").unlink()
    (net / "if_inet6").unlink()
    assert read(str(tmp_path), 7) == parse(UP_FIB_TRIE, None, None)


@pytest.mark.parametrize("file", ["fib_trie", "igmp", "if_inet6"])
def test_what_did_not_change_is_not_parsed_again(net: Path, tmp_path: Path, file: str) -> None:
    """And what changed is, whichever file it is in."""
    before = read(str(tmp_path), 7)
    assert isinstance(before, NetworkTables)
    same = read(str(tmp_path), 7, before)
    (net / file).unlink()
    (net / file).write_bytes(b"")
    changed = read(str(tmp_path), 7, before)

    assert same is before
    assert changed != before


def test_process_that_is_gone(tmp_path: Path) -> None:
    """Neither has a zombie such files."""
    assert read(str(tmp_path), 7) is None


def test_table_without_end(net: Path, tmp_path: Path) -> None:
    """Whoever may change routes in a pod must not make every scan read megabytes."""
    (net / "fib_trie").write_bytes(UP_FIB_TRIE * (MOST_BYTES // len(UP_FIB_TRIE) + 1))
    found = read(str(tmp_path), 7)

    assert isinstance(found, Unavailable)
    assert found.reason == "ProcFormatUnknown"


def test_what_can_not_be_read(net: Path, tmp_path: Path) -> None:
    """The reason names the file."""
    (net / "igmp").unlink()
    (net / "igmp").mkdir()
    found = read(str(tmp_path), 7)

    assert isinstance(found, Unavailable)
    assert found.reason != PERMISSION_DENIED
    assert found.detail.startswith(f"{net}/igmp cannot be read")


def test_own_process() -> None:
    """The running kernel has the files, and they are understood."""
    found = read("/proc", 1)

    assert isinstance(found, NetworkTables)
