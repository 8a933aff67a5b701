import os
from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceKind, NamespaceLinks
from pausewatch.model.process import Identity
from pausewatch.sources.procfs import namespace_links, process_stat
from pausewatch.sources.procfs.errors import ProcFormatError
from sources.procfs.fake_proc import INODES, FakeProc, stat_line
from sources.procfs.living import A_LEADER_THAT_EXITED, as_nobody, python, running, zombie

HEALTHY = Identity(pid=42, start_ticks=1000)
LINKS = NamespaceLinks(network=101, ipc=102, uts=103, pid=104, user=105)


def identity_of(pid: int) -> Identity:
    """Return the identity of a living process."""
    process = process_stat.read("/proc", pid)
    assert process is not None
    assert not isinstance(process, Unavailable)
    return process.identity


def test_texts_become_links_and_back() -> None:
    """The order is that of the paths."""
    targets = ("net:[101]", "ipc:[102]", "uts:[103]", "pid:[104]", "user:[105]")

    assert namespace_links.parse(targets) == LINKS
    assert namespace_links.targets_of(LINKS) == targets


@pytest.mark.parametrize(
    "target",
    ["", "net:[]", "net:[12", "net:12]", "ipc:[12]", "net:[-1]", "net:[1]]", "net:[x]", f"net:[{'9' * 5000}]"],
)
def test_other_texts_are_errors(target: str) -> None:
    """A number that is not the namespace's would look like a misplaced container."""
    with pytest.raises(ProcFormatError):
        namespace_links.parse_one(NamespaceKind.NETWORK, target)


def test_own_links_agree_with_the_files_behind_them() -> None:
    """The number in the text is the inode number of the namespace."""
    links = namespace_links.read("/proc", identity_of(os.getpid()))

    assert isinstance(links, NamespaceLinks)
    for kind in NamespaceKind:
        assert links.of(kind) == Path(f"/proc/self/ns/{kind.link}").stat().st_ino


def test_process_in_namespaces_of_its_own() -> None:
    """Only what it left differs."""
    own = namespace_links.read("/proc", identity_of(os.getpid()))
    with running("unshare", "--net", "--uts", "sh", "-c", "echo ready; exec cat") as program:
        other = namespace_links.read("/proc", identity_of(program.pid))

    assert isinstance(own, NamespaceLinks)
    assert isinstance(other, NamespaceLinks)
    assert {kind for kind in NamespaceKind if own.of(kind) != other.of(kind)} == {
        NamespaceKind.NETWORK,
        NamespaceKind.UTS,
    }


def test_process_that_is_gone(proc: FakeProc) -> None:
    """No folder, no namespaces, no complaint."""
    assert namespace_links.read(proc.root, HEALTHY) is None


def test_number_with_a_new_owner(proc: FakeProc) -> None:
    """The links of a stranger are nobody's links."""
    proc.add(42, stat_line(42, start_ticks=2000))

    assert namespace_links.read(proc.root, HEALTHY) is None


def test_number_with_a_new_owner_whose_links_are_missing(proc: FakeProc) -> None:
    """The new owner's trouble is not the old one's."""
    proc.add(42, stat_line(42, start_ticks=2000))
    proc.unlink("42/ns/net")

    assert namespace_links.read(proc.root, HEALTHY) is None


@pytest.mark.parametrize("kind", INODES)
def test_process_that_ends_between_two_links(proc: FakeProc, kind: str) -> None:
    """Whichever link is the first to be missing, the second look at the process decides."""
    proc.add(42)
    proc.unlink(f"42/ns/{kind}")
    proc.unlink("42/stat")

    assert namespace_links.read(proc.root, HEALTHY) is None


def test_process_that_ends_behind_its_links(proc: FakeProc) -> None:
    """Links without proof of whose they are do not count."""
    proc.add(42)
    proc.unlink("42/stat")

    assert namespace_links.read(proc.root, HEALTHY) is None


def test_living_process_without_a_link(proc: FakeProc) -> None:
    """About to exit, or a kernel without that kind: not gone, and not denied."""
    proc.add(42)
    proc.unlink("42/ns/user")

    links = namespace_links.read(proc.root, HEALTHY)

    assert isinstance(links, Unavailable)
    assert links.reason == "NamespaceLinkMissing"
    assert "ns/user" in links.detail


def test_link_of_unknown_form(proc: FakeProc) -> None:
    """It is quoted, not guessed at."""
    proc.add(42)
    proc.unlink("42/ns/uts")
    (proc.path / "42/ns/uts").symlink_to("uts-12")

    links = namespace_links.read(proc.root, HEALTHY)

    assert isinstance(links, Unavailable)
    assert links.reason == "ProcFormatUnknown"
    assert "uts-12" in links.detail


def test_ordinary_user_is_denied() -> None:
    """Root's process stays root's."""
    own = identity_of(os.getpid())

    links = as_nobody(lambda: namespace_links.read("/proc", own))

    assert isinstance(links, Unavailable)
    assert links.reason == "PermissionDenied"
    assert "CAP_SYS_PTRACE" in links.remedy


def test_denial_while_a_process_is_reaped_means_gone(proc: FakeProc) -> None:
    """The kernel answers EACCES for a link whose process has just been reaped."""
    proc.add(42)
    proc.unlink("42/stat")
    (proc.path / "42" / "ns").chmod(0o700)

    assert as_nobody(lambda: namespace_links.read(proc.root, HEALTHY)) is None


def test_zombie_keeps_its_pid_namespace_only() -> None:
    """Its other namespaces are gone, and that is neither a fault nor want of permission."""
    with zombie() as pid:
        links = namespace_links.read("/proc", identity_of(pid))
        pid_namespace = namespace_links.read_pid_namespace("/proc", pid)

    assert isinstance(links, Unavailable)
    assert links.reason == "ProcessExited"
    assert pid_namespace == Path("/proc/self/ns/pid").stat().st_ino


def test_leader_that_exited_before_its_threads() -> None:
    """Its program lives, so it must not pass for gone or dead."""
    with running(*python(A_LEADER_THAT_EXITED)) as program:
        links = namespace_links.read("/proc", identity_of(program.pid))

    assert isinstance(links, Unavailable)
    assert links.reason == "LeaderExited"


def test_pid_namespace_of_a_process_that_is_gone_or_denied(proc: FakeProc) -> None:
    """None is gone; denied says so."""
    own = os.getpid()

    denied = as_nobody(lambda: namespace_links.read_pid_namespace("/proc", own))

    assert namespace_links.read_pid_namespace(proc.root, 42) is None
    assert isinstance(denied, Unavailable)
    assert denied.reason == "PermissionDenied"
