"""A scan for the person on call: what is wrong, since when, what proves it, what to type next.

Compact output is complete in what is wrong and what to do first; wide output adds everything else that is known.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby

from rich.text import Text

from pausewatch.model.access import AccessFact
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import CheckResult, Finding, NextCommand, Outcome, Report, RunOn, Severity, Suspicion
from pausewatch.sinks import bounds
from pausewatch.sinks.conditions import Status, healthy, unread
from pausewatch.sinks.page import Line, Page, labelled, words
from pausewatch.sinks.report import time_text

STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold cyan"}
"""Colour repeats the word beside it, it never stands alone."""

PLACES = {RunOn.NODE: "on the node", RunOn.CLUSTER: "from the cluster"}

MINUTE, HOUR, DAY = 60, 3600, 86400

SUSPICIONS = 5
"""Told of what is not sure yet."""


def scan(report: Report, facts: Iterable[AccessFact] = (), *, wide: bool = False, live: bool = False) -> Page:
    """Return one scan, worst first.

    Args:
        report: One scan, judged.
        facts: What the scan could and could not see, for wide output.
        wide: Everything that is known; otherwise the worst findings with their first command.
        live: Whether it is read now: times are then also told as distances, which stored text must not hold.
    """
    shown = report.findings if wide else report.findings[: bounds.FINDINGS]
    lines = [Line(text=_header(report))]
    lines += _unread(report)
    for finding in shown:
        lines.append(_blank())
        lines += finding_lines(finding, report.taken_at if live else None, wide=wide)
    lines += _left_out(report.findings[len(shown) :])
    lines += _not_sure_yet(report.suspicions)
    lines += explained(shown, wide=wide)
    if wide:
        lines += _section("what this process can see:", access_lines(facts, level=1))
    if len(lines) > 1:
        lines.append(_blank())
    lines += _not_judged(report)
    lines.append(Line(text=Text(results_text(report.results))))
    return Page(tuple(lines))


def access(facts: Iterable[AccessFact]) -> Page:
    """Return what this process can and cannot see on the node, what is lost by it, and how to get it."""
    facts = tuple(facts)
    granted = sum(fact.granted for fact in facts)
    summary = f"{counted(len(facts), 'precondition')}: {granted} met, {len(facts) - granted} missing"
    return Page((*access_lines(facts), _blank(), Line(text=Text(summary))))


def with_not_asked(page: Page, what: str) -> Page:
    """Return a page of preconditions with those that nobody could be asked about."""
    return Page((*page.lines, Line(label=words(("not asked  ", "bold")), text=Text(what))))


def access_lines(facts: Iterable[AccessFact], level: int = 0) -> Iterator[Line]:
    """Yield one line per fact; a missing one is followed by what is lost and how to get it."""
    for fact in facts:
        mark = ("ok       ", "green") if fact.granted else ("MISSING  ", "bold red")
        yield Line(label=words(mark), text=Text(f"{fact.name}: {fact.detail}"), level=level)
        rows = (("not found", fact.lost), ("to get it", fact.remedy))
        yield from labelled(((label, Text(text)) for label, text in rows if text), level=level + 2)


def with_changes(page: Page, changes: Iterable[str]) -> Page:
    """Return a page with what changed lately below it, the latest last."""
    return Page((*page.lines, *_section("what changed:", (Line(text=Text(one), level=1) for one in changes))))


def cannot_look(why: str) -> Page:
    """Return the page that takes the place of what can not be seen at the moment."""
    return Page((Line(label=words(("cannot look", "bold red"), "  "), text=Text(why)),))


def results_text(results: Iterable[CheckResult]) -> str:
    """Return how many checks passed, and by name those that could not judge, in one line."""
    results = tuple(results)
    counts = {outcome: sum(result.outcome is outcome for result in results) for outcome in Outcome}
    parts = [f"{counts[Outcome.PASS]} passed", f"{counts[Outcome.FAIL]} failed"]
    parts.append(f"{counts[Outcome.SKIP]} skipped" + _why(results, Outcome.SKIP))
    if counts[Outcome.ERROR]:
        parts.append(f"{counts[Outcome.ERROR]} broke" + _why(results, Outcome.ERROR))
    return f"{counted(len(results), 'check')}: {', '.join(parts)}"


def commands(given: Iterable[NextCommand], level: int = 1) -> Iterator[Line]:
    """Yield commands on lines of their own, so that a whole line can be copied."""
    lead = "next"
    for place, group in groupby(given, key=lambda command: command.run_on):
        yield Line(text=words((f"{lead}, {PLACES[place]}:", "dim")), level=level)
        for command in group:
            yield Line(text=words((command.command, "bold")), level=level + 1, wraps=False)
        lead = "then"


def explained(findings: Iterable[Finding], *, wide: bool) -> Iterable[Line]:
    """Return how to learn more about findings; nothing where there are none.

    Args:
        findings: Those that were shown.
        wide: Whether they were shown with all their commands; otherwise it says how to see the others, which often
            are those that heal.
    """
    reasons = dict.fromkeys(finding.reason for finding in findings)
    lines = (Line(text=Text(f"pausewatch explain {reason}"), level=1, wraps=False) for reason in reasons)
    further = "" if wide else "; -o wide shows every command"
    return _section(f"what it means, and what to do{further}:", lines)


def lasting(seconds: float) -> str:
    """Return a duration as people say it, rounded down: ``12 s``, ``5 min``, ``3 h``, ``10 d``."""
    for unit, name in ((DAY, "d"), (HOUR, "h")):
        if seconds >= 2 * unit:
            return f"{int(seconds // unit)} {name}"
    return f"{int(seconds // MINUTE)} min" if seconds >= MINUTE else f"{max(0, int(seconds))} s"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 check``, ``1,576 zombies``."""
    plural = noun + ("es" if noun.endswith(("x", "s")) else "s")
    return f"{number:,} {noun if number == 1 else plural}"


def ago(then: datetime, now: datetime) -> str:
    """Return a distance in time as people say it, rounded down."""
    seconds = int((now - then).total_seconds())
    return "just now" if seconds < MINUTE else f"{lasting(seconds)} ago"


def _header(report: Report) -> Text:
    summary = report.summary
    text = words((f"{report.node_name}: ", "bold"), _verdict(report), ".")
    if isinstance(report.runtime, Unavailable):
        return text
    ready = f" ({summary.ready_sandboxes:,} ready)" if summary.ready_sandboxes != summary.sandboxes else ""
    counts = (
        f"{report.runtime.name} {report.runtime.version}",
        counted(summary.sandboxes, "sandbox") + ready,
        counted(summary.containers, "container"),
        counted(summary.zombies, "zombie"),
    )
    return words(text, f" {', '.join(counts)}")


def _verdict(report: Report) -> Text:
    condition = healthy(report)
    counts = [f"{report.count(one)} {one.value.lower()}" for one in Severity if report.count(one)]
    found = f" ({', '.join(counts)})" if counts else ""
    match condition.status:
        case Status.TRUE:
            return words(("healthy", "bold green"), found)
        case Status.FALSE:
            return words(("NOT HEALTHY", STYLES[report.findings[0].severity]), found)
        case Status.UNKNOWN:
            return words(("UNKNOWN", "bold yellow"), f", the scan is incomplete{found}")


def _unread(report: Report) -> Iterable[Line]:
    return _section("could not be read:", (Line(text=Text(str(gap)), level=1) for gap in unread(report)))


def finding_lines(finding: Finding, now: datetime | None, *, wide: bool) -> Iterator[Line]:
    """Yield what is said of one finding.

    Args:
        finding: Judged, or read from a stored report.
        now: To tell how long ago it was first seen; None for its time alone.
        wide: With all evidence and commands; otherwise the first command.
    """
    severity = words((finding.severity.value.upper(), STYLES[finding.severity]), "  ")
    yield Line(label=severity, text=words((finding.reason, "bold"), "  ", str(finding.subject)))
    yield Line(text=Text(finding.message), level=1)
    yield Line(text=words((_first_seen(finding, now), "dim")), level=1)
    if wide:
        yield from labelled(_facts(finding), level=2)
        yield from commands(finding.next_commands)
    else:
        yield from commands(finding.next_commands[:1])


def _first_seen(finding: Finding, now: datetime | None) -> str:
    distance = f", {ago(finding.first_seen_at, now)}" if now is not None else ""
    return f"first seen {time_text(finding.first_seen_at)}{distance}"


def _facts(finding: Finding) -> Iterator[tuple[str, Text]]:
    for one in finding.evidence:
        yield one.name, Text(one.value)
    subject = finding.subject
    for name, value in (("podUID", subject.uid), ("sandboxID", subject.sandbox_id), ("findingID", finding.id)):
        if value:
            yield name, Text(value)


def _left_out(findings: Iterable[Finding]) -> Iterator[Line]:
    findings = tuple(findings)
    if findings:
        counts = [(one, sum(finding.severity is one for finding in findings)) for one in Severity]
        told = ", ".join(f"{count} {one.value.lower()}" for one, count in counts if count)
        yield _blank()
        yield Line(text=words((counted(len(findings), "more finding"), "bold"), f" ({told}), all with -o wide"))


def _not_sure_yet(suspicions: Iterable[Suspicion]) -> Iterable[Line]:
    """Yield what lasted for two looks at least, so that nobody takes a scan by hand for the agent's long view."""
    shown = [one for one in suspicions if one.is_worth_telling]
    lines = [
        Line(text=Text(f"{one.finding.reason}  {one.finding.subject}  ({until(one)})"), level=1)
        for one in shown[:SUSPICIONS]
    ]
    if len(shown) > SUSPICIONS:
        lines.append(Line(text=Text(f"and {len(shown) - SUSPICIONS:,} more"), level=1))
    return _section("seen, and not sure yet; --watch and the agent wait until it is:", lines)


def until(suspicion: Suspicion) -> str:
    """Return how long something has to last until it is a finding."""
    looks = f"{suspicion.looks_needed} scans"
    if not suspicion.seconds_needed:
        return f"a finding after {looks}"
    return f"a finding after {suspicion.seconds_needed:g} s, {looks} at least"


def _not_judged(report: Report) -> Iterator[Line]:
    """Yield what nothing was said about although it was read, so that silence is not mistaken for health."""
    coverage = report.coverage
    if coverage.not_comparable_sandboxes:
        sandboxes = counted(coverage.not_comparable_sandboxes, "sandbox")
        yield Line(text=Text(f"not judged: {sandboxes} in a virtual machine or a user-space kernel"))
    if coverage.ignored_findings:
        yield Line(text=Text(f"ignored, as the settings say: {counted(coverage.ignored_findings, 'finding')}"))


def _why(results: Iterable[CheckResult], outcome: Outcome) -> str:
    """Return the checks of one outcome by cause: one missing input can silence many."""
    causes: dict[str, list[str]] = {}
    for result in results:
        if result.outcome is outcome:
            causes.setdefault(" ".join((result.detail or result.reason).split()), []).append(result.check)
    told = "; ".join(f"{', '.join(checks)}: {cause}" for cause, checks in causes.items())
    return f" ({told})" if told else ""


def _section(title: str, lines: Iterable[Line]) -> list[Line]:
    found = list(lines)
    return [_blank(), Line(text=words((title, "dim"))), *found] if found else []


def _blank() -> Line:
    return Line(text=Text())
