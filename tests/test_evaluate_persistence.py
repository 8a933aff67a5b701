"""Evaluate: how long an observation must last to be reported, and when a finding goes."""

from datetime import timedelta

from pausewatch.evaluate import candidates
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History
from pausewatch.model.report import (
    Outcome,
    Severity,
)
from pausewatch.model.settings import IgnoreRule, Settings
from pausewatch.model.snapshot import ChangedOwner
from support.builders import a_snapshot
from support.changes import with_container
from support.parts import TAKEN_AT, UPTIME_SECONDS, WEB_APP_ID, WEB_SIDE_ID
from support.scans import MISSING, ScannedNode, an_observation, outcomes


class TestPersistence:
    """How long an observation must last, and when a finding goes."""

    def test_is_reported_after_as_many_looks_as_declared(self) -> None:
        """In a row; the first look stays its first-seen time."""
        node = ScannedNode(looks=3)

        assert [len(node.scan(an_observation()).findings) for _ in range(2)] == [0, 0]
        (finding,) = node.scan(an_observation()).findings
        assert finding.first_seen_at == TAKEN_AT
        assert finding.id == "broken-thing/web-x/app/49b6b3a0c1d2"

    def test_is_reported_after_as_long_as_declared(self) -> None:
        """By the boot clock: a stepped wall clock neither hastens nor delays it."""
        node = ScannedNode(seconds=20)

        assert [len(node.scan(an_observation()).findings) for _ in range(3)] == [0, 0, 1]

    def test_is_a_suspicion_until_then(self) -> None:
        """With what it still needs; then it is a finding and no suspicion, and gone it is neither."""
        node = ScannedNode(looks=2, seconds=10)

        first, second, third = (node.scan(*seen) for seen in ([an_observation()], [an_observation()], []))

        (suspicion,) = first.suspicions
        assert (suspicion.looks, suspicion.looks_needed, suspicion.seconds_needed) == (1, 2, 10)
        assert (suspicion.finding.id, second.suspicions) == (second.findings[0].id, ())
        assert third.suspicions == ()

    def test_ignored_suspicion_is_none(self) -> None:
        """A known case is silenced before it lasts as well."""
        node = ScannedNode(looks=2, settings=Settings(ignore=(IgnoreRule(check="broken-thing"),)))

        assert node.scan(an_observation()).suspicions == ()

    def test_starts_anew_after_a_gap(self) -> None:
        """Seen, not seen, seen is twice once."""
        node = ScannedNode(looks=2)

        found = [len(node.scan(*seen).findings) for seen in ([an_observation()], [], [an_observation()])]

        assert found == [0, 0, 0]

    def test_finding_clears_after_two_clean_scans(self) -> None:
        """One may have been unlucky."""
        node = ScannedNode()

        assert [len(node.scan(*seen).findings) for seen in ([an_observation()], [], [])] == [1, 1, 0]

    def test_finding_that_comes_back_in_time_keeps_its_first_seen_time(self) -> None:
        """It never was away."""
        node = ScannedNode(looks=2)
        for seen in ([an_observation()], [an_observation()], []):
            node.scan(*seen)

        (finding,) = node.scan(an_observation()).findings

        assert finding.first_seen_at == TAKEN_AT

    def test_finding_shows_what_was_seen_last(self) -> None:
        """Severity and text follow the node; the id stays."""
        node = ScannedNode()
        node.scan(an_observation(severity=Severity.INFO))

        (finding,) = node.scan(an_observation(severity=Severity.CRITICAL)).findings

        assert finding.severity is Severity.CRITICAL

    def test_skipped_check_leaves_its_findings_as_they_were(self) -> None:
        """Unknown is not clean: an outage of the runtime mends nothing."""
        node = ScannedNode()
        node.scan(an_observation())

        reports = [node.scan(snapshot=a_snapshot(containers=MISSING)) for _ in range(5)]

        assert [len(report.findings) for report in reports] == [1] * 5
        assert outcomes(reports[-1]) == {"broken-thing": Outcome.SKIP}
        assert [len(node.scan().findings) for _ in range(2)] == [1, 0]

    def test_skipped_check_finds_nothing_new(self) -> None:
        """Nor does an outage break anything."""
        node = ScannedNode(looks=2)
        node.scan(an_observation())

        assert node.scan(snapshot=a_snapshot(containers=MISSING)).findings == ()

    def test_finding_that_nobody_could_confirm_stays_as_it_was(self) -> None:
        """Nor does a runtime mend anything that answers late when it is asked again; what is known to be gone goes."""
        silent = ChangedOwner(owner_id=WEB_APP_ID, reason="could not be confirmed: no answer", is_known=False)
        gone = ChangedOwner(owner_id=WEB_APP_ID, reason="has exited")
        node = ScannedNode()
        found = node.scan(an_observation())

        reports = [node.scan(an_observation(), snapshot=a_snapshot(changed_owners=(silent,))) for _ in range(5)]

        assert [report.findings for report in reports] == [found.findings] * 5
        ended = [node.scan(an_observation(), snapshot=a_snapshot(changed_owners=(gone,))) for _ in range(2)]
        assert [len(report.findings) for report in ended] == [1, 0]

    def test_finding_about_what_the_runtime_tells_nothing_of_stays_as_it_was(self) -> None:
        """After its restart all statuses are asked again, on a slow node over several scans."""
        slow = Unavailable(reason="RuntimeSlow", detail="no answer")
        untold = with_container(a_snapshot(), WEB_APP_ID, details=slow)
        elsewhere = with_container(a_snapshot(), WEB_SIDE_ID, details=slow)
        node = ScannedNode()
        found = node.scan(an_observation())

        reports = [node.scan(snapshot=untold) for _ in range(5)]

        assert [report.findings for report in reports] == [found.findings] * 5
        assert candidates(reports[-1], node.history) == frozenset()
        assert [len(node.scan(snapshot=elsewhere).findings) for _ in range(2)] == [1, 0]

    def test_suspicion_that_nobody_could_confirm_is_not_seen_once_more(self) -> None:
        """It needs as many looks as before, and begins with none."""
        silent = ChangedOwner(owner_id=WEB_APP_ID, reason="could not be confirmed: no answer", is_known=False)
        unconfirmed = a_snapshot(changed_owners=(silent,))
        node = ScannedNode(looks=2)

        looks = [unconfirmed, None, unconfirmed, unconfirmed, None]

        assert [len(node.scan(an_observation(), snapshot=one).findings) for one in looks] == [0, 0, 0, 0, 1]

    def test_restored_first_seen_time_is_kept(self) -> None:
        """An agent that was restarted goes on where it was."""
        earlier = TAKEN_AT - timedelta(hours=5)
        restored = {"broken-thing/web-x/app/49b6b3a0c1d2": earlier}
        node = ScannedNode()
        node.history = History(restored_first_seen=restored, restored_until_uptime_seconds=UPTIME_SECONDS + 60)

        (finding,) = node.scan(an_observation()).findings

        assert finding.first_seen_at == earlier
        assert node.history.restored_first_seen == {}
        assert node.scan(an_observation()).findings[0].first_seen_at == earlier

    def test_restored_time_does_not_count_for_ever(self) -> None:
        """A finding that comes back after an hour is a new one."""
        restored = {"broken-thing/web-x/app/49b6b3a0c1d2": TAKEN_AT - timedelta(hours=5)}
        node = ScannedNode()
        node.history = History(restored_first_seen=restored, restored_until_uptime_seconds=UPTIME_SECONDS + 5)
        node.scan()
        node.scan()

        (finding,) = node.scan(an_observation()).findings

        assert finding.first_seen_at == TAKEN_AT + timedelta(seconds=20)

    def test_boot_ends_all_streaks(self) -> None:
        """Pids and inode numbers of the last boot mean nothing now."""
        node = ScannedNode(looks=2)
        node.scan(an_observation())

        rebooted = node.scan(an_observation(), snapshot=a_snapshot(boot_id="another"))

        assert rebooted.findings == ()
