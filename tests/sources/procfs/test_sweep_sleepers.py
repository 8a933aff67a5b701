"""Processes that are watched instead of read for as long as they sleep."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from typing import Any

import pytest

from pausewatch.model.process import Process
from pausewatch.sources.procfs.sweep import Sweep
from sources.procfs.fake_proc import FakeProc, stat_line
from sources.procfs.living import running
from sources.procfs.swept import next_descriptor, pids, soft_limit_of_open_files


class Sleeper:
    """A process, 42, that a kernel counts the runs of and that a sweep takes for one that sleeps."""

    def __init__(self, proc: FakeProc, **unusual: Any) -> None:  # noqa: ANN401  as stat_line has them
        self.proc = proc
        self.sweep = Sweep(proc.root)
        self.unusual = unusual
        proc.add(7)
        self.change(parent=7)
        for _ in range(3):
            self.look()

    def change(self, *, schedstat: str = "100 20 3\n", **shown: Any) -> None:  # noqa: ANN401  as stat_line has them
        """Change what /proc shows of it; without ``schedstat`` it did not run."""
        self.proc.add(42, stat_line(42, **{**self.unusual, **shown}), schedstat=schedstat)

    def look(self) -> Process | None:
        """Return what a scan finds of it."""
        pids(self.sweep.read())
        return self.sweep.latest(42)

    def end(self, pid: int) -> None:
        """Let another process end and be reaped."""
        shutil.rmtree(self.proc.path / str(pid))


@pytest.fixture
def sleeper(proc: FakeProc) -> Iterator[Sleeper]:
    """Give such a process."""
    sleeper = Sleeper(proc)
    with closing(sleeper.sweep):
        yield sleeper


def test_process_that_sleeps_is_not_read(sleeper: Sleeper) -> None:
    """It can not have changed; one file of it stays open, as before."""
    before = sleeper.sweep.latest(42)
    sleeper.change(name=b"impossible")

    assert sleeper.look() is before
    assert sleeper.sweep.slept(42)
    assert sleeper.sweep.descriptors == 3


@pytest.mark.parametrize("schedstat", ["101 20 3\n", "100 20 4\n"])
def test_process_that_woke_up_is_read(sleeper: Sleeper, schedstat: str) -> None:
    """At once, and until it sleeps again."""
    sleeper.look()
    sleeper.change(schedstat=schedstat, name=b"awake")
    awake = sleeper.look()
    slept = sleeper.sweep.slept(42)
    sleeper.change(schedstat=schedstat, name=b"again")
    again = sleeper.look()

    assert [process and process.name for process in (awake, again)] == ["awake", "again"]
    assert not slept
    assert sleeper.sweep.descriptors == 3


def test_each_awakening_makes_the_next_sleep_come_later(sleeper: Sleeper) -> None:
    """Who wakes up again and again is read at each scan instead: opening files costs more than reading them."""
    looks = []
    for number in range(1, 9):
        sleeper.change(schedstat=f"{number} 0 {number}\n")
        sleeper.look()
        looks.append(next(count for count in range(100) if sleeper.look() and sleeper.sweep.slept(42)))

    assert looks == [3, 5, 9, 17, 33, 65, 65, 65]


@pytest.mark.parametrize("unusual", [{"state": "R"}, {"state": "Z"}, {"state": "Z", "threads": 2}])
def test_process_that_runs_or_is_dead_is_always_read(proc: FakeProc, unusual: dict[str, Any]) -> None:
    """What is counted of the first thread does not tell: it runs at the moment, or only the others live."""
    sleeper = Sleeper(proc, **unusual)
    with closing(sleeper.sweep):
        sleeper.change(name=b"changed")
        found = sleeper.look()

    assert found is not None
    assert found.name == "changed"


def test_process_of_several_threads_is_read_once_in_a_while(proc: FakeProc) -> None:
    """It lives while its first thread sleeps; what the others did is seen later. Each such sleep is as long."""
    sleeper = Sleeper(proc, threads=2)
    with closing(sleeper.sweep):
        slept = []
        for _ in range(300):
            sleeper.look()
            slept.append(sleeper.sweep.slept(42))
        sleeper.change(threads=3)
        found = [sleeper.look() for _ in range(70)]

    lengths = [len(list(group)) for asleep, group in groupby(slept) if asleep]
    assert lengths[1:-1] == [63] * len(lengths[1:-1])
    assert len(lengths) >= 4
    assert found[0] is not None
    assert found[-1] is not None
    assert (found[0].threads, found[-1].threads) == (2, 3)


@pytest.mark.parametrize("schedstat", ["0 0 0\n", None])
def test_kernel_that_does_not_count(proc: FakeProc, schedstat: str | None) -> None:
    """Then all are read at each scan."""
    with closing(Sweep(proc.root)) as sweep:
        names = []
        for name in (b"a", b"a", b"a", b"b"):
            proc.add(42, stat_line(42, name=name), schedstat=schedstat)
            pids(sweep.read())
            found = sweep.latest(42)
            names.append(found and found.name)

    assert names == ["a", "a", "a", "b"]


@pytest.mark.parametrize("shown", [{"state": "Z"}, {"start_ticks": 2000}])
def test_child_of_a_process_that_died_has_another_parent(sleeper: Sleeper, shown: dict[str, Any]) -> None:
    """It need not run for that. The parent's number may even be another one's in the same scan."""
    sleeper.proc.add(7, stat_line(7, **shown))
    sleeper.change(parent=1)
    found = sleeper.look()

    assert found is not None
    assert found.parent_pid == 1


def test_child_of_a_process_that_was_reaped(sleeper: Sleeper) -> None:
    """Here the parent sleeps as well, with a file that is kept for it."""
    sleeper.end(7)
    sleeper.change(parent=1)
    found = sleeper.look()

    assert found is not None
    assert found.parent_pid == 1


def test_sleeper_that_ends(sleeper: Sleeper) -> None:
    """Nothing of it stays open."""
    sleeper.end(42)

    assert sleeper.look() is None
    assert sleeper.sweep.descriptors == 2


def test_sleeper_whose_file_was_given_up_is_not_called_asleep(proc: FakeProc) -> None:
    """It may run and move to other namespaces, and nobody watches it any more."""
    proc.add(1, stat_line(1, name=b"init", parent=0), schedstat="5 5 5\n")
    sleeper = Sleeper(proc)
    with closing(sleeper.sweep):
        sleeper.look()
        asleep = sleeper.sweep.slept(1)
        proc.add(50)
        with soft_limit_of_open_files(next_descriptor()):
            sleeper.look()
        given_up = sleeper.sweep.slept(1)
        proc.add(1, stat_line(1, name=b"init", parent=0), schedstat="6 6 6\n")
        sleeper.look()
        ran = sleeper.sweep.slept(1)

    assert (asleep, given_up, ran) == (True, False, False)


def test_living_sleeper_that_is_killed() -> None:
    """It has to run to die."""
    with closing(Sweep()) as sweep, running("sh", "-c", "echo ready; read line") as program:
        while not sweep.slept(program.pid):
            pids(sweep.read())
        program.kill()
        os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOWAIT)
        pids(sweep.read())
        dead = sweep.latest(program.pid)

    assert dead is not None
    assert dead.is_zombie


def test_living_sleeper_whose_parent_is_killed() -> None:
    """It sleeps on, and belongs to somebody else."""
    with closing(Sweep()) as sweep, running("sh", "-c", "sleep 1000 & echo ready; echo $!; read line") as program:
        assert program.stdout is not None
        child = int(program.stdout.readline())
        try:
            while not sweep.slept(child):
                pids(sweep.read())
            before = sweep.latest(child)
            program.kill()
            program.wait()
            pids(sweep.read())
            after = sweep.latest(child)
        finally:
            os.kill(child, signal.SIGKILL)

    assert before is not None
    assert after is not None
    assert (before.parent_pid, after.parent_pid == program.pid) == (program.pid, False)
