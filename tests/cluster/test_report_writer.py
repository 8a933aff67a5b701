import asyncio
import math
from datetime import UTC, datetime
from pathlib import Path

from cluster.api_server import asking
from cluster.writer_bench import Bench, Store, on_bench, stored
from pausewatch.cluster.report_writer import ReportWriter
from pausewatch.cluster.reports import NodeReports
from pausewatch.cluster.write_schedule import Pace
from pausewatch.sinks.report import Object, render
from support.reports import a_finding, a_report


def test_new_node_gets_its_report(tmp_path: Path) -> None:
    """Created, then filled."""

    async def act(bench: Bench) -> None:
        await bench.settle()
        bench.offer()
        await bench.settle()

    bench = on_bench(tmp_path, act)

    assert bench.store.writes() == ["POST ", "PATCH /node-7/status"]
    assert bench.writer.writes == 1
    assert bench.told == []


def test_stored_report_is_read_before_there_is_one_to_write(tmp_path: Path) -> None:
    """The first scan wants to know what an earlier run of the agent found."""

    async def act(bench: Bench) -> None:
        assert not bench.writer.was_read.is_set()
        await bench.settle()
        assert bench.writer.was_read.is_set()
        assert bench.writer.stored is not None
        assert bench.writer.wait_seconds() == math.inf

    on_bench(tmp_path, act, stored())


def test_report_that_says_the_same_waits_for_its_heartbeat(tmp_path: Path) -> None:
    """The heartbeat counts from the stored report's own time, also after a restart."""

    async def act(bench: Bench) -> None:
        bench.seconds += 240
        bench.offer()
        await bench.settle()
        assert bench.writer.wait_seconds() == 360

    assert on_bench(tmp_path, act, stored()).store.writes() == []


def test_heartbeat_needs_a_newer_scan(tmp_path: Path) -> None:
    """A scan that hangs must let the report grow stale."""

    async def act(bench: Bench) -> None:
        bench.offer(findings=(a_finding(),))
        await bench.settle()
        bench.seconds += 5000
        assert bench.writer.wait_seconds() == math.inf
        bench.offer(findings=(a_finding(),))
        await bench.settle()

    assert on_bench(tmp_path, act, stored()).store.writes() == ["PATCH /node-7/status"] * 2


def test_two_changes_within_a_minute_are_two_writes_a_minute_apart(tmp_path: Path) -> None:
    """The second one waits."""

    async def act(bench: Bench) -> None:
        bench.offer(findings=(a_finding(),))
        await bench.settle()
        bench.seconds += 10
        bench.offer()
        assert bench.writer.wait_seconds() == 50
        bench.seconds += 50
        await bench.settle()

    assert on_bench(tmp_path, act, stored()).store.writes() == ["PATCH /node-7/status"] * 2


def test_what_the_next_report_keeps_of_the_stored_one(tmp_path: Path) -> None:
    """Whoever made the writer decides; it is given both."""
    seen: list[tuple[Object, Object]] = []

    def carry(status: Object, before: Object) -> Object:
        seen.append((status, before))
        return status

    async def run() -> None:
        store = Store(stored())
        async with asking(store, tmp_path) as client:
            writer = ReportWriter(
                NodeReports(api=client, node_name="node-7"),
                Pace(),
                carry=carry,
                tell=lambda _: None,
            )
            writer.offer(render(a_report(findings=(a_finding(),), taken_at=datetime.now(UTC))))
            await writer.step()
            await writer.step()

    asyncio.run(run())

    ((status, before),) = seen
    assert status["findings"]
    assert before == stored()["status"]
