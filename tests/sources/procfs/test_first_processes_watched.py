"""First processes that a kernel counts the runs of: what did not run is not read again."""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceLinks
from pausewatch.model.process import FirstProcess
from pausewatch.sources.procfs.first_processes import FirstProcesses
from sources.procfs.fake_proc import INODES, FakeProc, stat_line
from sources.procfs.first_process_reader import HEALTHY, LINKS, OWN_CGROUP, STRANGER, WANTED, Reader


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
