"""``pausewatch scan --watch``: the same scan again and again.

On a terminal the page is drawn anew each time. Elsewhere only changes are written, one line each: a log of them can be
followed, searched and kept.
"""

import time
from collections.abc import Iterator

from pausewatch.cli.console import show_page, stdout_is_terminal
from pausewatch.cli.errors import ExitCode
from pausewatch.cli.streams import write
from pausewatch.model.history import History
from pausewatch.model.report import Finding, Report
from pausewatch.model.settings import Settings
from pausewatch.scan import look
from pausewatch.sinks import terminal
from pausewatch.sinks.report import time_text
from pausewatch.sources.collector import Collector


def watch(settings: Settings, interval_seconds: float, *, wide: bool) -> ExitCode:
    """Look at this node until Ctrl-C; a runtime that can not be reached is told, and asked again."""
    history, before = History(), None
    with Collector(settings) as collector:
        while True:
            found = look(collector, history, settings)
            if stdout_is_terminal():
                show_page(terminal.scan(found.report, found.snapshot.access, wide=wide, live=True), clear=True)
            else:
                for line in changes(before, found.report):
                    write(f"{line}\n")
            # What must be seen twice is told a second after the start already.
            time.sleep(interval_seconds if before else min(interval_seconds, settings.look_interval_seconds))
            history, before = found.history, found.report


def changes(before: Report | None, after: Report) -> Iterator[str]:
    """Yield what changed from one report to the next, each line with its time."""
    moment = time_text(after.taken_at)
    trouble = _trouble(after)
    if before is None:
        yield f"{moment} watching {after.node_name}"
    if trouble != (_trouble(before) if before else ""):
        yield f"{moment} cannot scan: {trouble}" if trouble else f"{moment} scanning again"
    earlier = _by_id(before)
    now = _by_id(after)
    for finding_id, finding in now.items():
        if finding_id not in earlier:
            yield f"{moment} appeared {finding.severity} {finding.reason}: {finding.message}"
        elif finding.severity is not earlier[finding_id].severity:
            yield f"{moment} became {finding.severity} {finding.reason}: {finding.message}"
    for finding_id, finding in earlier.items():
        if finding_id not in now:
            yield f"{moment} cleared {finding.severity} {finding.reason}: {finding.subject}"


def _trouble(report: Report) -> str:
    """Return why the container runtime could not be asked; empty if it was."""
    return next((str(why) for name, why in report.unavailable if name == "sandboxes"), "")


def _by_id(report: Report | None) -> dict[str, Finding]:
    return {} if report is None else {finding.id: finding for finding in report.findings}
