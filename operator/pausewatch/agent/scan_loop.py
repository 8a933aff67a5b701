"""The scan, again and again: one look per period, whatever happens to the last one."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Never

from pausewatch.agent.threads import LastingThread
from pausewatch.model.history import History
from pausewatch.scan import Look

PERIOD_SPREAD = 0.05
"""Periods are this much shorter or longer, so that nodes that were started together drift apart."""

START_SPREAD = 0.1
LONGEST_START_SECONDS = 5.0
"""The first scan waits up to this share of a period, and up to so long: until then a pod is not ready, and the rollout
of a DaemonSet waits for it."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Iterations:
    """What became of the scans so far."""

    looks: int = 0
    """That gave a report."""

    crashes: int = 0
    """That broke: bugs of ours."""

    crash: str = ""
    """What the last iteration broke with; empty if it did not."""

    duration_seconds: Mapping[str, float] = field(default_factory=dict)
    """Of the last one that gave a report, by phase; empty before the first."""

    ended_at: float = 0.0
    """When the last one ended, by the monotonic clock; the start of the loop before the first."""

    last_success_at: datetime | None = None
    """Wall clock, of the last one whose report was handed on."""


class ScanLoop:
    """Looks at the node for ever.

    Attributes:
        iterations: What became of the looks so far.
        last: The last look that gave a report.
        history: What is remembered for the next look; whoever changes it does so in ``before``.
    """

    def __init__(
        self,
        look: Callable[[History], Look],
        *,
        period_seconds: float,
        second_look_seconds: float,
        before: Callable[[History], History],
        after: Callable[[Look], None],
    ) -> None:
        """Prepare.

        Args:
            look: Reads and judges the node; called in a thread of its own, one call at a time.
            period_seconds: From the start of one look to the start of the next.
            second_look_seconds: From the end of the first look to the second: what must be seen twice is not to wait
                for a whole period.
            before: Called in the event loop before each look, with what is remembered; returns what to go on with.
            after: Called in the event loop after each look.
        """
        self._look = look
        self._period_seconds = period_seconds
        self._second_look_seconds = second_look_seconds
        self._before = before
        self._after = after
        self._thread = LastingThread("scan")
        self.history = History()
        self.iterations = Iterations(ended_at=time.monotonic())
        self.last: Look | None = None

    async def run(self) -> Never:
        """Look for ever; an iteration that breaks is told, counted and followed by the next."""
        await asyncio.sleep(start_seconds(self._period_seconds, random.random()))  # noqa: S311  no secret
        while True:
            began = time.monotonic()
            await self.iterate()
            await asyncio.sleep(self._pause(time.monotonic() - began))

    async def iterate(self) -> None:
        """Look once."""
        try:
            self.history = self._before(self.history)
            history = self.history
            found = await self._thread.do(lambda: self._look(history))
            self._succeeded(found)
            self._after(found)
            # Only now: with a report that nobody gets, what is stored is as old as if nobody had looked.
            self.iterations = replace(self.iterations, crash="", last_success_at=datetime.now(UTC))
        except Exception as error:  # noqa: BLE001  whatever broke, the next look may not
            self._broke(error)

    def _succeeded(self, found: Look) -> None:
        self.history = found.history
        self.last = found
        self.iterations = replace(
            self.iterations,
            looks=self.iterations.looks + 1,
            duration_seconds=found.duration_seconds,
            ended_at=time.monotonic(),
        )

    def _broke(self, error: Exception) -> None:
        before = self.iterations
        crash = f"{type(error).__name__}: {error}"
        if crash != before.crash:
            logger.error("a scan broke; report it as a bug in pausewatch", exc_info=error)
        self.iterations = replace(before, crashes=before.crashes + 1, crash=crash, ended_at=time.monotonic())

    def _pause(self, taken_seconds: float) -> float:
        if self.iterations.looks == 1 and not self.iterations.crash:
            return min(self._second_look_seconds, self._period_seconds)
        spread = 1 + PERIOD_SPREAD * (2 * random.random() - 1)  # noqa: S311  no secret
        return max(self._period_seconds * spread - taken_seconds, 0)


def start_seconds(period_seconds: float, chance: float) -> float:
    """Return how long the first scan waits; ``chance`` is random, at least 0 and less than 1."""
    return min(period_seconds * START_SPREAD, LONGEST_START_SECONDS) * chance
