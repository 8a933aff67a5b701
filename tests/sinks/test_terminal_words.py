"""Numbers, durations and distances in time, in words."""

from datetime import timedelta

import pytest

from pausewatch.sinks.terminal import ago, counted, lasting
from support.parts import TAKEN_AT


@pytest.mark.parametrize(
    ("distance", "text"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=119), "119 min ago"),
        (timedelta(hours=2), "2 h ago"),
        (timedelta(hours=47), "47 h ago"),
        (timedelta(days=2), "2 d ago"),
    ],
)
def test_distances_in_time_have_one_unit(distance: timedelta, text: str) -> None:
    """Rounded down; the absolute time beside it is exact."""
    assert ago(TAKEN_AT - distance, TAKEN_AT) == text


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (1, "sandbox", "1 sandbox"),
        (2, "sandbox", "2 sandboxes"),
        (0, "zombie", "0 zombies"),
        (1576, "check", "1,576 checks"),
    ],
)
def test_numbers_agree_with_their_nouns(number: int, noun: str, text: str) -> None:
    """Thousands are set apart."""
    assert counted(number, noun) == text


def test_durations_have_one_unit() -> None:
    """Rounded down; a stepped clock makes none negative."""
    assert [lasting(one) for one in (-1, 0, 59.9, 60, 7199, 7200, 172_799, 172_800)] == [
        "0 s",
        "0 s",
        "59 s",
        "1 min",
        "119 min",
        "2 h",
        "47 h",
        "2 d",
    ]
