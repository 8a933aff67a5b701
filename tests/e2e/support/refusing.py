"""A proxy before the API server that answers in its stead when told: what an overloaded or broken one answers."""

import asyncio
import contextlib
import json
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from pausewatch.cluster.client import tls_context
from pausewatch.cluster.connection import Connection, ConnectionPlace, read_connection

START_SECONDS = 10.0
PASSED_ON = ("Accept", "Content-Type", "User-Agent")

EXPIRED = 410
"""What a watch is told whose resource version the server has forgotten (Kubernetes API concepts: watch, 410 Gone)."""


class RefusingProxy:
    """Relays what the agent asks with the agent's own credentials. Use it as a context manager.

    Attributes:
        server: URL of this end; without TLS, for it does not leave the machine.
        refused: How many requests were answered here since the last call of ``refuse`` or ``expire_watches``.
    """

    def __init__(self, kubeconfig: Path) -> None:
        """Prepare to relay to the API server of a kubeconfig."""
        connection = read_connection(ConnectionPlace(kubeconfig=kubeconfig))
        assert isinstance(connection, Connection), connection
        self._connection = connection
        self._kubeconfig = kubeconfig
        self._status = 0
        self._expires_watches = False
        self._watches: set[asyncio.Task[object]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.server = ""
        self.refused = 0

    def kubeconfig(self) -> Path:
        """Write a copy of the kubeconfig that leads through the proxy, and return its path."""
        document = json.loads(self._kubeconfig.read_text(encoding="utf-8"))
        document["clusters"][0]["cluster"] = {"server": self.server}
        path = self._kubeconfig.with_suffix(".proxy")
        path.touch(mode=0o600)
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    def refuse(self, status: int) -> None:
        """Answer everything with this status from now on, and break the watches."""
        self._set(status=status, expires_watches=False)

    def expire_watches(self) -> None:
        """Tell every watch from now on that its resource version is too old; all else is relayed."""
        self._set(status=0, expires_watches=True)

    def relay(self) -> None:
        """Relay everything from now on."""
        self._set(status=0, expires_watches=False)

    def __enter__(self) -> Self:
        self._thread.start()
        self._runner, port = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(START_SECONDS)
        self.server = f"http://127.0.0.1:{port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(START_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_SECONDS)
        self._loop.close()

    def _set(self, *, status: int, expires_watches: bool) -> None:
        async def change() -> None:
            self._status, self._expires_watches, self.refused = status, expires_watches, 0
            for watch in self._watches:
                watch.cancel()

        asyncio.run_coroutine_threadsafe(change(), self._loop).result(START_SECONDS)

    async def _start(self) -> tuple[web.AppRunner, int]:
        connection = self._connection
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls_context(connection)),
            timeout=aiohttp.ClientTimeout(total=None),
            headers={"Authorization": f"Bearer {connection.token}"} if connection.token else {},
        )
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner, runner.addresses[0][1]

    async def _stop(self) -> None:
        for watch in self._watches:
            watch.cancel()
        await self._runner.cleanup()
        await self._client.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        is_watch = "watch" in request.query
        if self._status or (is_watch and self._expires_watches):
            self.refused += 1
            return _refusal(self._status or EXPIRED, is_event=not self._status)
        task = asyncio.current_task()
        if not is_watch or task is None:
            return await self._relay(request)
        self._watches.add(task)
        try:
            return await self._relay(request)
        finally:
            self._watches.discard(task)

    async def _relay(self, request: web.Request) -> web.StreamResponse:
        async with self._client.request(
            request.method,
            f"{self._connection.server}{request.path_qs}",
            # Not even empty content: it would get a type of its own, which the API server refuses.
            data=await request.read() or None,
            headers={name: request.headers[name] for name in PASSED_ON if name in request.headers},
        ) as answer:
            response = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
            try:
                with contextlib.suppress(aiohttp.ClientConnectionResetError):  # the agent does not wait for it any more
                    await response.prepare(request)
                    async for chunk in answer.content.iter_any():
                        await response.write(chunk)
            finally:
                # A stream that is broken off would be closed with a TLS farewell, which a busy server answers late:
                # after the end of the event loop, which leaves the socket open.
                if answer.connection is not None and answer.connection.transport is not None:
                    answer.connection.transport.abort()
            return response


def _refusal(status: int, *, is_event: bool) -> web.Response:
    """Return an error as the API server words it; an event of a watch is one line with success around it."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "refused by a test", "code": status}
    if is_event:
        line = json.dumps({"type": "ERROR", "object": body | {"reason": "Expired"}}) + "\n"
        return web.Response(text=line, content_type="application/json")
    return web.json_response(body, status=status, headers={"Retry-After": "1"} if status == 429 else {})
