"""The metrics, one table: name, help, labels, and where the samples come from.

The collector, docs/metrics.md and the tests are made from it. Conventions: Prometheus, "Metric and label naming" and
"Writing exporters". What is true of a vanished pod vanishes with it, because every sample is of the last report.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pausewatch.checks._check import all_checks
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import Outcome, Report
from pausewatch.model.sandbox import ContainerState, SandboxState
from pausewatch.sinks.exposed import AgentHealth, Exposed

MOST_WORKLOAD_SERIES = 200
"""Series per family that name pods. A node that breaks for all its pods at once must not break Prometheus too."""


class Kind(StrEnum):
    """How Prometheus is to treat a metric."""

    GAUGE = "gauge"
    COUNTER = "counter"


Sample = tuple[tuple[str, ...], float]
"""Label values, in the order of the family's labels, and the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One metric."""

    name: str
    help: str
    kind: Kind = Kind.GAUGE
    labels: tuple[str, ...] = ()
    samples: Callable[[Exposed], Iterable[Sample]]


def of_health(value: Callable[[AgentHealth], float | None]) -> Callable[[Exposed], Iterable[Sample]]:
    """Return the samples of a metric without labels about the agent; none where the value is not known yet."""

    def samples(exposed: Exposed) -> Iterable[Sample]:
        found = value(exposed.health)
        return () if found is None else (((), found),)

    return samples


def of_report(values: Callable[[Report], Iterable[Sample]]) -> Callable[[Exposed], Iterable[Sample]]:
    """Return the samples of a metric about the node; none before the first scan."""
    return lambda exposed: () if exposed.report is None else values(exposed.report)


def of_section(section: str, values: Callable[[Report], Iterable[Sample]]) -> Callable[[Exposed], Iterable[Sample]]:
    """Return the samples of what was counted in one section of the Snapshot; none where it could not be read.

    A 0 that nobody counted would look like a node that lost all its pods.
    """
    return of_report(lambda report: () if section in dict(report.unavailable) else values(report))


def _sandboxes(report: Report) -> Iterable[Sample]:
    ready = report.summary.ready_sandboxes
    yield (SandboxState.READY.value,), ready
    yield (SandboxState.NOTREADY.value,), report.summary.sandboxes - ready


def _containers(report: Report) -> Iterable[Sample]:
    for state in ContainerState:
        yield (state.value,), report.summary.container_states.get(state, 0)


def _pause_memory(report: Report) -> Iterable[Sample]:
    measured = report.summary.pause_memory_bytes
    return () if measured is None else [((), measured)]


def _findings(report: Report) -> Iterable[Sample]:
    found = Counter((one.check, one.reason, one.severity.value) for one in report.findings)
    declared = (
        (check.id, reason.name, severity.value)
        for check in all_checks()
        for reason in check.reasons
        for severity in reason.severities
    )
    yield from (dict.fromkeys(declared, 0) | found).items()


def _checks(report: Report) -> Iterable[Sample]:
    outcomes = Counter(result.outcome for result in report.results)
    for outcome in Outcome:
        yield (outcome.value,), outcomes[outcome]


def _zombies_of_containers(report: Report) -> Iterable[Sample]:
    yield from list(_zombies(report).items())[:MOST_WORKLOAD_SERIES]


def _first_seen(report: Report) -> Iterable[Sample]:
    yield from list(_oldest(report).items())[:MOST_WORKLOAD_SERIES]


def _zombies(report: Report) -> Mapping[tuple[str, ...], float]:
    """Return zombies by labels: a pod that was created anew has the same labels as the one before it."""
    found: Counter[tuple[str, ...]] = Counter()
    for subject, count in report.zombie_holders:
        found[subject.namespace, subject.pod, subject.container] += count
    return dict(found)


def _oldest(report: Report) -> Mapping[tuple[str, ...], float]:
    """Return the earliest first-seen time by labels, worst first: two Linux namespaces of one container share them."""
    found: dict[tuple[str, ...], float] = {}
    for one in report.findings:
        subject = one.subject
        labels = (one.check, one.reason, one.severity.value, subject.namespace, subject.pod, subject.container)
        moment = one.first_seen_at.timestamp()
        found[labels] = min(found.get(labels, moment), moment)
    return found


def _dropped(report: Report) -> Iterable[Sample]:
    yield (), sum(max(len(series) - MOST_WORKLOAD_SERIES, 0) for series in (_zombies(report), _oldest(report)))


def _sandbox_image_present(report: Report) -> Iterable[Sample]:
    if not isinstance(report.sandbox_image, Unavailable):
        yield (), report.sandbox_image.present


def _timestamp(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


FAMILIES = (
    Family(
        name="pausewatch_sandboxes",
        help="Pod sandboxes that the container runtime lists, by state.",
        labels=("state",),
        samples=of_section("sandboxes", _sandboxes),
    ),
    Family(
        name="pausewatch_containers",
        help="Containers that the container runtime lists, by state.",
        labels=("state",),
        samples=of_section("containers", _containers),
    ),
    Family(
        name="pausewatch_pause_processes",
        help="Pause processes that are alive.",
        samples=of_section("first_processes", lambda report: [((), report.summary.pause_processes)]),
    ),
    Family(
        name="pausewatch_pause_memory_bytes",
        help="Resident memory of the pauses of ready sandboxes, together; pages that they share count for each.",
        samples=of_report(_pause_memory),
    ),
    Family(
        name="pausewatch_pid_namespaces",
        help="Different PID namespaces of pauses and of first processes of containers.",
        samples=of_section("first_processes", lambda report: [((), report.summary.pid_namespaces)]),
    ),
    Family(
        name="pausewatch_zombie_processes",
        help="Dead processes that nobody has reaped, on the whole node.",
        samples=of_section("processes", lambda report: [((), report.summary.zombies)]),
    ),
    Family(
        name="pausewatch_sandbox_image_present",
        help="Whether the node has the configured image of the sandboxes; absent where it is not known which that is.",
        samples=of_report(_sandbox_image_present),
    ),
    Family(
        name="pausewatch_findings",
        help="Findings by check, reason and severity, all of them, 0 included.",
        labels=("check", "reason", "severity"),
        samples=of_report(_findings),
    ),
    Family(
        name="pausewatch_checks",
        help="Checks by what became of them in the last scan.",
        labels=("outcome",),
        samples=of_report(_checks),
    ),
    Family(
        name="pausewatch_container_zombie_processes",
        help="Zombies of one container, or of a sandbox where container is empty; only where there are any.",
        labels=("namespace", "pod", "container"),
        samples=of_report(_zombies_of_containers),
    ),
    Family(
        name="pausewatch_finding_first_seen_timestamp_seconds",
        help="When a finding was first seen, as Unix time; only while it lasts, and the earliest of several alike.",
        labels=("check", "reason", "severity", "namespace", "pod", "container"),
        samples=of_report(_first_seen),
    ),
    Family(
        name="pausewatch_series_dropped",
        help=f"Series that name pods and were left out of this answer, beyond {MOST_WORKLOAD_SERIES} of a metric.",
        samples=of_report(_dropped),
    ),
    Family(
        name="pausewatch_build_info",
        help="The version that runs; always 1.",
        labels=("version",),
        samples=lambda exposed: [((exposed.health.version,), 1)],
    ),
    Family(
        name="pausewatch_scan_period_seconds",
        help="Between the starts of two scans.",
        samples=of_health(lambda health: health.scan_period_seconds),
    ),
    Family(
        name="pausewatch_last_scan_duration_seconds",
        help="How long the last scan took, by phase: read, judge, confirm. A scrape never starts a scan.",
        labels=("phase",),
        samples=lambda exposed: [((phase,), one) for phase, one in exposed.health.scan_duration_seconds.items()],
    ),
    Family(
        name="pausewatch_scans_total",
        help="Scans that gave a report.",
        kind=Kind.COUNTER,
        samples=of_health(lambda health: health.scans),
    ),
    Family(
        name="pausewatch_scan_crashes_total",
        help="Scans that broke: bugs in pausewatch.",
        kind=Kind.COUNTER,
        samples=of_health(lambda health: health.scan_crashes),
    ),
    Family(
        name="pausewatch_last_scan_success_timestamp_seconds",
        help="When the last scan gave a report, as Unix time.",
        samples=of_health(lambda health: _timestamp(health.last_success_at)),
    ),
    Family(
        name="pausewatch_source_up",
        help="Whether a source gave what it was last asked for.",
        labels=("source",),
        samples=lambda exposed: [((name,), up) for name, up in exposed.health.sources_up.items()],
    ),
    Family(
        name="pausewatch_source_errors_total",
        help="How often a source did not give what it was asked for.",
        kind=Kind.COUNTER,
        labels=("source",),
        samples=lambda exposed: [((name,), count) for name, count in exposed.health.source_errors.items()],
    ),
    Family(
        name="pausewatch_report_writes_total",
        help="Writes of the PodSandboxReport of this node.",
        kind=Kind.COUNTER,
        samples=of_health(lambda health: health.report_writes),
    ),
    Family(
        name="pausewatch_report_write_errors_total",
        help="Attempts to write the report that failed.",
        kind=Kind.COUNTER,
        samples=of_health(lambda health: health.report_write_errors),
    ),
    Family(
        name="pausewatch_events_posted_total",
        help="Events that the API server took, those that were counted on an earlier one included.",
        kind=Kind.COUNTER,
        samples=of_health(lambda health: health.events_posted),
    ),
    Family(
        name="pausewatch_events_dropped_total",
        help="Events that were not posted, by the reason.",
        kind=Kind.COUNTER,
        labels=("reason",),
        samples=lambda exposed: [((reason,), count) for reason, count in exposed.health.events_dropped.items()],
    ),
)
