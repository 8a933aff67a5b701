"""Counters and histograms that a Kubernetes daemon exposes, and what happened between two scrapes of them.

Not with the parser of Prometheus' own library: an API server exposes tens of thousands of lines, and only some count.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

Labels = Mapping[str, str]
Sample = tuple[str, Labels, float]

_LINE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """How often something took how long."""

    buckets: Mapping[float, float]
    """Cumulative counts by upper bound in seconds, infinity included."""

    @property
    def count(self) -> float:
        """All of them."""
        return self.buckets.get(math.inf, 0.0)

    def since(self, before: "Histogram") -> "Histogram":
        """Return what came after an earlier scrape."""
        return Histogram(buckets={bound: value - before.buckets.get(bound, 0) for bound, value in self.buckets.items()})

    def quantile(self, share: float) -> float:
        """Return the seconds within which a share of them were, evenly spread within a bucket; 0 without any.

        The same as ``histogram_quantile`` of PromQL: no finer than the buckets are.
        """
        wanted = share * self.count
        below, reached = 0.0, 0.0
        for bound, value in sorted(self.buckets.items()):
            if value >= wanted > reached:
                return below if math.isinf(bound) else below + (bound - below) * (wanted - reached) / (value - reached)
            below, reached = bound, value
        return 0.0


def samples(text: str, names: Iterable[str]) -> Iterator[Sample]:
    """Yield the samples of some names, in order."""
    wanted = frozenset(names)
    for line in _LINE.finditer(text):
        if line[1] in wanted:
            yield line[1], dict(_LABEL.findall(line[2] or "")), float(line[3])


def total(found: Iterable[Sample], name: str, **labels: str) -> float:
    """Return the sum of a metric's samples that have these labels, and maybe others."""
    return sum(value for one, own, value in found if one == name and labels.items() <= own.items())


def histogram(found: Iterable[Sample], name: str, **labels: str) -> Histogram:
    """Return one histogram, over all samples of ``NAME_bucket`` that have these labels."""
    buckets: dict[float, float] = {}
    for one, own, value in found:
        if one == f"{name}_bucket" and labels.items() <= own.items():
            bound = float(own["le"])
            buckets[bound] = buckets.get(bound, 0) + value
    return Histogram(buckets=buckets)
