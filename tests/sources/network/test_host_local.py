import os
from pathlib import Path

import pytest

from pausewatch.sources.network import host_local
from pausewatch.sources.network.host_local import Reservations, parse
from support.parts import hex_id

MINE, GONE = hex_id("mine"), hex_id("gone")


def reserve(folder: Path, address: str, owner: str = MINE) -> Path:
    """Write a file as the plugin does."""
    file = folder / address
    file.write_bytes(f"{owner}\r\neth0".encode())
    return file


def addresses(reservations: Reservations, folder: Path) -> list[str]:
    """Return which addresses are reserved, in order."""
    reservations.read(folder)
    return sorted(str(one.address) for one in reservations.all)


def unlisted(reservations: Reservations, folder: Path) -> list[str]:
    """Return whose owner is not listed."""
    reservations.read(folder)
    return [one.address for one in reservations.unlisted(folder, {MINE})]


@pytest.mark.parametrize(
    ("raw", "owner", "interface"),
    [
        (b"abc\r\neth0", "abc", "eth0"),
        (b"abc", "abc", ""),
        (b" abc \r\n eth0 ", "abc", "eth0"),
        (b"ab\x1bc\r\neth0", "ab\\x1bc", "eth0"),
    ],
)
def test_what_a_file_says(raw: bytes, owner: str, interface: str) -> None:
    """Old versions of the plugin wrote the id alone."""
    found = parse("10.1.0.7", raw, 5.0)

    assert found is not None
    assert (found.address, found.owner_id, found.interface, found.reserved_at_seconds) == (
        "10.1.0.7",
        owner,
        interface,
        5,
    )


@pytest.mark.parametrize(
    ("name", "raw"),
    [("lock", b"abc"), ("last_reserved_ip.0", b"10.1.0.7"), ("10.1.0.7", b""), ("fe80::1%\x1b", b"abc")],
)
def test_what_is_no_reservation(name: str, raw: bytes) -> None:
    """The plugin's own files, and one that it has made and not written yet."""
    assert parse(name, raw, 5.0) is None


def test_reservations_of_a_directory(tmp_path: Path) -> None:
    """Both families; whatever else is there is left alone."""
    reserve(tmp_path, "10.1.0.7")
    reserve(tmp_path, "fd00::7", GONE)
    (tmp_path / "lock").touch()
    (tmp_path / "last_reserved_ip.0").write_text("10.1.0.7")
    reservations = Reservations()

    assert addresses(reservations, tmp_path) == ["10.1.0.7", "fd00::7"]
    assert unlisted(reservations, tmp_path) == ["fd00::7"]


def test_directory_that_is_not_there(tmp_path: Path) -> None:
    """The plugin makes it with its first reservation."""
    assert addresses(Reservations(), tmp_path / "none") == []


def test_address_that_was_given_back_and_away_again(tmp_path: Path) -> None:
    """The file system may give the new file the old one's number: what looks wrong is read again."""
    file = reserve(tmp_path, "10.1.0.7", GONE)
    reservations = Reservations()
    assert unlisted(reservations, tmp_path) == ["10.1.0.7"]

    file.write_bytes(f"{MINE}\r\neth0".encode())
    assert unlisted(reservations, tmp_path) == []

    file.unlink()
    assert addresses(reservations, tmp_path) == []


def test_file_that_is_not_written_yet_is_read_again(tmp_path: Path) -> None:
    """The plugin makes it first and writes it then."""
    (tmp_path / "10.1.0.7").touch()
    reservations = Reservations()
    assert unlisted(reservations, tmp_path) == []

    reserve(tmp_path, "10.1.0.7", GONE)
    assert unlisted(reservations, tmp_path) == ["10.1.0.7"]


def test_file_is_read_once(tmp_path: Path) -> None:
    """A listed owner's file need not be looked at again: here it could not be."""
    file = reserve(tmp_path, "10.1.0.7")
    reservations = Reservations()
    reservations.read(tmp_path)
    number = file.stat().st_ino
    with file.open("r+b") as same:
        same.write(GONE.encode())
    assert file.stat().st_ino == number

    assert unlisted(reservations, tmp_path) == []


def test_whether_something_changed(tmp_path: Path) -> None:
    """What was counted stands while nothing did."""
    (tmp_path / "lock").touch()
    reserve(tmp_path, "10.1.0.7")
    reservations = Reservations()
    assert [reservations.read(tmp_path) for _ in range(2)] == [True, False]

    file = reserve(tmp_path, "10.1.0.8")
    assert [reservations.read(tmp_path) for _ in range(2)] == [True, False]

    file.unlink()
    assert [reservations.read(tmp_path) for _ in range(2)] == [True, False]


@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_only_ordinary_files_are_read(tmp_path: Path, kind: str) -> None:
    """A pipe would block, a link could lead anywhere. The address is taken all the same."""
    odd = tmp_path / "10.1.0.7"
    match kind:
        case "link":
            odd.symlink_to(reserve(tmp_path, "elsewhere", GONE))
        case "pipe":
            os.mkfifo(odd)
        case _:
            odd.mkdir()
    reservations = Reservations()

    assert addresses(reservations, tmp_path) == ["10.1.0.7"]
    assert unlisted(reservations, tmp_path) == []


def test_large_directory_is_learned_over_several_scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One scan stays short; all addresses count at once, and what was not read yet is not judged."""
    monkeypatch.setattr(host_local, "MOST_READ", 2)
    for last in range(5):
        reserve(tmp_path, f"10.1.0.{last}", GONE)
    reservations = Reservations()

    assert len(addresses(reservations, tmp_path)) == 5
    assert [len(unlisted(reservations, tmp_path)) for _ in range(2)] == [4, 5]
