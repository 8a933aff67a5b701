"""The agent's HTTP pages: what it last found as metrics, and whether it lives. No page starts a scan.

Every pod of the cluster may reach the port, unless a NetworkPolicy forbids it. What it sends, and how many connections
it opens, must not cost the agent its memory or fill its log.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from pausewatch.agent.health import Verdict

PLAIN = "text/plain; charset=utf-8"
INDEX = "pausewatch agent\n\n/metrics\n/healthz\n/readyz\n"

CLOSING_SECONDS = 0.5
"""How long an open request may hold up the end of the agent."""

MOST_CONNECTIONS = 128
"""At once: Prometheus and the kubelet have a few. One more ends the oldest, so that those which do nothing keep nobody
out. Otherwise some thousands of them, which any pod can open, would take all the memory that the agent may have."""

BACKLOG = 32
"""Connections that are accepted at once. A request is answered a few rounds later: it has to outlive those of a flood
that come meanwhile."""

LONGEST_LINE_BYTES = 1024
LONGEST_HEADER_BYTES = 4096
MOST_HEADERS = 32
BODY_BYTES = 4096
"""What is kept of one request: a line, headers of which Prometheus may bring a token, and a body, which nobody reads;
132 KiB at most. By default aiohttp keeps a MiB."""

logger = logging.getLogger(__name__)


class PageServer:
    """The pages while they are served."""

    def __init__(self, runner: web.AppRunner, listening: asyncio.Server) -> None:
        self._runner = runner
        self._listening = listening

    @property
    def port(self) -> int:
        """Where they are."""
        port: int = self._listening.sockets[0].getsockname()[1]
        return port

    async def cleanup(self) -> None:
        """End it, and what is open."""
        self._listening.close()
        await self._runner.cleanup()


class _Bugs(logging.LoggerAdapter[logging.Logger]):
    """A log without what others sent: a trace for each request that is none would fill it."""

    def exception(self, msg: object, *args: object, exc_info: Any = True, **options: Any) -> None:  # noqa: ANN401
        if not isinstance(exc_info, HttpProcessingError):
            super().exception(msg, *args, exc_info=exc_info, **options)


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


async def serve(pages: web.Application, host: str, port: int) -> PageServer:
    """Serve the pages; returns what to clean up at the end.

    Args:
        pages: From ``application``.
        host: Empty for all addresses.
        port: 0 to 65535; 0: one that the system chooses.

    Raises:
        OSError: The address can not be listened on.
    """
    runner = web.AppRunner(
        pages,
        access_log=None,
        logger=_Bugs(logger),
        shutdown_timeout=CLOSING_SECONDS,
        max_line_size=LONGEST_LINE_BYTES,
        max_field_size=LONGEST_HEADER_BYTES,
        max_headers=MOST_HEADERS,
        read_bufsize=BODY_BYTES,
    )
    await runner.setup()
    server = runner.server
    assert server is not None, "it is set up"  # noqa: S101

    def connect() -> asyncio.Protocol:
        open_ones = server.connections
        for oldest in open_ones[: max(0, len(open_ones) - MOST_CONNECTIONS + 1)]:
            # Not closed: whoever does not read would keep what is to be sent.
            if oldest.transport is not None:
                oldest.transport.abort()
        return server()

    try:
        listening = await asyncio.get_running_loop().create_server(connect, host or None, port, backlog=BACKLOG)
    except OSError:
        await runner.cleanup()
        raise
    return PageServer(runner, listening)


def _answer(verdict: Verdict) -> web.Response:
    text = json.dumps(verdict.body, indent=2) + "\n"
    return web.Response(text=text, status=200 if verdict.ok else 503, content_type="application/json")
