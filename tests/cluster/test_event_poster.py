import asyncio
import math
from datetime import timedelta
from pathlib import Path

from cluster.api_server import status_object
from cluster.poster_bench import Bench, a_news, about, answering, on_bench
from pausewatch.cluster.event_poster import (
    LONGEST_WAIT_SECONDS,
    MOST_WAITING,
    NODE_BURST,
    NODE_SECONDS_PER_EVENT,
    OBJECT_BURST,
    OBJECT_SECONDS_PER_EVENT,
    Drop,
)
from pausewatch.sinks.events import SERIES_SECONDS, Change, Regarding
from support.parts import TAKEN_AT

PATH = "/apis/events.k8s.io/v1/namespaces/team-a/events"


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
