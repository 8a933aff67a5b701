"""How the simulation of many nodes (tests/scale) comes by its numbers."""

import math

import pytest

from scale.exposition import histogram, samples, total
from scale.fit import line
from scale.requests import most_in_a_second, percentile

TEXT = """\
# HELP seconds How long.
# TYPE seconds histogram
seconds_bucket{verb="GET",le="0.1"} 4
seconds_bucket{verb="GET",le="0.2"} 8
seconds_bucket{verb="GET",le="+Inf"} 8
seconds_bucket{verb="LIST",le="0.1"} 100
seconds_bucket{verb="LIST",le="0.2"} 100
seconds_bucket{verb="LIST",le="+Inf"} 100
up{text="a \\"quoted\\", one"} 1
up 2
"""


def test_histogram_of_one_kind_of_request() -> None:
    """Other labels do not count; within a bucket, answers are evenly spread."""
    found = tuple(samples(TEXT, ("seconds_bucket",)))

    gets = histogram(found, "seconds", verb="GET")

    assert gets.count == 8
    assert gets.quantile(0.25) == pytest.approx(0.05)
    assert gets.quantile(0.75) == pytest.approx(0.15)


def test_histogram_since_an_earlier_scrape() -> None:
    """Only what came after it."""
    found = tuple(samples(TEXT, ("seconds_bucket",)))
    before, after = histogram(found, "seconds", verb="GET"), histogram(found, "seconds")

    assert after.since(before).buckets == {0.1: 100, 0.2: 100 - 8 + 8, math.inf: 100}
    assert before.since(before).quantile(0.99) == 0


def test_total_of_a_metric() -> None:
    """Labels with quotes and commas in them, and none at all."""
    found = tuple(samples(TEXT, ("up",)))

    assert total(found, "up") == 3
    assert total(found, "up", text='a \\"quoted\\", one') == 1


def test_line_through_points() -> None:
    """Least squares; a single point is a constant."""
    through = line([(0, 1.0), (250, 6.0), (500, 11.0)])

    assert through.at(5000) == pytest.approx(101)
    assert line([(250, 6.0)]).at(5000) == 6


def test_most_in_a_second() -> None:
    """Whichever second that is."""
    assert most_in_a_second([0.0, 0.9, 1.5, 1.6, 1.7, 9.0]) == 4
    assert most_in_a_second([]) == 0


def test_percentile() -> None:
    """Of few, too."""
    assert percentile([float(one) for one in range(101)], 99) == pytest.approx(99)
    assert percentile([], 50) == 0
    assert percentile([2.0], 99) == 2
