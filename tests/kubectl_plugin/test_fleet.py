from datetime import timedelta

from kubectl_plugin.answers import CRITICAL, NOW, read
from pausewatch.kubectl_plugin.fleet import (
    HEALTHY_ROWS,
    Fleet,
    Row,
    Verdict,
    age,
    fleet,
    fleet_object,
    fleet_page,
    row_of,
)
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import Severity
from support.parts import TAKEN_AT, a_subject
from support.printed import printed
from support.reports import a_finding

DOWN = Unavailable(reason="SocketMissing", detail="there is no socket", remedy="start the runtime")
INFO = a_finding(severity=Severity.INFO)
STALE_AT = TAKEN_AT - timedelta(days=2)


def row(name: str, **changes: object) -> Row:
    """Return the row of a node."""
    found = row_of(read(name, **changes), NOW)
    assert found is not None
    return found


MIXED = fleet(
    (
        row("healthy"),
        row("informed", findings=(INFO,)),
        row("stale", taken_at=STALE_AT),
        row("unknown", unavailable=(("sandboxes", DOWN),)),
        row("warned", findings=(a_finding(),)),
        row("stale-critical", taken_at=STALE_AT, findings=(CRITICAL,)),
        row("critical", findings=(CRITICAL, a_finding())),
    ),
    {"healthy": "Ready", "silent": "NotReady"},
    NOW,
)


def test_worst_is_first() -> None:
    """By what asks for action, then by what is not known."""
    assert [(one.node, one.verdict) for one in MIXED.rows] == [
        ("critical", Verdict.NOT_HEALTHY),
        ("stale-critical", Verdict.STALE),
        ("warned", Verdict.NOT_HEALTHY),
        ("stale", Verdict.STALE),
        ("silent", Verdict.NO_REPORT),
        ("unknown", Verdict.UNKNOWN),
        ("informed", Verdict.HEALTHY),
        ("healthy", Verdict.HEALTHY),
    ]
    assert not MIXED.is_complete


def test_table_in_a_pipe_has_a_line_per_node() -> None:
    """So that it can be searched for; the last line sums up."""
    lines = printed(fleet_page(MIXED)).splitlines()

    assert lines[0].split() == [
        "NODE",
        "HEALTH",
        "CRITICAL",
        "WARNING",
        "INFO",
        "ORPHANS",
        "ZOMBIES",
        "AGE",
        "WORST",
        "FINDING",
    ]
    assert lines[1].split()[:9] == ["critical", "NOT", "HEALTHY", "1", "1", "0", "0", "0", "3m"]
    assert lines[1].endswith(
        "NamespaceNotShared: team-a/web-x/app runs in a network namespace that belongs to no known pod"
    )
    assert "STALE" in lines[2]
    assert "no word since 2026-" in lines[2]
    assert lines[5].endswith("no agent has written a report; the node is NotReady")
    assert lines[-1] == "8 nodes: 2 not healthy, 2 stale, 1 no report, 1 unknown, 2 healthy"
    assert len(lines) == 1 + 8 + 2


def test_table_on_a_terminal_fits_it() -> None:
    """The message stands below its node; colour is never alone."""
    text = printed(fleet_page(MIXED, terminal=True), width=80, terminal=True)

    assert max(map(len, text.splitlines())) <= 80
    assert "\n  NamespaceNotShared: team-a/web-x/app runs in a network" in text
    coloured = printed(fleet_page(MIXED, terminal=True), width=80, terminal=True, colour=True)
    assert "\x1b[1;31mNOT HEALTHY\x1b[0m" in coloured


def test_of_many_healthy_nodes_some_are_shown() -> None:
    """What asks for action is never hidden, and wide hides nothing."""
    sick = [row(f"sick-{number:02}", findings=(a_finding(),)) for number in range(10)]
    many = fleet([*sick, *(row(f"node-{number:04}") for number in range(1000))], {}, NOW)
    lines = printed(fleet_page(many)).splitlines()

    assert sum(line.startswith(("node-", "sick-")) for line in lines) == HEALTHY_ROWS
    assert "960 more nodes, healthy and without any finding: -o wide shows them" in lines
    assert len(printed(fleet_page(many, wide=True)).splitlines()) == 1 + 1010 + 2


def test_only_findings_of_a_namespace() -> None:
    """Nodes without one are not there, and other findings do not count."""
    other = a_finding(severity=Severity.CRITICAL, subject=a_subject(namespace="team-b"))
    report = read(findings=(a_finding(), other))
    found = row_of(report, NOW, "team-a")
    assert found is not None
    shown = fleet((found,), {"silent": "Ready"}, NOW, "team-a")

    assert found.worst is Severity.WARNING
    assert row_of(report, NOW, "team-c") is None
    assert printed(fleet_page(shown)).splitlines()[-1] == (
        "1 node with a stored finding about pods of team-a: 1 not healthy"
    )


def test_nodes_that_may_not_be_listed_are_told() -> None:
    """Then nobody knows whether one lacks its report."""
    shown = fleet((row("healthy"),), "nodes is forbidden", NOW)

    assert printed(fleet_page(shown)).splitlines()[-1].endswith("is not known: nodes is forbidden")
    assert not shown.is_complete
    assert fleet_object(shown)["nodesNotListed"] == "nodes is forbidden"


def test_nothing_there_is_said() -> None:
    """An empty cluster is no healthy one."""
    assert printed(fleet_page(Fleet(rows=(), as_of=NOW))) == "0 nodes; no agent has written a report\n"


def test_object_has_every_node_in_the_same_order() -> None:
    """For programs, with the verdict in one word."""
    nodes = fleet_object(MIXED)["nodes"]

    assert [one["name"] for one in nodes] == [one.node for one in MIXED.rows]
    assert [one["verdict"] for one in nodes[:5]] == ["NotHealthy", "Stale", "NotHealthy", "Stale", "NoReport"]
    assert nodes[0]["critical"] == 1
    assert "reportTime" not in nodes[4]


def test_age_is_short() -> None:
    """As in kubectl's tables."""
    ages = {age(NOW - timedelta(seconds=seconds), NOW) for seconds in (5, 119, 120, 7200, 200_000)}

    assert ages == {"5s", "119s", "2m", "2h", "2d"}
    assert age(None, NOW) == "-"
