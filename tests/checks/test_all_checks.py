"""What holds for every check, whatever it looks at; new checks are held to it without a line here."""

import itertools
import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pausewatch.checks._check import Check, Persistence, all_checks
from pausewatch.evaluate import evaluate
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History
from pausewatch.model.report import Finding, Outcome, Report, Severity
from pausewatch.model.settings import Settings
from pausewatch.model.snapshot import SECTIONS, Snapshot
from pausewatch.sinks.report import render
from support.builders import a_snapshot
from support.damage import every_damage
from support.sick import a_sick_snapshot

MISSING = Unavailable(reason="Missing", detail="it was taken away by a test")

LATER = timedelta(hours=1)
"""Between two looks: longer than every default bound on time."""


def checks_at_once() -> tuple[Check, ...]:
    """Return every check, reporting what it sees at the first look: damage must not hide behind persistence."""
    at_once = Persistence(looks=1, why="a test")
    return tuple(replace(check, persistence=at_once) for check in all_checks())


def later(snapshot: Snapshot) -> Snapshot:
    """Return the same state of the node, an hour later."""
    uptime = snapshot.uptime_seconds + LATER.total_seconds()
    return replace(snapshot, taken_at=snapshot.taken_at + LATER, uptime_seconds=uptime)


def without(snapshot: Snapshot, *sections: str) -> Snapshot:
    """Return the snapshot as if these sections could not be read."""
    gone: dict[str, Any] = dict.fromkeys(sections, MISSING)
    return replace(snapshot, **gone)


def looked_at(*snapshots: Snapshot, history: History | None = None) -> Report:
    """Return the report of the last of several looks at a node, after what was seen of it before."""
    for snapshot in snapshots:
        report, history = evaluate(snapshot, history or History(), Settings(), checks_at_once())
    return report


NODES = {"healthy": a_snapshot(), "sick": a_sick_snapshot()}
SEEN = {name: evaluate(node, History(), Settings(), checks_at_once())[1] for name, node in NODES.items()}
"""What is remembered of each after a first look."""

DAMAGES = {name: tuple(every_damage(node)) for name, node in NODES.items()}


def seen_by(findings: Iterable[Finding], checks: Iterable[str]) -> list[tuple[str, str, Severity]]:
    """Return what some checks found: evidence may be richer where more is known, the verdict is the same."""
    wanted = set(checks)
    return [(one.id, one.reason, one.severity) for one in findings if one.check in wanted]


def skipped(missing: Iterable[str]) -> set[str]:
    """Return the checks that need one of these sections."""
    gone = set(missing)
    return {check.id for check in all_checks() if gone & {*check.needs}}


def test_the_sick_node_is_found_to_be_sick() -> None:
    """Several findings of several checks: else "unchanged" would mean nothing below."""
    found = {finding.check for finding in looked_at(a_sick_snapshot(), later(a_sick_snapshot())).findings}

    assert len(found) >= 15, {check.id for check in all_checks()} - found


def test_nothing_is_found_on_the_healthy_node() -> None:
    """At the first look and an hour later; every check passes."""
    first, second = looked_at(a_snapshot()), looked_at(a_snapshot(), later(a_snapshot()))

    for report in (first, second):
        assert report.findings == ()
        assert [result for result in report.results if result.outcome is not Outcome.PASS] == []


@pytest.mark.parametrize(
    "missing", [*itertools.combinations(SECTIONS, 1), *itertools.combinations(SECTIONS, 2), SECTIONS], ids="+".join
)
def test_a_missing_section_skips_those_who_need_it_and_nobody_else(missing: tuple[str, ...]) -> None:
    """Alone, in pairs, and all at once: a check that needs it says so, and what others find is the same."""
    sick = a_sick_snapshot()

    whole = looked_at(sick, later(sick))
    report = looked_at(sick, without(later(sick), *missing))

    others = {check.id for check in all_checks()} - skipped(missing)
    outcomes = {result.check: result for result in report.results}
    assert {name for name, result in outcomes.items() if result.outcome is Outcome.SKIP} == skipped(missing)
    assert {outcomes[name].reason for name in skipped(missing)} <= {"Missing"}
    assert [one for one in report.results if one.check in others] == [
        one for one in whole.results if one.check in others
    ]
    assert seen_by(report.findings, others) == seen_by(whole.findings, others)


@pytest.mark.parametrize("missing", SECTIONS)
def test_a_section_that_was_never_there_gives_no_finding(missing: str) -> None:
    """Unknown is not broken: a check without its section finds nothing, however sick the node is."""
    blind = without(a_sick_snapshot(), missing)

    report = looked_at(blind, later(blind))

    assert seen_by(report.findings, skipped([missing])) == []


@pytest.mark.parametrize("missing", SECTIONS)
def test_a_section_that_goes_missing_clears_no_finding(missing: str) -> None:
    """What was found stays told until somebody has looked again and seen it healed."""
    sick = a_sick_snapshot()
    blind = without(later(later(sick)), missing)

    before = looked_at(sick, later(sick)).findings
    after = looked_at(sick, later(sick), blind).findings

    every = [check.id for check in all_checks()]
    assert seen_by(after, every) == seen_by(before, every)


def test_the_same_node_gives_the_same_report() -> None:
    """Nothing in a check depends on when or how often it ran."""
    assert looked_at(a_sick_snapshot(), later(a_sick_snapshot())) == looked_at(
        a_sick_snapshot(), later(a_sick_snapshot())
    )


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_the_order_of_lists_changes_nothing(seed: int) -> None:
    """A runtime lists in any order; texts, ids and the order of findings are the same."""
    tumbled = tumble(later(a_sick_snapshot()), random.Random(seed))  # noqa: S311  a failure has to be repeatable

    assert looked_at(tumbled, history=SEEN["sick"]) == looked_at(later(a_sick_snapshot()), history=SEEN["sick"])


@pytest.mark.parametrize("node", NODES)
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_no_damage_breaks_a_check(node: str, data: st.DataObject) -> None:
    """Whatever one field of a healthy or a sick node says, no check ends in ERROR and the report can be stored.

    There are thousands of damages; each run takes some at random.
    """
    number = data.draw(st.integers(min_value=0, max_value=len(DAMAGES[node]) - 1))
    damage = DAMAGES[node][number]

    report = looked_at(later(damage.snapshot), history=SEEN[node])

    broken = [result for result in report.results if result.outcome is Outcome.ERROR]
    assert broken == [], damage.what
    render(report)


def tumble(snapshot: Snapshot, order: random.Random) -> Snapshot:
    """Return the snapshot with every list in another order."""
    names = (*SECTIONS, "pinned_namespaces", "placements")
    lists = {name: value for name in names if isinstance(value := getattr(snapshot, name), tuple)}
    shuffled: dict[str, Any] = {name: tuple(order.sample(value, len(value))) for name, value in lists.items()}
    return replace(snapshot, **shuffled)
