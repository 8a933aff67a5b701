"""What the watch tells of the stored report, late, early or not at all."""

import math
from pathlib import Path

from cluster.api_server import Asked, status_object
from cluster.writer_bench import Bench, on_bench, stored
from pausewatch.cluster import write_schedule
from pausewatch.cluster.report_writer import DELETED_AGAIN
from pausewatch.cluster.reports import Seen
from pausewatch.cluster.write_schedule import Pace
from support.reports import a_finding


def test_deleted_report_comes_back_when_the_watch_tells(tmp_path: Path) -> None:
    """At once, without another scan."""

    async def act(bench: Bench) -> None:
        bench.offer()
        await bench.settle()
        bench.store.report = None
        bench.writer.was_seen(Seen(uid="uid-1", version="9", deleted=True))
        await bench.settle()

    bench = on_bench(tmp_path, act)

    assert bench.store.writes() == ["POST ", "PATCH /node-7/status"] * 2
    assert bench.store.report is not None


def test_deleted_report_comes_back_when_the_next_write_finds_out(tmp_path: Path) -> None:
    """The watch may be late, or not there; that is no failure."""

    async def act(bench: Bench) -> None:
        bench.store.report = None
        bench.offer(findings=(a_finding(),))
        await bench.settle()

    bench = on_bench(tmp_path, act, stored())

    assert bench.writer.errors == 0
    assert bench.store.report is not None
    assert bench.store.report["status"]["findings"]


def test_report_that_was_deleted_while_nobody_watched_comes_back(tmp_path: Path) -> None:
    """A watch that had a gap tells of no deletion in it; the next heartbeat would be ten minutes away."""

    async def act(bench: Bench) -> None:
        bench.offer()
        await bench.settle()
        bench.store.report = None
        bench.writer.may_have_missed()
        assert bench.writer.wait_seconds() <= Pace().interval_seconds
        bench.seconds += Pace().interval_seconds
        await bench.settle()

    bench = on_bench(tmp_path, act)

    assert bench.store.writes() == ["POST ", "PATCH /node-7/status"] * 2


def test_server_that_answers_the_watch_again_is_asked_soon(tmp_path: Path) -> None:
    """However long the next attempt would have had to wait after an outage of ten minutes."""

    async def act(bench: Bench) -> None:
        bench.offer()
        await bench.settle()
        bench.offer(findings=(a_finding(),))
        bench.seconds += Pace().interval_seconds
        bench.store.refuse = lambda _: (503, status_object(503, "ServiceUnavailable"))
        for _ in range(10):
            await bench.writer.step()
        assert bench.writer.wait_seconds() > 100
        bench.store.refuse = lambda _: None
        bench.writer.may_have_missed()
        assert bench.writer.wait_seconds() <= write_schedule.FIRST_RETRY_SECONDS
        bench.seconds += write_schedule.FIRST_RETRY_SECONDS
        await bench.settle()

    bench = on_bench(tmp_path, act)

    assert bench.writer.trouble is None
    assert bench.store.report is not None
    assert bench.store.report["status"]["findings"]


def test_gap_without_news_costs_one_question(tmp_path: Path) -> None:
    """Watches are listed again now and then; a report that is still ours is left alone."""

    async def act(bench: Bench) -> None:
        bench.offer()
        await bench.settle()
        asked = len(bench.store.asked)
        bench.writer.may_have_missed()
        bench.seconds += Pace().interval_seconds
        await bench.settle()
        assert [one.method for one in bench.store.asked[asked:]] == ["GET"]

    on_bench(tmp_path, act)


def test_late_news_of_an_older_report_changes_nothing(tmp_path: Path) -> None:
    """The deletion that we have answered already."""

    async def act(bench: Bench) -> None:
        await bench.settle()
        bench.writer.was_seen(Seen(uid="older", version="9", deleted=True))
        assert bench.writer.wait_seconds() == math.inf

    on_bench(tmp_path, act, stored())


def test_report_that_somebody_else_made_is_read(tmp_path: Path) -> None:
    """It has another uid and perhaps no status."""

    async def act(bench: Bench) -> None:
        bench.offer()
        await bench.settle()
        bench.store.report = {"metadata": {"name": "node-7", "uid": "restored"}, "spec": {"nodeName": "node-7"}}
        bench.writer.was_seen(Seen(uid="restored", version="9"))
        await bench.settle()

    bench = on_bench(tmp_path, act)

    assert bench.store.report is not None
    assert bench.store.report["metadata"]["uid"] == "restored"
    assert bench.store.report["status"]["findings"] == []


def test_our_own_writes_come_back_without_effect(tmp_path: Path) -> None:
    """Each write is an event of the watch."""

    async def act(bench: Bench) -> None:
        bench.offer()
        await bench.settle()
        asked = len(bench.store.asked)
        bench.writer.was_seen(bench.store.seen())
        await bench.settle()
        assert len(bench.store.asked) == asked

    on_bench(tmp_path, act)


def test_own_write_that_comes_back_before_its_answer_is_no_edit(tmp_path: Path) -> None:
    """The watch is another connection, and may be faster."""

    async def act(bench: Bench) -> None:
        def tell(asked: Asked) -> None:
            if asked.method == "PATCH":
                bench.writer.was_seen(Seen(uid="uid-1", version=str(bench.store.version + 1)))

        bench.store.refuse = tell
        bench.offer()
        await bench.settle()
        assert bench.writer.wait_seconds() > 60

    assert on_bench(tmp_path, act).store.writes() == ["POST ", "PATCH /node-7/status"]


def test_report_that_is_collected_again_and_again_is_told(tmp_path: Path) -> None:
    """Somebody who misses it finds the reason on the agent's page, and what to look at."""

    async def act(bench: Bench) -> None:
        bench.offer()
        for _ in range(2):
            await bench.settle()
            bench.store.report = None
            bench.writer.was_seen(Seen(uid=f"uid-{bench.store.uids}", version="9", deleted=True))
        assert bench.writer.wait_seconds() == 300
        assert bench.writer.trouble == DELETED_AGAIN
        bench.seconds += 300
        await bench.settle()
        assert bench.writer.trouble is None

    bench = on_bench(tmp_path, act)

    assert bench.told == [DELETED_AGAIN, None]
    assert bench.writer.errors == 0
