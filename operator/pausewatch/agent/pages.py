"""The agent's HTTP pages: what it last found as metrics, and whether it lives. No page starts a scan."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from pausewatch.agent.health import Verdict

PLAIN = "text/plain; charset=utf-8"
INDEX = "pausewatch agent\n\n/metrics\n/healthz\n/readyz\n"

CLOSING_SECONDS = 0.5
"""How long an open request may hold up the end of the agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the pages come from; each is called in the event loop and must be quick."""

    metrics: Callable[[str], tuple[bytes, str]]
    """Takes the Accept header; returns the exposition and its content type."""

    liveness: Callable[[], Verdict]
    readiness: Callable[[], Verdict]


def application(sources: Sources) -> web.Application:
    """Return the pages."""

    async def metrics(request: web.Request) -> web.Response:
        body, content_type = sources.metrics(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def healthz(_: web.Request) -> web.Response:
        return _answer(sources.liveness())

    async def readyz(_: web.Request) -> web.Response:
        return _answer(sources.readiness())

    async def index(_: web.Request) -> web.Response:
        return web.Response(text=INDEX, headers={"Content-Type": PLAIN})

    pages = web.Application()
    pages.add_routes(
        [web.get("/", index), web.get("/metrics", metrics), web.get("/healthz", healthz), web.get("/readyz", readyz)]
    )
    return pages


async def serve(pages: web.Application, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Serve the pages; returns what to clean up at the end, and the port, which the system chooses for port 0.

    Args:
        pages: From ``application``.
        host: Empty for all addresses.
        port: 0 to 65535.

    Raises:
        OSError: The address can not be listened on.
    """
    runner = web.AppRunner(pages, access_log=None, shutdown_timeout=CLOSING_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host or None, port).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner, runner.addresses[0][1]


def _answer(verdict: Verdict) -> web.Response:
    text = json.dumps(verdict.body, indent=2) + "\n"
    return web.Response(text=text, status=200 if verdict.ok else 503, content_type="application/json")
