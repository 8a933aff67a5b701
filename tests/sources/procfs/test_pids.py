import subprocess

from pausewatch.model.availability import Unavailable
from pausewatch.sources.procfs.pids import listed_pids
from sources.procfs.fake_proc import FakeProc
from sources.procfs.living import environment, python


def test_alone_in_a_pid_namespace() -> None:
    """A pod without hostPID sees itself, and must not take itself for the node."""
    script = "from pausewatch.sources.procfs.pids import listed_pids; print(listed_pids('/proc').reason)"
    alone = subprocess.run(
        ["unshare", "--pid", "--fork", "--mount-proc", *python(script)],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )

    assert alone.stdout == "ProcessesHidden\n", alone.stderr


def test_every_number_in_order(proc: FakeProc) -> None:
    """Other entries of /proc are no processes; names are ordered otherwise than numbers."""
    for pid in (100, 42, 9):
        proc.add(pid)

    assert listed_pids(proc.root) == [1, 9, 42, 100]


def test_list_without_process_1_is_filtered(proc: FakeProc) -> None:
    """Every PID namespace has one."""
    hidden = listed_pids(f"{proc.root}/1")

    assert isinstance(hidden, Unavailable)
    assert hidden.reason == "ProcessesHidden"
