"""The ways in which a read below /proc fails, and what each of them means.

A process may end between any two reads. The kernel then answers ENOENT (the path is not there any more) or ESRCH (a
file that was open before); neither says anything about the node, so readers return None: gone.
"""

from pausewatch.model.availability import PERMISSION_DENIED, Unavailable
from pausewatch.model.text import printable

GONE = (FileNotFoundError, ProcessLookupError)
"""ENOENT and ESRCH: the process ended, or (for most of its files) is a zombie."""

_LONGEST_QUOTE = 80


class ProcFormatError(ValueError):
    """A file of /proc does not look as its documentation says."""

    def __init__(self, file: str, raw: bytes | str) -> None:
        """Quote the beginning of ``raw``, the text that could not be understood, escaped."""
        self.file = file
        self.raw = printable(raw, _LONGEST_QUOTE)
        super().__init__(f'cannot understand "{self.raw}" as the content of {file}')


def unavailable(path: str, error: OSError | ProcFormatError) -> Unavailable:
    """Return what an error that does not mean "gone" stands for."""
    if isinstance(error, ProcFormatError):
        return Unavailable(
            reason="ProcFormatUnknown",
            detail=f"{path}: {error}",
            remedy="report it with the kernel's version (uname -r)",
        )
    if isinstance(error, PermissionError):
        return Unavailable(
            reason=PERMISSION_DENIED,
            detail=f"{path} may not be read: {error.strerror}",
            remedy="run as root with CAP_SYS_PTRACE, with AppArmor unconfined and /proc mounted without hidepid",
        )
    return Unavailable(
        reason="ProcUnreadable",
        detail=f"{path} cannot be read: {error.strerror}",
        remedy="mount /proc and look at the limit of open files (ulimit -n)",
    )
