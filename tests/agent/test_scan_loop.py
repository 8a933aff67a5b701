import asyncio
import logging
import threading

import pytest

from pausewatch.agent.scan_loop import ScanLoop, start_seconds
from pausewatch.checks._check import all_checks
from pausewatch.model.history import History
from pausewatch.model.settings import Settings
from pausewatch.scan import Look, judge
from support.builders import a_snapshot

ENOUGH = 5
"""Looks after which a loop may be taken for endless."""


def healthy(history: History) -> Look:
    """Return a look at the healthy node."""
    return judge(a_snapshot(), history, Settings(), all_checks())


class Node:
    """A node whose looks break when told."""

    def __init__(self) -> None:
        self.broken: Exception | None = None
        self.seen: list[History] = []
        self.looks: list[Look] = []
        self.enough = threading.Event()

    def look(self, history: History) -> Look:
        """Look."""
        self.seen.append(history)
        if len(self.seen) >= ENOUGH:
            self.enough.set()
        if self.broken:
            raise self.broken
        return healthy(history)

    def loop(self, period_seconds: float = 30) -> ScanLoop:
        """Return a loop over this node."""
        return ScanLoop(
            self.look,
            period_seconds=period_seconds,
            second_look_seconds=0,
            before=lambda history: history,
            after=self.looks.append,
        )


def iterate(scans: ScanLoop, times: int = 1) -> None:
    """Look some times."""

    async def run() -> None:
        for _ in range(times):
            await scans.iterate()

    asyncio.run(run())


def test_each_look_remembers_the_one_before() -> None:
    """What must be seen twice is."""
    node = Node()
    iterate(node.loop(), 2)

    assert node.seen == [History(), node.looks[0].history]


def test_what_is_known_before_a_look_is_passed_to_it() -> None:
    """A stored report is remembered as soon as it could be read."""
    node = Node()
    scans = node.loop()
    scans.history = History(boot_id="x")
    iterate(scans)

    assert node.seen == [History(boot_id="x")]


def test_broken_look_is_counted_told_once_and_followed_by_the_next(caplog: pytest.LogCaptureFixture) -> None:
    """A bug in one place must not blind the node, nor fill the log."""
    node = Node()
    scans = node.loop()
    iterate(scans)
    before = scans.iterations
    node.broken = ValueError("broken")
    with caplog.at_level(logging.ERROR):
        iterate(scans, 3)
    assert (scans.iterations.looks, scans.iterations.crashes) == (1, 3)
    assert scans.iterations.crash == "ValueError: broken"
    assert scans.iterations.last_success_at == before.last_success_at
    assert len(caplog.records) == 1

    node.broken = None
    iterate(scans)
    assert (scans.iterations.looks, scans.iterations.crash) == (2, "")


def test_second_breakage_of_another_kind_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Once per change."""
    node = Node()
    scans = node.loop()
    with caplog.at_level(logging.ERROR):
        for text in ("one", "one", "two"):
            node.broken = ValueError(text)
            iterate(scans)

    assert len(caplog.records) == 2


def test_report_that_can_not_be_handed_on_is_no_success(caplog: pytest.LogCaptureFixture) -> None:
    """What is stored grows old, and the alert about old scans is the only one that tells; the log does so once."""

    def break_off(_: Look) -> None:
        raise ValueError("no text")

    scans = ScanLoop(
        healthy,
        period_seconds=30,
        second_look_seconds=0,
        before=lambda history: history,
        after=break_off,
    )
    with caplog.at_level(logging.ERROR):
        iterate(scans, 3)

    assert (scans.iterations.looks, scans.iterations.crashes) == (3, 3)
    assert scans.iterations.last_success_at is None
    assert len(caplog.records) == 1


def test_first_scan_does_not_wait_for_long_whatever_the_period() -> None:
    """With a scan an hour each pod of a rollout would be unready for minutes, and the alert about scans would fire."""
    assert start_seconds(30, 0.5) == 1.5
    assert start_seconds(3600, 0.5) == 2.5


def test_loop_looks_until_it_is_cancelled() -> None:
    """Nothing else ends it, an error least of all."""
    node = Node()
    node.broken = ValueError("broken")
    scans = node.loop(period_seconds=0)

    async def run() -> None:
        task = asyncio.create_task(scans.run())
        assert await asyncio.to_thread(node.enough.wait, 10)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
