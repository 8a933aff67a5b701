"""The pods of this node as the API server knows them: what the Collector asks, whoever answers."""

from typing import Protocol

from pausewatch.model.availability import Unavailable
from pausewatch.model.pod import Pod, WaitingPod


class PodsSource(Protocol):
    """Answered by the agent's watch; asked from the thread that scans."""

    def read(self) -> tuple[Pod, ...] | Unavailable:
        """Return the pods bound to this node, as last seen; asked after the CRI's lists."""

    def is_gone(self, pod: Pod) -> bool | Unavailable:
        """Return whether a LIST and a GET that begin now both show no such uid.

        A watch may miss a deletion or be late with a creation; only a consistent read of the moment counts.
        """

    def waiting(self, suspects: tuple[Pod, ...]) -> tuple[WaitingPod, ...] | Unavailable:
        """Return those of ``suspects`` that are not at their end, as far as they were asked about; called once a scan.

        Args:
            suspects: Pods without a ready sandbox in this scan; the most suspicious first.
        """
