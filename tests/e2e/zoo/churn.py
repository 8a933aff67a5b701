"""Pods that come and go as fast as the node takes it."""

import itertools
import threading
from types import TracebackType
from typing import Self

from e2e.zoo.kinds import NAMESPACE, Zoo, pod
from e2e.zoo.made_by_others import quick_job
from lab.shapes.cluster import Cluster

MOST_COMING = 12
"""Pods that are not up yet, or not gone yet: more would only wait in the kubelet's queue."""

GUESTS = 4
LOOK_SECONDS = 0.5


class Churn:
    """Makes and removes pods in a thread of its own. Use it as a context manager."""

    def __init__(self, cluster: Cluster) -> None:
        """Prepare."""
        self._cluster = cluster
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="churn", daemon=True)
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(90)

    def check(self) -> None:
        """Raise what ended it."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            for number in itertools.count():
                while self._is_busy() and not self._stopping.wait(LOOK_SECONDS):
                    pass
                if self._stopping.is_set():
                    return
                self._next(number)
        except BaseException as error:  # noqa: BLE001  raised again by whoever waits
            self._error = error

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
