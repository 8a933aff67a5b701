"""Posts Events: one after the other, never faster than allowed, and not for ever.

An Event is a courtesy: the report and the metrics say the same. So what can not be posted soon is dropped and counted,
and nobody waits for it.
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Never
from urllib.parse import quote

from pausewatch.cluster.client import EVENTS, JSON_PATCH, ApiClient
from pausewatch.cluster.errors import CONFLICT, NAMESPACE_TERMINATING, NOT_FOUND, UNAUTHORIZED, ApiError
from pausewatch.cluster.report_writer import Clock
from pausewatch.cluster.token_bucket import TokenBucket, full
from pausewatch.model.availability import Unavailable
from pausewatch.sinks import events
from pausewatch.sinks.events import News, Regarding

OBJECT_BURST = 10
OBJECT_SECONDS_PER_EVENT = 300.0
"""Of one pod, or of the Node. Ten are more findings than a broken pod has; then one in five minutes, as client-go
allows one source and object (tools/record/events_cache.go, defaultSpamQPS)."""

NODE_BURST = 10
NODE_SECONDS_PER_EVENT = 10.0
"""Of this agent, whatever they are about. When all pods of a node break at once, 40 of them are told within the five
minutes that an Event may wait. When that befalls all of 5,000 nodes, whose scans are spread over 30 s, they make 1,700
requests a second at first and 500 after that, and 130 MiB in etcd; docs/scale.md has what a request costs. One kubelet
alone may make 50 a second (KubeletConfiguration: eventRecordQPS)."""

MOST_WAITING = 200
"""More than can be posted before they are too old."""

LONGEST_WAIT_SECONDS = 300.0
"""Events are shown by age: one that comes later than this would say something old as news."""

FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 60.0

TOO_MANY_REQUESTS = 429
SERVER_ERRORS_FROM = 500

logger = logging.getLogger(__name__)

Tell = Callable[[Unavailable | None], None]
"""Called after each attempt, with why it failed; None after one that did not."""


class Drop(StrEnum):
    """Why an Event was not posted."""

    RATE_LIMITED = "RateLimited"
    """Its object has had too many of late."""

    QUEUE_FULL = "QueueFull"
    TOO_OLD = "TooOld"
    """It could not be posted in time."""

    NAMESPACE_GONE = "NamespaceGone"
    """Its Kubernetes namespace is being deleted, or is: that is no fault."""

    REFUSED = "Refused"
    """The API server will not take it, however often it is sent."""

    BROKEN = "Broken"
    """A bug of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    news: News
    since: float
    """By the monotonic clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """An Event that the API server has."""

    name: str
    count: int
    at: float
    """When it was told last, by the monotonic clock."""


class EventPoster:
    """Posts what is offered to it.

    Lives in one event loop, and so do all calls. ``run`` never ends by itself.

    Attributes:
        posted: Events that the API server took, those that became part of a series included.
        dropped: How many were not posted, by the reason; 0 included.
    """

    def __init__(self, api: ApiClient, node_name: str, tell: Tell, clock: Clock | None = None) -> None:
        self._api = api
        self._node_name = node_name
        self._tell = tell
        self._clock = clock or Clock()
        self._waiting: deque[_Waiting] = deque()
        self._told: dict[tuple[str, ...], _Told] = {}
        self._of_node = full(NODE_BURST, NODE_SECONDS_PER_EVENT, self._clock.monotonic())
        self._of_objects: dict[Regarding, TokenBucket] = {}
        self._failures = 0
        self._not_before = -math.inf
        self._offered = asyncio.Event()
        self.posted = 0
        self.dropped: dict[str, int] = dict.fromkeys(Drop, 0)

    def offer(self, news: Iterable[News]) -> None:
        """Take what is to be told; returns at once."""
        now = self._clock.monotonic()
        self._of_objects = {one: bucket for one, bucket in self._of_objects.items() if not bucket.is_full(now)}
        for one in news:
            bucket = self._of_objects.get(one.regarding) or full(OBJECT_BURST, OBJECT_SECONDS_PER_EVENT, now)
            if len(self._waiting) >= MOST_WAITING:
                self.dropped[Drop.QUEUE_FULL] += 1
            elif bucket.wait_seconds(now):
                self.dropped[Drop.RATE_LIMITED] += 1
            else:
                self._of_objects[one.regarding] = bucket.take(now)
                self._waiting.append(_Waiting(news=one, since=now))
                self._offered.set()

    async def run(self) -> Never:
        """Post for ever."""
        while True:
            while (wait := self.wait_seconds()) > 0:
                self._offered.clear()
                try:
                    await asyncio.wait_for(self._offered.wait(), None if math.isinf(wait) else wait)
                except TimeoutError:
                    break
            await self.step()

    def wait_seconds(self) -> float:
        """Return how long the next request has to wait; infinite until something is offered."""
        if not self._waiting:
            return math.inf
        now = self._clock.monotonic()
        return max(self._not_before - now, self._of_node.wait_seconds(now))

    async def step(self) -> None:
        """Post what waits longest, due or not; drop what has waited for too long."""
        now = self._clock.monotonic()
        in_time = deque(one for one in self._waiting if now - one.since <= LONGEST_WAIT_SECONDS)
        self.dropped[Drop.TOO_OLD] += len(self._waiting) - len(in_time)
        self._waiting = in_time
        if not self._waiting:
            return
        waiting = self._waiting.popleft()
        self._of_node = self._of_node.take(now)
        try:
            await self._post(waiting.news)
        except ApiError as error:
            self._after_error(error, waiting)
        except Exception as error:
            # It must not end the Events of this node, nor fill the log with one trace.
            if not self.dropped[Drop.BROKEN]:
                logger.exception("posting an Event broke")
            self.dropped[Drop.BROKEN] += 1
            self._tell(
                Unavailable(reason="PosterFailed", detail=repr(error), remedy="report it as a bug in pausewatch")
            )
        else:
            self.posted += 1
            self._failures = 0
            self._tell(None)

    async def _post(self, one: News) -> None:
        now = self._clock.monotonic()
        self._told = {topic: told for topic, told in self._told.items() if now - told.at < events.SERIES_SECONDS}
        before = self._told.get(one.topic)
        if before is not None and await self._is_counted(one, before):
            self._told[one.topic] = _Told(name=before.name, count=before.count + 1, at=now)
            return
        event = events.render(one, self._node_name)
        try:
            await self._api.request("POST", self._path(event["metadata"]["namespace"]), body=event)
        except ApiError as error:
            # It is there: an attempt that was not answered in time had come through, or another agent of this node, or
            # the one before this one, told the same within these minutes.
            if error.status != CONFLICT:
                raise
        self._told[one.topic] = _Told(name=event["metadata"]["name"], count=1, at=now)

    async def _is_counted(self, one: News, before: _Told) -> bool:
        """Count it on the Event that told the same before; return whether that is still there."""
        namespace = one.regarding.namespace or events.NODE_EVENTS_NAMESPACE
        try:
            await self._api.request(
                "PATCH",
                f"{self._path(namespace)}/{quote(before.name, safe='')}",
                body=[{"op": "add", "path": "/series", "value": events.series(before.count + 1, one.at)}],
                headers={"Content-Type": JSON_PATCH},
            )
        except ApiError as error:
            if error.status == NOT_FOUND and not error.resource_unknown:
                return False
            raise
        return True

    def _path(self, namespace: str) -> str:
        return f"/apis/{events.API_VERSION}/namespaces/{quote(namespace, safe='')}{EVENTS}"

    def _after_error(self, error: ApiError, waiting: _Waiting) -> None:
        if _is_namespace_gone(error):
            self.dropped[Drop.NAMESPACE_GONE] += 1
            return
        self._tell(error.as_unavailable())
        # Who is not recognized now may be so with the next token.
        if error.status not in (0, UNAUTHORIZED, TOO_MANY_REQUESTS) and error.status < SERVER_ERRORS_FROM:
            self.dropped[Drop.REFUSED] += 1
            return
        # Behind the others: what fails may be about one Kubernetes namespace only, such as a webhook of its own.
        self._waiting.append(waiting)
        doubled = min(FIRST_RETRY_SECONDS * 2 ** min(self._failures, 10), LONGEST_RETRY_SECONDS)
        chance = self._clock.chance()
        self._failures += 1
        self._not_before = self._clock.monotonic() + max(
            doubled * (1 + chance) / 2, error.retry_after_seconds * (1 + chance / 4)
        )


def _is_namespace_gone(error: ApiError) -> bool:
    """Whether the Kubernetes namespace is being deleted, or is not there any more."""
    return error.reason == NAMESPACE_TERMINATING or (error.status == NOT_FOUND and not error.resource_unknown)
