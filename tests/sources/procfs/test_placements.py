from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.process import Identity, Placement
from pausewatch.sources.procfs import process_stat
from pausewatch.sources.procfs.placements import Placements
from pausewatch.sources.procfs.sweep import Sweep
from sources.procfs.fake_proc import FakeProc, stat_line
from sources.procfs.living import A_LEADER_THAT_EXITED, A_ZOMBIE_AND_ITS_PARENT, as_nobody, python, running, zombie

CONTAINER = "6f8f68a2460e71403be61b96a997bec0fd47a01224a7fa1c44c62a80c4d96aab"
CGROUP = f"8:pids:/kubepods/pod2595976c-bc45-40c5-b56f-faaf68d2f9c4/{CONTAINER}\n0::/\n"
ZOMBIE_CGROUP = "8:pids:/\n0::/\n"


@pytest.fixture
def pod(proc: FakeProc) -> FakeProc:
    """Give a /proc of cgroup v1 with a container's process, 42, that keeps a zombie, 43."""
    proc.add(42, cgroup=CGROUP)
    proc.add(43, stat_line(43, state="Z", parent=42, start_ticks=2000), cgroup=ZOMBIE_CGROUP, links={"pid": 104})
    return proc


PARENT = Placement(identity=Identity(pid=42, start_ticks=1000), pid_namespace=104, container_id=CONTAINER)
ZOMBIE = Placement(identity=Identity(pid=43, start_ticks=2000), pid_namespace=104, container_id=None)


def read(root: str, placements: Placements | None = None) -> tuple[Placement, ...]:
    """Return the placements after a sweep."""
    with closing(Sweep(root)) as sweep:
        processes = sweep.read()
        assert not isinstance(processes, Unavailable)
        return (placements or Placements(root)).read(processes, sweep.latest)


def test_zombie_and_its_parent(pod: FakeProc) -> None:
    """On cgroup v1 the zombie shows no container; its PID namespace and its parent tell."""
    assert read(pod.root) == (PARENT, ZOMBIE)


def test_zombies_of_one_parent(pod: FakeProc) -> None:
    """The parent is placed once."""
    pod.add(44, stat_line(44, state="Z", parent=42, start_ticks=2000))

    assert [placement.identity.pid for placement in read(pod.root)] == [42, 43, 44]


def test_living_processes_are_not_placed(proc: FakeProc) -> None:
    """Nobody asks for them."""
    proc.add(42, stat_line(42, state="Z", threads=3))

    assert read(proc.root) == ()


def test_parent_outside(pod: FakeProc) -> None:
    """Parent 0 is in a PID namespace above ours."""
    pod.add(43, stat_line(43, state="Z", parent=0, start_ticks=2000))

    assert [placement.identity.pid for placement in read(pod.root)] == [43]


def test_placement_is_read_once(pod: FakeProc) -> None:
    """The same object is given for as long as the process is there."""
    placements = Placements(pod.root)
    before = read(pod.root, placements)
    pod.unlink("43/ns/pid")
    pod.unlink("42/cgroup")
    after = read(pod.root, placements)

    assert all(one is other for one, other in zip(before, after, strict=True))


def test_new_owner_of_a_number_is_placed_anew(pod: FakeProc) -> None:
    """What is remembered belongs to an identity."""
    placements = Placements(pod.root)
    read(pod.root, placements)
    pod.add(42, stat_line(42, start_ticks=1500), cgroup="0::/\n", links={"pid": 999})

    assert read(pod.root, placements)[0] == Placement(
        identity=Identity(pid=42, start_ticks=1500), pid_namespace=999, container_id=None
    )


@pytest.mark.parametrize("missing", ["ns/pid", "cgroup"])
def test_process_without_one_of_the_files(pod: FakeProc, missing: str) -> None:
    """The other fact is kept."""
    pod.unlink(f"42/{missing}")

    parent = read(pod.root)[0]

    assert (parent.pid_namespace is None) == (missing == "ns/pid")
    assert (parent.container_id is None) == (missing == "cgroup")


def test_cgroup_that_can_not_be_read_for_a_moment(pod: FakeProc) -> None:
    """A node without a free file: it is read again, and the other fact counts meanwhile."""
    pod.unlink("42/cgroup")
    (pod.path / "42/cgroup").mkdir()
    placements = Placements(pod.root)
    unread = read(pod.root, placements)
    (pod.path / "42/cgroup").rmdir()
    pod.add(42, cgroup=CGROUP)

    assert unread == (replace(PARENT, container_id=None), ZOMBIE)
    assert read(pod.root, placements) == (PARENT, ZOMBIE)


def test_process_that_is_reaped_during_the_scan(pod: FakeProc) -> None:
    """It is left out, and not remembered."""
    seen = process_stat.read(pod.root, 43)
    assert seen is not None
    assert not isinstance(seen, Unavailable)
    pod.add(43, stat_line(43, start_ticks=3000))

    assert Placements(pod.root).read([seen], lambda _: None) == ()


def test_denied_namespace_leaves_the_cgroup(pod: FakeProc) -> None:
    """An ordinary user still learns the container of the parent."""
    (pod.path / "42/ns").chmod(0o700)

    parent = as_nobody(lambda: read(pod.root)[0])

    assert (parent.pid_namespace, parent.container_id) == (None, CONTAINER)


def test_zombie_of_the_kernel_in_our_pid_namespace() -> None:
    """It keeps the link."""
    with zombie() as pid:
        placed = {placement.identity.pid: placement for placement in read("/proc")}

    assert placed[pid].pid_namespace == Path("/proc/self/ns/pid").stat().st_ino


def test_zombie_of_the_kernel_in_a_pid_namespace_of_its_own() -> None:
    """Zombie and parent are in the same one, which is not ours."""
    with running("unshare", "--pid", "--fork", "--kill-child", *python(A_ZOMBIE_AND_ITS_PARENT)) as program:
        parent = int(Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text(encoding="ascii"))
        child = int(Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii"))
        placed = {placement.identity.pid: placement for placement in read("/proc")}
        inode = Path(f"/proc/{parent}/ns/pid").stat().st_ino

    assert inode != Path("/proc/self/ns/pid").stat().st_ino
    assert placed[parent].pid_namespace == placed[child].pid_namespace == inode


def test_leader_that_exited_before_its_threads_is_not_placed() -> None:
    """It is no zombie."""
    with running(*python(A_LEADER_THAT_EXITED)) as program:
        placed = {placement.identity.pid for placement in read("/proc")}

    assert program.pid not in placed
