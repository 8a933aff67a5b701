"""What others make of the stored report: who edits it, another agent of the node, the API server itself."""

import math
from datetime import timedelta
from pathlib import Path

from cluster.api_server import Answer, Asked
from cluster.writer_bench import PATH, Bench, on_bench, stored
from pausewatch.sinks.report import Object, render
from support.parts import TAKEN_AT
from support.reports import a_finding, a_report


def test_report_that_somebody_edits_is_put_right(tmp_path: Path) -> None:
    """No sooner than a change of our own would be written: somebody who edits in a loop must not set the pace."""

    async def act(bench: Bench) -> None:
        bench.offer(findings=(a_finding(),))
        await bench.settle()
        bench.store.edit(summary={"zombies": 0})
        bench.writer.was_seen(bench.store.seen())
        assert bench.writer.wait_seconds() == 60
        bench.seconds += 60
        await bench.settle()

    bench = on_bench(tmp_path, act)

    assert bench.store.report is not None
    assert bench.store.report["status"] == render(a_report(findings=(a_finding(),)))["status"]
    assert bench.writer.errors == 0


def test_what_the_next_report_keeps_is_not_what_somebody_edited(tmp_path: Path) -> None:
    """A time in a condition would be taken for ours for ever."""
    kept: list[Object] = []

    def carry(status: Object, before: Object) -> Object:
        kept.append(before)
        return status

    async def act(bench: Bench) -> None:
        bench.offer(findings=(a_finding(),))
        await bench.settle()
        bench.store.edit(conditions=[])
        bench.writer.was_seen(bench.store.seen())
        bench.seconds += 60
        await bench.settle()

    on_bench(tmp_path, act, carry=carry)

    assert [bool(before.get("conditions")) for before in kept] == [False, True]


def test_report_that_somebody_labels_is_read_and_not_written(tmp_path: Path) -> None:
    """The status is still ours."""

    async def act(bench: Bench) -> None:
        bench.offer()
        await bench.settle()
        bench.store.edit()
        bench.writer.was_seen(bench.store.seen())
        bench.seconds += 60
        await bench.settle()
        assert bench.writer.wait_seconds() > 0

    bench = on_bench(tmp_path, act)

    assert bench.store.writes() == ["POST ", "PATCH /node-7/status"]
    assert bench.store.asked[-1].brief == f"GET {PATH}/node-7"


def test_second_agent_of_the_node_that_sees_the_same_costs_no_write(tmp_path: Path) -> None:
    """During a rollout there may be two: one look a minute at what is stored, and one heartbeat for both."""

    async def act(bench: Bench) -> None:
        bench.offer(findings=(a_finding(),))
        await bench.settle()
        for _ in range(5):
            bench.seconds += 100
            later = TAKEN_AT + timedelta(seconds=bench.seconds - 1010)
            bench.writer.was_seen(bench.store.look_of_another(later, findings=(a_finding(),)))
            bench.offer(findings=(a_finding(),))
            await bench.settle()
            assert bench.writer.others is not None
        assert bench.writer.wait_seconds() == 590
        bench.seconds += 590
        bench.offer(findings=(a_finding(),))
        await bench.settle()
        assert bench.writer.others is None

    assert on_bench(tmp_path, act).store.writes().count("PATCH /node-7/status") == 2


def test_two_agents_that_write_the_same_at_the_same_moment_leave_it_at_that(tmp_path: Path) -> None:
    """Times are whole seconds, and the one's write may come after the other's although it looked before."""

    async def act(bench: Bench) -> None:
        bench.offer(findings=(a_finding(),))
        await bench.settle()
        other = a_finding(first_seen_at=TAKEN_AT - timedelta(hours=2))
        for taken_at in (TAKEN_AT, TAKEN_AT - timedelta(seconds=1)):
            bench.writer.was_seen(bench.store.look_of_another(taken_at, findings=(other,)))
            bench.seconds += 60
            bench.offer(findings=(a_finding(),))
            await bench.settle()

    bench = on_bench(tmp_path, act)

    assert bench.store.writes().count("PATCH /node-7/status") == 1


def test_what_was_seen_earlier_does_not_replace_what_another_agent_saw_later(tmp_path: Path) -> None:
    """The report would say the one and the other in turn."""

    async def act(bench: Bench) -> None:
        bench.offer()
        await bench.settle()
        bench.seconds += 100
        bench.offer()
        news = bench.store.look_of_another(TAKEN_AT + timedelta(seconds=120), findings=(a_finding(),))
        bench.seconds += 30
        bench.writer.was_seen(news)
        await bench.settle()
        assert bench.writer.wait_seconds() == math.inf
        bench.offer(findings=(a_finding(),))
        await bench.settle()
        assert bench.writer.wait_seconds() > 0

    bench = on_bench(tmp_path, act)

    assert bench.store.writes().count("PATCH /node-7/status") == 1
    assert bench.store.report is not None
    assert len(bench.store.report["status"]["findings"]) == 1


def test_agent_that_sees_the_node_otherwise_is_told_of_and_not_fought(tmp_path: Path) -> None:
    """An hour of it costs nine writes and not sixty."""

    async def act(bench: Bench) -> None:
        bench.offer()
        await bench.settle()
        remarks = set()
        for _ in range(60):
            bench.seconds += 60
            before = TAKEN_AT + timedelta(seconds=bench.seconds - 1001)
            bench.writer.was_seen(bench.store.look_of_another(before, findings=(a_finding(),)))
            bench.offer()
            await bench.settle()
            remarks.add(bench.writer.remark.reason if bench.writer.remark else "")
        assert "ReportContested" in remarks
        assert bench.writer.trouble is None

    assert on_bench(tmp_path, act).store.writes().count("PATCH /node-7/status") <= 9


def test_clock_that_is_set_back_ends_the_other_agent_s_say(tmp_path: Path) -> None:
    """It looked at an hour that is still to come now, and is gone: nobody would write until then."""

    async def act(bench: Bench) -> None:
        bench.offer()
        await bench.settle()
        bench.seconds += 60
        bench.writer.was_seen(bench.store.look_of_another(bench.now, findings=(a_finding(),)))
        bench.offer(findings=(a_finding(),))
        await bench.settle()
        assert bench.writer.others is not None
        bench.clock_step = timedelta(hours=-5)
        bench.seconds += 60
        bench.offer()
        await bench.settle()

    bench = on_bench(tmp_path, act)

    assert bench.store.report is not None
    assert bench.store.report["status"]["findings"] == []


def test_look_that_is_still_to_come_is_put_right(tmp_path: Path) -> None:
    """Whoever writes a time of next year must not keep us from writing until then."""

    async def act(bench: Bench) -> None:
        bench.offer()
        await bench.settle()
        bench.writer.was_seen(bench.store.look_of_another(TAKEN_AT + timedelta(days=365)))
        bench.seconds += 60
        await bench.settle()

    bench = on_bench(tmp_path, act)

    assert bench.store.report is not None
    assert bench.store.report["status"]["reportTime"] == render(a_report(taken_at=TAKEN_AT))["status"]["reportTime"]


def test_what_the_api_server_makes_of_a_write_is_remarked_on_and_costs_no_other(tmp_path: Path) -> None:
    """A definition of an older version drops fields, and a webhook may change any: our own write, as it is stored."""

    async def act(bench: Bench) -> None:
        def store_less(asked: Asked) -> Answer | None:
            if asked.method != "PATCH" or bench.store.report is None:
                return None
            bench.store.edit(**{key: value for key, value in asked.body[0]["value"].items() if key != "runtime"})
            return (200, bench.store.report)

        bench.store.refuse = store_less
        bench.offer()
        await bench.settle()
        bench.writer.was_seen(bench.store.seen())
        for _ in range(5):
            bench.seconds += 60
            bench.offer()
            await bench.settle()
        assert bench.writer.remark is not None
        assert "status.runtime is dropped" in bench.writer.remark.detail

    assert on_bench(tmp_path, act, stored() | {"status": {}}).store.writes() == ["PATCH /node-7/status"]
