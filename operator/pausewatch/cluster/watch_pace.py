"""How soon one watch may follow another.

A server, or a proxy before it, may accept each watch and end it at once. kopf asks again without a wait (kopf 1.45:
``_cogs/clients/watching.py``, continuous_watch): two thousand times in a second, from each node.
"""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

STEADY_SECONDS = 10.0
"""A watch that lasted this long is followed by the next one at once: a proxy that ends idle streams is no fault."""

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0
"""Less than kopf waits for a watch altogether (inactivity_timeout, 70 s)."""

MOST_DOUBLINGS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watch:
    began_at: float = -math.inf
    short_ones: int = 0
    """In a row, that did not last."""


class WatchPace:
    """Remembers the last watch of each path; all calls from one event loop."""

    def __init__(self) -> None:
        self._last: dict[str, _Watch] = {}

    def wait_seconds(self, path: str, now: float, chance: float) -> float:
        """Return how long the next watch has to wait, and take it for begun after that.

        Args:
            path: Of the resource.
            now: By a monotonic clock.
            chance: Random, at least 0 and less than 1.
        """
        last = self._last.get(path, _Watch())
        short_ones = last.short_ones + 1 if now - last.began_at < STEADY_SECONDS else 0
        doubled = FIRST_WAIT_SECONDS * float(2 ** min(short_ones - 1, MOST_DOUBLINGS)) if short_ones else 0.0
        wait = min(doubled, LONGEST_WAIT_SECONDS) * (1 + chance) / 2
        self._last[path] = _Watch(began_at=now + wait, short_ones=short_ones)
        return wait


def paced(
    pace: WatchPace,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> aiohttp.ClientMiddlewareType:
    """Return a middleware that lets watches wait, and nothing else."""

    async def wait(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        if "watch" in request.url.query:
            await sleep(pace.wait_seconds(request.url.path, clock(), random.random()))  # noqa: S311  no secret
        return await handler(request)

    return wait
