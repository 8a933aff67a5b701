# ruff: noqa: ANN401  builders pass any field of a value on to its constructor

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cluster.api_server import Answer, Asked, FakeApi, serving, status_object
from pausewatch.cluster.client import ApiClient
from pausewatch.cluster.event_poster import (
    LONGEST_WAIT_SECONDS,
    MOST_WAITING,
    NODE_BURST,
    NODE_SECONDS_PER_EVENT,
    OBJECT_BURST,
    OBJECT_SECONDS_PER_EVENT,
    SERIES_SECONDS,
    Drop,
    EventPoster,
)
from pausewatch.cluster.report_writer import Clock
from pausewatch.model.availability import Unavailable
from pausewatch.sinks.events import Change, News, Regarding
from support.builders import TAKEN_AT, WEB_UID

PATH = "/apis/events.k8s.io/v1/namespaces/team-a/events"
UNAVAILABLE: Answer = (503, status_object(503, "ServiceUnavailable"))
WEB = Regarding(kind="Pod", namespace="team-a", name="web-x", uid=WEB_UID)


def a_news(**changes: Any) -> News:
    """Return zombies found in ``team-a/web-x``."""
    found = News(
        finding_id="zombie-buildup/web-x/app/49b6b3a0c1d2",
        change=Change.FOUND,
        reason="ZombieBuildup",
        note="40+ zombies",
        regarding=WEB,
        at=TAKEN_AT,
    )
    return replace(found, **changes)


def about(number: int) -> News:
    """Return news of a pod of this number."""
    return a_news(regarding=replace(WEB, name=f"web-{number}", uid=f"uid-{number}"))


class Store(FakeApi):
    """An API server that takes Events; ``refuse`` may answer in its place."""

    def __init__(self) -> None:
        super().__init__(self._serve)
        self.refuse: Callable[[Asked], Answer | None] = lambda _: None

    def methods(self) -> list[str]:
        """Return how it was asked so far."""
        return [asked.method for asked in self.asked]

    def _serve(self, asked: Asked) -> Answer:
        return self.refuse(asked) or ((201, asked.body) if asked.method == "POST" else (200, {}))


class Bench:
    """A poster with an API server, a clock that stands still, and what it told."""

    def __init__(self, store: Store, client: ApiClient) -> None:
        self.store = store
        self.seconds = 1000.0
        self.told: list[Unavailable | None] = []
        clock = Clock(monotonic=lambda: self.seconds, chance=lambda: 1)
        self.poster = EventPoster(client, "node-7", self._tell, clock)
        self.answered = asyncio.Event()

    def _tell(self, trouble: Unavailable | None) -> None:
        self.told.append(trouble)
        self.answered.set()

    async def settle(self) -> None:
        """Take steps until the next one has to wait."""
        for _ in range(2 * MOST_WAITING):
            if self.poster.wait_seconds() > 0:
                return
            await self.poster.step()
        raise AssertionError("the poster does not come to rest")

    def dropped(self) -> dict[str, int]:
        """Return what was dropped, where anything was."""
        return {reason: count for reason, count in self.poster.dropped.items() if count}


def on_bench(folder: Path, act: Callable[[Bench], Any]) -> Bench:
    """Run ``act`` with a poster."""

    async def run() -> Bench:
        store = Store()
        async with serving(store, folder) as place:
            client = ApiClient(place)
            bench = Bench(store, client)
            try:
                await act(bench)
            finally:
                await client.close()
            return bench

    return asyncio.run(run())


def answering(*answers: Answer) -> Callable[[Asked], Answer | None]:
    """Return a refusal that gives these answers, one each, and then none."""
    left = iter(answers)
    return lambda _: next(left, None)


def test_event_is_posted_where_its_object_is(tmp_path: Path) -> None:
    """In the pod's Kubernetes namespace, in the name of this node."""

    async def act(bench: Bench) -> None:
        assert bench.poster.wait_seconds() == math.inf
        bench.poster.offer([a_news()])
        await bench.settle()

    bench = on_bench(tmp_path, act)

    (asked,) = bench.store.asked
    assert asked.brief == f"POST {PATH}"
    assert (asked.body["reason"], asked.body["reportingInstance"]) == ("ZombieBuildup", "node-7")
    assert (bench.poster.posted, bench.dropped(), bench.told) == (1, {}, [None])


def test_event_about_the_node_goes_to_the_default_namespace(tmp_path: Path) -> None:
    """The Node has none."""

    async def act(bench: Bench) -> None:
        bench.poster.offer([a_news(regarding=Regarding(kind="Node", name="node-7", uid="node-7"))])
        await bench.settle()

    assert on_bench(tmp_path, act).store.asked[0].path == "/apis/events.k8s.io/v1/namespaces/default/events"


def test_finding_that_flaps_is_a_series(tmp_path: Path) -> None:
    """Two Events, however often it comes and goes, each with its count and the last time."""

    async def act(bench: Bench) -> None:
        for _ in range(3):
            for change in Change:
                bench.seconds += 60
                at = TAKEN_AT + timedelta(seconds=bench.seconds)
                bench.poster.offer([a_news(change=change, at=at)])
                await bench.settle()

    bench = on_bench(tmp_path, act)

    assert bench.store.methods() == ["POST", "POST", *["PATCH"] * 4]
    last = bench.store.asked[-1]
    assert last.path == f"{PATH}/{bench.store.asked[1].body['metadata']['name']}"
    assert last.headers["Content-Type"] == "application/json-patch+json"
    assert last.body == [
        {"op": "add", "path": "/series", "value": {"count": 3, "lastObservedTime": "2026-11-21T09:36:43.000000Z"}}
    ]
    assert bench.poster.posted == 6


def test_series_ends_when_nothing_happens_for_long(tmp_path: Path) -> None:
    """What comes back later is another Event."""

    async def act(bench: Bench) -> None:
        for wait in (0, SERIES_SECONDS - 1, SERIES_SECONDS):
            bench.seconds += wait
            bench.poster.offer([a_news()])
            await bench.settle()

    assert on_bench(tmp_path, act).store.methods() == ["POST", "PATCH", "POST"]


def test_series_whose_event_is_gone_begins_anew(tmp_path: Path) -> None:
    """Events do not live for long, and anybody may delete them."""

    async def act(bench: Bench) -> None:
        bench.poster.offer([a_news(), a_news()])
        gone = (404, status_object(404, "NotFound", name="web-x.1"))
        bench.store.refuse = lambda asked: gone if asked.method == "PATCH" else None
        await bench.settle()

    bench = on_bench(tmp_path, act)

    assert bench.store.methods() == ["POST", "PATCH", "POST"]
    assert (bench.poster.posted, bench.told) == (2, [None, None])


def test_event_that_is_there_already_counts_as_posted(tmp_path: Path) -> None:
    """The answer to the first attempt was lost."""

    async def act(bench: Bench) -> None:
        bench.store.refuse = answering((409, status_object(409, "AlreadyExists", name="web-x.1")))
        bench.poster.offer([a_news()])
        await bench.settle()

    bench = on_bench(tmp_path, act)

    assert (bench.poster.posted, bench.store.methods()) == (1, ["POST"])


def test_object_has_a_burst_and_then_one_now_and_then(tmp_path: Path) -> None:
    """Of others nothing is taken; the rest is counted."""

    async def act(bench: Bench) -> None:
        findings = [a_news(finding_id=f"finding/{number}") for number in range(OBJECT_BURST + 3)]
        bench.poster.offer([*findings, about(1)])
        assert bench.dropped() == {Drop.RATE_LIMITED: 3}
        bench.seconds += OBJECT_SECONDS_PER_EVENT
        bench.poster.offer(findings[:2])
        assert bench.dropped() == {Drop.RATE_LIMITED: 4}

    on_bench(tmp_path, act)


def test_node_has_a_burst_and_then_a_steady_pace(tmp_path: Path) -> None:
    """What is over waits, and is dropped when it is no news any more."""

    async def act(bench: Bench) -> None:
        in_time = int(LONGEST_WAIT_SECONDS / NODE_SECONDS_PER_EVENT)
        bench.poster.offer(about(number) for number in range(NODE_BURST + in_time + 7))
        await bench.settle()
        assert bench.poster.posted == NODE_BURST
        assert bench.poster.wait_seconds() == NODE_SECONDS_PER_EVENT
        while bench.poster.wait_seconds() < math.inf:
            bench.seconds += NODE_SECONDS_PER_EVENT
            await bench.poster.step()
        assert bench.poster.posted == NODE_BURST + in_time
        assert bench.dropped() == {Drop.TOO_OLD: 7}

    on_bench(tmp_path, act)


def test_queue_is_bounded(tmp_path: Path) -> None:
    """Memory is, whatever happens on the node."""

    async def act(bench: Bench) -> None:
        bench.poster.offer(about(number) for number in range(MOST_WAITING + 5))
        assert bench.dropped() == {Drop.QUEUE_FULL: 5}

    on_bench(tmp_path, act)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_server_that_can_not_now_is_asked_later_and_later(tmp_path: Path, status: int) -> None:
    """The trouble is told each time, and once more when it is over."""

    async def act(bench: Bench) -> None:
        bench.store.refuse = answering(*[(status, status_object(status, "Busy"))] * 3)
        bench.poster.offer([a_news()])
        waits = []
        while bench.poster.wait_seconds() < math.inf:
            waits.append(bench.poster.wait_seconds())
            bench.seconds += max(waits[-1], 0)
            await bench.poster.step()
        assert waits == [0, 2, 4, 8]

    bench = on_bench(tmp_path, act)

    assert [one and one.reason for one in bench.told] == ["Busy"] * 3 + [None]
    assert (bench.poster.posted, bench.dropped()) == (1, {})


def test_server_may_ask_for_more_time(tmp_path: Path) -> None:
    """Retry-After is the least."""

    async def act(bench: Bench) -> None:
        bench.store.refuse = answering((429, status_object(429, "TooManyRequests"), {"Retry-After": "40"}))
        bench.poster.offer([a_news()])
        await bench.settle()
        assert bench.poster.wait_seconds() == 50

    on_bench(tmp_path, act)


def test_server_that_is_down_for_long_loses_events(tmp_path: Path) -> None:
    """They are not tried for ever, and what comes later is posted at once when it is back."""

    async def act(bench: Bench) -> None:
        bench.store.refuse = lambda _: UNAVAILABLE
        bench.poster.offer([a_news()])
        while bench.poster.wait_seconds() < math.inf:
            bench.seconds += max(bench.poster.wait_seconds(), 0)
            await bench.poster.step()
        assert bench.dropped() == {Drop.TOO_OLD: 1}
        bench.store.refuse = lambda _: None
        bench.seconds += LONGEST_WAIT_SECONDS
        bench.poster.offer([a_news()])
        await bench.settle()

    bench = on_bench(tmp_path, act)

    assert bench.poster.posted == 1
    assert 8 < len(bench.store.asked) < 15


def test_event_outlives_a_token_that_has_ended(tmp_path: Path) -> None:
    """The next token is on disk soon; what was to be told is still news then."""

    async def act(bench: Bench) -> None:
        bench.store.refuse = answering((401, status_object(401, "Unauthorized")))
        bench.poster.offer([a_news()])
        await bench.settle()
        bench.store.refuse = lambda _: None
        bench.seconds += bench.poster.wait_seconds()
        await bench.settle()

    bench = on_bench(tmp_path, act)

    assert bench.poster.posted == 1
    assert bench.dropped() == {}


def test_one_namespace_that_fails_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """A webhook may be broken for one team."""

    async def act(bench: Bench) -> None:
        bench.store.refuse = lambda asked: UNAVAILABLE if "/team-a/" in asked.path else None
        bench.poster.offer([a_news(), a_news(regarding=replace(WEB, namespace="team-b"))])
        await bench.settle()
        bench.seconds += 2
        await bench.poster.step()

    assert on_bench(tmp_path, act).poster.posted == 1


@pytest.mark.parametrize(
    ("answer", "drop", "trouble"),
    [
        ((403, status_object(403, "Forbidden", name="x")), Drop.REFUSED, "Forbidden"),
        ((422, status_object(422, "Invalid", name="x")), Drop.REFUSED, "Invalid"),
        ((404, "404 page not found"), Drop.REFUSED, "ResourceUnknown"),
        ((404, status_object(404, "NotFound", name="team-a")), Drop.NAMESPACE_GONE, None),
        (
            (
                403,
                status_object(403, "Forbidden")
                | {"details": {"name": "x", "causes": [{"reason": "NamespaceTerminating", "message": "ending"}]}},
            ),
            Drop.NAMESPACE_GONE,
            None,
        ),
    ],
    ids=["no right", "not valid", "not served", "namespace gone", "namespace ending"],
)
def test_what_is_refused_is_not_sent_again(tmp_path: Path, answer: Answer, drop: Drop, trouble: str | None) -> None:
    """A Kubernetes namespace that is deleted is no trouble, anything else is."""

    async def act(bench: Bench) -> None:
        bench.store.refuse = answering(answer)
        bench.poster.offer([a_news()])
        await bench.settle()

    bench = on_bench(tmp_path, act)

    assert len(bench.store.asked) == 1
    assert bench.dropped() == {drop: 1}
    assert [one.reason for one in bench.told if one] == ([trouble] if trouble else [])


def test_bug_ends_neither_the_events_nor_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One trace, and each one is counted."""

    async def act(bench: Bench) -> None:
        bench.poster.offer([a_news(at=None), a_news(at=None), about(1)])
        await bench.settle()

    with caplog.at_level(logging.ERROR):
        bench = on_bench(tmp_path, act)

    assert (bench.poster.posted, bench.dropped()) == (1, {Drop.BROKEN: 2})
    assert len(caplog.records) == 1


def test_it_posts_by_itself(tmp_path: Path) -> None:
    """Whatever is offered while it runs."""

    async def act(bench: Bench) -> None:
        running = asyncio.create_task(bench.poster.run())
        for number in (1, 2):
            bench.poster.offer([about(number)])
            async with asyncio.timeout(5):
                await bench.answered.wait()
            bench.answered.clear()
        running.cancel()

    assert on_bench(tmp_path, act).poster.posted == 2
