import os
from pathlib import Path

import pytest

from pausewatch.model.process import Process
from pausewatch.sources.network.pin_users import PinUsers, read_pin_users
from pausewatch.sources.procfs import process_stat
from sources.procfs.fake_proc import FakeProc
from sources.procfs.living import running
from support.parts import a_process, identity

PIN = 4_026_532_251
RUNTIME = 800
MOUNTED = f"122 121 0:4 net:[{PIN}] /run/netns/cni-x rw shared:26 - nsfs nsfs rw\n"


@pytest.fixture
def proc(tmp_path: Path) -> FakeProc:
    """Give a /proc with a runtime and a process beside it."""
    fake = FakeProc(tmp_path)
    add(fake, RUNTIME, mount=7, mountinfo=MOUNTED)
    add(fake, 77, mount=7, mountinfo=MOUNTED)
    return fake


def add(proc: FakeProc, pid: int, *, net: int = 101, mount: int, mountinfo: str = "") -> None:
    """Add a process."""
    proc.add(pid, links={"net": net, "mnt": mount})
    (proc.path / str(pid) / "mountinfo").write_text(mountinfo)


def users(proc: FakeProc, *pids: int) -> PinUsers:
    """Return who uses the pin among the runtime and these."""
    processes = [a_process(pid) for pid in (RUNTIME, *pids)]
    return read_pin_users(str(proc.path), RUNTIME, processes, [PIN])[PIN]


def test_nobody(proc: FakeProc) -> None:
    """The runtime's own mount is the pin itself."""
    assert users(proc, 77) == PinUsers(processes_inside=0, holders=())


def test_processes_inside(proc: FakeProc) -> None:
    """Each counts."""
    add(proc, 78, net=PIN, mount=7)
    add(proc, 79, net=PIN, mount=7)

    assert users(proc, 77, 78, 79).processes_inside == 2


def test_mounts_elsewhere_are_told_once_for_each_mount_namespace(proc: FakeProc) -> None:
    """All processes of a container share its mounts: its first stands for them."""
    add(proc, 78, mount=8, mountinfo="1 0 0:4 / / rw - ext4 x rw\n" + MOUNTED)
    add(proc, 79, mount=8, mountinfo=MOUNTED)
    add(proc, 80, mount=9, mountinfo=MOUNTED.replace(str(PIN), "4026532999"))

    assert users(proc, 77, 78, 79, 80).holders == (identity(78),)


def test_at_most_five_holders_are_told(proc: FakeProc) -> None:
    """Mending starts with the first."""
    for pid in range(100, 110):
        add(proc, pid, mount=pid, mountinfo=MOUNTED)

    assert len(users(proc, *range(100, 110)).holders) == 5


def test_each_of_many_pins_has_its_own_holders(proc: FakeProc) -> None:
    """Whatever else is mounted there, under whatever names."""
    inodes = range(PIN, PIN + 1000)
    odd = b"7 1 0:9 /\xff\xe2\x80\xa8net:[1] /mnt/\x85\r" + b"x" * 4000 + b" rw - ext4 /dev/vda rw\nshort\n\n"
    add(proc, 78, mount=8)
    mounts = b"".join(MOUNTED.replace(str(PIN), str(inode)).encode() for inode in inodes[1:])
    (proc.path / "78/mountinfo").write_bytes(odd + mounts)

    found = read_pin_users(str(proc.path), RUNTIME, [a_process(RUNTIME), a_process(78)], inodes)

    assert found[PIN].holders == ()
    assert {found[inode].holders for inode in inodes[1:]} == {(identity(78),)}


def test_process_that_has_ended(proc: FakeProc) -> None:
    """It was in the list a moment ago."""
    assert users(proc, 5555) == PinUsers(processes_inside=0, holders=())


def test_process_that_may_not_be_looked_at_may_be_inside(proc: FakeProc) -> None:
    """Unknown is not empty. The node's init keeps its links to itself on some machines, and is in no pod's network."""
    link = proc.path / "1/ns/net"
    link.unlink()
    link.touch()  # reading it as a link gives an error, as a want of permission does
    assert users(proc, 1).processes_inside == 0

    link = proc.path / "77/ns/net"
    link.unlink()
    link.touch()
    assert users(proc, 77).processes_inside is None


def test_living_process_in_a_namespace_of_its_own() -> None:
    """Against the real /proc, with numbers from stat."""
    with running("unshare", "--net", "--mount", "sh", "-c", "echo ready; read x") as inside:
        inode = os.stat(f"/proc/{inside.pid}/ns/net").st_ino  # noqa: PTH116  the number behind a link of the kernel
        process = process_stat.read("/proc", inside.pid)
        assert isinstance(process, Process)

        found = read_pin_users("/proc", os.getpid(), [process], [inode])

    assert found[inode] == PinUsers(processes_inside=1, holders=())
