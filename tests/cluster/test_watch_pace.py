import asyncio
from pathlib import Path

from cluster.api_server import FakeApi, serving
from pausewatch.cluster.client import open_session
from pausewatch.cluster.connection import Connection, read_connection
from pausewatch.cluster.watch_pace import LONGEST_WAIT_SECONDS, STEADY_SECONDS, WatchPace

PODS, REPORTS = "/api/v1/pods", "/apis/pausewatch.github.io/v1alpha1/podsandboxreports"


def test_first_watch_of_each_resource_does_not_wait() -> None:
    """An agent that starts needs both at once."""
    pace = WatchPace()

    assert [pace.wait_seconds(path, 100, 0.5) for path in (PODS, REPORTS)] == [0, 0]


def test_watches_that_end_at_once_wait_longer_and_longer() -> None:
    """Half of each wait is random; the longest is less than kopf's own patience."""
    pace = WatchPace()
    now = 100.0
    waits = []
    for _ in range(20):
        waits.append(pace.wait_seconds(PODS, now, 0))
        now += waits[-1]

    assert waits[:5] == [0, 0.5, 1, 2, 4]
    assert waits[-1] == LONGEST_WAIT_SECONDS / 2
    assert pace.wait_seconds(PODS, now, 1) == LONGEST_WAIT_SECONDS


def test_watch_that_lasted_is_followed_at_once() -> None:
    """The server ends each one after minutes; a proxy may do so sooner."""
    pace = WatchPace()
    for _ in range(5):
        pace.wait_seconds(PODS, 100, 0.5)

    assert pace.wait_seconds(PODS, 200 + STEADY_SECONDS, 0.5) == 0
    assert pace.wait_seconds(REPORTS, 200, 0.5) == 0


def test_session_lets_watches_wait_and_nothing_else(tmp_path: Path) -> None:
    """Three lists at once are nobody's harm; the second of two watches takes its time."""
    api = FakeApi()

    async def run() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        async with serving(api, tmp_path) as place:
            connection = read_connection(place)
            assert isinstance(connection, Connection)
            async with open_session(connection) as session:
                took = []
                for query in ({}, {"watch": "true"}):
                    began = loop.time()
                    for _ in range(2):
                        await (await session.get(f"{connection.server}{PODS}", params=query)).read()
                    took.append(loop.time() - began)
                return took[0], took[1]

    lists, watches = asyncio.run(run())

    assert lists < 0.5 <= watches
    assert len(api.asked) == 4
