"""One look at a node: collect, confirm, evaluate. What the command line and the agent both call."""

from collections.abc import Iterable
from dataclasses import dataclass

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


def look(collector: Collector, history: History, settings: Settings) -> Look:
    """Read the node now and judge it.

    What a suspicion rests on is read once more after everything else, so that a container that came or went during
    the reads is never judged by halves of two instants.
    """
    checks = all_checks()
    found = judge(collector.collect(), history, settings, checks)
    suspects = candidates(found.report, found.history)
    if not suspects:
        return found
    return judge(collector.confirm(found.snapshot, suspects), history, settings, checks)


def judge(snapshot: Snapshot, history: History, settings: Settings, checks: Iterable[Check] | None = None) -> Look:
    """Judge a Snapshot that was taken before, such as a recorded one."""
    report, following = evaluate(snapshot, history, settings, all_checks() if checks is None else checks)
    return Look(snapshot=snapshot, report=report, history=following)
