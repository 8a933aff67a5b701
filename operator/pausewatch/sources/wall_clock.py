"""Both clocks of the node at one moment, and how often the wall clock was stepped since we look at it.

CLOCK_REALTIME may be set by anybody who has CAP_SYS_TIME; CLOCK_BOOTTIME never is (clock_gettime(2)). Where their
distance changes, the first was stepped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pausewatch.model.clock_step import LEAST_STEP_SECONDS, ClockStep, steps_with
from pausewatch.sources.procfs.boot import uptime_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One moment."""

    wall: datetime
    """UTC."""

    uptime_seconds: float
    """Boot clock."""

    steps: tuple[ClockStep, ...]
    """Of the wall clock before this moment, as far as they were seen; oldest first."""


def read_wall() -> datetime:
    """Return the wall clock's time, in UTC."""
    return datetime.now(UTC)


class WallClock:
    """Reads the clocks again and again. A step is noticed at the next reading; a restart of the program forgets it."""

    def __init__(self, wall: Callable[[], datetime] = read_wall, uptime: Callable[[], float] = uptime_seconds) -> None:
        self._wall = wall
        self._uptime = uptime
        self._last: Moment | None = None

    def read(self) -> Moment:
        """Read both clocks now."""
        wall, uptime = self._wall(), self._uptime()
        self._last = Moment(wall=wall, uptime_seconds=uptime, steps=self._steps(wall.timestamp(), uptime))
        return self._last

    def _steps(self, wall_seconds: float, uptime: float) -> tuple[ClockStep, ...]:
        last = self._last
        if last is None:
            return ()
        expected = last.wall.timestamp() + uptime - last.uptime_seconds
        seconds = wall_seconds - expected
        return last.steps if abs(seconds) < LEAST_STEP_SECONDS else steps_with(last.steps, expected, seconds)
