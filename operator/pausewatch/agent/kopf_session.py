"""One run of kopf in a thread of its own: what its handlers learn, and how others ask for it."""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import kopf

from pausewatch.agent.kopf_operator import operator_registry, operator_settings
from pausewatch.agent.threads import ask_loop, end_other_tasks
from pausewatch.cluster.connection import Connection, ConnectionPlace, read_connection
from pausewatch.cluster.errors import ApiError
from pausewatch.cluster.pods import PODS_PATH
from pausewatch.cluster.reports import GROUP_PATH, REPORTS_PATH, Seen
from pausewatch.model.availability import Unavailable
from pausewatch.model.pod import Pod

NOT_LISTED = Unavailable(
    reason="PodsNotListed",
    detail="the pods of this node have not been listed yet",
    remedy="see whether the agent reaches the API server and may list pods",
)

COPY_SECONDS = 2.0
"""Limit of asking kopf's loop for a copy of its index: it is idle almost always."""

LEAST_SECONDS_BETWEEN_LOGINS = 5.0
"""A refused login is followed by the next one at once, and by the next: hundreds in a second."""

LONGEST_SILENCE_SECONDS = 1200.0
"""Beyond this nobody watches any more: the server lets a watch last for 900 s (WATCH_SECONDS), and kopf begins the next
one within a minute. A watch may end without a word: when kopf's time for a stream without events is over in the moment
in which it hands an event on, it takes its own cancellation for somebody else's (kopf 1.45: watch_objs, reraise). The
pods that it knew last would then count for ever."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Whom a run of kopf tells; called in its thread."""

    completed: Callable[[], None]
    report_seen: Callable[[Seen], None]
    answered_again: Callable[[], None]
    """A request that had failed was answered."""


class Session:
    """One run of kopf.

    Attributes:
        is_complete: Set once the pods of this node are known.
        was_stopped: Set once it was asked to end.
    """

    def __init__(self, node_name: str, place: ConnectionPlace, listeners: Listeners) -> None:
        self._node_name = node_name
        self._place = place
        self._listeners = listeners
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._index: Mapping[str, Any] = {}
        self._answered: set[str] = set()
        self._failures: dict[str, Unavailable] = {}
        self._asked_at: dict[str, float] = {}
        self._connected_at = -math.inf
        self._logins: list[kopf.AiohttpSession] = []
        # Two counts instead of a flag: each is written by one thread only, so that no listing can be missed.
        self._listings = 0
        self._taken_listings = 0
        self.is_complete = False
        self.was_stopped = False

    def run(self) -> Exception | None:
        """Run kopf until it ends, and return why; None if it was asked to."""
        try:
            asyncio.run(self._operate())
        except Exception as error:  # noqa: BLE001  whatever ends kopf is told, and another one is started
            return error
        return None

    def stop(self) -> None:
        """Ask it to end; to be called from another thread."""
        self.was_stopped = True
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)

    def pods(self) -> tuple[Pod, ...] | Unavailable:
        """Return the pods in the index; to be called from another thread."""
        if self._loop is None:
            return NOT_LISTED
        try:
            return ask_loop(self._loop, self._copy(), COPY_SECONDS)
        except TimeoutError as error:
            if self._loop.is_closed():
                # kopf has just ended, and nothing changes its index any more.
                return self.last_pods()
            detail = f"the watch did not hand out its pods within {COPY_SECONDS:g} s: {error}"
            return Unavailable(reason="WatchBusy", detail=detail)

    def last_pods(self) -> tuple[Pod, ...]:
        """Return the pods that were in the index when kopf ended."""
        return tuple(pod for store in self._index.values() for pod in store)

    def take_relisted(self) -> bool:
        """Return whether there was a listing since the last call."""
        before, self._taken_listings = self._taken_listings, self._listings
        return self._taken_listings != before

    @property
    def lacks_reports(self) -> bool:
        """Whether it began when the API server had no reports: kopf looks for the kinds at its start only."""
        return PODS_PATH in self._answered and GROUP_PATH not in self._answered

    def is_silent(self, now: float) -> bool:
        """Return whether pods or report have not been asked for, for longer than a watch lasts.

        Args:
            now: By the monotonic clock.
        """
        asked_at = (self._asked_at.get(path, now) for path in (PODS_PATH, REPORTS_PATH))
        return now - min(asked_at) > LONGEST_SILENCE_SECONDS

    @property
    def trouble(self) -> Unavailable | None:
        """Return how the last request failed that says something about pods; None if it did not.

        Before the pods are known that is any, afterwards only their own: the watch of reports may fail for its own
        reasons.
        """
        failures = dict(self._failures)
        return failures.get(PODS_PATH) or (None if self.is_complete else next(iter(failures.values()), None))

    def connection(self) -> Connection | Unavailable:
        """See WatchSession."""
        now = time.monotonic()
        if now - self._connected_at < LEAST_SECONDS_BETWEEN_LOGINS:
            return Unavailable(reason="Unauthorized", detail="the API server refused what we had just read")
        self._connected_at = now
        return read_connection(self._place)

    def asked(self, path: str, error: ApiError | None) -> None:
        """See WatchSession."""
        self._asked_at[path] = time.monotonic()
        if error is None:
            self._answered.add(path)
            if self._failures.pop(path, None) is not None:
                self._listeners.answered_again()
        else:
            self._failures[path] = error.as_unavailable()

    def logged_in(self, login: kopf.AiohttpSession) -> None:
        """See WatchSession."""
        self._logins = [*(one for one in self._logins if not one.aiohttp_session.closed), login]

    def started(self, pods: Mapping[str, Any]) -> None:
        """See WatchSession."""
        self._index = pods

    def pod_seen(self, *, listed: bool) -> None:
        """See WatchSession."""
        # kopf holds all events back until every index is filled: the first one says that this is so.
        if not self.is_complete:
            self.is_complete = True
            self._listeners.completed()
        self._listings += listed

    def report_seen(self, seen: Seen, *, listed: bool) -> None:
        """See WatchSession."""
        self.pod_seen(listed=listed)
        self._listeners.report_seen(seen)

    async def _operate(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(tell_left_over)
        self._stop = asyncio.Event()
        if self.was_stopped:
            return
        try:
            await self._run_kopf(self._stop)
        finally:
            # kopf closes the old one when it gets a new one, and forgets the last.
            for login in self._logins:
                await login.aiohttp_session.close()

    async def _run_kopf(self, stop: asyncio.Event) -> None:
        roots = await kopf.spawn_tasks(
            registry=operator_registry(self),
            settings=operator_settings(self._node_name),
            clusterwide=True,
            standalone=True,
            # Otherwise kopf asks for the name of our user, which a container need not have, and for our host's by DNS.
            # Its own type for it is not public.
            identity=self._node_name,  # type: ignore[arg-type]
            stop_flag=stop,
        )
        # All of them run for ever: when one ends, so does kopf. Its own way to end may wait for ever.
        ended, _ = await asyncio.wait(roots, return_when=asyncio.FIRST_COMPLETED)
        await end_other_tasks()
        for root in ended:
            await root

    async def _copy(self) -> tuple[Pod, ...]:
        return self.last_pods()


def tell_left_over(_: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """Log an error that kopf left to nobody, in one line.

    Such as those of requests that it made side by side and gave up with the first of them. By itself asyncio logs each
    with a trace, in whichever thread collects it. What ended kopf is told all the same, and what it means for the node.
    """
    logger.debug("kopf left an error: %s: %r", context.get("message"), context.get("exception"))
