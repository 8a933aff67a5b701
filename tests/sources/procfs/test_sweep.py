import json
import os
import subprocess
from contextlib import closing

import pytest

from pausewatch.sources.procfs.sweep import Sweep
from sources.procfs.fake_proc import FakeProc, stat_line
from sources.procfs.living import environment, python, running, zombie
from sources.procfs.swept import pids

REUSE_OF_A_NUMBER = """
import json, os
from pathlib import Path
from pausewatch.sources.procfs.sweep import Sweep

def child_with_number(pid):
    Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
    child = os.fork()
    if not child:
        os.read(reading, 1)
        os._exit(0)
    assert child == pid
    return child

reading, writing = os.pipe()
parent = os.fork()  # a second process, so that the sweep sees more than itself
if not parent:
    os.read(reading, 1)
    os._exit(0)
for most_descriptors in (100, 0):
    sweep = Sweep(most_descriptors=most_descriptors)
    starts = []
    ticks = os.sysconf("SC_CLK_TCK")
    for _ in range(2):
        child = child_with_number(300)
        assert sweep.read()
        starts.append(sweep.latest(300).identity.start_ticks)
        os.kill(child, 9)
        os.waitpid(child, 0)
        born = starts[-1]
        while int(Path("/proc/uptime").read_text().split()[0].replace(".", "")) * ticks // 100 <= born + 1:
            pass  # two processes of one number and one tick would be one identity to everybody
    print(json.dumps(starts))
os.kill(parent, 9)
os.waitpid(parent, 0)
"""


def test_every_process_in_the_order_of_pids(proc: FakeProc) -> None:
    """Other entries of /proc are no processes."""
    for pid in (1000, 42, 7):
        proc.add(pid)
    (proc.path / "sys").mkdir()
    (proc.path / "uptime").touch()

    with closing(Sweep(proc.root)) as sweep:
        assert pids(sweep.read()) == [1, 7, 42, 1000]


@pytest.mark.parametrize("most_descriptors", [0, 1, 100])
def test_process_that_did_not_change_is_the_same_object(proc: FakeProc, most_descriptors: int) -> None:
    """Also when only counters changed that nobody asks for."""
    proc.add(42)
    with closing(Sweep(proc.root, most_descriptors=most_descriptors)) as sweep:
        sweep.read()
        before = sweep.latest(42)
        proc.add(42, stat_line(42).replace(b" 12 4 0 0 ", b" 99 9 0 0 "))
        sweep.read()

        assert sweep.latest(42) is before


@pytest.mark.parametrize("most_descriptors", [0, 1, 100])
def test_process_that_changed_is_read_anew(proc: FakeProc, most_descriptors: int) -> None:
    """Kept file or not, the present text counts."""
    proc.add(42)
    with closing(Sweep(proc.root, most_descriptors=most_descriptors)) as sweep:
        sweep.read()
        proc.add(42, stat_line(42, state="Z", parent=7))
        sweep.read()

        changed = sweep.latest(42)
        assert changed is not None
        assert (changed.state, changed.parent_pid) == ("Z", 7)


@pytest.mark.parametrize("known_before", [False, True])
def test_process_that_ends_between_listing_and_opening(proc: FakeProc, known_before: bool) -> None:  # noqa: FBT001
    """The others are read all the same."""
    proc.add(42)
    proc.add(43)
    with closing(Sweep(proc.root, most_descriptors=0)) as sweep:
        if known_before:
            sweep.read()
        proc.unlink("42/stat")

        assert pids(sweep.read()) == [1, 43]
        assert sweep.latest(42) is None


def test_kept_file_of_a_reaped_process_ends_quietly() -> None:
    """Reading it fails with ESRCH; the process is gone, the scan goes on."""
    with closing(Sweep()) as sweep:
        with running("sh", "-c", "echo ready; exec cat") as program:
            assert program.pid in pids(sweep.read())
            kept = sweep.descriptors
        after = pids(sweep.read())

    assert program.pid not in after
    assert os.getpid() in after
    assert kept > 0


def test_zombie_is_seen_on_a_file_that_was_opened_before_its_death() -> None:
    """Death changes the text behind an open file."""
    with closing(Sweep()) as sweep, zombie() as pid:
        sweep.read()
        process = sweep.latest(pid)

    assert process is not None
    assert process.is_zombie


@pytest.mark.parametrize("most_descriptors", [0, 100_000])
def test_thousands_of_short_lives(most_descriptors: int) -> None:
    """Processes that start and end all the time never abort a scan, and leave no file open."""
    with (
        closing(Sweep(most_descriptors=most_descriptors)) as sweep,
        running("sh", "-c", "echo ready; while :; do /bin/true & /bin/true; done") as program,
    ):
        for _ in range(300):
            processes = pids(sweep.read())
            assert program.pid in processes
            assert sweep.descriptors == min(len(processes), most_descriptors)


def test_number_given_to_another_process_is_another_identity() -> None:
    """In the same scan, with the file of the first owner still open, and without one."""
    reuse = subprocess.run(
        ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", *python(REUSE_OF_A_NUMBER)],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )

    assert reuse.returncode == 0, f"{reuse.stderr}; the tests need root"
    for line in reuse.stdout.splitlines():
        first, second = json.loads(line)
        assert first < second
    assert len(reuse.stdout.splitlines()) == 2


def test_text_stays_the_same_object_while_it_does_not_change(proc: FakeProc) -> None:
    """So that others need not parse it again."""
    with closing(Sweep(proc.root)) as sweep:
        sweep.read()
        before = sweep.raw(1)
        sweep.read()

        assert before == stat_line(1, name=b"init", parent=0)
        assert sweep.raw(1) is before
        assert sweep.raw(99) is None
