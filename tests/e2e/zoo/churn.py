"""Pods that come and go as fast as the node takes it."""

import itertools

from e2e.zoo.kinds import NAMESPACE, Zoo, pod
from e2e.zoo.made_by_others import quick_job
from lab.shapes.cluster import Cluster
from support.background import Background

MOST_COMING = 12
"""Pods that are not up yet, or not gone yet: more would only wait in the kubelet's queue."""

GUESTS = 4
LOOK_SECONDS = 0.5


class Churn(Background):
    """Makes and removes pods in a thread of its own. Use it as a context manager."""

    def __init__(self, cluster: Cluster) -> None:
        """Prepare."""
        super().__init__("churn", end_seconds=90)
        self._cluster = cluster

    def _work(self) -> None:
        for number in itertools.count():
            while self._is_busy() and not self._stopping.wait(LOOK_SECONDS):
                pass
            if self._stopping.is_set():
                return
            self._next(number)

    def _is_busy(self) -> bool:
        zoo = Zoo.now(self._cluster)
        return len(zoo.named("guest")) + len(zoo.named("burst")) >= MOST_COMING

    def _next(self, number: int) -> None:
        """Make a Job of quick pods and some guests, and remove the guests before them, wherever they are in life."""
        guests = [pod(f"guest-{number}-{index}") for index in range(GUESTS)]
        self._cluster.apply(quick_job(f"burst-{number}"), *guests)
        if number:
            old = [f"guest-{number - 1}-{index}" for index in range(GUESTS)]
            how = ("--force", "--grace-period=0") if number % 2 else ("--wait=false",)
            self._cluster.kubectl("delete", "pod", *old, f"--namespace={NAMESPACE}", "--ignore-not-found", *how)
        stateful = [one["metadata"]["name"] for one in Zoo.now(self._cluster).named("stateful")]
        if stateful:
            self._cluster.kubectl(
                *("delete", "pod", *stateful, f"--namespace={NAMESPACE}", "--ignore-not-found", "--wait=false")
            )
