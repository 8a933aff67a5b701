"""How long a look in a thread keeps the event loop waiting: probes, writes and watches wait as long."""

import asyncio
import time
from collections.abc import Callable

from pausewatch.agent.threads import in_daemon_thread

TICK_SECONDS = 0.001


def longest_wait_seconds(look: Callable[[], object], looks: int) -> float:
    """Return by how much the event loop was late at worst while a look ran; the least of several looks.

    Another program that takes the CPU makes the loop late as well: what all looks have in common is the look's own.
    """
    return min(asyncio.run(_longest_wait_seconds(look)) for _ in range(looks))


async def _longest_wait_seconds(look: Callable[[], object]) -> float:
    looking = asyncio.create_task(in_daemon_thread("look", look))
    worst = 0.0
    while not looking.done():
        began = time.perf_counter()
        await asyncio.sleep(TICK_SECONDS)
        worst = max(worst, time.perf_counter() - began - TICK_SECONDS)
    await looking
    return worst
