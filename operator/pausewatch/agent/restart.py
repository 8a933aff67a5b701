"""What survives a restart of the agent: when findings were first seen, and a report that is not yet disproved."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from pausewatch.checks._check import Check, all_checks, thresholds_of
from pausewatch.model.history import History
from pausewatch.model.membership import SETTLING_SECONDS as PROCESS_SETTLING_SECONDS
from pausewatch.model.report import Severity
from pausewatch.model.settings import Settings

LEAST_SETTLING_SECONDS = 300.0
"""How long a new agent may need to see again what the one before it found: an orphan has to be missing for 150 s and in
three scans, zombies have to be a minute old, and both clocks start anew."""

SCANS_TO_BEGIN = 3
"""In the first scans of an agent a finding begins, in the one after its time it is told; each may be late."""

LOOKS_NEEDED = 2
"""What must be seen twice is not known after the first look: it would report every node as healthy."""


def settling_seconds(settings: Settings) -> float:
    """Return how long an agent with these settings may need to see again all that the one before it found.

    As long as the slowest check that asks for something, beyond the ten seconds after which a process counts. At most a
    heartbeat beyond the least: the stored report is not renewed meanwhile, and must not look as if nobody lived.
    """
    slowest = max(
        _lasting_seconds(check, settings)
        for check in all_checks()
        if any(severity is not Severity.INFO for reason in check.reasons for severity in reason.severities)
    )
    needed = slowest + PROCESS_SETTLING_SECONDS + SCANS_TO_BEGIN * settings.scan_period_seconds
    return max(LEAST_SETTLING_SECONDS, min(needed, settings.report_heartbeat_seconds))


def beginning(uptime_seconds: float, settling_seconds: float) -> History:
    """Return what an agent remembers that starts now, by the boot clock."""
    return History(restored_until_uptime_seconds=uptime_seconds + settling_seconds)


def restored(history: History, first_seen: Mapping[str, datetime]) -> History:
    """Return a history with the first-seen times of an earlier run; they may be read after the first looks."""
    streaks = {
        finding_id: replace(streak, first_seen_at=min(streak.first_seen_at, first_seen[finding_id]))
        if finding_id in first_seen and streak.first_seen_uptime_seconds <= history.restored_until_uptime_seconds
        else streak
        for finding_id, streak in history.streaks.items()
    }
    waiting = {finding_id: moment for finding_id, moment in first_seen.items() if finding_id not in streaks}
    return replace(history, streaks=streaks, restored_first_seen=waiting)


def may_be_stored(found: Collection[str], stored: Collection[str] | None, looks: int, *, settled: bool) -> bool:
    """Return whether a report may replace the stored one.

    Until a new agent can know better, it must not report as healed what it has just not seen for long enough. While
    nobody could read what is stored, as in an outage of the API server, any report would wipe out its first-seen times.

    Args:
        found: Ids of the findings now.
        stored: Ids of the findings that an earlier run of the agent left; None while they could not be read.
        looks: Scans since the start of the agent.
        settled: Whether it has run for ``settling_seconds``.
    """
    if stored is None or looks < LOOKS_NEEDED:
        return False
    return settled or set(stored) <= set(found) or not set(found) <= set(stored)


def _lasting_seconds(check: Check, settings: Settings) -> float:
    """Return how long what a check finds has to last; what somebody has set counts, of whatever it is the bound."""
    given = settings.thresholds.get(check.id, {})
    bounds = [given[one.name] for one in check.thresholds if one.unit == "seconds" and one.name in given]
    return max(check.persistence_seconds(thresholds_of(check, settings.thresholds)), *bounds, 0)
