"""``--watch`` of scan and inspect: the same look again and again.

On a terminal the page is drawn anew each time. Elsewhere only changes are written: a log of them can be followed,
searched and kept.
"""

import time
from collections import deque
from collections.abc import Iterator

import click
from click.core import ParameterSource

from pausewatch.cli.console import show_page, stdout_is_terminal
from pausewatch.cli.errors import ExitCode
from pausewatch.cli.options import Decorator
from pausewatch.cli.streams import write
from pausewatch.model.history import History
from pausewatch.model.report import Finding, Report
from pausewatch.model.settings import Settings
from pausewatch.scan import Look, look
from pausewatch.sinks import terminal
from pausewatch.sinks.report import time_text
from pausewatch.sources.collector import Collector

CHANGES_SHOWN = 8
"""Below the page, the latest last: what cleared is no longer on the page, and would be gone without a word."""

WATCH_OPTIONS: tuple[Decorator, ...] = (
    click.option("--watch", "watching", is_flag=True, help="Again and again, until Ctrl-C; in a pipe, changes only."),
    click.option(
        "--interval", type=click.FloatRange(min=0.1), default=10.0, show_default=True, metavar="SECONDS",
        help="Between the looks of --watch.",
    ),
)  # fmt: skip


def refuse_interval_alone() -> None:
    """End the program where ``--interval`` is given without ``--watch``: somebody would wait for a second look.

    Raises:
        click.UsageError: It is.
    """
    if click.get_current_context().get_parameter_source("interval") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--interval is the time between the looks of --watch, and --watch is not given")


def watch(settings: Settings, interval_seconds: float, *, wide: bool) -> ExitCode:
    """Scan this node until Ctrl-C; a runtime that can not be reached is told, and asked again."""
    before = None
    latest: deque[str] = deque(maxlen=CHANGES_SHOWN)
    for found in looks(settings, interval_seconds):
        changed = tuple(changes(before, found.report))
        latest.extend(changed)
        if stdout_is_terminal():
            page = terminal.scan(found.report, found.snapshot.access, wide=wide, live=True)
            show_page(terminal.with_changes(page, tuple(latest)), clear=True)
        else:
            for line in changed:
                write(f"{line}\n")
        before = found.report
    return ExitCode.OK


def looks(settings: Settings, interval_seconds: float) -> Iterator[Look]:
    """Yield looks at this node, each judged with what the ones before left, without an end."""
    history, interval = History(), min(interval_seconds, settings.look_interval_seconds)
    with Collector(settings) as collector:
        while True:
            found = look(collector, history, settings)
            yield found
            # What must be seen twice is told a second after the start already.
            time.sleep(interval)
            history, interval = found.history, interval_seconds


def changes(before: Report | None, after: Report) -> Iterator[str]:
    """Yield what changed from one report to the next, each line with its time."""
    moment = time_text(after.taken_at)
    trouble = trouble_of(after)
    if before is None:
        yield f"{moment} watching {after.node_name}"
    if trouble != (trouble_of(before) if before else ""):
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


def trouble_of(report: Report) -> str:
    """Return why the container runtime could not be asked; empty if it was."""
    return next((str(why) for name, why in report.unavailable if name == "sandboxes"), "")


def _by_id(report: Report | None) -> dict[str, Finding]:
    return {} if report is None else {finding.id: finding for finding in report.findings}
