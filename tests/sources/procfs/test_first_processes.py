import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceLinks
from pausewatch.model.process import FirstProcess, Identity, Process
from pausewatch.sources.procfs import process_stat
from pausewatch.sources.procfs.first_processes import FirstProcesses
from sources.procfs.fake_proc import INODES, FakeProc, stat_line
from sources.procfs.living import A_MOVER, as_nobody, python, running, zombie

OWNER = "6f8f68a2460e71403be61b96a997bec0fd47a01224a7fa1c44c62a80c4d96aab"
STRANGER = "0123456789abcdef" * 4
OWN_CGROUP = f"0::/kubepods/pod2595976c-bc45-40c5-b56f-faaf68d2f9c4/{OWNER}\n"
WANTED = [(OWNER, 42)]

LINKS = NamespaceLinks(network=101, ipc=102, uts=103, pid=104, user=105)
HEALTHY = FirstProcess(owner_id=OWNER, identity=Identity(pid=42, start_ticks=1000), links=LINKS, in_own_cgroup=True)


@pytest.fixture
def pod(proc: FakeProc) -> FakeProc:
    """Give a /proc with one container's process, 42."""
    proc.add(42, cgroup=OWN_CGROUP)
    return proc


class Reader:
    """Reads first processes, with a sweep that looks at each process when it is asked for."""

    def __init__(self, root: str, most_descriptors: int = 0) -> None:
        self.root = root
        self.seen: dict[int, Process | None] = {}
        """What the sweep saw, where that is no longer so."""
        self.asleep: set[int] = set()
        self.firsts = FirstProcesses(root, most_descriptors=most_descriptors)

    def latest(self, pid: int) -> Process | None:
        """Return the process that a sweep would have found."""
        if pid in self.seen:
            return self.seen[pid]
        found = process_stat.read(self.root, pid)
        assert not isinstance(found, Unavailable)
        return found

    def slept(self, pid: int) -> bool:
        """Return what a sweep would have noticed."""
        return pid in self.asleep

    def read(self, *wanted: tuple[str, int]) -> tuple[FirstProcess, ...]:
        """Return what is read of the wanted ones."""
        found = self.firsts.read(wanted, self)
        assert not isinstance(found, Unavailable), found
        return found


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


class Watched:
    """A container's process, 42, that a kernel counts the runs of, and a reader of it that may keep files open."""

    def __init__(self, proc: FakeProc) -> None:
        self.proc = proc
        self.firsts = FirstProcesses(proc.root, most_descriptors=1)
        self.change("100 20 3\n")
        self.read()
        self.read()  # the first of which the next one can tell whether the process ran since

    def change(self, schedstat: str, *, state: str = "S", start_ticks: int = 1000, network: int = 101) -> None:
        """Change what /proc shows of the process."""
        stat = stat_line(42, state=state, start_ticks=start_ticks)
        self.proc.add(42, stat, cgroup=OWN_CGROUP, links={**INODES, "net": network}, schedstat=schedstat)

    def read(self, *wanted: tuple[str, int]) -> FirstProcess:
        """Return what is read of the process."""
        found = self.firsts.read(wanted or WANTED, Reader(self.proc.root))
        assert not isinstance(found, Unavailable)
        return found[0]

    def network(self) -> int:
        """Return what is read of one of its links."""
        links = self.read().links
        assert isinstance(links, NamespaceLinks)
        return links.network


@pytest.fixture
def watched(proc: FakeProc) -> Iterator[Watched]:
    """Give such a process after two scans."""
    watched = Watched(proc)
    yield watched
    watched.firsts.close()


def test_process_that_did_not_run_can_not_have_moved(watched: Watched) -> None:
    """What is remembered of it stands, without a look at its links."""
    watched.change("100 20 3\n", network=999)

    assert watched.read() == HEALTHY


@pytest.mark.parametrize("schedstat", ["101 20 3\n", "100 20 4\n"])
def test_process_that_ran_may_have_moved(watched: Watched, schedstat: str) -> None:
    """Its links are read again, once."""
    watched.change(schedstat, network=999)
    moved = watched.network()
    watched.change(schedstat, network=998)

    assert (moved, watched.network()) == (999, 999)


def test_process_that_is_running_may_be_moving(watched: Watched) -> None:
    """The numbers of a thread that has not left its CPU may be old."""
    watched.change("100 20 3\n", state="R", network=999)

    assert watched.network() == 999


def test_new_owner_of_a_number_is_read_although_nothing_ran(watched: Watched) -> None:
    """The kept file is the old one's."""
    watched.change("100 20 3\n", start_ticks=2000, network=999)

    assert watched.network() == 999


def test_new_owner_of_a_number_is_watched_as_soon_as_there_is_room(watched: Watched) -> None:
    """The file of the old one is closed at the end of the scan that missed it."""
    watched.change("100 20 3\n", start_ticks=2000)
    descriptors = [watched.read() and watched.firsts.descriptors for _ in range(2)]

    assert descriptors == [0, 1]


def test_what_the_sweep_saw_sleeping_is_not_asked_again(pod: FakeProc) -> None:
    """Neither its links are read nor a file of its own kept open; as soon as it ran, they are."""
    pod.add(42, cgroup=OWN_CGROUP, schedstat="100 20 3\n")
    reader = Reader(pod.root, most_descriptors=1)
    reader.read(*WANTED)
    reader.read(*WANTED)
    watched = reader.firsts.descriptors
    reader.asleep.add(42)
    pod.add(42, cgroup=OWN_CGROUP, schedstat="101 20 4\n", links={**INODES, "net": 999})
    asleep = (reader.read(*WANTED), reader.firsts.descriptors)
    reader.asleep.clear()
    awake = reader.read(*WANTED)
    reader.firsts.close()

    assert (watched, asleep) == (1, ((HEALTHY,), 0))
    assert awake == (replace(HEALTHY, links=replace(LINKS, network=999)),)


def test_processes_that_no_file_may_be_kept_open_for(watched: Watched) -> None:
    """Their links are read at each scan."""
    watched.proc.add(7, schedstat="100 20 3\n")
    watched.read(*WANTED, (STRANGER, 7))
    watched.proc.add(7, schedstat="100 20 3\n", links={**INODES, "net": 999})
    found = watched.firsts.read([(STRANGER, 7)], Reader(watched.proc.root))

    assert not isinstance(found, Unavailable)
    assert isinstance(found[0].links, NamespaceLinks)
    assert found[0].links.network == 999


def test_files_are_closed_when_their_process_is_no_longer_wanted(watched: Watched) -> None:
    """A node that changes for months keeps no more open than it has pods."""
    before = watched.firsts.descriptors
    open_before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  a count
    watched.firsts.read([], Reader(watched.proc.root))

    assert (before, watched.firsts.descriptors) == (1, 0)
    assert len(os.listdir("/proc/self/fd")) == open_before - 1  # noqa: PTH208  a count


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


def test_unchanged(pod: FakeProc) -> None:
    """Nothing to report."""
    assert FirstProcesses(pod.root).what_changed(HEALTHY) is None


def test_unchanged_stranger(pod: FakeProc) -> None:
    """It was a stranger before and is one now."""
    pod.add(42)

    assert FirstProcesses(pod.root).what_changed(replace(HEALTHY, in_own_cgroup=False)) is None


@pytest.mark.parametrize("missing", ["stat", "cgroup", "ns/net"])
def test_change_that_it_ended(pod: FakeProc, missing: str) -> None:
    """Whichever file is the first to be missing."""
    pod.unlink(f"42/{missing}")
    if missing != "stat":
        pod.unlink("42/stat")

    assert FirstProcesses(pod.root).what_changed(HEALTHY) == "has exited"


def test_change_that_it_died(pod: FakeProc) -> None:
    """A zombie runs nothing."""
    pod.add(42, stat_line(42, state="Z"), cgroup=OWN_CGROUP)

    assert FirstProcesses(pod.root).what_changed(HEALTHY) == "has exited"


def test_unchanged_dead(pod: FakeProc) -> None:
    """It was dead before, and nobody has reaped it since: what rests on its death still holds."""
    pod.add(42, stat_line(42, state="Z"), cgroup="0::/\n")
    dead = replace(HEALTHY, links=Unavailable(reason="ProcessExited", detail="process 42 has exited"))

    assert FirstProcesses(pod.root).what_changed(dead) is None


def test_change_that_the_dead_was_reaped(pod: FakeProc) -> None:
    """Somebody looks after it again."""
    pod.unlink("42/stat")
    dead = replace(HEALTHY, links=Unavailable(reason="ProcessExited", detail="process 42 has exited"))

    assert FirstProcesses(pod.root).what_changed(dead) == "has exited"


def test_change_of_the_owner_of_its_number(pod: FakeProc) -> None:
    """The same number in the same place, started later."""
    pod.add(42, stat_line(42, start_ticks=2000), cgroup=OWN_CGROUP)

    assert FirstProcesses(pod.root).what_changed(HEALTHY) == "its first process is another one"


def test_change_of_cgroup(pod: FakeProc) -> None:
    """It is not the container's any more."""
    pod.add(42, cgroup=f"0::/kubepods/{STRANGER}\n")

    assert FirstProcesses(pod.root).what_changed(HEALTHY) == "moved to another cgroup"


@pytest.mark.parametrize(
    ("kind", "word"), [("net", "network"), ("ipc", "ipc"), ("uts", "uts"), ("pid", "pid"), ("user", "user")]
)
def test_change_of_namespace(pod: FakeProc, kind: str, word: str) -> None:
    """The one that differs is named."""
    pod.add(42, cgroup=OWN_CGROUP, links={**INODES, kind: 999})

    assert FirstProcesses(pod.root).what_changed(HEALTHY) == f"moved to another {word} namespace"


def test_change_of_what_may_be_read(pod: FakeProc) -> None:
    """What was readable and is not cannot be confirmed."""
    pod.unlink("42/ns/user")

    assert FirstProcesses(pod.root).what_changed(HEALTHY) == "its Linux namespaces can no longer be read"


def test_unreadable_before_and_after(pod: FakeProc) -> None:
    """Nothing rests on links that could not be read."""
    pod.unlink("42/ns/user")
    first = Reader(pod.root).read(*WANTED)[0]

    assert FirstProcesses(pod.root).what_changed(first) is None


def test_change_of_which_even_the_name_is_denied(pod: FakeProc) -> None:
    """Not knowing is a change: it cannot be confirmed."""
    (pod.path / "42/stat").chmod(0o400)

    assert as_nobody(lambda: FirstProcesses(pod.root).what_changed(HEALTHY)) == "can no longer be read"


def test_living_process_that_moves_itself() -> None:
    """A real one, from the kernel's own links."""
    with running(*python(A_MOVER)) as program:
        reader = Reader("/proc", most_descriptors=1)
        first = [reader.read((OWNER, program.pid))[0] for _ in range(3)][-1]
        unchanged = reader.firsts.what_changed(first)
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write("\n")
        program.stdin.flush()
        assert program.stdout.readline() == "moved\n"
        changed = reader.firsts.what_changed(first)
        moved = reader.read((OWNER, program.pid))[0]
        reader.firsts.close()

    assert unchanged is None
    assert changed == "moved to another uts namespace"
    assert isinstance(first.links, NamespaceLinks)
    assert isinstance(moved.links, NamespaceLinks)
    assert replace(moved.links, uts=first.links.uts) == first.links != moved.links
