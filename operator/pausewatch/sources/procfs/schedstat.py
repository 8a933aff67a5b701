"""``/proc/<pid>/schedstat``: how much the first thread of a process has run.

::

    21116440 1325465 45

Nanoseconds on a CPU, nanoseconds waiting for one, how often it was given one (Documentation/scheduler/sched-stats.rst).
No permission is needed. A kernel built without CONFIG_SCHED_INFO has no such file; one that does not count writes
zeros. Both mean that nothing is known.
"""

import os
from typing import Self

_TEXT_BYTES = 64
"""Three numbers of at most 20 digits, and a newline."""

_NOT_COUNTED = b"0 0 "
"""How the text begins where the kernel does not count: every process that can be read has run."""


class RunWatch:
    """Tells whether one process has run since it was last asked: one kept descriptor, one pread.

    As an open ``stat`` does, the file belongs to one process for ever, whoever gets its number.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._text = b""

    @classmethod
    def open(cls, root: str, pid: int) -> Self | None:
        """Begin to watch a process; None where the kernel does not count, or no file may be opened.

        What is lost then is time: whoever asks has to take the process for one that ran.
        """
        try:
            return cls(os.open(f"{root}/{pid}/schedstat", os.O_RDONLY))
        except OSError:
            return None

    def may_have_run(self) -> bool:
        """Whether the first thread may have run between the call before and this one; True the first time.

        The number of times it was given a CPU grows with every wake-up. Only of a thread that is on a CPU at both
        calls, without having left it, may all three numbers be old: its state is R then, which is for the caller to
        look at.
        """
        before = self._text
        try:
            self._text = os.pread(self._descriptor, _TEXT_BYTES, 0)
        except OSError:
            # Reaped, and nothing more will be known of it, or the kernel had no memory for the answer just now. Whoever
            # asks reads the process itself then, and learns which.
            self._text = b""
        return self._text != before or not before or before.startswith(_NOT_COUNTED)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
