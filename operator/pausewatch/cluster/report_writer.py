"""Keeps the stored report of this node as the last scan says, within the pace that the schedule allows."""

import asyncio
import logging
import math
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Never

from pausewatch.cluster import write_schedule
from pausewatch.cluster.client import Object
from pausewatch.cluster.errors import CONFLICT, NOT_FOUND, UNAUTHORIZED, ApiError
from pausewatch.cluster.report_content import content_hash
from pausewatch.cluster.reports import NodeReports, Seen
from pausewatch.cluster.stored_report import CONTESTED, changed_paths, is_later, is_of_another_agent, remark, taken_at
from pausewatch.cluster.write_schedule import Pace, Step, WriteState, due_at
from pausewatch.model.availability import Unavailable

logger = logging.getLogger(__name__)

Carry = Callable[[Object, Object], Object]
"""Takes a status to be written and the stored one; returns the first with what it keeps of the second."""

Tell = Callable[[Unavailable | None], None]
"""Called when writing begins to fail, fails for another reason, or works again: with the reason, None if it works."""


OWN_VERSIONS = 4
"""Resource versions of ours that are remembered: the watch may tell of one when the next is written already."""

DELETED_AGAIN = Unavailable(
    reason="ReportDeletedAgain",
    detail="the report is deleted each time soon after it was made, so the next one is made later",
    remedy="compare the uid of the Node with that of the report's owner: where they differ, a new token of the agent's"
    " pod helps; where the Node is gone, so is its report",
)
"""What the garbage collector does to a report whose owner is not there (Kubernetes: Garbage Collection, owners)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What the writer knows of time and chance; tests pass their own."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    chance: Callable[[], float] = random.random


class ReportWriter:
    """Writes what is offered to it.

    Lives in one event loop, and so do all calls. ``run`` never ends by itself: what fails is told and tried again.

    Attributes:
        stored: The object as the API server has it, as far as we know; None if there is none.
        was_read: Set once it is known for the first time what is stored.
        others: The status that another agent of this node has written since our last write; None if there is none.
        trouble: Why the last attempt failed; None after one that did not.
        writes: Statuses written.
        errors: Attempts that failed.
    """

    def __init__(self, reports: NodeReports, pace: Pace, carry: Carry, tell: Tell, clock: Clock | None = None) -> None:
        self._reports = reports
        self._pace = pace
        self._carry = carry
        self._tell = tell
        self._clock = clock or Clock()
        self._state = WriteState()
        self._offered: Object | None = None
        self._written_time = ""
        self._changed_on_the_way: tuple[str, ...] = ()
        self._changed = asyncio.Event()
        self._seen: Seen | None = None
        self._is_asking = False
        self._own_versions: deque[str] = deque(maxlen=OWN_VERSIONS)
        self.stored: Object | None = None
        self.others: Object | None = None
        self.was_read = asyncio.Event()
        self.trouble: Unavailable | None = None
        self.writes = 0
        self.errors = 0

    @property
    def remark(self) -> Unavailable | None:
        """What people should know of the stored report although it can be written; None if all is as it should be."""
        if self.stored is None:
            return None
        if write_schedule.is_contested(self._state, self._clock.monotonic()):
            return CONTESTED
        return remark(self.stored, self._changed_on_the_way, self._reports.node_name)

    def offer(self, report: Object) -> None:
        """Take a report, to be written when it is due; it replaces one that was offered before."""
        self._offered = report
        self._state = write_schedule.agreed(self._state, content_hash(report["status"]))
        if self.trouble is not None and self._needs_no_write(report):
            # What could not be written need not be any more. Reading shows whether it could now, and what is stored:
            # a write without an answer may have been one.
            self._state = write_schedule.touched(self._state)
        self._changed.set()

    def was_seen(self, seen: Seen) -> None:
        """Take note of what the watch says; our own writes come back this way too."""
        self._seen = seen
        # While a request is under way nobody knows yet which version it makes.
        if not self._is_asking:
            self._heed()
        self._changed.set()

    def may_have_missed(self) -> None:
        """Take note that the watch had a gap, and has none any more: what became of the stored report is to be read.

        After an outage this is the first to know that the server answers.
        """
        if self._state.step is Step.REPLACE:
            self._state = write_schedule.touched(self._state)
        self._state = write_schedule.answered(self._state, self._clock.monotonic(), self._clock.chance())
        self._changed.set()

    async def run(self) -> Never:
        """Write for ever."""
        while True:
            await self._until_due()
            try:
                await self.step()
            except Exception as error:
                # A bug of ours: it must not end the reports of this node, nor fill the log with one trace.
                broken = Unavailable(
                    reason="WriterFailed", detail=repr(error), remedy="report it as a bug in pausewatch"
                )
                if self.trouble != broken:
                    logger.exception("writing the report broke")
                self._failed(broken)

    async def step(self) -> None:
        """Take the step that is next, due or not."""
        before = self._state.step
        self._is_asking = True
        try:
            await self._take(before)
        except ApiError as error:
            self._after_error(error, before)
        else:
            self._has_trouble(self._held_back())
        finally:
            self._is_asking = False
            self._heed()

    def wait_seconds(self) -> float:
        """Return how long the next step has to wait; infinite until another report is offered."""
        now = self._clock.monotonic()
        if self._offered is None:
            return self._state.not_before - now if self._state.step is Step.READ else math.inf
        content = content_hash(self._offered["status"])
        is_old = self._offered["status"]["reportTime"] == self._written_time
        if self._state.step is Step.REPLACE and content == self._state.content and is_old:
            # A heartbeat says that the node was looked at again. Nobody did since the last write.
            return math.inf
        if self._state.step is Step.REPLACE and self._is_outdated(self._offered["status"]):
            # Two agents that write what each saw last would take turns with every change on the node.
            return math.inf
        return due_at(self._state, content, self._pace) - now

    def _is_outdated(self, status: Object) -> bool:
        """Whether another agent looked later; at what is to come, since the clock was set back, nobody has looked."""
        others = self.others
        return others is not None and self._age_seconds(others) >= 0 and not is_later(status, others)

    async def _until_due(self) -> None:
        while (wait := self.wait_seconds()) > 0:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), None if math.isinf(wait) else wait)
            except TimeoutError:
                return

    async def _take(self, step: Step) -> None:
        match step:
            case Step.READ:
                await self._read()
            case Step.CREATE if self._offered is not None:
                self._is_stored(await self._reports.create(self._offered))
                self._state = write_schedule.created(self._state, self._clock.monotonic())
            case Step.REPLACE if self._offered is not None:
                await self._replace(self._offered)

    async def _read(self) -> None:
        before, found, now = self.stored, await self._reports.read(), self._clock.monotonic()
        if found is None:
            self._is_missing()
        elif before is None or before["metadata"].get("uid") != found["metadata"].get("uid"):
            self._is_taken_over(found, now)
        elif is_of_another_agent(found.get("status") or {}, before.get("status") or {}, self._clock.now()):
            self._is_taken_over(found, now)
            self.others = found["status"]
        else:
            # Whatever somebody else made of the status, what the next one keeps is what was ours.
            is_ours = before.get("status") == found.get("status")
            self._is_stored(found | {"status": before.get("status") or {}})
            self._state = write_schedule.compared(self._state, now, is_ours=is_ours)
        self.was_read.set()

    def _is_taken_over(self, found: Object, now: float) -> None:
        self._is_stored(found)
        status = found.get("status") or {}
        heartbeat_at = self._heartbeat_at(self._age_seconds(status))
        self._state = write_schedule.found(self._state, now, content_hash(status) if status else "", heartbeat_at)

    async def _replace(self, offered: Object) -> None:
        status = self._carry(offered["status"], (self.stored or {}).get("status") or {})
        answer = await self._reports.replace_status(status)
        self._is_stored(answer)
        self._changed_on_the_way = changed_paths(status, answer.get("status"))
        self._written_time = status["reportTime"]
        self.others = None
        self._state = write_schedule.written(
            self._state, self._clock.monotonic(), content_hash(status), self._heartbeat_at(0)
        )
        self.writes += 1

    def _needs_no_write(self, report: Object) -> bool:
        """Return whether the stored report says the same, and its heartbeat is not due."""
        is_stored = self._state.step is Step.REPLACE and content_hash(report["status"]) == self._state.content
        return is_stored and self._state.heartbeat_at > self._clock.monotonic()

    def _heed(self) -> None:
        """Follow what the watch said last."""
        seen, self._seen = self._seen, None
        if seen is None:
            return
        ours = self.stored is not None and self.stored["metadata"].get("uid") == seen.uid
        if seen.deleted and ours:
            self._is_missing()
        elif not seen.deleted and not ours and self._state.step is not Step.READ:
            self._state = write_schedule.unknown(self._state)
        elif not seen.deleted and ours and seen.version not in self._own_versions:
            self._state = write_schedule.touched(self._state)

    def _is_stored(self, answer: Object) -> None:
        self.stored = answer
        self._own_versions.append(str(answer["metadata"].get("resourceVersion", "")))

    def _after_error(self, error: ApiError, step: Step) -> None:
        if step is Step.REPLACE and error.status == NOT_FOUND and not error.resource_unknown:
            # Deleted before the watch told us: no failure, but work.
            self._is_missing()
        elif step is Step.CREATE and error.status == CONFLICT:
            # Somebody was faster, or an older one is still being removed: look again, but not at once.
            self._state = write_schedule.unknown(self._state)
            self._failed(error.as_unavailable(), error.retry_after_seconds)
        elif error.status == UNAUTHORIZED:
            self._failed(error.as_unavailable(), longest_seconds=write_schedule.LONGEST_LOGIN_RETRY_SECONDS)
        else:
            self._failed(error.as_unavailable(), error.retry_after_seconds)

    def _failed(
        self,
        trouble: Unavailable,
        retry_after_seconds: float = 0,
        longest_seconds: float = write_schedule.LONGEST_RETRY_SECONDS,
    ) -> None:
        self.errors += 1
        self._has_trouble(trouble)
        self._state = write_schedule.failed(
            self._state, self._clock.monotonic(), retry_after_seconds, self._clock.chance(), longest_seconds
        )

    def _has_trouble(self, trouble: Unavailable | None) -> None:
        before, self.trouble = self.trouble, trouble
        if before != trouble:
            self._tell(trouble)

    def _is_missing(self) -> None:
        self.stored = self.others = None
        self._state = write_schedule.missing(self._state)
        self._has_trouble(self._held_back() or self.trouble)

    def _held_back(self) -> Unavailable | None:
        return DELETED_AGAIN if write_schedule.is_held_back(self._state, self._clock.monotonic()) else None

    def _heartbeat_at(self, age_seconds: float) -> float:
        in_step = write_schedule.is_in_step(self._state)
        wait = write_schedule.heartbeat_seconds(self._pace, self._clock.chance(), in_step=in_step) - max(age_seconds, 0)
        return self._clock.monotonic() + wait

    def _age_seconds(self, status: Object) -> float:
        moment = taken_at(status)
        # Without a time nobody has written a status of ours yet.
        return math.inf if moment is None else (self._clock.now() - moment).total_seconds()
