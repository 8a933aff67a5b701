"""Snapshot and History in, Report and next History out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pausewatch.checks._check import all_checks
from pausewatch.evaluate import candidates, evaluate
from pausewatch.model.availability import PERMISSION_DENIED, READ_HANGS, Unavailable
from pausewatch.model.history import History
from pausewatch.model.report import (
    Observation,
    Outcome,
    Severity,
)
from pausewatch.model.sandbox import ContainerState
from pausewatch.model.settings import IgnoreRule, Settings
from pausewatch.model.snapshot import SECTIONS, ChangedOwner, Snapshot
from pausewatch.model.zombies import ELSEWHERE
from support.builders import a_snapshot
from support.changes import with_container, with_first_process, with_sandbox, with_zombies, with_zombies_of_another_node
from support.parts import (
    CONTAINERD_PID,
    HOST_LINKS,
    SHARED_PAUSE_PID,
    WEB_APP_ID,
    WEB_APP_PID,
    WEB_SANDBOX_ID,
    a_subject,
)
from support.scans import MISSING, ScannedNode, an_observation, outcomes


def test_healthy_node_passes_every_check() -> None:
    """PASS, not SKIP, and nothing found."""
    report, _ = evaluate(a_snapshot(), History(), Settings(), all_checks())

    assert set(outcomes(report).values()) == {Outcome.PASS}
    assert report.findings == ()
    assert report.unavailable == ()


def test_detail_that_does_not_answer_makes_the_scan_incomplete() -> None:
    """It is read on every node; a detail that is not there for good, by somebody's choice, only skips its checks."""
    hanging = Unavailable(reason=READ_HANGS, detail="it does not answer")
    snapshot = replace(a_snapshot(), monitors=hanging, network_pins=Unavailable(reason="Missing", detail="not here"))

    report, _ = evaluate(snapshot, History(), Settings(), all_checks())

    assert report.unavailable == (("monitors", hanging),)
    assert outcomes(report)["orphaned-shim"] is Outcome.SKIP
    assert outcomes(report)["leaked-network-namespace"] is Outcome.SKIP


class TestChangedOwners:
    """What moved while it was read is not judged."""

    def test_observation_that_rests_on_it_is_dropped(self) -> None:
        """And a finding about another container is not."""
        other = replace(an_observation(a_subject(container="side")), rests_on=("other",))
        changed = a_snapshot(changed_owners=(ChangedOwner(owner_id=WEB_APP_ID, reason="has exited"),))

        report = ScannedNode().scan(an_observation(), other, snapshot=changed)

        assert [finding.subject.container for finding in report.findings] == ["side"]

    def test_candidates_are_what_observations_rest_on(self) -> None:
        """Asked for before they are confirmed, whatever their persistence."""
        snapshot = with_first_process(a_snapshot(), WEB_APP_ID, network=HOST_LINKS.network)

        assert candidates(*evaluate(snapshot, History(), Settings(), all_checks())) == {WEB_APP_ID, WEB_SANDBOX_ID}
        assert candidates(*evaluate(a_snapshot(), History(), Settings(), all_checks())) == frozenset()

    def test_nothing_is_a_candidate_that_only_was_seen_before(self) -> None:
        """Neither what is clean now nor what can not be judged now: asking a runtime that hangs would take long."""
        snapshot = with_first_process(a_snapshot(), WEB_APP_ID, network=HOST_LINKS.network)
        history = History()
        for _ in range(2):
            report, history = evaluate(snapshot, history, Settings(), all_checks())
        hanging = replace(snapshot, containers=Unavailable(reason="RuntimeHanging", detail="no answer"))

        assert report.findings
        assert candidates(*evaluate(a_snapshot(), history, Settings(), all_checks())) == frozenset()
        assert candidates(*evaluate(hanging, history, Settings(), all_checks())) == frozenset()


class TestOutcomes:
    """PASS, FAIL, SKIP, ERROR."""

    @pytest.mark.parametrize(
        ("severity", "outcome"),
        [(Severity.CRITICAL, Outcome.FAIL), (Severity.WARNING, Outcome.FAIL), (Severity.INFO, Outcome.PASS)],
    )
    def test_info_is_no_failure(self, severity: Severity, outcome: Outcome) -> None:
        """It asks nobody to do anything."""
        assert outcomes(ScannedNode().scan(an_observation(severity=severity))) == {"broken-thing": outcome}

    def test_check_that_raises_is_our_error(self) -> None:
        """The report says what broke, and nothing about the node."""

        def broken(_node: object, _thresholds: object) -> tuple[Observation, ...]:
            raise ZeroDivisionError("division by zero")

        (result,) = ScannedNode().scan(run=broken).results

        assert (result.outcome, result.reason) == (Outcome.ERROR, "CheckFailed")
        assert result.detail == "ZeroDivisionError: division by zero"

    def test_two_observations_with_one_id_are_our_error(self) -> None:
        """The API server would reject the whole report."""
        (result,) = ScannedNode().scan(an_observation(), an_observation()).results

        assert result.outcome is Outcome.ERROR
        assert "broken-thing/web-x/app/49b6b3a0c1d2" in result.detail

    def test_check_may_skip_itself(self) -> None:
        """Where a section is there but says nothing."""
        (result,) = ScannedNode().scan(run=lambda _node, _thresholds: MISSING).results

        assert (result.outcome, result.reason, result.detail) == (
            Outcome.SKIP,
            "RuntimeHanging",
            "the runtime does not answer",
        )

    @pytest.mark.parametrize("section", SECTIONS)
    def test_missing_section_skips_those_that_need_it_and_no_others(self, section: str) -> None:
        """With faults on the node that several checks see."""
        orphaned = a_snapshot(pods=())
        broken = with_zombies(with_first_process(orphaned, WEB_APP_ID, network=HOST_LINKS.network), 16, WEB_APP_PID)
        before = verdicts(broken)

        missing: dict[str, Any] = {section: MISSING}
        after = verdicts(replace(broken, **missing))

        assert {Outcome.FAIL, Outcome.PASS} == {outcome for outcome, _ in before.values()}
        for check in all_checks():
            expected = (Outcome.SKIP, []) if section in check.needs else before[check.id]
            assert after[check.id] == expected


def verdicts(snapshot: Snapshot) -> dict[str, tuple[Outcome, list[str]]]:
    """Return outcome and finding ids of every check after seven scans, a minute apart."""
    history = History()
    for minutes in range(7):
        later = replace(snapshot, uptime_seconds=snapshot.uptime_seconds + 60 * minutes)
        report, history = evaluate(later, history, Settings(), all_checks())
    return {
        result.check: (result.outcome, [one.id for one in report.findings if one.check == result.check])
        for result in report.results
    }


def test_order_of_the_lists_does_not_matter() -> None:
    """The CRI's is random; the report of one state is always the same."""
    broken = with_zombies(with_first_process(a_snapshot(), WEB_APP_ID, network=HOST_LINKS.network), 16, WEB_APP_PID)
    sections = ("sandboxes", "containers", "first_processes", "processes", "placements")
    reversed_sections: dict[str, Any] = {name: tuple(reversed(getattr(broken, name))) for name in sections}
    shuffled = replace(broken, **reversed_sections)

    reports = [evaluate(snapshot, History(), Settings(), all_checks())[0] for snapshot in (broken, broken, shuffled)]

    assert reports[0] == reports[1] == reports[2]


class TestIgnoreRules:
    """Known cases, silenced by the operator's settings and counted."""

    @pytest.mark.parametrize(
        ("rule", "found", "ignored"),
        [
            (IgnoreRule(namespace="team-a"), 0, 1),
            (IgnoreRule(check="broken-thing", pod="web-x"), 0, 1),
            (IgnoreRule(check="another-check"), 1, 0),
        ],
    )
    def test_ignored_finding_is_counted_and_its_check_passes(self, rule: IgnoreRule, found: int, ignored: int) -> None:
        """Nothing disappears without a trace."""
        report = ScannedNode(settings=Settings(ignore=(rule,))).scan(an_observation())

        assert len(report.findings) == found
        assert report.coverage.ignored_findings == ignored
        assert outcomes(report) == {"broken-thing": Outcome.FAIL if found else Outcome.PASS}


def test_findings_are_sorted_worst_first() -> None:
    """Then by check and subject."""
    observations = (
        an_observation(a_subject(pod="b"), Severity.INFO),
        an_observation(a_subject(pod="c"), Severity.CRITICAL),
        an_observation(a_subject(pod="a"), Severity.INFO),
    )

    report = ScannedNode().scan(*observations)

    assert [finding.subject.pod for finding in report.findings] == ["c", "a", "b"]
    assert [report.count(severity) for severity in Severity] == [1, 0, 2]


def test_summary_counts_what_is_there() -> None:
    """Of the healthy node with three zombies."""
    report, _ = evaluate(with_zombies(a_snapshot(), 3, WEB_APP_PID), History(), Settings(), all_checks())

    summary = report.summary
    assert (summary.sandboxes, summary.ready_sandboxes, summary.containers) == (2, 2, 3)
    assert (summary.pause_processes, summary.pid_namespaces, summary.zombies) == (2, 4, 3)
    assert summary.pause_memory_bytes == 2 * 137 * 4096
    assert report.sandbox_images == ("localhost/pause:3.10",)


def test_zombies_of_another_node_on_the_machine_are_not_counted() -> None:
    """Its own report counts them."""
    beside = with_zombies_of_another_node(with_zombies(a_snapshot(), 3, CONTAINERD_PID), 50)
    report, following = evaluate(beside, History(), Settings(), all_checks())

    assert report.summary.zombies == 3
    assert {owner: counts[-1].zombies for owner, counts in following.zombie_counts.items()} == {"": 3, ELSEWHERE: 50}


def test_memory_of_pauses() -> None:
    """What stands for a pause in a virtual machine is none; what was not measured is not 0."""
    machine = with_sandbox(a_snapshot(), WEB_SANDBOX_ID, runtime_type="io.containerd.kata.v2")

    assert evaluate(machine, History(), Settings(), ())[0].summary.pause_memory_bytes == 137 * 4096
    unknown = a_snapshot(pause_usages=MISSING)
    assert evaluate(unknown, History(), Settings(), ())[0].summary.pause_memory_bytes is None


def test_containers_are_counted_by_state() -> None:
    """States without any are left out."""
    stopped = with_container(a_snapshot(), WEB_APP_ID, state=ContainerState.EXITED)
    report, _ = evaluate(stopped, History(), Settings(), all_checks())

    assert report.summary.container_states == {ContainerState.RUNNING: 2, ContainerState.EXITED: 1}


def test_who_holds_zombies_is_told_whatever_their_number_and_age() -> None:
    """Most first; a sandbox for what its pause does not reap; none for the node's own."""
    few = with_zombies(a_snapshot(), 2, WEB_APP_PID)
    more = with_zombies(few, 5, SHARED_PAUSE_PID, first_pid=6000)
    report, _ = evaluate(with_zombies(more, 9, CONTAINERD_PID, first_pid=7000), History(), Settings(), all_checks())

    assert [(str(subject), count) for subject, count in report.zombie_holders] == [
        ("team-b/shared-y", 5),
        ("team-a/web-x/app", 2),
    ]
    assert report.summary.zombies == 16


@pytest.mark.parametrize(
    ("change", "not_comparable", "unreadable"),
    [
        (lambda snapshot: with_sandbox(snapshot, WEB_SANDBOX_ID, runtime_handler="runsc"), 1, 0),
        (
            lambda snapshot: with_first_process(
                snapshot, WEB_APP_ID, links=Unavailable(reason=PERMISSION_DENIED, detail="no", remedy="be root")
            ),
            0,
            1,
        ),
        (
            lambda snapshot: with_first_process(
                snapshot, WEB_APP_ID, links=Unavailable(reason="LeaderExited", detail="threads live")
            ),
            0,
            0,
        ),
    ],
)
def test_coverage_counts_what_was_not_judged(
    change: Callable[[Snapshot], Snapshot], not_comparable: int, unreadable: int
) -> None:
    """Another kernel's sandboxes, and processes that a permission would show."""
    report, _ = evaluate(change(a_snapshot()), History(), Settings(), all_checks())

    assert report.coverage.not_comparable_sandboxes == not_comparable
    assert report.coverage.unreadable_processes == unreadable
    assert report.coverage.unreadable_remedy == ("be root" if unreadable else "")
