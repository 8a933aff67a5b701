"""What one scrape shows: the last report, and what the agent knows of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pausewatch.model.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentHealth:
    """What the agent knows of itself."""

    version: str
    scan_period_seconds: float
    scan_duration_seconds: Mapping[str, float]
    """Of the last scan, by phase; empty before the first."""

    scans: int
    """That gave a report."""

    scan_crashes: int
    """That broke: bugs of ours."""

    last_success_at: datetime | None
    sources_up: Mapping[str, bool]
    """Whether each source gave what it was last asked for."""

    source_errors: Mapping[str, int]
    """How often each one did not; 0 included."""

    report_writes: int
    report_write_errors: int
    events_posted: int
    events_dropped: Mapping[str, int]
    """By the reason; 0 included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """What one scrape shows."""

    health: AgentHealth
    report: Report | None
    """Of the last scan; None before the first."""
