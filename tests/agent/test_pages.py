import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from pausewatch.agent.health import LEAST_SECONDS_WITHOUT_SCAN, Facts, Verdict, liveness, readiness
from pausewatch.agent.pages import BACKLOG, MOST_CONNECTIONS, Sources, application, serve
from pausewatch.agent.scan_loop import ScanLoop
from pausewatch.model.history import History
from pausewatch.scan import Look
from pausewatch.sinks.exposed import Exposed
from pausewatch.sinks.metrics import Metrics
from support.health import a_health

WELL = Verdict(ok=True, body={"ok": True})
HEALTHZ = b"GET /healthz HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n"
T = TypeVar("T")
ILL = Verdict(ok=False, body={"ok": False, "reasons": ["why"]})


def fetch(path: str, headers: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Return status, content type and text of a page."""

    async def run() -> tuple[int, str, str]:
        sources = Sources(
            metrics=lambda accept: (f"accepted {accept}".encode(), "text/x; charset=utf-8"),
            liveness=lambda: WELL,
            readiness=lambda: ILL,
        )
        served = await serve(application(sources), "127.0.0.1", 0)
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{served.port}{path}", headers=headers) as answer,
            ):
                return answer.status, answer.headers["Content-Type"], await answer.text()
        finally:
            await served.cleanup()

    return asyncio.run(run())


def test_metrics_come_in_the_format_that_is_asked_for() -> None:
    """Prometheus asks for one of several."""
    assert fetch("/metrics", {"Accept": "text/x"}) == (200, "text/x; charset=utf-8", "accepted text/x")


def test_verdicts_are_json_with_a_status_for_the_kubelet() -> None:
    """It looks at the status, people at the reasons."""
    assert fetch("/healthz")[0] == 200
    status, kind, text = fetch("/readyz")
    assert (status, kind) == (503, "application/json; charset=utf-8")
    assert '"why"' in text


def test_front_page_names_the_others() -> None:
    """Somebody opens the port in a browser."""
    status, _, text = fetch("/")

    assert status == 200
    assert all(path in text for path in ("/metrics", "/healthz", "/readyz"))


def answered(port: int, request: bytes) -> bytes:
    """Send something, and return what comes back until the connection ends; nothing once it was ended."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        try:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))
        except ConnectionError:
            return b""


def while_served(ask: Callable[[int], T]) -> T:
    """Serve pages, and return what asking for them in another thread gives."""

    async def run() -> T:
        sources = Sources(metrics=lambda _: (b"", "text/x"), liveness=lambda: WELL, readiness=lambda: WELL)
        served = await serve(application(sources), "127.0.0.1", 0)
        try:
            return await asyncio.to_thread(ask, served.port)
        finally:
            await served.cleanup()

    return asyncio.run(run())


def test_connections_that_say_nothing_keep_nobody_out() -> None:
    """However many there are, some stay open, the latest, and a kubelet gets its answer."""

    async def run() -> tuple[bytes, list[bool]]:
        sources = Sources(metrics=lambda _: (b"", "text/x"), liveness=lambda: WELL, readiness=lambda: WELL)
        served = await serve(application(sources), "127.0.0.1", 0)
        silent = []
        for number in range(3 * MOST_CONNECTIONS):
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: a" if number % 2 else b"")
            silent.append((reader, writer))
        told = await asyncio.to_thread(answered, served.port, HEALTHZ)
        ended = [reader.at_eof() or reader.exception() is not None for reader, _ in silent]
        for _, writer in silent:
            writer.transport.abort()
        await served.cleanup()
        return told, ended

    told, ended = asyncio.run(run())

    assert told.startswith(b"HTTP/1.1 200 ")
    assert all(ended[: 2 * MOST_CONNECTIONS - BACKLOG])
    assert not any(ended[2 * MOST_CONNECTIONS + 2 :])


@pytest.mark.parametrize(
    "request_text",
    [
        b"\x16\x03\x01 is what TLS begins with\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (number, b"a" * 4000) for number in range(1000)),
    ],
    ids=["no HTTP", "contradictory", "long path", "many headers"],
)
def test_what_is_no_request_is_refused_and_fills_no_log(request_text: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever reaches the port may send it all day long."""
    told = while_served(lambda port: answered(port, request_text))

    assert told == b"" or told.startswith(b"HTTP/1.0 400 "), told[:100]
    assert [record.getMessage() for record in caplog.records] == []


def test_page_that_breaks_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """It is a bug of ours."""
    broken = Sources(metrics=lambda _: (b"", ""), liveness=broken_verdict, readiness=lambda: WELL)

    async def run() -> bytes:
        served = await serve(application(broken), "127.0.0.1", 0)
        try:
            return await asyncio.to_thread(answered, served.port, HEALTHZ)
        finally:
            await served.cleanup()

    assert asyncio.run(run()).startswith(b"HTTP/1.1 500 ")
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def broken_verdict() -> Verdict:
    """Fail."""
    raise ValueError("broken")


def test_address_in_use_is_an_error() -> None:
    """Without its pages nobody can tell whether an agent lives."""

    async def run() -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            sources = Sources(metrics=lambda _: (b"", ""), liveness=lambda: WELL, readiness=lambda: WELL)
            await serve(application(sources), "127.0.0.1", other.getsockname()[1])

    with pytest.raises(OSError, match="address already in use"):
        asyncio.run(run())


class HangingNode:
    """A node whose first look hangs until it is let go."""

    def __init__(self) -> None:
        self.hangs = threading.Event()
        self.let_go = threading.Event()
        self.ahead_seconds = 0.0
        self.scans = ScanLoop(
            self.look, period_seconds=30, second_look_seconds=1, before=lambda history: history, after=lambda _: None
        )

    def look(self, _: History) -> Look:
        """Hang as a read of /proc may, in the thread of the scan."""
        self.hangs.set()
        self.let_go.wait(30)
        raise ValueError("let go")

    def facts(self) -> Facts:
        """Return what is known of the agent meanwhile."""
        return Facts(
            iterations=self.scans.iterations,
            period_seconds=30,
            runtime_timeout_seconds=2,
            ended_parts={},
            troubles={},
        )

    def now(self) -> float:
        """Return the time of the verdicts."""
        return time.monotonic() + self.ahead_seconds

    def sources(self) -> Sources:
        """Return what the pages show."""
        health = a_health(scan_duration_seconds={}, scans=0, last_success_at=None)
        return Sources(
            metrics=Metrics(lambda: Exposed(health=health, report=None)).render,
            liveness=lambda: liveness(self.facts(), self.now()),
            readiness=lambda: readiness(self.facts(), self.now()),
        )


def test_scrape_and_probes_are_answered_while_a_scan_hangs() -> None:
    """It has a thread of its own; after the limit it is told as dead, and a kubelet restarts the agent."""
    node = HangingNode()

    async def run() -> tuple[str, list[tuple[int, list[str]]]]:
        scan = asyncio.create_task(node.scans.iterate())
        await asyncio.to_thread(node.hangs.wait, 30)
        served = await serve(application(node.sources()), "127.0.0.1", 0)
        verdicts = []
        async with aiohttp.ClientSession(f"http://127.0.0.1:{served.port}") as session:
            scrape = await (await session.get("/metrics")).text()
            for path, ahead_seconds in (("/healthz", 0.0), ("/readyz", 0.0), ("/healthz", LEAST_SECONDS_WITHOUT_SCAN)):
                node.ahead_seconds = ahead_seconds
                answer = await session.get(path)
                verdicts.append((answer.status, json.loads(await answer.text())["reasons"]))
        await served.cleanup()
        node.let_go.set()
        await scan
        return scrape, verdicts

    scrape, verdicts = asyncio.run(run())

    samples = {family.name: len(family.samples) for family in parse_text(scrape)}
    assert samples["pausewatch_scans"] == 1
    assert samples["pausewatch_findings"] == 0
    assert [status for status, _ in verdicts] == [200, 503, 503]
    assert verdicts[1][1] == ["no scan has been completed yet"]
    assert "means that one hangs" in verdicts[2][1][0]


def test_event_loop_that_hangs_answers_no_probe() -> None:
    """It can not say so itself; for a kubelet, a probe without an answer in time has failed."""
    let_go = threading.Event()
    ports: list[int] = []
    serves = threading.Event()

    async def hang() -> None:
        sources = Sources(metrics=lambda _: (b"", ""), liveness=lambda: WELL, readiness=lambda: WELL)
        served = await serve(application(sources), "127.0.0.1", 0)
        ports.append(served.port)
        serves.set()
        let_go.wait(30)
        await served.cleanup()

    thread = threading.Thread(target=asyncio.run, args=(hang(),))
    thread.start()
    try:
        assert serves.wait(30)
        with socket.create_connection(("127.0.0.1", ports[0]), timeout=0.2) as probe:
            probe.sendall(b"GET /healthz HTTP/1.1\r\nHost: agent\r\n\r\n")
            with pytest.raises(TimeoutError):
                probe.recv(1)
    finally:
        let_go.set()
        thread.join()
