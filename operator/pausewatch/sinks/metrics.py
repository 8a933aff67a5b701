"""The families of ``metric_families`` in the formats that Prometheus reads."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from pausewatch.sinks.exposed import Exposed
from pausewatch.sinks.metric_families import FAMILIES, Family, Kind

OPENMETRICS = "application/openmetrics-text"


class Metrics:
    """Renders what is known at the moment of a scrape; never starts a scan."""

    def __init__(self, now: Callable[[], Exposed]) -> None:
        """Prepare to render.

        Args:
            now: Returns what is known, without waiting for anything.
        """
        self._registry = CollectorRegistry()
        self._registry.register(_ExposedCollector(now))
        ProcessCollector(registry=self._registry)

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return the exposition as OpenMetrics where an ``Accept`` header names it, else as text, and its content type.

        Versions and escaping schemes that the header asks for make no difference: all names are plain ASCII.
        """
        media_types = [wanted.partition(";")[0].strip().lower() for wanted in accept.split(",")]
        # Not the header itself: the library raises on a version that is no number, and answers with one that is.
        encode, content_type = choose_encoder(OPENMETRICS if OPENMETRICS in media_types else "")
        return encode(self._registry), content_type


class _ExposedCollector(Collector):
    """Makes every sample anew at each scrape: nothing of a pod that is gone can stay behind."""

    def __init__(self, now: Callable[[], Exposed]) -> None:
        self._now = now

    def describe(self) -> Iterable[Metric]:
        """Return nothing: otherwise registering would ask for the first samples."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Return all families; one without samples keeps its help and type."""
        exposed = self._now()
        return [_metric(family, exposed) for family in FAMILIES]


def _metric(family: Family, exposed: Exposed) -> Metric:
    kind = CounterMetricFamily if family.kind is Kind.COUNTER else GaugeMetricFamily
    metric = kind(family.name, family.help, labels=family.labels)
    for labels, value in family.samples(exposed):
        metric.add_metric(labels, value)
    return metric
