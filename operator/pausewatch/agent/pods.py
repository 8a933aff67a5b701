"""The pods of this node for the scan: what the watch knows, checked against the API server where it matters."""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from pausewatch.agent.waiting import WaitingPods
from pausewatch.cluster.errors import ApiError
from pausewatch.model.availability import Unavailable
from pausewatch.model.pod import Pod, WaitingPod

T = TypeVar("T")

MOST_SECONDS_OF_A_SCAN = 15.0
"""After questions that took this long together, the others wait for the next scan: more than a healthy API server takes
for a hundred. Without it, a hundred sandboxes to ask about while each answer takes seconds would hold up a scan until
liveness takes the agent for dead, on all nodes at once, and the API server is asked everything again."""

ASKED_TOO_LONG = Unavailable(
    reason="ApiServerSlow",
    detail=f"the API server took more than {MOST_SECONDS_OF_A_SCAN:g} s of this scan; the rest waits for the next",
)


class Watch(Protocol):
    """What the pods are taken from."""

    def pods(self) -> tuple[Pod, ...] | Unavailable:
        """Return the pods of this node as last seen."""

    def take_relisted(self) -> bool:
        """Return whether they were listed since the last call."""


class ApiPods:
    """Answers the scan's questions about pods; asked from the thread that scans, one scan after another.

    kopf's index forgets a pod when its deletion is seen. One that is deleted while the watch is broken stays in it for
    good, and an orphan of it would never be found. So after each listing of the watch we list once more ourselves, and
    forget what is not there.
    """

    def __init__(
        self,
        watch: Watch,
        list_now: Callable[[], tuple[Pod, ...]],
        get_now: Callable[[str, str], Pod | None],
        waiting: WaitingPods,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare.

        Args:
            watch: Of this node's pods.
            list_now: Returns them from a consistent LIST that begins now; raises ApiError or TimeoutError.
            get_now: Returns the pod of a namespace and name, or None; raises the same.
            waiting: Asks about pods without ready sandbox.
            clock: Returns seconds.
        """
        self._watch = watch
        self._list_now = list_now
        self._get_now = get_now
        self._waiting = waiting
        self._clock = clock
        self._trouble: Unavailable | None = None
        self._seconds = 0.0
        self._must_verify = False
        self._stale: frozenset[str] = frozenset()
        self._listed: frozenset[str] | None = None
        self._gone: set[str] = set()
        self._asked: set[str] = set()

    def read(self) -> tuple[Pod, ...] | Unavailable:
        """Return the pods bound to this node, as last seen."""
        self._listed = self._trouble = None
        self._seconds = 0.0
        # A sandbox that nobody asked about in the last scan is gone, or no longer suspected.
        self._gone &= self._asked
        self._asked = set()
        self._must_verify = self._watch.take_relisted() or self._must_verify
        pods = self._watch.pods()
        if isinstance(pods, Unavailable):
            return pods
        known = frozenset(pod.uid for pod in pods)
        self._stale &= known
        if self._must_verify:
            self._verify(known)
        return tuple(pod for pod in pods if pod.uid not in self._stale)

    def is_gone(self, pod: Pod) -> bool | Unavailable:
        """Return whether a LIST and a GET that begin after the scan's reads both show no such uid.

        "Gone" is remembered while it is asked about: a uid never comes back, and an orphan that stays for weeks must
        not cost a LIST in every scan.
        """
        self._asked.add(pod.uid)
        if pod.uid in self._gone:
            return True
        there = self._ask(lambda: self._is_there(pod))
        if isinstance(there, Unavailable):
            return there
        if not there:
            self._gone.add(pod.uid)
        return not there

    def waiting(self, suspects: tuple[Pod, ...]) -> tuple[WaitingPod, ...] | Unavailable:
        """Return those of ``suspects`` that are not at their end; see ``PodsSource``."""
        return self._waiting.among(suspects)

    def _ask(self, question: Callable[[], T]) -> T | Unavailable:
        """Return an answer; once the API server failed in a scan, or took too long, it is not asked any more in it.

        The next question would wait for the same silence.
        """
        if self._trouble is not None:
            return self._trouble
        began = self._clock()
        try:
            return question()
        except ApiError as error:
            self._trouble = error.as_unavailable()
        except TimeoutError as error:
            self._trouble = Unavailable(reason="Timeout", detail=f"the API server was not asked in time: {error}")
        finally:
            self._seconds += self._clock() - began
            if self._trouble is None and self._seconds > MOST_SECONDS_OF_A_SCAN:
                self._trouble = ASKED_TOO_LONG
        return self._trouble

    def _is_there(self, pod: Pod) -> bool:
        if pod.uid in self._listed_since_read():
            return True
        current = self._get_now(pod.namespace, pod.name)
        return current is not None and current.uid == pod.uid

    def _listed_since_read(self) -> frozenset[str]:
        if self._listed is None:
            self._listed = frozenset(pod.uid for pod in self._list_now())
        return self._listed

    def _verify(self, known: frozenset[str]) -> None:
        """Find what the watch still knows although it is gone; until the API server answers, it is believed.

        A pod too many hides an orphan for a while; asked again in the next scan.
        """
        listed = self._ask(self._listed_since_read)
        if not isinstance(listed, Unavailable):
            self._stale |= known - listed
            self._must_verify = False
