"""The image that the next sandbox is made from: what it is called, and whether the runtime has it and keeps it.

Where the name is from:

- CRI-O, cri-dockerd and containerd up to 1.7 tell it in their verbose status: ``info["config"]`` holds
  ``{"sandboxImage": "registry.k8s.io/pause:3.10"}``.
- containerd 2 keeps it in the configuration of another plugin, which no call shows (kubernetes/kubeadm issue 3146). It
  reads its configuration when it starts, and writes the name into the specification of each sandbox. So a sandbox that
  started after the runtime's process carries the name that is configured now. Compared by clock ticks since boot, of
  the pause and of the runtime: a stepped clock can not mix them up. Until a first sandbox is made the name is unknown.
"""

import json
import math
import re
import time
from collections.abc import Iterable, Mapping

from pausewatch.model.availability import Unavailable
from pausewatch.model.sandbox import Sandbox, SandboxState
from pausewatch.model.sandbox_image import NamedImage, SandboxImage
from pausewatch.model.snapshot import Runtime, Snapshot
from pausewatch.model.text import printable
from pausewatch.sources.cri import verbose_info
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.client import CriClient

PERIOD_SECONDS = 300.0
"""Between two times that the runtime is asked for what it was asked before: images change by the day."""

MOST_OTHER_NAMES = 4
"""Other images of ready sandboxes that are asked for; after years of upgrades without a reboot there are two or three.
Bounds the calls of one reading."""

TOLD_BY_STATUS = "the runtime's status"
TOLD_BY_SANDBOX = "the newest sandbox that this runtime process started"

CONTAINERD = "containerd"
CRI_O = "cri-o"

FIRST_CONTAINERD_THAT_PINS: Mapping[tuple[int, int], int] = {(1, 6): 22, (1, 7): 3}
"""The release of each series that brought "Pinned image support" (pull requests 8720 and 8718); 2.0 had it from the
start. Before, no image is ever called pinned."""

NOT_TOLD = Unavailable(
    reason="SandboxImageNotTold",
    detail="the runtime does not tell its sandbox image, and has not started a sandbox since it was started itself",
    remedy="wait for the next pod on this node",
)


class SandboxImageSource:
    """Asks for the sandbox image, and remembers the answers for ``period_seconds``.

    A reading takes at most ``MOST_OTHER_NAMES + 2`` calls, and none after the first that failed.

    Attributes:
        cni_directory: Where the CNI configuration is, from the same status; empty if the runtime does not tell.
    """

    def __init__(self, period_seconds: float = PERIOD_SECONDS) -> None:
        self._period_seconds = period_seconds
        self.forget()

    def forget(self) -> None:
        """Ask for everything in the next reading: another runtime, or the same one with another configuration."""
        self._asked_at: float | None = None
        self._name = ""
        self._told_by = ""
        self.cni_directory = ""
        self._images: dict[str, cri.ImageStatusResponse] = {}
        self._failure: Unavailable | None = None

    def read(self, client: CriClient, so_far: Snapshot, runtime_pid: int) -> SandboxImage | Unavailable:
        """Return the configured image.

        Args:
            client: Asks the runtime.
            so_far: With its runtime, sandboxes, first processes and processes.
            runtime_pid: The process behind the CRI socket; 0 if it has no number here.
        """
        if isinstance(so_far.runtime, Unavailable):
            return so_far.runtime
        if isinstance(so_far.sandboxes, Unavailable):
            return so_far.sandboxes
        if self._asked_at is None or time.monotonic() - self._asked_at >= self._period_seconds:
            self._ask_again(client)
        if not self._name and self._failure is None and so_far.runtime.name == CONTAINERD:
            self._name, self._told_by = name_by_newest_sandbox(so_far, runtime_pid), TOLD_BY_SANDBOX
        if not self._name:
            return self._failure or NOT_TOLD
        others = sorted(_names_in_use(so_far.sandboxes) - {self._name})[:MOST_OTHER_NAMES]
        for name in (self._name, *others):
            self._ask_for_image(client, name)
        if self._name not in self._images:
            return self._failure or NOT_TOLD
        found = translate(self._name, self._told_by, so_far.runtime, self._images, others)
        if not found.present:
            # Asked again in the next reading: a second look before anybody is told, and an end as soon as it is there.
            del self._images[self._name]
        return found

    def _ask_again(self, client: CriClient) -> None:
        self._asked_at = time.monotonic()
        self._images = {}
        self._failure = None
        answer = client.status()
        if isinstance(answer, Unavailable):
            self._name, self._failure = "", answer
            return
        self.cni_directory = verbose_info.cni_directory(answer.info)
        name = configured_name(answer.info)
        if name or self._told_by != TOLD_BY_SANDBOX:
            self._name, self._told_by = name, TOLD_BY_STATUS

    def _ask_for_image(self, client: CriClient, name: str) -> None:
        """Ask for an image that is not known; after a failure for nothing before the next period."""
        if name in self._images or self._failure is not None:
            return
        answer = client.image_status(name)
        if isinstance(answer, Unavailable):
            self._failure = answer
        else:
            self._images[name] = answer


def configured_name(info: Mapping[str, str]) -> str:
    """Return the sandbox image in a runtime's verbose status; empty if it does not tell one."""
    try:
        config = json.loads(info.get("config", ""))
    except (ValueError, RecursionError):
        return ""
    name = config.get("sandboxImage") if isinstance(config, dict) else None
    return name if isinstance(name, str) and is_image_name(name) else ""


def is_image_name(text: str) -> bool:
    """Whether a text can be asked for as it is: escaped or cut, the runtime would not have it.

    References have none of the characters that are escaped (distribution/reference, reference.go).
    """
    return text.isascii() and printable(text) == text


def name_by_newest_sandbox(so_far: Snapshot, runtime_pid: int) -> str:
    """Return the image of the newest ready sandbox whose pause started after the runtime's process; empty if none."""
    if isinstance(so_far.first_processes, Unavailable) or isinstance(so_far.processes, Unavailable):
        return ""
    if isinstance(so_far.sandboxes, Unavailable):
        return ""
    runtime = next((one.identity for one in so_far.processes if one.pid == runtime_pid), None)
    if runtime is None:
        return ""
    started = {one.owner_id: one.identity.start_ticks for one in so_far.first_processes if one.in_own_cgroup}
    since = [
        (started[sandbox.id], image)
        for sandbox, image in _images_in_use(so_far.sandboxes)
        if started.get(sandbox.id, 0) > runtime.start_ticks
    ]
    return max(since, default=(0, ""))[1]


def translate(
    name: str,
    told_by: str,
    runtime: Runtime,
    answers: Mapping[str, cri.ImageStatusResponse],
    others: Iterable[str],
) -> SandboxImage:
    """Return the configured image from what the runtime said about it and about the others in use."""
    image = answers[name].image
    pinned = image.pinned if image.id and (image.pinned or tells_pins(runtime)) else None
    return SandboxImage(
        image=name,
        told_by=told_by,
        id=printable(image.id),
        pinned=pinned,
        others=tuple(
            NamedImage(image=other, id=printable(answers[other].image.id))
            for other in others
            if other in answers and answers[other].image.id
        ),
    )


def tells_pins(runtime: Runtime) -> bool:
    """Return whether an image that this runtime does not call pinned is not.

    A runtime from before the field, or one that never fills it, leaves it out for every image, which reads like false.
    """
    if runtime.name == CONTAINERD:
        numbers = re.match(r"v?(\d+)\.(\d+)\.(\d+)", runtime.version)
        if numbers is None:
            return False
        major, minor, release = map(int, numbers.groups())
        return major > 1 or release >= FIRST_CONTAINERD_THAT_PINS.get((major, minor), math.inf)
    return runtime.name == CRI_O


def _images_in_use(sandboxes: Iterable[Sandbox]) -> Iterable[tuple[Sandbox, str]]:
    """Yield the ready sandboxes that tell their image, with its name."""
    for sandbox in sandboxes:
        if sandbox.state is SandboxState.READY and not isinstance(sandbox.details, Unavailable):
            image = sandbox.details.image
            if image and is_image_name(image):
                yield sandbox, image


def _names_in_use(sandboxes: Iterable[Sandbox]) -> set[str]:
    """Return the same names without their sandboxes: the part that every scan pays for."""
    ready = SandboxState.READY
    details = (one.details for one in sandboxes if one.state is ready)
    return {one.image for one in details if not isinstance(one, Unavailable) and one.image}
