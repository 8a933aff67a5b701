import asyncio
import json
import socket
import threading
import time
from collections.abc import Mapping

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from pausewatch.agent.health import LEAST_SECONDS_WITHOUT_SCAN, Facts, Verdict, liveness, readiness
from pausewatch.agent.pages import Sources, application, serve
from pausewatch.agent.scan_loop import ScanLoop
from pausewatch.model.history import History
from pausewatch.scan import Look
from pausewatch.sinks.exposed import Exposed
from pausewatch.sinks.metrics import Metrics
from support.health import a_health

WELL = Verdict(ok=True, body={"ok": True})
ILL = Verdict(ok=False, body={"ok": False, "reasons": ["why"]})


def fetch(path: str, headers: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Return status, content type and text of a page."""

    async def run() -> tuple[int, str, str]:
        sources = Sources(
            metrics=lambda accept: (f"accepted {accept}".encode(), "text/x; charset=utf-8"),
            liveness=lambda: WELL,
            readiness=lambda: ILL,
        )
        runner, port = await serve(application(sources), "127.0.0.1", 0)
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{port}{path}", headers=headers) as answer,
            ):
                return answer.status, answer.headers["Content-Type"], await answer.text()
        finally:
            await runner.cleanup()

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
        return Facts(iterations=self.scans.iterations, period_seconds=30, ended_parts={}, troubles={})

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
        runner, port = await serve(application(node.sources()), "127.0.0.1", 0)
        verdicts = []
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            scrape = await (await session.get("/metrics")).text()
            for path, ahead_seconds in (("/healthz", 0.0), ("/readyz", 0.0), ("/healthz", LEAST_SECONDS_WITHOUT_SCAN)):
                node.ahead_seconds = ahead_seconds
                answer = await session.get(path)
                verdicts.append((answer.status, json.loads(await answer.text())["reasons"]))
        await runner.cleanup()
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
        runner, port = await serve(application(sources), "127.0.0.1", 0)
        ports.append(port)
        serves.set()
        let_go.wait(30)
        await runner.cleanup()

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
