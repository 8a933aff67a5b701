"""How fast the zombies of one container grow in number."""

import pytest

from pausewatch.model.zombie_growth import (
    MOST_COUNTS,
    ZombieCount,
    growth_text,
    steady_growth_per_hour,
    with_count,
)


def counts(*numbers: int, apart: float = 60) -> tuple[ZombieCount, ...]:
    """Return counts a minute apart."""
    return tuple(
        ZombieCount(uptime_seconds=1000 + apart * index, zombies=number) for index, number in enumerate(numbers)
    )


@pytest.mark.parametrize(
    ("numbers", "per_hour"),
    [
        ((0, 10, 20, 30, 40), 600),
        ((1, 7, 13, 20, 25, 32), 372),
        ((50, 50, 50, 50, 50), 0),
        ((0, 10, 20, 30), None),
        ((0, 0, 0, 0, 50), None),
        ((0, 20, 40, 41, 42), None),
        ((0, 10, 20, 15, 40), None),
        ((), None),
    ],
    ids=["steady", "nearly steady", "standing", "too few", "a burst", "ebbing away", "some were reaped", "unknown"],
)
def test_only_a_steady_pace_is_one(numbers: tuple[int, ...], per_hour: float | None) -> None:
    """A forecast from anything else would be invented."""
    assert steady_growth_per_hour(counts(*numbers)) == per_hour


def test_counts_are_a_minute_apart() -> None:
    """Scans come more often; a pace needs minutes."""
    first = counts(10)

    assert with_count(first, ZombieCount(uptime_seconds=1059.9, zombies=11)) == first
    assert with_count(first, ZombieCount(uptime_seconds=1060, zombies=11)) == counts(10, 11)


def test_old_counts_are_forgotten() -> None:
    """Memory stays bounded, and a new pace is believed soon."""
    kept: tuple[ZombieCount, ...] = ()
    for count in counts(*range(100)):
        kept = with_count(kept, count)

    assert [one.zombies for one in kept] == list(range(100 - MOST_COUNTS, 100))


@pytest.mark.parametrize(
    ("paces", "text"),
    [
        ((0, 0.4), "none"),
        ((1, 1.9), "1+ more an hour"),
        ((54, 60, 66), "50+ more an hour"),
        ((354, 360, 366), "200+ more an hour"),
        ((594, 600, 606), "500+ more an hour"),
        ((5473,), "5,000+ more an hour"),
    ],
)
def test_pace_is_told_coarsely(paces: tuple[float, ...], text: str) -> None:
    """So that stored text does not change when one more or one less was counted."""
    assert {growth_text(pace) for pace in paces} == {text}
