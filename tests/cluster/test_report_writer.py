# ruff: noqa: ANN401  builders pass any field of a value on to its constructor

import asyncio
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cluster.api_server import Answer, Asked, FakeApi, serving, status_object
from pausewatch.cluster import write_schedule
from pausewatch.cluster.client import ApiClient
from pausewatch.cluster.report_writer import DELETED_AGAIN, Carry, Clock, ReportWriter
from pausewatch.cluster.reports import NodeReports, Seen
from pausewatch.cluster.write_schedule import Pace
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import Report
from pausewatch.sinks.report import Object, render
from support.builders import TAKEN_AT
from support.reports import a_finding, a_report

PATH = "/apis/pausewatch.github.io/v1alpha1/podsandboxreports"
NOT_THERE: Answer = (404, status_object(404, "NotFound", name="node-7"))


class Store(FakeApi):
    """An API server that keeps one report; ``refuse`` may answer in its place."""

    def __init__(self, report: Object | None = None) -> None:
        super().__init__(self._serve)
        self.report = report
        self.uids = 0
        self.version = 0
        self.refuse: Callable[[Asked], Answer | None] = lambda _: None

    def writes(self) -> list[str]:
        """Return what was written so far."""
        return [asked.brief.replace(PATH, "") for asked in self.asked if asked.path.startswith(PATH) and asked.body]

    def seen(self) -> Seen:
        """Return what the watch says about the report as it is stored."""
        assert self.report is not None
        metadata = self.report["metadata"]
        return Seen(uid=metadata["uid"], version=metadata["resourceVersion"])

    def edit(self, **status: Any) -> None:
        """Change the stored report as somebody else might."""
        assert self.report is not None
        self._keep(self.report | {"status": self.report["status"] | status})

    def look_of_another(self, taken_at: datetime, **changes: Any) -> Seen:
        """Have another agent of the node write what it saw; return what the watch says of it."""
        self.edit(**render(a_report(taken_at=taken_at, **changes))["status"])
        return self.seen()

    def _keep(self, report: Object) -> Object:
        self.version += 1
        self.report = report | {"metadata": report["metadata"] | {"resourceVersion": str(self.version)}}
        return self.report

    def _serve(self, asked: Asked) -> Answer:
        refused = self.refuse(asked)
        if refused is not None:
            return refused
        if asked.brief == f"POST {PATH}":
            self.uids += 1
            return (201, self._keep({**asked.body, "metadata": asked.body["metadata"] | {"uid": f"uid-{self.uids}"}}))
        if not asked.path.startswith(PATH):
            return (403, status_object(403, "Forbidden"))
        if self.report is None:
            return NOT_THERE
        if asked.method == "PATCH":
            self._keep(self.report | {"status": asked.body[0]["value"]})
        return (200, self.report)


class Bench:
    """A writer with a store, a clock that stands still, and what it told."""

    def __init__(self, store: Store, client: ApiClient, carry: Carry) -> None:
        self.store = store
        self.seconds = 1000.0
        self.told: list[Unavailable | None] = []
        clock = Clock(
            monotonic=lambda: self.seconds,
            now=lambda: TAKEN_AT + timedelta(seconds=self.seconds - 1000),
            chance=lambda: 0.5,
        )
        self.writer = ReportWriter(
            NodeReports(api=client, node_name="node-7"),
            Pace(),
            carry=carry,
            tell=self.told.append,
            clock=clock,
        )

    def offer(self, **changes: Any) -> None:
        """Offer a report that was taken now, changed where said."""
        taken_at = TAKEN_AT + timedelta(seconds=self.seconds - 1000)
        report: Report = a_report(taken_at=taken_at, **changes)
        self.writer.offer(render(report))

    async def settle(self) -> None:
        """Take steps until the next one has to wait."""
        for _ in range(10):
            if self.writer.wait_seconds() > 0:
                return
            await self.writer.step()
        raise AssertionError("the writer does not come to rest")


def on_bench(
    folder: Path,
    act: Callable[[Bench], Any],
    report: Object | None = None,
    carry: Carry = lambda status, _: status,
) -> Bench:
    """Run ``act`` with a writer whose API server holds ``report``."""

    async def run() -> Bench:
        store = Store(report)
        async with serving(store, folder) as place:
            client = ApiClient(place)
            bench = Bench(store, client, carry)
            try:
                await act(bench)
            finally:
                await client.close()
            return bench

    return asyncio.run(run())


def stored(**changes: Any) -> Object:
    """Return the report as an earlier run left it."""
    report = render(a_report(**changes))
    return report | {"metadata": report["metadata"] | {"uid": "earlier", "resourceVersion": "0"}}


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


def test_refused_token_is_tried_again_within_half_a_minute(tmp_path: Path) -> None:
    """The one on disk is renewed by somebody else, and the watch may be open all the while and tell nothing."""

    async def act(bench: Bench) -> None:
        bench.offer()
        bench.store.refuse = lambda _: (401, status_object(401, "Unauthorized"))
        for _ in range(10):
            await bench.writer.step()
        assert bench.writer.wait_seconds() <= write_schedule.LONGEST_LOGIN_RETRY_SECONDS
        bench.store.refuse = lambda _: None
        bench.seconds += write_schedule.LONGEST_LOGIN_RETRY_SECONDS
        await bench.settle()

    assert on_bench(tmp_path, act).store.writes() == ["POST ", "PATCH /node-7/status"]


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


def test_failure_is_told_once_and_tried_again_later(tmp_path: Path) -> None:
    """Told when it begins, told when it is over."""

    async def act(bench: Bench) -> None:
        bench.store.refuse = lambda _: (503, status_object(503, "ServiceUnavailable"))
        bench.offer()
        await bench.writer.step()
        assert bench.writer.wait_seconds() == 1.5
        bench.seconds += 1.5
        await bench.writer.step()
        assert bench.writer.wait_seconds() == 3
        bench.store.refuse = lambda _: None
        bench.seconds += 3
        await bench.settle()

    bench = on_bench(tmp_path, act)

    assert bench.writer.errors == 2
    assert [one.reason if one else None for one in bench.told] == ["ServiceUnavailable", None]


def test_trouble_ends_although_nothing_is_left_to_write(tmp_path: Path) -> None:
    """A finding came and went while the server was down: told as not written until the next heartbeat otherwise."""

    async def act(bench: Bench) -> None:
        bench.offer()
        await bench.settle()
        bench.seconds += 60
        bench.store.refuse = lambda _: (503, status_object(503, "ServiceUnavailable"))
        bench.offer(findings=(a_finding(),))
        await bench.settle()
        bench.store.refuse = lambda _: None
        bench.offer()
        assert 0 < bench.writer.wait_seconds() < 10
        bench.seconds += 10
        await bench.settle()

    bench = on_bench(tmp_path, act)

    assert [one.reason if one else None for one in bench.told] == ["ServiceUnavailable", None]
    assert bench.store.writes().count("PATCH /node-7/status") == 2


def test_heartbeat_that_is_refused_is_tried_again_and_not_asked_about(tmp_path: Path) -> None:
    """Reading would work, be told as the end of the trouble, and the next attempt as another one: twice a minute."""

    async def act(bench: Bench) -> None:
        bench.offer()
        await bench.settle()
        bench.seconds += 2 * Pace().heartbeat_seconds
        bench.store.refuse = lambda asked: (403, status_object(403, "Forbidden")) if asked.method == "PATCH" else None
        for _ in range(5):
            bench.offer()
            await bench.settle()
            bench.seconds += 30

    assert [one.reason if one else None for one in on_bench(tmp_path, act).told] == ["Forbidden"]


@pytest.mark.parametrize("code", [401, 403, 409, 410, 422, 429, 500, 504])
def test_write_that_is_refused_is_tried_again(tmp_path: Path, code: int) -> None:
    """Whatever the reason: a conflict, a policy, an overload; what is written then is what was offered last."""

    async def act(bench: Bench) -> None:
        await bench.settle()
        bench.store.refuse = lambda _: (code, status_object(code, "Refused"))
        bench.offer(findings=(a_finding(),))
        await bench.writer.step()
        assert bench.writer.wait_seconds() == 1.5
        bench.offer(findings=(a_finding(), a_finding("second")))
        assert bench.writer.wait_seconds() == 1.5
        bench.store.refuse = lambda _: None
        bench.seconds += 1.5
        await bench.settle()

    bench = on_bench(tmp_path, act, stored())

    assert bench.store.report is not None
    assert len(bench.store.report["status"]["findings"]) == 2
    assert [one.reason if one else None for one in bench.told] == ["Refused", None]
    assert (bench.writer.writes, bench.writer.errors) == (1, 1)


def test_patience_that_the_server_asks_for_is_kept(tmp_path: Path) -> None:
    """Also for a write that is due."""

    async def act(bench: Bench) -> None:
        await bench.settle()
        bench.store.refuse = lambda _: (429, status_object(429, "TooManyRequests"), {"Retry-After": "40"})
        bench.offer(findings=(a_finding(),))
        await bench.writer.step()
        assert bench.writer.wait_seconds() == 45

    on_bench(tmp_path, act, stored())


def test_creation_that_collides_looks_again_but_not_at_once(tmp_path: Path) -> None:
    """An older report that is still being removed must not be asked for in a tight loop."""

    async def act(bench: Bench) -> None:
        bench.store.refuse = lambda asked: (
            (409, status_object(409, "AlreadyExists", name="node-7")) if asked.method == "POST" else None
        )
        bench.offer()
        await bench.settle()
        assert bench.writer.wait_seconds() == 1.5

    on_bench(tmp_path, act)


def test_what_the_next_report_keeps_of_the_stored_one(tmp_path: Path) -> None:
    """Whoever made the writer decides; it is given both."""
    seen: list[tuple[Object, Object]] = []

    def carry(status: Object, before: Object) -> Object:
        seen.append((status, before))
        return status

    async def run() -> None:
        store = Store(stored())
        async with serving(store, tmp_path) as place:
            client = ApiClient(place)
            writer = ReportWriter(
                NodeReports(api=client, node_name="node-7"),
                Pace(),
                carry=carry,
                tell=lambda _: None,
            )
            writer.offer(render(a_report(findings=(a_finding(),), taken_at=datetime.now(UTC))))
            await writer.step()
            await writer.step()
            await client.close()

    asyncio.run(run())

    ((status, before),) = seen
    assert status["findings"]
    assert before == stored()["status"]
