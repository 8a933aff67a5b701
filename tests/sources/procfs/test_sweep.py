import json
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import groupby
from typing import Any

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.process import Process
from pausewatch.sources.procfs.sweep import MOST_DESCRIPTORS, SPARE_DESCRIPTORS, Sweep, affordable_descriptors
from sources.procfs.fake_proc import FakeProc, stat_line
from sources.procfs.living import as_nobody, environment, python, running, zombie
from support.builders import present

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


@contextmanager
def soft_limit_of_open_files(limit: int) -> Iterator[None]:
    """Let no file be opened under a number of ``limit`` or more."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def next_descriptor() -> int:
    """Return the number that the next open file gets."""
    descriptor = os.open("/dev/null", os.O_RDONLY)
    os.close(descriptor)
    return descriptor


@pytest.fixture
def lowest_free_descriptor() -> int:
    """Give the number that the next open file gets when the test begins."""
    return next_descriptor()


def pids(processes: tuple[Process, ...] | Unavailable) -> list[int]:
    """Return the numbers of the processes read."""
    assert not isinstance(processes, Unavailable), processes
    return [process.pid for process in processes]


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


@pytest.mark.parametrize(
    ("soft_limit", "affordable"),
    [(256, 256 - SPARE_DESCRIPTORS), (SPARE_DESCRIPTORS - 1, 0), (MOST_DESCRIPTORS * 2, MOST_DESCRIPTORS)],
)
def test_limit_of_open_files_decides_how_many_stay_open(soft_limit: int, affordable: int) -> None:
    """Some are left for the rest of the program; a high limit is not used up."""
    with soft_limit_of_open_files(soft_limit):
        assert affordable_descriptors() == affordable


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


def test_alone_in_a_pid_namespace() -> None:
    """A pod without hostPID sees itself, and must not take itself for the node."""
    script = "from pausewatch.sources.procfs.sweep import Sweep; print(Sweep().read().reason)"
    alone = subprocess.run(
        ["unshare", "--pid", "--fork", "--mount-proc", *python(script)],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )

    assert alone.stdout == "ProcessesHidden\n", alone.stderr


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


def test_close_closes_everything(proc: FakeProc) -> None:
    """And forgets what it knew."""
    sweep = Sweep(proc.root)
    sweep.read()
    sweep.close()

    assert sweep.descriptors == 0
    assert sweep.latest(1) is None


def test_text_stays_the_same_object_while_it_does_not_change(proc: FakeProc) -> None:
    """So that others need not parse it again."""
    with closing(Sweep(proc.root)) as sweep:
        sweep.read()
        before = sweep.raw(1)
        sweep.read()

        assert before == stat_line(1, name=b"init", parent=0)
        assert sweep.raw(1) is before
        assert sweep.raw(99) is None


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
