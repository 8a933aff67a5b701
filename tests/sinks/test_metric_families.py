"""The metrics, one table."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from pausewatch.checks._check import all_checks
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import CheckResult, Outcome, Severity
from pausewatch.model.sandbox import ContainerState
from pausewatch.model.sandbox_image import SandboxImage
from pausewatch.sinks.exposed import Exposed
from pausewatch.sinks.metric_families import FAMILIES, MOST_WORKLOAD_SERIES, Kind
from support.health import a_health
from support.parts import TAKEN_AT, a_sandbox_image, a_subject
from support.reports import a_finding, a_report, a_summary

DOWN = Unavailable(reason="SocketMissing", detail="there is no socket")


def samples(name: str, exposed: Exposed) -> dict[tuple[str, ...], float]:
    """Return the samples of one family by label values."""
    (family,) = [one for one in FAMILIES if one.name == name]
    return dict(family.samples(exposed))


def test_names_follow_the_conventions() -> None:
    """Counters end in _total and nothing else does; one help text each; labels name no target."""
    names = [family.name for family in FAMILIES]

    assert len(set(names)) == len(names)
    for family in FAMILIES:
        assert re.fullmatch(r"pausewatch(_[a-z]+)+", family.name)
        assert family.name.endswith("_total") == (family.kind is Kind.COUNTER)
        assert family.help.endswith(".")
        assert not {"job", "instance", "node", "cluster"} & set(family.labels)


def test_counts_of_the_node() -> None:
    """With 0 where there is nothing."""
    summary = a_summary(sandboxes=5, ready_sandboxes=4, container_states={ContainerState.EXITED: 7}, zombies=9)
    exposed = Exposed(health=a_health(), report=a_report(summary=summary))

    assert samples("pausewatch_sandboxes", exposed) == {("READY",): 4, ("NOTREADY",): 1}
    assert samples("pausewatch_containers", exposed) == {
        ("CREATED",): 0,
        ("RUNNING",): 0,
        ("EXITED",): 7,
        ("UNKNOWN",): 0,
    }
    assert samples("pausewatch_zombie_processes", exposed) == {(): 9}


@pytest.mark.parametrize(("measured", "expected"), [(1_122_304, {(): 1_122_304}), (0, {(): 0}), (None, {})])
def test_memory_of_pauses(measured: int | None, expected: dict[tuple[str, ...], float]) -> None:
    """Nothing where it could not be measured."""
    report = a_report(summary=a_summary(pause_memory_bytes=measured))

    assert samples("pausewatch_pause_memory_bytes", Exposed(health=a_health(), report=report)) == expected


@pytest.mark.parametrize(
    ("image", "expected"),
    [(a_sandbox_image(), {(): 1}), (a_sandbox_image(id="", pinned=None), {(): 0}), (DOWN, {})],
    ids=["there", "missing", "not known"],
)
def test_sandbox_image_present(image: SandboxImage | Unavailable, expected: dict[tuple[str, ...], float]) -> None:
    """Absent where nobody told which image is configured: a 0 would page somebody for nothing."""
    exposed = Exposed(health=a_health(), report=a_report(sandbox_image=image))

    assert samples("pausewatch_sandbox_image_present", exposed) == expected


def test_every_declared_reason_has_a_series() -> None:
    """0 included: an alert on a metric that is not there yet never fires."""
    found = a_finding(severity=Severity.INFO)
    exposed = Exposed(health=a_health(), report=a_report(findings=(found,)))

    findings = samples("pausewatch_findings", exposed)

    declared = {
        (check.id, reason.name, severity.value)
        for check in all_checks()
        for reason in check.reasons
        for severity in reason.severities
    }
    assert set(findings) == declared
    assert {labels: value for labels, value in findings.items() if value} == {
        ("zombie-buildup", "ZombieBuildup", "Info"): 1
    }


def test_outcomes_of_checks() -> None:
    """All four, always."""
    results = (
        CheckResult(check="a", outcome=Outcome.PASS),
        CheckResult(check="b", outcome=Outcome.PASS),
        CheckResult(check="c", outcome=Outcome.SKIP),
    )
    exposed = Exposed(health=a_health(), report=a_report(results=results))

    assert samples("pausewatch_checks", exposed) == {("PASS",): 2, ("FAIL",): 0, ("SKIP",): 1, ("ERROR",): 0}


def test_workload_series_name_the_pod() -> None:
    """Only where there is something."""
    holders = ((a_subject(), 16), (a_subject(container=""), 3))
    exposed = Exposed(health=a_health(), report=replace(a_report(findings=(a_finding(),)), zombie_holders=holders))

    assert samples("pausewatch_container_zombie_processes", exposed) == {
        ("team-a", "web-x", "app"): 16,
        ("team-a", "web-x", ""): 3,
    }
    assert samples("pausewatch_finding_first_seen_timestamp_seconds", exposed) == {
        ("zombie-buildup", "ZombieBuildup", "Warning", "team-a", "web-x", "app"): TAKEN_AT.timestamp() - 3 * 3600
    }
    assert samples("pausewatch_series_dropped", exposed) == {(): 0}


def test_two_findings_with_the_same_labels_are_one_series() -> None:
    """Two wrong Linux namespaces of one container: Prometheus rejects a scrape with a series twice."""
    twice = (a_finding("network"), a_finding("ipc"))
    exposed = Exposed(health=a_health(), report=a_report(findings=twice))

    assert len(samples("pausewatch_finding_first_seen_timestamp_seconds", exposed)) == 1


@pytest.mark.parametrize("hours", [(3, 9), (9, 3)])
def test_series_of_two_findings_has_the_earlier_time(hours: tuple[int, int]) -> None:
    """Since when something is wrong with the container, whichever of them is worse or comes first."""
    twice = tuple(
        a_finding(part, first_seen_at=TAKEN_AT - timedelta(hours=one))
        for part, one in zip(("network", "ipc"), hours, strict=True)
    )
    exposed = Exposed(health=a_health(), report=a_report(findings=twice))

    (moment,) = samples("pausewatch_finding_first_seen_timestamp_seconds", exposed).values()

    assert moment == (TAKEN_AT - timedelta(hours=9)).timestamp()


def test_pod_that_was_created_anew_shares_the_series_of_its_predecessor() -> None:
    """Both sandboxes of one name are on the node for a while; their zombies are added up."""
    holders = ((a_subject(), 16), (a_subject(uid="older", sandbox_id="older"), 3))
    exposed = Exposed(health=a_health(), report=replace(a_report(), zombie_holders=holders))
    (family,) = [one for one in FAMILIES if one.name == "pausewatch_container_zombie_processes"]

    assert list(family.samples(exposed)) == [(("team-a", "web-x", "app"), 19)]


@pytest.mark.parametrize(
    ("section", "absent"),
    [
        ("sandboxes", {"pausewatch_sandboxes"}),
        ("containers", {"pausewatch_containers"}),
        ("first_processes", {"pausewatch_pause_processes", "pausewatch_pid_namespaces"}),
        ("processes", {"pausewatch_zombie_processes"}),
        ("host_links", set()),
    ],
)
def test_count_of_what_could_not_be_read_is_absent(section: str, absent: set[str]) -> None:
    """A 0 that nobody counted would look like a node that lost all its pods."""
    whole = Exposed(health=a_health(), report=a_report())
    lacking = Exposed(health=a_health(), report=a_report(unavailable=((section, DOWN),)))

    told = [{family.name for family in FAMILIES if list(family.samples(one))} for one in (whole, lacking)]

    assert told[0] - told[1] == absent


def test_finding_of_a_severity_that_was_not_declared_is_counted() -> None:
    """A mistake in a declaration must not hide a finding from alerts."""
    odd = a_finding(severity=Severity.CRITICAL)
    exposed = Exposed(health=a_health(), report=a_report(findings=(odd,)))

    assert samples("pausewatch_findings", exposed)["zombie-buildup", "ZombieBuildup", "Critical"] == 1


def test_workload_series_are_capped() -> None:
    """A node whose pods all break at once must not break Prometheus; what was dropped is counted."""
    pods = [a_subject(pod=f"pod-{number}") for number in range(MOST_WORKLOAD_SERIES + 30)]
    report = replace(a_report(), zombie_holders=tuple((pod, 10) for pod in pods))
    exposed = Exposed(health=a_health(), report=report)

    assert len(samples("pausewatch_container_zombie_processes", exposed)) == MOST_WORKLOAD_SERIES
    assert samples("pausewatch_series_dropped", exposed) == {(): 30}


def test_before_the_first_scan_only_the_agent_is_told_of() -> None:
    """No zero that nobody counted."""
    exposed = Exposed(health=a_health(scan_duration_seconds={}, scans=0, last_success_at=None), report=None)

    told = {family.name for family in FAMILIES if list(family.samples(exposed))}

    assert "pausewatch_zombie_processes" not in told
    assert "pausewatch_last_scan_success_timestamp_seconds" not in told
    assert {"pausewatch_build_info", "pausewatch_scans_total", "pausewatch_source_up"} <= told


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pausewatch_build_info", {("0.1.0",): 1}),
        ("pausewatch_scan_period_seconds", {(): 30}),
        ("pausewatch_last_scan_duration_seconds", {("look",): 0.02}),
        ("pausewatch_scans_total", {(): 7}),
        ("pausewatch_scan_crashes_total", {(): 0}),
        ("pausewatch_last_scan_success_timestamp_seconds", {(): TAKEN_AT.timestamp()}),
        ("pausewatch_source_up", {("runtime",): 1, ("pods",): 0}),
        ("pausewatch_source_errors_total", {("runtime",): 0, ("pods",): 2}),
        ("pausewatch_report_writes_total", {(): 3}),
        ("pausewatch_report_write_errors_total", {(): 1}),
        ("pausewatch_events_posted_total", {(): 4}),
        ("pausewatch_events_dropped_total", {("RateLimited",): 0, ("TooOld",): 2}),
    ],
)
def test_health_of_the_agent(name: str, expected: dict[tuple[str, ...], float]) -> None:
    """Each from its own value."""
    assert samples(name, Exposed(health=a_health(), report=None)) == expected
