"""The pod of the runtime of a test, and what an API server knows of it."""

from pausewatch.model.availability import Unavailable
from pausewatch.model.pod import Pod, WaitingPod

WEB_SANDBOX = "6f8f68a2460e71403be61b96a997bec0fd47a01224a7fa1c44c62a80c4d96aab"
WEB_UID = "2595976c-bc45-40c5-b56f-faaf68d2f9c4"
WEB_CONTAINER = "a1c24b3c360c0bfd7e5eaef38feea5579dc21a650969922a7f7de267b4f10b35"


class Pods:
    """What an API server knows, as a watch shows it and as it answers at this moment."""

    def __init__(self, watched: tuple[Pod, ...] | Unavailable, *, gone: bool | Unavailable) -> None:
        self.watched = watched
        self.gone = gone
        self.asked: list[str] = []
        self.suspects: tuple[Pod, ...] = ()

    def read(self) -> tuple[Pod, ...] | Unavailable:
        """Return what was watched."""
        return self.watched

    def is_gone(self, pod: Pod) -> bool | Unavailable:
        """Answer now."""
        self.asked.append(pod.uid)
        return self.gone

    def waiting(self, suspects: tuple[Pod, ...]) -> tuple[WaitingPod, ...] | Unavailable:
        """Remember who was asked about."""
        self.suspects = suspects
        return ()
