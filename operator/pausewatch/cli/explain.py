"""``pausewatch explain``: the runbook page of a check, offline."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib.resources import files

import click
from rich.markdown import Markdown
from rich.text import Text

from pausewatch import checks
from pausewatch.checks._check import Check, all_checks
from pausewatch.cli.console import show_page, show_renderable, stdout_is_terminal
from pausewatch.cli.errors import CliError, ExitCode
from pausewatch.cli.streams import write
from pausewatch.model.text import printable
from pausewatch.sinks.page import Line, Page, labelled

ALERT_PREFIX = "Pausewatch"


@click.command("explain")
@click.argument("name", required=False, metavar="[CHECK|REASON|ALERT]")
def command(name: str | None) -> ExitCode:
    """Tell what a check, reason or alert means, and what to do; without a name, list all.

    Needs no node and no network.

    \b
      pausewatch explain
      pausewatch explain zombie-buildup
      pausewatch explain ZombieBuildup
      pausewatch explain PausewatchZombieBuildup
    """  # noqa: D301  \b is click's mark for lines that are not to be wrapped
    if name is None:
        show_page(Page(tuple(_listed())))
        return ExitCode.OK
    page = files(checks).joinpath(find(name).page).read_text(encoding="utf-8")
    if stdout_is_terminal():
        show_renderable(Markdown(page))
    else:
        write(page)
    return ExitCode.OK


def find(name: str) -> Check:
    """Return the check that is meant by its id, one of its reasons, or the alert of one; case does not matter.

    Raises:
        CliError: There is none; names the nearest one.
    """
    known = {spelling.lower(): check for spelling, check in _spellings().items()}
    if name.lower() in known:
        return known[name.lower()]
    spellings = {spelling.lower(): spelling for spelling in _spellings()}
    near = get_close_matches(name.lower(), spellings, n=1) or [one for one in spellings if name.lower() in one]
    hint = f"did you mean {spellings[near[0]]}?" if near else "pausewatch explain lists all"
    raise CliError(f"there is no check, reason or alert {printable(name)!r}; {hint}", ExitCode.USAGE)


def _spellings() -> Mapping[str, Check]:
    """Return every check by all that it may be called."""
    by_id = {check.id: check for check in all_checks()}
    by_reason = {reason.name: check for check in all_checks() for reason in check.reasons}
    by_alert = {f"{ALERT_PREFIX}{reason}": check for reason, check in by_reason.items()}
    return by_id | by_reason | by_alert


def _listed() -> Iterator[Line]:
    for number, check in enumerate(all_checks()):
        if number:
            yield Line(text=Text())
        yield Line(text=Text.assemble((check.id, "bold"), f"  {check.title}"))
        yield from labelled(_rows(check), level=1)


def _rows(check: Check) -> Iterator[tuple[str, Text]]:
    for reason in check.reasons:
        severities = " or ".join(severity.value for severity in reason.severities)
        yield reason.name, Text(f"{severities}: {reason.meaning}")
    for threshold in check.thresholds:
        yield "threshold", Text(f"--set {check.id}.{threshold.name}={threshold.default:g}  ({threshold.unit})")
