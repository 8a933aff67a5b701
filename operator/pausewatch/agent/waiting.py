"""When to ask the API server about pods that have no ready sandbox: rarely, and few at a time.

Most of them are well: a pod that has run to its end keeps no ready sandbox, one that was just bound has none yet. The
phase tells, and the watch does not see it, for it asks for metadata only.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from pausewatch.cluster.errors import ApiError
from pausewatch.model.availability import Unavailable
from pausewatch.model.pod import Pod, WaitingPod

SCANS_BEFORE_ASKED = 2
"""Within one period most sandboxes are made."""

MOST_ASKED_IN_A_SCAN = 5
"""Two requests each. When no pod of any node gets a sandbox, all agents ask at once, for hours."""

FIRST_PERIODS = 2
LONGEST_PERIODS = 10
"""After how many periods of the scan a pod is asked about again: with the default period at most once a minute, and
every five minutes where the answer is an error, or was the same for long. So with an API server that does not answer:
of a Kubernetes namespace with many Events one list costs it much, and it may be this that it has no time for."""


@dataclass(slots=True)
class _Asked:
    """What is remembered of one pod without ready sandbox."""

    scans: int = 0
    periods: int = FIRST_PERIODS
    due: float = 0.0
    """By the monotonic clock."""

    ended: bool = False
    answer: WaitingPod | None = None


class WaitingPods:
    """Remembers each pod for as long as it has no ready sandbox; called from the thread that scans."""

    def __init__(
        self,
        ask: Callable[[Pod], WaitingPod | None],
        period_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare.

        Args:
            ask: Returns what the API server knows of a pod now, or None if it needs no sandbox any more; raises
                ApiError or TimeoutError.
            period_seconds: Of the scan.
            clock: Returns seconds.
        """
        self._ask = ask
        self._period_seconds = period_seconds
        self._clock = clock
        self._known: dict[str, _Asked] = {}
        self._trouble: Unavailable | None = None
        self._trouble_until = 0.0
        self._failures = 0

    def among(self, suspects: tuple[Pod, ...]) -> tuple[WaitingPod, ...] | Unavailable:
        """Return those that wait, as they were last asked about; see ``PodsSource.waiting``."""
        now = self._clock()
        self._known = {pod.uid: self._known.get(pod.uid) or _Asked() for pod in suspects}
        due = []
        for pod in suspects:
            asked = self._known[pod.uid]
            asked.scans += 1
            if not asked.ended and asked.scans >= SCANS_BEFORE_ASKED and now >= asked.due:
                due.append(pod)
        if due and (self._trouble is None or now >= self._trouble_until):
            # Whoever was asked longest ago, or never, is asked first; the order of the suspects decides otherwise.
            due.sort(key=lambda pod: self._known[pod.uid].due)
            self._trouble = self._ask_about(due[:MOST_ASKED_IN_A_SCAN], now)
        if due and self._trouble is not None:
            return self._trouble
        return tuple(asked.answer for asked in self._known.values() if asked.answer is not None)

    def _ask_about(self, pods: list[Pod], now: float) -> Unavailable | None:
        for pod in pods:
            try:
                self._take(self._known[pod.uid], self._ask(pod), now)
            except (ApiError, TimeoutError) as error:
                # The next one would wait for the same silence.
                periods = min(FIRST_PERIODS * 2**self._failures, LONGEST_PERIODS)
                self._trouble_until = now + periods * self._period_seconds
                self._failures = min(self._failures + 1, LONGEST_PERIODS)
                if isinstance(error, ApiError):
                    return error.as_unavailable()
                return Unavailable(reason="Timeout", detail=f"the API server was not asked in time: {error}")
            self._failures = 0
        return None

    def _take(self, asked: _Asked, answer: WaitingPod | None, now: float) -> None:
        asked.answer = answer
        asked.ended = answer is None
        wait = LONGEST_PERIODS if answer is not None and answer.error else asked.periods
        asked.due = now + wait * self._period_seconds
        asked.periods = min(2 * asked.periods, LONGEST_PERIODS)
