"""How fast the zombies of one container grow in number, told from a few earlier counts."""

from collections.abc import Mapping
from dataclasses import dataclass

SECONDS_BETWEEN_COUNTS = 60
MOST_COUNTS = 21
"""Kept of one container: twenty minutes, in which a beat of one a minute is told to a tenth, and after which a new pace
is believed."""

LEAST_COUNTS = 5
"""Of four minutes, before anything is said about a pace: less would make a burst look like one."""

MOST_UNEVEN = 2
"""How many times the growth of one half may be that of the other for a pace to be called steady."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZombieCount:
    """How many zombies there were at one moment."""

    uptime_seconds: float
    """By the boot clock."""

    zombies: int


Counts = Mapping[str, tuple[ZombieCount, ...]]
"""Earlier counts, oldest first, by the CRI id of who holds the zombies; empty for the node's own."""


def with_count(counts: tuple[ZombieCount, ...], now: ZombieCount) -> tuple[ZombieCount, ...]:
    """Return the counts with one more, if enough time has passed, and without those that are too old to tell."""
    if counts and now.uptime_seconds - counts[-1].uptime_seconds < SECONDS_BETWEEN_COUNTS:
        return counts
    return (*counts, now)[-MOST_COUNTS:]


def steady_growth_per_hour(counts: tuple[ZombieCount, ...]) -> float | None:
    """Return by how many zombies an hour the number grows; 0 if it stands.

    Returns:
        None if that can not be told: too few counts, some were reaped in between, or it comes in bursts.
    """
    numbers = [count.zombies for count in counts]
    if len(counts) < LEAST_COUNTS or numbers != sorted(numbers):
        return None
    middle = len(counts) // 2
    early, late = _per_hour(counts[: middle + 1]), _per_hour(counts[middle:])
    if max(early, late) > MOST_UNEVEN * min(early, late):
        return None
    return _per_hour(counts)


def _per_hour(counts: tuple[ZombieCount, ...]) -> float:
    first, last = counts[0], counts[-1]
    return (last.zombies - first.zombies) / (last.uptime_seconds - first.uptime_seconds) * 3600


def growth_text(per_hour: float) -> str:
    """Return a pace for people, as a lower bound of 1, 2 or 5 times a power of ten: ``500+ more an hour``.

    Beats of programs are mostly 6, 12, 60 or 360 an hour, in the middle between two such bounds: counting one more or
    one less does not change the text.
    """
    if per_hour < 1:
        return "none"
    unit: int = 10 ** (len(str(int(per_hour))) - 1)
    factor = max(step for step in (1, 2, 5) if step * unit <= per_hour)
    return f"{factor * unit:,}+ more an hour"
