from dataclasses import replace

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceLinks
from pausewatch.model.process import Identity
from pausewatch.sources.procfs.first_processes import FirstProcesses
from sources.procfs.fake_proc import INODES, FakeProc, stat_line
from sources.procfs.first_process_reader import HEALTHY, OWN_CGROUP, OWNER, STRANGER, WANTED, Reader
from sources.procfs.living import as_nobody, zombie


def test_first_process_in_its_cgroup(pod: FakeProc) -> None:
    """Links, identity, and the proof that it is the owner's."""
    assert Reader(pod.root).read(*WANTED) == (HEALTHY,)


@pytest.mark.parametrize(
    "cgroup", ["0::/\n", f"0::/kubepods/{STRANGER}\n", OWN_CGROUP.replace("/6f", "/crio-conmon-6f")]
)
def test_stranger_under_the_number(pod: FakeProc, cgroup: str) -> None:
    """The number was reused, or counts in another PID namespace."""
    pod.add(42, cgroup=cgroup)

    assert Reader(pod.root).read(*WANTED) == (replace(HEALTHY, in_own_cgroup=False),)


@pytest.mark.parametrize("cgroup", ["0::/\n", "0::/inside\n"])
@pytest.mark.parametrize(
    ("of_pid_1", "is_ours"),
    [("0::/../../../../init.scope\n", True), ("0::/../../..\n", True), ("0::/init.scope\n", False), ("0::/\n", False)],
)
def test_process_of_our_own_container(pod: FakeProc, cgroup: str, of_pid_1: str, *, is_ours: bool) -> None:
    """On cgroups of version 2 its path has no id for us; without a cgroup namespace of ours it is a stranger's."""
    pod.add(42, cgroup=cgroup)
    pod.add(1, cgroup=of_pid_1)

    assert Reader(pod.root).read(*WANTED) == (replace(HEALTHY, in_own_cgroup=is_ours),)


def test_cgroup_that_can_not_be_read_for_a_moment(pod: FakeProc) -> None:
    """A node without a free file: the next scan that can read it finds the process in its place."""
    pod.unlink("42/cgroup")
    (pod.path / "42/cgroup").mkdir()
    reader = Reader(pod.root)
    unread = reader.read(*WANTED)
    (pod.path / "42/cgroup").rmdir()
    pod.add(42, cgroup=OWN_CGROUP)

    assert unread == (replace(HEALTHY, in_own_cgroup=False),)
    assert reader.read(*WANTED) == (HEALTHY,)


def test_order_is_that_of_the_wanted(pod: FakeProc) -> None:
    """Two owners may have one process: all containers of a gVisor sandbox do."""
    other = "a" * 64
    pod.add(7, cgroup=f"0::/kubepods/{other}\n")

    found = Reader(pod.root).read((OWNER, 42), (other, 7), (STRANGER, 42))

    assert [(first.owner_id, first.identity.pid) for first in found] == [(OWNER, 42), (other, 7), (STRANGER, 42)]


def test_owner_without_a_process_is_left_out(pod: FakeProc) -> None:
    """It ended since the runtime told its number."""
    assert Reader(pod.root).read((STRANGER, 43), *WANTED) == (HEALTHY,)


def test_same_place_is_the_same_object(pod: FakeProc) -> None:
    """Also when processes come and go around it."""
    reader = Reader(pod.root)
    before = reader.read(*WANTED)[0]
    pod.add(43)

    assert reader.read(*WANTED)[0] is before


@pytest.mark.parametrize("kind", INODES)
def test_living_process_that_moved(pod: FakeProc, kind: str) -> None:
    """Each link is read anew in each scan of a process that nobody can tell the runs of."""
    reader = Reader(pod.root)
    reader.read(*WANTED)
    pod.add(42, cgroup=OWN_CGROUP, links={**INODES, kind: 999})

    links = reader.read(*WANTED)[0].links

    assert isinstance(links, NamespaceLinks)
    assert 999 in {links.network, links.ipc, links.uts, links.pid, links.user}


def test_cgroup_is_read_once_per_identity(pod: FakeProc) -> None:
    """A later answer is of no use: the owner has been proved. A new owner of the number is proved anew."""
    reader = Reader(pod.root)
    reader.read(*WANTED)
    pod.add(42, cgroup="0::/\n")
    assert reader.read(*WANTED)[0].in_own_cgroup

    pod.add(42, stat_line(42, start_ticks=2000), cgroup="0::/\n")

    assert reader.read(*WANTED) == (replace(HEALTHY, identity=Identity(pid=42, start_ticks=2000), in_own_cgroup=False),)


@pytest.mark.parametrize("missing", ["stat", "cgroup", *(f"ns/{kind}" for kind in INODES)])
@pytest.mark.parametrize("known_before", [False, True])
def test_process_that_ends_during_the_scan(pod: FakeProc, missing: str, known_before: bool) -> None:  # noqa: FBT001
    """Wherever it ends, it is left out or as it was, and the others are read."""
    pod.add(7)
    reader = Reader(pod.root)
    if known_before:
        reader.read(*WANTED)
    reader.seen[42] = reader.latest(42)
    pod.unlink(f"42/{missing}")
    if missing != "stat":
        pod.unlink("42/stat")

    found = reader.read(*WANTED, (STRANGER, 7))

    assert found[-1].owner_id == STRANGER
    assert found[:-1] in ((), (HEALTHY,))
    assert not (found[:-1] and missing.startswith("ns/"))


def test_number_that_changed_hands_during_the_scan(pod: FakeProc) -> None:
    """The sweep saw the old owner; the links are those of the new one."""
    reader = Reader(pod.root)
    reader.seen[42] = reader.latest(42)
    pod.add(42, stat_line(42, start_ticks=2000), links={**INODES, "net": 999})

    assert reader.read(*WANTED) == ()


def test_dead_first_process_stays_in_the_list() -> None:
    """It is not gone: its number exists, and its links say why they cannot be read."""
    with zombie() as pid:
        first = Reader("/proc").read((OWNER, pid))[0]

    assert isinstance(first.links, Unavailable)
    assert first.links.reason == "ProcessExited"


def test_all_denied_makes_the_section_unavailable(pod: FakeProc) -> None:
    """Nothing can be said about any container then."""
    (pod.path / "42/ns").chmod(0o700)

    found = as_nobody(lambda: FirstProcesses(pod.root).read(WANTED, Reader(pod.root)))

    assert isinstance(found, Unavailable)
    assert found.reason == "PermissionDenied"
    assert "CAP_SYS_PTRACE" in found.remedy


def test_denied_stranger_makes_nothing_unavailable(pod: FakeProc) -> None:
    """A runtime that names the node's first process, which the kernel shows to nobody, proves no want of permission."""
    pod.add(7)
    (pod.path / "7/ns").chmod(0o700)

    (denied,) = as_nobody(lambda: Reader(pod.root).read((STRANGER, 7)))

    assert not denied.in_own_cgroup
    assert isinstance(denied.links, Unavailable)


def test_some_denied_leaves_the_others(pod: FakeProc) -> None:
    """What could be read is judged."""
    pod.add(7)
    (pod.path / "7/ns").chmod(0o700)

    denied, healthy = as_nobody(lambda: Reader(pod.root).read((STRANGER, 7), *WANTED))

    assert isinstance(denied.links, Unavailable)
    assert denied.links.reason == "PermissionDenied"
    assert healthy == HEALTHY


def test_nothing_wanted_is_nothing_missing(pod: FakeProc) -> None:
    """A node without pods is healthy."""
    assert Reader(pod.root).read() == ()
