"""All nodes, worst first: what a person looks at first, and the same as an object for programs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rich.text import Text

from pausewatch.kubectl_plugin.stored import StoredReport
from pausewatch.model.report import Severity
from pausewatch.sinks.page import Line, Page, words
from pausewatch.sinks.report import Object, known, time_text
from pausewatch.sinks.terminal import DAY, HOUR, MINUTE, counted

HEALTHY_ROWS = 50
"""Rows that a table may have before healthy nodes are counted instead of shown: of 5,000, nobody reads them."""

GAP = "  "


class Verdict(StrEnum):
    """What is known of a node now; the worst first."""

    NOT_HEALTHY = "NOT HEALTHY"
    STALE = "STALE"
    """Its agent should have written again, and has not: nothing is known of the time since."""

    NO_REPORT = "NO REPORT"
    UNKNOWN = "UNKNOWN"
    """The scan was not complete, and nothing was found."""

    HEALTHY = "healthy"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Verdict).index(self)


VERDICT_STYLES = {Verdict.HEALTHY: "green", Verdict.NOT_HEALTHY: "bold red"}
OTHER_STYLE = "bold yellow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One node."""

    node: str
    verdict: Verdict
    counts: Mapping[Severity, int]
    orphans: int = 0
    zombies: int = 0
    written_at: datetime | None = None
    message: str = ""
    """Of the worst finding; where there is none, why nothing is known."""

    reason: str = ""
    """Of the worst finding, or of the condition Healthy."""

    @property
    def worst(self) -> Severity | None:
        """The worst severity of which there is a finding."""
        return next((severity for severity in Severity if self.counts.get(severity)), None)

    @property
    def sort_key(self) -> tuple[int, int, tuple[int, ...], str]:
        """Worst first: by the worst finding that asks for action, then by what is known, then by how many."""
        acts = self.worst if self.worst is not Severity.INFO else None
        rank = len(Severity) if acts is None else acts.rank
        return (rank, self.verdict.rank, tuple(-self.counts.get(one, 0) for one in Severity), self.node)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """All nodes of a cluster, worst first."""

    rows: tuple[Row, ...]
    as_of: datetime
    namespace: str = ""
    """If not empty, only findings about its pods count, and only nodes with one are there."""

    without_nodes: str = ""
    """Why the Nodes could not be listed; then nobody knows whether one lacks its report."""

    @property
    def is_complete(self) -> bool:
        """Whether every node is known to be healthy or not."""
        return not self.without_nodes and all(
            row.verdict in (Verdict.HEALTHY, Verdict.NOT_HEALTHY) for row in self.rows
        )


def row_of(report: StoredReport, now: datetime, namespace: str = "") -> Row | None:
    """Return the row of a node that has a report.

    Args:
        report: Stored.
        now: Decides whether it is stale.
        namespace: If not empty, only findings about its pods count; None without one.
    """
    findings = [one for one in report.findings if not namespace or one.subject.namespace == namespace]
    if namespace and not findings:
        return None
    counts = Counter(one.severity for one in findings) if namespace else report.counts
    healthy = report.condition("Healthy")
    stale = report.is_stale(now)
    verdict = Verdict.STALE if stale else _verdict("" if healthy is None else healthy.status)
    told = findings[0] if findings else (healthy if verdict is not Verdict.HEALTHY else None)
    since = f"no word since {time_text(report.written_at)}" if report.written_at else "nothing was ever written"
    return Row(
        node=report.node,
        verdict=verdict,
        counts=counts,
        orphans=report.summary.get("orphans", 0),
        zombies=report.summary.get("zombies", 0),
        written_at=report.written_at,
        reason=told.reason if told else "",
        message="; last ".join(filter(None, (since if stale else "", told.message if told else ""))),
    )


def fleet(rows: Iterable[Row], nodes: Mapping[str, str] | str, now: datetime, namespace: str = "") -> Fleet:
    """Return all nodes in their order.

    Args:
        rows: Of the nodes that have a report.
        nodes: The state of each Node, as ``Ready``; or why they could not be listed.
        now: When the reports were read.
        namespace: As of ``row_of``.
    """
    found = list(rows)
    if isinstance(nodes, Mapping) and not namespace:
        reported = {row.node for row in found}
        found += [
            Row(
                node=name,
                verdict=Verdict.NO_REPORT,
                counts={},
                message=f"no agent has written a report; the node is {state}",
            )
            for name, state in nodes.items()
            if name not in reported
        ]
    return Fleet(
        rows=tuple(sorted(found, key=lambda row: row.sort_key)),
        as_of=now,
        namespace=namespace,
        without_nodes=nodes if isinstance(nodes, str) else "",
    )


def fleet_object(shown: Fleet) -> Object:
    """Return the same facts for programs, every node, in the same order."""
    return {
        "asOf": time_text(shown.as_of),
        **known({"namespace": shown.namespace, "nodesNotListed": shown.without_nodes}),
        "nodes": [
            {
                "name": row.node,
                "verdict": row.verdict.name.replace("_", " ").title().replace(" ", ""),
                **{severity.value.lower(): row.counts.get(severity, 0) for severity in Severity},
                "orphans": row.orphans,
                "zombies": row.zombies,
                **known({"reportTime": time_text(row.written_at) if row.written_at else ""}),
                **known({"reason": row.reason, "message": row.message}),
            }
            for row in shown.rows
        ],
    }


def fleet_page(shown: Fleet, *, wide: bool = False, terminal: bool = False) -> Page:
    """Return the table.

    Args:
        shown: What to show.
        wide: Healthy nodes too, however many.
        terminal: A message stands below its node, where it can be wrapped; in a pipe a node is one line.
    """
    urgent = [row for row in shown.rows if row.verdict is not Verdict.HEALTHY or row.worst is not None]
    quiet = [row for row in shown.rows if row.verdict is Verdict.HEALTHY and row.worst is None]
    left = quiet if wide else quiet[: max(HEALTHY_ROWS - len(urgent), 0)]
    rows = [*urgent, *left]
    lines = list(_table(rows, shown.as_of, terminal=terminal))
    if len(left) < len(quiet):
        hidden = counted(len(quiet) - len(left), "more node")
        lines.append(Line(text=Text(f"{hidden}, healthy and without any finding: -o wide shows them")))
    if lines:
        lines.append(Line(text=Text()))
    lines.append(Line(text=Text(_totals(shown))))
    if shown.without_nodes:
        lines.append(Line(text=Text(f"whether a node lacks its report is not known: {shown.without_nodes}")))
    return Page(tuple(lines))


def age(then: datetime | None, now: datetime) -> str:
    """Return how long ago something was, as kubectl's tables do: ``45s``, ``7m``, ``3h``, ``2d``."""
    if then is None:
        return "-"
    seconds = max(int((now - then).total_seconds()), 0)
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if seconds >= 2 * unit:
            return f"{seconds // unit}{name}"
    return f"{seconds}s"


def _verdict(healthy: str) -> Verdict:
    return {"True": Verdict.HEALTHY, "False": Verdict.NOT_HEALTHY}.get(healthy, Verdict.UNKNOWN)


HEADINGS = ("NODE", "HEALTH", "CRITICAL", "WARNING", "INFO", "ORPHANS", "ZOMBIES", "AGE")
LAST_HEADING = "WORST FINDING"


def _table(rows: list[Row], now: datetime, *, terminal: bool) -> Iterator[Line]:
    cells = [_cells(row, now) for row in rows]
    widths = [max(map(len, column)) for column in zip(HEADINGS, *cells, strict=True)]
    if rows:
        heading = GAP.join(name.ljust(width) for name, width in zip(HEADINGS, widths, strict=True))
        yield Line(text=Text(heading.rstrip() if terminal else f"{heading}{GAP}{LAST_HEADING}"), wraps=False)
    for row, one in zip(rows, cells, strict=True):
        padded = [cell.ljust(width) for cell, width in zip(one, widths, strict=True)]
        padded[1:2] = []
        style = VERDICT_STYLES.get(row.verdict, OTHER_STYLE)
        text = words(
            *(padded[0], GAP, (one[1], style), " " * (widths[1] - len(one[1])), GAP, GAP.join(padded[1:])),
        )
        told = f"{row.reason}: {row.message}" if row.reason and row.message else row.message
        if terminal or not told:
            text.rstrip()
            yield Line(text=text, wraps=False)
            if told:
                yield Line(text=Text(told), level=1)
        else:
            yield Line(text=words(text, GAP, told))


def _cells(row: Row, now: datetime) -> tuple[str, ...]:
    if row.verdict is Verdict.NO_REPORT:
        return (row.node, row.verdict.value, *("-" for _ in HEADINGS[2:]))
    numbers = (*(row.counts.get(severity, 0) for severity in Severity), row.orphans, row.zombies)
    return (row.node, row.verdict.value, *map(str, numbers), age(row.written_at, now))


def _totals(shown: Fleet) -> str:
    of_nodes = Counter(row.verdict for row in shown.rows)
    told = ", ".join(f"{of_nodes[one]:,} {one.value.lower()}" for one in Verdict if of_nodes[one])
    if shown.namespace:
        about = f"with a stored finding about pods of {shown.namespace}"
        return f"{counted(len(shown.rows), 'node')} {about}" + (f": {told}" if told else "")
    return f"{counted(len(shown.rows), 'node')}" + (f": {told}" if told else "; no agent has written a report")
