r"""``/proc/<pid>/status``: capabilities, and the process's numbers in the PID namespaces it is visible in.

::

    NSpid:	10759	42
    CapEff:	000001fffeffffff

``CapEff`` is a bit mask in hexadecimal (capabilities(7)). ``NSpid`` begins with the number in the PID namespace of the
mounted /proc and goes inwards to the process's own (proc_pid_status(5)). Both are readable without any capability.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from pausewatch.model.availability import Unavailable
from pausewatch.sources.procfs.errors import GONE, ProcFormatError, unavailable

_SYS_PTRACE_BIT = 19
"""CAP_SYS_PTRACE, include/uapi/linux/capability.h."""


_PIDS = re.compile(r"^NSpid:(.*)$", re.MULTILINE)
_CAPABILITIES = re.compile(r"^CapEff:(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What is needed of the file."""

    pids: tuple[int, ...]
    """From the PID namespace of the mounted /proc inwards; one number: the process is in that very namespace."""

    effective_capabilities: int
    """Bit n is capability n."""

    @property
    def may_inspect_others(self) -> bool:
        """Whether CAP_SYS_PTRACE is in effect."""
        return bool(self.effective_capabilities >> _SYS_PTRACE_BIT & 1)


def parse(text: str) -> Status:
    """Return what the content of the file says.

    Raises:
        ProcFormatError: a line is missing or is no list of numbers.
    """
    # The name stands in the first line, with newlines escaped by the kernel: it cannot forge a line.
    pids, capabilities = _PIDS.search(text), _CAPABILITIES.search(text)
    if pids is None or capabilities is None:
        raise ProcFormatError("status", text)
    try:
        return Status(
            pids=tuple(int(number) for number in pids[1].split()), effective_capabilities=int(capabilities[1], 16)
        )
    except ValueError as error:
        raise ProcFormatError("status", text) from error


def read(root: str, pid: int | str = "self") -> Status | Unavailable | None:
    """Return the status of one process; None if it is gone."""
    path = f"{root}/{pid}/status"
    try:
        # Not as text: a carriage return, which the kernel leaves in a name, would become a newline.
        return parse(Path(path).read_bytes().decode("utf-8", "surrogateescape"))
    except GONE:
        return None
    except (OSError, ProcFormatError) as error:
        return unavailable(path, error)
