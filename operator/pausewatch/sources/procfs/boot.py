"""``/proc/sys/kernel/random/boot_id`` and the boot clock: which boot this is, and how long ago it began.

::

    f7a3c5de-61a4-4fd1-9a2e-2d9d3c5b6a01

The kernel makes the id up once per boot (random(4)). The clock is CLOCK_BOOTTIME (clock_gettime(2)): seconds since
boot, suspended time included, never stepped. The start time of a process counts on it too, in ticks of 1/100 s.
"""

import time
import uuid
from pathlib import Path

from pausewatch.model.availability import Unavailable
from pausewatch.sources.procfs.errors import ProcFormatError, unavailable


def parse_boot_id(text: str) -> str:
    """Return the id in its canonical form.

    Raises:
        ProcFormatError: it is not a UUID.
    """
    try:
        return str(uuid.UUID(text.strip()))
    except ValueError as error:
        raise ProcFormatError("boot_id", text) from error


def read_boot_id(root: str = "/proc") -> str | Unavailable:
    """Return the id of the running boot. A /proc mounted with ``subset=pid`` has none."""
    path = f"{root}/sys/kernel/random/boot_id"
    try:
        return parse_boot_id(Path(path).read_text(encoding="ascii", errors="replace"))
    except (OSError, ProcFormatError) as error:
        return unavailable(path, error)


def uptime_seconds() -> float:
    """Return the seconds since boot: the one clock for durations."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
