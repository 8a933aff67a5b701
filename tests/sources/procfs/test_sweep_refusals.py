"""A node that can not be told from what is listed: all or nothing."""

import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, closing

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.sources.procfs.sweep import Sweep
from sources.procfs.fake_proc import FakeProc
from sources.procfs.living import as_nobody
from sources.procfs.swept import pids


def test_folder_that_is_no_proc(proc: FakeProc) -> None:
    """Neither a missing folder nor one without process 1 is an empty node."""
    missing, other = Sweep(f"{proc.root}/nowhere").read(), Sweep(f"{proc.root}/1").read()

    assert isinstance(missing, Unavailable)
    assert isinstance(other, Unavailable)
    assert (missing.reason, other.reason) == ("ProcUnreadable", "ProcessesHidden")
    assert "nowhere" in missing.detail


def test_one_unknown_file_makes_the_list_unavailable(proc: FakeProc) -> None:
    """A list without that process would make it look gone."""
    proc.add(42, b"?")
    with closing(Sweep(proc.root)) as sweep:
        found = sweep.read()

        assert isinstance(found, Unavailable)
        assert found.reason == "ProcFormatUnknown"
        assert sweep.descriptors == 1


def test_recovers_when_the_cause_is_gone(proc: FakeProc) -> None:
    """One bad scan leaves nothing behind."""
    proc.add(42, b"?")
    with closing(Sweep(proc.root)) as sweep:
        sweep.read()
        proc.add(42)

        assert pids(sweep.read()) == [1, 42]


@pytest.mark.parametrize(
    ("options", "reason"), [("hidepid=2", "ProcessesHidden"), ("hidepid=1", "PermissionDenied"), ("hidepid=0", None)]
)
def test_hidden_processes(
    mounted_proc: Callable[[str], AbstractContextManager[str]], options: str, reason: str | None
) -> None:
    """A list of our own processes only is not the node's; as root everything is seen all the same."""
    with mounted_proc(options) as root:
        with closing(Sweep(root)) as sweep:
            ours = sweep.read()
        theirs = as_nobody(Sweep(root).read)

    assert os.getpid() in pids(ours)
    assert (theirs.reason if isinstance(theirs, Unavailable) else None) == reason


def test_more_processes_than_memory_is_there_for(proc: FakeProc) -> None:
    """None is read and nothing is kept, until there are fewer again: a killed agent would tell nobody."""
    sweep = Sweep(proc.root, most_processes=3)
    for pid in (40, 41):
        proc.add(pid)
    assert pids(sweep.read()) == [1, 40, 41]
    proc.add(42)

    too_many = sweep.read()

    assert isinstance(too_many, Unavailable)
    assert (too_many.reason, sweep.descriptors, sweep.latest(40)) == ("TooManyProcesses", 0, None)
    shutil.rmtree(proc.path / "42")
    with closing(sweep):
        assert pids(sweep.read()) == [1, 40, 41]
