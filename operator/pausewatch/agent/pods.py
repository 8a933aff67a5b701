"""The pods of this node for the scan: what the watch knows, checked against the API server where it matters."""

from collections.abc import Callable
from typing import Protocol

from pausewatch.agent.waiting import WaitingPods
from pausewatch.cluster.errors import ApiError
from pausewatch.model.availability import Unavailable
from pausewatch.model.pod import Pod, WaitingPod


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
    ) -> None:
        """Prepare.

        Args:
            watch: Of this node's pods.
            list_now: Returns them from a consistent LIST that begins now; raises ApiError or TimeoutError.
            get_now: Returns the pod of a namespace and name, or None; raises the same.
            waiting: Asks about pods without ready sandbox.
        """
        self._watch = watch
        self._list_now = list_now
        self._get_now = get_now
        self._waiting = waiting
        self._must_verify = False
        self._stale: frozenset[str] = frozenset()
        self._listed: frozenset[str] | None = None
        self._gone: set[str] = set()
        self._asked: set[str] = set()

    def read(self) -> tuple[Pod, ...] | Unavailable:
        """Return the pods bound to this node, as last seen."""
        self._listed = None
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
        try:
            if pod.uid in self._listed_since_read():
                return False
            current = self._get_now(pod.namespace, pod.name)
        except ApiError as error:
            return error.as_unavailable()
        except TimeoutError as error:
            return Unavailable(reason="Timeout", detail=f"the API server was not asked in time: {error}")
        if current is not None and current.uid == pod.uid:
            return False
        self._gone.add(pod.uid)
        return True

    def waiting(self, suspects: tuple[Pod, ...]) -> tuple[WaitingPod, ...] | Unavailable:
        """Return those of ``suspects`` that are not at their end; see ``PodsSource``."""
        return self._waiting.among(suspects)

    def _listed_since_read(self) -> frozenset[str]:
        if self._listed is None:
            self._listed = frozenset(pod.uid for pod in self._list_now())
        return self._listed

    def _verify(self, known: frozenset[str]) -> None:
        """Find what the watch still knows although it is gone; until the API server answers, it is believed."""
        try:
            listed = self._listed_since_read()
        except (ApiError, TimeoutError):
            # A pod too many hides an orphan for a while; asked again in the next scan.
            return
        self._stale |= known - listed
        self._must_verify = False
