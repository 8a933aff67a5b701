import os
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from pausewatch.sources.procfs.schedstat import RunWatch
from sources.procfs.fake_proc import FakeProc
from sources.procfs.living import running, zombie


@contextmanager
def watching(root: str, pid: int) -> Iterator[RunWatch]:
    """Watch a process that has the file."""
    watch = RunWatch.open(root, pid)
    assert watch is not None
    with closing(watch):
        yield watch


def test_first_answer_is_that_it_may_have_run(proc: FakeProc) -> None:
    """There is nothing to compare with."""
    proc.add(42, schedstat="100 20 3\n")
    with watching(proc.root, 42) as watch:
        assert watch.may_have_run()
        assert not watch.may_have_run()


@pytest.mark.parametrize("later", ["101 20 3\n", "100 21 3\n", "100 20 4\n"])
def test_each_number_tells(proc: FakeProc, later: str) -> None:
    """Time on a CPU, time waiting, times it was given one; the answer counts from call to call."""
    proc.add(42, schedstat="100 20 3\n")
    with watching(proc.root, 42) as watch:
        watch.may_have_run()
        proc.add(42, schedstat=later)

        assert watch.may_have_run()
        assert not watch.may_have_run()


@pytest.mark.parametrize("text", ["0 0 0\n", ""])
def test_kernel_that_does_not_count(proc: FakeProc, text: str) -> None:
    """Nothing is known, so it may have run each time."""
    proc.add(42, schedstat=text)
    with watching(proc.root, 42) as watch:
        assert [watch.may_have_run() for _ in range(3)] == [True] * 3


def test_kernel_without_the_file(proc: FakeProc) -> None:
    """It is not built with CONFIG_SCHED_INFO."""
    assert RunWatch.open(proc.root, 1) is None


def test_living_process_sleeps_and_wakes() -> None:
    """A real one: asleep in read(2) until a line comes, and again after it."""
    with running("sh", "-c", "echo ready; read line; echo woken; read line") as program:
        asleep_in_read(program.pid)
        with watching("/proc", program.pid) as watch:
            watch.may_have_run()
            asleep = watch.may_have_run()
            assert program.stdin is not None
            assert program.stdout is not None
            program.stdin.write("\n")
            program.stdin.flush()
            assert program.stdout.readline() == "woken\n"
            woken = watch.may_have_run()

    assert (asleep, woken) == (False, True)


def test_process_that_was_reaped() -> None:
    """Nothing more is known of it; its number may be another's."""
    with zombie() as pid:
        watch = RunWatch.open("/proc", pid)
        assert watch is not None
        dead = [watch.may_have_run() for _ in range(2)]
    with closing(watch):
        assert dead == [True, False]
        assert [watch.may_have_run() for _ in range(2)] == [True, True]


def test_answer_that_the_kernel_refuses(proc: FakeProc) -> None:
    """Without memory for it, for one: what is not known counts as run, and breaks nothing."""
    (proc.path / "42/schedstat").mkdir(parents=True)
    with watching(proc.root, 42) as watch:
        assert [watch.may_have_run() for _ in range(2)] == [True, True]


def asleep_in_read(pid: int) -> None:
    """Return when a process that is about to read its input sleeps in that call."""
    descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    try:
        while b") S " not in os.pread(descriptor, 512, 0):
            os.sched_yield()
    finally:
        os.close(descriptor)
