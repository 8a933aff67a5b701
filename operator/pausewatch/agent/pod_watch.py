"""The watch of this node's pods and report: kopf in a thread of its own, started again whenever it ends.

It does end: when the definition of reports is deleted, when a token is refused twice, when a stream breaks in a way it
does not know. And whatever runs in its event loop ends with it. So it has its own, and the scan, the report and the
pages live on without it.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from typing import Never

from pausewatch.agent.kopf_session import NOT_LISTED, Listeners, Session
from pausewatch.agent.startup import KOPF_THREAD
from pausewatch.agent.threads import in_daemon_thread
from pausewatch.cluster.connection import ConnectionPlace
from pausewatch.cluster.reports import Seen
from pausewatch.model.availability import Unavailable
from pausewatch.model.pod import Pod
from pausewatch.model.text import printable

KEPT_SECONDS = 120.0
"""How long the pods of an ended watch still count, so that a new one that is up within seconds is not noticed. A pod
that came since then is missing in them, which costs a question to the API server and no false alarm."""

FIRST_RESTART_SECONDS = 2.0
LONGEST_RESTART_SECONDS = 300.0
"""A watch that lasted as long as this is started again at once; others later and later, also those that knew all pods
for a moment. What ends one watch mostly ends the next, and each begins with a listing: at 5,000 nodes that would be
thousands in a second."""

logger = logging.getLogger(__name__)


class PodWatch:
    """Runs kopf again and again, and hands out what it knows.

    Attributes:
        ends: How often it has ended by itself.
        was_complete: Set once the pods of this node are known for the first time.
    """

    def __init__(
        self,
        node_name: str,
        place: ConnectionPlace,
        report_seen: Callable[[Seen], None],
        gap_seen: Callable[[], None],
    ) -> None:
        """Prepare to watch.

        Args:
            node_name: Whose pods and report.
            place: Where the connection to the API server is described.
            report_seen: Called in the event loop of ``run`` with what happened to this node's report.
            gap_seen: Called there when things were listed again, or asked for with success after a failure: what
                happened to the report before may be unknown.
        """
        self._node_name = node_name
        self._place = place
        self._report_seen = report_seen
        self._gap_seen = gap_seen
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: Session | None = None
        self._kept: tuple[Pod, ...] = ()
        self._kept_until = 0.0
        self._trouble: Unavailable | None = None
        self.ends = 0
        self.was_complete = asyncio.Event()

    @property
    def trouble(self) -> Unavailable | None:
        """Return why the pods of this node are not known, or may be out of date; None while all is well."""
        session = self._session
        if session is not None and session.is_complete:
            return session.trouble
        return (session and session.trouble) or self._trouble or NOT_LISTED

    async def run(self) -> Never:
        """Watch for ever."""
        failures = 0
        loop = self._loop = asyncio.get_running_loop()
        while True:
            handlers = Listeners(
                completed=lambda: _call(loop, self.was_complete.set),
                report_seen=lambda seen: _call(loop, lambda: self._report_seen(seen)),
                answered_again=lambda: _call(loop, self._gap_seen),
            )
            session = Session(self._node_name, self._place, handlers)
            self._session = session
            began = time.monotonic()
            ended = await _run_in_thread(session)
            self._keep(session)
            # What it knew counts for a while only.
            self._session = None
            if session.was_stopped:
                continue
            failures = failures_after(failures, time.monotonic() - began)
            self._ended(ended, is_news=failures <= 1)
            await asyncio.sleep(restart_seconds(failures, random.random()))  # noqa: S311  no secret

    def reports_are_served(self) -> None:
        """Take note that the API server has reports; a watch that began without them is started again."""
        if self._session is not None and self._session.lacks_reports:
            self.stop()

    def restart_if_silent(self, now: float) -> None:
        """Start a watch again that asks for nothing any more; ``now`` is the monotonic clock."""
        session = self._session
        if session is not None and not session.was_stopped and session.is_silent(now):
            logger.warning("the watch of this node's pods or report ended without a word; it is started again")
            session.stop()

    def stop(self) -> None:
        """Ask the watch of the moment to end."""
        if self._session is not None:
            self._session.stop()

    def pods(self) -> tuple[Pod, ...] | Unavailable:
        """Return the pods of this node as last seen; to be called from another thread than kopf's."""
        session = self._session
        if session is not None and session.is_complete:
            return session.pods()
        if time.monotonic() < self._kept_until:
            return self._kept
        return self.trouble or NOT_LISTED

    def take_relisted(self) -> bool:
        """Return whether the pods were listed since the last call: what was deleted meanwhile is still known then."""
        session = self._session
        relisted = session is not None and session.take_relisted()
        if relisted and self._loop is not None:
            _call(self._loop, self._gap_seen)
        return relisted

    def _keep(self, session: "Session") -> None:
        if session.is_complete:
            self._kept = session.last_pods()
            self._kept_until = time.monotonic() + KEPT_SECONDS

    def _ended(self, error: Exception | None, *, is_news: bool) -> None:
        self.ends += 1
        what = printable(f"{type(error).__name__}: {error}") if error else "without an error"
        trouble = Unavailable(
            reason="WatchEnded",
            detail=f"the watch of this node's pods ended: {what}",
            remedy="see the log of the agent; another watch is started by itself",
        )
        if is_news or trouble != self._trouble:
            logger.warning("%s", trouble)
        self._trouble = trouble


async def _run_in_thread(session: Session) -> Exception | None:
    try:
        return await in_daemon_thread(KOPF_THREAD, session.run)
    except RuntimeError as error:
        # No thread can be started on a node that is out of pids: the time at which the agent is needed most.
        return error


def _call(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(callback)


def failures_after(failures: int, lasted_seconds: float) -> int:
    """Return how many watches in a row ended soon, after one more that lasted so long."""
    return 0 if lasted_seconds >= LONGEST_RESTART_SECONDS else failures + 1


def restart_seconds(failures: int, chance: float) -> float:
    """Return how long to wait before the watch is started again.

    Args:
        failures: How many in a row ended soon.
        chance: Random, at least 0 and less than 1.
    """
    doubled = FIRST_RESTART_SECONDS * float(2 ** min(failures, 10))
    return min(doubled, LONGEST_RESTART_SECONDS) * (1 + chance) / 2
