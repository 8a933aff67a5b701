import asyncio
import socket
from collections.abc import Mapping

import aiohttp
import pytest

from pausewatch.agent.health import Verdict
from pausewatch.agent.pages import Sources, application, serve

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
