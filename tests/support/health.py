"""What an agent knows of itself, for tests."""

from dataclasses import replace
from typing import Any

from pausewatch.sinks.exposed import AgentHealth
from support.parts import TAKEN_AT


def a_health(**changes: Any) -> AgentHealth:  # noqa: ANN401  any field
    """Return an agent after seven scans whose watch of pods does not work."""
    health = AgentHealth(
        version="0.1.0",
        scan_period_seconds=30,
        scan_duration_seconds={"look": 0.02},
        scans=7,
        scan_crashes=0,
        last_success_at=TAKEN_AT,
        sources_up={"runtime": True, "pods": False},
        source_errors={"runtime": 0, "pods": 2},
        report_writes=3,
        report_write_errors=1,
        events_posted=4,
        events_dropped={"RateLimited": 0, "TooOld": 2},
    )
    return replace(health, **changes)
