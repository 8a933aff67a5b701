"""What can not be posted: tried again at a pace, or counted as dropped."""

import logging
import math
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.api_server import Answer, status_object
from cluster.poster_bench import UNAVAILABLE, WEB, Bench, a_news, about, answering, on_bench
from pausewatch.cluster.event_poster import LONGEST_WAIT_SECONDS, Drop


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
