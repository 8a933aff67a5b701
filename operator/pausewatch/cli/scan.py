"""``pausewatch scan``: judge this node, now."""

from collections import deque
from dataclasses import dataclass
from typing import Any

import click

from pausewatch.cli.console import show_page
from pausewatch.cli.errors import ExitCode
from pausewatch.cli.options import RUNTIME_OPTIONS, SET_OPTION
from pausewatch.cli.source import FROM_OPTION, Source, require_sandboxes, with_source
from pausewatch.cli.streams import write
from pausewatch.cli.watch import WATCH_OPTIONS, refuse_interval_alone, watch
from pausewatch.model.report import Outcome, Report, Severity
from pausewatch.scan import Look
from pausewatch.sinks import report as report_object
from pausewatch.sinks import terminal

SEVERITIES = {severity.value.lower(): severity for severity in Severity}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line said about a scan."""

    output: str
    fail_on: str | None
    require_complete: bool
    watching: bool
    interval: float


@click.command("scan")
@click.option(
    "-o", "--output", type=click.Choice(["table", "wide", "json", "yaml"]), default="table", show_default=True,
    help="json and yaml print the PodSandboxReport object.",
)  # fmt: skip
@click.option("--fail-on", type=click.Choice(list(SEVERITIES)), help="Exit with 10 on a finding this bad or worse.")
@click.option("--require-complete", is_flag=True, help="Exit with 11 if a check could not judge.")
@with_source(*WATCH_OPTIONS, FROM_OPTION, SET_OPTION, *RUNTIME_OPTIONS)
def command(source: Source, **given: Any) -> ExitCode:  # noqa: ANN401  options by name
    """Judge the pod sandboxes of this node, now.

    Takes two looks, a second apart, or three where something has to be seen so often, and changes nothing. What has to
    last for minutes is told as not sure yet: --watch and the agent wait for it. Needs root for the runtime's socket and
    for the Linux namespaces of other users' processes; doctor tells what is missing.

    \b
      pausewatch scan
      pausewatch scan -o json | jq '.status.findings[].message'
      pausewatch scan --fail-on critical --require-complete
      pausewatch scan --set zombie-buildup.zombies=50
      pausewatch scan --watch --interval 5
      pausewatch scan --from node-7.json

    \b
    Exit codes:
      0    scanned, whatever was found
      1    could not scan
      2    wrong flag, argument or setting
      10   a finding at or above --fail-on
      11   a check could not judge, and --require-complete
      130  interrupted
    """  # noqa: D301  \b is click's mark for lines that are not to be wrapped
    options = Options(**given)
    if options.watching:
        _refuse_what_ends(source, options)
        return watch(source.settings, options.interval, wide=options.output == "wide")
    refuse_interval_alone()
    (last,) = deque(source.looks(), maxlen=1)
    require_sandboxes(last.snapshot, "scan")
    _show(last, options.output, live=source.is_live)
    return exit_code(last.report, SEVERITIES.get(options.fail_on or ""), require_complete=options.require_complete)


def exit_code(report: Report, fail_on: Severity | None, *, require_complete: bool) -> ExitCode:
    """Return how a scan ends; a finding outweighs a check that could not judge."""
    if fail_on is not None and any(finding.severity.rank <= fail_on.rank for finding in report.findings):
        return ExitCode.FINDINGS
    if require_complete and any(result.outcome in (Outcome.SKIP, Outcome.ERROR) for result in report.results):
        return ExitCode.INCOMPLETE
    return ExitCode.OK


def _refuse_what_ends(source: Source, options: Options) -> None:
    if not source.is_live:
        raise click.UsageError("--watch looks at this node again and again; --from replays a recorded one")
    if options.output not in ("table", "wide"):
        raise click.UsageError("--watch shows a table; for -o json call scan again and again")
    if options.fail_on or options.require_complete:
        raise click.UsageError("--watch never ends by itself, so --fail-on and --require-complete have no effect")


def _show(last: Look, output: str, *, live: bool) -> None:
    match output:
        case "json":
            write(report_object.to_json(report_object.render(last.report)))
        case "yaml":
            write(report_object.to_yaml(report_object.render(last.report)))
        case _:
            show_page(terminal.scan(last.report, last.snapshot.access, wide=output == "wide", live=live))
