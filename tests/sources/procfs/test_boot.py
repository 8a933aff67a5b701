import time
import uuid
from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.sources.procfs import boot
from pausewatch.sources.procfs.errors import ProcFormatError


def test_boot_id_is_a_uuid() -> None:
    """The line break is not part of it."""
    text = "f7a3c5de-61a4-4fd1-9a2e-2d9d3c5b6a01"

    assert boot.parse_boot_id(f"{text}\n") == text


@pytest.mark.parametrize("text", ["", "\n", "f7a3c5de", "\ufffd" * 36])
def test_other_text_is_an_error(text: str) -> None:
    """An id that is cut would make two boots look alike."""
    with pytest.raises(ProcFormatError):
        boot.parse_boot_id(text)


def test_running_boot() -> None:
    """It is the same each time it is asked for."""
    first = boot.read_boot_id()

    assert isinstance(first, str)
    assert uuid.UUID(first)
    assert boot.read_boot_id() == first


def test_proc_without_a_boot_id(tmp_path: Path) -> None:
    """A /proc that shows processes only has none."""
    found = boot.read_boot_id(str(tmp_path))

    assert isinstance(found, Unavailable)
    assert "boot_id" in found.detail


def test_uptime_is_the_boot_clock() -> None:
    """Never behind the monotonic clock, which stops while the machine sleeps."""
    assert boot.uptime_seconds() >= time.monotonic() - 1
