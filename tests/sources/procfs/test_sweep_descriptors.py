"""How many files stay open, and what happens when there are no more."""

import shutil
from contextlib import closing

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.sources.procfs.sweep import Sweep
from sources.procfs.fake_proc import FakeProc
from sources.procfs.swept import next_descriptor, pids, soft_limit_of_open_files
from support.builders import present


@pytest.fixture
def lowest_free_descriptor() -> int:
    """Give the number that the next open file gets when the test begins."""
    return next_descriptor()


def test_no_more_files_stay_open_than_allowed(proc: FakeProc) -> None:
    """Those beyond are read all the same."""
    for pid in range(2, 12):
        proc.add(pid)
    with closing(Sweep(proc.root, most_descriptors=4)) as sweep:
        assert pids(sweep.read()) == pids(sweep.read()) == list(range(1, 12))
        assert sweep.descriptors == 4


def test_file_of_a_process_that_is_gone_is_closed(proc: FakeProc) -> None:
    """The room goes to the next one, and nothing is known of the old one any more."""
    proc.add(42)
    proc.add(43)
    with closing(Sweep(proc.root, most_descriptors=2)) as sweep:
        sweep.read()
        proc.unlink("42/stat")
        (proc.path / "42").rename(proc.path / "gone")

        assert pids(sweep.read()) == [1, 43]
        assert sweep.latest(42) is None
        assert pids(sweep.read()) == [1, 43]
        assert sweep.descriptors == 2


def test_no_free_descriptor_costs_half_of_ours(proc: FakeProc, lowest_free_descriptor: int) -> None:
    """When the program has too many files open, ours are the first to be given up, and none is missed."""
    for pid in range(2, 42):
        proc.add(pid)
    with closing(Sweep(proc.root)) as sweep:
        everything = sweep.read()
        assert sweep.descriptors == 41
        proc.add(50)
        with soft_limit_of_open_files(lowest_free_descriptor + 20):
            again = sweep.read()

        assert sweep.descriptors == 20
        assert pids(again) == [*pids(everything), 50]
        assert pids(sweep.read()) == pids(again)
        assert sweep.descriptors == 20


def test_no_free_descriptor_and_none_of_ours(proc: FakeProc, lowest_free_descriptor: int) -> None:
    """Then nothing can be read, which is said."""
    with (
        closing(Sweep(proc.root, most_descriptors=0)) as sweep,
        soft_limit_of_open_files(lowest_free_descriptor),
    ):
        found = sweep.read()

    assert isinstance(found, Unavailable)
    assert found.reason == "ProcUnreadable"
    assert "Too many open files" in found.detail


def test_in_a_crowd_no_file_stays_open(proc: FakeProc) -> None:
    """What is known stays known; when the crowd is gone, files stay open again."""
    with closing(Sweep(proc.root, crowd=3)) as sweep:
        for pid in (40, 41):
            proc.add(pid)
        before = sweep.read()
        assert sweep.descriptors == 3
        proc.add(42)

        crowded = sweep.read()

        assert pids(crowded) == [1, 40, 41, 42]
        assert sweep.descriptors == 0
        assert sweep.latest(40) is next(one for one in present(before) if one.pid == 40)
        assert sweep.read() == crowded
        shutil.rmtree(proc.path / "42")
        assert pids(sweep.read()) == [1, 40, 41]
        assert sweep.descriptors == 3


def test_close_closes_everything(proc: FakeProc) -> None:
    """And forgets what it knew."""
    sweep = Sweep(proc.root)
    sweep.read()
    sweep.close()

    assert sweep.descriptors == 0
    assert sweep.latest(1) is None
