from datetime import UTC, datetime, timedelta

import pytest

from pausewatch.sources.wall_clock import WallClock

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Clocks:
    """Two clocks that are set by hand."""

    def __init__(self) -> None:
        self.wall = NOON
        self.uptime = 1000.0
        self.read = WallClock(lambda: self.wall, lambda: self.uptime).read

    def go_on(self, seconds: float, step_seconds: float = 0) -> None:
        """Let time pass, and step the wall clock."""
        self.uptime += seconds
        self.wall += timedelta(seconds=seconds + step_seconds)


def test_clock_that_runs_is_not_stepped() -> None:
    """Nor one that is slewed."""
    clocks = Clocks()
    for _ in range(5):
        clocks.go_on(30, step_seconds=0.015)
        assert clocks.read().steps == ()


@pytest.mark.parametrize("step_seconds", [60.0, 5 * 3600.0])
def test_step_forward_is_noticed_at_the_next_reading(step_seconds: float) -> None:
    """With the latest time that was told before it; it is remembered."""
    clocks = Clocks()
    clocks.read()
    clocks.go_on(30, step_seconds)

    (step,) = clocks.read().steps
    clocks.go_on(30)

    assert step.forward_seconds == pytest.approx(step_seconds)
    assert step.until_unix_seconds == NOON.timestamp() + 30
    assert clocks.read().steps == (step,)


def test_step_back_is_none_forward() -> None:
    """It undoes one."""
    clocks = Clocks()
    clocks.read()
    clocks.go_on(30, -3600)
    assert clocks.read().steps == ()
    clocks.go_on(30, 7200)
    assert len(clocks.read().steps) == 1
    clocks.go_on(30, -7200)
    assert clocks.read().steps == ()


def test_suspended_time_is_no_step() -> None:
    """Both clocks count it."""
    clocks = Clocks()
    clocks.read()
    clocks.go_on(36_000)

    assert clocks.read().steps == ()


def test_clocks_of_this_machine() -> None:
    """Read twice in a moment."""
    clock = WallClock()
    first, second = clock.read(), clock.read()

    assert second.steps == ()
    assert second.uptime_seconds >= first.uptime_seconds
    assert abs((datetime.now(UTC) - second.wall).total_seconds()) < 60
