"""``pausewatch explain``: the runbook page of a check or of an alert about an agent, or a word of the field."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib.resources import files
from importlib.resources.abc import Traversable

import click
from rich.text import Text

from pausewatch import alerts, checks
from pausewatch.alerts.agent_alerts import ALERT_PREFIX, AgentAlert, agent_alert_pages
from pausewatch.checks._check import Check, all_checks
from pausewatch.cli.console import show_page, stdout_is_terminal
from pausewatch.cli.errors import CliError, ExitCode
from pausewatch.cli.runbook import show_runbook
from pausewatch.cli.streams import write
from pausewatch.cli.terms import term_texts, terms
from pausewatch.model.text import printable
from pausewatch.sinks.page import Line, Page, labelled


def _starting(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Return what a shell may complete a name to."""
    names = (name.replace(" ", "-") for name in _pages())
    return sorted(name for name in names if name.lower().startswith(incomplete.lower()))


@click.command("explain")
@click.argument("name", required=False, metavar="[CHECK|REASON|ALERT|WORD]", shell_complete=_starting)
def command(name: str | None) -> ExitCode:
    """Tell what a check, reason, alert or word means, and what to do; without a name, list all.

    Needs no node and no network.

    \b
      pausewatch explain
      pausewatch explain zombie-buildup
      pausewatch explain ZombieBuildup
      pausewatch explain PausewatchZombieBuildup
      pausewatch explain PausewatchDown
      pausewatch explain zombie
    """  # noqa: D301  \b is click's mark for lines that are not to be wrapped
    if name is None:
        show_page(Page(tuple(_listed())))
        return ExitCode.OK
    page = find(name)
    if stdout_is_terminal():
        show_runbook(page)
    else:
        write(page)
    return ExitCode.OK


def find(name: str) -> str:
    """Return the page that is meant by a check, a reason, an alert or a word; case does not matter.

    Raises:
        CliError: There is none; names the nearest one.
    """
    known = {_plain(spelling): page for spelling, page in _pages().items()}
    if _plain(name) in known:
        page = known[_plain(name)]
        return page if isinstance(page, str) else page.read_text(encoding="utf-8")
    spellings = {spelling.lower(): spelling for spelling in _pages()}
    near = get_close_matches(name.lower(), spellings, n=1) or [one for one in spellings if name.lower() in one]
    hint = f"did you mean {spellings[near[0]]}?" if near else "pausewatch explain lists all"
    raise CliError(f"there is no check, reason, alert or word {printable(name)!r}; {hint}", ExitCode.USAGE)


def _plain(name: str) -> str:
    """Return a name as it is compared: words of several words are typed with a hyphen, or in quotes."""
    return name.lower().replace(" ", "-")


def _pages() -> Mapping[str, Traversable | str]:
    """Return every page, or its text, by all that it may be called."""
    page = {check.id: files(checks).joinpath(check.page) for check in all_checks()}
    by_reason = {reason.name: page[check.id] for check in all_checks() for reason in check.reasons}
    by_alert = {f"{ALERT_PREFIX}{reason}": one for reason, one in by_reason.items()}
    of_agents = {name: files(alerts).joinpath(alert.page) for name, alert in agent_alert_pages().items()}
    return {**term_texts(), **page, **by_reason, **by_alert, **of_agents}


def _listed() -> Iterator[Line]:
    for number, check in enumerate(all_checks()):
        if number:
            yield Line(text=Text())
        yield Line(text=Text.assemble((check.id, "bold"), f"  {check.title}"))
        yield from labelled(_rows(check), level=1)
    for name, alert in agent_alert_pages().items():
        yield Line(text=Text())
        yield _told(name, alert)
    yield Line(text=Text())
    yield Line(text=Text.assemble(("words", "bold"), "  in reports, pages and this program"))
    yield from labelled(((term.names[0].replace(" ", "-"), Text(term.brief)) for term in terms()), level=1)


def _told(name: str, alert: AgentAlert) -> Line:
    return Line(text=Text.assemble((name, "bold"), f"  {alert.summary}"))


def _rows(check: Check) -> Iterator[tuple[str, Text]]:
    for reason in check.reasons:
        severities = " or ".join(severity.value for severity in reason.severities)
        yield reason.name, Text(f"{severities}: {reason.meaning}")
    for threshold in check.thresholds:
        yield "threshold", Text(f"--set {check.id}.{threshold.name}={threshold.default:g}  ({threshold.unit})")
