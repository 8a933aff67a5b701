"""The verdict on a node in three conditions, as Kubernetes objects carry it and as people read it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pausewatch.model.availability import PERMISSION_DENIED, Unavailable
from pausewatch.model.report import Outcome, Report, Severity


class Status(StrEnum):
    """The status of a condition (Kubernetes API conventions, typical status properties)."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One statement about a node."""

    type: str
    status: Status
    reason: str
    """CamelCase and stable, for programs."""

    message: str
    """For people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that could not be read."""

    names: tuple[str, ...]
    """Parts of the node that are missing for this one reason, as people call them: ``sandboxes``, ``pid limits``."""

    cause: Unavailable

    def __str__(self) -> str:
        return f"{', '.join(self.names)}: {self.cause}"


SECTIONS: Mapping[str, str] = {
    "host_links": "the node's own Linux namespaces",
    "first_processes": "first processes of pauses and containers",
    "waiting_pods": "pods that wait for a sandbox",
    "memberships": "cgroups of processes",
    "monitors": "shims",
    "pause_usages": "CPU and memory of pauses",
    "pid_limits": "pid limits",
    "pod_networks": "networks of pods",
    "network_pins": "pinned network namespaces",
    "address_pools": "reserved addresses",
    "sandbox_image": "sandbox image",
    "sandbox_statuses": "statuses of sandboxes",
    "container_statuses": "statuses of containers",
    "processes_of_containers": "processes of containers",
}
"""What a section of the Snapshot is called for people, where its own name says nothing to them."""


def conditions(report: Report) -> tuple[Condition, ...]:
    """Return all conditions, always the same ones in the same order."""
    return (healthy(report), runtime_reachable(report), scan_complete(report))


def healthy(report: Report) -> Condition:
    """Return whether anything asks for action.

    A finding counts even when the scan is incomplete: it rests on what was read. Without one, an incomplete scan
    proves nothing. A skipped check does not count: its input may be missing for good, by choice of the operator.
    """
    worst = next(iter(report.findings), None)
    if worst is not None and worst.severity is not Severity.INFO:
        return _healthy(Status.FALSE, worst.reason, worst.message)
    complete = scan_complete(report)
    if complete.status is not Status.TRUE:
        return _healthy(Status.UNKNOWN, "ScanIncomplete", f"not everything could be read: {complete.message}")
    if worst is not None:
        return _healthy(Status.TRUE, "OnlyInfoFindings", f"nothing asks for action: {worst.message}")
    ran = sum(result.outcome in (Outcome.PASS, Outcome.FAIL) for result in report.results)
    return _healthy(Status.TRUE, "NoFindings", f"{ran} of {len(report.results)} checks ran and found nothing")


def runtime_reachable(report: Report) -> Condition:
    """Return whether the container runtime answered."""
    runtime = report.runtime
    if isinstance(runtime, Unavailable):
        return _condition("RuntimeReachable", Status.FALSE, runtime.reason, str(runtime))
    message = f"{runtime.name} {runtime.version} answered at {runtime.endpoint}"
    return _condition("RuntimeReachable", Status.TRUE, "RuntimeAnswered", message)


def scan_complete(report: Report) -> Condition:
    """Return whether everything could be read and judged that a scan reads on every node.

    A check that broke judged nothing: counted as complete, our own bug would make every node healthy.
    """
    missing = gaps(report)
    if not missing:
        return _condition("ScanComplete", Status.TRUE, "EverythingRead", "every section of the node was read")
    return _condition("ScanComplete", Status.FALSE, missing[0].cause.reason, "; ".join(str(gap) for gap in missing))


def gaps(report: Report) -> tuple[Gap, ...]:
    """Return the sections that could not be read, one gap per cause."""
    return _grouped(_missing(report))


def unread(report: Report) -> tuple[Gap, ...]:
    """Return all that could not be read, the runtime itself included, one gap per cause.

    A runtime that is down takes several sections with it: people are told once.
    """
    runtime = report.runtime
    itself = [("runtime", runtime)] if isinstance(runtime, Unavailable) else []
    return _grouped([*itself, *_missing(report)])


def _grouped(missing: Iterable[tuple[str, Unavailable]]) -> tuple[Gap, ...]:
    causes: dict[Unavailable, list[str]] = {}
    for name, cause in missing:
        causes.setdefault(cause, []).append(SECTIONS.get(name, name))
    return tuple(Gap(names=tuple(names), cause=cause) for cause, names in causes.items())


def _missing(report: Report) -> Iterable[tuple[str, Unavailable]]:
    yield from report.unavailable
    unreadable = report.coverage.unreadable_processes
    if unreadable:
        noun = "process" if unreadable == 1 else "processes"
        yield (
            "Linux namespaces",
            Unavailable(
                reason=PERMISSION_DENIED,
                detail=f"the Linux namespaces of {unreadable} first {noun} could not be read",
                remedy=report.coverage.unreadable_remedy,
            ),
        )
    for result in report.results:
        if result.outcome is Outcome.ERROR:
            remedy = "record the node with `pausewatch record FILE` and report it as a bug in pausewatch"
            yield (result.check, Unavailable(reason=result.reason, detail=result.detail, remedy=remedy))


def _healthy(status: Status, reason: str, message: str) -> Condition:
    return _condition("Healthy", status, reason, message)


def _condition(kind: str, status: Status, reason: str, message: str) -> Condition:
    return Condition(type=kind, status=status, reason=reason, message=message)
