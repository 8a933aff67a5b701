"""One look at a node: collect, confirm, evaluate. What the command line and the agent both call."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pausewatch.checks._check import Check, all_checks
from pausewatch.evaluate import candidates, evaluate
from pausewatch.model.history import History
from pausewatch.model.report import Report
from pausewatch.model.settings import Settings
from pausewatch.model.snapshot import Snapshot
from pausewatch.sources.collector import Collector


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at a node gave."""

    snapshot: Snapshot
    report: Report
    history: History
    """To be passed to the next look."""

    duration_seconds: Mapping[str, float] = field(default_factory=dict)
    """By phase: ``read`` the node, ``judge`` it, ``confirm`` what is suspected by reading and judging once more; empty
    for a Snapshot that was taken before."""


def look(collector: Collector, history: History, settings: Settings) -> Look:
    """Read the node now and judge it.

    What a suspicion rests on is read once more after everything else, so that a container that came or went during
    the reads is never judged by halves of two instants.
    """
    checks = all_checks()
    began = time.monotonic()
    snapshot = collector.collect()
    has_read = time.monotonic()
    found = judge(snapshot, history, settings, checks)
    has_judged = time.monotonic()
    suspects = candidates(found.report, found.history)
    if suspects:
        confirmed = collector.confirm(found.snapshot, suspects)
        # Nothing else differs, so that judging what is confirmed would say the same again: on a node with thousands of
        # zombies that takes longer than reading them.
        if confirmed.changed_owners:
            found = judge(confirmed, history, settings, checks)
    durations = {"read": has_read - began, "judge": has_judged - has_read, "confirm": time.monotonic() - has_judged}
    return replace(found, duration_seconds=durations)


def judge(snapshot: Snapshot, history: History, settings: Settings, checks: Iterable[Check] | None = None) -> Look:
    """Judge a Snapshot that was taken before, such as a recorded one."""
    report, following = evaluate(snapshot, history, settings, all_checks() if checks is None else checks)
    return Look(snapshot=snapshot, report=report, history=following)
