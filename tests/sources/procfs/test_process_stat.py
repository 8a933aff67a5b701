import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pausewatch.model.availability import Unavailable
from pausewatch.model.process import Identity, Process
from pausewatch.sources.procfs import process_stat
from pausewatch.sources.procfs.errors import ProcFormatError
from sources.procfs.fake_proc import FakeProc, stat_line
from sources.procfs.living import A_LEADER_THAT_EXITED, as_nobody, python, running, zombie

SLEEP = Process(
    identity=Identity(pid=42, start_ticks=1000),
    parent_pid=1,
    name="sleep",
    state="S",
    threads=1,
    kernel_thread=False,
)


def test_line_of_the_kernel() -> None:
    """A whole line as Linux 6.18 writes it."""
    line = (
        b"4121 (olake-server) S 4098 4121 4121 0 -1 4194560 8125 0 0 0 12 4 0 0 20 0 9 0 881234 1277952000 6031"
        b" 18446744073709551615 4198400 8345677 140727 0 0 0 0 0 2143420159 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
    )

    assert process_stat.parse(line) == Process(
        identity=Identity(pid=4121, start_ticks=881234),
        parent_pid=4098,
        name="olake-server",
        state="S",
        threads=9,
        kernel_thread=False,
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"", ""),
        (b"tmux: server", "tmux: server"),
        (b"a) Z 1 (b", "a) Z 1 (b"),
        (b")" * 15, ")" * 15),
        (b"a\nb", "a\\nb"),
        (b"\x1b[31mred", "\\x1b[31mred"),
        (b"caf\xc3\xa9", "caf\u00e9"),
        (b"cut\xc3", "cut\\xc3"),
        (b"a\\b", "a\\\\b"),
    ],
)
def test_name_is_escaped_and_never_read_as_fields(name: bytes, shown: str) -> None:
    """A process writes its own name and may imitate the rest of the line."""
    assert process_stat.parse(stat_line(42, name=name)) == replace(SLEEP, name=shown)


@given(
    name=st.binary(max_size=64),
    pid=st.integers(1, 2**22),
    parent=st.integers(0, 2**22),
    state=st.sampled_from("RSDZTtXI"),
    start_ticks=st.integers(0, 2**64 - 1),
)
def test_no_name_disturbs_the_numbers(name: bytes, pid: int, parent: int, state: str, start_ticks: int) -> None:
    """Whatever bytes a name has, number, state, parent and start time are read as they were written."""
    process = process_stat.parse(stat_line(pid, name=name, parent=parent, state=state, start_ticks=start_ticks))

    assert process.identity == Identity(pid=pid, start_ticks=start_ticks)
    assert (process.parent_pid, process.state) == (parent, state)
    assert process.name.isprintable()


@given(st.binary())
def test_other_text_gives_one_kind_of_error(raw: bytes) -> None:
    """A file of unknown form is one error type, never an IndexError."""
    with pytest.raises(ProcFormatError):
        process_stat.parse(raw)


@pytest.mark.parametrize("length", [0, 1, 5, 12, 40, 60])
def test_cut_line_is_an_error(length: int) -> None:
    """Half a line must not give half a process."""
    with pytest.raises(ProcFormatError) as caught:
        process_stat.parse(stat_line(42)[:length])

    assert caught.value.file == "stat"


def test_kernel_thread_is_told_by_its_flag() -> None:
    """Neither parent nor name tells: a program may call itself kworker."""
    assert process_stat.parse(stat_line(2, flags=0x0020_8040)).kernel_thread
    assert not process_stat.parse(stat_line(42, name=b"kworker/0:1")).kernel_thread


def test_longest_line_is_read_as_far_as_needed(proc: FakeProc) -> None:
    """20 digits in each number, and a kernel worker's name of 64 bytes."""
    numbers = " ".join([str(2**64 - 1)] * 49)
    proc.add(42, b"42 (%s) S %s\n" % (b"w" * 64, numbers.encode()))

    read = process_stat.read(proc.root, 42)

    assert isinstance(read, Process)
    assert read.identity.start_ticks == 2**64 - 1


def test_own_process() -> None:
    """The file of a living process."""
    read = process_stat.read("/proc", os.getpid())

    assert isinstance(read, Process)
    assert (read.pid, read.parent_pid) == (os.getpid(), os.getppid())
    assert not read.is_zombie


def test_zombie_of_the_kernel() -> None:
    """A child that is not waited for."""
    with zombie() as pid:
        read = process_stat.read("/proc", pid)

    assert isinstance(read, Process)
    assert read.is_zombie
    assert read.parent_pid == os.getpid()


def test_leader_that_exited_before_its_threads_is_no_zombie() -> None:
    """It shows Z, while its program lives on."""
    with running(*python(A_LEADER_THAT_EXITED)) as program:
        read = process_stat.read("/proc", program.pid)

    assert isinstance(read, Process)
    assert (read.state, read.threads) == ("Z", 2)
    assert not read.is_zombie


def test_process_that_is_gone(proc: FakeProc) -> None:
    """Ending between two reads is ordinary life."""
    assert process_stat.read(proc.root, 42) is None


def test_denied_and_unknown_files_are_told_apart(proc: FakeProc) -> None:
    """Neither of them is a process that is gone."""
    proc.add(42, b"?")
    proc.add(43)
    (proc.path / "43" / "stat").chmod(0o400)

    unknown, denied = as_nobody(lambda: (process_stat.read(proc.root, 42), process_stat.read(proc.root, 43)))

    assert isinstance(unknown, Unavailable)
    assert isinstance(denied, Unavailable)
    assert (unknown.reason, denied.reason) == ("ProcFormatUnknown", "PermissionDenied")


def test_usage() -> None:
    """User and system time in hundredths of a second, and pages."""
    line = stat_line(42, name=b"a) (b")

    assert process_stat.parse_usage(line) == process_stat.Usage(cpu_seconds=0.16, resident_pages=215)


@pytest.mark.parametrize("line", [b"", b"42 (pause) S 1 1 1 0", b"42 (pause) " + b"x " * 30])
def test_usage_of_another_format(line: bytes) -> None:
    """Nothing is guessed."""
    with pytest.raises(ProcFormatError):
        process_stat.parse_usage(line)
