"""How old something is, whatever was done to the clock. In a virtual machine: tests/e2e/test_vm_node.py."""

import pytest

from pausewatch.model.clock_step import MOST_STEPS, ClockStep, seconds_between, steps_with
from support.builders import a_snapshot
from support.parts import TAKEN_AT, UPTIME_SECONDS

NOON = 1_700_000_000.0
HOUR = 3600.0


def test_without_a_step_it_is_the_distance() -> None:
    """Of two time stamps."""
    assert seconds_between(NOON, NOON + 30, ()) == 30


def test_what_was_made_before_the_clock_was_set_forward() -> None:
    """Is as old as it was, and not hours older; what was made after it is as old as it looks."""
    steps = steps_with((), NOON + 10, 5 * HOUR)
    now = NOON + 10 + 5 * HOUR + 60

    assert seconds_between(NOON, now, steps) == 70
    assert seconds_between(now - 20, now, steps) == 20


def test_each_of_several_steps_counts_for_what_is_older() -> None:
    """Made before both, between them, after them."""
    steps = steps_with((), NOON, HOUR)
    steps = steps_with(steps, NOON + HOUR + 100, HOUR)
    now = NOON + 2 * HOUR + 200

    assert [seconds_between(made, now, steps) for made in (NOON, NOON + HOUR + 50, now - 5)] == [200, 150, 5]


@pytest.mark.parametrize(("back", "left"), [(5 * HOUR, []), (2 * HOUR, [3 * HOUR]), (9 * HOUR, []), (5 * HOUR - 1, [])])
def test_clock_that_is_set_back_again(back: float, left: list[float]) -> None:
    """What was too much before is taken away: time stamps of before the first step are right again."""
    steps = steps_with(steps_with((), NOON, 5 * HOUR), NOON + 5 * HOUR + 10, -back)

    assert [step.forward_seconds for step in steps] == left


def test_step_back_takes_several_forward_ones_away() -> None:
    """The newest first."""
    steps: tuple[ClockStep, ...] = ()
    for _ in range(3):
        steps = steps_with(steps, NOON, HOUR)

    assert [step.forward_seconds for step in steps_with(steps, NOON, -1.5 * HOUR)] == [HOUR, HOUR / 2]


def test_what_was_made_before_the_clock_was_set_back_is_younger_than_it_looks() -> None:
    """Found late, and never too early."""
    assert seconds_between(NOON, NOON - HOUR, steps_with((), NOON, -HOUR)) == -HOUR


def test_memory_is_bounded() -> None:
    """A clock that jumps all the time tells no age."""
    steps: tuple[ClockStep, ...] = ()
    for number in range(3 * MOST_STEPS):
        steps = steps_with(steps, NOON + number, HOUR)

    assert len(steps) == MOST_STEPS
    assert steps[-1].until_unix_seconds == NOON + 3 * MOST_STEPS - 1


def test_age_in_a_snapshot() -> None:
    """Without the step, and at most since boot: a machine may learn the time after its start."""
    now = TAKEN_AT.timestamp()
    steps = (ClockStep(until_unix_seconds=now - 5 * HOUR - 30, forward_seconds=5 * HOUR),)

    assert a_snapshot(clock_steps=steps).age_seconds(now - 5 * HOUR - 60) == 60
    assert a_snapshot().age_seconds(now - 5 * HOUR - 60) == 5 * HOUR + 60
    assert a_snapshot().age_seconds(0) == UPTIME_SECONDS
