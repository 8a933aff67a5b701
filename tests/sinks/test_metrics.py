"""The families in the formats that Prometheus reads."""

import math
from dataclasses import replace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from e2e.support.promtool import complaints, ensure_promtool
from pausewatch.model.availability import Unavailable
from pausewatch.model.text import printable
from pausewatch.sinks.exposed import Exposed
from pausewatch.sinks.metric_families import FAMILIES, MOST_WORKLOAD_SERIES
from pausewatch.sinks.metrics import Metrics
from support.health import a_health
from support.parts import a_subject
from support.reports import a_finding, a_report

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
OPENMETRICS_TYPE = f"{OPENMETRICS}; charset=utf-8"


DOWN = Unavailable(reason="SocketMissing", detail="there is no socket")
OF_THE_RUNTIME = ("sandboxes", "containers", "first_processes", "sandbox_image")
STATES = {
    "before the first scan": Exposed(
        health=a_health(scan_duration_seconds={}, scans=0, last_success_at=None, sources_up={"runtime": False}),
        report=None,
    ),
    "runtime down": Exposed(
        health=a_health(sources_up={"runtime": False, "processes": True}),
        report=a_report(unavailable=tuple((section, DOWN) for section in OF_THE_RUNTIME), sandbox_image=DOWN),
    ),
    "runtime down with findings that nobody could disprove": Exposed(
        health=a_health(sources_up={"runtime": False}),
        report=a_report(findings=(a_finding(),), unavailable=tuple((section, DOWN) for section in OF_THE_RUNTIME)),
    ),
}
"""In each of which a scrape has to be valid, whatever is not known."""


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


@pytest.mark.parametrize("state", STATES)
def test_answer_is_valid_whatever_is_not_known(state: str) -> None:
    """What is not known has no sample; that the runtime is down has one, and a number that is none would be a lie."""
    metrics = Metrics(lambda: STATES[state])
    told = {}
    for accept, parse in (("", parse_text), (OPENMETRICS, parse_openmetrics)):
        body, _ = metrics.render(accept)
        families = {family.name: family for family in parse(body.decode())}
        assert {family.name.removesuffix("_total") for family in FAMILIES} <= set(families)
        told[accept] = families

    for families in told.values():
        series = [(one.name, *sorted(one.labels.items())) for family in families.values() for one in family.samples]
        assert len(series) == len(set(series))
        assert all(math.isfinite(one.value) for family in families.values() for one in family.samples)
        assert families["pausewatch_sandboxes"].samples == []
        (up,) = [one for one in families["pausewatch_source_up"].samples if one.labels == {"source": "runtime"}]
        assert up.value == 0


@pytest.mark.parametrize(
    ("accept", "is_openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain;version=0.0.4", False),
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", True),
        ("text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5, Application/OpenMetrics-Text ;version=0.0.1", True),
        ("application/openmetrics-text;version=x;escaping=\r\nX-Forged: 1", True),
        ("text/plain;version=1..0", False),
        (",;=", False),
    ],
)
def test_any_accept_header_gets_an_answer(accept: str, is_openmetrics: bool) -> None:  # noqa: FBT001  a parameter
    """Whoever can reach the port chooses it, and nothing of it comes back."""
    body, content_type = Metrics(Node().now).render(accept)

    assert content_type == (OPENMETRICS_TYPE if is_openmetrics else "text/plain; version=0.0.4; charset=utf-8")
    assert body.endswith(b"# EOF\n") == is_openmetrics


@pytest.mark.lab
def test_promtool_has_nothing_to_say() -> None:
    """Of a node with more findings than series, pods with odd names and zombies in each."""
    odd = printable('a"} 1\nforged 1 {x="\\')
    pods = [a_subject(pod=f"{odd}-{number}") for number in range(MOST_WORKLOAD_SERIES + 30)]
    report = a_report(findings=tuple(a_finding(subject=pod) for pod in pods))
    exposed = Exposed(health=a_health(), report=replace(report, zombie_holders=tuple((pod, 10) for pod in pods)))
    text, _ = Metrics(lambda: exposed).render("")

    assert complaints(ensure_promtool(), text.decode()) == ""


def test_no_series_is_there_twice() -> None:
    """Prometheus would drop samples, and say so at every scrape."""
    findings = (a_finding("network"), a_finding("ipc"))
    holders = ((a_subject(), 16), (a_subject(sandbox_id="older"), 3))
    exposed = Exposed(health=a_health(), report=replace(a_report(findings=findings), zombie_holders=holders))
    text, _ = Metrics(lambda: exposed).render("")

    series = [line.rpartition(" ")[0] for line in text.decode().splitlines() if not line.startswith("#")]

    assert len(series) == len(set(series))


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
