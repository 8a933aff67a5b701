"""What survives a restart of the agent: when findings were first seen, and a report that is not yet disproved."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from pausewatch.model.history import History

SETTLING_SECONDS = 300.0
"""How long a new agent may need to see again what the one before it found: an orphan has to be missing for 150 s and in
three scans, zombies have to be a minute old, and both clocks start anew."""

LOOKS_NEEDED = 2
"""What must be seen twice is not known after the first look: it would report every node as healthy."""


def beginning(uptime_seconds: float) -> History:
    """Return what an agent remembers that starts now, by the boot clock."""
    return History(restored_until_uptime_seconds=uptime_seconds + SETTLING_SECONDS)


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


def may_be_stored(found: Collection[str], stored: Collection[str], looks: int, running_seconds: float) -> bool:
    """Return whether a report may replace the stored one.

    Until a new agent can know better, it must not report as healed what it has just not seen for long enough.

    Args:
        found: Ids of the findings now.
        stored: Ids of the findings that an earlier run of the agent left.
        looks: Scans since the start of the agent.
        running_seconds: Time since its start.
    """
    if looks < LOOKS_NEEDED:
        return False
    return running_seconds >= SETTLING_SECONDS or set(stored) <= set(found) or not set(found) <= set(stored)
