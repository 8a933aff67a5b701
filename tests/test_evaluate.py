"""Snapshot and History in, Report and next History out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pausewatch.checks._check import Check, Persistence, Reason, Run, Stability, all_checks
from pausewatch.evaluate import candidates, evaluate, view_of
from pausewatch.model.availability import PERMISSION_DENIED, Unavailable
from pausewatch.model.history import History
from pausewatch.model.report import (
    Evidence,
    NextCommand,
    Observation,
    Outcome,
    Report,
    RunOn,
    Severity,
)
from pausewatch.model.settings import IgnoreRule, Settings
from pausewatch.model.snapshot import SECTIONS, ChangedOwner, Snapshot
from pausewatch.model.subject import Subject
from support.builders import (
    HOST_LINKS,
    TAKEN_AT,
    UPTIME_SECONDS,
    WEB_APP_ID,
    WEB_APP_PID,
    WEB_SANDBOX_ID,
    a_pod,
    a_snapshot,
    a_subject,
    identity,
)
from support.changes import with_first_process, with_sandbox, with_zombies

MISSING = Unavailable(reason="RuntimeHanging", detail="the runtime does not answer")


def an_observation(subject: Subject | None = None, severity: Severity = Severity.WARNING) -> Observation:
    """Return what a check might see."""
    return Observation(
        reason="Broken",
        severity=severity,
        subject=subject or a_subject(),
        message="team-a/web-x/app is broken",
        evidence=(Evidence(name="process", value="2311 app"),),
        next_commands=(NextCommand(run_on=RunOn.NODE, command="true"),),
        rests_on=(WEB_APP_ID,),
    )


def a_check(run: Run, looks: int = 1, seconds: float = 0) -> Check:
    """Return a check that is declared like a real one."""
    return Check(
        id="broken-thing",
        title="Something is broken",
        reasons=(Reason(name="Broken", severities=(Severity.WARNING,), meaning="it is broken"),),
        needs=("containers",),
        persistence=Persistence(looks=looks, seconds=seconds, why="a test"),
        since="0.1.0",
        stability=Stability.STABLE,
        run=run,
    )


def seeing(*observations: Observation) -> Run:
    """Return a run that always sees the same."""
    return lambda _node, _thresholds: observations


class Node:
    """A node over several scans, ten seconds apart."""

    def __init__(self, looks: int = 1, seconds: float = 0, settings: Settings | None = None) -> None:
        self.history = History()
        self.settings = settings or Settings()
        self.looks = looks
        self.seconds = seconds
        self.scans = 0

    def scan(self, *observations: Observation, snapshot: Snapshot | None = None, run: Run | None = None) -> Report:
        """Scan once; the check sees these observations."""
        later = timedelta(seconds=10 * self.scans)
        taken = replace(
            snapshot or a_snapshot(),
            taken_at=TAKEN_AT + later,
            uptime_seconds=UPTIME_SECONDS + later.total_seconds(),
        )
        self.scans += 1
        check = a_check(run or seeing(*observations), self.looks, self.seconds)
        report, self.history = evaluate(taken, self.history, self.settings, (check,))
        return report


def outcomes(report: Report) -> dict[str, Outcome]:
    """Return the outcome of every check."""
    return {result.check: result.outcome for result in report.results}


def test_healthy_node_passes_every_check() -> None:
    """PASS, not SKIP, and nothing found."""
    report, _ = evaluate(a_snapshot(), History(), Settings(), all_checks())

    assert set(outcomes(report).values()) == {Outcome.PASS}
    assert report.findings == ()
    assert report.unavailable == ()


class TestPersistence:
    """How long an observation must last, and when a finding goes."""

    def test_is_reported_after_as_many_looks_as_declared(self) -> None:
        """In a row; the first look stays its first-seen time."""
        node = Node(looks=3)

        assert [len(node.scan(an_observation()).findings) for _ in range(2)] == [0, 0]
        (finding,) = node.scan(an_observation()).findings
        assert finding.first_seen_at == TAKEN_AT
        assert finding.id == "broken-thing/web-x/app/49b6b3a0c1d2"

    def test_is_reported_after_as_long_as_declared(self) -> None:
        """By the boot clock: a stepped wall clock neither hastens nor delays it."""
        node = Node(seconds=20)

        assert [len(node.scan(an_observation()).findings) for _ in range(3)] == [0, 0, 1]

    def test_starts_anew_after_a_gap(self) -> None:
        """Seen, not seen, seen is twice once."""
        node = Node(looks=2)

        found = [len(node.scan(*seen).findings) for seen in ([an_observation()], [], [an_observation()])]

        assert found == [0, 0, 0]

    def test_finding_clears_after_two_clean_scans(self) -> None:
        """One may have been unlucky."""
        node = Node()

        assert [len(node.scan(*seen).findings) for seen in ([an_observation()], [], [])] == [1, 1, 0]

    def test_finding_that_comes_back_in_time_keeps_its_first_seen_time(self) -> None:
        """It never was away."""
        node = Node(looks=2)
        for seen in ([an_observation()], [an_observation()], []):
            node.scan(*seen)

        (finding,) = node.scan(an_observation()).findings

        assert finding.first_seen_at == TAKEN_AT

    def test_finding_shows_what_was_seen_last(self) -> None:
        """Severity and text follow the node; the id stays."""
        node = Node()
        node.scan(an_observation(severity=Severity.INFO))

        (finding,) = node.scan(an_observation(severity=Severity.CRITICAL)).findings

        assert finding.severity is Severity.CRITICAL

    def test_skipped_check_leaves_its_findings_as_they_were(self) -> None:
        """Unknown is not clean: an outage of the runtime mends nothing."""
        node = Node()
        node.scan(an_observation())

        reports = [node.scan(snapshot=a_snapshot(containers=MISSING)) for _ in range(5)]

        assert [len(report.findings) for report in reports] == [1] * 5
        assert outcomes(reports[-1]) == {"broken-thing": Outcome.SKIP}
        assert [len(node.scan().findings) for _ in range(2)] == [1, 0]

    def test_skipped_check_finds_nothing_new(self) -> None:
        """Nor does an outage break anything."""
        node = Node(looks=2)
        node.scan(an_observation())

        assert node.scan(snapshot=a_snapshot(containers=MISSING)).findings == ()

    def test_restored_first_seen_time_is_kept(self) -> None:
        """An agent that was restarted goes on where it was."""
        earlier = TAKEN_AT - timedelta(hours=5)
        restored = {"broken-thing/web-x/app/49b6b3a0c1d2": earlier}
        node = Node()
        node.history = History(restored_first_seen=restored, restored_until_uptime_seconds=UPTIME_SECONDS + 60)

        (finding,) = node.scan(an_observation()).findings

        assert finding.first_seen_at == earlier
        assert node.history.restored_first_seen == {}
        assert node.scan(an_observation()).findings[0].first_seen_at == earlier

    def test_restored_time_does_not_count_for_ever(self) -> None:
        """A finding that comes back after an hour is a new one."""
        restored = {"broken-thing/web-x/app/49b6b3a0c1d2": TAKEN_AT - timedelta(hours=5)}
        node = Node()
        node.history = History(restored_first_seen=restored, restored_until_uptime_seconds=UPTIME_SECONDS + 5)
        node.scan()
        node.scan()

        (finding,) = node.scan(an_observation()).findings

        assert finding.first_seen_at == TAKEN_AT + timedelta(seconds=20)

    def test_boot_ends_all_streaks(self) -> None:
        """Pids and inode numbers of the last boot mean nothing now."""
        node = Node(looks=2)
        node.scan(an_observation())

        rebooted = node.scan(an_observation(), snapshot=a_snapshot(boot_id="another"))

        assert rebooted.findings == ()


class TestChangedOwners:
    """What moved while it was read is not judged."""

    def test_observation_that_rests_on_it_is_dropped(self) -> None:
        """And a finding about another container is not."""
        other = replace(an_observation(a_subject(container="side")), rests_on=("other",))
        changed = a_snapshot(changed_owners=(ChangedOwner(owner_id=WEB_APP_ID, reason="has exited"),))

        report = Node().scan(an_observation(), other, snapshot=changed)

        assert [finding.subject.container for finding in report.findings] == ["side"]

    def test_candidates_are_what_observations_rest_on(self) -> None:
        """Asked for before they are confirmed, whatever their persistence."""
        snapshot = with_first_process(a_snapshot(), WEB_APP_ID, network=HOST_LINKS.network)

        suspects = candidates(view_of(snapshot, History()), Settings(), all_checks())

        assert suspects == {WEB_APP_ID, WEB_SANDBOX_ID}
        assert candidates(view_of(a_snapshot(), History()), Settings(), all_checks()) == frozenset()


class TestOutcomes:
    """PASS, FAIL, SKIP, ERROR."""

    @pytest.mark.parametrize(
        ("severity", "outcome"),
        [(Severity.CRITICAL, Outcome.FAIL), (Severity.WARNING, Outcome.FAIL), (Severity.INFO, Outcome.PASS)],
    )
    def test_info_is_no_failure(self, severity: Severity, outcome: Outcome) -> None:
        """It asks nobody to do anything."""
        assert outcomes(Node().scan(an_observation(severity=severity))) == {"broken-thing": outcome}

    def test_check_that_raises_is_our_error(self) -> None:
        """The report says what broke, and nothing about the node."""

        def broken(_node: object, _thresholds: object) -> tuple[Observation, ...]:
            raise ZeroDivisionError("division by zero")

        (result,) = Node().scan(run=broken).results

        assert (result.outcome, result.reason) == (Outcome.ERROR, "CheckFailed")
        assert result.detail == "ZeroDivisionError: division by zero"

    def test_two_observations_with_one_id_are_our_error(self) -> None:
        """The API server would reject the whole report."""
        (result,) = Node().scan(an_observation(), an_observation()).results

        assert result.outcome is Outcome.ERROR
        assert "broken-thing/web-x/app/49b6b3a0c1d2" in result.detail

    def test_check_may_skip_itself(self) -> None:
        """Where a section is there but says nothing."""
        (result,) = Node().scan(run=lambda _node, _thresholds: MISSING).results

        assert (result.outcome, result.reason, result.detail) == (
            Outcome.SKIP,
            "RuntimeHanging",
            "the runtime does not answer",
        )

    @pytest.mark.parametrize("section", SECTIONS)
    def test_missing_section_skips_those_that_need_it_and_no_others(self, section: str) -> None:
        """With faults on the node that every check sees."""
        orphaned = a_snapshot(pods=())
        broken = with_zombies(with_first_process(orphaned, WEB_APP_ID, network=HOST_LINKS.network), 16, WEB_APP_PID)
        before = verdicts(broken)

        missing: dict[str, Any] = {section: MISSING}
        after = verdicts(replace(broken, **missing))

        assert {Outcome.FAIL} == {outcome for outcome, _ in before.values()}
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
        report = Node(settings=Settings(ignore=(rule,))).scan(an_observation())

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

    report = Node().scan(*observations)

    assert [finding.subject.pod for finding in report.findings] == ["c", "a", "b"]
    assert [report.count(severity) for severity in Severity] == [1, 0, 2]


def test_summary_counts_what_is_there() -> None:
    """Of the healthy node with three zombies."""
    report, _ = evaluate(with_zombies(a_snapshot(), 3, WEB_APP_PID), History(), Settings(), all_checks())

    summary = report.summary
    assert (summary.sandboxes, summary.ready_sandboxes, summary.containers) == (2, 2, 3)
    assert (summary.pause_processes, summary.pid_namespaces, summary.zombies) == (2, 4, 3)
    assert report.sandbox_images == ("localhost/pause:3.10",)


@pytest.mark.parametrize(
    ("change", "not_comparable", "unreadable"),
    [
        (lambda snapshot: with_sandbox(snapshot, WEB_SANDBOX_ID, runtime_handler="runsc"), 1, 0),
        (
            lambda snapshot: with_first_process(
                snapshot, WEB_APP_ID, links=Unavailable(reason=PERMISSION_DENIED, detail="no")
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


class TestZombiesSeenSince:
    """The only honest age of a zombie is how long we have seen it dead."""

    def test_first_sight_is_kept_and_the_reaped_are_forgotten(self) -> None:
        """Pids are reused; an entry must not outlive its process."""
        _, first = evaluate(with_zombies(a_snapshot(), 2, WEB_APP_PID), History(), Settings(), ())
        later = replace(with_zombies(a_snapshot(), 1, WEB_APP_PID), uptime_seconds=UPTIME_SECONDS + 30)

        _, second = evaluate(later, first, Settings(), ())

        assert second.zombies_seen_since == {identity(5000): UPTIME_SECONDS}

    def test_is_kept_while_processes_can_not_be_read(self) -> None:
        """Losing it would cost a minute of delay."""
        _, first = evaluate(with_zombies(a_snapshot(), 2, WEB_APP_PID), History(), Settings(), ())

        _, second = evaluate(a_snapshot(processes=MISSING), first, Settings(), ())

        assert second.zombies_seen_since == first.zombies_seen_since

    def test_is_dropped_at_boot(self) -> None:
        """The same pid and start time may come again."""
        zombies = with_zombies(a_snapshot(), 2, WEB_APP_PID)
        _, first = evaluate(zombies, History(), Settings(), ())
        rebooted = replace(zombies, boot_id="another", uptime_seconds=50.0)

        _, second = evaluate(rebooted, first, Settings(), ())

        assert set(second.zombies_seen_since.values()) == {50.0}
        assert all(
            view_of(rebooted, first).zombie_seen_for_seconds(one) == 0 for one in view_of(rebooted, first).zombies
        )


class TestPodMemory:
    """When a pod was first missed, and how long it may take to end."""

    def test_absence_begins_with_the_first_scan_that_misses_it(self) -> None:
        """And ends when it is there again."""
        node = Node()
        node.scan()
        assert node.history.pods[WEB_SANDBOX_ID].absent_since is None

        for _ in range(2):
            node.scan(snapshot=a_snapshot(pods=()))
        assert node.history.pods[WEB_SANDBOX_ID].absent_since == UPTIME_SECONDS + 10

        node.scan()
        assert node.history.pods[WEB_SANDBOX_ID].absent_since is None

    def test_grace_period_outlives_the_pod(self) -> None:
        """The API server forgets it with the pod."""
        node = Node()
        node.scan(snapshot=a_snapshot(pods=(a_pod(deletion_grace_seconds=600),)))
        node.scan(snapshot=a_snapshot(pods=()))

        assert node.history.pods[WEB_SANDBOX_ID].grace_seconds == 600

    @pytest.mark.parametrize("section", ["pods", "sandboxes"])
    def test_is_kept_while_it_can_not_be_told(self, section: str) -> None:
        """An outage neither begins nor ends an absence."""
        missing: dict[str, Any] = {section: MISSING}
        node = Node()
        node.scan(snapshot=a_snapshot(pods=()))
        before = node.history.pods

        node.scan(snapshot=a_snapshot(**missing))

        assert node.history.pods == before

    def test_sandbox_that_is_gone_is_forgotten(self) -> None:
        """Memory does not grow with the pods that come and go."""
        node = Node()
        node.scan()
        node.scan(snapshot=a_snapshot(sandboxes=(), containers=()))

        assert node.history.pods == {}
