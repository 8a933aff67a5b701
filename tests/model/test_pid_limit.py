"""How many tasks may be, and when that is reached."""

from datetime import UTC, datetime

import pytest

from pausewatch.model.pid_limit import PidLimit, reached_about

NOW = datetime(2026, 11, 21, 9, 14, 3, tzinfo=UTC)


def a_limit(tasks: int, most_tasks: int = 1000, directory: str = "/sys/fs/cgroup/kubepods") -> PidLimit:
    """Return the bound of a cgroup."""
    return PidLimit(directory=directory, owner_ids=(), tasks=tasks, most_tasks=most_tasks)


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (1, "09:15Z"),
        (0.1, "09:15Z"),
        (21, "09:35Z"),
        (22, "09:35Z"),
        (90, "10:30Z"),
        (170, "12:00Z"),
        (600, "18:00Z"),
        (1000, "2026-11-22 03:00Z"),
        (1439, "2026-11-22 09:00Z"),
        (1441, ""),
    ],
)
def test_the_nearer_the_finer(minutes: float, text: str) -> None:
    """True when it is read later, always in the future, and not farther than a pace is kept."""
    assert reached_about(a_limit(900), 100 / (minutes / 60), NOW) == text


@pytest.mark.parametrize(("tasks", "growth"), [(900, 0), (900, -5), (1000, 60), (1200, 60)])
def test_nothing_to_foretell(tasks: int, growth: float) -> None:
    """It does not grow, or has happened."""
    assert reached_about(a_limit(tasks), growth, NOW) == ""


def test_what_is_left() -> None:
    """A bound may be lowered below what there is, even to nothing."""
    assert [a_limit(tasks).free_tasks for tasks in (900, 1000, 1200)] == [100, 0, 0]
    assert [a_limit(tasks).used_share for tasks in (900, 1200)] == [0.9, 1.2]
    assert a_limit(3, most_tasks=0).used_share == 1


@pytest.mark.parametrize(("tasks", "percent"), [(0, 0), (99, 0), (100, 10), (899, 80), (999, 90), (1203, 120)])
def test_use_is_told_coarsely(tasks: int, percent: int) -> None:
    """So that stored text rarely changes."""
    assert a_limit(tasks).used_tens_of_percent == percent


def test_is_named_as_the_kernel_names_it() -> None:
    """So that people find it."""
    assert str(a_limit(1)) == "pids.max 1,000"
    assert str(a_limit(1, directory="")) == "min(kernel.pid_max, kernel.threads-max) 1,000"
    assert [a_limit(1, directory=directory).is_of_the_machine for directory in ("", "/sys")] == [True, False]
