import os
from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.sources.procfs import status
from pausewatch.sources.procfs.errors import ProcFormatError
from sources.procfs.fake_proc import FakeProc
from sources.procfs.living import as_nobody, running


def test_file_of_the_kernel() -> None:
    """Numbers from the outside in, capabilities as bits."""
    text = "Name:\tsh\nState:\tS (sleeping)\nNSpid:\t10759\t42\nCapEff:\t0000000000080000\n"

    read = status.parse(text)

    assert read.pids == (10759, 42)
    assert read.may_inspect_others


def test_capability_is_the_right_bit() -> None:
    """Every other capability together does not do."""
    text = f"NSpid:\t1\nCapEff:\t{0x1FFFFFFFFFF & ~(1 << 19):016x}\n"

    assert not status.parse(text).may_inspect_others


@pytest.mark.parametrize(
    "text", ["", "NSpid:\t1\n", "CapEff:\t0\n", "NSpid:\tx\nCapEff:\t0\n", "NSpid:\t1\nCapEff:\tg\n"]
)
def test_other_text_is_an_error(text: str) -> None:
    """What is not there is not guessed."""
    with pytest.raises(ProcFormatError):
        status.parse(text)


def test_own_status_as_root_and_as_an_ordinary_user() -> None:
    """Root may inspect others, nobody may not."""
    root, nobody = status.read("/proc"), as_nobody(lambda: status.read("/proc"))

    assert isinstance(root, status.Status)
    assert isinstance(nobody, status.Status)
    assert root.pids == (os.getpid(),)
    assert root.may_inspect_others
    assert not nobody.may_inspect_others


def test_process_in_a_pid_namespace_below_ours() -> None:
    """It has a second number there."""
    with running("unshare", "--pid", "--fork", "--kill-child", "sh", "-c", "echo ready; exec cat") as program:
        child = int(Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text(encoding="ascii"))
        read = status.read("/proc", child)

    assert isinstance(read, status.Status)
    assert read.pids == (child, 1)


def test_name_forges_no_line(proc: FakeProc) -> None:
    """The kernel escapes a newline in it, and leaves a carriage return as it is."""
    proc.add(42)
    content = b"Name:\tx\rNSpid:\t1 2\rCapEff:\t0\nNSpid:\t42\nCapEff:\t0000000000080000\n"
    (proc.path / "42/status").write_bytes(content)

    read = status.read(proc.root, 42)

    assert isinstance(read, status.Status)
    assert read.pids == (42,)
    assert read.may_inspect_others


def test_gone_and_unknown(proc: FakeProc) -> None:
    """None is gone; a file of another form says so."""
    proc.add(42)
    (proc.path / "42/status").write_text("?")

    unknown = status.read(proc.root, 42)

    assert status.read(proc.root, 43) is None
    assert isinstance(unknown, Unavailable)
    assert unknown.reason == "ProcFormatUnknown"
