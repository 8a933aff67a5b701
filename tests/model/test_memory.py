"""What is remembered of zombies, pods and sandboxes from one scan to the next, through evaluate, which asks for it."""

from dataclasses import replace
from typing import Any

import pytest

from pausewatch.evaluate import evaluate
from pausewatch.model.history import History
from pausewatch.model.pod import WaitingPod
from pausewatch.model.sandbox import SandboxState
from pausewatch.model.settings import Settings
from support.builders import a_snapshot
from support.changes import with_sandbox, with_zombies, without_process
from support.parts import (
    CONTAINERD_PID,
    SHARED_UID,
    TAKEN_AT,
    UPTIME_SECONDS,
    WEB_APP_ID,
    WEB_APP_PID,
    WEB_PAUSE_PID,
    WEB_SANDBOX_ID,
    WEB_UID,
    a_pod,
    identity,
)
from support.scans import MISSING, ScannedNode


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


class TestZombieCounts:
    """How fast zombies grow is told from a few earlier counts."""

    def test_are_kept_by_who_holds_them_and_forgotten_with_the_last(self) -> None:
        """The node's own have no id."""
        both = with_zombies(with_zombies(a_snapshot(), 2, WEB_APP_PID), 3, CONTAINERD_PID, first_pid=6000)

        _, first = evaluate(both, History(), Settings(), ())
        _, second = evaluate(replace(both, uptime_seconds=UPTIME_SECONDS + 60), first, Settings(), ())
        _, last = evaluate(a_snapshot(), second, Settings(), ())

        counts = {owner: [one.zombies for one in counted] for owner, counted in second.zombie_counts.items()}
        assert counts == {WEB_APP_ID: [2, 2], "": [3, 3]}
        assert last.zombie_counts == {}

    @pytest.mark.parametrize("section", ["sandboxes", "containers", "first_processes", "processes"])
    def test_are_kept_while_a_section_is_missing(self, section: str) -> None:
        """All zombies would look like the node's own, and grow by thousands."""
        zombies = with_zombies(a_snapshot(), 2, WEB_APP_PID)
        _, first = evaluate(zombies, History(), Settings(), ())

        _, second = evaluate(replace(zombies, **{section: MISSING}), first, Settings(), ())  # type: ignore[arg-type]

        assert second.zombie_counts == first.zombie_counts


class TestPodMemory:
    """When a pod was first missed, and how long it may take to end."""

    def test_absence_begins_with_the_first_scan_that_misses_it(self) -> None:
        """And ends when it is there again."""
        node = ScannedNode()
        node.scan()
        assert node.history.pods[WEB_SANDBOX_ID].absent_since is None

        for _ in range(2):
            node.scan(snapshot=a_snapshot(pods=()))
        assert node.history.pods[WEB_SANDBOX_ID].absent_since == UPTIME_SECONDS + 10

        node.scan()
        assert node.history.pods[WEB_SANDBOX_ID].absent_since is None

    def test_grace_period_outlives_the_pod(self) -> None:
        """The API server forgets it with the pod."""
        node = ScannedNode()
        node.scan(snapshot=a_snapshot(pods=(a_pod(deletion_grace_seconds=600),)))
        node.scan(snapshot=a_snapshot(pods=()))

        assert node.history.pods[WEB_SANDBOX_ID].grace_seconds == 600

    def test_deletion_begins_with_the_first_scan_that_sees_it(self) -> None:
        """The deadline itself is the API server's time."""
        node = ScannedNode()
        node.scan()
        assert node.history.pods[WEB_SANDBOX_ID].deleting_since is None

        for _ in range(2):
            node.scan(snapshot=a_snapshot(pods=(a_pod(deletion_grace_seconds=30, deletion_due_at=TAKEN_AT),)))
        assert node.history.pods[WEB_SANDBOX_ID].deleting_since == UPTIME_SECONDS + 10

    @pytest.mark.parametrize("section", ["pods", "sandboxes"])
    def test_is_kept_while_it_can_not_be_told(self, section: str) -> None:
        """An outage neither begins nor ends an absence."""
        missing: dict[str, Any] = {section: MISSING}
        node = ScannedNode()
        node.scan(snapshot=a_snapshot(pods=()))
        before = node.history.pods

        node.scan(snapshot=a_snapshot(**missing))

        assert node.history.pods == before

    def test_ended_sandbox_is_remembered_too(self) -> None:
        """Its pod may be gone as well, and the kubelet leave it behind."""
        node = ScannedNode()
        ended = with_sandbox(a_snapshot(pods=()), WEB_SANDBOX_ID, state=SandboxState.NOTREADY)
        for _ in range(2):
            node.scan(snapshot=ended)

        assert node.history.pods[WEB_SANDBOX_ID].absent_since == UPTIME_SECONDS

    def test_sandbox_that_is_gone_is_forgotten(self) -> None:
        """Memory does not grow with the pods that come and go."""
        node = ScannedNode()
        node.scan()
        node.scan(snapshot=a_snapshot(sandboxes=(), containers=()))

        assert node.history.pods == {}


class TestWaitingSince:
    """How long a pod has waited for a sandbox."""

    WAITING = (WaitingPod(uid=WEB_UID, error="", last_failed_at=None),)

    def test_begins_when_it_is_known_and_ends_with_the_wait(self) -> None:
        """A pod that waits again begins anew."""
        node = ScannedNode()
        for _ in range(2):
            node.scan(snapshot=a_snapshot(waiting_pods=self.WAITING))
        assert node.history.waiting_since == {WEB_UID: UPTIME_SECONDS}

        node.scan()
        assert node.history.waiting_since == {}

    def test_is_kept_while_nobody_answers(self) -> None:
        """An API server that is down for a minute does not end a wait."""
        node = ScannedNode()
        node.scan(snapshot=a_snapshot(waiting_pods=self.WAITING))

        node.scan(snapshot=a_snapshot(waiting_pods=MISSING))

        assert node.history.waiting_since == {WEB_UID: UPTIME_SECONDS}


class TestLostSince:
    """Since when a running container lacks its process, or a sandbox its pause."""

    DEAD = without_process(without_process(a_snapshot(), WEB_APP_PID), WEB_PAUSE_PID)

    def test_first_sight_is_kept_and_what_recovered_is_forgotten(self) -> None:
        """The runtime noticed at last."""
        node = ScannedNode()
        for _ in range(2):
            node.scan(snapshot=self.DEAD)
        assert node.history.lost_since == {WEB_APP_ID: UPTIME_SECONDS, WEB_SANDBOX_ID: UPTIME_SECONDS}

        node.scan()
        assert node.history.lost_since == {}

    @pytest.mark.parametrize("section", ["sandboxes", "containers", "processes", "first_processes"])
    def test_is_kept_while_it_can_not_be_told(self, section: str) -> None:
        """What is dead stays dead."""
        missing: dict[str, Any] = {section: MISSING}
        node = ScannedNode()
        node.scan(snapshot=self.DEAD)

        node.scan(snapshot=replace(self.DEAD, **missing))

        assert node.history.lost_since == {WEB_APP_ID: UPTIME_SECONDS, WEB_SANDBOX_ID: UPTIME_SECONDS}

    def test_what_is_no_longer_listed_is_forgotten_without_processes_as_well(self) -> None:
        """Memory does not grow on a node whose processes can never be read."""
        node = ScannedNode()
        node.scan(snapshot=self.DEAD)
        node.scan(snapshot=a_snapshot(sandboxes=(), containers=(), processes=MISSING))

        assert node.history.lost_since == {}


class TestSandboxBirths:
    """When the sandboxes of each pod were made."""

    def test_is_kept_while_the_runtime_does_not_answer(self) -> None:
        """A restart of the runtime must not hide a loop that it causes."""
        node = ScannedNode()
        node.scan()
        before = node.history.sandbox_births
        assert set(before) == {WEB_UID, SHARED_UID}

        node.scan(snapshot=a_snapshot(sandboxes=MISSING))
        assert node.history.sandbox_births == before

        node.scan(snapshot=a_snapshot(sandboxes=(), containers=()))
        assert node.history.sandbox_births == {}
