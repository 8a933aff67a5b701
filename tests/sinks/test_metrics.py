"""The families in the formats that Prometheus reads."""

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from pausewatch.model.text import printable
from pausewatch.sinks.metric_families import FAMILIES, Exposed
from pausewatch.sinks.metrics import Metrics
from support.builders import a_subject
from support.health import a_health
from support.reports import a_finding, a_report

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class Node:
    """A node whose last report changes."""

    def __init__(self) -> None:
        self.exposed = Exposed(health=a_health(), report=a_report(findings=(a_finding(),)))
        self.asked = 0

    def now(self) -> Exposed:
        """Return what is known."""
        self.asked += 1
        return self.exposed


def test_registering_asks_for_nothing() -> None:
    """Nothing is known when the agent starts."""
    node = Node()
    Metrics(node.now)

    assert node.asked == 0


def test_every_family_is_there_in_both_formats() -> None:
    """With its help and type, also where it has no samples."""
    metrics = Metrics(Node().now)
    text, text_type = metrics.render("")
    openmetrics, openmetrics_type = metrics.render(OPENMETRICS)

    assert text_type.startswith("text/plain")
    assert openmetrics_type.startswith("application/openmetrics-text")
    expected = {family.name.removesuffix("_total") for family in FAMILIES}
    assert expected <= {family.name for family in parse_text(text.decode())}
    assert expected <= {family.name for family in parse_openmetrics(openmetrics.decode())}


def test_process_metrics_of_the_agent_are_there() -> None:
    """Its memory is a budget that people watch."""
    text, _ = Metrics(Node().now).render("")

    assert b"\nprocess_resident_memory_bytes " in text


def test_vanished_pod_vanishes() -> None:
    """Prometheus writes its stale markers then."""
    node = Node()
    metrics = Metrics(node.now)
    before, _ = metrics.render("")
    node.exposed = Exposed(health=a_health(), report=a_report())
    after, _ = metrics.render("")

    assert b'pod="web-x"' in before
    assert b'pod="web-x"' not in after


def test_hostile_names_stay_inside_their_label() -> None:
    """Whoever may talk to the CRI chooses names there."""
    name = printable('a"} 1\nforged_metric 1 {x="\x1b[31m')
    report = a_report(findings=(a_finding(subject=a_subject(pod=name)),))
    text, _ = Metrics(lambda: Exposed(health=a_health(), report=report)).render("")

    families = {family.name: family for family in parse_text(text.decode())}

    assert "forged_metric" not in families
    (sample,) = families["pausewatch_finding_first_seen_timestamp_seconds"].samples
    assert sample.labels["pod"] == name
