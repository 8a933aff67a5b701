import errno
import os

import pytest

from pausewatch.sources.procfs.errors import ProcFormatError, unavailable


def test_format_error_quotes_the_text_shortened_and_escaped() -> None:
    """Text of a process must neither flood a log nor steer a terminal."""
    error = ProcFormatError("stat", b"\x1b[2J" + b"x" * 5000)

    assert error.raw.startswith("\\x1b[2J")
    assert len(error.raw) <= 80
    assert "stat" in str(error)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EACCES, "PermissionDenied"),
        (errno.EPERM, "PermissionDenied"),
        (errno.EMFILE, "ProcUnreadable"),
        (errno.EIO, "ProcUnreadable"),
    ],
)
def test_error_becomes_a_reason_with_subject_cause_and_remedy(number: int, reason: str) -> None:
    """Only want of permission is called so: it is what people act on."""
    found = unavailable("/proc/7/stat", OSError(number, os.strerror(number)))

    assert found.reason == reason
    assert "/proc/7/stat" in found.detail
    assert os.strerror(number) in found.detail
    assert found.remedy


def test_unknown_format_has_a_reason_of_its_own() -> None:
    """A kernel that writes something else is neither broken nor secretive."""
    assert unavailable("/proc/7/stat", ProcFormatError("stat", b"?")).reason == "ProcFormatUnknown"
