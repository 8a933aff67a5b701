"""Steps of the wall clock, and how old a file is in spite of them.

Whoever sets a node's clock (a first answer of NTP, a person, a virtual machine that was suspended) moves every time
stamp of before into another distance from now. A clock set forward by hours would make what was made a moment ago look
hours old: an address that is reserved for a sandbox which the runtime is just making, for one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

LEAST_STEP_SECONDS = 5.0
"""A clock that is slewed gains or loses half a thousandth (adjtimex(2)), 15 ms in a period of 30 s: no step."""

MOST_STEPS = 8
"""Remembered, the newest. A clock that is stepped more often tells no age at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStep:
    """The wall clock was set forward."""

    until_unix_seconds: float
    """The latest time that it may have told before the step: time stamps up to here are of before."""

    forward_seconds: float


def steps_with(known: tuple[ClockStep, ...], until_unix_seconds: float, seconds: float) -> tuple[ClockStep, ...]:
    """Return the steps that count after one more.

    A step back takes away what the last steps forward were too much: the time stamps of before them are right again.
    Those of before a step back itself look younger than they are, and what rests on them is found that much later.

    Args:
        known: Those before, oldest first.
        until_unix_seconds: The latest time that the clock may have told before the step.
        seconds: How far it was set forward; negative: back.
    """
    if seconds > 0:
        return (*known, ClockStep(until_unix_seconds=until_unix_seconds, forward_seconds=seconds))[-MOST_STEPS:]
    if not known:
        return ()
    *earlier, last = known
    remaining = last.forward_seconds + seconds
    if remaining > LEAST_STEP_SECONDS:
        return (*earlier, replace(last, forward_seconds=remaining))
    return steps_with(tuple(earlier), until_unix_seconds, min(remaining, 0)) if remaining < 0 else tuple(earlier)


def seconds_between(earlier_unix_seconds: float, now_unix_seconds: float, steps: Iterable[ClockStep]) -> float:
    """Return how long before now a time stamp was made, without the steps of the clock since."""
    stepped = sum(step.forward_seconds for step in steps if earlier_unix_seconds <= step.until_unix_seconds)
    return now_unix_seconds - earlier_unix_seconds - stepped
