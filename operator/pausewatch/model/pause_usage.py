"""What a pause uses: next to nothing, or it is no pause."""

from dataclasses import dataclass

from pausewatch.model.process import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseUsage:
    """The pause of one sandbox at one instant."""

    sandbox_id: str
    identity: Identity
    resident_bytes: int
    cpu_seconds: float
    """Of user and system time, since it started."""

    program: str
    """The last component of ``/proc/<pid>/exe``, escaped; empty if it could not be read."""

    cpu_percent: float = 0
    """Of one CPU: over its whole life where it is seen for the first time, and over the last seconds from then on."""
