"""What fails is told, and tried again at a pace."""

from pathlib import Path

import pytest

from cluster.api_server import status_object
from cluster.writer_bench import Bench, on_bench, stored
from pausewatch.cluster import write_schedule
from pausewatch.cluster.write_schedule import Pace
from support.reports import a_finding


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
