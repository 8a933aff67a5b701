"""The watch of this node's pods and report: kopf in a thread of its own, started again whenever it ends.

It does end: when the definition of reports is deleted, when a token is refused twice, when a stream breaks in a way it
does not know. And whatever runs in its event loop ends with it. So it has its own, and the scan, the report and the
pages live on without it.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Never

import aiohttp
import kopf

from pausewatch.agent.kopf_operator import operator_registry, operator_settings
from pausewatch.agent.startup import KOPF_THREAD
from pausewatch.agent.threads import ask_loop, end_other_tasks, in_daemon_thread
from pausewatch.cluster.connection import Connection, ConnectionPlace, read_connection
from pausewatch.cluster.errors import ApiError
from pausewatch.cluster.pods import PODS_PATH
from pausewatch.cluster.reports import Seen
from pausewatch.model.availability import Unavailable
from pausewatch.model.pod import Pod
from pausewatch.model.text import printable

NOT_LISTED = Unavailable(
    reason="PodsNotListed",
    detail="the pods of this node have not been listed yet",
    remedy="see whether the agent reaches the API server and may list pods",
)

COPY_SECONDS = 2.0
"""Limit of asking kopf's loop for a copy of its index: it is idle almost always."""

KEPT_SECONDS = 120.0
"""How long the pods of an ended watch still count, so that a new one that is up within seconds is not noticed. A pod
that came since then is missing in them, which costs a question to the API server and no false alarm."""

LEAST_SECONDS_BETWEEN_LOGINS = 5.0
"""A refused login is followed by the next one at once, and by the next: hundreds in a second."""

FIRST_RESTART_SECONDS = 2.0
LONGEST_RESTART_SECONDS = 300.0

logger = logging.getLogger(__name__)


class PodWatch:
    """Runs kopf again and again, and hands out what it knows.

    Attributes:
        ends: How often it has ended by itself.
        was_complete: Set once the pods of this node are known for the first time.
    """

    def __init__(self, node_name: str, place: ConnectionPlace, report_seen: Callable[[Seen], None]) -> None:
        """Prepare to watch.

        Args:
            node_name: Whose pods and report.
            place: Where the connection to the API server is described.
            report_seen: Called in the event loop of ``run`` with what happened to this node's report.
        """
        self._node_name = node_name
        self._place = place
        self._report_seen = report_seen
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
        if session is None:
            return NOT_LISTED
        return session.trouble if session.is_complete else session.trouble or self._trouble or NOT_LISTED

    async def run(self) -> Never:
        """Watch for ever."""
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            handlers = Listeners(
                completed=lambda: _call(loop, self.was_complete.set),
                report_seen=lambda seen: _call(loop, lambda: self._report_seen(seen)),
            )
            session = Session(self._node_name, self._place, handlers)
            self._session = session
            ended = await in_daemon_thread(KOPF_THREAD, session.run)
            self._keep(session)
            if session.was_stopped:
                continue
            failures = 0 if session.is_complete else failures + 1
            self._ended(ended)
            await asyncio.sleep(restart_seconds(failures, random.random()))  # noqa: S311  no secret

    def restart(self) -> None:
        """Start another watch: kopf looks for the kinds that a server has only at its start."""
        self.stop()

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
        return self._trouble or NOT_LISTED

    def take_relisted(self) -> bool:
        """Return whether the pods were listed since the last call: what was deleted meanwhile is still known then."""
        session = self._session
        return session is not None and session.take_relisted()

    def _keep(self, session: "Session") -> None:
        if session.is_complete:
            self._kept = session.last_pods()
            self._kept_until = time.monotonic() + KEPT_SECONDS

    def _ended(self, error: Exception | None) -> None:
        self.ends += 1
        what = printable(f"{type(error).__name__}: {error}") if error else "without an error"
        trouble = Unavailable(
            reason="WatchEnded",
            detail=f"the watch of this node's pods ended: {what}",
            remedy="see the log of the agent; another watch is started by itself",
        )
        if trouble != self._trouble:
            logger.warning("%s", trouble)
        self._trouble = trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Whom a run of kopf tells; called in its thread."""

    completed: Callable[[], None]
    report_seen: Callable[[Seen], None]


class Session:
    """One run of kopf: what its handlers learn, and how others ask for it."""

    def __init__(self, node_name: str, place: ConnectionPlace, listeners: Listeners) -> None:
        self._node_name = node_name
        self._place = place
        self._listeners = listeners
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._index: Mapping[str, Any] = {}
        self._relisted = False
        self._failures: dict[str, Unavailable] = {}
        self._connected_at = -math.inf
        self._http: list[aiohttp.ClientSession] = []
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
        relisted, self._relisted = self._relisted, False
        return relisted

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
        if error is None:
            self._failures.pop(path, None)
        else:
            self._failures[path] = error.as_unavailable()

    def logged_in(self, http: aiohttp.ClientSession) -> None:
        """See WatchSession."""
        self._http = [*(one for one in self._http if not one.closed), http]

    def started(self, pods: Mapping[str, Any]) -> None:
        """See WatchSession."""
        self._index = pods

    def pod_seen(self, *, listed: bool) -> None:
        """See WatchSession."""
        # kopf holds all events back until every index is filled: the first one says that this is so.
        if not self.is_complete:
            self.is_complete = True
            self._listeners.completed()
        self._relisted = self._relisted or listed

    def report_seen(self, seen: Seen, *, listed: bool) -> None:
        """See WatchSession."""
        self.pod_seen(listed=listed)
        self._listeners.report_seen(seen)

    async def _operate(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        if self.was_stopped:
            return
        try:
            await self._run_kopf(self._stop)
        finally:
            # kopf closes the old one when it gets a new one, and forgets the last.
            for http in self._http:
                await http.close()

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


def _call(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(callback)


def restart_seconds(failures: int, chance: float) -> float:
    """Return how long to wait before the watch is started again; ``chance`` is random, at least 0 and less than 1."""
    doubled = FIRST_RESTART_SECONDS * float(2 ** min(failures, 10))
    return min(doubled, LONGEST_RESTART_SECONDS) * (1 + chance) / 2
