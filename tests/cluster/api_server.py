"""An HTTP server on a free local port that answers as a test says, and remembers what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from pausewatch.cluster.client import ApiClient
from pausewatch.cluster.connection import ConnectionPlace

Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]]


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any

    @property
    def brief(self) -> str:
        """Its first line."""
        return f"{self.method} {self.path}"


@dataclass
class FakeApi:
    """What a test tells the server, and what the server was asked."""

    answer: Callable[[Asked], Answer] = lambda _: (200, {})
    asked: list[Asked] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request."""
        text = await request.text()
        asked = Asked(
            method=request.method,
            path=request.path,
            query=dict(request.query),
            headers=dict(request.headers),
            body=json.loads(text) if text else None,
        )
        self.asked.append(asked)
        status, content, *headers = self.answer(asked)
        body = content if isinstance(content, str) else json.dumps(content)
        kind = "text/plain" if isinstance(content, str) else "application/json"
        return web.Response(status=status, text=body, content_type=kind, headers=headers[0] if headers else None)


@asynccontextmanager
async def serving(api: FakeApi, folder: Path, token: str = "of-a-test") -> AsyncIterator[ConnectionPlace]:  # noqa: S107  no secret
    """Serve; yields where the connection to it is described."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", api.handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    path = folder / "kubeconfig"
    path.write_text(kubeconfig(f"http://127.0.0.1:{runner.addresses[0][1]}", token))
    try:
        yield ConnectionPlace(kubeconfig=path)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def asking(api: FakeApi, folder: Path) -> AsyncIterator[ApiClient]:
    """Serve; yields a client that asks there."""
    async with serving(api, folder) as place:
        client = ApiClient(place)
        try:
            yield client
        finally:
            await client.close()


def asked_with(api: FakeApi, folder: Path, **request: Any) -> dict[str, Any]:  # noqa: ANN401  any of the client's
    """Make one request to a fake server and return its answer."""

    async def ask() -> dict[str, Any]:
        async with asking(api, folder) as client:
            return await client.request(**{"method": "GET", "path": "/api/v1/pods"} | request)

    return asyncio.run(ask())


def kubeconfig(server: str, token: str) -> str:
    """Return a kubeconfig with a token."""
    return yaml.safe_dump(
        {
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "clusters": [{"name": "test", "cluster": {"server": server}}],
            "users": [{"name": "test", "user": {"token": token}}],
        }
    )


def status_object(code: int, reason: str, name: str = "", message: str = "") -> dict[str, Any]:
    """Return a ``metav1.Status`` as the API server answers with."""
    details = {"details": {"name": name}} if name else {}
    return {"kind": "Status", "apiVersion": "v1", "code": code, "reason": reason, "message": message, **details}
