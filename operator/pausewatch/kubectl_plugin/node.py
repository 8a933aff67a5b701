"""One node: what its report says, how old it is, and what to do where there is none."""

from collections.abc import Iterator
from datetime import datetime

from rich.text import Text

from pausewatch.kubectl_plugin.stored import StoredReport
from pausewatch.model.report import Severity
from pausewatch.sinks.page import Line, Page, labelled, words
from pausewatch.sinks.report import time_text
from pausewatch.sinks.terminal import STYLES, ago, counted, explained, finding_lines

AGENT_OF = "kubectl get pods -A -l app.kubernetes.io/name=pausewatch --field-selector spec.nodeName={node}"
"""The agent's pod; the label is the chart's."""

CONDITION_STYLES = {"True": "green", "False": "bold red"}


def node_page(report: StoredReport, now: datetime, *, wide: bool = False, namespace: str = "") -> Page:
    """Return what is known of a node.

    Args:
        report: Stored.
        now: When it was read.
        wide: With all evidence and commands; otherwise the first command of each finding.
        namespace: If not empty, only findings about its pods.
    """
    shown = [one for one in report.findings if not namespace or one.subject.namespace == namespace]
    lines = [Line(text=_header(report)), *_written(report, now)]
    lines += labelled(_conditions(report), level=1)
    for finding in shown:
        lines += [Line(text=Text()), *finding_lines(finding, now, wide=wide)]
    lines += _left_out(report, len(shown), namespace)
    lines += _coverage(report)
    lines += explained(shown, wide=wide)
    return Page(tuple(lines))


def stale_line(report: StoredReport, now: datetime) -> Iterator[Line]:
    """Yield, where the agent is silent, that nothing is known of the time since, and where to look."""
    if report.is_stale(now):
        since = f"since {time_text(report.written_at)}, {ago(report.written_at, now)}" if report.written_at else "ever"
        text = f"no word from its agent {since}: what follows may be over, and what is new is not known"
        yield Line(label=words(("STALE", "bold yellow"), "  "), text=Text(text))
        yield Line(text=Text(AGENT_OF.format(node=report.node)), level=1, wraps=False)


def _header(report: StoredReport) -> Text:
    counts = [
        (f"{number} {severity.value.lower()}", STYLES[severity])
        for severity in Severity
        if (number := report.counts[severity])
    ]
    pieces: list[str | tuple[str, str]] = [(f"{report.node}: ", "bold")]
    for position, count in enumerate(counts):
        pieces += [", "] * bool(position) + [count]
    summary = report.summary
    parts = [
        report.runtime,
        *(
            counted(summary[key], noun)
            for key, noun in (("sandboxes", "sandbox"), ("zombies", "zombie"))
            if key in summary
        ),
    ]
    told = ", ".join(filter(None, parts))
    return words(*pieces, *([] if counts else ["no findings"]), f". {told}" if told else "")


def _written(report: StoredReport, now: datetime) -> Iterator[Line]:
    if report.is_stale(now):
        yield from stale_line(report, now)
    elif report.written_at is not None:
        text = f"reported {time_text(report.written_at)}, {ago(report.written_at, now)}"
        yield Line(text=words((text, "dim")), level=1)


def _conditions(report: StoredReport) -> Iterator[tuple[str, Text]]:
    for one in report.conditions:
        status = (one.status, CONDITION_STYLES.get(one.status, "bold yellow"))
        # Healthy repeats what the worst finding says.
        message = "" if one.type == "Healthy" and report.findings else f": {one.message}"
        yield one.type, words(status, f"  {one.reason}{message}")


def _left_out(report: StoredReport, shown: int, namespace: str) -> Iterator[Line]:
    others = len(report.findings) - shown
    if others:
        yield Line(text=Text())
        yield Line(text=Text(f"{counted(others, 'finding')} not about pods of {namespace}"))
    if report.truncated:
        yield Line(text=Text())
        text = f"{counted(report.truncated, 'more finding')} did not fit into the report: pausewatch scan on the node"
        yield Line(text=Text(text))


def _coverage(report: StoredReport) -> Iterator[Line]:
    coverage = report.coverage
    rows = [
        ("not comparable", coverage.get("notComparableSandboxes", 0), "sandbox"),
        ("not readable", coverage.get("unreadableProcesses", 0), "first process"),
        ("ignored, as the settings say", coverage.get("ignoredFindings", 0), "finding"),
    ]
    told = [(label, Text(counted(number, noun))) for label, number, noun in rows if number]
    reasons: dict[str, list[str]] = {}
    for check, reason in report.skipped_checks:
        reasons.setdefault(reason, []).append(check)
    told += [(f"skipped, {reason}", Text(", ".join(checks))) for reason, checks in reasons.items()]
    if told:
        yield Line(text=Text())
        further = "; pausewatch explain REASON says what each means" if reasons else ""
        yield Line(text=words((f"not judged{further}:", "dim")))
        yield from labelled(told, level=1)
