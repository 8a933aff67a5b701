"""What has changed of a first process since it was read: a finding that rests on it counts only if nothing has."""

from dataclasses import replace

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceLinks
from pausewatch.sources.procfs.first_processes import FirstProcesses
from sources.procfs.fake_proc import INODES, FakeProc, stat_line
from sources.procfs.first_process_reader import HEALTHY, OWN_CGROUP, OWNER, STRANGER, WANTED, Reader
from sources.procfs.living import A_MOVER, as_nobody, python, running


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
